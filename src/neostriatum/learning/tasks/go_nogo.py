"""Go/no-go: one cue asks for an action, the other for none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from neostriatum.learning.space import Discrete
from neostriatum.learning.task import Task


@dataclass
class GoNoGo(Task):
    """Cue 0 asks for the action (1), cue 1 for none (0).

    The action earns ``hit`` after the first cue and ``false_alarm`` after the second; doing nothing
    earns nothing. ``p_go`` is the share of go trials.
    """

    name: ClassVar[str] = "go-nogo"
    idle: ClassVar[int | None] = 0
    expected: ClassVar[float] = 0.0
    p_go: float = 0.5
    hit: float = 1.0
    false_alarm: float = -1.0

    def __post_init__(self) -> None:
        self.p_go = self.probability("p_go", self.p_go)
        for key in ("hit", "false_alarm"):
            value = getattr(self, key)
            if isinstance(value, bool) or not isinstance(value, (int, float)) \
                    or not -1 <= value <= 1:
                self.refuse(key, f"must be a reward from -1 to 1 (got {value})")
        self.action_space, self.observation_space = Discrete(2), Discrete(2)

    def observation(self, trial: int) -> int:
        """Return the cue, 0 for go."""
        return int(self.uniform("cue", trial) >= self.p_go)

    def best(self, trial: int) -> tuple[int, ...]:
        """Return the action that the cue asks for."""
        return (1 - self.observation(trial),)

    def reward(self, trial: int, action: int) -> float:
        """Return what the action earns; nothing for doing nothing."""
        if action == 0:
            return 0.0
        return self.hit if self.observation(trial) == 0 else self.false_alarm
