"""The tasks that are shipped, a file each, and the circuit that plays them."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from neostriatum.errors import CircuitError, shown
from neostriatum.learning.task import parameters_of
from neostriatum.learning.tasks.bandit import Bandit
from neostriatum.learning.tasks.cues import Cues
from neostriatum.learning.tasks.go_nogo import GoNoGo
from neostriatum.learning.tasks.patterns import Patterns
from neostriatum.learning.tasks.pavlovian import Pavlovian

if TYPE_CHECKING:
    from neostriatum.learning.task import Task

TASKS: dict[str, type[Task]] = {
    task.name: task for task in (Bandit, GoNoGo, Pavlovian, Patterns, Cues)}


def shipped(name: str, parameters: dict[str, Any]) -> Task:
    """Return a shipped task.

    Raises
    ------
    CircuitError
        An unknown name or parameter, or a value that the task refuses.

    Examples
    --------
    >>> shipped("bandit", {"p": [0.8, 0.2]}).action_space.n
    2
    """
    if name not in TASKS:
        near = get_close_matches(str(name), TASKS, n=1) or [", ".join(TASKS)]
        msg = (f"task: unknown (got {shown(name)}). Known: {near[0]}; one of your own is "
               "MODULE:FACTORY")
        raise CircuitError(msg)
    known = parameters_of(TASKS[name])
    if unknown := [key for key in parameters if key not in known]:
        msg = f"{name}: unknown parameter (got {shown(unknown[0])}). Known: {', '.join(known)}"
        raise CircuitError(msg)
    return TASKS[name](**parameters)
