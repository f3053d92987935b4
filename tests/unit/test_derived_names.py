"""Derived quantities of a run: modulators, events, what is refused, files, figures."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import stoppable
from adex import adex, plain

import neostriatum as ns
from neostriatum.cli import main
from neostriatum.errors import CircuitError, ModelError, RunFileError
from neostriatum.models import (
    CellModel,
    I,
    ReceptorModel,
    State,
    gain,
    parameters,
    rate,
    registry,
)
from neostriatum.recording.selection import choices, recordable

GOOD = Path(__file__).parents[1] / "data" / "good_small.toml"
QUICK = {"size": 60, "duration": "10 ms", "engine": "reference", "figures": False}
v, g = State("v", "mV"), State("g", "nS")
E, tau = parameters("E mV", "tau ms > 0")


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """Forget what a test registers."""
    forget(monkeypatch)


def forget(monkeypatch):
    for name in ("_registered", "_modules", "_described"):
        monkeypatch.setattr(registry, name, {})
    monkeypatch.setattr(registry, "_used", set())


def blocked(run, reversal=0.0):
    """Return the current of NMDA receptors from the recorded states, without modulators [pA]."""
    potential = run.recorded("v")["dSPN"].values
    free = 1.0 / (1.0 + 1.0 / 3.57 * np.exp(-0.062 * potential))
    return run.recorded("g_NMDA")["dSPN"].values * (reversal - potential) * free


# ---- modulators and events ------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["reference", "numba"])
def test_current_by_hand(engine, tmp_path):
    """A run that was not asked for it has it, with the factor of a constant level."""
    run = ns.run(GOOD, out=tmp_path / "run", record=["dSPN:5:v,g_NMDA:5"], threads=1,
                 changes={"dopamine.d1": 0.4}, **QUICK | {"engine": engine})
    trace = run.recorded("I_NMDA")["dSPN"]
    assert (run.variables, run.unit("I_NMDA")) == (["v", "g_NMDA"], "pA")
    assert trace.values.shape == (20, 5)
    assert trace.values.max() > 5
    np.testing.assert_allclose(trace.values, 1.2 * blocked(run), rtol=1e-12)
    np.testing.assert_array_equal(trace.times_ms, run.recorded("v")["dSPN"].times_ms)
    assert list(run.recorded("free_NMDA")) == ["dSPN"]
    assert run.recorded("I_AMPA") == run.recorded("I_syn") == run.recorded("nothing") == {}


def test_a_course_is_read_at_the_time_of_each_sample(tmp_path):
    run = ns.run(GOOD, out=tmp_path / "run", record=["dSPN:5:I_NMDA:5"], **QUICK)
    assert run.variables == ["g_NMDA", "v", "I_NMDA"]
    trace = run.recorded("I_NMDA")["dSPN"]
    level = 0.2 + 0.4 * trace.times_ms[:, None] / 10.0
    np.testing.assert_allclose(trace.values, (1.0 + 0.5 * level) * blocked(run), rtol=1e-12)


def test_an_event_holds_from_its_time_on(tmp_path):
    events = [{"at": "4 ms", "set": {"dopamine.d1": 1.0, "receptors.NMDA.E": "-10 mV"}},
              {"at": "4 ms", "set": {"dopamine.d2": 0.5}},
              {"at": "7 ms", "set": {"dopamine.d1": 0.0}}]
    run = ns.run(GOOD, out=tmp_path / "run", record=["dSPN:5:I_NMDA:5"], events=events,
                 changes={"dopamine.d1": 0.4}, **QUICK)
    trace = run.recorded("I_NMDA")["dSPN"]
    times = trace.times_ms[:, None]
    before, last = times < 3.9, times > 6.9
    assert (before.sum(), last.sum()) == (7, 7)
    factor = np.where(before, 1.2, np.where(last, 1.0, 1.5))
    wanted = factor * np.where(before, blocked(run), blocked(run, -10.0))
    np.testing.assert_allclose(trace.values, wanted, rtol=1e-12)


def test_sums_of_both_signs(tmp_path):
    circuit = stoppable.circuit()
    run = stoppable.run(circuit, ns.build(circuit, size=60, seed=1), tmp_path / "run",
                        record=["dSPN:all:I_syn,I_abs,g_syn:10"])
    names = circuit.receptors_of("dSPN")
    flows = [run.recorded(f"I_{name}")["dSPN"].values for name in names]
    assert min(flow.min() for flow in flows) < -10 < 10 < max(flow.max() for flow in flows)
    for name, wanted in (("I_syn", sum(flows)), ("I_abs", sum(map(abs, flows))), ("g_syn", sum(
            run.recorded(f"g_{name}")["dSPN"].values for name in names))):
        np.testing.assert_allclose(run.recorded(name)["dSPN"].values, wanted, rtol=1e-12)


# ---- which cells and steps ------------------------------------------------------------------


def test_each_state_is_recorded_once():
    chosen = choices(["dSPN:[1,3]:I_NMDA,v,free_NMDA,g_AMPA:4", "FS:2:static_threshold"],
                     ns.load(GOOD), {"dSPN": 9, "FS": 3})
    assert [(choice.population, choice.variable, choice.ids.tolist(), choice.every, choice.unit)
            for choice in chosen] == [
        ("dSPN", "g_NMDA", [1, 3], 4, "nS"), ("dSPN", "v", [1, 3], 4, "mV"),
        ("dSPN", "g_AMPA", [1, 3], 4, "nS"), ("FS", "v", [0, 1], 1, "mV")]


def test_cells_and_times_that_states_share(tmp_path):
    run = ns.run(GOOD, out=tmp_path / "run", record=["FS:[0-2]:v:2", "FS:[1-3]:g_AMPA:3",
                                                    "iSPN:1:v", "iSPN:[1]:g_AMPA"], **QUICK)
    assert list(run.recorded("I_AMPA")) == ["FS"]
    trace, first = run.recorded("I_AMPA")["FS"], run.populations["FS"].start
    assert trace.ids.tolist() == [first + 1, first + 2]
    np.testing.assert_allclose(trace.times_ms, 0.6 * np.arange(1, 17))
    potential = run.recorded("v")["FS"].values[2::3, 1:]
    np.testing.assert_array_equal(
        trace.values, run.recorded("g_AMPA")["FS"].values[1::2, :2][:16] * (0.0 - potential))


def test_names_of_states_come_first():
    """A receptor that is called like a sum keeps its names."""
    raw = ns.load(GOOD).to_dict()
    raw["receptors"]["syn"] = {"E": "0 mV", "tau": "5 ms"}
    raw["inputs"]["cortex"]["targets"]["FS"]["conductance"] = {"AMPA": "0.5 nS", "syn": "0.5 nS"}
    run = choices(["FS:1:g_syn"], ns.load(raw), {"FS": 3}), choices(
        ["FS:1:I_syn"], ns.load(raw), {"FS": 3})
    assert [[choice.variable for choice in chosen] for chosen in run] == [
        ["g_syn"], ["g_syn", "v"]]


def test_a_name_of_a_state_here_and_of_an_expression_there(tmp_path):
    """Each type has its own; neither waits for the other."""
    w, x = State("w", "pA"), State("x", "pA")
    C, g_L, E_L, v_T = parameters("C pF > 0", "g_L nS > 0", "E_L mV", "v_T mV")
    ns.register(adex("mine", derived={"x": 2.0 * w}))
    ns.register(CellModel(
        name="other", states=(v, x), fires=v >= v_T, then={v: E_L}, starts={v: E_L, x: 0},
        rates=(rate(v, g_L * (E_L - v) - x + I, per=C), rate(x, g_L * (v - E_L) - x, per=tau)),
        derived={"w": 3.0 * x}))
    raw = plain("mine")
    raw["cells"]["iSPN"] |= {"model": "other", "parameters": {
        "C": "80 pF", "g_L": "10 nS", "E_L": "-70 mV", "v_T": "-50 mV", "tau": "5 ms"}}
    raw["cells"]["iSPN"].pop("rule", None)
    run = ns.run(raw, record=["FS:1:x", "iSPN:1:w"], out=tmp_path / "run", **QUICK)
    assert list(run.recorded("x")) == list(run.recorded("w"))[::-1] == ["iSPN", "FS"]
    np.testing.assert_array_equal(run.recorded("x")["FS"].values,
                                  2.0 * run.recorded("w")["FS"].values)


# ---- what is refused ------------------------------------------------------------------------


@pytest.mark.parametrize(("record", "message"), [
    (["FS:2:I_NMDA"], "record: FS:2:I_NMDA: FS has v, u, g_AMPA, g_GABA, static_threshold, "
                      "I_AMPA, I_GABA, I_syn, I_abs, g_syn (got I_NMDA)"),
    (["FS:2:I_"], "(got I_)"),
    (["FS:2:I_AMPA,I_AMPA"], "record: each variable of a type may be asked for once (got FS "
                             "I_AMPA twice)"),
    (["FS:3:v", "FS:2:I_AMPA:5"],
     "record: FS: I_AMPA needs v, which is recorded once (got 3 cells every 1 steps, and 2 every "
     "5). Ask for all that needs it of the same cells and EVERY"),
])
def test_bad_names(record, message, tmp_path, capsys):
    words = [word for text in record for word in ("--record", text)]
    assert main(["run", str(GOOD), *words, "--size", "60", "--duration", "5 ms", "--engine",
                 "reference", "--out", str(tmp_path / "run"), "--quiet"]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_too_many_states():
    with pytest.raises(CircuitError, match="must be 10000 traces at most"):
        choices(["dSPN:6000:I_AMPA"], ns.load(GOOD), {"dSPN": 6000})


def test_a_current_that_no_engine_records():
    ns.register(adex("mine", derived={"inflow": I - 1.0 * State("w", "pA")}))
    assert "inflow" not in recordable(ns.load(plain("mine")), "FS")
    with pytest.raises(CircuitError, match="inflow cannot be computed: it contains I, all cur"):
        ns.run(plain("mine"), record=["FS:1:inflow"], **QUICK)


def test_a_receptor_without_a_conductance(tmp_path):
    s = State("s", "1")
    scale = parameters("scale nS > 0")[0]
    ns.register(ReceptorModel(name="gate", states=(s,), decays={s: tau},
                              current=gain * scale * s * (E - v)))
    raw = plain()
    raw["receptors"]["AMPA"] = {"model": "gate", "E": "0 mV", "tau": "6 ms", "scale": "0.5 nS"}
    with pytest.raises(CircuitError, match="g_syn cannot be computed: receptor AMPA has no g"):
        ns.run(raw, record=["FS:1:g_syn"], **QUICK)
    run = ns.run(raw, record=["FS:1:I_syn,s_AMPA"], out=tmp_path / "run", **QUICK)
    assert run.recorded("I_syn")["FS"].values.shape == (100, 1)
    with pytest.raises(CircuitError, match=r"run: g_syn of FS: receptor AMPA has no g in nS"):
        run.recorded("g_syn")


@pytest.mark.parametrize("name", ["../x", "", "two words", "x" * 33, 1])
def test_names_of_derived_expressions(name):
    wanted = re.escape(f'.derived: "{name}'[:40]) + ".*a name is a letter"
    with pytest.raises(ModelError, match=wanted):
        adex("mine", derived={name: v})
    with pytest.raises(ModelError, match=wanted):
        ReceptorModel(name="mine", states=(g,), decays={g: tau}, current=gain * g * (E - v),
                      derived={name: g})


def test_a_model_that_is_not_registered(monkeypatch, tmp_path):
    ns.register(adex("mine"))
    folder = ns.run(plain("mine"), record=["FS:2:leak,w"], out=tmp_path / "run", **QUICK).folder
    wanted = ns.Run(folder).recorded("leak")["FS"].values
    forget(monkeypatch)
    run = ns.Run(folder)
    assert run.variables == ["v", "w", "leak"]
    assert run.recorded("w")["FS"].values.shape == (100, 2)
    assert run.unit("leak") == "pA"
    with pytest.raises(ModelError, match=r"mine is not registered here\. Name its module, "
                                         r"--models test_derived_names"):
        run.recorded("leak")
    assert main(["export", str(folder), "--to", "csv", "--out", str(tmp_path / "csv")]) == 2
    assert not (tmp_path / "csv").exists()
    ns.register(adex("mine"))
    np.testing.assert_array_equal(run.recorded("leak")["FS"].values, wanted)


def test_a_parameter_that_differs_from_cell_to_cell(tmp_path):
    circuit = ns.load(plain("adex", spread={"FS": {"E_L": "2 mV"}}))
    run = ns.run(circuit, record=["FS:[1,3]:leak,I_AMPA"], out=tmp_path / "run", **QUICK)
    own = ns.build(circuit, size=60, seed=1).spread["FS"]["E_L"][[1, 3]]
    assert np.ptp(own) > 0.01
    potential = run.recorded("v")["FS"].values
    np.testing.assert_allclose(run.recorded("leak")["FS"].values,
                               10.0 * (-70.0 + own - potential), rtol=1e-12)
    other = ns.run(circuit, network=ns.build(circuit, size=60, seed=7), out=tmp_path / "other",
                   record=["FS:[1,3]:leak,I_AMPA"], **{**QUICK, "size": None})
    other.record["network_seed"] = 8
    with pytest.raises(RunFileError, match=r"E_L of FS differs from cell to cell, and the network "
                       r"of the run is not there \(the run was made on .*Read the states, v"):
        other.recorded("leak")
    assert other.recorded("I_AMPA")["FS"].values.shape == (100, 2)


# ---- what comes of it -----------------------------------------------------------------------


def test_resume_and_an_unfinished_run(tmp_path):
    circuit = stoppable.circuit()
    network = ns.build(circuit, size=60, seed=1)
    record = ["dSPN:2:I_NMDA,v:3"]
    whole = stoppable.run(circuit, network, tmp_path / "whole", record=record)
    with pytest.raises(stoppable.Stop):
        stoppable.run(circuit, network, tmp_path / "half", stop=0.5, record=record)
    half = ns.Run(tmp_path / "half").recorded("I_NMDA")["dSPN"]
    wanted = whole.recorded("I_NMDA")["dSPN"]
    assert 0 < len(half.values) < len(wanted.values)
    np.testing.assert_array_equal(half.values, wanted.values[: len(half.values)])
    short = stoppable.run(circuit, network, tmp_path / "short", record=record, duration="20 ms")
    longer = ns.resume(short, duration="40 ms", network=network)
    np.testing.assert_array_equal(longer.recorded("I_NMDA")["dSPN"].values, wanted.values)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return ns.run(GOOD, out=tmp_path_factory.mktemp("derived") / "run",
                  record=["dSPN:2:I_NMDA,free_NMDA:5"], **QUICK)


def test_csv(run, tmp_path):
    ns.export(run, to="csv", out=tmp_path / "csv")
    lines = (tmp_path / "csv" / "traces-I_NMDA.csv").read_text().splitlines()
    assert lines[0] == "time_ms,type,node_id,id,I_NMDA_pa"
    assert float(lines[1].split(",")[-1]) == pytest.approx(
        run.recorded("I_NMDA")["dSPN"].values[0, 0], rel=1e-8)
    assert (tmp_path / "csv" / "traces-free_NMDA.csv").exists()


def test_nwb(run, tmp_path):
    pynwb = pytest.importorskip("pynwb")
    ns.export(run, to="nwb", out=tmp_path / "nwb")
    with pynwb.NWBHDF5IO(str(tmp_path / "nwb" / "run.nwb"), "r") as file:
        series = file.read().processing["simulation"]["I_NMDA_dSPN"]
        assert (series.unit, series.conversion) == ("amperes", 1e-12)
        np.testing.assert_allclose(series.data[()], run.recorded("I_NMDA")["dSPN"].values, 1e-6)


def test_report_and_figure(run, tmp_path):
    assert main(["report", str(run.folder), "--out", str(tmp_path / "report.html"),
                 "--quiet"]) == 0
    assert "g_NMDA, v, I_NMDA, free_NMDA" in (tmp_path / "report.html").read_text("utf-8")
    figure, axes = ns.plot.recorded(run, "I_NMDA")
    line = axes["dSPN"][1].lines[0]
    np.testing.assert_array_equal(line.get_ydata(), run.recorded("I_NMDA")["dSPN"].values[:, 1])
    assert figure.get_supylabel() == "I_NMDA (pA)"
    assert axes["FS"][0].texts[0].get_text() == "no FS I_NMDA was recorded"


def test_info_lists_the_names(capsys):
    assert main(["info", str(GOOD), "--json"]) == 0
    units = json.loads(capsys.readouterr().out)["recordable"]
    assert units["FS"] == recordable(ns.load(GOOD), "FS")
    assert (units["dSPN"]["I_NMDA"], units["dSPN"]["free_NMDA"]) == ("pA", "1")
    assert main(["info", str(GOOD)]) == 0
    assert "recordable of FS: v, u, g_AMPA, g_GABA, static_thr" in capsys.readouterr().out
