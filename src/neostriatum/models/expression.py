"""Trees of arithmetic with units that mean exactly the operations written, in that order.

Nothing is reassociated, contracted or simplified: that is the rule by which two engines can give
the same bits. No tree ever comes from text.
"""

from __future__ import annotations

import math
from typing import Any

from neostriatum.errors import ModelError, shown
from neostriatum.models.printer import infix
from neostriatum.models.unit import NONE, Powers, spelled

#: Operations written out of one expression at most; shared parts count as often as they are used.
LARGEST = 5000
_COMPARISONS = frozenset({"<", "<=", ">", ">="})


class Expression:
    """A tree; Python's operators build it, and dimensions are checked while it is built.

    Attributes
    ----------
    powers : tuple of int or None
        The unit; None of a literal 0, which has any.
    condition : bool
        Whether it is true or false rather than a number.
    size : int
        Operations in it, written out.
    """

    #: What a tree is, for whoever walks it: "symbol", "number" or "operation".
    kind = ""
    powers: Powers | None = NONE
    condition = False
    size = 0

    @property
    def unit(self) -> str:
        """The unit, ``"1"`` where it has none."""
        return spelled(self.powers or NONE)

    def __add__(self, other: Any) -> Expression:
        return _sum("+", self, other)

    def __radd__(self, other: Any) -> Expression:
        return _sum("+", other, self)

    def __sub__(self, other: Any) -> Expression:
        return _sum("-", self, other)

    def __rsub__(self, other: Any) -> Expression:
        return _sum("-", other, self)

    def __mul__(self, other: Any) -> Expression:
        return _product(self, other)

    def __rmul__(self, other: Any) -> Expression:
        return _product(other, self)

    def __truediv__(self, other: Any) -> Expression:
        return _quotient(self, other)

    def __rtruediv__(self, other: Any) -> Expression:
        return _quotient(other, self)

    def __pow__(self, power: Any) -> Expression:
        if isinstance(power, bool) or not isinstance(power, int) or not 2 <= power <= 8:
            msg = f"{self!r} ** {shown(power)}: a power must be a whole number from 2 to 8"
            raise ModelError(msg)
        product = self
        for _ in range(power - 1):
            product = product * self
        return product

    def __neg__(self) -> Expression:
        _number(self)
        return Operation("neg", (self,), self.powers)

    def __abs__(self) -> Expression:
        _number(self)
        return Operation("abs", (self,), self.powers)

    def __lt__(self, other: Any) -> Expression:
        return _comparison("<", self, other)

    def __le__(self, other: Any) -> Expression:
        return _comparison("<=", self, other)

    def __gt__(self, other: Any) -> Expression:
        return _comparison(">", self, other)

    def __ge__(self, other: Any) -> Expression:
        return _comparison(">=", self, other)

    def __and__(self, other: Any) -> Expression:
        return _junction("&", self, other)

    def __or__(self, other: Any) -> Expression:
        return _junction("|", self, other)

    def __bool__(self) -> bool:
        msg = (f"{self!r}: has no truth value while a model is built. Write where(condition, a, b) "
               "for if, & for and, | for or, and one comparison at a time")
        raise ModelError(msg)

    def __repr__(self) -> str:
        return infix(self)


class Number(Expression):
    """A literal."""

    kind = "number"

    def __init__(self, value: float, powers: Powers | None = NONE) -> None:
        if not math.isfinite(value):
            msg = f"a number in an expression must be finite (got {value})"
            raise ModelError(msg)
        self.value = float(value)
        self.powers = None if value == 0 else powers


class Operation(Expression):
    """An operation on subtrees."""

    kind = "operation"

    def __init__(self, name: str, arguments: tuple[Expression, ...],
                 powers: Powers | None = NONE) -> None:
        self.name, self.arguments, self.powers = name, arguments, powers
        self.condition = name in _COMPARISONS or name in ("&", "|")
        self.size = 1 + sum(part.size for part in arguments)
        if self.size > LARGEST:
            msg = f"an expression must have at most {LARGEST} operations written out"
            raise ModelError(msg)


def lift(value: Any) -> Expression:
    """Return an expression, or a literal for a plain number.

    Raises
    ------
    ModelError
        Neither.
    """
    if isinstance(value, Expression):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        msg = (f"an expression is made of states, parameters and plain numbers (got "
               f"{type(value).__name__} {shown(value)}). Compare with <, <=, > and >= only")
        raise ModelError(msg)
    return Number(float(value))


def exp(x: Any) -> Expression:
    """Return e^x; the exponent is held within -700 and 700 (87 in single precision).

    Examples
    --------
    >>> from neostriatum.models import State, exp, parameters
    >>> v, (v_T, D_T) = State("v", "mV"), parameters("v_T mV", "D_T mV > 0")
    >>> exp((v - v_T) / D_T)
    exp((v - v_T)/D_T)
    """
    return _function("exp", x)


def log(x: Any) -> Expression:
    """Return the natural logarithm of a positive number."""
    return _function("log", x)


def logistic2(m: Any, y: Any) -> Expression:
    """Return 1 / (1 + m 2^y), for y within -1000 and 1000 (120 in single precision).

    Examples
    --------
    >>> from neostriatum.models import State, logistic2
    >>> logistic2(3.57, State("y", "1"))
    logistic2(3.57, y)
    """
    m, y = lift(m), lift(y)
    _plain("logistic2", m)
    _plain("logistic2", y)
    return Operation("logistic2", (m, y))


def where(condition: Expression, a: Any, b: Any) -> Expression:
    """Return ``a`` where a condition holds, else ``b``; both are computed.

    Examples
    --------
    >>> from neostriatum.models import State, where
    >>> x = State("x", "1")
    >>> where(x > 1, 2 * x, 0)
    where(x > 1.0, 2.0*x, 0.0)
    """
    if not isinstance(condition, Expression) or not condition.condition:
        msg = f"where({shown(condition)}, ...): the first must be a comparison, as v > v_T"
        raise ModelError(msg)
    a, b = lift(a), lift(b)
    powers = _same("where", a, b)
    return Operation("where", (condition, a, b), powers)


def minimum(x: Any, bound: Any) -> Expression:
    """Return the lower of two, ``x`` where they are equal or ``x`` is NaN."""
    x, bound = lift(x), lift(bound)
    return where(bound < x, bound, x)


def maximum(x: Any, bound: Any) -> Expression:
    """Return the higher of two, ``x`` where they are equal or ``x`` is NaN."""
    x, bound = lift(x), lift(bound)
    return where(bound > x, bound, x)


def clip(x: Any, low: Any, high: Any) -> Expression:
    """Return ``x`` held within two bounds."""
    return minimum(maximum(x, low), high)


def positive(x: Any) -> Expression:
    """Return ``x`` where it is above 0, else 0."""
    return maximum(x, 0.0)


def _number(*trees: Expression) -> None:
    for tree in trees:
        if tree.condition:
            msg = f"{tree!r}: a comparison is no number. Use where(condition, a, b)"
            raise ModelError(msg)


def _same(sign: str, a: Expression, b: Expression) -> Powers | None:
    """Return the common unit of two trees."""
    _number(a, b)
    if a.powers is not None and b.powers is not None and a.powers != b.powers:
        msg = f"{a!r} {sign} {b!r}: the left is in {a.unit}, the right in {b.unit}"
        raise ModelError(msg)
    return b.powers if a.powers is None else a.powers


def _plain(name: str, x: Expression) -> None:
    _number(x)
    if x.powers not in (None, NONE):
        msg = f"{name}({x!r}): must have no unit (got {x.unit})"
        raise ModelError(msg)


def _sum(sign: str, a: Any, b: Any) -> Expression:
    a, b = lift(a), lift(b)
    return Operation(sign, (a, b), _same(sign, a, b))


def _comparison(sign: str, a: Any, b: Any) -> Expression:
    a, b = lift(a), lift(b)
    _same(sign, a, b)
    return Operation(sign, (a, b))


def _junction(sign: str, a: Any, b: Any) -> Expression:
    for part in (a, b):
        if not isinstance(part, Expression) or not part.condition:
            msg = f"{shown(a)} {sign} {shown(b)}: both must be comparisons in parentheses"
            raise ModelError(msg)
    return Operation(sign, (a, b))


def _product(a: Any, b: Any) -> Expression:
    a, b = lift(a), lift(b)
    _number(a, b)
    if a.powers is None or b.powers is None:
        return Operation("*", (a, b), None)
    return Operation("*", (a, b), tuple(m + n for m, n in zip(a.powers, b.powers, strict=True)))


def _quotient(a: Any, b: Any) -> Expression:
    a, b = lift(a), lift(b)
    _number(a, b)
    # Only what is 0 whatever the circuit says has no unit of its own.
    if b.powers is None:
        msg = f"{a!r} / {b!r}: divides by 0"
        raise ModelError(msg)
    if a.powers is None:
        return Operation("/", (a, b), None)
    return Operation("/", (a, b), tuple(m - n for m, n in zip(a.powers, b.powers, strict=True)))


def _function(name: str, x: Any) -> Expression:
    x = lift(x)
    _plain(name, x)
    return Operation(name, (x,))
