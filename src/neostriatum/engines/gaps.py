"""The currents of gap junctions at a step, in the order in which engines sum them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neostriatum.engines.lowered import LoweredCircuit


def gap_currents(lowered: LoweredCircuit, cells: Sequence[dict[str, np.ndarray]],
                 nodes: np.ndarray) -> list[np.ndarray | None]:
    """Return the gap current of every cell by population, None where it has no junctions.

    Also move the nodes of the kinds that have some.

    Parameters
    ----------
    lowered : LoweredCircuit
        The lowered circuit.
    cells : sequence of dict
        The states of every population.
    nodes : numpy.ndarray
        Potentials of the nodes of all kinds that have some, kind after kind [mV].
    """
    coupled = {number: np.zeros(pop.n) for number, pop in enumerate(lowered.populations)
               if lowered.coupled(number)}
    start = 0
    for kind in lowered.gaps:
        v1, v2 = cells[kind.a]["v"][kind.first], cells[kind.b]["v"][kind.second]
        if kind.tau is None:
            np.add.at(coupled[kind.a], kind.first, kind.g * (v2 - v1))
            np.add.at(coupled[kind.b], kind.second, kind.g * (v1 - v2))
        else:
            node = nodes[start : start + len(kind.first)]
            np.add.at(coupled[kind.a], kind.first, kind.g * (node - v1))
            np.add.at(coupled[kind.b], kind.second, kind.g * (node - v2))
            node += lowered.dt / kind.tau * ((v1 - node) + (v2 - node))
            start += len(node)
    return [coupled.get(number) for number in range(len(lowered.populations))]
