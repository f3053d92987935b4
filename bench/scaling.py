"""Fit what a neuron-step and what a synaptic event cost, from small networks to large ones.

Every size runs with its synapses and without any, alternating. Without, time over neurons and steps
is the cost of a neuron-step, drive included; the time that the synapses add, over the events that
they deliver, is the cost of an event. Linear means that neither depends on the size.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np

import neostriatum as ns
from neostriatum.engines.base import engine
from neostriatum.machine import machine
from neostriatum.plotting.palette import FAINT, INK
from neostriatum.plotting.style import WIDTH_IN, new_figure, paper

#: A rule that connects nobody.
NOBODY = {"rule": "fixed_probability", "p": 0.0}
#: How far a cost may lie from the mean over the sizes.
LINEAR = 0.2


class Contestant:
    """One network on the engine, warmed up, that runs and tells time and events."""

    def __init__(self, circuit: Any, size: int, threads: int, precision: str, warm: int) -> None:
        self.network = ns.build(circuit, size=size, seed=1, threads=threads)
        self.engine = engine("numba", threads=threads, precision=precision)
        self.engine.prepare(circuit, self.network, 1)
        self.engine.advance(warm)
        self.targets = np.zeros(self.network.size, np.int64)
        for name, edges in self.network.edges.items():
            ids = self.network.populations[name.split("->")[0]]
            self.targets[ids.start : ids.stop] += np.diff(edges.offsets)

    def run(self, steps: int) -> tuple[float, int]:
        """Return the seconds that ``steps`` take and the synaptic events in them."""
        started = time.perf_counter()
        _, ids = self.engine.advance(steps)
        return time.perf_counter() - started, int(self.targets[ids].sum())


def measure(size: int, said: argparse.Namespace) -> dict[str, Any]:
    """Return what one size costs: nanoseconds per neuron-step and per synaptic event."""
    wired = ns.load(said.circuit)
    bare = ns.load(said.circuit, changes={f"pathways.{name}.wiring": NOBODY
                                          for name in wired.pathways})
    steps = max(said.least_steps, said.work // size)
    pair = [Contestant(one, size, said.threads, said.precision, said.warm_steps)
            for one in (wired, bare)]
    seconds: list[list[float]] = [[], []]
    events = []
    for _ in range(said.repeats):
        for n, one in enumerate(pair):
            took, delivered = one.run(steps)
            seconds[n].append(took)
            if n == 0:
                events.append(delivered)
    full, empty = (statistics.median(one) for one in seconds)
    delivered = statistics.median(events)
    simulated = steps * wired.dt.value / 1000.0
    return {"neurons": size, "synapses": pair[0].network.synapses, "steps": steps,
            "real_time_factor": full / simulated, "events_per_s": delivered / simulated,
            "neuron_step_ns": empty / (size * steps) * 1e9,
            "event_ns": (full - empty) / delivered * 1e9 if delivered else None}


def spread(rows: list[dict[str, Any]], key: str) -> float:
    """Return how far the cost of any size lies from their mean, relative to it."""
    costs = [row[key] for row in rows]
    middle = statistics.mean(costs)
    return max(abs(cost - middle) for cost in costs) / middle


def draw(rows: list[dict[str, Any]], about: str, path: Path) -> None:
    """Draw run time and both costs against size."""
    sizes = np.array([row["neurons"] for row in rows], float)
    with paper():
        figure = new_figure(WIDTH_IN, 2.2)
        panels = figure.subplots(1, 3)
        panels[0].loglog(sizes, [row["real_time_factor"] for row in rows], "o-", ms=4, lw=1.0,
                         color=INK, label="measured")
        whole = sum(row["real_time_factor"] for row in rows) / sizes.sum()
        panels[0].loglog(sizes, whole * sizes, "--", lw=0.8, color=FAINT,
                         label="proportional to size")
        panels[0].axhline(1.0, lw=0.8, ls=":", color=INK, label="real time")
        panels[0].set_ylabel("wall s per simulated s")
        panels[0].legend(loc="upper left", borderaxespad=0.0)
        for axes, key, name in ((panels[1], "neuron_step_ns", "neuron-step"),
                                (panels[2], "event_ns", "synaptic event")):
            costs = [row[key] for row in rows]
            middle = statistics.mean(costs)
            axes.semilogx(sizes, costs, "o-", ms=4, lw=1.0, color=INK)
            axes.axhspan((1 - LINEAR) * middle, (1 + LINEAR) * middle, color=FAINT,
                         alpha=0.15, lw=0)
            axes.set_ylim(0, max(*costs, (1 + LINEAR) * middle) * 1.1)
            axes.set_ylabel(f"ns per {name}")
            axes.set_title(f"mean {middle:.3g} ns, band ± {LINEAR:.0%}", color=FAINT)
        for axes in panels:
            axes.set_xlabel("neurons")
        figure.suptitle(about, x=0.99, ha="right", color=FAINT)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path)


def main() -> None:
    """Print a row per size as JSON, then the fit, and draw it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+",
                        default=[1000, 10_000, 100_000, 400_000, 1_667_000])
    parser.add_argument("--circuit", default="striatum_v1")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", default="single")
    parser.add_argument("--work", type=int, default=20_000_000, help="neuron-steps per run")
    parser.add_argument("--least-steps", type=int, default=500)
    parser.add_argument("--warm-steps", type=int, default=10_000)
    parser.add_argument("--out", type=Path, default=Path("docs/figures/scaling.png"))
    said = parser.parse_args()
    rows = []
    for size in said.sizes:
        rows.append(measure(size, said))
        print(json.dumps({key: round(value, 4) if isinstance(value, float) else value
                          for key, value in rows[-1].items()}), flush=True)
    for key, name in (("neuron_step_ns", "a neuron-step"), ("event_ns", "a synaptic event")):
        off = spread(rows, key)
        print(f"{name}: {statistics.mean(row[key] for row in rows):.3g} ns, every size within "
              f"{off:.0%} of that ({'linear' if off <= LINEAR else 'not linear'} at {LINEAR:.0%})")
    about = (f"{said.circuit}, numba, {said.precision} precision, "
             f"{said.threads} thread{'' if said.threads == 1 else 's'}, "
             f"{machine()['processor']}")
    draw(rows, about, said.out)
    print(f"figure in {said.out}")


if __name__ == "__main__":
    main()
