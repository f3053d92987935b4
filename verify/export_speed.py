"""How long a large run takes to export, how much memory, and how big each format is.

    python verify/export_speed.py [NEURONS] [SECONDS]

A made-up run directory (default 100,000 neurons, 100 s, Poisson spikes at 2 Hz, 20 million) on a
network that is really built, so that its export draws it again. Every export is a program of its
own; seconds of the clock and of the processor, highest memory.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from table import Table

import neostriatum as ns
from neostriatum.engines.base import Trace
from neostriatum.machine import machine, versions
from neostriatum.recording.export import FORMATS
from neostriatum.recording.sonata import write_spikes, write_traces
from neostriatum.recording.store import FORMAT, spike_hash, write_record

RATE_HZ, TRACED, SEED = 2.0, 3, 1
#: Most seconds of the clock for any format.
LIMIT_S = 300


def made_up(folder: Path, neurons: int, seconds: float) -> float:
    """Write a run directory of random spikes and return the seconds its network took."""
    circuit = ns.load("striatum")
    started = time.perf_counter()
    network = ns.build(circuit, size=neurons, seed=SEED)
    build_s = time.perf_counter() - started
    rng, dt = np.random.default_rng(SEED), circuit.dt.value
    n_steps = round(seconds * 1000 / dt)
    # A neuron spikes once in a step.
    key = np.unique(rng.integers(0, n_steps * neurons, rng.poisson(RATE_HZ * seconds * neurons)))
    steps, ids = key // neurons, key % neurons
    write_spikes(folder / "spikes.h5", network.populations, dt, steps, ids)
    times = np.arange(1, n_steps + 1) * dt
    write_traces(folder / "traces.h5", network.populations, {
        name: Trace(np.arange(span.start, span.start + TRACED), times,
                    rng.normal(-80, 3, (n_steps, TRACED)).astype(np.float32))
        for name, span in network.populations.items()})
    known = {"circuit": circuit.name, "engine": "none", "seed": SEED,
             "network_hash": network.hash(), "duration_ms": n_steps * dt}
    write_record(folder, known | {
        "format": FORMAT, "status": "finished", "size": neurons, "precision": "double",
        "started": datetime.now(UTC).isoformat(timespec="seconds"), "circuit": circuit.to_dict(),
        "counts": network.counts, "network": None, "versions": versions(), "machine": machine(),
        "summary": known | {
            "neurons": neurons, "synapses": network.synapses, "gap_junctions": len(network.gaps),
            "warmup_ms": 0.0, "dopamine": {"d1": 0.3, "d2": 0.3}, "spikes": len(steps),
            "spike_hash": spike_hash(steps, ids)}})
    return build_s


def exported(run: Path, to: str, out: Path, table: Table) -> None:
    """Export in a process of its own and print the rows of its format."""
    command = [sys.executable, "-m", "neostriatum", "export", str(run), "--to", to,
               "--out", str(out), "--json"]
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:  # noqa: S603
        said = json.loads(child.stdout.read() or "{}")
        _, code, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(code)
    table.row(f"{to}: seconds of the clock", time.perf_counter() - started, high=LIMIT_S)
    table.row(f"{to}: seconds of the processor", used.ru_utime + used.ru_stime)
    table.row(f"{to}: highest memory [GB]", used.ru_maxrss * 1024 / 1e9)
    table.row(f"{to}: size [MB]", sum(one.stat().st_size for one in out.rglob("*")
                                      if one.is_file()) / 1e6)
    table.row(f"{to}: positions known", bool(said.get("network")), low=1)


def main() -> None:
    """Make up the run, export it to every format."""
    neurons = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 100.0
    table = Table()
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        run.mkdir()
        build_s = made_up(run, neurons, seconds)
        table.row("the network, drawn again by every export: seconds", build_s)
        table.row("spikes, millions", ns.Run(run).summary["spikes"] / 1e6)
        for to in FORMATS:
            exported(run, to, Path(folder) / to, table)
        started = time.process_time()
        trains = ns.Run(run).to_neo().segments[0].spiketrains
        table.row("Run.to_neo(), in memory: seconds of the processor",
                  time.process_time() - started)
        table.row("Run.to_neo(): spike trains", len(trains), neurons, neurons)
    table.finish()


if __name__ == "__main__":
    main()
