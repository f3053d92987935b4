"""Two cues by two actions, or more: every cue has an action of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from neostriatum.errors import shown
from neostriatum.learning.space import Discrete
from neostriatum.learning.task import Task


@dataclass
class Cues(Task):
    """Cue k asks for action k; from trial ``swap_at`` on for the one after it.

    The right action pays with probability ``p[0]``, every other with ``p[1]``.
    """

    name: ClassVar[str] = "cues"
    n: int = 2
    p: Any = (0.9, 0.1)
    swap_at: Any = None

    def __post_init__(self) -> None:
        self.n = self.whole("n", self.n, 2, 16)
        self.p = tuple(self.probability("p", value) for value in self.several("p", self.p))
        if len(self.p) != 2:
            self.refuse("p", f"must be two probabilities, right and wrong (got {shown(self.p)})")
        if self.swap_at is not None:
            self.swap_at = self.whole("swap_at", self.swap_at, 1)
        self.action_space, self.observation_space = Discrete(self.n), Discrete(self.n)

    def observation(self, trial: int) -> int:
        """Return the cue."""
        return int(self.uniform("cue", trial) * self.n)

    def best(self, trial: int) -> tuple[int, ...]:
        """Return the action that the cue asks for."""
        swapped = self.swap_at is not None and trial >= self.swap_at
        return ((self.observation(trial) + swapped) % self.n,)

    def reward(self, trial: int, action: int) -> float:
        """Return 1 with the probability of a right or of a wrong action, else 0."""
        p = self.p[0] if action in self.best(trial) else self.p[1]
        return float(self.uniform("reward", trial) < p)
