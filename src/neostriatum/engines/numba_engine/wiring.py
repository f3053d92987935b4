"""The projections, laid out for delivery."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.engines.numba_engine.arrays import Wires
from neostriatum.engines.numba_engine.pack import TILE
from neostriatum.engines.numba_engine.release import numbers, release_address

if TYPE_CHECKING:
    from neostriatum.engines.lowered import LoweredCircuit


def lay_out_wires(lowered: LoweredCircuit, first_tile: np.ndarray, window: int,
                  ahead: list[int]) -> Wires:
    """Return the projections of a lowered circuit; the releases of a window are kept by tile.

    Parameters
    ----------
    lowered : LoweredCircuit
        The lowered circuit.
    first_tile : numpy.ndarray
        First tile of every population, and the number of tiles.
    window : int
        Steps of a window at most.
    ahead : list of int
        Projections whose arrivals are known ahead.
    """
    count = len(lowered.projections)
    plain, start = np.zeros((count, 7), np.int64), np.zeros(count, np.int64)
    plastic = [[n for n, each in enumerate(lowered.projections) if each.stp and each.source == pop]
               for pop in range(len(lowered.populations) + len(lowered.axons))]
    entries = max([1, *(pop.entries for pop in lowered.populations)])
    amounts = np.zeros((count, entries))
    offsets, rows, synapses, states = list[np.ndarray](), 0, 0, 0
    for number, projection in enumerate(lowered.projections):
        mine = plastic[projection.source]
        plain[number] = (projection.source, projection.target, projection.stp is not None, rows,
                         mine.index(number) if projection.stp else -1, len(mine),
                         projection.learning is not None or number in ahead)
        offsets.append(projection.offsets + synapses)
        rows, synapses = rows + len(projection.offsets), synapses + len(projection.targets)
        for entry, weight in projection.weights:
            amounts[number, entry] += weight
        if projection.stp is not None:
            start[number], states = states, states + lowered.sources(projection.source)
    factors = [each.factors for each in lowered.projections]
    given = [each for each in factors if each is not None]
    lengths = np.cumsum([0 if each is None else len(each) for each in factors])
    factor_start = np.array([-1 if each is None else end - len(each)
                             for each, end in zip(factors, lengths, strict=True)], np.int64)
    release, values, state = _releases(lowered, start, states)
    return Wires(
        plain, _joined(offsets, np.int64), lowered.targets, lowered.delays, amounts, release,
        values, state, start, np.zeros(max(1, states), np.int64), first_tile,
        _release_start(plastic[: len(lowered.populations)], first_tile, window),
        _joined(given, np.float32), factor_start,
        np.array([each.failure for each in lowered.projections]),
        np.array([each.key for each in lowered.projections], np.uint32).reshape(-1, 2))


def _releases(lowered: LoweredCircuit, start: np.ndarray,
              count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return address and numbers of the release of every projection, and all first states."""
    own = {n: each.stp for n, each in enumerate(lowered.projections) if each.stp}
    depth = max([1, *(len(stp.model.states) for stp in own.values())])
    release = np.zeros(len(lowered.projections), np.int64)
    values = np.zeros((len(release), max([1, *(len(numbers(stp)) for stp in own.values())])))
    state = np.zeros((max(1, count), depth))
    for number, stp in own.items():
        release[number] = release_address(stp.model)
        values[number, : len(numbers(stp))] = numbers(stp)
        sources = lowered.sources(lowered.projections[number].source)
        begun = stp.begin(sources)
        for place, name in enumerate(stp.model.names):
            state[start[number] : start[number] + sources, place] = begun[name]
    return release, values, state


def _release_start(plastic: list[list[int]], first_tile: np.ndarray, window: int) -> np.ndarray:
    """Return where the releases of every tile are kept, -1 where it has no plastic projection."""
    starts, releases = np.full(int(first_tile[-1]), -1, np.int64), 0
    for source, mine in enumerate(plastic):
        for tile in range(int(first_tile[source]), int(first_tile[source + 1])) if mine else ():
            starts[tile], releases = releases, releases + TILE * window * len(mine)
    return starts


def _joined(arrays: list[np.ndarray], dtype: Any) -> np.ndarray:
    return np.concatenate([np.zeros(0, dtype), *arrays]).astype(dtype, copy=False)
