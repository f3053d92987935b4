"""Plain data of what Python hands in: NumPy's scalars and arrays, mappings, parts of circuits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from neostriatum.circuit.value import Frozen

#: Kinds of NumPy's scalars that plain data has: boolean, whole, real, text.
_KINDS = "biufU"


def plain(raw: Any, depth: int = 32) -> Any:
    """Return ``raw`` as a file would hold it; what no file holds stays as it is.

    Parameters
    ----------
    raw : object
        Any data; quantities keep their unit and are left to `units.quantity`.
    depth : int
        Levels to go down.

    Returns
    -------
    object
        Python's own bool, int, float and str, lists and dicts of them.

    Examples
    --------
    >>> plain({"n": np.int64(3), "values": np.array([0.5, 1.0])})
    {'n': 3, 'values': [0.5, 1.0]}
    """
    if isinstance(raw, (np.generic, np.ndarray)):
        return _of_numpy(raw, depth)
    if isinstance(raw, Frozen):
        return raw.model_dump(mode="json", exclude_none=True)
    if depth and isinstance(raw, Mapping):
        return {key: plain(value, depth - 1) for key, value in raw.items()}
    if depth and isinstance(raw, (list, tuple)):
        return [plain(value, depth - 1) for value in raw]
    return raw


def _of_numpy(raw: Any, depth: int) -> Any:
    # Brian2, quantities and astropy have arrays of their own class, with a unit.
    if type(raw) is np.ndarray and depth:
        flat = raw.ndim == 0
        return plain(raw[()], depth - 1) if flat else [plain(one, depth - 1) for one in raw]
    if not isinstance(raw, np.generic) or raw.dtype.kind not in _KINDS:
        return raw
    return float(raw) if raw.dtype.kind == "f" else raw.item()
