"""Do a run again from its record alone, and compare the spikes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from neostriatum.errors import EngineUnsupported, enough_memory, shown
from neostriatum.progress import watched
from neostriatum.ranks import launched
from neostriatum.recording.checked import Record, model_entries, record_of
from neostriatum.recording.drawn import former_network
from neostriatum.recording.models import check_models
from neostriatum.recording.record import parsed
from neostriatum.recording.store import Run
from neostriatum.runs.events import event_list
from neostriatum.runs.settings import Settings
from neostriatum.runs.start import begin
from neostriatum.threads import checked_threads

if TYPE_CHECKING:
    from collections.abc import Callable

    from neostriatum.network.network import Network


@enough_memory()
@watched
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
        No run, or its record or inputs are damaged, or the network or a model is another.
    ModelError
        A model that nobody has registered here: the message names its module.
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
    check_models(first, model_entries(first))
    record, tell = record_of(first), progress or (lambda phase, share: None)
    threads = checked_threads(threads)
    if network is not None or record.network or record.network_hash:
        network = former_network(first, network, threads, tell)
    settings = Settings(
        duration=f"{record.duration_ms!r} ms", size=record.size, seed=record.seed,
        engine=record.engine, threads=former_threads(record, threads),
        precision=record.precision, out=out, figures=record.figures,
        record=record.record, weight_unit=record.weight_unit,
        events=event_list([{"at": f"{event.step * first.dt_ms!r} ms", "note": event.note,
                            "set": {key: parsed(text) for key, text in event.set.items()}}
                           for event in record.events]))
    asked = {"network": record.network, "overlay": record.overlay, "changes": record.changes}
    second = begin(first.circuit, network, settings, asked, progress)
    original = first.summary["spike_hash"] if first.finished else None
    second.record["summary"] |= {
        "original_hash": original,
        "equal": None if original is None else original == second.summary["spike_hash"]}
    second.write_record()
    return second


def changed_since(first: Run) -> str:
    """Return what is another now than when a run was made, for a person."""
    from neostriatum.machine import machine, versions

    now = {**versions(), **machine()}
    then = {**first.record["versions"], **first.record["machine"]}
    return ", ".join(f"{key} {shown(then.get(key))} then, {shown(now.get(key))} now"
                     for key in now if now[key] != then.get(key))


def former_threads(record: Record, threads: int | None) -> int | None:
    """Return the threads of each rank; NEST's virtual processes must be as many as they were."""
    wanted = record.virtual_processes
    if wanted is None:
        return threads or record.threads
    ranks = launched()
    threads = threads or max(1, wanted // ranks)
    if threads * ranks != wanted:
        msg = (f"engine nest: threads times ranks must be {wanted}, as it was (got {threads} times "
               f"{ranks}). Change --threads or mpiexec -n")
        raise EngineUnsupported(msg)
    return threads
