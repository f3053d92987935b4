"""Compiled twins of `rng`'s philox and exp, bit for bit, for the network and the fast engine."""

from __future__ import annotations

import numpy as np
from numba import njit, types, uint32, uint64
from numba.core import cgutils  # noqa: F401  (registers the bit casts below)
from numba.extending import intrinsic

from neostriatum.rng import EXP_SERIES

_E = tuple(float(coefficient) for coefficient in EXP_SERIES)


@intrinsic
def float_from_bits(typingctx, bits):
    """Reinterpret an int64 as a float64."""
    if not isinstance(bits, types.Integer):
        return None

    def codegen(context, builder, signature, args):
        return builder.bitcast(args[0], context.get_value_type(types.float64))

    return types.float64(types.int64), codegen


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
