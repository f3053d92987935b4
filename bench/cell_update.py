"""Time one step of an SPN in the fast engine against the floor that arithmetic sets here.

The loop does, per cell and step, strict IEEE additions, subtractions and multiplications (no fused
multiply-add: the reference must get the same bits), one division and one comparison:

    arrivals and decay of three receptors   8
    currents of three receptors            10, of them 3 additions to the sum
    magnesium block                        19, and 1 division
    membrane and recovery                  12, and a comparison

The floor is that count at the speed at which this processor does such operations on cached data
where none waits for another, measured below, plus the division at its own measured speed. Memory is
no part of it: a tile (5 rows, one slot of the ring) stays in the first-level cache for a window.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numba import njit, uintp

from neostriatum.engines.numba_engine import cells
from neostriatum.engines.numba_engine.layout import aligned

OPERATIONS = 8 + 10 + 19 + 12 + 1
#: Operations of `independent` per lane.
COUNTED = 11
LANES = uintp(cells.TILE)


@njit(error_model="numpy")
def independent(rows, a, b, repeats):
    """Do `COUNTED` operations per lane in a chain of four."""
    for _ in range(repeats):
        for lane in range(LANES):
            x, y = rows[lane], rows[LANES + lane]
            one, two, three, four = x * a + b, x * b - a, y * a - b, y * b + a
            rows[LANES + lane] = one * two + three * four


@njit(error_model="numpy")
def divide(rows, a, b, repeats):
    """Do one division per lane."""
    for _ in range(repeats):
        for lane in range(LANES):
            rows[LANES + lane] = a / (b + rows[LANES + lane])


@njit(error_model="numpy")
def cell(flat, ring, counts, share, quantum, weights, said, slope, par, dt, repeats):
    """Do the engine's own step again and again."""
    for _ in range(repeats):
        cells.step_driven(flat, uintp(0), LANES, ring, uintp(0), counts, uintp(0), share, quantum,
                          weights, said, slope, par, dt)


def nanoseconds(function: Any, *arguments: Any, repeats: int = 20_000) -> float:
    """Return the best time per lane of five."""
    function(*arguments, 10)
    best = float("inf")
    for _ in range(5):
        started = time.perf_counter()
        function(*arguments, repeats)
        best = min(best, time.perf_counter() - started)
    return best / repeats / cells.TILE * 1e9


def main() -> None:
    """Print floor and measurement for both precisions."""
    print(f"{'precision':<10}{'per operation':>15}{'division':>10}{'floor':>8}{'measured':>10}"
          f"{'ratio':>7}   [ns per cell and step, {OPERATIONS} operations]")
    for name, dtype in (("double", np.float64), ("single", np.float32)):
        rows = np.linspace(0.1, 0.9, 2 * cells.TILE).astype(dtype)
        each = nanoseconds(independent, rows, dtype(0.5), dtype(0.25)) / COUNTED
        division = nanoseconds(divide, rows, dtype(1), dtype(1))
        flat = aligned(cells.PITCH * 12, dtype)
        flat[: cells.TILE] = -80
        ring = aligned(cells.TILE, np.int32 if dtype == np.float32 else dtype)
        counts = aligned(cells.TILE, np.float32)
        said = np.array([[0, 0.983, 0, -1], [0, 0.999, 0.28, -1], [-74, 0.975, 0, 0]], dtype)
        par = np.array([1, -80, -29.7, 15.2, 0.01, -20, 40, -55, 91, 0, 0, 1, 1, 1], dtype)
        measured = nanoseconds(cell, flat, ring, counts, aligned(cells.TILE, dtype), dtype(1),
                               np.array([0.6, 0.3], dtype), said, dtype(-0.0894), par, dtype(0.1))
        floor = each * OPERATIONS + division
        print(f"{name:<10}{each:>15.4f}{division:>10.3f}{floor:>8.3f}{measured:>10.3f}"
              f"{measured / floor:>7.2f}")


if __name__ == "__main__":
    main()
