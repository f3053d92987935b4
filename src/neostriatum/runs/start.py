"""Build, simulate, record and summarise a circuit: the one call behind ``neostriatum run``."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neostriatum import rng
from neostriatum.circuit.clock import run_steps
from neostriatum.circuit.folder import path_text
from neostriatum.circuit.models import entries_of
from neostriatum.circuit.resolve import resolve
from neostriatum.compile_clock import compile_seconds, listening
from neostriatum.durable import claim, left_over, locked, unclaim, write_hashed
from neostriatum.engines.base import STATE_VERSION, engine, refuse_probes
from neostriatum.errors import (
    CircuitError,
    NumericsError,
    RunFileError,
    enough_memory,
    shown,
)
from neostriatum.keywords import keywords_of
from neostriatum.learning.session import Session
from neostriatum.machine import fork_early, machine, versions
from neostriatum.network.build import build
from neostriatum.network.check import fit
from neostriatum.network.files import load_network
from neostriatum.network.network import Network
from neostriatum.network.volume import DEFAULT_SIZE, checked_size
from neostriatum.progress import watched
from neostriatum.recording.checked import Record
from neostriatum.recording.record import spelled, write_record
from neostriatum.recording.selection import axons_asked, choices
from neostriatum.recording.writer import Writer
from neostriatum.runs.events import (
    entries,
    event_list,
    planned,
    refuse_engine,
    rehearsed,
    try_out,
)
from neostriatum.runs.loop import Loop, complete
from neostriatum.runs.settings import Settings
from neostriatum.threads import checked_threads
from neostriatum.units import seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from neostriatum.circuit.model import Circuit
    from neostriatum.recording.store import Run


@watched
@keywords_of(Settings, leave_out=["session"])
def run(
    circuit: Any = None,
    *,
    network: Network | str | Path | None = None,
    progress: Callable[[str, float], None] | None = None,
    **options: Any,
) -> Run:
    """Simulate a circuit and return the run that is now on disk.

    Parameters
    ----------
    circuit : str, Path, dict or Circuit, optional
        What to simulate; by default the circuit of ``network``, or "striatum".
    network : Network, str or Path, optional
        A network built before, or its file; by default one is drawn from ``size`` and ``seed``.
    progress : callable, optional
        Called with the name of the phase and its share done, 0 to 1.
    **options
        Fields of `Settings`: duration, size, seed, engine, threads, precision, dt, dopamine, d1,
        d2, overlay, changes, out, figures, record, events, checkpoint_every, weight_unit.

    Returns
    -------
    Run
        Spikes, traces, rates and the record.

    Raises
    ------
    CircuitError, BuildError
        Bad input; nothing is left on disk.
    EngineMissing, EngineUnsupported, LibraryMissing
        The engine, or a library that the circuit needs, is not installed or cannot do this.
    NumericsError
        The potentials left their range, or the spikes are not those that a file of events names;
        the run is finished then.
    RunFileError
        The output folder is in the way or cannot be written.
    KeyboardInterrupt
        Ctrl-C, once the window is over and its state is safe; `resume` goes on.

    Examples
    --------
    >>> import neostriatum as ns
    >>> made = ns.run("striatum", size=200, duration="100 ms", engine="reference",
    ...               figures=False, changes={"warmup": "0 ms"})  # doctest: +SKIP
    """
    events = event_list([] if options.get("events") is None else options["events"])
    circuit = events.options.get("circuit") if circuit is None and network is None else circuit
    wanted = {key: value for key, value in events.options.items() if key != "circuit"}
    settings, file = Settings.of(wanted | options | {"events": events}), None
    if network is not None and not isinstance(network, Network):
        file = str(Path(path_text("network", network)).absolute())
        network = load_network(network, circuit, weight_unit=settings.weight_unit,
                               seed=settings.seed)
    resolved = _fitting(circuit, network, settings)
    made = begin(resolved, network, settings, {"network": file}, progress)
    if events.spike_hash not in (None, made.summary["spike_hash"]):
        msg = (f"{events.where}: spike_hash must be {shown(str(events.spike_hash)[:16])} (got "
               f"{made.summary['spike_hash'][:16]}): other spikes than when the file was written")
        raise NumericsError(msg)
    return made


@enough_memory()
def begin(resolved: Circuit, network: Network | None, settings: Settings, asked: dict[str, Any],
          progress: Callable[[str, float], None] | None) -> Run:
    """Simulate a resolved circuit in a new folder; ``asked`` goes into its record."""
    with begun(resolved, network, settings, asked, progress) as loop:
        return complete(loop)


@contextmanager
def begun(resolved: Circuit, network: Network | None, settings: Settings, asked: dict[str, Any],
          progress: Callable[[str, float], None] | None) -> Iterator[Loop]:
    """Give a run that stands at its first step, in a new folder that nobody else may write."""
    n_steps = run_steps(resolved, settings.duration)
    seed = rng.checked_seed(settings.seed)
    size = _size(resolved, settings, network)
    every_s = seconds("checkpoint_every", settings.checkpoint_every)
    simulator = engine(settings.engine, threads=checked_threads(settings.threads),
                       precision=settings.precision)
    tell = progress or (lambda phase, share: None)
    fork_early()
    rows = entries(settings.events or event_list([]), resolved, n_steps)
    plan = planned(rows, resolved)
    tried = plan if settings.session is None else rehearsed(settings.session, resolved)
    refuse_engine(simulator, settings.engine, tried)
    record = _record(resolved, settings, size, n_steps, asked | {
        "seed": seed, "network_seed": seed if network is None else network.seed,
        **({"events": rows} if rows else {})})
    compiled_s, folder = compile_seconds(), claim(settings.out)
    label, folder = str(folder), folder.absolute()
    with ExitStack() as held:
        held.enter_context(listening(tell))
        held.enter_context(_alone(folder, label))
        try:
            record = record.with_(inputs=_copy_inputs(resolved, folder))
            write_record(folder, record.to_dict())
            if network is None:
                network = build(resolved, size=size, seed=seed, threads=settings.threads,
                                progress=tell)
            chosen = choices(settings.record, resolved, network.counts, network.axons)
            axons_asked(settings.record, resolved, network.axons)
            refuse_probes(simulator, [choice.population for choice in chosen])
            simulator.prepare(resolved, network, seed)
            try_out(simulator, tried, resolved)
            record = record.with_(counts=network.counts, axon_counts=network.axons,
                                  network_hash=network.hash(),
                                  **getattr(simulator, "placement", {}))
            writer = Writer(folder, network.populations, chosen)
        except Exception:
            unclaim(folder)
            raise
        loop = Loop(folder, label, record, resolved, network, simulator, writer, tell, every_s)
        loop.at, loop.plan, loop.compiled_s = -loop.warm, plan, compiled_s
        if settings.session is not None:
            loop.session = Session(settings.session, resolved, network, seed, folder)
        yield loop


@contextmanager
def _alone(folder: Path, label: str) -> Iterator[None]:
    """Hold the lock of a folder that must be empty; what is there is another's."""
    with locked(folder):
        if not all(left_over(one) for one in folder.iterdir()):
            msg = f"{label}: --out must be a new or empty folder. Choose another"
            raise RunFileError(msg)
        yield


def _fitting(circuit: Any, network: Network | None, settings: Settings) -> Circuit:
    """Return the circuit to simulate, refused where it says other than the network."""
    if circuit is None:
        own = None if network is None else network.circuit
        circuit = "striatum" if own is None else own
    resolved = resolve(circuit, settings)
    if network is not None:
        fit(resolved, network)
    return resolved


def _size(circuit: Circuit, settings: Settings, network: Network | None) -> int | None:
    if network is None:
        if circuit.volume.shape == "mesh":
            return settings.size  # the mesh decides, and refuses any other
        return DEFAULT_SIZE if settings.size is None else checked_size(settings.size)
    if settings.size is not None and settings.size != network.size:
        msg = f"size: must be the network's {network.size} (got {settings.size})"
        raise CircuitError(msg)
    return network.size


def _record(circuit: Circuit, settings: Settings, size: int | None, n_steps: int,
            asked: dict[str, Any]) -> Record:
    if settings.session is not None:
        asked = asked | {"learning": settings.session.record}
    return Record.asked(**{
        "started": datetime.now(UTC).isoformat(timespec="seconds"), "circuit": circuit.to_dict(),
        "models": entries_of(circuit), "size": size,
        "steps": n_steps, "duration_ms": n_steps * circuit.dt.value,
        "engine": settings.engine,
        "threads": checked_threads(settings.threads), "precision": settings.precision,
        "overlay": list(settings.overlay),
        "changes": {str(key): spelled(value) for key, value in settings.changes.items()},
        "record": settings.record, "figures": settings.figures,
        "weight_unit": settings.weight_unit,
        "stream_version": rng.STREAM_VERSION, "state_version": STATE_VERSION,
        "versions": versions(), "machine": machine(),
    } | asked)


def _copy_inputs(circuit: Circuit, folder: Path) -> dict[str, str]:
    """Keep the files that the circuit names with the run; return the sha256 of each.

    So a run can be repeated from its folder.
    """
    spikes = [target.spikes for entry in circuit.inputs.values()
              for target in entry.targets.values()]
    spikes += [axons.recorded for axons in circuit.axons.values()]
    names = {one.file for one in (*spikes, circuit.volume) if one is not None and one.file}
    return {name: _copied((circuit._folder or Path.cwd()) / name, folder / name)
            for name in sorted(names)}


def _copied(source: Path, target: Path) -> str:
    """Copy a file durably and return its sha256."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        data = source.read_bytes()
    except OSError as error:
        msg = f"{target}: cannot be written ({error.strerror or error})"
        raise RunFileError(msg) from None
    return write_hashed(target, lambda file: file.write(data))
