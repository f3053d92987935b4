"""A rate of change, and the step of forward Euler that it is lowered to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from neostriatum.errors import ModelError
from neostriatum.models.expression import Expression, Operation, lift
from neostriatum.models.printer import canonical, infix
from neostriatum.models.symbol import DT, State
from neostriatum.models.unit import NONE, powers, spelled

if TYPE_CHECKING:
    from neostriatum.models.unit import Powers

_MS = powers("ms")


@dataclass(frozen=True, eq=False)
class Rate:
    """How a state changes: ``flow / per`` or ``flow * times``."""

    state: State
    flow: Expression
    per: Expression | None
    times: Expression | None

    @property
    def step(self) -> Expression:
        """The state one step later: ``x + dt/per * flow`` or ``x + dt*times * flow``."""
        each: Expression
        if self.per is not None:
            each = _unchecked("/", DT, self.per)
        elif self.times is not None:
            each = _unchecked("*", DT, self.times)
        else:
            each = DT
        return Operation("+", (self.state, _unchecked("*", each, self.flow)), self.state.powers)

    @property
    def right_side(self) -> str:
        """What stands behind ``dx/dt =``, for readers."""
        if self.per is not None:
            return f"({infix(self.flow)})/{_wrapped(self.per)}"
        if self.times is not None:
            return f"{_wrapped(self.times)}*({infix(self.flow)})"
        return infix(self.flow)

    @property
    def text(self) -> str:
        """Canonical text."""
        return f"next {self.state.name} {canonical(self.step)}"


def rate(state: State, flow: Any, *, per: Any = None, times: Any = None) -> Rate:
    """Return the rate of a state: ``flow / per``, ``flow * times`` or ``flow``.

    Parameters
    ----------
    state : State
        What changes.
    flow : Expression
        How, up to the coefficient.
    per, times : Expression, optional
        The coefficient, at most one of them. A step is ``x + dt/per * flow`` or
        ``x + dt*times * flow``.

    Returns
    -------
    Rate
        For a model.

    Raises
    ------
    ModelError
        Both coefficients, or a unit that is not the state's per ms.

    Examples
    --------
    >>> from neostriatum.models import State, parameters, rate
    >>> v, (tau,) = State("v", "mV"), parameters("tau ms > 0")
    >>> rate(v, -v, per=tau).right_side
    '(-v)/tau'
    """
    if not isinstance(state, State):
        msg = f"rate({state!r}, ...): the first must be a state"
        raise ModelError(msg)
    if per is not None and times is not None:
        msg = f"rate({state.name}, ...): takes one of per and times (got both)"
        raise ModelError(msg)
    flow = lift(flow)
    per, times = (None if part is None else lift(part) for part in (per, times))
    given = _of(flow) if per is None else _minus(_of(flow), _of(per))
    given = given if times is None else _plus(given, _of(times))
    wanted = _minus(_of(state), _MS)
    if flow.condition or (flow.powers is not None and given != wanted):
        msg = (f"rate of {state.name}: {infix(flow)} must give {spelled(wanted)} "
               f"(got {'a comparison' if flow.condition else spelled(given)})")
        raise ModelError(msg)
    return Rate(state, flow, per, times)


def _of(tree: Expression) -> Powers:
    return NONE if tree.powers is None else tree.powers


def _minus(a: Powers, b: Powers) -> Powers:
    return tuple(m - n for m, n in zip(a, b, strict=True))


def _plus(a: Powers, b: Powers) -> Powers:
    return tuple(m + n for m, n in zip(a, b, strict=True))


def _unchecked(sign: str, a: Expression, b: Expression) -> Operation:
    combine = _minus if sign == "/" else _plus
    return Operation(sign, (a, b), combine(_of(a), _of(b)))


def _wrapped(tree: Expression) -> str:
    return f"({infix(tree)})" if isinstance(tree, Operation) else infix(tree)
