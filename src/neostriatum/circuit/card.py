"""What a circuit says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neostriatum.card import Card, Fold
from neostriatum.circuit.modulator import is_computed
from neostriatum.circuit.sources import values

if TYPE_CHECKING:
    from collections.abc import Iterable

    from neostriatum.circuit.model import Circuit


def card(circuit: Circuit) -> Card:
    """Return the types, connections, levels and volume of a circuit, and every number of it."""
    rows = list(values(circuit.to_dict()))
    changed = [f"{key} = {row['value']}" for key, row in rows if row["how"] == "override"]
    lines = [
        ("cells", ", ".join(f"{name} {100 * cell.fraction.value:.3g} %"
                            for name, cell in circuit.cells.items())),
        ("models", ", ".join(dict.fromkeys(cell.model for cell in circuit.cells.values()))),
        ("receptors", ", ".join(circuit.receptors)),
        ("pathways", _counted(circuit.pathways)),
        ("gap junctions", ", ".join(circuit.gap_junctions)),
        ("axons, inputs", ", ".join((*circuit.axons, *circuit.inputs))),
        ("levels", ", ".join(_level(circuit, name, level)
                             for name, level in circuit.levels_at(0.0).items())),
        ("changed", _counted(changed)),
        ("volume", f"{circuit.volume.shape}, {circuit.volume.density.value:g} neurons/mm^3"),
        ("step", f"dt {circuit.dt.value:g} ms, warm-up {circuit.warmup.value:g} ms"),
    ]
    heading = f"Circuit {circuit.name}" + (f": {circuit.summary}" if circuit.summary else "")
    return Card(heading, lines, (*_groups(rows), Fold(
        "left out", ("what",), [(text,) for text in circuit.left_out])))


def _counted(names: Iterable[str]) -> str:
    known = list(names)
    return f"{len(known)}: {', '.join(known)}" if known else ""


def _level(circuit: Circuit, name: str, level: float) -> str:
    computed = is_computed(circuit.modulators[name].model_dump(exclude_none=True))
    return f"{name} computed" if computed else f"{name} {level:g}"


def _groups(rows: list[tuple[str, dict[str, Any]]]) -> list[Fold]:
    """Return the numbers of a circuit with their sources, a table for every key of the file."""
    tables: dict[str, Fold] = {}
    for key, row in rows:
        group, dot, rest = key.partition(".")
        group, rest = (group, rest) if dot else ("general", group)
        table = tables.setdefault(group, Fold(group, ("key", "value", "source", "how", "note"),
                                               []))
        table.rows.append((rest, *(str(row[part] or "") for part in (
            "value", "source", "how", "note"))))
    return list(tables.values())
