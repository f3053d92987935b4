"""Advance a network window by window: tiles alone through a window, then spikes delivered.

A window is at most the smallest delay, so nothing emitted in it arrives in it. Every conductance
step is a multiple of one quantum and its sums are exact, so no order of delivery matters: not the
number of threads, nor where windows and chunks end.
"""

from __future__ import annotations

import numpy as np
from numba import prange, uintp

from neostriatum.caching import compiled
from neostriatum.engines.numba_engine.cells import PITCH, V
from neostriatum.engines.numba_engine.delivery import deliver, gather
from neostriatum.engines.numba_engine.tile import couple, driven_tile, note, step_tile

_P = uintp(PITCH)


@compiled(parallel=True, nogil=True)
def run_tiles(items, s0, count, step0, slot0, slots, flat, fired, ring, geometry, cell, par, drives,
              tables, currents, gap, probes, dt, found, counts):
    """Advance every tile by ``count`` steps; item -1 is the gap-coupled population as a whole."""
    for item in prange(items.shape[0]):
        start, stop = items[item, 0], items[item, 1]
        coupled = items[item, 2] != 0
        for tile in range(start, stop):
            counts[tile] = 0
        if cell.flags[geometry.population[start], 5] >= 0:
            for tile in range(start, stop):
                counts[tile] = driven_tile(tile, s0, count, step0, slot0, slots, flat, fired[tile],
                                           ring, geometry, cell, par, drives, tables, probes, dt,
                                           found)
            continue
        for k in range(count):
            slot = (slot0 + k) % slots
            if coupled:
                couple(start, flat, geometry, gap)
            for tile in range(start, stop):
                if step_tile(tile, s0 + k, step0 + k, flat, fired[tile], ring, slot, coupled,
                             geometry, cell, par, drives, tables, currents, gap, probes, dt):
                    counts[tile] = note(tile, k, fired[tile], geometry.lanes[tile], found,
                                        counts[tile])


@compiled()
def unhealthy(flat, geometry, limit):
    """Return the first tile and lane whose potential is NaN or beyond the limit, or (-1, -1)."""
    for tile in range(geometry.population.size):
        base = uintp(tile) * uintp(geometry.rows[0]) * _P + uintp(V) * _P
        bad = 0
        for lane in range(geometry.lanes[tile]):
            x = flat[base + uintp(lane)]
            bad += not (-limit <= x <= limit)
        if bad:
            for lane in range(geometry.lanes[tile]):
                x = flat[base + uintp(lane)]
                if not (-limit <= x <= limit):
                    return tile, lane
    return -1, -1


@compiled(nogil=True)
def advance(n_steps, step0, window, parts, slots, items, flat, fired, ring, geometry, cell, par,
            drives, tables, currents, gap, probes, wires, first_tile, dt, unit, limit, found,
            counts):
    """Advance by ``n_steps`` in windows; return spikes (n, 2), steps done, bad tile and lane."""
    done, written = 0, 0
    out = np.empty((1024, 2), np.int64)
    tile, lane = -1, -1
    while done < n_steps and tile < 0:
        count = min(window, n_steps - done)
        step = step0 + done
        run_tiles(items, done, count, step, step % slots, slots, flat, fired, ring, geometry, cell,
                  par, drives, tables, currents, gap, probes, dt, found, counts)
        spikes, scales = gather(step, geometry, found, counts, wires)
        deliver(spikes, scales, parts, slots, ring, geometry, cell, first_tile, wires, unit)
        total = spikes.shape[0]
        if written + total > out.shape[0]:
            grown = np.empty((2 * (written + total), 2), np.int64)
            grown[:written] = out[:written]
            out = grown
        for n in range(total):
            out[written + n, 0] = spikes[n, 2]
            out[written + n, 1] = spikes[n, 1] + cell.flags[spikes[n, 0], 8]
        written += total
        done += count
        tile, lane = unhealthy(flat, geometry, limit)
    return out[:written], done, tile, lane
