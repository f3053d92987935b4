"""The state of a run in the arrays of a layout: filled, saved and loaded by name."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.engines.levels import parts_of
from neostriatum.engines.numba_engine.learning import load_learning, saved_learning
from neostriatum.engines.numba_engine.pack import COLUMN, TILE
from neostriatum.models.evaluate import evaluate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neostriatum.engines.lowered import LoweredCircuit
    from neostriatum.engines.numba_engine.layout import Layout


def fill(lowered: LoweredCircuit, layout: Layout) -> None:
    """Write start values, parameters that differ from cell to cell, masks of currents, regions."""
    dtype = layout.net.rows.dtype.type
    nodes = [lowered.start_of_nodes(kind) for kind in lowered.gaps if kind.tau is not None]
    layout.net.gap.node[:] = np.concatenate([np.zeros(0), *nodes])
    for number, (pop, shape) in enumerate(zip(lowered.populations, layout.shapes, strict=True)):
        for state, value in pop.starts.items():
            _put(layout, number, state, value, pop.n)
        known: dict[str, Any] = {name: np.asarray(value).astype(dtype)
                                 for name, value in pop.parameters.items()}
        known["dt"] = dtype(lowered.dt)
        for name in shape.spread:
            if name in shape.rows:
                _put(layout, number, name, known[name], pop.n)
        for name, tree in shape.made_rows.items():
            _put(layout, number, name, evaluate(tree, known), pop.n)
        currents = [current for current in lowered.currents if current.population == number]
        for place, masked in enumerate(shape.currents):
            if masked:
                mask = np.zeros(pop.n)
                mask[currents[place].members] = 1.0
                _put(layout, number, f"mask {place}", mask, pop.n)
        if shape.regional:
            _put(layout, number, "region", pop.region, pop.n)


def _put(layout: Layout, number: int, name: str, values: Any, count: int) -> None:
    if count == 0:
        return
    row = layout.row(number, name)
    values = np.broadcast_to(values, (count,))
    # Unused lanes of the last tile repeat its last cell, so that they stay healthy.
    rest = np.full(row.size - count, values[-1])
    row[:] = np.concatenate([values, rest]).reshape(row.shape)


def _states(lowered: LoweredCircuit, layout: Layout) -> Iterator[tuple[str, int, np.ndarray]]:
    """Yield name, number of cells and view (tiles, TILE) of all that steps change in tiles."""
    held = 0
    for number, (pop, shape) in enumerate(zip(lowered.populations, layout.shapes, strict=True)):
        for name, (receptor, state) in pop.variables.items():
            row = state if receptor < 0 else f"{state} {receptor}"
            yield f"{pop.name}.{name}", pop.n, layout.row(number, row)
        if shape.holding:
            tiles = layout.of(number)
            size = TILE * (tiles.stop - tiles.start)
            yield f"{pop.name}.held", pop.n, layout.held[held : held + size].reshape(-1, TILE)
            held += size


def saved(lowered: LoweredCircuit, layout: Layout, step: int) -> dict[str, np.ndarray]:
    """Return everything that the future depends on, as arrays by name.

    Few slots of the ring hold something, so only these are kept: for every population (n, 3)
    receptor, cell and the step of arrival, and what arrives [nS].
    """
    state = {name: view.reshape(-1)[:count].copy()
             for name, count, view in _states(lowered, layout)}
    grain, unit = layout.net.unit
    for number, pop in enumerate(lowered.populations):
        ring = _ring(layout, number)
        tile, slot, column, lane = np.nonzero(ring[..., :TILE])
        due = step + (slot - step) % layout.slots
        receptor = np.array([*layout.columns[number], -1], np.int64)[column]
        state[f"{pop.name}.arrivals"] = np.stack([receptor, tile * TILE + lane, due], axis=1)
        state[f"{pop.name}.amounts"] = ring[tile, slot, column, lane] * (grain / unit)
    state |= {name: view.copy() for name, view in releases(lowered, layout)}
    state |= {name: view.copy() for name, view in _levels(lowered, layout, 0)}
    state |= saved_learning(lowered, layout.net.learn)
    return state | {"node": layout.net.gap.node.copy()}


def load(lowered: LoweredCircuit, layout: Layout, state: dict[str, np.ndarray]) -> None:
    """Take over a state that was saved."""
    for name, count, view in _states(lowered, layout):
        # No cell is held where none could be until now.
        values = state.get(name, np.zeros(count, view.dtype)) if name.endswith(".held") \
            else state[name]
        rest = np.full(view.size - count, values[-1] if count else 0, values.dtype)
        view[:] = np.concatenate([values, rest]).reshape(view.shape)
    grain, unit = layout.net.unit
    layout.net.ring[:] = 0
    for number, pop in enumerate(lowered.populations):
        receptor, cell, due = state[f"{pop.name}.arrivals"].T
        amounts = np.rint(state[f"{pop.name}.amounts"] / grain) * unit
        column = np.zeros(max([0, *layout.columns[number]]) + 1, np.int64)
        column[layout.columns[number]] = np.arange(len(layout.columns[number]))
        ring = _ring(layout, number)
        ring[cell // TILE, due % layout.slots, column[receptor], cell % TILE] = amounts
    for name, view in releases(lowered, layout):
        view[:] = state[name]
    for part in range(len(layout.net.signals.states)):
        for name, view in _levels(lowered, layout, part):
            view[:] = state[name]
    load_learning(lowered, layout.net.learn, state)
    layout.net.gap.node[:] = state["node"]


def _levels(lowered: LoweredCircuit, layout: Layout, part: int) -> Iterator[tuple[str, np.ndarray]]:
    """Yield name and view of the states of computed levels, and of spikes not yet heard."""
    signals = layout.net.signals
    if len(signals.plain):
        spikes = [signals.pending[part, start:stop] for start, stop
                  in pairwise(signals.pending_at)]
        yield from parts_of(lowered.signals, signals.states[part], spikes).items()


def releases(lowered: LoweredCircuit, layout: Layout) -> Iterator[tuple[str, np.ndarray]]:
    """Yield name and view (n,) of the states of releases, and the steps of the last spikes."""
    wires = layout.net.wires
    for number, projection in enumerate(lowered.projections):
        if projection.stp is not None:
            start = int(wires.state_start[number])
            mine = slice(start, start + lowered.sources(projection.source))
            for place, state in enumerate(projection.stp.model.names):
                yield f"{projection.name}.{state}", wires.state[mine, place]
            yield f"{projection.name}.last", wires.last[mine]


def _ring(layout: Layout, number: int) -> np.ndarray:
    """Return the ring of a population's tiles, a view (tiles, slots, columns, COLUMN)."""
    tiles, populations = layout.of(number), layout.net.populations
    count, columns = tiles.stop - tiles.start, int(populations.width[number])
    each, start = int(populations.ring_stride[number]), int(populations.ring_at[number])
    used = layout.slots * columns * COLUMN
    view = layout.net.ring[start : start + count * each].reshape(count, each)[:, :used]
    return view.reshape(count, layout.slots, columns, COLUMN)
