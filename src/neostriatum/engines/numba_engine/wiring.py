"""The projections, laid out for delivery."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.engines.numba_engine.arrays import Wires
from neostriatum.engines.numba_engine.pack import TILE
from neostriatum.engines.numba_engine.release import numbers, release_address

if TYPE_CHECKING:
    from neostriatum.engines.program import Program


def lay_out_wires(program: Program, first_tile: np.ndarray, window: int) -> Wires:
    """Return the projections of a program; the releases of a window are kept by tile.

    Parameters
    ----------
    program : Program
        The lowered circuit.
    first_tile : numpy.ndarray
        First tile of every population, and the number of tiles.
    window : int
        Steps of a window at most.
    """
    receptors = max([1, *(len(pop.synapses) for pop in program.populations)])
    count = len(program.projections)
    plain = np.zeros((count, 6), np.int64)
    plastic = [[n for n, one in enumerate(program.projections) if one.stp and one.source == source]
               for source in range(len(program.populations))]
    amounts = np.zeros((count, receptors))
    start, function = np.zeros(count, np.int64), np.zeros(count, np.int64)
    own = {n: one.stp for n, one in enumerate(program.projections) if one.stp}
    depth = max([1, *(len(stp.model.states) for stp in own.values())])
    values = np.zeros((count, max([1, *(len(numbers(stp)) for stp in own.values())])))
    offsets, rows, synapses, states = [], 0, 0, 0
    for number, projection in enumerate(program.projections):
        mine = plastic[projection.source]
        plain[number] = (projection.source, projection.target, projection.stp is not None, rows,
                         mine.index(number) if projection.stp else -1, len(mine))
        offsets.append(projection.offsets + synapses)
        rows, synapses = rows + len(projection.offsets), synapses + len(projection.targets)
        for receptor, weight in projection.weights:
            amounts[number, receptor] += weight
        if projection.stp is not None:
            values[number, : len(numbers(projection.stp))] = numbers(projection.stp)
            function[number] = release_address(projection.stp.model)
            start[number], states = states, states + program.populations[projection.source].n
    state = np.zeros((max(1, states), depth))
    for number, stp in own.items():
        stop = start[number] + program.populations[program.projections[number].source].n
        for place, each in enumerate(stp.model.states):
            state[start[number] : stop, place] = stp.model.rests[each]
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
        plain, _joined(offsets, np.int64), program.targets, program.delays, amounts, function,
        values, state, start, np.zeros(max(1, states), np.int64), first_tile, release_start,
        _joined(factors, np.float32), factor_start,
        np.array([one.failure for one in program.projections]),
        np.array([one.key for one in program.projections], np.uint32).reshape(-1, 2))


def _joined(arrays: list[np.ndarray], dtype: Any) -> np.ndarray:
    return np.concatenate([np.zeros(0, dtype), *arrays]).astype(dtype, copy=False)
