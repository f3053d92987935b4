"""The notebook's experiment: cells of one type, connected to cells of another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.circuit.clock import run_steps, steps
from neostriatum.circuit.drive import SpikeFile
from neostriatum.circuit.load import load
from neostriatum.circuit.removal import channels_among
from neostriatum.circuit.resolve import Changes, resolve
from neostriatum.engines.base import Engine, Trace
from neostriatum.engines.base import engine as make_engine
from neostriatum.engines.modulation import lower_weight_effects, scale
from neostriatum.errors import CircuitError, shown
from neostriatum.experiments.holding import hold
from neostriatum.experiments.isolate import (
    holding,
    injected,
    isolated,
    known_type,
    levels_held,
    without_nuclei,
)
from neostriatum.experiments.pair_result import PairResult
from neostriatum.keywords import keywords_of
from neostriatum.network.cells import Cells
from neostriatum.network.connect import connect
from neostriatum.network.edges import Block, Edges, Lag, delay_units
from neostriatum.network.network import Network
from neostriatum.network.place import place
from neostriatum.network.volume import checked_size, cube
from neostriatum.network.wire import Box
from neostriatum.rng import checked_seed, stream
from neostriatum.units import quantity

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit

#: When the presynaptic spike of a single pair comes [ms].
SPIKE_MS = 20.0
#: How far two recorded cells lie apart unless said otherwise [um].
DISTANCE = "50 um"


@keywords_of(Changes)
def pair(
    source: str,
    target: str,
    *,
    n: int = 1,
    circuit: Any = "striatum",
    holding: Any = None,
    distance: Any = DISTANCE,
    duration: Any = None,
    seed: int = 1,
    engine: str = "reference",
    **options: Any,
) -> PairResult:
    """Connect ``n`` cells of one type to ``n`` of another and see what happens.

    With ``n = 1`` one presynaptic spike reaches an isolated target held at ``holding`` by a
    constant current, and the postsynaptic potential is the difference to the same cell without
    the spike. With more, the two groups lie in tissue of the circuit's density, the sources are
    wired to the targets by the pathway's rule, and the circuit's inputs drive both.

    Parameters
    ----------
    source, target : str
        Cell types or aliases; the source of a single pair may be axons.
    n : int
        Cells on each side.
    circuit : str, Path, dict or Circuit
        Where cells, pathway and inputs come from.
    holding : str or quantity, optional
        Potential of the target before the spike; by default that of its start, v_r.
    distance : str or quantity
        Between the two somas of a single pair; it sets the delay.
    duration : str or quantity, optional
        Simulated time; 220 ms for a pair, 1 s for groups.
    seed : int
        Master seed of the groups.
    engine : str
        Engine to use.
    **options
        dt, dopamine, d1, d2, overlay, changes as in `run`.

    Returns
    -------
    PairResult
        The postsynaptic potential, or spikes and traces of the groups.

    Raises
    ------
    CircuitError
        Unknown types, no such pathway, a holding potential that no constant current can hold.

    Examples
    --------
    >>> import neostriatum as ns
    >>> result = ns.pair("FS", "dSPN")
    >>> 1 < result.psp_mv < 3
    True
    """
    whole = resolve(circuit, Changes(**options))
    axons = source in whole.axons
    source, target = source if axons else known_type(whole, source), known_type(whole, target)
    name = f"{source}->{target}"
    if name not in whole.pathways:
        msg = f"{whole.name}: no pathway {name}. Known: {', '.join(whole.pathways) or 'none'}"
        raise CircuitError(msg)
    n, seed = checked_size(n, "n"), checked_seed(seed)
    count = run_steps(whole, duration if duration is not None else
                      "220 ms" if n == 1 else "1 s")
    simulator = make_engine(engine)
    if n > 1:
        if axons:
            msg = f"source: must be a cell type with --n above 1 (got {source}, which are axons)"
            raise CircuitError(msg)
        if holding is not None:
            msg = "holding: is for a single pair (--n 1)"
            raise CircuitError(msg)
        return _groups(whole, source, target, n, count, seed, simulator)
    return _single(whole, source, target, holding, distance, count, simulator)


def _single(whole: Circuit, source: str, target: str, holding: Any, distance: Any, count: int,
            simulator: Engine) -> PairResult:
    pathway, dt = whole.pathways[f"{source}->{target}"], whole.dt.value
    away = _length("distance", distance)
    units = delay_units(f"pathways.{source}->{target}.delay", pathway.delay, np.array([away]))
    delay = steps(float(units[0]) * 0.1, dt)
    emitted = steps(SPIKE_MS, dt)
    if count <= emitted + delay:
        msg = f"duration: must reach beyond the spike at {SPIKE_MS:g} ms (got {count * dt:g} ms)"
        raise CircuitError(msg)
    held = hold(whole, target, holding)
    factor = scale(lower_weight_effects(whole, f"{source}->{target}"),
                   tuple(whole.levels_at(0.0).values()))
    receptors = {key: f"{g.value * float(factor)!r} nS" for key, g in pathway.conductance.items()}
    alone, network = injected(isolated(whole, target, start={target: held.start}), target,
                              np.full(2, held.current_pa))
    alone = _with_spike(alone, target, receptors, (emitted + delay) * dt)
    simulator.prepare(alone, network, seed=0)
    simulator.probe(target, np.arange(2))
    fired, _ = simulator.advance(count)
    trace = simulator.traces()[target]
    difference = trace.v_mv[:, 0] - trace.v_mv[:, 1]
    peak = int(np.argmax(np.abs(difference)))
    # A spike of step n is at (n + 1) dt, as are the samples: the PSP peaks this much later.
    late = trace.times_ms[peak] - (emitted + 1) * dt
    quiet = not len(fired)
    return PairResult(
        source, target, 1, float(difference[peak]) if quiet else None,
        round(float(late), 6) if quiet else None, round(delay * dt, 6),
        sum(g.value for g in pathway.conductance.values()), held.v_mv, trace.times_ms,
        trace.v_mv[:, 0], trace.v_mv[:, 1], spike_ms=(emitted + 1) * dt,
        levels_held=levels_held(whole))


def _with_spike(alone: Circuit, target: str, conductance: dict[str, str], at_ms: float) -> Circuit:
    raw = alone.to_dict()
    raw["inputs"] |= {"presynaptic": {"targets": {target: {
        "afferents": 1, "rate": "0 Hz", "conductance": conductance}}}}
    made = load(raw)
    # The one spike is data, not a file: it takes the place of the silent afferent.
    spikes = SpikeFile(file="presynaptic.csv")
    spikes._events = (np.array([at_ms]), np.array([0]))
    entry = made.inputs["presynaptic"].targets[target]
    entry = entry.model_copy(update={"afferents": None, "rate": None, "spikes": spikes})
    inputs = made.inputs | {"presynaptic": made.inputs["presynaptic"].model_copy(
        update={"targets": {target: entry}})}
    return made.model_copy(update={"inputs": inputs})


def _groups(whole: Circuit, source: str, target: str, n: int, count: int, seed: int,
            simulator: Engine) -> PairResult:
    name, pathway = f"{source}->{target}", whole.pathways[f"{source}->{target}"]
    types, raw = [one for one in whole.types if one in (source, target)], whole.to_dict()
    raw["cells"] = without_nuclei(raw, dict.fromkeys(types, 1.0 / len(types)))
    raw["pathways"], raw["modulators"] = {name: raw["pathways"][name]}, holding(whole, types)
    for key in ("gap_junctions", "pools", "axons"):
        raw.pop(key, None)
    raw["channels"] = channels_among(raw.get("channels", {}), types)
    raw["inputs"] = {key: {"targets": kept} for key, said in raw.get("inputs", {}).items()
                     if (kept := {one: said["targets"][one] for one in types
                                  if one in said["targets"]})}
    for key in ("noise", "spread", "start"):
        raw[key] = {one: said for one, said in raw.get(key, {}).items() if one in types}
    both = load(raw, folder=whole._folder)
    # Two groups of one type are the two halves of one population.
    counts = {one: 2 * n if len(types) == 1 else n for one in types}
    volume = cube(both, 2 * n)
    box = Box(volume.side, False)
    positions = place(both, counts, volume, seed)
    first = {"source": 0, "target": n} if source == target else {
        "source": types.index(source) * n, "target": types.index(target) * n}
    ends = [Cells.of(positions[first[role] :][:n], box.side) for role in ("source", "target")]
    block = Block()
    lag = Lag.of(f"pathways.{name}.delay", pathway.delay)
    offsets = connect(name, pathway.wiring, ends[0], ends[1], box=box, block=block, lag=lag,
                      key=stream(seed, "wire", name))
    block.trim()
    shift = n if source == target else 0
    rows = counts[source]
    offsets = np.concatenate([offsets, np.full(rows - n, offsets[-1])])
    edges = {name: Edges(offsets, block.targets + np.int32(shift), block.delays)}
    network = Network(seed, counts, box.side, False, positions, edges, {})
    simulator.prepare(both, network, seed)
    for one in types:
        simulator.probe(one, np.arange(counts[one]))
    warm = steps(both.warmup.value, both.dt.value)
    when, who = simulator.advance(warm + count)
    return _grouped(both, simulator, (when - warm, who), first, n, count, source, target,
                    block.used, pathway, levels_held(whole, types))


def _grouped(both: Circuit, simulator: Engine, spikes: tuple[np.ndarray, np.ndarray],
             first: dict[str, int], n: int, count: int, source: str, target: str,
             connections: int, pathway: Any, held: list[str]) -> PairResult:
    dt, (when, who) = both.dt.value, spikes
    found, traces, rates = {}, {}, {}
    for role, start in first.items():
        mine = (who >= start) & (who < start + n) & (when >= 0)
        found[role] = ((when[mine] + 1) * dt, who[mine] - start)
        rates[role] = round(float(mine.sum()) / n / (count * dt / 1000.0), 6)
        whole = simulator.traces()[source if role == "source" else target]
        column = np.flatnonzero((whole.ids >= start) & (whole.ids < start + n))
        kept = whole.times_ms > 1e-9
        traces[role] = Trace(whole.ids[column] - start, whole.times_ms[kept],
                             whole.v_mv[kept][:, column])
    return PairResult(
        source, target, n, None, None, pathway.delay.offset.value,
        sum(g.value for g in pathway.conductance.values()), None, traces["target"].times_ms,
        traces["target"].v_mv, np.zeros(0), connections, found, traces, rates,
        v_peak_mv={one: cell.peak_mv for one, cell in both.cells.items()
                   if cell.peak_mv is not None}, levels_held=held)


def _length(where: str, raw: Any) -> float:
    length = _quantity(where, raw, "um")
    if not 0 <= length <= 10_000:
        msg = f"{where}: must be from 0 to 10000 um (got {length:g} um)"
        raise CircuitError(msg)
    return length


def _quantity(where: str, raw: Any, unit: str) -> float:
    try:
        return quantity(raw, unit)
    except ValueError as error:
        msg = f"{where}: {error} (got {shown(raw)})"
        raise CircuitError(msg) from None
