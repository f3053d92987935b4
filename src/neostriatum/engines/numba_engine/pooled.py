"""Arrivals from pooled axons, tile by tile: the compiled twin of `engines.pooled.arrivals`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import float64, int64, types, uint32, uint64
from numba.extending import overload

from neostriatum import jit
from neostriatum.caching import inner, woven
from neostriatum.engines.numba_engine.events import AHEAD, poisson_count
from neostriatum.engines.numba_engine.pack import COLUMN, TILE
from neostriatum.engines.pooled import MOST


class Pooled(NamedTuple):
    """What is drawn by in a stretch of blocks.

    ``plain`` (p, 11): target, its cells, home groups of a cell, groups, first entry, first number
    of the tables, first of the amounts, first block, spans, first of those of cells, and first of
    the rest. ``homes`` are the groups of every entry, column by column, cell by cell; ``mean`` and
    ``none`` (blocks, columns, groups), the chance of none in 2^-32, of one pathway after another;
    ``span`` those of cells; ``counts``, ``lengths`` and ``parts`` (blocks, spans) Poisson tables of
    a tile's arrivals from all groups; ``amounts`` (blocks, groups + spans, w) what an arrival adds
    to the ring in the columns ``ring`` (p, w) or -1. ``keys`` (p, 6); ``hits`` (parts, n) is
    scratch; ``block`` are the steps of one.
    """

    plain: np.ndarray
    keys: np.ndarray
    homes: np.ndarray
    mean: np.ndarray
    none: np.ndarray
    span: np.ndarray
    counts: np.ndarray
    lengths: np.ndarray
    parts: np.ndarray
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


def add_pooled(span, window, net, pooled):
    """Add what arrives from pooled axons; without any, nothing of them is compiled."""
    raise RuntimeError


@overload(add_pooled)
def _add_pooled(span, window, net, pooled):
    if isinstance(pooled, types.NoneType):
        return lambda span, window, net, pooled: None
    return lambda span, window, net, pooled: draw_tiles(span, window, net, pooled)


@inner
def draw_tiles(span, window, net, pooled):
    """Add the arrivals of a window from pooled axons to the ring of some tiles.

    ``span`` has a population, the first of its tiles, and the one past the last. Tile by tile, as
    the part of the ring that is theirs is then still in the cache.
    """
    if window.count == 0:
        return
    size = pooled.block
    for tile in range(span[1], span[2]):
        for one in range(pooled.plain.shape[0]):
            if pooled.plain[one, 0] == span[0]:
                for block in range(window.step0 // size,
                                   (window.step0 + window.count - 1) // size + 1):
                    draw_block((one, tile, block), window, net, pooled)


@inner
def draw_block(what, window, net, pooled):
    """Add the arrivals of a pathway at a tile in a block; ``what`` are their numbers."""
    one, tile, block = what
    _, cells, columns, groups, entry, table, amounts, first = pooled.plain[one, :8]
    spans, width, number = pooled.plain[one, 8], pooled.ring.shape[1], block - first
    slot, amounts = window.step0 % window.slots, amounts + number * (groups + spans) * width
    for column in range(columns):
        draw_homes(Place(one, block, column, table + (number * columns + column) * groups, amounts,
                         entry + column * cells, slot, 0), tile, window, net, pooled)
    for column in range(spans):
        draw_rest(Place(one, block, column, pooled.plain[one, 10] + number * spans + column,
                        amounts + (groups + column) * width, pooled.plain[one, 9], slot, 0),
                  tile, window, net, pooled)


@inner
def draw_rest(place, tile, window, net, pooled):
    """Draw the arrivals of a tile from all groups in a block, and add them."""
    first, used, table = net.tiles.first[tile], net.tiles.used[tile], place.table
    if pooled.parts[table] == 0:
        return
    key, words = pooled.keys[place.one], net.work.words[window.part]
    number = (first // TILE) * pooled.plain[place.one, 8] + place.column
    low, high = uint32(uint64(place.block)), uint32(uint64(place.block) >> uint64(32))
    count = poisson_count(key[4], key[5], uint32(number), low, high, pooled.counts[table],
                          pooled.lengths[table], pooled.parts[table])
    places = uint64(TILE * pooled.block)
    for done in range(0, count, 4 * AHEAD):
        some = min(AHEAD, (count - done + 3) // 4)
        for n in range(some):
            w0, w1, w2, w3 = jit.philox64(uint64(key[4]), uint64(key[5]), uint64(done // 4 + n),
                                          uint64(number), uint64(low), uint64(high))
            words[0, n] = (w0 * places) >> uint64(32)
            words[1, n] = (w1 * places) >> uint64(32)
            words[2, n] = (w2 * places) >> uint64(32)
            words[3, n] = (w3 * places) >> uint64(32)
        for event in range(min(4 * AHEAD, count - done)):
            at = int64(words[event & 3, event >> 2])
            local = at % TILE
            if local < used and pooled.span[place.entry + first + local] == place.column:
                add_arrival(place, (first + local, at // TILE, place.amounts), window, net, pooled)


@inner
def draw_homes(place, tile, window, net, pooled):
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
            none = pooled.none[place.table + pooled.homes[place.entry + cell + n]]
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
        words[4, n] = (w0 * uint64(pooled.block)) >> uint64(32)
    for n in range(hits_count):
        cell = place.cell + hits[n]
        group = int64(pooled.homes[place.entry + cell])
        none, mean = pooled.none[place.table + group], pooled.mean[place.table + group]
        count = count_of(float64(words[lane, hits[n]]) * 2.0**-32, none * 2.0**-32, mean)
        amounts = place.amounts + group * pooled.ring.shape[1]
        add_arrival(place, (cell, int64(words[4, n]), amounts), window, net, pooled)
        for more in range(1, count):
            four = jit.philox64(key0, key1, draw + uint64(more // 4), uint64(cell), bits, upper)
            step = int64((four[more % 4] * uint64(pooled.block)) >> uint64(32))
            add_arrival(place, (cell, step, amounts), window, net, pooled)


@woven
def count_of(u, none, mean):
    """Return the Poisson count of a uniform number that is not below the chance of none."""
    # One is the most frequent count of those that are asked for, and needs no division.
    term, count = none * mean, int64(1)
    total = none + term
    while u >= total and count < MOST:
        count += 1
        term = term * mean / count
        total = total + term
    return count


@woven
def add_arrival(place, arrival, window, net, pooled):
    """Add one arrival, a cell, a step of the block and amounts, if that is in the window."""
    cell, step, amounts = arrival
    step += place.block * pooled.block - window.step0
    if step < 0 or step >= window.count:
        return
    populations, population = net.populations, pooled.plain[place.one, 0]
    slot = place.slot + step
    slot = slot - window.slots if slot >= window.slots else slot
    origin = (populations.ring_at[population]
              + (cell // TILE) * populations.ring_stride[population] + cell % TILE
              + slot * populations.width[population] * COLUMN)
    ahead = net.ahead.counts[population]
    kept = populations.width[population] - ahead
    known = (net.tiles.ahead_at[net.wires.first_tile[population] + cell // TILE] + cell % TILE
             + (step * ahead - kept) * COLUMN)
    for receptor in range(pooled.ring.shape[1]):
        column = pooled.ring[place.one, receptor]
        amount = jit.like(net.ring[0], pooled.amounts[amounts + receptor])
        if column >= kept:
            net.work.ahead[known + column * COLUMN] += amount
        elif column >= 0:
            net.ring[origin + column * COLUMN] += amount
