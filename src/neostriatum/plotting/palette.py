"""One colour and one marker per cell type, the same in every figure.

The colours are those of Okabe and Ito, which people with the common kinds of colour blindness can
tell apart. A name goes in, a colour or a marker comes out.
"""

COLOURS = {
    "dSPN": "#D55E00",  # vermillion
    "iSPN": "#0072B2",  # blue
    "FS": "#009E73",  # bluish green
    "LTS": "#CC79A7",  # reddish purple
    "ChIN": "#E69F00",  # orange
}
OTHER = "#555555"
INK = "#222222"
FAINT = "#777777"

MARKERS = {"dSPN": "o", "iSPN": "s", "FS": "^", "LTS": "D", "ChIN": "v"}


def colour(name: str) -> str:
    """Return the colour of a cell type.

    Parameters
    ----------
    name : str
        Name of the cell type.

    Returns
    -------
    str
        Colour as ``#rrggbb``; grey for a type without one of its own.

    Examples
    --------
    >>> colour("dSPN")
    '#D55E00'
    """
    return COLOURS.get(name, OTHER)


def marker(name: str) -> str:
    """Return the marker of a cell type, so that prints without colour can be read.

    Parameters
    ----------
    name : str
        Name of the cell type.

    Returns
    -------
    str
        Matplotlib marker; a circle for a type without one of its own.

    Examples
    --------
    >>> marker("FS")
    '^'
    """
    return MARKERS.get(name, "o")


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
