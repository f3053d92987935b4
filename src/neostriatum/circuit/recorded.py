"""Read recorded input spikes from a SONATA HDF5 or a CSV file beside the circuit file."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np

from neostriatum.circuit.dataset import factor, own, whole
from neostriatum.circuit.folder import inside, refuse
from neostriatum.errors import shown

if TYPE_CHECKING:
    from pathlib import Path

    from neostriatum.circuit.drive import SpikeFile

#: Latest time of a recorded spike [ms]: 116 days. Most spikes of a file.
LATEST_MS, MOST_SPIKES = 1e10, 100_000_000


def read_spikes(
    where: str, spikes: SpikeFile, folder: Path | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return times [ms] (float64, sorted) and ids (int64) of a spike file.

    The file may hold its spikes in any order; those of one time stay in the order of the file.

    Parameters
    ----------
    where : str
        Place in the circuit, for messages.
    spikes : SpikeFile
        File name relative to ``folder``, and the SONATA population if there are several.
    folder : Path or None
        The circuit's folder, which the file must lie in.

    Raises
    ------
    CircuitError
        Missing, empty or unreadable file, negative times, a path outside the folder.
    """
    try:
        path = inside(where, spikes.file, folder)
        if path.suffix.lower() in (".h5", ".hdf5"):
            times, ids = _sonata(path, spikes.population)
        elif path.suffix.lower() == ".csv":
            times, ids = _csv(path, spikes.population)
        else:
            refuse(where, f"file must end in .h5, .hdf5 or .csv (got {shown(path.name)})")
        return _checked(times, ids)
    except UnicodeDecodeError:
        refuse(where, f"{shown(spikes.file)}: is not UTF-8 text")
    except (OSError, KeyError, TypeError, ValueError, RuntimeError, csv.Error) as error:
        refuse(where, f"{shown(spikes.file)}: {error}")


def _sonata(path: Path, population: str | None) -> tuple[np.ndarray, np.ndarray]:
    import h5py

    with h5py.File(path, "r") as file:
        group = own(file, "spikes", h5py.Group)
        if (isinstance(group.get("timestamps", getlink=True), h5py.HardLink)
                and isinstance(group["timestamps"], h5py.Dataset)):
            if population is not None:
                msg = ("is in the layout of SONATA before 0.1, which has no populations "
                       f"(got {shown(population)})")
                raise ValueError(msg)
            keys = ("timestamps", "node_ids" if "node_ids" in group else "gids")
        else:
            group = own(group, _chosen(list(group), population), h5py.Group)
            keys = ("timestamps", "node_ids")
        times, ids = (own(group, key, h5py.Dataset) for key in keys)
        if max(times.size, ids.size) > MOST_SPIKES:
            msg = f"must hold at most {MOST_SPIKES:g} spikes (got {max(times.size, ids.size)})"
            raise ValueError(msg)
        scale, values = factor(times, "ms"), times[()]
        return (values if scale == 1.0 else _numbers(values) * scale), ids[()]


def _chosen(names: list[str], population: str | None) -> str:
    """Return the population that is asked for, or the only one."""
    chosen = names[0] if population is None and len(names) == 1 else population
    if chosen is None or chosen not in names:
        known = shown(", ".join(names) or "none")
        msg = f"population must be one of {known} (got {shown(chosen or 'none')})"
        raise ValueError(msg)
    return chosen


def _csv(path: Path, population: str | None) -> tuple[np.ndarray, np.ndarray]:
    import pandas as pd

    if population is not None:
        msg = f"a CSV file has no population (got {shown(population)})"
        raise ValueError(msg)
    _check_rows(path)
    table = pd.read_csv(path, skipinitialspace=True, index_col=False)
    if "population" in table and table["population"].nunique(dropna=False) > 1:
        names = ", ".join(map(str, table["population"].unique()))
        msg = f"must be of one population (got {shown(names)})"
        raise ValueError(msg)
    for key in ("time_ms", "id"):
        words = table[key][pd.to_numeric(table[key], errors="coerce").isna() & table[key].notna()]
        if len(words):
            msg = f"{key} must be numbers (got {shown(words.iloc[0])})"
            raise ValueError(msg)
    return table["time_ms"].to_numpy(), table["id"].to_numpy()


def _check_rows(path: Path) -> None:
    """Refuse a CSV file whose rows are not as wide as its header, as columns would shift."""
    with path.open(newline="", encoding="utf-8-sig") as handle:
        rows = csv.reader(handle, skipinitialspace=True)
        header = next(filter(None, rows), [])
        twice = [name for name in header if name and header.count(name) > 1]
        if twice:
            msg = f"must have each column once (got {shown(twice[0])} twice)"
            raise ValueError(msg)
        if not {"time_ms", "id"} <= set(header):
            msg = ("needs the columns time_ms and id, separated by commas "
                   f"(got {shown(', '.join(header))})")
            raise ValueError(msg)
        for row in rows:
            # A blank line is none.
            if len(row) != len(header) and "".join(row).strip():
                msg = (f"line {rows.line_num} must have {len(header)} fields as the header has "
                       f"(got {len(row)})")
                raise ValueError(msg)


def _numbers(times: np.ndarray) -> np.ndarray:
    if times.dtype.kind not in "iuf":
        msg = f"times must be numbers (got {times.dtype})"
        raise ValueError(msg)
    return times.astype(np.float64)


def _checked(times: np.ndarray, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return times and ids as float64 and int64 by time, or raise ValueError with what is wrong."""
    for what, values in (("times", times), ("ids", ids)):
        if values.ndim != 1:
            msg = f"{what} must be one row of numbers (got {values.shape})"
            raise ValueError(msg)
    if times.shape != ids.shape:
        msg = f"needs one id per time (got {ids.size} and {times.size})"
        raise ValueError(msg)
    if times.size == 0:
        msg = "holds no spikes"
        raise ValueError(msg)
    times, ids = _numbers(times), whole(ids, "ids")
    if not (np.isfinite(times).all() and times.min() >= 0 and times.max() <= LATEST_MS):
        wrong = times[~(np.isfinite(times) & (times >= 0) & (times <= LATEST_MS))][0]
        msg = f"times must be finite, from 0 to {LATEST_MS:g} ms (got {wrong:g})"
        raise ValueError(msg)
    if ids.min() < 0 or ids.max() >= 2**31:
        msg = f"ids must be from 0 to 2^31 (got {ids.min()} to {ids.max()})"
        raise ValueError(msg)
    ids = ids.astype(np.int64)
    if (np.diff(times) < 0).any():
        order = np.argsort(times, kind="stable")
        return times[order], ids[order]
    return times, ids
