"""Simulate what is left of a run, keep it safe meanwhile, and turn it into results."""

from __future__ import annotations

import shlex
import signal
import threading
import time
import warnings
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from neostriatum import __version__, rng
from neostriatum.circuit.check import whole_steps
from neostriatum.circuit.modulator import DOPAMINE
from neostriatum.engines.base import Samples
from neostriatum.errors import (
    NeostriatumError,
    NeostriatumWarning,
    RunFileError,
    enough_memory,
)
from neostriatum.machine import peak_memory_gb
from neostriatum.recording.record import write_record
from neostriatum.recording.store import FINISHED, Run
from neostriatum.recording.writer import samples_of
from neostriatum.reporting.report import present

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from neostriatum.circuit.model import Circuit
    from neostriatum.engines.base import Engine
    from neostriatum.network.network import Network
    from neostriatum.recording.writer import Writer

#: Simulated time between two looks at the progress, the clock and Ctrl-C [ms], at most.
WINDOW_MS = 50.0
#: Wall time that a window should not exceed [s], so that Ctrl-C is answered soon.
PATIENCE_S = 0.5


@dataclass
class Job:
    """One run on its way: what is simulated, where it goes, and how often it is saved."""

    folder: Path
    #: The folder as the caller named it.
    label: str
    record: dict[str, Any]
    circuit: Circuit
    network: Network
    simulator: Engine
    writer: Writer
    tell: Callable[[str, float], None]
    #: Wall time between two checkpoints [s].
    every_s: float = 60.0
    #: Where the engine stands, in steps from the end of the warm-up.
    at: int = 0
    timers: dict[str, float] = field(default_factory=dict)

    @property
    def warm(self) -> int:
        """Steps of the warm-up."""
        return whole_steps("warmup", self.circuit.warmup.value, self.circuit.dt.value)

    def save(self) -> None:
        """Make everything up to now durable; with the engine's state, where it has one."""
        if self.simulator.capabilities.exact_resume:
            self.writer.checkpoint(self.at, self.simulator.state(), about(self.record),
                                   {key: round(said, 4) for key, said in self.timers.items()})
        else:
            self.writer.flush()


def about(record: dict[str, Any]) -> dict[str, Any]:
    """Return whose state a state is: what must be the same to go on from it."""
    return {"circuit": record["circuit"], "seed": record["seed"], "engine": record["engine"],
            "precision": record["precision"], "network_hash": record["network_hash"],
            "stream_version": rng.STREAM_VERSION, "version": __version__.split(".")[0]}


def complete(job: Job) -> Run:
    """Simulate what is left of a run, write its results and return it.

    Raises
    ------
    KeyboardInterrupt
        Ctrl-C; the run can be resumed, or is finished and only its figures are missing.
    NumericsError, RunFileError, BuildError
        As the engine, the disk and the memory have it; what was durable before stays readable.
    """
    job.record["status"] = "running"
    write_record(job.folder, job.record)
    try:
        with _deferred() as asked, enough_memory():
            _simulate(job, asked)
            job.tell("write", 0.0)
            _finish(job)
    except KeyboardInterrupt as stop:
        _leave(job, "interrupted")
        msg = (f"{job.label}: interrupted with {job.writer.manifest.stop * _dt(job):g} ms "
               f"recorded. Go on with: neostriatum resume {shlex.quote(job.label)}")
        raise KeyboardInterrupt(msg) from stop
    except NeostriatumError as error:
        if not isinstance(error, RunFileError):
            with suppress(RunFileError, MemoryError):
                job.writer.flush()
        _leave(job, "failed", str(error))
        raise
    # The run is finished and safe: from here on nothing may call it anything else.
    try:
        job.writer.clear_up()
    except RunFileError as error:
        warnings.warn(f"{job.label}: the run is finished, but working files of it are left "
                      f"({error})", NeostriatumWarning, stacklevel=2)
    made = Run(job.folder)
    made.label = job.label
    if job.record["figures"]:
        job.tell("figures", 0.0)
        present(made)
    return made


def _dt(job: Job) -> float:
    return job.circuit.dt.value


def _leave(job: Job, status: str, error: str | None = None) -> None:
    if job.record["status"] == FINISHED:
        return  # what came after that changes nothing
    job.record |= {"status": status} | ({"error": error} if error else {})
    with suppress(RunFileError):
        write_record(job.folder, job.record)


def _simulate(job: Job, asked: list[int]) -> None:
    end = job.record["steps"]
    if not job.simulator.capabilities.chunks:
        _at_once(job, end)
        return
    longest = max(1, round(WINDOW_MS / _dt(job)))
    # Short at first: nobody knows yet how long a step takes.
    window, saved, probing = min(longest, 50), time.monotonic(), False
    while job.at < end:
        # NEST can only watch cheaply what it is told to watch before its first step.
        if not probing and (job.at >= 0 or not job.simulator.capabilities.exact_resume):
            probing = True
            for one in job.writer.chosen:
                job.simulator.probe(one.population, one.ids, one.variable, one.every)
        phase, left = ("warmup", -job.at) if job.at < 0 else ("simulate", end - job.at)
        total = job.warm if job.at < 0 else end
        job.tell(phase, 1 - left / total)
        started = time.perf_counter()
        _window(job, min(window, left))
        taken = time.perf_counter() - started
        if time.monotonic() - saved >= job.every_s or asked:
            job.save()
            saved = time.monotonic()
        key = f"{phase}_s"
        job.timers[key] = job.timers.get(key, 0.0) + time.perf_counter() - started
        if taken > PATIENCE_S:
            window = max(1, window // 2)
        elif taken < PATIENCE_S / 4:
            window = min(longest, 2 * window)
        if asked:
            raise KeyboardInterrupt
    # The last state is kept: a finished run can be extended.
    job.save()


def _window(job: Job, count: int) -> None:
    steps, ids = job.simulator.advance(count)
    job.at += count
    if job.at > 0:
        kept = steps >= job.warm
        job.writer.add(steps[kept] - job.warm, ids[kept], samples_of(_recorded(job)), job.at)


def _at_once(job: Job, end: int) -> None:
    """Run an engine that runs once, from the first step to the last."""
    for one in job.writer.chosen:
        job.simulator.probe(one.population, one.ids, one.variable, one.every)
    job.tell("compile and simulate", 0.0)
    steps, ids = job.simulator.advance(job.warm + end)
    job.timers = dict(job.simulator.timers)  # type: ignore[attr-defined]
    steps, kept = steps - job.warm, steps >= job.warm
    job.at = end
    job.writer.add(steps[kept], ids[kept], samples_of(_recorded(job)), end)


def _recorded(job: Job) -> list[Samples]:
    """Return what the engine recorded since the last time, without the warm-up."""
    return [Samples(one.population, one.variable, one.ids, one.steps[late], one.values[late])
            for one in job.simulator.take() for late in [one.steps >= 0]]


@contextmanager
def _deferred() -> Iterator[list[int]]:
    """Give a list that the first Ctrl-C fills, so that a window comes to its end; the second stops.

    Only the main thread is told of signals.
    """
    asked: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return

    def ask(number: int, frame: Any) -> None:
        if asked:
            signal.default_int_handler(number, frame)
        asked.append(number)

    before = signal.getsignal(signal.SIGINT)
    if before in (None, signal.SIG_IGN):  # not Python's to give back, or nobody is to interrupt
        yield asked
        return
    signal.signal(signal.SIGINT, ask)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)


def _finish(job: Job) -> None:
    job.writer.flush()
    files, spike_hash = job.writer.finish(_dt(job))
    timers = {"build_s": round(job.network.build_s, 4),
              **{key: round(job.timers.get(key, 0.0), 4) for key in ("warmup_s", "simulate_s")}}
    finished = job.record | {
        "files": files, "state": job.writer.last_state(), "timers": timers,
        "summary": _summary(job, spike_hash, timers), "status": FINISHED}
    write_record(job.folder, finished)
    job.record = finished


def _summary(job: Job, spike_hash: str, timers: dict[str, float]) -> dict[str, Any]:
    record, circuit, network = job.record, job.circuit, job.network
    seconds, totals = record["duration_ms"] / 1000.0, job.writer.totals()
    rates = {}
    for name in ("dSPN", "iSPN", "FS"):
        count = network.counts.get(name, 0)
        rates[name] = round(totals[name] / count / seconds, 6) if count else None
    return {
        "circuit": circuit.name, "engine": record["engine"], "seed": record["seed"],
        "dopamine": {key: round(circuit.levels_at(0.0)[name], 6)
                     for name, key in DOPAMINE.items()},
        "modulators": {name: round(level, 6) for name, level
                       in circuit.levels_at(record["duration_ms"]).items()},
        "duration_ms": record["duration_ms"], "warmup_ms": circuit.warmup.value,
        "neurons": network.size, "synapses": network.synapses, "gap_junctions": len(network.gaps),
        "rates_hz": rates, "spikes": sum(totals.values()), "spike_hash": spike_hash,
        "network_hash": record["network_hash"], "build_s": timers["build_s"],
        "warmup_s": timers["warmup_s"], "simulate_s": timers["simulate_s"],
        "real_time_factor": round(timers["simulate_s"] / seconds, 4),
        "peak_memory_gb": peak_memory_gb(), "out": job.label,
    }
