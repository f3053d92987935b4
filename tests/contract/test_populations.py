"""Five populations, two of them with names of a user's own, give the same on every engine."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from nets import Net

import neostriatum as ns
from neostriatum.engines.base import engine as make_engine
from neostriatum.recording.store import spike_hash

FILE = Path(__file__).parents[1] / "data" / "good_five.toml"
TYPES = ("dSPN", "iSPN", "FS", "GP", "Ast")
N_STEPS = 450


@pytest.fixture(scope="module")
def net():
    circuit = ns.load(FILE)
    return Net("five", circuit, ns.build(circuit, size=120, seed=3), N_STEPS)


def simulated(net, name, pieces=(N_STEPS,), **options):
    """Return the spikes and the last potentials of all cells of a net on an engine."""
    simulator = make_engine(name, **options)
    simulator.prepare(net.circuit, net.network, 7)
    for cell, count in net.network.counts.items():
        simulator.probe(cell, np.arange(count))
    spikes = [simulator.advance(piece) for piece in pieces]
    steps, ids = (np.concatenate(part) for part in zip(*spikes, strict=True))
    return steps, ids, {cell: trace.v_mv for cell, trace in simulator.traces().items()}


@pytest.fixture(scope="module")
def expected(net):
    return simulated(net, "reference")


def test_ids_are_in_the_order_of_the_file_after_the_known_ones(net):
    assert net.circuit.types == tuple(net.network.counts) == TYPES


def test_every_population_fires(net, expected):
    _, ids, _ = expected
    counts = np.bincount(ids, minlength=net.network.size)
    silent = [name for name, span in net.network.populations.items()
              if counts[span.start : span.stop].sum() < 3]
    assert silent == []


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_numba_has_the_bits_of_reference(net, expected, threads):
    steps, ids, v = simulated(net, "numba", (7, 93, 350), threads=threads)
    assert spike_hash(steps, ids) == spike_hash(*expected[:2])
    for name in TYPES:
        assert np.array_equal(v[name], expected[2][name])


def test_single_precision_has_every_population(net, expected):
    _, ids, v = simulated(net, "numba", precision="single")
    counts, wanted = (np.bincount(one, minlength=net.network.size) for one in (ids, expected[1]))
    assert list(v) == list(TYPES)
    for name, span in net.network.populations.items():
        mine = slice(span.start, span.stop)
        assert abs(int(counts[mine].sum()) - int(wanted[mine].sum())) <= 3, name


def test_state_is_restored(net, expected):
    first = make_engine("numba", threads=2)
    first.prepare(net.circuit, net.network, 7)
    early = first.advance(200)
    second = make_engine("numba", threads=3)
    second.prepare(net.circuit, net.network, 7)
    second.restore(first.state())
    late = second.advance(N_STEPS - 200)
    steps, ids = (np.concatenate(part) for part in zip(early, late, strict=True))
    assert spike_hash(steps, ids) == spike_hash(*expected[:2])


def test_any_engine_has_every_population(net, engine):
    """What a step makes of the start values is the same where nothing is drawn while running."""
    quiet = net.circuit.replace({
        "inputs": {"electrode": {"targets": {name: {"current": "600 pA"} for name in TYPES}}},
        "noise": {}, "warmup": "0 ms"})
    steps, ids, v = {}, {}, {}
    for name, maker in (("oracle", lambda: make_engine("reference")), ("tested", engine)):
        simulator = maker()
        simulator.prepare(quiet, net.network, 7)
        for cell, count in net.network.counts.items():
            simulator.probe(cell, np.arange(count))
        steps[name], ids[name] = simulator.advance(150)
        v[name] = {cell: trace.v_mv for cell, trace in simulator.traces().items()}
    assert spike_hash(steps["tested"], ids["tested"]) == spike_hash(steps["oracle"], ids["oracle"])
    fired = np.bincount(ids["oracle"], minlength=net.network.size)
    for name, span in net.network.populations.items():
        assert fired[span.start : span.stop].any(), name
        np.testing.assert_allclose(v["tested"][name], v["oracle"][name], atol=1e-3)


@pytest.mark.parametrize("names", [("drive_0", "gap_junctions"), ("decay_FS", "cells_FS")])
def test_a_name_that_an_engine_uses_itself(engine, names):
    """Types called like objects inside an engine are simulated all the same."""
    text = json.dumps(ns.load(FILE).to_dict())
    for old, new in zip(("GP", "Ast"), names, strict=True):
        text = re.sub(rf"\b{old}\b", new, text)
    circuit = ns.load(json.loads(text))
    simulator = engine()
    simulator.prepare(circuit, ns.build(circuit, size=40), 1)
    simulator.advance(10)
    assert circuit.types == (*TYPES[:3], *names)
