"""Keys of computed levels and of effects on weights: what they mean, and what is refused."""

import json
from pathlib import Path

import pytest
import stoppable

import neostriatum as ns
from neostriatum.cli import main
from neostriatum.commands.run import summary_lines
from neostriatum.errors import CircuitError, EngineUnsupported, NeostriatumError
from neostriatum.recording.neuron.folder import played

ACH = {"released_by": "FS", "tonic": "4 Hz", "tau": "400 ms", "delay": "1 ms"}
DA = {"uptake": {"v_max": "4000 nM/s", "k_m": "160 nM"}, "per_spike": "200 nM", "rate": "4 Hz"}
D1 = {"occupied_by": "DA", "ec50": "1000 nM", "k_off": "10 Hz"}
D2 = {"occupied_by": "DA", "ec50": "7 nM", "k_off": "0.2 Hz"}
WEIGHT = {"level": "ACh", "acts_on": "weight", "coefficient": -0.6,
          "curve": {"half": 4, "order": 2, "reference": 1}}
QUICK = {"size": 40, "duration": "20 ms", "figures": False, "record": "none"}


def circuit(effects=(WEIGHT,), dopamine=None, **modulators):
    """Return a small busy circuit with these modulators, FS->dSPN with these effects."""
    raw = stoppable.circuit().to_dict()
    raw["pathways"]["FS->dSPN"]["effects"] = list(effects)
    raw["modulators"] = {"ACh": ACH, "M1": {"follows": "ACh", "tau": "1 s"}} | modulators
    raw["dopamine"] = dopamine or {key: 0.3 for key in ("d1", "d2")
                                   if key.upper() not in modulators}
    return ns.load(raw)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The working directory, empty."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


# ---- what the keys mean --------------------------------------------------------------------------

def test_a_circuit_is_read_back_as_it_is():
    for made in (circuit(), circuit(DA=DA, D1=D1, D2=D2 | {"full": 0.9}), circuit(
            DA={**{key: DA[key] for key in ("uptake", "per_spike")}, "released_by": "iSPN",
                "tonic": "4 Hz", "delay": "0.1 ms"}, D1=D1 | {"level": 0.5, "reference": 0.1})):
        assert ns.load(made.to_dict()) == made
        assert ns.load(json.loads(json.dumps(made.to_dict()))) == made


def test_a_circuit_without_them_says_nothing_of_them():
    raw = ns.load("striatum_v1").to_dict()
    assert "modulators" not in raw
    assert not any("effects" in pathway for pathway in raw["pathways"].values())


def test_a_releasing_type_may_be_given_by_an_alias():
    assert circuit(ACh=ACH | {"released_by": "FSI"}) == circuit()


def test_starts():
    levels = circuit(DA=DA, D1=D1, D2=D2).levels_at(0.0)
    assert levels == {"D1": 40 / 1040, "D2": 40 / 47, "ACh": 1.0, "M1": 1.0, "DA": 40.0}
    assert circuit(DA=DA, D1=D1 | {"full": 0.02}).levels_at(0.0)["D1"] == 1.0


def test_dopamine_is_none_where_it_is_computed():
    made = circuit(DA=DA, D1=D1)
    assert made.dopamine.d1 is None
    assert made.to_dict()["dopamine"] == {"d2": {"constant": 0.3}}


def test_clamped_and_let_go():
    free = circuit(DA=DA, D1=D1)
    clamped = free.replace({"modulators.ACh.level": 2, "modulators.D1.level": 0.8})
    assert [clamped.levels_at(0.0)[name] for name in ("ACh", "M1", "D1")] == [2.0, 2.0, 0.8]
    assert ns.load(clamped.to_dict()) == clamped
    assert clamped.replace({"modulators.ACh.level": "free", "modulators.D1.level": "free"}) == free


def test_a_removed_cell_type_leaves_its_level_held():
    raw = {"extends": "striatum_v1", "modulators": {"ACh": ACH}}
    write("whole.json", raw)
    made = ns.load({"extends": "whole.json", "cells": {"FS": "none"}})
    assert made.modulators["ACh"].kind is None
    assert made.levels_at(0.0)["ACh"] == 1.0
    assert made.left_out[-1] == "release of ACh by FS: its level is held at 1"


def write(name, raw):
    """Write a circuit or an overlay."""
    Path(name).write_text(json.dumps(raw), encoding="utf-8")


def test_an_overlay_lets_a_level_be_computed_and_computes_it_otherwise():
    raw = {"name": "layer", "parts": {"all": {"modulators": {"DA": DA, "D1": D1}}}}
    write("layer.json", raw)
    layered = ns.load("striatum_v1", overlay="layer.json")
    assert layered.dopamine.d1 is None
    assert layered.levels_at(0.0)["D2"] == 0.3
    write("other.json", raw | {"parts": {"all": {"modulators": {
        "DA": ACH, "D1": {"follows": "ACh", "tau": "1 s"}, "D2": D2 | {"occupied_by": "OP"},
        "OP": DA}, "dopamine": {}}}})
    other = ns.load(circuit(DA=DA, D1=D1 | {"reference": 0.1}), overlay="other.json").modulators
    assert (other["DA"].kind, other["D1"].kind, other["D2"].occupied_by) == (
        "released_by", "follows", "OP")
    assert other["D1"].reference.value == 0.1


# ---- runs ----------------------------------------------------------------------------------------

def test_a_run_gives_the_levels_at_its_end():
    made = ns.run(circuit(DA=DA, D1=D1), **QUICK)
    summary = made.summary
    assert summary["dopamine"] == {"d1": None, "d2": 0.3}
    assert made.dopamine == (None, 0.3)
    assert summary["modulators"] == made.modulators
    assert set(summary["modulators"]) == {"D1", "D2", "ACh", "M1", "DA"}
    assert summary["modulators"]["ACh"] != 1.0
    assert "levels_held" not in summary
    same = ns.run(circuit(DA=DA, D1=D1), engine="reference", **QUICK).summary
    assert (same["spike_hash"], same["modulators"]) == (
        summary["spike_hash"], summary["modulators"])


def test_events_clamp_a_level_and_let_it_go():
    events = [{"at": "5 ms", "set": {"modulators.ACh.level": 3.0}},
              {"at": "12 ms", "set": {"modulators.ACh.level": "free"}}]
    results = [ns.run(circuit(), events=events[:count], engine=name, **QUICK).summary
               for count in (1, 2) for name in ("numba", "reference")]
    assert [one["modulators"]["ACh"] for one in results[:2]] == [3.0, 3.0]
    assert results[2]["modulators"] == results[3]["modulators"]
    # 8 ms of decay with 400 ms, and whatever few spikes added.
    assert results[2]["modulators"]["ACh"] > 2.9
    assert results[2]["modulators"]["ACh"] != 3.0


def test_a_run_that_is_stopped_goes_on_exactly(tmp_path):
    made = circuit(DA=DA, D1=D1)
    options = {"size": 40, "duration": "40 ms"}
    whole = ns.run(made, out=tmp_path / "whole", figures=False, **options)
    assert whole.summary["spikes"] > 20
    with pytest.raises(stoppable.Stop):
        stoppable.run(made, None, tmp_path / "half", stop=0.5, engine="numba", **options)
    again = ns.resume(tmp_path / "half")
    assert again.summary["spike_hash"] == whole.summary["spike_hash"]
    assert again.summary["modulators"] == whole.summary["modulators"]


def test_a_run_without_releasing_cells_says_so():
    raw = circuit().to_dict()
    for name, fraction in (("dSPN", 0.5), ("iSPN", 0.4999), ("FS", 0.0001)):
        raw["cells"][name]["fraction"] = fraction
    made = ns.run(raw, **QUICK)
    assert made.summary["levels_held"] == ["ACh"]
    assert made.summary["modulators"]["ACh"] == 1.0
    assert "D2 0.3, ACh 1 (held), M1 1; seed 1" in summary_lines(made)[0]


def test_one_cell_and_a_pair_hold_computed_levels(capsys):
    write("whole.json", circuit(DA=DA, D1=D1).to_dict())
    assert main(["cell", "dSPN", "--current", "100 pA", "--circuit", "whole.json"]) == 0
    assert "ACh 1 (held), M1 1 (held), DA 40 (held)" in capsys.readouterr().out
    assert main(["cell", "dSPN", "--current", "100 pA", "--circuit", "whole.json", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["levels_held"] == ["D1", "ACh", "M1", "DA"]
    one = ns.pair("FS", "dSPN", circuit="whole.json")
    assert one.levels_held == ["D1", "ACh", "M1", "DA"]
    # The groups have FS, who release; their own level is computed.
    assert ns.pair("FS", "dSPN", n=2, circuit="whole.json", duration="5 ms").levels_held == []
    assert ns.pair("iSPN", "dSPN", n=2, circuit="whole.json",
                   duration="5 ms").levels_held == ["ACh"]


def test_a_pair_hears_a_clamped_level():
    factor = (1 - 0.6 * 0.5) / (1 - 0.6 / 17)
    whole = circuit()
    strength = whole.pathways["FS->dSPN"].conductance["GABA"].value
    high, weak, plain = (ns.pair("FS", "dSPN", circuit=whole.replace(changes)).psp_mv
                         for changes in ({"modulators.ACh.level": 4.0}, {
                             "pathways.FS->dSPN.conductance.GABA": f"{strength * factor!r} nS"},
                             {"name": "plain"}))
    assert high == pytest.approx(weak, rel=1e-9)
    assert abs(high) < 0.8 * abs(plain)


def test_what_follows_an_unknown_level_is_not_made_up():
    raw = circuit().to_dict()
    raw["cells"]["dSPN"]["effects"] = [{"level": "ACh", "acts_on": "I_GABA", "coefficient": 0.1}]
    made = ns.run(raw, **QUICK | {"record": "dSPN:2:v,g_GABA,g_AMPA"})
    assert len(made.recorded("I_AMPA")) == 1
    with pytest.raises(CircuitError, match="the level of ACh was computed while the run went"):
        made.recorded("I_GABA")


def test_neuron_refuses():
    given = circuit(ACh={"level": 1.0}, M1={"level": 1.0})
    for made, key in ((circuit(), "modulators.ACh: computes no level"),
                      (given, "pathways.FS->dSPN.effects: scales no weights")):
        with pytest.raises(EngineUnsupported, match=key):
            played(ns.build(made, size=40, seed=1), made, "20 ms", 1)


# ---- what is refused -----------------------------------------------------------------------------

REFUSED = {
    "released by nobody": ({"ACh": ACH | {"released_by": "ChIN"}},
                           'modulators.ACh.released_by: unknown cell type (got "ChIN")'),
    "no time constant": ({"ACh": {key: ACH[key] for key in ("released_by", "tonic", "delay")}},
                         "released_by needs tau"),
    "delay below a step": ({"ACh": ACH | {"delay": "0.01 ms"}}, "must be 1 to 255 steps"),
    "no delay": ({"ACh": ACH | {"delay": "0 ms"}}, "heard at the next step at the earliest"),
    "delay off the grid": ({"ACh": ACH | {"delay": "0.25 ms"}}, "must be a multiple of the step"),
    "delay too long": ({"ACh": ACH | {"delay": "26 ms"}}, "must be 1 to 255 steps"),
    "follows itself": ({"M1": {"follows": "M1", "tau": "1 s"}}, "must not lead back"),
    "circle": ({"M1": {"follows": "M2", "tau": "1 s"}, "M2": {"follows": "M1", "tau": "1 s"}},
               "modulators.M1.follows: must not lead back to the level itself (got M1 after M2 "
               "after M1)"),
    "circle of others": ({"M1": {"follows": "M2", "tau": "1 s"},
                          "M2": {"follows": "M3", "tau": "1 s"},
                          "M3": {"follows": "M2", "tau": "1 s"}}, "M2.follows: must not"),
    "follows nothing": ({"M1": {"follows": "Ach", "tau": "1 s"}}, "unknown modulator"),
    "follows in no time": ({"M1": {"follows": "ACh", "tau": "0 ms"}}, "must be > 0 ms"),
    "two kinds": ({"M1": ACH | {"follows": "ACh"}}, "released_by takes no follows"),
    "a key of no kind": ({"M1": {"level": 1, "tau": "1 s"}}, "tau belongs to a computed level"),
    "free but given": ({"M1": {"level": "free"}}, "only a computed level can be let go"),
    "clamped below 0": ({"ACh": ACH | {"level": -1}}, "must be >= 0"),
    "uptake too weak": ({"DA": DA | {"rate": "20 Hz"}}, "the concentration never settles"),
    **{f"uptake too weak in the long run, {shape}": (
        {"DA": DA | {"rate": {shape: course}}}, text) for shape, course, text in (
            ("pulse", {"base": "30 Hz", "peak": "1 Hz", "start": "0 ms", "stop": "1 ms"}, "30 Hz"),
            ("ramp", {"base": "1 Hz", "peak": "30 Hz", "start": "0 ms", "stop": "1 ms"}, "30 Hz"),
            ("steps", {"times": ["0 ms", "1 ms"], "values": ["1 Hz", "30 Hz"]}, "30 Hz"),
            ("sine", {"mean": "21 Hz", "amplitude": "21 Hz", "frequency": "1 Hz",
                      "phase": -1.5}, "21 Hz"),
            ("square", {"low": "10 Hz", "high": "40 Hz", "frequency": "1 Hz"}, "25 Hz"))},
    "uptake hardly enough": ({"DA": DA | {"per_spike": "999.9999999 nM"}}, "at most 1e+06 nM"),
    "released twice": ({"DA": DA | {"released_by": "FS"}}, "rate and released_by (got both)"),
    "released never": ({"DA": {key: DA[key] for key in ("uptake", "per_spike")}}, "(got none)"),
    "no uptake": ({"DA": {"rate": "4 Hz", "per_spike": "1 nM"}}, "belongs to a computed level"),
    "occupied by a level": ({"D1": D1 | {"occupied_by": "ACh"}}, "must be a concentration"),
    "occupied by nothing": ({"D1": D1}, "unknown modulator"),
    "wrong unit": ({"DA": DA | {"per_spike": "200 mV"}}, "must have the dimension of nM"),
    "both spellings": ({"DA": DA, "D1": D1, "dopamine": {"d1": 0.3}}, "Clamp it with modulators"),
}
EFFECTS = {
    "unknown level": ({"level": "ach"}, "unknown modulator"),
    "on what": ({"acts_on": "delay"}, "acts_on"),
    "below 0": ({"coefficient": -1.1}, "must leave the weight 0 or above at every level of ACh"),
    "linear without end": ({"curve": None, "coefficient": -0.1}, "got a factor of -99999"),
    "add": ({"add": "1 nS"}, "add: unknown key"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_levels(name):
    modulators, text = REFUSED[name]
    with pytest.raises(CircuitError) as caught:
        circuit((), modulators.get("dopamine"), **{
            key: value for key, value in modulators.items() if key != "dopamine"})
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) <= 200


@pytest.mark.parametrize("name", EFFECTS)
def test_refused_effects(name):
    changes, text = EFFECTS[name]
    with pytest.raises(CircuitError) as caught:
        circuit(({**WEIGHT, **changes},))
    assert text in str(caught.value)


def test_an_input_has_no_effects():
    with pytest.raises(CircuitError, match="effects act on the weights of pathways, not of inputs"):
        ns.load("striatum_v1", changes={"inputs.cortex.targets.dSPN.effects": [WEIGHT]})


@pytest.mark.parametrize("option", ["--d1", "--dopamine"])
def test_options_of_dopamine_are_refused_with_a_concentration_layer(option, capsys, folder):
    write("layer.json", circuit(DA=DA, D1=D1).to_dict())
    before = sorted(path.name for path in folder.iterdir())
    assert main(["run", "layer.json", "--size", "40", "--duration", "5 ms", option, "0.8"]) == 2
    assert "dopamine.d1: D1 is computed" in capsys.readouterr().err
    assert sorted(path.name for path in folder.iterdir()) == before


def test_events_cannot_change_how_a_level_is_computed():
    events = [{"at": "5 ms", "set": {"modulators.ACh.delay": "2 ms"}}]
    with pytest.raises(NeostriatumError, match="how levels are computed"):
        ns.run(circuit(), events=events, **QUICK)
