"""Read recorded input spikes from a SONATA HDF5 or a CSV file beside the circuit file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

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
    try:
        path = inside(where, spikes.file, folder)
        if path.suffix in (".h5", ".hdf5"):
            times, ids = _sonata(path, spikes.population)
        elif path.suffix == ".csv":
            times, ids = _csv(path, spikes.population)
        else:
            refuse(where, f"file must end in .h5, .hdf5 or .csv (got {shown(path.name)})")
        return _checked(times, ids)
    except (OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        refuse(where, f"{shown(spikes.file)}: {error}")


def _sonata(path: Path, population: str | None) -> tuple[Any, Any]:
    import h5py

    with h5py.File(path, "r") as file:
        group = own(file, "spikes", h5py.Group)
        names = list(group)
        chosen = names[0] if population is None and len(names) == 1 else population
        if chosen is None or chosen not in names:
            msg = f"population must be one of {', '.join(names) or 'none'} (got {chosen or 'none'})"
            raise ValueError(msg)
        group = own(group, chosen, h5py.Group)
        times, ids = (own(group, key, h5py.Dataset) for key in ("timestamps", "node_ids"))
        unit = times.attrs.get("units", "ms")
        if (unit.decode() if isinstance(unit, bytes) else unit) != "ms":
            msg = f"timestamps must be in ms (got {unit})"
            raise ValueError(msg)
        if max(times.size, ids.size) > MOST_SPIKES:
            msg = f"must hold at most {MOST_SPIKES:g} spikes (got {times.size})"
            raise ValueError(msg)
        return times[()], ids[()]


def own(group: Any, key: str, kind: type) -> Any:
    """Return a part of ``group`` that lies in the same file: no link and no data elsewhere."""
    import h5py

    if not isinstance(group.get(key, getlink=True), h5py.HardLink):
        msg = f"has no {key}" if key not in group else f"{key} must lie in the file itself"
        raise ValueError(msg)
    found = group[key]
    if not isinstance(found, kind):
        msg = f"{key} must be a {kind.__name__.lower()}"
        raise ValueError(msg)
    if isinstance(found, h5py.Dataset) and (found.external or found.is_virtual):
        msg = f"{key} must lie in the file itself"
        raise ValueError(msg)
    return found


def _csv(path: Path, population: str | None) -> tuple[Any, Any]:
    import pandas as pd

    if population is not None:
        msg = "a CSV file has no population"
        raise ValueError(msg)
    table = pd.read_csv(path, skipinitialspace=True)
    if not {"time_ms", "id"} <= set(table.columns):
        msg = f"needs the columns time_ms and id (got {', '.join(map(str, table.columns))})"
        raise ValueError(msg)
    return table["time_ms"].to_numpy(), table["id"].to_numpy()


def _checked(times: Any, ids: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return times and ids as float64 and int64, or raise ValueError with what is wrong."""
    if times.shape != ids.shape or times.ndim != 1:
        msg = f"needs one id per time (got {ids.size} and {times.size})"
        raise ValueError(msg)
    if times.size == 0:
        msg = "holds no spikes"
        raise ValueError(msg)
    if times.dtype.kind not in "iuf":
        msg = "times must be numbers"
        raise ValueError(msg)
    if ids.dtype.kind not in "iu":
        msg = "ids must be whole numbers"
        raise ValueError(msg)
    times = times.astype(np.float64)
    if not (np.isfinite(times).all() and times.min() >= 0 and times.max() <= LATEST_MS):
        msg = f"times must be finite, from 0 to {LATEST_MS:g} ms"
        raise ValueError(msg)
    if (np.diff(times) < 0).any():
        msg = "times must be sorted"
        raise ValueError(msg)
    if ids.min() < 0 or ids.max() >= 2**31:
        msg = f"ids must be from 0 to 2^31 (got {ids.min()} to {ids.max()})"
        raise ValueError(msg)
    return times, ids.astype(np.int64)
