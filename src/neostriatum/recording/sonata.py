"""Read and write spikes and membrane traces in the SONATA layout (one population per cell type)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.durable import replacing
from neostriatum.engines.base import Trace
from neostriatum.errors import RunFileError

if TYPE_CHECKING:
    from pathlib import Path

_MAGIC, _VERSION = np.uint32(0x0A7A), np.array([0, 1], np.uint32)
_SORTING = {"none": 0, "by_id": 1, "by_time": 2}


def write_spikes(path: Path, populations: dict[str, range], dt_ms: float, steps: np.ndarray,
                 ids: np.ndarray) -> None:
    """Write spikes: local node ids, timestamps (step + 1) dt [ms], sorted by time.

    Parameters
    ----------
    path : Path
        The file to write.
    populations : dict
        Global ids of each cell type.
    dt_ms : float
        Step [ms].
    steps, ids : numpy.ndarray
        int64, shape (n,), sorted by step, then global id.
    """
    import h5py

    with replacing(path) as temporary, h5py.File(temporary, "w") as file:
        _stamp(file)
        for name, span in populations.items():
            mine = (ids >= span.start) & (ids < span.stop)
            group = file.create_group(f"spikes/{name}")
            group.attrs.create("sorting", _SORTING["by_time"],
                               dtype=h5py.enum_dtype(_SORTING, basetype="u1"))
            when = group.create_dataset("timestamps", data=(steps[mine] + 1) * dt_ms)
            when.attrs["units"] = "ms"
            group.create_dataset("node_ids", data=(ids[mine] - span.start).astype(np.uint64))


def read_spikes(path: Path, populations: dict[str, range]) -> tuple[np.ndarray, np.ndarray]:
    """Return times [ms] and global ids, sorted by time, then id.

    Raises
    ------
    RunFileError
        A missing or damaged file.
    """
    import h5py

    times, ids = [np.zeros(0)], [np.zeros(0, np.int64)]
    try:
        with h5py.File(path, "r") as file:
            for name, span in populations.items():
                times.append(file[f"spikes/{name}/timestamps"][()])
                ids.append(file[f"spikes/{name}/node_ids"][()].astype(np.int64) + span.start)
    except (OSError, KeyError, ValueError, RuntimeError) as error:
        msg = f"{path}: spikes cannot be read ({' '.join(str(error).split())})"
        raise RunFileError(msg) from None
    when, who = np.concatenate(times), np.concatenate(ids)
    order = np.lexsort((who, when))
    return when[order], who[order]


def write_traces(path: Path, populations: dict[str, range], traces: dict[str, Trace]) -> None:
    """Write membrane potentials [mV] as SONATA reports, one population per cell type."""
    import h5py

    with replacing(path) as temporary, h5py.File(temporary, "w") as file:
        _stamp(file)
        for name, trace in traces.items():
            group = file.create_group(f"report/{name}")
            data = group.create_dataset("data", data=trace.v_mv.astype(np.float32))
            data.attrs["units"] = "mV"
            mapping: Any = group.create_group("mapping")
            local = (trace.ids - populations[name].start).astype(np.uint64)
            mapping.create_dataset("node_ids", data=local)
            mapping.create_dataset("index_pointer", data=np.arange(len(local) + 1, dtype=np.uint64))
            mapping.create_dataset("element_ids", data=np.zeros(len(local), np.uint32))
            step = trace.times_ms[1] - trace.times_ms[0] if len(trace.times_ms) > 1 else 0.0
            start = trace.times_ms[0] if len(trace.times_ms) else 0.0
            time = mapping.create_dataset(
                "time", data=np.array([start, start + step * len(trace.times_ms), step]))
            time.attrs["units"] = "ms"


def read_traces(path: Path, populations: dict[str, range]) -> dict[str, Trace]:
    """Return the traces of a file that `write_traces` made; empty if there is none."""
    import h5py

    if not path.exists():
        return {}
    traces = {}
    try:
        with h5py.File(path, "r") as file:
            for name in file.get("report", {}):
                group = file[f"report/{name}"]
                start, _, step = group["mapping/time"][()]
                v = group["data"][()].astype(float)
                ids = group["mapping/node_ids"][()].astype(np.int64) + populations[name].start
                traces[name] = Trace(ids, start + step * np.arange(len(v)), v)
    except (OSError, KeyError, ValueError, RuntimeError) as error:
        msg = f"{path}: traces cannot be read ({' '.join(str(error).split())})"
        raise RunFileError(msg) from None
    return traces


def _stamp(file: Any) -> None:
    file.attrs["magic"] = _MAGIC
    file.attrs["version"] = _VERSION
