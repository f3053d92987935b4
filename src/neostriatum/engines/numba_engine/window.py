"""Advance a network window by window: deliver the last one's spikes, then every tile on its own.

A window is at most the smallest delay, so nothing emitted in it arrives in it, and the threads meet
once per window. Each part of the work owns some tiles: it alone delivers to them and advances them.
Every conductance step is a multiple of one quantum and its sums are exact, so no order of delivery
matters: not the number of threads, nor where windows and chunks end.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import int64, uintp

from neostriatum import jit
from neostriatum.caching import compiled, inner, woven
from neostriatum.engines.numba_engine.arrays import Bench, Notes, Room, Wires, Work
from neostriatum.engines.numba_engine.cells import PITCH, STRIP, TILE, V, in_use
from neostriatum.engines.numba_engine.coupling import couple
from neostriatum.engines.numba_engine.delivery import deliver, find_rows, release
from neostriatum.engines.numba_engine.meeting import Crew, meet
from neostriatum.engines.numba_engine.tile import (
    cubic_tiles,
    draw_window,
    driven_tile,
    note,
    step_tile,
)

#: Tiles that are delivered to and advanced together: their rings should fit the last cache.
TOGETHER = 400

_P, _S = uintp(PITCH), uintp(STRIP)


@compiled(_nrt=False)
def run_part(part, meeting, start, reached, out, room, work, wires, notes, n_steps, step0, window,
             slots, flat, ring, geometry, cell, par, drives, tables, currents, gap, probes, dt,
             unit, limit):
    """Run windows of one part. Every part sees the same and so stops at the same window.

    Numbers of ``start`` and ``reached``: steps done, spikes written, phase, first step of the last
    window, bad tile or -1, lane, and whether that was all; it was not if more room is wanted.
    """
    done, written, phase, last = start[0], start[1], start[2], start[3]
    mine = Bench(work.events[part], work.words[part], work.uniforms[part], work.share[part],
                 work.rows[part], work.fired[part], work.bad[part])
    own, spikes, begin, rows = work.own[part], room.spikes[part], room.begin[part], room.rows[part]
    parts, finished, times = work.own.shape[0], False, 0
    tile, lane = int64(-1), int64(-1)
    while not finished:
        if times > 0 and not meet(meeting, parts, times):
            return
        times += 1
        total = notes.counts[1 - phase].sum()
        if total > spikes.shape[0] or written + total > out.shape[0]:
            break
        for one in range(parts):
            bad = work.bad[one, 1 - phase]
            if bad[0] >= 0 and (tile < 0 or bad[0] < tile):
                tile, lane = bad[0], bad[1]
        if part == 0:
            write_down(out, written, last, notes.found[1 - phase], notes.counts[1 - phase],
                       geometry, cell)
        written += total
        count = min(window, n_steps - done) if tile < 0 else int64(0)
        find_rows(own, last, geometry, wires, notes.found[1 - phase], notes.counts[1 - phase],
                  spikes, begin, rows)
        run_window(own, mine, done, count, step0 + done, slots, flat, ring, geometry, cell, par,
                   drives, tables, currents, gap, probes, wires, dt, unit, limit, notes, phase,
                   spikes, begin, rows)
        # A window of no steps delivers the last one's spikes.
        finished = count == 0
        if not finished:
            last, phase = step0 + done, 1 - phase
            done += count
    if part == 0:
        reached[:] = done, written, phase, last, tile, lane, int64(finished)


@inner
def write_down(out, at, step, found, counts, geometry, cell):
    """Write spikes of a window that began at ``step`` as (step, global id)."""
    for tile in range(counts.size):
        for n in range(counts[tile]):
            note_ = int(found[tile, n])
            out[at, 0] = step + note_ // TILE
            out[at, 1] = (geometry.first[tile] + note_ % TILE
                          + cell.flags[geometry.population[tile], 8])
            at += 1


@inner
def run_window(own, work, s0, count, step0, slots, flat, ring, geometry, cell, par, drives, tables,
               currents, gap, probes, wires, dt, unit, limit, notes, phase, spikes, begin, rows):
    """Deliver to the tiles of one part and advance them, some at a time.

    Some at a time, since what is delivered to them is then still in the cache.
    """
    gave, bad = notes.releases[1 - phase], work.bad[phase]
    found, counts, releases = notes.found[phase], notes.counts[phase], notes.releases[phase]
    bad[0] = -1
    for population in range(own.shape[0]):
        start, stop = own[population, 0], own[population, 1]
        group = gap.group[population]
        coupled = group >= 0
        joined = coupled and gap.members[group] > 1
        if joined and group == population and start < stop:
            run_group(group, own, s0, count, step0, slots, flat, work, ring, geometry, cell, par,
                      drives, tables, currents, gap, probes, wires, dt, unit, gave, spikes, begin,
                      rows, found, counts)
        several = stop - start if coupled else min(stop - start, TOGETHER)
        for first in range(start, stop, max(1, several)):
            end = min(first + several, stop)
            if not joined:
                deliver(population, end, slots, ring, cell, wires, unit, gave, spikes, begin, rows)
            if count == 0:
                continue
            # Coupled tiles go together, others one by one; a joined group has gone already.
            each = end - first if coupled else 1
            for tile in range(end if joined else first, end, each):
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
                if bad[0] < 0:
                    find_unhealthy(tile, flat, geometry, limit, bad)


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
    """Advance tiles together step by step: one, or all of a population coupled to itself alone."""
    only = cell.flags[geometry.population[start], 9]
    for tile in range(start, stop):
        counts[tile] = 0
        if only >= 0:
            draw_window(tile, s0, count, step0, (tile - start) * count, only, work, geometry,
                        drives, tables)
    for k in range(count):
        slot = (step0 + k) % slots
        if coupled:
            couple(flat, gap, geometry.population[start])
        for tile in range(start, stop):
            row = (tile - start) * count + k if only >= 0 else int64(0)
            if step_tile(tile, s0 + k, step0 + k, row, only >= 0, flat, work, ring, slot, coupled,
                         geometry, cell, par, drives, tables, currents, gap, probes, dt):
                counts[tile] = note(k, work.fired, geometry.lanes[tile], found[tile], counts[tile])


@inner
def run_group(group, own, s0, count, step0, slots, flat, work, ring, geometry, cell, par, drives,
              tables, currents, gap, probes, wires, dt, unit, gave, spikes, begin, rows, found,
              counts):
    """Deliver to populations that are coupled to each other, and advance them step by step."""
    row = int64(0)
    for population in range(own.shape[0]):
        if gap.group[population] != group:
            continue
        deliver(population, own[population, 1], slots, ring, cell, wires, unit, gave, spikes,
                begin, rows)
        only = cell.flags[population, 9]
        for tile in range(own[population, 0], own[population, 1]):
            counts[tile] = 0
            if only >= 0 and count > 0:
                draw_window(tile, s0, count, step0, row, only, work, geometry, drives, tables)
            row += count
    for k in range(count):
        slot = (step0 + k) % slots
        couple(flat, gap, group)
        # Every tile has rows of counts of its own, whether its events are drawn ahead or not.
        row = int64(k)
        for population in range(own.shape[0]):
            if gap.group[population] != group:
                continue
            drawn = cell.flags[population, 9] >= 0
            for tile in range(own[population, 0], own[population, 1]):
                if step_tile(tile, s0 + k, step0 + k, row, drawn, flat, work, ring, slot, True,
                             geometry, cell, par, drives, tables, currents, gap, probes, dt):
                    counts[tile] = note(k, work.fired, geometry.lanes[tile], found[tile],
                                        counts[tile])
                row += count


def advance(crew: Crew, work: Work, wires: Wires, notes: Notes, n_steps: int, step0: int,
            *rest: Any) -> tuple[np.ndarray, int, int, int]:
    """Advance by ``n_steps`` in windows; return spikes (n, 2), steps done, bad tile and lane."""
    out, room = np.empty((1024, 2), np.int64), make_room(work, wires, 1024)
    notes.counts[:] = 0
    work.bad[:] = -1
    reached = np.array([0, 0, 0, step0, -1, -1, 0])
    finished = False
    while not finished:
        crew.run(run_part, reached.copy(), reached, out, room, work, wires, notes, n_steps, step0,
                 *rest)
        _, written, phase, *_, finished = reached.tolist()
        if not finished:
            total = int(notes.counts[1 - phase].sum())
            if written + total > len(out):
                grown = np.empty((2 * (written + total), 2), np.int64)
                grown[:written] = out[:written]
                out = grown
            if total > room.spikes.shape[1]:
                room = make_room(work, wires, 2 * total)
    done, written, _, _, tile, lane, _ = reached.tolist()
    return out[:written], done, tile, lane


def make_room(work: Work, wires: Wires, spikes: int) -> Room:
    """Return room for this many spikes in a window."""
    parts, populations, _ = work.own.shape
    return Room(np.empty((parts, spikes, 3), np.int64),
                np.empty((parts, populations + 1), np.int64),
                np.empty((parts, wires.plain.shape[0], spikes, 3), np.int64))
