"""Measure how fast the engines run the same network on this machine, side by side."""

from __future__ import annotations

import multiprocessing
import statistics
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from neostriatum.circuit.clock import run_steps, warmup_steps
from neostriatum.circuit.load import load
from neostriatum.circuit.resolve import Changes, resolve
from neostriatum.engines.base import engine
from neostriatum.errors import NeostriatumError
from neostriatum.keywords import keywords_of
from neostriatum.machine import machine, peak_memory_gb, versions
from neostriatum.models.registry import register_plain, registered
from neostriatum.network.build import build
from neostriatum.units import whole_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from neostriatum.circuit.model import Circuit
    from neostriatum.network.network import Network

#: Most runs of every engine.
MOST_REPEATS = 10_000


@dataclass(frozen=True)
class Task:
    """What every contestant runs."""

    circuit: dict[str, Any]
    size: int | None
    seed: int
    n_steps: int
    #: Where the files lie that the circuit names, and models that are not shipped.
    folder: Path | None = None
    models: list[dict[str, Any]] = field(default_factory=registered)

    def loaded(self) -> Circuit:
        """Return the circuit, in whatever process."""
        register_plain(self.models)
        return load(self.circuit, folder=self.folder)


@dataclass
class Contestant:
    """One engine with its settings, in a process of its own, and what was measured."""

    engine: str
    threads: int
    precision: str
    task: Task
    seconds: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    memory_gb: float = 0.0
    #: Why it cannot run here.
    missing: str = ""

    def start(self) -> bool:
        """Build, compile and warm up; return whether the engine can run here."""
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        arguments = (theirs, self.engine, self.threads, self.precision, self.task)
        self._process = context.Process(target=_serve, args=arguments, daemon=True)
        self._process.start()
        theirs.close()
        try:
            self.missing = self._pipe.recv()
        except EOFError:
            self.missing = f"engine {self.engine}: its process ended"
        return not self.missing

    def measure(self) -> None:
        """Run once and keep the time."""
        self._pipe.send(True)
        seconds, rate, self.memory_gb = self._pipe.recv()
        self.seconds.append(seconds)
        self.rates.append(rate)

    def stop(self) -> None:
        """End the process."""
        self._pipe.close()
        self._process.join(10)
        if self._process.is_alive():
            self._process.terminate()


@keywords_of(Changes)
def bench(
    circuit: Any = "striatum",
    *,
    size: int | None = None,
    duration: Any = "2 s",
    repeats: int = 5,
    seed: int = 1,
    threads: int | None = None,
    progress: Callable[[str, float], None] | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Time every installed engine on one network, alternating, spikes recorded by all.

    Parameters
    ----------
    circuit : str, Path, dict or Circuit
        What to run.
    size : int, optional
        Neurons, 10,000 unless given; a mesh has its own size and takes none.
    duration : str or quantity
        Timed simulation; the circuit's warm-up comes before and is not timed.
    repeats : int
        Runs of every contestant; medians and ranges are reported.
    seed : int
        Seed of the network and the first run; later runs count on from it.
    threads : int, optional
        Most threads to use; by default all cores.
    progress : callable, optional
        Called with a phase and its share done.
    **options
        dt, dopamine, d1, d2, overlay, changes as in `run`.

    Returns
    -------
    dict
        ``machine``, ``rows`` (one per engine, threads and precision), ``missing`` (why an engine
        cannot run here), ``ratios`` (None where one is missing).
    """
    repeats = whole_number("repeats", repeats, 1, MOST_REPEATS)
    resolved = resolve(circuit, Changes(**options))
    tell = progress or (lambda phase, share: None)
    network = build(resolved, size=size, seed=seed, threads=threads, progress=tell)
    n_steps = run_steps(resolved, duration)
    most = threads or machine()["cores"]
    task = Task(resolved.to_dict(), size, seed, n_steps, resolved._folder)
    contestants: list[Contestant] = []
    try:
        missing = _ready(_contestants(task, most), contestants, tell)
        for repeat in range(repeats):
            for number, one in enumerate(contestants):
                tell("measure", (repeat + number / len(contestants)) / repeats)
                one.measure()
    finally:
        for one in contestants:
            one.stop()
    rows = [_row(one, network, n_steps * resolved.dt.value / 1000.0) for one in contestants]
    return {
        "machine": {**machine(), **versions()}, "circuit": resolved.name,
        "duration_ms": n_steps * resolved.dt.value, "repeats": repeats, "rows": rows,
        "missing": missing,
        "ratios": {f"{peer}_over_numba": {precision: _ratio(rows, peer, precision)
                                          for precision in ("double", "single")}
                   for peer in ("brian2", "nest")},
    }


def _ready(asked: list[Contestant], contestants: list[Contestant],
           tell: Callable[[str, float], None]) -> dict[str, str]:
    """Start those that can run, into ``contestants``; return why the other engines cannot."""
    missing = {}
    for one in asked:
        threads = f"{one.threads} thread{'' if one.threads == 1 else 's'}"
        tell(f"start {one.engine} {one.precision}, {threads}", 0.0)
        contestants.append(one)
        if not one.start():
            missing[one.engine] = one.missing
            contestants.pop().stop()
    return missing


def _contestants(task: Task, most: int) -> list[Contestant]:
    threads = sorted({1, most})
    ours = [Contestant("numba", count, precision, task)
            for count in threads for precision in ("double", "single")]
    return ours + [Contestant(peer, count, "double", task)
                   for peer in ("brian2", "nest") for count in threads]


def _serve(pipe: Any, name: str, threads: int, precision: str, task: Task) -> None:
    """Run in a contestant's process: get ready, then run whenever asked."""
    try:
        circuit = task.loaded()
        network = build(circuit, size=task.size, seed=task.seed)
        simulator = engine(name, threads=threads, precision=precision)
        if simulator.name != name:
            # Without a compiler, Brian2 falls back to NumPy: no match.
            pipe.send(f"engine {name}: needs a C++ compiler and make")
            return
        ready = _brian2 if name == "brian2" else _stepwise
        with ready(simulator, circuit, network, task) as once:
            pipe.send("")
            while pipe.recv():
                seconds, spikes = once()
                rate = spikes / network.size / (task.n_steps * circuit.dt.value / 1000.0)
                pipe.send((seconds, rate, peak_memory_gb()))
    except NeostriatumError as error:
        pipe.send(str(error))
    except EOFError:
        return


@contextmanager
def _stepwise(simulator: Any, circuit: Circuit, network: Network,
              task: Task) -> Iterator[Callable[[], tuple[float, int]]]:
    warm = warmup_steps(circuit)

    def once() -> tuple[float, int]:
        simulator.prepare(circuit, network, task.seed)
        if warm:
            simulator.advance(warm)
        started = time.perf_counter()
        steps, _ = simulator.advance(task.n_steps)
        return time.perf_counter() - started, len(steps)

    once()
    yield once


@contextmanager
def _brian2(simulator: Any, circuit: Circuit, network: Network,
            task: Task) -> Iterator[Callable[[], tuple[float, int]]]:
    warm = warmup_steps(circuit)
    simulator.prepare(circuit, network, task.seed)
    with simulator.compiled(warm + task.n_steps) as execute:

        def once() -> tuple[float, int]:
            execute()
            return simulator.timers["simulate_s"], simulator.recorded(warm, warm + task.n_steps)

        yield once


def _row(one: Contestant, network: Network, seconds: float) -> dict[str, Any]:
    factors = sorted(value / seconds for value in one.seconds)
    return {
        "engine": one.engine, "threads": one.threads, "precision": one.precision,
        "neurons": network.size, "synapses": network.synapses,
        "rate_hz": round(statistics.median(one.rates), 4),
        "real_time_factor": round(statistics.median(factors), 4),
        "range": [round(factors[0], 4), round(factors[-1], 4)],
        "peak_memory_gb": one.memory_gb,
    }


def _ratio(rows: list[dict[str, Any]], peer: str, precision: str) -> float | None:
    """Return the best real-time factor of a peer over ours with all threads."""
    theirs = [row["real_time_factor"] for row in rows if row["engine"] == peer]
    ours = [row for row in rows if row["engine"] == "numba" and row["precision"] == precision]
    if not theirs or not ours:
        return None
    return round(min(theirs) / max(ours, key=lambda row: row["threads"])["real_time_factor"], 2)
