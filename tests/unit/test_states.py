"""Up and down states, and cell assemblies, where they were planted."""


import numpy as np
import pytest
from spiketrains import NOTHING, poisson, spikes_of

from neostriatum.analysis import (
    cell_assemblies,
    up_down_states,
)
from neostriatum.errors import InputError


class TestStates:
    @staticmethod
    def two_states(seed=15, noise_mv=1.5, step_ms=1.0):
        """Up at [200, 500), [800, 1500) and [1900, 2000), smooth noise, a spike in an up state."""
        times_ms = np.arange(0, 2000, step_ms)
        up = np.zeros(times_ms.size, bool)
        for start, stop in ((200, 500), (800, 1500), (1900, 2000)):
            up |= (times_ms >= start) & (times_ms < stop)
        v_mv = np.where(up, -56.0, -78.0)
        v_mv += np.random.default_rng(seed).normal(0, noise_mv, v_mv.size)
        v_mv[np.searchsorted(times_ms, 1000)] = 40.0
        return times_ms, v_mv

    @pytest.mark.parametrize("step_ms", [0.5, 1.0])
    def test_the_transitions_are_those_of_the_trace(self, step_ms):
        found = up_down_states(*self.two_states(step_ms=step_ms))
        assert found.bimodal
        np.testing.assert_allclose(found.starts_ms, [200, 800, 1900])
        np.testing.assert_allclose(found.stops_ms, [500, 1500, 2000])
        assert found.up_share == pytest.approx(0.55)
        assert found.down_mv == pytest.approx(-78, abs=0.2)
        assert found.up_mv == pytest.approx(-56, abs=0.4)

    def test_noise_between_the_thresholds_does_not_cut_a_state(self):
        times_ms, v_mv = self.two_states()
        v_mv[900:1400:7] = -66.0  # halfway down, again and again
        v_mv[1300:1400] = v_mv[600:700] = -66.0  # halfway for long: it stays what it was
        v_mv[1200:1220] = -78.0  # down, but for less than a state lasts
        v_mv[1700:1720] = -56.0  # up, for as short
        found = up_down_states(times_ms, v_mv)
        np.testing.assert_allclose(found.starts_ms, [200, 800, 1900])
        np.testing.assert_allclose(found.stops_ms, [500, 1500, 2000])

    @pytest.mark.parametrize(
        "v_mv", [np.full(500, -80.0), np.random.default_rng(16).normal(-70, 4, 5000),
                 np.linspace(-80, -60, 500), np.random.default_rng(23).gamma(1.0, 6.0, 5000) - 80,
                 -80 + 25 * (np.arange(500) > 490)])
    def test_one_state_is_not_two(self, v_mv):
        found = up_down_states(np.arange(v_mv.size, dtype=float), v_mv)
        assert not found.bimodal
        assert found.starts_ms.size == found.stops_ms.size == 0
        assert (found.up_share, np.isnan(found.enter_mv)) == (0, True)

    def test_separation_is_that_of_the_laws_drawn_from(self):
        rng = np.random.default_rng(17)
        v_mv = np.concatenate([rng.normal(-80, 2, 30_000), rng.normal(-68, 3, 10_000)])
        found = up_down_states(np.arange(40_000.0), v_mv)
        assert found.separation == pytest.approx(12 / np.sqrt((4 + 9) / 2), rel=0.03)

    @pytest.mark.parametrize(
        ("given", "sentence"),
        [(([0.0], [1.0]), "times_ms, v_mv: must be flat"),
         (([0.0, 1.0], [1.0]), "times_ms, v_mv: must be flat"),
         (([0.0, 1.0], [1.0, np.nan]), "times_ms, v_mv, ceiling_mv: must be finite"),
         (([0.0, 1.0, 3.0], [1.0, 2.0, 3.0]), "times_ms: must rise in even steps"),
         (([1.0, 0.0], [1.0, 2.0]), "times_ms: must rise in even steps"),
         (([0.0, 1.0], [1.0, 2.0], 0.0), "shortest_ms: must be")],
    )
    def test_refusals(self, given, sentence):
        with pytest.raises(InputError, match=f"^{sentence}"):
            up_down_states(*given)


class TestAssemblies:
    BIN_MS, BINS = 25.0, 4000

    def planted(self, groups, seed, n=120, rate=0.025):
        rng = np.random.default_rng(seed)
        own = rng.random((n, self.BINS)) < rate
        active = []
        for group in groups:
            active.append(rng.random(self.BINS) < 0.01)
            for one in group:
                own[one] |= active[-1] & (rng.random(self.BINS) < 0.7)
        return spikes_of(own, self.BIN_MS), active

    @pytest.mark.parametrize("seed", range(3))
    def test_planted_assemblies_are_found_and_no_others(self, seed):
        groups = [range(20), range(15, 35), range(100, 112)]
        (times_ms, ids), active = self.planted(groups, seed)
        found = cell_assemblies(times_ms, ids, 120, self.BINS * self.BIN_MS)
        assert sorted(tuple(x) for x in found.members) == [tuple(group) for group in groups]
        for members, strength in zip(found.members, found.strength, strict=True):
            when = active[[tuple(group) for group in groups].index(tuple(members))]
            assert strength[when].mean() > 20 * np.abs(strength[~when]).mean()
        np.testing.assert_allclose((found.patterns**2).sum(axis=1), 1)

    @pytest.mark.parametrize("n", [100, 400])
    def test_independent_neurons_have_none(self, n):
        for seed in range(2):
            (times_ms, ids), _ = self.planted([], seed, n)
            found = cell_assemblies(times_ms, ids, n, self.BINS * self.BIN_MS)
            assert not found.members
            assert found.patterns.shape == (0, found.ids.size)
            assert found.eigenvalues.sum() == pytest.approx(found.ids.size)

    def test_the_same_call_gives_the_same_answer(self):
        (times_ms, ids), _ = self.planted([range(10), range(30, 45)], seed=4)
        one, other = (cell_assemblies(times_ms, ids, 120, 1e5, sample=60, seed=3)
                      for _ in range(2))
        np.testing.assert_array_equal(one.patterns, other.patterns)
        assert one.ids.size == 60

    def test_strength_is_that_of_pairs_a_neuron_alone_has_none(self):
        (times_ms, ids), _ = self.planted([range(10)], seed=5, n=30)
        found = cell_assemblies(times_ms, ids, 30, self.BINS * self.BIN_MS)
        table = np.zeros((30, self.BINS))
        np.add.at(table, (ids, (times_ms // self.BIN_MS).astype(int)), 1)
        z = (table - table.mean(axis=1, keepdims=True)) / table.std(axis=1, keepdims=True)
        pairs = np.outer(found.patterns[0], found.patterns[0])
        np.fill_diagonal(pairs, 0)
        np.testing.assert_allclose(found.strength[0], np.einsum("ib,ij,jb->b", z, pairs, z),
                                   rtol=1e-9, atol=1e-9)

    def test_never_more_neurons_than_bins(self):
        found = cell_assemblies(*poisson(100, 5.0, seed=18, duration_ms=1000.0), 100, 1000.0)
        assert found.ids.size <= 40

    @pytest.mark.parametrize("spikes", [NOTHING, ([5.0], [0]), ([5.0, 30.0], [0, 0])])
    def test_nothing(self, spikes):
        found = cell_assemblies(*spikes, 3, 50.0)
        assert found.members == ()
        assert found.strength.shape == (0, 2)
        assert np.isnan(found.limit)

    def test_refusals(self):
        for given, sentence in (({"bin_ms": 30.0}, "bin_ms: two"), ({"sample": 1}, "sample: must"),
                                ({"n": 0}, "ids: must lie")):
            with pytest.raises(InputError, match=f"^{sentence}"):
                cell_assemblies([1.0], [0], **{"n": 1, "duration_ms": 50.0, **given})
