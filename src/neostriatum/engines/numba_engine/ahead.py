"""Arrivals that are known before a window begins: those from axons, whose spikes are drawn ahead.

Nothing of them waits in the ring. They are added to a small copy of some columns just before the
tile goes on, so these columns stay in the cache. What spikes of a stretch of steps leave for the
next one lies in the ring, where it is saved, and is taken over from there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import uintp

from neostriatum import jit
from neostriatum.caching import inner, woven
from neostriatum.engines.numba_engine.arrays import Ahead
from neostriatum.engines.numba_engine.chains import AFTER, END, NEXT, wait
from neostriatum.engines.numba_engine.delivery import deliver_row, first_at_least
from neostriatum.engines.numba_engine.pack import COLUMN, TILE

if TYPE_CHECKING:
    from neostriatum.engines.drive import Drive
    from neostriatum.engines.inputs import Recorded
    from neostriatum.engines.lowered import LoweredCircuit, Projection

#: How many spikes ahead the place of a row is asked for, and how many cache lines of the row.
SOON, LINES = 8, 4
#: The place of a row's step in a window.
STEP = AFTER + 1


def known_ahead(lowered: LoweredCircuit, window: int) -> tuple[list[int], list[set[int]]]:
    """Return projections whose arrivals are known ahead, and entries that nothing else reaches.

    Axons of a projection have one delay and, on average, reach half of the tiles at least; what is
    gained with fewer synapses depends on the circuit, and these use the ring.

    Returns
    -------
    tuple
        Numbers of the projections; the entries of every population.
    """
    chosen = [number for number, one in enumerate(lowered.projections)
              if _suits(lowered, one, window)]
    reached: list[set[int]] = [set() for _ in lowered.populations]
    for number in chosen:
        one = lowered.projections[number]
        reached[one.target].update(entry for entry, _ in one.weights)
    for path in (path for pooled in lowered.pooled for path in pooled.pathways):
        reached[path.target].update(entry for entry, _ in path.weights)
    sources: list[Recorded | Drive] = [*lowered.recorded,
                                       *(drive for drive in lowered.drives if drive.pool)]
    for source in sources:
        reached[source.population] -= {entry for entry, _ in source.weights}
    others = [one for number, one in enumerate(lowered.projections) if number not in chosen]
    while others:
        for one in others:
            reached[one.target] -= {entry for entry, _ in one.weights}
        others = [lowered.projections[number] for number in chosen
                  if not _within(lowered.projections[number], reached)]
        chosen = [number for number in chosen if _within(lowered.projections[number], reached)]
    return chosen, reached


def _suits(lowered: LoweredCircuit, one: Projection, window: int) -> bool:
    """Return whether a projection may be delivered tile by tile."""
    cells = len(lowered.populations)
    if (one.source < cells or one.learning is not None or one.factors is not None or one.failure
            or not len(one.delays)):
        return False
    tiles = -(-lowered.populations[one.target].n // TILE)
    return bool(one.delays.min() == one.delays.max() >= window and (
        tiles == 1 or 2 * len(one.targets) >= tiles * lowered.sources(one.source)))


def _within(one: Projection, reached: list[set[int]]) -> bool:
    return {entry for entry, _ in one.weights} <= reached[one.target]


def lay_out_ahead(lowered: LoweredCircuit, chosen: list[int], columns: list[list[int]],
                  counts: np.ndarray) -> Ahead:
    """Return the projections whose arrivals are known ahead.

    Parameters
    ----------
    lowered : LoweredCircuit
        The lowered circuit.
    chosen : list of int
        Their numbers.
    columns : list of list of int
        Entries by column of the ring, of every population.
    counts : numpy.ndarray
        How many of these columns, the last, are known ahead.
    """
    width = max([1, *(len(lowered.projections[number].weights) for number in chosen)])
    plain = np.zeros((len(chosen), 4), np.int64)
    column, amounts = np.full((len(chosen), width), -1), np.zeros((len(chosen), width))
    for place, number in enumerate(chosen):
        one = lowered.projections[number]
        plain[place] = (number, one.source - len(lowered.populations), one.target,
                        int(one.delays[0]))
        kept = len(columns[one.target]) - int(counts[one.target])
        for n, (entry, weight) in enumerate(one.weights):
            column[place, n] = columns[one.target].index(entry) - kept
            amounts[place, n] = weight
    return Ahead(plain, column, amounts, counts)


def most_at_once(chosen: np.ndarray, first: np.ndarray, window: int) -> int:
    """Return how many spikes of an axon population fall into a window at most.

    ``chosen`` are the numbers of populations, ``first`` (a, steps + 1) says where the spikes of a
    step begin.
    """
    ends = np.minimum(np.arange(first.shape[1]) + window, first.shape[1] - 1)
    spikes = first[np.unique(chosen)]
    return int((spikes[:, ends] - spikes).max(initial=0))


@inner
def find_ahead(own, window, net, axons, scratch):
    """Find what arrives in a window: where the rows of its spikes reach own tiles, and how much.

    Rows (a, n, 4) are as of `chains`, with the step in the window, and wait there; amounts (a, n,
    w) are as the ring has them.
    """
    ahead, wires = net.ahead, net.wires
    rows, amounts = scratch.ahead[window.part], scratch.amounts[window.part]
    chains = scratch.chains_ahead[window.part]
    for number in range(ahead.plain.shape[0]):
        one, source, target, delay = ahead.plain[number]
        if own[target, 0] == own[target, 1]:
            continue
        low = (own[target, 0] - wires.first_tile[target]) * TILE
        chains[number, own[target, 0]:own[target, 1]] = -1
        begin, end = max(0, window.done - delay), max(0, window.done + window.count - delay)
        first, last = axons.first[source, begin], axons.first[source, end]
        for at in range(first, last):
            if at + SOON < last:
                jit.prefetch(wires.offsets, wires.plain[one, 3] + axons.who[at + SOON])
            row = wires.plain[one, 3] + axons.who[at]
            rows[number, at - first, NEXT] = wires.offsets[row]
            rows[number, at - first, END] = wires.offsets[row + 1]
            for line in range(LINES):
                jit.prefetch(wires.targets, wires.offsets[row] + 16 * line)
        k = begin
        for at in range(first, last):
            start, stop = rows[number, at - first, NEXT], rows[number, at - first, END]
            if start < stop and wires.targets[start] < low:
                rows[number, at - first, NEXT] = first_at_least(wires.targets, start, stop, low)
            while axons.first[source, k + 1] <= at:
                k += 1
            rows[number, at - first, STEP] = k + delay - window.done
            wait(rows[number], at - first, (wires.first_tile[target], own[target, 1]),
                 wires.targets, chains[number])
            scale = axons.releases[at, wires.plain[one, 4]] if wires.plain[one, 2] else 1.0
            for n in range(ahead.amounts.shape[1]):
                amounts[number, at - first, n] = jit.like(
                    net.ring[0], np.rint(ahead.amounts[number, n] * scale / net.unit[0])
                    * net.unit[1])


@inner
def add_ahead(tile, window, net, axons, scratch):
    """Add what arrives at a tile in a window."""
    population = net.tiles.population[tile]
    width = net.ahead.counts[population]
    if width == 0:
        return
    if window.done < window.slots:
        take_over(tile, population, window, net)
    rows, amounts = scratch.ahead[window.part], scratch.amounts[window.part]
    chains = scratch.chains_ahead[window.part]
    tiles = net.wires.first_tile[population], net.work.own[window.part, population, 1]
    high = net.tiles.first[tile] + TILE
    place = net.tiles.ahead_at[tile] - net.tiles.first[tile]
    for number in range(net.ahead.plain.shape[0]):
        if net.ahead.plain[number, 2] == population:
            at = chains[number, tile]
            while at >= 0:
                row, follows = rows[number, at], rows[number, at, AFTER]
                if follows >= 0:
                    jit.prefetch(net.wires.targets, rows[number, follows, NEXT])
                walk(row, (high, place + row[STEP] * width * COLUMN), net.ahead.columns[number],
                     amounts[number, at], net)
                wait(rows[number], at, tiles, net.wires.targets, chains[number])
                at = follows


@woven
def walk(row, where, columns, amounts, net):
    """Add a spike at its targets below a tile's end, column by column, and go on in its row.

    ``where`` has that end, and the place of the spike's step.
    """
    high, place = where
    targets, ahead = net.wires.targets, net.work.ahead
    stop, end = row[NEXT], row[END]
    if columns.size == 2 and columns[1] >= 0:
        # One walk along the row for two receptors; unsigned places are used as they are.
        one, other = uintp(place + columns[0] * COLUMN), uintp(place + columns[1] * COLUMN)
        first, second = amounts[0], amounts[1]
        while stop < end and targets[uintp(stop)] < high:
            target = uintp(targets[uintp(stop)])
            ahead[one + target] += first
            ahead[other + target] += second
            stop += 1
    else:
        start, stop = stop, first_at_least(targets, stop, end, high)
        for n in range(columns.size):
            if columns[n] >= 0:
                for at in range(start, stop):
                    ahead[place + columns[n] * COLUMN + targets[at]] += amounts[n]
    row[NEXT] = stop


@inner
def take_over(tile, population, window, net):
    """Take over what spikes before the stretch left in the ring of a tile."""
    populations, width = net.populations, net.ahead.counts[population]
    kept = populations.width[population] - width
    place = populations.ring_at[population] + populations.ring_stride[population] * (
        tile - net.wires.first_tile[population])
    for k in range(window.count):
        slot = (window.step0 + k) % window.slots
        origin = place + (slot * populations.width[population] + kept) * COLUMN
        for n in range(width * COLUMN):
            net.work.ahead[net.tiles.ahead_at[tile] + k * width * COLUMN + n] = net.ring[origin + n]
            net.ring[origin + n] = 0


@inner
def leave(own, window, net, axons):
    """Put into the ring what the last spikes of a stretch leave for the next one."""
    ahead, wires = net.ahead, net.wires
    for number in range(ahead.plain.shape[0]):
        one, source, target, delay = ahead.plain[number]
        low = (own[target, 0] - wires.first_tile[target]) * TILE
        high = (own[target, 1] - wires.first_tile[target]) * TILE
        for k in range(max(0, window.done - delay), window.done):
            slot = (window.step0 - window.done + k) % window.slots
            for at in range(axons.first[source, k], axons.first[source, k + 1]):
                row = wires.plain[one, 3] + axons.who[at]
                start = first_at_least(wires.targets, wires.offsets[row], wires.offsets[row + 1],
                                       low)
                stop = first_at_least(wires.targets, start, wires.offsets[row + 1], high)
                scale = axons.releases[at, wires.plain[one, 4]] if wires.plain[one, 2] else 1.0
                deliver_row(one, target, start, stop, slot, scale, window.slots, net.ring,
                            net.populations, wires, net.unit)
