"""Environments of the tests: ones that fail in every way that an environment can."""

from __future__ import annotations

import itertools
import math
import sys
from types import SimpleNamespace
from typing import Any


class World:
    """Rewards action 0 in every trial; fails as it is told once ``after`` steps are over."""

    def __init__(self, fault: str = "none", after: int = 1, actions: int = 2) -> None:
        self.action_space = SimpleNamespace(n=actions)
        self.observation_space = SimpleNamespace(n=1, shape=())
        self.parameters = {"fault": fault, "after": after}
        self._fault, self._after, self._steps = fault, after, itertools.count(1)

    def reset(self, *, seed: int | None = None) -> tuple[int, dict[str, Any]]:
        return 0, {}

    def step(self, action: int) -> Any:
        reward, fails = float(action == 0), next(self._steps) > self._after
        answer: Any = (0, reward, True, False, {})
        if fails and self._fault == "raises":
            msg = "no more cheese"
            raise ValueError(msg)
        if fails and self._fault == "leaves":
            sys.exit(3)
        if fails:
            answer = {"nan": (0, math.nan, True, False, {}),
                      "infinite": (0, math.inf, True, False, {}),
                      "word": (0, "much", True, False, {}),
                      "short": (0, reward, True, False),
                      "observation": (math.nan, reward, True, False, {}),
                      "terminated": (0, reward, "yes", False, {}),
                      "endless": (0, reward, False, False, {})}.get(self._fault, answer)
        return answer


def world(fault: str = "none", after: int = 1) -> World:
    """A factory, as MODULE:FACTORY names it."""
    return World(fault, after)


#: What is no factory.
FAULTS = ("raises", "leaves")


def leaves() -> None:
    """A factory that ends the program."""
    sys.exit(3)


def with_space(n: Any, **more: Any) -> Any:
    """An environment of n actions that says more of itself."""
    one = SimpleNamespace(n=1, shape=())
    return SimpleNamespace(reset=print, step=print, action_space=SimpleNamespace(n=n),
                           observation_space=one, **more)


def wrong_actions() -> World:
    return World(actions=3)


def without_step() -> Any:
    return SimpleNamespace(reset=print, action_space=SimpleNamespace(n=2))


class Fickle(World):
    """Another reward in every life of the process."""

    lives = itertools.count()

    def __init__(self) -> None:
        super().__init__()
        self._life = next(Fickle.lives)

    def step(self, action: int) -> Any:
        return 0, float(self._life), True, False, {}
