"""Give every target the same number of sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import uint32

from neostriatum import jit
from neostriatum.caching import compiled
from neostriatum.errors import BuildError
from neostriatum.network.cells import cover
from neostriatum.network.edges import DELAY_UNIT
from neostriatum.threads import over_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from neostriatum.network.cells import Cells
    from neostriatum.network.edges import Block, Lag
    from neostriatum.network.wire import Box

#: Targets drawn between two looks at the progress.
CHUNK = 1 << 15


def wire_indegree(
    sources: Cells,
    targets: Cells,
    n: int,
    within: float | None,
    box: Box,
    key: tuple[int, int],
    block: Block,
    lag: Lag,
    same: bool = False,
    tell: Callable[[float], None] | None = None,
    nearest: int | None = None,
    channels: tuple[np.ndarray, ...] | None = None,
) -> np.ndarray:
    """Connect exactly ``n`` distinct sources to every target, each set as likely as any other.

    Parameters
    ----------
    sources, targets : Cells
        Both populations.
    n : int
        Sources of every target.
    within : float or None
        Distance [um] to the nearest image below which a source is eligible; None: all are.
    box, key, block, lag, same, tell
        As in `wire`.
    nearest : int, optional
        Only so many sources that are nearest to the target are eligible.
    channels : (numpy.ndarray, numpy.ndarray), optional
        Channel of every source and every target, int64: only sources of the target's channel are
        eligible, or all where it is in none (-1).

    Returns
    -------
    numpy.ndarray
        int64, shape (sources + 1,): where each row begins.

    Raises
    ------
    BuildError
        Fewer eligible sources than ``n``, or a delay that cannot be stored.
    """
    count = len(targets.positions)
    chosen = np.empty((count, n), np.int32)
    space = (box.side, box.periodic, np.inf if within is None else within)
    nothing = np.zeros(0, np.int64)
    limits = (nearest or 0, *(channels or (nothing, nothing)))
    for first in range(0, count, CHUNK):
        last = min(first + CHUNK, count)
        eligible = np.zeros(last - first, np.int64)
        over_rows(last - first, _choose, first, targets.positions, sources.positions,
                  sources.starts, sources.level, space, limits, key, same, chosen[first:last],
                  eligible)
        check_indegree(lag.where.removesuffix(".delay"), n, int(eligible.min()), within,
                       channels is not None)
        if tell is not None:
            tell(last / count)
    offsets = np.zeros(len(sources.positions) + 1, np.int64)
    np.cumsum(np.bincount(chosen.ravel(), minlength=len(sources.positions)), out=offsets[1:])
    span = _by_source(chosen, offsets[:-1].copy(), sources.positions, targets.positions, space,
                      (lag.offset, lag.velocity), *block.take(chosen.size))
    if chosen.size:
        lag.check(*span)
    return offsets


def check_indegree(where: str, n: int, eligible: int, within: float | None = None,
                   by_channel: bool = False) -> None:
    """Raise BuildError if a target of the pathway at ``where`` has fewer sources than ``n``."""
    if eligible < n:
        reach = "" if within is None else f" within {within:g} um"
        reach += " in its channel" if by_channel else ""
        msg = (f"{where}.wiring.n: must be at most the sources of every target{reach} "
               f"(got {n}, one has {eligible}). Lower it")
        raise BuildError(msg)


@compiled()
def _choose(start, stop, first, targets, sources, starts, level, space, limits, key, same, chosen,
            eligible):
    nearest, source_channel, target_channel = limits
    away = np.empty(sources.shape[0] if nearest > 0 else 0)
    taken, pool = np.zeros(sources.shape[0], np.bool_), np.empty(sources.shape[0], np.int32)
    for row in range(start, stop):
        target = first + row
        if nearest > 0:
            count = _near(target, (targets, sources, starts, level), space, (nearest, same),
                          (away, pool))
        else:
            count = _pool(target, targets, sources, starts, level, space, same, pool)
        if source_channel.size > 0 and target_channel[target] >= 0:
            if not (same or np.isfinite(space[2]) or nearest > 0):
                for n in range(count):
                    pool[n] = n
            count = _of_channel(target_channel[target], source_channel, count, pool)
            picked = True
        else:
            picked = same or np.isfinite(space[2]) or nearest > 0
        eligible[row] = count
        if count >= chosen.shape[1]:
            _sample(target, count, key, taken, chosen[row])
            if picked:
                for n in range(chosen.shape[1]):
                    chosen[row, n] = pool[chosen[row, n]]


@compiled()
def _pool(target, targets, sources, starts, level, space, same, pool):
    """List the eligible sources of a target, where not all are; return how many there are."""
    side, periodic, within = space
    if not np.isfinite(within):
        if not same:
            return sources.shape[0]
        for n in range(sources.shape[0] - 1):
            pool[n] = n + (n >= target)
        return sources.shape[0] - 1
    corners = np.empty(6)
    for axis in range(3):
        corners[axis] = corners[3 + axis] = targets[target, axis]
    begins, ends, _ = cover(corners, 1, starts, level, side, periodic, within, np.ones(1))
    count = 0
    for cell in range(begins.size):
        for source in range(begins[cell], ends[cell]):
            if not (same and source == target) and _apart(
                    sources[source], targets[target], side, periodic) < within:
                pool[count] = source
                count += 1
    return count


@compiled()
def _of_channel(channel, channels, count, pool):
    """Keep the sources of one channel among those listed; return how many there are."""
    kept = 0
    for n in range(count):
        if channels[pool[n]] == channel:
            pool[kept] = pool[n]
            kept += 1
    return kept


@compiled()
def _near(target, places, space, limits, into):
    """List the sources nearest to a target, by id; of equally far ones the lower ids."""
    targets, sources, starts, level = places
    nearest, same = limits
    away, pool = into
    side, periodic, _ = space
    everything = sources.shape[0] - same
    # A ball that would hold half as many again if they lay evenly, and larger ones while it is
    # too small.
    reach = side * (1.5 * nearest / everything / 4.19) ** (1.0 / 3.0)
    count = 0
    while True:
        count = _pool(target, targets, sources, starts, level, (side, periodic, reach), same, pool)
        if count >= min(nearest, everything):
            break
        reach *= 1.3
    for n in range(count):
        away[n] = _apart(sources[pool[n]], targets[target], side, periodic)
    if count <= nearest:
        return count
    limit = np.partition(away[:count], nearest - 1)[nearest - 1]
    closer = 0
    for n in range(count):
        closer += away[n] < limit
    kept, ties = 0, nearest - closer
    for n in range(count):
        if away[n] < limit or (away[n] == limit and ties > 0):
            ties -= away[n] == limit
            pool[kept] = pool[n]
            kept += 1
    return kept


@compiled()
def _apart(one, other, side, periodic):
    total = 0.0
    for axis in range(3):
        away = np.float64(one[axis]) - np.float64(other[axis])
        if periodic:
            away -= side * np.rint(away / side)
        total += away * away
    return np.sqrt(total)


@compiled()
def _sample(target, count, key, taken, chosen):
    """Draw distinct numbers below ``count`` by Floyd's algorithm, one word each."""
    n = chosen.size
    words = (uint32(0), uint32(0), uint32(0), uint32(0))
    for draw in range(n):
        if draw % 4 == 0:
            words = jit.philox(uint32(key[0]), uint32(key[1]), uint32(draw // 4), uint32(target),
                               uint32(0), uint32(0))
        top = count - n + draw
        one = (np.int64(words[draw % 4]) * (top + 1)) >> 32
        if taken[one]:
            one = top
        taken[one] = True
        chosen[draw] = one
    for draw in range(n):
        taken[chosen[draw]] = False


@compiled()
def _by_source(chosen, at, sources, targets, space, lag, into, lags):
    """Sort the synapses by source; targets come in order, so rows are sorted by themselves."""
    side, periodic, _ = space
    nearest, farthest = np.inf, -np.inf
    for target in range(chosen.shape[0]):
        for n in range(chosen.shape[1]):
            source = chosen[target, n]
            distance = _apart(sources[source], targets[target], side, periodic)
            units = np.rint((lag[0] + distance / lag[1]) / DELAY_UNIT)
            into[at[source]] = target
            lags[at[source]] = np.uint8(min(max(units, 0.0), 255.0))
            at[source] += 1
            nearest, farthest = min(nearest, distance), max(farthest, distance)
    return nearest, farthest
