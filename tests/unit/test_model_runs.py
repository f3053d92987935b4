"""Runs of models that are not shipped: registering, recording, going on, other processes."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from adex import adex, plain

import neostriatum as ns
from neostriatum.cli import main
from neostriatum.errors import CircuitError, ModelError, RunFileError
from neostriatum.models import State, exp, parameters, rate, registry
from neostriatum.models.plain import rebuilt
from neostriatum.network.saved import header
from neostriatum.validation.workers import run_jobs

ROOT = Path(__file__).parents[2]
QUICK = {"size": 60, "duration": "20 ms", "engine": "reference", "figures": False}


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """Forget what a test registers."""
    forget(monkeypatch)


def forget(monkeypatch):
    for name in ("_registered", "_modules", "_described"):
        monkeypatch.setattr(registry, name, {})
    monkeypatch.setattr(registry, "_used", set())


def gated(name="mine"):
    """Return a cell of one's own with a third state, whose goal depends on itself."""
    own, m = adex(name), State("m", "1")
    tau_m, half, width = parameters("tau_m ms > 0 = 3", "half mV = -40", "width mV > 0 = 5")
    gate = 1.0 / (1.0 + exp((half - own.states[0]) / width))
    return adex(name, states=(*own.states, m), starts={**own.starts, m: 0},
                rates=(*own.rates, rate(m, gate * (1.0 - m) - m, per=tau_m)))


@pytest.fixture
def run(tmp_path):
    """Return a run of a model that is not shipped."""
    ns.register(adex("mine"))
    return ns.run(plain("mine"), out=tmp_path / "run", record=["FS:2:v,w:2", "dSPN:1:u"], **QUICK)


def test_the_shipped_cell_and_the_document_give_the_same_spikes(run, tmp_path):
    other = ns.run(plain("adex"), out=tmp_path / "other", **QUICK)
    assert other.summary["spike_hash"] == run.summary["spike_hash"]
    assert run.summary["rates_hz"]["FS"] > 20


def test_a_change_reads_anew_what_its_model_says_since():
    """Entries that a change leaves alone are not checked again, but their models are looked up."""
    first = adex("mine_once_more")
    ns.register(first)
    circuit = ns.load(plain("mine_once_more"))
    kept = circuit.replace({"dt": "0.05 ms"})
    assert kept.cells["FS"] is circuit.cells["FS"]
    v = first.states[0]
    ns.register(adex("mine_once_more", derived={"twice": v + v}))
    changed = circuit.replace({"dt": "0.05 ms"})
    assert list(changed.cells["FS"].declaration.derived) == ["twice"]
    assert changed == kept


def test_recorded_states(run):
    assert [(one, run.unit(one)) for one in run.variables] == [
        ("v", "mV"), ("w", "pA"), ("u", "pA")]
    assert list(run.recorded("w")) == ["FS"]
    assert run.recorded("w")["FS"].values.max() > 20.0  # b at every spike
    with pytest.raises(CircuitError, match=r"record: FS:2:u: FS has v, w, g_AMPA, .* \(got u\)"):
        ns.run(plain("mine"), record=["FS:2:u"], **QUICK)


class TestRecord:
    def test_text_and_hash_of_every_model(self, run):
        entries = {entry["name"]: entry for entry in run.record["models"]}
        assert list(entries) == ["izhikevich", "mine", "exponential", "nmda", "tsodyks_markram"]
        assert entries["mine"]["text"] == adex("mine").text
        assert entries["mine"]["hash"] == adex("mine").hash
        assert entries["mine"]["module"] == "test_model_runs"
        assert rebuilt(entries["mine"]["data"]).text == adex("mine").text
        assert "data" not in entries["izhikevich"]

    def test_reading_needs_no_model(self, run, monkeypatch, tmp_path, capsys):
        forget(monkeypatch)
        again = ns.Run(run.folder)
        assert again.circuit == run.circuit
        assert again.recorded("w")["FS"].values.shape == (100, 2)
        assert main(["export", str(run.folder), "--to", "csv", "--out", str(tmp_path / "csv")]) == 0
        assert main(["plot", str(run.folder), "raster", "--out", str(tmp_path / "figures")]) == 0
        assert main(["export", str(run.folder), "--to", "sonata", "--out",
                     str(tmp_path / "sonata")]) == 0
        assert main(["report", str(run.folder), "--out", str(tmp_path / "report.html")]) == 0
        assert "mine" in (tmp_path / "report.html").read_text("utf-8")
        assert main(["info", str(run.folder)]) == 0
        capsys.readouterr()
        with pytest.raises(ModelError, match=r"cell model mine is not registered here\. Name"):
            _ = again.circuit.cells["FS"].cell_model

    @pytest.mark.parametrize("command", ["resume", "rerun"])
    def test_going_on_needs_it(self, run, monkeypatch, capsys, command):
        forget(monkeypatch)
        more = ["--duration", "30 ms"] if command == "resume" else []
        assert main([command, str(run.folder), *more]) == 2
        assert capsys.readouterr().err == (
            f"{run.folder}: cell model mine is not registered here. "
            "Name its module, --models test_model_runs\n")

    @pytest.mark.parametrize("go_on", [lambda run: ns.resume(run, duration="30 ms"), ns.rerun])
    def test_other_equations_are_refused(self, run, monkeypatch, go_on):
        forget(monkeypatch)
        ns.register(adex("mine", fires=adex().states[0] > parameters("v_peak mV")[0]))
        with pytest.raises(RunFileError, match=r"must have the equations of the run, [0-9a-f]{16}"):
            go_on(run.folder)
        assert not list(run.folder.glob("chunk*"))

    def test_the_same_equations_go_on(self, run, tmp_path):
        longer = ns.run(plain("mine"), out=tmp_path / "longer", **QUICK | {"duration": "30 ms"})
        assert ns.resume(run, duration="30 ms").summary["spike_hash"] == (
            longer.summary["spike_hash"])
        assert ns.rerun(run, out=tmp_path / "again").summary["equal"]

    def test_damaged(self, run):
        run.record["models"][1]["data"] = {"kind": "cell", "fields": {}}
        run.write_record()
        with pytest.raises(RunFileError, match="the record of this run is damaged"):
            _ = ns.Run(run.folder).circuit


class TestNetworkFiles:
    def test_they_keep_the_models_that_are_not_shipped(self, monkeypatch, tmp_path, capsys):
        ns.register(adex("mine"))
        network = ns.build(plain("mine"), size=60)
        network.save(tmp_path / "net.h5")
        ns.export(network, "sonata", tmp_path / "sonata")
        forget(monkeypatch)
        for path in (tmp_path / "net.h5", tmp_path / "sonata"):
            monkeypatch.setattr(registry, "_described", {})
            assert ns.load_network(path).circuit == network.circuit
            assert main(["run", "--network", str(path), "--engine", "reference", "--duration",
                         "1 ms", "--quiet", "--out", str(tmp_path / "run")]) == 2
            assert capsys.readouterr().err == (
                "cell model mine is not registered here. Name its module, "
                "--models test_model_runs\n")
            assert not (tmp_path / "run").exists()

    def test_nothing_is_added_for_shipped_ones(self):
        network = ns.build(plain("adex"), size=60)
        assert "models" not in header(network)

    def test_damaged(self, tmp_path):
        network = ns.build(plain("adex"), size=60)
        ns.export(network, "sonata", tmp_path / "sonata")
        side = tmp_path / "sonata" / "neostriatum_network.json"
        for models in ([{"data": {}}], [3], 3):
            side.write_text(json.dumps(json.loads(side.read_text()) | {"models": models}))
            with pytest.raises(RunFileError, match="the models of the header are damaged"):
                ns.load_network(tmp_path / "sonata")


def test_a_circuit_of_another_model_of_the_name(monkeypatch):
    ns.register(adex("mine"))
    circuit = ns.load(plain("mine"))
    forget(monkeypatch)
    ns.register(adex("mine", fires=adex().states[0] > parameters("v_peak mV")[0]))
    with pytest.raises(ModelError, match="has other equations here than the circuit was loaded"):
        _ = circuit.cells["FS"].cell_model


# ---- experiments -----------------------------------------------------------------------------


class TestExperiments:
    def test_currents_of_a_model_without_its_own(self):
        ns.register(adex("mine"))
        own, shipped = (ns.cell("FS", sweep="300:500:100 pA", circuit=plain(name), duration="50 ms")
                        for name in ("mine", "adex"))
        assert own.v_mv.shape == shipped.v_mv.shape == (500, 3)
        np.testing.assert_array_equal(own.v_mv, shipped.v_mv)
        assert list(own.rates_hz) == list(shipped.rates_hz)
        assert own.v_peak_mv == 0.0

    def test_pair_is_held_where_it_starts(self):
        ns.register(adex("mine"))
        for name in ("mine", "adex"):
            held = ns.pair("FS", "FS", circuit=plain(name), holding="-65 mV")
            assert held.reference_mv == pytest.approx(-65.0, abs=1e-9)
            assert abs(held.psp_mv) > 0.01
            assert ns.pair("FS", "FS", circuit=plain(name)).holding_mv == -70.0

    def test_states_that_follow_each_other_come_to_rest(self):
        ns.register(gated())
        held = ns.pair("FS", "FS", circuit=plain("mine"), holding="-60 mV")
        assert held.reference_mv == pytest.approx(-60.0, abs=1e-9)

    def test_where_no_current_holds_it(self):
        with pytest.raises(CircuitError, match=r"must be at a potential to which the cell returns"):
            ns.pair("FS", "FS", circuit=plain(), holding="-45 mV")


# ---- other processes -------------------------------------------------------------------------


def known_here(name):
    """Return the hash of a cell model in a worker."""
    return registry.find("cell", name).hash


def test_workers_of_validation():
    ns.register(adex("mine"))
    done = list(run_jobs(known_here, [("one", ("mine",))], 1, 60.0))
    assert [(one.result, one.error) for one in done] == [(adex("mine").hash, None)]


def test_workers_of_a_sweep(tmp_path):
    ns.register(adex("mine"))
    made = ns.sweep(circuit=plain("mine"), vary={"cells.FS.parameters.C": ["80 pF", "90 pF"]},
                    size=60, duration="10 ms", engine="reference", out=tmp_path / "sweep", jobs=1)
    assert (made.points, made.finished, made.failed) == (2, 2, 0)


# ---- the command line ------------------------------------------------------------------------


class TestCommands:
    @pytest.fixture
    def folder(self, tmp_path, monkeypatch):
        """Return a folder with the files of docs/models.md."""
        text = (ROOT / "docs" / "models.md").read_text("utf-8")
        python = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
        toml = re.findall(r"^```toml\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
        (tmp_path / "mycells.py").write_text("\n".join(python))
        (tmp_path / "mine.toml").write_text("\n".join([toml[0], toml[1]]))
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "path", [*sys.path])
        sys.modules.pop("mycells", None)
        return tmp_path

    def test_the_examples_of_the_page(self, folder, capsys):
        run = ["run", "mine.toml", "--engine", "reference", "--size", "100", "--duration", "10 ms",
               "--quiet", "--out", "made"]
        assert main(run) == 2
        assert "FS.model: unknown cell model (got \"my_adex\"). Known: adex; or name the module " \
            "that registers it, --models MODULE" in capsys.readouterr().err
        assert not (folder / "made").exists()
        assert main([*run, "--models", "mycells"]) == 0
        assert main(["cell", "FS", "--current", "300 pA", "--circuit", "mine.toml", "--models",
                     "mycells", "--duration", "50 ms", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["rate_hz"] > 0
        circuit = ns.Run("made").circuit
        assert circuit.receptors["GABA"].values == {
            "E": -60.0, "tau": 8.0, "v_half": -40.0, "width": 10.0}
        assert circuit.start["FS"].w.value == 5.0

    def test_a_process_of_its_own(self, folder):
        done = subprocess.run(
            [sys.executable, "-m", "neostriatum", "info", "mine.toml", "--models", "mycells",
             "--json"], capture_output=True, text=True, check=True, cwd=folder,
            env=os.environ | {"PYTHONPATH": str(ROOT / "src")})
        assert json.loads(done.stdout)["circuit"]["cells"]["FS"]["model"] == "my_adex"

    def test_models(self, folder, capsys):
        assert main(["models", "--json", "--models", "mycells"]) == 0
        made = {one["name"]: one for one in json.loads(capsys.readouterr().out)["models"]}
        assert made["my_adex"]["module"] == "mycells"
        assert made["adex"].keys() >= {"name", "kind", "states", "parameters", "source", "hash"}
        assert made["rectifying"]["kind"] == "receptor"
        assert main(["models", "adex"]) == 0
        text = capsys.readouterr().out
        assert "dv/dt = (g_L*(E_L - v) + g_L*D_T*exp((minimum(v, v_peak) - v_T)/D_T) - w + I)/C" \
            in text
        assert "E_L          mV >= -200 <= 200" in text
        assert "must hold: v_reset < v_peak" in text

    def test_bad_names(self, capsys):
        assert main(["models", "nmd"]) == 2
        assert "unknown model (got nmd). Known: nmda; or" in capsys.readouterr().err
        assert main(["info", "seed", "--models", "no_such_module"]) == 2
        assert capsys.readouterr().err == (
            "models: no_such_module could not be imported "
            "(ModuleNotFoundError: No module named 'no_such_module')\n")

    def test_broken_entry_points_are_named(self, monkeypatch, capsys):
        monkeypatch.setitem(registry.broken, "theirs", "ImportError: no")
        assert main(["models", "adex"]) == 0
        assert capsys.readouterr().err == (
            "warning: models: entry point theirs could not be imported (ImportError: no)\n")
