"""What an object says of itself: a few lines in a terminal, tables that fold in a notebook.

In: a heading, lines, tables, a picture. Out: text of at most 12 lines and 1,500 characters, or
HTML without scripts, whose colours are those of the page around it, light or dark.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from html import escape
from textwrap import shorten
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LINES, CHARACTERS = 12, 1500
#: Longest line of a text.
WIDTH = 110
#: Colours come from the page; only the lines between rows are drawn, in its text colour.
_STYLE = ("border-collapse:collapse;font-size:90%;color:inherit;background:none")
_CELL = "text-align:left;padding:.1em .8em .1em 0;border:0;color:inherit;background:none"

_FIRST = ";white-space:nowrap"


@dataclass(frozen=True)
class Fold:
    """A table that folds: its title, the names of its columns, its rows."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


@dataclass(frozen=True)
class Card:
    """What to say of an object."""

    heading: str
    #: (what, its text), the first words of every line.
    lines: list[tuple[str, str]]
    folds: tuple[Fold, ...] = ()
    #: An SVG.
    picture: str = ""

    def text(self) -> str:
        """Return the heading and the lines, shortened to what a terminal takes well.

        Examples
        --------
        >>> print(Card("Circuit mine", [("cells", "dSPN"), ("dt", "0.1 ms")]).text())
        Circuit mine
          cells  dSPN
          dt     0.1 ms
        """
        lines = [(what, said) for what, said in self.lines if said][:LINES - 1]
        wide = max((len(what) for what, _ in lines), default=0)
        room = min(WIDTH, CHARACTERS // LINES)
        return "\n".join([shorten(self.heading, room, placeholder=" ..."),
                          *(f"  {what:<{wide}}  "
                            f"{shorten(said, room - wide - 4, placeholder=' ...')}"
                            for what, said in lines)])

    def html(self) -> str:
        """Return a table of the lines, the picture, and the tables folded."""
        rows = "".join(_row("td", (what, said)) for what, said in self.lines if said)
        folded = "".join(_folded(fold) for fold in self.folds if fold.rows)
        return (f'<div><strong>{escape(self.heading)}</strong><table style="{_STYLE}">{rows}'
                f"</table>{self.picture}{folded}</div>")


class Carded(ABC):
    """An object with a card, which it shows as its ``repr`` and in notebooks."""

    @abstractmethod
    def card(self) -> Card:
        """Return what to say of it."""

    def __repr__(self) -> str:
        return self.card().text()

    def _repr_html_(self) -> str:
        return self.card().html()


def _row(tag: str, cells: Iterable[str]) -> str:
    inside = "".join(f'<{tag} style="{_CELL}{"" if column else _FIRST}">{escape(cell)}</{tag}>'
                     for column, cell in enumerate(cells))
    return f'<tr style="background:none">{inside}</tr>'


def _folded(fold: Fold) -> str:
    rows = "".join(_row("td", row) for row in fold.rows)
    return (f"<details><summary>{escape(fold.title)} ({len(fold.rows)})</summary>"
            f'<table style="{_STYLE}"><thead>{_row("th", fold.columns)}</thead>'
            f"<tbody>{rows}</tbody></table></details>")
