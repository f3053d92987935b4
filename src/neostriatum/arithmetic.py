"""Exponentials, logarithms and random words as LLVM instructions, scalars or vectors of lanes.

Each operation is written as `rng` does it, so that every compiled loop has the same bits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llvmlite import ir

from neostriatum.rng import COS_SERIES, EXP_SERIES, LOG_SERIES, SIN_SERIES

if TYPE_CHECKING:
    from collections.abc import Sequence

I32, I64, F32, F64 = ir.IntType(32), ir.IntType(64), ir.FloatType(), ir.DoubleType()
#: 1.5 times 2^52 and 2^23, plus the bias of an exponent: see `rng.logistic2`.
ROUND, ROUND_SINGLE = 6755399441055744.0 + 1023.0, 12582912.0 + 127.0
LOW = 0xFFFFFFFF


def number(value: int) -> Any:
    """Return a 64-bit constant."""
    return ir.Constant(I64, int(value))


class Arithmetic:
    """Emits at a builder in one precision, vectors of ``wide`` lanes."""

    def __init__(self, builder: Any, single: bool = False, wide: int = 1) -> None:
        self.builder, self.single, self.wide = builder, single, wide
        self.real = F32 if single else F64
        self.bits = I32 if single else I64

    def vector(self, kind: Any) -> Any:
        """Return the type of ``wide`` numbers of a type."""
        return ir.VectorType(kind, self.wide) if self.wide > 1 else kind

    def constant(self, kind: Any, value: Any, like: Any = None) -> Any:
        """Return a constant, a vector where ``like`` is one."""
        if like is not None and isinstance(like.type, ir.VectorType):
            return ir.Constant(ir.VectorType(kind, like.type.count), [value] * like.type.count)
        return ir.Constant(kind, value)

    def splat(self, value: Any) -> Any:
        """Return a scalar in every lane, a vector as it is."""
        if self.wide == 1 or isinstance(value.type, ir.VectorType):
            return value
        if isinstance(value, ir.Constant):
            return ir.Constant(self.vector(value.type), [value.constant] * self.wide)
        builder, kind = self.builder, self.vector(value.type)
        empty = ir.Constant(kind, ir.Undefined)
        first = builder.insert_element(empty, value, ir.Constant(I32, 0))
        order = ir.Constant(ir.VectorType(I32, self.wide), [0] * self.wide)
        return builder.shuffle_vector(first, empty, order)

    def _intrinsic(self, name: str, x: Any) -> Any:
        bits = 32 if self.single else 64
        count = f"v{x.type.count}" if isinstance(x.type, ir.VectorType) else ""
        full = f"llvm.{name}.{count}f{bits}"
        module = self.builder.module
        function = module.globals.get(full) or ir.Function(
            module, ir.FunctionType(x.type, [x.type]), full)
        return self.builder.call(function, [x])

    def _real(self, value: float, like: Any) -> Any:
        return self.constant(self.real, float(value), like)

    def _series(self, coefficients: Sequence[float], x: Any) -> Any:
        total = self._real(coefficients[0], x)
        for coefficient in coefficients[1:]:
            total = self.builder.fadd(self.builder.fmul(total, x), self._real(coefficient, x))
        return total

    def _cast(self, x: Any, kind: Any) -> Any:
        vector = isinstance(x.type, ir.VectorType)
        return self.builder.bitcast(x, ir.VectorType(kind, x.type.count) if vector else kind)

    def low_power(self, x: Any) -> Any:
        """Move the lowest bits of numbers to their exponents."""
        bits = self._cast(x, self.bits)
        shift = self.constant(self.bits, 23 if self.single else 52, x)
        return self._cast(self.builder.shl(bits, shift), self.real)

    def exp(self, x: Any) -> Any:
        """Return e^x as `rng.exp` does; in single precision with a shorter series."""
        builder, single = self.builder, self.single
        limit, high, low = ((87.0, 0.693359375, -2.12194440e-4) if single else
                            (700.0, 0.6931471803691238, 1.9082149292705877e-10))
        for sign, bound in (("<", -limit), (">", limit)):
            edge = self._real(bound, x)
            x = builder.select(builder.fcmp_ordered(sign, x, edge), edge, x)
        scaled = builder.fmul(x, self._real(1.4426950408889634, x))
        whole = self._intrinsic("floor", builder.fadd(scaled, self._real(0.5, x)))
        rest = builder.fsub(x, builder.fmul(whole, self._real(high, x)))
        rest = builder.fsub(rest, builder.fmul(whole, self._real(low, x)))
        series = self._series(EXP_SERIES[-8:] if single else EXP_SERIES, rest)
        power = builder.fadd(whole, self._real(ROUND_SINGLE if single else ROUND, x))
        return builder.fmul(series, self.low_power(power))

    def log(self, x: Any) -> Any:
        """Return the logarithm of positive normal numbers as `rng.log` does."""
        builder, single = self.builder, self.single
        width, bias, one = (23, 127, 0x3F800000) if single else (52, 1023, 0x3FF0000000000000)
        bits = self._cast(x, self.bits)
        exponent = builder.sub(builder.lshr(bits, self.constant(self.bits, width, x)),
                               self.constant(self.bits, bias, x))
        fraction = builder.and_(bits, self.constant(self.bits, 2**width - 1, x))
        mantissa = self._cast(builder.or_(fraction, self.constant(self.bits, one, x)), self.real)
        large = builder.fcmp_ordered(">", mantissa, self._real(1.4142135623730951, x))
        mantissa = builder.select(large, builder.fmul(mantissa, self._real(0.5, x)), mantissa)
        scale = builder.fadd(builder.sitofp(exponent, x.type),
                             builder.select(large, self._real(1.0, x), self._real(0.0, x)))
        ratio = builder.fdiv(builder.fsub(mantissa, self._real(1.0, x)),
                             builder.fadd(mantissa, self._real(1.0, x)))
        series = self._series(LOG_SERIES[-5:] if single else LOG_SERIES,
                              builder.fmul(ratio, ratio))
        return builder.fadd(builder.fmul(scale, self._real(0.6931471805599453, x)),
                            builder.fmul(ratio, series))

    def normal_pair(self, first: Any, second: Any) -> tuple[Any, Any]:
        """Return two standard normals from two 32-bit words as `rng.normal_pair` does."""
        builder, scale = self.builder, self._real(2.0**-32, first)
        high, turn = (builder.uitofp(word, self.vector(F64)) for word in (first, second))
        high = builder.fmul(builder.fadd(high, self._real(0.5, high)), scale)
        radius = self._intrinsic("sqrt", builder.fmul(self._real(-2.0, high), self.log(high)))
        turn = builder.fmul(turn, scale)
        quarter = builder.fadd(builder.fmul(self._real(4.0, turn), turn), self._real(0.5, turn))
        quarter = self._intrinsic("floor", quarter)
        away = builder.fsub(turn, builder.fmul(quarter, self._real(0.25, turn)))
        angle = builder.fmul(away, self._real(6.283185307179586, turn))
        square = builder.fmul(angle, angle)
        sin = builder.fmul(angle, self._series(SIN_SERIES, square))
        cos = self._series(COS_SERIES, square)
        q = builder.and_(builder.fptosi(quarter, self.vector(I64)), self.constant(I64, 3, turn))
        odd = builder.trunc(q, self.vector(ir.IntType(1)))
        x, y = builder.select(odd, sin, cos), builder.select(odd, cos, sin)
        one, two = (self.constant(I64, value, turn) for value in (1, 2))
        # Quarters 1 and 2.
        left = builder.icmp_unsigned("<", builder.sub(q, one), two)
        x = builder.select(left, builder.fneg(x), x)
        y = builder.select(builder.icmp_unsigned(">=", q, two), builder.fneg(y), y)
        return builder.fmul(radius, x), builder.fmul(radius, y)

    def philox(self, keys: Sequence[Any], counter: Sequence[Any]) -> list[Any]:
        """Return the four words of ten rounds, as `rng.philox` does.

        All are 64-bit numbers, of which the lower half counts: each is then one lane of a vector,
        and none has to be widened for the products of the next round.
        """
        builder = self.builder
        c0, c1, c2, c3 = (self.splat(word) for word in counter)
        mask, half = self.splat(number(LOW)), self.splat(number(32))
        c0, c1, c2, c3 = (builder.and_(word, mask) for word in (c0, c1, c2, c3))
        key0, key1 = (builder.and_(key, number(LOW)) for key in keys)
        for _ in range(10):
            p0 = builder.mul(self.splat(number(0xD2511F53)), c0)
            p1 = builder.mul(self.splat(number(0xCD9E8D57)), c2)
            c0 = builder.xor(builder.xor(builder.lshr(p1, half), c1), self.splat(key0))
            c2 = builder.xor(builder.xor(builder.lshr(p0, half), c3), self.splat(key1))
            c1, c3 = builder.and_(p1, mask), builder.and_(p0, mask)
            key0 = builder.and_(builder.add(key0, number(0x9E3779B9)), number(LOW))
            key1 = builder.and_(builder.add(key1, number(0xBB67AE85)), number(LOW))
        return [c0, c1, c2, c3]

    def bits53(self, first: Any, second: Any) -> Any:
        """Return the whole numbers that `rng.uniform53` divides by 2^53."""
        builder = self.builder
        high = builder.shl(builder.lshr(first, self.splat(number(5))), self.splat(number(26)))
        return builder.or_(high, builder.lshr(second, self.splat(number(6))))
