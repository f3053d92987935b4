"""Time one thread against two on the default circuit."""

from __future__ import annotations

import argparse
import statistics
import time

import neostriatum as ns
from neostriatum.engines.base import engine


def main() -> None:
    """Print the real-time factor of each thread count, alternating, and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--precision", default="double")
    said = parser.parse_args()
    circuit = ns.load("striatum_v1")
    for size in said.sizes:
        network = ns.build(circuit, size=size, seed=1)
        steps = max(500, 20_000_000 // size)
        found: dict[int, list[float]] = {1: [], 2: []}
        simulators = {count: engine("numba", threads=count, precision=said.precision)
                      for count in found}
        for simulator in simulators.values():
            simulator.prepare(circuit, network, 1)
            simulator.advance(10_000 if size <= 10_000 else 6000)
        for _ in range(said.repeats):
            for count, simulator in simulators.items():
                started = time.perf_counter()
                simulator.advance(steps)
                seconds = steps * circuit.dt.value / 1000.0
                found[count].append((time.perf_counter() - started) / seconds)
        one, two = (statistics.median(found[count]) for count in (1, 2))
        print(f"{size:>9,} neurons, {said.precision}: 1 thread {one:.3f} "
              f"({min(found[1]):.3f}-{max(found[1]):.3f}), 2 threads {two:.3f} "
              f"({min(found[2]):.3f}-{max(found[2]):.3f}), ratio {one / two:.2f}", flush=True)


if __name__ == "__main__":
    main()
