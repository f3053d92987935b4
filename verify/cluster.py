"""Compare NEST with numba on presets, and measure its memory and weak scaling.

Three parts. `equivalence`: rates within 5 %, irregularity (ISI CV) within 0.05 and mean pairwise
count correlation within 0.01 over 20 networks, for every preset of `--circuits`. NEST draws the
inputs of `striatum_v1` itself; the axons of `striatum` have the same trains in both, so it tells
too how many networks are equal in all measures. `memory`: bytes per neuron and per synapse from
networks of 10,000, 50,000 and 200,000 neurons, each with its synapses and without any, and what a
whole rat striatum (2.79 million neurons, Oorschot 1996) would take. `scaling`: as many neurons per
rank on 1, 2 and 4 ranks OF ONE MACHINE, which shares its cores and memory among them: no measure of
a cluster.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from engines import measured
from table import Table

import neostriatum as ns
from neostriatum.engines.base import engine

#: Neurons of a rat striatum (Oorschot 1996), and the memory of a common cluster node [bytes].
WHOLE, NODE = 2_790_000, 256e9
#: A rule that connects nobody.
NOBODY = {"rule": "fixed_probability", "p": 0.0}


def equivalence(table: Table, circuit: ns.Circuit, seeds: int, size: int, seconds: float) -> None:
    """Compare means over seeds; each row has the standard error of the difference too."""
    found: dict[str, list[dict[str, float]]] = {"numba": [], "nest": []}
    for seed in range(1, seeds + 1):
        network = ns.build(circuit, size=size, seed=seed)
        for name, rows in found.items():
            rows.append(measured(name, circuit, network, seed, seconds))
    ours, theirs = (np.array([list(row.values()) for row in found[name]])
                    for name in ("numba", "nest"))
    equal = sum(np.array_equal(*pair, equal_nan=True) for pair in zip(ours, theirs, strict=True))
    print(f"  {circuit.name}: {equal} of {seeds} networks are equal in every measure")
    for key, one, other in zip(found["numba"][0], ours.T, theirs.T, strict=True):
        error = float(np.std(other - one, ddof=1) / np.sqrt(seeds)) if seeds > 1 else np.nan
        print(f"  {circuit.name}, {key}: numba {one.mean():.4g}, nest {other.mean():.4g}, "
              f"difference {(other - one).mean():.3g} +- {error:.2g}", flush=True)
        if key.endswith("Hz"):
            table.row(f"{circuit.name}: nest over numba, {key}", other.mean() / one.mean(),
                      0.95, 1.05)
        else:
            bound = 0.05 if key == "CV" else 0.01
            table.row(f"{circuit.name}: nest minus numba, {key}", (other - one).mean(),
                      -bound, bound)


def resident() -> int:
    """Return the resident size of this process [bytes]."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def one_size(size: int, bare: bool) -> None:
    """Print neurons, synapses and what NEST took for them, as JSON: run in a process of its own."""
    circuit = ns.load("striatum_v1")
    if bare:
        circuit = circuit.replace({f"pathways.{name}.wiring": NOBODY for name in circuit.pathways})
    small = engine("nest", threads=1)
    small.prepare(circuit, ns.build(circuit, size=100, seed=2), 1)
    small.advance(10)
    network = ns.build(circuit, size=size, seed=1)
    before = resident()
    simulator = engine("nest", threads=1)
    started = time.perf_counter()
    simulator.prepare(circuit, network, 1)
    simulator.advance(10)
    print(json.dumps({"neurons": network.size, "synapses": network.synapses,
                      "bytes": resident() - before, "seconds": time.perf_counter() - started}))


def memory(table: Table, sizes: list[int]) -> None:
    """Fit bytes = neurons a + synapses b, and extrapolate."""
    rows = []
    for size, more in ((size, more) for size in sizes for more in ([], ["--bare"])):
        done = subprocess.run([sys.executable, __file__, "--one-size", str(size), *more],
                              check=True, capture_output=True, text=True)
        rows.append(json.loads(done.stdout.splitlines()[-1]))
        said = rows[-1]
        print(f"  {said['neurons']} neurons, {said['synapses']} synapses: "
              f"{said['bytes'] / 1e9:.3f} GB, prepared in {said['seconds']:.1f} s", flush=True)
    matrix = np.array([[said["neurons"], said["synapses"]] for said in rows], float)
    taken = np.array([said["bytes"] for said in rows], float)
    each, *_ = np.linalg.lstsq(matrix, taken, rcond=None)
    table.row("bytes per neuron", each[0])
    table.row("bytes per synapse", each[1])
    whole = ns.estimate(ns.load("striatum_v1"), WHOLE)
    synapses = sum(whole.synapses.values())
    need = WHOLE * each[0] + synapses * each[1]
    table.row("a whole rat striatum: synapses [billion]", synapses / 1e9)
    table.row("a whole rat striatum: NEST's tables [GB]", need / 1e9)
    table.row("nodes of 256 GB, 80 % of each", float(np.ceil(need / (0.8 * NODE))))


def scaling(table: Table, per_rank: int, duration: str) -> None:
    """Run per_rank neurons per rank on 1, 2 and 4 ranks of this machine."""
    launcher, base = shutil.which("mpiexec"), None
    if launcher is None:
        print("  weak scaling needs mpiexec and NEST with MPI: make nest-mpi")
        return
    environment = {**os.environ, "OMPI_MCA_rmaps_base_oversubscribe": "1",
                   "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    for ranks in (1, 2, 4):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [launcher, "-n", str(ranks), sys.executable, "-m", "neostriatum", "run",
                 "--engine", "nest", "--threads", "1", "--size", str(per_rank * ranks),
                 "--duration", duration, "--set", "warmup=100 ms", "--json", "--out",
                 f"{folder}/run"], check=True, capture_output=True, text=True, env=environment)
            said = json.loads(done.stdout)
        base = base or said["real_time_factor"]
        print(f"  {ranks} ranks of one machine ({os.cpu_count()} cores), "
              f"{said['neurons']} neurons, {said['synapses']} synapses: "
              f"{said['real_time_factor']:.3g} s per simulated second")
        table.row(f"weak scaling, {ranks} ranks on one machine: time over 1 rank",
                  said["real_time_factor"] / base)


def main() -> None:
    """Run the parts that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=["equivalence", "memory", "scaling"])
    parser.add_argument("--circuits", nargs="*", default=["striatum_v1", "striatum"])
    parser.add_argument("--warmup", help="another warm-up than the preset's")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--size", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--sizes", type=int, nargs="*", default=[10_000, 50_000, 200_000])
    parser.add_argument("--per-rank", type=int, default=2500)
    parser.add_argument("--duration", default="1 s")
    parser.add_argument("--one-size", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--bare", action="store_true", help=argparse.SUPPRESS)
    said = parser.parse_args()
    if said.one_size:
        one_size(said.one_size, said.bare)
        return
    table = Table()
    if "equivalence" in said.parts:
        for name in said.circuits:
            circuit = ns.load(name, changes={"warmup": said.warmup} if said.warmup else {})
            equivalence(table, circuit, said.seeds, said.size, said.seconds)
    if "memory" in said.parts:
        memory(table, said.sizes)
    if "scaling" in said.parts:
        scaling(table, said.per_rank, said.duration)
    table.finish()


if __name__ == "__main__":
    main()
