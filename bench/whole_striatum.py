"""Build and run a whole mouse striatum: 1.7 million neurons in an ellipsoid of 21.5 mm^3.

    python bench/whole_striatum.py [--circuit striatum] [--overlay pooled_axons] [--seconds 1]
        [--plastic 100] [--warmup "100 ms"]

Of `striatum` every axon and `pooled_axons`, of `striatum_v1` the default wiring and `dense`. One
line of JSON per wiring. Each runs in a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time

import neostriatum as ns
from neostriatum.circuit.clock import whole_steps
from neostriatum.engines.base import engine
from neostriatum.machine import peak_memory_gb

ELLIPSOID = {"volume.shape": "ellipsoid"}
#: Neurons of 21.5 mm^3 and the overlays that are measured, by circuit.
CIRCUITS = {"striatum": (1_730_000, ("", "pooled_axons")),
            "striatum_v1": (1_667_000, ("", "dense"))}
#: Axons that learn: as many per neuron as the cortex of `striatum` has, and their rate.
AXONS, RATE = 2, "2.4 Hz"
#: Steps between two looks at what an engine found: spikes are counted and let go.
WINDOW = 500


def learning(circuit: ns.Circuit, afferents: int, size: int) -> ns.Circuit:
    """Return a circuit whose spiny neurons hear so many axons each by synapses that learn."""
    raw = circuit.to_dict()
    raw.setdefault("axons", {})["plastic"] = {"size": AXONS * size, "rate": RATE}
    receptor = next(name for name in ("AMPA_SPN", "AMPA") if name in raw["receptors"])
    for cell in ("dSPN", "iSPN"):
        raw["pathways"][f"plastic->{cell}"] = {
            "conductance": {receptor: "0.1 nS"}, "delay": "1 ms", "learning": {"flush": "250 ms"},
            "wiring": {"rule": "fixed_indegree", "n": afferents}}
    return ns.load(raw)


def one(said: argparse.Namespace) -> dict[str, object]:
    """Build and run one wiring."""
    circuit = ns.load(said.circuit, overlay=said.overlay or (),
                      changes=ELLIPSOID | ({"warmup": said.warmup} if said.warmup else {}))
    if said.plastic:
        circuit = learning(circuit, said.plastic, said.size)
    # What is compiled or read from the cache is not what is measured.
    engine("numba", precision=said.precision).prepare(circuit, ns.build(circuit, size=500), 1)
    network = ns.build(circuit, size=said.size, seed=1, threads=said.threads)
    built = peak_memory_gb()
    held = sum(edges.offsets.nbytes + edges.targets.nbytes + edges.delays.nbytes
               for edges in (*network.edges.values(), *network.afferents.values()))
    simulator = engine("numba", threads=said.threads, precision=said.precision)
    started = time.perf_counter()
    simulator.prepare(circuit, network, 1)
    prepared = time.perf_counter() - started
    warm = whole_steps("warmup", circuit.warmup.value, circuit.dt.value)
    steps = round(said.seconds * 1000.0 / circuit.dt.value)
    counts = dict.fromkeys(network.counts, 0)
    times = {}
    for phase, total in (("warmup", warm), ("run", steps)):
        started = time.perf_counter()
        for done in range(0, total, WINDOW):
            _, ids = simulator.advance(min(WINDOW, total - done))
            for name, span in network.populations.items() if phase == "run" else ():
                counts[name] += int(((ids >= span.start) & (ids < span.stop)).sum())
        times[phase] = time.perf_counter() - started
    return {
        "circuit": said.circuit, "overlay": said.overlay or "none", "plastic": said.plastic,
        "neurons": network.size,
        "synapses": network.synapses, "build_s": round(network.build_s, 2),
        "bytes_per_synapse": round(held / network.synapses, 3), "build_peak_gb": built,
        "prepare_s": round(prepared, 2), "warmup_s": round(times["warmup"], 2),
        "simulate_s": round(times["run"], 2),
        "real_time_factor": round(times["run"] / said.seconds, 3),
        "rates_hz": {name: round(count / max(1, network.counts[name]) / said.seconds, 3)
                     for name, count in counts.items()},
        "precision": said.precision, "threads": said.threads, "peak_gb": peak_memory_gb(),
    }


def main() -> None:
    """Print one line per wiring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--circuit", choices=CIRCUITS, default="striatum")
    parser.add_argument("--size", type=int, default=None)
    parser.add_argument("--seconds", type=float, default=1.0, help="simulated after the warm-up")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", default="single")
    parser.add_argument("--overlay", default=None, help="this overlay alone")
    parser.add_argument("--plastic", type=int, default=0,
                        help="this many plastic inputs per spiny neuron, more than the circuit's")
    parser.add_argument("--warmup", default="", help="instead of the circuit's")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    said = parser.parse_args()
    if said.alone:
        print(json.dumps(one(said)), flush=True)
        return
    size, overlays = CIRCUITS[said.circuit]
    for overlay in overlays if said.overlay is None else (said.overlay,):
        options = ["--circuit", said.circuit, "--size", said.size or size, "--seconds",
                   said.seconds, "--threads", said.threads, "--precision", said.precision,
                   "--overlay", overlay, "--plastic", said.plastic, "--warmup", said.warmup,
                   "--alone"]
        subprocess.run([sys.executable, __file__, *map(str, options)], check=True)  # noqa: S603


if __name__ == "__main__":
    main()
