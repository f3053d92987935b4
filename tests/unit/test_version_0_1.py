"""What version 0.1 wrote is read, drawn, exported, gone on with and done again.

`verify/samples.py` made the samples, with the code of version 0.1.
"""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import neostriatum as ns
from neostriatum.cli import main
from neostriatum.errors import BuildError, RunFileError

pytestmark = pytest.mark.usefixtures("one_figure")

SAMPLES = Path(__file__).parents[1] / "data" / "v0_1"
EXPECTED = json.loads((SAMPLES / "expected.json").read_text("utf-8"))
ENGINES = ("reference", "numba")


@pytest.fixture
def sample(tmp_path, monkeypatch):
    """Return what copies a sample into the working directory and gives its name there."""
    monkeypatch.chdir(tmp_path)

    def copy(name):
        shutil.copytree(SAMPLES / name, tmp_path / name)
        return name

    return copy


def test_samples_are_small_and_of_no_machine():
    files = [path for path in SAMPLES.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 1_500_000
    for path in files:
        if path.suffix in (".json", ".csv", ".jsonl", ".toml"):
            text = path.read_text("utf-8")
            assert not re.findall(r'"/|/home/|(?<![\w:/])/tmp', text), path
    for path in SAMPLES.rglob("run.json"):
        assert ns.Run(path.parent).record["machine"]["processor"] == "any"


# ---- a finished run -------------------------------------------------------------------------


def test_a_finished_run_is_read():
    run = ns.Run(SAMPLES / "finished")
    run.verify()
    assert run.status == "finished"
    assert run.record["versions"]["neostriatum"].startswith("0.1.")
    assert run.summary["spike_hash"] == EXPECTED["finished"]["spike_hash"]
    assert len(run.spikes) == EXPECTED["finished"]["spikes"]
    assert list(run.populations) == ["dSPN", "iSPN", "FS"]
    assert run.variables == ["v", "u", "g_AMPA"]
    assert run.traces["dSPN"].values.shape == (200, 2)
    assert run.rates()["dSPN"].mean() > 100
    assert len(run.to_pandas()) == EXPECTED["finished"]["spikes"]


def test_a_finished_run_is_reported_and_drawn(sample, capsys):
    folder = sample("finished")
    assert main(["report", folder]) == 0
    page = (Path(folder) / "report.html").read_text("utf-8")
    assert EXPECTED["finished"]["spike_hash"] in page
    assert main(["plot", folder, "raster", "--out", "raster.png"]) == 0
    assert Path("raster.png").stat().st_size > 1000
    capsys.readouterr()
    assert main(["cite", folder]) == 0
    assert "humphries2009b" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["csv", "sonata"])
def test_a_finished_run_is_exported(kind, sample, capsys):
    assert main(["export", sample("finished"), "--to", kind, "--out", "out", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["spike_hash"] == EXPECTED["finished"]["spike_hash"]
    assert made["spikes"] == EXPECTED["finished"]["spikes"]


def test_a_finished_run_is_done_again(sample):
    again = ns.rerun(sample("finished"), out="again")
    assert again.summary["equal"] is True
    assert again.summary["spike_hash"] == EXPECTED["finished"]["spike_hash"]
    assert again.record["network_hash"] == EXPECTED["finished"]["network_hash"]


def test_a_finished_run_is_not_extended_but_done_again_for_longer(sample):
    name = sample("finished")
    with pytest.raises(RunFileError, match=r"^finished: state_version must be 2 to go on exactly "
                                           r"\(got 1, .*or use rerun$"):
        ns.resume(name, duration="25 ms")
    assert ns.Run(name).finished


# ---- runs that were interrupted -------------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES)
def test_an_interrupted_run_is_read_and_done_again(engine, sample):
    name = sample(f"interrupted_{engine}")
    run = ns.Run(name)
    run.verify()
    assert run.status == "interrupted"
    assert 0 < run.duration_ms < 20
    before = run.spikes.times_ms
    kept = {path.name: path.read_bytes() for path in Path(name).iterdir() if path.is_file()}
    with pytest.raises(RunFileError, match=r"state_version must be 2 .* or use rerun"):
        ns.resume(name)
    assert {path.name: path.read_bytes() for path in Path(name).iterdir()
            if path.is_file()} == kept
    whole = ns.rerun(name, out="again")
    assert whole.summary["spike_hash"] == EXPECTED[name]["spike_hash"]
    assert np.array_equal(whole.spikes.times_ms[:len(before)], before)


def test_another_major_version_does_not_go_on(sample, monkeypatch):
    from neostriatum.runs import go_on

    monkeypatch.setattr(go_on, "__version__", "7.0.0")
    name = sample("interrupted_reference")
    before = {path.name: path.read_bytes() for path in Path(name).iterdir()}
    message = (r"^interrupted_reference: version must be 7 to go on exactly \(got 0, neostriatum "
               r"0\.1\.0\)\. Install that version, or use rerun$")
    with pytest.raises(RunFileError, match=message):
        ns.resume(name)
    assert {path.name: path.read_bytes() for path in Path(name).iterdir()} == before
    again = ns.rerun(name, out="again")
    assert again.summary["spike_hash"] == EXPECTED[name]["spike_hash"]


# ---- networks -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["network.h5", "sonata"])
def test_a_network_has_the_hash_that_it_had(name):
    network = ns.load_network(SAMPLES / name)
    assert network.hash() == EXPECTED["network.h5"]["network_hash"]
    assert network.circuit.name == "striatum"
    built = ns.build(network.circuit, size=network.size, seed=network.seed)
    assert built.hash() == network.hash()


def test_a_network_has_the_overlays_of_its_preset():
    circuit = ns.load(ns.load_network(SAMPLES / "network.h5").circuit, overlay="parkinsonian.drive")
    assert circuit.inputs["cortex"].targets["FS"].rate.constant.value == 2.76


# ---- a sweep --------------------------------------------------------------------------------


def test_a_sweep_is_read():
    table = pd.read_csv(SAMPLES / "sweep" / "table.csv")
    assert table["dopamine"].tolist() == [0.0, 0.8]
    assert table["status"].tolist() == ["finished", "finished"]
    for row in table.itertuples():
        run = ns.Run(SAMPLES / "sweep" / row.folder)
        run.verify()
        assert run.summary["spike_hash"] == row.spike_hash
        assert len(run.spikes) == row.spikes


@pytest.mark.parametrize(("circuit", "message"), [
    ("striatum_v1", r"neostriatum: must be 0\.1\.0 to go on there \(got "),
    ("striatum", r"circuit: must be what striatum was in version 0\.1, now striatum_v1, to go on "
                 r"there \(got striatum\)\. Choose another --out")])
def test_a_sweep_goes_on_with_its_version_alone(sample, circuit, message):
    folder = sample("sweep")
    record = json.loads((Path(folder) / "sweep.json").read_text("utf-8"))
    asked = {key: record["plan"][key] for key in ("size", "duration", "engine", "changes")}
    before = {path: path.stat().st_mtime_ns for path in Path(folder).rglob("*")}
    with pytest.raises(RunFileError, match=message):
        ns.sweep(out=folder, circuit=circuit, vary={"dopamine": [0.0, 0.8]}, figures=False,
                 **asked)
    assert {path: path.stat().st_mtime_ns for path in Path(folder).rglob("*")} == before


def test_a_network_names_its_circuit_of_today(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = SAMPLES / "network.h5"
    with pytest.raises(BuildError, match=r"version 0\.1: name striatum_v1$"):
        ns.run("striatum", network=folder, duration="1 ms", out="refused", figures=False)
    assert not Path("refused").exists()
