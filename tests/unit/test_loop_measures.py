"""Phase and coherence, oscillation and synchrony, contrast and classes of selection."""

import numpy as np
import pytest
from spiketrains import poisson

from neostriatum.analysis import (
    channel_contrast,
    coherence,
    oscillation_index,
    phase,
    selection,
    selection_in_turn,
    synchrony_index,
)
from neostriatum.errors import InputError

T_S = np.arange(8000) / 1000
NOISE = np.random.default_rng(1).normal(size=(2, 8000))


def wave(frequency_hz=20.0, late_deg=0.0):
    return np.sin(2 * np.pi * frequency_hz * T_S - np.radians(late_deg))


class TestPhase:
    @pytest.mark.parametrize("late_deg", [0, 30, 90, 150, 179, -60, -135])
    def test_the_first_leads_by_what_the_second_is_late(self, late_deg):
        found = phase(wave() + NOISE[0], wave(late_deg=late_deg) + NOISE[1], 1.0, (15, 25))
        assert (found.mean_deg - late_deg + 180) % 360 - 180 == pytest.approx(0, abs=6)
        assert found.locking > 0.9
        assert (found.density * np.diff(found.edges_deg)).sum() == pytest.approx(1)

    def test_antiphase(self):
        assert abs(phase(wave(), -wave(), 1.0, (15, 25)).mean_deg) == pytest.approx(180, abs=1e-3)

    def test_what_is_outside_the_band_does_not_count(self):
        one, other = wave() + 5 * wave(60), wave(late_deg=90) + 5 * wave(60, 200) + 30
        assert phase(one, other, 1.0, (15, 25)).mean_deg == pytest.approx(90, abs=1)

    def test_independent_signals_are_not_locked(self):
        assert phase(*NOISE, 1.0, (15, 25)).locking < 0.3

    def test_a_constant_has_no_phase(self):
        found = phase(wave(), np.ones(8000), 1.0, (15, 25))
        assert np.isnan([found.mean_deg, found.locking]).all()
        assert np.isnan(found.density).all()

    @pytest.mark.parametrize(("arguments", "message"), [
        ((wave(), wave()[:-1], 1.0, (15, 25)), "second: must be as long as first (got 7999 and"),
        ((wave(), wave(), 1.0, (25, 15)), "band_hz: must rise within 0 to 500 Hz"),
        ((wave(), wave(), 1.0, (15, 500)), "band_hz: must rise within 0 to 500 Hz"),
        ((wave()[:9], wave()[:9], 1.0, (15, 25)), "first: must be longer to be filtered (got 9"),
        (([np.nan, 1], [0, 1], 1.0, (15, 25)), "first: must be at least 2 finite numbers"),
        ((wave(), wave(), 0.0, (15, 25)), "step_ms: must be"),
        ((wave(), wave(), 1.0, (15, 25), 0), "bins: must be at least 1 (got 0)"),
    ])
    def test_refused(self, arguments, message):
        with pytest.raises(InputError) as error:
            phase(*arguments)
        assert str(error.value).startswith(message)


class TestCoherence:
    def test_signals_that_share_a_rhythm(self):
        frequencies_hz, found = coherence(wave() + NOISE[0], wave(late_deg=77) + NOISE[1], 1.0)
        assert frequencies_hz[found.argmax()] == 20
        assert found.max() > 0.95
        # Of 31 segments that overlap by half, whose windows hardly share anything.
        assert found[np.abs(frequencies_hz - 20) > 5].mean() == pytest.approx(1 / 31, rel=0.25)

    def test_one_segment_alone_is_refused(self):
        with pytest.raises(InputError, match=r"segment_ms: must be 2 steps or more, and fit twice"):
            coherence(wave()[:700], wave()[:700], 1.0)


class TestIndices:
    def test_share_of_a_band(self):
        # Power is half the square of the amplitude.
        rate = 30 + 2 * wave(20) + wave(10)
        assert oscillation_index(rate, 1.0) == pytest.approx(4 / 5, abs=0.01)
        assert oscillation_index(rate, 1.0, (8, 12)) == pytest.approx(1 / 5, abs=0.01)
        assert np.isnan(oscillation_index(np.ones(3000), 1.0))

    def test_flat_noise_has_the_width_of_the_band(self):
        assert oscillation_index(NOISE[0], 1.0) == pytest.approx(11 / 32, rel=0.25)

    def test_independent_neurons_have_one_and_copies_their_number(self):
        times_ms, _ = poisson(100, 10.0, seed=1)
        counts = np.bincount((times_ms / 2).astype(int))
        assert synchrony_index(counts) == pytest.approx(1, abs=0.05)
        assert synchrony_index(7 * counts) == pytest.approx(7 * synchrony_index(counts))
        assert np.isnan(synchrony_index(np.zeros(5)))

    def test_refused(self):
        with pytest.raises(InputError, match=r"band_hz: must rise within 0 to 32 Hz"):
            oscillation_index(wave(), 1.0, (15, 40))
        with pytest.raises(InputError, match=r"counts: must be at least 2 numbers from 0 on"):
            synchrony_index([1, -1])


class TestSelection:
    def test_classes_of_a_pulse(self):
        # SNr of both channels at saliences of the first and the second.
        found = {(1, 1): (28.4, 28.6), (2, 1): (4.4, 72.4), (3, 3): (7.1, 11.0)}
        assert [selection(pair) for pair in found.values()] == ["none", "single", "dual"]
        assert channel_contrast(found[2, 1]) == 68.0
        assert selection([14.0, 13.9]) == "single"  # at the threshold is not below it
        assert selection([4.4, 72.4], 4.0) == "none"

    @pytest.mark.parametrize(("alone", "together", "name"), [
        ((9, 9), (9, 9), "none"), ((9, 9), (9, 1), "single"), ((1, 9), (1, 9), "single"),
        ((1, 9), (9, 9), "interference"), ((1, 9), (9, 1), "switching"), ((1, 9), (1, 1), "dual"),
        ((9, 9), (1, 9), "invalid"), ((9, 9), (1, 1), "invalid")])
    def test_classes_of_two_in_turn(self, alone, together, name):
        assert selection_in_turn(alone, together) == name

    def test_refused(self):
        with pytest.raises(InputError, match=r"rates_hz: must be two rates from 0 on"):
            selection([1.0, 2.0, 3.0])
        with pytest.raises(InputError, match=r"threshold_hz: must be above 0 \(got 0\)"):
            selection([1.0, 2.0], 0.0)
