"""How long a large run takes to export, how much memory, and how big each format is.

    python verify/export_speed.py [NEURONS] [SECONDS]

The run is made up (default 100,000 neurons, 100 s, Poisson spikes at 2 Hz: 20 million, potentials
of three cells per type after every step) on a network that is really built, so that every export
draws it again. Every export is a program of its own.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from table import Table

RATE_HZ, SEED = 2.0, 1
#: Most seconds for any format, of the processor: the clock depends on who else works.
LIMIT_S = 120
#: Steps of the made-up results in memory at a time.
STRETCH = 10_000


def make(folder: str, neurons: int, seconds: float) -> None:
    """Write a run directory of random spikes, in place of the results of a run of one step."""
    import neostriatum as ns
    from neostriatum.durable import digest
    from neostriatum.recording.chunks import Chunk
    from neostriatum.recording.record import write_record
    from neostriatum.recording.selection import choices
    from neostriatum.recording.sonata import write_spikes, write_traces

    run = ns.run("striatum_v1", size=neurons, duration="0.1 ms", changes={"warmup": "0 ms"},
                 seed=SEED, figures=False, out=folder)
    dt, spans, n_steps = run.dt_ms, run.populations, round(seconds * 1000 / run.dt_ms)
    rng = np.random.default_rng(SEED)
    chosen = choices(None, run.circuit, run.record["counts"])
    firsts = range(0, n_steps, STRETCH)
    counts = rng.poisson(RATE_HZ * neurons * STRETCH * dt / 1000, len(firsts))

    def chunks() -> Iterator[Chunk]:
        for number, first in enumerate(firsts):
            draw = np.random.default_rng([SEED, number])
            stop = min(first + STRETCH, n_steps)
            # A neuron spikes once in a step.
            key = np.unique(draw.integers(first * neurons, stop * neurons, counts[number]))
            yield Chunk(first, stop, key // neurons, key % neurons, {
                (one.variable, one.population): draw.normal(
                    -80, 3, (stop - first, len(one.ids))).astype(np.float32) for one in chosen})

    totals = dict.fromkeys(spans, 0)
    for chunk in chunks():
        for name, span in spans.items():
            totals[name] += int(((chunk.ids >= span.start) & (chunk.ids < span.stop)).sum())
    write_spikes(run.folder / "spikes.h5", spans, dt, totals, n_steps, chunks())
    write_traces(run.folder / "traces.h5", spans, dt, chosen, n_steps, chunks())
    duration = {"duration_ms": n_steps * dt}
    write_record(run.folder, run.record | duration | {
        "steps": n_steps, "summary": run.summary | duration | {"spikes": sum(totals.values())},
        "files": {name: digest(run.folder / name) for name in ("spikes.h5", "traces.h5")}})


def exported(run: Path, to: str, out: Path, table: Table) -> None:
    """Export in a process of its own and print the rows of its format."""
    command = [sys.executable, "-m", "neostriatum", "export", str(run), "--to", to,
               "--out", str(out), "--json"]
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        said = json.loads(child.stdout.read() or "{}")
        _, code, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(code)
    table.row(f"{to}: seconds of the clock", time.perf_counter() - started)
    table.row(f"{to}: seconds of the processor", used.ru_utime + used.ru_stime, high=LIMIT_S)
    table.row(f"{to}: highest memory [GB]", used.ru_maxrss * 1024 / 1e9)
    table.row(f"{to}: size [MB]", sum(one.stat().st_size for one in out.rglob("*")
                                      if one.is_file()) / 1e6)
    table.row(f"{to}: network drawn again", bool(said.get("network")), low=1)


def in_memory(run: Path, table: Table) -> None:
    """Make the Neo block of every neuron and print its rows."""
    import neostriatum as ns

    started = time.process_time()
    trains = ns.Run(run).to_neo().segments[0].spiketrains
    table.row("Run.to_neo(): seconds of the processor", time.process_time() - started, high=LIMIT_S)
    table.row("Run.to_neo(): spike trains", len(trains))


def main() -> None:
    """Make up the run, export it to every format."""
    neurons = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 100.0
    table = Table()
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        # In a process of its own: a child counts as large as the one that it was forked from.
        subprocess.run([sys.executable, __file__, "make", str(run), str(neurons), str(seconds)],
                       check=True)
        summary = json.loads((run / "run.json").read_text("utf-8"))["summary"]
        table.row("spikes, millions", summary["spikes"] / 1e6)
        table.row("building the network, as every export does: seconds", summary["build_s"])
        for to in ("sonata", "nwb", "neo", "csv"):
            exported(run, to, Path(folder) / to, table)
        in_memory(run, table)
    table.finish()


if __name__ == "__main__":
    if sys.argv[1:2] == ["make"]:
        make(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
    else:
        main()
