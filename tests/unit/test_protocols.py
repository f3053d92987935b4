"""Protocols of current clamp on one cell: numbers by hand, what is refused, figures."""

import json

import numpy as np
import pytest

import neostriatum as ns
from neostriatum.cli import main
from neostriatum.commands.protocol import lines
from neostriatum.errors import CircuitError
from neostriatum.experiments.protocol import PROTOCOLS
from neostriatum.models.cell import CellModel
from neostriatum.models.rate import rate
from neostriatum.models.symbol import I, State, parameters
from neostriatum.plotting import protocol as draw

#: A leaky cell whose numbers can be had by hand: 100 MOhm, 10 ms, and a rheobase by its kink.
LEAKY = {"C": "100 pF", "g_L": "10 nS", "E_L": "-70 mV", "v_T": "-50 mV", "D_T": "0.5 mV",
         "a": "0 nS", "b": "0 pA", "tau_w": "100 ms", "v_reset": "-60 mV", "v_peak": "0 mV",
         "t_ref": "2 ms"}


def circuit(**changes):
    """A circuit of leaky cells alone."""
    return {"name": "leaky", "volume": {"density": "80000 / mm^3"},
            "cells": {"X": {"fraction": 1.0, "model": "adex", "parameters": LEAKY | changes}}}


def measured(kind, cell="X", **options):
    return ns.protocol(cell, kind, **{"circuit": circuit(), **options})


def test_passive_properties_by_hand():
    values = measured("rin").values
    assert values["rest_mv"] == pytest.approx(-70, abs=1e-6)
    assert values["step_pa"] == pytest.approx(-50, abs=0.2)
    assert values["resistance_mohm"] == pytest.approx(100, rel=1e-4)
    assert values["tau_ms"] == pytest.approx(10, rel=0.02)
    assert values["capacitance_pf"] == pytest.approx(100, rel=0.02)
    assert values["sag"] == pytest.approx(1, abs=1e-6)


def test_rheobase_by_hand():
    values = measured("rheobase", duration="200 ms").values
    # The leak at the threshold of the exponential upstroke, v_T, less what D_T adds there.
    assert values["rheobase_pa"] == pytest.approx(10 * (20 - 0.5), rel=0.01)
    assert 100 < values["latency_ms"] <= 200
    assert values["pulse_ms"] == 200
    spikes = measured("rheobase", duration="200 ms").table["spikes"]
    assert spikes[:4] == [0, 0, 0, 0]
    assert min(spikes[4:]) > 0


def test_steps_of_a_sweep_and_their_rates_by_hand():
    result = measured("fi", sweep="150:350:100 pA", duration="1 s")
    table = result.table
    assert table["current_pa"] == [150, 250, 350]
    assert table["steady_hz"][0] == 0
    # From -60 to about -49 mV with 10 ms, and 2 ms held.
    for current, steady in zip(table["current_pa"][1:], table["steady_hz"][1:], strict=True):
        far = -70 + current / 10
        interval = 2 + 10 * np.log((far + 60) / (far + 49))
        assert steady == pytest.approx(1000 / interval, rel=0.12)
    assert result.values["highest_hz"] == table["steady_hz"][2]
    assert result.values["slope_hz_per_pa"] == pytest.approx(
        (table["steady_hz"][2] - table["steady_hz"][1]) / 100)
    assert table["initial_hz"][1] == pytest.approx(table["steady_hz"][1], rel=0.05)


def test_latencies_fall_with_the_current_and_a_leaky_cell_forgets():
    result = measured("latency", sweep="2:42:20 pA", duration="100 ms")
    late = result.table["latency_ms"]
    assert late[0] > late[1] > late[2] > 5
    seconds = result.table["second_ms"]
    assert seconds == pytest.approx([result.values["first_ms"]] * 4, abs=0.11)


def test_rebound_needs_sag():
    options = {"sweep": "-300:-100:200 pA", "duration": "300 ms"}
    assert measured("rebound", **options).values["weakest_pa"] is None
    # With a current that follows v the cell overshoots when the step ends.
    sagging = circuit(a="20 nS", tau_w="80 ms")
    result = measured("rebound", circuit=sagging, **{**options, "sweep": "-900:-100:200 pA"})
    assert result.values["weakest_pa"] is not None
    assert result.values["spikes_after"] > 0
    assert result.table["lowest_mv"][0] < result.table["steady_mv"][0] - 1
    assert 0 < result.values["latency_ms"] < 50


def test_a_pause_follows_a_burst():
    slow = circuit(b="20 pA", tau_w="300 ms")
    result = measured("burst-pause", circuit=slow, hold="215 pA", current="3000 pA")
    table = result.table
    assert table["pulses"] == [1, 3, 5, 10]
    assert table["spikes"] == sorted(table["spikes"])
    assert table["spikes"][-1] >= 10
    assert result.values["pause_ms"] > 1.3 * result.values["base_ms"]
    assert table["pause_ms"] == sorted(table["pause_ms"])


def test_engines_agree():
    first, second = (measured("rheobase", duration="100 ms", engine=name).to_dict()
                     for name in ("reference", "numba"))
    assert first["values"] == pytest.approx(second["values"])
    assert first["table"]["spikes"] == second["table"]["spikes"]


def test_a_model_without_a_constant_current_has_an_electrode():
    v = State("v", "mV")
    C, g_L, E_L, v_peak, v_reset = parameters(
        "C pF > 0", "g_L nS > 0", "E_L mV", "v_peak mV", "v_reset mV")
    bare = CellModel(name="bare_leak", summary="a leak and a threshold", states=(v,),
                     rates=(rate(v, g_L * (E_L - v) + I, per=C),), fires=v >= v_peak,
                     then={v: v_reset}, starts={v: E_L})
    ns.register(bare)
    raw = circuit()
    raw["cells"]["X"] = {"fraction": 1.0, "model": "bare_leak", "parameters": {
        "C": "100 pF", "g_L": "10 nS", "E_L": "-70 mV", "v_peak": "-50 mV", "v_reset": "-60 mV"}}
    for kind, key, wanted in (("rin", "resistance_mohm", 100), ("rheobase", "rheobase_pa", 200)):
        values = measured(kind, circuit=raw, duration="100 ms", hold="-20 pA").values
        assert values[key] == pytest.approx(wanted + 20 * (kind == "rheobase"), rel=1e-3)


@pytest.mark.parametrize("kind", PROTOCOLS)
def test_dopamine_and_holding_are_said(kind):
    options = {"hold": "215 pA", "circuit": circuit(b="20 pA")} if kind == "burst-pause" else {
        "hold": "-10 pA"}
    if "duration" in PROTOCOLS[kind][1]:
        options["duration"] = "100 ms"
    result = measured(kind, d1=0.5, **options)
    assert result.dopamine == {"d1": 0.5, "d2": 0.0}
    text = lines(result, None)
    assert text[0].startswith(f"X of leaky, {kind}, dopamine D1 0.5, D2 0, {options['hold']} held")
    assert max(map(len, text)) < 120
    json.dumps(result.to_dict(), allow_nan=False)
    figure, (responses, panels) = draw(result)
    assert responses[-1].get_xlabel() == "time (ms)"
    assert len(panels) == len(result.outcome.panels)
    for axes in (*responses, *panels):
        assert axes.lines or axes.texts
    figure.canvas.draw()


def test_start_values_decide_what_a_bistable_cell_does():
    # Above the upstroke's foot it fires at once, and not from rest.
    raw = circuit(v_reset="-51 mV")
    quiet = ns.cell("X", "150 pA", circuit=raw, duration="50 ms", engine="reference")
    started = ns.cell("X", "150 pA", circuit=raw, duration="50 ms", start={"v": "-45 mV"})
    assert len(quiet.spike_times_ms[0]) == 0
    assert len(started.spike_times_ms[0]) == 1


def said(capsys, *words):
    assert main([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_command(capsys, tmp_path):
    made = said(capsys, "cell", "dSPN", "--protocol", "rheobase", "--duration", "50 ms",
                "--circuit", "humphries2009", "--out", str(tmp_path))
    assert set(made) == {"cell", "circuit", "protocol", "engine", "dopamine", "dt_ms", "hold_pa",
                         "values", "table", "out"}
    assert (tmp_path / "rheobase.png").stat().st_size > 5000
    assert main(["cell", "dSPN", "--protocol", "rheobase", "--duration", "50 ms"]) == 0
    assert "rheobase" in capsys.readouterr().out
    made = said(capsys, "cell", "dSPN", "--current", "0 pA", "--duration", "1 ms",
                "--start", "v=39 mV", "--start", "u=-5000 pA")
    assert made["spike_times_ms"][0] == 0.1


@pytest.mark.parametrize(("words", "message"), [
    (("--protocol", "nothing"), "protocol: must be one of rheobase, fi, rin, latency, rebound"),
    (("--protocol", "rheobase", "--current", "1 pA"), "current: protocol rheobase takes duration"),
    (("--protocol", "fi", "--current", "1 pA"), "current: protocol fi takes sweep and duration"),
    (("--protocol", "burst-pause", "--duration", "1 s"), "duration: protocol burst-pause takes"),
    (("--protocol", "rin", "--current", "10 pA"), "must be a hyperpolarising step"),
    (("--protocol", "rin", "--current", "10 mV"), "current: must have the dimension of pA"),
    (("--protocol", "rebound", "--sweep", "-20:20:20 pA"), "steps must be hyperpolarising"),
    (("--protocol", "rheobase", "--hold", "100"), "hold: must carry its unit"),
    (("--protocol", "rheobase", "--hold", "900 pA"), "must be silent before a step"),
    (("--protocol", "rheobase", "--hold", "30000 pA"), "current: must be within 20000 pA"),
    (("--protocol", "burst-pause"), "must fire by itself, 3 times in 2 s"),
    (("--protocol", "rheobase", "--duration", "0 ms"), "duration"),
    (("--protocol", "rheobase", "--start", "x=1 mV"), "start.dSPN.x: unknown key"),
    (("--protocol", "rheobase", "--start", "v"), "--start: must be KEY=VALUE"),
    (("--protocol", "rheobase", "--engine", "nothing"), "engine: must be one of"),
    (("--current", "1 pA", "--hold", "1 pA"), "--hold: belongs to --protocol"),
    (("--current", "1 pA", "--start", "v=1 pA"), "start.dSPN.v: must have the dimension of mV"),
])
def test_refused(capsys, words, message):
    assert main(["cell", "dSPN", *words]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.splitlines()) == 1


def test_a_figure_that_is_there_is_kept(tmp_path, capsys):
    (tmp_path / "rin.png").write_text("mine")
    assert main(["cell", "dSPN", "--protocol", "rin", "--duration", "50 ms",
                 "--out", str(tmp_path)]) != 0
    assert "exists already" in capsys.readouterr().err
    assert (tmp_path / "rin.png").read_text() == "mine"


def test_no_step_makes_it_fire():
    with pytest.raises(CircuitError, match="no step of 1 ms makes it fire"):
        measured("rheobase", circuit=circuit(C="100000 pF"), duration="1 ms")
