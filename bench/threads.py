"""Time one thread against two, and circuits against each other, in turns.

    python bench/threads.py [--circuits striatum_v1 striatum] [--sizes 10000 100000] [--repeats 5]
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

import neostriatum as ns
from neostriatum.engines.base import engine

#: Steps before the clock runs, in all and with a large network.
WARM, FEWER = 10_000, 6000


class Timed:
    """A circuit on some threads, past its start; ``factors`` are its real-time factors."""

    def __init__(self, circuit: ns.Circuit, network: Any, threads: int, precision: str) -> None:
        self._circuit = circuit
        self._simulator: Any = engine("numba", threads=threads, precision=precision)
        self._simulator.prepare(circuit, network, 1)
        self._simulator.advance(WARM if network.size <= 10_000 else FEWER)
        self.factors: list[float] = []

    def go_on(self, steps: int) -> None:
        """Simulate some steps by the clock."""
        started = time.perf_counter()
        self._simulator.advance(steps)
        simulated = steps * self._circuit.dt.value / 1000.0
        self.factors.append((time.perf_counter() - started) / simulated)


def ratio(one: Timed, other: Timed) -> float:
    """Return the median of the ratios of two that took turns."""
    return statistics.median(a / b for a, b in zip(one.factors, other.factors, strict=True))


def main() -> None:
    """Print the real-time factors and their ratios: circuits are over the first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--circuits", nargs="+", default=["striatum_v1"])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--precision", default="double")
    said = parser.parse_args()
    for size in said.sizes:
        timed = {}
        for name in said.circuits:
            circuit = ns.load(name)
            network = ns.build(circuit, size=size, seed=1)
            timed |= {(name, threads): Timed(circuit, network, threads, said.precision)
                      for threads in (1, 2)}
        for _ in range(said.repeats):
            for each in timed.values():
                each.go_on(max(500, 20_000_000 // size))
        for name in said.circuits:
            one, two = timed[name, 1], timed[name, 2]
            parts = [f"{threads} thread{'s' * (threads > 1)} {statistics.median(each.factors):.3f} "
                     f"({min(each.factors):.3f}-{max(each.factors):.3f})"
                     for threads, each in ((1, one), (2, two))]
            first = [timed[said.circuits[0], threads] for threads in (1, 2)]
            print(f"{name}, {size:,} neurons, {said.precision}: {', '.join(parts)}, "
                  f"{ratio(one, two):.2f} times faster; over {said.circuits[0]} "
                  f"{ratio(one, first[0]):.2f} and {ratio(two, first[1]):.2f}", flush=True)


if __name__ == "__main__":
    main()
