"""What a circuit says: every parameter with unit and source, what follows from it, whom to cite."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neostriatum.circuit.laws import laws
from neostriatum.circuit.measured import measured
from neostriatum.circuit.pathway import DistanceLaw, Measured
from neostriatum.recording.store import Run
from neostriatum.simulation import Settings, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

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


def values(raw: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (dotted path, {value, source, how, note}) of every leaf of a circuit's plain data."""
    if isinstance(raw, dict) and "value" in raw:
        yield path, {key: raw.get(key) for key in ("value", "source", "how", "note")}
    elif isinstance(raw, dict):
        about = {key: raw[key] for key in ("source", "how", "note") if key in raw}
        for key, said in raw.items():
            if key in about:
                continue
            for at, row in values(said, f"{path}.{key}" if path else key):
                # What a time course says of its source holds for every number in it.
                yield at, {**row, **{k: v for k, v in about.items() if row.get(k) is None}}
    elif isinstance(raw, (list, tuple)):
        for number, said in enumerate(raw):
            yield from values(said, f"{path}.{number}")
    elif path not in ("name", "summary") and not path.startswith("left_out"):
        yield path, {"value": raw, "source": None, "how": None, "note": None}


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


def sources() -> dict[str, dict[str, Any]]:
    """Return every known source by its key."""
    return tomllib.loads((files("neostriatum.circuit") / "sources.toml").read_text("utf-8"))


def cited(what: Any) -> dict[str, Any]:
    """Return the sources that a circuit or run used, each with the keys it was used for."""
    circuit = resolve(_circuit_of(what), Settings())
    used: dict[str, list[str]] = {}
    for key, row in values(circuit.to_dict()):
        if row["source"] and row["source"] != "override":
            used.setdefault(row["source"], []).append(key)
    wired = [*circuit.pathways.values(), *circuit.gap_junctions.values()]
    if any(isinstance(one.wiring, DistanceLaw) for one in wired):
        source = next(iter(laws().values())).alpha.source
        used.setdefault(source, []).append("distance law")
    tables = {one.wiring.table for one in wired if isinstance(one.wiring, Measured)}
    for table in sorted(tables):
        source = str(next(iter(measured()[table].values()))[0].p.source)
        used.setdefault(source, []).append(f"table {table}")
    known = sources()
    found = [{"key": key, **known.get(key, {"title": key}), "used_for": keys}
             for key, keys in sorted(used.items())]
    return {"circuit": circuit.name, "sources": found}


def schema_of() -> dict[str, Any]:
    """Return the JSON Schema of circuit files."""
    from neostriatum.circuit.model import Circuit

    return Circuit.model_json_schema()


def _circuit_of(what: Any) -> Any:
    if isinstance(what, (str, Path)) and (Path(what) / "run.json").is_file():
        return Run(what).circuit
    return what
