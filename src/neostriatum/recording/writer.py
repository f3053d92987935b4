"""What a run leaves on disk while it goes on: chunks, checkpoints, and at its end the results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.durable import digest, remove
from neostriatum.recording.checkpoint import write_state
from neostriatum.recording.chunks import LARGEST, Chunk, read_chunk, write_chunk
from neostriatum.recording.manifest import Manifest, sweep
from neostriatum.recording.sonata import report, write_spikes, write_traces
from neostriatum.recording.spikehash import SpikeHash

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from neostriatum.engines.base import Samples
    from neostriatum.recording.manifest import Entry
    from neostriatum.recording.selection import Choice


class Writer:
    """Takes what an engine hands over and makes it durable, a chunk at a time.

    Parameters
    ----------
    folder : Path
        Of the run; the caller holds its lock.
    populations : dict
        Global ids of each cell type.
    chosen : list of Choice
        Who is recorded beside the spikes.

    Raises
    ------
    RunFileError
        The folder cannot be written, or what is there is damaged.
    """

    def __init__(self, folder: Path, populations: dict[str, range], chosen: list[Choice]) -> None:
        self.folder, self.populations, self.chosen = folder, populations, chosen
        self.manifest = Manifest(folder)
        self.manifest.mend()
        self.stop = self._first = self.manifest.stop
        self._number = self.manifest.last_number
        self._clear()

    def _clear(self) -> None:
        self._spikes: list[np.ndarray] = []
        self._samples: dict[tuple[str, str], list[np.ndarray]] = {
            (one.variable, one.population): [] for one in self.chosen}
        self._bytes = 0

    def back_to(self, step: int) -> None:
        """Drop what is after a step, from which an engine starts again (< 0: in the warm-up)."""
        if self.manifest.entries:
            self.manifest.append({"resumed": step})
            self.manifest.mend()
        self.stop = self._first = self.manifest.stop
        self._clear()

    def add(self, steps: np.ndarray, ids: np.ndarray,
            samples: dict[tuple[str, str], np.ndarray], stop: int) -> None:
        """Take spikes (sorted) and samples of the steps up to ``stop``."""
        self._spikes.append(np.stack([steps, ids], axis=1))
        self._bytes += self._spikes[-1].nbytes
        for key, values in samples.items():
            self._samples[key].append(values.astype(np.float32))
            self._bytes += self._samples[key][-1].nbytes
        self.stop = stop
        if self._bytes > LARGEST:
            self.flush()

    def flush(self) -> None:
        """Make what waits in memory durable as a chunk."""
        if self.stop <= self._first:
            return
        rows = np.concatenate([np.zeros((0, 2), np.int64), *self._spikes])
        samples = {(one.variable, one.population): np.concatenate(
            [np.zeros((0, len(one.ids)), np.float32), *self._samples[one.variable, one.population]])
            for one in self.chosen}
        chunk = Chunk(self._first, self.stop, rows[:, 0], rows[:, 1], samples)
        name = f"chunk-{self._number + 1:06d}.npz"
        sha256 = write_chunk(self.folder / name, chunk)
        spikes = {one: int(((chunk.ids >= span.start) & (chunk.ids < span.stop)).sum())
                  for one, span in self.populations.items()}
        self.manifest.append({"chunk": name, "first": chunk.first, "stop": chunk.stop,
                              "sha256": sha256, "spikes": spikes})
        self._number += 1
        self._first = self.stop
        self._clear()

    def checkpoint(self, step: int, state: dict[str, np.ndarray], about: dict[str, Any],
                   timers: dict[str, float]) -> None:
        """Make everything up to now durable, and the state at ``step``; the last two are kept."""
        self.flush()
        name = f"state-{self._number + 1:06d}.npz"
        sha256 = write_state(self.folder / name, state, about)
        self.manifest.append({"state": name, "step": step, "sha256": sha256, "timers": timers})
        self._number += 1
        for old in self.manifest.states[:-2]:
            remove(self.folder / old["state"])

    def chunks(self) -> Iterator[Chunk]:
        """Yield what is durable, one chunk in memory at a time."""
        for entry in self.manifest.chunks:
            yield read_chunk(self.folder, entry)

    def totals(self) -> dict[str, int]:
        """Return the durable spikes of each type."""
        return totals(self.manifest.chunks, self.populations)

    def finish(self, dt_ms: float) -> tuple[dict[str, str], str]:
        """Write the results from the chunks; return the sha256 of each file, and of the spikes.

        The working files stay: they are the results until the record says otherwise.
        """
        self.flush()
        hashed, n_steps, files = SpikeHash(), self.stop, ["spikes.h5"]
        write_spikes(self.folder / "spikes.h5", self.populations, dt_ms, self.totals(), n_steps,
                     hashed.through(self.chunks()))
        for variable in dict.fromkeys(one.variable for one in self.chosen):
            chosen = [one for one in self.chosen if one.variable == variable]
            files.append(report(variable))
            write_traces(self.folder / files[-1], self.populations, dt_ms, chosen, n_steps,
                         self.chunks())
        return {name: digest(self.folder / name) for name in files}, hashed.hexdigest()

    def last_state(self) -> Entry | None:
        """Return the entry of the last checkpoint."""
        return self.manifest.states[-1] if self.manifest.states else None

    def clear_up(self) -> None:
        """Remove the working files, but the last state."""
        last = self.last_state()
        sweep(self.folder, {last["state"]} if last else set())


def totals(chunks: list[Entry], populations: dict[str, range]) -> dict[str, int]:
    """Return the spikes of each type in listed chunks."""
    return {name: sum(one["spikes"].get(name, 0) for one in chunks) for name in populations}


def samples_of(taken: list[Samples]) -> dict[tuple[str, str], np.ndarray]:
    """Return what probes saw by (variable, type)."""
    return {(one.variable, one.population): one.values for one in taken}
