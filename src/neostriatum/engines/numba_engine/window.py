"""Advance a network window by window: deliver the last one's spikes, then every tile on its own.

A window is at most the smallest delay, so nothing emitted in it arrives in it, and the threads meet
once per window. Each part of the work owns some tiles: it alone delivers to them and advances them.
Every conductance step is a multiple of one quantum and its sums are exact, so no order of delivery
matters: not the number of threads, nor where windows and chunks end.

Nothing here knows a cell, a receptor or what drives them: a tile has a kernel, called by address.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import int64, types
from numba.extending import intrinsic

from neostriatum.caching import compiled, inner, woven
from neostriatum.engines.numba_engine.arrays import Notes, Room, Wires, Work
from neostriatum.engines.numba_engine.coupling import couple
from neostriatum.engines.numba_engine.delivery import deliver, find_rows, release
from neostriatum.engines.numba_engine.events import draw_noise, draw_window
from neostriatum.engines.numba_engine.meeting import Crew, meet
from neostriatum.engines.numba_engine.outside import add_outside
from neostriatum.engines.numba_engine.pack import AT, TILE, UNHEALTHY

#: Tiles that are delivered to and advanced together: their rings should fit the last cache.
TOGETHER = 400
_STEPS, _FIRST, _DONE, _SLOT, _SPIKES, _NOTED = (
    AT[name] for name in ("steps", "first", "done", "slot", "spikes", "noted"))
_BITS = 2**UNHEALTHY


@intrinsic
def call(typingctx, kernel, pack):
    """Call the kernel at an address with the pack at another; return its answer."""

    def codegen(context, builder, signature, args):
        kind = ir.FunctionType(ir.IntType(64), [ir.IntType(64)])
        return builder.call(builder.inttoptr(args[0], kind.as_pointer()), [args[1]])

    return types.int64(types.int64, types.int64), codegen


@compiled(_nrt=False)
def run_part(part, meeting, start, reached, out, room, work, wires, notes, n_steps, step0, window,
             slots, rows, ring, tiles, populations, drives, tables, outside, gap, unit):
    """Run windows of one part. Every part sees the same and so stops at the same window.

    Numbers of ``start`` and ``reached``: steps done, spikes written, phase, first step of the last
    window, unhealthy tile or -1, and whether that was all; it was not if more room is wanted.
    """
    done, written, phase, last = start[0], start[1], start[2], start[3]
    own, spikes, begin, found = work.own[part], room.spikes[part], room.begin[part], room.rows[part]
    parts, finished, times, tile = work.own.shape[0], False, 0, int64(-1)
    while not finished:
        if times > 0 and not meet(meeting, parts, times):
            return
        times += 1
        total = notes.counts[1 - phase].sum()
        if total > spikes.shape[0] or written + total > out.shape[0]:
            break
        for each in range(parts):
            bad = work.bad[each, 1 - phase]
            if bad >= 0 and (tile < 0 or bad < tile):
                tile = bad
        if part == 0:
            write_down(out, written, last, notes.found[1 - phase], notes.counts[1 - phase], tiles,
                       populations)
        written += total
        count = min(window, n_steps - done) if tile < 0 else int64(0)
        find_rows(own, last, tiles, wires, notes.found[1 - phase], notes.counts[1 - phase],
                  spikes, begin, found)
        run_window(part, own, work, done, count, step0 + done, window, slots, rows, ring, tiles,
                   populations, drives, tables, outside, gap, wires, unit, notes, phase, spikes,
                   begin, found)
        # A window of no steps delivers the last one's spikes.
        finished = count == 0
        if not finished:
            last, phase = step0 + done, 1 - phase
            done += count
    if part == 0:
        reached[:] = done, written, phase, last, tile, int64(finished)


@inner
def write_down(out, at, step, found, counts, tiles, populations):
    """Write spikes of a window that began at ``step`` as (step, global id)."""
    for tile in range(counts.size):
        first = tiles.first[tile] + populations.offset[tiles.population[tile]]
        for n in range(counts[tile]):
            note = int(found[tile, n])
            out[at, 0] = step + note // TILE
            out[at, 1] = first + note % TILE
            at += 1


@inner
def run_window(part, own, work, done, count, step0, window, slots, rows, ring, tiles, populations,
               drives, tables, outside, gap, wires, unit, notes, phase, spikes, begin, found):
    """Deliver to the tiles of one part and advance them, some at a time.

    Some at a time, since what is delivered to them is then still in the cache. Populations that
    gap junctions couple go together, step by step.
    """
    gave, releases = notes.releases[1 - phase], notes.releases[phase]
    words, uniforms = work.words[part], work.uniforms[part]
    work.bad[part, phase] = -1
    for leader in range(own.shape[0]):
        coupled = gap.group[leader] >= 0
        if coupled and gap.group[leader] != leader:
            continue
        start, stop = own[leader, 0], own[leader, 1]
        several = max(1, stop - start if coupled else min(stop - start, TOGETHER))
        for first in range(start, stop, several):
            for population in range(leader, own.shape[0] if coupled else leader + 1):
                if coupled and gap.group[population] != leader:
                    continue
                low = own[population, 0] if coupled else first
                end = own[population, 1] if coupled else min(first + several, stop)
                deliver(population, end, slots, ring, populations, wires, unit, gave, spikes,
                        begin, found)
                add_outside(population, low, end, count, step0, slots, ring, outside, tables, done,
                            wires, populations, words, uniforms)
                for tile in range(low, end):
                    prepare(tile, phase, done, count, step0, window, slots, work, tiles,
                            populations, drives, tables, notes, words, uniforms)
                    if count > 0 and not coupled:
                        advance_tile(tile, part, phase, count, work, tiles, notes)
            if coupled:
                for k in range(count):
                    couple(rows, gap, leader)
                    for population in range(leader, own.shape[0]):
                        if gap.group[population] == leader:
                            for tile in range(own[population, 0], own[population, 1]):
                                pack = tiles.packs[tile]
                                pack[_FIRST], pack[_SLOT] = k, (step0 + k) % slots
                                advance_tile(tile, part, phase, int64(1), work, tiles, notes)
            for population in range(leader, own.shape[0] if coupled else leader + 1):
                if coupled and gap.group[population] != leader:
                    continue
                low = own[population, 0] if coupled else first
                end = own[population, 1] if coupled else min(first + several, stop)
                for tile in range(low, end):
                    if wires.release_start[tile] >= 0 and notes.counts[phase, tile] > 0:
                        release(tile, step0, tiles, wires, notes.found[phase],
                                notes.counts[phase, tile], releases)


@inner
def prepare(tile, phase, done, count, step0, window, slots, work, tiles, populations, drives,
            tables, notes, words, uniforms):
    """Draw the events and the noise of a window for a tile, and say where it is."""
    notes.counts[phase, tile] = 0
    if count == 0:
        return
    population = tiles.population[tile]
    draw_window(tile, done, count, step0, work.counts[tiles.counts_at[tile]:], window, tiles,
                drives, tables, words, uniforms)
    if populations.sigma[population] > 0:
        draw_noise(work.noise[tiles.noise_at[tile]:], count, populations.sigma[population],
                   populations.noise_key[population, 0], populations.noise_key[population, 1],
                   tiles.first[tile], step0)
    pack = tiles.packs[tile]
    pack[_FIRST], pack[_DONE], pack[_SLOT] = 0, done, step0 % slots
    pack[_SPIKES] = notes.at + 2 * notes.found.shape[2] * (phase * notes.found.shape[1] + tile)


@woven
def advance_tile(tile, part, phase, steps, work, tiles, notes):
    """Call the kernel of a tile for some steps."""
    pack = tiles.packs[tile]
    pack[_STEPS], pack[_NOTED] = steps, notes.counts[phase, tile]
    answer = call(tiles.kernel[tile], tiles.pack_at[tile])
    notes.counts[phase, tile] = answer % _BITS
    if answer >= _BITS and work.bad[part, phase] < 0:
        work.bad[part, phase] = tile


def advance(crew: Crew, work: Work, wires: Wires, notes: Notes, n_steps: int, step0: int,
            *rest: Any) -> tuple[np.ndarray, int, int]:
    """Advance by ``n_steps`` in windows; return spikes (n, 2), steps done, unhealthy tile or -1."""
    out, room = np.empty((1024, 2), np.int64), make_room(work, wires, 1024)
    notes.counts[:] = 0
    work.bad[:] = -1
    reached = np.array([0, 0, 0, step0, -1, 0])
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
    done, written, _, _, tile, _ = reached.tolist()
    return out[:written], done, tile


def make_room(work: Work, wires: Wires, spikes: int) -> Room:
    """Return room for this many spikes in a window."""
    parts, populations, _ = work.own.shape
    return Room(np.empty((parts, spikes, 3), np.int64),
                np.empty((parts, populations + 1), np.int64),
                np.empty((parts, wires.plain.shape[0], spikes, 3), np.int64))
