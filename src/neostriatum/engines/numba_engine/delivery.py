"""Spikes of a window: collected, scaled by short-term plasticity, added to the ring."""

from __future__ import annotations

import numpy as np
from numba import prange, uintp

from neostriatum import jit
from neostriatum.caching import compiled
from neostriatum.engines.numba_engine.cells import TILE

_T = uintp(TILE)


@compiled()
def release(state, at, last, step, stp):
    """Return the release of a spike relative to a first one, and update u and x."""
    interval = float(step - last[at])
    fall_u = jit.exp(-interval / stp[2]) if stp[2] > 0 else 0.0
    fall_x = jit.exp(-interval / stp[1]) if stp[1] > 0 else 0.0
    u = state[at, 0] * fall_u
    x = 1.0 - (1.0 - state[at, 1]) * fall_x
    u = u + stp[0] * (1.0 - u)
    out = u * x
    state[at, 0], state[at, 1], last[at] = u, x - out, step
    return out / stp[0]


@compiled()
def gather(step0, geometry, found, counts, wires):
    """Collect the spikes of a window as rows (population, local id, step), and their releases."""
    total = 0
    for tile in range(counts.size):
        total += counts[tile]
    spikes = np.empty((total, 3), np.int64)
    scales = np.ones((total, wires.plain.shape[0]))
    at = 0
    for tile in range(counts.size):
        population = geometry.population[tile]
        for n in range(counts[tile]):
            local = geometry.first[tile] + found[tile, n] % TILE
            step = step0 + found[tile, n] // TILE
            spikes[at, 0], spikes[at, 1], spikes[at, 2] = population, local, step
            for one in range(wires.plain.shape[0]):
                if wires.plain[one, 0] == population and wires.plain[one, 2]:
                    scales[at, one] = release(wires.state, wires.state_start[one] + local,
                                              wires.last, step, wires.stp[one])
            at += 1
    return spikes, scales


@compiled()
def first_at_least(targets, start, stop, value):
    """Return where targets of a row reach ``value``."""
    while start < stop:
        middle = (start + stop) >> 1
        if targets[middle] < value:
            start = middle + 1
        else:
            stop = middle
    return start


@compiled(parallel=True, nogil=True)
def deliver(spikes, scales, parts, slots, ring, geometry, cell, first_tile, wires, unit):
    """Add the spikes of a window to the ring; each part owns a range of target tiles."""
    for part in prange(parts):
        for one in range(wires.plain.shape[0]):
            source, target = wires.plain[one, 0], wires.plain[one, 1]
            tiles = first_tile[target + 1] - first_tile[target]
            low = (tiles * part // parts) * TILE
            high = (tiles * (part + 1) // parts) * TILE
            if low == high:
                continue
            deliver_one(one, source, target, low, high, spikes, scales, slots, ring, cell,
                        first_tile[target], wires, unit)


@compiled()
def deliver_one(one, source, target, low, high, spikes, scales, slots, ring, cell, tile0, wires,
                unit):
    """Deliver one projection to the targets in [low, high)."""
    offsets, targets, delays = wires.offsets, wires.targets, wires.delays
    row0 = wires.plain[one, 3]
    width = uintp(cell.flags[target, 6])
    stride = uintp(slots) * width * _T
    for n in range(spikes.shape[0]):
        if spikes[n, 0] != source:
            continue
        local, slot0 = spikes[n, 1], spikes[n, 2] % slots
        start, stop = offsets[row0 + local], offsets[row0 + local + 1]
        start = first_at_least(targets, start, stop, low)
        stop = first_at_least(targets, start, stop, high)
        scale = scales[n, one] if wires.plain[one, 2] else 1.0
        for receptor in range(cell.flags[target, 1]):
            amount = wires.amounts[one, receptor]
            if amount == 0:
                continue
            value = jit.like(ring[0], np.rint(amount * scale / unit[0]) * unit[1])
            column = uintp(cell.receptors[target, receptor, 3]) * _T
            add_row(targets, delays, start, stop, slot0, slots, ring,
                    uintp(tile0) * stride + column, stride, width * _T, value)


@compiled()
def add_row(targets, delays, start, stop, slot0, slots, ring, origin, stride, width, value):
    """Add one value for each synapse of a row to the slot of its arrival."""
    for k in range(uintp(start), uintp(stop)):
        slot = slot0 + delays[k]
        slot = slot - slots if slot >= slots else slot
        at = uintp(targets[k])
        ring[origin + (at // _T) * stride + uintp(slot) * width + at % _T] += value
