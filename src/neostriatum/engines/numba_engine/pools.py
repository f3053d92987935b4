"""Tables of pooled axons for stretches of blocks, whose releases compiled code lets go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.caching import compiled
from neostriatum.engines.numba_engine.events import AHEAD
from neostriatum.engines.numba_engine.pack import TILE
from neostriatum.engines.numba_engine.pooled import Pooled
from neostriatum.engines.numba_engine.release import call_release, mean_release_address
from neostriatum.engines.numba_engine.tables import LONGEST, fill_poisson
from neostriatum.engines.pooled import Pool
from neostriatum.engines.quantum import quantised
from neostriatum.rng import LARGEST_MEAN

if TYPE_CHECKING:
    from neostriatum.engines.pooled import PooledAxons, PooledPathway, Tables


class CompiledPool(Pool):
    """The rates and releases of pooled axons, which compiled code lets go on."""

    def change(self, pooled: PooledAxons) -> None:
        """Go on with other rates."""
        super().change(pooled)
        self._functions = {one.name: mean_release_address(one.stp.model)
                           for one in pooled.pathways if one.stp}

    def release(self, one: PooledPathway, spikes: np.ndarray) -> np.ndarray:
        """Return what a spike of a pathway releases in every block; go on to the last block."""
        stp, released = one.stp, np.empty(spikes.shape)
        if stp is None:
            raise TypeError(one.name)
        names = stp.model.names
        states = np.stack([self.states[one.name][name] for name in names], axis=1)
        given = np.array([*(self.falls[one.name][name] for name in names),
                          *(stp.values[parameter.name] for parameter in stp.model.parameters)])
        follow(self._functions[one.name], given, spikes, states, released)
        self.states[one.name] = {name: states[:, n].copy() for n, name in enumerate(names)}
        return released


@compiled()
def follow(function, given, spikes, states, released):
    """Let the releases of a pathway's groups follow their spikes to the start of the last block."""
    last = np.empty(states.shape[1])
    for block in range(spikes.shape[0]):
        for group in range(spikes.shape[1]):
            place = states[group].ctypes.data
            if block == spikes.shape[0] - 1:
                last[:] = states[group]
                place = last.ctypes.data
            released[block, group] = call_release(function, place, given.ctypes.data,
                                                  min(spikes[block, group], 1.0))


class CompiledPools:
    """The tables of all pooled axons, for stretches of steps that follow each other."""

    def __init__(self, pooled: tuple[PooledAxons, ...]) -> None:
        self.pools = [CompiledPool(one) for one in pooled]
        paths = self._pathways()
        none = np.zeros(0, np.int32)
        self._homes = np.concatenate([none, *(path.homes.T.reshape(-1) for path in paths)])
        self._span = np.concatenate([none, *(path.span for path in paths)])
        # Where what is a pathway's begins in both.
        self._starts = np.cumsum([[0, 0], *([path.homes.size, path.span.size] for path in paths)],
                                 axis=0)

    def _pathways(self) -> list[PooledPathway]:
        return [path for pool in self.pools for path in pool.pooled.pathways]

    def change(self, pooled: tuple[PooledAxons, ...]) -> None:
        """Go on with other rates."""
        for pool, one in zip(self.pools, pooled, strict=True):
            pool.change(one)

    def tables(self, step: int, count: int, net: Any) -> Pooled | None:
        """Return what the arrivals of some steps are drawn by, None without pooled axons."""
        if not self.pools:
            return None
        paths, size = self._pathways(), self.pools[0].pooled.axons.block
        first = step // size
        last = max(first + 1, -(-(step + count) // size))
        drawn = [tables for pool in self.pools for tables in pool.tables(first, last)]
        most = max([1, *(len(path.weights) for path in paths)])
        plain, ring = np.zeros((len(paths), 11), np.int64), np.full((len(paths), most), -1)
        mean, none, amounts, rest = ([np.zeros(0)] for _ in range(4))
        for number, (path, tables) in enumerate(zip(paths, drawn, strict=True)):
            for place, (receptor, _) in enumerate(path.weights):
                ring[number, place] = net.populations.column[path.target, receptor]
            plain[number] = (path.target, *path.homes.shape, path.group_count,
                             self._starts[number, 0], sum(map(len, mean)), sum(map(len, amounts)),
                             first, len(path.spans), self._starts[number, 1], sum(map(len, rest)))
            mean.append(tables.mean.reshape(-1))
            none.append(tables.none.reshape(-1))
            rest.append(tables.rest.reshape(-1) * TILE)
            amounts.append(_in_ring(tables, most, net.unit))
        keys = np.array([[word for use in ("count", "step", "rest") for word in path.keys[use]]
                         for path in paths], np.uint32)
        return Pooled(plain, keys.reshape(-1, 6), self._homes, np.concatenate(mean),
                      np.concatenate(none) * 2.0**32, self._span, *_counts(np.concatenate(rest)),
                      np.concatenate(amounts), ring,
                      np.zeros((len(net.work.own), AHEAD), np.int64), size)

    def state(self, step: int) -> dict[str, np.ndarray]:
        """Return what all depend on, by name."""
        return {name: values for pool in self.pools for name, values in pool.state(step).items()}

    def restore(self, step: int, state: dict[str, np.ndarray]) -> None:
        """Continue from a `state` at a step."""
        for pool in self.pools:
            pool.restore(step, state)


def _in_ring(tables: Tables, most: int, unit: np.ndarray) -> np.ndarray:
    """Return the amounts of tables as the ring has them, ``most`` for every group."""
    blocks, rows, width = tables.amounts.shape
    amounts = np.zeros((blocks, rows, most))
    amounts[:, :, :width] = np.rint(quantised(tables.amounts) / unit[0]) * unit[1]
    return amounts.reshape(-1)


def _counts(means: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return Poisson tables, their lengths, and how many draws make one count."""
    tables, (lengths, parts) = np.zeros((len(means), LONGEST)), np.zeros((2, len(means)), np.int64)
    fill_poisson(means, tables, lengths, parts, LARGEST_MEAN)
    return tables, lengths, parts
