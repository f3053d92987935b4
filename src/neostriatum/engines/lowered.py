"""Lower a circuit and a network to the arrays and numbers that every engine works from.

All engines share this one reading of the circuit, so they can differ only in how they compute.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from neostriatum.circuit.clock import steps
from neostriatum.engines.axons import lower_axons
from neostriatum.engines.inputs import Current, Recorded, lower_inputs
from neostriatum.engines.learning import Learning, lower_learning
from neostriatum.engines.levels import Levels, held, lower_levels
from neostriatum.engines.modulation import lower_weight_effects
from neostriatum.engines.plasticity import Plasticity, lower_release
from neostriatum.engines.pooled import PooledAxons, PooledPathway
from neostriatum.engines.population import Population, lower_population
from neostriatum.engines.quantum import quantised
from neostriatum.engines.regions import levels_in, lower_regions, taught_by_region
from neostriatum.errors import EngineUnsupported
from neostriatum.network.afferents import from_home
from neostriatum.network.check import fit
from neostriatum.network.network import delay_steps
from neostriatum.rng import stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neostriatum.circuit.model import Circuit
    from neostriatum.circuit.pathway import FixedIndegree
    from neostriatum.engines.axons import AxonPopulation
    from neostriatum.engines.drive import Drive
    from neostriatum.network.edges import Edges
    from neostriatum.network.network import Network

#: Range of a healthy membrane potential [mV].
V_LIMIT = 200.0


@dataclass(frozen=True)
class Projection:
    """One pathway: CSR synapses, delays in steps, weight per entry of the target (its receptors).

    ``source`` numbers the populations of cells, and after them those of axons.
    ``factors`` float32 (m,) scale every weight of a synapse, None where all are 1; ``failure`` is
    the probability that a spike releases nothing at a synapse, drawn under ``key``.
    """

    name: str
    source: int
    target: int
    offsets: np.ndarray
    targets: np.ndarray
    delays: np.ndarray
    weights: tuple[tuple[int, float], ...]
    stp: Plasticity | None
    factors: np.ndarray | None = None
    failure: float = 0.0
    key: tuple[int, int] = (0, 0)
    learning: Learning | None = None
    #: Places of its synapses among those of the pathway, where a region has but a part of these.
    edges: np.ndarray | None = None


@dataclass(frozen=True)
class Gaps:
    """A kind of gap junction: pairs of cells of populations ``a`` and ``b``, and how they couple.

    ``first`` are local ids of ``a``, ``second`` of ``b``; first < second where both are one.
    """

    name: str
    a: int
    b: int
    first: np.ndarray
    second: np.ndarray
    g: float
    tau: float | None


@dataclass(frozen=True)
class LoweredCircuit:
    """Everything an engine needs, in the units of the package and in steps."""

    dt: float
    warmup: int
    populations: tuple[Population, ...]
    projections: tuple[Projection, ...]
    #: In file order: currents are summed kind after kind, the first cells' before the second's.
    gaps: tuple[Gaps, ...]
    drives: tuple[Drive, ...]
    recorded: tuple[Recorded, ...]
    currents: tuple[Current, ...]
    #: Names of the modulators and the time courses of their levels, D1 and D2 first.
    levels: tuple[str, ...]
    courses: tuple[Any, ...]
    #: The same levels; some may be computed, and have in ``courses`` but what they start with.
    signals: Levels
    #: Targets and delays [steps] of all projections, one after another.
    targets: np.ndarray
    delays: np.ndarray
    #: What it was lowered from.
    circuit: Circuit
    #: By region: the courses of the levels that are its own, by their numbers.
    regions: tuple[dict[int, Any], ...] = ()
    axons: tuple[AxonPopulation, ...] = ()
    #: Axons without trains.
    pooled: tuple[PooledAxons, ...] = ()
    slots: int = 1
    seed: int = 1
    index: dict[str, int] = field(default_factory=dict)

    def time_ms(self, step: Any) -> Any:
        """Return the time of a step from the end of the warm-up [ms]."""
        return (step - self.warmup) * self.dt

    def phi(self, step: int) -> tuple[float, ...]:
        """Return the level of every modulator at a step; of computed ones, their starts."""
        time = self.time_ms(step)
        return tuple(float(course.at(time)) for course in self.courses)

    def regional(self, step: int, phi: tuple[float, ...]) -> tuple[tuple[float, ...], ...]:
        """Return the levels of every region at a step, where those of all others are ``phi``."""
        return levels_in(self.regions, phi, self.time_ms(step))

    def sources(self, number: int) -> int:
        """Return how many cells, or axons, the source with a number has."""
        cells = len(self.populations)
        return self.populations[number].n if number < cells else self.axons[number - cells].n

    def coupled(self, population: int) -> bool:
        """Return whether cells of a population have gap junctions."""
        return any(population in (kind.a, kind.b) for kind in self.gaps)

    def start_of_nodes(self, kind: Gaps) -> np.ndarray:
        """Return the start potentials of a kind's nodes [mV], the mean of their two cells' each."""
        a, b = (np.broadcast_to(np.asarray(pop.start_v, float), (pop.n,))
                for pop in (self.populations[kind.a], self.populations[kind.b]))
        return 0.5 * (a[kind.first] + b[kind.second])

    @property
    def levels_vary(self) -> bool:
        """Whether a level changes during the run."""
        courses = [*self.courses, *(course for own in self.regions for course in own.values())]
        return bool(self.signals.free) or not all(course.is_constant for course in courses)

    @property
    def window(self) -> int | None:
        """Steps until anything is heard of a spike; None where nothing ever is."""
        heard = [int(one.delays.min()) for one in self.projections if len(one.delays)]
        heard += [int(delay) for _, _, source, delay in self.signals.plain if source >= 0]
        return min(heard, default=None)


def lower(circuit: Circuit, network: Network, seed: int) -> LoweredCircuit:
    """Return a circuit on a network, lowered.

    Raises
    ------
    BuildError
        A circuit that would have had another network drawn.
    EngineUnsupported
        A delay shorter than one step or longer than 255 steps at this dt, or a gate of
        learning that differs between regions.
    """
    fit(circuit, network)
    dt = circuit.dt.value
    index = {name: number for number, name in enumerate(circuit.types)}
    populations = tuple(lower_population(circuit, network, name, seed) for name in circuit.types)
    every = lower_axons(circuit, network, seed)
    axons = tuple(one for one in every if circuit.axons[one.name].identity)
    index |= {one.name: len(populations) + number for number, one in enumerate(axons)}
    wired = network.edges | network.afferents
    ordered = replace(network, edges={name: wired[name] for name in circuit.pathways
                                      if name in wired})
    pooled = tuple(_pooled(circuit, network, one, populations, seed) for one in every
                   if not circuit.axons[one.name].identity)
    targets, units = ordered.joined()
    delays, start, made = _steps(circuit, ordered, units), 0, []
    for name, edges in ordered.edges.items():
        span = slice(start, start + len(edges))
        made.append(_projection(circuit, name, populations, axons, index, edges, targets[span],
                                delays[span], seed))
        start = span.stop
    projections = tuple(made)
    longest = int(delays.max()) if len(delays) else 0
    drives, recorded, currents = lower_inputs(circuit, network, populations, seed)
    signals = lower_levels(circuit, populations)
    return taught_by_region(LoweredCircuit(
        dt=dt, warmup=steps(circuit.warmup.value, dt), populations=populations,
        projections=projections, gaps=tuple(_gaps(circuit, network, index)), drives=drives,
        recorded=recorded, currents=currents, levels=tuple(circuit.modulators),
        courses=tuple(held(start) if course is None else course for course, start
                      in zip(signals.courses, signals.starts, strict=True)), signals=signals,
        targets=targets, delays=delays, slots=longest + 1, seed=seed, index=index,
        circuit=circuit, axons=axons, pooled=pooled, regions=lower_regions(circuit),
    ), network)


def _steps(circuit: Circuit, network: Network, units: np.ndarray) -> np.ndarray:
    """Return delays in steps; the units themselves where a step is one."""
    table = delay_steps(circuit.dt.value)
    for name, edges in network.edges.items():
        if len(edges):
            low, high = int(table[edges.delays.min()]), int(table[edges.delays.max()])
            if low < 1 or high > 255:
                msg = (f"pathways.{name}.delay: must be 1 to 255 steps at dt "
                       f"{circuit.dt.value:g} ms (got {low} to {high})")
                raise EngineUnsupported(msg)
    if (table == np.arange(256)).all():
        return units
    return np.minimum(table, 255).astype(np.uint8)[units]


def _projection(circuit: Circuit, name: str, populations: tuple[Population, ...],
                axons: tuple[AxonPopulation, ...], index: dict[str, int], edges: Edges,
                targets: np.ndarray, delays: np.ndarray, seed: int) -> Projection:
    pathway = circuit.pathways[name]
    source, target = (index[end] for end in name.split("->"))
    failure, of_axons = pathway.failure, source - len(populations)
    rates = axons[of_axons].mean_rates() if of_axons >= 0 else np.full(
        populations[source].n, pathway.stp.start_rate.value if pathway.stp is not None
        and pathway.stp.start_rate is not None else 0.0)
    weights = _weights(circuit, name, populations[target])
    stp = _plasticity(circuit, pathway, rates)
    drawn = failure.probability.value if failure is not None and failure.drawn else 0.0
    return Projection(name, source, target, edges.offsets, targets, delays, weights, stp,
                      edges.weights, drawn, stream(seed, "failure", name),
                      lower_learning(circuit, name, delays))


def _weights(circuit: Circuit, name: str, target: Population) -> tuple[tuple[int, float], ...]:
    """Return what a spike of a pathway adds [nS], by entry of its target."""
    pathway, effects = circuit.pathways[name], lower_weight_effects(circuit, name)
    receptors, failure = [synapse.name for synapse in target.synapses], pathway.failure
    folded = 1.0 if failure is None or failure.drawn else 1.0 - failure.probability.value
    return tuple((target.entry(receptors.index(receptor), effects),
                  float(quantised(g.value * folded)))
                 for receptor, g in pathway.conductance.items())


def _plasticity(circuit: Circuit, pathway: Any, rates: np.ndarray) -> Plasticity | None:
    """Return the plasticity of a pathway whose sources have these mean rates [Hz]."""
    if pathway.stp is None:
        return None
    stp = lower_release(pathway.stp, circuit.dt.value)
    if pathway.stp.start != "stationary":
        return stp
    return replace(stp, starts=stp.stationary(rates * (circuit.dt.value / 1000.0)))


def _pooled(circuit: Circuit, network: Network, axons: AxonPopulation,
            populations: tuple[Population, ...], seed: int) -> PooledAxons:
    """Return a population of pooled axons and its pathways."""
    found = []
    for name, pathway in circuit.pathways.items():
        source, cell = name.split("->")
        if source != axons.name:
            continue
        target = next(n for n, one in enumerate(populations) if one.name == cell)
        # Axons reach cells by this rule alone.
        wiring = cast("FixedIndegree", pathway.wiring)
        homes, home = network.homes[name], from_home(wiring)
        spans, which = np.unique(homes[:, -2:], axis=0, return_inverse=True)
        count = homes.shape[1] - 2
        shares = [home * (n + 1) // count - home * n // count for n in range(count)]
        keys = {use: stream(seed, f"pooled {use}", name) for use in ("count", "step", "rest")}
        found.append(PooledPathway(
            name, target, _weights(circuit, name, populations[target]), len(axons.groups),
            homes[:, :-2], np.array(shares, float), spans.astype(np.int64),
            which.reshape(-1).astype(np.int32), float(wiring.n - home),
            _plasticity(circuit, pathway, np.zeros(1)), keys))
    return PooledAxons(axons, tuple(found))


def _gaps(circuit: Circuit, network: Network, index: dict[str, int]) -> Iterator[Gaps]:
    for name, junctions in circuit.gap_junctions.items():
        pairs = network.junctions.get(name)
        if pairs is not None and len(pairs):
            a, b = (index[end] for end in name.split("-"))
            first, second = pairs.astype(np.int64).T.copy()
            yield Gaps(name, a, b, first, second, junctions.conductance.value,
                       junctions.tau.value if junctions.tau else None)
