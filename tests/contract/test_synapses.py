"""Synapses that differ: factors on their weights, and releases that fail."""

import dataclasses

import nets
import numpy as np
import pytest

import neostriatum as ns
from neostriatum.engines.base import engine

N_STEPS = 1500
#: A small circuit that fires, recurrent and with gap junctions, whose synapses all differ.
VARIED = {
    "warmup": "0 ms", "inputs.cortex.targets.dSPN.rate.constant": "7 Hz",
    "inputs.cortex.targets.iSPN.rate.constant": "7 Hz",
    "pathways.dSPN->iSPN.weight_cv": 0.7,
    "pathways.FS->dSPN.failure": {"probability": 0.4, "drawn": True},
    "pathways.FS->iSPN.weight_cv": 0.5,
    "pathways.FS->iSPN.failure": {"probability": 0.3, "drawn": True},
    "pathways.iSPN->dSPN.failure": {"probability": 0.2},
}


@pytest.fixture(scope="module")
def varied():
    circuit = ns.load("striatum_v1", changes=VARIED)
    return circuit, ns.build(circuit, size=1200, seed=3)


def spikes(name, circuit, network, **options):
    """Return the spikes of `N_STEPS` as rows [step, id]."""
    made = engine(name, **options)
    made.prepare(circuit, network, 5)
    return np.stack(made.advance(N_STEPS), axis=1)


@pytest.fixture(scope="module")
def oracle(varied):
    found = spikes("reference", *varied)
    assert len(found) > 150
    return found


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_the_fast_engine_has_the_same_spikes(varied, oracle, threads):
    """Factors and failures in double precision equal the reference at any number of threads."""
    np.testing.assert_array_equal(spikes("numba", *varied, threads=threads), oracle)


def test_single_precision_does_not_depend_on_threads(varied):
    one = spikes("numba", *varied, threads=1, precision="single")
    np.testing.assert_array_equal(spikes("numba", *varied, threads=3, precision="single"), one)


@pytest.mark.parametrize("change", [
    {"pathways.FS->dSPN.failure": {"probability": 0.0, "drawn": True}},
    "equal weights",
])
def test_each_of_them_matters(varied, oracle, change):
    """A test that could not fail would pass without the factors or the failures."""
    circuit, network = varied
    if change == "equal weights":
        edges = dict(network.edges)
        edges["FS->iSPN"] = dataclasses.replace(edges["FS->iSPN"], weights=None)
        network = dataclasses.replace(network, edges=edges)
    else:
        circuit = circuit.replace(change)
    assert not np.array_equal(spikes("numba", circuit, network), oracle)


def one_synapse(folder, name, changes, n=400):
    """Return a net of n pairs FS -> dSPN, each FS driven to one spike at the same step."""
    plan = nets.Plan("humphries2010", {"dSPN": n, "iSPN": 1, "FS": n},
                     contacts={"FS->dSPN": [(k, k, 10) for k in range(n)]},
                     recorded={"in": {"FS": ([(5, k) for k in range(n)], {"AMPA": "30 nS"})}})
    made = nets.net(name, plan, folder, 30.0)
    return made.with_circuit(changes)


def conductance(name, net, weights=None):
    """Return the largest potential change of every dSPN: how much arrived [mV]."""
    network = net.network
    if weights is not None:
        edges = dict(network.edges)
        edges["FS->dSPN"] = dataclasses.replace(edges["FS->dSPN"],
                                                weights=weights.astype(np.float32))
        network = dataclasses.replace(network, edges=edges)
    made = engine(name, **({"target": "numpy"} if name == "brian2-runtime" else {}))
    made.prepare(net.circuit, network, 5)
    made.probe("dSPN", np.arange(network.counts["dSPN"]))
    made.advance(net.n_steps)
    v = made.traces()["dSPN"].v_mv
    return np.abs(v - v[0]).max(axis=0)


@pytest.mark.parametrize("name", ["reference", "numba", "brian2-runtime"])
class TestOneSynapse:
    def test_a_folded_failure_is_a_smaller_conductance(self, name, tmp_path):
        net = one_synapse(tmp_path, "folded", {}, n=3)
        folded = net.with_circuit({"pathways.FS->dSPN.failure": {"probability": 0.25}})
        halved = conductance(name, net, np.full(3, 0.75))
        np.testing.assert_allclose(conductance(name, folded), halved, rtol=1e-6)
        assert halved[0] < 0.9 * conductance(name, net)[0]

    def test_drawn_failures_are_all_or_none(self, name, tmp_path):
        net = one_synapse(tmp_path, "drawn", {
            "pathways.FS->dSPN.failure": {"probability": 0.25, "drawn": True}})
        arrived = conductance(name, net)
        held = arrived > 0.5 * arrived.max()
        np.testing.assert_allclose(arrived[held], arrived.max(), rtol=1e-9)
        assert arrived[~held].max() < 1e-9
        # 400 pairs, one spike each: 4 standard deviations of the binomial law.
        assert abs(held.sum() - 300) < 4 * np.sqrt(400 * 0.25 * 0.75)

    def test_a_factor_scales_what_arrives(self, name, tmp_path):
        net = one_synapse(tmp_path, "factor", {}, n=3)
        plain = conductance(name, net)
        varied = conductance(name, net, np.array([1.0, 2.0, 0.5]))
        assert varied[0] == pytest.approx(plain[0], rel=1e-12)
        # The membrane follows its conductance almost in proportion.
        assert varied[1] / plain[1] == pytest.approx(2.0, rel=0.1)
        assert varied[2] / plain[2] == pytest.approx(0.5, rel=0.1)
