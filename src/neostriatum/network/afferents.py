"""Give every target its axons: some from groups that are its home, the rest from all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import uint32

from neostriatum import jit, rng
from neostriatum.caching import compiled
from neostriatum.errors import BuildError
from neostriatum.network.edges import DELAY_UNIT
from neostriatum.network.groups import shared_channels
from neostriatum.network.indegree import check_indegree
from neostriatum.rng import stream
from neostriatum.threads import STRETCHES, over_rows

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit
    from neostriatum.circuit.pathway import FixedIndegree, Home
    from neostriatum.network.edges import Block, Lag
    from neostriatum.network.groups import Groups
    from neostriatum.network.wire import Box

#: Counter word 2 of home groups; that of axons is 0.
HOME = 1


class Choosing(NamedTuple):
    """What axons are chosen by: the pathway's key, groups, and those of every target.

    ``spans`` (n, 2) are the first group that a target can have and the one past the last,
    ``homes`` (n, h) its home groups, of which ``home`` axons come.
    """

    key: tuple[int, int]
    starts: np.ndarray
    spans: np.ndarray
    homes: np.ndarray
    home: int


@dataclass(frozen=True)
class AxonWiring:
    """What decides which axons every cell has.

    ``groups`` are those of every population of axons, ``positions`` of all cells [um].
    """

    circuit: Circuit
    groups: dict[str, Groups]
    positions: np.ndarray
    box: Box
    seed: int

    def connect(self, name: str, targets: np.ndarray, block: Block, lag: Lag) -> np.ndarray:
        """Connect axons to the cells of a type, and add the synapses to a block.

        Parameters
        ----------
        name : str
            ``"axons->type"``, a pathway of the circuit.
        targets : numpy.ndarray
            Positions of the cells of the type [um].
        block, lag
            As in `wire`.

        Returns
        -------
        numpy.ndarray
            int64, shape (axons + 1,): where each row begins. Of axons without identity, which have
            no synapses, the `Network.homes` of the pathway.

        Raises
        ------
        BuildError
            Fewer axons or groups than a target needs.
        """
        source = name.split("->")[0]
        wiring: Any = self.circuit.pathways[name].wiring
        where, groups = f"{self.circuit.name}: pathways.{name}", self.groups[source]
        spans, key = self._spans(name, len(targets)), stream(self.seed, "wire", name)
        if len(targets):
            check_indegree(where, wiring.n, int(np.diff(groups.starts[spans], axis=1).min()))
        home = from_home(wiring)
        homes = np.zeros((len(targets), 0), np.int32)
        if home:
            _check_homes(f"{where}.wiring.home", wiring.home, home, groups, spans)
            homes = self._homes(name, spans, targets)
        if not self.circuit.axons[source].identity:
            return np.hstack([homes, spans.astype(np.int32)])
        chosen = np.empty((len(targets), wiring.n), np.int32)
        over_rows(len(targets), _choose, Choosing(key, groups.starts, spans, homes, home), chosen)
        lag.check(0.0, 0.0)
        into, delays = block.take(chosen.size)
        delays[:] = np.uint8(np.rint(lag.offset / DELAY_UNIT))
        return _by_source(chosen, int(groups.starts[-1]), into)

    def _spans(self, name: str, count: int) -> np.ndarray:
        """Return the first group that every target can have and the one past the last."""
        source, cell = name.split("->")
        groups, wiring = self.groups[source], self.circuit.pathways[name].wiring
        everything = np.array([0, len(groups)], np.int64)
        if not getattr(wiring, "same_channel", False):
            return np.broadcast_to(everything, (count, 2)).copy()
        # A cell of no channel of the axons listens to all of them.
        table = np.stack([np.array(groups.of_channel(channel), np.int64)
                          if channel in groups.names else everything
                          for channel in self.circuit.channels] + [everything])
        return table[shared_channels(self.circuit, cell, count, self.seed)]

    def _homes(self, name: str, spans: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Return the home groups of every target, int32 (count, groups)."""
        source = name.split("->")[0]
        wiring: Any = self.circuit.pathways[name].wiring
        home = wiring.home
        homes = np.empty((len(targets), home.groups), np.int32)
        if home.by == "random":
            over_rows(len(targets), _choose_homes, stream(self.seed, "wire", name), spans, homes)
            return homes
        # A cell is at the centre of every group, so that centres lie inside any volume.
        words = rng.philox(stream(self.seed, "axon centres", source), 0,
                           np.arange(len(self.groups[source])))
        lying = self.positions[np.isfinite(self.positions[:, 0])]
        centres = lying[rng.below(words[0], len(lying))]
        side = self.box.side if self.box.periodic else np.inf
        over_rows(len(targets), _nearest, spans, targets, centres, side, homes)
        return homes


def from_home(wiring: FixedIndegree) -> int:
    """Return how many axons of a cell are of its home groups."""
    return round(wiring.n * wiring.home.share.value) if wiring.home else 0


def _check_homes(where: str, home: Home, needed: int, groups: Groups, spans: np.ndarray) -> None:
    few = int(np.diff(spans, axis=1).min(initial=len(groups)))
    if home.groups > few:
        msg = (f"{where}.groups: must be at most the groups that a target can have "
               f"(got {home.groups} of {few}). Lower it")
        raise BuildError(msg)
    each, smallest = -(-needed // home.groups), int(np.diff(groups.starts).min())
    if each > smallest:
        msg = (f"{where}.share: must take at most the axons of a group "
               f"(got {each} of {smallest}). Take more home groups or a smaller share")
        raise BuildError(msg)


@compiled()
def _nearest(start, stop, spans, targets, centres, side, homes):
    """Find the home groups of every target whose centres are nearest to it."""
    best = np.empty(homes.shape[1])
    for row in range(start, stop):
        best[:] = np.inf
        for group in range(spans[row, 0], spans[row, 1]):
            square = 0.0
            for axis in range(3):
                away = np.float64(centres[group, axis]) - np.float64(targets[row, axis])
                if side < np.inf:
                    away -= side * np.rint(away / side)
                square += away * away
            at = homes.shape[1]
            while at > 0 and square < best[at - 1]:
                at -= 1
                if at + 1 < homes.shape[1]:
                    best[at + 1], homes[row, at + 1] = best[at], homes[row, at]
            if at < homes.shape[1]:
                best[at], homes[row, at] = square, group


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
def _choose(start, stop, choosing, chosen):
    """Draw distinct axons for every target, those of its home groups first; drawn twice, again."""
    key, starts, spans, homes, home = choosing
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
    over_rows(len(counts), _sort, (cuts, at), chosen, into)
    return offsets


@compiled()
def _count(start, stop, cuts, chosen, counts):
    for stretch in range(start, stop):
        for row in range(cuts[stretch], cuts[stretch + 1]):
            for n in range(chosen.shape[1]):
                counts[stretch, chosen[row, n]] += 1


@compiled()
def _sort(first, last, cuts_and_places, chosen, into):
    cuts, at = cuts_and_places
    for stretch in range(first, last):
        mine = at[stretch]
        for row in range(cuts[stretch], cuts[stretch + 1]):
            for n in range(chosen.shape[1]):
                axon = chosen[row, n]
                into[mine[axon]] = row
                mine[axon] += 1
