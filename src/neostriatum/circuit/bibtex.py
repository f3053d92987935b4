"""Sources as BibTeX."""

from __future__ import annotations

from typing import Any


def bibtex(sources: list[dict[str, Any]]) -> list[str]:
    """Return BibTeX entries, each after a comment on what it was used for."""
    lines = []
    for source in sources:
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
