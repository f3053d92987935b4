"""A bandit: arms that pay with some probability, which may turn round or drift."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from neostriatum import rng
from neostriatum.errors import shown
from neostriatum.learning.space import Discrete
from neostriatum.learning.task import Task

#: Where drifting probabilities are reflected.
LOWEST, HIGHEST = 0.1, 0.9


@dataclass
class Bandit(Task):
    """Arms with probabilities ``p`` of a reward of 1.

    ``reverse_at`` are trials, from 0, at which the probabilities move on by one arm. ``drift`` is
    the standard deviation of what is added to each of them from trial to trial, reflected at 0.1
    and 0.9. With ``shuffled`` a reward has the mean probability whatever the choice.
    """

    name: ClassVar[str] = "bandit"
    p: Any = (0.8, 0.2)
    reverse_at: Any = ()
    drift: float = 0.0
    shuffled: bool = False

    def __post_init__(self) -> None:
        self.p = tuple(self.probability("p", value) for value in self.several("p", self.p))
        if not 2 <= len(self.p) <= 16:
            self.refuse("p", f"must be 2 to 16 probabilities (got {len(self.p)})")
        self.reverse_at = tuple(self.whole("reverse_at", trial, 1)
                                for trial in self.several("reverse_at", self.reverse_at))
        if sorted(set(self.reverse_at)) != list(self.reverse_at):
            self.refuse("reverse_at", f"trials must rise (got {shown(self.reverse_at)})")
        if isinstance(self.drift, bool) or not isinstance(self.drift, (int, float)) \
                or not 0 <= self.drift <= 0.5:
            self.refuse("drift", f"must be from 0 to 0.5 per trial (got {shown(self.drift)})")
        if not isinstance(self.shuffled, bool):
            self.refuse("shuffled", f"must be true or false (got {shown(self.shuffled)})")
        self.action_space = Discrete(len(self.p))
        self.observation_space = Discrete(1)
        self._walk: list[tuple[float, ...]] = [self.p]
        self._walk_seed = 0

    def observation(self, trial: int) -> int:
        """Return the only cue there is."""
        del trial
        return 0

    def probabilities(self, trial: int) -> tuple[float, ...]:
        """Return the probability that each arm pays in a trial."""
        turns = sum(at <= trial for at in self.reverse_at) % len(self.p)
        now = self._drifted(trial) if self.drift else self.p
        return now[-turns:] + now[:-turns] if turns else now

    def best(self, trial: int) -> tuple[int, ...]:
        """Return the arms that pay most often."""
        now = self.probabilities(trial)
        return tuple(arm for arm, p in enumerate(now) if p == max(now))

    def reward(self, trial: int, action: int) -> float:
        """Return 1 with the arm's probability, else 0."""
        now = self.probabilities(trial)
        p = sum(now) / len(now) if self.shuffled else now[action]
        return float(self.uniform("reward", trial) < p)

    def _drifted(self, trial: int) -> tuple[float, ...]:
        if self._walk_seed != self._seed:
            self._walk, self._walk_seed = [self.p], self._seed
        while len(self._walk) <= trial:
            key = rng.stream(self._seed, "task drift", self.name)
            steps = rng.normals(key, len(self.p), len(self._walk))
            self._walk.append(tuple(_reflected(float(p + self.drift * step))
                                    for p, step in zip(self._walk[-1], steps, strict=True)))
        return self._walk[trial]


def _reflected(p: float) -> float:
    """Return a probability put back between the walls."""
    p = 2 * LOWEST - p if p < LOWEST else 2 * HIGHEST - p if p > HIGHEST else p
    return min(max(p, LOWEST), HIGHEST)
