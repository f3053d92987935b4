"""The five cells of the preset, each number that they were measured to have before, on an engine.

Within 2 %, one spike, or 2 % of the distance that a latency can have. Rest and resistance of the
same equations stepped by NumPy, and what does not depend on the step, are in
`test_shipped_models.py`.
"""

import functools

import numpy as np
import pytest

import neostriatum as ns
from neostriatum.experiments.protocols.electrode import Electrode

TYPES = ("dSPN", "iSPN", "FS", "LTS", "ChIN")
#: Holds off the current that LTS and ChIN have by themselves [pA].
HOLD = {"dSPN": 0, "iSPN": 0, "FS": 0, "LTS": -15, "ChIN": -21}
#: The numbers of ChIN were measured before `a` was moved for the pause.
FORMER = {"cells.ChIN.parameters.a": "0.005 / ms"}
#: SPNs without z, which were compared with those that have it.
LIGHT = {
    "dSPN": {"g_L": "7.7 nS", "E_L": "-77 mV", "g_A": "6.7 nS", "b": "-0.4 nS", "d": "53 pA"},
    "iSPN": {"g_L": "7.0 nS", "E_L": "-75 mV", "g_A": "4.7 nS", "b": "-0.6 nS"},
}
WITHOUT_Z = {cell: {f"cells.{cell}.parameters.{name}": value
                    for name, value in (LIGHT[cell] | {"b_z": "0 nS"}).items()}
             for cell in LIGHT}


@functools.cache
def measured(cell, kind, phi=0.0, light=False, **options):
    """Values and table of a protocol on a cell of the preset."""
    changes = dict(WITHOUT_Z[cell]) if light else FORMER if cell == "ChIN" else {}
    result = ns.protocol(cell, kind, circuit="striatum", hold=f"{HOLD[cell]} pA",
                         dopamine=phi, changes=changes, **options)
    return result.values, result.table


@pytest.mark.parametrize(("cell", "rest", "step", "resistance", "tau"), [
    ("dSPN", -81.9, -50, 110.8, 13.5), ("iSPN", -79.9, -50, 127.3, 13.0),
    ("FS", -67.0, -50, 87.5, 9.6), ("LTS", -59.0, -6, 694, 23.4), ("ChIN", -58.0, -8, 333, 38.8)])
def test_rest_resistance_and_time_constant(cell, rest, step, resistance, tau):
    values, _ = measured(cell, "rin", current=f"{step} pA", duration="600 ms")
    assert values["rest_mv"] == pytest.approx(rest, abs=0.1)
    assert values["resistance_mohm"] == pytest.approx(resistance, rel=0.02)
    assert values["tau_ms"] == pytest.approx(tau, rel=0.02)


@pytest.mark.parametrize(("cell", "rheobase", "threshold"), [
    ("dSPN", 315, -37.3), ("iSPN", 245, -38.3), ("FS", 316, -41.8), ("LTS", 20.3, -35.2),
    ("ChIN", 9.8, -44.2)])
def test_rheobase_and_threshold(cell, rheobase, threshold):
    values, _ = measured(cell, "rheobase")
    assert values["rheobase_pa"] == pytest.approx(rheobase, rel=0.02)
    assert values["threshold_mv"] == pytest.approx(threshold, rel=0.02)


@pytest.mark.parametrize(("cell", "rheobases"), [
    ("dSPN", (315, 305.5, 290, 284)), ("iSPN", (245, 249, 257, 259))])
def test_rheobase_moves_with_dopamine(cell, rheobases):
    found = [measured(cell, "rheobase", phi)[0]["rheobase_pa"] for phi in (0.0, 0.3, 0.8, 1.0)]
    np.testing.assert_allclose(found, rheobases, rtol=0.005)


@pytest.mark.parametrize(("cell", "latencies", "seconds"), [
    ("dSPN", (482, 442, 376, 291, 103, 38), (90, 107, 122, 129, 132)),
    ("iSPN", (482, 437, 364, 273, 82, 33), (85, 100, 116, 122, 125))])
def test_late_first_spikes_and_an_earlier_pulse(cell, latencies, seconds):
    values, table = measured(cell, "latency")
    np.testing.assert_allclose(table["latency_ms"], latencies, rtol=0.02, atol=1)
    np.testing.assert_allclose([*table["second_ms"], values["first_ms"]], seconds, rtol=0.02)


def test_fast_spiking_cells_fire_late_too():
    # 1 pA above the rheobase, as a search by halves found it.
    _, table = measured("FS", "fi", sweep=("317.41 pA",))
    assert table["latency_ms"][0] == pytest.approx(372, rel=0.02)


#: Steady rates at steps above the rheobase.
RATES = {
    "dSPN": ((20, 60, 120, 200), (7.5, 13.3, 22.5, 34)),
    "iSPN": ((20, 60, 120, 200), (7.5, 13.3, 23.3, 36)),
    "FS": ((40, 60, 100, 200, 300, 600, 800), (43, 57, 73, 104, 130, 200, 242)),
    "LTS": ((2, 5, 10, 20, 40, 80, 150, 300), (5.6, 9.8, 15.2, 26, 46.6, 83, 135, 213)),
}


@pytest.mark.parametrize("cell", RATES)
def test_steady_rates(cell):
    above, rates = RATES[cell]
    least = {"dSPN": 315, "iSPN": 245, "FS": 316, "LTS": 20.3}[cell]
    _, table = measured(cell, "fi", sweep=tuple(f"{least + each} pA" for each in above))
    np.testing.assert_allclose(table["steady_hz"], rates, rtol=0.02, atol=1 / 1.2)
    assert max(each for each in table["cv"] if each is not None) < 0.05


def test_fast_spiking_cells_stutter_just_above_the_rheobase():
    above, rates = (5, 10, 20, 30), (10.8, 15, 22.5, 31.7)
    _, table = measured("FS", "fi", sweep=tuple(f"{316 + each} pA" for each in above))
    np.testing.assert_allclose(table["steady_hz"], rates, atol=2.6)
    assert min(table["cv"]) > 0.75


def test_cholinergic_cells_fire_by_themselves():
    drive = tuple(f"{9.8 + each} pA" for each in (4, 8, 16, 32, 64, 128))
    _, table = measured("ChIN", "fi", sweep=drive, duration="12 s")
    np.testing.assert_allclose(table["steady_hz"], (1.8, 2.5, 3.5, 5.2, 8.3, 15), atol=0.15)


@pytest.mark.parametrize(("own", "base", "pause"), [
    (20, 466, 770), (26, 368, 662), (40, 261, 541)])
def test_the_pause_of_cholinergic_cells_after_a_burst(own, base, pause):
    electrode = Electrode(ns.load("striatum"), "ChIN", "numba", hold_pa=-21.0)
    edges = [0.0, *(3000.0 + 20 * pulse + end for pulse in range(10) for end in (0, 3))]
    currents = [float(own), *[own + 900.0, float(own)] * 10]
    spikes = electrode.course(edges, currents, 6000.0).spikes_ms
    before = spikes[(spikes > 1000) & (spikes < 3000)]
    assert np.diff(before).mean() == pytest.approx(base, rel=0.02)
    last = spikes[(spikes >= 3000) & (spikes < 3220)][-1]
    assert spikes[spikes > last][0] - last == pytest.approx(pause, rel=0.02)


def test_the_protocol_measures_that_pause():
    result = ns.protocol("ChIN", "burst-pause", circuit="striatum", hold="-1 pA")
    assert result.values["base_ms"] == pytest.approx(466, rel=0.02)
    assert result.values["pause_ms"] == pytest.approx(770, rel=0.02)


def test_low_threshold_spiking_cells_rebound():
    _, table = measured("LTS", "rebound", sweep=("-40 pA", "-60 pA"))
    assert table["spikes_after"] == [0, 1]
    assert table["latency_ms"][1] == pytest.approx(43, rel=0.02)


@pytest.mark.parametrize(("cell", "rest", "resistance", "tau", "rheobase", "latency"), [
    ("dSPN", -82.1, 106, 13.2, 308, 345), ("iSPN", -79.95, 127, 14.1, 239, 350)])
def test_cells_without_z_lack_the_effect_of_an_earlier_pulse_alone(cell, rest, resistance, tau,
                                                                   rheobase, latency):
    values, _ = measured(cell, "rin", light=True, current="-50 pA", duration="600 ms")
    assert values["rest_mv"] == pytest.approx(rest, abs=0.1)
    assert values["resistance_mohm"] == pytest.approx(resistance, rel=0.02)
    assert values["tau_ms"] == pytest.approx(tau, rel=0.02)
    values, table = measured(cell, "latency", light=True, sweep=("1 pA",))
    assert values["rheobase_pa"] == pytest.approx(rheobase, rel=0.02)
    assert table["latency_ms"][0] == pytest.approx(latency, rel=0.1)
    np.testing.assert_allclose(table["second_ms"], values["first_ms"], rtol=0.02)


def test_cells_of_the_preset_are_all_here():
    assert ns.load("striatum").types == TYPES


@pytest.mark.parametrize(("source", "target", "size"), [
    ("dSPN", "dSPN", 0.25), ("iSPN", "dSPN", 0.27), ("dSPN", "iSPN", 0.34), ("iSPN", "iSPN", 0.46),
    ("FS", "dSPN", 2.51), ("FS", "iSPN", 2.85), ("LTS", "dSPN", 0.80), ("LTS", "iSPN", 0.90)])
def test_postsynaptic_potentials(source, target, size):
    made = ns.pair(source, target, circuit="striatum", holding="-80 mV", dopamine=0.0,
                   engine="numba")
    assert made.psp_mv == pytest.approx(size, rel=0.03, abs=0.006)


def test_a_cholinergic_cell_excites_a_fast_spiking_one():
    made = ns.pair("ChIN", "FS", circuit="striatum", engine="numba")
    assert 2.5 < made.psp_mv < 3.5
    assert made.holding_mv == pytest.approx(-67 + 7 * 0.3, abs=0.01)
