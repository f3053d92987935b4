"""Connect cells: the synapses of a network onto the targets of this rank, and their weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.engines.nest_engine.cell import port
from neostriatum.engines.nest_engine.learning import shared_numbers, synapse_name
from neostriatum.engines.nest_engine.module import model_of
from neostriatum.engines.nest_engine.release import common
from neostriatum.engines.quantum import quantised
from neostriatum.engines.refusals import refuse_modulating, refuse_regions
from neostriatum.errors import EngineUnsupported
from neostriatum.ranks import launched, rank, sent, tell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from neostriatum.engines.lowered import LoweredCircuit, Projection
    from neostriatum.engines.nest_engine.shape import Form

#: Synapses in hand at a time: what a rank holds of the network beside NEST's own tables.
PIECE = 2**20


def check(lowered: LoweredCircuit) -> None:
    """Refuse axons without trains, levels by region, and what NEST's synapses cannot do."""
    refuse_regions("engine nest", lowered)
    refuse_modulating("engine nest", lowered)
    for pooled in lowered.pooled:
        msg = (f"engine nest: axons.{pooled.axons.name}.identity: must be true, as counts without "
               "trains are no spikes that NEST could send (got false). Use the engine numba")
        raise EngineUnsupported(msg)
    for one in lowered.projections:
        if one.learning and one.learning.scaling:
            msg = (f"engine nest: pathways.{one.name}.learning.scaling: needs all synapses of a "
                   "cell at a flush, and NEST has each by itself. Take it out, or use the engine "
                   "numba")
            raise EngineUnsupported(msg)
        if one.failure and (one.stp or len(one.weights) > 1):
            msg = (f"engine nest: pathways.{one.name}: drawn failures need one receptor and no "
                   "plasticity. Set failure.drawn to false, or use the engine numba")
            raise EngineUnsupported(msg)


def wire(nest: Any, lowered: LoweredCircuit, forms: list[Form], ends: list[tuple[int, int]],
         files: dict[Any, Path]) -> None:
    """Make every synapse whose target is on this rank, and every gap junction.

    ``ends`` are the node ids of the first source and the first target of every projection;
    ``files`` are those of `compiled`.
    """
    for number, one in enumerate(lowered.projections):
        if one.learning:
            name, form = synapse_name(number), forms[one.target]
            nest.CopyModel(model_of(files["learning", len(one.learning.taus)]), name,
                           shared_numbers(lowered, number, form))
            _wire_learner(nest, one, name, port(form, f"in{one.weights[0][0]}"), ends[number])
            continue
        for receptor, weight in one.weights:
            name = _name(number, receptor)
            if one.stp:
                nest.CopyModel(model_of(files[one.stp.model.text]), name,
                               common(lowered, one, weight))
            elif one.failure:
                nest.CopyModel("bernoulli_synapse", name, {"p_transmit": 1.0 - one.failure})
            elif one.factors is not None:
                nest.CopyModel("static_synapse", name)
            else:
                nest.CopyModel("static_synapse_hom_w", name, {"weight": weight})
            receiver = port(forms[one.target], f"in{receptor}")
            for sources, targets, delays, factors in _pieces(nest, one, ends[number]):
                if len(targets):
                    nest.Connect(sources, targets, "one_to_one", {
                        "synapse_model": name, "delay": delays * lowered.dt,
                        "receptor_type": np.full(len(targets), receiver),
                        **_each(one, weight, sources - ends[number][0], factors)})


def _wire_learner(nest: Any, one: Projection, name: str, receiver: int,
                  ends: tuple[int, int]) -> None:
    """Make the synapses of a pathway that learns: one for all receptors, with a delay of a step."""
    for sources, targets, _, factors in _pieces(nest, one, ends):
        if len(targets):
            each = {} if factors is None else {"factor": factors}
            nest.Connect(sources, targets, "one_to_one", {
                "synapse_model": name, "delay": np.full(len(targets), nest.resolution),
                "receptor_type": np.full(len(targets), receiver), "axon": sources - ends[0],
                **each})


def _name(number: int, receptor: int) -> str:
    """Return the name of the synapse model of a pathway and receptor."""
    return f"pathway_{number}_{receptor}"


def _each(one: Projection, weight: float, sources: np.ndarray,
          factors: np.ndarray | None) -> dict[str, np.ndarray]:
    """Return what every synapse has of its own; a weight of a plastic one is its factor."""
    if one.stp:
        starts = {f"s_{state}": values[sources] for state, values in one.stp.starts.items()}
        return starts if factors is None else starts | {"weight": factors}
    if _alike(one):
        return {}
    # A sum of rounded weights does not hang on their order.
    return {"weight": np.broadcast_to(quantised(weight if factors is None else weight * factors),
                                      len(sources)).copy()}


def _alike(one: Projection) -> bool:
    """Return whether all synapses of a pathway without plasticity share one number.

    NEST's compact `_hpc` synapses reach only a model's first receptor.
    """
    return not one.failure and one.factors is None


def _pieces(nest: Any, one: Projection, ends: tuple[int, int]) -> Iterator[tuple[Any, ...]]:
    """Give (sources, targets, delays, factors) of this rank, some rows at a time.

    Rank 0 has the network and sends each piece to all; each rank keeps what ends on its cells.
    """
    virtual, mine = nest.total_num_virtual_procs, rank()
    for sources, targets, delays, factors in _shared(one):
        nodes = targets.astype(np.int64) + ends[1]
        kept = nodes % virtual % launched() == mine
        if kept.all():
            kept = slice(None)
        yield (sources[kept].astype(np.int64) + ends[0], nodes[kept],
               delays[kept].astype(np.float64),
               None if factors is None else factors[kept].astype(np.float64))


def _shared(one: Projection) -> Iterator[tuple[Any, ...]]:
    """Give the synapses piece by piece: from the network on rank 0, from rank 0 on the others."""
    if launched() == 1:
        yield from _rows(one)
        return
    rows = _rows(one) if rank() == 0 else None
    while True:
        piece = next(rows, None) if rows is not None else None
        if not tell(piece is not None):
            return
        held = piece or (None,) * 4
        yield (sent(held[0], np.int32), sent(held[1], np.int32), sent(held[2], np.uint8),
               None if one.factors is None else sent(held[3], np.float32))


def _rows(one: Projection) -> Iterator[tuple[Any, ...]]:
    start, rows = 0, len(one.offsets) - 1
    while start < rows:
        stop = int(np.searchsorted(one.offsets, one.offsets[start] + PIECE, side="right")) - 1
        stop = min(max(stop, start + 1), rows)
        span = slice(int(one.offsets[start]), int(one.offsets[stop]))
        sources = np.repeat(np.arange(start, stop), np.diff(one.offsets[start : stop + 1]))
        factors = None if one.factors is None else one.factors[span]
        yield sources, one.targets[span], one.delays[span], factors
        start = stop


def couple(nest: Any, lowered: LoweredCircuit, first: list[int], nodes: list[int | None]) -> None:
    """Make the gap junctions, through a node per pair where a kind has such.

    ``nodes`` has the id of the first node of every kind, None where it has none.
    NEST hands over the potentials of the last step where it communicates at every step and does
    not iterate (waveform relaxation): with forward Euler that is the equation as it stands.
    """
    for kind, node in zip(lowered.gaps, nodes, strict=True):
        a, b = kind.first + first[kind.a], kind.second + first[kind.b]
        pairs = [(a, b)]
        if node is not None:
            middle = node + np.arange(len(kind.first))
            pairs = [(a, middle), (b, middle)]
        for one, other in pairs:
            for sources, targets in ((one, other), (other, one)):
                spec = {"synapse_model": "gap_junction", "weight": np.full(len(sources), kind.g)}
                nest.Connect(sources, targets, "one_to_one", spec)


def reweigh(nest: Any, old: LoweredCircuit, new: LoweredCircuit,
            ends: list[tuple[int, int]]) -> None:
    """Give synapses the conductances of another circuit; spikes on their way keep theirs.

    Synapses that learn have them already.
    """
    for number, (before, one) in enumerate(zip(old.projections, new.projections, strict=True)):
        for (receptor, former), (_, weight) in zip(before.weights, one.weights, strict=True):
            if weight != former and not one.learning:
                _reweigh(nest, new, number, receptor, weight, ends[number])


def _reweigh(nest: Any, lowered: LoweredCircuit, number: int, receptor: int, weight: float,
             ends: tuple[int, int]) -> None:
    one, name = lowered.projections[number], _name(number, receptor)
    if one.stp or _alike(one):
        nest.SetDefaults(name, {"conductance" if one.stp else "weight": weight})
        return
    pieces = None if one.factors is None else list(_pieces(nest, one, ends))
    synapses = nest.GetConnections(synapse_model=name)
    if not len(synapses):
        return
    if pieces is None:
        synapses.set(weight=float(quantised(weight)))
        return
    # NEST keeps its synapses in another order: both are sorted by their cells and delays.
    sources, targets, delays, factors = (np.concatenate(part) for part in
                                         zip(*pieces, strict=True))
    there = synapses.get(["source", "target", "delay"])
    steps = np.rint(np.atleast_1d(there["delay"]) / lowered.dt)
    order = np.lexsort((steps, np.atleast_1d(there["target"]), np.atleast_1d(there["source"])))
    each = np.empty(len(order))
    each[order] = factors[np.lexsort((delays, targets, sources))]
    synapses.set(weight=quantised(weight * each).tolist())
