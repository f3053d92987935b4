"""Lay a program out in the arrays of the compiled loops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.engines.drive import binomial_table
from neostriatum.engines.modulation import added, factors, opened
from neostriatum.engines.numba_engine import cells, events
from neostriatum.engines.numba_engine.arrays import (
    Cells,
    Currents,
    Drives,
    Gap,
    Geometry,
    Notes,
    Wires,
    Work,
)
from neostriatum.engines.numba_engine.cells import ADDED, FIRST, GAIN, PITCH, TILE
from neostriatum.engines.numba_engine.coupling import gaps
from neostriatum.engines.numba_engine.quantum import quantum
from neostriatum.engines.program import MG_SLOPE2
from neostriatum.errors import EngineUnsupported

if TYPE_CHECKING:
    from neostriatum.engines.program import Population, Program

#: Order of the parameter columns; must agree with `cells`.
COLUMNS = ("k", "v_r", "v_t", "C", "a", "b", "v_peak", "c", "d", "v_b", "I_spon")
#: Steps of a window at most: a note, k * TILE + lane, has 16 bits.
LONGEST_WINDOW = 64


@dataclass
class Layout:
    """Everything that does not change while the program runs, and where the rows are."""

    geometry: Geometry
    cell: Cells
    drives: Drives
    gap: Gap
    wires: Wires
    currents: Currents
    first_tile: np.ndarray
    slots: int
    window: int
    rows: int
    width: int
    sizes: list[np.ndarray]
    spread_rows: list[int]
    #: Quantum of a synaptic contribution [nS], and what one adds to the ring.
    quanta: np.ndarray


def lay_out(program: Program, dtype: Any) -> Layout:
    """Return the layout of a program for a precision.

    Raises
    ------
    EngineUnsupported
        More than 31 receptors on a cell.
    """
    populations = program.populations
    tiles = [-(-pop.n // TILE) for pop in populations]
    first_tile = np.concatenate([[0], np.cumsum(tiles)]).astype(np.int64)
    receptors = max((len(pop.synapses) for pop in populations), default=0)
    if receptors > 31:
        msg = f"engine numba: at most 31 receptors on a cell (got {receptors})"
        raise EngineUnsupported(msg)
    rows = FIRST + receptors
    spread_rows = []
    for pop in populations:
        general = pop.sigma > 0 or any(np.ndim(one) for one in pop.parameters.values())
        spread_rows.append(rows if general else -1)
    if max(spread_rows, default=-1) >= 0:
        rows += len(COLUMNS)
    masked = [current for current in program.currents
              if len(current.members) < populations[current.population].n]
    mask_row = {id(current): rows + n for n, current in enumerate(masked)}
    rows += len(masked)
    geometry = _geometry(populations, tiles, rows)
    ring = _ring_columns(program)
    width = max([1, *(len(one) for one in ring)])
    drives, sizes = _drives(program, geometry, dtype)
    currents = Currents(
        np.array([one.population for one in program.currents], np.int64),
        np.array([mask_row.get(id(one), -1) for one in program.currents], np.int64),
        np.zeros((len(program.currents), 1), dtype))
    delays = [int(one.delays.min()) for one in program.projections if len(one.delays)]
    window = min([LONGEST_WINDOW, *delays])
    grain = quantum(program, dtype)
    quanta = np.array([grain, 1.0 if dtype == np.float32 else grain])
    return Layout(
        geometry, _cells(program, ring, width, spread_rows, receptors, dtype, grain), drives,
        gaps(program, first_tile, rows, dtype), _wires(program, receptors, first_tile, window),
        currents, first_tile, program.slots, window, rows, width, sizes, spread_rows,
        quanta)


def _geometry(populations: tuple[Population, ...], tiles: list[int], rows: int) -> Geometry:
    population = np.repeat(np.arange(len(populations)), tiles)
    first = np.concatenate([np.zeros(0, np.int64), *(np.arange(count) * TILE for count in tiles)])
    sizes = np.array([pop.n for pop in populations], np.int64)
    lanes = np.minimum(TILE, sizes[population] - first)
    return Geometry(population.astype(np.int64), first.astype(np.int64), lanes.astype(np.int64),
                    np.array([rows], np.int64))


def _ring_columns(program: Program) -> list[list[int]]:
    """Return, per population, the receptors that spikes and recorded events can reach."""
    reached: list[set[int]] = [set() for _ in program.populations]
    for one in program.projections:
        reached[one.target].update(receptor for receptor, _ in one.weights)
    for said in (*program.recorded, *(drive for drive in program.drives if drive.pool)):
        reached[said.population].update(receptor for receptor, _ in said.weights)
    return [sorted(one) for one in reached]


def _cells(program: Program, ring: list[list[int]], width: int, spread_rows: list[int],
           receptors: int, dtype: Any, grain: float) -> Cells:
    count = len(program.populations)
    flags = np.zeros((count, 11), np.int64)
    said = np.zeros((count, max(1, receptors), 4), dtype)
    said[:, :, 3] = -1
    keys = np.zeros((count, 2), np.uint32)
    from neostriatum.rng import stream

    for number, pop in enumerate(program.populations):
        currents = _opened(pop)
        flags[number] = (pop.cubic, len(pop.synapses), spread_rows[number], currents, pop.sigma > 0,
                         _only_drive(program, number, ring[number], spread_rows[number], currents),
                         width, program.slots, pop.offset, _only(program, number),
                         _cubic_drive(program, number, spread_rows[number], currents))
        for receptor, synapse in enumerate(pop.synapses):
            column = ring[number].index(receptor) if receptor in ring[number] else -1
            said[number, receptor] = synapse.E, synapse.decay, synapse.block, column
        keys[number] = stream(program.seed, "noise", pop.name)
    sigma = np.array([pop.sigma * np.sqrt(program.dt) for pop in program.populations])
    single = dtype == np.float32
    scalars = np.array([grain if single else 1.0, MG_SLOPE2], dtype)
    return Cells(flags, said, keys, sigma if not single else sigma.astype(np.float32), scalars)


def _opened(pop: Population) -> int:
    """Return how many currents modulators open."""
    return sum(effect.kind == "current" for effect in pop.effects)


def _only_drive(program: Program, number: int, ring: list[int], spread: int, currents: int) -> int:
    """Return the drive of a population that fits the one-loop step, or -1."""
    pop = program.populations[number]
    drives = [n for n, drive in enumerate(program.drives) if drive.population == number]
    blocked = [receptor for receptor, synapse in enumerate(pop.synapses) if synapse.block > 0]
    fits = (
        not pop.cubic and spread < 0 and not currents and len(pop.synapses) == 3 and blocked == [1]
        and ring == [2] and pop.synapses[0].E == pop.synapses[1].E
        and len(drives) == 1 and not program.drives[drives[0]].pool
        and {receptor for receptor, _ in program.drives[drives[0]].weights} <= {0, 1}
        and f"I_{pop.synapses[2].name}" not in {one.acts_on for one in pop.effects}
        and not any(current.population == number for current in program.currents)
        and not program.coupled(number)
    )
    return drives[0] if fits else -1


def _cubic_drive(program: Program, number: int, spread: int, currents: int) -> int:
    """Return the drive of a population that `cubic_tiles` can advance, or -1."""
    pop = program.populations[number]
    fits = (
        pop.cubic and spread < 0 and not currents
        and not any(synapse.block > 0 for synapse in pop.synapses)
        and not any(current.population == number for current in program.currents)
    )
    return _only(program, number) if fits else -1


def _only(program: Program, number: int) -> int:
    """Return the drive of a population that has exactly one, of neurons' own afferents, or -1."""
    drives = [n for n, drive in enumerate(program.drives) if drive.population == number]
    return drives[0] if len(drives) == 1 and not program.drives[drives[0]].pool else -1


def _drives(program: Program, geometry: Geometry, dtype: Any) -> tuple[Drives, list[np.ndarray]]:
    plain = [drive for drive in program.drives]
    count, tiles = max(1, len(plain)), len(geometry.population)
    receptors = max([1, *(len(pop.synapses) for pop in program.populations)])
    about = np.full((count, 4), -1, np.int64)
    keys = np.zeros((count, 6), np.uint32)
    weights = np.zeros((count, receptors), dtype)
    sizes = np.zeros((count, tiles), np.int64)
    offsets = np.zeros((count, tiles), np.int64)
    chosen = np.zeros((count, tiles), np.int64)
    share = np.zeros((count, 2))
    longest = max([1, *(drive.afferents + 1 for drive in plain)])
    copies, copies_length = np.zeros((count, longest)), np.zeros(count, np.int64)
    members, start, classes = [np.zeros(1, np.int32)], 1, []
    for number, drive in enumerate(plain):
        kind = events.BINOMIAL if drive.process == "binomial" else events.POISSON
        about[number] = drive.population, kind, not drive.rate.is_constant, 0
        keys[number] = (*drive.keys["own"], *drive.keys["reference"], *drive.keys["mother"])
        for receptor, weight in drive.weights:
            weights[number, receptor] += weight
        if drive.pool is None:
            for tile in np.flatnonzero(geometry.population == drive.population):
                low = geometry.first[tile]
                lo, hi = np.searchsorted(drive.members, [low, low + TILE])
                sizes[number, tile], offsets[number, tile] = hi - lo, start
                members.append((drive.members[lo:hi] - low).astype(np.int32))
                start += hi - lo
        unique = np.unique(sizes[number][sizes[number] > 0])
        classes.append(unique)
        if kind == events.POISSON:
            chosen[number] = np.searchsorted(unique, sizes[number])
            chosen[number][sizes[number] == 0] = 0
        share[number] = drive.within, drive.between
        if drive.within > 0:
            table = binomial_table(drive.afferents, drive.within)
            copies[number, : len(table)], copies_length[number] = table, len(table)
    return Drives(about, keys, weights, sizes, offsets, np.concatenate(members), chosen, share,
                  copies, copies_length), classes


def _wires(program: Program, receptors: int, first_tile: np.ndarray, window: int) -> Wires:
    count = len(program.projections)
    plain = np.zeros((count, 6), np.int64)
    plastic = [[n for n, one in enumerate(program.projections) if one.stp and one.source == source]
               for source in range(len(program.populations))]
    amounts = np.zeros((count, max(1, receptors)))
    stp, start = np.zeros((count, 3)), np.zeros(count, np.int64)
    offsets, rows, synapses, states = [], 0, 0, 0
    for number, one in enumerate(program.projections):
        mine = plastic[one.source]
        plain[number] = (one.source, one.target, one.stp is not None, rows,
                         mine.index(number) if one.stp else -1, len(mine))
        offsets.append(one.offsets + synapses)
        rows, synapses = rows + len(one.offsets), synapses + len(one.targets)
        for receptor, weight in one.weights:
            amounts[number, receptor] += weight
        if one.stp is not None:
            stp[number] = one.stp.U, one.stp.rec_steps, one.stp.fac_steps
            start[number], states = states, states + program.populations[one.source].n
    state = np.zeros((max(1, states), 2))
    state[:, 1] = 1.0
    release_start, releases = np.full(int(first_tile[-1]), -1, np.int64), 0
    for source, mine in enumerate(plastic):
        for tile in range(int(first_tile[source]), int(first_tile[source + 1])) if mine else ():
            release_start[tile], releases = releases, releases + TILE * window * len(mine)
    factors = [one.factors for one in program.projections if one.factors is not None]
    varied = [one.factors is not None for one in program.projections]
    ends = np.cumsum([len(one) for one in factors])
    factor_start = np.full(count, -1, np.int64)
    factor_start[varied] = np.concatenate([[0], ends])[:-1] if factors else []
    return Wires(
        plain, _joined(offsets, np.int64), program.targets, program.delays, amounts, stp, state,
        start, np.zeros(max(1, states), np.int64), first_tile, release_start,
        _joined(factors, np.float32), factor_start,
        np.array([one.failure for one in program.projections]),
        np.array([one.key for one in program.projections], np.uint32).reshape(-1, 2))


def _joined(arrays: list[np.ndarray], dtype: Any) -> np.ndarray:
    return np.concatenate([np.zeros(0, dtype), *arrays]).astype(dtype, copy=False)


#: Cost of a cell by the way that its tile goes.
_COST = {"driven": 1.0, "cubic": 3.0, "general": 4.0}


def share_out(program: Program, layout: Layout, parts: int) -> Work:
    """Divide the tiles among parts of about the same work, each gap-coupled group as one.

    Full tiles come first, then the last ones of the populations, which even out what the former
    leave; so a part still owns tiles of a population that follow each other.
    """
    gap = layout.gap
    # What one part takes as a whole: (population, first tile, the one past the last) of each.
    cost, items, last, places = [], [], [], {}
    for number in range(len(program.populations)):
        start, stop = int(layout.first_tile[number]), int(layout.first_tile[number + 1])
        lanes, flags = layout.geometry.lanes[start:stop], layout.cell.flags[number]
        way = "driven" if flags[5] >= 0 else "cubic" if flags[10] >= 0 else "general"
        group = int(gap.group[number])
        if group < 0:
            items += [[(number, tile, tile + 1)] for tile in range(start, stop)]
            cost += list(_COST[way] * lanes)
            last += list(lanes < TILE)
            continue
        way = way if gap.members[group] == 1 else "general"
        if group not in places:
            places[group] = len(items)
            items.append([])
            cost.append(0.0)
            last.append(True)
        items[places[group]].append((number, start, stop))
        cost[places[group]] += _COST[way] * lanes.sum()
    order = np.argsort(last, kind="stable")
    cost, items = np.array(cost, float)[order], [items[n] for n in order]
    done = np.cumsum(cost) - 0.5 * cost
    owner = np.minimum((done / max(1e-9, float(np.sum(cost))) * parts).astype(int), parts - 1)
    dtype, receptors = gap.current.dtype, layout.cell.receptors.shape[1]
    own = np.zeros((parts, len(program.populations), 2), np.int64)
    for item, part in zip(items, owner, strict=True):
        for number, start, stop in item:
            first = own[part, number, 0] if own[part, number, 1] else start
            own[part, number] = first, stop
    # A coupled group draws the events of a window for all of its tiles.
    most = max((sum(stop - start for _, start, stop in item) for item in items), default=1)
    rows = cells.ARRIVALS + receptors
    return Work(own, _benches(parts, max(1, most) * layout.window * TILE, np.float32),
                _benches(parts, 8 * events.AHEAD, np.uint64).reshape(parts, 8, events.AHEAD),
                _benches(parts, int(events.whole_vectors.py_func(layout.window)), np.float64),
                _benches(parts, TILE, dtype), _benches(parts, rows * PITCH, dtype),
                _benches(parts, TILE, np.uint8), np.full((parts, 2, 2), -1, np.int64))


def _benches(parts: int, size: int, dtype: Any) -> np.ndarray:
    """Return zeros (parts, size) that begin on a cache line."""
    return aligned(parts * size, dtype).reshape(parts, size)


def notebook(layout: Layout) -> Notes:
    """Return empty notes of the spikes of two windows."""
    tiles, most = len(layout.geometry.population), TILE * layout.window
    starts = layout.wires.release_start
    widths = layout.wires.plain[:, 5].max(initial=0)
    releases = int(starts.max(initial=-1)) + most * int(widths) if (starts >= 0).any() else 0
    return Notes(np.zeros((2, tiles, most), np.uint16), np.zeros((2, tiles), np.int64),
                 np.zeros((2, releases)))


def step_parameters(program: Program, layout: Layout, step: int, count: int,
                    dtype: Any) -> np.ndarray:
    """Return the parameters of every population by step (one step if no level changes)."""
    steps = np.arange(step, step + (count if program.levels_vary else 1))
    times = (steps - program.warmup) * program.dt
    phi = tuple(course.at(times) for course in program.courses)
    columns = GAIN + max((len(pop.synapses) + 2 * _opened(pop) for pop in program.populations),
                         default=0)
    par = np.ones((len(program.populations), len(steps), columns))
    par[:, :, ADDED:GAIN] = 0.0
    for number, pop in enumerate(program.populations):
        factor, more = factors(pop.effects, phi), added(pop.effects, phi)
        general = layout.spread_rows[number] >= 0
        for column, name in enumerate(COLUMNS):
            if name in pop.parameters:
                base = 1.0 if general else pop.parameters[name]
                par[number, :, column] = base * factor.get(name, 1.0)
            if name in more:
                par[number, :, column + (ADDED if general else 0)] += more[name]
        for receptor, synapse in enumerate(pop.synapses):
            par[number, :, GAIN + receptor] = factor.get(f"I_{synapse.name}", 1.0)
        at = GAIN + len(pop.synapses)
        for g, reversal in opened(pop.effects, phi):
            par[number, :, at], par[number, :, at + 1] = g, reversal
            at += 2
    return par.astype(dtype)


def aligned(size: int, dtype: Any) -> np.ndarray:
    """Return zeros that begin on a cache line, so that no vector lies across two."""
    plain = np.zeros(size * np.dtype(dtype).itemsize + 64, np.uint8)
    start = -plain.ctypes.data % 64
    return plain[start : start + size * np.dtype(dtype).itemsize].view(dtype)


def fill_rows(program: Program, layout: Layout, flat: np.ndarray) -> None:
    """Write start values, spread parameters and current masks into the tiles."""
    view = flat.reshape(-1, layout.rows, PITCH)
    for number, pop in enumerate(program.populations):
        _scatter(view, layout, number, cells.V, np.broadcast_to(pop.start_v, (pop.n,)), pop)
        _scatter(view, layout, number, cells.U, np.broadcast_to(pop.start_u, (pop.n,)), pop)
        if layout.spread_rows[number] >= 0:
            for column, name in enumerate(COLUMNS):
                values = np.broadcast_to(pop.parameters.get(name, 0.0), (pop.n,))
                _scatter(view, layout, number, layout.spread_rows[number] + column, values, pop)
    for number, current in enumerate(program.currents):
        row = int(layout.currents.row[number])
        if row >= 0:
            pop = program.populations[current.population]
            mask = np.zeros(pop.n)
            mask[current.members] = 1.0
            _scatter(view, layout, current.population, row, mask, pop)


def _scatter(view: np.ndarray, layout: Layout, number: int, row: int, values: np.ndarray,
             pop: Population) -> None:
    start, stop = layout.first_tile[number], layout.first_tile[number + 1]
    if pop.n == 0:
        return
    # Unused lanes of the last tile repeat its last cell, so that they stay healthy.
    padded = np.concatenate([values, np.full((stop - start) * TILE - pop.n, values[-1])])
    view[start:stop, row, :TILE] = padded.reshape(-1, TILE)
