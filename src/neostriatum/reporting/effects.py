"""What levels do to cells, as rows of a table for a reader."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neostriatum.reporting.phrases import Said, amount, number

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit


def effects(circuit: Circuit) -> list[dict[str, Any]]:
    """Return a row per effect of a modulator: who, level, on what, the rule, what it does now."""
    rows, levels = [], circuit.levels_at(0.0)
    one: Any  # of either spelling, whose check says which of its fields are there
    for name, cell in circuit.cells.items():
        for one in cell.acting:
            f = _heard(circuit, one)
            at = float(circuit.modulators[one.level].heard(levels[one.level], one.curve))
            if one.conductance is not None:
                value = one.conductance
                rule = f"+ {amount(value.value, 'nS')} · {f} · (v − E), E = " \
                       f"{amount(one.reversal.value, 'mV')}"
                now = amount(value.value * at, "nS")
            elif one.add is not None:
                value = one.add
                rule = f"+ {amount(value.value, value.unit)} · {f}"
                now = f"+ {amount(float(f'{value.value * at:.4g}'), value.unit)}"
            else:
                value = one.coefficient
                sign = "+" if value.value >= 0 else "−"
                rule = f"× (1 {sign} {number(abs(value.value))} {f})"
                now = f"× {1 + value.value * at:.4g}"
            rows.append({"type": name, "receptor": one.level, "acts_on": one.acts_on, "rule":
                         Said(rule, value.source, value.how, value.note), "now": now})
        rows += [_of_receptor(name, one) for one in cell.of_receptors]
    return rows


def _of_receptor(name: str, effect: Any) -> dict[str, Any]:
    """Return a row for an effect of a level that every cell has its own of."""
    value = effect.coefficient if effect.add is None else effect.add
    rule = f"× (1 + {number(value.value)} m)" if effect.add is None else (
        f"+ {amount(value.value, value.unit)} · m")
    return {"type": name, "receptor": effect.receptor, "acts_on": effect.acts_on,
            "rule": Said(rule, value.source, value.how, value.note), "now": "by cell"}


def symbol(name: str) -> str:
    """Return the symbol of a level."""
    return {"D1": "φ₁", "D2": "φ₂"}.get(name, name)


def _heard(circuit: Circuit, effect: Any) -> str:
    """Return what an effect hears of its level."""
    level = symbol(effect.level)
    reference: Any = circuit.modulators[effect.level].reference
    if (curve := effect.curve) is None:
        return f"({level} − {number(reference.value)})" if reference.value else level
    nothing = curve.reference if curve.reference is not None else reference
    return (f"[h({level}) − h({number(nothing.value)})], half {number(curve.half.value)}, order "
            f"{number(curve.order.value)}")
