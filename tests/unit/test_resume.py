"""A run that is stopped, however, goes on to the very spikes of one that is not."""

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import stoppable

import neostriatum as ns
from neostriatum.cli import main
from neostriatum.engines import base
from neostriatum.engines.reference import Reference
from neostriatum.errors import CircuitError, EngineUnsupported, RunFileError
from neostriatum.recording import checkpoint, record

ROOT = Path(__file__).parents[2]
SRC = str(Path(ns.__file__).parents[1])
PLASTIC = {"U": 0.2, "tau_rec": "100 ms", "tau_fac": "50 ms"}
RAMP = {"ramp": {"base": 0.1, "peak": 0.9, "start": "5 ms", "stop": "35 ms"}}


def stopped(*arguments, **options):
    """A run that is ended in its middle."""
    with pytest.raises(stoppable.Stop):
        stoppable.run(*arguments, **{"stop": 0.5, **options})


@pytest.fixture(scope="module")
def small():
    """A circuit and its network."""
    made = stoppable.circuit()
    return made, ns.build(made, size=60, seed=1)


@pytest.fixture(scope="module")
def whole(small, tmp_path_factory):
    """The run that nobody stops."""
    return stoppable.run(*small, tmp_path_factory.mktemp("whole") / "run", record=["dSPN:2:v,u:3"])


@pytest.fixture(scope="module")
def stopped_once(small, tmp_path_factory):
    """The folder of a run that stopped in its middle."""
    folder = tmp_path_factory.mktemp("half") / "half"
    stopped(*small, folder, record=["dSPN:2:v,u:3"])
    return folder


@pytest.fixture
def half(stopped_once, tmp_path):
    """A copy of it that a test may change."""
    return Path(shutil.copytree(stopped_once, tmp_path / "half"))


@pytest.fixture
def done(whole, tmp_path):
    """A copy of the whole run that a test may change."""
    return Path(shutil.copytree(whole.folder, tmp_path / "done"))


def same(one, two):
    """Whether two runs have the same spikes and traces."""
    assert one.summary["spike_hash"] == two.summary["spike_hash"]
    assert one.variables == two.variables
    for variable in one.variables:
        for name, trace in one.recorded(variable).items():
            np.testing.assert_array_equal(trace.values, two.recorded(variable)[name].values)
            np.testing.assert_array_equal(trace.times_ms, two.recorded(variable)[name].times_ms)
    return True


# ---- to the same spikes ---------------------------------------------------------------------


@pytest.mark.parametrize("stop", [0.25, 0.7], ids=["early", "late"])
@pytest.mark.parametrize("course", [0.3, RAMP], ids=["level", "course"])
@pytest.mark.parametrize("stp", [False, True], ids=["static", "stp"])
@pytest.mark.parametrize("engine", ["reference", "numba"])
def test_resumed_is_uninterrupted(engine, stp, course, stop, tmp_path):
    """With spikes in flight and cells just reset, early and late in a course of dopamine."""
    pathways = stoppable.circuit().to_dict()["pathways"]
    for said in pathways.values():
        said.pop("stp", None)
        if stp:
            said["stp"] = PLASTIC
    made = stoppable.circuit(pathways=pathways, dopamine={"d1": course, "d2": 0.2})
    network = ns.build(made, size=60, seed=1)
    right = stoppable.run(made, network, tmp_path / "whole", engine=engine)
    stopped(made, network, tmp_path / "half", engine=engine, stop=stop)
    half = ns.Run(tmp_path / "half")
    assert 0 < len(half.spikes) < len(right.spikes)
    last = half._manifest.states[-1]
    with np.load(half.folder / last["state"]) as state:
        assert sum(np.count_nonzero(state[name]) for name in state
                   if name.endswith((".ring", ".amounts"))) > 5
    assert same(ns.resume(tmp_path / "half", network=network), right)
    assert right.summary["spikes"] > 100


def test_stopped_twice_and_in_the_warmup(small, whole, tmp_path):
    folder = tmp_path / "run"

    def early(phase, share):
        if phase == "warmup" and share > 0.3:
            raise stoppable.Stop

    slow = ns.load(small[0], changes={"warmup": "30 ms"})
    with pytest.raises(stoppable.Stop):
        ns.run(slow, network=small[1], engine="reference", figures=False, duration="40 ms",
               checkpoint_every="0 s", out=folder, progress=early)
    assert ns.Run(folder).status == "killed"
    assert len(ns.Run(folder).spikes) == 0
    for share in (0.2, 0.6):
        def later(phase, done, share=share):
            if phase == "simulate" and done > share:
                raise stoppable.Stop

        with pytest.raises(stoppable.Stop):
            ns.resume(folder, network=small[1], checkpoint_every="0 s", progress=later)
    right = stoppable.run(slow, small[1], tmp_path / "right")
    assert same(ns.resume(folder, network=small[1]), right)


def test_without_a_checkpoint_it_begins_again(small, whole, tmp_path, monkeypatch):
    """Also where chunks lie there that came after the last checkpoint: they no longer count."""
    monkeypatch.setattr("neostriatum.recording.writer.LARGEST", 0)
    stopped(*small, tmp_path / "run", checkpoint_every="1 h", record=["dSPN:2:v,u:3"])
    assert not list((tmp_path / "run").glob("state-*"))
    assert len(ns.Run(tmp_path / "run").spikes)
    phases = []
    made = ns.resume(tmp_path / "run", network=small[1], progress=lambda *one: phases.append(one))
    assert phases[0] == ("warmup", 0.0)
    assert same(made, whole)


def test_the_network_is_drawn_or_loaded_again(half, small, whole, tmp_path):
    assert same(ns.resume(half), whole)
    small[1].save(tmp_path / "net.h5")
    stopped(None, tmp_path / "net.h5", tmp_path / "filed", record=["dSPN:2:v,u:3"])
    assert same(ns.resume(tmp_path / "filed"), whole)


def test_what_is_left_is_the_result(half, small):
    made = ns.resume(half, network=small[1])
    state = made.record["state"]["state"]
    assert {one.name for one in half.iterdir()} == {"run.json", "spikes.h5", "traces.h5",
                                                    "traces-u.h5", state}
    assert made.status == "finished"
    assert made.summary["duration_ms"] == 40.0


# ---- longer ---------------------------------------------------------------------------------


def test_extended_is_longer_at_once(done, small, tmp_path):
    right = stoppable.run(*small, tmp_path / "long", duration="100 ms", record=["dSPN:2:v,u:3"])
    made = ns.resume(done, duration="60 ms", network=small[1])
    assert made.duration_ms == 60.0
    made = ns.resume(made, duration="100 ms", network=small[1])
    assert same(made, right)
    assert made.summary["rates_hz"] == right.summary["rates_hz"]
    np.testing.assert_array_equal(made.population_rates()[1]["FS"],
                                  right.population_rates()[1]["FS"])


def test_stopped_while_it_is_extended(done, small, tmp_path, monkeypatch):
    right = stoppable.run(*small, tmp_path / "long", duration="100 ms", record=["dSPN:2:v,u:3"])
    monkeypatch.setattr("neostriatum.recording.store.write_record", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        ns.resume(done, duration="100 ms", network=small[1])
    monkeypatch.undo()
    assert ns.Run(done).duration_ms == 40.0  # still what it was
    assert list(done.glob("chunk-*"))
    assert same(ns.resume(done, duration="100 ms", network=small[1]), right)


def test_stopped_run_may_become_longer(half, small, tmp_path):
    right = stoppable.run(*small, tmp_path / "long", duration="60 ms", record=["dSPN:2:v,u:3"])
    assert same(ns.resume(half, duration="60 ms", network=small[1]), right)


def test_a_finished_run_is_returned(done, capsys):
    assert main(["resume", str(done), "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == ns.Run(done).summary
    assert err == ""
    assert main(["resume", str(done)]) == 0
    assert "60 neurons" in capsys.readouterr().out


@pytest.mark.parametrize("duration", ["10 ms", "39.9 ms"])
def test_shorter_is_refused(duration, done, half, capsys):
    assert main(["resume", str(done), "--duration", duration]) == 2
    assert "must be at least the 40 ms that are recorded" in capsys.readouterr().err
    with pytest.raises(CircuitError, match="must be at least the"):
        ns.resume(half, duration="5 ms")


@pytest.mark.parametrize("options", [["--duration", "1"], ["--duration", "0 ms"],
                                     ["--duration", "99.99 ms"], ["--checkpoint-every", "-1 s"],
                                     ["--checkpoint-every", "5"], ["--threads", "0"]])
def test_bad_options(options, half, capsys):
    assert main(["resume", str(half), *options]) == 2
    assert capsys.readouterr().err.count("\n") == 1


# ---- what is refused ------------------------------------------------------------------------


def test_no_run(tmp_path, capsys):
    for where in (tmp_path, tmp_path / "nowhere"):
        for command in ("resume", "rerun"):
            assert main([command, str(where)]) == 5
            assert "is not the record of a run" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def edited(folder, **changes):
    """Change the record of a run, with a right check."""
    record.write_record(folder, record.read_record(folder) | changes)


def test_another_circuit_seed_network_or_version(half, small, tmp_path):
    run = ns.Run(half)
    other = json.loads(json.dumps(run.record["circuit"]))
    other["cells"]["dSPN"]["parameters"]["C"]["value"] = "16.0 pF"
    kept = tmp_path / "kept"
    shutil.copytree(half, kept)
    for changes, said in (
            ({"circuit": other}, "circuit.cells.dSPN.parameters.C.value must be 16.0 pF "
                                 r"\(got 15.2 pF\)"),
            ({"seed": 2}, r"seed must be 2 \(got 1\)"),
            ({"engine": "numba"}, r"engine must be numba \(got reference\)"),
            ({"stream_version": 1}, r"stream_version must be 2 to go on exactly \(got 1"),
            ({"versions": {"neostriatum": "7.1.0"}}, r"version must be 0 .*\(got 7"),
    ):
        edited(half, **changes)
        with pytest.raises(RunFileError, match=said):
            ns.resume(half, network=small[1])
        shutil.rmtree(half)
        shutil.copytree(kept, half)
    with pytest.raises(RunFileError, match="network must have the hash"):
        ns.resume(half, network=ns.build(small[0], size=60, seed=2))
    assert ns.resume(half, network=small[1]).finished


def test_a_state_of_another_run(half, small, tmp_path):
    stopped(ns.load(small[0], changes={"dopamine.d1": 0.9}), small[1], tmp_path / "other")
    theirs, ours = (ns.Run(one)._manifest.states[-1] for one in (tmp_path / "other", half))
    state = checkpoint.read_state(
        tmp_path / "other" / theirs["state"], theirs["sha256"],
        {**_about(tmp_path / "other")})
    path = half / ours["state"]
    sha256 = checkpoint.write_state(path, state, _about(tmp_path / "other"))
    with pytest.raises(RunFileError, match=r"circuit.dopamine.d1.* must be 0.3 \(got 0.9\)"):
        checkpoint.read_state(path, sha256, _about(half))
    # Its hash alone gives it away; the checkpoint before is taken, aloud.
    with pytest.warns(UserWarning, match="is damaged .* going on from the one before"):
        ns.resume(half, network=small[1])


def _about(folder):
    from neostriatum.recording.checked import record_of
    from neostriatum.runs.loop import identity

    return identity(record_of(ns.Run(folder)))


def test_no_state_is_whole(half, small):
    for path in half.glob("state-*"):
        path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(RunFileError, match=r"state-\d+.npz: is damaged"), \
            pytest.warns(UserWarning, match="going on from the one before"):
        ns.resume(half, network=small[1])


def test_engine_that_cannot(small, tmp_path, monkeypatch):
    """It begins again while nothing was recorded, and says why it does not go on later."""
    brian2 = base.engine("brian2-runtime").excuses
    cannot = dataclasses.replace(Reference.capabilities, exact_resume=False)
    monkeypatch.setattr(Reference, "capabilities", cannot)
    monkeypatch.setattr(Reference, "excuses", brian2)
    stopped(*small, tmp_path / "late")
    assert len(ns.Run(tmp_path / "late").spikes)
    assert not list((tmp_path / "late").glob("state-*"))
    with pytest.raises(EngineUnsupported, match=r"cannot resume to the same spikes\. Use"):
        ns.resume(tmp_path / "late", network=small[1])
    stopped(*small, tmp_path / "early", stop=0.0)
    made = ns.resume(tmp_path / "early", network=small[1])
    assert made.finished
    assert ns.resume(made).finished
    with pytest.raises(EngineUnsupported, match="Use rerun"):
        ns.resume(made, duration="1 s")


# ---- one writer -----------------------------------------------------------------------------


HOLD = """
import sys, time
from pathlib import Path
from neostriatum.durable import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def test_second_writer(half, small, capsys):
    environment = {**os.environ, "PYTHONPATH": SRC}
    with subprocess.Popen([sys.executable, "-c", HOLD, str(half)], env=environment,
                          stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        assert ns.Run(half).status == "running"
        assert main(["resume", str(half)]) == 5
        assert "another process is writing this run" in capsys.readouterr().err
        assert main(["run", "striatum_v1", "--size", "50", "--engine", "reference",
                     "--out", str(half)]) == 5
        assert "must be a new or empty folder" in capsys.readouterr().err
        holder.kill()
    assert ns.Run(half).status == "killed"
    assert ns.resume(half, network=small[1]).finished


# ---- Ctrl-C ---------------------------------------------------------------------------------


def command(folder, *arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "neostriatum", *arguments], cwd=folder, text=True,
        env={**os.environ, "PYTHONPATH": SRC}, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_ctrl_c_once_and_twice(tmp_path):
    """Once: the window ends, exit 130, resumable; twice: at once."""
    arguments = ["run", "striatum_v1", "--size", "60", "--engine", "reference", "--set",
                 "warmup=0 ms", "--record", "none", "--json"]
    for times, out in ((1, "once"), (2, "twice")):
        with command(tmp_path, *arguments, "--duration", "1000 s", "--out", out) as process:
            path = tmp_path / out / "run.json"
            while not (path.exists() and '"status": "running"' in path.read_text()):
                assert process.poll() is None, process.stderr.read()
                time.sleep(0.05)
            time.sleep(0.5)
            for _ in range(times):
                process.send_signal(signal.SIGINT)
                time.sleep(0.001)
            _, err = process.communicate(timeout=60)
        assert process.returncode == 130
        assert err.count("\n") == 1
    run = ns.Run(tmp_path / "once")
    assert run.status == "interrupted"
    assert run.duration_ms > 0
    end = run.duration_ms + 10
    made = ns.resume(run, duration=f"{end} ms")
    right = ns.run("striatum_v1", size=60, engine="reference", duration=f"{end} ms", figures=False,
                   record="none", changes={"warmup": "0 ms"}, out=tmp_path / "right")
    assert made.summary["spike_hash"] == right.summary["spike_hash"]


def test_ctrl_c_says_how_to_go_on(small, tmp_path):
    def press(phase, share):
        if phase == "simulate":
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt, match=r"interrupted with \d+ ms recorded. Go on with"):
        ns.run(small[0], network=small[1], engine="reference", figures=False, progress=press,
               duration="1 s", out=tmp_path / "run")
    assert signal.getsignal(signal.SIGINT) is before
    assert ns.Run(tmp_path / "run").status == "interrupted"
    with pytest.raises(RunFileError, match="status interrupted"):
        _ = ns.Run(tmp_path / "run").summary


# ---- again ----------------------------------------------------------------------------------


def test_rerun_from_the_record_alone(whole, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "only").mkdir()
    shutil.copy(whole.folder / "run.json", tmp_path / "only")
    assert main(["rerun", "only", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["equal"] is True
    assert said["spike_hash"] == said["original_hash"] == whole.summary["spike_hash"]
    assert set(said) == {*whole.summary, "equal", "original_hash"}
    made = ns.Run(said["out"])
    assert made.variables == ["v", "u"]
    assert made.record["steps"] == 400
    assert main(["rerun", "only", "--out", "third"]) == 0
    assert "the same spikes as only" in capsys.readouterr().out


def test_rerun_says_what_is_other(done, capsys, tmp_path):
    kept = record.read_record(done)
    edited(done, summary={**kept["summary"], "spike_hash": "0" * 64},
           versions={**kept["versions"], "numpy": "0.1"})
    assert main(["rerun", str(done), "--out", str(tmp_path / "again")]) == 0
    out = capsys.readouterr().out
    assert "other spikes than" in out
    assert "numpy 0.1 then" in out


def test_rerun_of_a_stopped_run(half, whole, tmp_path):
    made = ns.rerun(half, out=tmp_path / "again")
    assert made.summary["equal"] is None
    assert same(made, whole)


# ---- kill -9 --------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_kill_9(tmp_path):
    """At calls through the whole of a short run, and at random moments; all of it in `verify`."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "verify" / "crashes.py"), "--every", "29", "--random", "1",
         "--duration", "10"], cwd=tmp_path, env={**os.environ, "PYTHONPATH": SRC},
        capture_output=True, text=True, check=False, timeout=600)
    print(done.stdout, done.stderr)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split() for line in done.stdout.splitlines()[2:]]
    assert sum(int(row[-5]) for row in rows) >= 9
