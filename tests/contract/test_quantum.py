"""Single precision counts arrivals as integers: none is lost where very much comes at once."""

import nets
import numpy as np
import pytest

import neostriatum as ns
from neostriatum.engines.base import engine
from neostriatum.engines.lowered import lower
from neostriatum.engines.numba_engine import quantum

#: A cell so large that thousands of nS do not throw it about.
LARGE = {"cells.dSPN.parameters.C": "20000 pF", "cells.dSPN.parameters.d": "0 pA"}


def volley(folder, name, sources, weight, **recorded):
    """Return a net in which all FS cells fire together onto one dSPN."""
    events = {"in": {"FS": ([(5, k) for k in range(sources)], {"AMPA": "30 nS"})}}
    plan = nets.Plan("humphries2010", {"dSPN": 1, "iSPN": 1, "FS": sources},
                     contacts={"FS->dSPN": [(k, 0, 10) for k in range(sources)]},
                     recorded=recorded or events)
    changes = LARGE | {"pathways.FS->dSPN.conductance": {"GABA": weight}}
    return nets.net(name, plan, folder, 30.0).with_circuit(changes)


def prepared(net, precision):
    """Return an engine that records the inhibition of the dSPN."""
    made = engine("numba", precision=precision)
    made.prepare(net.circuit, net.network, 5)
    made.probe("dSPN", np.arange(1), variable="g_GABA")
    return made


def inhibition(net, precision):
    """Return the course of the conductance [nS]."""
    made = prepared(net, precision)
    made.advance(net.n_steps)
    samples, = made.take()
    return samples.values[:, 0]


class TestMuchAtOnce:
    @pytest.mark.parametrize(("sources", "weight"), [(60, "100 nS"), (1, "5000 nS")])
    def test_no_arrival_is_lost(self, tmp_path, sources, weight):
        net = volley(tmp_path, f"volley-{sources}", sources, weight)
        double = inhibition(net, "double")
        assert double.max() > 3000
        np.testing.assert_allclose(inhibition(net, "single"), double, rtol=1e-5, atol=1e-3)

    def test_nor_of_recorded_spikes(self, tmp_path):
        events = [(5, 0)] * 3 + [(9, 0)]
        net = volley(tmp_path, "recorded", 1, "1 nS",
                     much={"dSPN": (events, {"GABA": "1500 nS"})})
        double = inhibition(net, "double")
        assert double.max() > 4000
        np.testing.assert_allclose(inhibition(net, "single"), double, rtol=1e-5, atol=1e-3)

    def test_what_is_under_way_survives_a_change_of_the_quantum(self, tmp_path):
        net = volley(tmp_path, "change", 60, "30 nS")
        larger = net.with_circuit({"pathways.FS->dSPN.conductance": {"GABA": "100 nS"}})
        made = prepared(net, "single")
        while not len(made.state()["dSPN.amounts"]):
            made.advance(1)
        before, fine = made.state()["dSPN.amounts"], made.layout.net.unit[0]
        assert before.max() > 100
        made.change(larger.circuit)
        assert made.layout.net.unit[0] > fine
        np.testing.assert_allclose(made.state()["dSPN.amounts"], before, rtol=1e-5)


class TestQuantum:
    def test_the_default_circuit_has_the_finest(self):
        circuit = ns.load("striatum_v1", overlay="dense")
        lowered = lower(circuit, ns.build(circuit, size=5000, seed=1), 1)
        assert quantum.quantum(lowered, np.float32) == quantum.FINEST

    @pytest.mark.parametrize(("weight", "wanted"), [("1000 nS", 0), ("4000 nS", 1), ("8000 nS", 2)])
    def test_it_doubles_with_what_can_arrive(self, tmp_path, weight, wanted):
        net = volley(tmp_path, "one", 1, weight)
        lowered = lower(net.circuit, net.network, 1)
        assert quantum.quantum(lowered, np.float32) == quantum.FINEST * 2**wanted
