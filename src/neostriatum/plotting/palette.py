"""One colour and one marker per cell type, the same in every figure.

The colours are those of Okabe and Ito, which people with the common kinds of colour blindness can
tell apart. A name goes in, a colour or a marker comes out. Types without one of their own share
out the spare ones, in the order in which their circuit has them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

COLOURS = {
    "dSPN": "#D55E00",  # vermillion
    "iSPN": "#0072B2",  # blue
    "FS": "#009E73",  # bluish green
    "LTS": "#CC79A7",  # reddish purple
    "ChIN": "#E69F00",  # orange
}
#: For types without a colour of their own: purple, brown, sky, teal, dark red, moss, pink, slate.
SPARE = ("#7A3DA8", "#8C564B", "#56B4E9", "#00A3A3", "#A50F15", "#7C9A2E", "#F063A4", "#4A5A8A")
OTHER = "#555555"
INK = "#222222"
FAINT = "#6E6E6E"

#: Contrast of letters with their ground, at least.
READABLE = 4.5

MARKERS = {"dSPN": "o", "iSPN": "s", "FS": "^", "LTS": "D", "ChIN": "v"}
SPARE_MARKERS = ("P", "X", "*", "p", "<", ">", "h", "d")


def colour(name: str, types: Iterable[str] = ()) -> str:
    """Return the colour of a cell type.

    Parameters
    ----------
    name : str
        Name of the cell type.
    types : iterable of str
        All types of the circuit, in its order.

    Returns
    -------
    str
        Colour as ``#rrggbb``. A type without one of its own has a spare one, different from those
        of the other `types`, and grey where it is none of them.

    Examples
    --------
    >>> colour("dSPN"), colour("GP", ["dSPN", "STN", "GP"]), colour("mother train")
    ('#D55E00', '#8C564B', '#555555')
    """
    if name in COLOURS:
        return COLOURS[name]
    place = _place(name, types)
    if place is None:
        return OTHER
    own = SPARE[place % len(SPARE)]
    return own if place < len(SPARE) else shade(own)


def colours(types: Iterable[str]) -> dict[str, str]:
    """Return the colours of all types of a circuit, by name.

    Examples
    --------
    >>> colours(["FS", "GP"])
    {'FS': '#009E73', 'GP': '#7A3DA8'}
    """
    types = list(types)
    return {name: colour(name, types) for name in types}


def marker(name: str, types: Iterable[str] = ()) -> str:
    """Return the marker of a cell type, so that prints without colour can be read.

    Parameters
    ----------
    name : str
        Name of the cell type.
    types : iterable of str
        All types of the circuit, in its order.

    Returns
    -------
    str
        Matplotlib marker; of a type without one of its own a spare one, as in `colour`, and a
        circle where it is none of `types`.

    Examples
    --------
    >>> marker("FS"), marker("GP", ["FS", "GP"])
    ('^', 'P')
    """
    if name in MARKERS:
        return MARKERS[name]
    place = _place(name, types)
    if place is None:
        return "o"
    # The second round of colours meets the markers in another order.
    return SPARE_MARKERS[(place + place // len(SPARE)) % len(SPARE_MARKERS)]


def lettering(hue: str) -> str:
    """Return a colour as dark as letters of it must be to be read on white.

    Parameters
    ----------
    hue : str
        Colour as ``#rrggbb``.

    Returns
    -------
    str
        The same hue, darkened until its contrast with white is 4.5 to 1 (WCAG 2, level AA).

    Examples
    --------
    >>> lettering("#0072B2"), lettering("#009E73")
    ('#0072B2', '#008762')
    """
    parts = [int(hue[at : at + 2], 16) for at in (1, 3, 5)]
    for percent in range(100, 0, -1):
        darker = [part * percent // 100 for part in parts]
        if 1.05 / (_luminance(darker) + 0.05) >= READABLE:
            break
    return "#" + "".join(f"{part:02X}" for part in darker)


def _luminance(parts: list[int]) -> float:
    """Return the relative luminance of a colour of sRGB, 0 to 1."""
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4
              for share in (part / 255 for part in parts)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _place(name: str, types: Iterable[str]) -> int | None:
    """Return the place of a type among those without a colour of their own, None if it has none."""
    others = [one for one in types if one not in COLOURS]
    return others.index(name) if name in others else None


def shade(colour: str) -> str:
    """Return a darker shade of a colour, to tell two groups of one cell type apart.

    Parameters
    ----------
    colour : str
        Colour as ``#rrggbb``.

    Returns
    -------
    str
        The same hue at half the brightness.

    Examples
    --------
    >>> shade("#D55E00")
    '#6A2F00'
    """
    parts = (int(colour[at : at + 2], 16) // 2 for at in (1, 3, 5))
    return "#" + "".join(f"{part:02X}" for part in parts)
