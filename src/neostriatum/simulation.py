"""Build, simulate, record and summarise a circuit: the one call behind ``neostriatum run``."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum import rng
from neostriatum.circuit.check import whole_steps
from neostriatum.circuit.load import load
from neostriatum.durable import claim, unclaim
from neostriatum.engines.base import DEFAULT, engine
from neostriatum.errors import CircuitError, shown
from neostriatum.machine import fork_early, machine, peak_memory_gb, versions
from neostriatum.network.check import differs, fit
from neostriatum.network.files import load_network
from neostriatum.network.network import Network, build
from neostriatum.network.volume import DEFAULT_SIZE, checked_size
from neostriatum.recording.sonata import write_spikes, write_traces
from neostriatum.recording.store import FORMAT, Run, spike_hash, write_record
from neostriatum.units import quantity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from neostriatum.circuit.model import Circuit
    from neostriatum.engines.base import Engine

#: Simulated time between two looks at the progress [ms].
WINDOW_MS = 50.0
#: Cells of each type whose potential is recorded for the figure of traces.
PROBED = 3


@dataclass
class Settings:
    """How a circuit is run; every field is an option of the command line."""

    duration: Any = "2 s"
    size: int | None = None
    seed: int = 1
    engine: str = DEFAULT
    threads: int | None = None
    precision: str = "double"
    dt: Any = None
    dopamine: float | None = None
    d1: float | None = None
    d2: float | None = None
    overlay: str | Path | Iterable[str | Path] = ()
    changes: Mapping[str, Any] = field(default_factory=dict)
    out: str | Path | None = None
    figures: bool = True
    #: Of the synapses of a network file that another tool made and that does not say it.
    weight_unit: str = "nS"


def resolve(circuit: Any, settings: Settings) -> Circuit:
    """Return the circuit that ``settings`` asks for: overlays, changes, dt and dopamine on top.

    Raises
    ------
    CircuitError
        Anything that the circuit refuses.
    """
    changes = dict(settings.changes)
    if settings.dt is not None:
        changes["dt"] = settings.dt
    for key in ("d1", "d2"):
        own = getattr(settings, key)
        level = own if own is not None else settings.dopamine
        if level is not None:
            changes[f"dopamine.{key}"] = level
    return load(circuit, overlay=settings.overlay, changes=changes)


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
        d2, overlay, changes, out, figures, weight_unit.

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
        The potentials left their range.
    RunFileError
        The output folder is in the way or cannot be written.

    Examples
    --------
    >>> import neostriatum as ns
    >>> made = ns.run("striatum", size=200, duration="100 ms", engine="reference",
    ...               figures=False, changes={"warmup": "0 ms"})  # doctest: +SKIP
    """
    settings, file = _settings(options), None
    if isinstance(network, (str, Path)):
        file = str(network)
        network = load_network(network, circuit, weight_unit=settings.weight_unit,
                               seed=settings.seed)
    resolved = _fitting(circuit, network, settings)
    n_steps = run_steps(resolved, settings.duration)
    seed = rng.checked_seed(settings.seed)
    size = _size(resolved, settings, network)
    simulator = engine(settings.engine, threads=_threads(settings.threads),
                       precision=settings.precision)
    tell = progress or (lambda phase, share: None)
    fork_early()
    folder = claim(settings.out)
    record = _record(resolved, settings, seed, size, n_steps) | {"network": file}
    try:
        _copy_inputs(resolved, folder)
        write_record(folder, record)
        drawn = network if network is not None else build(
            resolved, size=size, seed=seed, threads=settings.threads, progress=tell)
        record |= {"counts": drawn.counts, "network_hash": drawn.hash()}
        simulator.prepare(resolved, drawn, seed)
        record |= getattr(simulator, "placement", {})
    except Exception:
        unclaim(folder)
        raise
    steps, ids, timers = _simulate(simulator, resolved, drawn, n_steps, tell)
    warm = whole_steps("warmup", resolved.warmup.value, resolved.dt.value)
    kept = steps >= warm
    steps, ids = steps[kept] - warm, ids[kept]
    write_spikes(folder / "spikes.h5", drawn.populations, resolved.dt.value, steps, ids)
    write_traces(folder / "traces.h5", drawn.populations, _after_warmup(simulator))
    record["timers"] = {"build_s": round(drawn.build_s, 4), **timers}
    record["summary"] = _summary(record, resolved, drawn, steps, ids, folder)
    record["status"] = "finished"
    write_record(folder, record)
    made = Run(folder)
    if settings.figures:
        tell("figures", 0.0)
        draw(made)
    return made


def _fitting(circuit: Any, network: Network | None, settings: Settings) -> Circuit:
    """Return the circuit to simulate, refused where it says other than the network."""
    own = None if network is None else network.circuit
    if circuit is None:
        circuit = "striatum" if own is None else own
    else:
        own = None  # another circuit on the same wires is what was asked for
    resolved = resolve(circuit, settings)
    if network is not None:
        fit(resolved, network)
    if own is not None and (what := differs(own, resolved)):
        msg = (f"{own.name}: {what}: must stay as the network was built (got another). "
               "Build one with it, without --network")
        raise CircuitError(msg)
    return resolved


def draw(made: Run, formats: Iterable[str] = ("png",)) -> list[Path]:
    """Draw the standard figures of a run into its folder and return their paths."""
    from neostriatum import plotting

    folder = made.folder / "figures"
    folder.mkdir(exist_ok=True)
    paths = []
    for name, make in (("raster", plotting.raster), ("traces", plotting.traces),
                       ("rates", plotting.rate_histogram)):
        figure, _ = make(made)
        for ending in formats:
            paths.append(folder / f"{name}.{ending}")
            figure.savefig(paths[-1])
    return paths


def _settings(options: dict[str, Any]) -> Settings:
    try:
        return Settings(**options)
    except TypeError as error:
        msg = f"run: {str(error).partition('() ')[2]}"
        raise CircuitError(msg) from None


def _threads(threads: Any) -> int | None:
    if threads is not None and (isinstance(threads, bool) or not isinstance(threads, int)
                                or not 1 <= threads <= 1024):
        msg = f"threads: must be a whole number from 1 to 1024 (got {threads})"
        raise CircuitError(msg)
    return threads


def _size(circuit: Circuit, settings: Settings, network: Network | None) -> int | None:
    if network is None:
        if circuit.volume.shape == "mesh":
            return settings.size  # the mesh decides, and refuses any other
        return DEFAULT_SIZE if settings.size is None else checked_size(settings.size)
    if settings.size is not None and settings.size != network.size:
        msg = f"size: must be the network's {network.size} (got {settings.size})"
        raise CircuitError(msg)
    return network.size


def run_steps(circuit: Circuit, duration: Any) -> int:
    """Return a duration as a whole number of steps of the circuit, at least one."""
    try:
        n_steps = whole_steps("duration", quantity(duration, "ms"), circuit.dt.value)
    except ValueError as error:
        text = str(error)
        msg = text if text.startswith("duration") else f"duration: {text} (got {shown(duration)})"
        raise CircuitError(msg) from None
    if n_steps < 1:
        msg = f"duration: must be at least one step (got {shown(duration)})"
        raise CircuitError(msg)
    return n_steps


def _simulate(
    simulator: Engine, circuit: Circuit, network: Network, n_steps: int,
    tell: Callable[[str, float], None],
) -> tuple[np.ndarray, np.ndarray, dict[str, float]]:
    for name, count in network.counts.items():
        if count:
            simulator.probe(name, np.arange(min(PROBED, count)))
    warm = whole_steps("warmup", circuit.warmup.value, circuit.dt.value)
    if not simulator.capabilities.chunks:
        tell("compile and simulate", 0.0)
        steps, ids = simulator.advance(warm + n_steps)
        timers = {key: round(said, 4) for key, said in simulator.timers.items()}
        return steps, ids, timers
    found, timers = [], {}
    window = max(1, round(WINDOW_MS / circuit.dt.value))
    for phase, total in (("warmup", warm), ("simulate", n_steps)):
        started = time.perf_counter()
        for done in range(0, total, window):
            tell(phase, done / total)
            found.append(simulator.advance(min(window, total - done)))
        timers[f"{phase}_s"] = round(time.perf_counter() - started, 4)
    return (np.concatenate([steps for steps, _ in found]),
            np.concatenate([ids for _, ids in found]), timers)


def _after_warmup(simulator: Engine) -> dict[str, Any]:
    from neostriatum.engines.base import Trace

    traces = {}
    for name, trace in simulator.traces().items():
        kept = trace.times_ms > 1e-9
        traces[name] = Trace(trace.ids, trace.times_ms[kept], trace.v_mv[kept])
    return traces


def _record(circuit: Circuit, settings: Settings, seed: int, size: int | None,
            n_steps: int) -> dict[str, Any]:
    return {
        "format": FORMAT, "status": "started", "circuit": circuit.to_dict(), "seed": seed,
        "size": size, "duration_ms": n_steps * circuit.dt.value, "engine": settings.engine,
        "threads": settings.threads, "precision": settings.precision,
        "overlay": [str(one) for one in ([settings.overlay] if isinstance(settings.overlay, str)
                                         else settings.overlay)],
        "changes": {key: str(said) for key, said in settings.changes.items()},
        "stream_version": rng.STREAM_VERSION, "versions": versions(), "machine": machine(),
    }


def _copy_inputs(circuit: Circuit, folder: Path) -> None:
    """Keep the files that the circuit names with the run: it can be repeated from its folder."""
    spikes = [target.spikes for entry in circuit.inputs.values()
              for target in entry.targets.values()]
    for name in {one.file for one in (*spikes, circuit.volume) if one is not None and one.file}:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile((circuit._folder or Path.cwd()) / name, folder / name)


def _summary(record: dict[str, Any], circuit: Circuit, network: Network, steps: np.ndarray,
             ids: np.ndarray, folder: Path) -> dict[str, Any]:
    seconds = record["duration_ms"] / 1000.0
    rates = {}
    for name in ("dSPN", "iSPN", "FS"):
        span = network.populations.get(name, range(0))
        mine = int(((ids >= span.start) & (ids < span.stop)).sum())
        rates[name] = round(mine / len(span) / seconds, 6) if len(span) else None
    timers = record["timers"]
    return {
        "circuit": circuit.name, "engine": record["engine"], "seed": record["seed"],
        "dopamine": {key: round(float(getattr(circuit.dopamine, key).at(0.0)), 6)
                     for key in ("d1", "d2")},
        "duration_ms": record["duration_ms"], "warmup_ms": circuit.warmup.value,
        "neurons": network.size, "synapses": network.synapses, "gap_junctions": len(network.gaps),
        "rates_hz": rates, "spikes": len(steps), "spike_hash": spike_hash(steps, ids),
        "network_hash": record["network_hash"], "build_s": timers["build_s"],
        "warmup_s": timers["warmup_s"], "simulate_s": timers["simulate_s"],
        "real_time_factor": round(timers["simulate_s"] / seconds, 4),
        "peak_memory_gb": peak_memory_gb(), "out": str(folder),
    }
