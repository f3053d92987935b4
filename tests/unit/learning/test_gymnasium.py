"""Our tasks in the form of Gymnasium, as its own checker sees them."""

import warnings

import pytest

from neostriatum.learning.gymnasium_env import gymnasium_env
from neostriatum.learning.tasks import TASKS

gymnasium = pytest.importorskip("gymnasium")


@pytest.mark.parametrize("name", TASKS)
def test_tasks_pass_the_checker(name: str) -> None:
    from gymnasium.utils.env_checker import check_env

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # Ours are made by a call, so they have no specification to make them again.
        warnings.filterwarnings("ignore", message=".*[Rr]ender.*|.*spec.*|.*not within.*")
        check_env(gymnasium_env(name), skip_render_check=True)


def test_the_adapter_plays_as_the_task() -> None:
    env, task = gymnasium_env("bandit", p=[0.7, 0.1]), TASKS["bandit"](p=[0.7, 0.1])
    env.reset(seed=5)
    task.reset(seed=5)
    for trial in range(20):
        assert env.step(trial % 2)[1:] == task.step(trial % 2)[1:]
        env.reset()
        task.reset()


def test_a_gymnasium_environment_is_one_of_ours() -> None:
    from neostriatum.learning.environment import environment

    world = environment(gymnasium_env("cues"), None, 3)
    assert (world.actions, world.idle) == (2, None)
    assert world.begin(first=True) in (0, 1)
    assert world.step(0).done
