"""Arrivals from pooled axons, tile by tile: the compiled twin of `engines.pooled.arrivals`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import float64, int64, uint64

from neostriatum import jit
from neostriatum.caching import inner, woven
from neostriatum.engines.numba_engine.events import AHEAD
from neostriatum.engines.numba_engine.pack import COLUMN, TILE
from neostriatum.engines.pooled import MOST, Pool
from neostriatum.engines.program import quantised

if TYPE_CHECKING:
    from neostriatum.engines.pooled import PooledAxons, PooledPathway, Table


class Pooled(NamedTuple):
    """What is drawn by in a stretch of blocks.

    ``plain`` (p, 8): target, its cells, columns, groups, first entry, first number of the tables,
    first of the amounts, first block. ``groups`` are those of every entry, column by column, cell
    by cell; ``mean`` and ``none`` (blocks, columns, groups), the chance of none in 2^-32, of one
    pathway after another; ``amounts`` (blocks, groups, w) what an arrival adds to the ring in the
    columns ``ring`` (p, w) or -1. ``keys`` (p, 4); ``hits`` (parts, n) is scratch; ``block`` are
    the steps of one.
    """

    plain: np.ndarray
    keys: np.ndarray
    groups: np.ndarray
    mean: np.ndarray
    none: np.ndarray
    amounts: np.ndarray
    ring: np.ndarray
    hits: np.ndarray
    block: int


class Place(NamedTuple):
    """Some cells in a block: their pathway, column, where what is theirs begins, and the first.

    ``slot`` is that of the ring for the window's first step.
    """

    one: int
    block: int
    column: int
    table: int
    amounts: int
    entry: int
    slot: int
    cell: int


class CompiledPools:
    """The tables of all pooled axons, for stretches of steps that follow each other."""

    def __init__(self, pooled: tuple[PooledAxons, ...]) -> None:
        self.pools = [Pool(one) for one in pooled]
        paths = self._pathways()
        self._groups = np.concatenate([np.zeros(0, np.int32), *(
            path.groups.T.reshape(-1) for path in paths)])
        self._entries = np.cumsum([0, *(path.groups.size for path in paths)])

    def _pathways(self) -> list[PooledPathway]:
        return [path for pool in self.pools for path in pool.pooled.pathways]

    def change(self, pooled: tuple[PooledAxons, ...]) -> None:
        """Go on with other rates."""
        for pool, one in zip(self.pools, pooled, strict=True):
            pool.change(one)

    def tables(self, step: int, count: int, net: Any) -> Pooled:
        """Return what the arrivals of some steps are drawn by."""
        paths, size = self._pathways(), self.pools[0].pooled.axons.block if self.pools else 1
        first, last = step // size, -(-(step + count) // size)
        drawn: list[list[Table]] = []
        for block in range(first, last):
            drawn.append([])
            for pool in self.pools:
                pool.go_to(block)
                drawn[-1] += pool.tables()
        most = max([1, *(len(path.weights) for path in paths)])
        plain, ring = np.zeros((len(paths), 8), np.int64), np.full((len(paths), most), -1)
        mean, none, amounts = ([np.zeros(0)] for _ in range(3))
        for number, path in enumerate(paths):
            tables = [each[number] for each in drawn]
            cells, columns = path.groups.shape
            groups = tables[0].mean.shape[1] if tables else 0
            plain[number] = (path.target, cells, columns, groups, self._entries[number],
                             sum(map(len, mean)), sum(map(len, amounts)), first)
            brought = np.zeros((len(tables), groups, most))
            for place, (receptor, _) in enumerate(path.weights):
                ring[number, place] = net.populations.column[path.target, receptor]
                if tables:
                    whole = quantised([table.amounts[:, place] for table in tables])
                    brought[:, :, place] = np.rint(whole / net.unit[0]) * net.unit[1]
            mean += [table.mean.reshape(-1) for table in tables]
            none += [table.none.reshape(-1) for table in tables]
            amounts.append(brought.reshape(-1))
        keys = np.array([[*path.keys[0], *path.keys[1]] for path in paths], np.uint32)
        return Pooled(plain, keys.reshape(-1, 4), self._groups, np.concatenate(mean),
                      np.concatenate(none) * 2.0**32, np.concatenate(amounts), ring,
                      np.zeros((len(net.work.own), AHEAD), np.int64), size)

    def state(self, step: int) -> dict[str, np.ndarray]:
        """Return what all depend on, by name."""
        return {name: values for pool in self.pools for name, values in pool.state(step).items()}

    def restore(self, step: int, state: dict[str, np.ndarray]) -> None:
        """Continue from a `state` at a step."""
        for pool in self.pools:
            pool.restore(step, state)


@inner
def add_pooled(span, window, net, pooled):
    """Add the arrivals of a window from pooled axons to the ring of some tiles.

    ``span`` has a population, the first of its tiles, and the one past the last.
    """
    population, size = span[0], pooled.block
    for one in range(pooled.plain.shape[0]):
        target, cells, columns, groups, entry, table, amounts, first = pooled.plain[one]
        if target != population or window.count == 0:
            continue
        for block in range(window.step0 // size, (window.step0 + window.count - 1) // size + 1):
            number = block - first
            for column in range(columns):
                place = Place(one, block, column, table + (number * columns + column) * groups,
                              amounts + number * groups * pooled.ring.shape[1],
                              entry + column * cells, window.step0 % window.slots, 0)
                for tile in range(span[1], span[2]):
                    draw_tile(place, tile, window, net, pooled)


@inner
def draw_tile(place, tile, window, net, pooled):
    """Draw how many arrivals every cell of a tile has in a block, and add them."""
    first, used = net.tiles.first[tile], net.tiles.used[tile]
    words, hits, key = net.work.words[window.part], pooled.hits[window.part], pooled.keys[place.one]
    key0, key1, column = uint64(key[0]), uint64(key[1]), uint64(place.column)
    bits, upper = uint64(place.block) & uint64(0xFFFFFFFF), uint64(place.block) >> uint64(32)
    counter = uint64(first // 4)
    for n in range(AHEAD):
        w0, w1, w2, w3 = jit.philox64(key0, key1, column, counter + uint64(n), bits, upper)
        words[0, n], words[1, n], words[2, n], words[3, n] = w0, w1, w2, w3
    for lane in range(4):
        cell = first + AHEAD * lane
        some, count = min(AHEAD, used - AHEAD * lane), 0
        for n in range(some):
            # Most have none: no branch to mispredict.
            hits[count] = n
            none = pooled.none[place.table + pooled.groups[place.entry + cell + n]]
            count += int64(float64(words[lane, n]) >= none)
        if count > 0:
            add_hits(Place(place.one, place.block, place.column, place.table, place.amounts,
                           place.entry, place.slot, cell), (lane, count), window, net, pooled)


@inner
def add_hits(place, found, window, net, pooled):
    """Add the arrivals of the cells that have some."""
    lane, hits_count = found
    words, hits, key = net.work.words[window.part], pooled.hits[window.part], pooled.keys[place.one]
    key0, key1, draw = uint64(key[2]), uint64(key[3]), uint64(place.column * 256)
    bits, upper = uint64(place.block) & uint64(0xFFFFFFFF), uint64(place.block) >> uint64(32)
    for n in range(hits_count):
        w0, _, _, _ = jit.philox64(key0, key1, draw, uint64(place.cell + hits[n]), bits, upper)
        words[4, n] = w0
    for n in range(hits_count):
        cell = place.cell + hits[n]
        group = int64(pooled.groups[place.entry + cell])
        none, mean = pooled.none[place.table + group], pooled.mean[place.table + group]
        count = count_of(float64(words[lane, hits[n]]) * 2.0**-32, none * 2.0**-32, mean)
        amounts = place.amounts + group * pooled.ring.shape[1]
        add_arrival(place, cell, words[4, n], amounts, window, net, pooled)
        for more in range(1, count):
            four = jit.philox64(key0, key1, draw + uint64(more // 4), uint64(cell), bits, upper)
            add_arrival(place, cell, four[more % 4], amounts, window, net, pooled)


@woven
def count_of(u, none, mean):
    """Return the Poisson count of a uniform number."""
    term, total, count = none, none, int64(0)
    while u >= total and count < MOST:
        count += 1
        term = term * mean / count
        total = total + term
    return count


@woven
def add_arrival(place, cell, word, amounts, window, net, pooled):
    """Add one arrival at a random step of the block, if that is in the window."""
    step = place.block * pooled.block - window.step0 + int64(
        (word * uint64(pooled.block)) >> uint64(32))
    if step < 0 or step >= window.count:
        return
    populations, population = net.populations, pooled.plain[place.one, 0]
    slot = place.slot + step
    slot = slot - window.slots if slot >= window.slots else slot
    origin = (populations.ring_at[population]
              + (cell // TILE) * populations.ring_stride[population] + cell % TILE
              + slot * populations.width[population] * COLUMN)
    for receptor in range(pooled.ring.shape[1]):
        column = pooled.ring[place.one, receptor]
        if column >= 0:
            net.ring[origin + column * COLUMN] += jit.like(
                net.ring[0], pooled.amounts[amounts + receptor])
