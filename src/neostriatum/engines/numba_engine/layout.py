"""Lay a program out in the arrays of the compiled loops: tiles, their rows, rings and packs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.engines.numba_engine.arrays import (
    Drives,
    Gap,
    Notes,
    Outside,
    Populations,
    Tiles,
    Wires,
    Work,
)
from neostriatum.engines.numba_engine.build import address
from neostriatum.engines.numba_engine.coupling import gaps
from neostriatum.engines.numba_engine.drives import lay_out_drives
from neostriatum.engines.numba_engine.memory import whole_pages, zeros_at
from neostriatum.engines.numba_engine.outside import outside_events
from neostriatum.engines.numba_engine.pack import (
    AT,
    COLUMN,
    FIELDS,
    PAGE,
    PITCH,
    RING_PLACE,
    STRIP,
    TILE,
)
from neostriatum.engines.numba_engine.quantum import quantum
from neostriatum.engines.numba_engine.shape import Shape, shape_of
from neostriatum.engines.numba_engine.sharing import share_out
from neostriatum.engines.numba_engine.wiring import lay_out_wires
from neostriatum.rng import stream

if TYPE_CHECKING:
    from neostriatum.engines.program import Program

#: Steps of a window at most: a note, k * TILE + lane, has 16 bits.
LONGEST_WINDOW = 64


@dataclass
class Layout:
    """Everything of a program that does not change while it runs, and the memory of its state."""

    shapes: list[Shape]
    #: Receptors by ring column of every population.
    columns: list[list[int]]
    first_tile: np.ndarray
    slots: int
    window: int
    #: Quantum of a synaptic contribution [nS], and what one adds to the ring.
    quanta: np.ndarray
    rows: np.ndarray
    ring: np.ndarray
    held: np.ndarray
    packs: np.ndarray
    tiles: Tiles
    populations: Populations
    drives: Drives
    #: Numbers of members that tiles have, by drive.
    sizes: list[np.ndarray]
    outside: Outside
    gap: Gap
    wires: Wires
    work: Work
    notes: Notes
    #: Scratch of the parts, which only addresses point to.
    scratch: list[np.ndarray]

    def of(self, number: int) -> slice:
        """Return the tiles of a population."""
        return slice(int(self.first_tile[number]), int(self.first_tile[number + 1]))

    def table(self, number: int) -> np.ndarray:
        """Return the rows of a population's tiles, a view (tiles, rows, PITCH)."""
        tiles, shape = self.of(number), self.shapes[number]
        count = tiles.stop - tiles.start
        if not count:
            return np.zeros((0, len(shape.rows), PITCH), self.rows.dtype)
        start = int(self.tiles.rows_at[tiles.start])
        each = whole_pages(len(shape.rows) * PITCH, self.rows.dtype)
        view = self.rows[start : start + count * each].reshape(count, each)
        return view[:, : len(shape.rows) * PITCH].reshape(count, len(shape.rows), PITCH)

    def row(self, number: int, name: str) -> np.ndarray:
        """Return one row of a population's tiles, a view (tiles, TILE)."""
        return self.table(number)[:, self.shapes[number].rows.index(name), :TILE]


def lay_out(program: Program, dtype: Any, parts: int) -> Layout:
    """Return the layout of a program in a precision, its work divided among parts."""
    populations, single = program.populations, dtype == np.float32
    counts = [-(-pop.n // TILE) for pop in populations]
    first_tile = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    columns = _ring_columns(program)
    shapes = [shape_of(program, number, columns[number], single)
              for number in range(len(populations))]
    delays = [int(each.delays.min()) for each in program.projections if len(each.delays)]
    window = min([LONGEST_WINDOW, *delays])
    # Events from outside are put into the ring one window ahead of the cells.
    slots = max(program.slots, window)
    population = np.repeat(np.arange(len(populations)), counts).astype(np.int64)
    first = np.concatenate([np.zeros(0, np.int64), *(np.arange(count) * TILE for count in counts)])
    used = np.minimum(TILE, np.array([pop.n for pop in populations], np.int64)[population] - first)
    rows_of = [whole_pages(len(shape.rows) * PITCH, dtype) for shape in shapes]
    rows_at = _starts(counts, rows_of)
    ring_kind = np.int32 if single else np.float64
    stride = [whole_pages(slots * shape.columns * COLUMN, ring_kind) for shape in shapes]
    ring_at = _starts(counts, stride)
    grain = quantum(program, dtype)
    quanta = np.array([grain, 1.0 if single else grain])
    gap = gaps(program, first_tile, rows_at, dtype)
    work, counts_at, noise_at, owner = share_out(program, shapes, first_tile, used, gap.group,
                                                 parts, window, dtype)
    drives, sizes = lay_out_drives(program, population, first)
    wires = lay_out_wires(program, first_tile, window)
    packs = np.zeros((len(population), len(FIELDS)), np.int64)
    tiles = Tiles(population, first, used, rows_at, counts_at, noise_at, packs,
                  packs.ctypes.data + 8 * len(FIELDS) * np.arange(len(population)),
                  np.array([address(shape) for shape in shapes], np.int64)[population])
    layout = Layout(
        shapes, columns, first_tile, slots, window, quanta,
        zeros_at(0, int(np.dot(counts, rows_of)), dtype),
        zeros_at(RING_PLACE, int(np.dot(counts, stride)), ring_kind),
        zeros_at(0, sum(count * TILE for count, shape in zip(counts, shapes, strict=True)
                        if shape.holding), np.int32),
        packs, tiles, _populations(program, columns, ring_at, stride, first_tile, shapes, dtype),
        drives, sizes, outside_events(program, quanta, ring_kind), gap, wires, work,
        _notebook(wires, len(population), window), [])
    _fill_packs(layout, ring_at, owner)
    return layout


def _ring_columns(program: Program) -> list[list[int]]:
    """Return, per population, the receptors that spikes and events from outside can reach."""
    reached: list[set[int]] = [set() for _ in program.populations]
    for projection in program.projections:
        reached[projection.target].update(receptor for receptor, _ in projection.weights)
    for source in (*program.recorded, *(drive for drive in program.drives if drive.pool)):
        reached[source.population].update(receptor for receptor, _ in source.weights)
    return [sorted(receptors) for receptors in reached]


def _starts(counts: list[int], each: list[int]) -> np.ndarray:
    """Return where the part of every tile begins, if those of population n have ``each[n]``."""
    sizes = np.repeat(np.array(each, np.int64), counts)
    return np.cumsum(sizes) - sizes


def _populations(program: Program, columns: list[list[int]], ring_at: np.ndarray,
                 stride: list[int], first_tile: np.ndarray, shapes: list[Shape],
                 dtype: Any) -> Populations:
    count = len(program.populations)
    most = max([1, *(len(pop.synapses) for pop in program.populations)])
    column = np.full((count, most), -1, np.int64)
    for number, reached in enumerate(columns):
        column[number, reached] = np.arange(len(reached))
    start = np.append(ring_at, 0)[first_tile[:-1]]
    sigma = np.array([pop.sigma * np.sqrt(program.dt) for pop in program.populations])
    keys = [stream(program.seed, "noise", pop.name) for pop in program.populations]
    return Populations(
        np.array([pop.offset for pop in program.populations], np.int64), start,
        np.array(stride, np.int64), np.array([shape.columns for shape in shapes], np.int64),
        column, np.array(keys, np.uint32).reshape(-1, 2), sigma.astype(dtype))


def _notebook(wires: Wires, tiles: int, window: int) -> Notes:
    """Return empty notes of the spikes of two windows."""
    most, starts = TILE * window, wires.release_start
    widths = wires.plain[:, 5].max(initial=0)
    releases = int(starts.max(initial=-1)) + most * int(widths) if (starts >= 0).any() else 0
    found = np.zeros((2, tiles, most), np.uint16)
    return Notes(found, found.ctypes.data, np.zeros((2, tiles), np.int64), np.zeros((2, releases)))


def _fill_packs(layout: Layout, ring_at: np.ndarray, owner: np.ndarray) -> None:
    """Write what every kernel is given, up to what changes from window to window."""
    packs, tiles, dtype = layout.packs, layout.tiles, layout.rows.dtype
    size, held = dtype.itemsize, 0

    def put(name: str, values: Any) -> None:
        packs[:, AT[name]] = values

    put("rows", layout.rows.ctypes.data + size * tiles.rows_at)
    put("ring", layout.ring.ctypes.data + layout.ring.itemsize * ring_at)
    put("counts", layout.work.counts.ctypes.data + 4 * tiles.counts_at)
    put("noise", layout.work.noise.ctypes.data + size * tiles.noise_at)
    put("slots", layout.slots)
    put("window", layout.window)
    put("used", tiles.used)
    put("lanes", -(-tiles.used // STRIP) * STRIP)
    depth = 1 + max([0, *(sum(map(len, shape.slow_trees)) for shape in layout.shapes)])
    for part in range(len(layout.work.own)):
        # The rows of a tile begin on a page; the rows of scratch lie between them.
        scratch = zeros_at(PAGE // 2 + 256, depth * PITCH, dtype)
        fired = zeros_at(PAGE - 512, TILE // 16, np.uint16)
        layout.scratch += [scratch, fired]
        packs[owner == part, AT["scratch"]] = scratch.ctypes.data
        packs[owner == part, AT["fired"]] = fired.ctypes.data
    for number, shape in enumerate(layout.shapes):
        mine = np.arange(len(packs))[layout.of(number)]
        lanes = TILE * np.arange(len(mine))
        if shape.holding:
            packs[mine, AT["held"]] = layout.held.ctypes.data + 4 * (held + lanes)
            held += TILE * len(mine)
        if layout.gap.group[number] >= 0:
            start = int(layout.gap.place[number])
            packs[mine, AT["gap"]] = layout.gap.current.ctypes.data + size * (start + lanes)
