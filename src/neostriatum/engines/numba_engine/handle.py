"""Hand a tuple of arrays, and of tuples of arrays, to compiled functions as one address.

Numba hands over every array as seven numbers. With a hundred arrays the compiler spends most of
its time on them, function after function. A handle has the fields of the tuple; a field is read
where it is used, and the compiler is told that it never changes.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import AttributeTemplate
from numba.extending import (
    infer_getattr,
    intrinsic,
    lower_getattr_generic,
    models,
    register_model,
)

_BYTE = ir.IntType(8)


class Handle(types.Type):
    """The type of an address of a named tuple of type ``of``."""

    def __init__(self, of: Any) -> None:
        self.of = of
        super().__init__(name=f"Handle({of})")

    @property
    def key(self) -> Any:
        """What tells two of them apart."""
        return self.of


@register_model(Handle)
class _Address(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _BYTE.as_pointer())


@intrinsic
def handle(typingctx: Any, fields: Any) -> Any:
    """Return the handle of a named tuple, for as long as the calling function runs."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = cgutils.alloca_once_value(builder, args[0])
        return builder.bitcast(place, _BYTE.as_pointer())

    return Handle(fields)(fields), codegen


@infer_getattr
class _Fields(AttributeTemplate):
    key = Handle

    def generic_resolve(self, kind: Any, name: str) -> Any:
        if name not in kind.of.fields:
            return None
        field = kind.of.types[kind.of.fields.index(name)]
        return Handle(field) if isinstance(field, types.NamedTuple) else field


@lower_getattr_generic(Handle)
def _field(context: Any, builder: Any, kind: Any, value: Any, name: str) -> Any:
    number = kind.of.fields.index(name)
    field = kind.of.types[number]
    whole = builder.bitcast(value, context.get_value_type(kind.of).as_pointer())
    place = cgutils.gep_inbounds(builder, whole, 0, number)
    if isinstance(field, types.NamedTuple):
        return builder.bitcast(place, _BYTE.as_pointer())
    return _constant(builder, place, context.get_value_type(field))


def _constant(builder: Any, place: Any, kind: Any) -> Any:
    """Load a value part by part, each marked as one that no store changes."""
    if isinstance(kind, (ir.LiteralStructType, ir.ArrayType)):
        parts = kind.elements if isinstance(kind, ir.LiteralStructType) else [
            kind.element] * kind.count
        value = ir.Constant(kind, ir.Undefined)
        for number, part in enumerate(parts):
            at = cgutils.gep_inbounds(builder, place, 0, number)
            value = builder.insert_value(value, _constant(builder, at, part), number)
        return value
    loaded = builder.load(place)
    loaded.set_metadata("invariant.load", builder.module.add_metadata([]))
    return loaded
