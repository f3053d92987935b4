"""Draw the synapses of one pathway, the same ones at any number of threads.

A pair is connected with the probability of the law at its distance, independently of all others.
To find the few that are without looking at all, every source walks through the cells that it can
reach. A cell has a bound, the most that the law can be in it; a jump to the next candidate is
drawn from the bound, and the candidate accepted with the law over the bound. On a torus the law
is summed over the periodic images within its reach, and the image whose share holds the draw
gives the distance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit, uint32

from neostriatum import jit
from neostriatum.caching import compiled, inner
from neostriatum.network.cells import Cells, cover
from neostriatum.network.edges import DELAY_UNIT, Block, Lag
from neostriatum.network.law import FIXED, Rule, probability
from neostriatum.threads import over_rows

if TYPE_CHECKING:
    from collections.abc import Callable

#: Entries of the scratch memory that rows are drawn into.
SCRATCH = 1 << 23
#: Bound above which every target of a cell is tested.
DIRECT = 0.5
#: Philox blocks drawn at a time; each serves two candidates.
_BATCH = 16


@dataclass(frozen=True)
class Box:
    """The cube around the neurons: side [um], and whether opposite faces meet."""

    side: float
    periodic: bool


def wire(
    sources: Cells,
    targets: Cells,
    rule: Rule,
    box: Box,
    key: tuple[int, int],
    block: Block,
    lag: Lag,
    same: bool = False,
    once: bool = False,
    tell: Callable[[float], None] | None = None,
) -> np.ndarray:
    """Connect ``sources`` to ``targets`` by ``rule``, and add the synapses to ``block``.

    Parameters
    ----------
    sources, targets : Cells
        Both populations.
    rule : Rule
        Probability by distance.
    box : Box
        The volume.
    key : (int, int)
        Philox key of the pathway.
    block : Block
        Receives targets, sorted within each row, and delays.
    lag : Lag
        Delay by distance.
    same : bool
        Whether both are the same population: a neuron does not contact itself.
    once : bool
        Whether only pairs with source < target are drawn (gap junctions within a type).
    tell : callable, optional
        Called with the share of the sources that is done.

    Returns
    -------
    numpy.ndarray
        int64, shape (sources + 1,): where each row begins, counted from the pathway's first.

    Raises
    ------
    BuildError
        A delay that cannot be stored.
    """
    low, high = rule.bounds()
    law = (rule.kind, rule.constants, rule.reach, low, high, rule.envelope())
    space = (box.side, box.periodic)
    groups, n = sources.groups(), len(sources.positions)
    counts = np.zeros(n + 1, np.int64)
    span = np.array([np.inf, -np.inf])
    # A first guess of the longest row; where one is longer its chunk is drawn again.
    room = int(min(len(targets.positions), 2 * _mean(rule, targets) + 64)) + 1
    at = 0
    while at < len(groups) - 1 and n:
        # As many whole groups as fit, at least one.
        stop = int(np.searchsorted(groups, groups[at] + SCRATCH // room, side="right")) - 1
        stop = max(at + 1, stop)
        first, last = int(groups[at]), int(groups[stop])
        found = np.empty((last - first, room), np.int32)
        delays = np.empty(found.shape, np.uint8)
        counted, limits = counts[first + 1 : last + 1], np.empty((stop - at, 2))
        over_rows(stop - at, _rows, groups[at : stop + 1], sources.positions, targets.positions,
                  targets.starts, targets.level, space, law, key, (same, once),
                  (lag.offset, lag.velocity), found, delays, counted, limits)
        if counted.max() > room:
            room = int(max(2 * room, counted.max()))
            continue
        span = np.array([min(span[0], limits[:, 0].min()), max(span[1], limits[:, 1].max())])
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(counted)])
        over_rows(last - first, _gather, found, delays, offsets, *block.take(int(offsets[-1])))
        at = stop
        if tell is not None:
            tell(last / n)
    if span[0] <= span[1]:
        lag.check(*span)
    return np.cumsum(counts)


def _mean(rule: Rule, targets: Cells) -> float:
    """Return about how many of ``targets`` a source of their density connects to."""
    if rule.kind == FIXED:
        return rule(0.0) * len(targets.positions)
    return rule.partners() * len(targets.positions) / targets.side**3


@compiled()
def _rows(start, stop, groups, sources, targets, starts, level, space, law, key, flags, lag, found,
          delays, counted, limits):
    side, periodic = space
    kind, constants, reach, low, high, envelope = law
    for group in range(start, stop):
        first, last = groups[group], groups[group + 1]
        if kind == FIXED:
            begins, ends = np.zeros(1, np.int64), np.full(1, targets.shape[0])
            tops = np.full(1, constants[0])
        else:
            begins, ends, tops = cover(_corners(sources, first, last), last - first, starts,
                                       level, side, periodic, reach, envelope)
        hazards = np.zeros(tops.size)
        for n in range(tops.size):
            if tops[n] < DIRECT:
                hazards[n] = -jit.log(1.0 - tops[n])
        jumps, draws = np.empty(2 * _BATCH), np.empty(2 * _BATCH)
        limits[group, 0], limits[group, 1] = np.inf, -np.inf
        _group(first, last, groups[0], sources, targets, begins, ends, tops, hazards, side,
               periodic, kind, constants, reach, low, high, key, flags, lag, found, delays,
               counted, jumps, draws, limits[group])


# Not counted: threads that count who holds an array, source by source, wait for each other.
@inner
def _group(first, last, row0, sources, targets, begins, ends, tops, hazards, side, periodic, kind,
           constants, reach, low, high, key, flags, lag, found, delays, counted, jumps, draws,
           limits):
    """Walk the sources of one group through the cells that they share."""
    for source in range(first, last):
        row = source - row0
        counted[row] = _row(source, sources, targets, begins, ends, tops, hazards, side, periodic,
                            kind, constants, reach, low, high, key, flags, lag, row, found, delays,
                            jumps, draws, limits)


@compiled()
def _corners(positions, first, last):
    corners = np.empty(6)
    for axis in range(3):
        corners[axis], corners[3 + axis] = np.inf, -np.inf
        for n in range(first, last):
            corners[axis] = min(corners[axis], positions[n, axis])
            corners[3 + axis] = max(corners[3 + axis], positions[n, axis])
    return corners


@inner
def _row(source, sources, targets, begins, ends, tops, hazards, side, periodic, kind, constants,
         reach, low, high, key, flags, lag, row, found, delays, jumps, draws, limits):
    """Walk one source through its cells; return how many targets it has, stored or not."""
    k0, k1 = uint32(key[0]), uint32(key[1])
    same, once = flags
    x, y, z = (np.float64(sources[source, 0]), np.float64(sources[source, 1]),
               np.float64(sources[source, 2]))
    count, group = 0, -1
    words = (uint32(0), uint32(0), uint32(0), uint32(0))
    _batch(k0, k1, 0, source, jumps, draws)
    candidate = 0
    # What is left of the jump, in units of -log(1 - bound) summed over the targets passed.
    left = jumps[0]
    for cell in range(begins.size):
        target, end, top, hazard = begins[cell], ends[cell], tops[cell], hazards[cell]
        direct, pace = top >= DIRECT, 1.0 / hazard
        while target < end:
            if direct:
                if target // 4 != group:
                    group = target // 4
                    words = jit.philox(k0, k1, uint32(group), uint32(source), uint32(1), uint32(0))
                u = np.float64(words[target % 4]) * 2.0**-32
                if u >= top:
                    target += 1
                    continue
            else:
                mass = hazard * (end - target)
                if left >= mass:
                    left -= mass
                    break
                target = min(target + int(left * pace), end - 1)
                u = draws[candidate & (2 * _BATCH - 1)] * top
                candidate += 1
                if candidate & (2 * _BATCH - 1) == 0:
                    _batch(k0, k1, candidate // 2, source, jumps, draws)
                left = jumps[candidate & (2 * _BATCH - 1)]
            if not ((same and target == source) or (once and target <= source)):
                distance = _distance(u, np.float64(targets[target, 0]) - x,
                                     np.float64(targets[target, 1]) - y,
                                     np.float64(targets[target, 2]) - z, side, periodic, kind,
                                     constants, reach, low, high)
                if distance >= 0.0:
                    if count < found.shape[1]:
                        found[row, count] = target
                        units = np.rint((lag[0] + distance / lag[1]) / DELAY_UNIT)
                        delays[row, count] = np.uint8(min(max(units, 0.0), 255.0))
                    limits[0] = min(limits[0], distance)
                    limits[1] = max(limits[1], distance)
                    count += 1
            target += 1
    return count


@inner
def _batch(k0, k1, first, source, jumps, draws):
    """Draw the jumps (exponential, mean 1) and uniforms of the next candidates, two a block."""
    for n in range(_BATCH):
        a, b, c, d = jit.philox(k0, k1, uint32(first + n), uint32(source), uint32(0), uint32(0))
        jumps[2 * n], draws[2 * n] = np.float64(a), np.float64(b) * 2.0**-32
        jumps[2 * n + 1], draws[2 * n + 1] = np.float64(c), np.float64(d) * 2.0**-32
    # A loop of its own: the compiler makes vectors of it.
    for n in range(2 * _BATCH):
        jumps[n] = -jit.log((jumps[n] + 0.5) * 2.0**-32)


@njit(inline="always")
def _nearest(away, side):
    """Return the shortest of a difference and its images."""
    if away > 0.5 * side:
        return away - side
    return away + side if away < -0.5 * side else away


# Inlined, with its arrays one by one: numba counts references whenever it passes them on.
@njit(inline="always")
def _distance(u, dx, dy, dz, side, periodic, kind, constants, reach, low, high):
    """Return the distance of the image whose share of the law holds ``u``, -1 where none does."""
    if periodic:
        dx, dy, dz = _nearest(dx, side), _nearest(dy, side), _nearest(dz, side)
    if periodic and kind != FIXED and 2.0 * reach > side:
        return _winner(u, dx, dy, dz, side, kind, constants, reach, low, high)
    distance = np.sqrt(dx * dx + dy * dy + dz * dz)
    if kind == FIXED:
        return distance if u < constants[0] else -1.0
    if distance >= reach:
        return -1.0
    # The bounds decide nearly all pairs as the law would.
    if u < low[int(distance)]:
        return distance
    if u >= high[int(distance)] or u >= probability(kind, constants, reach, distance):
        return -1.0
    return distance


@inner
def _winner(u, dx, dy, dz, side, kind, constants, reach, low, high):
    """Let the images have their shares one after another, the nearest first."""
    nearest = np.sqrt(dx * dx + dy * dy + dz * dz)
    if nearest < reach and u < low[int(nearest)]:
        return nearest
    images = int(reach / side + 0.5)
    for exact in range(2):
        total = 0.0
        if nearest < reach:
            total = (probability(kind, constants, reach, nearest) if exact
                     else high[int(nearest)])
            if exact and u < total:
                return nearest
        for i in range(-images, images + 1):
            x2 = (dx + i * side) ** 2
            for j in range(-images, images + 1):
                y2 = x2 + (dy + j * side) ** 2
                if y2 >= reach * reach:
                    continue
                for k in range(-images, images + 1):
                    square = y2 + (dz + k * side) ** 2
                    if square >= reach * reach or (i == 0 and j == 0 and k == 0):
                        continue
                    distance = np.sqrt(square)
                    if distance >= reach:
                        continue
                    if not exact:
                        total += high[int(distance)]
                        continue
                    total += probability(kind, constants, reach, distance)
                    if u < total:
                        return distance
        # Even the most that its images can add does not connect the pair.
        if u >= total:
            return -1.0
    return -1.0


@compiled()
def _gather(start, stop, found, delays, offsets, into, lags):
    for row in range(start, stop):
        first, count = offsets[row], offsets[row + 1] - offsets[row]
        for n in range(count):
            into[first + n] = found[row, n]
            lags[first + n] = delays[row, n]
