"""Our tasks as environments of Gymnasium, which the extra ``[tasks]`` brings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.errors import LibraryMissing
from neostriatum.learning.tasks import shipped

if TYPE_CHECKING:
    from neostriatum.learning.task import Task


def gymnasium_env(task: str | Task, **parameters: Any) -> Any:
    """Return a task as a ``gymnasium.Env``.

    Parameters
    ----------
    task : str or Task
        The name of a shipped task, or a task.
    **parameters
        Of a shipped task.

    Returns
    -------
    gymnasium.Env
        The task; an episode is one trial.

    Raises
    ------
    LibraryMissing
        Gymnasium is not installed.
    CircuitError
        An unknown task or parameter.

    Examples
    --------
    >>> env = gymnasium_env("bandit", p=[0.8, 0.2])  # doctest: +SKIP
    """
    try:
        import gymnasium
        from gymnasium import spaces
    except ImportError:
        msg = "gymnasium_env: needs gymnasium (not installed). Install neostriatum[tasks]"
        raise LibraryMissing(msg) from None
    played = shipped(task, parameters) if isinstance(task, str) else task

    class TaskEnv(gymnasium.Env[Any, Any]):
        """A task of neostriatum."""

        metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012, Gymnasium's own form
        idle, expected = played.idle, played.expected

        def __init__(self) -> None:
            self.parameters = played.parameters
            self.action_space = spaces.Discrete(played.action_space.n)
            seen = played.observation_space
            self.observation_space = spaces.MultiBinary(seen.n) if seen.shape \
                else spaces.Discrete(seen.n)

        def reset(self, *, seed: int | None = None,
                  options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
            first = self._np_random is None
            super().reset(seed=seed)
            if seed is None and first:
                seed = int(self.np_random.integers(2**31))
            observation, info = played.reset(seed=seed, options=options)
            return _seen(observation), info

        def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
            observation, *others = played.step(action)
            return _seen(observation), *others

    return TaskEnv()


def _seen(observation: Any) -> Any:
    """Return an observation of the kind that the spaces of Gymnasium hold."""
    return observation if isinstance(observation, np.ndarray) else np.int64(observation)
