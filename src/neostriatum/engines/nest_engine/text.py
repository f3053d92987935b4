"""Trees of models as NESTML: statements in the written order, which become C++ as they stand.

NESTML prints a literal with nine digits. So every number of a model is a parameter, set from
Python; so are those of exp, log and logistic2, which are written out here because all engines have
these functions to the bit.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from neostriatum.models.expression import Number, Operation
from neostriatum.models.printer import canonical
from neostriatum.models.symbol import Symbol
from neostriatum.rng import EVEN_SERIES, EXP_SERIES, LOG_SERIES, ODD_SERIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from neostriatum.models.expression import Expression

#: A part that is written longer than this gets a line of its own.
LONGEST = 90
#: How tightly operations bind.
_RANKS = {"|": 1, "&": 1, "<": 2, "<=": 2, ">": 2, ">=": 2, "+": 3, "-": 3, "*": 4, "/": 4}
_SIGNS = {"&": "and", "|": "or"}

_FUNCTIONS = {"exp": "exponential", "log": "logarithm", "logistic2": "logistic"}
#: Numbers of the functions that are no part of a series; see `rng`.
_NUMBERS = {
    "exp": {"e_limit": 700.0, "e_scale": 1.4426950408889634, "e_high": 0.6931471803691238,
            "e_low": 1.9082149292705877e-10},
    "log": {"l_scale": 1.4426950408889634, "l_root": 1.4142135623730951,
            "l_two": 0.6931471805599453},
    "logistic2": {"logistic_base": 6755399441055744.0 + 1023.0},
}
_SERIES: dict[str, dict[str, Sequence[float]]] = {
    "exp": {"e": EXP_SERIES}, "log": {"l": LOG_SERIES},
    "logistic2": {"even": EVEN_SERIES, "odd": ODD_SERIES}}


def _series(name: str, key: str, argument: str) -> Iterator[str]:
    """Sum a series, highest power first, as ``name``."""
    first, *others = range(len(next(one[key] for one in _SERIES.values() if key in one)))
    yield f"        {name} real = {key}{first}"
    yield from (f"        {name} = {name} * {argument} + {key}{number}" for number in others)


#: The bodies of the functions, operation by operation those of `rng`.
_BODIES = {
    "exp": ("    function exponential(x real) real:",
            "        y real = min(max(x, -e_limit), e_limit)",
            "        whole real = floor(y * e_scale + 0.5)",
            "        rest real = (y - whole * e_high) - whole * e_low",
            *_series("total", "e", "rest"),
            "        return total * 2.0 ** whole"),
    # The logarithm of the mathematics library finds the exponent, or misses it by one.
    "log": ("    function logarithm(x real) real:",
            "        exponent real = floor(ln(x) * l_scale)",
            "        mantissa real = x * 2.0 ** (-exponent)",
            "        if mantissa >= 2.0:",
            "            mantissa = mantissa * 0.5",
            "            exponent += 1.0",
            "        if mantissa < 1.0:",
            "            mantissa = mantissa * 2.0",
            "            exponent -= 1.0",
            "        if mantissa > l_root:",
            "            mantissa = mantissa * 0.5",
            "            exponent += 1.0",
            "        ratio real = (mantissa - 1.0) / (mantissa + 1.0)",
            "        square real = ratio * ratio",
            *_series("total", "l", "square"),
            "        return exponent * l_two + ratio * total"),
    "logistic2": ("    function logistic(m real, y real) real:",
                  "        shifted real = y + logistic_base",
                  "        whole real = shifted - logistic_base",
                  "        rest real = y - whole",
                  "        square real = rest * rest",
                  *_series("a", "even", "square"),
                  *_series("b", "odd", "square"),
                  "        b = b * rest",
                  "        fall real = a - b",
                  "        return fall / (fall + (a + b) * (m * 2.0 ** whole))"),
}


def operations(trees: Iterable[Expression]) -> Iterator[Expression]:
    """Give every node of trees once, whatever it is."""
    seen: set[int] = set()
    waiting = list(trees)
    while waiting:
        tree = waiting.pop(0)
        if id(tree) not in seen:
            seen.add(id(tree))
            yield tree
            if isinstance(tree, Operation):
                waiting += tree.arguments


def literals(trees: Iterable[Expression]) -> dict[float, str]:
    """Return the numbers in trees and the names of the parameters that hold them."""
    values = dict.fromkeys(tree.value for tree in operations(trees) if isinstance(tree, Number))
    return {value: f"k{place}" for place, value in enumerate(values)}


def functions(trees: Iterable[Expression]) -> list[str]:
    """Return which of exp, log and logistic2 trees use."""
    used = {tree.name for tree in operations(trees) if isinstance(tree, Operation)}
    return [name for name in _FUNCTIONS if name in used]


def bodies(names: Iterable[str]) -> list[str]:
    """Return the lines that define functions."""
    return [line for name in names for line in _BODIES[name]]


def inlined(name: str, argument: str, *others: str, result: str) -> list[str]:
    """Return the statements of a function in place of a call, and the variable that they set."""
    head, *body = _BODIES[name]
    own = re.findall(r"(\w+) real", head.partition("(")[2])
    # What a function calls its variables is free for others outside.
    local = {*own, *re.findall(r"(\w+) real = ", "\n".join(body))}
    pattern = re.compile(rf"\b({'|'.join(sorted(local))})\b")
    *lines, last = [pattern.sub(rf"{result}_\1", line[8:]) for line in body]
    given = zip(own, (argument, *others), strict=True)
    lines = [*(f"{result}_{key} real = {value}" for key, value in given), *lines]
    return [*lines, f"{result} real = {last.removeprefix('return ')}"]


def coefficients(names: Iterable[str]) -> dict[str, float]:
    """Return the parameters that functions need, and their values."""
    values: dict[str, float] = {}
    for name in names:
        values |= _NUMBERS[name]
        for key, series in _SERIES[name].items():
            values |= {f"{key}{place}": value for place, value in enumerate(series)}
    return values


class Writer:
    """Writes trees that are evaluated together.

    Parameters
    ----------
    trees : iterable of Expression
        All that will be written; what they share is computed once.
    names : dict
        What symbols are called.
    constants : dict
        What numbers are called.
    first : int
        Number of the first local.
    inline : bool
        Whether functions are written in place, as synapses have none.
    """

    def __init__(self, trees: Iterable[Expression], names: Mapping[str, str],
                 constants: Mapping[float, str], first: int = 0, *, inline: bool = False) -> None:
        self._names, self._constants, self._inline = names, constants, inline
        self._texts: dict[int, str] = {}
        self._locals: dict[str, str] = {}
        self._uses: Counter[str] = Counter()
        self._waiting: list[str] = []
        self.next = first
        for tree in trees:
            self._count(tree)

    def _canonical(self, tree: Expression) -> str:
        if id(tree) not in self._texts:
            self._texts[id(tree)] = canonical(tree)
        return self._texts[id(tree)]

    def _count(self, tree: Expression) -> None:
        if isinstance(tree, Operation):
            text = self._canonical(tree)
            self._uses[text] += 1
            if self._uses[text] == 1:
                for part in tree.arguments:
                    self._count(part)

    def lines(self, before: str, tree: Expression, after: str = "") -> list[str]:
        """Return the statement ``before value after``, and behind it the locals that it needs."""
        text = self._written(tree, 0, whole=True)
        ready, self._waiting = self._waiting, []
        return [*ready, f"{before}{text}{after}"]

    def _written(self, tree: Expression, outside: int, whole: bool = False) -> str:
        if isinstance(tree, Symbol):
            return self._names[tree.name]
        if isinstance(tree, Number):
            return self._constants[tree.value]
        if not isinstance(tree, Operation):
            raise TypeError(type(tree).__name__)
        key = self._canonical(tree)
        if key in self._locals:
            return self._locals[key]
        text = self._operation(tree)
        if self._uses[key] > 1 or (len(text) > LONGEST and not whole):
            name = self._locals[key] = f"t{self.next}"
            self.next += 1
            self._waiting.append(f"{name} {'boolean' if tree.condition else 'real'} = {text}")
            return name
        return f"({text})" if _RANKS.get(tree.name, 9) < outside else text

    def _operation(self, tree: Operation) -> str:
        rank = _RANKS.get(tree.name)
        if rank is None:
            parts = [self._written(part, 0) for part in tree.arguments]
            if tree.name == "where":
                return f"(({parts[0]}) ? ({parts[1]}) : ({parts[2]}))"
            if tree.name == "neg":
                return f"(-({parts[0]}))"
            if self._inline and tree.name in _FUNCTIONS:
                result, self.next = f"t{self.next}", self.next + 1
                self._waiting += inlined(tree.name, *parts, result=result)
                return result
            return f"{_FUNCTIONS.get(tree.name, tree.name)}({', '.join(parts)})"
        left, right = tree.arguments
        sign = _SIGNS.get(tree.name, tree.name)
        # Operations of one rank go from left to right; comparisons stand in parentheses.
        inner = rank if rank > 2 else 3
        return f"{self._written(left, inner)} {sign} {self._written(right, max(inner, rank + 1))}"
