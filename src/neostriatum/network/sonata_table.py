"""A population of SONATA nodes or edges: rows whose values lie in groups or in a type table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.circuit.recorded import own
from neostriatum.network.hdf5 import column

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Table:
    """Rows of a population; whatever is wrong with them raises ValueError.

    Parameters
    ----------
    kind : str
        "node" or "edge".
    root : h5py.Group
        ``/nodes`` or ``/edges``.
    name : str
        The population.
    types : Path or None
        The CSV file of its types.
    """

    def __init__(self, kind: str, root: Any, name: str, types: Path | None) -> None:
        import h5py

        self.kind, self.name = kind, name
        self.group = own(root, name, h5py.Group)
        self.n = len(column(self.group, f"{kind}_type_id"))
        self.groups = {int(key): own(self.group, key, h5py.Group) for key in self.group
                       if key.isdigit()}
        if not self.groups:
            msg = f"{self.group.name} has no group 0"
            raise ValueError(msg)
        self._types = _type_rows(kind, name, types)

    def ids(self, key: str, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Return whole numbers of a column of the population, int64."""
        data = column(self.group, key)
        if data.dtype.kind not in "iu" or data.shape != (self.n,):
            msg = f"{data.name} must be {self.n} whole numbers (got {data.dtype} {data.shape})"
            raise ValueError(msg)
        return data[start : self.n if stop is None else stop].astype(np.int64)

    def end(self, key: str) -> str:
        """Return the node population that the ids of a column belong to."""
        said = column(self.group, key).attrs.get("node_population")
        if said is None:
            msg = f"{self.group.name}/{key} has no attribute node_population"
            raise ValueError(msg)
        return said.decode() if isinstance(said, bytes) else str(said)

    def unit(self, key: str) -> str | None:
        """Return the attribute ``units`` of a value, where a group says it."""
        for group in self.groups.values():
            if key in group and (said := column(group, key).attrs.get("units")) is not None:
                return said.decode() if isinstance(said, bytes) else str(said)
        return None

    def has(self, key: str) -> bool:
        """Return whether a group or the type table has a value."""
        return key in self._types or any(key in group for group in self.groups.values())

    def values(self, key: str, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Return numbers of rows, float64, NaN where neither group nor type has one."""
        stop = self.n if stop is None else stop
        found = np.full(stop - start, np.nan)
        for group, mine, index in self._places(start, stop):
            if group is not None and key in group:
                data = column(group, key)
                if data.dtype.kind not in "iufb" or data.ndim != 1:
                    msg = f"{data.name} must be numbers (got {data.dtype} {data.shape})"
                    raise ValueError(msg)
                found[mine] = _picked(data, index)
            elif key in self._types:
                types = self.ids(f"{self.kind}_type_id", start, stop)[mine]
                found[mine] = self._types[key].reindex(types).to_numpy(np.float64)
        return found

    def texts(self, key: str) -> np.ndarray:
        """Return texts of all rows, "" where neither group nor type has one."""
        found = np.full(self.n, "", dtype=object)
        for group, mine, index in self._places(0, self.n):
            if group is not None and key in group:
                data = column(group, key)
                if f"@library/{key}" in group:
                    library = column(group, f"@library/{key}").asstr()[()]
                    found[mine] = library[_picked(data, index)]
                else:
                    found[mine] = _picked(data.asstr(), index)
            elif key in self._types:
                types = self.ids(f"{self.kind}_type_id")[mine]
                found[mine] = self._types[key].reindex(types).fillna("").astype(str).to_numpy()
        return found

    def _places(self, start: int, stop: int) -> Iterator[tuple[Any, Any, np.ndarray]]:
        """Yield (group, rows of it, where in it) of rows start to stop."""
        if stop == start:
            return
        number = self.ids(f"{self.kind}_group_id", start, stop)
        index = self.ids(f"{self.kind}_group_index", start, stop)
        for one in np.unique(number):
            if one not in self.groups:
                msg = f"{self.group.name} has no group {one}"
                raise ValueError(msg)
            mine = number == one
            yield self.groups[int(one)], mine, index[mine]


def _picked(data: Any, index: np.ndarray) -> np.ndarray:
    """Return rows of a dataset, read as one slice."""
    low, high = int(index.min()), int(index.max()) + 1
    if low < 0 or high > len(data):
        msg = f"{getattr(data, 'name', 'a column')} has no row {high - 1} (it has {len(data)})"
        raise ValueError(msg)
    return data[low:high][index - low]


def _type_rows(kind: str, name: str, path: Path | None) -> Any:
    """Return the rows of a type table that belong to a population, by type id."""
    import pandas as pd

    if path is None:
        return pd.DataFrame()
    table = pd.read_csv(path, sep=" ", na_values=["NONE", "NULL"])
    key = f"{kind}_type_id"
    if key not in table:
        msg = f"{path.name} has no column {key}"
        raise ValueError(msg)
    if "population" in table:
        table = table[table["population"] == name]
    table = table.set_index(key)
    if not table.index.is_unique:
        msg = f"{path.name} has two rows of one {key}"
        raise ValueError(msg)
    if "is_gap_junction" in table:
        said = table["is_gap_junction"].astype(str).str.lower()
        table["is_gap_junction"] = said.isin(["true", "1", "1.0"]).astype(float)
    return table
