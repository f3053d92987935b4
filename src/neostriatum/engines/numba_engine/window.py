"""Advance a network window by window: deliver the last one's spikes, then every tile on its own.

A window is at most the smallest delay, so nothing emitted in it arrives in it, and the threads meet
once per window. Each part of the work owns some tiles: it alone delivers to them and advances them.
Every conductance step is a multiple of one quantum and its sums are exact, so no order of delivery
matters: not the number of threads, nor where windows and chunks end.

Nothing here knows a cell, a receptor or what drives them: a tile has a kernel, called by address.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import int64, types
from numba.extending import intrinsic

from neostriatum.caching import compiled, inner, woven
from neostriatum.engines.numba_engine.ahead import add_ahead, find_ahead, leave, most_at_once
from neostriatum.engines.numba_engine.arrays import (
    Courses,
    Net,
    Scratch,
    Tables,
    Window,
)
from neostriatum.engines.numba_engine.axons import AxonSpikes
from neostriatum.engines.numba_engine.coupling import couple
from neostriatum.engines.numba_engine.delivery import deliver, find_rows, release
from neostriatum.engines.numba_engine.events import draw_window
from neostriatum.engines.numba_engine.flush import flush, until_flush
from neostriatum.engines.numba_engine.handle import handle
from neostriatum.engines.numba_engine.learning import Lessons, give_room
from neostriatum.engines.numba_engine.lessons import (
    arrive,
    begin_lessons,
    expect,
    most_spikes,
    note_spikes,
)
from neostriatum.engines.numba_engine.meeting import Crew, meet
from neostriatum.engines.numba_engine.noise import draw_noise
from neostriatum.engines.numba_engine.outside import add_outside
from neostriatum.engines.numba_engine.pack import AT, TILE, UNHEALTHY
from neostriatum.engines.numba_engine.pooled import add_pooled
from neostriatum.engines.numba_engine.signals import signal_window

#: Tiles that are delivered to and advanced together, so that their rings fit the second cache.
TOGETHER = 4
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
def run_part(part, meeting, start, reached, out, scratch, whole, axons, tables, courses, lessons,
             n_steps, step0, most, slots):
    """Run windows of one part. Every part sees the same and so stops at the same window.

    Numbers of ``start`` and ``reached``: steps done, spikes written, phase, first step of the last
    window, unhealthy tile or -1, and whether that was all; it was not if more room is wanted.
    """
    net, axons, tables, courses = handle(whole), handle(axons), handle(tables), handle(courses)
    lessons = handle(lessons)
    done, written, phase, last = start[0], start[1], start[2], start[3]
    work, emitted, tile = net.work, net.emitted, int64(-1)
    parts, finished, times = work.own.shape[0], False, 0
    while not finished:
        if times > 0 and not meet(meeting, parts, times):
            return
        times += 1
        total = emitted.counts[1 - phase].sum()
        if (total + between(axons, last - step0, done) > scratch.spikes.shape[1]
                or written + total > out.shape[0]
                or most_spikes(net.learn, 1 - phase) + most > net.learn.spikes.shape[0]):
            break
        for each in range(parts):
            bad = work.bad[each, 1 - phase]
            if bad >= 0 and (tile < 0 or bad < tile):
                tile = bad
        if part == 0:
            write_down(out, written, last, emitted.found[1 - phase], emitted.counts[1 - phase],
                       net.tiles, net.populations)
        written += total
        count = min(most, n_steps - done, until_flush(step0 + done, net.learn)) if tile < 0 else (
            int64(0))
        window = Window(part, phase, done, count, step0 + done, most, slots)
        begin_window(window, last, net, courses, lessons)
        begin_lessons(window, net, lessons, scratch)
        find_rows(work.own[part], last, net.tiles, net.wires, emitted.found[1 - phase],
                  emitted.counts[1 - phase], axons, last - step0, done, scratch.spikes[part],
                  scratch.begin[part], scratch.rows[part], scratch.chains[part])
        find_ahead(work.own[part], window, net, axons, scratch)
        run_window(window, net, axons, tables, lessons, scratch)
        # A window of no steps delivers the last one's spikes.
        finished = count == 0
        if finished:
            leave(work.own[part], window, net, axons)
        if not finished:
            last, phase = step0 + done, 1 - phase
            done += count
    if part == 0:
        reached[:] = done, written, phase, last, tile, int64(finished)


@inner
def begin_window(window, last, net, courses, lessons):
    """Flush synapses where that is due, and compute the levels of a window and what hears them."""
    full, phase = net.learn.full, window.phase
    full[window.part, phase] = full[window.part, 1 - phase]
    if window.count > 0:
        flush(window.step0, window.part, net)
    signal_window(window, last, net, courses, lessons)


@inner
def between(axons, first, last):
    """Return how many spikes of axons lie between two steps of the stretch."""
    total = int64(0)
    for number in range(axons.first.shape[0]):
        total += axons.first[number, last] - axons.first[number, first]
    return total


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
def run_window(window, net, axons, tables, lessons, scratch):
    """Deliver to the tiles of one part and advance them, some at a time.

    Some at a time, since what is delivered to them is then still in the cache. Populations that
    gap junctions couple go together, step by step.
    """
    own, group, part = net.work.own[window.part], net.gap.group, window.part
    spikes, rows, chains = scratch.spikes[part], scratch.rows[part], scratch.chains[part]
    net.work.bad[window.part, window.phase] = -1
    for population in range(own.shape[0]):
        start, stop = own[population, 0], own[population, 1]
        coupled = group[population] >= 0
        for first in range(start, stop, max(1, stop - start) if coupled else TOGETHER):
            end = stop if coupled else min(first + TOGETHER, stop)
            deliver((population, first, end, stop), window.slots, net.ring, net.populations,
                    net.wires, net.unit, net.emitted.releases[1 - window.phase], axons, spikes,
                    rows, chains)
            add_outside((population, first, end), window, net, tables)
            for tile in range(first, end):
                net.emitted.counts[window.phase, tile] = 0
                if window.count > 0:
                    if net.learn.learns[population]:
                        expect(tile, part, net, lessons, scratch)
                    # Tiles that are not coupled share the place of their events.
                    add_ahead(tile, window, net, axons, scratch)
                    add_pooled((population, tile, tile + 1), window, net, axons.pooled)
                    prepare(tile, population, window, net, tables)
                    if not coupled and net.learn.learns[population]:
                        for k in range(window.count):
                            step_and_learn((tile, population, k), window, net, lessons, scratch)
                    elif not coupled:
                        advance_tile(tile, window.part, window.phase, window.count, net)
            if not coupled:
                release_tiles(first, end, window, net)
    for leader in range(own.shape[0]):
        # One part owns a whole group.
        if group[leader] == leader and own[leader, 0] < own[leader, 1] and window.count > 0:
            run_coupled(leader, window, net, lessons, scratch)


@inner
def prepare(tile, population, window, net, tables):
    """Draw the events and the noise of a window for a tile, and say where it is."""
    tiles, populations, emitted, part = net.tiles, net.populations, net.emitted, window.part
    draw_window(tile, window, net.work.counts[tiles.counts_at[tile]:], net, tables,
                net.work.words[part], net.work.uniforms[part])
    if populations.sigma[population] > 0:
        draw_noise(net.work.noise[tiles.noise_at[tile]:], window.count,
                   populations.sigma[population], populations.noise_key[population, 0],
                   populations.noise_key[population, 1], tiles.first[tile], window.step0)
    pack = tiles.packs[tile]
    pack[_FIRST], pack[_DONE], pack[_SLOT] = 0, window.done, window.step0 % window.slots
    pack[_SPIKES] = emitted.at + 2 * emitted.found.shape[2] * (
        window.phase * emitted.found.shape[1] + tile)


@woven
def advance_tile(tile, part, phase, steps, net):
    """Call the kernel of a tile for some steps."""
    tiles, counts = net.tiles, net.emitted.counts
    pack = tiles.packs[tile]
    pack[_STEPS], pack[_NOTED] = steps, counts[phase, tile]
    answer = call(tiles.kernel[tile], tiles.pack_at[tile])
    counts[phase, tile] = answer % _BITS
    if answer >= _BITS and net.work.bad[part, phase] < 0:
        net.work.bad[part, phase] = tile


@inner
def step_and_learn(spot, window, net, lessons, scratch):
    """Advance a tile by a step, after what arrives at its synapses that learn."""
    tile, _, k = spot
    pack, phase = net.tiles.packs[tile], window.phase
    arrive(spot, window, net, lessons, scratch)
    pack[_FIRST], pack[_SLOT] = k, (window.step0 + k) % window.slots
    before = net.emitted.counts[phase, tile]
    advance_tile(tile, window.part, phase, int64(1), net)
    note_spikes(spot, before, window, net)


@inner
def run_coupled(leader, window, net, lessons, scratch):
    """Advance the populations of a gap-coupled group step by step."""
    group, own = net.gap.group, net.work.own[window.part]
    for k in range(window.count):
        couple(net.rows, net.gap, leader)
        for population in range(leader, own.shape[0]):
            if group[population] == leader:
                for tile in range(own[population, 0], own[population, 1]):
                    step_and_learn((tile, population, k), window, net, lessons, scratch)
    for population in range(leader, own.shape[0]):
        if group[population] == leader:
            release_tiles(own[population, 0], own[population, 1], window, net)


@inner
def release_tiles(first, end, window, net):
    """Compute what the spikes of tiles release."""
    counts = net.emitted.counts[window.phase]
    for tile in range(first, end):
        if net.wires.release_start[tile] >= 0 and counts[tile] > 0:
            release(tile, window.step0, net.tiles, net.wires, net.emitted.found[window.phase],
                    counts[tile], net.emitted.releases[window.phase])


def advance(crew: Crew, net: Net, axons: AxonSpikes, tables: Tables, courses: Courses,
            lessons: Lessons, n_steps: int, step0: int,
            most: int, slots: int) -> tuple[np.ndarray, int, int]:
    """Advance by ``n_steps`` in windows of ``most`` steps.

    Returns
    -------
    tuple
        Spikes (n, 2), steps done, unhealthy tile or -1.
    """
    out, scratch = np.empty((1024, 2), np.int64), make_scratch(net, axons, 1024, most)
    net.emitted.counts[:] = 0
    net.work.bad[:] = -1
    net.learn.full[:] = net.learn.counts.max()
    reached = np.array([0, 0, 0, step0, -1, 0])
    finished = False
    while not finished:
        crew.run(run_part, reached.copy(), reached, out, scratch, net, axons, tables, courses,
                 lessons, n_steps, step0, most, slots)
        reached_steps, written, phase, last, _, finished = reached.tolist()
        if not finished:
            give_room(net.learn, 2 * (most + int(net.learn.full.max())))
            total = int(net.emitted.counts[1 - phase].sum())
            if written + total > len(out):
                grown = np.empty((2 * (written + total), 2), np.int64)
                grown[:written] = out[:written]
                out = grown
            total += sum(int(first[reached_steps] - first[last - step0]) for first in axons.first)
            if total > scratch.spikes.shape[1]:
                scratch = make_scratch(net, axons, 2 * total, most)
    done, written, _, _, tile, _ = reached.tolist()
    return out[:written], done, tile


def make_scratch(net: Net, axons: AxonSpikes, spikes: int, window: int) -> Scratch:
    """Return room for this many spikes in a window of so many steps."""
    parts, populations, _ = net.work.own.shape
    known, width = net.ahead.columns.shape
    ahead, tiles = most_at_once(net.ahead.plain[:, 1], axons.first, window), len(net.tiles.first)
    return Scratch(np.empty((parts, spikes, 3), np.int64),
                np.empty((parts, populations + len(axons.first) + 1), np.int64),
                np.empty((parts, net.wires.plain.shape[0], spikes, 3), np.int64),
                np.empty((parts, net.wires.plain.shape[0], tiles), np.int64),
                np.empty((parts, known, ahead, 4), np.int64),
                np.empty((parts, known, ahead, width), net.ring.dtype),
                np.empty((parts, known, tiles), np.int64),
                np.empty((parts, len(net.learn.plain), window, tiles), np.int64))
