"""Measure what a plastic event and a flush cost, beside NEST's dopamine synapse and Brian2.

    python verify/learning_speed.py [numba nest nest-dopamine brian2 default]
        [--size 10000] [--seconds 1]

Every cell has 250 plastic synapses of axons that fire at 2.4 Hz. The cost of an event is the
processor time of a run that learns less that of the same run with fixed weights, by the number of
arrivals; that of a flush comes from two intervals between flushes. NEST's `stdp_dopamine_synapse`
hears 100 dopamine neurons at 4 Hz and has the best of some `deliver_interval`. All on one thread.
What is not installed is left out and named. `default` lets the cortex of `striatum` learn, beside
the same circuit with fixed weights, in turns: medians.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

import numpy as np
from table import Table

import neostriatum as ns
from neostriatum.engines.base import engine
from neostriatum.errors import EngineMissing

INDEGREE, RATE_HZ = 250, 2.4
CELLS = ("dSPN", "iSPN")
#: Intervals of delivery that NEST's transmitter is tried with, in minimal delays of 1 ms.
INTERVALS = (10, 100, 1000)
WARM_MS = 50.0
#: Stretches of circuits that take turns.
TURNS = 7


def circuit(flush: str | None) -> Any:
    """Return `striatum_v1` with axons onto its spiny cells, which learn if a flush is given."""
    raw = ns.load("striatum_v1").to_dict()
    raw["warmup"] = "0 ms"
    raw["axons"] = {"plastic": {"size": 10_000, "rate": f"{RATE_HZ} Hz"}}
    for cell in CELLS:
        raw["pathways"][f"plastic->{cell}"] = {
            "conductance": {"AMPA": "0.2 nS"}, "delay": "1 ms",
            "wiring": {"rule": "fixed_indegree", "n": INDEGREE}}
        if flush:
            raw["pathways"][f"plastic->{cell}"]["learning"] = {"flush": flush}
    return ns.load(raw)


class Cost:
    """Times runs of one engine on one network.

    Parameters
    ----------
    name : str
        The engine.
    network : Network
        Drawn from `circuit`, of which learning changes nothing.
    seconds : float
        Model time that is measured.
    **options
        Of the engine.
    """

    def __init__(self, name: str, network: Any, seconds: float, **options: Any) -> None:
        self._name, self._network, self._options = name, network, options
        self._ms = 1000 * seconds

    def run(self, flush: str | None) -> tuple[float, float]:
        """Return processor time [s] and arrivals at plastic synapses."""
        simulator = engine(self._name, **self._options)
        made = circuit(flush)
        simulator.prepare(made, self._network, 1)
        step = made.dt.value
        # What is compiled when it is first needed is compiled here.
        simulator.advance(round(WARM_MS / step))
        before, begun = dict(simulator.axon_spikes), time.process_time()
        simulator.advance(round(self._ms / step))
        spent = time.process_time() - begun
        spikes = simulator.axon_spikes["plastic"] - before["plastic"]
        return spent, spikes * self.synapses / self._network.axons["plastic"]

    @property
    def synapses(self) -> int:
        """The number of plastic synapses."""
        return sum(len(self._network.afferents[f"plastic->{cell}"].targets) for cell in CELLS)

    def event_ns(self) -> float:
        """Return what learning adds per arrival, flushes every 250 ms in it [ns]."""
        (with_it, events), (without, _) = self.run("250 ms"), self.run(None)
        return (with_it - without) / events * 1e9

    def flush_ns(self) -> float:
        """Return what a flush costs per synapse [ns]."""
        (often, _), (rarely, _) = self.run("25 ms"), self.run("250 ms")
        return (often - rarely) / (self._ms * (1 / 25 - 1 / 250) * self.synapses) * 1e9


class Beside:
    """The default circuit on `numba`, whose cortex learns if a flush is given; past its start."""

    def __init__(self, flush: str | None, size: int, **options: Any) -> None:
        raw = ns.load("striatum").to_dict()
        raw["warmup"] = "0 ms"
        for cell in CELLS if flush else ():
            raw["pathways"][f"cortex->{cell}"]["learning"] = {"flush": flush}
        made = ns.load(raw)
        network = ns.build(made, size=size, seed=1)
        self.simulator = engine("numba", **options)
        self.simulator.prepare(made, network, 1)
        self.simulator.advance(round(WARM_MS / made.dt.value))
        self._axons = network.axons["cortex"]
        self.synapses = sum(len(network.afferents[f"cortex->{cell}"].targets) for cell in CELLS)
        self._dt = made.dt.value

    def run(self, seconds: float) -> tuple[float, float, float]:
        """Return wall and processor time [s] of a stretch, and arrivals at synapses of cortex."""
        before = self.simulator.axon_spikes["cortex"]
        wall, processor = time.perf_counter(), time.process_time()
        self.simulator.advance(round(1000 * seconds / self._dt))
        spent = time.perf_counter() - wall, time.process_time() - processor
        spikes = self.simulator.axon_spikes["cortex"] - before
        return *spent, spikes * self.synapses / self._axons


def default_rows(table: Table, size: int, seconds: float) -> None:
    """Measure what it costs that the cortex of the default circuit learns."""
    flushes = (None, "250 ms", "25 ms")
    labs = [Beside(flush, size, threads=1, precision="single") for flush in flushes]
    fixed, slow, often = zip(*([lab.run(seconds / 2) for lab in labs] for _ in range(TURNS)),
                             strict=True)
    events = statistics.median((b[1] - a[1]) / b[2] for a, b in zip(fixed, slow, strict=True))
    more = labs[1].synapses * seconds / 2 * (1 / 0.025 - 1 / 0.25)
    flush = statistics.median((b[1] - a[1]) / more for a, b in zip(slow, often, strict=True))
    table.row("default: event [ns]", events * 1e9, 0.0, 25.0)
    table.row("default: flush per synapse [ns]", flush * 1e9, 0.0, 20.0)
    labs = [Beside(flush, size, threads=2) for flush in flushes[:2]]
    pairs = [[lab.run(seconds / 2)[0] for lab in labs] for _ in range(TURNS)]
    table.row("default: time that learns over fixed, 2 threads, double",
              statistics.median(b / a for a, b in pairs), 0.0, 2.0)
    table.row("default: real-time factor, 2 threads, double",
              statistics.median(b for _, b in pairs) / (seconds / 2), 0.0, 0.4)


def dopamine_ns(size: int, seconds: float) -> tuple[float, int]:
    """Return what NEST's dopamine synapse adds per arrival [ns], and its best interval."""
    static, events = _nest_run(size, seconds, None)
    best = min((_nest_run(size, seconds, interval)[0], interval) for interval in INTERVALS)
    return (best[0] - static) / events * 1e9, best[1]


def _nest_run(size: int, seconds: float, interval: int | None) -> tuple[float, float]:
    """Return processor time [s] and arrivals of NEST with its dopamine synapse, or a static one."""
    from neostriatum.engines.nest_engine.kernel import nest

    kernel = nest()
    kernel.ResetKernel()
    kernel.verbosity = kernel.VerbosityLevel.ERROR
    kernel.set(resolution=0.1, local_num_threads=1, rng_seed=1)
    axons, dopamine = kernel.Create("parrot_neuron", 10_000), kernel.Create("parrot_neuron", 100)
    for nodes, rate in ((axons, RATE_HZ), (dopamine, 4.0)):
        source = kernel.Create("poisson_generator", params={"rate": rate})
        kernel.Connect(source, nodes)
    # A current makes the cells fire at about 2 Hz, as spiny cells do at most at rest.
    cells = kernel.Create("iaf_psc_exp", size, {"I_e": 375.5})
    model = "static_synapse"
    if interval:
        transmitter = kernel.Create("volume_transmitter", params={"deliver_interval": interval})
        kernel.Connect(dopamine, transmitter, "all_to_all", {"delay": 1.0})
        model = "plastic"
        kernel.CopyModel("stdp_dopamine_synapse", model, {
            "volume_transmitter": transmitter, "A_plus": 1e-4, "A_minus": 1e-4, "Wmax": 1.0})
    kernel.Connect(axons, cells, {"rule": "fixed_indegree", "indegree": INDEGREE},
                   {"synapse_model": model, "weight": 0.1, "delay": 1.0})
    recorder = kernel.Create("spike_recorder")
    kernel.Connect(axons, recorder)
    kernel.Simulate(WARM_MS)
    before, begun = recorder.n_events, time.process_time()
    kernel.Simulate(1000 * seconds)
    spent = time.process_time() - begun
    return spent, (recorder.n_events - before) * size * INDEGREE / len(axons)


def main() -> int:
    """Measure, print the table, return 1 if a row misses its bounds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engines", nargs="*",
                        default=["numba", "nest", "nest-dopamine", "brian2", "default"])
    parser.add_argument("--size", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=1.0)
    given = parser.parse_args()
    network = ns.build(circuit(None), size=given.size, seed=1)
    table, own = Table(), 0.0
    for name in given.engines:
        if name == "default":
            default_rows(table, given.size, given.seconds)
            continue
        try:
            if name == "nest-dopamine":
                cost, interval = dopamine_ns(given.size, given.seconds)
                table.row(f"NEST's dopamine synapse (deliver {interval}): event [ns]", cost)
                least = 20.0
            else:
                lab = _cost(name, network, given.seconds)
                cost = lab.event_ns()
                table.row(f"{name}: event [ns]", cost, 0.0, 25.0 if name == "numba" else np.inf)
                least = 10.0
        except EngineMissing as error:
            print(f"{name} is left out: {error}", flush=True)
            continue
        if name == "numba":
            own = cost
            table.row("numba: flush per synapse [ns]", lab.flush_ns(), 0.0, 20.0)
        elif own and name != "nest":
            table.row(f"{name}: events of numba in the time of one", cost / own, least)
    return table.finish()


def _cost(name: str, network: Any, seconds: float) -> Cost:
    """Return the lab of an engine; the fast one in single precision."""
    if name == "brian2":
        return Cost("brian2-runtime", network, seconds)
    return Cost(name, network, seconds, threads=1,
                **({"precision": "single"} if name == "numba" else {}))


if __name__ == "__main__":
    raise SystemExit(main())
