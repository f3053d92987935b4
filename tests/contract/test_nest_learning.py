"""Synapses that learn in NEST: spikes and weights of the reference, to the last bit."""

import numpy as np
import pytest
from test_learning import PATHS, VARIANTS, net

import neostriatum as ns
from neostriatum.engines.base import engine as make_engine
from neostriatum.errors import CircuitError, EngineUnsupported

#: Steps that end at a flush, between two, and one step after.
PIECES = (120, 61, 1, 118)
#: NEST cannot scale.
RULES = {name.removeprefix("scaling, "): {key: value for key, value in rule.items()
                                          if key != "scaling"} for name, rule in VARIANTS.items()}


@pytest.fixture(autouse=True)
def _nest(request):
    """Skip without NEST."""
    request.getfixturevalue("reference").__class__("nest")()


def learnt(made, name, pieces=(300,), changes=(), **options):
    """Return spikes, and the weights after every piece; a change comes before all but the first."""
    circuit, network = made
    simulator = make_engine(name, **options)
    simulator.prepare(circuit, network, 1)
    spikes, weights = [], []
    for place, count in enumerate(pieces):
        if place and place <= len(changes):
            circuit = circuit.replace(changes[place - 1])
            simulator.change(circuit)
        spikes.append(np.stack(simulator.advance(count), axis=1))
        weights.append(np.concatenate([simulator.weights(path) for path in PATHS]))
    return np.concatenate(spikes), np.stack(weights)


def assert_equal(made, pieces=PIECES, changes=(), threads=(1, 2)):
    """Compare with the reference; return spikes and weights."""
    spikes, weights = learnt(made, "reference", pieces, changes)
    assert len(spikes) > 20
    assert np.ptp(weights[-1]) > 0.01
    for count in threads:
        others, found = learnt(made, "nest", pieces, changes, threads=count)
        assert np.array_equal(spikes, others)
        assert np.array_equal(weights, found)
    return spikes, weights


@pytest.mark.parametrize("what", RULES)
def test_weights_are_those_of_the_reference(what):
    """Every rule, at 1 and 2 threads; releases, receptors, factors by synapse, two delays."""
    down = what in ("bounds that are reached", "down, softly")
    made = net(RULES[what], d1=0.0 if down else 0.9)
    _, weights = assert_equal(made)
    if what == "bounds that are reached":
        assert {0.6, 1.05} <= set(weights[-1])


def test_levels_rates_and_conductances_change_while_weights_learn():
    """The tonic level stays that of the start; what arrives has the new conductance at once."""
    changes = ({"dopamine.d1": 0.8, "axons.cortex.rate": "60 Hz"},
               {"pathways.cortex->dSPN.conductance.AMPA": "5 nS"}, {"dopamine.d1": 0.3})
    assert_equal(net({"dose": 8}), PIECES, changes)


def test_a_flush_longer_than_the_run_and_one_of_one_step():
    """No axon fires for a flush, and every one at every step."""
    assert_equal(net({"flush": "1 s"}), threads=(1,))
    assert_equal(net({"flush": "0.1 ms"}), (40, 260), threads=(1,))


def test_weights_before_the_first_step_and_of_other_pathways():
    """They are the start; who learns nothing has none."""
    simulator = make_engine("nest", threads=1)
    simulator.prepare(*net({"start": 1.25}), 1)
    assert (simulator.weights(PATHS[0]) == 1.25).all()
    with pytest.raises(CircuitError, match=r"weights: must be a pathway that learns"):
        simulator.weights("FS->dSPN")


def test_scaling_is_refused():
    """It needs the sum of a cell's weights within a step."""
    with pytest.raises(EngineUnsupported, match=r"^engine nest: pathways.cortex->dSPN.learning"
                       r".scaling: needs all .* Take it out, or use the engine numba$") as error:
        make_engine("nest").prepare(*net({"scaling": {"target": 1.1, "tau": "1 s"}}), 1)
    assert error.value.exit_code == 3


@pytest.mark.slow
def test_the_default_circuit_learns():
    """Both SPNs of 300 cells: 81,200 synapses of two receptors that a level scales."""
    raw = ns.load("striatum", changes={"warmup": "50 ms"}).to_dict()
    for path in PATHS:
        raw["pathways"][path]["learning"] = {"dose": 5, "flush": "20 ms"}
    raw["dopamine"] = {"d1": {"steps": {"times": ["0 ms", "60 ms"], "values": [0.3, 0.9]}},
                       "d2": {"steps": {"times": ["0 ms", "60 ms"], "values": [0.3, 0.1]}}}
    circuit = ns.load(raw)
    spikes, weights = learnt((circuit, ns.build(circuit, size=300, seed=1)), "numba", (2000,))
    assert np.ptp(weights[-1]) > 0.1
    for threads in (1, 2):
        others, found = learnt((circuit, ns.build(circuit, size=300, seed=1)), "nest",
                               (1000, 1000), threads=threads)
        assert np.array_equal(spikes, others)
        assert np.array_equal(weights[-1], found[-1])


@pytest.mark.slow
def test_a_task_is_learnt(tmp_path):
    """Rates, currents and levels of a session; NEST draws the background itself."""
    run = ns.learn("bandit", engine="nest", threads=1, size=100, trials=2, figures=False,
                   out=tmp_path / "run", weights_every=1)
    weights = run.summary["learning"]["weights"]["cortex->dSPN"]
    assert all(len(each) == 2 for each in weights.values())
    assert any(each != [1.0, 1.0] for each in weights.values())
