"""Learning in the fast engine: equal bits with the reference, at any threads, chunks, resume."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from test_learning_circuits import circuit, raw

import neostriatum as ns
from neostriatum.engines.base import engine

PATHS = ("cortex->dSPN", "cortex->iSPN")
CALLS = (150, 300, 5, 95, 250)
#: What makes synapses differ: rise, spread, scaling, gate, hard bounds, another rule.
VARIANTS = {"plain": {}, "rise and spread": {"learning": {"tau_rise": "100 ms"}, "weight_cv": 0.3},
            "scaling, gate, hard bounds": {"learning": {
                "scaling": {"target": 1.1, "tau": "1 s"}, "bounds": "hard", "gate": "D2",
                "dose": 1}},
            "gurney2015": {"learning": {"rule": "gurney2015", "dose": 1}}}


def taught(made, name="numba", calls=CALLS, size=300, again=False, **options):
    """Return spikes and weights after steps in these calls, with a burst from the second one on.

    With ``again`` every call is made by a new engine that goes on from the state of the last.
    """
    network = ns.build(made, size=size, seed=1)
    high = made.replace({"dopamine.d1": 0.9, "dopamine.d2": 0.1})
    spikes, done, simulator = [], 0, None
    for count in calls:
        if simulator is None or again:
            state = simulator and simulator.state()
            simulator = engine(name, **options)
            simulator.prepare(made, network, 1)
            if state:
                simulator.change(high if done > 150 else made)
                simulator.restore(state)
        if done >= 150:
            simulator.change(high)
        spikes.append(np.stack(simulator.advance(count), axis=1))
        done += count
    return np.concatenate(spikes), np.concatenate([simulator.weights(path) for path in PATHS])


@pytest.mark.parametrize("what", ["plain", *(
    pytest.param(each, marks=pytest.mark.slow) for each in VARIANTS if each != "plain")])
def test_equal_bits_with_the_reference(what):
    """Spikes and weights, to the last bit; and weights did move."""
    made = circuit(**VARIANTS[what])
    spikes, weights = taught(made)
    expected, moved = taught(made, "reference")
    assert len(spikes) > 20
    assert np.ptp(moved) > 0.01
    assert np.array_equal(spikes, expected)
    assert np.array_equal(weights, moved)


@pytest.mark.parametrize("threads", [1, 3])
def test_rows_that_leave_out_tiles(threads):
    """An axon with few synapses, in a population of several tiles, misses most of them."""
    data = raw(conductance={"AMPA": "60 nS"}, learning={"dose": 5})
    for path in PATHS:
        data["pathways"][path]["wiring"]["n"] = 3
    data["axons"]["cortex"]["size"] = 4000
    made = ns.load(data)
    network = ns.build(made, size=2600, seed=1)
    rows = network.afferents[PATHS[0]]
    assert len(rows.targets) > 3 * 1024
    assert 0 < np.diff(rows.offsets).mean() < 2
    spikes, weights = taught(made, size=2600, threads=threads)
    expected, moved = taught(made, "reference", size=2600)
    assert np.ptp(moved) > 0.01
    assert np.array_equal(spikes, expected)
    assert np.array_equal(weights, moved)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["double", "single"])
def test_equal_bits_at_any_threads_calls_and_resume(precision):
    """1, 2, 4 and 8 threads; steps in other calls; a new engine for every call."""
    made = circuit(weight_cv=0.2)
    spikes, weights = taught(made, threads=1, precision=precision)
    for options in ({"threads": 2}, {"threads": 4, "calls": (150, 1, 299, 5, 95, 200, 50)},
                    {"threads": 8, "again": True}, {"threads": 1, "again": True}):
        found, learnt = taught(made, precision=precision, **options)
        assert np.array_equal(found, spikes), options
        assert np.array_equal(learnt, weights), options


def test_single_precision_is_near():
    """Where single precision has the same spikes, its weights are those of double to 1e-6."""
    made = circuit()
    double, single = (taught(made, calls=(150, 250), precision=kind)
                      for kind in ("double", "single"))
    assert np.array_equal(single[0], double[0])
    assert np.ptp(double[1]) > 0.1
    assert np.abs(single[1] / double[1] - 1).max() <= 1e-6


@pytest.mark.slow
def test_many_spikes_get_room():
    """Cells that fire far above what there is room for at first have the same bits."""
    made = raw(conductance={"AMPA": "40 nS"}, learning={"dose": 1, "flush": "100 ms"},
               axons={"rate": "100 Hz"})
    made = ns.load(made)
    spikes, weights = taught(made, size=60, calls=(150, 850))
    expected, moved = taught(made, "reference", size=60, calls=(150, 850))
    assert np.bincount(spikes[:, 1]).max() > 20
    assert np.array_equal(spikes, expected)
    assert np.array_equal(weights, moved)


@pytest.mark.slow
def test_computed_levels_teach():
    """A level that cells release is heard by learning, as in the reference."""
    data = raw({"level": "X", "receptor": "D1", "tonic": 0.5, "dose": 1})
    data["modulators"] = {"X": {"released_by": "FS", "tonic": "20 Hz", "tau": "20 ms",
                                "delay": "1 ms"}}
    data["pathways"]["cortex->FS"] = {"conductance": {"AMPA": "12 nS"}, "delay": "1 ms",
                                      "wiring": {"rule": "fixed_indegree", "n": 40}}
    made = ns.load(data)
    spikes, weights = taught(made)
    expected, moved = taught(made, "reference")
    assert np.ptp(moved) > 1e-3
    assert np.array_equal(spikes, expected)
    assert np.array_equal(weights, moved)


PROGRAM = """
import json, os, sys
import neostriatum as ns
from unittest import mock
made = ns.load(json.load(open(sys.argv[1])))
def tell(phase, share):
    if phase == "simulate" and share >= float(sys.argv[4]):
        os.kill(os.getpid(), 9)
with mock.patch("neostriatum.runs.loop.WINDOW_MS", 30.0):
    ns.run(made, size=200, duration="300 ms", seed=1, out=sys.argv[2], events=sys.argv[3],
           figures=False, checkpoint_every="0 s", progress=tell)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs a process that can be killed at once")
def test_a_killed_run_goes_on_to_the_same_spikes(tmp_path):
    """Kill -9 in the middle of a run with a burst in its events, resume, and compare."""
    (tmp_path / "c.json").write_text(json.dumps(raw()))
    events = tmp_path / "events.toml"
    events.write_text('format = "neostriatum-events/1"\n[[event]]\nat = "20 ms"\n'
                      'set = { "dopamine.d1" = 0.9 }\n')
    for name, share in (("whole", "2"), ("cut", "0.55")):
        call = [sys.executable, "-c", PROGRAM, str(tmp_path / "c.json"), str(tmp_path / name),
                str(events), share]
        assert subprocess.run(call, check=False, timeout=300).returncode == (
            0 if name == "whole" else -9)
    again, whole = ns.resume(tmp_path / "cut"), ns.Run(tmp_path / "whole")
    assert again.summary["spikes"] > 100
    assert again.summary["spike_hash"] == whole.summary["spike_hash"]
