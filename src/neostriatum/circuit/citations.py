"""Whom to cite for a circuit, and what each source was used for."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from neostriatum.circuit.laws import laws
from neostriatum.circuit.measured import measured
from neostriatum.circuit.pathway import DistanceLaw, Measured
from neostriatum.circuit.provenance import values

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit


def sources() -> dict[str, dict[str, Any]]:
    """Return every known source by its key."""
    return tomllib.loads((files("neostriatum.circuit") / "sources.toml").read_text("utf-8"))


def cited(circuit: Circuit) -> dict[str, Any]:
    """Return the sources that a circuit used, each with the keys it was used for."""
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


def bibtex(made: dict[str, Any]) -> list[str]:
    """Return BibTeX entries, each after a comment on what it was used for."""
    lines = []
    for source in made["sources"]:
        lines.append(f"% used for: {', '.join(source['used_for'][:6])}"
                     + (f" and {len(source['used_for']) - 6} more" if len(source["used_for"]) > 6
                        else ""))
        kind = "article" if source.get("journal") else "misc"
        lines.append(f"@{kind}{{{source['key']},")
        for field in ("title", "authors", "year", "journal", "doi", "note"):
            if source.get(field) not in (None, ""):
                name = "author" if field == "authors" else field
                lines.append(f"  {name} = {{{source[field]}}},")
        lines += ["}", ""]
    return lines
