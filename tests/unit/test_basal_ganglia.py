"""The loop with two channels: its preset, protocol of an action, figures of what comes of it."""

import numpy as np
import pytest

import neostriatum as ns
from neostriatum import plotting
from neostriatum.analysis import phase
from neostriatum.errors import InputError
from neostriatum.validation.action import CALL_MS, EARLY_MS, TURN_MS, action, called, of_calls
from neostriatum.validation.lab import Lab, Recorded, Unsuited
from neostriatum.validation.loop import loop

WITHIN = ("dSPN->SNr", "iSPN->GPeTI", "iSPN->GPeTF", "GPeTI->SNr", "GPeTF->SNr")


@pytest.fixture(scope="module")
def circuit():
    return ns.load("basal_ganglia")


def test_it_is_lindahls_with_channels(circuit):
    plain = ns.load("lindahl2016").to_dict()
    for key in ("cells", "receptors", "spread", "start", "volume", "nuclei"):
        assert circuit.to_dict()[key] == plain[key]
    for name, pathway in circuit.pathways.items():
        raw = pathway.model_dump(mode="json", exclude_none=True)
        raw["wiring"].pop("same_channel", None)
        other = ns.load(plain).pathways[name].model_dump(mode="json", exclude_none=True)
        assert raw == other
        assert bool(pathway.wiring.same_channel) == (name in WITHIN)


def test_actions_are_silent_until_they_are_called(circuit):
    assert {target.rate.highest for side in ("left", "right")
            for target in circuit.inputs[side].targets.values()} == {0.0}
    wanted = called(circuit, [(2.0, 1.5), (3.0, 1.0)])
    waves = {(side, cell): wanted.inputs[side].targets[cell].rate.steps
             for side in ("left", "right") for cell in ("dSPN", "iSPN")}
    times = [time.value for time in waves["left", "dSPN"].times]
    assert times == pytest.approx([0, 907, 1007, 1914, 2014])
    assert [value.value for value in waves["left", "dSPN"].values] == [0, 546, 0, 1092, 0]
    assert [value.value for value in waves["right", "iSPN"].values] == [0, 0.5 * 721.5, 0, 0, 0]
    # The iSPNs of a channel hear the other action, and all FS the mean of both.
    assert wanted.inputs["left"].targets["iSPN"].channel == "right_called"
    fs = wanted.inputs["both"].targets["FS"]
    assert [value.value for value in fs.rate.steps.values] == pytest.approx(
        [0, 0.75 * 787.3125, 0, 787.3125, 0])
    assert fs.channel is None


def test_square_waves_of_cortex_count_by_their_mean():
    wanted = called(ns.load("basal_ganglia", overlay=["depleted", "activation"]), [(2.0, 1.0)])
    assert wanted.inputs["left"].targets["dSPN"].rate.steps.values[1].value == pytest.approx(546)
    assert wanted.inputs["cortex"].targets["dSPN"].rate.square is not None


def test_calls_are_counted_while_cortex_calls(circuit):
    """Made-up spikes: all of SNr at the first and just after the last moment of each window."""
    network = ns.build(circuit, size=12_000, seed=1)
    span = network.populations["SNr"]
    last = np.array([1, 2]) * TURN_MS - EARLY_MS
    times = np.concatenate([last - CALL_MS + 0.1, last - 1, last + 0.1, last - CALL_MS - 1])
    ids = np.repeat(np.arange(span.start, span.stop), len(times))
    made = Recorded(2 * TURN_MS, np.tile(times, len(span)), ids, np.zeros(0), np.zeros((0, 0)))
    assert of_calls(circuit, network, made, 2) == pytest.approx(np.full((2, 2), 20))
    assert of_calls(circuit, network, made, 2, rested=True) == pytest.approx(
        np.full((2, 2), 2.5))


def test_protocols_say_what_a_circuit_lacks():
    with pytest.raises(Unsuited, match=r"^striatum_v1 has no cell type GPeTI$"):
        loop(Lab("striatum_v1"))
    with pytest.raises(Unsuited, match=r"^lindahl2016 has no input left, which calls an action$"):
        action(Lab("lindahl2016"))


def test_loop_measures_what_it_is_given(monkeypatch):
    """Made-up spikes: TI and STN alternate at 20 Hz, TA fires with STN."""
    network = ns.build("lindahl2016", size=8200, seed=1)
    spans, times, ids = network.populations, [], []
    for name, late in (("GPeTI", 0.0), ("GPeTF", 0.0), ("STN", 25.0), ("GPeTA", 25.0)):
        for beat in np.arange(10.0 + late, 2000.0, 50.0):
            for number in spans[name]:
                times.append(beat + number % 7)
                ids.append(number)
    made = Recorded(2000.0, np.array(times), np.array(ids), np.zeros(0), np.zeros((0, 0)))
    monkeypatch.setattr(Lab, "build", lambda self, circuit, size, seed=1: network)
    monkeypatch.setattr(Lab, "record", lambda self, circuit, network, duration_ms: made)
    found = loop(Lab("lindahl2016"))
    assert found["TI_hz"] == pytest.approx(20, abs=0.6)
    assert found["SNr_hz"] == 0
    assert found["STN_cv"] == pytest.approx(0, abs=1e-9)
    assert found["TI_STN_deg"] == pytest.approx(180, abs=8)
    assert found["TA_STN_deg"] == pytest.approx(0, abs=8)
    assert found["TI_oscillation"] > 0.9
    assert found["TI_synchrony"] > 10


def test_figures_refuse_what_they_cannot_draw():
    with pytest.raises(InputError, match=r"^phases: must have at least one \(got none\)$"):
        plotting.phase_histogram({})
    with pytest.raises(InputError, match=r"^saliences: must be at least 2 that rise"):
        plotting.selection_map([2, 1], np.zeros((2, 2, 2)))
    with pytest.raises(InputError, match=r"^rates_hz: must have shape \(2, 2, 2\) \(got \(2, 2\)"):
        plotting.selection_map([1, 2], np.zeros((2, 2)))
    wave = np.sin(np.arange(2000) * 0.125)
    figure, axes = plotting.phase_histogram({
        "itself": phase(wave, wave, 1.0, (15, 25)),
        "nothing": phase(wave, np.ones(2000), 1.0, (15, 25))})
    assert [text.get_text() for text in axes["nothing"].texts] == ["one of them does not vary"]
    figure.canvas.draw()
