"""The size of a cell: one log-normal factor per neuron on several of its parameters."""

import numpy as np
import pytest

import neostriatum as ns
from neostriatum.engines.base import engine
from neostriatum.engines.lowered import lower
from neostriatum.errors import CircuitError
from neostriatum.network.files import load_network

OF = ["C", "k"]


def circuit(**more):
    """The circuit with projection neurons of several sizes."""
    spread = {"dSPN": {"size": {"cv": 0.15, "of": OF}, "v_t": "1 mV", "C": "0.2 pF"}}
    return ns.load({"extends": "striatum_v1", "spread": spread, **more})


@pytest.fixture(scope="module")
def network():
    return ns.build(circuit(), size=1000, seed=2)


def parameters(made, network):
    return lower(made, network, 2).populations[0].parameters


def test_the_factor_is_log_normal_with_mean_one(network):
    factor = network.spread["dSPN"]["size"]
    assert factor.mean() == pytest.approx(1, abs=0.02)
    assert factor.std() == pytest.approx(0.15, rel=0.1)
    logarithm = np.log(factor)
    assert abs(np.mean((logarithm - logarithm.mean()) ** 3)) < 0.2 * logarithm.std() ** 3
    assert np.abs(logarithm - logarithm.mean()).max() < 3.1 * 0.15


def test_all_its_parameters_have_one_factor_and_the_deviation_comes_on_top(network):
    values, drawn = parameters(circuit(), network), network.spread["dSPN"]
    np.testing.assert_array_equal(values["k"], 1.0 * drawn["size"])
    np.testing.assert_array_equal(values["C"], 15.2 * drawn["size"] + drawn["C"])
    np.testing.assert_array_equal(values["v_t"], -29.7 + drawn["v_t"])
    assert values["d"] == 91.0


def test_a_stream_of_its_own(network):
    other = circuit().replace({"spread.dSPN.size.cv": 0.3})
    drawn = ns.build(other, size=1000, seed=2).spread["dSPN"]
    np.testing.assert_array_equal(drawn["v_t"], network.spread["dSPN"]["v_t"])
    assert np.std(np.log(drawn["size"])) == pytest.approx(
        2 * np.std(np.log(network.spread["dSPN"]["size"])), rel=0.03)
    assert ns.build(circuit(), size=1000, seed=2).hash() == network.hash()
    assert ns.build(circuit(), size=1000, seed=3).hash() != network.hash()
    assert ns.build(other, size=1000, seed=2).hash() != network.hash()


def test_a_changed_parameter_keeps_the_size(network):
    changed = circuit().replace({"cells.dSPN.parameters.k": "2 nS/mV"})
    np.testing.assert_array_equal(parameters(changed, network)["k"],
                                  2.0 * network.spread["dSPN"]["size"])


@pytest.mark.parametrize("precision", ["double", "single"])
def test_threads_and_pieces_do_not_matter(network, precision):
    spikes = []
    for threads, pieces in ((1, [1500]), (2, [1, 299, 1200])):
        simulator = engine("numba", threads=threads, precision=precision)
        simulator.prepare(circuit(), network, 2)
        parts = [simulator.advance(count) for count in pieces]
        spikes.append([np.concatenate(part) for part in zip(*parts, strict=True)])
    assert len(spikes[0][0]) > 20
    np.testing.assert_array_equal(spikes[0], spikes[1])


def test_reference_has_the_bits(network):
    spikes = []
    for name in ("reference", "numba"):
        simulator = engine(name)
        simulator.prepare(circuit(), network, 2)
        spikes.append(simulator.advance(1500))
    np.testing.assert_array_equal(spikes[0], spikes[1])
    assert len(spikes[0][0]) > 20


@pytest.mark.parametrize("form", ["hdf5", "sonata"])
def test_files_keep_it(network, tmp_path, form):
    at = tmp_path / "network.h5"
    if form == "sonata":
        at = tmp_path / "out"
        ns.export(network, "sonata", at)
    else:
        network.save(at)
    loaded = load_network(at)
    assert loaded.hash() == network.hash()
    np.testing.assert_array_equal(loaded.spread["dSPN"]["size"], network.spread["dSPN"]["size"])


def test_derived_quantities_know_it(network, tmp_path):
    run = ns.run(circuit(), network=network, out=tmp_path / "run", duration="2 ms",
                 figures=False, threads=1, record=["dSPN:20:static_threshold:1"])
    trace = run.recorded("static_threshold")["dSPN"]
    drawn = {key: values[trace.ids] for key, values in network.spread["dSPN"].items()}
    # v_r 2.89 % of 0.3 lower by D1; b / k with the size of every cell.
    hand = (-80 * (1 + 0.0289 * 0.3) - 29.7 + drawn["v_t"] - 20 / drawn["size"]) / 2
    np.testing.assert_allclose(trace.values[-1], hand, rtol=1e-9)


@pytest.mark.parametrize(("entry", "message"), [
    ({"cv": -0.1, "of": OF}, "spread.dSPN.size.cv: must be >= 0"),
    ({"cv": 1.5, "of": OF}, "spread.dSPN.size.cv: must be <= 1"),
    ({"cv": 0.1}, "spread.dSPN.size.of: is missing"),
    ({"cv": 0.1, "of": []}, "spread.dSPN.size.of: must not be empty"),
    ({"cv": 0.1, "of": ["nothing"]}, "dSPN.size.of: nothing is not a parameter"),
    ({"cv": 0.1, "of": ["C", "C"]}, "must name a parameter once"),
    ({"cv": 0.1, "of": OF, "sd": 1}, "spread.dSPN.size.sd: unknown key"),
    (0.15, "spread.dSPN.size: must be a table"),
])
def test_refused(entry, message):
    with pytest.raises(CircuitError, match=message.replace(".", r"\.")):
        ns.load({"extends": "striatum_v1", "spread": {"dSPN": {"size": entry}}})


def test_a_bound_holds_in_every_neuron():
    with pytest.raises(CircuitError, match="must leave C above 0 in every neuron"):
        ns.load({"extends": "striatum_v1",
                 "spread": {"dSPN": {"size": {"cv": 0.4, "of": ["C"]}, "C": "2 pF"}}})


def test_how_long_a_cell_is_held_has_no_size():
    cells = {"X": {"fraction": 1.0, "model": "adex", "parameters": {
        "C": "120 pF", "g_L": "10 nS", "E_L": "-75 mV", "v_T": "-50 mV", "D_T": "2 mV",
        "a": "2 nS", "b": "60 pA", "tau_w": "100 ms", "v_reset": "-58 mV", "v_peak": "0 mV",
        "t_ref": "2 ms"}}}
    with pytest.raises(CircuitError, match="how long v is held"):
        ns.load({"name": "held", "cells": cells, "volume": {"density": "80000 / mm^3"},
                 "spread": {"X": {"size": {"cv": 0.1, "of": ["t_ref"]}}}})
