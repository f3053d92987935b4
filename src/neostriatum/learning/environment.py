"""An environment as a session sees it: any object of Gymnasium's form, checked call by call.

In: an object with ``reset`` and ``step``, a shipped task's name, or MODULE:FACTORY. Out: an
`Environment`, which can be played again from its seed and the actions that were taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, TypeGuard

import numpy as np

from neostriatum.circuit.plain import plain
from neostriatum.errors import CircuitError, RunFileError, shown
from neostriatum.learning.critic import Outcome, checked_error
from neostriatum.learning.task import Task
from neostriatum.learning.tasks import shipped
from neostriatum.models.registry import imported

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neostriatum.learning.critic import Critic

#: What a user is told whose environment does not play the same again.
_AGAIN = "An environment must depend on its seed and the actions alone"
#: Most actions: each is a channel of the circuit.
MOST_ACTIONS = 256


@dataclass(frozen=True)
class Step:
    """What an action led to."""

    reward: float
    observation: Any
    #: Whether the episode is over.
    done: bool
    #: Whether no action was better; None where the environment does not say.
    correct: bool | None


class Environment:
    """An environment and how it was asked for.

    Parameters
    ----------
    world : object
        Has ``reset(seed=...)``, ``step(action)`` and ``action_space.n``.
    name : str
        A shipped task, MODULE:FACTORY, or the class of an object.
    parameters : dict
        Plain data.
    seed : int
        Of its first ``reset``.

    Raises
    ------
    CircuitError
        No such methods, or no ``action_space`` of the form ``Discrete(n)``.
    """

    def __init__(self, world: Any, name: str, parameters: dict[str, Any], seed: int) -> None:
        self._world, self.name, self.parameters, self.seed = world, name, parameters, seed
        for method in ("reset", "step"):
            if not callable(getattr(world, method, None)):
                self.refuse(f"must have a method {method}, as Gymnasium's have "
                            f"(got {shown(type(world).__name__)})")
        space = getattr(world, "action_space", None)
        n = getattr(space, "n", None)
        if not _whole(n) or n < 1 or getattr(space, "start", 0) != 0:
            self.refuse("action_space must be Discrete(n) from 0 on "
                        f"(got {shown('none' if space is None else space)})")
        if n > MOST_ACTIONS:
            self.refuse(f"action_space must have at most {MOST_ACTIONS} actions (got {shown(n)})")
        self.actions = int(n)
        self.idle: int | None = self._idle()
        self.expected = self._expected()
        self._trial = -1

    def _idle(self) -> int | None:
        idle = getattr(self._world, "idle", None)
        if idle is not None and not (_whole(idle) and 0 <= idle < self.actions):
            self.refuse(f"idle must be None or an action, 0 to {self.actions - 1} "
                        f"(got {shown(idle)})")
        return None if idle is None else int(idle)

    def _expected(self) -> float:
        given = getattr(self._world, "expected", 0.5)
        try:
            number = float(given)
        except (TypeError, ValueError):
            number = np.nan
        if not np.isfinite(number):
            self.refuse(f"expected must be a finite reward (got {shown(given)})")
        return number

    @property
    def observation_space(self) -> Any:
        """What it shows."""
        return getattr(self._world, "observation_space", None)

    @property
    def record(self) -> dict[str, Any]:
        """What a run keeps of it."""
        return {"task": self.name, "parameters": self.parameters, "seed": self.seed}

    def begin(self, first: bool) -> Any:
        """Begin an episode, the first with the seed; return what is seen."""
        self._trial += 1
        result = self._call("reset", seed=self.seed) if first else self._call("reset")
        if not isinstance(result, tuple) or len(result) != 2:
            self.refuse("reset must return observation and info "
                        f"(got {shown(type(result).__name__)})")
        return self._seen(result[0])

    def step(self, action: int) -> Step:
        """Take an action.

        Raises
        ------
        CircuitError
            It raises, or returns something of another form, a NaN or an infinity.
        """
        result = self._call("step", action)
        if not isinstance(result, tuple) or len(result) != 5:
            what = f"{len(result)} values" if isinstance(result, tuple) else type(result).__name__
            self.refuse("step must return observation, reward, terminated, truncated, info "
                        f"(got {shown(what)})")
        observation, reward, terminated, truncated, info = result
        try:
            number = float(reward)
        except (TypeError, ValueError):
            self.refuse(f"reward must be a number (got {shown(reward)})")
        if not np.isfinite(number):
            self.refuse(f"reward must be finite (got {number})")
        for key, value in (("terminated", terminated), ("truncated", truncated)):
            if not isinstance(value, (bool, np.bool_)):
                self.refuse(f"{key} must be true or false (got {shown(value)})")
        correct = info.get("correct") if isinstance(info, dict) else None
        return Step(number, self._seen(observation), bool(terminated or truncated),
                    None if correct is None else bool(correct))

    def replay(self, history: Sequence[dict[str, Any]], critic: Critic) -> tuple[Any, bool]:
        """Play the trials of a record again; return what is seen next, and if an episode is over.

        The critic learns from them as it did.

        Raises
        ------
        RunFileError
            It does not play as it did.
        """
        seen, done = None, True
        for number, row in enumerate(history):
            if done:
                seen = self.begin(first=number == 0)
            self._same(number, "observation", seen, row["observation"])
            if row["choice"] is None:
                done = False
                continue
            step = self.step(row["choice"])
            self._same(number, "reward", step.reward, row["reward"])
            delta = checked_error(critic, Outcome(seen, row["choice"], step.reward,
                                                  step.observation, step.done))
            self._same(number, "error of the critic", delta, row["delta"])
            seen, done = step.observation, step.done
        return seen, done

    def _same(self, trial: int, what: str, now: Any, then: Any) -> None:
        if now != then:
            msg = (f"environment: must play trial {trial} again with {what} {shown(then)} "
                   f"(got {shown(now)}). {_AGAIN}")
            raise RunFileError(msg)

    def _call(self, method: str, *arguments: Any, **named: Any) -> Any:
        try:
            return getattr(self._world, method)(*arguments, **named)
        except (CircuitError, MemoryError):
            raise
        except (Exception, SystemExit) as error:
            self.refuse(f"{method} must not raise (got {type(error).__name__}: {shown(error)} in "
                        f"episode {max(self._trial, 0)})")

    def _seen(self, observation: Any) -> Any:
        """Return an observation as plain data."""
        try:
            seen = plain(observation)
            numbers = np.asarray(seen, float)
        except (TypeError, ValueError, CircuitError):
            self.refuse(f"observation must be numbers (got {shown(observation)})")
        if not np.isfinite(numbers).all():
            self.refuse(f"observation must be finite (got {shown(observation)})")
        return seen

    def refuse(self, rule: str) -> NoReturn:
        """Raise the error of an environment."""
        msg = f"environment {shown(self.name)}: {rule}"
        raise CircuitError(msg)


def environment(what: Any, parameters: dict[str, Any] | None, seed: int) -> Environment:
    """Return an environment.

    Parameters
    ----------
    what : str or object
        A shipped task, ``"MODULE:FACTORY"``, or an environment.
    parameters : dict, optional
        Of a task or a factory.
    seed : int
        Of its first ``reset``.

    Raises
    ------
    CircuitError
        An unknown task, a module that cannot be imported, parameters of an object.
    """
    given = dict(parameters or {})
    if isinstance(what, str) and ":" in what:
        world = _produced(what, given)
        return Environment(world, what, plain(given), seed)
    if isinstance(what, str):
        task = shipped(what, given)
        return Environment(task, task.name, task.parameters, seed)
    if given:
        msg = "environment: an object has its parameters already (got some as well)"
        raise CircuitError(msg)
    if isinstance(what, Task):
        return Environment(what, what.name, what.parameters, seed)
    kind = type(what)
    return Environment(what, f"{kind.__module__}.{kind.__qualname__}",
                       _parameters(getattr(what, "parameters", None)), seed)


def _whole(value: Any) -> TypeGuard[int]:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _parameters(given: Any) -> dict[str, Any]:
    """Return the parameters that an object tells of itself, those that are plain data."""
    if not isinstance(given, dict):
        return {}
    try:
        return plain(given)
    except CircuitError:
        return {}


def _produced(name: str, parameters: dict[str, Any]) -> Any:
    module, _, factory = name.partition(":")
    try:
        make = getattr(imported(module), factory)
    except (CircuitError, MemoryError):
        raise
    except (Exception, SystemExit) as error:  # a module of a user's may do anything
        told = isinstance(error, (ImportError, AttributeError))
        reason = error if told else f"{type(error).__name__}: {error}"
        msg = (f"environment: must be MODULE:FACTORY that can be imported (got {shown(name)}: "
               f"{shown(reason)})")
        raise CircuitError(msg) from None
    try:
        return make(**parameters)
    except (CircuitError, MemoryError):
        raise
    except (Exception, SystemExit) as error:
        msg = f"environment {shown(name)}: cannot be made ({type(error).__name__}: {shown(error)})"
        raise CircuitError(msg) from None
