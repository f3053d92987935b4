"""What models of all kinds have in common: names that fit together, and a text to hash."""

from __future__ import annotations

import hashlib
import re
from abc import ABC, abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

from neostriatum.errors import ModelError, shown
from neostriatum.models.expression import Expression, lift
from neostriatum.models.symbol import (
    NAME,
    RESERVED,
    Computed,
    Parameter,
    State,
    Symbol,
    symbols,
)
from neostriatum.models.unit import spelled

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_MODEL_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")


class Declared(ABC):
    """What models of all kinds have: names of their states, a hash, and how they are refused.

    Models of one kind and text are equal.
    """

    name: str
    states: tuple[State, ...]
    requires: tuple[Expression, ...]

    @property
    @abstractmethod
    def text(self) -> str:
        """Canonical text: equal for models that compute the same in the same order."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Declared) and type(other) is type(self) and (
            other.text == self.text)

    def __hash__(self) -> int:
        return hash(self.text)

    def _refuse(self, what: str) -> NoReturn:
        msg = f"{self.name}.{what}"
        raise ModelError(msg)

    def _check_requires(self) -> None:
        for condition in self.requires:
            if not isinstance(condition, Expression) or not condition.condition or any(
                    not isinstance(leaf, Parameter) for leaf in symbols(condition).values()):
                self._refuse(f"requires: {condition!r} must be a comparison of parameters")

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the states."""
        return tuple(state.name for state in self.states)

    @cached_property
    def hash(self) -> str:
        """Hash of the text, 16 hexadecimal digits."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]


def check_name(name: Any) -> None:
    """Refuse what is no name of a model."""
    if not isinstance(name, str) or not _MODEL_NAME.fullmatch(name):
        msg = (f'model "{shown(name)}": a name has small letters, digits and _, at most 32, and '
               "begins with a letter")
        raise ModelError(msg)


def check_states(model: str, states: tuple[Any, ...]) -> None:
    """Refuse what is no state, and two of one name."""
    names = [state.name for state in states if isinstance(state, State)]
    if not states or len(names) < len(states):
        msg = f"{model}.states: must be one or more State"
        raise ModelError(msg)
    for name in names:
        if name in RESERVED or names.count(name) > 1:
            msg = f"{model}.states: {name} has another meaning. Choose another name"
            raise ModelError(msg)


def lifted(model: str, derived: Mapping[str, Any]) -> dict[str, Expression]:
    """Return derived expressions by name, refused where one is no name of a variable."""
    for name in derived:
        if not isinstance(name, str) or not NAME.fullmatch(name):
            msg = (f'{model}.derived: "{shown(name)}": a name is a letter, then at most 31 '
                   "letters, digits or _")
            raise ModelError(msg)
    return {name: lift(value) for name, value in derived.items()}


def used_parameters(model: str, trees: Iterable[Expression],
                    known: Iterable[Symbol]) -> tuple[Parameter, ...]:
    """Return the parameters of trees, and refuse any other symbol that is not ``known``."""
    allowed = {symbol.name: symbol for symbol in known}
    named: dict[str, Parameter] = {}
    leaves = symbols(*trees)
    for computed in [leaf for leaf in leaves.values() if isinstance(leaf, Computed)]:
        leaves |= {leaf.name: leaf for leaf in symbols(computed.tree).values()}
        if computed.name in allowed:
            msg = f"{model}: {computed.name} has another meaning here. Choose another name"
            raise ModelError(msg)
    for symbol in leaves.values():
        own = allowed.get(symbol.name, named.get(symbol.name))
        if own is not None and own.powers == symbol.powers and type(own) is type(symbol):
            continue
        if own is not None or symbol.name in RESERVED:
            msg = f"{model}: {symbol.name} has another meaning here. Choose another name"
            raise ModelError(msg)
        if isinstance(symbol, Computed):
            continue
        if not isinstance(symbol, Parameter):
            kind = "state" if isinstance(symbol, State) else "name"
            msg = f"{model}: unknown {kind} {symbol.name}. It has {', '.join(allowed)}"
            raise ModelError(msg)
        named[symbol.name] = symbol
    return tuple(named.values())


def declared(parameters: Iterable[Parameter]) -> list[str]:
    """Return canonical lines of parameters."""
    return [f"parameter {one.name} {spelled(one.powers)} {sorted(one.bounds.items())} "
            f"{one.default!r}" for one in parameters]
