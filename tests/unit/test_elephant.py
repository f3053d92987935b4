"""Our measures are those of Elephant."""


import numpy as np
import pytest
from spiketrains import poisson

from neostriatum.analysis import (
    count_correlation,
    fano_factor,
    isi_cv,
    isi_cv2,
    peristimulus_rate,
    population_spectrum,
)


@pytest.mark.filterwarnings("ignore")  # of Elephant's own libraries
class TestElephant:
    """The field's own statistics on the same spikes, to within 1e-9."""

    BIN_MS, DURATION_MS, N = 20.0, 20_000.0, 12

    @pytest.fixture(scope="class")
    def trains(self):
        import neo
        import quantities as pq

        times_ms, ids = poisson(self.N, 8.0, seed=20, duration_ms=self.DURATION_MS)
        made = [neo.SpikeTrain(np.sort(times_ms[ids == one]) * pq.ms, t_stop=self.DURATION_MS)
                for one in range(self.N)]
        return times_ms, ids, made

    def binned(self, trains):
        import quantities as pq
        from elephant.conversion import BinnedSpikeTrain

        return BinnedSpikeTrain(trains, bin_size=self.BIN_MS * pq.ms)

    def test_cv_and_cv2(self, trains):
        from elephant.statistics import cv, cv2
        from elephant.statistics import isi as intervals

        times_ms, ids, made = trains
        for ours, theirs in ((isi_cv, cv), (isi_cv2, cv2)):
            wanted = [float(theirs(intervals(train).magnitude)) for train in made]
            np.testing.assert_allclose(ours(times_ms, ids)[1], wanted, rtol=0, atol=1e-9)

    def test_fano_factor(self, trains):
        from elephant.statistics import fanofactor

        times_ms, ids, made = trains
        starts = np.arange(0, self.DURATION_MS, 500.0)
        ours = fano_factor(times_ms, ids, self.N, self.DURATION_MS, 500.0)
        for one, train in enumerate(made):
            pieces = [train.magnitude[(train.magnitude > start) & (train.magnitude <= start + 500)]
                      for start in starts]
            assert ours[one] == pytest.approx(fanofactor(pieces), abs=1e-9)

    def test_correlation(self, trains):
        from elephant.spike_train_correlation import correlation_coefficient

        times_ms, ids, made = trains
        matrix = correlation_coefficient(self.binned(made))
        wanted = matrix[np.triu_indices(self.N, 1)]
        found = count_correlation(times_ms, ids, self.N, self.DURATION_MS, self.BIN_MS)
        assert found.mean == pytest.approx(wanted.mean(), abs=1e-9)
        assert found.sd == pytest.approx(wanted.std(ddof=1), abs=1e-9)

    def test_rate_over_time(self, trains):
        import quantities as pq
        from elephant.statistics import time_histogram

        times_ms, _, made = trains
        wanted = time_histogram(made, self.BIN_MS * pq.ms, output="counts").magnitude.ravel()
        _, rate_hz = peristimulus_rate(times_ms, [0.0], 0, self.DURATION_MS, self.BIN_MS,
                                       self.DURATION_MS, self.N)
        np.testing.assert_allclose(rate_hz * self.N * self.BIN_MS / 1000, wanted, atol=1e-9)

    def test_spectrum(self, trains):
        import quantities as pq
        from elephant.spectral import welch_psd

        times_ms, _, _ = trains
        counts = np.histogram(times_ms, np.arange(0, self.DURATION_MS + 1))[0]
        signal = counts * 1000.0 / self.N
        frequencies, density = welch_psd(signal, len_segment=500, fs=1000.0 * pq.Hz, overlap=0.5,
                                         window="hann", detrend="constant")
        ours = population_spectrum(times_ms, self.N, self.DURATION_MS)
        np.testing.assert_allclose(ours[0], np.asarray(frequencies), atol=1e-9)
        np.testing.assert_allclose(ours[1], np.asarray(density), rtol=1e-9)
