"""Quantities that follow from recorded states: currents of receptors, derived names, sums.

Engines record states alone. What follows from them is computed when a run is read, from the
states of one instant and the circuit as it is then: levels follow their time courses, and an event
holds from its time on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.circuit.signals import start_level
from neostriatum.circuit.spread import size_of
from neostriatum.engines.base import Trace
from neostriatum.engines.modulation import lower_own
from neostriatum.engines.population import differing, typical
from neostriatum.engines.probes import LEVEL, MODULATORS, PATHWAYS
from neostriatum.engines.regions import levels_in, lower_regions, region_of
from neostriatum.errors import CircuitError, RunFileError
from neostriatum.models.evaluate import evaluate
from neostriatum.models.receptor import V
from neostriatum.models.symbol import Computed, I, Parameter, State, symbols
from neostriatum.models.unit import powers
from neostriatum.recording.drawn import network_of
from neostriatum.recording.instants import circuits_at, in_common
from neostriatum.recording.levels import acting_levels, level_at
from neostriatum.recording.releases import release_states

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit
    from neostriatum.engines.population import Population
    from neostriatum.models.expression import Expression
    from neostriatum.recording.store import Run

_INFLOW = "it contains I, all current that flows in, which no engine records"


@dataclass(frozen=True)
class Derived:
    """A sum of expressions, each of a receptor or (None) of the cell; of their sizes if absolute.

    ``problem`` says why it cannot be computed, where that is so; ``heard`` are the states
    from which levels of receptors that act on it follow.
    """

    terms: tuple[tuple[str | None, Expression], ...]
    absolute: bool = False
    problem: str = ""
    heard: tuple[str, ...] = ()

    @property
    def unit(self) -> str:
        """The unit of all terms."""
        return self.terms[0][1].unit

    @cached_property
    def states(self) -> tuple[str, ...]:
        """The recorded states that it is computed from; v where it follows from parameters."""
        names = [_state(receptor, leaf.name) for receptor, tree in self.terms
                 for leaf in symbols(tree).values() if isinstance(leaf, State)]
        return tuple(dict.fromkeys([*names, *self.heard])) or (V.name,)

    @property
    def acted_on(self) -> frozenset[str]:
        """The parameters and currents by whose names effects act on it."""
        return self.parameters | {f"I_{receptor}" for receptor, _ in self.terms if receptor}

    @cached_property
    def parameters(self) -> frozenset[str]:
        """The parameters of the cell that it needs."""
        trees = [tree for receptor, tree in self.terms if receptor is None]
        inner = [leaf.tree for leaf in symbols(*trees).values() if isinstance(leaf, Computed)]
        return frozenset(leaf.name for leaf in symbols(*trees, *inner).values()
                         if isinstance(leaf, Parameter))


def _state(receptor: str | None, name: str) -> str:
    """Return what a state is called where it is recorded."""
    return name if receptor is None or name == V.name else f"{name}_{receptor}"


def states(circuit: Circuit, name: str) -> dict[str, str]:
    """Return the unit of every state of a cell type and of its receptors, by name.

    Of ``modulators.<name>`` that is its level, of ``pathways.<name>`` its states of release.
    """
    if name.startswith(MODULATORS):
        concentration = circuit.modulators[name.removeprefix(MODULATORS)].kind == "uptake"
        return {LEVEL: "nM" if concentration else "1"}
    if name.startswith(PATHWAYS):
        return dict.fromkeys(release_states(circuit, name.removeprefix(PATHWAYS)), "1")
    units = {state.name: state.unit for state in circuit.cells[name].declaration.states}
    for receptor, model in _receptors(circuit, name).items():
        units |= {_state(receptor, state.name): state.unit for state in model.states}
    return units


def derived(circuit: Circuit, name: str) -> dict[str, Derived]:
    """Return what follows from the states of a cell type, by name.

    These are the derived expressions of its model; of a receptor R the current ``I_R`` and its
    derived expressions as ``<derived>_R``; the sums ``I_syn``, ``I_abs`` and ``g_syn``. A name
    that something before has already, states first, is left out.

    Examples
    --------
    >>> from neostriatum.circuit.load import load
    >>> current = derived(load("striatum"), "dSPN")["I_NMDA"]
    >>> current.states, current.unit
    (('g_NMDA', 'v'), 'pA')
    """
    if name not in circuit.cells:
        return {}
    models, taken = _receptors(circuit, name), states(circuit, name)
    own = {key: Derived(((None, tree),), problem=_INFLOW if I.name in symbols(tree) else "")
           for key, tree in circuit.cells[name].declaration.derived.items()}
    currents = tuple((receptor, model.current) for receptor, model in models.items()
                     if model.current is not None)
    flows = {f"I_{receptor}": Derived(((receptor, tree),)) for receptor, tree in currents}
    parts = {f"{key}_{receptor}": Derived(((receptor, tree),)) for receptor, model in models.items()
             for key, tree in model.derived.items()}
    sums = {"I_syn": Derived(currents), "I_abs": Derived(currents, absolute=True),
            "g_syn": _conductance(models)} if currents else {}
    known: dict[str, Derived] = {}
    for group in (own, flows, parts, sums):
        known |= {key: _hearing(circuit, name, quantity) for key, quantity in group.items()
                  if key not in taken and key not in known}
    return known


def _hearing(circuit: Circuit, name: str, quantity: Derived) -> Derived:
    """Return a quantity with the states that levels of receptors, which act on it, follow from."""
    makers = dict.fromkeys(circuit.receptors_of(name)[effect.receptor] for effect
                           in lower_own(circuit, name) if effect.acts_on in quantity.acted_on)
    heard = tuple(_state(receptor, leaf.name) for receptor in makers for leaf in
                  symbols(circuit.receptors[receptor].declaration.effect).values()
                  if isinstance(leaf, State))
    return replace(quantity, heard=heard)


def _receptors(circuit: Circuit, name: str) -> dict[str, Any]:
    return {receptor: circuit.receptors[receptor].declaration
            for receptor in circuit.receptors_of(name)}


def _conductance(models: dict[str, Any]) -> Derived:
    trees = {receptor: _named_g(model) for receptor, model in models.items()}
    lacking = [receptor for receptor, tree in trees.items() if tree is None]
    terms = tuple((receptor, tree) for receptor, tree in trees.items() if tree is not None)
    problem = f"receptor {lacking[0]} has no g in nS" if lacking else ""
    return Derived(terms or ((None, V),), problem=problem)


def _named_g(model: Any) -> Expression | None:
    """Return the conductance of a receptor: its state or derived expression g [nS]."""
    named = model.derived | {state.name: state for state in model.states}
    tree = named.get("g")
    return tree if tree is not None and tree.powers == powers("nS") else None


def computed(run: Run, variable: str) -> dict[str, Trace]:
    """Return a derived quantity of the cells of which a run recorded all that it needs, by type.

    Parameters
    ----------
    run : Run
        A run, finished or not.
    variable : str
        A name that `derived` gives; nothing is returned for another.

    Returns
    -------
    dict
        {type: Trace}, of the cells and at the times that its states have in common.

    Raises
    ------
    ModelError
        A model that nobody has registered here: the message names its module.
    CircuitError
        A name that no type can have computed, and why.
    RunFileError
        Damaged files, or a parameter that differs from cell to cell and a run whose network is
        not there.
    """
    traces, problems = {}, []
    for name in run.populations:
        quantity = derived(run.circuit, name).get(variable)
        if quantity is None or not set(quantity.states) <= set(run.steps_of(name)):
            continue
        if quantity.problem:
            problems.append(f"{run.label}: {variable} of {name}: {quantity.problem}")
            continue
        empty, values = in_common(run, name, quantity.states)
        if len(empty.ids):
            traces[name] = _filled(run, name, quantity, empty, values)
    if problems and not traces:
        raise CircuitError(problems[0])
    return traces


def _filled(run: Run, name: str, quantity: Derived, trace: Trace,
            values: dict[str, np.ndarray]) -> Trace:
    """Return a trace with a quantity, from the states of the same instants, event by event."""
    drawn = _drawn(run, name, quantity, trace.ids)
    for circuit, rows in circuits_at(run, trace.times_ms):
        population, times = typical(circuit, name), trace.times_ms[rows]
        heard = acting_levels(circuit, population, quantity.acted_on)
        # What a level does that acts on nothing here does not matter.
        phi = tuple(level_at(run, level, times)[:, None] if level in heard
                    else np.full((len(times), 1), start_level(circuit, level))
                    if one.level is None else one.level.at(times[:, None])
                    for level, one in circuit.modulators.items())
        parameters = differing(circuit, name, population.parameters, drawn)
        own = tuple(effect for effect in population.own if effect.acts_on in quantity.acted_on)
        population = replace(population, parameters=parameters, own=own,
                             region=_region(run, circuit, population, trace.ids))
        regional = levels_in(lower_regions(circuit), phi, times[:, None])
        trace.values[rows] = _value(
            quantity, population, (phi, regional),
            {state: part[rows] for state, part in values.items()}, circuit.dt.value)
    return trace


def _drawn(run: Run, name: str, quantity: Derived, ids: np.ndarray) -> dict[str, np.ndarray]:
    """Return what was drawn of how these cells differ, as far as it is needed."""
    entries = run.circuit.spread.get(name, {})
    size, spread = size_of(entries), quantity.parameters & set(entries)
    if size is not None and quantity.parameters & set(size.of):
        spread |= {"size"}
    if not spread:
        return {}
    network, reason = network_of(run)
    if network is None:
        msg = (f"{run.label}: {min(spread)} of {name} differs from cell to cell, and the network "
               f"of the run is not there ({reason}). Read the states, {', '.join(quantity.states)}")
        raise RunFileError(msg)
    local = ids - run.populations[name].start
    return {key: network.spread[name][key][local] for key in spread}


def _region(run: Run, circuit: Circuit, population: Population,
            ids: np.ndarray) -> np.ndarray | None:
    """Return the numbers of the regions of these cells, None where all hear the same."""
    if not lower_regions(circuit):
        return None
    network, reason = network_of(run)
    if network is None:
        msg = (f"{run.label}: levels differ between regions, and the network of the run is not "
               f"there ({reason})")
        raise RunFileError(msg)
    cells = network.populations[population.name]
    whole = replace(population, n=len(cells), offset=cells.start)
    region = region_of(circuit, network, whole, run.record["seed"])
    return None if region is None else region[ids - cells.start]


def _value(quantity: Derived, population: Population, levels: tuple[Any, ...],
           values: dict[str, np.ndarray], dt: float) -> Any:
    """Return the sum of the terms at levels, (t, 1) each, and at those of every region."""
    modulated, total = population.modulated(*levels), 0.0
    receptors = [{state: values[key] for state, key in synapse.variables.items() if key in values}
                 for synapse in population.synapses]
    modulated = population.heard(modulated, values, receptors, dt)
    own = {None: modulated} | {
        one.name: {**one.values, "gain": gain}
        for one, gain in zip(population.synapses, modulated["gain"], strict=True)}
    for receptor, tree in quantity.terms:
        known = own[receptor] | {"dt": dt}
        for leaf in symbols(tree).values():
            if isinstance(leaf, State):
                known[leaf.name] = values[_state(receptor, leaf.name)]
            elif isinstance(leaf, Computed) and leaf.name not in known:
                known[leaf.name] = evaluate(leaf.tree, known)
        term = evaluate(tree, known)
        total = total + (np.abs(term) if quantity.absolute else term)
    return total
