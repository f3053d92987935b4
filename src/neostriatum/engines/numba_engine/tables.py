"""Distributions of event counts per drive, block size and step, for inversion by search."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neostriatum import jit
from neostriatum.caching import compiled
from neostriatum.engines.drive import binomial_table
from neostriatum.engines.numba_engine.arrays import Tables
from neostriatum.engines.numba_engine.drives import counted
from neostriatum.rng import LARGEST_MEAN

if TYPE_CHECKING:
    from neostriatum.engines.drive import Drive
    from neostriatum.engines.lowered import LoweredCircuit

#: Longest table of a Poisson count of mean LARGEST_MEAN.
LONGEST = 192


@compiled()
def fill_poisson(means, values, lengths, parts, largest):
    """Write one table per mean, exactly as `rng.poisson_table` does."""
    for n in range(means.size):
        if means[n] <= 0.0:
            lengths[n], parts[n] = 0, 0
            continue
        parts[n] = max(1, int(np.ceil(means[n] / largest)))
        mean = means[n] / parts[n]
        term = jit.exp(-mean)
        total, count = term, 0
        values[n, 0] = total
        while count < mean or term > 2.0**-60:
            count += 1
            term = term * mean / count
            total = total + term
            values[n, count] = total
        lengths[n] = count + 1


class TableMaker:
    """Makes the tables of a circuit for a stretch of steps; those that never change only once."""

    def __init__(self, lowered: LoweredCircuit, sizes: list[np.ndarray]) -> None:
        self._lowered, self._sizes = lowered, sizes
        self._drives = counted(lowered)
        self._pools = [drive for drive in lowered.drives if drive.pool is not None]
        self._constant = all(drive.rate.is_constant for drive in lowered.drives)
        self._made: Tables | None = None
        longest = [LONGEST, *(drive.afferents + 1 for drive in self._drives
                              if drive.process == "binomial")]
        self._shape = (max(1, len(self._drives)),
                       1 + max([1, *(len(one) for one in sizes)]), max(longest))

    def make(self, step: int, count: int) -> Tables:
        """Return the tables of ``count`` steps from ``step`` (one step if nothing changes)."""
        if self._made is not None and self._constant:
            return self._made
        count = 1 if self._constant else count
        drives, classes, longest = self._shape
        values = np.zeros((drives, classes, count, longest))
        lengths = np.zeros((drives, classes, count), np.int64)
        parts = np.zeros((drives, classes, count), np.int64)
        reference = np.zeros((drives, count))
        times = (np.arange(step, step + count) - self._lowered.warmup) * self._lowered.dt
        pool_p = np.zeros((len(self._pools), count))
        for number, drive in enumerate(self._pools):
            pool_p[number] = self._chance(drive, times)
        for number, drive in enumerate(self._drives):
            p = self._chance(drive, times)
            if drive.process == "binomial":
                for n in range(count):
                    table = binomial_table(drive.afferents, float(p[n]))
                    # The search ends at the first entry above all uniform numbers.
                    values[number, 0, n] = 2.0
                    values[number, 0, n, : len(table)] = table
                    lengths[number, 0, n] = len(table)
                continue
            own = p * (drive.afferents * (1.0 - drive.between) * (1.0 - drive.within))
            for index, size in enumerate(self._sizes[number]):
                fill_poisson(own * int(size), values[number, index], lengths[number, index],
                              parts[number, index], LARGEST_MEAN)
            fill_poisson(p * drive.afferents * drive.between, values[number, -1],
                          lengths[number, -1], parts[number, -1], LARGEST_MEAN)
            reference[number] = p * (1.0 - drive.between)
        self._made = Tables(values, lengths, parts, reference, pool_p)
        return self._made

    def _chance(self, drive: Drive, times: np.ndarray) -> np.ndarray:
        """Return the probability of an event of one train by step."""
        rates = drive.rate.at(times)
        return np.where(rates > 0, rates, 0.0) * self._lowered.dt / 1000.0
