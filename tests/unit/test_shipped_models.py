"""What the shipped models do, against numbers that were found before they were written here.

The trees are stepped by NumPy, as the reference engine does; the numbers of `striatal` were fitted
to recordings of mouse cells, those of `adex_rebound` come from the authors' code of Lindahl and
Hellgren Kotaleski 2016 in another implementation, those of releases from Planert et al. 2010.
"""

import numpy as np
import pytest

from neostriatum.engines.plasticity import Plasticity
from neostriatum.models.adex_rebound import ADEX_REBOUND
from neostriatum.models.evaluate import evaluate
from neostriatum.models.striatal import STRIATAL
from neostriatum.models.tsodyks_markram import TSODYKS_MARKRAM
from neostriatum.models.two_pools import TWO_POOLS

COMMON = {"E_K": -95.0, "v_0": -108.0, "v_1": -56.0, "v_A": -62.0, "v_peak": 0.0, "g_K": 0.0,
          "g_A": 0.0, "t_ref": 0.0, "d_z": 0.0, "I_spon": 0.0}
DSPN = COMMON | {"C": 120.0, "g_L": 7.2, "E_L": -76.5, "g_K": 6.0, "g_A": 10.2, "k": 12.0,
                 "v_T": -48.0, "a": 0.01, "b": -0.3, "v_r": -82.0, "d": 55.0, "c": -55.0,
                 "a_z": 1 / 300, "b_z": -2.0, "v_z": -68.0, "s": 1.0}
ISPN = DSPN | {"C": 100.0, "g_L": 6.7, "E_L": -74.7, "g_K": 5.0, "g_A": 7.0, "v_r": -80.0,
               "b_z": -1.8}
FS = COMMON | {"C": 90.0, "g_L": 12.4, "E_L": -67.0, "k": 16.0, "v_T": -50.0, "a": 1 / 150,
               "b": -1.0, "v_r": -67.0, "d": 8.0, "c": -59.0, "t_ref": 0.8, "a_z": 0.5,
               "b_z": 40.0, "v_z": -52.0, "s": 1.0, "d_z": 20.0}
LTS = COMMON | {"C": 39.0, "g_L": 1.0, "E_L": -59.0, "k": 5.0, "v_T": -44.0, "a": 0.02, "b": 0.44,
                "v_r": -59.0, "d": 10.0, "c": -50.0, "t_ref": 1.5, "a_z": 1 / 60, "b_z": -5.0,
                "v_z": -64.0, "s": -1.0}
CHIN = COMMON | {"C": 113.0, "g_L": 1.9, "E_L": -58.0, "k": 12.0, "v_T": -54.0, "a": 1 / 200,
                 "b": 1.1, "v_r": -58.0, "d": 40.0, "c": -60.0, "t_ref": 2.5, "a_z": 1 / 80,
                 "b_z": -2.0, "v_z": -62.0, "s": -1.0}
STN = {"C": 60.0, "g_L": 10.0, "E_L": -80.2, "v_T": -64.0, "D_T": 16.2, "a_low": 0.3,
       "a_high": 0.0, "v_a": -70.0, "tau_w": 333.0, "b": 0.05, "v_reset": -70.0, "v_peak": 15.0,
       "slope_low": -10.0, "max_low": -60.0, "slope_high": 0.0, "max_high": -70.0, "t_ref": 0.0,
       "I_spon": 0.0}
SNR = STN | {"C": 80.0, "g_L": 3.0, "E_L": -55.8, "v_T": -55.2, "D_T": 1.8, "a_low": 3.0,
             "a_high": 3.0, "v_a": -55.8, "tau_w": 20.0, "b": 200.0, "v_reset": -65.0,
             "v_peak": 20.0, "slope_low": 0.0, "max_low": -65.0, "max_high": -65.0}
GPE_TA = STN | {"C": 60.0, "g_L": 1.0, "E_L": -55.1, "v_T": -54.7, "D_T": 2.55, "a_low": 2.5,
                "a_high": 2.5, "v_a": -55.1, "tau_w": 20.0, "b": 105.0, "v_reset": -60.0,
                "slope_low": 0.0, "max_low": -60.0, "max_high": -60.0}


class Cells:
    """Cells of a model that differ in nothing but their current."""

    def __init__(self, model, parameters, count, dt=0.1):
        self.model, self.parameters, self.dt, self.step = model, parameters, dt, 0
        self.states = {state.name: np.full(count, float(evaluate(tree, parameters)))
                       for state, tree in model.starts.items()}
        self.held = np.zeros(count, int)
        self.spikes = []

    def run(self, current, duration_ms):
        """Go on with these currents [pA]; return v at the end."""
        hold = int(np.rint(self.parameters["t_ref"] / self.dt))
        for _ in range(round(duration_ms / self.dt)):
            known = self.parameters | self.states | {"I": current, "dt": self.dt}
            memo = {}
            new = {name: evaluate(tree, known, memo) for name, tree in self.model.steps.items()}
            free = self.held <= 0
            new["v"] = np.where(free, new["v"], self.states["v"])
            self.held = np.where(free, 0, self.held - 1)
            known = self.parameters | new
            fired = evaluate(self.model.fires, known) & free
            after = {name: np.where(fired, evaluate(tree, known), new[name])
                     for name, tree in self.model.resets.items()}
            self.states = new | after
            self.held[fired] = hold
            self.step += 1
            for cell in np.flatnonzero(fired):
                self.spikes.append((self.step * self.dt, cell))
        return self.states["v"]

    def times(self, cell, since=0.0):
        """Spike times of a cell from a time on [ms], counted from it."""
        return np.array([time - since for time, one in self.spikes if one == cell and time > since])


def pulses(parameters, amplitudes, duration_ms=500.0, dt=0.1):
    """First spike [ms] and number of spikes of pulses from rest, one cell each."""
    amplitudes = np.asarray(amplitudes, float)
    cells = Cells(STRIATAL, parameters, len(amplitudes), dt)
    cells.run(np.zeros(len(amplitudes)), 1500.0)
    start = cells.step * dt
    cells.run(amplitudes, duration_ms)
    times = [cells.times(cell, start) for cell in range(len(amplitudes))]
    return [one[0] if len(one) else np.nan for one in times], [len(one) for one in times]


@pytest.mark.parametrize(("parameters", "wanted"), [(DSPN, 315), (ISPN, 245)],
                         ids=["dSPN", "iSPN"])
def test_rheobase_of_projection_neurons_is_that_of_half_a_second(parameters, wanted):
    amplitudes = np.arange(wanted - 6, wanted + 7)
    _, counts = pulses(parameters, amplitudes)
    assert abs(amplitudes[np.argmax(np.array(counts) > 0)] - wanted) <= 1


@pytest.mark.slow
@pytest.mark.parametrize(("parameters", "wanted"), [(DSPN, 315), (ISPN, 245)],
                         ids=["dSPN", "iSPN"])
def test_rheobase_does_not_depend_on_the_step(parameters, wanted):
    amplitudes = np.linspace(wanted - 2, wanted + 2, 41)
    least = []
    for dt in (0.025, 0.05, 0.1, 0.2):
        _, counts = pulses(parameters, amplitudes, dt=dt)
        least.append(amplitudes[np.argmax(np.array(counts) > 0)])
    assert np.ptp(least) <= 0.4


@pytest.mark.slow
@pytest.mark.parametrize(("parameters", "rheobase", "latency", "rates"), [
    (DSPN, 315, (442, 376, 291, 103, 38), (7.5, 13.3, 22.5, 34.0)),
    (ISPN, 245, (437, 364, 273, 82, 33), (7.5, 13.3, 23.3, 36.0))], ids=["dSPN", "iSPN"])
def test_projection_neurons_fire_late_and_then_by_current(parameters, rheobase, latency, rates):
    above = rheobase - 0.5 + np.array([2, 5, 10, 30, 60])
    first, _ = pulses(parameters, above)
    np.testing.assert_allclose(first, latency, rtol=0.1)
    cells = Cells(STRIATAL, parameters, 4)
    cells.run(np.zeros(4), 1000.0)
    start = cells.step * 0.1
    cells.run(rheobase + np.array([20.0, 60, 120, 200]), 2000.0)
    steady = [np.sum(cells.times(cell, start) > 800.0) / 1.2 for cell in range(4)]
    np.testing.assert_allclose(steady, rates, atol=1.7)


@pytest.mark.parametrize(("parameters", "rest", "current", "resistance"), [
    (DSPN, -81.9, -50, 110.8), (ISPN, -79.9, -50, 127.3), (FS, -67.0, -50, 87.5),
    (LTS, -59.0, -6, 694), (CHIN, -58.0, -8, 333)], ids=["dSPN", "iSPN", "FS", "LTS", "ChIN"])
def test_rest_and_input_resistance(parameters, rest, current, resistance):
    cells = Cells(STRIATAL, parameters, 2)
    v = cells.run(np.zeros(2), 1500.0).copy()
    assert v[0] == pytest.approx(rest, abs=0.15)
    after = cells.run(np.array([0.0, float(current)]), 1000.0)
    assert (after[1] - after[0]) / current * 1000 == pytest.approx(resistance, rel=0.03)


@pytest.mark.slow
@pytest.mark.parametrize(("parameters", "wanted", "off"), [(FS, 316, 4), (LTS, 20.3, 0.6),
                                                           (CHIN, 9.8, 0.6)],
                         ids=["FS", "LTS", "ChIN"])
def test_rheobase_of_interneurons(parameters, wanted, off):
    amplitudes = np.linspace(wanted - 3 * off, wanted + 3 * off, 13)
    _, counts = pulses(parameters, amplitudes)
    assert amplitudes[np.argmax(np.array(counts) > 0)] == pytest.approx(wanted, abs=off)


def rate(parameters, current, start_v=None, duration_ms=3000.0):
    """Rate after the first second [Hz]."""
    cells = Cells(ADEX_REBOUND, parameters, 1)
    if start_v is not None:
        cells.states["v"][:] = start_v
    cells.run(np.array([current]), duration_ms)
    return np.sum(cells.times(0) > 1000.0) / (duration_ms - 1000.0) * 1000.0


@pytest.mark.slow
@pytest.mark.parametrize(("parameters", "current", "wanted"), [
    (STN, 6.0, 10.0), (STN, 50.0, 41.5), (STN, 200.0, 112.5), (SNR, 15.0, 14.0),
    (SNR, 100.0, 28.0), (SNR, 300.0, 61.5)])
def test_cells_of_the_basal_ganglia_fire_as_their_authors(parameters, current, wanted):
    assert rate(parameters, current) == pytest.approx(wanted, rel=0.04, abs=0.6)


@pytest.mark.slow
def test_the_arkypallidal_cell_is_bistable():
    assert rate(GPE_TA, 1.0) == 0
    assert rate(GPE_TA, 1.0, start_v=-50.0) == pytest.approx(8.5, abs=0.6)


@pytest.mark.parametrize(("amplitude", "burst"), [(-40, 5), (-80, 9), (-160, 9), (-300, 10)])
def test_the_subthalamic_cell_rebounds(amplitude, burst):
    cells = Cells(ADEX_REBOUND, STN, 1)
    cells.states["v"][:] = -70.0
    cells.run(np.array([6.0 + amplitude]), 600.0)
    cells.run(np.array([6.0]), 300.0)
    times = cells.times(0, 600.0)
    assert abs(len(times) - burst) <= 1
    if amplitude <= -80:
        assert 75 < times[0] < 105


@pytest.mark.slow
def test_without_the_rule_for_low_u_there_is_no_burst():
    plain = STN | {"slope_low": 0.0, "max_low": -70.0}
    cells = Cells(ADEX_REBOUND, plain, 1)
    cells.states["v"][:] = -70.0
    cells.run(np.array([-74.0]), 600.0)
    cells.run(np.array([6.0]), 300.0)
    assert len(cells.times(0, 600.0)) <= 4


def train(model, values):
    """Releases of 8 spikes at 20 Hz and of a ninth 550 ms later, relative to the first."""
    steps = {state.name: values[tau.name] / 0.1 for state, tau in model.decays.items()}
    plasticity = Plasticity(model, values, steps)
    states = {state.name: np.full(1, float(rest)) for state, rest in model.rests.items()}
    return [float(plasticity.release(states, np.array([interval]))[0])
            for interval in (1e7, *[500.0] * 7, 5500.0)]


def test_depression_of_one_pool():
    released = train(TSODYKS_MARKRAM, {"U": 0.42, "tau_rec": 480.0, "tau_fac": 0.0})
    assert released[0] == pytest.approx(1.0)
    np.testing.assert_allclose([released[1], released[7], released[8]], [0.622, 0.216, 0.722],
                               atol=0.002)


def test_facilitation_of_one_pool():
    released = train(TSODYKS_MARKRAM, {"U": 0.48, "tau_rec": 130.0, "tau_fac": 420.0})
    # By hand: x = 1 - 0.48 exp(-50/130), u = 0.48 exp(-50/420), then u + 0.48 (1 - u).
    assert released[1] == pytest.approx(0.984, abs=0.001)
    assert np.all(np.diff(released[:8]) < 0)
    assert released[7] == pytest.approx(0.63, abs=0.02)
    assert released[8] > 1.2


def test_two_pools_have_a_plateau():
    released = train(TWO_POOLS, {"U": 0.6, "share": 0.63, "tau_fast": 60.0, "tau_slow": 2000.0})
    np.testing.assert_allclose(released, [1, .62, .51, .47, .45, .45, .45, .45, .72], atol=0.012)
