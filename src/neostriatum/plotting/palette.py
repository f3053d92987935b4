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
