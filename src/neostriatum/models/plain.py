"""Models as plain data, for other processes and for the record of a run; nothing in it is run."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, cast

from neostriatum.errors import ModelError
from neostriatum.models import expression
from neostriatum.models.cell import CellModel
from neostriatum.models.expression import Expression, Number, Operation
from neostriatum.models.learning import LearningRule
from neostriatum.models.rate import Rate, rate
from neostriatum.models.receptor import ReceptorModel
from neostriatum.models.release import ReleaseModel
from neostriatum.models.symbol import RESERVED, Computed, Parameter, State, Symbol
from neostriatum.models.unit import powers, spelled

_KINDS: dict[str, Any] = {kind.kind: kind for kind in (CellModel, ReceptorModel, ReleaseModel,
                                                       LearningRule)}
#: What builds an operation anew, and checks its units again.
_OPERATIONS: dict[str, Any] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
    "neg": operator.neg, "abs": operator.abs, "<": operator.lt, "<=": operator.le,
    ">": operator.gt, ">=": operator.ge, "&": operator.and_, "|": operator.or_,
    "where": expression.where, "exp": expression.exp, "log": expression.log,
    "logistic2": expression.logistic2,
}


def plain(model: Any) -> dict[str, Any]:
    """Return a model as data that JSON can hold.

    Examples
    --------
    >>> from neostriatum.models.adex import ADEX
    >>> rebuilt(plain(ADEX)).text == ADEX.text
    True
    """
    return {"kind": model.kind,
            "fields": {field.name: _plain(getattr(model, field.name)) for field in fields(model)}}


def _plain(value: Any) -> Any:
    if isinstance(value, Expression):
        return _plain_tree(value)
    if isinstance(value, Rate):
        return ["rate", *(_plain(part) for part in (value.state, value.flow, value.per,
                                                     value.times))]
    if isinstance(value, tuple):
        return ["tuple", *map(_plain, value)]
    if isinstance(value, Mapping):
        return ["table", *([_plain(key), _plain(part)] for key, part in value.items())]
    return value


def _plain_tree(tree: Expression) -> list[Any]:
    if isinstance(tree, Operation):
        return ["operation", tree.name, *map(_plain_tree, tree.arguments)]
    if isinstance(tree, Number):
        return ["number", tree.value, spelled(tree.powers) if tree.powers else "1"]
    if isinstance(tree, Parameter):
        return ["parameter", tree.name, tree.spelled_unit, tree.bounds, tree.default]
    if isinstance(tree, Computed):
        return ["computed", tree.name, _plain_tree(tree.tree)]
    if isinstance(tree, State):
        return ["state", tree.name, spelled(tree.powers)]
    return ["given", cast("Symbol", tree).name]


def rebuilt(data: Any) -> Any:
    """Return the model that plain data describe, checked as when it was written.

    Raises
    ------
    ModelError
        Data that describe none.
    """
    try:
        reader = _Reader()
        return _KINDS[data["kind"]](**{name: reader.read(value)
                                       for name, value in data["fields"].items()})
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, RecursionError) as error:
        msg = f"model: must be data of a model ({type(error).__name__}: {error})"
        raise ModelError(msg) from None


class _Reader:
    """Reads one model; what is equal is the same object wherever it stands."""

    def __init__(self) -> None:
        self._symbols: dict[tuple[str, str], Symbol] = {}
        self._trees: dict[str, Any] = {}

    def read(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        key = repr(value)
        if key not in self._trees:
            self._trees[key] = self._read(*value)
        return self._trees[key]

    def _read(self, tag: str, *rest: Any) -> Any:
        if tag == "tuple":
            return tuple(map(self.read, rest))
        if tag == "table":
            return {self.read(key): self.read(part) for key, part in rest}
        if tag == "rate":
            state, flow, per, times = map(self.read, rest)
            return rate(state, flow, per=per, times=times)
        if tag == "operation":
            return _OPERATIONS[rest[0]](*map(self.read, rest[1:]))
        if tag == "number":
            return Number(float(rest[0]), powers(rest[1]))
        if tag == "given":
            return RESERVED[rest[0]]
        return self._symbol(tag, *rest)

    def _symbol(self, tag: str, name: str, *about: Any) -> Symbol:
        if (tag, name) not in self._symbols:
            if tag == "computed":
                symbol: Symbol = Computed(name, self.read(about[0]))
            else:
                symbol = {"state": State, "parameter": Parameter}[tag](name, *about)
            self._symbols[tag, name] = symbol
        return self._symbols[tag, name]
