"""Every engine gives the spikes of the reference: design.md, sections 4 and 7.

Inputs are recorded and no number is drawn, so engines can differ by rounding alone. Rounding grows
by up to ten times per spike of a cell that fires from slow currents: the spike falls on a whole
step. In the feed-forward nets strong inputs trigger the spikes, and differences die out between
them; recurrent nets must agree for 200 ms, and the test reports where they part.
"""

import dataclasses

import numpy as np
import pytest
from compare import Result, first_divergence, largest_difference_mv, simulate
from nets import ALL, FEED_FORWARD, RECURRENT, TYPES

#: Largest difference of potentials where no spike differs [mV].
TOLERANCE_MV = 1e-9
#: Time for which recurrent nets must agree [ms].
HORIZON_MS = 200.0


def check_feed_forward(net, oracle, other):
    """Assert equal spikes and potentials over at least a second."""
    dt = net.circuit.dt.value
    assert net.n_steps * dt >= 1000.0
    assert first_divergence(oracle, other, dt) is None
    assert largest_difference_mv(oracle, other) <= TOLERANCE_MV


def check_recurrent(net, oracle, other, record_property):
    """Assert equal spikes for the horizon and report where the results part."""
    dt = net.circuit.dt.value
    assert net.n_steps * dt > HORIZON_MS
    found = first_divergence(oracle, other, dt)
    report = str(found or f"{oracle.engine} and {other.engine} agree for {net.n_steps * dt:g} ms")
    record_property(f"first_divergence {net.name}", report)
    print(f"{net.name}: {report}")
    assert found is None or found.time_ms >= HORIZON_MS, report


@pytest.mark.parametrize("name", FEED_FORWARD)
def test_feed_forward_nets_agree_over_a_second(name, rival, reference, net, result):
    check_feed_forward(net(name), result(reference, name), result(rival, name))


@pytest.mark.parametrize("name", RECURRENT)
def test_recurrent_nets_agree_for_the_horizon(name, rival, reference, net, result, record_property):
    check_recurrent(net(name), result(reference, name), result(rival, name), record_property)


@pytest.mark.slow
@pytest.mark.compiled
@pytest.mark.parametrize("name", ["plastic", "courses"])
def test_compiled_feed_forward_nets_agree_over_a_second(name, compiled, reference, net, result):
    check_feed_forward(net(name), result(reference, name), result(compiled, name))


@pytest.mark.slow
@pytest.mark.compiled
def test_compiled_recurrent_net_agrees_for_the_horizon(
        compiled, reference, net, result, record_property):
    check_recurrent(net("restless"), result(reference, "restless"), result(compiled, "restless"),
                    record_property)


@pytest.mark.parametrize("name", ALL)
def test_nets_fire(name, reference, net, result):
    """No comparison is vacuous: every type fires, and recurrent nets do so before the horizon."""
    found = result(reference, name)
    if name in RECURRENT:
        found = found.until(round(HORIZON_MS / net(name).circuit.dt.value))
    assert {cell: found.count(cell) for cell in TYPES if found.count(cell) < 10} == {}


def test_every_receptor_and_every_pathway_is_at_work(reference, net, result):
    receptors, pathways = net("receptors"), net("pathways")
    found = result(reference, "receptors")
    for cell in TYPES:
        fired = [found.count(cell, number) for number in range(6)]
        assert fired[4:] == [0, 0], "GABA alone and nothing leave a cell silent"
        assert min(fired[0], fired[1], fired[2]) >= 3, f"{cell}: {fired}"
        moved = np.ptp(found.v_mv[cell], axis=0)
        assert (moved[:5] > 0.5).all()
    assert set(receptors.circuit.receptors) == {"AMPA", "NMDA", "GABA"}
    for name in pathways.circuit.pathways:
        edges, source = pathways.network.edges[name], name.split("->")[0]
        assert set(edges.delays) == set(range(1, 21))
        assert all(result(reference, "pathways").count(source, cell) > 5 for cell in (0, 1))
        assert np.diff(edges.offsets)[:2].tolist() == [20, 20]
        assert edges.targets.min() == 2, "feed-forward: from the first layer to the second"


def one_later(network, name, right):
    """Return the edges with one synapse, of the busiest source, later by one step."""
    edges, source = network.edges[name], name.split("->")[0]
    busy = np.bincount(right.ids, minlength=network.size)[list(network.populations[source])]
    reaching = np.where(np.diff(edges.offsets) > 0, busy, -1)
    delays = edges.delays.copy()
    delays[edges.offsets[np.argmax(reaching)]] += 1
    return {**network.edges, name: dataclasses.replace(edges, delays=delays)}


@pytest.mark.parametrize("name", ["plastic", "restless"])
@pytest.mark.parametrize("pathway", ["FS->dSPN", "iSPN->dSPN"])
@pytest.mark.parametrize("part", ["weight", "delay"])
def test_a_small_error_is_seen(name, pathway, part, reference, net, result):
    """One weight off by 1 % or one synapse late by one step fails the comparison."""
    whole = net(name)
    right = result(reference, name).until(4000)
    if part == "weight":
        path = f"pathways.{pathway}.conductance.GABA"
        weight = whole.circuit.pathways[pathway].conductance["GABA"].value
        changed = whole.with_circuit({path: f"{1.01 * weight!r} nS"})
    else:
        changed = whole.with_network(edges=one_later(whole.network, pathway, right))
    wrong = simulate(reference, changed, 4000)
    assert largest_difference_mv(right, wrong) > 1e4 * TOLERANCE_MV
    if name == "restless" and part == "weight":
        assert first_divergence(right, wrong, whole.circuit.dt.value) is not None


def test_first_divergence_names_engines_cell_and_step():
    populations = {"dSPN": range(2), "FS": range(2, 4)}
    a = Result("one", populations, np.array([5, 7, 7]), np.array([0, 1, 3]), {})
    b = Result("two", populations, np.array([5, 7, 9]), np.array([0, 1, 3]), {})
    found = first_divergence(a, b, 0.1)
    assert str(found) == "one and two part at step 7 (0.8 ms): only one has a spike of FS 1"
    assert first_divergence(b, a, 0.1).only == "one"
    assert first_divergence(a, a, 0.1) is None
