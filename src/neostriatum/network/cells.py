"""The somas of one population in the cells of an octree, which their numbering makes ranges of ids.

Neurons of a type are numbered along a Morton curve, so the cell of level b (side over 2^b) that
holds a neuron is the range of ids whose codes share the first 3 b bits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neostriatum.caching import compiled
from neostriatum.network.place import morton

#: Bits per axis of a code; cells are no finer than this, and 8^7 of them fill 16 MB.
BITS, DEEPEST = 10, 7
#: Side of the finest cells and of the groups of sources that share a list of cells [um].
FINEST = 22.0
TOGETHER = 60.0
#: Candidates that a cell may waste on all sources of a group before it is split.
WASTE, STEP = 60.0, 1.0


@dataclass(frozen=True)
class Cells:
    """One population by cell: ``starts`` int64 holds the first id of each finest cell."""

    positions: np.ndarray
    starts: np.ndarray
    level: int
    side: float

    @classmethod
    def of(cls, positions: np.ndarray, side: float) -> Cells:
        """Return the cells of positions [um] that run along the curve over a cube of ``side``.

        Raises
        ------
        ValueError
            Positions in another order.
        """
        positions = np.ascontiguousarray(positions, np.float32)
        level = _level(side, FINEST)
        return cls(positions, _starts(_cell_of(positions, side, level), 8**level), level, side)

    def groups(self, across: float = TOGETHER) -> np.ndarray:
        """Return where each run of neurons in one cell of about ``across`` [um] begins, int64."""
        cell = _cell_of(self.positions, self.side, _level(self.side, across))
        changes = np.flatnonzero(np.diff(cell)) + 1
        return np.array([0, *changes, len(cell)], np.int64)


def _level(side: float, finest: float) -> int:
    return int(min(DEEPEST, max(0, round(np.log2(side / finest)))))


def _cell_of(positions: np.ndarray, side: float, level: int) -> np.ndarray:
    codes = morton(positions, side)
    if len(codes) and (codes[1:] < codes[:-1]).any():
        msg = "positions: must run along the curve, as place orders them"
        raise ValueError(msg)
    return (codes >> np.uint64(3 * (BITS - level))).astype(np.int64)


@compiled()
def _starts(cell, count):
    starts = np.zeros(count + 1, np.int64)
    for one in cell:
        starts[one + 1] += 1
    for n in range(count):
        starts[n + 1] += starts[n]
    return starts


@compiled()
def cover(corners, many, starts, deepest, side, periodic, reach, envelope):
    """List the cells that sources in a box can reach: first and last id, bound of the law.

    ``corners`` are the least and greatest coordinates of ``many`` sources. A cell is split while
    its bound would waste candidates. On a torus the bounds of all images are summed.
    """
    begins, ends = np.empty(256, np.int64), np.empty(256, np.int64)
    tops = np.empty(256, np.float64)
    found = 0
    images = int(reach / side) + 1 if periodic else 0
    gaps, spans = np.empty((3, 2 * images + 1)), np.empty((3, 2 * images + 1))
    levels, spots = np.empty(80, np.int64), np.empty((80, 4), np.int64)
    levels[0], spots[0, :] = 0, 0
    waiting = 1
    while waiting:
        waiting -= 1
        level, code = levels[waiting], spots[waiting, 3]
        i, j, k = spots[waiting, 0], spots[waiting, 1], spots[waiting, 2]
        shift = 3 * (deepest - level)
        first, last = starts[code << shift], starts[(code + 1) << shift]
        if first == last:
            continue
        least, most = _between(corners, (i, j, k), side / (1 << level), side, reach, envelope,
                               gaps, spans)
        if most <= 0.0:
            continue
        if level < deepest and (most - least) * (last - first) * many > WASTE + STEP * many:
            for child in range(7, -1, -1):
                x, y, z = child & 1, (child >> 1) & 1, child >> 2
                levels[waiting] = level + 1
                spots[waiting, 0], spots[waiting, 1] = 2 * i + x, 2 * j + y
                spots[waiting, 2], spots[waiting, 3] = 2 * k + z, 8 * code + child
                waiting += 1
            continue
        if found == begins.size:
            begins = np.concatenate((begins, np.empty(found, np.int64)))
            ends = np.concatenate((ends, np.empty(found, np.int64)))
            tops = np.concatenate((tops, np.empty(found, np.float64)))
        begins[found], ends[found], tops[found] = first, last, most
        found += 1
    return begins[:found], ends[:found], tops[:found]


@compiled()
def _between(corners, spot, width, side, reach, envelope, gaps, spans):
    """Return about the least and surely the most that the law is between a box and a cell."""
    images = gaps.shape[1] // 2
    ways = (0, 0, 0)
    for axis in range(3):
        low, high = corners[axis], corners[3 + axis]
        count = 0
        for image in range(-images, images + 1):
            near = spot[axis] * width + image * side
            # A margin of a thousandth of a um covers the rounding of positions and cells.
            gap = max(0.0, near - high - 1e-3, low - near - width - 1e-3)
            if gap < reach:
                gaps[axis, count] = gap * gap
                spans[axis, count] = max(near + width - low, high - near) ** 2
                count += 1
        ways = (ways[1], ways[2], count)
    least, most = 0.0, 0.0
    for a in range(ways[0]):
        for b in range(ways[1]):
            for c in range(ways[2]):
                near = np.sqrt(gaps[0, a] + gaps[1, b] + gaps[2, c])
                if near < reach:
                    most += envelope[min(int(near), envelope.size - 1)]
                    far = np.sqrt(spans[0, a] + spans[1, b] + spans[2, c]) + 1.0
                    if far < reach:
                        least += envelope[min(int(far), envelope.size - 1)]
    return min(least, 1.0), min(most, 1.0)
