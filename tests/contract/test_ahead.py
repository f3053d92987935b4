"""Arrivals from axons that are known ahead of a window: the same spikes as the plain engine."""

import numpy as np
import pytest
from axonal import circuit

import neostriatum as ns
from neostriatum.engines.base import engine as make_engine
from neostriatum.engines.lowered import lower
from neostriatum.engines.numba_engine.ahead import known_ahead

N_STEPS = 200


@pytest.fixture(scope="module")
def net():
    """Axons with one weight each, on types of up to two tiles, and the network."""
    raw = circuit().to_dict()
    for name in list(raw["pathways"]):
        if name.split("->")[0] in raw["axons"]:
            raw["pathways"][name].pop("weight_cv", None)
    # Cells reach the same receptor of iSPN, so that waits in the ring.
    raw["pathways"]["FS->iSPN"]["conductance"]["AMPA"] = "0.1 nS"
    raw["pathways"]["cortex->iSPN"]["conductance"]["AMPA"] = "4 nS"
    raw["dt"] = "0.05 ms"
    made = ns.load(raw)
    return made, ns.build(made, size=1300, seed=1)


@pytest.fixture(scope="module")
def reference(net):
    """What the reference gives: spikes and the state at the end."""
    simulator = make_engine("reference")
    simulator.prepare(*net, 1)
    return *simulator.advance(N_STEPS), simulator.state()


def chosen(made, network):
    """Return names of the projections that are known ahead, and of receptors nothing else has."""
    lowered = lower(made, network, 1)
    numbers, entries = known_ahead(lowered, lowered.window)
    return ({lowered.projections[number].name for number in numbers},
            {pop.name: {pop.synapses[entry].name for entry in known}
             for pop, known in zip(lowered.populations, entries, strict=True)})


def test_what_is_known_ahead(net):
    """A receptor that anything else reaches waits in the ring, and so do all that share a spike."""
    names, receptors = chosen(*net)
    # Spikes of thalamus may fail at dSPN; FS reach AMPA of iSPN.
    assert names == {"cortex->FS", "thalamus->FS"}
    assert receptors["FS"] >= {"AMPA"}
    assert "AMPA" not in receptors["dSPN"] | receptors["iSPN"]
    made = net[0].replace({"pathways.thalamus->dSPN.failure": None})
    names, receptors = chosen(made, net[1])
    assert names == {"cortex->dSPN", "cortex->FS", "thalamus->dSPN", "thalamus->FS"}
    assert receptors["dSPN"] == {"AMPA", "NMDA"}


def test_few_synapses_of_an_axon_wait_in_the_ring(net):
    """Where an axon reaches a tile in fewer than half of the cases, its row is read once."""
    made = net[0].replace({"pathways.thalamus->dSPN.failure": None,
                           "axons.cortex.size": 30_000})
    names, _ = chosen(made, ns.build(made, size=1300, seed=1))
    assert "cortex->dSPN" not in names


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("pieces", [(N_STEPS,), (4,) * 50])
def test_numba_is_the_reference_to_the_bit(net, reference, threads, pieces):
    """Pieces of four steps are shorter than any delay: all that arrives was left in the ring."""
    simulator = make_engine("numba", threads=threads)
    simulator.prepare(*net, 1)
    parts = [simulator.advance(piece) for piece in pieces]
    assert len(reference[0]) > 100
    for ours, theirs in zip(zip(*parts, strict=True), reference, strict=False):
        assert np.array_equal(np.concatenate(ours), theirs)
    state = simulator.state()
    for name in ("dSPN.v", "iSPN.g_AMPA", "FS.g_AMPA", "FS.v"):
        assert np.array_equal(state[name], reference[2][name])


def test_a_run_goes_on_from_its_state(net, reference):
    """What spikes before a checkpoint leave arrives after it, with other threads too."""
    first, second = (make_engine("numba", threads=threads) for threads in (1, 2))
    first.prepare(*net, 1)
    begun = first.advance(61)
    second.prepare(*net, 1)
    second.restore(first.state())
    steps = np.concatenate([begun[0], second.advance(N_STEPS - 61)[0]])
    assert np.array_equal(steps, reference[0])


def test_removed_arrivals_are_seen(net, reference):
    """Without what waits of them at a checkpoint, the run differs: the test above can fail."""
    first, second = make_engine("numba", threads=1), make_engine("numba", threads=1)
    first.prepare(*net, 1)
    first.advance(61)
    state = first.state()
    assert len(state["FS.arrivals"]) > 0
    second.prepare(*net, 1)
    second.restore(state | {"FS.arrivals": np.zeros((0, 3), np.int64),
                            "FS.amounts": np.zeros(0)})
    second.advance(N_STEPS - 61)
    assert not np.array_equal(second.state()["FS.v"], reference[2]["FS.v"])
