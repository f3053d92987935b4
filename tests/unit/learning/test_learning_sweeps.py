"""Sweeps over tasks and seeds."""

from pathlib import Path

import pytest

import neostriatum as ns
from neostriatum.errors import CircuitError
from neostriatum.sweeps.plan import read

LESSON = {"task": "bandit", "trials": 2, "phases": {
    "before": "10 ms", "choice": "30 ms", "action": "10 ms", "delay": "10 ms", "after": "40 ms",
    "burst": "20 ms", "dip": "40 ms"}}


@pytest.mark.slow
def test_a_sweep_over_a_task_and_seeds(tmp_path: Path) -> None:
    keys = {"learn": LESSON, "seeds": 2, "size": 60, "changes": {"warmup": "0 ms"},
            "vary": {"learn.parameters.p": [[0.9, 0.1], [0.6, 0.4]]}}
    sweep = ns.sweep(out=tmp_path / "s", jobs=1, **keys)
    assert (sweep.points, sweep.finished) == (4, 4)
    table = sweep.to_pandas()
    assert table["trials"].tolist() == [2] * 4
    assert sorted(set(table["learn.parameters.p"])) == ["[0.6, 0.4]", "[0.9, 0.1]"]
    alone = ns.learn("bandit", trials=2, phases=LESSON["phases"], parameters={"p": [0.9, 0.1]},
                     seed=2, size=60, figures=False, changes={"warmup": "0 ms"},
                     out=tmp_path / "r")
    assert alone.summary["spike_hash"] == table.loc[2, "spike_hash"]
    assert table.loc[2, "best_share"] == alone.summary["learning"]["best_share"]
    assert sweep.figure is not None
    again = ns.sweep(out=tmp_path / "s", jobs=1, **keys)
    assert again.rows == sweep.rows


@pytest.mark.parametrize(("keys", "size"), [
    ({}, 2000), ({"size": 60}, 60), ({"circuit": "striatum_v1"}, None),
    ({"circuit": "basal_ganglia"}, None)])
def test_a_task_has_2000_neurons_unless_a_size_is_given(
        keys: dict[str, object], size: int | None) -> None:
    """As it has in a run of its own; another circuit has the size that it always has."""
    assert read(None, {"learn": LESSON, "seeds": 2} | keys)[0].size == size


@pytest.mark.parametrize(("keys", "message"), [
    ({"learn": {"trials": 2}}, r"learn: needs task"),
    ({"learn": LESSON | {"arms": 2}}, r"learn: needs task, and options of a session \(got arms\)"),
    ({"learn": LESSON, "events": []}, r"sweep: .*a session decides them"),
    ({"vary": {"learn.trials": [1, 2]}}, r".*needs a table learn with the task"),
    ({"learn": LESSON, "vary": {"learn.parameters.p": [[0.8, 0.2], [0.5, 0.3, 0.2]]}},
     r"sweep: point 2 .*has 3 actions .*2 channels"),
    ({"learn": LESSON, "vary": {"learn.critic": ["V", "R"]}}, r"sweep: point 2 .*critic: must be"),
])
def test_bad_sweeps(keys: dict[str, object], message: str, tmp_path: Path) -> None:
    with pytest.raises(CircuitError, match=f"^{message}"):
        ns.sweep(out=tmp_path / "s", **{"seeds": 2, "size": 60} | keys)
    assert not (tmp_path / "s").exists()
