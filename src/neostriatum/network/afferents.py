"""Give every target its axons: some from groups that are its home, the rest from all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import uint32

from neostriatum import jit
from neostriatum.caching import compiled
from neostriatum.errors import BuildError
from neostriatum.network.edges import DELAY_UNIT
from neostriatum.network.groups import shared_channels
from neostriatum.network.indegree import check_indegree
from neostriatum.threads import STRETCHES, over_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from neostriatum.circuit.model import Circuit
    from neostriatum.circuit.pathway import Home
    from neostriatum.network.edges import Block, Lag
    from neostriatum.network.groups import Groups
    from neostriatum.network.wire import Box

#: Counter word 2 of what is not a source: home groups, and cells at the centres of groups.
HOME, CENTRE = 1, 2


def wire_axons(name: str, circuit: Circuit, groups: Groups, positions: np.ndarray,
               everyone: np.ndarray, box: Box, seed: int, keys: dict[str, tuple[int, int]],
               block: Block, lag: Lag, tell: Callable[[float], None]) -> np.ndarray:
    """Connect axons to the cells of a type, and add the synapses to a block.

    Parameters
    ----------
    name : str
        ``"axons->type"``, a pathway of the circuit.
    circuit : Circuit
        What is wired.
    groups : Groups
        Of the axons.
    positions, everyone : numpy.ndarray
        Of the cells of the type, and of all cells [um].
    box : Box
        The cube around them.
    seed : int
        Master seed.
    keys : dict
        Philox keys: "wire" of the pathway, "centres" of the axons.
    block, lag, tell
        As in `wire`.

    Returns
    -------
    numpy.ndarray
        int64, shape (axons + 1,): where each row begins.

    Raises
    ------
    BuildError
        Fewer axons or groups than a target needs.
    """
    source, target = name.split("->")
    wiring: Any = circuit.pathways[name].wiring
    where, count = f"{circuit.name}: pathways.{name}", len(positions)
    spans = _spans(circuit, source, target, groups, count, seed, bool(wiring.same_channel))
    own = np.diff(groups.starts[spans], axis=1)
    if count:
        check_indegree(where, wiring.n, int(own.min()))
    home = round(wiring.n * wiring.home.share.value) if wiring.home else 0
    homes = np.zeros((count, 0), np.int32)
    if home:
        homes = _homes(where, wiring.home, home, groups, spans, positions, everyone, box, keys)
    chosen = np.empty((count, wiring.n), np.int32)
    over_rows(count, _choose, keys["wire"], groups.starts, spans, homes, home, chosen)
    tell(0.7)
    lag.check(0.0, 0.0)
    targets, delays = block.take(chosen.size)
    delays[:] = np.uint8(np.rint(lag.offset / DELAY_UNIT))
    offsets = _by_source(chosen, int(groups.starts[-1]), targets)
    tell(1.0)
    return offsets


def _spans(circuit: Circuit, source: str, target: str, groups: Groups, count: int, seed: int,
           same: bool) -> np.ndarray:
    """Return the first group of every target and the one past the last, int64 (count, 2)."""
    everything = np.array([0, len(groups)], np.int64)
    if not same:
        return np.broadcast_to(everything, (count, 2)).copy()
    names = list(circuit.channels)
    # A cell of no channel of the axons listens to all of them.
    table = np.stack([np.array(groups.of_channel(name), np.int64) if name in groups.names
                      else everything for name in names] + [everything])
    return table[shared_channels(circuit, target, count, seed)]


def _homes(where: str, home: Home, needed: int, groups: Groups, spans: np.ndarray,
           positions: np.ndarray, everyone: np.ndarray, box: Box,
           keys: dict[str, tuple[int, int]]) -> np.ndarray:
    """Return the home groups of every target, int32 (count, groups)."""
    count, few = len(positions), int(np.diff(spans, axis=1).min(initial=len(groups)))
    if home.groups > few:
        msg = (f"{where}.wiring.home.groups: must be at most the groups that a target can have "
               f"(got {home.groups} of {few}). Lower it")
        raise BuildError(msg)
    each, smallest = -(-needed // home.groups), int(np.diff(groups.starts).min())
    if each > smallest:
        msg = (f"{where}.wiring.home.share: must take at most the axons of a group "
               f"(got {each} of {smallest}). Take more home groups or a smaller share")
        raise BuildError(msg)
    homes = np.empty((count, home.groups), np.int32)
    if home.by == "random":
        over_rows(count, _choose_homes, keys["wire"], spans, homes)
        return homes
    from scipy.spatial import cKDTree

    centres = everyone[_centres(keys["centres"], len(groups), len(everyone))].astype(np.float64)
    for low, high in np.unique(spans, axis=0).tolist():
        tree = cKDTree(centres[low:high] % box.side if box.periodic else centres[low:high],
                       boxsize=box.side if box.periodic else None)
        mine = np.flatnonzero((spans[:, 0] == low) & (spans[:, 1] == high))
        points = positions[mine].astype(np.float64)
        _, near = tree.query(points % box.side if box.periodic else points,
                             k=np.arange(1, home.groups + 1))
        homes[mine] = low + near
    return homes


def _centres(key: tuple[int, int], groups: int, cells: int) -> np.ndarray:
    """Return the cell at the centre of every group, so that centres lie inside any volume."""
    from neostriatum import rng

    return rng.below(rng.philox(key, 0, np.arange(groups), CENTRE)[0], cells)


@compiled()
def _choose_homes(start, stop, key, spans, homes):
    """Draw distinct home groups for every target."""
    for row in range(start, stop):
        low, count, draw, found = spans[row, 0], spans[row, 1] - spans[row, 0], 0, 0
        while found < homes.shape[1]:
            words = jit.philox(uint32(key[0]), uint32(key[1]), uint32(draw), uint32(row),
                               uint32(HOME), uint32(0))
            group, new = low + ((np.int64(words[0]) * count) >> 32), True
            for n in range(found):
                new = new and homes[row, n] != group
            if new:
                homes[row, found] = group
                found += 1
            draw += 1


@compiled()
def _choose(start, stop, key, starts, spans, homes, home, chosen):
    """Draw distinct axons for every target, those of its home groups first; drawn twice, again."""
    n, groups = chosen.shape[1], homes.shape[1]
    taken = np.zeros(starts[-1], np.bool_)
    for row in range(start, stop):
        draw, found = 0, 0
        words = (uint32(0), uint32(0), uint32(0), uint32(0))
        for part in range(groups + 1):
            if part < groups:
                group = homes[row, part]
                low, count, end = starts[group], starts[group + 1] - starts[group], (
                    home * (part + 1) // groups)
            else:
                low, count, end = starts[spans[row, 0]], (
                    starts[spans[row, 1]] - starts[spans[row, 0]]), n
            while found < end:
                if draw % 4 == 0:
                    words = jit.philox(uint32(key[0]), uint32(key[1]), uint32(draw // 4),
                                       uint32(row), uint32(0), uint32(0))
                axon = low + ((np.int64(words[draw % 4]) * count) >> 32)
                draw += 1
                if not taken[axon]:
                    taken[axon] = True
                    chosen[row, found] = axon
                    found += 1
        for k in range(n):
            taken[chosen[row, k]] = False


def _by_source(chosen: np.ndarray, axons: int, into: np.ndarray) -> np.ndarray:
    """Sort synapses by axon, in stretches of targets; rows are then sorted by target."""
    cuts = np.linspace(0, len(chosen), min(len(chosen), STRETCHES) + 1).astype(np.int64)
    counts = np.zeros((len(cuts) - 1, axons), np.int64)
    over_rows(len(counts), _count, cuts, chosen, counts)
    offsets = np.zeros(axons + 1, np.int64)
    np.cumsum(counts.sum(axis=0), out=offsets[1:])
    at = np.cumsum(counts, axis=0) - counts + offsets[:-1]
    over_rows(len(counts), _sort, cuts, chosen, at, into)
    return offsets


@compiled()
def _count(start, stop, cuts, chosen, counts):
    for stretch in range(start, stop):
        for row in range(cuts[stretch], cuts[stretch + 1]):
            for n in range(chosen.shape[1]):
                counts[stretch, chosen[row, n]] += 1


@compiled()
def _sort(start, stop, cuts, chosen, at, into):
    for stretch in range(start, stop):
        mine = at[stretch]
        for row in range(cuts[stretch], cuts[stretch + 1]):
            for n in range(chosen.shape[1]):
                axon = chosen[row, n]
                into[mine[axon]] = row
                mine[axon] += 1
