"""A run directory: run.json, spikes.h5, traces.h5, figures; and the object that reads it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.circuit.load import load
from neostriatum.durable import write_text
from neostriatum.errors import RunFileError
from neostriatum.recording.sonata import read_spikes, read_traces

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit
    from neostriatum.engines.base import Trace

FORMAT = 1


def spike_hash(steps: np.ndarray, ids: np.ndarray) -> str:
    """Return the sha256 of the little-endian int64 (n, 2) array [step, global id], rows sorted.

    Examples
    --------
    >>> spike_hash(np.zeros(0, int), np.zeros(0, int))[:8]
    'e3b0c442'
    """
    rows = np.stack([steps, ids], axis=1).astype("<i8")
    rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
    return hashlib.sha256(np.ascontiguousarray(rows).tobytes()).hexdigest()


@dataclass(frozen=True)
class Spikes:
    """Flat spikes: times_ms float64 (n,) from the end of the warm-up, ids int64 (n,) global."""

    times_ms: np.ndarray
    ids: np.ndarray

    def __len__(self) -> int:
        return len(self.times_ms)


class Run:
    """A run on disk.

    Parameters
    ----------
    folder : str or Path
        A directory that ``run`` made.

    Raises
    ------
    RunFileError
        No run there, or its files are damaged.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        path = self.folder / "run.json"
        try:
            self.record: dict[str, Any] = json.loads(path.read_text("utf-8"))
            known = self.record["format"] == FORMAT
        except (OSError, ValueError, KeyError, TypeError) as error:
            msg = f"{path}: is not the record of a run ({' '.join(str(error).split())})"
            raise RunFileError(msg) from None
        if not known:
            msg = (f"{path}: format must be {FORMAT} (got {self.record['format']}). "
                   "Update neostriatum")
            raise RunFileError(msg)

    @property
    def summary(self) -> dict[str, Any]:
        """The numbers that ``neostriatum run --json`` prints."""
        if self.record.get("status") != "finished":
            msg = f"{self.folder}: the run did not finish (status {self.record.get('status')})"
            raise RunFileError(msg)
        return self.record["summary"]

    @cached_property
    def circuit(self) -> Circuit:
        """The resolved circuit."""
        return load(self.record["circuit"], folder=self.folder)

    @property
    def circuit_name(self) -> str:
        """Name of the circuit."""
        return self.record["circuit"]["name"]

    @property
    def seed(self) -> int:
        """Master seed."""
        return self.record["seed"]

    @property
    def duration_ms(self) -> float:
        """Recorded time [ms]."""
        return self.record["duration_ms"]

    @property
    def dopamine(self) -> tuple[float, float]:
        """Activation of D1 and D2 receptors at t = 0."""
        said = self.summary["dopamine"]
        return said["d1"], said["d2"]

    @property
    def populations(self) -> dict[str, range]:
        """Global ids of each cell type."""
        spans, start = {}, 0
        for name, count in self.record["counts"].items():
            spans[name] = range(start, start + count)
            start += count
        return spans

    @cached_property
    def spikes(self) -> Spikes:
        """All recorded spikes."""
        return Spikes(*read_spikes(self.folder / "spikes.h5", self.populations))

    @cached_property
    def traces(self) -> dict[str, Trace]:
        """Membrane potentials of the probed cells by type."""
        return read_traces(self.folder / "traces.h5", self.populations)

    def rates(self) -> dict[str, np.ndarray]:
        """Return the rate of every neuron by type, {type: (n,)} [Hz]."""
        counts = np.bincount(self.spikes.ids, minlength=sum(self.record["counts"].values()))
        per_s = counts / (self.duration_ms / 1000.0)
        return {name: per_s[span.start : span.stop] for name, span in self.populations.items()}

    def to_pandas(self) -> Any:
        """Return the spikes as a table with columns time_ms, id, type, node_id."""
        import pandas as pd

        spans = self.populations
        starts = np.array([span.start for span in spans.values()])
        # The last type that starts at or before an id is its type, also after an empty one.
        which = np.searchsorted(starts, self.spikes.ids, side="right") - 1
        return pd.DataFrame({
            "time_ms": self.spikes.times_ms, "id": self.spikes.ids,
            "type": pd.Categorical.from_codes(which, list(spans)),
            "node_id": self.spikes.ids - starts[which],
        })

    def write_record(self) -> None:
        """Make ``run.json`` durable."""
        write_record(self.folder, self.record)

    def to_neo(self) -> Any:
        """Return spikes, traces and rates as a Neo block; see `neostriatum.recording.neo.block`."""
        from neostriatum.recording.neo import block

        return block(self)

    def to_xarray(self) -> Any:
        """Return traces and rates; see `neostriatum.recording.arrays.dataset`."""
        from neostriatum.recording.arrays import dataset

        return dataset(self)


def write_record(folder: Path, record: dict[str, Any]) -> None:
    """Write ``run.json`` durably; plain data, null instead of NaN."""
    write_text(folder / "run.json", json.dumps(record, indent=1, allow_nan=False) + "\n")
