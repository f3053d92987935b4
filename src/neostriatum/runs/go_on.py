"""Go on with a run that was stopped, or extend one that is finished."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neostriatum import __version__, rng
from neostriatum.circuit.clock import run_steps
from neostriatum.durable import locked
from neostriatum.engines.base import STATE_VERSION, engine
from neostriatum.errors import (
    CircuitError,
    EngineUnsupported,
    RunFileError,
    enough_memory,
    shown,
)
from neostriatum.learning.plan import PARTS, recorded_session
from neostriatum.learning.session import STATE, Session
from neostriatum.machine import fork_early
from neostriatum.progress import watched
from neostriatum.recording.checked import EventEntry, model_entries, record_of
from neostriatum.recording.checkpoint import read_state
from neostriatum.recording.drawn import former_network
from neostriatum.recording.manifest import Manifest, sweep
from neostriatum.recording.models import check_models
from neostriatum.recording.record import read_record
from neostriatum.recording.selection import choices
from neostriatum.recording.sonata import report, windows_of_spikes, windows_of_traces
from neostriatum.recording.store import Run
from neostriatum.recording.writer import Writer
from neostriatum.reporting.report import present
from neostriatum.runs.again import former_threads
from neostriatum.runs.events import planned
from neostriatum.runs.loop import Loop, complete, identity
from neostriatum.threads import checked_threads
from neostriatum.units import seconds

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from neostriatum.learning.plan import SessionPlan
    from neostriatum.network.network import Network

#: Steps of results that are turned back into chunks at a time.
_STRETCH = 5_000


@enough_memory()
@watched
def resume(
    run: Run | str | Path,
    *,
    duration: Any = None,
    network: Network | str | Path | None = None,
    threads: int | None = None,
    checkpoint_every: Any = "60 s",
    progress: Callable[[str, float], None] | None = None,
    **parts: Any,
) -> Run:
    """Go on with a run to the very spikes that it would have had without a stop.

    Parameters
    ----------
    run : Run, str or Path
        The run, or its folder.
    duration : str, optional
        Recorded time in all; by default what the run was to have. A longer one extends a run that
        is finished.
    network : Network, str or Path, optional
        Its network, or the file of it; by default drawn or loaded as it was.
    threads : int, optional
        Threads; the spikes do not depend on them.
    checkpoint_every : str
        Wall time between two checkpoints.
    progress : callable, optional
        Called with the name of the phase and its share done, 0 to 1.
    **parts
        Of a run that learns a task: ``environment``, ``encoder``, ``readout`` and ``critic``, where
        they are a user's own. They must be those of its record.

    Returns
    -------
    Run
        The whole run; at once if there was nothing left to do.

    Raises
    ------
    RunFileError
        No run, damaged files, another process that writes it, or a checkpoint of another circuit,
        seed, network, version or equations: the message names what differs.
    ModelError
        A model that nobody has registered here: the message names its module.
    EngineUnsupported
        The engine cannot continue exactly, and something was recorded already.
    CircuitError
        A duration shorter than what is there.

    Examples
    --------
    >>> import neostriatum as ns
    >>> whole = ns.resume("runs/0001", duration="10 s")  # doctest: +SKIP
    """
    folder, label = (run.folder, run.label) if isinstance(run, Run) else (Path(run), str(Path(run)))
    every_s = seconds("checkpoint_every", checkpoint_every)
    threads = checked_threads(threads)
    record = read_record(folder)  # a folder without a run is left as it is
    _refuse_parts(label, record, parts)
    fork_early()
    with locked(folder):
        former = Run(folder)
        former.label = label
        if duration is not None and record.get("learning"):
            msg = f"{label}: duration: is that of the trials of a session (got {shown(duration)})"
            raise CircuitError(msg)
        steps = former.record["steps"] if duration is None else run_steps(former.circuit, duration)
        tell = progress or (lambda phase, share: None)
        if former.finished and steps == former.record["steps"]:
            return _as_it_is(former, tell)
        former.verify()
        check_models(former, model_entries(former))
        _refuse_other_versions(former)
        _refuse_engine(former)
        _refuse_shorter(former, steps)
        if former.finished:
            _reopen(former)
        session = recorded_session(record["learning"], former.circuit, label, parts) \
            if record.get("learning") else None
        return complete(_taken_up(former, steps, network, threads, every_s, tell, session))


def _refuse_parts(label: str, record: dict[str, Any], parts: dict[str, Any]) -> None:
    known = ("environment", *PARTS) if record.get("learning") else ()
    if unknown := [key for key, value in parts.items() if key not in known and value is not None]:
        rule = f"unknown option (got {shown(unknown[0])})" if known else \
            f"learns no task, so {shown(unknown[0])} means nothing. Leave it out"
        msg = f"{label}: {rule}"
        raise CircuitError(msg)


def _as_it_is(former: Run, tell: Callable[[str, float], None]) -> Run:
    """Return a finished run; make good what a kill after its end left undone."""
    former.verify()
    sweep(former.folder, {(former.record["state"] or {}).get("state", "")})
    if former.record["figures"] and not (former.folder / "figures").is_dir():
        tell("figures", 0.0)
        present(former)
    return former


def _refuse_other_versions(former: Run) -> None:
    record, said = former.record, former.record["versions"]["neostriatum"]
    for what, theirs, ours in (("stream_version", record["stream_version"], rng.STREAM_VERSION),
                               ("version", said.split(".")[0], __version__.split(".")[0]),
                               ("state_version", record.get("state_version", 1), STATE_VERSION)):
        if theirs != ours:
            msg = (f"{former.label}: {what} must be {ours} to go on exactly (got {theirs}, "
                   f"neostriatum {said}). Install that version, or use rerun")
            raise RunFileError(msg)


def _refuse_engine(former: Run) -> None:
    """Refuse an engine that cannot go on exactly, once there is something to go on from."""
    simulator = engine(former.record["engine"], precision=former.record["precision"])
    begun = former.finished or Manifest(former.folder).stop
    if begun and not simulator.capabilities.exact_resume:
        msg = (f"{former.label}: engine {former.record['engine']}: "
               f"{simulator.excuses['exact_resume']}. Use rerun")
        raise EngineUnsupported(msg)


def _refuse_shorter(former: Run, steps: int) -> None:
    there = former.record["steps"] if former.finished else Manifest(former.folder).stop
    if steps < there:
        dt = former.dt_ms
        msg = (f"duration: must be at least the {there * dt:g} ms that are recorded "
               f"(got {steps * dt:g} ms)")
        raise CircuitError(msg)


def _reopen(former: Run) -> None:
    """Turn results back into chunks, to which more can be added; the results stay meanwhile.

    The record says "finished" until the chunks are complete, so that a kill changes nothing.
    """
    folder, record, dt = former.folder, record_of(former), former.dt_ms
    state = record.state or {}
    read_state(folder / state["state"], state["sha256"], identity(record))
    sweep(folder, {state["state"]})
    Manifest(folder).append(state)
    chosen = choices(record.record, former.circuit, record.counts or {}, record.axon_counts)
    writer = Writer(folder, former.populations, chosen)
    ends = [min(at + _STRETCH, record.steps) for at in range(0, record.steps, _STRETCH)]
    spikes = windows_of_spikes(folder / "spikes.h5", former.populations, dt, ends)
    traces = []
    for variable in dict.fromkeys(one.variable for one in chosen):
        mine = [one for one in chosen if one.variable == variable]
        traces.append(windows_of_traces(folder / report(variable), mine, ends))
    for end, (steps, ids), *samples in zip(ends, spikes, *traces, strict=True):
        writer.add(steps, ids, {key: said for one in samples for key, said in one.items()}, end)
    writer.flush()
    former.record = record.without("files", "summary", "state").with_(status="running").to_dict()
    former.write_record()


def _taken_up(former: Run, steps: int, network: Network | str | Path | None, threads: int | None,
              every_s: float, tell: Callable[[str, float], None],
              session: SessionPlan | None) -> Loop:
    """Return a loop that stands at the last sound checkpoint, or at the start."""
    folder, network = former.folder, former_network(former, network, threads, tell)
    record = record_of(former).without("error").with_(
        steps=steps, duration_ms=steps * former.dt_ms, network_hash=network.hash(),
        counts=network.counts, axon_counts=network.axons)
    chosen = choices(record.record, former.circuit, network.counts, network.axons)
    simulator = engine(record.engine, threads=former_threads(record, threads),
                       precision=record.precision)
    simulator.prepare(former.circuit, network, record.seed)
    writer = Writer(folder, network.populations, chosen)
    loop = Loop(folder, former.label, record, former.circuit, network, simulator,
                            writer, tell, every_s)
    entry, state = _last_sound(writer, identity(record))
    loop.at = entry["step"] if entry else -loop.warm
    if session is not None:
        loop.session = Session(session, former.circuit, network, record.seed, folder)
        # Events from there on were decided in a process that was killed: they are decided again.
        loop.record = record = record.with_(
            events=[event for event in record.events if event.step < loop.at])
        if state is not None:
            loop.session.restore(state.pop(STATE))
        # Hundreds of events of few keys: the last value of each is what holds.
        over = _together(record.events)
    else:
        over = [event for event in record.events if event.step < loop.at]
    plan = planned([*over, *(event for event in record.events if event.step >= loop.at)],
                   former.circuit)
    loop.plan = plan[len(over) :]
    if over:
        loop.circuit = plan[len(over) - 1].circuit
        simulator.change(loop.circuit)
    if entry and state:
        loop.timers = dict(entry["timers"])
        simulator.restore(state)
    writer.back_to(loop.at)
    return loop


def _together(events: list[EventEntry]) -> list[EventEntry]:
    """Return events as one with the last value of every key, none where there are none."""
    changes = {key: value for event in events for key, value in event.set.items()}
    return [EventEntry(step=events[-1].step, set=changes)] if events else []


def _last_sound(writer: Writer, whose: dict[str, Any]) -> tuple[Any, dict[str, np.ndarray] | None]:
    """Return the last checkpoint that is whole; refuse if there are some and none is."""
    entries = writer.manifest.states[-2:]
    for entry in reversed(entries):
        try:
            return entry, read_state(writer.folder / entry["state"], entry["sha256"], whose)
        except RunFileError as error:
            if entry is entries[0] or "not of this run" in str(error):
                raise
            warnings.warn(f"{error}: going on from the one before", stacklevel=2)
    return None, None


