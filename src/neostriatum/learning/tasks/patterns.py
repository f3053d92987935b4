"""Patterns to actions: a pattern of active inputs asks for an action."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from neostriatum import rng
from neostriatum.errors import shown
from neostriatum.learning.space import Discrete, MultiBinary
from neostriatum.learning.task import Task


@dataclass
class Patterns(Task):
    """``patterns`` random patterns over ``inputs``, half of them active, each with its action.

    Pattern k asks for action k modulo ``actions``. The right action pays with probability ``p[0]``,
    every other with ``p[1]``. The patterns are drawn from the seed, and differ.
    """

    name: ClassVar[str] = "patterns"
    patterns: int = 4
    inputs: int = 8
    actions: int = 2
    p: Any = (0.9, 0.1)

    def __post_init__(self) -> None:
        self.inputs = self.whole("inputs", self.inputs, 2, 32)
        self.actions = self.whole("actions", self.actions, 2, 16)
        # So few that a draw that differs from the others is rows at once.
        most = min(64, self.inputs * (self.inputs - 1) // 2)
        self.patterns = self.whole("patterns", self.patterns, 1, most)
        self.p = tuple(self.probability("p", value) for value in self.several("p", self.p))
        if len(self.p) != 2:
            self.refuse("p", f"must be two probabilities, right and wrong (got {shown(self.p)})")
        self.action_space = Discrete(self.actions)
        self.observation_space = MultiBinary(self.inputs)

    def table(self) -> np.ndarray:
        """Return the patterns, int8 (patterns, inputs)."""
        key, draw = rng.stream(self._seed, "task patterns", self.name), 0
        rows: list[list[int]] = []
        while len(rows) < self.patterns:
            words = rng.philox(key, draw, np.arange(self.inputs))
            row = np.zeros(self.inputs, np.int8)
            row[np.argsort(words[0], kind="stable")[: self.inputs // 2]] = 1
            if row.tolist() not in rows:
                rows.append(row.tolist())
            draw += 1
        return np.array(rows, np.int8)

    def observation(self, trial: int) -> np.ndarray:
        """Return which inputs are active."""
        return self.table()[self._pattern(trial)]

    def best(self, trial: int) -> tuple[int, ...]:
        """Return the action that the pattern asks for."""
        return (self._pattern(trial) % self.actions,)

    def reward(self, trial: int, action: int) -> float:
        """Return 1 with the probability of a right or of a wrong action, else 0."""
        p = self.p[0] if action in self.best(trial) else self.p[1]
        return float(self.uniform("reward", trial) < p)

    def _pattern(self, trial: int) -> int:
        return int(self.uniform("cue", trial) * self.patterns)
