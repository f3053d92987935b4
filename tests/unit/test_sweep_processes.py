"""Sweeps in processes: points that fail, and a sweep that is stopped, killed, continued."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
import stoppable
from test_sweeps import GOOD, HEAD, SRC

import neostriatum as ns
from neostriatum.cli import main
from neostriatum.recording.record import write_record
from neostriatum.recording.store import Run
from neostriatum.sweeps.worker import Runner


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_failed_points_are_reported_and_the_rest_runs(capsys):
    Path("trial.toml").write_text(HEAD + """
seeds = 2
[vary]
"inputs.electrode.targets.FS.current" = ["0 pA", "-1e6 pA"]
""", "utf-8")
    assert main(["sweep", "trial.toml", "--out", "out", "--json"]) == 4
    out, err = capsys.readouterr()
    assert err == ""
    assert json.loads(out) == {
        "points": 4, "finished": 2, "failed": 2, "table": "out/table.csv",
        "parquet": "out/table.parquet", "figure": "out/figure.png", "out": "out"}
    table = pd.read_csv("out/table.csv")
    assert table.status.tolist() == ["finished", "failed"] * 2
    assert table["inputs.electrode.targets.FS.current_pA"].tolist() == [0, -1e6] * 2
    assert table.seed.tolist() == [1, 1, 2, 2]
    assert table.exit_code.tolist() == [0, 4, 0, 4]
    assert "membrane potential must stay within 200 mV" in table.error[1]
    assert Path("out/figure.png").stat().st_size > 5000
    assert not Path("out/errors.log").exists()
    # A point is a run like any other, and the same one.
    for number, seed in ((0, 1), (2, 2)):
        made = Run(Path("out") / table.folder[number])
        alone = ns.run(GOOD, size=40, duration="2 ms", engine="reference", seed=seed,
                       figures=False, out=f"alone{seed}",
                       changes={"inputs.electrode.targets.FS.current": "0 pA"})
        assert made.summary["spike_hash"] == alone.summary["spike_hash"]
        assert made.summary["network_hash"] == alone.summary["network_hash"]
        assert made.summary["spike_hash"] == table.spike_hash[number]
    # Once more: what is finished stays, what failed is tried again.
    before = Path("out/points/0001/run.json").stat().st_mtime_ns
    assert main(["sweep", "trial.toml", "--out", "out", "--jobs", "1"]) == 4
    out, _ = capsys.readouterr()
    assert "2 of 4 points finished, 2 failed:" in out
    assert Path("out/points/0001/run.json").stat().st_mtime_ns == before


def start(*arguments):
    program = [sys.executable, "-m", "neostriatum", "sweep", *arguments]
    return subprocess.Popen(program, env={**os.environ, "PYTHONPATH": SRC}, text=True,
                            stderr=subprocess.PIPE)


def rows(folder):
    path = Path(folder) / "table.csv"
    return list(csv.DictReader(path.read_text("utf-8").splitlines())) if path.is_file() else []


def children(process):
    text = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text("ascii")
    return [int(one) for one in text.split()]


def alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def until(holds, seconds=120):
    started = time.monotonic()
    while not holds():
        assert time.monotonic() - started < seconds
        time.sleep(0.05)
    return time.monotonic() - started


def test_a_process_ends_with_its_parent_also_when_it_has_nothing_to_say():
    waiting = subprocess.Popen([sys.executable, "-m", "neostriatum.sweeps.worker"],
                               env={**os.environ, "PYTHONPATH": SRC}, stdin=subprocess.PIPE,
                               start_new_session=True)
    time.sleep(0.5)
    waiting.stdin.close()
    assert waiting.wait(30) == -signal.SIGKILL


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
def test_a_process_that_is_killed_fails_its_point_alone():
    killed = []

    def kill(phase, share):
        if not killed and phase == "0 of 2 points" and share > 0:
            me = os.getpid()
            killed.extend(children(SimpleNamespace(pid=me)))
            for pid in killed:
                os.kill(pid, signal.SIGKILL)

    made = ns.sweep(circuit=GOOD, size=40, duration="80 ms", engine="reference", seeds=2, jobs=1,
                    out="out", progress=kill)
    assert killed
    assert (made.finished, made.failed, made.exit_code) == (1, 1, 1)
    assert made.rows[0]["error"] == "its process was ended by SIGKILL, as when memory runs out"
    assert made.rows[1]["spikes"] > 0


@pytest.mark.parametrize("damaged", [False, True])
def test_a_point_goes_on_where_its_run_stands(damaged):
    """From its last checkpoint; what is damaged begins afresh, to the same spikes."""
    circuit = stoppable.circuit()
    network = ns.build(circuit, size=60, seed=1)
    whole = stoppable.run(circuit, network, "whole")
    with pytest.raises(stoppable.Stop):
        stoppable.run(circuit, network, "point", stop=0.5)
    begun = "2020-01-01T00:00:00+00:00"
    write_record(Path("point"), Run("point").record | {"started": begun})
    if damaged:
        for one in Path("point").glob("chunk-*.npz"):
            one.write_bytes(b"cut")
    options = {"engine": "reference", "precision": "double", "figures": False, "threads": 1}
    point = {"number": 1, "out": "point", "seed": 1, "options": {"size": 60, "duration": "40 ms"}}
    found = Runner(circuit, options).answer(point, lambda **said: None)
    assert found["row"]["spike_hash"] == whole.summary["spike_hash"]
    assert (Run("point").record["started"] == begun) is not damaged


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
def test_stopped_then_killed_then_continued():
    Path("trial.toml").write_text(HEAD.replace("2 ms", "60 ms") + "seeds = 5\n", "utf-8")
    first = start("trial.toml", "--out", "out", "--jobs", "1")
    until(lambda: rows("out"))
    workers = children(first)
    assert len(workers) == 1
    first.send_signal(signal.SIGINT)
    asked = time.monotonic()
    assert first.wait(60) == 130
    assert time.monotonic() - asked < 5
    assert not any(alive(one) for one in workers)
    with first.stderr as stream:
        said = stream.read()
    assert "points are done in out; the same with --out out goes on" in said
    assert said.strip().endswith("interrupted")
    done = len(rows("out"))
    assert 1 <= done < 5

    second = start("trial.toml", "--out", "out", "--jobs", "1", "--quiet")
    until(lambda: len(rows("out")) > done)
    workers = children(second)
    second.kill()
    second.wait()
    assert workers
    assert until(lambda: not any(alive(one) for one in workers)) < 5
    second.stderr.close()
    before = rows("out")
    assert len(before) < 5

    made = ns.sweep("trial.toml", out="out", jobs=1)
    assert (made.points, made.finished, made.failed, made.exit_code) == (5, 5, 0, 0)
    after = rows("out")
    assert after[: len(before)] == before
    # The point that was at work when the sweep was killed, run alone.
    seed = len(before) + 1
    alone = ns.run(GOOD, size=40, duration="60 ms", engine="reference", seed=seed, figures=False)
    assert alone.summary["spikes"] > 0
    assert after[seed - 1]["spike_hash"] == alone.summary["spike_hash"]
    assert made.figure is None
    assert made.to_pandas().spike_hash.tolist() == [row["spike_hash"] for row in after]
