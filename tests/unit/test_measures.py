"""Measures of activity on spikes whose answer is known, and against SciPy."""

import re

import numpy as np
import pytest
from spiketrains import DURATION_MS, NOTHING, mother, poisson

from neostriatum.analysis import (
    correlation_by_distance,
    count_correlation,
    count_synchrony,
    fano_factor,
    kernel_field,
    peristimulus_rate,
    population_spectrum,
    power_spectrum,
    reference_weighted_sum,
    signal_synchrony,
)
from neostriatum.analysis.counts import count_moments
from neostriatum.errors import InputError, NeostriatumError


class TestFano:
    @pytest.mark.parametrize("window_ms", [50.0, 1000.0])
    def test_poisson_is_one_at_any_window(self, window_ms):
        values = fano_factor(*poisson(100, 10.0, seed=1), 100, DURATION_MS, window_ms)
        assert values.mean() == pytest.approx(1, abs=0.03)

    def test_regular_is_zero_and_silent_is_nan(self):
        times_ms = np.arange(5.0, 1000, 10)
        values = fano_factor(times_ms, np.zeros(100, int), 2, 1000.0, 50.0)
        assert values[0] == 0
        assert np.isnan(values[1])

    def test_bursts_of_k_have_k(self):
        times_ms, ids = poisson(50, 5.0, seed=2)
        values = fano_factor(np.repeat(times_ms, 4), np.repeat(ids, 4), 50, DURATION_MS, 200.0)
        assert values.mean() == pytest.approx(4, abs=0.2)

    def test_trials(self):
        # Two trials of 10 ms: one spike in the first, three in the second, others in between.
        values = fano_factor([12.0, 25.0, 31.0, 33.0, 40.0, 41.0], np.zeros(6, int), 1, 50.0, 10.0,
                             starts_ms=[10.0, 30.0])
        assert values[0] == pytest.approx(1 / 2)

    def test_windows_are_open_on_the_left_and_no_time_is_lost(self):
        times_ms = (np.arange(1000) + 1) * 0.1
        mean, variance = count_moments(times_ms, np.zeros(1000, int), 1, 100.0, 10.0)
        assert (mean[0], variance[0]) == (100, 0)
        assert fano_factor(times_ms, np.zeros(1000, int), 1, 100.0, 10.0)[0] == 0
        starts_ms = np.arange(0, 100, 10.0)
        assert fano_factor(times_ms, np.zeros(1000, int), 1, 100.0, 10.0, starts_ms)[0] == 0
        assert fano_factor([0.0], [0], 1, 20.0, 10.0)[0] == pytest.approx(0.5)

    def test_an_unfinished_bin_is_left_out(self):
        mean, variance = count_moments([1.0, 24.0], [0, 0], 2, 25.0, 10.0)
        assert (mean.tolist(), variance.tolist()) == ([0.5, 0], [0.25, 0])
        assert fano_factor([1.0, 24.0], [0, 0], 1, 25.0, 10.0)[0] == 0.5

    def test_equals_one_loop_per_neuron(self):
        times_ms, ids = poisson(7, 3.0, seed=3)
        table = np.stack([np.histogram(times_ms[ids == one], np.arange(0, DURATION_MS + 1, 500))[0]
                          for one in range(7)])
        np.testing.assert_allclose(fano_factor(times_ms, ids, 7, DURATION_MS, 500.0),
                                   table.var(axis=1) / table.mean(axis=1), rtol=1e-12)

    @pytest.mark.parametrize(
        ("given", "sentence"),
        [
            ({"window_ms": 60.0}, "bin_ms: two whole bins must fit into 100 ms (got 60 ms)"),
            ({"window_ms": 0.0}, "bin_ms: must be a finite number above 0 (got 0.0)"),
            ({"starts_ms": [0.0]}, "starts_ms: must be at least 2 finite times (got shape (1,))"),
            ({"starts_ms": [0.0, 5.0]}, "starts_ms: windows of 10 ms must not overlap "
                                        "(got two starts 5 ms apart)"),
            ({"starts_ms": [0.0, 95.0]}, "starts_ms: windows must lie in 0 to 100 ms "
                                         "(got 0 to 105 ms)"),
            ({"starts_ms": [-5.0, 50.0]}, "starts_ms: windows must lie in 0 to 100 ms "
                                          "(got -5 to 60 ms)"),
            ({"n": 0}, "ids: must lie in 0 to n - 1 = -1 (got 0 to 0)"),
        ],
    )
    def test_refusals(self, given, sentence):
        wanted = {"n": 1, "duration_ms": 100.0, "window_ms": 10.0, **given}
        with pytest.raises(InputError, match=f"^{re.escape(sentence)}$"):
            fano_factor([1.0], [0], **wanted)


class TestSynchrony:
    def test_the_same_everywhere_is_one_and_opposite_is_zero(self):
        wave = np.sin(np.arange(100))
        assert signal_synchrony(np.tile(wave[:, None] - 80, 5)) == pytest.approx(1)
        assert signal_synchrony(np.stack([wave, -wave], axis=1)) == pytest.approx(0, abs=1e-8)

    @pytest.mark.parametrize("n", [25, 100])
    def test_independent_falls_like_one_over_root_n(self, n):
        signals = np.random.default_rng(4).normal(size=(5000, n))
        assert signal_synchrony(signals) == pytest.approx(1 / np.sqrt(n), rel=0.06)
        assert count_synchrony(*poisson(n, 10.0, seed=5), n, DURATION_MS, 20.0) == pytest.approx(
            1 / np.sqrt(n), rel=0.06)

    def test_counts_equal_the_signals_of_the_neurons_that_vary(self):
        times_ms, ids = poisson(9, 4.0, seed=6, duration_ms=5000.0)
        table = np.stack([np.histogram(times_ms[ids == one], np.arange(0, 5001, 25))[0]
                          for one in range(9)], axis=1)
        wanted = signal_synchrony(table)
        assert count_synchrony(times_ms, ids, 12, 5000.0, 25.0) == pytest.approx(wanted, rel=1e-12)

    def test_a_mother_train_of_correlation_c(self):
        n, copied = 200, 0.3
        chi = count_synchrony(*mother(n, 5.0, copied, seed=7), n, DURATION_MS, 50.0)
        assert chi**2 == pytest.approx(1 / n + copied * (1 - 1 / n), rel=0.05)

    def test_nothing(self):
        assert np.isnan(count_synchrony(*NOTHING, 3, 100.0, 10.0))
        assert np.isnan(signal_synchrony(np.full((10, 3), -80.0)))

    @pytest.mark.parametrize("signals", [np.zeros(5), np.zeros((1, 3)), np.zeros((5, 0)),
                                         np.full((5, 2), np.nan)])
    def test_refusals(self, signals):
        with pytest.raises(InputError, match=r"^signals: "):
            signal_synchrony(signals)


class TestPeristimulus:
    def test_a_step_at_the_event(self):
        events_ms = np.arange(100.0, 900, 100)
        times_ms = np.concatenate([events_ms + lag for lag in (2.0, 4.0, 7.0)])
        edges_ms, rate_hz = peristimulus_rate(times_ms, events_ms, 20, 20, 5, 1000.0, n=2)
        np.testing.assert_array_equal(edges_ms, np.arange(-20, 21, 5))
        np.testing.assert_allclose(rate_hz, [0, 0, 0, 0, 200, 100, 0, 0])

    def test_a_spike_at_the_event_belongs_to_the_bin_before_as_in_the_rate(self):
        _, rate_hz = peristimulus_rate([50.0], [50.0], 10, 10, 10, 100.0, n=1)
        np.testing.assert_allclose(rate_hz, [100, 0])
        _, rate_hz = peristimulus_rate([0.0, 40.0, 60.0], [0.0, 40.0], 0, 20, 10, 100.0, n=1)
        np.testing.assert_allclose(rate_hz, [50, 50])

    @pytest.mark.parametrize(
        ("given", "sentence"),
        [({"events_ms": []}, "events_ms: must be at least one"),
         ({"events_ms": [95.0]}, "events_ms: must be at least one"),
         ({"before_ms": 7}, "before_ms, after_ms: must be whole numbers of bins"),
         ({"before_ms": 0, "after_ms": 0}, "before_ms, after_ms: must be whole"),
         ({"before_ms": np.nan}, "before_ms, after_ms: must be whole"),
         ({"n": 0}, "n: must be at least 1"), ({"bin_ms": -1}, "bin_ms: must be a finite")],
    )
    def test_refusals(self, given, sentence):
        wanted = {"events_ms": [50.0], "before_ms": 10, "after_ms": 10, "bin_ms": 5,
                  "duration_ms": 100.0, "n": 1, **given}
        with pytest.raises(InputError, match=f"^{sentence}"):
            peristimulus_rate([1.0], **wanted)


class TestSpectrum:
    def test_poisson_is_flat_at_twice_the_rate_over_n(self):
        times_ms, _ = poisson(40, 8.0, seed=8)
        frequencies_hz, density = population_spectrum(times_ms, 40, DURATION_MS)
        assert density[frequencies_hz > 5].mean() == pytest.approx(2 * 8.0 / 40, rel=0.02)

    def test_a_rhythm_is_found_where_it_is(self):
        times_ms, _ = poisson(10, 20.0, seed=21)
        chance = (1 + np.sin(2 * np.pi * 40 * times_ms / 1000)) / 2
        times_ms = times_ms[np.random.default_rng(22).random(times_ms.size) < chance]
        frequencies_hz, density = population_spectrum(times_ms, 10, DURATION_MS)
        assert frequencies_hz[density.argmax()] == 40

    def test_the_integral_is_the_variance(self):
        signal = np.random.default_rng(9).normal(3.0, 2.0, 60_000)
        frequencies_hz, density = power_spectrum(signal, step_ms=1.0)
        assert np.sum(density) * frequencies_hz[1] == pytest.approx(4, rel=0.02)

    def test_nothing_is_zero(self):
        assert not population_spectrum([], 3, 1000.0)[1].any()

    @pytest.mark.parametrize(
        ("call", "sentence"),
        [(lambda: population_spectrum([1.0], 0, 100.0), "n: must be at least 1"),
         (lambda: population_spectrum([101.0], 1, 100.0), "times_ms: must lie in 0 to 100 ms"),
         (lambda: power_spectrum([1.0], 1.0), "signal: must be at least 2"),
         (lambda: power_spectrum([1.0, np.nan], 1.0), "signal: must be at least 2"),
         (lambda: power_spectrum([1.0, 2.0], 0.0), "step_ms: must be a finite"),
         (lambda: power_spectrum([1.0, 2.0], 1.0, 1.0), "segment_ms: must be at least 2 steps")],
    )
    def test_refusals(self, call, sentence):
        with pytest.raises(InputError, match=f"^{sentence}"):
            call()


class TestField:
    def test_weights_and_delay_of_the_sum(self):
        ampa, gaba = np.zeros((2, 200, 3))
        ampa[50, 0], gaba[100, 1] = 2.0, -2.0
        field = reference_weighted_sum(ampa, gaba, step_ms=0.5)
        rise = field - field[0]
        assert rise.nonzero()[0].tolist() == [62, 100]
        assert rise[100] / rise[62] == pytest.approx(1.65)
        assert (field.mean(), field.std()) == (pytest.approx(0), pytest.approx(1))

    def test_a_constant_is_zero(self):
        assert not reference_weighted_sum(np.ones(5), -np.ones(5), 1.0).any()

    def test_a_spike_far_away_comes_later_and_smaller(self):
        at = np.array([[0, 0, 0], [200.0, 0, 0]])
        near = kernel_field([100.0], [0], at, [0, 0, 0], 300.0, step_ms=0.1)
        far = kernel_field([100.0], [1], at, [0, 0, 0], 300.0, step_ms=0.1)
        assert near.max() == pytest.approx(3.0, rel=1e-3)
        assert far.max() == pytest.approx(3.0 / np.e, rel=1e-3)
        assert near.argmax() * 0.1 == pytest.approx(110.4, abs=0.15)
        assert far.argmax() * 0.1 == pytest.approx(111.4, abs=0.15)
        assert near.sum() * 0.1 == pytest.approx(3.0 * 2.1 * np.sqrt(2 * np.pi), rel=1e-4)

    def test_on_a_torus_the_nearest_image_counts(self):
        at = [[290.0, 0, 0]]
        open_, torus = (kernel_field([50.0], [0], at, [10.0, 0, 0], 100.0, side_um=side).max()
                        for side in (None, 300.0))
        assert torus == pytest.approx(open_ * np.exp(260 / 200), rel=0.1)

    def test_nothing_is_zero(self):
        assert not kernel_field(*NOTHING, np.zeros((2, 3)), [0, 0, 0], 100.0).any()

    @pytest.mark.parametrize(
        ("call", "sentence"),
        [(lambda: reference_weighted_sum([1.0], [1.0, 2.0], 1.0), "ampa_pa, gaba_pa: must be of"),
         (lambda: reference_weighted_sum([], [], 1.0), "ampa_pa, gaba_pa: must be of"),
         (lambda: reference_weighted_sum([np.inf], [0.0], 1.0), "ampa_pa, gaba_pa: every"),
         (lambda: reference_weighted_sum([1.0], [1.0], 0.0), "step_ms: must be"),
         (lambda: kernel_field([1.0], [0], [[0, 0]], [0, 0, 0], 9.0), "positions_um: must be"),
         (lambda: kernel_field([1.0], [0], [[0, 0, 0]], [0, 0], 9.0), "electrode_um: must be"),
         (lambda: kernel_field([1.0], [1], [[0, 0, 0]], [0, 0, 0], 9.0), "ids: must lie in"),
         (lambda: kernel_field([1.0], [0], [[0, 0, 0]], [0, 0, 0], 9.0, side_um=-1.0),
          "side_um: must be")],
    )
    def test_refusals(self, call, sentence):
        with pytest.raises(InputError, match=f"^{sentence}"):
            call()


class TestCorrelation:
    @pytest.mark.parametrize("copied", [0.05, 0.4])
    def test_copies_of_a_mother_train_have_the_correlation_of_the_copying(self, copied):
        found = count_correlation(*mother(60, 5.0, copied, seed=10), 60, DURATION_MS, 50.0)
        assert found.mean == pytest.approx(copied, abs=0.01)

    def test_it_is_the_same_at_every_distance_for_a_shared_train(self):
        at = np.random.default_rng(11).random((80, 3)) * 300
        times_ms, ids = mother(80, 5.0, 0.2, seed=11)
        found = correlation_by_distance(times_ms, ids, at, DURATION_MS, 50.0, [0, 100, 200, 600])
        np.testing.assert_allclose(found.mean, 0.2, atol=0.02)
        assert found.pairs.sum() == 80 * 79 / 2
        whole = count_correlation(times_ms, ids, 80, DURATION_MS, 50.0)
        mean = (found.mean * found.pairs).sum() / found.pairs.sum()
        assert mean == pytest.approx(whole.mean, rel=1e-12)

    def test_near_pairs_share_and_far_ones_do_not(self):
        one, other = mother(20, 5.0, 0.3, seed=12), mother(20, 5.0, 0.3, seed=13)
        at = np.concatenate([np.zeros((20, 3)), np.full((20, 3), 100.0)])
        found = correlation_by_distance(
            np.concatenate([one[0], other[0]]), np.concatenate([one[1], other[1] + 20]), at,
            DURATION_MS, 50.0, [0, 50, 300])
        assert found.mean == pytest.approx([0.3, 0.0], abs=0.02)
        assert found.pairs.tolist() == [380, 400]

    def test_spread_is_that_of_the_pairs(self):
        times_ms, ids = poisson(30, 3.0, seed=14, duration_ms=5000.0)
        found = correlation_by_distance(times_ms, ids, np.zeros((30, 3)), 5000.0, 50.0, [0, 1])
        whole = count_correlation(times_ms, ids, 30, 5000.0, 50.0)
        assert found.sd[0] == pytest.approx(whole.sd, rel=1e-9)

    def test_a_torus_brings_walls_together(self):
        at = [[1.0, 0, 0], [99.0, 0, 0]]
        spikes = [5.0, 5.0], [0, 1]
        for side, pairs in ((None, [0, 1]), (100.0, [1, 0])):
            found = correlation_by_distance(*spikes, at, 100.0, 10.0, [0, 50, 100], side)
            assert found.pairs.tolist() == pairs

    def test_nothing_makes_no_pairs(self):
        found = correlation_by_distance(*NOTHING, np.zeros((3, 3)), 100.0, 10.0, [0, 50])
        assert found.pairs.tolist() == [0]
        assert np.isnan(found.mean).all()
        assert np.isnan(found.sd).all()

    @pytest.mark.parametrize(
        ("given", "sentence"),
        [({"edges_um": [0]}, "edges_um: must"), ({"edges_um": [0, 5, 5]}, "edges_um: must"),
         ({"edges_um": [-1, 5]}, "edges_um: must"), ({"edges_um": [0, np.inf]}, "edges_um: must"),
         ({"positions_um": [[0, 0, np.nan]]}, "positions_um: must"),
         ({"sample": 1}, "sample: must be at least 2"), ({"bin_ms": 60.0}, "bin_ms: two whole")],
    )
    def test_refusals(self, given, sentence):
        wanted = {"positions_um": [[0, 0, 0]], "duration_ms": 100.0, "bin_ms": 10.0,
                  "edges_um": [0, 50], **given}
        with pytest.raises(InputError, match=f"^{sentence}"):
            correlation_by_distance([1.0], [0], **wanted)


def test_refusals_are_errors_of_the_project():
    assert issubclass(InputError, NeostriatumError)
    assert InputError.exit_code == 2
