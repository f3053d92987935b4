"""The one number that two runs with the same spikes share."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from neostriatum.recording.chunks import Chunk


class SpikeHash:
    """The sha256 of the little-endian int64 (n, 2) array [step, global id], rows sorted.

    What is added must come after all that was added before.
    """

    def __init__(self) -> None:
        self._hash, self.spikes = hashlib.sha256(), 0

    def add(self, steps: np.ndarray, ids: np.ndarray) -> None:
        """Add spikes in any order."""
        rows = np.stack([steps, ids], axis=1).astype("<i8")
        rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
        self._hash.update(np.ascontiguousarray(rows).tobytes())
        self.spikes += len(rows)

    def through(self, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        """Add chunks on their way."""
        for chunk in chunks:
            self.add(chunk.steps, chunk.ids)
            yield chunk

    def hexdigest(self) -> str:
        """Return the hash of all that was added."""
        return self._hash.hexdigest()


def spike_hash(steps: np.ndarray, ids: np.ndarray) -> str:
    """Return the sha256 of the little-endian int64 (n, 2) array [step, global id], rows sorted.

    Examples
    --------
    >>> spike_hash(np.zeros(0, int), np.zeros(0, int))[:8]
    'e3b0c442'
    """
    made = SpikeHash()
    made.add(steps, ids)
    return made.hexdigest()
