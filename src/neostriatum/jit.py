"""Compiled twins of `rng`'s philox and exp, bit for bit, for the network and the fast engine."""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import float32, float64, int32, int64, njit, types, uint32, uint64
from numba.core import cgutils
from numba.extending import intrinsic, overload

from neostriatum.rng import (
    COS_SERIES,
    EXP_SERIES,
    LOG_SERIES,
    SIN_SERIES,
)

_E = tuple(float(coefficient) for coefficient in EXP_SERIES)
_L, _SIN, _COS = LOG_SERIES, SIN_SERIES, COS_SERIES


def _bit_cast(source, target):
    @intrinsic
    def cast(typingctx, value):
        def codegen(context, builder, signature, args):
            return builder.bitcast(args[0], context.get_value_type(target))

        return target(source), codegen

    return cast


float_from_bits = _bit_cast(types.int64, types.float64)
bits_of_float = _bit_cast(types.float64, types.int64)


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


@njit(inline="always")
def exp(x):
    """Return e^x exactly as `rng.exp` does."""
    x = min(max(x, -700.0), 700.0)
    n = np.floor(x * 1.4426950408889634 + 0.5)
    r = (x - n * 0.6931471803691238) - n * 1.9082149292705877e-10
    p = _E[0] * r + _E[1]
    p = p * r + _E[2]
    p = p * r + _E[3]
    p = p * r + _E[4]
    p = p * r + _E[5]
    p = p * r + _E[6]
    p = p * r + _E[7]
    p = p * r + _E[8]
    p = p * r + _E[9]
    p = p * r + _E[10]
    p = p * r + _E[11]
    p = p * r + _E[12]
    p = p * r + _E[13]
    return p * float_from_bits((np.int64(n) + np.int64(1023)) << np.int64(52))


@njit(inline="always")
def philox64(k0, k1, c0, c1, c2, c3):
    """Return the four words of one counter, all uint64 below 2^32.

    Words stay in 64 bits throughout: in loops over counters each is then one lane of a vector, and
    none has to be widened for the products of the next round.
    """
    low, half = uint64(0xFFFFFFFF), uint64(32)
    for _ in range(10):
        p0 = uint64(0xD2511F53) * (c0 & low)
        p1 = uint64(0xCD9E8D57) * (c2 & low)
        c0 = (p1 >> half) ^ (c1 & low) ^ (k0 & low)
        c1 = p1 & low
        c2 = (p0 >> half) ^ (c3 & low) ^ (k1 & low)
        c3 = p0 & low
        k0 = (k0 + uint64(0x9E3779B9)) & low
        k1 = (k1 + uint64(0xBB67AE85)) & low
    return c0, c1, c2, c3


@njit(inline="always")
def philox(k0, k1, c0, c1, c2, c3):
    """Return the four uint32 words of one counter, all arguments uint32."""
    w0, w1, w2, w3 = philox64(uint64(k0), uint64(k1), uint64(c0), uint64(c1), uint64(c2),
                              uint64(c3))
    return uint32(w0), uint32(w1), uint32(w2), uint32(w3)


def like(example, value):
    """Return ``value`` in the precision of ``example``."""
    raise RuntimeError


@overload(like, inline="always")
def _like_overload(example, value):
    if example == types.float32:
        return lambda example, value: float32(value)
    if example == types.int32:
        return lambda example, value: int32(value)
    return lambda example, value: float64(value)


@njit(inline="always")
def uniform53(high, low):
    """Return a uniform in [0, 1) with 53 bits exactly as `rng.uniform53` does."""
    # By way of int32, which vector instructions turn into doubles.
    top = float64(int32(high >> uint32(5))) * 67108864.0
    return (top + float64(int32(low >> uint32(6)))) * 1.1102230246251565e-16


@njit(inline="always")
def _series(coefficients, x):
    p = coefficients[0]
    for n in range(1, len(coefficients)):
        p = p * x + coefficients[n]
    return p


@njit(inline="always", error_model="numpy")
def log(x):
    """Return the natural logarithm of a positive normal number exactly as `rng.log` does."""
    bits = bits_of_float(x)
    exponent = (bits >> int64(52)) - int64(1023)
    mantissa = float_from_bits((bits & int64(0xFFFFFFFFFFFFF)) | int64(0x3FF0000000000000))
    large = mantissa > 1.4142135623730951
    mantissa = mantissa * 0.5 if large else mantissa
    scale = float64(exponent) + (1.0 if large else 0.0)
    s = (mantissa - 1.0) / (mantissa + 1.0)
    return scale * 0.6931471805599453 + s * _series(_L, s * s)


@njit(inline="always", error_model="numpy")
def normal_pair(first, second):
    """Return two standard normals from two words exactly as `rng.normal_pair` does."""
    radius = np.sqrt(-2.0 * log((float64(first) + 0.5) * 2.3283064365386963e-10))
    turn = float64(second) * 2.3283064365386963e-10
    quarter = np.floor(4.0 * turn + 0.5)
    angle = (turn - quarter * 0.25) * 6.283185307179586
    square = angle * angle
    sin = angle * _series(_SIN, square)
    cos = _series(_COS, square)
    q = int64(quarter) & int64(3)
    swap = (q & int64(1)) == int64(1)
    x = sin if swap else cos
    y = cos if swap else sin
    x = -x if (q == 1 or q == 2) else x
    y = -y if q >= 2 else y
    return radius * x, radius * y
