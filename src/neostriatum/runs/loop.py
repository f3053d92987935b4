"""Simulate what is left of a run, keep it safe meanwhile, and turn it into results."""

from __future__ import annotations

import shlex
import time
import warnings
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from neostriatum import __version__, rng
from neostriatum.circuit.aliases import reported
from neostriatum.circuit.clock import warmup_steps
from neostriatum.circuit.modulator import DOPAMINE
from neostriatum.circuit.signals import unreleased
from neostriatum.compile_clock import compile_seconds
from neostriatum.durable import digest
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
from neostriatum.runs.axon_spikes import write_axon_spikes
from neostriatum.runs.events import at_start, planned
from neostriatum.runs.interrupt import deferred

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from neostriatum.circuit.model import Circuit
    from neostriatum.engines.base import Engine
    from neostriatum.learning.session import Session
    from neostriatum.network.network import Network
    from neostriatum.recording.checked import Record
    from neostriatum.recording.writer import Writer
    from neostriatum.runs.events import Planned

#: Simulated time between two looks at the progress, the clock and Ctrl-C [ms], at most.
WINDOW_MS = 50.0
#: Wall time that a window should not exceed [s], so that Ctrl-C is answered soon.
PATIENCE_S = 0.5


@dataclass
class Loop:
    """One run on its way: what is simulated, where it goes, and how often it is saved."""

    folder: Path
    #: The folder as the caller named it.
    label: str
    record: Record
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
    #: What this process had spent on compiling before the run began [s].
    compiled_s: float = field(default_factory=compile_seconds)
    #: Events that are still to come.
    plan: list[Planned] = field(default_factory=list)
    #: What decides events while the run goes on, of a run that learns a task.
    session: Session | None = None

    @property
    def warm(self) -> int:
        """Steps of the warm-up."""
        return warmup_steps(self.circuit)

    def save(self) -> None:
        """Make everything up to now durable; with the engine's state, where it has one."""
        if self.session is not None:
            # Before the state: the events that it goes on from are then there for certain.
            write_record(self.folder, self.record.to_dict())
            self.session.write()
        if self.simulator.capabilities.exact_resume:
            own = self.session.state() if self.session is not None else {}
            self.writer.checkpoint(self.at, self.simulator.state() | own, identity(self.record),
                                   {key: round(said, 4) for key, said in self.timers.items()})
        else:
            self.writer.flush()


def identity(record: Record) -> dict[str, Any]:
    """Return whose state a state is: what must be the same to go on from it."""
    return {"circuit": record.circuit, "seed": record.seed, "engine": record.engine,
            "precision": record.precision, "network_hash": record.network_hash,
            "stream_version": rng.STREAM_VERSION, "version": __version__.split(".")[0],
            # The events of a session follow from it.
            **({"learning": record.learning} if record.learning else
               {"events": [event.model_dump() for event in record.events]} if record.events
               else {})}


def complete(loop: Loop) -> Run:
    """Simulate what is left of a run, write its results and return it.

    Raises
    ------
    KeyboardInterrupt
        Ctrl-C; the run can be resumed, or is finished and only its figures are missing.
    NumericsError, RunFileError, BuildError
        As the engine, the disk and the memory have it; what was durable before stays readable.
    """
    loop.record = loop.record.with_(status="running")
    write_record(loop.folder, loop.record.to_dict())
    try:
        with deferred() as asked, enough_memory():
            _simulate(loop, asked)
            loop.tell("write", 0.0)
            finish(loop)
    except KeyboardInterrupt as stop:
        leave(loop, "interrupted")
        msg = (f"{loop.label}: interrupted with {loop.writer.manifest.stop * _dt(loop):g} ms "
               f"recorded. Go on with: neostriatum resume {shlex.quote(loop.label)}")
        raise KeyboardInterrupt(msg) from stop
    except NeostriatumError as error:
        if not isinstance(error, RunFileError):
            with suppress(RunFileError, MemoryError):
                loop.writer.flush()
                if loop.session is not None:
                    loop.session.write()
        leave(loop, "failed", str(error))
        raise
    # The run is finished and safe: from here on nothing may call it anything else.
    try:
        loop.writer.clear_up()
    except RunFileError as error:
        warnings.warn(f"{loop.label}: the run is finished, but working files of it are left "
                      f"({error})", NeostriatumWarning, stacklevel=2)
    made = Run(loop.folder)
    made.label = loop.label
    if loop.record.figures:
        loop.tell("figures", 0.0)
        present(made)
    return made


def _dt(loop: Loop) -> float:
    return loop.circuit.dt.value


def leave(loop: Loop, status: str, error: str | None = None) -> None:
    """Say in the record how a run was left that did not come to its end."""
    if loop.record.status == FINISHED:
        return  # what came after that changes nothing
    loop.record = loop.record.with_(status=status, **({"error": error} if error else {}))
    with suppress(RunFileError):
        write_record(loop.folder, loop.record.to_dict())


def _simulate(loop: Loop, asked: list[int]) -> None:
    end = loop.record.steps
    if not loop.simulator.capabilities.chunks:
        _at_once(loop, end)
        return
    longest = max(1, round(WINDOW_MS / _dt(loop)))
    # Short at first: nobody knows yet how long a step takes.
    window, saved, probing = min(longest, 50), time.monotonic(), False
    while loop.at < end:
        # NEST can only watch cheaply what it is told to watch before its first step.
        if not probing and (loop.at >= 0 or not loop.simulator.capabilities.exact_resume):
            probing = True
            for one in loop.writer.chosen:
                loop.simulator.probe(one.population, one.ids, one.variable, one.every)
        _ask_session(loop)
        _apply_events(loop)
        phase, left = ("warmup", -loop.at) if loop.at < 0 else ("simulate", end - loop.at)
        total = loop.warm if loop.at < 0 else end
        loop.tell(phase, 1 - left / total)
        started = time.perf_counter()
        _window(loop, min(window, left, _until_event(loop)))
        taken = time.perf_counter() - started
        if time.monotonic() - saved >= loop.every_s or asked:
            loop.save()
            saved = time.monotonic()
        key = f"{phase}_s"
        loop.timers[key] = loop.timers.get(key, 0.0) + time.perf_counter() - started
        if taken > PATIENCE_S:
            window = max(1, window // 2)
        elif taken < PATIENCE_S / 4:
            window = min(longest, 2 * window)
        if asked:
            raise KeyboardInterrupt
    _ask_session(loop)
    # The last state is kept: a finished run can be extended.
    loop.save()


def _apply_events(loop: Loop) -> None:
    """Change the circuit as the events say that are due at the step that comes next."""
    while loop.plan and loop.plan[0].entry.step <= loop.at:
        loop.circuit = loop.plan.pop(0).circuit
        loop.simulator.change(loop.circuit)


def _ask_session(loop: Loop) -> None:
    """Let a session decide what is due at the step that comes next, and note it as events."""
    session = loop.session
    if session is None or session.next.step > loop.at:
        return
    rows = session.ask(loop.simulator)
    loop.plan += planned(rows, loop.circuit)
    loop.record = loop.record.with_(events=[*loop.record.events, *rows])


def _until_event(loop: Loop) -> int:
    """Return the steps to the next event; more than any window where none comes."""
    until = loop.plan[0].entry.step - loop.at if loop.plan else 2**62
    return until if loop.session is None else min(until, loop.session.next.step - loop.at)


def _window(loop: Loop, count: int) -> None:
    steps, ids = loop.simulator.advance(count)
    loop.at += count
    if loop.at > 0:
        kept = steps >= loop.warm
        if loop.session is not None:
            loop.session.hear(ids[kept])
        loop.writer.add(steps[kept] - loop.warm, ids[kept], samples_of(_recorded(loop)), loop.at)


def _at_once(loop: Loop, end: int) -> None:
    """Run an engine that runs once, from the first step to the last."""
    for one in loop.writer.chosen:
        loop.simulator.probe(one.population, one.ids, one.variable, one.every)
    loop.tell("compile and simulate", 0.0)
    steps, ids = loop.simulator.advance(loop.warm + end)
    # Engines that run once have them, and they alone.
    loop.timers = dict(loop.simulator.timers)  # type: ignore[attr-defined]  # see above
    steps, kept = steps - loop.warm, steps >= loop.warm
    loop.at = end
    loop.writer.add(steps[kept], ids[kept], samples_of(_recorded(loop)), end)


def _recorded(loop: Loop) -> list[Samples]:
    """Return what the engine recorded since the last time, without the warm-up."""
    return [Samples(one.population, one.variable, one.ids, one.steps[late], one.values[late])
            for one in loop.simulator.take() for late in [one.steps >= 0]]


def finish(loop: Loop) -> None:
    """Write the results of what is simulated, and the record that calls the run finished."""
    loop.writer.flush()
    files, spike_hash = loop.writer.finish(_dt(loop))
    files |= {name: digest(loop.folder / name) for name in write_axon_spikes(loop)}
    if loop.session is not None:
        loop.session.write()
        files |= loop.session.files()
    timers = {"build_s": round(loop.network.build_s, 4),
              "compile_s": round(compile_seconds() - loop.compiled_s, 4),
              **{key: round(loop.timers.get(key, 0.0), 4) for key in ("warmup_s", "simulate_s")}}
    finished = loop.record.with_(
        files=files, state=loop.writer.last_state(), timers=timers,
        summary=_summary(loop, spike_hash, timers), status=FINISHED)
    write_record(loop.folder, finished.to_dict())
    loop.record = finished


def _summary(loop: Loop, spike_hash: str, timers: dict[str, float]) -> dict[str, Any]:
    record, circuit, network = loop.record, loop.circuit, loop.network
    began = at_start(record.events, Run(loop.folder).circuit) if record.events else circuit
    seconds, totals = record.duration_ms / 1000.0, loop.writer.totals()
    rates = {}
    for name in reported(network.counts):
        count = network.counts.get(name, 0)
        rates[name] = round(totals[name] / count / seconds, 6) if count else None
    return {
        "circuit": circuit.name, "engine": record.engine, "seed": record.seed,
        "dopamine": {key: None if began.modulators[name].kind else
                     round(began.levels_at(0.0)[name], 6) for name, key in DOPAMINE.items()},
        "modulators": {name: round(level, 6) for name, level
                       in loop.simulator.levels().items()},
        **({"levels_held": held} if (held := unreleased(circuit, network.counts)) else {}),
        "duration_ms": record.duration_ms, "warmup_ms": circuit.warmup.value,
        "events": len(record.events),
        "neurons": network.size, "synapses": network.synapses, "gap_junctions": len(network.gaps),
        "axons": {name: loop.simulator.axon_spikes.get(name) for name in network.axons},
        "rates_hz": rates, "spikes": sum(totals.values()), "spike_hash": spike_hash,
        "network_hash": record.network_hash, "build_s": timers["build_s"],
        "compile_s": timers["compile_s"],
        "warmup_s": timers["warmup_s"], "simulate_s": timers["simulate_s"],
        "real_time_factor": round(timers["simulate_s"] / seconds, 4),
        "peak_memory_gb": peak_memory_gb(), "out": loop.label,
        **({"learning": loop.session.summary()} if loop.session is not None else {}),
    }
