"""The synapses of the pathways as arrays, all in one block, and their delays in units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from neostriatum.circuit.pathway import DELAY_UNIT as DELAY_UNIT
from neostriatum.errors import BuildError

if TYPE_CHECKING:
    from neostriatum.circuit.pathway import Delay

#: The kind of gap junction whose pairs networks have as ``gaps`` in their hash and file.
FIRST_KIND = "FS-FS"


@dataclass(frozen=True)
class Edges:
    """The synapses of one pathway by source (CSR).

    ``offsets`` int64 (n_source + 1,), ``targets`` int32 (m,) sorted within a row, ``delays``
    uint8 (m,) in units of `DELAY_UNIT`. ``weights`` float32 (m,) are factors of mean 1 on every
    conductance of the pathway, None where all are 1.
    """

    offsets: np.ndarray
    targets: np.ndarray
    delays: np.ndarray
    weights: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.targets)


class Block:
    """Targets int32 and delays uint8 of one pathway after another, in two growing arrays.

    Memory that a roomy ``capacity`` reserves is not used before it is written.
    """

    def __init__(self, capacity: int = 0) -> None:
        self.used = 0
        self.targets = np.empty(capacity, np.int32)
        self.delays = np.empty(capacity, np.uint8)

    def take(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the next ``count`` entries to write; they are valid until the next call."""
        start, self.used = self.used, self.used + count
        if self.used > len(self.targets):
            self._resize(max(self.used, len(self.targets) * 9 // 8))
        return self.targets[start : self.used], self.delays[start : self.used]

    def trim(self) -> None:
        """Give back what was not used; nothing can be added without a move afterwards."""
        self._resize(self.used)

    def _resize(self, capacity: int) -> None:
        # The allocator moves pages, not bytes, where numpy.concatenate would hold both copies.
        self.targets.resize(capacity, refcheck=False)
        self.delays.resize(capacity, refcheck=False)


@dataclass(frozen=True)
class Lag:
    """From spike to arrival: offset [ms] plus distance over velocity [um/ms]; where it is said."""

    where: str
    offset: float = DELAY_UNIT
    velocity: float = np.inf

    @classmethod
    def of(cls, where: str, delay: Delay) -> Lag:
        """Return the lag that a pathway's ``delay`` describes."""
        return cls(where, delay.offset.value,
                   np.inf if delay.velocity is None else delay.velocity.value)

    def check(self, nearest: float, farthest: float) -> None:
        """Raise BuildError unless the delays at both distances [um] can be stored."""
        low, high = (self.offset + away / self.velocity for away in (nearest, farthest))
        if not (np.rint(low / DELAY_UNIT) >= 1 and np.rint(high / DELAY_UNIT) <= 255):
            msg = (f"{self.where}: must be 1 to 255 units of {DELAY_UNIT} ms "
                   f"(got {low:.3g} to {high:.3g} ms)")
            raise BuildError(msg)


def delay_units(where: str, delay: Delay, distances_um: np.ndarray) -> np.ndarray:
    """Return the delays of synapses at these distances in units of `DELAY_UNIT`, uint8."""
    lag = Lag.of(where, delay)
    if len(distances_um):
        lag.check(distances_um.min(), distances_um.max())
    times = lag.offset + distances_um.astype(np.float64) / lag.velocity
    return np.rint(times / DELAY_UNIT).astype(np.uint8)
