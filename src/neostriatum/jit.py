"""Compiled twins of `rng`'s philox and exp, bit for bit, for the network and the fast engine."""

from __future__ import annotations

import numpy as np
from numba import float32, float64, int32, int64, njit, types, uint32, uint64
from numba.extending import intrinsic, overload

from neostriatum.rng import (
    COS_SERIES,
    EXP2_SERIES,
    EXP2_SINGLE,
    EXP_SERIES,
    LOG_SERIES,
    SIN_SERIES,
)

_E = tuple(float(coefficient) for coefficient in EXP_SERIES)
_D = tuple(float(coefficient) for coefficient in EXP2_SERIES)
_S = tuple(np.float32(coefficient) for coefficient in EXP2_SINGLE)
_L, _SIN, _COS = LOG_SERIES, SIN_SERIES, COS_SERIES
#: 1.5 times 2^52 and 2^23: adding and subtracting them rounds to the nearest whole number.
_ROUND, _ROUND_SINGLE = 6755399441055744.0, np.float32(12582912.0)


def _bit_cast(source, target):
    @intrinsic
    def cast(typingctx, value):
        def codegen(context, builder, signature, args):
            return builder.bitcast(args[0], context.get_value_type(target))

        return target(source), codegen

    return cast


float_from_bits = _bit_cast(types.int64, types.float64)
bits_of_float = _bit_cast(types.float64, types.int64)
single_from_bits = _bit_cast(types.int32, types.float32)
bits_of_single = _bit_cast(types.float32, types.int32)


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
def philox(k0, k1, c0, c1, c2, c3):
    """Return the four uint32 words of one counter, all arguments uint32."""
    low = uint64(0xFFFFFFFF)
    half = uint64(32)
    for _ in range(10):
        p0 = uint64(0xD2511F53) * uint64(c0)
        p1 = uint64(0xCD9E8D57) * uint64(c2)
        c0 = uint32((p1 >> half) ^ uint64(c1) ^ uint64(k0))
        c1 = uint32(p1 & low)
        c2 = uint32((p0 >> half) ^ uint64(c3) ^ uint64(k1))
        c3 = uint32(p0 & low)
        k0 = uint32((uint64(k0) + uint64(0x9E3779B9)) & low)
        k1 = uint32((uint64(k1) + uint64(0xBB67AE85)) & low)
    return c0, c1, c2, c3


@njit(inline="always")
def _exp2_double(y):
    shifted = y + _ROUND
    f = y - (shifted - _ROUND)
    p = _D[0] * f + _D[1]
    p = p * f + _D[2]
    p = p * f + _D[3]
    p = p * f + _D[4]
    p = p * f + _D[5]
    p = p * f + _D[6]
    p = p * f + _D[7]
    p = p * f + _D[8]
    p = p * f + _D[9]
    p = p * f + _D[10]
    return p * float_from_bits((bits_of_float(shifted) + int64(1023)) << int64(52))


@njit(inline="always")
def _exp2_single(y):
    shifted = y + _ROUND_SINGLE
    f = y - (shifted - _ROUND_SINGLE)
    p = _S[0] * f + _S[1]
    p = p * f + _S[2]
    p = p * f + _S[3]
    p = p * f + _S[4]
    p = p * f + _S[5]
    p = p * f + _S[6]
    return p * single_from_bits(int32(int32(bits_of_single(shifted) + int32(127)) << int32(23)))


def exp2(y):
    """Return 2^y in the precision of ``y``; in double exactly as `rng.exp2` does."""
    raise RuntimeError


@overload(exp2, inline="always")
def _exp2_overload(y):
    if y == types.float32:
        return lambda y: _exp2_single(y)
    return lambda y: _exp2_double(y)


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


def arrived(waiting, quantum):
    """Return what waits in a ring in nS: doubles wait as they are, integers as quanta."""
    raise RuntimeError


@overload(arrived, inline="always")
def _arrived_overload(waiting, quantum):
    if waiting == types.int32:
        return lambda waiting, quantum: float32(waiting) * quantum
    return lambda waiting, quantum: waiting


@njit(inline="always")
def uniform53(high, low):
    """Return a uniform in [0, 1) with 53 bits exactly as `rng.uniform53` does."""
    top = float64(high >> uint32(5)) * 67108864.0
    return (top + float64(low >> uint32(6))) * 1.1102230246251565e-16


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
