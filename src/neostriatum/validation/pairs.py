"""Two cells, one electrode in each: synaptic potentials, plasticity, electrical coupling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.circuit.drive import SpikeFile
from neostriatum.circuit.load import load
from neostriatum.errors import CircuitError
from neostriatum.experiments.holding import hold
from neostriatum.experiments.isolate import holding, isolated
from neostriatum.experiments.pair import pair
from neostriatum.network.edges import Edges, delay_units
from neostriatum.network.network import Network
from neostriatum.validation.lab import Lab, Unsuited, require

if TYPE_CHECKING:
    from neostriatum.analysis.recordings import Recordings
    from neostriatum.circuit.model import Circuit

#: The receptor by which the electrode makes the source fire, fast and strong.
ELECTRODE = {"E": "50 mV", "tau": "0.5 ms"}
#: Strengths of its pulses, of which the weakest that makes the source fire is taken [nS].
PULSES = (20.0, 30.0, 45.0, 70.0, 100.0, 150.0, 220.0)
FIRST_MS = 100.0
SPNS = ("dSPN", "iSPN")
#: Mean and standard deviation of the distances of pairs [um], where an experiment gives them, by
#: what was recorded: FS onto SPNs in Gittis et al. 2011 (150 um) and 2010 (250 um).
DISTANCES_UM = {f"FS->{cell} {reach}": given for cell in SPNS
                for reach, given in (("150", (113.0, 49.0)), ("250", (106.0, 25.0)))}


def slice_circuit(lab: Lab, pathway: str, reversal_mv: float) -> Circuit:
    """Return the circuit without dopamine, with a slice's reversal potential on a pathway."""
    whole = require(lab.load(0.0), pathways=(pathway,))
    return whole.replace({f"receptors.{name}.E": f"{reversal_mv} mV"
                          for name in whole.pathways[pathway].conductance})


def psp(lab: Lab, source: str, target: str, holding_mv: float = -80.0,
        reversal_mv: float = -60.0) -> dict[str, Any]:
    """Return size and half width of one postsynaptic potential at a holding potential."""
    circuit = slice_circuit(lab, f"{source}->{target}", reversal_mv)
    made = pair(source, target, circuit=circuit, holding=f"{holding_mv} mV", engine=lab.small)
    change = np.abs(made.v_mv - made.reference_mv)
    wide = made.times_ms[change >= change.max() / 2]
    return {"psp_mv": made.psp_mv, "peak_ms": made.psp_peak_ms,
            "half_width_ms": float(wide[-1] - wide[0])}


def psp_order(lab: Lab, pairs: list[list[str]], holding_mv: float = -80.0,
              reversal_mv: float = -60.0) -> dict[str, Any]:
    """Return the synaptic potentials of several pathways, by name."""
    return {"psp_mv": {f"{source}->{target}":
                       psp(lab, source, target, holding_mv, reversal_mv)["psp_mv"]
                       for source, target in pairs}}


def train(lab: Lab, source: str, target: str, spikes: int = 8, rate_hz: float = 20.0,
          recovery_ms: float = 500.0, holding_mv: float = -80.0,
          reversal_mv: float = -60.0) -> dict[str, Any]:
    """Return paired-pulse ratio and recovery ratio of a train of presynaptic spikes.

    The source is made to fire ``spikes`` times at ``rate_hz`` and once more ``recovery_ms`` later.
    A response is the rise of the target's potential from the foot of each spike; ``ppr`` is the
    second response over the first, ``rtr`` that of the test spike.
    """
    name = f"{source}->{target}"
    whole = slice_circuit(lab, name, reversal_mv)
    at = FIRST_MS + np.arange(spikes) * 1000.0 / rate_hz
    at = np.append(at, at[-1] + recovery_ms)
    row = 1 if source == target else 0
    for strength in PULSES:
        circuit, network = _connected(whole, name, holding_mv, at, strength)
        made = lab.record(circuit, network, float(at[-1]) + 150.0, probed={target: [row]},
                          engine=lab.small)
        fired = made.of(network.populations[source].start)
        if len(fired) >= len(at):
            break
    if len(fired) != len(at):
        msg = f"{source} cannot be made to fire once per pulse"
        raise Unsuited(msg)
    sizes = []
    for spike in fired:
        foot = made.v_mv[np.searchsorted(made.trace_ms, spike), 0]
        after = (made.trace_ms > spike) & (made.trace_ms <= spike + 45.0)
        sizes.append(float((made.v_mv[after, 0] - foot).max()))
    return {"sizes_mv": sizes, "ppr": sizes[1] / sizes[0], "rtr": sizes[-1] / sizes[0],
            "last_of_train": sizes[-2] / sizes[0]}


def _connected(whole: Circuit, name: str, holding_mv: float, at_ms: np.ndarray,
               pulse_ns: float) -> tuple[Circuit, Network]:
    source, target = name.split("->")
    held = hold(whole, target, f"{holding_mv} mV")
    constant = _constant_current(whole, target)
    types = [one for one in whole.types if one in (source, target)]
    raw = whole.to_dict()
    start = held.start | {"v": f"{holding_mv} mV"}
    raw = {key: said for key, said in raw.items()
           if key not in ("axons", "gap_junctions", "channels", "noise", "spread", "start")}
    path = dict(raw["pathways"][name])
    if path.get("stp"):  # a slice is silent before the train: release is rested
        path["stp"] = {key: said for key, said in path["stp"].items()
                       if key not in ("start", "start_rate")}
    raw |= {"warmup": "0 ms", "pathways": {name: path},
            "modulators": holding(whole, types),
            "cells": {one: raw["cells"][one] | {"fraction": 1.0 / len(types)} for one in types},
            "receptors": raw["receptors"] | {"Electrode": ELECTRODE},
            "inputs": {"electrode": {"targets": {source: {
                "afferents": 1, "rate": "0 Hz", "conductance": {"Electrode": f"{pulse_ns} nS"}}}}}}
    raw["start"] = {target: start}
    circuit = _firing(load(raw), source, at_ms)
    counts = {one: 2 // len(types) for one in types}
    row = 1 if source == target else 0
    current = np.zeros(counts[target])
    current[row] = held.current_pa
    units = delay_units(f"pathways.{name}.delay", whole.pathways[name].delay, np.array([50.0]))
    edges = Edges(np.array([0] + [1] * counts[source], np.int64), np.array([row], np.int32),
                  units.astype(np.uint8))
    network = Network(0, counts, 100.0, False, np.zeros((2, 3), np.float32), {name: edges},
                      {}, {target: {constant: current}})
    return circuit, network


def _constant_current(circuit: Circuit, cell: str) -> str:
    """Return the parameter of a cell type that is a constant current."""
    parameter = circuit.cells[cell].cell_model.constant_current
    if parameter is None:
        msg = f"{cell} of {circuit.name} has no constant current"
        raise Unsuited(msg)
    return parameter.name


def _firing(circuit: Circuit, source: str, at_ms: np.ndarray) -> Circuit:
    """Return the circuit with the electrode's events at ``at_ms`` on cell 0 of the source."""
    spikes = SpikeFile(file="electrode.csv")
    spikes._events = (at_ms, np.zeros(len(at_ms), np.int64))
    entry = circuit.inputs["electrode"].targets[source].model_copy(
        update={"afferents": None, "rate": None, "spikes": spikes})
    electrode = circuit.inputs["electrode"].model_copy(update={"targets": {source: entry}})
    return circuit.model_copy(update={"inputs": {"electrode": electrode}})


def coupling(lab: Lab, step_pa: float = -10.0, duration_ms: float = 500.0,
             dopamine: float = 0.0) -> dict[str, Any]:
    """Return the coupling coefficient of two FS cells joined by one gap junction.

    A steady current into one cell; the change of the other's potential over that of its own.
    """
    whole = require(lab.load(dopamine), cells=("FS",))
    if "FS-FS" not in whole.gap_junctions:
        msg = f"{whole.name} has no gap junctions"
        raise Unsuited(msg)
    circuit = isolated(whole, "FS", gap_junctions={
        "FS-FS": whole.to_dict()["gap_junctions"]["FS-FS"]})
    ends, constant = [], _constant_current(whole, "FS")
    for current in (0.0, step_pa):
        network = Network(0, {"FS": 2}, 100.0, False, np.zeros((2, 3), np.float32), {},
                          {"FS-FS": np.array([[0, 1]], np.int32)},
                          {"FS": {constant: np.array([current, 0.0])}})
        made = lab.record(circuit, network, duration_ms, probed={"FS": [0, 1]},
                          engine=lab.small)
        ends.append(made.v_mv[-1])
    own, other = ends[1] - ends[0]
    return {"coefficient": float(other / own)}


def recordings(lab: Lab, size: int = 20_000, pairs: int = 40_000, seed: int = 1,
               changes: dict[str, Any] | None = None, overlay: str | None = None,
               ) -> dict[str, Any]:
    """Return the connection probabilities that paired recordings find in a built network.

    Named ``source->target R`` with the largest distance R of the somas [um] of the experiments.
    Distances have the published mean and spread, in a normal law that ends at 0 and R, where they
    are known (`DISTANCES_UM`), and the density 2 r / R^2 where they are not.
    """
    from neostriatum.analysis.recordings import pair_recordings
    from neostriatum.circuit.measured import measured

    try:
        circuit = lab.load(changes=changes, overlay=() if overlay is None else (overlay,))
    except CircuitError as reason:
        raise Unsuited(str(reason)) from None
    network, found = lab.build(circuit, size, seed), {}
    wanted = {(name, bins[-1].below.value) for table in measured().values()
              for name, bins in table.items()}
    for name, reach in sorted(wanted):
        if name in network.edges:
            made = pair_recordings(network, name, f"{reach!r} um", pairs=pairs, seed=seed)
            found[f"{name} {reach:g}"] = _probability(made, DISTANCES_UM.get(f"{name} {reach:g}"))
    if "FS" in network.counts and "FS-FS" in circuit.gap_junctions:
        found["FS=FS 200"] = _coupled(network, 200.0)
    return found


def _probability(made: Recordings, given: tuple[float, float] | None) -> float:
    """Return the share of connected pairs, at distances of a given mean and spread [um]."""
    if given is None:
        return made.probability
    mean, spread = given
    # The pairs were drawn with a density that rises like the distance.
    weight = np.exp(-0.5 * ((made.distances_um - mean) / spread) ** 2) / made.distances_um
    return float((weight * made.hits).sum() / weight.sum())


def _coupled(network: Network, reach_um: float) -> float:
    """Return the share of FS pairs within reach that a gap junction joins, pairs ~ 2 r / R^2."""
    fs = network.populations["FS"]
    at = network.positions[fs.start : fs.stop].astype(float)
    away = np.abs(at[:, None] - at[None])
    if network.periodic:
        away = np.minimum(away, network.side_um - away)
    distance = np.sqrt((away**2).sum(axis=2))
    first, second = np.nonzero(np.triu(distance < reach_um, 1))
    weight = 1.0 / distance[first, second]
    joined = {(min(a, b), max(a, b)) for a, b in network.junctions["FS-FS"].tolist()}
    hit = np.array([(a, b) in joined for a, b in zip(first.tolist(), second.tolist(),
                                                      strict=True)])
    return float((weight * hit).sum() / weight.sum())
