"""Who does what: tiles for parts of about the same work, and what each part draws with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.engines.numba_engine.arrays import Work
from neostriatum.engines.numba_engine.events import AHEAD, whole_vectors
from neostriatum.engines.numba_engine.memory import whole_pages, zeros_at
from neostriatum.engines.numba_engine.pack import COLUMN, COUNTS_PLACE, PAGE, RING_PLACE, TILE

if TYPE_CHECKING:
    from neostriatum.engines.lowered import LoweredCircuit
    from neostriatum.engines.numba_engine.shape import Shape

#: Where rows of noise begin in their pages.
_NOISE_PLACE = 512


def share_out(lowered: LoweredCircuit, shapes: list[Shape], first_tile: np.ndarray,
              used: np.ndarray, group: np.ndarray, parts: int, window: int, dtype: Any, kind: Any,
              ) -> tuple[Work, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Divide the tiles among parts, each gap-coupled group as one.

    Full tiles come first, then the last ones of the populations, which even out what the former
    leave; so a part still owns tiles of a population that follow each other.

    Parameters
    ----------
    lowered : LoweredCircuit
        The lowered circuit.
    shapes : list of Shape
        Of the populations.
    first_tile : numpy.ndarray
        First tile of every population, and the number of tiles.
    used : numpy.ndarray
        Cells of every tile.
    group : numpy.ndarray
        Group of gap-coupled populations, or -1.
    parts, window : int
        Parts of the work, steps of a window.
    dtype : type
        The precision.
    kind : type
        Of the ring.

    Returns
    -------
    tuple
        The work; where the counts, the noise and the arrivals that are known ahead of every tile
        begin; the owner of every tile.
    """
    cost, items, last, places = list[float](), list[Any](), list[bool](), dict[int, int]()
    for number, shape in enumerate(shapes):
        start, stop = int(first_tile[number]), int(first_tile[number + 1])
        leader = int(group[number])
        if leader < 0:
            items += [[(number, tile, tile + 1)] for tile in range(start, stop)]
            cost += list(shape.cost * used[start:stop])
            last += list(used[start:stop] < TILE)
            continue
        if leader not in places:
            places[leader] = len(items)
            items.append([])
            cost.append(0.0)
            last.append(True)
        items[places[leader]].append((number, start, stop))
        # Step by step its rows leave the first-level cache in between.
        cost[places[leader]] += 1.5 * shape.cost * float(used[start:stop].sum())
    own, owner = _owned(cost, items, last, (parts, len(lowered.populations), int(first_tile[-1])))
    counts_at, counts = _places(shapes, first_tile, group, owner, parts, COLUMN * window,
                                np.float32, lambda shape: shape.drives)
    noise_at, noise = _places(shapes, first_tile, group, owner, parts, TILE * window, dtype,
                              lambda shape: int(shape.noisy))
    ahead_at, ahead = _places(shapes, first_tile, group, owner, parts, COLUMN * window, kind,
                              lambda shape: shape.ahead)
    work = Work(own, zeros_at(COUNTS_PLACE, counts, np.float32),
                zeros_at(_NOISE_PLACE, noise, dtype), zeros_at(RING_PLACE, ahead, kind),
                np.zeros((parts, 8, AHEAD), np.uint64),
                np.zeros((parts, max(AHEAD, int(whole_vectors.py_func(window))))),
                np.full((parts, 2), -1, np.int64))
    return work, counts_at, noise_at, ahead_at, owner


def _owned(cost: list[float], items: list[Any], last: list[bool],
           sizes: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the tiles of every part by population, and the owner of every tile.

    ``items`` are tiles that stay together, with their costs and whether they come last; ``sizes``
    the numbers of parts, populations and tiles.
    """
    parts, populations, tiles = sizes
    order = np.argsort(last, kind="stable")
    costs, items = np.array(cost, float)[order], [items[n] for n in order]
    done = np.cumsum(costs) - 0.5 * costs
    chosen = np.minimum((done / max(1e-9, float(np.sum(costs))) * parts).astype(int), parts - 1)
    own, owner = np.zeros((parts, populations, 2), np.int64), np.zeros(tiles, np.int64)
    for item, part in zip(items, chosen, strict=True):
        for number, start, stop in item:
            first = own[part, number, 0] if own[part, number, 1] else start
            own[part, number] = first, stop
            owner[start:stop] = part
    return own, owner


def _places(shapes: list[Shape], first_tile: np.ndarray, group: np.ndarray, owner: np.ndarray,
            parts: int, each: int, dtype: Any, many: Any) -> tuple[np.ndarray, int]:
    """Return where every tile has its part of an array, and the size of that.

    The tiles of a part share one place, but those of gap-coupled groups, which wait for each other
    at every step, have one each.
    """
    most = whole_pages(max([1, *(many(shape) for shape in shapes)]) * each, dtype)
    at, size = owner * most, parts * most
    for number, shape in enumerate(shapes):
        if group[number] >= 0:
            start, stop = int(first_tile[number]), int(first_tile[number + 1])
            own = whole_pages(max(1, many(shape)) * each, dtype)
            at[start:stop] = size + own * np.arange(stop - start)
            size += own * (stop - start)
    return at, size + PAGE // np.dtype(dtype).itemsize
