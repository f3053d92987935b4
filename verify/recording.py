"""What recording costs, and what a long run does to the memory.

The cost is that of everything a run does beside calling the engine: spikes, traces, chunks,
checkpoints and the results at the end, in processor time, against the engine alone, alternately.
"""

import argparse
import os
import resource
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import neostriatum as ns
from neostriatum.engines.base import engine

COST, GROWTH = 0.05, 0.01


def seconds():
    """Return the processor time of this process so far [s]."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def resident():
    """Return the resident size of this process [bytes]."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def cost(arguments, place):
    """Return whether recording costs little, in processor time."""
    circuit = ns.load("striatum_v1")
    network = ns.build(circuit, size=arguments.size)
    dt, warm = circuit.dt.value, round(circuit.warmup.value / circuit.dt.value)
    steps = warm + round(arguments.duration / dt)

    def alone():
        made = engine("numba", threads=arguments.threads)
        made.prepare(circuit, network, 1)
        started, wall = seconds(), time.perf_counter()
        for done in range(0, steps, 500):
            made.advance(min(500, steps - done))
        return seconds() - started, time.perf_counter() - wall

    def recorded():
        begun = []

        def tell(phase, share):
            if phase in ("warmup", "simulate") and not begun:
                begun.extend((seconds(), time.perf_counter()))

        folder = place / "cost"
        run = ns.run(circuit, network=network, duration=f"{arguments.duration} ms", out=folder,
                     threads=arguments.threads, figures=False, progress=tell,
                     checkpoint_every=arguments.checkpoint)
        took = seconds() - begun[0], time.perf_counter() - begun[1]
        rate = run.summary["spikes"] / run.summary["neurons"] / arguments.duration * 1000
        shutil.rmtree(folder)
        return (*took, rate)

    alone()
    pairs = [(alone(), recorded()) for _ in range(arguments.repeats)]
    bare, full = (statistics.median(pair[n][0] for pair in pairs) for n in (0, 1))
    extra = statistics.median(two[0] / one[0] for one, two in pairs) - 1
    print(f"{arguments.size} neurons at {pairs[0][1][2]:.2f} Hz, {arguments.duration:g} ms after "
          f"the warm-up, checkpoints every {arguments.checkpoint}: engine alone {bare:.2f} s, run "
          f"{full:.2f} s of processor time")
    print(f"recording costs {100 * extra:+.1f} % (at most {100 * COST:g} %)")
    return extra <= COST


def memory(arguments, place):
    """Return whether a long run keeps its size.

    What waits for the next chunk goes up and down by a few MB, so medians are compared; the highest
    values are printed too. With a second between checkpoints the first tenth has several. 200 looks
    at the size are kept: a list of all of them would itself be the growth.
    """
    seen = []

    def tell(phase, share):
        if phase == "simulate" and share * 200 >= len(seen):
            seen.append((share, resident()))

    run = ns.run("striatum_v1", size=arguments.small, duration=f"{arguments.minutes} min",
                 out=place / "long", figures=False, progress=tell, threads=1,
                 checkpoint_every="1 s", record=["dSPN:2:v:10"])
    after = resident()
    first = [size for share, size in seen if share <= 0.1]
    last = [size for share, size in seen if share >= 0.9]
    early, late = statistics.median(first), statistics.median(last)
    growth = late / early - 1
    print(f"{arguments.small} neurons, {arguments.minutes:g} simulated minutes, "
          f"{run.summary['spikes']:,} spikes: {early / 1e6:.1f} MB in the first tenth, "
          f"{late / 1e6:.1f} MB in the last (at most {max(first) / 1e6:.1f} and "
          f"{max(last) / 1e6:.1f} MB), {after / 1e6:.1f} MB once the results were written")
    print(f"memory grew by {100 * growth:+.2f} % (at most {100 * GROWTH:g} %)")
    return growth < GROWTH


def main():
    """Measure both and say whether they are within their targets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=10_000)
    parser.add_argument("--duration", type=float, default=5000.0, help="of a run [ms]")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--small", type=int, default=200, help="neurons of the long run")
    parser.add_argument("--minutes", type=float, default=30.0, help="simulated, of the long run")
    parser.add_argument("--checkpoint", default="10 s",
                        help="wall time between checkpoints, for the cost")
    parser.add_argument("--only", choices=("cost", "memory"))
    arguments = parser.parse_args()
    fine = []
    with tempfile.TemporaryDirectory() as place:
        for name, measure in (("cost", cost), ("memory", memory)):
            if arguments.only in (None, name):
                fine.append(measure(arguments, Path(place)))
    return int(not all(fine))


if __name__ == "__main__":
    sys.exit(main())
