"""Trains of axons: both ways to draw them are one, and their statistics are those of the theory."""

import numpy as np
import pytest

from neostriatum import rng
from neostriatum.circuit.axons import Axons
from neostriatum.engines.axons import AxonPopulation, Trains
from neostriatum.engines.numba_engine.axons import CompiledTrains
from neostriatum.engines.numba_engine.meeting import Crew
from neostriatum.network.groups import groups_of

SINE = {"sine": {"mean": "200 Hz", "amplitude": "150 Hz", "frequency": "50 Hz"}}
SLOW = {"sd": 0.8, "tau": "10 ms"}
#: Every way that a train can be drawn in, with the step [ms].
CASES = {
    "plain": ({"size": 300, "rate": "20 Hz", "groups": 7}, 0.1),
    "slow": ({"size": 300, "rate": "20 Hz", "groups": 10, "slow": SLOW}, 0.1),
    "packets": ({"size": 305, "rate": "20 Hz", "groups": 13, "packets": 0.3}, 0.1),
    "all": ({"size": 100, "rate": SINE, "groups": 7, "packets": 0.5, "slow": SLOW}, 0.3),
    "channels": ({"size": 90, "rate": "5 Hz", "groups": 9, "channels": {
        "left": 0.5, "right": {"share": 0.5, "rate": SINE}}}, 0.25),
    "at every step": ({"size": 10, "rate": "10 kHz"}, 0.1),
    "all copies": ({"size": 10, "rate": "9 kHz", "packets": 1.0, "groups": 2}, 0.1),
}
N = 1200


def population(raw, dt=0.1, warmup=0, seed=1, name="cortex"):
    """Return the lowered axons of a table of a circuit file."""
    axons = Axons.model_validate(raw)
    keys = {use: rng.stream(seed, f"axon {use}", name)
            for use in ("own", "mother", "copies", "slow")}
    slow = axons.slow and (axons.slow.sd.value, axons.slow.tau.value)
    packets = axons.packets.value if axons.packets else 0.0
    return AxonPopulation(name, axons.size, groups_of(name, axons, axons.size, 1.0),
                          tuple(axons.courses.values()), slow, packets, dt, warmup, keys)


def drawn(axons, pieces, parts=1):
    """Return steps and axons of the spikes that the fast engine draws piece by piece."""
    trains, at = CompiledTrains(axons), 0
    when, who = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    with Crew(parts) as crew:
        for count in pieces:
            first, axon = trains.draw(crew, at, count)
            when.append(np.repeat(np.arange(at, at + count), np.diff(first)))
            who.append(axon)
            at += count
    return np.concatenate(when), np.concatenate(who)


@pytest.mark.parametrize("case", CASES)
def test_compiled_draws_are_those_of_the_reference(case):
    """At any number of threads, in pieces of any length, in order and none twice."""
    axons = population(*CASES[case])
    when, who = Trains(axons).spikes(0, N)
    assert len(when) > 50
    assert (np.diff(when * axons.n + who) > 0).all()
    for parts, pieces in ((1, [N]), (2, [7] * 171 + [3]), (3, [500, 1, 699])):
        others = drawn(axons, pieces, parts)
        assert np.array_equal(others[0], when)
        assert np.array_equal(others[1], who)


def test_a_train_does_not_depend_on_where_one_begins():
    """Steps drawn one by one, and those of a middle part alone, are the same."""
    axons = population(*CASES["all"])
    when, who = Trains(axons).spikes(0, 300)
    trains = Trains(axons)
    steps = [trains.spikes(step, 1)[1] for step in range(300)]
    assert np.array_equal(np.concatenate(steps), who)
    middle = Trains(axons).spikes(111, 77)
    inside = (when >= 111) & (when < 188)
    assert np.array_equal(middle[1], who[inside])


def test_names_and_seeds_have_trains_of_their_own():
    """Another seed and another name give other spikes."""
    raw = CASES["plain"][0]
    first = drawn(population(raw), [N])
    for other in (population(raw, seed=2), population(raw, name="thalamus")):
        assert not np.array_equal(drawn(other, [N])[1], first[1])


def within(values, expected, errors=4.0):
    """Whether a mean is within some standard errors of what is expected."""
    error = np.std(values, ddof=1) / np.sqrt(len(values))
    return abs(np.mean(values) - expected) < errors * error


@pytest.mark.parametrize("packets", [0.0, 0.4])
def test_rate_and_variance_of_one_axon(packets):
    """An axon has its rate, and the variance of independent steps, with packets too."""
    axons = population({"size": 4000, "rate": "40 Hz", "groups": 2000, "packets": packets})
    steps, p = 20_000, 40e-4
    counts = np.bincount(drawn(axons, [steps])[1], minlength=axons.n)
    assert within(counts, steps * p)
    assert within((counts - steps * p) ** 2, steps * p * (1 - p))


@pytest.mark.parametrize("packets", [0.0, 0.3, 1.0])
def test_packets_correlate_axons_of_a_group(packets):
    """Two axons of a group have the correlation packets^2 in a step, those of two groups none."""
    size, p, steps = 50, 80e-4, 40_000
    axons = population({"size": 2 * size, "rate": "80 Hz", "groups": 2, "packets": packets})
    when, who = drawn(axons, [steps])
    counts = np.stack([np.bincount(when[who // size == group], minlength=steps)
                       for group in (0, 1)])
    variance = size * p * (1 - p) * (1 + (size - 1) * packets**2)
    assert within((counts[0] - size * p) ** 2, variance)
    assert within((counts[0] - size * p) * (counts[1] - size * p), 0.0)


@pytest.mark.parametrize("lag", [1, 5, 20])
def test_slow_courses_have_their_law(lag):
    """Rates of a group have mean factor 1 and covariance exp(sd^2 exp(-t/tau)) - 1."""
    groups, size, blocks = 3000, 20, 60
    axons = population({"size": groups * size, "rate": "100 Hz", "groups": groups, "slow": SLOW})
    when, who = drawn(axons, [10 * blocks])
    counts = np.zeros((groups, blocks))
    np.add.at(counts, (who // size, when // 10), 1)
    mean = size * 100.0 * 1e-3
    assert within(counts.mean(axis=1), mean)
    products = (counts[:, :-lag] * counts[:, lag:]).mean(axis=1) / mean**2
    assert within(products, np.exp(0.64 * np.exp(-lag / 10.0)))


def test_rates_in_time():
    """A course is followed step by step, within a block too."""
    axons = population({"size": 2000, "rate": {"square": {
        "low": "0 Hz", "high": "400 Hz", "frequency": "1 kHz"}}})
    when, _ = drawn(axons, [2000])
    assert set(np.unique(when % 10)) == {5, 6, 7, 8, 9}
    counts = np.bincount(when, minlength=2000).reshape(-1, 10)[:, 5:]
    assert within(counts.reshape(-1), 2000 * 0.04)
