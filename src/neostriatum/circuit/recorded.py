"""Read recorded input spikes from a SONATA HDF5 or a CSV file beside the circuit file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from neostriatum.errors import CircuitError, shown

if TYPE_CHECKING:
    from neostriatum.circuit.drive import SpikeFile

#: Latest time of a recorded spike [ms]: 116 days.
LATEST_MS = 1e10


def read_spikes(
    where: str, spikes: SpikeFile, folder: Path | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return times [ms] (float64, sorted) and ids (int64) of a spike file.

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
        Missing, empty, unreadable or unsorted file, negative times, a path outside the folder.
    """
    path = _inside(where, spikes.file, folder)
    try:
        if path.suffix in (".h5", ".hdf5"):
            times, ids = _sonata(where, path, spikes.population)
        elif path.suffix == ".csv":
            times, ids = _csv(where, path)
        else:
            _refuse(where, f"file must end in .h5, .hdf5 or .csv (got {shown(path.name)})")
    except (OSError, KeyError, ValueError) as error:
        _refuse(where, f"{path.name} cannot be read as spikes ({shown(error)})")
    if times.size == 0:
        _refuse(where, f"{path.name} holds no spikes")
    if not (np.isfinite(times).all() and times.min() >= 0 and times.max() <= LATEST_MS):
        _refuse(where, f"{path.name}: times must be finite, from 0 to {LATEST_MS:g} ms")
    if (np.diff(times) < 0).any():
        _refuse(where, f"{path.name}: times must be sorted")
    if ids.min() < 0:
        _refuse(where, f"{path.name}: ids must be >= 0 (got {ids.min()})")
    return times, ids


def _inside(where: str, name: str, folder: Path | None) -> Path:
    base = (folder or Path.cwd()).resolve()
    path = base / name
    if Path(name).is_absolute() or not path.resolve().is_relative_to(base) or path.is_symlink():
        _refuse(where, f"file must lie in the circuit's folder (got {shown(name)})")
    if not path.is_file():
        _refuse(where, f"no such file (got {shown(name)})")
    return path


def _sonata(where: str, path: Path, population: str | None) -> tuple[np.ndarray, np.ndarray]:
    import h5py

    with h5py.File(path, "r") as file:
        names = list(file["spikes"])
        if population is None and len(names) != 1:
            _refuse(where, f"{path.name}: population must be one of {', '.join(names) or 'none'}")
        group = file["spikes"][population or names[0]]
        unit = group["timestamps"].attrs.get("units", "ms")
        if (unit.decode() if isinstance(unit, bytes) else unit) != "ms":
            _refuse(where, f"{path.name}: timestamps must be in ms (got {shown(unit)})")
        return (np.asarray(group["timestamps"][()], dtype=np.float64),
                np.asarray(group["node_ids"][()], dtype=np.int64))


def _csv(where: str, path: Path) -> tuple[np.ndarray, np.ndarray]:
    import pandas as pd

    table = pd.read_csv(path, sep=None, engine="python")
    if not {"time_ms", "id"} <= set(table.columns):
        found = ", ".join(map(str, table.columns))
        _refuse(where, f"{path.name}: needs the columns time_ms and id (got {shown(found)})")
    return (table["time_ms"].to_numpy(dtype=np.float64), table["id"].to_numpy(dtype=np.int64))


def _refuse(where: str, rule: str) -> NoReturn:
    msg = f"{where}: {rule}"
    raise CircuitError(msg)
