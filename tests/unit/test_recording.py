"""What is recorded, where it goes, who can read it, and what happens when the disk does not."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import stoppable

import neostriatum as ns
from neostriatum.cli import main
from neostriatum.durable import Hashed
from neostriatum.engines import base
from neostriatum.errors import CircuitError, RunFileError
from neostriatum.recording.chunks import due
from neostriatum.recording.manifest import Manifest
from neostriatum.recording.selection import choices
from neostriatum.recording.sonata import windows_of_spikes
from neostriatum.recording.spikehash import spike_hash

pytestmark = pytest.mark.usefixtures("one_figure")
ROOT = Path(__file__).parents[2]
SRC = str(Path(ns.__file__).parents[1])
RECORD = ["dSPN:[1,5-7]:v,u,g_GABA,g_AMPA:4", "FS:2"]


@pytest.fixture(scope="module")
def small():
    """A circuit and its network."""
    made = stoppable.circuit()
    return made, ns.build(made, size=60, seed=1)


@pytest.fixture(scope="module")
def made(small, tmp_path_factory):
    """A finished run."""
    return stoppable.run(*small, tmp_path_factory.mktemp("made") / "run", record=RECORD)


@pytest.fixture(scope="module")
def stopped(small, tmp_path_factory):
    """The folder of a run that stopped in its middle."""
    folder = tmp_path_factory.mktemp("half") / "half"
    with pytest.raises(stoppable.Stop):
        stoppable.run(*small, folder, stop=0.5, record=RECORD)
    return folder


@pytest.fixture
def half(stopped, tmp_path):
    """A copy of it that a test may change."""
    return Path(shutil.copytree(stopped, tmp_path / "half"))


# ---- which cells and variables --------------------------------------------------------------


def chosen(said, **counts):
    return [(one.population, one.variable, one.ids.tolist(), one.every)
            for one in choices(said, ns.load("striatum_v1"), counts)]


def test_choices():
    assert chosen(None, dSPN=9, iSPN=2, FS=0) == [("dSPN", "v", [0, 1, 2], 1),
                                                  ("iSPN", "v", [0, 1], 1)]
    assert chosen("none", dSPN=9) == []
    assert chosen("D1:2", dSPN=9) == [("dSPN", "v", [0, 1], 1)]
    assert chosen(["FS:all:g_AMPA:10", "dSPN:[8,0-2, 1]: u , v"], dSPN=9, FS=2) == [
        ("FS", "g_AMPA", [0, 1], 10), ("dSPN", "u", [0, 1, 2, 8], 1),
        ("dSPN", "v", [0, 1, 2, 8], 1)]


@pytest.mark.parametrize("said", [
    "", "dSPN", "dSPN:", "dSPN:3:v:1:1", "ChIN:3", "dSPN:0", "dSPN:10", "dSPN:[9]", "dSPN:[3-1]",
    "dSPN:[]", "dSPN:2-3", "dSPN:-1", "dSPN:[0,]", "dSPN:99999999999", "dSPN:[0-999999999]",
    "dSPN:3:w", "dSPN:3:g_NOPE", "dSPN:3:v,", "dSPN:3:v:0", "dSPN:3:v:1.5", "dSPN:3:v:1 ms",
    ["dSPN:3:v", "D1:[4]:v"], ["dSPN:3:v,v"], ["none", "dSPN:3"], [3], "FS:all", "iSPN:all:v,u"])
def test_bad_choices(said):
    with pytest.raises(CircuitError, match="record: ") as caught:
        chosen(said, dSPN=9, iSPN=5001, FS=0)
    assert len(str(caught.value).splitlines()) == 1


def test_bad_choice_leaves_nothing(tmp_path, capsys):
    for bad in ("dSPN:61", "dSPN:2:w"):
        assert main(["run", GOOD, "--engine", "reference", "--size", "60", "--record", bad,
                     "--out", str(tmp_path / "run")]) == 2
        assert capsys.readouterr().err.splitlines()[-1].startswith("record: ")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("engine", ["reference", "numba"])
def test_recorded_is_what_the_cells_did(engine, small, made, tmp_path):
    """Every engine and any window gives the same samples, at the same times as one by one."""
    run = stoppable.run(*small, tmp_path / "run", engine=engine, record=RECORD)
    assert run.summary["spike_hash"] == made.summary["spike_hash"]
    assert run.variables == ["v", "u", "g_GABA", "g_AMPA"]
    simulator = base.engine("reference")
    simulator.prepare(*small, 1)
    names = [synapse.name for synapse in simulator.lowered.populations[0].synapses]
    ids, values = np.array([1, 5, 6, 7]), {name: [] for name in run.variables}
    for step in range(-30, 400):
        simulator.advance(1)
        if step >= 0 and (step + 1) % 4 == 0:
            for name in ("v", "u"):
                values[name].append(simulator.cells[0][name][ids])
            for name in ("GABA", "AMPA"):
                own = simulator.receptors[0][names.index(name)]
                values[f"g_{name}"].append(own["g"][ids])
    for name, right in values.items():
        trace = run.recorded(name)["dSPN"]
        np.testing.assert_array_equal(trace.values, np.float32(right))
        np.testing.assert_allclose(trace.times_ms, 0.4 * (1 + np.arange(100)))
        np.testing.assert_array_equal(trace.ids, ids)
    assert np.ptp(run.recorded("g_GABA")["dSPN"].values) > 0
    assert run.recorded("v")["FS"].values.shape == (400, 2)
    assert run.traces["FS"].v_mv.shape == (400, 2)


def test_recording_changes_no_spike(small, made, tmp_path):
    plain = stoppable.run(*small, tmp_path / "run", record="none", checkpoint_every="1 h")
    assert plain.summary["spike_hash"] == made.summary["spike_hash"]
    assert plain.traces == {}
    assert not (plain.folder / "traces.h5").exists()


def test_take_forgets(small):
    for name in ("reference", "numba"):
        simulator = base.engine(name, threads=1)
        simulator.prepare(*small, 1)
        simulator.probe("FS", np.array([1, 0]), "u", 3)
        simulator.advance(40)
        first, second = simulator.take(), simulator.take()
        assert [len(one.steps) for one in first] == [13]
        assert [one.values.shape for one in second] == [(0, 2)]
        with pytest.raises(CircuitError, match="FS has v, u, g_AMPA"):
            simulator.probe("FS", np.array([0]), "g_NOPE")


def test_due():
    for first, stop, every in ((0, 10, 1), (3, 20, 4), (4, 4, 3), (7, 8, 8), (0, 3, 5)):
        assert due(first, stop, every).tolist() == [
            step for step in range(first, stop) if (step + 1) % every == 0]


# ---- population rates -----------------------------------------------------------------------


def test_population_rates(made, half):
    starts, rates = made.population_rates()
    np.testing.assert_allclose(starts, [0, 10, 20, 30])
    for name, span in made.populations.items():
        mine = made.spikes.times_ms[np.isin(made.spikes.ids, span)]
        right = np.histogram(mine - 1e-6, [0, 10, 20, 30, 40])[0] / 0.01 / len(span)
        np.testing.assert_allclose(rates[name], right)
    starts, rates = ns.Run(half).population_rates()
    width = np.diff([*starts, ns.Run(half).duration_ms]) / 1000
    assert (rates["FS"] * width * 12).sum() == pytest.approx(
        np.isin(ns.Run(half).spikes.ids, ns.Run(half).populations["FS"]).sum())


# ---- readers of the field -------------------------------------------------------------------


def test_libsonata_reads_it(made):
    libsonata = pytest.importorskip("libsonata")
    reader = libsonata.SpikeReader(str(made.folder / "spikes.h5"))
    assert set(reader.get_population_names()) == set(made.populations)
    for name, span in made.populations.items():
        rows = reader[name].get()
        mine = np.isin(made.spikes.ids, span)
        assert sorted(rows) == sorted(zip(made.spikes.ids[mine] - span.start,
                                          made.spikes.times_ms[mine], strict=True))
    for variable, file, unit in (("v", "traces.h5", "mV"), ("u", "traces-u.h5", "pA"),
                                 ("g_GABA", "traces-g_GABA.h5", "nS")):
        report = libsonata.ElementReportReader(str(made.folder / file))["dSPN"]
        assert report.data_units == unit
        assert report.times == pytest.approx((0.4, 40.4, 0.4))
        frame = report.get()
        np.testing.assert_array_equal(frame.data, made.recorded(variable)["dSPN"].values)
        assert sorted(report.get_node_ids()) == [1, 5, 6, 7]


@pytest.mark.filterwarnings("ignore")
def test_bmtk_reads_it(made):
    pytest.importorskip("bmtk")
    from bmtk.utils.reports.compartment import CompartmentReport
    from bmtk.utils.reports.spike_trains import SpikeTrains

    trains = SpikeTrains.from_sonata(str(made.folder / "spikes.h5"))
    for name, span in made.populations.items():
        table = trains.to_dataframe(populations=name)
        assert len(table) == np.isin(made.spikes.ids, span).sum()
    for variable, file in (("v", "traces.h5"), ("u", "traces-u.h5")):
        report = CompartmentReport(str(made.folder / file), mode="r")
        right = made.recorded(variable)["dSPN"].values
        found = report.data(node_id=5, population="dSPN")
        np.testing.assert_array_equal(np.ravel(found), right[:, 1])


# ---- while it runs --------------------------------------------------------------------------


def test_a_killed_run_opens(half, made):
    run = ns.Run(half)
    assert run.status == "killed"
    n = len(run.spikes)
    assert 0 < n < len(made.spikes)
    assert 0 < run.duration_ms < 40
    np.testing.assert_array_equal(run.spikes.times_ms, made.spikes.times_ms[:n])
    np.testing.assert_array_equal(run.spikes.ids, made.spikes.ids[:n])
    for name in run.variables:
        for cell, trace in run.recorded(name).items():
            right = made.recorded(name)[cell]
            np.testing.assert_array_equal(trace.values, right.values[: len(trace.values)])
            np.testing.assert_allclose(trace.times_ms, right.times_ms[: len(trace.values)])
    assert run.rates()["FS"].mean() > 0
    assert len(run.to_pandas()) == n
    for draw in (ns.plot.raster, ns.plot.traces, ns.plot.rate_histogram):
        draw(run)
    run.verify()


def test_a_running_run_opens(small, made, tmp_path, monkeypatch):
    # Or else a fast machine takes all of it in one or two windows.
    monkeypatch.setattr("neostriatum.runs.loop.WINDOW_MS", 2.0)
    seen = []

    def look(phase, share):
        if phase == "simulate" and share > 0.3:
            run = ns.Run(tmp_path / "run")
            seen.append((run.status, len(run.spikes), run.duration_ms))

    ns.run(small[0], network=small[1], engine="reference", duration="40 ms", figures=False,
           checkpoint_every="0 s", out=tmp_path / "run", progress=look)
    assert {status for status, _, _ in seen} == {"running"}
    assert 0 < seen[0][1] < seen[-1][1] < len(made.spikes)


def test_finished_while_it_is_read(half, small, made):
    run = ns.Run(half)
    assert run._manifest.chunks
    ns.resume(half, network=small[1])
    np.testing.assert_array_equal(run.spikes.ids, made.spikes.ids)
    assert run.finished


def test_nothing_recorded_yet(small, tmp_path):
    with pytest.raises(stoppable.Stop):
        stoppable.run(*small, tmp_path / "run", stop=-1.0)
    run = ns.Run(tmp_path / "run")
    assert len(run.spikes) == 0
    assert run.duration_ms == 0
    assert run.population_rates()[0].tolist() == []
    assert run.recorded("v")["FS"].values.shape == (0, 3)


def test_many_chunks_are_one_file(small, made, tmp_path, monkeypatch):
    """However small the pieces, the results are the same, and so is what is read by windows."""
    monkeypatch.setattr("neostriatum.recording.writer.LARGEST", 0)
    monkeypatch.setattr("neostriatum.runs.loop.WINDOW_MS", 0.7)
    monkeypatch.setattr("neostriatum.recording.sonata.BLOCK", 3)
    run = stoppable.run(*small, tmp_path / "run", record=RECORD)
    assert run.summary["spike_hash"] == made.summary["spike_hash"]
    np.testing.assert_array_equal(run.recorded("u")["dSPN"].values,
                                  made.recorded("u")["dSPN"].values)
    parts = list(windows_of_spikes(run.folder / "spikes.h5", run.populations, 0.1,
                                   [1, 50, 51, 222, 400]))
    steps, ids = (np.concatenate(one) for one in zip(*parts, strict=True))
    assert spike_hash(steps, ids) == run.summary["spike_hash"]
    assert [int(one[0].max(initial=0)) < end
            for one, end in zip(parts, [1, 50, 51, 222, 400], strict=True)] == [True] * 5


def test_chunks_are_written_once(half):
    names = [one["chunk"] for one in Manifest(half).chunks]
    assert len(names) > 2
    assert names == sorted(set(names))
    assert len(list(half.glob("state-*"))) == 2


# ---- damage ---------------------------------------------------------------------------------


def test_damage(tmp_path):
    """A sample; every byte and a thousand bits of each kind of file in `verify`."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "verify" / "damage.py"), "--cuts", "12", "--flips", "25"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": SRC}, capture_output=True, text=True,
        check=False, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(done.stdout.splitlines()) == 11


@pytest.mark.parametrize("name", ["spikes.h5", "traces.h5", "traces-u.h5"])
def test_damaged_results(name, made, tmp_path, capsys):
    folder = Path(shutil.copytree(made.folder, tmp_path / "run"))
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 4
    (folder / name).write_bytes(data)
    with pytest.raises(RunFileError, match=f"{name}: is damaged"):
        _ = ns.Run(folder).spikes, ns.Run(folder).recorded("v"), ns.Run(folder).recorded("u")
    assert main(["resume", str(folder)]) == 5
    assert f"{name}: is damaged" in capsys.readouterr().err
    (folder / name).unlink()
    assert main(["resume", str(folder)]) == 5
    assert f"{name}: cannot be read (No such file" in capsys.readouterr().err


def test_lines_that_a_manifest_lost(half):
    lines = (half / "manifest.jsonl").read_bytes().splitlines(keepends=True)
    whole = Manifest(half).stop
    (half / "manifest.jsonl").write_bytes(b"".join(lines[:-1]) + lines[-1][:20])
    assert Manifest(half).stop <= whole  # as a kill may leave it
    for broken in (lines[1:], lines[:2] + lines[3:], lines[:-3], [lines[1], lines[0], *lines[2:]]):
        (half / "manifest.jsonl").write_bytes(b"".join(broken))
        with pytest.raises(RunFileError, match=r"manifest.jsonl: is damaged"):
            Manifest(half)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": 2}', '{"format": 3}',
                                  '{"format": null}', "[" * 10_000, '"\ud800"'])
def test_records_that_are_none(text, tmp_path):
    (tmp_path / "run.json").write_text(text, "utf-8", "surrogatepass")
    with pytest.raises(RunFileError, match=r"run.json: ") as caught:
        ns.Run(tmp_path)
    assert len(str(caught.value).splitlines()) == 1


# ---- disks that do not -----------------------------------------------------------------------


def limited(tmp_path, before, *arguments):
    """Run the command line under a limit; return the process and the folder."""
    code = (f"import sys; sys.path.insert(0, {SRC!r}); import neostriatum.recording.writer, "
            "neostriatum.runs.loop as job, neostriatum as ns\n"
            "from neostriatum.cli import main\njob.PATIENCE_S = 1e9\n"
            f"{before}\nsys.exit(main({list(arguments)!r}))")
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True,
                          text=True, check=False, timeout=300)
    assert done.returncode == 5, done.stdout + done.stderr
    assert done.stderr.count("\n") == 1
    return done.stderr


GOOD = str(ROOT / "tests" / "data" / "good_small.toml")
QUICK = ("run", GOOD, "--size", "60", "--engine", "reference", "--duration", "60 ms", "--out",
         "out", "--quiet", "--set", "inputs.electrode.targets.FS.current=1 nA")


def test_full_disk(tmp_path):
    """A limit on the size of files stands for a full disk; it comes once something is durable."""
    limit = ("import resource\nreal = neostriatum.recording.writer.Writer.checkpoint\n"
             "def checkpoint(writer, step, *rest):\n"
             "    real(writer, step, *rest)\n"
             "    if step >= 150: resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))\n"
             "neostriatum.recording.writer.Writer.checkpoint = checkpoint")
    said = limited(tmp_path, limit, *QUICK, "--checkpoint-every", "0 s")
    assert "cannot be written (File too large)" in said
    run = ns.Run(tmp_path / "out")
    assert run.duration_ms >= 15
    assert len(run.spikes) > 0
    run.verify()
    assert not list((tmp_path / "out").glob(".*.tmp"))
    right = ns.rerun(run, out=tmp_path / "right")
    assert ns.resume(run).summary["spike_hash"] == right.summary["spike_hash"]


def test_full_disk_at_the_end(tmp_path):
    limit = ("import resource\nreal = neostriatum.recording.writer.Writer.finish\n"
             "def finish(writer, dt):\n"
             "    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))\n"
             "    return real(writer, dt)\n"
             "neostriatum.recording.writer.Writer.finish = finish")
    assert "spikes.h5: cannot be written" in limited(tmp_path, limit, *QUICK)
    run = ns.Run(tmp_path / "out")
    assert run.duration_ms == 60
    assert ns.resume(run).summary["spikes"] == len(run.spikes) > 0


def test_lost_permission(tmp_path):
    lose = ("import os\nreal, seen = os.open, []\n"
            "def refuse(path, flags, *more, **options):\n"
            "    if flags & os.O_CREAT and 'chunk' in str(path):\n"
            "        seen.append(path)\n"
            "        if len(seen) > 2: raise PermissionError(13, 'Permission denied')\n"
            "    return real(path, flags, *more, **options)\n"
            "os.open = refuse")
    assert "(Permission denied)" in limited(tmp_path, lose, *QUICK, "--checkpoint-every", "0 s")
    run = ns.Run(tmp_path / "out")
    assert run.duration_ms > 0
    run.verify()


@pytest.mark.usefixtures("obeys_permissions")
def test_read_only_folder(half, tmp_path, capsys):
    half.chmod(0o500)
    try:
        assert main(["resume", str(half)]) == 5
        assert "cannot be written (Permission denied)" in capsys.readouterr().err
        assert len(ns.Run(half).spikes) > 0
    finally:
        half.chmod(0o700)
    tmp_path.chmod(0o500)
    try:
        assert main(["run", "striatum_v1", "--size", "50", "--out", str(tmp_path / "new")]) == 5
    finally:
        tmp_path.chmod(0o700)


def test_hashed_writes_all(tmp_path):
    import hashlib

    data = [b"", b"a" * 10, b"b" * 2**21, np.arange(5.0), b"c"]
    with Hashed(tmp_path / "file") as file:
        assert [file.write(one) for one in data] == [0, 10, 2**21, 40, 1]
    whole = b"".join(bytes(one) for one in data)
    assert (tmp_path / "file").read_bytes() == whole
    assert file.hexdigest() == hashlib.sha256(whole).hexdigest()


def test_json_of_a_run(made):
    text = (made.folder / "run.json").read_text("utf-8")
    record = json.loads(text)
    assert record["record"] == RECORD
    assert set(record["files"]) == {"spikes.h5", "traces.h5", "traces-u.h5", "traces-g_GABA.h5",
                                    "traces-g_AMPA.h5"}
    assert made.record == {key: said for key, said in record.items() if key != "check"}
