"""One tile through its steps: what it receives, how it advances, who fired.

Two ways to the same bits: `step_tile` for any cell, and `driven_tile` for the commonest.
"""

from __future__ import annotations

from numba import int64, uint32, uintp

from neostriatum.caching import inner, woven
from neostriatum.engines.numba_engine import cells, events
from neostriatum.engines.numba_engine.cells import (
    ADDED,
    ARRIVALS,
    GAIN,
    I_SPON,
    PITCH,
    STRIP,
    TILE,
    A,
    C,
    I,
)
from neostriatum.engines.numba_engine.coupling import couple

_T = uintp(TILE)
_P = uintp(PITCH)


@inner
def drive_tile(tile, s, step, row, drawn, work, geometry, cell, drives, tables,
               started):
    """Turn the events of every drive of this tile into arrivals; return who has some.

    Row ``row`` of the counts is used, and holds the events already where they are ``drawn``.
    """
    counts = work.events
    population, lanes = geometry.population[tile], cells.in_use(geometry.lanes[tile], STRIP)
    for number in range(drives.plain.shape[0]):
        if drives.plain[number, 0] != population or drives.sizes[number, tile] == 0:
            continue
        if not drawn:
            events.count_events(number, tile, s, step, counts, row, geometry, drives, tables,
                                work.words, work.uniforms)
        for receptor in range(cell.flags[population, 1]):
            weight = drives.weights[number, receptor]
            if weight > 0:
                arrivals = uintp(ARRIVALS + receptor) * _P
                if started & (1 << receptor):
                    cells.add_scaled(work.rows, lanes, arrivals, counts, uintp(row) * _T, weight)
                else:
                    cells.set_scaled(work.rows, lanes, arrivals, counts, uintp(row) * _T, weight)
                    started |= 1 << receptor
        cells.fill(counts, lanes, uintp(row) * _T, 0)
    return started


@inner
def step_tile(tile, s, step, row, drawn, flat, work, ring, slot, coupled, geometry, cell, par,
              drives, tables, currents, gap, probes, dt):
    """Advance one tile by one step; return whether a cell of it fired."""
    population = geometry.population[tile]
    flags, p = cell.flags[population], par[population, s if par.shape[1] > 1 else 0]
    base = uintp(tile) * uintp(geometry.rows[0]) * _P
    receptors, width, started, rows = flags[1], uintp(flags[6]), 0, work.rows
    lanes = cells.in_use(geometry.lanes[tile], STRIP)
    at = (uintp(tile) * uintp(flags[7]) + uintp(slot)) * width * _T
    for receptor in range(receptors):
        column = int(cell.receptors[population, receptor, 3])
        if column >= 0:
            cells.take_arrivals(rows, lanes, uintp(ARRIVALS + receptor) * _P, ring,
                                at + uintp(column) * _T, cell.scalars[0])
            started |= 1 << receptor
    started = drive_tile(tile, s, step, row, drawn, work, geometry, cell, drives, tables, started)
    current = uintp(I) * _P
    if flags[2] >= 0:
        cells.set_scaled(rows, lanes, current, flat, base + uintp(flags[2] + I_SPON) * _P,
                         p[I_SPON])
        cells.add_value(rows, lanes, current, p[ADDED + I_SPON])
    else:
        cells.fill(rows, lanes, current, p[I_SPON])
    for number in range(currents.population.size):
        if currents.population[number] == population:
            level = currents.level[number, s]
            if currents.row[number] < 0:
                cells.add_value(rows, lanes, current, level)
            else:
                cells.add_scaled(rows, lanes, current, flat,
                                 base + uintp(currents.row[number]) * _P, level)
    for receptor in range(receptors):
        number = uintp(receptor)
        said = cell.receptors[population, receptor]
        arrivals = (started >> receptor) & 1
        if said[2] > 0:
            cells.receive_blocked(flat, rows, lanes, base, number, arrivals, p[GAIN + receptor],
                                  said[0], said[1], said[2], cell.scalars[1])
        else:
            cells.receive(flat, rows, lanes, base, number, arrivals, p[GAIN + receptor], said[0],
                          said[1])
    if coupled:
        local = gap.place[population] + geometry.first[tile]
        for lane in range(geometry.lanes[tile]):
            rows[current + uintp(lane)] += gap.current[local + lane]
    for n in range(flags[3]):
        column = GAIN + receptors + 2 * n
        cells.opened_current(flat, rows, lanes, base, p[column], p[column + 1])
    if flags[4]:
        cells.draw_noise(rows, cell.sigma[population], cell.noise_key[population, 0],
                         cell.noise_key[population, 1], geometry.first[tile], step)
    if flags[2] >= 0:
        cells.update_general(flat, rows, lanes, base, uintp(flags[2]), p, dt, flags[0], flags[4],
                             work.fired)
    elif flags[0]:
        cells.update_cubic(flat, rows, lanes, base, p, dt / p[C], dt * p[A], work.fired)
    else:
        cells.update_linear(flat, rows, lanes, base, p, dt / p[C], dt * p[A], work.fired)
    copy_probes(tile, s, base, flat, probes)
    return cells.any_fired(work.fired)


@woven
def copy_probes(tile, s, base, flat, probes):
    """Record the variables of the probed cells of a tile."""
    for n in range(probes.start[tile], probes.start[tile + 1]):
        probes.out[s, n] = flat[base + uintp(probes.row[n]) + uintp(probes.lane[n])]


@woven
def draw_window(tile, s0, count, step0, row, number, work, geometry, drives, tables):
    """Count the events of a window for a tile with one drive, a row per step from ``row`` on."""
    size = drives.sizes[number, tile]
    plain = (drives.plain[number, 1] == events.POISSON and drives.share[number, 0] == 0
             and drives.share[number, 1] == 0 and not drives.plain[number, 2])
    if not plain:
        for k in range(count):
            events.count_events(number, tile, s0 + k, step0 + k, work.events, row + k, geometry,
                                drives, tables, work.words, work.uniforms)
    elif size > 0:
        chosen = drives.chosen[number, tile]
        length = tables.lengths[number, chosen, 0]
        if length > 0:
            events.scatter_window(
                work.events[row * TILE:], drives.keys[number, 0], drives.keys[number, 1],
                uint32(geometry.first[tile] // TILE), step0, count,
                tables.values[number, chosen, 0], length, tables.parts[number, chosen, 0],
                drives.members, drives.offsets[number, tile], size, work.words, work.uniforms)


@woven
def driven_tile(tile, s0, count, step0, slots, flat, work, ring, geometry, cell, par, drives,
                tables, probes, dt, found):
    """Advance a tile of the commonest kind through a window; return how many spikes it noted.

    One drive, three receptors, nothing else. The events of the window are counted first; then the
    tile goes through all steps by itself, since its rows just fit the first-level cache. The rows
    of counts start and end at zero.
    """
    population = geometry.population[tile]
    number = cell.flags[population, 5]
    base = uintp(tile) * uintp(geometry.rows[0]) * _P
    weights, said, p = drives.weights[number], cell.receptors[population], par[population, 0]
    draw_window(tile, s0, count, step0, int64(0), number, work, geometry, drives, tables)
    used, noted, varies = geometry.lanes[tile], 0, par.shape[1] > 1
    probed = probes.start[tile] < probes.start[tile + 1]
    width, lanes = uintp(cell.flags[population, 6]) * _T, cells.in_use(used, STRIP)
    origin, at = uintp(tile) * uintp(slots) * width, uintp(step0 % slots)
    quantum, slope = cell.scalars[0], cell.scalars[1]
    for k in range(count):
        if varies:
            p = par[population, s0 + k]
        row, slot = uintp(k) * _T, origin + at * width
        # The same twice, but once with a length that LLVM knows.
        if lanes == _T:
            peaks = cells.step_driven(flat, base, _T, ring, slot, work.events, row, work.share,
                                      quantum, weights, said, slope, p, dt)
        else:
            peaks = cells.step_driven(flat, base, lanes, ring, slot, work.events, row, work.share,
                                      quantum, weights, said, slope, p, dt)
        if peaks:
            noted = cells.settle(flat, base, lanes, p, used, k, found, noted)
        if probed:
            copy_probes(tile, s0 + k, base, flat, probes)
        at = uintp(0) if at + uintp(1) == uintp(slots) else at + uintp(1)
    return noted


@woven
def cubic_tiles(start, stop, coupled, s0, count, step0, slots, flat, work, ring, geometry, cell,
                par, drives, tables, gap, probes, dt, found, noted):
    """Advance tiles of fast-spiking cells through a window, together step by step if ``coupled``.

    Cells with cubic recovery, one drive and no magnesium block, nothing else.
    """
    population = geometry.population[start]
    flags, said, rows = cell.flags[population], cell.receptors[population], work.rows
    number, width, quantum = flags[10], uintp(flags[6]) * _T, cell.scalars[0]
    for tile in range(start, stop):
        noted[tile] = 0
        draw_window(tile, s0, count, step0, (tile - start) * count, number, work, geometry, drives,
                    tables)
    for k in range(count):
        p = par[population, s0 + k if par.shape[1] > 1 else 0]
        if coupled:
            couple(flat, gap, population)
        for tile in range(start, stop):
            base = uintp(tile) * uintp(geometry.rows[0]) * _P
            lanes = cells.in_use(geometry.lanes[tile], STRIP)
            local = uintp(gap.place[population] + geometry.first[tile])
            row = uintp((tile - start) * count + k) * _T
            at = (uintp(tile) * uintp(slots) + uintp((step0 + k) % slots)) * width
            cells.fill(rows, lanes, uintp(I), p[I_SPON])
            for receptor in range(flags[1]):
                column = int(said[receptor, 3])
                cells.receive_plain(
                    flat, rows, lanes, base, uintp(cells.FIRST + receptor) * _P, column >= 0, ring,
                    at + uintp(max(column, 0)) * _T, work.events, row,
                    drives.weights[number, receptor], p[GAIN + receptor], said[receptor, 0],
                    said[receptor, 1], quantum)
            cells.fill(work.events, lanes, row, 0)
            if coupled:
                for lane in range(uintp(geometry.lanes[tile])):
                    rows[lane] += gap.current[local + lane]
            cells.update_cubic(flat, rows, lanes, base, p, dt / p[C], dt * p[A], work.fired)
            copy_probes(tile, s0 + k, base, flat, probes)
            if cells.any_fired(work.fired):
                noted[tile] = note(k, work.fired, geometry.lanes[tile], found[tile], noted[tile])


@woven
def note(k, fired, lanes, found, count):
    """Write down which lanes fired, as k * TILE + lane; return the new count."""
    for lane in range(lanes):
        if fired[lane]:
            found[count] = k * TILE + lane
            count += 1
    return count
