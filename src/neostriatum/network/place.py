"""Put the somas: uniformly at random, no two closer than a minimum distance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import float32, float64, uint32, uint64

from neostriatum import jit
from neostriatum.caching import compiled, woven
from neostriatum.errors import BuildError
from neostriatum.network.volume import holds
from neostriatum.rng import stream

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit
    from neostriatum.network.volume import Space

#: Packing fraction above which random sequential placement cannot succeed (its limit is 0.384).
MAX_PACKING = 0.35
#: Places inside the volume that are tried for one soma.
ATTEMPTS = 10_000
#: Thickness of the tissue around an open volume, in minimum distances.
AROUND = 2.0


def place(circuit: Circuit, counts: dict[str, int], space: Space, seed: int) -> np.ndarray:
    """Return soma positions, types contiguous, each type along a space-filling curve.

    An open volume is cut out of tissue that goes on: somas beyond its walls are placed at the same
    density and then dropped. Without them those at a wall would lie denser by a quarter (15 um
    apart, 77,520 per mm^3), for want of neighbours that keep them away, and those inside thinner.

    Parameters
    ----------
    circuit : Circuit
        Its ``volume`` gives the minimum distance.
    counts : dict
        Neurons per type.
    space : Space
        Where they may lie.
    seed : int
        Master seed.

    Returns
    -------
    numpy.ndarray
        float32, shape (N, 3) [um], inside [0, ``space.side``); the types in order, each sorted by
        `morton`. No two are closer than the minimum distance as they stand there. Cells of a
        nucleus have no places: NaN.

    Raises
    ------
    BuildError
        A density that the minimum distance forbids.
    """
    if len(circuit.placed) < len(circuit.types):
        return _beside(circuit, counts, space, seed)
    distance, size = circuit.volume.minimum_distance.value, sum(counts.values())
    packing = size * np.pi / 6 * distance**3 / space.volume_um3
    if packing <= MAX_PACKING and space.periodic and space.side < 2 * distance and size > 1:
        msg = (f"{circuit.name}: volume: a torus of {size} neurons must be at least "
               f"{2 * distance:g} um wide, twice the minimum distance (got {space.side:.3g} um). "
               'Take more neurons, or boundary "open"')
        raise BuildError(msg)
    if packing > MAX_PACKING:
        msg = (f"{circuit.name}: volume.minimum_distance: leaves no room for {size} neurons at "
               f"this density (got {distance:g} um). Lower it or the density")
        raise BuildError(msg)
    around = space.grown(0.0 if space.periodic else AROUND * distance)
    beyond = 0 if around.box == space.box else round(size * (around.filled / space.filled - 1))
    positions = np.zeros((size + beyond, 3), np.float32)
    grid = _grid(around, distance, len(positions))
    tries = (_tries(space, space.filled), _tries(around, around.filled - space.filled))
    start, outside = 0, stream(seed, "place", "beyond")
    for name, count in counts.items():
        keys = (*stream(seed, "place", name), *outside)
        if not _scatter(positions, start, count, size, (space.solid, around.solid), space.side,
                        space.periodic, distance, grid, tries, keys):
            msg = f"{circuit.name}: volume.density: cannot place {count} {name}. Lower it"
            raise BuildError(msg)
        start += count
    return _along_curve(positions[:size].copy(), counts, space.side)


def _beside(circuit: Circuit, counts: dict[str, int], space: Space, seed: int) -> np.ndarray:
    """Place the types that lie in the volume; those of nuclei have no places."""
    lying = {name: counts[name] for name in circuit.placed}
    alone = circuit.model_copy(update={"cells": {name: circuit.cells[name] for name in lying}})
    positions = np.full((sum(counts.values()), 3), np.nan, np.float32)
    inside = np.concatenate([np.full(count, name in lying) for name, count in counts.items()])
    positions[inside] = place(alone, lying, space, seed)
    return positions


def _tries(space: Space, filled: float) -> int:
    """Return how many draws in a box bring `ATTEMPTS` into the part of the cube that is meant."""
    return round(ATTEMPTS * np.prod(np.array(space.box) / space.side) / max(filled, 1e-6))


def _along_curve(positions: np.ndarray, counts: dict[str, int], side: float) -> np.ndarray:
    """Number the neurons of each type along a Morton curve: near in space is near in memory."""
    start = 0
    for count in counts.values():
        mine = positions[start : start + count]
        mine[:] = mine[np.argsort(morton(mine, side), kind="stable")]
        start += count
    return positions


@compiled()
def morton(positions, side):
    """Return the places of positions on the Morton curve of the cube: uint64, 10 bits per axis."""
    codes = np.zeros(positions.shape[0], np.uint64)
    for n in range(positions.shape[0]):
        code = uint64(0)
        for axis in range(3):
            place_ = uint64(min(1023.0, positions[n, axis] / side * 1024.0))
            for bit in range(10):
                one = (place_ >> uint64(bit)) & uint64(1)
                code |= one << uint64(3 * bit + axis)
        codes[n] = code
    return codes


def _grid(space: Space, distance: float, size: int) -> tuple[np.ndarray, ...]:
    """Return an empty grid: heads of lists by cell, next by soma, cells per axis, low corner, box.

    A cell is no smaller than the minimum distance, so that neighbours lie in adjacent ones, and no
    smaller than a fraction of the mean spacing, so that the grid takes little memory.
    """
    box = np.array(space.box)
    spacing = (box.prod() / size) ** (1 / 3)
    across = np.maximum(1, box / (max(distance, spacing / 2) * (1 + 1e-9))).astype(np.int64)
    heads = np.full(across.prod() if distance > 0 else 1, -1, np.int32)
    return heads, np.full(size, -1, np.int32), across, space.low, box


@compiled()
def _scatter(positions, start, count, size, solids, side, periodic, distance, grid, tries, keys):
    inner, outer = solids
    beyond = positions.shape[0] - size
    for i in range(count):
        n = start + i
        if not _settle(positions, n, i, inner, inner, False, side, periodic, distance, grid,
                       tries[0], keys[0], keys[1]):
            return False
        # As many beyond the walls, in proportion, so that both fill up at the same pace.
        for g in range(n * beyond // size, (n + 1) * beyond // size):
            if not _settle(positions, size + g, g, outer, inner, True, side, periodic, distance,
                           grid, tries[1], keys[2], keys[3]):
                return False
    return True


# Woven in, as handing on this many arrays costs a fifth of the time.
@woven
def _settle(positions, n, i, solid, inner, hollow, side, periodic, distance, grid, tries, k0, k1):
    """Draw places in a solid, beyond the inner one if it is hollow, until one is free."""
    heads, nexts, across, corner, extent = grid
    low, box = solid[1], solid[2]
    for attempt in range(tries):
        words = jit.philox(uint32(k0), uint32(k1), uint32(attempt), uint32(i), uint32(0), uint32(0))
        # Judged as they are kept, in single precision, so that rounding breaks no promise.
        x = float64(float32(low[0] + float64(words[0]) * 2.0**-32 * box[0]))
        y = float64(float32(low[1] + float64(words[1]) * 2.0**-32 * box[1]))
        z = float64(float32(low[2] + float64(words[2]) * 2.0**-32 * box[2]))
        if not holds(solid, x, y, z) or (hollow and holds(inner, x, y, z)):
            continue
        at = (_index(x, corner[0], extent[0], across[0]),
              _index(y, corner[1], extent[1], across[1]),
              _index(z, corner[2], extent[2], across[2]))
        if distance <= 0.0 or _is_free(positions, x, y, z, at, side, periodic, distance, grid):
            positions[n, 0], positions[n, 1], positions[n, 2] = x, y, z
            if distance > 0.0:
                cell = (at[0] * across[1] + at[1]) * across[2] + at[2]
                nexts[n] = heads[cell]
                heads[cell] = n
            return True
    return False


@woven
def _index(x, low, extent, across):
    return min(across - 1, int((x - low) * across / extent))


@woven
def _is_free(positions, x, y, z, at, side, periodic, distance, grid):
    heads, nexts, across, _, _ = grid
    for di in range(-1, 2):
        for dj in range(-1, 2):
            for dk in range(-1, 2):
                i, j, k = at[0] + di, at[1] + dj, at[2] + dk
                if periodic:
                    i, j, k = i % across[0], j % across[1], k % across[2]
                elif min(i, j, k) < 0 or i >= across[0] or j >= across[1] or k >= across[2]:
                    continue
                n = heads[(i * across[1] + j) * across[2] + k]
                while n >= 0:
                    dx, dy, dz = (float64(positions[n, 0]) - x, float64(positions[n, 1]) - y,
                                  float64(positions[n, 2]) - z)
                    if periodic:
                        dx -= side * np.rint(dx / side)
                        dy -= side * np.rint(dy / side)
                        dz -= side * np.rint(dz / side)
                    if dx * dx + dy * dy + dz * dz < distance * distance:
                        return False
                    n = nexts[n]
    return True
