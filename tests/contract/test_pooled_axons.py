"""Axons without identity: one result on both engines, the rates of those with trains."""

import numpy as np
import pytest
from axonal import circuit
from conftest import Maker

import neostriatum as ns
from neostriatum.engines.axons import Players, lower_axons
from neostriatum.engines.base import engine as make_engine
from neostriatum.engines.lowered import lower
from neostriatum.engines.pooled import Pool, arrivals
from neostriatum.errors import EngineUnsupported

N_STEPS = 230


def pooled():
    """The circuit of `axonal` with pooled axons."""
    raw = circuit().to_dict()
    for axons in raw["axons"].values():
        axons["identity"] = False
        axons.pop("packets", None)
    for name, pathway in raw["pathways"].items():
        if name.split("->")[0] in raw["axons"]:
            pathway.pop("weight_cv")
            pathway.pop("failure", None)
        else:
            # Many more cells than there: what they do to each other stays small.
            pathway["conductance"] = {"GABA": "0.05 nS"}
    return ns.load(raw)


@pytest.fixture(scope="module")
def net():
    """The circuit and its network of 1300 cells: some tiles of every type are not full."""
    made = pooled()
    return made, ns.build(made, size=1300, seed=1)


@pytest.fixture(scope="module")
def reference(net):
    """What the reference gives, and its state."""
    simulator = make_engine("reference")
    simulator.prepare(*net, 1)
    return *simulator.advance(N_STEPS), simulator.state()


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("pieces", [(N_STEPS,), (7,) * 32 + (6,), (113, 117)])
def test_numba_is_the_reference_to_the_bit(reference, net, threads, pieces):
    """Spikes, states of cells, releases by group, slow courses."""
    simulator = make_engine("numba", threads=threads)
    simulator.prepare(*net, 1)
    steps, ids = (np.concatenate(part) for part in
                  zip(*(simulator.advance(piece) for piece in pieces), strict=True))
    assert len(steps) > 100
    assert np.array_equal(steps, reference[0])
    assert np.array_equal(ids, reference[1])
    ours, theirs = simulator.state(), reference[2]
    shared = [key for key in theirs if key in ours]
    assert {"axons.cortex.slow", "cortex->dSPN.u", "cortex->iSPN.y"} <= set(shared)
    assert all(np.array_equal(ours[key], theirs[key]) for key in shared)


@pytest.mark.parametrize("name", ["reference", "numba"])
def test_a_state_is_all_that_the_future_depends_on(reference, net, name):
    """From a state within a block another engine goes on exactly."""
    first, other = make_engine(name), make_engine(name)
    first.prepare(*net, 1)
    first.advance(97)
    other.prepare(*net, 1)
    other.restore(first.state())
    steps, ids = other.advance(N_STEPS - 97)
    late = reference[0] >= 97
    assert np.array_equal(steps, reference[0][late])
    assert np.array_equal(ids, reference[1][late])


def test_rates_change_while_running(net):
    """Another rate gives the same on both engines."""
    changed, hashes = net[0].replace({"axons.cortex.rate": "60 Hz"}), []
    for name in ("reference", "numba"):
        simulator = make_engine(name)
        simulator.prepare(*net, 1)
        parts = [simulator.advance(45)]
        simulator.change(changed)
        parts.append(simulator.advance(60))
        hashes.append(np.concatenate([part[1] for part in parts]))
    assert np.array_equal(*hashes)


def test_arrivals_have_their_means(net):
    """Homes bring their share, the other axons theirs, each step of a block as much as another."""
    made = net[0].replace({"axons.cortex.slow": None})
    network = ns.build(made, size=1300, seed=1)
    lowered = lower(made, network, 1)
    pool = Pool(lowered.pooled[0])
    path = next(one for one in pool.pooled.pathways if one.name == "cortex->iSPN")
    table = pool.tables(0, 1)[pool.pooled.pathways.index(path)].of(0)
    home, rest, steps = [], [], np.zeros(10)
    for block in range(300):
        step, cell, row = arrivals(path, table, block, 10)
        at_home = row < path.group_count
        home.append(at_home.sum())
        rest.append((~at_home).sum())
        steps += np.bincount(step, minlength=10)
        assert all(row[n] in path.homes[cell[n]] for n in np.flatnonzero(at_home)[:20])
    cells = len(path.homes)
    spikes = table.mean[0] / path.counts[0]
    expected = 10 * spikes[path.homes].sum()
    assert abs(np.mean(home) - expected) < 4 * np.sqrt(expected / 300)
    other = 20 * cells * spikes.mean()
    assert abs(np.mean(rest) - other) < 4 * np.sqrt(other / 300)
    assert np.abs(steps - steps.mean()).max() < 4 * np.sqrt(steps.mean())


def test_mean_release_is_that_of_single_axons():
    """Groups release on average what their axons do, from a rested start to the steady state."""
    raw = circuit().to_dict()
    raw["axons"] = {"cortex": {"size": 2000, "rate": "30 Hz", "groups": 2, "identity": False}}
    raw["pathways"] = {"cortex->dSPN": {
        "conductance": {"AMPA": "1 nS"}, "delay": "1 ms",
        "wiring": {"rule": "fixed_indegree", "n": 10},
        "stp": {"U": 0.2, "tau_rec": "200 ms", "tau_fac": "0 ms"}}}
    made = ns.load(raw)
    network = ns.build(made, size=50, seed=1)
    pool = Pool(lower(made, network, 1).pooled[0])
    path, released = pool.pooled.pathways[0], []
    for block in range(400):
        released.append(pool.tables(block, block + 1)[0].amounts[0, 0, 0])
    # Every spike takes a fifth, 30 times a second: x' = (1 - x)/200 - 0.006 x.
    time = np.arange(400)
    rate = 1 / 200 + 0.2 * 0.030
    theory = (1 / 200 + 0.006 * np.exp(-rate * time)) / rate
    assert np.allclose(released, theory, rtol=0.01)
    assert path.stp is not None
    axons = lower_axons(made, network, 1)
    states, last = path.stp.begin(2000), np.zeros(2000, np.int64)
    players, seen = Players(axons), []
    for step, fired in _by_step(players.spikes(0, 4000)[0]):
        seen.append((step, path.stp.fire(states, last, fired, step).mean(), len(fired)))
    table = np.array([one for one in seen if one[0] >= 2000])
    mean = np.average(table[:, 1], weights=table[:, 2])
    assert abs(mean - np.mean(theory[200:])) < 0.02


def _by_step(spikes):
    when, who = spikes
    for step in np.unique(when):
        yield int(step), who[when == step]


def test_rates_of_cells_are_those_with_trains():
    """Cells fire as often on pooled axons as on axons with trains."""
    counts = {}
    for identity in (True, False):
        made = pooled().replace({"axons.cortex.identity": identity, "warmup": "100 ms",
                                 "axons.thalamus.identity": identity})
        run = make_engine("numba", threads=2)
        run.prepare(made, ns.build(made, size=600, seed=2), 2)
        steps, _ = run.advance(6000)
        counts[identity] = (steps >= 1000).sum()
    assert abs(counts[True] - counts[False]) < 0.06 * counts[True]


def test_networks_hold_homes_and_no_synapses(net, tmp_path):
    """A network file comes back; axons take a few numbers per cell."""
    made, network = net
    assert not network.afferents
    assert network.homes["cortex->dSPN"].shape == (network.counts["dSPN"], 4)
    network.save(tmp_path / "net.h5")
    again = ns.load_network(tmp_path / "net.h5")
    assert again.hash() == network.hash()
    assert again.circuit == made


def test_a_run_says_that_there_are_no_trains(net, tmp_path):
    """The count of spikes is null."""
    run = ns.run(net[0], size=100, duration="5 ms", figures=False, out=tmp_path / "run")
    assert run.summary["axons"] == {"cortex": None, "thalamus": None}


@pytest.mark.parametrize("name", ["brian2-runtime", "nest"])
def test_other_engines_refuse_them_by_name(net, name):
    """One line with the key."""
    with pytest.raises(EngineUnsupported, match=r"axons\.cortex"):
        Maker(name)().prepare(*net, 1)
