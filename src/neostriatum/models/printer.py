"""Expressions as text: canonical for hashes, infix for readers."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from neostriatum.models.unit import spelled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from neostriatum.models.expression import Expression, Number, Operation
    from neostriatum.models.symbol import Symbol

_RANKS = {"|": 1, "&": 2, "<": 3, "<=": 3, ">": 3, ">=": 3, "+": 4, "-": 4, "*": 5, "/": 5,
          "neg": 6}


def canonical(tree: Expression) -> str:
    """Return the text that is equal for equal trees only.

    Examples
    --------
    >>> from neostriatum.models import State
    >>> v = State("v", "mV")
    >>> canonical(v * v - v * v)
    '(- (* v v) (* v v))'
    """
    if tree.kind == "symbol":
        return cast("Symbol", tree).name
    if tree.kind == "number":
        return _number(cast("Number", tree))
    tree = cast("Operation", tree)
    return f"({tree.name} {' '.join(canonical(part) for part in tree.arguments)})"


def _number(tree: Number) -> str:
    text = repr(tree.value)
    return f"{text}[{spelled(tree.powers)}]" if tree.powers and any(tree.powers) else text


def infix(tree: Expression, names: Mapping[str, str] | None = None) -> str:
    """Return a tree as people write it, with the parentheses that keep its order.

    Parameters
    ----------
    tree : Expression
        What to write.
    names : dict, optional
        Other names for symbols.

    Returns
    -------
    str
        One line.

    Examples
    --------
    >>> from neostriatum.models import State
    >>> v = State("v", "mV")
    >>> infix(v - (v - 2 * v))
    'v - (v - 2.0*v)'
    """
    return _infix(tree, names or {}, 0)


def code(tree: Expression, names: Mapping[str, str], words: Mapping[str, str]) -> str:
    """Return a tree as an expression of another language, operation by operation.

    Signs rank there as in Python: comparisons above "and", "and" above "or".

    Parameters
    ----------
    tree : Expression
        What to write.
    names : dict
        What every symbol is called there.
    words : dict
        Names of functions there, and the words for ``&`` and ``|``.

    Returns
    -------
    str
        One line.

    Raises
    ------
    KeyError
        A symbol or a function that has no name there.

    Examples
    --------
    >>> from neostriatum.models import State, positive
    >>> v = State("v", "mV")
    >>> code(v - positive(v - 2 * v), {"v": "v_c"}, {"where": "pick"})
    'v_c - pick(0.0 > v_c - 2.0*v_c, 0.0, v_c - 2.0*v_c)'
    """
    return _infix(tree, names, 0, words)


def _bounded(tree: Operation) -> tuple[str, tuple[Expression, ...]] | None:
    """Return name and arguments of a ``where`` that is a minimum or a maximum."""
    if tree.name != "where":
        return None
    condition, taken, other = cast("Operation", tree.arguments[0]), *tree.arguments[1:]
    if condition.name not in ("<", ">") or condition.arguments != (taken, other):
        return None
    if condition.name == ">" and taken.kind == "number" and cast("Number", taken).value == 0:
        return "positive", (other,)
    return {"<": "minimum", ">": "maximum"}[condition.name], (other, taken)


def _infix(tree: Expression, names: Mapping[str, str], outside: int,
           words: Mapping[str, str] | None = None) -> str:
    if tree.kind == "symbol":
        name = cast("Symbol", tree).name
        return names.get(name, name) if words is None else names[name]
    if tree.kind == "number":
        value = cast("Number", tree).value
        return f"({value!r})" if value < 0 and outside > 3 else repr(value)
    tree = cast("Operation", tree)
    rank, name, parts = _RANKS.get(tree.name), tree.name, tree.arguments
    if rank is None:
        if words is not None:
            name = words[name]
        elif bounded := _bounded(tree):
            name, parts = bounded
        return f"{name}({', '.join(_infix(part, names, 0, words) for part in parts)})"
    if name == "neg":
        text = f"-{_infix(parts[0], names, rank, words)}"
    else:
        word = name if words is None else words.get(name, name)
        sign = word if rank == 5 else f" {word} "
        # Operations of one rank go from left to right.
        left, right = (_infix(part, names, rank + more, words) for more, part in enumerate(parts))
        text = f"{left}{sign}{right}"
    return f"({text})" if rank < outside else text
