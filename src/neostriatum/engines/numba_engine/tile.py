"""One tile through its steps: what it receives, how it advances, who fired.

Two ways to the same bits: `step_tile` for any cell, and `driven_tile` for the commonest.
"""

from __future__ import annotations

from numba import uint32, uint64, uintp

from neostriatum import jit
from neostriatum.caching import compiled
from neostriatum.engines.numba_engine import cells, events
from neostriatum.engines.numba_engine.cells import FIRST, GAIN, I_SPON, PITCH, TILE, A, C, I

_T = uintp(TILE)
_P = uintp(PITCH)


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
    population, lanes = geometry.population[tile], cells.in_use(geometry.lanes[tile])
    count_row = base + uintp(cells.COUNT) * _P
    for number in range(drives.plain.shape[0]):
        if drives.plain[number, 0] != population or drives.sizes[number, tile] == 0:
            continue
        cells.fill(flat, lanes, count_row, one - one)
        count_events(number, tile, s, step, base, flat, geometry, drives, tables, one)
        for receptor in range(cell.flags[population, 1]):
            weight = drives.weights[number, receptor]
            if weight > 0:
                arrivals = base + uintp(FIRST + 2 * receptor + 1) * _P
                if started & (1 << receptor):
                    cells.add_scaled(flat, lanes, arrivals, count_row, weight)
                else:
                    cells.set_scaled(flat, lanes, arrivals, count_row, weight)
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
    lanes = cells.in_use(geometry.lanes[tile])
    one = jit.like(dt, 1.0)
    at = (uintp(tile) * uintp(flags[7]) + uintp(slot)) * width * _T
    for receptor in range(receptors):
        column = int(cell.receptors[population, receptor, 3])
        if column >= 0:
            cells.take_arrivals(flat, lanes, base + uintp(FIRST + 2 * receptor + 1) * _P, ring,
                                at + uintp(column) * _T, cell.scalars[0])
            started |= 1 << receptor
    started = drive_tile(tile, s, step, base, flat, geometry, cell, drives, tables, one, started)
    current = base + uintp(I) * _P
    if flags[2] >= 0:
        cells.set_scaled(flat, lanes, current, base + uintp(flags[2] + I_SPON) * _P, p[I_SPON])
    else:
        cells.fill(flat, lanes, current, p[I_SPON])
    for number in range(currents.population.size):
        if currents.population[number] == population:
            level = currents.level[number, s]
            if currents.row[number] < 0:
                cells.add_value(flat, lanes, current, level)
            else:
                cells.add_scaled(flat, lanes, current, base + uintp(currents.row[number]) * _P,
                                 level)
    for receptor in range(receptors):
        row = uintp(FIRST + 2 * receptor)
        said = cell.receptors[population, receptor]
        arrivals = (started >> receptor) & 1
        if said[2] > 0:
            cells.receive_blocked(flat, lanes, base, row, arrivals, p[GAIN + receptor], said[0],
                                  said[1], said[2], cell.scalars[1], one)
        else:
            cells.receive(flat, lanes, base, row, arrivals, p[GAIN + receptor], said[0], said[1])
    if coupled:
        local = geometry.first[tile]
        for lane in range(geometry.lanes[tile]):
            flat[current + uintp(lane)] += gap.current[local + lane]
    for n in range(flags[3]):
        column = GAIN + receptors + 2 * n
        cells.dopamine_current(flat, lanes, base, p[column], p[column + 1])
    if flags[4]:
        cells.draw_noise(flat, base, cell.sigma[population], cell.noise_key[population, 0],
                         cell.noise_key[population, 1], geometry.first[tile], step)
    if flags[2] >= 0:
        cells.update_general(flat, lanes, base, uintp(flags[2]), p, dt, flags[0], flags[4], fired)
    elif flags[0]:
        cells.update_cubic(flat, lanes, base, p, dt / p[C], dt * p[A], fired)
    else:
        cells.update_linear(flat, lanes, base, p, dt / p[C], dt * p[A], fired)
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
    used, noted = geometry.lanes[tile], 0
    lanes = cells.in_use(used)
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
        cells.step_driven(flat, lanes, base, ring, slot, cell.scalars[0], weights, said,
                          cell.scalars[1], p, dt / p[C], dt * p[A], fired)
        copy_probes(tile, s, base, flat, probes)
        if cells.any_fired(fired):
            noted = note(tile, k, fired, used, found, noted)
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
