"""Know neurons, synapses, memory and time of a network before it is built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from neostriatum.circuit.load import load
from neostriatum.circuit.pathway import FixedIndegree
from neostriatum.errors import BuildError
from neostriatum.machine import free_memory
from neostriatum.network.groups import axon_counts
from neostriatum.network.law import rule
from neostriatum.network.volume import checked_size

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit
    from neostriatum.circuit.pathway import Pathway
    from neostriatum.network.law import Rule

#: Share of the free memory that a network may take.
SHARE = 0.8
#: Bytes: of a synapse in the block, of its weight, of a gap junction while it is drawn, of a
#: neuron while it is placed, of a row, and of everything whose size does not depend on the network.
SYNAPSE, WEIGHT, JUNCTION, NEURON, ROW, FIXED = 5, 4, 20, 120, 24, 300_000_000
#: Seconds that a synapse and a neuron took on 2 cores of a server of 2023.
SYNAPSE_S, NEURON_S = 1.5e-7, 3e-6


@dataclass(frozen=True)
class Estimate:
    """What a network will hold, take and cost; ``bytes`` is the most while it is built."""

    neurons: dict[str, int]
    synapses: dict[str, int]
    bytes: int
    seconds: float


def estimate(circuit: str | Circuit, size: int) -> Estimate:
    """Return what the network of ``circuit`` with ``size`` neurons will need.

    Parameters
    ----------
    circuit : str or Circuit
        What would be built, or its name.
    size : int
        Neurons in all.

    Returns
    -------
    Estimate
        Synapses are expected numbers: of a torus the integral of the law; of an open volume the
        same, as if all neurons lay inside, which is a bound.

    Raises
    ------
    BuildError
        A size that is no whole number of at least 1.

    Examples
    --------
    >>> made = estimate("striatum_v1", size=10_000)
    >>> made.neurons["FS"], round(sum(made.synapses.values()), -5)
    (135, 2500000)
    """
    circuit, size = load(circuit), checked_size(size)
    counts = circuit.counts(size)
    synapses = {name: expected(circuit, name, counts) for name in circuit.pathways}
    total = sum(synapses.values())
    coupled = sum(expected_junctions(circuit, name, counts) for name in circuit.gap_junctions)
    spread = {name for name, one in circuit.pathways.items() if variation(one)}
    volume = sum(counts[name] for name in circuit.placed) / circuit.volume.density.value
    sources = counts | axon_counts(circuit, counts, volume)
    rows = sum(sources[name.split("->")[0]] for name in circuit.pathways)
    # A fixed in-degree is listed by target before it is sorted by source.
    listed = max((4 * synapses[name] for name, one in circuit.pathways.items()
                  if isinstance(one.wiring, FixedIndegree)), default=0)
    held = (SYNAPSE * total + WEIGHT * sum(synapses[name] for name in spread) + listed
            + JUNCTION * coupled + NEURON * size + ROW * rows + FIXED)
    return Estimate(counts, synapses, held, SYNAPSE_S * (total + coupled) + NEURON_S * size)


def variation(pathway: Pathway) -> float:
    """Return the coefficient of variation of a pathway's weights, 0 where all are alike."""
    if pathway.weight_spread is not None:
        return float(pathway.weight_spread) / 3**0.5
    return 0.0 if pathway.weight_cv is None else float(pathway.weight_cv)


def expected(circuit: Circuit, name: str, counts: dict[str, int]) -> int:
    """Return how many synapses a pathway is expected to have (a bound for an open volume)."""
    source, target = name.split("->")
    wiring = circuit.pathways[name].wiring
    if source in circuit.axons and not circuit.axons[source].identity:
        return 0
    if isinstance(wiring, FixedIndegree):
        return wiring.n * counts[target]
    return round(_pairs(circuit, rule(name, wiring), source, target, counts))


def expected_junctions(circuit: Circuit, name: str, counts: dict[str, int]) -> int:
    """Return how many gap junctions of a kind are expected (a bound for an open volume)."""
    first, second = name.split("-")
    pairs = _pairs(circuit, rule(name, circuit.gap_junctions[name].wiring), first, second, counts)
    return round(pairs / 2 if first == second else pairs)


def _pairs(circuit: Circuit, law: Rule, source: str, target: str,
           counts: dict[str, int]) -> float:
    """Return how many ordered pairs of two types a law is expected to connect."""
    others = counts[target] - (source == target)
    if not np.isfinite(law.reach):
        return counts[source] * others * law(0.0)
    # The density is that of the circuit, whatever the shape of the volume.
    density = circuit.volume.density.value * 1e-9 * others / sum(
        counts[name] for name in circuit.placed)
    near = density * law.partners(min(circuit.volume.minimum_distance.value, law.reach))
    return counts[source] * min(others, near)


def refuse_what_cannot_fit(circuit: Circuit, size: int) -> Estimate:
    """Return the estimate, or raise BuildError if it is above `SHARE` of the free memory."""
    made, free = estimate(circuit, size), free_memory()
    if free is not None and made.bytes > SHARE * free:
        msg = (f"{circuit.name}: size: must fit into {SHARE:.0%} of the free memory, "
               f"{SHARE * free / 1e9:.1f} GB (got {made.bytes / 1e9:.1f} GB for {size} neurons). "
               "Lower it")
        raise BuildError(msg)
    return made
