"""The lazy synapse against dense integration and against what paper and pencil give."""

import numpy as np
import pytest

import neostriatum as ns
from neostriatum.engines.learning import Learning
from neostriatum.engines.lowered import Projection
from neostriatum.engines.synapses import Synapses
from neostriatum.models.registry import find

DT = 0.1


def learning(rule="balanced", receptor="D1", bounds="soft", flush=250.0, gate=-1, scaling=None,
             **values):
    """Return the learning of a projection with a delay of one step."""
    model = find("learning", rule)
    known = {each.name: each.default for each in model.parameters}
    known |= model.receptors[receptor] | values
    return Learning(model, known, 0, 0.3, gate, DT, 1, round(flush / DT), bounds == "soft", 1.0,
                    scaling)


def synapses(about, sources=1, cells=1):
    """Return synapses from every source to every cell."""
    targets = np.tile(np.arange(cells, dtype=np.int32), sources)
    offsets = np.arange(sources + 1) * cells
    one = Projection("a->b", 0, 0, offsets, targets, np.ones(len(targets), np.uint8), (), None,
                     learning=about)
    return Synapses(one, sources, cells)


def run(lazy, arrivals, spikes, levels, gates=None):
    """Run through trains (steps, sources) and (steps, cells) of 0 and 1; return the weights."""
    for step, level in enumerate(levels):
        lazy.begin(step, level, 1.0 if gates is None else gates[step])
        lazy.arrive(step, np.flatnonzero(arrivals[step]))
        lazy.spike(step, np.flatnonzero(spikes[step]))
    return lazy.now(len(levels))


def dense(about, arrivals, spikes, levels):
    """Integrate one synapse from each source to each cell step by step, bounds aside."""
    values, gains = about.values, about.gains
    x, y = np.zeros(arrivals.shape[1]), np.zeros(spikes.shape[1])
    plus, minus = np.zeros((2, len(gains), len(x), len(y)))
    weights = np.full((len(x), len(y)), about.start)
    factors = np.stack(about.factors(levels), axis=1)
    for step in range(len(levels)):
        minus += arrivals[step][:, None] * y
        x = x + arrivals[step]
        plus += x[:, None] * spikes[step]
        y = y + spikes[step]
        for part, gain in enumerate(gains):
            weights += gain * (factors[step, 0] * plus[part] + factors[step, 1] * minus[part])
            tau = np.exp(-DT / about.taus[part])
            plus[part] *= tau
            minus[part] *= tau
        x = x * np.exp(-DT / values["tau_plus"])
        y = y * np.exp(-DT / values["tau_minus"])
    return weights


def bursts(steps):
    """Return levels with a burst of 200 ms and a dip of 400 ms in every second."""
    time = np.arange(steps) * DT % 1000
    return np.where(time < 200, 1.0, np.where((time > 500) & (time < 900), 0.0, 0.3))


@pytest.mark.parametrize(("values", "seconds"), [({}, 10), ({"tau_rise": 300.0}, 2),
                                                 ({"tau_minus": 35.0}, 2)])
def test_lazy_equals_dense_integration(values, seconds):
    """60 synapses at 8 and 10 Hz, 10 s, bursts and dips: 1e-12, with and without a rise."""
    about = learning(dose=0.2, w_max=1000.0, bounds="hard", **values)
    generator, steps = np.random.default_rng(1), 10_000 * seconds
    arrivals = generator.random((steps, 6)) < 8 * DT / 1000
    spikes = generator.random((steps, 10)) < 10 * DT / 1000
    levels = bursts(steps)
    weights = run(synapses(about, 6, 10), arrivals, spikes, levels).reshape(6, 10)
    expected = dense(about, arrivals, spikes, levels)
    assert np.ptp(expected) > 0.05
    assert np.abs(weights / expected - 1).max() <= 1e-12


@pytest.mark.parametrize(("rule", "receptor"), [("difference", "D2"), ("gurney2015", "D1"),
                                                ("cbgtpy", "D2")])
def test_other_rules_equal_dense_integration(rule, receptor):
    """Every preset, for 2 s."""
    about = learning(rule, receptor, bounds="hard", dose=0.02, w_max=1000.0)
    generator, steps = np.random.default_rng(2), 20_000
    arrivals = generator.random((steps, 4)) < 20 * DT / 1000
    spikes = generator.random((steps, 5)) < 20 * DT / 1000
    weights = run(synapses(about, 4, 5), arrivals, spikes, bursts(steps)).reshape(4, 5)
    expected = dense(about, arrivals, spikes, bursts(steps))
    assert np.ptp(expected) > 1e-3
    assert np.abs(weights / expected - 1).max() <= 1e-12


def paired(about, arrival, spike, burst, steps):
    """Return the weight after one pair of steps and a burst that begins later."""
    arrivals, spikes = np.zeros((2, steps, 1), bool)
    arrivals[arrival], spikes[spike] = True, True
    levels = np.full(steps, 0.3)
    levels[burst : burst + 10] = 1.0
    return run(synapses(about), arrivals, spikes, levels)[0]


@pytest.mark.parametrize("wait_ms", [0.0, 300.0, 1000.0, 2500.0])
def test_an_eligibility_decays_with_its_time_constant(wait_ms):
    """A pair, then 1 ms of burst: the weight goes up by dose/tau_e e^(-t/tau) of both times."""
    about, burst = learning(dose=0.5, bounds="hard"), 300 + round(wait_ms / DT)
    steps = burst + 20
    gain = paired(about, 200, 300, burst, steps) - 1
    whole = sum(np.exp(-(wait_ms + n * DT) / 1000) for n in range(10))
    assert gain == pytest.approx(0.5 / 1000 * DT * np.exp(-10 / 20) * whole, rel=1e-11)


def test_order_within_a_step():
    """An arrival comes before a spike of its step; one spike makes no pair with itself."""
    about = learning(dose=0.5, bounds="hard", k_minus_hi=-1.0)
    assert paired(about, 100, 100, 150, 300) > 1
    assert paired(about, 101, 100, 150, 300) < 1


def test_tonic_dopamine_moves_nothing():
    """At the tonic level the balanced rule leaves every weight as it was, to the bit."""
    generator = np.random.default_rng(1)
    trains = generator.random((2, 20_000, 3)) < 0.002
    weights = run(synapses(learning(), 3, 3), *trains, np.full(20_000, 0.3))
    assert (weights == 1.0).all()


def test_bounds_hold_and_soft_ones_slow_down():
    """Strong learning stays within bounds; soft bounds let less through than hard ones."""
    generator = np.random.default_rng(1)
    trains = generator.random((2, 10_000, 4)) < 0.003
    for level, end in ((1.0, 3.0), (0.0, 0.0)):
        levels = np.full(10_000, level)
        hard, soft = (run(synapses(learning(dose=d, bounds=kind), 4, 4), *trains, levels)
                      for d, kind in ((2.0, "hard"), (2.0, "soft")))
        assert (np.abs(hard - end) < 1e-12).any()
        assert ((hard >= 0) & (hard <= 3) & (soft >= 0) & (soft <= 3)).all()
        assert np.abs(soft - 1).mean() < np.abs(hard - 1).mean()


def test_a_gate_that_is_closed_stops_all_change():
    """Where the level of the gate is 0 nothing is gained."""
    generator, steps = np.random.default_rng(1), 5000
    trains = generator.random((2, steps, 3)) < 0.003
    for open_, moved in ((0.0, False), (1.0, True)):
        weights = run(synapses(learning(gate=0), 3, 3), *trains, bursts(steps),
                      np.full(steps, open_))
        assert (weights != 1).any() == moved


def test_scaling_moves_the_mean_of_every_cell():
    """Without dopamine the mean weight of a cell goes to the target with the time constant."""
    about = learning(scaling=(1.2, float(-np.expm1(-0.25))))
    weights = run(synapses(about, 5, 2), np.zeros((10_001, 5), bool), np.zeros((10_001, 2), bool),
                  np.full(10_001, 0.3))
    assert weights == pytest.approx(1.2 - 0.2 * np.exp(-4 * 0.25), rel=1e-9)


def test_many_spikes_between_flushes():
    """A cell that fires at every second step for 250 ms loses no pair."""
    about = learning(dose=0.001, w_max=1000.0, bounds="hard")
    arrivals, spikes = np.zeros((2, 3000, 1), bool)
    arrivals[10::40], spikes[::2] = True, True
    weights = run(synapses(about), arrivals, spikes, bursts(3000))
    assert weights[0] == pytest.approx(dense(about, arrivals, spikes, bursts(3000))[0, 0],
                                       rel=1e-12)


def test_the_package_names_the_rule():
    """A rule of one's own is data that is registered as other models are."""
    assert "balanced" in ns.models.registry.names("learning")
