"""Measure what memory adds to a synaptic event, at the sizes of `scaling.py`.

Plain loops over the rows of the networks that the engine simulates, with random spikes at the rate
that the circuit has, shared by the threads. They do less than the engine must: no plasticity, no
search for the tiles of a thread, no care for two threads at one place. Per event:

- `rows`: read target and delay (5 bytes);
- `rows and arrivals`: and add to the arrivals of the target, in a ring as long as the engine's;
- `the same, cached`: with one row again and again, so that only the work is left.

Between two windows the state of all cells is read and written, as a step does; that is not timed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numba import njit, uintp

import neostriatum as ns

#: Steps of a window, and of the ring of arrivals, of the engine in the default circuit.
WINDOW, RING = 10, 17
#: Numbers of state per cell.
STATE = 5


@njit(nogil=True)
def read(offsets, targets, delays, spikes):
    """Add up targets and delays of the rows of ``spikes``."""
    total, delay = 0, 0
    for source in spikes:
        for at in range(offsets[source], offsets[source + 1]):
            total += targets[at]
            delay += delays[at]
    return total + delay


@njit(nogil=True)
def add(offsets, targets, delays, spikes, arrivals, quantum):
    """Add ``quantum`` where the rows of ``spikes`` say."""
    size = uintp(arrivals.size // RING)
    for source in spikes:
        for at in range(offsets[source], offsets[source + 1]):
            slot = uintp(delays[at]) % uintp(RING)
            arrivals[slot * size + uintp(targets[at])] += quantum


def measure(size: int, said: argparse.Namespace) -> dict[str, object]:
    """Return nanoseconds per event of each loop, over ``said.windows`` windows."""
    network = ns.build(ns.load(said.circuit), size=size, seed=1, threads=said.threads)
    offsets, targets, delays = [np.zeros(1, np.int64)], [], []
    for name, edges in network.edges.items():
        target = network.populations[name.split("->")[1]].start
        offsets.append(edges.offsets[1:] + offsets[-1][-1])
        targets.append(edges.targets + np.int32(target))
        delays.append(edges.delays)
    rows = np.concatenate(offsets), np.concatenate(targets), np.concatenate(delays)
    del network, offsets, targets, delays
    sources = len(rows[0]) - 1
    fired = np.random.default_rng(1)
    each = max(said.threads, round(sources * said.rate * WINDOW * 1e-4))
    arrivals = np.zeros(size * RING, np.float32)
    state = np.zeros(size * STATE, np.float32)
    took: dict[str, list[float]] = {"rows": [], "rows and arrivals": [], "the same, cached": []}
    with ThreadPoolExecutor(said.threads) as pool:
        for window in range(said.windows):
            fresh = np.sort(fired.integers(0, sources, each))
            same = np.full(each, fresh[0])
            for name, spikes in zip(took, (fresh, fresh, same), strict=True):
                # Another set of spikes for every loop, so that none finds the rows of the last.
                if name == "rows and arrivals":
                    spikes = np.sort(fired.integers(0, sources, each))
                state += np.float32(1.0)
                events = int((rows[0][spikes + 1] - rows[0][spikes]).sum())
                loop = read if name == "rows" else add
                more = () if name == "rows" else (arrivals, np.float32(1.0))

                def timed(part, loop=loop, more=more):
                    started = time.perf_counter()
                    loop(*rows, part, *more)
                    return time.perf_counter() - started

                # The slower thread counts; waking them does not.
                seconds = max(pool.map(timed, np.array_split(spikes, said.threads)))
                if window:
                    took[name].append(seconds / events * 1e9)
    return {"neurons": size, "arrivals_mb": round(arrivals.nbytes / 1e6, 1),
            "events_per_window": int(each * len(rows[1]) / sources),
            **{name: round(statistics.median(all_), 2) for name, all_ in took.items()}}


def main() -> None:
    """Print one line of JSON per size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 400_000, 1_667_000])
    parser.add_argument("--circuit", default="striatum_v1")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rate", type=float, default=1.6, help="of every neuron [1/s]")
    parser.add_argument("--windows", type=int, default=200)
    said = parser.parse_args()
    for size in said.sizes:
        print(json.dumps(measure(size, said)), flush=True)


if __name__ == "__main__":
    main()
