"""Regions: channels whose cells hear levels of modulators that are their own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.engines.inputs import channel_members
from neostriatum.errors import BuildError, EngineUnsupported

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit
    from neostriatum.engines.lowered import LoweredCircuit, Projection
    from neostriatum.engines.population import Population
    from neostriatum.network.network import Network


def region_names(circuit: Circuit) -> tuple[str, ...]:
    """Return the channels that are regions of some modulator, in the order of the circuit."""
    named = {channel for one in circuit.modulators.values() for channel in one.regions}
    return tuple(channel for channel in circuit.channels if channel in named)


def lower_regions(circuit: Circuit) -> tuple[dict[int, Any], ...]:
    """Return, by region, the time courses of the levels that are its own, by their numbers."""
    return tuple({level: one.regions[name] for level, one in enumerate(circuit.modulators.values())
                  if name in one.regions} for name in region_names(circuit))


def levels_in(regions: tuple[dict[int, Any], ...], phi: tuple[Any, ...],
              times_ms: Any) -> tuple[tuple[Any, ...], ...]:
    """Return the levels of every region at some times, where those of all others are ``phi``."""
    return tuple(tuple(own[level].at(times_ms) if level in own else value
                       for level, value in enumerate(phi)) for own in regions)


def region_of(circuit: Circuit, network: Network, population: Population,
              seed: int) -> np.ndarray | None:
    """Return the number of the region of every cell, 0 in none; None if none of them matters.

    Raises
    ------
    BuildError
        A cell in two regions.
    """
    own = {level for region in lower_regions(circuit) for level in region}
    effects = [*population.effects, *(one for inlet in population.inlets for one in inlet.effects)]
    if not own & {effect.level for effect in effects}:
        return None
    return numbers_of(circuit, network, population, seed)


def numbers_of(circuit: Circuit, network: Network, population: Population,
               seed: int) -> np.ndarray:
    """Return the number of the region of every cell, 0 in none.

    Raises
    ------
    BuildError
        A cell in two regions.
    """
    names, numbers = region_names(circuit), np.zeros(population.n, np.int64)
    for number, name in enumerate(names, start=1):
        if circuit.channels[name].sphere is not None and circuit.cells[population.name].nucleus:
            continue  # the cells of a nucleus have no place
        members = channel_members(circuit, network, name, population, seed)
        if taken := numbers[members][numbers[members] > 0].tolist():
            msg = (f"{circuit.name}: modulators: no cell must lie in two regions (got {len(taken)} "
                   f"{population.name} in {names[taken[0] - 1]} and {name})")
            raise BuildError(msg)
        numbers[members] = number
    return numbers


def taught_by_region(lowered: LoweredCircuit, network: Network) -> LoweredCircuit:
    """Return a lowered circuit whose projections that learn from a region's level are parted.

    Raises
    ------
    EngineUnsupported
        A gate that differs between regions.
    """
    own = {level for region in lowered.regions for level in region}
    if not any(own & {one.learning.level, one.learning.gate}
               for one in lowered.projections if one.learning):
        return lowered
    parted: list[Projection] = []
    for one in lowered.projections:
        if one.learning is not None and one.learning.gate in own:
            msg = (f"pathways.{one.name}.learning.gate: must be one level in all regions. Give it "
                   "a modulator without regions")
            raise EngineUnsupported(msg)
        if one.learning is None or one.learning.level not in own:
            parted.append(one)
            continue
        numbers = numbers_of(lowered.circuit, network, lowered.populations[one.target],
                             lowered.seed)[one.targets]
        parted += [_part(lowered, one, number, np.flatnonzero(numbers == number))
                   for number in np.unique(numbers).tolist()]
    targets, delays = (np.concatenate([getattr(one, what) for one in parted])
                       for what in ("targets", "delays"))
    return replace(lowered, projections=tuple(parted), targets=targets, delays=delays)


def _part(lowered: LoweredCircuit, one: Projection, number: int,
          edges: np.ndarray) -> Projection:
    """Return the synapses of a projection that lie in a region, learning from its level."""
    learning: Any = one.learning  # it learns
    if number:
        circuit, name = lowered.circuit, region_names(lowered.circuit)[number - 1]
        course = lowered.regions[number - 1].get(learning.level)
        given: Any = circuit.pathways[one.name].learning
        if course is not None and given.tonic is None:
            learning = replace(learning, tonic=float(course.at(-circuit.warmup.value)))
        learning, label = replace(learning, region=number), f"{one.name}@{name}"
    else:
        label = one.name
    return replace(
        one, name=label, offsets=np.searchsorted(edges, one.offsets), targets=one.targets[edges],
        delays=one.delays[edges], factors=None if one.factors is None else one.factors[edges],
        learning=learning, edges=edges)
