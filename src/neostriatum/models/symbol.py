"""The leaves of expressions with a name: states, parameters, and what every model is given."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from neostriatum.errors import ModelError, shown
from neostriatum.models import unit as units
from neostriatum.models.expression import Expression, Number, Operation, lift

#: What symbols and derived expressions may be called.
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")


class Symbol(Expression):
    """A named quantity of a cell, receptor or synapse."""

    kind = "symbol"

    def __init__(self, name: str, unit: str) -> None:
        if not NAME.fullmatch(name):
            msg = f'"{shown(name)}": a name is a letter, then at most 31 letters, digits or _'
            raise ModelError(msg)
        self.name = name
        self.powers = units.powers(unit)


class State(Symbol):
    """What changes in time.

    Parameters
    ----------
    name : str
        A letter, then letters, digits or _.
    unit : str
        Of the coherent set, such as ``"mV"``.

    Raises
    ------
    ModelError
        No name, or another unit.

    Examples
    --------
    >>> State("v", "mV").unit
    'mV'
    """


class Limit(NamedTuple):
    """A lower bound, which ``strict`` excludes itself."""

    value: float
    strict: bool

    def allows(self, number: float) -> bool:
        """Return whether a number is above the bound, or at it where it may be."""
        return number > self.value if self.strict else number >= self.value


class Parameter(Symbol):
    """A number that a circuit gives, within bounds.

    Attributes
    ----------
    bounds : dict
        ``gt``, ``ge``, ``lt`` and ``le`` in its unit, those that are given.
    default : float or None
        Its value where a circuit gives none.
    """

    def __init__(self, name: str, unit: str, bounds: dict[str, float],
                 default: float | None = None) -> None:
        super().__init__(name, unit)
        self.spelled_unit = unit
        self.bounds = bounds
        self.default = default

    @property
    def lowest(self) -> Limit | None:
        """The bound that it must keep at every level of a modulator and in every cell."""
        if "gt" in self.bounds:
            return Limit(self.bounds["gt"], strict=True)
        lowest = self.bounds.get("ge", -1.0)
        return Limit(lowest, strict=False) if lowest >= 0 else None


class Computed(Symbol):
    """A number that is computed once from parameters, in double precision.

    Parameters
    ----------
    name : str
        A letter, then letters, digits or _.
    tree : Expression
        Of parameters alone.

    Raises
    ------
    ModelError
        Anything else in it.

    Examples
    --------
    >>> (mg,) = parameters("mg mM >= 0")
    >>> Computed("block", mg / constant("3.57 mM")).unit
    '1'
    """

    def __init__(self, name: str, tree: Any) -> None:
        self.tree = lift(tree)
        super().__init__(name, self.tree.unit)
        if any(not isinstance(leaf, Parameter) for leaf in symbols(self.tree).values()):
            msg = f"{name}: must be computed from parameters alone (got {self.tree!r})"
            raise ModelError(msg)


#: All current that flows into a cell: receptors, gap junctions, electrodes, drive [pA].
I = Symbol("I", "pA")
#: What modulators make of a receptor's current; 1 without them.
gain = Symbol("gain", "1")
#: The step, only in what a rate is lowered to [ms].
DT = Symbol("dt", "ms")
RESERVED = {"I": I, "gain": gain, "dt": DT}

_PARAMETER = re.compile(r"\s*(\S+)\s+(\S.*?)\s*((?:[<>]=?\s*\S+\s*)*)(?:=\s*(\S+)\s*)?")
_BOUND = re.compile(r"([<>]=?)\s*(\S+)")
_KEYS = {">": "gt", ">=": "ge", "<": "lt", "<=": "le"}


def parameters(*lines: str) -> tuple[Parameter, ...]:
    """Declare parameters, one line each: name, unit, bounds, default.

    Parameters
    ----------
    *lines : str
        ``"C pF > 0"``, ``"U 1 > 0 <= 1"``, ``"d_z pA = 0"``.

    Returns
    -------
    tuple of Parameter
        In the same order.

    Raises
    ------
    ModelError
        A line of another form, an unknown unit.

    Examples
    --------
    >>> C, g_L = parameters("C pF > 0", "g_L nS > 0")
    >>> (C / g_L).unit
    'ms'
    """
    declared = []
    for line in lines:
        match = _PARAMETER.fullmatch(line)
        if match is None:
            msg = f'parameter "{shown(line)}": must be a name, a unit and bounds, as "C pF > 0"'
            raise ModelError(msg)
        try:
            bounds = {_KEYS[sign]: float(limit) for sign, limit in _BOUND.findall(match[3])}
            default = None if match[4] is None else float(match[4])
        except ValueError:
            msg = f'parameter "{shown(line)}": bounds and default must be numbers'
            raise ModelError(msg) from None
        declared.append(Parameter(match[1], match[2], bounds, default))
    return tuple(declared)


def constant(text: str) -> Number:
    """Return a literal with a unit.

    Parameters
    ----------
    text : str
        ``"-70 mV"``; any unit with the dimension of one of the coherent set.

    Returns
    -------
    Number
        A leaf.

    Raises
    ------
    ModelError
        No number with a unit of the set.

    Examples
    --------
    >>> constant("-70 mV").value
    -70.0
    """
    number, _, unit = text.strip().partition(" ")
    try:
        return Number(float(number), units.powers(unit))
    except ValueError:
        msg = f'constant "{shown(text)}": must be a number with its unit, as "-70 mV"'
        raise ModelError(msg) from None


def symbols(*trees: Expression) -> dict[str, Symbol]:
    """Return the symbols of trees by name, in the order in which they appear.

    Raises
    ------
    ModelError
        One name of two things.
    """
    named: dict[str, Symbol] = {}
    seen: set[int] = set()

    def walk(tree: Expression) -> None:
        if id(tree) in seen:
            return
        seen.add(id(tree))
        if isinstance(tree, Symbol):
            if _meaning(named.setdefault(tree.name, tree)) != _meaning(tree):
                msg = f"{tree.name}: is the name of two things. Choose another name"
                raise ModelError(msg)
        elif isinstance(tree, Operation):
            for part in tree.arguments:
                walk(part)

    for tree in trees:
        walk(tree)
    return named


def _meaning(symbol: Symbol) -> tuple[Any, ...]:
    about = (symbol.bounds, symbol.default) if isinstance(symbol, Parameter) else ()
    return (type(symbol), symbol.powers, *about)


def substituted(tree: Expression, values: dict[str, Expression],
                memo: dict[int, Expression] | None = None) -> Expression:
    """Return a tree with symbols replaced by trees of the same unit."""
    memo = {} if memo is None else memo
    if id(tree) in memo:
        return memo[id(tree)]
    if isinstance(tree, Symbol):
        new = values.get(tree.name, tree)
    elif isinstance(tree, Operation):
        parts = tuple(substituted(part, values, memo) for part in tree.arguments)
        new = Operation(tree.name, parts, tree.powers)
    else:
        new = tree
    memo[id(tree)] = new
    return new
