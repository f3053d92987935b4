"""A population of SONATA nodes or edges: rows whose values lie in groups or in a type table."""

from __future__ import annotations

import csv
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.circuit.dataset import attribute, factor, own, whole
from neostriatum.errors import shown
from neostriatum.network.hdf5 import column
from neostriatum.units import quantity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: How a table of types spells that a row has no value, and what is true or false.
_MISSING = {"", "NONE", "NULL", "None", "null", "NaN", "nan", "NA", "N/A"}
_TRUTH = {"true": 1.0, "1": 1.0, "1.0": 1.0, "false": 0.0, "0": 0.0, "0.0": 0.0}


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
        self._file = "" if types is None else types.name
        self._types = _type_rows(kind, name, types)

    def ids(self, key: str, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Return whole numbers of a column of the population, int64."""
        data = column(self.group, key)
        if data.shape != (self.n,):
            msg = f"{data.name} must be {self.n} whole numbers (got {data.dtype} {data.shape})"
            raise ValueError(msg)
        rows = data[start : self.n if stop is None else stop]
        return whole(rows, data.name).astype(np.int64)

    def end(self, key: str) -> str:
        """Return the node population that the ids of a column belong to."""
        population = attribute(column(self.group, key), "node_population")
        if not population:
            msg = f"{self.group.name}/{key} has no attribute node_population"
            raise ValueError(msg)
        return population

    def has(self, key: str) -> bool:
        """Return whether a group or the type table has a value."""
        return key in self._types or any(key in group for group in self.groups.values())

    def columns(self) -> list[str]:
        """Return the names of all values, in groups and in the type table."""
        import h5py

        names = list(self._types)
        for group in self.groups.values():
            for key in group:
                own_group = (isinstance(group.get(key, getlink=True), h5py.HardLink)
                             and isinstance(group[key], h5py.Group))
                names += [f"{key}/{part}" for part in group[key]] if own_group else [key]
        return [name for name in dict.fromkeys(names) if not name.startswith("@library/")]

    def check_types(self, start: int = 0, stop: int | None = None) -> None:
        """Refuse rows of a type that the table of types lacks."""
        if self._file:
            types = _different(self.ids(f"{self.kind}_type_id", start, stop))
            missing = types[~np.isin(types, self._types.index)]
            if len(missing):
                msg = f"{self._file} has no row of {self.kind}_type_id {missing[0]} ({self.name})"
                raise ValueError(msg)

    def values(self, key: str, unit: str, start: int = 0, stop: int | None = None,
               default: str | None = None) -> np.ndarray:
        """Return numbers of rows, float64, NaN where neither group nor type has one.

        Parameters
        ----------
        key : str
            The column.
        unit : str
            The unit to have them in; each group says the one that it holds.
        start, stop : int, optional
            The rows; by default all.
        default : str, optional
            The unit of a group that says none, and of the table of types; by default ``unit``.
        """
        stop = self.n if stop is None else stop
        numbers = np.full(stop - start, np.nan)
        for group, mine, index in self._places(start, stop):
            if key in group:
                data = column(group, key)
                if (data.dtype.kind not in "iufb" or data.ndim != 1
                        or f"@library/{key}" in group):
                    what = "names" if f"@library/{key}" in group else f"{data.dtype} {data.shape}"
                    msg = f"{data.name} must be numbers (got {what})"
                    raise ValueError(msg)
                numbers[mine] = _picked(data, index)
                numbers[mine] *= factor(data, unit, default)
            elif key in self._types:
                types = self.ids(f"{self.kind}_type_id", start, stop)[mine]
                scale = 1.0 if default is None else quantity(f"1 {default}", unit)
                numbers[mine] = scale * self._numbers(key).reindex(types).to_numpy()
        return numbers

    def texts(self, key: str) -> np.ndarray:
        """Return texts of all rows, "" where neither group nor type has one."""
        texts = np.full(self.n, "", dtype=object)
        for group, mine, index in self._places(0, self.n):
            if key in group:
                texts[mine] = _texts(group, key, index)
            elif key in self._types:
                types = self.ids(f"{self.kind}_type_id")[mine]
                texts[mine] = self._types[key].reindex(types, fill_value="").to_numpy()
        return texts

    def labels(self, key: str, start: int = 0, stop: int | None = None) -> set[str]:
        """Return the different texts of rows, "" where neither group nor type has one."""
        labels: set[str] = set()
        for group, mine, index in self._places(start, self.n if stop is None else stop):
            if key in group:
                labels.update(_texts(group, key, index))
            elif key in self._types:
                types = _different(self.ids(f"{self.kind}_type_id", start, stop)[mine])
                labels.update(self._types[key].reindex(types, fill_value=""))
            else:
                labels.add("")
        return labels

    def _numbers(self, key: str) -> Any:
        """Return a column of the type table as numbers."""
        import pandas as pd

        texts = self._types[key]
        if key == "is_gap_junction":
            numbers = texts.str.lower().map(_TRUTH)
        else:
            numbers = pd.to_numeric(texts, errors="coerce").astype(np.float64)
        wrong = texts[numbers.isna() & (texts != "")]
        if len(wrong):
            rule = "true or false" if key == "is_gap_junction" else "numbers with a point"
            msg = f"{self._file}: {key} must be {rule} (got {shown(wrong.iloc[0])})"
            raise ValueError(msg)
        return numbers

    def _places(self, start: int, stop: int) -> Iterator[tuple[Any, np.ndarray, np.ndarray]]:
        """Yield (group, rows of it, where in it) of rows start to stop."""
        if stop == start:
            return
        number = self.ids(f"{self.kind}_group_id", start, stop)
        index = self.ids(f"{self.kind}_group_index", start, stop)
        for key in _different(number):
            if key not in self.groups:
                msg = f"{self.group.name} has no group {key}"
                raise ValueError(msg)
            mine = number == key
            yield self.groups[int(key)], mine, index[mine]


def _different(numbers: np.ndarray) -> np.ndarray:
    """Return the different numbers, rising; faster than a sort where they are few."""
    import pandas as pd

    return np.sort(pd.unique(numbers))


def _picked(data: Any, index: np.ndarray) -> np.ndarray:
    """Return rows of a dataset, read as one slice."""
    low, high = int(index.min()), int(index.max()) + 1
    if low < 0 or high > len(data):
        msg = f"{getattr(data, 'name', 'a column')} has no row {high - 1} (it has {len(data)})"
        raise ValueError(msg)
    return data[low:high][index - low]


def _texts(group: Any, key: str, index: np.ndarray) -> np.ndarray:
    """Return texts of a group, which may be written as numbers of a library of texts."""
    import h5py

    data = column(group, key)
    if f"@library/{key}" in group:
        library = column(group, f"@library/{key}").asstr()[()]
        return _picked(library, whole(_picked(data, index), data.name).astype(np.int64))
    if h5py.check_string_dtype(data.dtype) is None:
        msg = f"{data.name} must be texts (got {data.dtype})"
        raise ValueError(msg)
    return _picked(data.asstr(), index)


def _type_rows(kind: str, name: str, path: Path | None) -> Any:
    """Return the rows of a type table that belong to a population as texts, by type id."""
    import pandas as pd

    if path is None:
        return pd.DataFrame()
    key = f"{kind}_type_id"
    header, rows = _read_rows(path)
    if key not in header:
        msg = (f"{path.name} has no column {key}; columns are separated by blanks "
               f"(got {shown(' '.join(header))})")
        raise ValueError(msg)
    table = pd.DataFrame(rows, columns=header, dtype=object)
    if "population" in table:
        table = table[table["population"].isin(["", name])]
    number = pd.to_numeric(table[key], errors="coerce").to_numpy(np.float64)
    table = table.drop(columns=key).set_index(pd.Index(whole(number, f"{path.name}: {key}")))
    if not table.index.is_unique:
        msg = f"{path.name} has two rows of one {key}"
        raise ValueError(msg)
    return table


def _read_rows(path: Path) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows of a table of types, a value that is missing as ""."""
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        msg = f"{path.name} must be UTF-8 text"
        raise ValueError(msg) from None
    with StringIO(text, newline="") as handle:
        lines = (line.strip().replace("\t", " ") for line in handle)
        reader = csv.reader(lines, delimiter=" ", skipinitialspace=True)
        header = next(filter(None, reader), [])
        if len(set(header)) < len(header):
            msg = f"{path.name} must have each column once (got {shown(' '.join(header))})"
            raise ValueError(msg)
        rows = []
        for row in filter(None, reader):
            if len(row) != len(header):
                msg = (f"{path.name} line {reader.line_num} must have {len(header)} fields as the "
                       f"header has (got {len(row)})")
                raise ValueError(msg)
            rows.append(["" if text in _MISSING else text for text in row])
    return header, rows
