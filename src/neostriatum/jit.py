"""Compiled twins of `rng`'s functions, bit for bit, for the network and the fast engine.

They are called from compiled code alone. Each is a few instructions put where it is called: Numba
would look at every line of such a function again wherever it is used, which took a third of the
time of compiling.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llvmlite import ir
from numba import extending, float32, float64, int32, types
from numba.core import cgutils

from neostriatum.arithmetic import F64, I32, I64, Arithmetic

if TYPE_CHECKING:
    from collections.abc import Callable

#: Of any type, as type checkers do not know that Numba gives the first argument.
intrinsic: Any = extending.intrinsic


@intrinsic
def prefetch(typingctx, array, index):
    """Ask for ``array[index]`` (1-D, contiguous) to be brought into the cache; changes nothing."""

    def codegen(context, builder, signature, args):
        made = context.make_array(signature.args[0])(context, builder, args[0])
        at = builder.bitcast(builder.gep(made.data, [args[1]]), ir.IntType(8).as_pointer())
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [at.type, number, number, number])
        call = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
        # To read, to keep, data.
        builder.call(call, [at, number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(array, types.intp), codegen


def like(example, value):
    """Return ``value`` in the precision of ``example``."""
    raise RuntimeError


@extending.overload(like, inline="always")
def _like_overload(example, value):
    if example == types.float32:
        return lambda example, value: float32(value)
    if example == types.int32:
        return lambda example, value: int32(value)
    return lambda example, value: float64(value)


@intrinsic
def exp(typingctx, x):
    """Return e^x exactly as `rng.exp` does."""
    return types.float64(types.float64), _of(lambda emit, args: emit.exp(*args))


@intrinsic
def log(typingctx, x):
    """Return the natural logarithm of a positive normal number exactly as `rng.log` does."""
    return types.float64(types.float64), _of(lambda emit, args: emit.log(*args))


@intrinsic
def normal_pair(typingctx, first, second):
    """Return two standard normals from two words exactly as `rng.normal_pair` does."""
    return (types.UniTuple(types.float64, 2)(types.uint32, types.uint32),
            _of(lambda emit, args: emit.normal_pair(*args)))


@intrinsic
def philox64(typingctx, k0, k1, c0, c1, c2, c3):
    """Return the four words of one counter, all uint64 below 2^32.

    Words stay in 64 bits throughout: in loops over counters each is then one lane of a vector.
    """
    return (types.UniTuple(types.uint64, 4)(*[types.uint64] * 6),
            _of(lambda emit, args: emit.philox(args[:2], args[2:])))


@intrinsic
def philox(typingctx, k0, k1, c0, c1, c2, c3):
    """Return the four uint32 words of one counter, all arguments uint32."""
    def emitted(emit: Arithmetic, args: Any) -> Any:
        wide = [emit.builder.zext(word, I64) for word in args]
        return [emit.builder.trunc(word, I32) for word in emit.philox(wide[:2], wide[2:])]

    return types.UniTuple(types.uint32, 4)(*[types.uint32] * 6), _of(emitted)


@intrinsic
def uniform53(typingctx, high, low):
    """Return a uniform in [0, 1) with 53 bits exactly as `rng.uniform53` does."""
    def emitted(emit: Arithmetic, args: Any) -> Any:
        builder = emit.builder
        # By way of int32, which vector instructions turn into doubles.
        top, rest = (builder.sitofp(builder.lshr(word, ir.Constant(I32, bits)), F64)
                     for word, bits in zip(args, (5, 6), strict=True))
        top = builder.fmul(top, ir.Constant(F64, 2.0**26))
        return builder.fmul(builder.fadd(top, rest), ir.Constant(F64, 2.0**-53))

    return types.float64(types.uint32, types.uint32), _of(emitted)


def _of(emitted: Callable[[Arithmetic, Any], Any]) -> Any:
    """Return what writes the instructions of an intrinsic."""
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        result = emitted(Arithmetic(builder), args)
        kind = signature.return_type
        if not isinstance(kind, types.UniTuple):
            return result
        return context.make_tuple(builder, kind, result)

    return codegen
