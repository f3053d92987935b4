"""One cell type, lowered: its model with numbers, what it hears, and what acts on it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.circuit.spread import size_of
from neostriatum.engines.modulation import (
    Modulation,
    Own,
    added,
    factors,
    lower_effects,
    lower_own,
    lower_weight_effects,
    opened,
    scale,
)
from neostriatum.engines.regions import levels_in, lower_regions, region_of
from neostriatum.models.evaluate import evaluate
from neostriatum.rng import exp, philox, stream, truncated_normals, uniform32

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neostriatum.circuit.model import Circuit
    from neostriatum.models.cell import CellModel
    from neostriatum.models.receptor import ReceptorModel
    from neostriatum.network.network import Network


@dataclass(frozen=True)
class Synapse:
    """A receptor on one cell type.

    ``values`` holds its parameters and what its model computes from them once; ``decays`` the
    factor per step of every state that decays.
    """

    name: str
    model: ReceptorModel
    values: dict[str, float]
    decays: dict[str, float]

    @property
    def variables(self) -> dict[str, str]:
        """What its states are called where they are recorded: ``g_AMPA`` for g of AMPA."""
        return {state: f"{state}_{self.name}" for state in self.model.names}

    def pass_time(self, own: dict[str, np.ndarray], known: dict[str, Any]) -> None:
        """Let its states decay, or go on by their rates, from their values before."""
        stepped = {each.state.name: evaluate(each.step, known) for each in self.model.rates}
        for state, decay in self.decays.items():
            own[state] *= decay
        for state, value in stepped.items():
            own[state][:] = value


@dataclass(frozen=True)
class Inlet:
    """What pathways with the same effects on their weights deliver to a receptor, by its number."""

    receptor: int
    effects: tuple[Modulation, ...]


@dataclass(frozen=True)
class Population:
    """One cell type: how many, from which global id, its model, and what acts on it.

    ``parameters`` and ``starts`` are numbers, or arrays (n,) where cells differ; ``hold`` is the
    number of steps that v keeps its value after a spike. What arrives at receptor r waits at
    number r; what levels scale when it arrives waits behind, at the numbers of ``inlets``.
    ``own`` are the effects of levels that its receptors make. ``region`` (n,) numbers the regions
    of levels from 1 on, 0 for a cell in none; it is None where all cells hear the same.
    """

    name: str
    n: int
    offset: int
    model: CellModel
    parameters: dict[str, Any]
    effects: tuple[Modulation, ...]
    synapses: tuple[Synapse, ...]
    sigma: float
    hold: int
    starts: dict[str, Any] = field(default_factory=dict)
    inlets: tuple[Inlet, ...] = ()
    own: tuple[Own, ...] = ()
    region: np.ndarray | None = None

    @property
    def entries(self) -> int:
        """How many places there are where something may arrive."""
        return len(self.synapses) + len(self.inlets)

    def entry(self, receptor: int, effects: tuple[Modulation, ...]) -> int:
        """Return the place where a pathway with these effects delivers to a receptor."""
        if not effects:
            return receptor
        return len(self.synapses) + self.inlets.index(Inlet(receptor, effects))

    @property
    def start_v(self) -> Any:
        """Potential at the start [mV]."""
        return self.starts["v"]

    @cached_property
    def variables(self) -> dict[str, tuple[int, str]]:
        """What can be recorded: number of the receptor, or -1 for the cell, and state, by name."""
        own = {state: (-1, state) for state in self.model.names}
        for number, synapse in enumerate(self.synapses):
            own |= {name: (number, state) for state, name in synapse.variables.items()}
        return own

    def modulated(self, phi: tuple[float, ...],
                  regional: Sequence[tuple[float, ...]] = ()) -> dict[str, Any]:
        """Return parameters, receptor gains and opened currents at the levels ``phi``.

        ``regional`` are the levels of every region. Keys are the cell's parameters, ``gain`` (one
        per receptor), ``currents`` and ``scales`` (one per inlet).
        """
        values = self._modulated(phi)
        if self.region is not None:
            for number, levels in enumerate(regional, start=1):
                values = _within(self.region == number, self._modulated(levels), values)
        return values

    def heard(self, values: dict[str, Any], states: dict[str, np.ndarray],
              receptors: list[dict[str, np.ndarray]], dt: float) -> dict[str, Any]:
        """Return what `modulated` returned, as the levels that receptors make leave it.

        These follow from the states of receptors and the cell; factors come before sums.
        """
        if not self.own:
            return values
        known = {"gain": 1.0, "v": states.get("v"), "dt": dt}
        levels = {place: evaluate(self.synapses[place].model.effect,
                                  self.synapses[place].values | receptors[place] | known)
                  for place in {effect.receptor for effect in self.own}}
        after, gains = dict(values), list(values["gain"])
        names = {f"I_{synapse.name}": place for place, synapse in enumerate(self.synapses)}
        for effect in self.own:
            level, target = effect.amount * levels[effect.receptor], effect.acts_on
            if target in names:
                gains[names[target]] = gains[names[target]] * (1.0 + level)
            else:
                after[target] = after[target] * (1.0 + level) if effect.kind == "factor" else (
                    after[target] + level)
        return after | {"gain": tuple(gains)}

    def _modulated(self, phi: tuple[float, ...]) -> dict[str, Any]:
        factor, more = factors(self.effects, phi), added(self.effects, phi)
        values = {name: value * factor.get(name, 1.0) for name, value in self.parameters.items()}
        values |= {name: values[name] + amount for name, amount in more.items()}
        values["gain"] = tuple(factor.get(f"I_{one.name}", 1.0) for one in self.synapses)
        values["currents"] = opened(self.effects, phi)
        values["scales"] = tuple(scale(inlet.effects, phi) for inlet in self.inlets)
        return values


def _within(inside: np.ndarray, own: Any, other: Any) -> Any:
    """Return ``own`` for the cells inside and ``other`` for the rest, part by part."""
    if isinstance(own, dict):
        return {name: _within(inside, own[name], other[name]) for name in own}
    if isinstance(own, (tuple, list)):
        return tuple(_within(inside, *parts) for parts in zip(own, other, strict=True))
    return other if np.array_equal(own, other) else np.where(inside, own, other)


def typical(circuit: Circuit, name: str) -> Population:
    """Return a cell type without cells: its numbers without spread, no starts."""
    cell, dt = circuit.cells[name], circuit.dt.value
    model, parameters = cell.cell_model, dict[str, Any](cell.values)
    noise = circuit.noise.get(name)
    held = 0 if model.hold is None else int(np.rint(parameters[model.hold.name] / dt))
    receptors = circuit.receptors_of(name)
    return Population(
        name, 0, 0, model, parameters, lower_effects(circuit, name),
        tuple(_synapse(circuit, receptor) for receptor in receptors),
        noise.value if noise else 0.0, held, inlets=_inlets(circuit, name, receptors),
        own=lower_own(circuit, name))


def _inlets(circuit: Circuit, name: str, receptors: tuple[str, ...]) -> tuple[Inlet, ...]:
    """Return the inlets of a cell type, in the order of the pathways that first need them."""
    inlets: list[Inlet] = []
    for pathway in circuit.pathways:
        if pathway.split("->")[1] == name and (effects := lower_weight_effects(circuit, pathway)):
            for receptor in circuit.pathways[pathway].conductance:
                inlet = Inlet(receptors.index(receptor), effects)
                if inlet not in inlets:
                    inlets.append(inlet)
    return tuple(inlets)


def lower_population(circuit: Circuit, network: Network, name: str, seed: int) -> Population:
    """Return a cell type of a circuit with the numbers of a network."""
    ids, population = network.populations[name], typical(circuit, name)
    parameters = differing(circuit, name, population.parameters, network.spread.get(name, {}))
    population = replace(population, n=len(ids), offset=ids.start, parameters=parameters)
    population = replace(population, region=region_of(circuit, network, population, seed))
    return replace(population, starts=_starts(circuit, population, seed))


def differing(circuit: Circuit, name: str, parameters: dict[str, Any],
              drawn: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return parameters of a cell type as neurons have them: times their size, then deviations.

    ``drawn`` is what the network holds of these neurons.
    """
    size = size_of(circuit.spread.get(name, {}))
    scaled = () if size is None or "size" not in drawn else size.of
    sized = {key: value * drawn["size"] if key in scaled else value
             for key, value in parameters.items()}
    return {key: value + drawn[key] if key in drawn and not (size and key == "size") else value
            for key, value in sized.items()}


def _synapse(circuit: Circuit, name: str) -> Synapse:
    receptor, dt = circuit.receptors[name], circuit.dt.value
    model, values = receptor.receptor_model, dict(receptor.values)
    values |= {part.name: float(evaluate(part.tree, values)) for part in model.computed}
    decays = {state.name: float(exp(np.array([-dt / values[tau.name]]))[0])
              for state, tau in model.decays.items()}
    return Synapse(name, model, values, decays)


def _starts(circuit: Circuit, population: Population, seed: int) -> dict[str, Any]:
    """Return what states start with: what the circuit says, or what the model does."""
    start = circuit.start.get(population.name)
    levels = tuple(circuit.levels_at(-circuit.warmup.value).values())
    values = population.modulated(
        levels, levels_in(lower_regions(circuit), levels, -circuit.warmup.value))
    starts = {state.name: evaluate(tree, values) for state, tree in population.model.starts.items()}
    for state in starts:
        given = getattr(start, state, None)
        if given is not None:
            starts[state] = given.value
    if start and start.v_sd:
        draws = truncated_normals(stream(seed, "start", population.name), population.n)
        starts["v"] = starts["v"] + start.v_sd.value * draws
    if start and start.v_low is not None and start.v_high is not None:
        low, high = start.v_low.value, start.v_high.value
        words = philox(stream(seed, "start range", population.name), 0, np.arange(population.n))
        starts["v"] = low + (high - low) * uniform32(words[0])
    return starts
