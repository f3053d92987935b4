"""Go on with a run that was stopped, extend one that is finished, or do one again."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neostriatum import __version__, rng
from neostriatum.durable import locked
from neostriatum.engines.base import engine
from neostriatum.errors import (
    CircuitError,
    EngineUnsupported,
    RunFileError,
    enough_memory,
    shown,
)
from neostriatum.job import Job, about, complete
from neostriatum.machine import fork_early
from neostriatum.network.check import fit
from neostriatum.network.files import load_network
from neostriatum.network.network import Network, build
from neostriatum.ranks import launched
from neostriatum.recording.checkpoint import read_state
from neostriatum.recording.manifest import Manifest, sweep
from neostriatum.recording.record import read_record, write_record
from neostriatum.recording.selection import choices
from neostriatum.recording.sonata import report, windows_of_spikes, windows_of_traces
from neostriatum.recording.store import Run
from neostriatum.recording.writer import Writer
from neostriatum.reporting.report import present
from neostriatum.simulation import Settings, begin, checked_threads, run_steps, seconds

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from neostriatum.circuit.model import Circuit

#: Steps of results that are turned back into chunks at a time.
_STRETCH = 5_000


@enough_memory()
def resume(
    run: Run | str | Path,
    *,
    duration: Any = None,
    network: Network | str | Path | None = None,
    threads: int | None = None,
    checkpoint_every: Any = "60 s",
    progress: Callable[[str, float], None] | None = None,
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

    Returns
    -------
    Run
        The whole run; at once if there was nothing left to do.

    Raises
    ------
    RunFileError
        No run, damaged files, another process that writes it, or a checkpoint of another circuit,
        seed, network or version: the message names what differs.
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
    read_record(folder)  # a folder without a run is left as it is
    fork_early()
    with locked(folder):
        made = Run(folder)
        made.label = label
        steps = made.record["steps"] if duration is None else run_steps(made.circuit, duration)
        tell = progress or (lambda phase, share: None)
        if made.finished and steps == made.record["steps"]:
            return _as_it_is(made, tell)
        made.verify()
        _refuse_other_versions(made)
        _refuse_engine(made)
        _refuse_shorter(made, steps)
        if made.finished:
            _reopen(made)
        job = _job(made, steps, network, threads, every_s, tell)
        return complete(job)


def _as_it_is(made: Run, tell: Callable[[str, float], None]) -> Run:
    """Return a finished run; make good what a kill after its end left undone."""
    made.verify()
    sweep(made.folder, {(made.record["state"] or {}).get("state", "")})
    if made.record["figures"] and not (made.folder / "figures").is_dir():
        tell("figures", 0.0)
        present(made)
    return made


def _refuse_other_versions(made: Run) -> None:
    said, stream = made.record["versions"]["neostriatum"], made.record["stream_version"]
    for what, theirs, ours in (("stream_version", stream, rng.STREAM_VERSION),
                               ("version", said.split(".")[0], __version__.split(".")[0])):
        if theirs != ours:
            msg = (f"{made.label}: {what} must be {ours} to go on exactly (got {theirs}, "
                   f"neostriatum {said}). Install that version, or use rerun")
            raise RunFileError(msg)


def _refuse_engine(made: Run) -> None:
    """Refuse an engine that cannot go on exactly, once there is something to go on from."""
    simulator = engine(made.record["engine"], precision=made.record["precision"])
    if not simulator.capabilities.exact_resume and (made.finished or Manifest(made.folder).stop):
        msg = (f"{made.label}: engine {made.record['engine']}: "
               f"{simulator.excuses['exact_resume']}. Use rerun")
        raise EngineUnsupported(msg)


def _refuse_shorter(made: Run, steps: int) -> None:
    there = made.record["steps"] if made.finished else Manifest(made.folder).stop
    if steps < there:
        dt = made.dt_ms
        msg = (f"duration: must be at least the {there * dt:g} ms that are recorded "
               f"(got {steps * dt:g} ms)")
        raise CircuitError(msg)


def _reopen(made: Run) -> None:
    """Turn results back into chunks, to which more can be added; the results stay meanwhile.

    The record says "finished" until the chunks are complete, so that a kill changes nothing.
    """
    folder, record, dt = made.folder, made.record, made.dt_ms
    state = record["state"]
    read_state(folder / state["state"], state["sha256"], about(record))
    sweep(folder, {state["state"]})
    Manifest(folder).append(state)
    chosen = choices(record["record"], made.circuit, record["counts"])
    writer = Writer(folder, made.populations, chosen)
    ends = [min(at + _STRETCH, record["steps"]) for at in range(0, record["steps"], _STRETCH)]
    spikes = windows_of_spikes(folder / "spikes.h5", made.populations, dt, ends)
    traces = []
    for variable in made.variables:
        mine = [one for one in chosen if one.variable == variable]
        traces.append(windows_of_traces(folder / report(variable), mine, ends))
    for end, (steps, ids), *samples in zip(ends, spikes, *traces, strict=True):
        writer.add(steps, ids, {key: said for one in samples for key, said in one.items()}, end)
    writer.flush()
    for key in ("files", "summary", "state"):
        del record[key]
    record["status"] = "running"
    write_record(folder, record)


def _job(made: Run, steps: int, network: Network | str | Path | None, threads: int | None,
         every_s: float, tell: Callable[[str, float], None]) -> Job:
    """Return a job that stands at the last sound checkpoint, or at the start."""
    folder, record = made.folder, made.record
    record |= {"steps": steps, "duration_ms": steps * made.dt_ms}
    record.pop("error", None)
    drawn = _network(record, made.circuit, network, threads, tell)
    if record.setdefault("network_hash", drawn.hash()) != drawn.hash():
        msg = (f"{made.label}: network must have the hash {record['network_hash'][:16]} (got "
               f"{drawn.hash()[:16]}). Give the one that it was run with, --network")
        raise RunFileError(msg)
    record["counts"] = drawn.counts
    chosen = choices(record["record"], made.circuit, drawn.counts)
    simulator = engine(record["engine"], threads=_threads(record, threads),
                       precision=record["precision"])
    simulator.prepare(made.circuit, drawn, record["seed"])
    writer = Writer(folder, drawn.populations, chosen)
    job = Job(folder, made.label, record, made.circuit, drawn, simulator, writer, tell, every_s)
    entry, state = _last_sound(writer, about(record))
    job.at = entry["step"] if entry else -job.warm
    if entry and state:
        job.timers = dict(entry["timers"])
        simulator.restore(state)
    writer.back_to(job.at)
    return job


def _threads(record: dict[str, Any], threads: int | None) -> int | None:
    """Return the threads of each rank; NEST's virtual processes must be as many as they were."""
    wanted = record.get("virtual_processes")
    if wanted is None:
        return threads or record["threads"]
    ranks = launched()
    threads = threads or max(1, wanted // ranks)
    if threads * ranks != wanted:
        msg = (f"engine nest: threads times ranks must be {wanted}, as it was (got {threads} times "
               f"{ranks}). Change --threads or mpiexec -n")
        raise EngineUnsupported(msg)
    return threads


def _network(record: dict[str, Any], circuit: Circuit, network: Network | str | Path | None,
             threads: int | None, tell: Callable[[str, float], None]) -> Network:
    """Return the network of a run: the one given, its file, or drawn as it was."""
    network = network if network is not None else record["network"]
    if network is not None and not isinstance(network, Network):
        network = load_network(network, circuit, weight_unit=record["weight_unit"],
                               seed=record["seed"])
    if network is None:
        return build(circuit, size=record["size"], seed=record["network_seed"],
                     threads=threads or record["threads"], progress=tell)
    fit(circuit, network)
    return network


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


@enough_memory()
def rerun(
    run: Run | str | Path,
    *,
    out: str | Path | None = None,
    network: Network | str | Path | None = None,
    threads: int | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> Run:
    """Do a run again from its record alone, in a new folder, and compare the spikes.

    Parameters
    ----------
    run : Run, str or Path
        The run, or its folder; of its files only run.json and copied inputs are read.
    out : str or Path, optional
        A new or empty folder; by default the next under ``runs``.
    network : Network, str or Path, optional
        Its network, or the file of it; by default drawn or loaded as it was.
    threads : int, optional
        Threads.
    progress : callable, optional
        Called with the name of the phase and its share done, 0 to 1.

    Returns
    -------
    Run
        The new run; its summary also has ``original_hash``, the spike hash of the first, and
        ``equal``, whether they agree (None if the first did not finish).

    Raises
    ------
    RunFileError
        No run, or its record or inputs are damaged, or the network is another.
    EngineUnsupported
        A run on NEST, and another number of virtual processes: other random numbers.

    Examples
    --------
    >>> import neostriatum as ns
    >>> ns.rerun("runs/0001").summary["equal"]  # doctest: +SKIP
    True
    """
    first = run if isinstance(run, Run) else Run(run)
    first.verify_inputs()
    record, tell = first.record, progress or (lambda phase, share: None)
    threads, drawn = checked_threads(threads), None
    if network is not None or record["network"] or "network_hash" in record:
        drawn = _network(record, first.circuit, network, threads, tell)
        if record.get("network_hash", drawn.hash()) != drawn.hash():
            msg = (f"{first.label}: network must have the hash {record['network_hash'][:16]} "
                   f"(got {drawn.hash()[:16]}). Give the one that it was run with, --network")
            raise RunFileError(msg)
    settings = Settings(
        duration=f"{record['duration_ms']!r} ms", size=record["size"], seed=record["seed"],
        engine=record["engine"], threads=_threads(record, threads),
        precision=record["precision"], out=out, figures=record["figures"],
        record=record["record"], weight_unit=record["weight_unit"])
    said = {key: record[key] for key in ("network", "overlay", "changes")}
    made = begin(first.circuit, drawn, settings, said, progress)
    original = first.summary["spike_hash"] if first.finished else None
    made.record["summary"] |= {
        "original_hash": original,
        "equal": None if original is None else original == made.summary["spike_hash"]}
    made.write_record()
    return made


def changed_since(first: Run) -> str:
    """Return what is another now than when a run was made, for a person."""
    from neostriatum.machine import machine, versions

    now = {**versions(), **machine()}
    then = {**first.record["versions"], **first.record["machine"]}
    return ", ".join(f"{key} {shown(then.get(key))} then, {shown(now.get(key))} now"
                     for key in now if now[key] != then.get(key))
