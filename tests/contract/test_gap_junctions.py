"""Gap junctions between cells of any types: equal bits in every part, sums in file order."""

import numpy as np
import pytest
from compare import Result, first_divergence, largest_difference_mv, simulate
from coupled import KINDS, coupled, junctions
from nets import Net, Plan, load, network, trains

import neostriatum as ns
from neostriatum.engines.base import engine as make_engine


@pytest.fixture(scope="module")
def net():
    """Return the coupled net of a name, drawn once."""
    nets = {}

    def get(name):
        if name not in nets:
            nets[name] = coupled(name)
        return nets[name]

    return get


def in_pieces(net, pieces=(300,), name="numba", **options) -> Result:
    """Return spikes and potentials of a net, simulated in pieces."""
    simulator = make_engine(name, **options)
    simulator.prepare(net.circuit, net.network, net.network.seed)
    for cell, count in net.network.counts.items():
        simulator.probe(cell, np.arange(count))
    results = [simulator.advance(piece) for piece in pieces]
    steps, ids = (np.concatenate(part) for part in zip(*results, strict=True))
    return Result(name, net.network.populations, steps, ids,
                  {cell: trace.v_mv for cell, trace in simulator.traces().items()})


def equal(a, b):
    """Assert the same bits."""
    np.testing.assert_array_equal(a.steps, b.steps)
    np.testing.assert_array_equal(a.ids, b.ids)
    for name, v in a.v_mv.items():
        np.testing.assert_array_equal(v, b.v_mv[name])


@pytest.mark.parametrize("name", KINDS)
def test_numba_is_the_reference_at_any_threads_and_chunks(name, net):
    example = net(name)
    assert all(len(pairs) > 5 for pairs in example.network.junctions.values())
    right = in_pieces(example, name="reference")
    assert all(right.count(cell) > 3 for cell in right.populations)
    for threads, pieces in ((1, (300,)), (2, (1, 99, 200)), (3, (150, 150))):
        equal(in_pieces(example, pieces, threads=threads), right)


def test_single_precision_at_any_threads_and_chunks(net):
    right = in_pieces(net("three"), precision="single", threads=1)
    equal(in_pieces(net("three"), (70, 230), precision="single", threads=3), right)
    double = in_pieces(net("three"), name="reference")
    assert abs(len(right.steps) - len(double.steps)) < 0.3 * len(double.steps)


@pytest.mark.parametrize("name", ["three", "two groups"])
def test_several_tiles_of_a_group(name):
    """A group of more than one tile per population, beside one that is not coupled."""
    example = coupled(name, size=1500, steps=60)
    right = in_pieces(example, (60,), "reference")
    for threads in (1, 3):
        equal(in_pieces(example, (25, 35), threads=threads), right)


@pytest.mark.parametrize("name", ["three", "through"])
def test_every_kind_matters(name, net, reference):
    example = net(name)
    right = simulate(reference, example)
    for kind, pairs in example.network.junctions.items():
        less = {**example.network.junctions, kind: pairs[:0]}
        wrong = simulate(reference, example.with_network(junctions=less))
        assert largest_difference_mv(wrong, right) > 1.0, kind


@pytest.mark.parametrize("name", ["reference", "numba"])
def test_an_uncoupled_population_is_unaffected(name, net):
    """Without synapses, iSPN have the bits that they have in a circuit without gap junctions."""
    example = net("three").with_circuit({"pathways": {}}).with_network(edges={}, circuit=None)
    bare = example.with_circuit({"gap_junctions": {}}).with_network(junctions={})
    ours, theirs = in_pieces(example, name=name), in_pieces(bare, name=name)
    np.testing.assert_array_equal(ours.v_mv["iSPN"], theirs.v_mv["iSPN"])
    assert np.abs(ours.v_mv["dSPN"] - theirs.v_mv["dSPN"]).max() > 1.0


@pytest.mark.parametrize("name", ["reference", "numba"])
def test_resume_and_change(name, net):
    """The state holds the nodes of all kinds, and g and tau of each may change on the way."""
    example = net("three")
    changes = {"gap_junctions.FS-FS.tau": "2 ms", "gap_junctions.dSPN-FS.conductance": "1 nS",
               "gap_junctions.dSPN-dSPN.conductance": "0 nS"}
    results = []
    for restored in (False, True):
        simulator = make_engine(name)
        simulator.prepare(example.circuit, example.network, example.network.seed)
        simulator.advance(120)
        if restored:
            state = simulator.state()
            assert len(state["node"]) == len(example.network.junctions["FS-FS"])
            simulator = make_engine(name)
            simulator.prepare(example.circuit, example.network, example.network.seed)
            simulator.restore(state)
        before = simulator.state()["node"].copy()
        first = simulator.advance(30)
        simulator.change(example.circuit.replace(changes))
        results.append(np.concatenate([np.stack(first), np.stack(simulator.advance(150))], axis=1))
        assert np.abs(simulator.state()["node"] - before).max() > 0.01
    np.testing.assert_array_equal(*results)
    right = in_pieces(example, name="reference")
    late = right.steps >= 120
    assert not np.array_equal(results[0], np.stack([right.steps[late], right.ids[late]]))


def test_engines_change_alike(net):
    example, results = net("through"), []
    changes = {"gap_junctions.FS-iSPN.tau": "1 ms", "gap_junctions.dSPN-FS.conductance": "0.5 nS"}
    for name in ("reference", "numba"):
        simulator = make_engine(name)
        simulator.prepare(example.circuit, example.network, 1)
        simulator.advance(100)
        simulator.change(example.circuit.replace(changes))
        simulator.probe("FS", np.arange(example.network.counts["FS"]))
        results.append((np.stack(simulator.advance(100)), simulator.traces()["FS"].v_mv))
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", ["reference", "numba"])
def test_another_kind_on_the_way_is_refused(name, net):
    example = net("three")
    simulator = make_engine(name)
    simulator.prepare(example.circuit, example.network, 1)
    for changes in ({"gap_junctions.dSPN-FS.kind": "node", "gap_junctions.dSPN-FS.tau": "2 ms"},
                    {"gap_junctions.dSPN-FS.wiring.p": 0.5}):
        with pytest.raises(ns.NeostriatumError, match=r"gap[_ ]junctions"):
            simulator.change(example.circuit.replace(changes))
    less = example.circuit.to_dict()
    del less["gap_junctions"]["dSPN-FS"]
    with pytest.raises(ns.NeostriatumError, match="gap_junctions"):
        simulator.change(ns.load(less))


def recorded_net(folder) -> Net:
    """Three kinds of gap junctions, ohmic and node, on strong recorded inputs and no draw."""
    n = 10_000
    kinds = {"FS-FS": ("node", "2 nS"), "dSPN-FS": ("ohmic", "1 nS"),
             "iSPN-dSPN": ("node", "1 nS"), "iSPN-iSPN": ("ohmic", "0.5 nS")}
    raw = junctions({name: {"kind": kind, "conductance": g, "p": 0.1,
                            **({"tau": "6 ms"} if kind == "node" else {})}
                     for name, (kind, g) in kinds.items()})
    drive = {cell: (trains(range(6), n, 700, number), {"AMPA": "24 nS"})
             for number, cell in enumerate(("dSPN", "iSPN", "FS"))}
    plan = Plan("striatum_v1", {"dSPN": 8, "iSPN": 8, "FS": 8}, gaps=[(0, 6), (1, 2)],
                junctions={"dSPN-FS": [(0, 7), (6, 3)], "iSPN-dSPN": [(2, 7), (7, 2)],
                           "iSPN-iSPN": [(0, 6), (3, 6)]},
                recorded={"cortex": drive}, sections={"gap_junctions": raw})
    circuit = load(plan, folder)
    return Net("coupled", circuit, network(plan, circuit), n)


def test_engines_agree_over_a_second(rival, reference, tmp_path):
    example = recorded_net(tmp_path)
    right, results = simulate(reference, example), simulate(rival, example)
    assert all(right.count(cell) > 30 for cell in right.populations)
    assert first_divergence(right, results, 0.1) is None
    assert largest_difference_mv(right, results) <= 1e-9
    for cell, number in (("FS", 7), ("dSPN", 7), ("iSPN", 6)):
        assert np.ptp(right.v_mv[cell][:, number]) > 0.1, "moved by gap junctions alone"
