"""Axons and every release in NEST: the spikes of the reference, at any threads and pieces."""

import dataclasses

import numpy as np
import pytest
import test_axons
import test_pooled_axons
from test_signals_of_axons import scaled

import neostriatum as ns
from neostriatum.engines.nest_engine.engine import Nest
from neostriatum.errors import EngineUnsupported
from neostriatum.models import ReleaseModel, State, exp, log, logistic2, parameters, where
from neostriatum.models.registry import register

N_STEPS = 500
FAILURE = "pathways.thalamus->dSPN.failure"


@pytest.fixture
def nest(request):
    """NEST, or a skipped test."""
    maker = request.getfixturevalue("reference").__class__("nest")
    maker()
    return maker


@pytest.fixture(scope="module")
def net():
    """Axons of every kind, and weights that a level scales which spikes release; no failures."""
    circuit = scaled(test_axons.circuit()).replace({FAILURE: None})
    return circuit, ns.build(circuit, size=60, seed=1)


def followed(maker, circuit, network, pieces=(N_STEPS,), changes=(), **options):
    """Return steps and ids, counts of axons and levels; a change comes after each piece."""
    simulator = maker(**options)
    simulator.prepare(circuit, network, 1)
    parts = [np.stack(simulator.advance(pieces[0]))]
    for count, change in zip(pieces[1:], [*changes, *[None] * len(pieces)], strict=False):
        if change is not None:
            circuit = circuit.replace(change)
            simulator.change(circuit)
        parts.append(np.stack(simulator.advance(count)))
    return np.concatenate(parts, axis=1).tolist(), simulator.axon_spikes, simulator.levels()


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("pieces", [(N_STEPS,), (7, 1, 92, 400)])
def test_spikes_are_those_of_the_reference(nest, reference, net, threads, pieces):
    """Homes, groups, channels, packets, slow courses, delays, releases, levels on weights."""
    right = followed(reference, *net)
    assert len(right[0][0]) > 200
    assert right[2]["ACh"] != 1.0
    assert followed(nest, *net, pieces, threads=threads) == right


def test_releases_have_the_bits_of_the_reference(nest, reference):
    """What reaches a receptor without levels is equal in every bit, step after step."""
    circuit = test_axons.circuit().replace({FAILURE: None, "gap_junctions": {}})
    network, seen = ns.build(circuit, size=60, seed=1), []
    for maker in (reference, nest):
        simulator = maker()
        simulator.prepare(circuit, network, 1)
        for name, count in network.counts.items():
            for variable in ("v", "g_AMPA", "g_NMDA", "g_GABA"):
                if name != "FS" or variable != "g_NMDA":
                    simulator.probe(name, np.arange(count), variable)
        simulator.advance(N_STEPS)
        seen.append({(one.population, one.variable): one.values for one in simulator.take()})
    for key, values in seen[0].items():
        assert values.std() > 0, key
        np.testing.assert_array_equal(seen[1][key], values, err_msg=str(key))


def test_rates_and_conductances_change_while_running(nest, reference, net):
    """Within a block of the trains too; plastic conductances cut while spikes travel."""
    changes = [{"axons.cortex.rate": "60 Hz", "axons.cortex.packets": 0.0},
               {"pathways.cortex->dSPN.conductance.AMPA": "0 nS",
                "pathways.cortex->iSPN.conductance.AMPA": "30 nS"},
               {"axons.cortex.channels.right.rate": "5 Hz"}]
    pieces = (205, 95, 60, 140)
    right = followed(reference, *net, pieces, changes)
    assert right[:2] != followed(reference, *net)[:2]
    assert followed(nest, *net, pieces, changes) == right


def wordy_release():
    """A release with functions of its own, a state that is at rest at once, and a used tau."""
    now, last, step = State("now", "1"), State("last", "1"), State("step", "1")
    U, tau, short, long = parameters("U 1 > 0 <= 1", "tau ms > 0", "short ms >= 0", "long ms > 0")
    return ReleaseModel(
        name="wordy_release", states=(now, last, step), rests={now: 0, last: 1, step: 0},
        decays={now: tau, last: long, step: short},
        jumps={now: now + 0.3 * exp(-now * 2.5) * (1.0 - now), step: step + log(1.0 + now)},
        released=where(now > 0.35, last * exp(-step), last * logistic2(0.4, now)) / (U + tau / tau),
        most=2.0, after={last: last - U * last * step})


def test_a_release_of_a_user(nest, reference):
    """Functions, words of NESTML, and a time constant of 0."""
    register(wordy_release())
    circuit = test_axons.circuit().replace({FAILURE: None, **{
        f"pathways.{name}.stp": {"model": "wordy_release", "U": 0.4, "tau": "80 ms",
                                 "short": "0 ms", "long": "300 ms"}
        for name in ("cortex->dSPN", "thalamus->FS", "FS->iSPN")}})
    network = ns.build(circuit, size=60, seed=1)
    right = followed(reference, circuit, network)
    assert len(right[0][0]) > 100
    assert right[0] != followed(reference, *plain())[0]
    assert followed(nest, circuit, network) == right


def plain():
    """The net without failures and levels."""
    circuit = test_axons.circuit().replace({FAILURE: None})
    return circuit, ns.build(circuit, size=60, seed=1)


def test_recorded_trains(nest, reference, tmp_path):
    """One train for every axon, by file; spikes before and after the start of the record."""
    rows = sorted((round(0.1 * (7 * k * k % 430), 1), k % 40) for k in range(600))
    (tmp_path / "trains.csv").write_text(
        "time_ms,id\n" + "".join(f"{time},{axon}\n" for time, axon in rows))
    raw = test_axons.circuit().to_dict()
    raw["pathways"]["thalamus->dSPN"].pop("failure")
    raw["axons"]["thalamus"] = {"size": 40, "recorded": {"file": "trains.csv"}}
    circuit = ns.load(raw, folder=tmp_path)
    network = ns.build(circuit, size=60, seed=1)
    right = followed(reference, circuit, network)
    assert right[1]["thalamus"] > 300
    assert followed(nest, circuit, network) == right


def test_failures_of_axons_are_drawn_by_nest(nest, reference, net):
    """A synapse that always fails delivers nothing; a quarter of failures lies in between."""
    circuit = net[0].replace({"pathways.thalamus->dSPN.conductance.AMPA": "60 nS"})
    counts = {}
    for share in (None, 0.25, 0.999999):
        made = circuit.replace({FAILURE: share and {"probability": share, "drawn": True}})
        network = dataclasses.replace(net[1], circuit=made)
        counts[share] = len(followed(nest, made, network)[0][0])
    silent = circuit.replace({"pathways.thalamus->dSPN.conductance.AMPA": "0 nS"})
    assert counts[0.999999] == len(followed(reference, silent, net[1])[0][0])
    assert counts[None] > counts[0.25] > counts[0.999999]


def test_pooled_axons_are_refused_with_the_reason(nest):
    circuit = test_pooled_axons.pooled()
    with pytest.raises(EngineUnsupported, match=r"^engine nest: axons\.\w+\.identity: must be true,"
                       r" as counts without trains .* \(got false\)\. Use the engine numba$"):
        nest().prepare(circuit, ns.build(circuit, size=60, seed=1), 1)


@pytest.mark.slow
def test_the_default_circuit(nest, reference):
    """Five cell types, axons, levels released by spikes: 300 cells for 300 ms, 1 and 2 threads."""
    circuit = ns.load("striatum", changes={"warmup": "50 ms"})
    network = ns.build(circuit, size=300, seed=1)
    right = followed(reference, circuit, network, (3000,))
    assert all(np.isin(right[0][1], list(ids)).sum() > 3 for ids in network.populations.values())
    for threads in (1, 2):
        found = followed(nest, circuit, network, (1000, 2000), threads=threads)
        assert found[:2] == right[:2]
        assert found[2] == pytest.approx(right[2], rel=1e-12)


def test_what_changes_of_axons_can_be_followed(net):
    """Rates and correlation; not what was drawn with the network."""
    for key, value in (("rate", "5 Hz"), ("packets", 0.5), ("slow.sd", 0.1)):
        assert Nest.refusal(net[0], net[0].replace({f"axons.cortex.{key}": value})) is None
    other = net[0].replace({"axons.cortex.groups": 10})
    assert Nest.refusal(net[0], other).startswith("engine nest: axons.cortex.groups cannot change")
