"""Pathways that learn in circuits: keys, refusals, what `info` and `models` say, state."""

import numpy as np
import pytest

import neostriatum as ns
from neostriatum.circuit.cautions import warnings_of
from neostriatum.circuit.learning_rules import pairings, residual
from neostriatum.engines.base import engine
from neostriatum.engines.lowered import lower
from neostriatum.engines.nest_engine.connections import check
from neostriatum.equations import known_models
from neostriatum.errors import CircuitError, EngineUnsupported, ModelError
from neostriatum.information import describe, lines
from neostriatum.models.learning import LearningRule, level, tonic, usual
from neostriatum.models.plain import plain, rebuilt

STP = {"U": 0.1, "tau_rec": "1900 ms", "tau_fac": "36 ms", "start": "stationary"}


def raw(learning=None, axons=None, **keys):
    """Return the data of a small circuit whose cortex learns on both SPNs."""
    made = ns.load("striatum_v1").to_dict()
    made["axons"] = {"cortex": {"size": 400, "rate": "30 Hz", "groups": 8, **(axons or {})}}
    made["warmup"], made["inputs"] = "5 ms", {}
    for cell in ("dSPN", "iSPN"):
        made["pathways"][f"cortex->{cell}"] = {
            "conductance": {"AMPA": "12 nS", "NMDA": "0.4 nS"}, "delay": "1 ms", "stp": STP,
            "wiring": {"rule": "fixed_indegree", "n": 40},
            "learning": {"dose": 5, "flush": "25 ms", **(learning or {})}, **keys}
    return made


def circuit(learning=None, **keys):
    """Return that circuit."""
    return ns.load(raw(learning, **keys))


def test_a_circuit_is_read_back_and_says_nothing_of_learning_without_any():
    """What `to_dict` gives loads to an equal circuit; circuits of before have no new key."""
    made = circuit({"w_max": 3, "gate": "D1", "scaling": {"target": 1, "tau": "100 s"}})
    assert ns.load(made.to_dict()) == made
    assert made.to_dict()["pathways"]["cortex->dSPN"]["learning"]["rule"] == "balanced"
    assert all("learning" not in one for one in ns.load("striatum").to_dict()["pathways"].values())


@pytest.mark.parametrize(("learning", "says"), [
    ({"dose": -1}, "learning.dose: must be > 0"),
    ({"dose": 1000}, "learning.dose: must keep the change by one pair of spikes below"),
    ({"tau_e": "nan ms"}, "learning.tau_e: must be a number"),
    ({"tau_plus": "0 ms"}, "learning.tau_plus: must be > 0"),
    ({"tau_rise": "2 s"}, "learning.tau_rise: must be below tau_e"),
    ({"tau_minus": "0.2 ms"}, "learning.flush: must be at most 60 times"),
    ({"k_plus_hi": 1e4}, "learning.k_plus_hi: must be <= 100"),
    ({"rule": "difference", "A_plus": -1}, "learning.A_plus: must be >= 0"),
    ({"rule": "hebb"}, "learning.rule: unknown learning model"),
    ({"rule": 3}, "learning.rule: must be a text"),
    ({"k_plush_hi": 1}, "learning.k_plush_hi: unknown key. Nearest: k_plus_hi"),
    ({"level": "D9"}, "learning.level: unknown modulator"),
    ({"gate": "ACh"}, "learning.gate: unknown modulator"),
    ({"flush": "0.05 ms"}, "learning.flush: must be 1 to 65535 whole steps"),
    ({"w_max": 0.5}, "learning.w_max: must be > 1"),
    ({"start": 4}, "learning.start: must be within w_min and w_max"),
    ({"tonic": 1}, "learning.tonic: must be < 1"),
    ({"bounds": "none"}, "learning.bounds"),
])
def test_bad_learning_is_refused(learning, says):
    """One line that names the key."""
    with pytest.raises(CircuitError) as error:
        circuit(learning)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_learning_where_no_engine_can_is_refused():
    """Pooled axons, cells as sources, drawn failures, targets that hear both levels or none."""
    made = raw(axons={"identity": False})
    with pytest.raises(CircuitError, match="learning: must be of axons with identity"):
        ns.load(made)
    made = raw()
    made["pathways"]["dSPN->iSPN"]["learning"] = {"rule": "balanced"}
    with pytest.raises(CircuitError, match="learning: must be of axons, which have one delay"):
        ns.load(made)
    with pytest.raises(CircuitError, match=r"failure.drawn: must be false where a pathway learns"):
        circuit(failure={"probability": 0.5, "drawn": True})
    made = raw()
    made["cells"]["dSPN"]["dopamine"] = []
    with pytest.raises(CircuitError, match=r"learning.receptor: must be D1 or D2, as dSPN hears n"):
        ns.load(made)
    made["pathways"]["cortex->dSPN"]["learning"]["receptor"] = "D1"
    assert ns.load(made)


def test_what_nest_cannot_do_is_refused():
    """Exit code 3 and the key; NEST need not be installed to say it."""
    made = circuit({"scaling": {"target": 1, "tau": "100 s"}})
    lowered = lower(made, ns.build(made, size=60), 1)
    with pytest.raises(EngineUnsupported, match=r"^engine nest: pathways.cortex->dSPN.learning."
                       "scaling: needs all synapses of a cell at a flush") as error:
        check(lowered)
    assert error.value.exit_code == 3


def test_what_info_says():
    """Pairs with a burst and a dip, the balance, and a warning where tonic dopamine moves."""
    made = circuit({"dose": 0.1})
    said = "\n".join(lines(describe(made)))
    assert "learning of cortex->dSPN: balanced of D1, hears D1, tonic 0.3" in said
    assert "pre-post, burst +0.011" in said
    assert describe(made)["learning"][1]["receptor"] == "D2"
    assert pairings(made, "cortex->dSPN")["pre-post, burst"] == pytest.approx(
        0.1 * np.exp(-0.5) * (1 - np.exp(-0.2)))
    for cell in ("dSPN", "iSPN"):
        assert residual(made, f"cortex->{cell}") == pytest.approx(0, abs=1e-12)
    assert not [one for one in warnings_of(made) if "learning" in one]
    other = circuit({"rule": "gurney2015", "dose": 0.1})
    assert [one for one in warnings_of(other) if "at its tonic level alone moves weights" in one]
    assert abs(residual(circuit({"k_plus_hi": 0.2, "dose": 0.1}), "cortex->dSPN")) > 0.3


def test_what_models_says():
    """Every rule has equations, a known source and a hash; one can be registered."""
    for name in ("balanced", "gurney2015", "difference", "cbgtpy"):
        (said,) = known_models(name)
        assert said["kind"] == "learning"
        assert said["source"]
        assert any("e_plus" in line for line in said["equations"])
    own = LearningRule(name="my_rule", plus=level - tonic, minus=tonic - level, common=usual(),
                       receptors={}, bounds="hard")
    assert rebuilt(plain(own)).text == own.text
    ns.register(own)
    assert circuit({"rule": "my_rule", "dose": 0.1})
    with pytest.raises(ModelError, match="bounds: must be soft or hard"):
        LearningRule(name="other", plus=level, minus=level, common=usual(), receptors={},
                     bounds="none")
    with pytest.raises(ModelError, match="common: must be tau_plus"):
        LearningRule(name="other", plus=level, minus=level, common=(), receptors={}, bounds="hard")


def test_gurney_2015_as_tabled():
    """Factors at 0.3 and at both ends, from a table that was computed apart from this code."""
    made = circuit({"rule": "gurney2015", "dose": 0.1})
    from neostriatum.circuit.learning_rules import factors

    for cell, plus, minus in (("dSPN", 0.12, -0.35), ("iSPN", 0.33, -0.40)):
        found = factors(made, f"cortex->{cell}", 0.2993)
        assert found == pytest.approx((plus, minus), abs=0.006)
    assert factors(made, "cortex->dSPN", 0.0) == pytest.approx((-0.4, -0.5), abs=1e-3)


def started(name="reference", made=None, **options):
    """Return a small engine at its start, and its circuit."""
    made = made or circuit()
    simulator = engine(name, **options)
    simulator.prepare(made, ns.build(made, size=60, seed=1), 1)
    return simulator, made


def test_weights_move_with_dopamine_and_not_without():
    """At the tonic level nothing moves; bursts raise dSPN weights and lower those of iSPN."""
    simulator, made = started()
    simulator.advance(400)
    assert (simulator.weights("cortex->dSPN") == 1).all()
    simulator.change(made.replace({"dopamine.d1": 1.0, "dopamine.d2": 1.0}))
    simulator.advance(600)
    assert simulator.weights("cortex->dSPN").mean() > 1.01
    assert simulator.weights("cortex->iSPN").mean() < 0.995
    with pytest.raises(CircuitError, match=r"weights: must be a pathway that learns"):
        simulator.weights("dSPN->dSPN")


def test_change_keeps_the_tonic_level_and_refuses_another_rule():
    """Doses may change while a run goes on, time constants may not."""
    simulator, made = started()
    simulator.change(made.replace({"pathways.cortex->dSPN.learning.dose": 1}))
    with pytest.raises(EngineUnsupported, match="pathways"):
        simulator.change(made.replace({"pathways.cortex->dSPN.learning.tau_e": "500 ms"}))


def test_reading_weights_changes_nothing():
    """Weights between flushes are what a flush would make of them."""
    burst = circuit().replace({"dopamine.d1": 1.0})
    one, other = (started(made=circuit())[0] for _ in range(2))
    for simulator, looks in ((one, True), (other, False)):
        simulator.change(burst)
        for _ in range(6):
            simulator.advance(100)
            if looks:
                simulator.weights("cortex->dSPN")
    assert np.array_equal(one.weights("cortex->dSPN"), other.weights("cortex->dSPN"))
    assert all(np.array_equal(part, other.state()[name]) for name, part in one.state().items())
