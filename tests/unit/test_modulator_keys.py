"""Levels by name in files, changes, overlays, records and on the page; shapes that hold or jump."""

import json
import pickle

import numpy as np
import pytest

import neostriatum as ns
from neostriatum.circuit.modulator import hill
from neostriatum.circuit.replacement import value_at
from neostriatum.cli import main
from neostriatum.errors import CircuitError
from neostriatum.recording.store import Run

ACH = {"level": {"steps": {"times": ["0 ms", "4 ms"], "values": [1.0, 3.0]}}, "reference": 0.5}
QUICK = {"engine": "reference", "size": 50, "duration": "5 ms", "figures": False}


def raw_of(**modulators):
    """Return the default circuit as data, with these modulators."""
    return ns.load("striatum_v1").to_dict() | {"modulators": modulators}


@pytest.fixture
def third():
    """The default circuit with a third modulator and an effect of it."""
    raw = raw_of(ACh=ACH) | {"warmup": "1 ms"}
    raw["cells"]["dSPN"]["effects"] = [{"level": "ACh", "acts_on": "v_t", "add": "1.2 mV"}]
    return ns.load(raw)


def test_every_circuit_has_d1_and_d2():
    circuit = ns.load("striatum_v1")
    assert list(circuit.modulators) == ["D1", "D2"]
    assert circuit.levels_at(0.0) == {"D1": 0.3, "D2": 0.3}
    assert circuit.modulators["D1"].level is circuit.dopamine.d1
    raw = circuit.to_dict()
    assert "modulators" not in raw
    assert all("effects" not in cell for cell in raw["cells"].values())
    del raw["dopamine"]
    assert ns.load(raw).levels_at(0.0) == {"D1": 0.0, "D2": 0.0}


def test_both_spellings_are_one_circuit():
    old = ns.load("striatum_v1")
    raw = old.to_dict()
    levels = raw.pop("dopamine")
    new = ns.load(raw | {"modulators": {"D2": {"level": levels["d2"]}},
                         "dopamine": {"d1": levels["d1"]}})
    assert new == old
    assert hash(new) == hash(old)
    assert new.to_dict() == old.to_dict()
    assert list(new.modulators) == ["D1", "D2"]


def test_a_circuit_is_read_back(third):
    raw = third.to_dict()
    assert ns.load(raw) == third
    assert ns.load(json.loads(json.dumps(raw))).to_dict() == raw
    assert pickle.loads(pickle.dumps(third)) == third  # noqa: S301
    assert third != ns.load("striatum_v1")
    assert third.levels_at(3.9) == {"D1": 0.3, "D2": 0.3, "ACh": 1.0}


@pytest.mark.parametrize(("key", "older"), [
    ("modulators.D1.level", "dopamine.d1"),
    ("modulators.D2.level.constant", "dopamine.d2.constant"),
])
def test_changes_in_both_spellings(key, older, third):
    for value in (0.8, {"steps": {"times": ["1 ms"], "values": [0.7]}}):
        if isinstance(value, float) or not key.endswith("constant"):
            assert third.replace({key: value}) == third.replace({older: value}) != third
    changed = third.replace({key: 0.8})
    assert value_at(changed.to_dict(), key) == value_at(changed.to_dict(), older) == 0.8


def test_changes_of_other_levels(third):
    other = third.replace({"modulators.ACh.level": 2.5, "modulators.ACh.reference": 0.0,
                           "modulators.D1.reference": 0.8, "cells.dSPN.effects.0.add": "2 mV"})
    assert other.levels_at(9.0)["ACh"] == 2.5
    raw = other.to_dict()
    assert [value_at(raw, f"modulators.{name}.reference") for name in ("D1", "D2", "ACh")] == [
        0.8, 0.0, 0.0]
    assert other.cells["dSPN"].effects[0].add.value == 2.0
    assert raw["dopamine"] == third.to_dict()["dopamine"]
    with pytest.raises(CircuitError, match=r'unknown key \(got "ACH"\)\. Known: ACh'):
        third.replace({"modulators.ACH.level": 1})


def test_an_overlay_may_use_either_spelling(third, tmp_path):
    text = "[parts.a.{}]\n{} = 0.1\n[parts.a.modulators.ACh]\nlevel = 4.0\n"
    made = []
    for number, (table, key) in enumerate((("dopamine", "d1"), ("modulators.D1", "level"))):
        path = tmp_path / f"o{number}.toml"
        path.write_text(text.format(table, key), "utf-8")
        made.append(ns.load(third, overlay=path))
    assert made[0] == made[1]
    assert made[0].levels_at(0.0) == {"D1": 0.1, "D2": 0.3, "ACh": 4.0}
    path.write_text("[parts.a.dopamine]\nd1 = 0.1\n[parts.a.modulators.D1]\nlevel = 0.2\n", "utf-8")
    with pytest.raises(CircuitError, match=r"D1\.level: is the newer spelling of dopamine\.d1"):
        ns.load(third, overlay=path)


@pytest.mark.parametrize(("modulators", "message"), [
    ({"D1": {"level": 0.5}}, "modulators.D1.level: is the newer spelling"),
    ({"A": [0.5]}, "modulators.A: must be a table"), ({"A": {}}, "modulators.A.level: is missing"),
    ({"A": {"level": 2e6}}, r"modulators.A.level.constant: must be <= 1e\+06"),
    ({"A": {"level": None}}, "modulators.A.level: is missing"), ("much", "modulators: must be a t"),
])
def test_bad_modulators(modulators, message):
    with pytest.raises(CircuitError, match=message):
        ns.load(ns.load("striatum_v1").to_dict() | {"modulators": modulators})


def test_the_response_has_the_same_bits_alone_and_in_an_array():
    levels = np.random.default_rng(1).uniform(0, 6, 3_000)
    for order in (0.5, 1.0, 1.7, 2.0, 3.0, 4.0):
        many = hill(levels, 2.0, order)
        assert [float(hill(level, 2.0, order)) for level in levels] == many.tolist()
        assert many == pytest.approx(levels**order / (levels**order + 2.0**order))


def test_a_response_is_nothing_at_its_reference(third):
    raw = third.to_dict()
    for curve, nothing in (({"half": 2.0, "order": 2.0}, 0.5), ({"half": 1, "reference": 3}, 3.0)):
        raw["cells"]["dSPN"]["effects"][0]["curve"] = curve
        circuit = ns.load(raw)
        effect, ach = circuit.cells["dSPN"].effects[0], circuit.modulators["ACh"]
        assert ach.heard(nothing, effect.curve) == 0.0
        assert ach.heard(1e6, effect.curve) == pytest.approx(1 - hill(nothing, *(
            curve["half"], curve.get("order", 1.0))), abs=1e-5)


def test_thresholds_follow_every_level(third):
    from neostriatum.circuit.cautions import static_threshold

    plain = static_threshold(ns.load("striatum_v1"), "dSPN")
    assert static_threshold(third, "dSPN") == pytest.approx(plain + 1.2 * 0.5 / 2)


def course(**shape):
    """Return a rate as a time course."""
    key = "inputs.cortex.targets.FS.rate"
    return ns.load("striatum_v1", changes={key: shape}).inputs["cortex"].targets["FS"].rate


def test_steps_hold():
    steps = course(steps={"times": ["1 ms", "2 ms"], "values": ["1 Hz", "5 Hz"]})
    assert steps.at([-9.0, 0.0, 1.0, 1.9, 2.0 - 1e-9, 2.0, 99.0]).tolist() == [1, 1, 1, 1, 5, 5, 5]
    assert float(steps.at(3.0)) == 5.0
    assert (steps.lowest, steps.highest, steps.horizon_ms) == (1.0, 5.0, 2.0)
    assert not steps.is_constant
    # At any dt a change falls on its step.
    for dt in (0.1, 0.05, 0.3, 0.001):
        times = np.arange(20_000) * dt
        late = course(steps={"times": ["0 ms", f"{1500 * dt!r} ms"], "values": ["1 Hz", "2 Hz"]})
        assert np.flatnonzero(np.diff(late.at(times))).tolist() == [1499]


def test_a_square_wave_is_low_first_and_keeps_its_mean():
    wave = course(square={"low": "1 Hz", "high": "3 Hz", "frequency": "20 Hz"})
    times = np.arange(600_000) * 0.1
    values = wave.at(times)
    assert np.flatnonzero(np.diff(values)).tolist() == list(range(249, 600_000 - 1, 250))
    assert values[0] == 1.0
    assert values.mean() == 2.0
    assert (wave.at(-times[1:]) == 1.0).all()
    assert (wave.lowest, wave.highest, wave.horizon_ms) == (1.0, 3.0, None)
    late = course(square={"low": "1 Hz", "high": "3 Hz", "frequency": "100 Hz", "duty": 0.2,
                          "start": "-4 ms"})
    assert late.at(np.arange(-6.0, 11.0, 2.0)).tolist() == [1, 1, 1, 1, 1, 3, 1, 1, 1]


@pytest.mark.parametrize(("shape", "bounds"), [
    ({"constant": "2 Hz"}, (2, 2)), ({"sine": {"mean": "5 Hz", "amplitude": "-2 Hz",
                                               "frequency": "1 Hz"}}, (3, 7)),
    ({"ramp": {"base": "4 Hz", "peak": "1 Hz", "start": "0 ms", "stop": "1 ms"}}, (1, 4)),
    ({"pulse": {"base": "4 Hz", "peak": "9 Hz", "start": "0 ms", "stop": "1 ms"}}, (4, 9)),
    ({"table": {"times": ["0 ms", "1 ms"], "values": ["4 Hz", "9 Hz"]}}, (4, 9)),
])
def test_bounds(shape, bounds):
    made = course(**shape)
    assert (made.lowest, made.highest) == bounds


def test_a_run_says_its_levels(third, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = ns.run(third, out="a", **QUICK)
    assert run.summary["dopamine"] == {"d1": 0.3, "d2": 0.3}
    assert run.summary["modulators"] == {"D1": 0.3, "D2": 0.3, "ACh": 3.0}
    assert Run("a").modulators == run.summary["modulators"]
    assert main(["rerun", "a", "--out", "b", "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["equal"]
    assert again["modulators"] == run.summary["modulators"]
    assert main(["rerun", "a", "--out", "c"]) == 0
    assert "dopamine D1 0.3, D2 0.3, ACh 3; seed 1" in capsys.readouterr().out
    from neostriatum.plotting.style import heading, new_figure

    figure = new_figure(width_in=3, height_in=2)
    heading(figure, run)
    assert figure.get_suptitle() == "striatum_v1, dopamine D1 0.3, D2 0.3, ACh 3, seed 1"


def test_isolated_cells_hear_every_level(third, capsys):
    shift = third.replace({"modulators.ACh.level": 8.5})
    made, plain = (ns.cell("dSPN", "400 pA", circuit=one, duration="400 ms")
                   for one in (shift, ns.load("striatum_v1")))
    assert made.modulators == {"D1": 0.3, "D2": 0.3, "ACh": 8.5}
    assert made.rates_hz < plain.rates_hz
    held, free = (ns.pair("FS", "dSPN", circuit=one.replace({"receptors.GABA.E": "-60 mV"}))
                  for one in (shift, ns.load("striatum_v1")))
    assert 0 < held.psp_mv != free.psp_mv


def test_a_sweep_varies_a_level(third, tmp_path):
    made = ns.sweep(circuit=third, size=50, duration="2 ms", engine="reference", out=tmp_path / "s",
                    vary={"modulators.ACh.level": [0.0, 2.0]})
    assert made.finished == 2
    assert made.to_pandas()["modulators.ACh.level"].tolist() == [0.0, 2.0]
