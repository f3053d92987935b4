"""Regions: channels whose cells hear levels of modulators that are their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.engines.inputs import channel_members
from neostriatum.errors import BuildError, EngineUnsupported

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit
    from neostriatum.engines.lowered import Projection
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
    regions, names = lower_regions(circuit), region_names(circuit)
    effects = [*population.effects, *(one for inlet in population.inlets for one in inlet.effects)]
    if not {effect.level for effect in effects} & {level for own in regions for level in own}:
        return None
    numbers = np.zeros(population.n, np.int64)
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


def refuse_taught(projections: tuple[Projection, ...],
                  regions: tuple[dict[int, Any], ...]) -> None:
    """Refuse learning from a level that differs between regions.

    Raises
    ------
    EngineUnsupported
        The first pathway that hears one.
    """
    own = {level for region in regions for level in region}
    for one in projections:
        if one.learning is not None and own & {one.learning.level, one.learning.gate}:
            msg = (f"pathways.{one.name}.learning: must hear one level in all regions. Give it a "
                   "modulator without regions, or the region cell types of its own")
            raise EngineUnsupported(msg)
