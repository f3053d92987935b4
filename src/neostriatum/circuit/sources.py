"""Where the numbers of a circuit come from."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from neostriatum.circuit.laws import laws
from neostriatum.circuit.measured import measured
from neostriatum.circuit.pathway import DistanceLaw, Measured

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neostriatum.circuit.model import Circuit


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


def sources() -> dict[str, dict[str, Any]]:
    """Return every known source by its key."""
    return tomllib.loads((files("neostriatum.circuit") / "sources.toml").read_text("utf-8"))


def cited(circuit: Circuit) -> list[dict[str, Any]]:
    """Return the sources of a circuit's numbers, each with the keys that it was used for.

    Examples
    --------
    >>> from neostriatum.circuit.load import load
    >>> [one["key"] for one in cited(load("humphries2009"))]
    ['humphries2009b', 'humphries2010']
    """
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
    return [{"key": key, **known.get(key, {"title": key}), "used_for": keys}
            for key, keys in sorted(used.items())]
