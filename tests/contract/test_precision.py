"""Single precision against double: other spikes, the same statistics."""

import numpy as np
import pytest

import neostriatum as ns
from neostriatum.engines.base import engine

SEEDS = range(1, 9)
WARM, STEPS = 5000, 10_000


def rates(precision, network, circuit, seed):
    """Return the rate of every neuron over a second [Hz], by type."""
    made = engine("numba", precision=precision)
    made.prepare(circuit, network, seed)
    made.advance(WARM)
    _, ids = made.advance(STEPS)
    counts = np.bincount(ids, minlength=network.size)
    return {name: counts[span.start : span.stop] / (STEPS * circuit.dt.value / 1000.0)
            for name, span in network.populations.items()}


def distance(one, other):
    """Return the Kolmogorov-Smirnov distance of two samples."""
    values = np.union1d(one, other)
    share = [np.searchsorted(np.sort(sample), values, side="right") / len(sample)
             for sample in (one, other)]
    return np.abs(share[0] - share[1]).max()


@pytest.fixture(scope="module")
def samples():
    circuit = ns.load("striatum_v1")
    network = ns.build(circuit, size=3000, seed=1)
    return {precision: [rates(precision, network, circuit, seed) for seed in SEEDS]
            for precision in ("double", "single")}


@pytest.mark.parametrize("name", ["dSPN", "iSPN", "FS"])
class TestRates:
    def test_means_differ_less_than_seeds_do(self, samples, name):
        mean = {precision: np.array([sample[name].mean() for sample in found])
                for precision, found in samples.items()}
        spread = mean["double"].std(ddof=1)
        assert spread > 0
        # Two means of eight: their difference has the standard error of half of a seed's spread.
        assert abs(mean["single"].mean() - mean["double"].mean()) < 3 * spread * np.sqrt(2 / 8)

    def test_distributions_differ_less_than_seeds_do(self, samples, name):
        double, single = ([sample[name] for sample in samples[precision]]
                          for precision in ("double", "single"))
        own = [distance(double[i], double[j]) for i in range(8) for j in range(i)]
        across = [distance(one, other) for one, other in zip(double, single, strict=True)]
        assert np.median(across) <= np.percentile(own, 95)


def test_the_precisions_are_two(samples):
    """The comparison means nothing where both are the same spikes."""
    assert any(not np.array_equal(one["dSPN"], other["dSPN"])
               for one, other in zip(samples["double"], samples["single"], strict=True))
