"""Evaluate expressions with NumPy, operation by operation in float64: the reference meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum import rng
from neostriatum.models.expression import Number, Operation
from neostriatum.models.symbol import Symbol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from neostriatum.models.expression import Expression


def _of_array(function: Any) -> Any:
    def apply(*arguments: Any) -> Any:
        arrays = [np.array(part, float, ndmin=1) for part in arguments]
        value = function(*arrays)
        return value if any(np.ndim(part) for part in arguments) else value[0]

    return apply


_OPERATIONS = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "neg": np.negative,
    "abs": np.abs, "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal,
    "&": np.logical_and, "|": np.logical_or, "where": np.where, "exp": _of_array(rng.exp),
    "log": _of_array(rng.log), "logistic2": _of_array(rng.logistic2),
}


def evaluate(tree: Expression, values: Mapping[str, Any],
             memo: dict[int, Any] | None = None) -> Any:
    """Return the value of a tree on arrays.

    Parameters
    ----------
    tree : Expression
        What to evaluate.
    values : dict
        A number or an array (n,) for every symbol, in its unit.
    memo : dict, optional
        Values of subtrees by identity, to be shared by trees that are evaluated together.

    Returns
    -------
    float or numpy.ndarray
        float64, or bool of a condition; both sides of a ``where`` are computed.

    Examples
    --------
    >>> from neostriatum.models import State
    >>> v = State("v", "mV")
    >>> float(evaluate(v * v, {"v": 3.0}))
    9.0
    """
    memo = {} if memo is None else memo
    # The side of a `where` that is not taken may be anything.
    with np.errstate(all="ignore"):
        return _evaluated(tree, values, memo)


def _evaluated(tree: Expression, values: Mapping[str, Any], memo: dict[int, Any]) -> Any:
    if isinstance(tree, Symbol):
        return values[tree.name]
    if isinstance(tree, Number):
        return tree.value
    if not isinstance(tree, Operation):
        raise TypeError(type(tree).__name__)
    if id(tree) not in memo:
        arguments = [_evaluated(part, values, memo) for part in tree.arguments]
        memo[id(tree)] = _OPERATIONS[tree.name](*arguments)
    return memo[id(tree)]
