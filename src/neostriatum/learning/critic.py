"""Critics: how far a reward is from what was expected."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Protocol

from neostriatum.errors import CircuitError, shown


@dataclass(frozen=True)
class Outcome:
    """A trial as a critic sees it; ``action`` is None where nothing was chosen."""

    observation: Any
    action: int | None
    reward: float
    #: What is seen next, and whether the episode is over.
    following: Any
    done: bool


class Critic(Protocol):
    """Learns what to expect; called once per trial, in order."""

    def error(self, outcome: Outcome) -> float:
        """Return the error of what was expected, and learn from it."""


@dataclass
class V:
    """The value of what is seen: delta = reward - V, V <- V + alpha delta."""

    alpha: float = 0.1
    start: float = 0.5
    values: dict[str, float] = field(default_factory=dict, repr=False)

    def error(self, outcome: Outcome) -> float:
        """Return reward - V."""
        return _learn(self.values, repr(outcome.observation), outcome.reward, self)


@dataclass
class Q:
    """The value of an action where it is taken: delta = reward - Q, Q <- Q + alpha delta."""

    alpha: float = 0.1
    start: float = 0.5
    values: dict[str, float] = field(default_factory=dict, repr=False)

    def error(self, outcome: Outcome) -> float:
        """Return reward - Q."""
        return _learn(self.values, f"{outcome.observation!r} {outcome.action}", outcome.reward,
                      self)


@dataclass
class TD:
    """TD(lambda) over the steps of an episode: delta = reward + gamma V(next) - V.

    The value of what comes after an episode is 0. Traces decay by gamma lambda a step.
    """

    alpha: float = 0.1
    start: float = 0.0
    gamma: float = 0.9
    lam: float = 0.9
    values: dict[str, float] = field(default_factory=dict, repr=False)
    traces: dict[str, float] = field(default_factory=dict, repr=False)

    def error(self, outcome: Outcome) -> float:
        """Return reward + gamma V(next) - V."""
        here, following = repr(outcome.observation), repr(outcome.following)
        ahead = 0.0 if outcome.done else self.values.get(following, self.start)
        delta = outcome.reward + self.gamma * ahead - self.values.get(here, self.start)
        self.traces[here] = self.traces.get(here, 0.0) + 1.0
        for state, trace in self.traces.items():
            value = self.values.get(state, self.start)
            self.values[state] = value + self.alpha * delta * trace
            self.traces[state] = self.gamma * self.lam * trace
        if outcome.done:
            self.traces.clear()
        return delta


@dataclass(frozen=True)
class NoCritic:
    """The reward is the error."""

    def error(self, outcome: Outcome) -> float:
        """Return the reward."""
        return outcome.reward


def critic_of(given: Any, expected: float) -> Critic:
    """Return a critic: "V", "Q", "TD", "none", or an object with ``error``.

    Parameters
    ----------
    given : object
        Which.
    expected : float
        What V and Q expect at first.

    Raises
    ------
    CircuitError
        Something else.
    """
    if isinstance(given, str):
        known: dict[str, Any] = {"V": V(start=expected), "Q": Q(start=expected), "TD": TD(),
                                 "none": NoCritic()}
        if given not in known:
            msg = f"critic: must be one of {', '.join(known)} (got {shown(given)})"
            raise CircuitError(msg)
        return known[given]
    if given is None:
        return NoCritic()
    if not callable(getattr(given, "error", None)):
        msg = ("critic: must be V, Q, TD, none, or have a method error "
               f"(got {shown(type(given).__name__)})")
        raise CircuitError(msg)
    return given


def checked_error(critic: Critic, outcome: Outcome) -> float:
    """Return the error of an outcome, from -1 to 1: more than all of dopamine's range it cannot do.

    Raises
    ------
    CircuitError
        The critic raises, or its error is no finite number.
    """
    try:
        delta = float(critic.error(outcome))
    except CircuitError:
        raise
    except Exception as error:
        msg = f"critic: must give an error (got {type(error).__name__}: {shown(error)})"
        raise CircuitError(msg) from None
    if not math.isfinite(delta):
        msg = f"critic: the error must be finite (got {delta})"
        raise CircuitError(msg)
    return min(max(delta, -1.0), 1.0)


def _learn(values: dict[str, float], key: str, reward: float, critic: V | Q) -> float:
    delta = reward - values.get(key, critic.start)
    values[key] = values.get(key, critic.start) + critic.alpha * delta
    return delta
