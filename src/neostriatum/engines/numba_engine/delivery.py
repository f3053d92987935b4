"""Spikes of a window: scaled by short-term plasticity, then added to the ring of their targets."""

from __future__ import annotations

import numpy as np
from numba import float64, int64, uint32, uint64, uintp

from neostriatum import jit
from neostriatum.caching import inner, woven
from neostriatum.engines.numba_engine.chains import AFTER, END, NEXT, wait
from neostriatum.engines.numba_engine.pack import COLUMN, TILE
from neostriatum.engines.numba_engine.release import call_release

_T, _C = uintp(TILE), uintp(COLUMN)
#: How many spikes ahead rows are asked for, and how many cache lines of each at most.
AHEAD, LINES = 4, 10


@inner
def release(tile, step0, tiles, wires, found, count, releases):
    """Compute the release of every noted spike of a tile, for every plastic projection of it."""
    population, at = tiles.population[tile], wires.release_start[tile]
    for n in range(count):
        local = tiles.first[tile] + found[tile, n] % TILE
        step = step0 + found[tile, n] // TILE
        for one in range(wires.plain.shape[0]):
            if wires.plain[one, 0] == population and wires.plain[one, 2]:
                place = wires.state_start[one] + local
                releases[at] = call_release(wires.release[one], wires.state[place].ctypes.data,
                                            wires.numbers[one].ctypes.data,
                                            float64(step - wires.last[place]))
                wires.last[place] = step
                at += 1


@woven
def first_at_least(targets, start, stop, value):
    """Return where targets of a row reach ``value``."""
    while start < stop:
        middle = (start + stop) >> 1
        if targets[middle] < value:
            start = middle + 1
        else:
            stop = middle
    return start


@inner
def find_rows(own, step0, tiles, wires, found, counts, axons, past, done, spikes, begin, rows,
              chains):
    """Find the noted spikes, their first by source, and where their rows reach own tiles.

    Those of axons follow: of the steps from ``past`` to the one before ``done`` of the stretch.
    Spikes are (s, 3): local id, step, and where their releases start; rows (j, s, 3) are as of
    `chains` and wait there.
    """
    begin[:] = 0
    at = 0
    for tile in range(counts.size):
        source, plastic = tiles.population[tile], 0
        for one in range(wires.plain.shape[0]):
            if wires.plain[one, 0] == source:
                plastic = max(plastic, wires.plain[one, 5])
        for n in range(counts[tile]):
            spikes[at, 0] = tiles.first[tile] + found[tile, n] % TILE
            spikes[at, 1] = step0 + found[tile, n] // TILE
            spikes[at, 2] = wires.release_start[tile] + n * plastic
            at += 1
        begin[source + 1:] = at
    cells = own.shape[0]
    for number in range(axons.first.shape[0]):
        for k in range(past, done):
            for place in range(axons.first[number, k], axons.first[number, k + 1]):
                spikes[at, 0], spikes[at, 1], spikes[at, 2] = axons.who[place], step0 + k - past, (
                    place)
                at += 1
        begin[cells + number + 1:] = at
    for one in range(wires.plain.shape[0]):
        source, target = wires.plain[one, 0], wires.plain[one, 1]
        low = (own[target, 0] - wires.first_tile[target]) * TILE
        if own[target, 0] == own[target, 1] or wires.plain[one, 6]:
            continue
        chain, part = chains[one], (wires.first_tile[target], own[target, 1])
        chain[own[target, 0]:own[target, 1]] = -1
        for at in range(begin[source], begin[source + 1]):
            row = wires.plain[one, 3] + spikes[at, 0]
            start, stop = wires.offsets[row], wires.offsets[row + 1]
            if start < stop and wires.targets[start] < low:
                if wires.targets[stop - 1] < low:
                    start = stop
                else:
                    start = first_at_least(wires.targets, start, stop, low)
            rows[one, at, NEXT], rows[one, at, END] = start, stop
            wait(rows[one], at, part, wires.targets, chain)


@woven
def ask_for(wires, row, share):
    """Ask for a share of a row while others are delivered: rows lie all over the memory."""
    start = row[NEXT]
    count = int64((row[END] - start) * share)
    jit.prefetch(wires.delays, start)
    jit.prefetch(wires.delays, start + min(count, 64))
    for n in range(min(1 + count // 16, LINES)):
        jit.prefetch(wires.targets, start + n * 16)


@woven
def deliver(where, slots, ring, populations, wires, unit, releases, axons, spikes, rows, chains):
    """Deliver what waits at tiles; ``where`` is population, first, end, and end of the part."""
    population, first, end, last = where
    tiles = (wires.first_tile[population], last)
    high = (end - tiles[0]) * TILE
    share = (end - first) / (last - first)
    for one in range(wires.plain.shape[0]):
        if wires.plain[one, 1] != population or wires.plain[one, 6]:
            continue
        for tile in range(first, end):
            at = soon = chains[one, tile]
            for _ in range(AHEAD):
                if soon >= 0:
                    ask_for(wires, rows[one, soon], share)
                    soon = rows[one, soon, AFTER]
            while at >= 0:
                if soon >= 0:
                    ask_for(wires, rows[one, soon], share)
                    soon = rows[one, soon, AFTER]
                follows, start, stop = rows[one, at, AFTER], rows[one, at, NEXT], rows[one, at, END]
                if wires.targets[stop - 1] >= high:
                    stop = first_at_least(wires.targets, start, stop, high)
                rows[one, at, NEXT] = stop
                wait(rows[one], at, tiles, wires.targets, chains[one])
                deliver_span((one, population), (start, stop, slots), spikes[at], wires,
                             (ring, populations, unit, releases, axons))
                at = follows


@woven
def deliver_span(which, span, spike, wires, into):
    """Deliver one spike to some of its targets; ``span`` are these and the slots of the ring."""
    (one, population), (start, stop, slots) = which, span
    ring, populations, unit, releases, axons = into
    local, step, scale = spike[0], spike[1], 1.0
    if wires.plain[one, 2]:
        scale = (axons.releases[spike[2], wires.plain[one, 4]]
                 if wires.plain[one, 0] >= populations.offset.size
                 else releases[spike[2] + wires.plain[one, 4]])
    if wires.failure[one] > 0:
        deliver_varied(one, population, wires.offsets[wires.plain[one, 3] + local], start, stop,
                       local, step, scale, slots, ring, populations, wires, unit)
    elif wires.factor_start[one] >= 0:
        deliver_factors(one, (start, stop, step % slots, slots), scale, wires,
                        (ring, populations, unit))
    else:
        deliver_row(one, population, start, stop, step % slots, scale, slots, ring, populations,
                    wires, unit)


@woven
def deliver_row(one, target, start, stop, slot0, scale, slots, ring, populations, wires, unit):
    """Deliver one spike to some of its targets, receptor by receptor."""
    width = uintp(populations.width[target]) * _C
    stride, origin = uintp(populations.ring_stride[target]), uintp(populations.ring_at[target])
    row, grid = (wires.targets, wires.delays, start, stop), (slot0, slots, stride, width)
    waiting, first, amount = False, origin, jit.like(ring[0], 0.0)
    for receptor in range(populations.column.shape[1]):
        if wires.amounts[one, receptor] == 0:
            continue
        other = jit.like(ring[0], np.rint(wires.amounts[one, receptor] * scale / unit[0]) * unit[1])
        column = origin + uintp(populations.column[target, receptor]) * _C
        if waiting:
            # One walk along the row for two receptors.
            add_both(row, grid, ring, (first, amount), (column, other))
            waiting = False
        else:
            waiting, first, amount = True, column, other
    if waiting:
        add_row(row, grid, ring, first, amount)


@woven
def deliver_factors(one, row, scale, wires, into):
    """Deliver one spike where synapses have factors of their own, receptor by receptor.

    ``row`` has the first synapse and the one past the last, the slot of the spike, and the slots.
    """
    start, stop, slot0, slots = row
    ring, populations, unit = into
    target = wires.plain[one, 1]
    width = uintp(populations.width[target]) * _C
    stride, origin = uintp(populations.ring_stride[target]), uintp(populations.ring_at[target])
    targets, delays, factors = wires.targets, wires.delays, wires.factors
    shift = wires.factor_start[one] - wires.offsets[wires.plain[one, 3]]
    # The quantum is a power of two: a product with its inverse is the quotient.
    grains, grain = 1.0 / unit[0], unit[1]
    for receptor in range(populations.column.shape[1]):
        if wires.amounts[one, receptor] == 0:
            continue
        column = origin + uintp(populations.column[target, receptor]) * _C
        amount = wires.amounts[one, receptor] * scale
        for k in range(uintp(start), uintp(stop)):
            slot = slot0 + delays[k]
            slot = slot - slots if slot >= slots else slot
            at = uintp(targets[k])
            each = np.rint(amount * float64(factors[k + uintp(shift)]) * grains) * grain
            ring[column + (at // _T) * stride + uintp(slot) * width + at % _T] += jit.like(
                ring[0], each)


@inner
def deliver_varied(one, target, row_start, start, stop, source, step, scale, slots, ring,
                   populations, wires, unit):
    """Deliver one spike where synapses have factors of their own or may fail to release."""
    width, slot0 = uintp(populations.width[target]) * _C, step % slots
    stride, place = uintp(populations.ring_stride[target]), uintp(populations.ring_at[target])
    low, high = uint32(uint64(step)), uint32(uint64(step) >> uint64(32))
    failure, group, words = wires.failure[one], -1, (uint32(0), uint32(0), uint32(0), uint32(0))
    first = wires.offsets[wires.plain[one, 3]]
    for k in range(start, stop):
        draw = k - row_start
        if failure > 0:
            if draw >> 2 != group:
                group = draw >> 2
                words = jit.philox(wires.keys[one, 0], wires.keys[one, 1], uint32(group),
                                   uint32(source), low, high)
            if float64(words[draw & 3]) * 2.0**-32 < failure:
                continue
        slot = slot0 + wires.delays[k]
        slot = slot - slots if slot >= slots else slot
        at = uintp(wires.targets[k])
        origin = place + at // _T * stride + uintp(slot) * width + at % _T
        for receptor in range(populations.column.shape[1]):
            amount = wires.amounts[one, receptor]
            if amount != 0:
                each = amount * scale
                if wires.factor_start[one] >= 0:
                    each = each * float64(wires.factors[wires.factor_start[one] + k - first])
                column = uintp(populations.column[target, receptor]) * _C
                ring[origin + column] += jit.like(ring[0], np.rint(each / unit[0]) * unit[1])


@woven
def add_row(row, grid, ring, origin, value):
    """Add one value for each synapse of a row to the slot of its arrival."""
    targets, delays, start, stop = row
    slot0, slots, stride, width = grid
    for k in range(uintp(start), uintp(stop)):
        slot = slot0 + delays[k]
        slot = slot - slots if slot >= slots else slot
        at = uintp(targets[k])
        ring[origin + (at // _T) * stride + uintp(slot) * width + at % _T] += value


@woven
def add_both(row, grid, ring, one, other):
    """Add values for each synapse of a row at two places, each an origin and a value."""
    targets, delays, start, stop = row
    slot0, slots, stride, width = grid
    for k in range(uintp(start), uintp(stop)):
        slot = slot0 + delays[k]
        slot = slot - slots if slot >= slots else slot
        at = uintp(targets[k])
        place = (at // _T) * stride + uintp(slot) * width + at % _T
        ring[one[0] + place] += one[1]
        ring[other[0] + place] += other[1]
