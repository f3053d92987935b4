"""Read and write spikes and traces in the SONATA layout (one population per cell type)."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.engines.base import Trace
from neostriatum.errors import RunFileError
from neostriatum.network.hdf5 import written
from neostriatum.recording.chunks import due

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from neostriatum.recording.chunks import Chunk
    from neostriatum.recording.selection import Choice

_MAGIC, _VERSION = np.uint32(0x0A7A), np.array([0, 1], np.uint32)
_SORTING = {"none": 0, "by_id": 1, "by_time": 2}
#: Width of the bins of population rates [ms], to the nearest step.
BIN_MS = 10.0
#: Spikes of a type that are read at a time.
BLOCK = 2**16


def report(variable: str) -> str:
    """Return the name of the file that holds the traces of a variable."""
    return "traces.h5" if variable == "v" else f"traces-{variable}.h5"


def bin_steps(dt_ms: float) -> int:
    """Return the steps of a bin of population rates."""
    return max(1, round(BIN_MS / dt_ms))


def write_spikes(path: Path, populations: dict[str, range], dt_ms: float, totals: dict[str, int],
                 n_steps: int, chunks: Iterable[Chunk]) -> None:
    """Write spikes and population rates from chunks, one of which is in memory at a time.

    Timestamps are (step + 1) dt [ms]; ``/rates/<type>`` holds the spikes of a type in each bin of
    10 ms.

    Parameters
    ----------
    path : Path
        The file to write.
    populations : dict
        Global ids of each cell type.
    dt_ms : float
        Step [ms].
    totals : dict
        Spikes of each type.
    n_steps : int
        Steps recorded.
    chunks : iterable of Chunk
        In the order of time.

    Raises
    ------
    RunFileError
        It cannot be written.
    """
    width = bin_steps(dt_ms)
    at = dict.fromkeys(populations, 0)
    with written(path) as (file, disk):
        _stamp(file)
        groups = {name: _spike_group(file, name, totals.get(name, 0)) for name in populations}
        rates = {name: file.create_dataset(f"rates/{name}", (-(-n_steps // width),), np.int32)
                 for name in populations}
        for made in rates.values():
            made.attrs["bin_ms"] = width * dt_ms
        for chunk in chunks:
            for name, span in populations.items():
                mine = (chunk.ids >= span.start) & (chunk.ids < span.stop)
                steps, end = chunk.steps[mine], at[name] + int(mine.sum())
                groups[name]["timestamps"][at[name] : end] = (steps + 1) * dt_ms
                groups[name]["node_ids"][at[name] : end] = chunk.ids[mine] - span.start
                at[name] = end
                first = chunk.first // width
                bins = np.bincount(steps // width - first, minlength=1)
                rates[name][first : first + len(bins)] += bins.astype(np.int32)
            disk.check()


def _spike_group(file: Any, name: str, total: int) -> Any:
    import h5py

    group = file.create_group(f"spikes/{name}")
    group.attrs.create("sorting", _SORTING["by_time"],
                       dtype=h5py.enum_dtype(_SORTING, basetype="u1"))
    group.create_dataset("timestamps", (total,), np.float64).attrs["units"] = "ms"
    group.create_dataset("node_ids", (total,), np.uint64)
    return group


def read_spikes(path: Path, populations: dict[str, range]) -> tuple[np.ndarray, np.ndarray]:
    """Return times [ms] and global ids, sorted by time, then id.

    Raises
    ------
    RunFileError
        A missing or damaged file.
    """
    times, ids = [np.zeros(0)], [np.zeros(0, np.int64)]
    with _opened(path, "spikes") as file:
        for name, span in populations.items():
            times.append(file[f"spikes/{name}/timestamps"][()])
            ids.append(file[f"spikes/{name}/node_ids"][()].astype(np.int64) + span.start)
    when, who = np.concatenate(times), np.concatenate(ids)
    order = np.lexsort((who, when))
    return when[order], who[order]


def windows_of_spikes(path: Path, populations: dict[str, range], dt_ms: float,
                      ends: Iterable[int]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield (steps, global ids), sorted, from one of the rising ``ends`` (steps) to the next.

    Raises
    ------
    RunFileError
        A missing or damaged file.
    """
    with _opened(path, "spikes") as file:
        rest = {name: _Rest(file[f"spikes/{name}"], span.start, dt_ms)
                for name, span in populations.items()}
        for end in ends:
            parts = [one.until(end) for one in rest.values()]
            steps = np.concatenate([np.zeros(0, np.int64), *(one[0] for one in parts)])
            ids = np.concatenate([np.zeros(0, np.int64), *(one[1] for one in parts)])
            order = np.lexsort((ids, steps))
            yield steps[order], ids[order]


class _Rest:
    """What of the spikes of a type was not given away yet, read block by block."""

    def __init__(self, group: Any, start: int, dt_ms: float) -> None:
        self._group, self._start, self._dt, self._at = group, start, dt_ms, 0
        self._steps = self._ids = np.zeros(0, np.int64)

    def until(self, end: int) -> tuple[np.ndarray, np.ndarray]:
        total = len(self._group["timestamps"])
        while self._at < total and (not len(self._steps) or self._steps[-1] < end):
            block = slice(self._at, self._at + BLOCK)
            steps = np.rint(self._group["timestamps"][block] / self._dt).astype(np.int64) - 1
            ids = self._group["node_ids"][block].astype(np.int64) + self._start
            self._steps = np.concatenate([self._steps, steps])
            self._ids = np.concatenate([self._ids, ids])
            self._at += BLOCK
        cut = int(np.searchsorted(self._steps, end))
        given = self._steps[:cut], self._ids[:cut]
        self._steps, self._ids = self._steps[cut:], self._ids[cut:]
        return given


def read_rates(path: Path, populations: dict[str, range]) -> tuple[float, dict[str, np.ndarray]]:
    """Return the width of a bin [ms] and the spikes of each type by bin.

    Raises
    ------
    RunFileError
        A missing or damaged file.
    """
    with _opened(path, "rates") as file:
        rates = file["rates"]
        width = max((float(rates[name].attrs["bin_ms"]) for name in populations), default=BIN_MS)
        return width, {name: rates[name][()].astype(np.int64) for name in populations}


def write_traces(path: Path, populations: dict[str, range], dt_ms: float, chosen: list[Choice],
                 n_steps: int, chunks: Iterable[Chunk]) -> None:
    """Write one variable of the chosen cells as a SONATA report, one population per cell type.

    Parameters
    ----------
    path : Path
        The file to write.
    populations : dict
        Global ids of each cell type.
    dt_ms : float
        Step [ms].
    chosen : list of Choice
        Who was recorded and how often, of one variable.
    n_steps : int
        Steps recorded.
    chunks : iterable of Chunk
        In the order of time.

    Raises
    ------
    RunFileError
        It cannot be written.
    """
    with written(path) as (file, disk):
        _stamp(file)
        data, at = {}, {}
        for one in chosen:
            total = len(due(0, n_steps, one.every))
            group = file.create_group(f"report/{one.population}")
            data[one.population] = group.create_dataset("data", (total, len(one.ids)), np.float32)
            data[one.population].attrs["units"] = one.unit
            data[one.population].attrs["variable"] = one.variable
            at[one.population] = 0
            mapping: Any = group.create_group("mapping")
            nodes = mapping.create_dataset("node_ids", data=one.ids.astype(np.uint64))
            nodes.attrs.create("sorted", 1, dtype=np.uint8)
            # The specification says pointer, libsonata reads pointers.
            mapping["index_pointers"] = np.arange(len(one.ids) + 1, dtype=np.uint64)
            mapping["index_pointer"] = mapping["index_pointers"]
            mapping["element_ids"] = np.zeros(len(one.ids), np.uint32)
            mapping["element_pos"] = np.zeros(len(one.ids), np.float32)
            step = one.every * dt_ms
            time = mapping.create_dataset("time", data=np.array([step, step * (total + 1), step]))
            time.attrs["units"] = "ms"
        for chunk in chunks:
            for one in chosen:
                name = one.population
                values = chunk.samples[one.variable, name]
                data[name][at[name] : at[name] + len(values)] = values
                at[name] += len(values)
            disk.check()


def first_id(populations: dict[str, range], name: str) -> int:
    """Return the global id of the first cell of a type, 0 of what has no cells of its own."""
    return populations[name].start if name in populations else 0


def read_traces(path: Path, populations: dict[str, range]) -> dict[str, Trace]:
    """Return the traces of a file that `write_traces` made; empty if there is none.

    Raises
    ------
    RunFileError
        A damaged file.
    """
    if not path.exists():
        return {}
    traces = {}
    with _opened(path, "traces") as file:
        for name in file.get("report", {}):
            group = file[f"report/{name}"]
            start, _, step = group["mapping/time"][()]
            values = group["data"][()].astype(float)
            ids = group["mapping/node_ids"][()].astype(np.int64) + first_id(populations, name)
            traces[name] = Trace(ids, start + step * np.arange(len(values)), values)
    return traces


def windows_of_traces(path: Path, chosen: list[Choice],
                      ends: Iterable[int]) -> Iterator[dict[tuple[str, str], np.ndarray]]:
    """Yield the samples of one variable from one of the rising ``ends`` (steps) to the next.

    Raises
    ------
    RunFileError
        A missing or damaged file.
    """
    with _opened(path, "traces") as file:
        done = 0
        for end in ends:
            rows = {one.population: slice(len(due(0, done, one.every)), len(due(0, end, one.every)))
                    for one in chosen}
            yield {(one.variable, one.population):
                   file[f"report/{one.population}/data"][rows[one.population]] for one in chosen}
            done = end


@contextmanager
def _opened(path: Path, what: str) -> Iterator[Any]:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            yield file
    except (OSError, KeyError, ValueError, TypeError, IndexError, AttributeError,
            RuntimeError) as error:
        msg = f"{path}: {what} cannot be read ({' '.join(str(error).split())[:120]})"
        raise RunFileError(msg) from None


def _stamp(file: Any) -> None:
    file.attrs["magic"] = _MAGIC
    file.attrs["version"] = _VERSION
