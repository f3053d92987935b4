"""The form of our own tasks: Gymnasium's ``reset`` and ``step``, one decision per episode.

In: a seed and actions. Out: observations, rewards, and whether the action was the best there was.
Every draw is a function of seed, trial and purpose, so that a task can be played again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

import numpy as np

from neostriatum import rng
from neostriatum.circuit.plain import plain
from neostriatum.errors import CircuitError, shown

if TYPE_CHECKING:
    from neostriatum.learning.space import Discrete, MultiBinary


class Task(ABC):
    """A task; an episode is a trial, and ``reset`` without a seed goes on to the next.

    Subclasses are dataclasses whose fields are the parameters.
    """

    name: ClassVar[str]
    #: The action that stands for doing nothing; None where every trial asks for a choice.
    idle: ClassVar[int | None] = None
    #: Value that a critic expects before it knows anything.
    expected: ClassVar[float] = 0.5
    action_space: Discrete
    observation_space: Discrete | MultiBinary

    _seed: int = 0
    _trial: int = -1

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters as plain data."""
        return plain(asdict(self))  # type: ignore[call-overload]  # tasks are dataclasses

    def reset(self, *, seed: int | None = None,
              options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin the next trial, or with a seed the first; return what is seen, and more."""
        del options
        if seed is not None:
            self._seed, self._trial = rng.checked_seed(seed), -1
        self._trial += 1
        return self.observation(self._trial), {"trial": self._trial}

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Take an action; return what is seen, the reward, two ends, and more.

        Raises
        ------
        CircuitError
            An action that there is none of, or no ``reset`` before.
        """
        if self._trial < 0:
            self.refuse("step", "needs a reset before")
        if not self.action_space.contains(action):
            self.refuse("action", f"must be from 0 to {self.action_space.n - 1} "
                        f"(got {shown(action)})")
        reward = float(self.reward(self._trial, int(action)))
        correct = int(action) in self.best(self._trial)
        return self.observation(self._trial), reward, True, False, {"correct": correct}

    @abstractmethod
    def observation(self, trial: int) -> Any:
        """Return what is seen in a trial."""

    @abstractmethod
    def best(self, trial: int) -> tuple[int, ...]:
        """Return the actions that no other is better than."""

    @abstractmethod
    def reward(self, trial: int, action: int) -> float:
        """Return what an action earns in a trial."""

    def uniform(self, purpose: str, trial: int) -> float:
        """Return a uniform number of a trial, in [0, 1)."""
        words = rng.philox(rng.stream(self._seed, f"task {purpose}", self.name), 0, trial)
        return float(rng.uniform53(words[0], words[1]))

    def refuse(self, key: str, rule: str) -> NoReturn:
        """Raise the error of a parameter."""
        msg = f"{self.name}: {key}: {rule}"
        raise CircuitError(msg)

    def probability(self, key: str, value: Any) -> float:
        """Return a probability of the parameters, checked."""
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = np.nan
        if isinstance(value, bool) or not 0 <= number <= 1:
            self.refuse(key, f"must be a probability from 0 to 1 (got {shown(value)})")
        return number

    def whole(self, key: str, value: Any, low: int, high: int = 1_000_000) -> int:
        """Return a whole number of the parameters, checked."""
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) \
                or not low <= value <= high:
            self.refuse(key, f"must be a whole number from {low} to {high} (got {shown(value)})")
        return int(value)

    def several(self, key: str, value: Any) -> tuple[Any, ...]:
        """Return one number or several as a tuple."""
        if value is None:
            return ()
        if isinstance(value, (list, tuple, np.ndarray)):
            return tuple(value)
        if isinstance(value, str):
            self.refuse(key, f"must be a number or a list of numbers (got {shown(value)})")
        return (value,)


def parameters_of(kind: type[Task]) -> list[str]:
    """Return the names of the parameters of a task."""
    return [each.name for each in fields(kind)]  # type: ignore[arg-type]  # tasks are dataclasses
