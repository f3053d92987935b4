"""The knobs of a circuit: what a page may turn, by name, within bounds."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from neostriatum.circuit.modulator import DOPAMINE, FREE, HIGHEST
from neostriatum.errors import CircuitError, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neostriatum.circuit.model import Circuit
    from neostriatum.circuit.value import Value

#: Reversal potentials below this are of inhibition [mV].
INHIBITORY = -40.0
#: How far currents into a type go [pA].
CURRENT = 300.0
#: Name of the input that injects a current, without its type.
ELECTRODE = "electrode"


@dataclass(frozen=True)
class Knob:
    """A number of a circuit that can be turned; ``value`` is what the circuit begins with.

    A value of None lets a computed level go.
    """

    name: str
    group: str
    label: str
    unit: str
    low: float
    high: float
    step: float
    value: float | None
    #: Where the number comes from, for a person.
    source: str = ""
    #: What a person should know of the effect.
    help: str = ""
    #: Whether the level is computed, and can be let go.
    free: bool = False
    #: The values at 1 by path, where the knob multiplies; else only the paths matter.
    keys: dict[str, Any] = field(default_factory=dict)

    def checked(self, value: Any) -> float | None:
        """Return a value that the knob can have.

        Raises
        ------
        CircuitError
            Another kind, or out of bounds.
        """
        if value is None and self.free:
            return None
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or not math.isfinite(value) or not self.low <= value <= self.high:
            unit = f" {self.unit}" if self.unit else ""
            msg = (f"{self.name}: must be from {self.low:g} to {self.high:g}{unit} "
                   f"(got {shown(value)}). Turn it within its bounds")
            raise CircuitError(msg)
        return float(value)

    def changes(self, value: float | None) -> dict[str, Any]:
        """Return the new values of the circuit, by path.

        Examples
        --------
        >>> Knob("level.D1", "Dopamine", "D1", "", 0, 1, 0.01, 0.3,
        ...      keys={"modulators.D1.level": None}).changes(0.8)
        {'modulators.D1.level': 0.8}
        """
        if value is None:
            return dict.fromkeys(self.keys, FREE)
        changes: dict[str, Any] = {}
        for key, base in self.keys.items():
            if isinstance(base, dict):  # a current, which the circuit need not have
                changes[key] = {"targets": {base["type"]: {"current": f"{value:g} pA"}}}
            elif base is not None:
                number, unit = base
                changes[key] = f"{number * value:.12g} {unit}"
            else:
                changes[key] = f"{value:.12g} {self.unit}" if self.unit else value
        return changes

    def to_dict(self) -> dict[str, Any]:
        """Return the knob as a page needs it."""
        data = asdict(self)
        return data | {"keys": list(self.keys)}


def knobs(circuit: Circuit) -> dict[str, Knob]:
    """Return the knobs of a circuit by name, in the order of a page.

    Examples
    --------
    >>> from neostriatum.circuit.load import load
    >>> list(knobs(load("striatum")))[:2]
    ['level.D1', 'level.D2']
    """
    return {knob.name: knob for make in (_levels, _rates, _strengths, _reversals, _junctions,
                                         _currents) for knob in make(circuit)}


def _levels(circuit: Circuit) -> Iterator[Knob]:
    now = circuit.levels_at(0.0)
    # Dopamine first, as it is what most people look for.
    for name in sorted(circuit.modulators, key=lambda name: name not in DOPAMINE):
        modulator = circuit.modulators[name]
        computed = modulator.kind is not None
        if modulator.follows is not None:
            continue  # it is turned by what it follows
        dopamine = name in DOPAMINE
        high = 1.0 if dopamine else min(max(4.0, 4.0 * now[name]), HIGHEST)
        effects = sorted({cell for cell, one in circuit.cells.items()
                          if any(effect.level == name for effect in one.effects)},
                         key=circuit.types.index)
        yield Knob(f"level.{name}", "Dopamine" if dopamine else "Other modulators",
                   f"{name} receptors" if dopamine else name, "",
                   0.0, high, 0.01 if high <= 4.0 else high / 400.0,
                   None if computed and modulator.level is None else round(now[name], 6),
                   "share of receptors activated" if dopamine else "nM" if modulator.uptake else
                   "1 is the tonic level",
                   f"acts on {', '.join(effects)}" if effects else "", computed,
                   {f"modulators.{name}.level": None})


def _rates(circuit: Circuit) -> Iterator[Knob]:
    for name, axons in circuit.axons.items():
        if axons.rate is not None and axons.rate.constant is not None:
            yield _rate(f"rate.{name}", f"{name} axons", axons.rate.constant, axons.rate,
                        f"axons.{name}.rate.constant")
    for name, entry in circuit.inputs.items():
        for cell, target in entry.targets.items():
            if target.rate is not None and target.rate.constant is not None:
                yield _rate(f"rate.{name}.{cell}", f"{name} to {cell}", target.rate.constant,
                            target.rate, f"inputs.{name}.targets.{cell}.rate.constant")


def _rate(name: str, label: str, rate: Value, course: Any, key: str) -> Knob:
    high = max(3.0 * rate.value, 1.0)
    return Knob(name, "Input", label, rate.unit, 0.0, high, high / 300.0, rate.value,
                source(rate, course), keys={key: None})


def _strengths(circuit: Circuit) -> Iterator[Knob]:
    """Yield a knob for everything that one type, or a pool of types, sends within the circuit."""
    pools = dict(circuit.pools or {}) or {name: (name,) for name in circuit.types}
    pooled = {name for types in pools.values() for name in types}
    pools |= {name: (name,) for name in circuit.types if name not in pooled}
    for pool, types in pools.items():
        mine = {name: pathway for name, pathway in circuit.pathways.items()
                if name.split("->")[0] in types}
        keys = {f"pathways.{name}.conductance.{receptor}": (one.value, one.unit)
                for name, pathway in mine.items()
                for receptor, one in pathway.conductance.items()}
        if keys:
            ends = ", ".join(dict.fromkeys(name.split("->")[1] for name in mine))
            yield Knob(f"strength.{pool}", "Synapses", f"from {pool}", "", 0.0, 2.0, 0.01, 1.0,
                       f"times the circuit's own, {len(mine)} pathways",
                       f"to {ends}; 0 is a lesion", keys=keys)


def _reversals(circuit: Circuit) -> Iterator[Knob]:
    """Yield a knob for the receptors of inhibition that begin with the same reversal."""
    groups: dict[float, list[str]] = {}
    for name, receptor in circuit.receptors.items():
        reversal = getattr(receptor, "E", None)
        if reversal is not None and reversal.value < INHIBITORY:
            groups.setdefault(reversal.value, []).append(name)
    for value, names in groups.items():
        ends = {name.split("->")[1] for name, pathway in circuit.pathways.items()
                if set(pathway.conductance) & set(names)}
        cells = ", ".join(name for name in circuit.types if name in ends)
        first: Any = circuit.receptors[names[0]]  # one that has a reversal
        yield Knob(f"reversal.{names[0]}", "Synapses", f"reversal of inhibition on {cells}", "mV",
                   -90.0, -45.0, 0.5, value, source(first.E),
                   f"{', '.join(names)}", keys=dict.fromkeys(f"receptors.{name}.E"
                                                             for name in names))


def _junctions(circuit: Circuit) -> Iterator[Knob]:
    for name, kind in circuit.gap_junctions.items():
        one = kind.conductance
        yield Knob(f"junctions.{name}", "Synapses", f"gap junctions {name}", "", 0.0, 2.0, 0.01,
                   1.0, f"times {one.value:g} {one.unit}", "0 is a block",
                   keys={f"gap_junctions.{name}.conductance": (one.value, one.unit)})


def _currents(circuit: Circuit) -> Iterator[Knob]:
    for name in circuit.types:
        key = f"{ELECTRODE}_{name}"
        if key not in circuit.inputs:
            yield Knob(f"current.{name}", "Injected current", f"into every {name}", "pA", -CURRENT,
                       CURRENT, 1.0, 0.0, "not in the circuit; an electrode in every cell",
                       keys={f"inputs.{key}": {"type": name}})


def source(value: Any, course: Any = None) -> str:
    """Return where a number comes from, for a person."""
    parts = [getattr(value, key, None) or getattr(course, key, None) or ""
             for key in ("source", "how", "note")]
    return ", ".join(part for part in parts if part)
