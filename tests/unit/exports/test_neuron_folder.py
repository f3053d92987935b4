"""What an export for NEURON writes and refuses; tests/contract/test_neuron.py simulates some."""

import json

import h5py
import numpy as np
import pytest

import neostriatum as ns
from neostriatum.cli import main
from neostriatum.engines.axons import Players
from neostriatum.engines.lowered import lower
from neostriatum.models import ReceptorModel, State, exp, parameters, positive, where
from neostriatum.models.registry import register
from neostriatum.recording.neuron import folder as neuron_folder
from neostriatum.recording.neuron import script
from neostriatum.recording.neuron.statements import Statements

BASE = {"warmup": "2 ms"}


@pytest.fixture(scope="module")
def circuit():
    return ns.load("striatum_v1", changes={**BASE, "cells.FS.fraction": 0.2,
                                        "cells.dSPN.fraction": 0.4, "cells.iSPN.fraction": 0.4})


@pytest.fixture(scope="module")
def network(circuit):
    return ns.build(circuit, size=60, seed=4)


@pytest.fixture
def saved(network, tmp_path, monkeypatch):
    """Work in a folder with the file of the network; return what is in it."""
    monkeypatch.chdir(tmp_path)
    network.save("net.h5")
    return {"net.h5"}


def test_folder(circuit, network, tmp_path):
    out = tmp_path / "out"
    made = ns.export(network, "neuron", out, duration="10 ms", seed=5)
    assert made["network_hash"] == network.hash()
    assert {path.name for path in out.iterdir()} == {"mod", "network", "inputs.h5", "model.json",
                                                     "run.py"}
    assert {path.name for path in (out / "mod").iterdir()} == {
        "nscell_dSPN.mod", "nscell_iSPN.mod", "nscell_FS.mod", "nsjunction.mod"}
    assert ns.load_network(out / "network").hash() == network.hash()
    assert (out / "run.py").read_text("utf-8").startswith(f'"""{script.__doc__.splitlines()[0]}')
    model = json.loads((out / "model.json").read_text("utf-8"))
    assert (model["warmup_steps"], model["steps"], model["seed"]) == (20, 100, 5)
    assert [pathway["name"] for pathway in model["pathways"]] == list(circuit.pathways)
    assert any(pathway["release"] for pathway in model["pathways"])
    # What is drawn is what every engine of this package draws.
    lowered = lower(circuit, network, 5)
    drive = lowered.drives[0]
    with h5py.File(out / "inputs.h5") as file:
        events = file[f"events/{drive.name}"]
        steps, ids = events["steps"][:], events["ids"][:]
    for step in (0, 7, 119):
        wanted = drive.events(step, float(drive.rate.at(lowered.time_ms(step))), lowered.dt)
        assert np.array_equal(ids[steps == step], wanted)


def test_numbers_are_whole(circuit, network, tmp_path):
    """A number that modulators change stands as they leave it, in double precision."""
    ns.export(network, "neuron", tmp_path / "out", duration="1 ms")
    model = json.loads((tmp_path / "out" / "model.json").read_text("utf-8"))
    population = lower(circuit, network, 1).populations[0]
    values = population.modulated(lower(circuit, network, 1).phi(0))
    assert values["v_r"] != population.parameters["v_r"]
    numbers = model["populations"][0]["numbers"]
    assert numbers["p_v_r_nscell_dSPN"] == values["v_r"]
    assert numbers["d0_g_nscell_dSPN"] == population.synapses[0].decays["g"]


def test_spread_is_written_per_cell(circuit, tmp_path):
    spread = circuit.replace({"spread": {"dSPN": {"C": "1 pF"}},
                              "start": {"dSPN": {"v_sd": "1 mV"}}})
    network = ns.build(spread, size=60, seed=4)
    ns.export(network, "neuron", tmp_path / "out", duration="1 ms", seed=2)
    population = lower(spread, network, 2).populations[0]
    with h5py.File(tmp_path / "out" / "inputs.h5") as file:
        cells = file["cells/dSPN"]
        assert np.array_equal(cells["p_C"][:], population.parameters["C"])
        assert np.array_equal(cells["start_v"][:], population.start_v)
    assert "RANGE p_C" in (tmp_path / "out" / "mod" / "nscell_dSPN.mod").read_text("utf-8")


def test_command(saved, tmp_path, capsys):
    assert main(["export", "net.h5", "--to", "neuron", "--out", "out", "--duration", "5 ms",
                 "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert (made["to"], made["neurons"], made["out"]) == ("neuron", 60, "out")
    (tmp_path / "mine.toml").write_text('extends = "striatum_v1"\nname = "mine"\nwarmup = "0 ms"\n')
    (tmp_path / "mine.json").write_text(
        '{"extends": "striatum_v1", "name": "mine", "warmup": "0 ms"}')
    for number, what in enumerate(("striatum_v1", "mine.toml", "mine.json")):
        assert main(["export", what, "--to", "neuron", "--out", f"out{number}", "--size", "50",
                     "--seed", "3", "--duration", "1 ms"]) == 0
        assert "50 neurons" in capsys.readouterr().out
        model = json.loads((tmp_path / f"out{number}" / "model.json").read_text("utf-8"))
        assert (model["circuit"], model["seed"]) == (what.partition(".")[0], 3)


@pytest.mark.parametrize(("options", "rule", "code"), [
    (["--duration", "soon"], "duration: ", 2),
    (["--duration", "0.05 ms"], "duration: must be a whole number of steps", 2),
    (["--duration", "9999999 s"], "duration: must have at most 20,000,000 events from outside", 2),
    (["--duration", "2000 s"], "duration: must have at most 20,000,000 events from outside", 2),
    (["--seed", "-1"], "seed: ", 2),
    (["--size", "60"], "--size: is of a circuit alone (got 60). Leave it out", 2)])
def test_options_are_refused(options, rule, code, saved, tmp_path, capsys):
    assert main(["export", "net.h5", "--to", "neuron", "--out", "x", *options]) == code
    refused(rule, saved, tmp_path, capsys)


@pytest.mark.parametrize(("what", "to", "options", "rule", "code"), [
    ("net.h5", "sonata", ["--duration", "1 s"], "--duration: is of --to neuron alone", 2),
    ("net.h5", "sonata", ["--seed", "1"], "--seed: is of --to neuron alone", 2),
    ("net.h5", "nwb", [], "--to: of a network must be sonata or neuron (got nwb)", 2),
    ("net.h5", "genesis", [], "--to: must be sonata, nwb, neo, csv or neuron (got genesis)", 2),
    ("striatum_v1", "sonata", [], "striatum_v1: is not there", 5),
    ("nothing", "neuron", [], "nothing: is not there", 5),
    ("none.toml", "neuron", [], "none.toml: no such circuit file", 2)])
def test_what_is_exported_is_refused(what, to, options, rule, code, saved, tmp_path, capsys):
    assert main(["export", what, "--to", to, "--out", "x", *options]) == code
    refused(rule, saved, tmp_path, capsys)


def refused(rule, saved, folder, capsys):
    printed, error = capsys.readouterr()
    assert printed == ""
    assert rule in error
    assert error.count("\n") == 1
    assert {path.name for path in folder.iterdir()} == saved


@pytest.mark.parametrize(("changes", "rule"), [
    ({"noise": {"dSPN": "1 mV"}}, "noise.dSPN: must be 0 for NEURON"),
    ({"pathways.dSPN->iSPN.failure": {"probability": 0.5, "drawn": True}},
     "pathways.dSPN->iSPN.failure.drawn: must be false for NEURON")])
def test_circuits_are_refused(changes, rule, circuit, network, tmp_path):
    with pytest.raises(ns.NeostriatumError, match=rule) as caught:
        ns.export(network, "neuron", tmp_path / "x", circuit=circuit.replace(changes))
    assert caught.value.exit_code == 3
    assert list(tmp_path.iterdir()) == []


def with_axons(circuit, **more):
    """Return the circuit with axons that excite one type through a release."""
    raw = circuit.to_dict() | {"axons": {"cortex": {"size": 30, "rate": "20 Hz", **more}}}
    stp = {"U": 0.2, "tau_rec": "300 ms", "tau_fac": "60 ms", "start": "stationary"}
    raw["pathways"]["cortex->dSPN"] = {
        "conductance": {"AMPA": "2 nS"}, "delay": "1 ms", "stp": stp,
        "wiring": {"rule": "fixed_indegree", "n": 10}}
    raw["pathways"]["FS->dSPN"]["stp"] |= {"start": "stationary", "start_rate": "15 Hz"}
    return ns.load(raw)


def test_pooled_axons_are_refused(circuit, tmp_path):
    pooled = with_axons(circuit, identity=False)
    rule = r"axons\.cortex\.identity: must be true for NEURON"
    with pytest.raises(ns.NeostriatumError, match=rule) as caught:
        ns.export(ns.build(pooled, size=60, seed=1), "neuron", tmp_path / "x")
    assert caught.value.exit_code == 3
    assert list(tmp_path.iterdir()) == []


def test_axons_and_start_states_are_written(circuit, tmp_path):
    """Spikes are those that the engines draw; releases of axons and of cells begin stationary."""
    circuit = with_axons(circuit)
    network = ns.build(circuit, size=60, seed=1)
    ns.export(network, "neuron", tmp_path / "x", circuit=circuit, duration="48 ms", seed=1)
    low = lower(circuit, network, 1)
    assert json.loads((tmp_path / "x" / "model.json").read_text())["axons"] == ["cortex"]
    with h5py.File(tmp_path / "x" / "inputs.h5") as file:
        ((steps, ids),) = Players(low.axons).spikes(0, 500)
        assert len(ids) > 15
        assert np.array_equal(file["axons/cortex/steps"][:], steps)
        assert np.array_equal(file["axons/cortex/ids"][:], ids)
        assert set(file["starts"]) == {"FS->dSPN", "cortex->dSPN"}
        for one in low.projections:
            if one.name in file["starts"]:
                assert np.array_equal(file[f"starts/{one.name}"][:],
                                      [one.stp.starts["u"], one.stp.starts["x"]])
                assert one.stp.starts["x"].max() < 1


def test_a_level_is_refused(tmp_path):
    """Also where an engine can compute it."""
    (tau,), s = parameters("tau ms > 0"), State("s", "1")
    register(ReceptorModel(name="levelled", states=(s,), decays={s: tau}, modulation=s))
    raw = ns.load("striatum_v1").to_dict()
    raw["receptors"]["AMPA"] = {"model": "levelled", "tau": "5 ms"}
    raw["cells"]["iSPN"]["dopamine"] = []
    circuit = ns.load(raw)
    with pytest.raises(ns.NeostriatumError, match=r"AMPA\.model: levelled makes a level") as caught:
        ns.export(ns.build(circuit, size=30, seed=1), "neuron", tmp_path / "x")
    assert caught.value.exit_code == 3
    assert list(tmp_path.iterdir()) == []


def test_a_run_is_refused(run, tmp_path, capsys):
    assert main(["export", str(run.folder), "--to", "neuron", "--out", str(tmp_path / "x")]) == 2
    refused("--to: of a run must be sonata, nwb, neo or csv (got neuron). Export its network",
            set(), tmp_path, capsys)


def test_unknown_option(network, tmp_path):
    with pytest.raises(ns.NeostriatumError, match="export: unknown option dt") as caught:
        ns.export(network, "neuron", tmp_path / "x", dt="0.1 ms")
    assert caught.value.exit_code == 2


def test_failure_leaves_nothing(network, tmp_path, monkeypatch):
    def full(*_):
        msg = "full"
        raise ns.NeostriatumError(msg)

    monkeypatch.setattr(neuron_folder, "_write_inputs", full)
    with pytest.raises(ns.NeostriatumError, match="full"):
        ns.export(network, "neuron", tmp_path / "x", duration="1 ms")
    assert list(tmp_path.iterdir()) == []


def test_statements():
    """The order of the operations is that of the tree, and what is shared is computed once."""
    x, y, block = State("x", "1"), State("y", "1"), Statements("w_")
    shared = x * x
    block.assign({"a": shared - (shared - y), "b": where((x < y) & (y > 0), exp(-x), positive(y))},
                 {"x": "s_x", "y": "s_y"})
    assert block.lines == [
        "w_0 = (s_x * s_x)", "if (0.0 > s_y) {", "    w_1 = 0.0", "} else {", "    w_1 = s_y", "}",
        "if ((s_x < s_y) && (s_y > 0.0)) {", "    w_2 = fn_exp((-s_x))", "} else {",
        "    w_2 = w_1", "}", "a = (w_0 - (w_0 - s_y))", "b = w_2"]
    assert block.locals == ["w_0", "w_1", "w_2"]


def test_one_writes_over_the_other():
    """New values are all of the old ones."""
    x, y, block = State("x", "1"), State("y", "1"), Statements("w_")
    block.assign({"s_x": y, "s_y": x}, {"x": "s_x", "y": "s_y"})
    assert block.lines == ["w_0 = s_y", "w_1 = s_x", "s_x = w_0", "s_y = w_1"]
