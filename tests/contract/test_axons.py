"""Axons as sources: the same spikes on every engine that has them, at any threads and chunks."""

import dataclasses

import numpy as np
import pytest
from axonal import circuit

import neostriatum as ns
from neostriatum.engines.base import engine as make_engine
from neostriatum.engines.plasticity import Plasticity
from neostriatum.models.tsodyks_markram import TSODYKS_MARKRAM
from neostriatum.models.two_pools import TWO_POOLS

N_STEPS = 500


@pytest.fixture(scope="module")
def net():
    """The circuit and its network of 60 cells."""
    made = circuit()
    return made, ns.build(made, size=60, seed=1)


def simulated(net, name, pieces=(N_STEPS,), **options):
    """Return steps, ids, the spikes of axons and the engine after some stretches."""
    simulator = make_engine(name, **options)
    simulator.prepare(*net, 1)
    steps, ids = (np.concatenate(part) for part in
                  zip(*(simulator.advance(piece) for piece in pieces), strict=True))
    return steps, ids, simulator


@pytest.fixture(scope="module")
def reference(net):
    """What the reference gives."""
    return simulated(net, "reference")


def test_the_net_is_alive(reference, net):
    """Every type fires, and both populations of axons do."""
    _, ids, simulator = reference
    assert all(((ids >= span.start) & (ids < span.stop)).sum() > 5
               for span in net[1].populations.values() if len(span))
    assert all(count > 50 for count in simulator.axon_spikes.values())


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("pieces", [(N_STEPS,), (7,) * 71 + (3,), (333, 167)])
def test_numba_is_the_reference_to_the_bit(reference, net, threads, pieces):
    """Spikes, states of cells and of releases, slow courses, and counts of axons."""
    steps, ids, simulator = simulated(net, "numba", pieces, threads=threads)
    assert np.array_equal(steps, reference[0])
    assert np.array_equal(ids, reference[1])
    ours, theirs = simulator.state(), reference[2].state()
    shared = [key for key in theirs if key in ours]
    assert {"axons.cortex.slow", "axons.thalamus.spikes", "cortex->dSPN.u", "cortex->iSPN.y",
            "thalamus->FS.last"} <= set(shared)
    assert all(np.array_equal(ours[key], theirs[key]) for key in shared)


@pytest.mark.parametrize("name", ["reference", "numba"])
@pytest.mark.parametrize("stop", [123, 350])
def test_a_state_is_all_that_the_future_depends_on(reference, net, name, stop):
    """From a state, within a block of the trains too, another engine goes on exactly."""
    first = simulated(net, name, (stop,))[2]
    other = make_engine(name)
    other.prepare(*net, 1)
    other.restore(first.state())
    steps, ids = other.advance(N_STEPS - stop)
    late = reference[0] >= stop
    assert np.array_equal(steps, reference[0][late])
    assert np.array_equal(ids, reference[1][late])
    assert other.axon_spikes == reference[2].axon_spikes


def test_rates_change_while_running(net):
    """Another rate, also within a block, gives the same on both engines and other spikes."""
    changed = net[0].replace({"axons.cortex.rate": "60 Hz", "axons.cortex.packets": 0.0})
    results = []
    for name in ("reference", "numba"):
        simulator = make_engine(name)
        simulator.prepare(*net, 1)
        parts = [simulator.advance(205)]
        simulator.change(changed)
        parts.append(simulator.advance(300))
        results.append((np.concatenate([part[1] for part in parts]), simulator.axon_spikes))
    assert np.array_equal(results[0][0], results[1][0])
    assert results[0][1] == results[1][1]
    # 150 axons go from 25 to 60 Hz.
    assert results[0][1]["cortex"] > 1.15 * 300 * 32.5 * 0.0455


def test_single_precision_has_the_same_trains(reference, net):
    """Trains and releases do not depend on the precision."""
    simulator = simulated(net, "numba", precision="single")[2]
    assert simulator.axon_spikes == reference[2].axon_spikes
    ours, theirs = simulator.state(), reference[2].state()
    assert np.array_equal(ours["cortex->dSPN.x"], theirs["cortex->dSPN.x"])


def without_failures(net):
    """Return the net without what Brian2 draws itself."""
    made = net[0].replace({"pathways.thalamus->dSPN.failure": None})
    return made, dataclasses.replace(net[1], circuit=made)


def test_brian2_plays_the_trains(net):
    """Brian2 gives the spikes of the reference, in two stretches."""
    plain = without_failures(net)
    steps, ids, first = simulated(plain, "reference", (400,))
    others = simulated(plain, "brian2-runtime", (150, 250), target="numpy")
    assert len(steps) > 30
    assert np.array_equal(steps, others[0])
    assert np.array_equal(ids, others[1])
    assert first.axon_spikes == others[2].axon_spikes


@pytest.mark.slow
@pytest.mark.compiled
def test_brian2_in_cpp_plays_the_trains(net):
    """So does its C++ program."""
    plain = without_failures(net)
    steps, ids, _ = simulated(plain, "reference", (400,))
    others = simulated(plain, "brian2", (400,))
    assert np.array_equal(steps, others[0])
    assert np.array_equal(ids, others[1])


def test_stationary_start_of_tsodyks_and_markram():
    """The states are those of the formula, at every rate; at rate 0 those of a first spike."""
    stp = Plasticity(TSODYKS_MARKRAM, {"U": 0.1, "tau_rec": 1900.0, "tau_fac": 36.0},
                     {"x": 19000.0, "u": 360.0})
    r = np.array([0.0, 2.0, 30.0, 200.0])
    states = stp.stationary(r * 1e-4)
    u = 0.1 * (1 + r * 0.036) / (1 + 0.1 * r * 0.036)
    assert np.allclose(states["u"], u, rtol=1e-12)
    assert np.allclose(states["x"], 1 / (1 + u * r * 1.9), rtol=1e-12)
    assert stp.begin(4)["x"].tolist() == [1.0] * 4


def test_stationary_start_of_two_pools():
    """Each pool is that of its own time constant."""
    stp = Plasticity(TWO_POOLS, {"U": 0.4, "share": 0.3, "tau_fast": 80.0, "tau_slow": 900.0},
                     {"x": 800.0, "y": 9000.0})
    states = stp.stationary(np.array([17e-4]))
    assert np.allclose(states["x"], 1 / (1 + 0.4 * 17 * 0.08))
    assert np.allclose(states["y"], 1 / (1 + 0.4 * 17 * 0.9))


def test_a_stationary_start_is_near_the_mean_of_long_firing():
    """What spikes of random trains release on average is what they release from the start on."""
    stp = Plasticity(TSODYKS_MARKRAM, {"U": 0.3, "tau_rec": 500.0, "tau_fac": 0.0},
                     {"x": 5000.0, "u": 0.0})
    draw, n, p = np.random.default_rng(1), 4000, 20e-4
    states = stp.begin(n)
    released = []
    for _ in range(60):
        released.append(stp.release(states, draw.geometric(p, n).astype(float)))
    late = np.stack(released[-20:]).mean()
    start = stp.stationary(np.array([p]))
    assert abs(late - float(start["x"][0] * start["u"][0] / 0.3)) < 0.02 * late
