"""Levels scale what axons deliver, with trains and pooled, to the bit of the reference."""

import numpy as np
import pytest
import test_axons
import test_pooled_axons
from conftest import Maker

import neostriatum as ns
from neostriatum.engines.base import engine as make_engine

ACH = {"released_by": "FS", "tonic": "20 Hz", "tau": "15 ms", "delay": "0.4 ms"}
WEIGHT = {"level": "ACh", "acts_on": "weight", "coefficient": -0.6,
          "curve": {"half": 4, "order": 2, "reference": 1}}
N_STEPS = 500


def scaled(made):
    """Return a circuit whose axons a computed level scales, but those on FS."""
    raw = made.to_dict() | {"modulators": {"ACh": ACH}}
    for name, pathway in raw["pathways"].items():
        source, target = name.split("->")
        if source in raw["axons"] and target != "FS":
            pathway["effects"] = [WEIGHT]
    return ns.load(raw)


def run(made, network, name, *pieces, **options):
    simulator = make_engine(name, **options)
    simulator.prepare(made, network, 1)
    parts = zip(*(simulator.advance(count) for count in pieces), strict=True)
    return ([np.concatenate(part).tolist() for part in parts], simulator.levels(),
            {pop.name: simulator.state()[f"{pop.name}.v"].tolist()
             for pop in simulator.lowered.populations})


@pytest.mark.parametrize("made", [test_axons.circuit(), test_pooled_axons.pooled()],
                         ids=["trains", "pooled"])
def test_axons_are_scaled_at_arrival(made):
    circuit = scaled(made)
    network = ns.build(circuit, size=60, seed=1)
    oracle = run(circuit, network, "reference", N_STEPS)
    assert len(oracle[0][0]) > 20
    assert oracle[1]["ACh"] != 1.0
    assert oracle != run(made, network, "reference", N_STEPS)
    for threads, pieces in ((1, (N_STEPS,)), (2, (7, 1, 92, 400)), (3, (250, 250))):
        assert run(circuit, network, "numba", *pieces, threads=threads) == oracle


@pytest.mark.slow
def test_brian2_scales_what_its_trains_deliver():
    raw = scaled(test_axons.circuit()).to_dict()
    for pathway in raw["pathways"].values():
        # Brian2 draws failures of its own.
        pathway.pop("failure", None)
    circuit, results = ns.load(raw), []
    network = ns.build(circuit, size=60, seed=1)
    for simulator in (make_engine("reference"), Maker("brian2-runtime")()):
        simulator.prepare(circuit, network, 1)
        results.append(([part.tolist() for part in simulator.advance(N_STEPS)],
                        simulator.levels()))
    assert results[0] == results[1]
