"""Refusals of what some engines do not have: learning, and some kinds of levels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neostriatum.errors import EngineUnsupported

if TYPE_CHECKING:
    from neostriatum.engines.lowered import LoweredCircuit


def refuse_learning(where: str, lowered: LoweredCircuit) -> None:
    """Refuse plastic weights, which an engine does not have.

    Raises
    ------
    EngineUnsupported
        The first pathway that learns.
    """
    for one in lowered.projections:
        if one.learning is not None:
            msg = (f"{where}: pathways.{one.name}.learning: changes no weights. Take it out, or "
                   "use the engine numba")
            raise EngineUnsupported(msg)


def refuse_levels(where: str, lowered: LoweredCircuit) -> None:
    """Refuse computed levels and effects on weights, which an engine does not have.

    Parameters
    ----------
    where : str
        The engine, for messages.
    lowered : LoweredCircuit
        The lowered circuit.

    Raises
    ------
    EngineUnsupported
        The first key that it cannot follow.
    """
    keys = [f"modulators.{name}" for name in lowered.signals.free]
    keys += [f"pathways.{name}.effects" for name, pathway in lowered.circuit.pathways.items()
             if pathway.effects]
    if keys:
        what = ("computes no level. Clamp it with a level" if keys[0].startswith("modulators")
                else "scales no weights. Take the effects out")
        msg = f"{where}: {keys[0]}: {what}, or use the engine numba"
        raise EngineUnsupported(msg)


def refuse_modulating(where: str, lowered: LoweredCircuit) -> None:
    """Refuse receptors that make levels, which an engine does not have.

    Raises
    ------
    EngineUnsupported
        The first receptor.
    """
    for synapse in {one.name: one for pop in lowered.populations for one in pop.synapses}.values():
        if synapse.model.current is None:
            msg = (f"{where}: receptors.{synapse.name}.model: {synapse.model.name} makes a level. "
                   "Use a model with a current, or the engine numba")
            raise EngineUnsupported(msg)


def refuse_regions(where: str, lowered: LoweredCircuit) -> None:
    """Refuse levels that differ between regions, which an engine does not have.

    Raises
    ------
    EngineUnsupported
        The first modulator that has some.
    """
    for name, modulator in lowered.circuit.modulators.items():
        if modulator.regions:
            msg = (f"{where}: modulators.{name}.regions: all cells hear one level. Take them out, "
                   "give each region cell types of its own, or use the engine numba")
            raise EngineUnsupported(msg)
