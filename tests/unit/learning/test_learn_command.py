"""The command: what it prints, and how it goes on."""

import json
import sys
from pathlib import Path

import pytest
from test_session import PHASES, Stopped, stopped_after

import neostriatum as ns
from neostriatum.cli import main
from neostriatum.learning.environment import environment

OPTIONS = ["--size", "60", "--threads", "1", "--set", "warmup=0 ms", *(
    word for key, value in PHASES.items() for word in ("--phase", f"{key}={value} ms"))]


def test_learn_prints_its_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "r")
    assert main(["learn", "bandit", "--p", "1,0", "--reverse-at", "1", "--trials", "2", "--limit",
                 "D2=0.2:0.9", "--out", out, "--json", *OPTIONS]) == 0
    printed = capsys.readouterr().out
    numbers = json.loads(printed)
    assert printed.count("\n") == 1
    assert list(numbers) == ["task", "trials", "choices", "rewards", "correct", "reaction_ms",
                             "best_share", "reward_rate", "weights", "spikes", "spike_hash",
                             "real_time_factor", "out"]
    assert numbers["rewards"] == [float(right) for right in numbers["correct"]]
    assert set(numbers["weights"]["cortex->dSPN"]) == {"left", "right"}
    run = ns.Run(out)
    assert run.record["learning"]["parameters"]["reverse_at"] == [1]
    assert run.record["learning"]["limits"] == {"D2": [0.2, 0.9]}
    names = {path.name for path in (run.folder / "figures").iterdir()}
    assert {"learning_curve.png", "learnt_weights.png", "dopamine_by_trial.png"} <= names
    assert "Choices by trial" in (run.folder / "report.html").read_text("utf-8")


@pytest.mark.usefixtures("one_figure")
def test_an_own_environment_from_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    out = str(tmp_path / "r")
    with monkeypatch.context() as patch:
        stopped_after(patch, 1, 400.0)
        patch.setattr("neostriatum.cli._explain", lambda error: (_ for _ in ()).throw(error))
        with pytest.raises(Stopped):
            main(["learn", "worlds:world", "--parameter", "after=9", "--trials", "2", "--out", out,
                  *OPTIONS])
    capsys.readouterr()
    assert main(["resume", out]) == 5
    assert "environment worlds:world is needed to go on" in capsys.readouterr().err
    assert main(["resume", out, "--environment", "worlds:wrong_actions"]) == 2
    capsys.readouterr()
    assert main(["resume", out, "--duration", "1 s", "--environment", "worlds:world"]) == 2
    assert "duration: is that of the trials" in capsys.readouterr().err
    assert main(["resume", out, "--environment", "worlds:world", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["learning"]["trials"] == 2


def test_a_task_has_2000_neurons_unless_a_size_is_given(tmp_path: Path) -> None:
    phases = {name: f"{value} ms" for name, value in PHASES.items()}
    run = ns.learn("bandit", trials=1, phases=phases, changes={"warmup": "0 ms"}, figures=False,
                   out=tmp_path / "r")
    assert run.record["size"] == sum(run.record["counts"].values()) == 2000


def test_an_environment_of_the_working_directory(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The installed program looks there too, as it does for models."""
    (tmp_path / "maze_nearby.py").write_text("from worlds import World\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [one for one in sys.path if one not in ("", str(tmp_path))])
    assert environment("maze_nearby:World", {"actions": 3}, 1).actions == 3
