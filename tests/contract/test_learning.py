"""Synapses that learn in Brian2: the weights of the reference, whatever the rule has."""

import numpy as np
import pytest
from axonal import circuit

import neostriatum as ns
from neostriatum.engines.base import engine as make_engine
from neostriatum.errors import CircuitError

PATHS = ("cortex->dSPN", "cortex->iSPN")
#: What makes synapses differ; without a rule of its own a circuit learns by `balanced`.
VARIANTS = {
    "rise": {"tau_rise": "100 ms"},
    "scaling, gate, hard bounds": {"scaling": {"target": 1.1, "tau": "1 s"}, "bounds": "hard",
                                   "gate": "D2"},
    "bounds that are reached": {"w_min": 0.6, "w_max": 1.05, "dose": 4, "bounds": "hard"},
    "down, softly": {},
    "gurney2015": {"rule": "gurney2015", "dose": 1},
    "a computed level": {"level": "X", "receptor": "D1", "tonic": 0.5},
}


def dopamine(before, after):
    """Return a level that changes 15 ms after the warm-up."""
    return {"steps": {"times": ["0 ms", "15 ms"], "values": [before, after]}}


def net(learning=None, d1=0.9):
    """Return a circuit whose cortex learns with other delays on dSPN and iSPN, and 60 cells."""
    raw = circuit().to_dict()
    raw["dopamine"] = {"d1": dopamine(0.3, d1), "d2": dopamine(0.3, 0.1)}
    # Brian2 draws failures itself.
    raw["pathways"]["thalamus->dSPN"].pop("failure")
    for path in PATHS:
        raw["pathways"][path]["conductance"]["AMPA"] = "25 nS"
        raw["pathways"][path]["learning"] = {"dose": 5, "flush": "6 ms", **(learning or {})}
    if (learning or {}).get("level") == "X":
        raw["modulators"] = {"X": {"released_by": "FS", "tonic": "20 Hz", "tau": "20 ms",
                                   "delay": "1 ms"}}
    made = ns.load(raw)
    return made, ns.build(made, size=60, seed=1)


def learnt(net, name, pieces, **options):
    """Return the spikes and all weights after some stretches."""
    simulator = make_engine(name, **options)
    simulator.prepare(*net, 1)
    spikes = [np.stack(simulator.advance(piece), axis=1) for piece in pieces]
    return np.concatenate(spikes), np.concatenate([simulator.weights(path) for path in PATHS])


def assert_equal(net, name, pieces, least, **options):
    """Compare an engine with the reference: spikes, and weights to 1e-9; return the weights."""
    spikes, weights = learnt(net, "reference", (sum(pieces),))
    others, found = learnt(net, name, pieces, **options)
    assert len(spikes) > 20
    assert np.ptp(weights) > least
    assert np.array_equal(spikes, others)
    assert np.abs(weights - found).max() < 1e-9
    return found


@pytest.mark.parametrize("what", ["rise", *(
    pytest.param(each, marks=pytest.mark.slow) for each in VARIANTS if each != "rise")])
def test_brian2_learns_the_weights_of_the_reference(what):
    """In stretches that end at a flush, between two, and one step after."""
    down = what in ("bounds that are reached", "down, softly")
    weights = assert_equal(net(VARIANTS[what], d1=0.0 if down else 0.9), "brian2-runtime",
                           (120, 61, 119), 0.01, target="numpy")
    if down:
        assert weights.min() < 0.99
    if what == "bounds that are reached":
        assert (weights == 0.6).any()
        assert (weights == 1.05).any()


def test_weights_at_a_flush_and_before_the_first_step():
    """They are the start, and those of the reference where a flush is due but not yet done."""
    made = net({"scaling": {"target": 1.3, "tau": "100 ms"}})
    simulator = make_engine("brian2-runtime", target="numpy")
    simulator.prepare(*made, 1)
    assert (simulator.weights(PATHS[0]) == 1.0).all()
    simulator.advance(1)
    assert_equal(made, "brian2-runtime", (240,), 0.01, target="numpy")
    with pytest.raises(CircuitError, match=r"weights: must be a pathway that learns"):
        simulator.weights("FS->dSPN")


@pytest.mark.compiled
@pytest.mark.slow
def test_compiled_brian2_learns_the_same(native):
    """Its C++ program, and Cython, of a rule that has everything; it hears a computed level."""
    made = net(VARIANTS["rise"] | VARIANTS["a computed level"] | {
        "scaling": {"target": 1.1, "tau": "1 s"}, "gate": "D2"})
    assert_equal(made, native.name, (300,), 0.01, **dict(native.options))
