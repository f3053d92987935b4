"""Advance a network window by window: tiles alone through a window, then spikes delivered.

A window is at most the smallest delay, so nothing emitted in it arrives in it. Every conductance
step is a multiple of one quantum and its sums are exact, so no order of delivery matters: not the
number of threads, nor where windows and chunks end.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import prange, uint32, uint64, uintp

from neostriatum import jit
from neostriatum.caching import compiled
from neostriatum.engines.numba_engine import cells, events
from neostriatum.engines.numba_engine.cells import FIRST, GAIN, I_SPON, PITCH, TILE, A, C, I, V

_T = uintp(TILE)
_P = uintp(PITCH)


class Geometry(NamedTuple):
    """Tiles: population (t,), first local id (t,), used lanes (t,), rows of a tile (1,)."""

    population: np.ndarray
    first: np.ndarray
    lanes: np.ndarray
    rows: np.ndarray


class Cells(NamedTuple):
    """Populations: flags (p, 8), receptors (p, r, 4) as E, decay, block, ring column."""

    flags: np.ndarray
    receptors: np.ndarray
    noise_key: np.ndarray
    sigma: np.ndarray
    scalars: np.ndarray


class Drives(NamedTuple):
    """Drives: plain (d, 4), keys (d, 6), weights (d, r), members by tile, copies, scratch by tile."""

    plain: np.ndarray
    keys: np.ndarray
    weights: np.ndarray
    sizes: np.ndarray
    offsets: np.ndarray
    members: np.ndarray
    chosen: np.ndarray
    share: np.ndarray
    copies: np.ndarray
    copies_length: np.ndarray
    scratch: np.ndarray


class Tables(NamedTuple):
    """Count distributions by drive, class of block size (the last: mother) and step."""

    values: np.ndarray
    lengths: np.ndarray
    parts: np.ndarray
    reference_p: np.ndarray


class Currents(NamedTuple):
    """Injected currents: population (c,), mask row or -1 (c,), level by step (c, s)."""

    population: np.ndarray
    row: np.ndarray
    level: np.ndarray


class Gap(NamedTuple):
    """Coupled pairs, node potentials, the current per cell, and (g, dt/tau or 0)."""

    first: np.ndarray
    second: np.ndarray
    node: np.ndarray
    current: np.ndarray
    constants: np.ndarray


class Wires(NamedTuple):
    """Projections: plain (j, 4) as source, target, stp, first offset; CSR of all; amounts (j, r).

    The rows of projection j start at ``offsets[plain[j, 3] + source]``.
    """

    plain: np.ndarray
    offsets: np.ndarray
    targets: np.ndarray
    delays: np.ndarray
    amounts: np.ndarray
    stp: np.ndarray
    state: np.ndarray
    state_start: np.ndarray
    last: np.ndarray


class Probes(NamedTuple):
    """Recorded cells sorted by tile: start per tile (t+1,), lanes (k,), output (s, k)."""

    start: np.ndarray
    lane: np.ndarray
    out: np.ndarray


@compiled()
def count_events(number, tile, s, step, base, flat, geometry, drives, tables, one):
    """Add the events of one drive in this tile and step to the row of counts."""
    low, high = uint32(uint64(step) & uint64(0xFFFFFFFF)), uint32(uint64(step) >> uint64(32))
    local = geometry.first[tile]
    block = uint32(local // TILE)
    size, first = drives.sizes[number, tile], drives.offsets[number, tile]
    keys, t = drives.keys[number], s if drives.plain[number, 2] else 0
    chosen = drives.chosen[number, tile]
    table, length = tables.values[number, chosen, t], tables.lengths[number, chosen, t]
    if drives.plain[number, 1] == events.BINOMIAL:
        events.each_binomial(flat, base, keys[0], keys[1], local, low, high, table, length,
                             drives.members, first, size, one)
    elif length > 0:
        count = events.poisson_count(keys[0], keys[1], block, low, high, table, length,
                                     tables.parts[number, chosen, t])
        events.scatter(flat, base, keys[0], keys[1], block, low, high, count, drives.members,
                       first, size, one, drives.scratch[tile])
    if drives.share[number, 0] > 0:
        events.copy_reference(flat, base, keys[2], keys[3], local, low, high,
                              tables.reference_p[number, t], drives.copies[number],
                              drives.copies_length[number], drives.members, first, size, one)
    mother = tables.values.shape[1] - 1
    if drives.share[number, 1] > 0 and tables.lengths[number, mother, t] > 0:
        count = events.poisson_count(keys[4], keys[5], uint32(0), low, high,
                                     tables.values[number, mother, t],
                                     tables.lengths[number, mother, t],
                                     tables.parts[number, mother, t])
        if count:
            events.add_to_members(flat, base, one * jit.like(one, count), drives.members, first,
                                  size)


@compiled()
def drive_tile(tile, s, step, base, flat, geometry, cell, drives, tables, one, started):
    """Turn the events of every drive of this tile into arrivals; return who has some."""
    population = geometry.population[tile]
    count_row = base + uintp(cells.COUNT) * _P
    for number in range(drives.plain.shape[0]):
        if drives.plain[number, 0] != population or drives.sizes[number, tile] == 0:
            continue
        cells.fill(flat, count_row, one - one)
        count_events(number, tile, s, step, base, flat, geometry, drives, tables, one)
        for receptor in range(cell.flags[population, 1]):
            weight = drives.weights[number, receptor]
            if weight > 0:
                arrivals = base + uintp(FIRST + 2 * receptor + 1) * _P
                if started & (1 << receptor):
                    cells.add_scaled(flat, arrivals, count_row, weight)
                else:
                    cells.set_scaled(flat, arrivals, count_row, weight)
                    started |= 1 << receptor
    return started


@compiled()
def step_tile(tile, s, step, flat, fired, ring, slot, coupled, geometry, cell, par, drives, tables,
              currents, gap, probes, dt):
    """Advance one tile by one step; return whether a cell of it fired."""
    population = geometry.population[tile]
    flags, p = cell.flags[population], par[population, s if par.shape[1] > 1 else 0]
    base = uintp(tile) * uintp(geometry.rows[0]) * _P
    receptors, width, started = flags[1], uintp(flags[6]), 0
    one = jit.like(dt, 1.0)
    at = (uintp(tile) * uintp(flags[7]) + uintp(slot)) * width * _T
    for receptor in range(receptors):
        column = int(cell.receptors[population, receptor, 3])
        if column >= 0:
            cells.take_arrivals(flat, base + uintp(FIRST + 2 * receptor + 1) * _P, ring,
                                at + uintp(column) * _T, cell.scalars[0])
            started |= 1 << receptor
    started = drive_tile(tile, s, step, base, flat, geometry, cell, drives, tables, one, started)
    current = base + uintp(I) * _P
    if flags[2] >= 0:
        cells.set_scaled(flat, current, base + uintp(flags[2] + I_SPON) * _P, p[I_SPON])
    else:
        cells.fill(flat, current, p[I_SPON])
    for number in range(currents.population.size):
        if currents.population[number] == population:
            level = currents.level[number, s]
            if currents.row[number] < 0:
                cells.add_value(flat, current, level)
            else:
                cells.add_scaled(flat, current, base + uintp(currents.row[number]) * _P, level)
    for receptor in range(receptors):
        row = uintp(FIRST + 2 * receptor)
        said = cell.receptors[population, receptor]
        arrivals = (started >> receptor) & 1
        if said[2] > 0:
            cells.receive_blocked(flat, base, row, arrivals, p[GAIN + receptor], said[0], said[1],
                                  said[2], cell.scalars[1], one)
        else:
            cells.receive(flat, base, row, arrivals, p[GAIN + receptor], said[0], said[1])
    if coupled:
        lanes, local = geometry.lanes[tile], geometry.first[tile]
        for lane in range(lanes):
            flat[current + uintp(lane)] += gap.current[local + lane]
    for n in range(flags[3]):
        column = GAIN + receptors + 2 * n
        cells.dopamine_current(flat, base, p[column], p[column + 1])
    if flags[4]:
        cells.draw_noise(flat, base, cell.sigma[population], cell.noise_key[population, 0],
                         cell.noise_key[population, 1], geometry.first[tile], step)
    if flags[2] >= 0:
        cells.update_general(flat, base, uintp(flags[2]), p, dt, flags[0], flags[4], fired)
    elif flags[0]:
        cells.update_cubic(flat, base, p, dt / p[C], dt * p[A], fired)
    else:
        cells.update_linear(flat, base, p, dt / p[C], dt * p[A], fired)
    copy_probes(tile, s, base, flat, probes)
    return cells.any_fired(fired)


@compiled()
def copy_probes(tile, s, base, flat, probes):
    """Record the potential of the probed cells of a tile."""
    for n in range(probes.start[tile], probes.start[tile + 1]):
        probes.out[s, n] = flat[base + uintp(probes.lane[n])]


@compiled()
def driven_tile(tile, s0, count, step0, slot0, slots, flat, fired, ring, geometry, cell, par,
                drives, tables, probes, dt, found):
    """Advance a tile of the commonest kind through a window; return how many spikes it noted.

    One drive, three receptors, nothing else: what does not change in the window is looked up once,
    and every step is one loop. The row of counts starts and ends at zero.
    """
    population = geometry.population[tile]
    number = cell.flags[population, 5]
    base = uintp(tile) * uintp(geometry.rows[0]) * _P
    one = jit.like(dt, 1.0)
    weights, said, p = drives.weights[number], cell.receptors[population], par[population, 0]
    size, first = drives.sizes[number, tile], drives.offsets[number, tile]
    key0, key1 = drives.keys[number, 0], drives.keys[number, 1]
    block, chosen = uint32(geometry.first[tile] // TILE), drives.chosen[number, tile]
    table, length = tables.values[number, chosen, 0], tables.lengths[number, chosen, 0]
    parts, members, words = tables.parts[number, chosen, 0], drives.members, drives.scratch[tile]
    plain = (drives.plain[number, 1] == events.POISSON and drives.share[number, 0] == 0
             and drives.share[number, 1] == 0 and not drives.plain[number, 2])
    lanes, noted = geometry.lanes[tile], 0
    width = uintp(cell.flags[population, 6]) * _T
    origin = uintp(tile) * uintp(slots) * width
    for k in range(count):
        s, step = s0 + k, step0 + k
        if par.shape[1] > 1:
            p = par[population, s]
        if not plain:
            count_events(number, tile, s, step, base, flat, geometry, drives, tables, one)
        elif length > 0:
            low = uint32(uint64(step) & uint64(0xFFFFFFFF))
            high = uint32(uint64(step) >> uint64(32))
            hits = events.poisson_count(key0, key1, block, low, high, table, length, parts)
            events.scatter(flat, base, key0, key1, block, low, high, hits, members, first, size,
                           one, words)
        slot = origin + uintp((slot0 + k) % slots) * width
        cells.step_driven(flat, base, ring, slot, cell.scalars[0], weights, said, cell.scalars[1],
                          p, dt / p[C], dt * p[A], fired)
        copy_probes(tile, s, base, flat, probes)
        if cells.any_fired(fired):
            noted = note(tile, k, fired, lanes, found, noted)
    return noted


@compiled()
def couple(tile, flat, geometry, gap):
    """Compute the gap current of every cell of the coupled population, and move the nodes."""
    g, rate = gap.constants[0], gap.constants[1]
    rows = uintp(geometry.rows[0])
    zero = g - g
    for n in range(gap.current.size):
        gap.current[n] = zero
    for side in range(2):
        for n in range(gap.first.size):
            here = gap.first[n] if side == 0 else gap.second[n]
            there = gap.second[n] if side == 0 else gap.first[n]
            v = flat[(uintp(tile) + uintp(here) // _T) * rows * _P + uintp(here) % _T]
            if rate > 0:
                gap.current[here] += g * (gap.node[n] - v)
            else:
                other = flat[(uintp(tile) + uintp(there) // _T) * rows * _P + uintp(there) % _T]
                gap.current[here] += g * (other - v)
    if rate > 0:
        for n in range(gap.first.size):
            one, two = gap.first[n], gap.second[n]
            v1 = flat[(uintp(tile) + uintp(one) // _T) * rows * _P + uintp(one) % _T]
            v2 = flat[(uintp(tile) + uintp(two) // _T) * rows * _P + uintp(two) % _T]
            gap.node[n] = gap.node[n] + rate * ((v1 - gap.node[n]) + (v2 - gap.node[n]))


@compiled()
def note(tile, k, fired, lanes, found, count):
    """Write down which lanes fired, as k * TILE + lane; return the new count."""
    for lane in range(lanes):
        if fired[lane]:
            found[tile, count] = k * TILE + lane
            count += 1
    return count


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
