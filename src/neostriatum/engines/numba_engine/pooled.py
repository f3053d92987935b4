"""Arrivals from pooled axons, drawn tile by tile: the compiled twin of `engines.pooled.arrivals`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import float64, int64, uint32, uint64

from neostriatum import jit
from neostriatum.caching import inner
from neostriatum.engines.numba_engine.events import AHEAD
from neostriatum.engines.numba_engine.pack import COLUMN, TILE
from neostriatum.engines.pooled import MOST, Pool
from neostriatum.engines.program import quantised

if TYPE_CHECKING:
    from neostriatum.engines.pooled import PooledAxons, PooledPathway


class Pooled(NamedTuple):
    """What is drawn by in a stretch of blocks, of which all pathways have the same number.

    ``plain`` (p, 7): target, columns, groups, first entry, first number of the tables, first of
    the amounts, and first block. ``groups`` are those of every entry, cell by cell, column by
    column; ``mean`` and ``none`` (blocks, columns, groups) of each pathway, one after another;
    ``amounts`` (blocks, groups, receptors) what an arrival adds to the ring. ``keys`` (p, 4).
    """

    plain: np.ndarray
    keys: np.ndarray
    groups: np.ndarray
    mean: np.ndarray
    none: np.ndarray
    amounts: np.ndarray
    block: int


class Place(NamedTuple):
    """A pathway in a block: where its tables begin, and the block."""

    one: int
    block: int
    table: int
    amounts: int


class CompiledPools:
    """The tables of all pooled axons, for stretches of steps that follow each other."""

    def __init__(self, pooled: tuple[PooledAxons, ...]) -> None:
        self.pools = [Pool(one) for one in pooled]
        self._groups = np.concatenate([np.zeros(0, np.int32), *(
            path.groups.reshape(-1) for path in self._pathways())])

    def _pathways(self) -> list[PooledPathway]:
        return [path for pool in self.pools for path in pool.pooled.pathways]

    def change(self, pooled: tuple[PooledAxons, ...]) -> None:
        """Go on with other rates."""
        for pool, one in zip(self.pools, pooled, strict=True):
            pool.change(one)

    def tables(self, step: int, count: int, net: Any) -> Pooled:
        """Return what the arrivals of some steps are drawn by."""
        paths, receptors = self._pathways(), net.populations.column.shape[1]
        size = self.pools[0].pooled.axons.block if self.pools else 1
        first, last = step // size, -(-(step + count) // size)
        drawn: list[list[Any]] = [[] for _ in paths]
        for block in range(first, last):
            tables = []
            for pool in self.pools:
                pool.go_to(block)
                tables += pool.tables()
            for rows, table in zip(drawn, tables, strict=True):
                rows.append(table)
        plain, mean, none, amounts = np.zeros((len(paths), 7), np.int64), [], [], []
        entries = table_at = amounts_at = 0
        for number, (path, tables) in enumerate(zip(paths, drawn, strict=True)):
            groups = (len(self._of(path).axons.groups) + len(path.spans))
            plain[number] = (path.target, path.groups.shape[1], groups, entries, table_at,
                             amounts_at, first)
            brought = np.zeros((len(tables), groups, receptors))
            for n, table in enumerate(tables):
                for place, (receptor, _) in enumerate(path.weights):
                    whole = quantised(table.amounts[:, place])
                    brought[n, :, receptor] += np.rint(whole / net.unit[0]) * net.unit[1]
            mean += [table.mean.reshape(-1) for table in tables]
            none += [table.none.reshape(-1) for table in tables]
            amounts.append(brought.reshape(-1))
            entries += path.groups.size
            table_at += len(tables) * path.groups.shape[1] * groups
            amounts_at += brought.size
        empty = [np.zeros(0)]
        keys = np.array([[*path.keys[0], *path.keys[1]] for path in paths], np.uint32)
        return Pooled(plain, keys.reshape(-1, 4), self._groups, np.concatenate(empty + mean),
                      np.concatenate(empty + none), np.concatenate(empty + amounts), size)

    def _of(self, path: PooledPathway) -> PooledAxons:
        return next(pool.pooled for pool in self.pools if path in pool.pooled.pathways)

    def state(self, step: int) -> dict[str, np.ndarray]:
        """Return what all depend on, by name."""
        return {name: values for pool in self.pools for name, values in pool.state(step).items()}

    def restore(self, step: int, state: dict[str, np.ndarray]) -> None:
        """Continue from a `state` at a step."""
        for pool in self.pools:
            pool.restore(step, state)


@inner
def add_pooled(span, window, net, pooled):
    """Add the arrivals of a window to the ring of a population's tiles, ``span`` its first and
    the last but one of them, from pooled axons.
    """
    population, first, end = span
    size = pooled.block
    for one in range(pooled.plain.shape[0]):
        if pooled.plain[one, 0] != population or window.count == 0:
            continue
        columns, groups = pooled.plain[one, 1], pooled.plain[one, 2]
        for block in range(window.step0 // size, (window.step0 + window.count - 1) // size + 1):
            number = block - pooled.plain[one, 6]
            place = Place(one, block, pooled.plain[one, 4] + number * columns * groups,
                          pooled.plain[one, 5] + number * groups * (
                              net.populations.column.shape[1]))
            for tile in range(first, end):
                draw_tile(place, tile, window, net, pooled)


@inner
def draw_tile(place, tile, window, net, pooled):
    """Draw how many arrivals every cell of a tile has in a block, and add them."""
    one, columns, groups = place.one, pooled.plain[place.one, 1], pooled.plain[place.one, 2]
    start = net.tiles.first[tile] * columns
    stop = start + net.tiles.used[tile] * columns
    words, key = net.work.words[window.part], pooled.keys[one]
    key0, key1 = uint64(key[0]), uint64(key[1])
    bits, upper = uint64(place.block) & uint64(0xFFFFFFFF), uint64(place.block) >> uint64(32)
    for four in range(start // 4, (stop + 3) // 4, AHEAD):
        some = min(AHEAD, (stop + 3) // 4 - four)
        for n in range(some):
            w0, w1, w2, w3 = jit.philox64(key0, key1, uint64(0), uint64(four + n), bits, upper)
            words[0, n], words[1, n], words[2, n], words[3, n] = w0, w1, w2, w3
        for entry in range(4 * four, min(stop, 4 * (four + some))):
            u = float64(words[entry & 3, (entry >> 2) - four]) * 2.0**-32
            column = entry % columns
            at = place.table + column * groups + pooled.groups[pooled.plain[one, 3] + entry]
            if u >= pooled.none[at]:
                add_arrivals(place, entry, count_of(u, pooled.none[at], pooled.mean[at]), window,
                             net, pooled)


@inner
def count_of(u, none, mean):
    """Return the Poisson count of a uniform number."""
    term, total, count = none, none, int64(0)
    while u >= total and count < MOST:
        count += 1
        term = term * mean / count
        total = total + term
    return count


@inner
def add_arrivals(place, entry, count, window, net, pooled):
    """Add the arrivals of a cell from one group that fall into a window."""
    one, population = place.one, pooled.plain[place.one, 0]
    populations, receptors = net.populations, net.populations.column.shape[1]
    cell = entry // pooled.plain[one, 1]
    group = pooled.groups[pooled.plain[one, 3] + entry]
    origin = (populations.ring_at[population]
              + (cell // TILE) * populations.ring_stride[population] + cell % TILE)
    low, high = uint32(uint64(place.block)), uint32(uint64(place.block) >> uint64(32))
    words = (uint32(0), uint32(0), uint32(0), uint32(0))
    for n in range(count):
        if n % 4 == 0:
            words = jit.philox(pooled.keys[one, 2], pooled.keys[one, 3], uint32(n // 4),
                               uint32(entry), low, high)
        step = place.block * pooled.block + (
            (int64(words[n % 4]) * int64(pooled.block)) >> int64(32))
        if step < window.step0 or step >= window.step0 + window.count:
            continue
        slot = origin + (step % window.slots) * populations.width[population] * COLUMN
        for receptor in range(receptors):
            amount = pooled.amounts[place.amounts + group * receptors + receptor]
            if amount != 0:
                column = populations.column[population, receptor]
                net.ring[slot + column * COLUMN] += jit.like(net.ring[0], amount)
