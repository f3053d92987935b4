"""Libraries that only some people need: imported when asked for, named when missing."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from neostriatum.errors import LibraryMissing

#: The extra of this package that installs a library.
EXTRAS = {"pynwb": "nwb", "neo": "neo", "neo.io.nixio": "neo", "nixio": "neo",
          "quantities": "neo", "xarray": "xarray"}


def library(name: str, what: str) -> Any:
    """Return an optional library.

    Parameters
    ----------
    name : str
        A module in `EXTRAS`.
    what : str
        Who asks, the start of the message.

    Raises
    ------
    LibraryMissing
        It is not installed.

    Examples
    --------
    >>> library("xarray", "to_xarray").__name__
    'xarray'
    """
    try:
        return import_module(name)
    except ImportError:
        top = name.partition(".")[0]
        msg = f"{what}: needs {top}, which is missing. pip install neostriatum[{EXTRAS[name]}]"
        raise LibraryMissing(msg) from None
