"""Paths through a circuit: what type of value may lie at a key of the file."""

from __future__ import annotations

from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from neostriatum.circuit.parameters import ModelTable
from neostriatum.circuit.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def inner(kinds: Iterable[Any], key: Any) -> list[Any]:
    """Return the types that the value at ``key`` of a value of one of ``kinds`` may have.

    Examples
    --------
    >>> from neostriatum.circuit.model import Circuit
    >>> [kind.__name__ for kind in inner([Circuit], "volume")]
    ['Volume']
    """
    return [one for kind in kinds for one in _inner(kind, key)]


def holders(kinds: list[Any], path: Iterable[Any]) -> tuple[list[str], list[Any]]:
    """Follow an error's path from ``kinds``; return it, and the types that hold its last key.

    Pydantic adds parts that no file holds: the branch of a union, and a mark on keys.
    """
    keys: list[str] = []
    last: list[Any] = []
    for part in path:
        if len(kinds) > 1 and (branch := [kind for kind in kinds if part in _tags(kind)]):
            kinds = branch
        elif part != "[key]":
            keys.append(str(part))
            last, kinds = kinds, inner(kinds, part)
    return keys, last


def _inner(kind: Any, key: Any) -> Iterator[Any]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        if key in kind.model_fields:
            yield from _branches(kind.model_fields[key].annotation)
        elif issubclass(kind, ModelTable):
            yield Value
    elif get_origin(kind) is dict:
        yield from _branches(get_args(kind)[1])
    elif get_origin(kind) is tuple:
        yield from _branches(get_args(kind)[0])


def _branches(kind: Any) -> Iterator[Any]:
    if get_origin(kind) is Annotated:
        yield from _branches(get_args(kind)[0])
    elif get_origin(kind) in (Union, UnionType):
        for one in get_args(kind):
            yield from _branches(one)
    elif kind is not type(None):
        yield kind


def _tags(kind: Any) -> tuple[Any, ...]:
    """Return the names of the branch that ``kind`` is of the unions told apart by ``rule``."""
    fields = getattr(kind, "model_fields", {})
    return get_args(fields["rule"].annotation) if "rule" in fields else ()
