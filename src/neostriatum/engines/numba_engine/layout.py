"""Lay a circuit out in the arrays of the compiled loops: tiles, their rows, rings and packs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.engines.numba_engine.ahead import known_ahead, lay_out_ahead
from neostriatum.engines.numba_engine.arrays import (
    Net,
    Populations,
    Tiles,
    WindowSpikes,
    Wires,
)
from neostriatum.engines.numba_engine.build import address
from neostriatum.engines.numba_engine.coupling import gaps
from neostriatum.engines.numba_engine.drives import lay_out_drives
from neostriatum.engines.numba_engine.learning import lay_out_learning
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
from neostriatum.engines.numba_engine.signals import lay_out_signals
from neostriatum.engines.numba_engine.wiring import lay_out_wires
from neostriatum.rng import stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neostriatum.engines.drive import Drive
    from neostriatum.engines.inputs import Recorded
    from neostriatum.engines.lowered import LoweredCircuit

#: Steps of a window at most: a note, k * TILE + lane, has 16 bits.
LONGEST_WINDOW = 64


@dataclass
class Layout:
    """Everything of a circuit that does not change while it runs, and the memory of its state."""

    shapes: list[Shape]
    #: Entries by ring column of every population: receptors, and behind them inlets.
    columns: list[list[int]]
    first_tile: np.ndarray
    slots: int
    #: Steps of a window.
    window: int
    net: Net
    held: np.ndarray
    packs: np.ndarray
    #: Numbers of members that tiles have, by drive.
    sizes: list[np.ndarray]
    #: Scratch of the parts, which only addresses point to.
    scratch: list[np.ndarray]
    #: The part that owns a tile.
    owner: np.ndarray

    def of(self, number: int) -> slice:
        """Return the tiles of a population."""
        return slice(int(self.first_tile[number]), int(self.first_tile[number + 1]))

    def table(self, number: int) -> np.ndarray:
        """Return the rows of a population's tiles, a view (tiles, rows, PITCH)."""
        tiles, shape, rows = self.of(number), self.shapes[number], self.net.rows
        count = tiles.stop - tiles.start
        if not count:
            return np.zeros((0, len(shape.rows), PITCH), rows.dtype)
        start = int(self.net.tiles.rows_at[tiles.start])
        each = whole_pages(len(shape.rows) * PITCH, rows.dtype)
        view = rows[start : start + count * each].reshape(count, each)
        return view[:, : len(shape.rows) * PITCH].reshape(count, len(shape.rows), PITCH)

    def row(self, number: int, name: str) -> np.ndarray:
        """Return one row of a population's tiles, a view (tiles, TILE)."""
        return self.table(number)[:, self.shapes[number].rows.index(name), :TILE]


def lay_out(lowered: LoweredCircuit, dtype: Any, parts: int, old: Sequence[Shape] = ()) -> Layout:
    """Return the layout of a lowered circuit in a precision, its work divided among parts."""
    window, single = min(LONGEST_WINDOW, lowered.window or LONGEST_WINDOW), dtype == np.float32
    chosen, known = known_ahead(lowered, window)
    columns, ahead = _columns(lowered, known), np.array(list(map(len, known)), np.int64)
    shapes = [_known(old, shape_of(lowered, number, reached, int(ahead[number]), single))
              for number, reached in enumerate(columns)]
    # Events from outside are put into the ring one window ahead of the cells.
    slots = max(lowered.slots, window)
    counts = [-(-pop.n // TILE) for pop in lowered.populations]
    first_tile = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    population = np.repeat(np.arange(len(counts)), counts).astype(np.int64)
    first = np.concatenate([np.zeros(0, np.int64), *(np.arange(count) * TILE for count in counts)])
    used = np.minimum(TILE, np.array([pop.n for pop in lowered.populations])[population] - first)
    rows_at, rows = _slab(0, counts, [len(shape.rows) * PITCH for shape in shapes], dtype)
    grain, kind = quantum(lowered, dtype), np.int32 if single else np.float64
    ring_sizes = [slots * shape.columns * COLUMN for shape in shapes]
    ring_at, ring = _slab(RING_PLACE, counts, ring_sizes, kind)
    unit = np.array([grain, 1.0 if single else grain])
    gap = gaps(lowered, first_tile, rows_at, dtype)
    work, counts_at, noise_at, ahead_at, owner = share_out(
        lowered, shapes, first_tile, used, gap.group, parts, window, dtype, kind)
    drives, members = lay_out_drives(lowered, population, first)
    packs = np.zeros((len(population), len(FIELDS)), np.int64)
    tiles = Tiles(population, first, used, rows_at, counts_at, noise_at, ahead_at, packs,
                  packs.ctypes.data + packs.strides[0] * np.arange(len(packs)),
                  np.array([address(shape) for shape in shapes], np.int64)[population])
    wires = lay_out_wires(lowered, first_tile, window, chosen)
    strides = np.array([whole_pages(size, kind) for size in ring_sizes], np.int64)
    populations = _populations(lowered, columns, np.append(ring_at, 0)[first_tile[:-1]], strides,
                               dtype)
    learn = lay_out_learning(lowered, wires.plain[:, 3], len(work.own), dtype)
    net = Net(tiles, populations, drives, outside_events(lowered, unit, kind), gap, wires,
              lay_out_ahead(lowered, chosen, columns, ahead), work,
              _notebook(wires, len(packs), window), lay_out_signals(lowered, len(work.own)), learn,
              rows, ring, unit)
    holding = sum(count for count, shape in zip(counts, shapes, strict=True) if shape.holding)
    layout = Layout(shapes, columns, first_tile, slots, window, net,
                    zeros_at(0, TILE * holding, np.int32), packs, members, [], owner)
    _fill_packs(layout, ring_at, owner)
    return layout


def _known(former: Sequence[Shape], shape: Shape) -> Shape:
    """Return a former shape that is equal, of which the rows and constants are known, or this."""
    return next((one for one in former if one == shape), shape)


def _slab(place: int, counts: list[int], sizes: list[int],
          dtype: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return where the part of every tile begins in an array, and the array.

    Tiles of population n, ``counts[n]`` of them, have ``sizes[n]`` numbers each; each begins
    ``place`` bytes into a page.
    """
    each = np.repeat(np.array([whole_pages(size, dtype) for size in sizes], np.int64), counts)
    ends = np.cumsum(each)
    return ends - each, zeros_at(place, int(ends[-1]) if len(ends) else 0, dtype)


def _columns(lowered: LoweredCircuit, last: list[set[int]]) -> list[list[int]]:
    """Return the entries that have a column in the ring, by population; some come last."""
    return [sorted(reached - late) + sorted(late)
            for reached, late in zip(_reached(lowered), last, strict=True)]


def _reached(lowered: LoweredCircuit) -> list[set[int]]:
    """Return, per population, the entries that spikes and events from outside can reach."""
    reached: list[set[int]] = [set() for _ in lowered.populations]
    for projection in lowered.projections:
        reached[projection.target].update(entry for entry, _ in projection.weights)
    for pathway in (one for pooled in lowered.pooled for one in pooled.pathways):
        reached[pathway.target].update(entry for entry, _ in pathway.weights)
    sources: list[Recorded | Drive] = [*lowered.recorded,
                                       *(drive for drive in lowered.drives if drive.pool)]
    for source in sources:
        reached[source.population].update(receptor for receptor, _ in source.weights)
    return reached


def _populations(lowered: LoweredCircuit, columns: list[list[int]], ring_at: np.ndarray,
                 stride: np.ndarray, dtype: Any) -> Populations:
    most = max([1, *(pop.entries for pop in lowered.populations)])
    column = np.full((len(columns), most), -1, np.int64)
    for number, reached in enumerate(columns):
        column[number, reached] = np.arange(len(reached))
    sigma = np.array([pop.sigma * np.sqrt(lowered.dt) for pop in lowered.populations])
    keys = [stream(lowered.seed, "noise", pop.name) for pop in lowered.populations]
    return Populations(
        np.array([pop.offset for pop in lowered.populations], np.int64), ring_at, stride,
        np.array([len(reached) for reached in columns], np.int64), column,
        np.array(keys, np.uint32).reshape(-1, 2), sigma.astype(dtype))


def _notebook(wires: Wires, tiles: int, window: int) -> WindowSpikes:
    """Return empty notes of the spikes of two windows."""
    most, starts = TILE * window, wires.release_start
    widths = wires.plain[:, 5].max(initial=0)
    releases = int(starts.max(initial=-1)) + most * int(widths) if (starts >= 0).any() else 0
    found = np.zeros((2, tiles, most), np.uint16)
    return WindowSpikes(found, found.ctypes.data, np.zeros((2, tiles), np.int64),
                        np.zeros((2, releases)))


def _fill_packs(layout: Layout, ring_at: np.ndarray, owner: np.ndarray) -> None:
    """Write what every kernel is given, up to what changes from window to window."""
    packs, net = layout.packs, layout.net
    tiles, dtype, size = net.tiles, net.rows.dtype, net.rows.itemsize
    held = 0

    def put(name: str, values: Any) -> None:
        packs[:, AT[name]] = values

    for name, array, at in (("rows", net.rows, tiles.rows_at), ("ring", net.ring, ring_at),
                            ("counts", net.work.counts, tiles.counts_at),
                            ("noise", net.work.noise, tiles.noise_at),
                            ("ahead", net.work.ahead, tiles.ahead_at)):
        put(name, array.ctypes.data + array.itemsize * at)
    put("slots", layout.slots)
    put("window", layout.window)
    put("used", tiles.used)
    put("lanes", -(-tiles.used // STRIP) * STRIP)
    for part in range(len(net.work.own)):
        # The rows of a tile begin on a page; the rows of scratch lie between them.
        scratch = zeros_at(PAGE // 2 + 256, PITCH, dtype)
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
        if net.gap.group[number] >= 0:
            start = int(net.gap.place[number])
            packs[mine, AT["gap"]] = net.gap.current.ctypes.data + size * (start + lanes)
