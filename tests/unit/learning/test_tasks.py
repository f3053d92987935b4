"""The shipped tasks, by what they pay and what they refuse."""

import numpy as np
import pytest

from neostriatum.errors import CircuitError
from neostriatum.learning.tasks import TASKS, shipped


def played(name: str, action: int, trials: int = 400, **parameters: object) -> np.ndarray:
    """Observation (its first element), reward and whether it was right, by trial."""
    task, rows = shipped(name, parameters), []
    for trial in range(trials):
        seen, _ = task.reset(seed=3) if trial == 0 else task.reset()
        _, reward, done, _, info = task.step(action)
        assert done
        rows.append((np.ravel(seen)[0], reward, info["correct"]))
    return np.array(rows, float)


def test_a_bandit_pays_by_its_probabilities() -> None:
    first, second = (played("bandit", arm, p=[0.8, 0.2]) for arm in (0, 1))
    assert abs(first[:, 1].mean() - 0.8) < 0.07
    assert abs(second[:, 1].mean() - 0.2) < 0.07
    assert first[:, 2].all()
    assert not second[:, 2].any()


def test_a_bandit_turns_round() -> None:
    rows = played("bandit", 0, p=[1, 0], reverse_at=[100, 300])
    assert rows[:100, 1].all()
    assert not rows[100:300, 1].any()
    assert rows[300:, 1].all()


def test_a_bandit_drifts_between_walls() -> None:
    task = shipped("bandit", {"p": [0.5, 0.5, 0.5], "drift": 0.1})
    task.reset(seed=1)
    walk = np.array([task.probabilities(trial) for trial in range(500)])
    assert walk.min() >= 0.1
    assert walk.max() <= 0.9
    assert np.abs(np.diff(walk, axis=0)).max() > 0.1
    task.reset(seed=1)
    assert task.probabilities(499) == tuple(walk[499])


def test_shuffled_rewards_do_not_depend_on_the_choice() -> None:
    first, second = (played("bandit", arm, p=[0.9, 0.1], shuffled=True) for arm in (0, 1))
    assert np.array_equal(first[:, 1], second[:, 1])
    assert abs(first[:, 1].mean() - 0.5) < 0.08


def test_go_nogo_pays_and_punishes_the_action_alone() -> None:
    idle, acts = (played("go-nogo", action) for action in (0, 1))
    assert not idle[:, 1].any()
    assert np.array_equal(acts[:, 1], np.where(acts[:, 0] == 0, 1, -1))
    assert np.array_equal(acts[:, 2], acts[:, 0] == 0)
    assert np.array_equal(idle[:, 2], idle[:, 0] == 1)


def test_pavlovian_rewards_whatever_is_done_until_extinction() -> None:
    idle, acts = (played("pavlovian", action, extinction_at=300) for action in (0, 1))
    assert np.array_equal(idle[:, 1], acts[:, 1])
    assert np.array_equal(acts[:300, 1], acts[:300, 0] == 0)
    assert not acts[300:, 1].any()


def test_cues_ask_for_their_actions_and_swap() -> None:
    rows = played("cues", 1, swap_at=200, p=[1, 0])
    right = np.where(np.arange(400) < 200, rows[:, 0] == 1, rows[:, 0] == 0)
    assert np.array_equal(rows[:, 2], right)
    assert np.array_equal(rows[:, 1], right)


def test_patterns_differ_and_ask_for_their_actions() -> None:
    task = shipped("patterns", {"patterns": 6, "inputs": 6, "actions": 3})
    task.reset(seed=9)
    table = task.table()
    assert len(np.unique(table, axis=0)) == 6
    assert (table.sum(axis=1) == 3).all()
    for trial in range(20):
        number = table.tolist().index(task.observation(trial).tolist())
        assert task.best(trial) == (number % 3,)


@pytest.mark.parametrize("name", TASKS)
def test_a_task_plays_the_same_again(name: str) -> None:
    assert np.array_equal(played(name, 1), played(name, 1))


@pytest.mark.parametrize(("name", "parameters", "message"), [
    ("bandits", {}, r"task: unknown \(got bandits\). Known: bandit"),
    ("bandit", {"q": 1}, r"bandit: unknown parameter \(got q\)"),
    ("bandit", {"p": [0.8, 1.2]}, r"bandit: p: must be a probability from 0 to 1 \(got 1.2\)"),
    ("bandit", {"p": [0.8]}, r"bandit: p: must be 2 to 16 probabilities \(got 1\)"),
    ("bandit", {"p": [0.8, float("nan")]}, r"bandit: p: must be a probability .*\(got nan\)"),
    ("bandit", {"p": "much"}, r"bandit: p: must be a number or a list"),
    ("bandit", {"reverse_at": [90, 40]}, r"bandit: reverse_at: trials must rise"),
    ("bandit", {"reverse_at": 1.5}, r"bandit: reverse_at: must be a whole number"),
    ("bandit", {"drift": -1}, r"bandit: drift: must be from 0 to 0.5"),
    ("bandit", {"shuffled": 2}, r"bandit: shuffled: must be true or false"),
    ("go-nogo", {"hit": 3}, r"go-nogo: hit: must be a reward from -1 to 1"),
    ("pavlovian", {"extinction_at": 0}, r"pavlovian: extinction_at: must be a whole number"),
    ("cues", {"n": 1}, r"cues: n: must be a whole number from 2 to 16 \(got 1\)"),
    ("patterns", {"inputs": 2, "patterns": 2}, r"patterns: patterns: must be a whole number"),
])
def test_bad_parameters(name: str, parameters: dict[str, object], message: str) -> None:
    with pytest.raises(CircuitError, match=f"^{message}"):
        shipped(name, parameters)


def test_an_action_that_there_is_none_of() -> None:
    task = shipped("bandit", {})
    with pytest.raises(CircuitError, match=r"^bandit: step: needs a reset before"):
        task.step(0)
    task.reset(seed=1)
    with pytest.raises(CircuitError, match=r"^bandit: action: must be from 0 to 1 \(got 2\)"):
        task.step(2)
