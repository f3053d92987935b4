"""What a circuit says: every parameter with unit and source, what follows from it, whom to cite."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from neostriatum.circuit.sources import cited as sources_of
from neostriatum.circuit.sources import sources as sources
from neostriatum.circuit.sources import values
from neostriatum.recording.store import Run
from neostriatum.simulation import Settings, resolve

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit


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
        (static threshold by cell type [mV]), ``warnings``, ``left_out``.
    """
    made = resolve(_circuit_of(circuit), Settings(**options))
    rows = [{"key": key, **said} for key, said in values(made.to_dict())]
    thresholds = {name: round(static_threshold(made, name), 4) for name in made.types}
    return {"name": made.name, "summary": made.summary, "circuit": made.to_dict(), "values": rows,
            "thresholds_mv": thresholds, "warnings": warnings_of(made),
            "left_out": list(made.left_out)}


def static_threshold(circuit: Circuit, name: str) -> float:
    """Return the potential above which a cell at rest departs for a spike [mV].

    ``(v_r + v_t + b/k)/2`` for linear recovery; a cubic one adds nothing below v_b.
    """
    said = circuit.cells[name].parameters
    phi = (float(circuit.dopamine.d1.at(0.0)), float(circuit.dopamine.d2.at(0.0)))
    value = {key: getattr(said, key).value for key in ("v_r", "v_t", "b", "k")}
    for effect in circuit.cells[name].dopamine:
        if effect.acts_on in value:
            level = phi[0] if effect.receptor == "D1" else phi[1]
            value[effect.acts_on] *= 1 + effect.coefficient.value * level
    slope = value["b"] / value["k"] if circuit.cells[name].rule == "linear" else 0.0
    return (value["v_r"] + value["v_t"] + slope) / 2


def warnings_of(circuit: Circuit) -> list[str]:
    """Return what a modeller should know before trusting this circuit."""
    said = []
    for name in circuit.types:
        for receptor in circuit.receptors_of(name):
            E = circuit.receptors[receptor].E.value
            margin = static_threshold(circuit, name) - E
            if margin < 0 and E < -40:
                said.append(f"{receptor} on {name}: reversal {E:g} mV lies {-margin:.2f} mV above "
                            "the static threshold, so this inhibition excites a cell at rest")
    if circuit.dt.value > 0.1:
        said.append(f"dt {circuit.dt.value:g} ms is coarse for an SPN, whose time constant at "
                    "rest is 0.3 ms: rates may change by more than 5 %")
    for name, sigma in circuit.noise.items():
        if name != "FS" and sigma.value > 0:
            said.append(f"noise on {name} depends on dt: "
                        "the cell's time constant at rest is 0.3 ms")
    return said


def lines(made: dict[str, Any]) -> list[str]:
    """Return the description for a person."""
    text = [f"{made['name']}: {made['summary']}", ""]
    for row in made["values"]:
        source = f"  [{row['source'] or row['how'] or ''}]" if row["source"] or row["how"] else ""
        text.append(f"{row['key']:<58} {row['value']!s:<18}{source}")
    text += ["", "static thresholds: " + ", ".join(
        f"{name} {value:.2f} mV" for name, value in made["thresholds_mv"].items())]
    text += [f"warning: {one}" for one in made["warnings"]]
    if made["left_out"]:
        text += ["", "left out:", *(f"  - {one}" for one in made["left_out"])]
    return text


def cited(what: Any) -> dict[str, Any]:
    """Return the sources that a circuit or run used, each with the keys it was used for."""
    circuit = resolve(_circuit_of(what), Settings())
    return {"circuit": circuit.name, "sources": sources_of(circuit)}


def schema_of() -> dict[str, Any]:
    """Return the JSON Schema of circuit files."""
    from neostriatum.circuit.model import Circuit

    return Circuit.model_json_schema()


def _circuit_of(what: Any) -> Any:
    if isinstance(what, (str, Path)) and (Path(what) / "run.json").is_file():
        return Run(what).circuit
    return what
