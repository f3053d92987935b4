"""Draw the synapses of one pathway, the same ones at any number of threads.

The draw of a pair is a function of (seed, pathway, source, target) alone. On a torus the law is
summed over the periodic images within its reach, and the image that wins gives the distance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import prange, uint32

from neostriatum import jit
from neostriatum.caching import compiled
from neostriatum.network.law import FIXED, Rule, probability

#: Sources wired at a time; bounds the scratch memory.
CHUNK = 256


@dataclass(frozen=True)
class Box:
    """The cube that neurons live in: side [um], and whether opposite faces meet."""

    side: float
    periodic: bool

    def images(self, reach: float) -> int:
        """Return how many periodic images to each side lie within ``reach`` [um] of a neuron."""
        finite = self.periodic and np.isfinite(reach)
        return int(np.ceil((reach + 0.5 * self.side) / self.side - 1.0)) if finite else 0

    def tail(self, reach: float, ceilings: np.ndarray) -> float:
        """Return the most that the images other than the nearest can add to a law."""
        images = self.images(reach)
        steps = np.arange(-images, images + 1)
        nearest = np.maximum(np.abs(steps) - 0.5, 0.0) * self.side
        i, j, k = np.meshgrid(nearest, nearest, nearest)
        away = np.sqrt(i * i + j * j + k * k)
        away = away[(away > 0) & (away < reach)]
        return float(ceilings[np.minimum(away.astype(int), len(ceilings) - 1)].sum())


@dataclass(frozen=True)
class Contacts:
    """Connections in CSR form: offsets int64 (n+1,), targets int32 and distances float32 (m,)."""

    offsets: np.ndarray
    targets: np.ndarray
    distances: np.ndarray


def wire(
    sources: np.ndarray,
    targets: np.ndarray,
    rule: Rule,
    box: Box,
    key: tuple[int, int],
    same: bool = False,
    once: bool = False,
) -> Contacts:
    """Connect ``sources`` to ``targets`` by ``rule``.

    Parameters
    ----------
    sources, targets : numpy.ndarray
        Positions [um], shapes (n, 3) and (m, 3).
    rule : Rule
        Probability by distance.
    box : Box
        The volume.
    key : (int, int)
        Philox key of the pathway.
    same : bool
        Whether both are the same population: a neuron does not contact itself.
    once : bool
        Whether only pairs with source < target are drawn (gap junctions).

    Returns
    -------
    Contacts
        Targets sorted within each row.
    """
    ceilings = rule.ceilings()
    images = box.images(rule.reach)
    tail = box.tail(rule.reach, ceilings)
    flags = (np.int64(same), np.int64(once), np.int64(box.periodic), np.int64(images))
    places = np.ascontiguousarray(targets, np.float64)
    counts, found, spans = [np.zeros(1, np.int64)], [], []
    for start in range(0, len(sources), CHUNK):
        mine = np.ascontiguousarray(sources[start : start + CHUNK], np.float64)
        shape = (len(mine), len(targets))
        scratch, distance = np.empty(shape, np.int32), np.empty(shape, np.float32)
        counted = _rows(mine, start, places, rule.kind, rule.constants, rule.reach, ceilings,
                        tail, box.side, flags, key[0], key[1], scratch, distance)
        kept = np.arange(shape[1]) < counted[:, None]
        counts.append(counted)
        found.append(scratch[kept])
        spans.append(distance[kept])
    offsets = np.cumsum(np.concatenate(counts))
    empty = np.zeros(0, np.int32)
    return Contacts(offsets, np.concatenate([empty, *found]).astype(np.int32),
                    np.concatenate([empty.astype(np.float32), *spans]))


@compiled(parallel=True)
def _rows(sources, first, targets, kind, constants, reach, ceilings, tail, side, flags, k0, k1,
          found, spans):
    same, once, periodic, images = flags
    counted = np.zeros(sources.shape[0], np.int64)
    for row in prange(sources.shape[0]):
        source = first + row
        count = 0
        words = (uint32(0), uint32(0), uint32(0), uint32(0))
        group = -1
        for target in range(targets.shape[0]):
            if (same and source == target) or (once and target <= source):
                continue
            if target // 4 != group:
                group = target // 4
                words = jit.philox(uint32(k0), uint32(k1), uint32(group), uint32(source),
                                   uint32(0), uint32(0))
            u = np.float64(words[target % 4]) * 2.0**-32
            dx = targets[target, 0] - sources[row, 0]
            dy = targets[target, 1] - sources[row, 1]
            dz = targets[target, 2] - sources[row, 2]
            if periodic:
                dx -= side * np.rint(dx / side)
                dy -= side * np.rint(dy / side)
                dz -= side * np.rint(dz / side)
            distance = np.sqrt(dx * dx + dy * dy + dz * dz)
            if kind == FIXED:
                hit = u < constants[0]
            elif u >= tail and (distance >= reach
                                or u >= tail + ceilings[min(int(distance), ceilings.size - 1)]):
                # Even with the most that its images can add, the pair is not connected.
                hit = False
            elif u < _ceiling(dx, dy, dz, side, images, reach, ceilings):
                hit, distance = _winner(u, dx, dy, dz, side, images, kind, constants, reach)
            else:
                hit = False
            if hit:
                found[row, count] = target
                spans[row, count] = distance
                count += 1
        counted[row] = count
    return counted


@compiled()
def _ceiling(dx, dy, dz, side, images, reach, ceilings):
    """Sum upper bounds over the images: cheap, and enough to pass over most pairs."""
    total = 0.0
    for i in range(-images, images + 1):
        x2 = (dx + i * side) ** 2
        for j in range(-images, images + 1):
            y2 = x2 + (dy + j * side) ** 2
            for k in range(-images, images + 1):
                square = y2 + (dz + k * side) ** 2
                if square < reach * reach:
                    total += ceilings[min(int(np.sqrt(square)), ceilings.size - 1)]
    return total


@compiled()
def _winner(u, dx, dy, dz, side, images, kind, constants, reach):
    """Return whether the summed law exceeds u, and the distance of the image that decides."""
    total = 0.0
    for i in range(-images, images + 1):
        for j in range(-images, images + 1):
            for k in range(-images, images + 1):
                x, y, z = dx + i * side, dy + j * side, dz + k * side
                distance = np.sqrt(x * x + y * y + z * z)
                if distance < reach:
                    total += probability(kind, constants, reach, distance)
                    if u < total:
                        return True, distance
    return False, 0.0
