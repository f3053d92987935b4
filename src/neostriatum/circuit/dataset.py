"""A dataset of a foreign HDF5 file: it lies in the file itself, and its unit stands beside it."""

from __future__ import annotations

from typing import Any

import numpy as np

from neostriatum.errors import shown
from neostriatum.units import quantity

#: The attributes that may say the unit of a dataset.
UNIT_KEYS = ("units", "unit")


def own(group: Any, key: str, kind: type) -> Any:
    """Return a part of ``group`` that lies in the same file: no link and no data elsewhere."""
    import h5py

    if not isinstance(group.get(key, getlink=True), h5py.HardLink):
        msg = f"has no {key}" if key not in group else f"{key} must lie in the file itself"
        raise ValueError(msg)
    part = group[key]
    if not isinstance(part, kind):
        msg = f"{key} must be a {kind.__name__.lower()}"
        raise ValueError(msg)
    if isinstance(part, h5py.Dataset) and (part.external or part.is_virtual):
        msg = f"{key} must lie in the file itself"
        raise ValueError(msg)
    return part


def factor(dataset: Any, wanted: str, default: str | None = None) -> float:
    """Return the number that turns the values of a dataset into a unit.

    Parameters
    ----------
    dataset : h5py.Dataset
        Its attribute ``units`` (or ``unit``) says the unit that it is in.
    wanted : str
        The unit to come to, "1" for a plain number.
    default : str, optional
        The unit of a dataset that says none; by default ``wanted``.

    Raises
    ------
    ValueError
        A unit that is unknown or has another dimension.
    """
    stated = {text for key in UNIT_KEYS if (text := attribute(dataset, key))}
    if len(stated) > 1:
        msg = f"{dataset.name}: units must be one (got {' and '.join(sorted(stated))})"
        raise ValueError(msg)
    unit = stated.pop() if stated else default or wanted
    if unit == wanted:
        return 1.0
    try:
        return quantity(f"1 {unit}", wanted)
    except ValueError as error:
        msg = f"{dataset.name}: units {error} (got {shown(unit)})"
        raise ValueError(msg) from None


def attribute(dataset: Any, key: str) -> str:
    """Return an attribute that is one text (or an array of one), "" where it is not there."""
    import h5py

    value = dataset.attrs.get(key)
    if value is None or isinstance(value, h5py.Empty):
        return ""
    array = np.asarray(value)
    text = array.reshape(-1)[0] if array.size == 1 else None
    if isinstance(text, bytes):
        text = text.decode()
    if not isinstance(text, str):
        msg = f"{dataset.name}: the attribute {key} must be one text (got {shown(value)})"
        raise ValueError(msg)
    return text.strip("\0 ")


def whole(values: np.ndarray, what: str) -> np.ndarray:
    """Return whole numbers as they are, also those that a file holds as floats.

    Raises
    ------
    ValueError
        Other than whole numbers.
    """
    if values.dtype.kind == "f":
        off = values[~(np.isfinite(values) & (np.floor(values) == values))]
        if not off.size:
            return np.clip(values, -(2.0**62), 2.0**62).astype(np.int64)
        msg = f"{what} must be whole numbers (got {off[0]:g})"
        raise ValueError(msg)
    if values.dtype.kind not in "iu":
        msg = f"{what} must be whole numbers (got {values.dtype})"
        raise ValueError(msg)
    return values
