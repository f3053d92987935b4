"""Expressions as NMODL statements: every operation as it is written, in that order."""

from __future__ import annotations

import textwrap
from contextlib import contextmanager
from typing import TYPE_CHECKING

from neostriatum.models.expression import Expression, Number, Operation
from neostriatum.models.symbol import Symbol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_SIGNS = {"+": "+", "-": "-", "*": "*", "/": "/", "<": "<", "<=": "<=", ">": ">", ">=": ">=",
          "&": "&&", "|": "||"}
#: Characters of one expression at most; a longer one goes on in a local variable.
_LONGEST = 100
#: What every mechanism has of functions; exponents are held as `neostriatum.rng` holds them.
FUNCTIONS = """\
FUNCTION fn_exp(x) {
    if (x < -700.0) {
        fn_exp = exp(-700.0)
    } else if (x > 700.0) {
        fn_exp = exp(700.0)
    } else {
        fn_exp = exp(x)
    }
}

FUNCTION fn_log(x) {
    fn_log = log(x)
}

FUNCTION fn_logistic2(m, y) {
    fn_logistic2 = 1.0/(1.0 + m*fn_exp(y*0.6931471805599453))
}
"""


class Statements:
    """Statements of one block, and the local variables that they need.

    Parameters
    ----------
    prefix : str
        Of the local variables: no other name of the mechanism begins so.

    Examples
    --------
    >>> from neostriatum.models import State, positive
    >>> v, block = State("v", "mV"), Statements("w_")
    >>> block.assign({"s_v": v - positive(v)}, {"v": "s_v"})
    >>> print(block.text)
    if (0.0 > s_v) {
        w_0 = 0.0
    } else {
        w_0 = s_v
    }
    s_v = (s_v - w_0)
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self.lines: list[str] = []
        self.locals: list[str] = []

    @property
    def text(self) -> str:
        """The statements, a line each."""
        return "\n".join(self.lines)

    def add(self, *lines: str) -> None:
        """Add statements as they are."""
        self.lines += lines

    @contextmanager
    def inside(self, head: str) -> Iterator[None]:
        """Put the statements that are added meanwhile into a block of their own."""
        self.add(f"{head} {{")
        start = len(self.lines)
        yield
        self.lines[start:] = [f"    {line}" for line in self.lines[start:]]
        self.add("}")

    def local(self, name: str) -> str:
        """Declare a local variable and return its name."""
        self.locals.append(name)
        return name

    def assign(self, trees: Mapping[str, Expression], names: Mapping[str, str]) -> None:
        """Give variables the values of trees, all of what the variables were before.

        Parameters
        ----------
        trees : dict
            Trees by the variable that gets the value.
        names : dict
            The variable of every symbol.
        """
        values = self.values(trees.values(), names)
        if len(values) > 1 and set(trees) & set(names.values()):
            values = [self._kept(value) for value in values]
        self.add(*(f"{name} = {value}" for name, value in zip(trees, values, strict=True)))

    def values(self, trees: Iterable[Expression], names: Mapping[str, str]) -> list[str]:
        """Return trees as NMODL expressions of variables; shared parts are computed once."""
        trees = list(trees)
        uses: dict[int, int] = {}

        def count(tree: Expression) -> None:
            uses[id(tree)] = uses.get(id(tree), 0) + 1
            if isinstance(tree, Operation) and uses[id(tree)] == 1:
                for part in tree.arguments:
                    count(part)

        for tree in trees:
            count(tree)
        memo: dict[int, str] = {}

        def value(tree: Expression) -> str:
            if isinstance(tree, Symbol):
                return names[tree.name]
            if isinstance(tree, Number):
                return f"({tree.value!r})" if tree.value < 0 else repr(tree.value)
            if not isinstance(tree, Operation):
                raise TypeError(type(tree).__name__)
            if id(tree) not in memo:
                memo[id(tree)] = written(tree)
            return memo[id(tree)]

        def written(tree: Operation) -> str:
            parts = [value(part) for part in tree.arguments]
            if tree.name == "where":
                return self._chosen(*parts)
            text = _operation(tree.name, parts)
            if tree.condition or (uses[id(tree)] == 1 and len(text) <= _LONGEST):
                return text
            return self._kept(text)

        return [value(tree) for tree in trees]

    def _kept(self, value: str) -> str:
        """Give a local variable a value, and return its name."""
        name = self.local(f"{self._prefix}{len(self.locals)}")
        self.add(f"{name} = {value}")
        return name

    def _chosen(self, condition: str, a: str, b: str) -> str:
        name = self.local(f"{self._prefix}{len(self.locals)}")
        test = condition if condition.startswith("(") else f"({condition})"
        self.add(f"if {test} {{", f"    {name} = {a}", "} else {", f"    {name} = {b}", "}")
        return name

    def block(self, head: str) -> str:
        """Return a block with these statements: its local variables come first."""
        lines = [f"{head} {{"]
        if self.locals:
            lines += textwrap.wrap(f"LOCAL {', '.join(self.locals)}", 96, initial_indent="    ",
                                   subsequent_indent="        ")
        return "\n".join([*lines, *(f"    {line}" for line in self.lines), "}"]) + "\n"


def _operation(name: str, parts: list[str]) -> str:
    if name in _SIGNS:
        return f"({parts[0]} {_SIGNS[name]} {parts[1]})"
    if name == "neg":
        return f"(-{parts[0]})"
    if name == "abs":
        return f"fabs({parts[0]})"
    return f"fn_{name}({', '.join(parts)})"
