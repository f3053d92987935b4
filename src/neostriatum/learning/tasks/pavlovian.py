"""Pavlovian conditioning: a cue and, some time later, a reward whatever is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from neostriatum.errors import shown
from neostriatum.learning.space import Discrete
from neostriatum.learning.task import Task


@dataclass
class Pavlovian(Task):
    """Cue k is followed by a reward of 1 with probability ``p[k]``; none after ``extinction_at``.

    The response (1, or 0 for none) earns nothing and changes nothing. Right is to respond to cues
    that are rewarded more often than not. The time from cue to reward is that of the session's
    phases.
    """

    name: ClassVar[str] = "pavlovian"
    idle: ClassVar[int | None] = 0
    expected: ClassVar[float] = 0.0
    p: Any = (1.0, 0.0)
    extinction_at: Any = None

    def __post_init__(self) -> None:
        self.p = tuple(self.probability("p", value) for value in self.several("p", self.p))
        if not 1 <= len(self.p) <= 16:
            self.refuse("p", f"must be 1 to 16 probabilities (got {shown(self.p)})")
        if self.extinction_at is not None:
            self.extinction_at = self.whole("extinction_at", self.extinction_at, 1)
        self.action_space, self.observation_space = Discrete(2), Discrete(len(self.p))

    def observation(self, trial: int) -> int:
        """Return the cue."""
        return int(self.uniform("cue", trial) * len(self.p))

    def best(self, trial: int) -> tuple[int, ...]:
        """Return whether to respond."""
        return (int(self._probability(trial) > 0.5),)

    def reward(self, trial: int, action: int) -> float:
        """Return 1 with the probability of the cue, else 0."""
        del action
        return float(self.uniform("reward", trial) < self._probability(trial))

    def _probability(self, trial: int) -> float:
        over = self.extinction_at is not None and trial >= self.extinction_at
        return 0.0 if over else self.p[self.observation(trial)]
