"""Put the somas: uniformly at random, no two closer than a minimum distance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import float64, njit, uint32, uint64

from neostriatum import jit
from neostriatum.caching import compiled
from neostriatum.errors import BuildError
from neostriatum.rng import stream

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit

#: Packing fraction above which random sequential placement cannot succeed (its limit is 0.384).
MAX_PACKING = 0.35
_ATTEMPTS = 10_000


def cube_side(circuit: Circuit, size: int) -> float:
    """Return the side of the cube that holds ``size`` neurons at the circuit's density [um]."""
    return float((size / circuit.volume.density.value) ** (1 / 3) * 1000.0)


def place(circuit: Circuit, counts: dict[str, int], side: float, seed: int) -> np.ndarray:
    """Return soma positions, types contiguous, each type along a space-filling curve.

    Parameters
    ----------
    circuit : Circuit
        Its ``volume`` gives boundary and minimum distance.
    counts : dict
        Neurons per type.
    side : float
        Side of the cube [um].
    seed : int
        Master seed.

    Returns
    -------
    numpy.ndarray
        float32, shape (N, 3) [um].

    Raises
    ------
    BuildError
        A density that the minimum distance forbids.
    """
    distance = circuit.volume.minimum_distance.value
    size = sum(counts.values())
    packing = size * np.pi / 6 * distance**3 / side**3
    if packing > MAX_PACKING or (distance > 0 and side < 2 * distance and size > 1):
        msg = (f"{circuit.name}: volume.minimum_distance: leaves no room for {size} neurons at "
               f"this density (got {distance:g} um). Lower it or the density")
        raise BuildError(msg)
    positions = np.zeros((size, 3))
    # Cells of at least the minimum distance, so that neighbours lie in adjacent ones.
    across = int(max(1, min(512, np.floor(side / max(distance, side / 512)))))
    heads = np.full(across**3, -1, np.int64)
    nexts = np.full(size, -1, np.int64)
    periodic = circuit.volume.boundary == "periodic"
    start = 0
    for name, count in counts.items():
        key = stream(seed, "place", name)
        grid = (heads, nexts, across)
        if not _scatter(positions, start, count, side, distance, periodic, grid, *key):
            msg = f"{circuit.name}: volume.density: cannot place {count} {name}. Lower it"
            raise BuildError(msg)
        start += count
    return _along_curve(positions.astype(np.float32), counts, side)


@compiled()
def _scatter(positions, start, count, side, distance, periodic, grid, k0, k1):
    heads, nexts, across = grid
    for i in range(count):
        placed = False
        for attempt in range(_ATTEMPTS):
            words = jit.philox(uint32(k0), uint32(k1), uint32(attempt), uint32(i),
                               uint32(0), uint32(0))
            x = np.float64(words[0]) * 2.0**-32 * side
            y = np.float64(words[1]) * 2.0**-32 * side
            z = np.float64(words[2]) * 2.0**-32 * side
            if _is_free(positions, x, y, z, side, distance, periodic, grid):
                placed = True
                break
        if not placed:
            return False
        n = start + i
        positions[n, 0], positions[n, 1], positions[n, 2] = x, y, z
        cell = _cell(x, y, z, side, across)
        nexts[n] = heads[cell]
        heads[cell] = n
    return True


@njit(inline="always")
def _cell(x, y, z, side, across):
    scale = across / side
    i = min(across - 1, int(x * scale))
    j = min(across - 1, int(y * scale))
    k = min(across - 1, int(z * scale))
    return (i * across + j) * across + k


@compiled()
def _is_free(positions, x, y, z, side, distance, periodic, grid):
    heads, nexts, across = grid
    if distance <= 0.0:
        return True
    scale = across / side
    i0, j0, k0 = int(x * scale), int(y * scale), int(z * scale)
    for di in range(-1, 2):
        for dj in range(-1, 2):
            for dk in range(-1, 2):
                i, j, k = i0 + di, j0 + dj, k0 + dk
                if periodic:
                    i, j, k = i % across, j % across, k % across
                elif min(i, j, k) < 0 or max(i, j, k) >= across:
                    continue
                n = heads[(i * across + j) * across + k]
                while n >= 0:
                    dx, dy, dz = positions[n, 0] - x, positions[n, 1] - y, positions[n, 2] - z
                    if periodic:
                        dx -= side * np.rint(dx / side)
                        dy -= side * np.rint(dy / side)
                        dz -= side * np.rint(dz / side)
                    # A margin of a thousandth of a um keeps float32 positions honest.
                    if dx * dx + dy * dy + dz * dz < (distance + 1e-3) ** 2:
                        return False
                    n = nexts[n]
    return True


@compiled()
def morton(positions, side):
    """Return the code of each position along the curve: 10 bits per axis, uint64."""
    codes = np.zeros(positions.shape[0], np.uint64)
    for n in range(positions.shape[0]):
        code = uint64(0)
        for axis in range(3):
            place_ = uint64(min(1023.0, float64(positions[n, axis]) / side * 1024.0))
            for bit in range(10):
                one = (place_ >> uint64(bit)) & uint64(1)
                code |= one << uint64(3 * bit + axis)
        codes[n] = code
    return codes


def _along_curve(positions: np.ndarray, counts: dict[str, int], side: float) -> np.ndarray:
    """Number the neurons of each type along a Morton curve: near in space is near in memory."""
    parts, start = [], 0
    for count in counts.values():
        mine = positions[start : start + count]
        parts.append(mine[np.argsort(morton(mine, side), kind="stable")])
        start += count
    return np.concatenate(parts) if parts else positions
