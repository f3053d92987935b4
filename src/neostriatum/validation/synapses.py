"""What the circuit says of its synapses: decay, NMDA share, release in a train, pairs, drive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from neostriatum.circuit.load import load
from neostriatum.engines.plasticity import lower_release
from neostriatum.validation.lab import Lab, Unsuited, require

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from neostriatum.circuit.model import Circuit
    from neostriatum.circuit.pathway import FixedIndegree

#: Step in which intervals of a train are counted [ms].
GRAIN_MS = 0.1


def conductances(circuit: Circuit, source: str, target: str) -> Mapping[str, Any]:
    """Return the conductances of a pathway or of an input by receptor.

    Raises
    ------
    Unsuited
        Neither is there.
    """
    require(circuit, cells=(target,))
    pathway = circuit.pathways.get(f"{source}->{target}")
    if pathway is not None:
        return pathway.conductance
    entry = circuit.inputs.get(source)
    if entry is not None and target in entry.targets and (
            conductance := entry.targets[target].conductance):
        return conductance
    msg = f"{circuit.name} has nothing from {source} onto {target}"
    raise Unsuited(msg)


def kinetics(lab: Lab, source: str, target: str) -> dict[str, Any]:
    """Return the decay of the fast receptor, and the conductance with magnesium block over it."""
    circuit = lab.load()
    found = conductances(circuit, source, target)
    blocked = {name for name in found if "magnesium" in circuit.receptors[name].values}
    fast = {name: circuit.receptors[name].values["tau"] for name in found if name not in blocked}
    if not fast:
        msg = f"{circuit.name} has no fast receptor from {source} onto {target}"
        raise Unsuited(msg)
    nmda = sum(found[name].value for name in blocked)
    return {"decay_ms": min(fast.values()),
            "nmda_share": nmda / sum(found[name].value for name in fast)}


def nmda_order(lab: Lab, pairs: list[list[str]]) -> dict[str, Any]:
    """Return the NMDA shares of several pathways or inputs, by name."""
    return {"nmda_share": {f"{source}->{target}": kinetics(lab, source, target)["nmda_share"]
                           for source, target in pairs}}


def release_train(lab: Lab, source: str, target: str, rate_hz: float = 20.0,
                  spikes: int = 8) -> dict[str, Any]:
    """Return what the second and the last spike of a train release, over the first of a rest."""
    circuit, name = lab.load(), f"{source}->{target}"
    pathway = require(circuit, pathways=(name,)).pathways[name]
    if pathway.stp is None:
        msg = f"{circuit.name} has no short-term plasticity from {source} onto {target}"
        raise Unsuited(msg)
    plasticity = lower_release(pathway.stp, GRAIN_MS)
    states = plasticity.begin(1)
    interval = 1000.0 / rate_hz / GRAIN_MS
    released = [float(plasticity.release(states, np.array([gap]))[0])
                for gap in (1e7, *[interval] * (spikes - 1))]
    return {"second": released[1] / released[0], "last": released[-1] / released[0]}


def pair_probability(lab: Lab, source: str, target: str, within_um: float = 250.0,
                     size: int = 80_000) -> dict[str, Any]:
    """Return which share of the pairs within a distance is connected in a built network.

    Distances have the density 2 r / R^2 of pairs in the plane of a slice, as in `pair_recordings`.
    Of this pathway alone, in a volume that is wide enough to meet a pair once on its torus.
    """
    circuit = require(lab.load(), cells=(source, target))
    name = f"{source}->{target}"
    if name not in circuit.pathways:
        return {"probability": 0.0, "pairs": 0}
    raw = circuit.to_dict()
    raw |= {"pathways": {name: raw["pathways"][name]}, "gap_junctions": {}}
    network = lab.build(load(raw, folder=circuit._folder), size)
    rows, spans = network.edges[name], network.populations
    ends = [network.positions[spans[end].start : spans[end].stop].astype(float)
            for end in (source, target)]
    near, weight, found = 0, 0.0, 0.0
    for number, at in enumerate(ends[0]):
        away = np.abs(ends[1] - at)
        if network.periodic:
            away = np.minimum(away, network.side_um - away)
        distance = np.sqrt((away**2).sum(axis=1))
        close = distance < within_um
        if source == target:
            close[number] = False
        # Pairs in space are as many as r^2 says; those of a slice grow like r.
        counted = np.where(close, 1.0 / np.maximum(distance, 1e-3), 0.0)
        linked = np.unique(rows.targets[rows.offsets[number] : rows.offsets[number + 1]])
        near += int(close.sum())
        weight, found = weight + counted.sum(), found + counted[linked].sum()
    return {"probability": float(found / weight) if near else None, "pairs": near}


def excitation(lab: Lab, source: str | None = None) -> dict[str, Any]:
    """Return the charge per second that inputs and axons bring by type, and the ratio of numbers.

    Number times rate times rested conductance times decay of the fast receptors; of one source or
    all.
    """
    circuit = lab.load()
    charge: dict[str, float] = {}
    counts: dict[str, int] = {}
    for cell, number, rate_hz, conductance in _constant_drive(circuit, source):
        fast = sum(g.value * circuit.receptors[receptor].values["tau"]
                   for receptor, g in conductance.items()
                   if "magnesium" not in circuit.receptors[receptor].values)
        charge[cell] = charge.get(cell, 0.0) + number * rate_hz * fast
        counts[cell] = counts.get(cell, 0) + number
    if not charge:
        msg = f"{circuit.name} has no constant drive by {source or 'inputs'}"
        raise Unsuited(msg)
    few = counts.get("iSPN", 0)
    return {"charge": charge, "ratio": counts.get("dSPN", 0) / few if few else None}


def _constant_drive(circuit: Circuit, source: str | None) -> Iterator[
        tuple[str, int, float, Mapping[str, Any]]]:
    """Yield type, number of afferents, their rate [Hz] and conductances, of one source or all."""
    for name, entry in circuit.inputs.items():
        for cell, target in entry.targets.items():
            if target.rate and target.rate.constant and source in (None, name):
                yield (cell, target.afferents or 0, target.rate.constant.value,
                       target.conductance or {})
    for name, axons in circuit.axons.items():
        for cell in circuit.types:
            pathway = circuit.pathways.get(f"{name}->{cell}")
            if pathway and axons.rate and axons.rate.constant and source in (None, name):
                # Axons reach cells by this rule alone.
                wiring = cast("FixedIndegree", pathway.wiring)
                yield cell, wiring.n, axons.rate.constant.value, pathway.conductance
