"""The sources of a circuit as a numbered list of references with links."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable

_DOI = re.compile(r"10\.\d{4,}/\S+")


@dataclass(frozen=True)
class Reference:
    """One source, as a list of references prints it."""

    number: int
    key: str
    authors: str
    year: str
    title: str
    journal: str
    doi: str
    note: str
    used_for: tuple[str, ...]

    @property
    def link(self) -> str:
        """Where the DOI leads; nothing without one."""
        return f"https://doi.org/{quote(self.doi, safe='/')}" if self.doi else ""


def references(cited: Iterable[dict[str, Any]]) -> list[Reference]:
    """Return what a circuit cited as numbered references.

    Examples
    --------
    >>> from neostriatum.circuit.load import load
    >>> from neostriatum.circuit.sources import cited
    >>> one = references(cited(load("humphries2009")))[0]
    >>> one.authors, one.year, one.link
    ('Humphries, M. D., Lepora, N., Wood, R. & Gurney, K.', '2009',
     'https://doi.org/10.3389/neuro.10.026.2009')
    """
    return [_reference(number, source) for number, source in enumerate(cited, 1)]


def _reference(number: int, source: dict[str, Any]) -> Reference:
    known = "authors" in source
    *others, last = str(source.get("authors", "")).split(" and ")
    # A source that only the circuit knows may be a DOI itself.
    doi = str(source.get("doi") or source["key"])
    return Reference(
        number, source["key"], f"{', '.join(others)} & {last}" if others else last,
        str(source.get("year", "")), source["title"], source.get("journal", ""),
        doi if _DOI.fullmatch(doi) else "",
        source.get("note", "") if known else "named by the circuit file alone",
        tuple(source["used_for"]))
