"""Rates, irregularity and correlation on spike trains whose answer is known beforehand."""

import dataclasses
import math
import re

import numpy as np
import pytest

from neostriatum.analysis import (
    CountCorrelation,
    count_correlation,
    isi,
    isi_cv,
    isi_cv2,
    population_rate,
    rates_hz,
)

NO_TIMES = np.empty(0)
NO_IDS = np.empty(0, dtype=np.int64)


def renewal_trains(neurons, intervals, shape, seed):
    """Trains of gamma intervals (CV = 1/sqrt(shape)) with a mean of 100 ms, shuffled in order."""
    rng = np.random.default_rng(seed)
    times_ms = np.cumsum(rng.gamma(shape, 100 / shape, (neurons, intervals + 1)), axis=1).ravel()
    ids = np.repeat(np.arange(neurons), intervals + 1)
    order = rng.permutation(times_ms.size)
    return times_ms[order], ids[order]


class TestRates:
    def test_every_neuron_counts_the_silent_ones_too(self):
        rates = rates_hz(np.array([3, 0, 3, 3]), n=5, duration_ms=2000.0)
        np.testing.assert_array_equal(rates, [0.5, 0, 0, 1.5, 0])
        assert rates.dtype == np.float64

    def test_no_spikes_and_no_neurons(self):
        np.testing.assert_array_equal(rates_hz(NO_IDS, 3, 10.0), np.zeros(3))
        assert rates_hz([], 0, 10.0).shape == (0,)

    def test_ids_may_be_unsigned(self):
        np.testing.assert_array_equal(rates_hz(np.array([1], np.uint32), 2, 1000.0), [0, 1])

    @pytest.mark.parametrize(
        ("ids", "n", "duration_ms", "sentence"),
        [
            ([0, 3], 3, 10.0, "ids: must lie in 0 to n - 1 = 2 (got 0 to 3)"),
            ([-1], 3, 10.0, "ids: must lie in 0 to n - 1 = 2 (got -1 to -1)"),
            ([0.5], 3, 10.0, "ids: must be integers (got dtype float64)"),
            ([[0]], 3, 10.0, "ids: must be one-dimensional (got shape (1, 1))"),
            ([0], 3, 0.0, "duration_ms: must be a finite number above 0 (got 0.0)"),
            ([0], 3, math.inf, "duration_ms: must be a finite number above 0 (got inf)"),
            ([], -1, 10.0, "n: must not be negative (got -1)"),
        ],
    )
    def test_refusals(self, ids, n, duration_ms, sentence):
        with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
            rates_hz(ids, n, duration_ms)


class TestPopulationRate:
    def test_the_last_bin_is_normalised_by_its_own_width(self):
        edges, rate = population_rate([5.0, 22.0], bin_ms=10, duration_ms=25.0, n=4)
        np.testing.assert_array_equal(edges, [0, 10, 20, 25])
        np.testing.assert_allclose(rate, [25, 0, 50])

    def test_no_spike_is_lost(self):
        times_ms = np.random.default_rng(3).random(1000) * 333.3
        edges, rate = population_rate(times_ms, 7.0, 333.3, n=10)
        assert np.sum(rate * np.diff(edges)) * 10 / 1000 == pytest.approx(1000)

    def test_a_spike_of_the_last_step_of_a_bin_belongs_to_it(self):
        # Spike of step n at (n + 1) dt: 100 steps of 0.1 ms fill exactly one bin of 10 ms.
        times_ms = (np.arange(20_000) + 1) * 0.1
        _, rate = population_rate(times_ms, 10.0, 2000.0, n=1)
        np.testing.assert_allclose(rate, 10_000.0)

    def test_a_bin_as_short_as_the_step(self):
        _, rate = population_rate((np.arange(20_000) + 1) * 0.1, 0.1, 2000.0, n=1)
        assert rate.size == 20_000
        np.testing.assert_allclose(rate, 10_000.0)

    def test_silence(self):
        _, rate = population_rate(NO_TIMES, 10.0, 50.0, n=2)
        np.testing.assert_array_equal(rate, np.zeros(5))

    def test_a_bin_longer_than_the_run_is_the_run(self):
        edges, rate = population_rate([1.0], 10.0, 4.0, n=1)
        np.testing.assert_array_equal(edges, [0, 4])
        np.testing.assert_allclose(rate, [250])

    @pytest.mark.parametrize(
        ("times_ms", "bin_ms", "n", "sentence"),
        [
            ([11.0], 1, 1, r"times_ms: must lie in 0 to 10 ms \(got 11 to 11\)"),
            ([-1.0], 1, 1, r"times_ms: must lie in 0 to 10 ms \(got -1 to -1\)"),
            ([math.nan], 1, 1, "times_ms: every time must be finite"),
            ([[1.0]], 1, 1, "times_ms: must be one-dimensional"),
            ([1.0], 0, 1, "bin_ms: must be a finite number above 0"),
            ([1.0], 1, 0, "n: must be at least 1 neuron"),
        ],
    )
    def test_refusals(self, times_ms, bin_ms, n, sentence):
        with pytest.raises(ValueError, match=sentence):
            population_rate(times_ms, bin_ms, 10.0, n)


class TestIrregularity:
    def test_intervals_are_within_neurons_and_in_the_order_of_time(self):
        owners, intervals_ms = isi([9.0, 1.0, 2.0, 4.0, 3.0], [1, 1, 0, 1, 7])
        np.testing.assert_array_equal(owners, [1, 1])
        np.testing.assert_array_equal(intervals_ms, [3, 5])

    @pytest.mark.parametrize("measure", [isi_cv, isi_cv2])
    def test_poisson_is_one(self, measure):
        ids, values = measure(*renewal_trains(200, 500, shape=1, seed=1))
        np.testing.assert_array_equal(ids, np.arange(200))
        assert values.mean() == pytest.approx(1, abs=0.02)

    def test_gamma_has_the_cv_of_its_shape(self):
        _, values = isi_cv(*renewal_trains(200, 500, shape=4, seed=2))
        assert values.mean() == pytest.approx(0.5, abs=0.01)

    @pytest.mark.parametrize("measure", [isi_cv, isi_cv2])
    def test_regular_is_zero(self, measure):
        times_ms = np.tile(np.arange(1.0, 50.0), 3)
        ids, values = measure(times_ms, np.repeat([4, 2, 9], 49))
        np.testing.assert_array_equal(ids, [2, 4, 9])
        np.testing.assert_allclose(values, 0, atol=1e-12)

    def test_cv_equals_one_loop_per_neuron(self):
        times_ms, ids = renewal_trains(30, 40, shape=2, seed=5)
        neurons, values = isi_cv(times_ms, ids)
        intervals = [np.diff(np.sort(times_ms[ids == neuron])) for neuron in neurons]
        np.testing.assert_allclose(values, [x.std() / x.mean() for x in intervals])
        _, values = isi_cv2(times_ms, ids)
        expected = [np.mean(2 * np.abs(np.diff(x)) / (x[1:] + x[:-1])) for x in intervals]
        np.testing.assert_allclose(values, expected)

    def test_cv2_ignores_a_slow_change_of_rate_that_cv_sees(self):
        times_ms = np.cumsum(np.linspace(1, 100, 400))
        ids = np.zeros(400, dtype=np.int64)
        assert isi_cv(times_ms, ids)[1][0] > 0.5
        assert isi_cv2(times_ms, ids)[1][0] < 0.05

    @pytest.mark.parametrize("measure", [isi_cv, isi_cv2])
    def test_neurons_with_too_few_intervals_are_left_out(self, measure):
        times_ms = np.concatenate([np.arange(10.0), np.arange(11.0)])
        ids = np.repeat([0, 1], [10, 11])
        np.testing.assert_array_equal(measure(times_ms, ids)[0], [1])
        np.testing.assert_array_equal(measure(times_ms, ids, minimum_intervals=9)[0], [0, 1])

    @pytest.mark.parametrize("measure", [isi_cv, isi_cv2])
    def test_nothing_in_nothing_out(self, measure):
        for times_ms, ids in [(NO_TIMES, NO_IDS), ([1.0], [0]), ([1.0, 2.0], [0, 1])]:
            neurons, values = measure(times_ms, ids)
            assert neurons.shape == values.shape == (0,)

    def test_refusals(self):
        with pytest.raises(ValueError, match="got two equal times for id 3"):
            isi_cv([1.0, 2.0, 2.0], [3, 3, 3])
        with pytest.raises(ValueError, match="ids: must be one per spike time"):
            isi([1.0, 2.0], [0])
        for measure in (isi_cv, isi_cv2):
            with pytest.raises(ValueError, match=r"minimum_intervals: must be at least 2 \(got 1"):
                measure([1.0], [0], minimum_intervals=1)


def spikes_of(counts, bin_ms):
    """Spikes that have these counts (neurons, bins), spread inside each bin."""
    ids, index = (np.repeat(where, counts[np.nonzero(counts)]) for where in np.nonzero(counts))
    rng = np.random.default_rng(0)
    return (index + 0.01 + 0.98 * rng.random(index.size)) * bin_ms, ids


class TestCorrelation:
    def test_counts_of_known_correlation(self):
        # Each neuron adds its own Poisson counts to common ones: r = common / (common + own).
        rng = np.random.default_rng(4)
        counts = rng.poisson(0.9, (60, 2000)) + rng.poisson(0.3, 2000)
        times_ms, ids = spikes_of(counts, bin_ms=5.0)
        found = count_correlation(times_ms, ids, 60, 10_000.0, 5.0)
        assert found.pairs == 60 * 59 // 2
        assert found.mean == pytest.approx(0.25, abs=0.02)

    def test_equals_corrcoef(self):
        counts = np.random.default_rng(6).poisson(1.0, (12, 50))
        times_ms, ids = spikes_of(counts, bin_ms=10.0)
        found = count_correlation(times_ms, ids, 12, 500.0, 10.0)
        pairs = np.corrcoef(counts)[np.triu_indices(12, k=1)]
        assert found.mean == pytest.approx(pairs.mean())
        assert found.sd == pytest.approx(pairs.std(ddof=1))
        assert found.pairs == pairs.size

    def test_identical_and_opposite_trains(self):
        same = count_correlation([1.0, 2.0], [0, 1], 2, 30.0, 10.0)
        assert same.mean == pytest.approx(1)
        opposite = count_correlation([1.0, 12.0], [0, 1], 2, 20.0, 10.0)
        assert opposite.mean == pytest.approx(-1)
        assert opposite.pairs == 1
        assert math.isnan(opposite.sd)

    def test_independent_trains_have_none(self):
        rng = np.random.default_rng(8)
        found = count_correlation(
            rng.random(40_000) * 10_000, rng.integers(0, 100, 40_000), 100, 10_000.0, 20.0
        )
        assert abs(found.mean) < 0.005

    def test_only_active_neurons_are_sampled(self):
        times_ms, ids = spikes_of(np.random.default_rng(1).poisson(1.0, (8, 40)), 10.0)
        found = count_correlation(times_ms, ids * 1000, 8000, 400.0, 10.0)
        assert found.pairs == 8 * 7 // 2

    def test_the_sample_depends_on_the_seed_alone(self):
        times_ms, ids = spikes_of(np.random.default_rng(2).poisson(1.0, (50, 40)), 10.0)
        one = count_correlation(times_ms, ids, 50, 400.0, 10.0, sample=10, seed=1)
        np.random.default_rng().random(5)
        again = count_correlation(times_ms[::-1], ids[::-1], 50, 400.0, 10.0, sample=10, seed=1)
        other = count_correlation(times_ms, ids, 50, 400.0, 10.0, sample=10, seed=2)
        assert one == again
        assert one.pairs == 45
        assert one.mean != other.mean

    def test_constant_counts_and_the_unfinished_bin_make_no_pair(self):
        # Neuron 1 has one spike in every bin; neuron 2 only spikes in the unfinished one.
        found = count_correlation([1.0, 2.0, 12.0, 24.0], [0, 1, 1, 2], 3, 25.0, 10.0)
        assert found.pairs == 0
        assert math.isnan(found.mean)

    def test_silence(self):
        assert count_correlation(NO_TIMES, NO_IDS, 5, 100.0, 10.0).pairs == 0

    def test_the_result_is_frozen(self):
        with pytest.raises(dataclasses.FrozenInstanceError):
            CountCorrelation(mean=0.0, sd=0.0, pairs=1).pairs = 2

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"bin_ms": 60.0}, r"bin_ms: two whole bins must fit into 100 ms \(got 60 ms\)"),
            ({"sample": 1}, "sample: must be at least 2 neurons"),
            ({"n": 1}, "ids: must lie in 0 to n - 1 = 0"),
            ({"duration_ms": 1.5, "bin_ms": 0.5}, "times_ms: must lie in 0 to 1.5 ms"),
            ({"ids": [0]}, "ids: must be one per spike time"),
        ],
    )
    def test_refusals(self, changes, sentence):
        given = {"times_ms": [1.0, 2.0], "ids": [0, 1], "n": 2, "duration_ms": 100.0}
        with pytest.raises(ValueError, match=sentence):
            count_correlation(**{**given, "bin_ms": 10.0, **changes})
