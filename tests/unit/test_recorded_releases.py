"""Levels and states of releases in a run's files, exports and figures, and what is refused."""

import json

import libsonata
import numpy as np
import pytest
import stoppable

import neostriatum as ns
from neostriatum.cli import main
from neostriatum.recording.selection import choices

RECORD = ["modulators.D1:level:10", "pathways.FS->dSPN:[0,2]:released,x:5", "FS:1:v"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return ns.run("striatum_v1", size=300, duration="60 ms", figures=False, record=RECORD,
                  dopamine=0.4, out=tmp_path_factory.mktemp("releases") / "run")


def test_variables_and_files(run):
    assert run.variables == ["level", "u", "x", "v", "released"]
    assert {path.name for path in run.folder.glob("traces*.h5")} == {
        "traces.h5", "traces-level.h5", "traces-u.h5", "traces-x.h5"}
    assert list(run.recorded("v")) == ["FS"]
    level, x = run.recorded("level")["modulators.D1"], run.recorded("x")["pathways.FS->dSPN"]
    np.testing.assert_array_equal(level.values, np.full((60, 1), 0.4))
    assert (x.values.shape, x.ids.tolist(), run.unit("x"), run.unit("released")) == (
        (120, 2), [0, 2], "1", "1")
    assert ns.Run(run.folder).recorded("released").keys() == {"pathways.FS->dSPN"}
    assert run.recorded("x")["pathways.FS->dSPN"].values.min() < 0.8


def test_resume_and_an_unfinished_run(tmp_path):
    circuit = stoppable.circuit()
    network = ns.build(circuit, size=60, seed=1)
    name = next(name for name, pathway in circuit.pathways.items() if pathway.stp)
    record = [f"pathways.{name}:2:released:3", "modulators.D1:level"]
    whole = stoppable.run(circuit, network, tmp_path / "whole", record=record)
    with pytest.raises(stoppable.Stop):
        stoppable.run(circuit, network, tmp_path / "half", stop=0.5, record=record)
    short = stoppable.run(circuit, network, tmp_path / "short", record=record, duration="20 ms")
    longer = ns.resume(short, duration="40 ms", network=network)
    for variable, key in (("released", f"pathways.{name}"), ("level", "modulators.D1")):
        half, wanted = (one.recorded(variable)[key].values
                        for one in (ns.Run(tmp_path / "half"), whole))
        assert 0 < len(half) < len(wanted)
        np.testing.assert_array_equal(half, wanted[: len(half)])
        np.testing.assert_array_equal(longer.recorded(variable)[key].values, wanted)


def test_arrays(run):
    data = run.to_xarray()
    assert data.modulator_level.sel(modulator="D1").dropna("time").values.tolist() == [0.4] * 60
    assert data.source.values.tolist() == ["FS->dSPN 0", "FS->dSPN 2"]
    np.testing.assert_array_equal(
        data.release_released.sel(source="FS->dSPN 2").dropna("time"),
        run.recorded("released")["pathways.FS->dSPN"].values[:, 1])
    assert data.v.dims == ("time", "probe")


def test_csv_and_neo(run, tmp_path):
    ns.export(run, to="csv", out=tmp_path / "csv")
    lines = (tmp_path / "csv" / "releases-x.csv").read_text().splitlines()
    assert lines[0] == "time_ms,type,node_id,id,x_1"
    assert lines[-1].startswith("60,pathways.FS->dSPN,2,,0.")
    assert (tmp_path / "csv" / "levels.csv").read_text().splitlines()[1] == (
        "1,modulators.D1,0,,0.4")
    (segment,) = run.to_neo().segments
    signals = {signal.name: signal for signal in segment.analogsignals}
    assert signals["level modulators.D1"].shape == (60, 1)
    assert signals["x pathways.FS->dSPN"].array_annotations["node_id"].tolist() == [0, 2]


def test_nwb(run, tmp_path):
    pynwb = pytest.importorskip("pynwb")
    ns.export(run, to="nwb", out=tmp_path / "nwb")
    with pynwb.NWBHDF5IO(str(tmp_path / "nwb" / "run.nwb"), "r") as file:
        series = file.read().processing["simulation"]
        assert series["x_pathways.FS->dSPN"].comments == "numbers of the sources: 0, 2"
        assert series["level_modulators.D1"].data.shape == (60, 1)
        assert set(series["traced_cells"]["series"][:]) == {"membrane_potential_FS"}


def test_sonata(run, tmp_path):
    said = ns.export(run, to="sonata", out=tmp_path / "sonata")
    assert said["traced"] == 1
    config = json.loads((tmp_path / "sonata" / "simulation_config.json").read_text())
    assert set(config["reports"]) == {"v"}
    reader = libsonata.ElementReportReader(str(tmp_path / "sonata" / "output" / "x.h5"))
    assert reader.get_population_names() == ["pathways.FS->dSPN"]
    assert reader["pathways.FS->dSPN"].get().data.shape == (120, 2)


def test_figures(run):
    figure, axes = ns.plot.recorded(run, "released")
    assert list(axes) == ["pathways.FS->dSPN"]
    assert [panel.texts[0].get_text() for panel in axes["pathways.FS->dSPN"]] == [
        "source 0", "source 2"]
    assert figure.get_supylabel() == "released (1)"
    _, axes = ns.plot.recorded(run, "level")
    np.testing.assert_array_equal(axes["modulators.D1"][0].lines[0].get_ydata(), [0.4] * 60)


def test_info_lists_them(capsys):
    assert main(["info", "striatum_v1", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["recordable_levels"] == ["D1", "D2"]
    assert said["recordable_releases"]["FS->dSPN"] == ["u", "x", "released"]
    assert main(["info", "striatum_v1"]) == 0
    out = capsys.readouterr().out
    assert "recordable of modulators D1, D2: level\n" in out
    assert "recordable of pathways FS->dSPN, " in out


def test_a_level_is_looked_at_whenever_somebody_looks():
    chosen = choices(["modulators.D1:level:6", "pathways.FS->dSPN:1:released"],
                     ns.load("striatum_v1"), {"dSPN": 9, "iSPN": 9, "FS": 3})
    assert [(one.population, one.variable, one.ids.tolist(), one.every) for one in chosen] == [
        ("modulators.D1", "level", [0], 6), ("pathways.FS->dSPN", "u", [0], 1),
        ("pathways.FS->dSPN", "x", [0], 1)]


@pytest.mark.parametrize(("entry", "engine", "code", "message"), [
    ("modulators.XX:level", "numba", 2, "(got modulators.XX)"),
    ("modulators.ACh:u", "numba", 2, "modulators.ACh has level (got u)"),
    ("modulators.ACh", "numba", 2, "modulators.ACh has level (got v)"),
    ("modulators.ACh:level:0", "numba", 2, "every must be a number of steps, at least 1 (got 0)"),
    ("pathways.FS->XX:1:x", "numba", 2, "must be a pathway with short-term plasticity whose"),
    ("pathways.FS->dSPN:1:u", "numba", 2, "pathways.FS->dSPN has x, y, released (got u)"),
    ("pathways.FS->dSPN:99:x", "numba", 2, "must be some of the 1 that there are (got 99)"),
    ("pathways.cortex->dSPN:99999:x", "numba", 2, "must be some of the 20000 that there are"),
    ("pathways.FS->dSPN:1", "numba", 2, "pathways.FS->dSPN has x, y, released (got v)"),
    ("pathways.FS->dSPN:1:x", "brian2-runtime", 3,
     "engine brian2-runtime: record: pathways.FS->dSPN: Brian2 keeps a state of release at every "
     "synapse, not at its source. Use the engine numba"),
])
def test_what_is_refused(entry, engine, code, message, tmp_path, capsys):
    assert main(["run", "striatum", "--record", entry, "--size", "60", "--duration", "1 ms",
                 "--engine", engine, "--out", str(tmp_path / "run"), "--quiet"]) == code
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_pooled_axons_have_no_sources(tmp_path, capsys):
    assert main(["run", "--overlay", "pooled_axons", "--record", "pathways.cortex->dSPN:1:x",
                 "--size", "60", "--out", str(tmp_path / "run"), "--quiet"]) == 2
    assert "whose sources have trains (got cortex->dSPN)" in capsys.readouterr().err


def test_released_is_of_the_sources_and_times_that_its_states_share(tmp_path):
    def released(*entries):
        run = ns.run("striatum_v1", size=300, duration="30 ms", figures=False, threads=1,
                     record=[f"pathways.FS->dSPN:{one}" for one in entries],
                     out=tmp_path / str(len(list(tmp_path.iterdir()))))
        return run.recorded("released").get("pathways.FS->dSPN")

    whole = released("3:u,x")
    for one in (released("[0-2]:x:10", "[1,2]:u:4"), released("[0,2]:u:4", "3:x:10")):
        columns = np.flatnonzero(np.isin(whole.ids, one.ids))
        np.testing.assert_allclose(one.times_ms, [2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26,
                                                  28, 30])
        np.testing.assert_array_equal(one.values, whole.values[19::20, columns])
    assert one.ids.tolist() == [0, 2]
    assert np.ptp(whole.values) > 0.05
    assert released("[0]:x", "[1]:u") is None


@pytest.mark.parametrize("order", [1, -1])
def test_a_state_of_a_cell_and_of_a_release_with_one_name(order, tmp_path):
    run = ns.run("striatum_v1", size=300, duration="10 ms", figures=False, out=tmp_path / "run",
                 record=["dSPN:1:u", "pathways.FS->dSPN:1:u"][::order])
    data = run.to_xarray()
    assert (data.u.dims, data.u.units) == (("time", "probe"), "pA")
    assert (data.release_u.dims, data.release_u.units) == (("time", "source"), "1")
    ns.export(run, to="csv", out=tmp_path / "csv")
    heads = [(tmp_path / "csv" / name).read_text().splitlines()[0].split(",")[-1]
             for name in ("traces-u.csv", "releases-u.csv")]
    assert heads == ["u_pa", "u_1"]
