"""What an event changes while NEST runs is what it changes in the reference."""

import dataclasses
from pathlib import Path

import nets
import numpy as np
import pytest
from compare import Result, first_divergence, largest_difference_mv
from lively import lively

import neostriatum as ns
from neostriatum.cli import main

TOLERANCE_MV = 1e-9
#: A net, and what each of its pathways has at first.
PATHWAYS = {
    "plastic": {"FS->dSPN": "6 nS", "FS->iSPN": "4 nS", "iSPN->dSPN": "0.9 nS"},
    "pathways": {"FS->dSPN": "6 nS", "dSPN->dSPN": "1 nS", "FS->FS": "1 nS"},
}


@pytest.fixture
def nest(request):
    """NEST, or a skipped test."""
    maker = request.getfixturevalue("reference").__class__("nest")
    maker()
    return maker


def weighted(net):
    """Return a net whose synapses differ in weight."""
    rng = np.random.default_rng(5)
    edges = {name: dataclasses.replace(one, weights=rng.uniform(
        0.5, 1.5, len(one.targets)).astype(np.float32)) for name, one in net.network.edges.items()}
    return net.with_network(edges=edges)


def followed(maker, net, plan, window, **options):
    """Return the result of a net whose circuit changes at some steps, every potential probed."""
    simulator, circuit = maker(**options), net.circuit
    simulator.prepare(circuit, net.network, 1)
    for name, count in net.network.counts.items():
        simulator.probe(name, np.arange(count))
    parts, at, due = [], 0, sorted(plan.items())
    while at < net.n_steps:
        while due and due[0][0] == at:
            circuit = circuit.replace(due.pop(0)[1])
            simulator.change(circuit)
        count = min(window, net.n_steps - at, *(step - at for step, _ in due))
        parts.append(np.stack(simulator.advance(count)))
        at += count
    steps, ids = np.concatenate(parts, axis=1)
    return Result(maker.name, net.network.populations, steps, ids,
                  {name: trace.v_mv for name, trace in simulator.traces().items()})


def lesions(net, oracle, pathways):
    """Return changes: each pathway cut while its spikes travel, set back, and to half at last."""
    plan = {}
    for name, value in pathways.items():
        first = net.network.populations[name.split("->")[0]].start
        fired = oracle.steps[np.isin(oracle.ids, [first, first + 1])]
        assert len(fired) > 8
        amount, unit = value.split()
        for part, level in ((1, "0 nS"), (2, value), (3, f"{float(amount) / 2} {unit}")):
            step = int(fired[part * len(fired) // 4]) + 1
            plan.setdefault(step, {})[f"pathways.{name}.conductance.GABA"] = level
    return plan


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", PATHWAYS)
@pytest.mark.parametrize("shape", ["even", "weighted"])
def test_a_pathway_is_cut_and_set_back(name, shape, threads, nest, reference, net):
    whole = net(name) if shape == "even" else weighted(net(name))
    whole = whole.with_circuit({f"pathways.{one}.conductance.GABA": value
                                for one, value in PATHWAYS[name].items()})
    whole = dataclasses.replace(whole, n_steps=4000)
    untouched = followed(reference, whole, {}, 4000)
    plan = lesions(whole, untouched, PATHWAYS[name])
    right = followed(reference, whole, plan, 4000)
    assert largest_difference_mv(right, untouched) > 0.1
    ours = followed(nest, whole, plan, 37 if threads == 1 else 4000, threads=threads)
    assert first_divergence(right, ours, 0.1) is None
    assert largest_difference_mv(right, ours) < TOLERANCE_MV


@pytest.mark.parametrize("threads", [1, 2])
def test_events_of_a_run(threads, nest, net, tmp_path, monkeypatch):
    """A level, a current, a new current, a lesion and all of it back: the reference's spikes."""
    monkeypatch.chdir(tmp_path)
    whole = net("courses")
    cut, pulse = "pathways.FS->dSPN.conductance.GABA", "inputs.stimulus.targets.dSPN.current"
    before = whole.circuit.to_dict()
    events = [
        {"at": "20 ms", "set": {"modulators.D1.level": 0.9, cut: "0 nS"}, "note": "lesion"},
        {"at": "20.2 ms", "set": {pulse: "95 pA"}},
        {"at": "80 ms", "set": {"inputs.more": {"targets": {"iSPN": {
            "current": "60 pA", "channel": "some"}}}}},
        {"at": "130 ms", "set": {cut: before["pathways"]["FS->dSPN"]["conductance"]["GABA"],
                                 "modulators.D1.level": before["dopamine"]["d1"]}},
        {"at": "130 ms", "set": {pulse: before["inputs"]["stimulus"]["targets"]["dSPN"]["current"],
                                 "inputs.more.targets.iSPN.current": "0 pA"}}]
    hashes = {}
    for name, given in (("reference", events), ("nest", events), ("nest", [])):
        run = ns.run(whole.circuit, network=whole.network, duration="200 ms", engine=name,
                     threads=threads, events=given, record="dSPN:all:v", figures=False)
        assert run.summary["events"] == len(given)
        hashes[name, len(given)] = run.summary["spike_hash"], run.summary["spikes"]
    assert hashes["nest", 5] == hashes["reference", 5] != hashes["nest", 0]
    assert hashes["nest", 5][1] > 40


def test_a_rate_goes_and_comes_back(nest, tmp_path):
    """What is drawn differs from engine to engine; that nothing is drawn does not."""
    net = lively(120)
    rates = {f"inputs.cortex.targets.{name}.rate": "0 Hz" for name in nets.TYPES}
    back = {key: net.circuit.to_dict()["inputs"]["cortex"]["targets"][key.split(".")[3]]["rate"]
            for key in rates}
    run = ns.run(net.circuit, network=net.network, duration="90 ms", engine="nest", threads=1,
                 record="none", figures=False, out=tmp_path / "run",
                 events=[{"at": "20 ms", "set": rates}, {"at": "60 ms", "set": back}])
    counts = np.histogram(run.spikes.times_ms, [0, 20, 40, 60, 90])[0]
    assert counts[2] < 10 < min(counts[0], counts[3]) / 3
    assert run.record["virtual_processes"] == 1


def test_what_nest_cannot_change_is_refused_before_the_run(nest, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with Path("e.toml").open("w", encoding="utf-8") as file:
        file.write('format = "neostriatum-events/1"\n[[event]]\nat = "4 ms"\n'
                   'set = { "receptors.GABA.tau" = "9 ms" }\n')
    monkeypatch.setattr("neostriatum.runs.start.build", lambda *_, **__: pytest.fail("it builds"))
    assert main(["run", "striatum_v1", "--engine", nest.name, "--size", "100", "--duration",
                 "20 ms", "--events", "e.toml"]) == 3
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err == ("event at 4 ms: engine nest: receptors.GABA.tau cannot change while a run goes "
                   "on (got 9.0 ms). Use the engine numba\n")
    assert [path.name for path in tmp_path.iterdir()] == ["e.toml"]
