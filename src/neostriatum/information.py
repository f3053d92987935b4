"""What a circuit says: every parameter with unit and source, what follows from it, whom to cite."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from neostriatum.circuit.catalogue import presets
from neostriatum.circuit.cautions import static_threshold, warnings_of
from neostriatum.circuit.learning_rules import learning_lines
from neostriatum.circuit.resolve import Changes, resolve
from neostriatum.circuit.sources import cited as sources_of
from neostriatum.circuit.sources import sources as sources
from neostriatum.circuit.sources import values
from neostriatum.engines.probes import PATHWAYS
from neostriatum.errors import CircuitError
from neostriatum.keywords import keywords_of
from neostriatum.recording.record import meant
from neostriatum.recording.releases import plastic_pathways
from neostriatum.recording.selection import recordable
from neostriatum.recording.store import Run


@keywords_of(Changes)
def describe(circuit: Any, **options: Any) -> dict[str, Any]:
    """Return the resolved circuit, one row per value, and the warnings that follow from it.

    Parameters
    ----------
    circuit : str, Path, dict or Circuit
        A name, a file, or the folder of a run.
    **options
        dt, dopamine, d1, d2, overlay, changes as in `run`.

    Returns
    -------
    dict
        ``circuit`` (nested), ``values`` (rows with key, value, source, how, note), ``thresholds``
        (static threshold [mV] of the cell types whose model has one), ``recordable`` (units of
        what can be recorded, by cell type and name), ``recordable_levels`` (modulators),
        ``recordable_releases`` (names by plastic pathway), ``warnings``, ``learning`` (by pathway
        that learns: rule, level, tonic level, change of a weight by a pair of spikes) and
        ``left_out``.
    """
    made = resolve(_circuit_of(circuit), Changes(**options))
    rows = [{"key": key, **said} for key, said in values(made.to_dict())]
    thresholds = {name: round(value, 4) for name in made.types
                  if (value := static_threshold(made, name)) is not None}
    return {"name": made.name, "summary": made.summary, "circuit": made.to_dict(), "values": rows,
            "thresholds_mv": thresholds,
            "recordable": {name: recordable(made, name) for name in made.types},
            "recordable_levels": list(made.modulators),
            "recordable_releases": {name: list(recordable(made, PATHWAYS + name))
                                    for name in plastic_pathways(made)},
            "warnings": warnings_of(made), "learning": learning_lines(made),
            "left_out": list(made.left_out)}


def lines(made: dict[str, Any]) -> list[str]:
    """Return the description for a person."""
    text = [f"{made['name']}: {made['summary']}", ""]
    for row in made["values"]:
        source = f"  [{row['source'] or row['how'] or ''}]" if row["source"] or row["how"] else ""
        text.append(f"{row['key']:<58} {row['value']!s:<18}{source}")
    if made["thresholds_mv"]:
        text += ["", "static thresholds: " + ", ".join(
            f"{name} {value:.2f} mV" for name, value in made["thresholds_mv"].items())]
    text += ["", *(f"recordable of {name}: {', '.join(units)}"
                   for name, units in made["recordable"].items())]
    if made["recordable_levels"]:
        text.append(f"recordable of modulators {', '.join(made['recordable_levels'])}: level")
    releases = made["recordable_releases"]
    for names in dict.fromkeys(map(tuple, releases.values())):
        mine = [pathway for pathway, own in releases.items() if tuple(own) == names]
        text.append(f"recordable of pathways {', '.join(mine)}: {', '.join(names)}")
    for one in made["learning"]:
        changes = ", ".join(f"{what} {change:+.3g}" for what, change in one["pairings"].items())
        text += ["", f"learning of {one['pathway']}: {one['rule']} of {one['receptor']}, hears "
                 f"{one['level']}, tonic {one['tonic']:g}",
                 f"  change of a weight of 1 by a pair 10 ms apart: {changes}",
                 f"  balance of a 200 ms burst and a 400 ms dip: {one['residual']:+.3g} (0 is none "
                 "left)"]
    text += [f"warning: {one}" for one in made["warnings"]]
    if made["left_out"]:
        text += ["", "left out:", *(f"  - {one}" for one in made["left_out"])]
    return text


def cited(what: Any) -> dict[str, Any]:
    """Return the sources that a circuit or run used, each with the keys it was used for."""
    circuit = resolve(_circuit_of(what), Changes())
    return {"circuit": circuit.name, "sources": sources_of(circuit)}


def schema_of() -> dict[str, Any]:
    """Return the JSON Schema of circuit files."""
    from neostriatum.circuit.model import Circuit

    return Circuit.model_json_schema()


def _circuit_of(what: Any) -> Any:
    if isinstance(what, (str, Path)) and (Path(what) / "run.json").is_file():
        return Run(what).circuit
    if isinstance(what, str) and what not in presets() and (remedy := meant(Path(what))):
        msg = f"{what}: neither a circuit nor a run{remedy}"
        raise CircuitError(msg)
    return what
