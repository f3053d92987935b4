"""Sessions of trials: what they leave, that they go on exactly, and that they can be repeated."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import worlds

import neostriatum as ns
from neostriatum.errors import CircuitError, RunFileError
from neostriatum.learning.results import answer, trials_of
from neostriatum.runs import loop as loops

#: Short trials of few cells.
PHASES = {"before": 20, "choice": 100, "action": 50, "delay": 30, "after": 100, "burst": 50,
          "dip": 100}
SHORT = {"phases": {key: f"{value} ms" for key, value in PHASES.items()}, "size": 60,
         "figures": False, "threads": 1, "changes": {"warmup": "20 ms"}}
TRIAL_MS = 300


class Stopped(Exception):
    """Stands for a process that is killed."""


def stopped_after(monkeypatch: pytest.MonkeyPatch, saves: int, ms: float) -> None:
    """Let the loop save after every window, and end where no more can be written."""
    there, count = loops._window, itertools.count(1)

    def window(loop: loops.Loop, steps: int) -> None:
        there(loop, steps)
        if loop.at * 0.1 >= ms:
            loop.save()
            if next(count) >= saves:
                raise Stopped

    monkeypatch.setattr(loops, "_window", window)


def learnt(out: Path, what: object = "bandit", **more: object) -> ns.Run:
    return ns.learn(what, out=out, seed=7, **SHORT | {"trials": 4} | more)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> ns.Run:
    return learnt(tmp_path_factory.mktemp("whole") / "r", parameters={"reverse_at": 2})


def test_a_session_leaves_its_trials(whole: ns.Run) -> None:
    numbers = answer(whole)
    assert list(numbers) == ["task", "trials", "choices", "rewards", "correct", "reaction_ms",
                          "best_share", "reward_rate", "weights", "spikes", "spike_hash",
                          "real_time_factor", "out"]
    assert (numbers["task"], numbers["trials"]) == ("bandit", 4)
    assert all(len(numbers[key]) == 4 for key in ("choices", "rewards", "correct", "reaction_ms"))
    assert numbers["best_share"] == np.mean(numbers["correct"])
    assert numbers["correct"] == [choice == (number >= 2)
                               for number, choice in enumerate(numbers["choices"])]
    table = trials_of(whole)
    assert table["start_ms"].tolist() == [0, TRIAL_MS, 2 * TRIAL_MS, 3 * TRIAL_MS]
    assert table["choice"].tolist() == numbers["choices"]
    assert whole.duration_ms == 4 * TRIAL_MS
    json.dumps(numbers, allow_nan=False)


def test_what_a_session_did_are_events(whole: ns.Run) -> None:
    """Cue at the start of a trial, action when the choice is over, dopamine at the outcome."""
    times = [(event.time_ms % TRIAL_MS, next(iter(event.changes))) for event in whole.events]
    assert {time for time, _ in times} <= {0.0, 120.0, 200.0}
    assert [key for time, key in times if time == 0] == ["axons.cortex.rate"] * 4
    dopamine = [event for event in whole.events if event.time_ms % TRIAL_MS == 200]
    table = trials_of(whole)
    assert len(dopamine) == np.count_nonzero(table["delta"])
    level = dopamine[0].changes["modulators.D1.level"]["pulse"]
    delta = table["delta"][0]
    assert level["base"] == 0.3
    assert level["peak"] == pytest.approx(0.3 + 0.7 * delta if delta > 0 else 0.3 * (1 + delta))
    assert level["stop"] == f"{200 + (50 if delta > 0 else 100)}.0 ms"


def test_a_session_is_repeated_without_it(whole: ns.Run, tmp_path: Path) -> None:
    assert ns.rerun(whole, out=tmp_path / "again").summary["equal"]


@pytest.mark.parametrize("ms", [130, 700, *(pytest.param(ms, marks=pytest.mark.slow)
                                              for ms in (-10, 60, 250, 1100))])
def test_a_session_goes_on_in_the_middle_of_a_trial(
    whole: ns.Run, ms: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same spikes and choices as without a stop, with one thread or two."""
    with monkeypatch.context() as patch:
        stopped_after(patch, 1, ms)
        with pytest.raises(Stopped):
            learnt(tmp_path / "r", parameters={"reverse_at": 2})
    run = ns.resume(tmp_path / "r", threads=2)
    assert run.summary["spike_hash"] == whole.summary["spike_hash"]
    assert run.summary["learning"] == whole.summary["learning"]
    assert (run.folder / "trials.csv").read_bytes() == (whole.folder / "trials.csv").read_bytes()
    assert [event.changes for event in run.events] == [event.changes for event in whole.events]


@pytest.mark.slow
def test_engines_learn_the_same(tmp_path: Path) -> None:
    compiled, reference = (learnt(tmp_path / engine, trials=2, engine=engine)
                  for engine in ("numba", "reference"))
    assert compiled.summary["spike_hash"] == reference.summary["spike_hash"]
    assert compiled.summary["learning"] == reference.summary["learning"]


@pytest.mark.slow
def test_a_killed_session_goes_on(whole: ns.Run, tmp_path: Path) -> None:
    """A process that is killed at some moment, and its run taken up from the command line."""
    code = ("import neostriatum as ns, sys; sys.path.insert(0, sys.argv[1]); import test_session;"
            "test_session.learnt(sys.argv[2], parameters={'reverse_at': 2}, trials=40,"
            "checkpoint_every='10 ms')")
    folder = tmp_path / "r"
    process = subprocess.Popen([sys.executable, "-c", code, str(Path(__file__).parent),
                                str(folder)], env=os.environ | {"PYTHONPATH": os.pathsep.join(
                                    sys.path)})
    while not (folder / "manifest.jsonl").exists():
        time.sleep(0.05)
        assert process.poll() is None
    time.sleep(0.7)
    process.send_signal(signal.SIGKILL)
    process.wait()
    run = ns.resume(folder)
    once = learnt(tmp_path / "once", parameters={"reverse_at": 2}, trials=40)
    assert run.summary["spike_hash"] == once.summary["spike_hash"]
    assert run.summary["learning"] == once.summary["learning"]


def test_snr_chooses_before_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its memory is part of a checkpoint in the middle of a choice."""
    once = learnt(tmp_path / "once", readout="snr", trials=3)
    times = once.summary["learning"]["reaction_ms"]
    assert all(time is None or (0 < time <= 100 and time % 5 == 0) for time in times)
    with monkeypatch.context() as patch:
        stopped_after(patch, 1, 37.0)
        with pytest.raises(Stopped):
            learnt(tmp_path / "r", readout="snr", trials=3)
    run = ns.resume(tmp_path / "r")
    assert run.summary["learning"] == once.summary["learning"]


def test_an_own_environment_is_needed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        stopped_after(patch, 1, 400.0)
        with pytest.raises(Stopped):
            learnt(tmp_path / "r", worlds.World())
    with pytest.raises(RunFileError, match=r"environment worlds.World is needed to go on"):
        ns.resume(tmp_path / "r")
    with pytest.raises(RunFileError, match=r"parameters.after must be 1 \(got 3\)|cannot go on"):
        ns.resume(tmp_path / "r", environment=worlds.World(after=3))
    with pytest.raises(RunFileError, match=r"the session cannot go on: task must be"):
        ns.resume(tmp_path / "r", environment="bandit")
    assert ns.resume(tmp_path / "r", environment=worlds.World()).finished


def test_an_environment_that_plays_otherwise_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        stopped_after(patch, 1, 400.0)
        with pytest.raises(Stopped):
            learnt(tmp_path / "r", worlds.Fickle())
    with pytest.raises(RunFileError, match=r"must play trial 0 again with reward .* on its seed"):
        ns.resume(tmp_path / "r", environment=worlds.Fickle())


@pytest.mark.parametrize("fault", ["raises", "leaves", "infinite", *(
    pytest.param(fault, marks=pytest.mark.slow)
    for fault in ("nan", "word", "short", "observation", "terminated"))])
def test_what_was_learnt_is_kept(fault: str, tmp_path: Path) -> None:
    with pytest.raises(CircuitError, match=r"^environment worlds.World: .*\(got "):
        learnt(tmp_path / "r", worlds.World(fault, after=2))
    run = ns.Run(tmp_path / "r")
    assert run.status == "failed"
    assert len(run.spikes)
    assert trials_of(run)["reward"].shape == (2,)


def test_an_episode_that_never_ends_is_ended_by_the_trials(tmp_path: Path) -> None:
    run = learnt(tmp_path / "r", worlds.World("endless", after=0), trials=3)
    assert run.summary["learning"]["trials"] == 3
    assert run.summary["learning"]["correct"] == [None] * 3


def test_weights_are_kept_as_they_were(whole: ns.Run) -> None:
    """Snapshots at the start and the end; their means are those of the table."""
    with np.load(whole.folder / "weights-000000.npz") as file:
        assert set(file.files) == {"cortex->dSPN", "cortex->iSPN"}
        assert all((file[name] == 1).all() for name in file.files)
    with np.load(whole.folder / "weights-000004.npz") as file:
        weights = file["cortex->dSPN"]
    means = whole.summary["learning"]["weights"]["cortex->dSPN"]
    assert len(means["left"]) == len(means["right"]) == 4
    assert weights.min() < min(means["left"][-1], means["right"][-1]) < 1.5
    assert min(means["left"][-1], means["right"][-1]) - 1e-6 <= weights.mean()
    assert weights.mean() <= max(means["left"][-1], means["right"][-1]) + 1e-6
    assert {"weights-000000.npz", "weights-000004.npz"} <= set(whole.record["files"])


def test_figures_of_a_session(whole: ns.Run) -> None:
    from neostriatum import plotting

    figure, axes = plotting.learning_curve([whole, whole], smooth=2)
    correct = whole.summary["learning"]["correct"]
    assert axes["choices"].lines[0].get_ydata().tolist() == [
        np.mean(correct[max(0, k - 1) : k + 1]) for k in range(4)]
    assert "2 seeds" in axes["choices"].get_title(loc="left")
    _, weights = plotting.learnt_weights(whole)
    assert weights["dSPN"].lines[0].get_ydata().tolist() == \
        whole.summary["learning"]["weights"]["cortex->dSPN"]["left"]
    _, error = plotting.dopamine_by_trial(whole)
    assert len(error["dopamine"].collections[0].get_segments()) == 4
    drawn = ns.draw(whole, ["learning_curve"], out=figure and whole.folder / "drawn")
    assert drawn["files"] == ["learning_curve.png"]


def test_the_band_of_a_share_stays_a_share() -> None:
    from matplotlib.figure import Figure

    from neostriatum.plotting.learning import _curve

    axes = Figure().add_subplot()
    _curve(axes, [np.array([0.0, 0.0, 1.0]), np.array([1.0, 0.0, np.nan])], 1, "two", "#222222")
    (band,) = axes.collections
    heights = band.get_paths()[0].vertices[:, 1]
    assert np.nanmin(heights) == 0.0
    assert np.nanmax(heights) == 1.0


def test_a_run_that_learns_nothing_has_no_curve(tmp_path: Path) -> None:
    from neostriatum import plotting
    from neostriatum.errors import InputError

    run = ns.run("striatum_v1", size=60, duration="5 ms", figures=False, out=tmp_path / "r",
                 changes={"warmup": "0 ms"})
    with pytest.raises(InputError, match="learns no task"):
        plotting.learning_curve(run)
    with pytest.raises(CircuitError, match="learns no task, so environment means nothing"):
        ns.resume(run, environment="bandit")
