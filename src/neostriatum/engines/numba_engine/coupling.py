"""Gap junctions: which populations step together, and the currents between their cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import uintp

from neostriatum.caching import woven
from neostriatum.engines.numba_engine.arrays import Gap
from neostriatum.engines.numba_engine.pack import TILE

if TYPE_CHECKING:
    from neostriatum.engines.lowered import LoweredCircuit


def gaps(lowered: LoweredCircuit, first_tile: np.ndarray, rows_at: np.ndarray, dtype: Any) -> Gap:
    """Return the gap junctions of a lowered circuit, their nodes still at 0.

    Parameters
    ----------
    lowered : LoweredCircuit
        The lowered circuit.
    first_tile : numpy.ndarray
        First tile of every population.
    rows_at : numpy.ndarray
        Where the rows of every tile begin, with the potentials.
    dtype : type
        The precision.
    """
    group, at = groups(lowered), 0
    count = len(lowered.populations)
    place = np.zeros(count, np.int64)
    for number in np.flatnonzero(group >= 0):
        # Whole tiles, since a kernel reads the currents of all its lanes.
        place[number], at = at, at + -(-lowered.populations[number].n // TILE) * TILE
    kinds, pairs, nodes = np.zeros((len(lowered.gaps), 4), np.int64), 0, 0
    for number, kind in enumerate(lowered.gaps):
        kinds[number] = group[kind.a], pairs, pairs + len(kind.first), nodes
        pairs += len(kind.first)
        nodes += len(kind.first) if kind.tau is not None else 0
    numbers = np.array([(kind.g, 0.0 if kind.tau is None else lowered.dt / kind.tau)
                        for kind in lowered.gaps], dtype).reshape(-1, 2)
    ends = [[(kind.a, kind.first) for kind in lowered.gaps],
            [(kind.b, kind.second) for kind in lowered.gaps]]
    none = np.zeros(0, np.int64)
    cell = [np.concatenate([none, *(place[number] + ids for number, ids in end)]) for end in ends]
    potential = [np.concatenate([none, *(rows_at[first_tile[number] + ids // TILE] + ids % TILE
                                         for number, ids in end)]) for end in ends]
    first, second, potential_1, potential_2 = (ids.astype(np.uintp)
                                               for ids in (*cell, *potential))
    return Gap(first, second, potential_1, potential_2, np.zeros(pairs, dtype),
               np.zeros(nodes, dtype), np.zeros(at, dtype), kinds, numbers, group, place)


def groups(lowered: LoweredCircuit) -> np.ndarray:
    """Return the lowest population that each is coupled to, itself included, or -1 without any."""
    group = np.array([number if lowered.coupled(number) else -1
                      for number in range(len(lowered.populations))], np.int64)
    for kind in lowered.gaps:
        both = group[[kind.a, kind.b]]
        group[(group == both[0]) | (group == both[1])] = both.min()
    return group


@woven
def couple(rows, gap, group):
    """Compute the gap currents of a group of populations, and move the nodes."""
    # Of the cells with a junction alone: the others' stay 0.
    for kind in range(gap.kinds.shape[0]):
        if gap.kinds[kind, 0] == group:
            for n in range(uintp(gap.kinds[kind, 1]), uintp(gap.kinds[kind, 2])):
                gap.current[gap.first[n]] = 0
                gap.current[gap.second[n]] = 0
    for kind in range(gap.kinds.shape[0]):
        if gap.kinds[kind, 0] != group:
            continue
        start, stop = uintp(gap.kinds[kind, 1]), uintp(gap.kinds[kind, 2])
        node = uintp(gap.kinds[kind, 3])
        g, rate = gap.numbers[kind, 0], gap.numbers[kind, 1]
        for n in range(start, stop):
            v1, v2 = rows[gap.first_at[n]], rows[gap.second_at[n]]
            if rate > 0:
                held = gap.node[node + (n - start)]
                gap.flow[n] = g * (held - v2)
                gap.current[gap.first[n]] += g * (held - v1)
                gap.node[node + (n - start)] = held + rate * ((v1 - held) + (v2 - held))
            else:
                flow = g * (v2 - v1)
                # What flows out of one cell is what flows into the other, to the bit.
                gap.flow[n] = -flow
                gap.current[gap.first[n]] += flow
        for n in range(start, stop):
            gap.current[gap.second[n]] += gap.flow[n]
