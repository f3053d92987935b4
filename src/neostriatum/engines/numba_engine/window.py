"""Advance a network window by window: deliver the last one's spikes, then every tile on its own.

A window is at most the smallest delay, so nothing emitted in it arrives in it, and the threads meet
once per window. Each part of the work owns some tiles: it alone delivers to them and advances them.
Every conductance step is a multiple of one quantum and its sums are exact, so no order of delivery
matters: not the number of threads, nor where windows and chunks end.
"""

from __future__ import annotations

import numpy as np
from numba import int64, prange, uintp

from neostriatum import jit
from neostriatum.caching import compiled, inner, woven
from neostriatum.engines.numba_engine.arrays import Bench
from neostriatum.engines.numba_engine.cells import PITCH, STRIP, TILE, V, in_use
from neostriatum.engines.numba_engine.delivery import deliver, find_rows, release
from neostriatum.engines.numba_engine.tile import (
    couple,
    cubic_tiles,
    draw_window,
    driven_tile,
    note,
    step_tile,
)

#: Tiles that are delivered to and advanced together: their rings should fit the last cache.
TOGETHER = 400

_P, _S = uintp(PITCH), uintp(STRIP)


@compiled(parallel=True, nogil=True)
def run_window(s0, count, step0, last, slots, flat, work, ring, geometry, cell, par, drives,
               tables, currents, gap, probes, wires, dt, unit, limit, notes, phase):
    """Deliver what was noted in the window before (from step ``last``), then advance all tiles."""
    for part in prange(work.own.shape[0]):
        mine = Bench(work.events[part], work.words[part], work.uniforms[part], work.share[part],
                     work.rows[part], work.fired[part], work.bad[part])
        run_part(work.own[part], mine, s0, count, step0, last, slots, flat, ring, geometry, cell,
                 par, drives, tables, currents, gap, probes, wires, dt, unit, limit, notes, phase)


@inner
def run_part(own, work, s0, count, step0, last, slots, flat, ring, geometry, cell, par, drives,
             tables, currents, gap, probes, wires, dt, unit, limit, notes, phase):
    """Deliver to the tiles of one part and advance them, some at a time.

    Some at a time, since what is delivered to them is then still in the cache.
    """
    was, were, gave = notes.found[1 - phase], notes.counts[1 - phase], notes.releases[1 - phase]
    found, counts, releases = notes.found[phase], notes.counts[phase], notes.releases[phase]
    spikes, begin, rows = find_rows(own, last, geometry, wires, was, were)
    work.bad[0] = -1
    for population in range(own.shape[0]):
        start, stop = own[population, 0], own[population, 1]
        coupled = gap.constants[2] == population
        several = stop - start if coupled else min(stop - start, TOGETHER)
        for first in range(start, stop, max(1, several)):
            end = min(first + several, stop)
            deliver(population, end, slots, ring, cell, wires, unit, gave, spikes, begin, rows)
            if count == 0:
                continue
            # Coupled tiles go together, others one by one.
            each = end - first if coupled else 1
            for tile in range(first, end, each):
                if cell.flags[population, 5] >= 0:
                    counts[tile] = driven_tile(tile, s0, count, step0, slots, flat, work, ring,
                                               geometry, cell, par, drives, tables, probes, dt,
                                               found[tile])
                elif cell.flags[population, 10] >= 0:
                    cubic_tiles(tile, tile + each, coupled, s0, count, step0, slots, flat, work,
                                ring, geometry, cell, par, drives, tables, gap, probes, dt, found,
                                counts)
                else:
                    run_in_step(tile, tile + each, coupled, s0, count, step0, slots, flat, work,
                                ring, geometry, cell, par, drives, tables, currents, gap, probes,
                                dt, found, counts)
            for tile in range(first, end):
                if wires.release_start[tile] >= 0 and counts[tile] > 0:
                    release(tile, step0, geometry, wires, found, counts[tile], releases)
                if work.bad[0] < 0:
                    find_unhealthy(tile, flat, geometry, limit, work.bad)


@woven
def find_unhealthy(tile, flat, geometry, limit, bad):
    """Write down tile and lane of the first potential that is NaN or beyond the limit."""
    base = uintp(tile) * uintp(geometry.rows[0]) * _P + uintp(V) * _P
    lanes, seen = in_use(geometry.lanes[tile], STRIP), jit.marked(limit, False, False)
    for strip in range(uintp(0), lanes, _S):
        for lane in range(strip, strip + _S):
            # One comparison, which NaN fails too.
            seen = jit.marked(limit, seen, not abs(flat[base + lane]) <= limit)
    if seen != 0:
        for lane in range(geometry.lanes[tile]):
            x = flat[base + uintp(lane)]
            if not (-limit <= x <= limit):
                bad[0], bad[1] = tile, lane
                return


@inner
def run_in_step(start, stop, coupled, s0, count, step0, slots, flat, work, ring, geometry, cell,
                par, drives, tables, currents, gap, probes, dt, found, counts):
    """Advance tiles together step by step: one, or all of the gap-coupled population."""
    only = cell.flags[geometry.population[start], 9]
    for tile in range(start, stop):
        counts[tile] = 0
        if only >= 0:
            draw_window(tile, s0, count, step0, (tile - start) * count, only, work, geometry,
                        drives, tables)
    for k in range(count):
        slot = (step0 + k) % slots
        if coupled:
            couple(flat, gap)
        for tile in range(start, stop):
            row = (tile - start) * count + k if only >= 0 else int64(0)
            if step_tile(tile, s0 + k, step0 + k, row, only >= 0, flat, work, ring, slot, coupled,
                         geometry, cell, par, drives, tables, currents, gap, probes, dt):
                counts[tile] = note(k, work.fired, geometry.lanes[tile], found[tile], counts[tile])


@compiled(nogil=True)
def advance(n_steps, step0, window, slots, flat, work, ring, geometry, cell, par, drives, tables,
            currents, gap, probes, wires, dt, unit, limit, notes):
    """Advance by ``n_steps`` in windows; return spikes (n, 2), steps done, bad tile and lane."""
    # int64(0), not 0: Numba would compile everything again for the literal number.
    done, written, phase, last = int64(0), 0, int64(0), step0
    out = np.empty((1024, 2), np.int64)
    tile, lane = -1, -1
    notes.counts[:] = 0
    while True:
        count = min(window, n_steps - done) if tile < 0 else 0
        step = step0 + done
        run_window(done, count, step, last, slots, flat, work, ring, geometry, cell, par, drives,
                   tables, currents, gap, probes, wires, dt, unit, limit, notes, phase)
        if count == 0:
            # The last window's spikes are delivered, and that was all.
            break
        total = notes.counts[phase].sum()
        if written + total > out.shape[0]:
            grown = np.empty((2 * (written + total), 2), np.int64)
            grown[:written] = out[:written]
            out = grown
        for one in range(geometry.population.size):
            for n in range(notes.counts[phase, one]):
                note_ = int(notes.found[phase, one, n])
                out[written, 0] = step + note_ // TILE
                out[written, 1] = (geometry.first[one] + note_ % TILE
                                   + cell.flags[geometry.population[one], 8])
                written += 1
        for part in range(work.own.shape[0]):
            if work.bad[part, 0] >= 0 and (tile < 0 or work.bad[part, 0] < tile):
                tile, lane = work.bad[part]
        done += count
        phase, last = 1 - phase, step
    return out[:written], done, tile, lane
