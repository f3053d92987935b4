"""Expressions and loops as LLVM instructions: vectors of lanes, each operation as it is written.

Vectors need no promise about which rows overlap or where they begin, and LLVM splits them for
whatever the processor has. A scalar stays one until it meets a vector.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from llvmlite import ir

from neostriatum.models.expression import Number, Operation
from neostriatum.models.symbol import Symbol
from neostriatum.rng import (
    EVEN_SERIES,
    EVEN_SINGLE,
    EXP_SERIES,
    LOG_SERIES,
    ODD_SERIES,
    ODD_SINGLE,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from neostriatum.models.expression import Expression

I1, I16, I32, I64 = (ir.IntType(bits) for bits in (1, 16, 32, 64))
F32, F64, POINTER = ir.FloatType(), ir.DoubleType(), ir.PointerType()
_BYTES = {I16: 2, I32: 4, I64: 8, F32: 4, F64: 8}
_ARITHMETIC = {"+": "fadd", "-": "fsub", "*": "fmul", "/": "fdiv"}
#: 1.5 times 2^52 and 2^23, plus the bias of an exponent: see `rng.logistic2`.
_ROUND, _ROUND_SINGLE = 6755399441055744.0 + 1023.0, 12582912.0 + 127.0


def number(value: int) -> Any:
    """Return a 64-bit constant."""
    return ir.Constant(I64, int(value))


class Emitter:
    """Emits at a builder in one precision, vectors of ``wide`` lanes."""

    def __init__(self, builder: Any, single: bool, wide: int) -> None:
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

    def alike(self, *values: Any) -> tuple[Any, ...]:
        """Return values all as vectors if one is a vector."""
        if any(isinstance(value.type, ir.VectorType) for value in values):
            return tuple(self.splat(value) for value in values)
        return values

    def load(self, base: Any, at: Any, kind: Any) -> Any:
        """Return ``wide`` numbers from ``base[at]`` on."""
        place = self.builder.gep(base, [at], source_etype=kind)
        return self.builder.load(place, typ=self.vector(kind), align=_BYTES[kind])

    def store(self, value: Any, base: Any, at: Any, kind: Any) -> None:
        """Put numbers at ``base[at]`` and behind."""
        place = self.builder.gep(base, [at], source_etype=kind)
        self.builder.store(self.splat(value), place, align=_BYTES[kind])

    @contextmanager
    def loop(self, stop: Any, step: int = 1) -> Iterator[Any]:
        """Go from 0 to ``stop``, above 0; yields the index."""
        builder = self.builder
        before = builder.block
        body, after = builder.append_basic_block("loop"), builder.append_basic_block("after")
        builder.cbranch(builder.icmp_signed("<", number(0), stop), body, after)
        builder.position_at_end(body)
        at = builder.phi(I64)
        at.add_incoming(number(0), before)
        yield at
        following = builder.add(at, number(step), flags=("nuw", "nsw"))
        at.add_incoming(following, builder.block)
        builder.cbranch(builder.icmp_signed("<", following, stop), body, after)
        builder.position_at_end(after)

    def calculate(self, sign: str, x: Any, y: Any) -> Any:
        """Return a sum, difference, product or quotient."""
        x, y = self.alike(x, y)
        return getattr(self.builder, _ARITHMETIC[sign])(x, y)

    def tree(self, tree: Expression, value: Callable[[str], Any], memo: dict[int, Any]) -> Any:
        """Return the value of a tree; ``value`` gives those of names, ``memo`` of subtrees."""
        if id(tree) not in memo:
            memo[id(tree)] = self._tree(tree, value, memo)
        return memo[id(tree)]

    def _tree(self, tree: Expression, value: Callable[[str], Any], memo: dict[int, Any]) -> Any:
        if isinstance(tree, Symbol):
            return value(tree.name)
        if isinstance(tree, Number):
            return ir.Constant(self.real, tree.value)
        if not isinstance(tree, Operation):
            raise TypeError(type(tree).__name__)
        parts = [self.tree(part, value, memo) for part in tree.arguments]
        builder, name = self.builder, tree.name
        if name in _ARITHMETIC:
            return self.calculate(name, *parts)
        if name in ("<", "<=", ">", ">="):
            return builder.fcmp_ordered(name, *self.alike(*parts))
        if name in ("&", "|"):
            return (builder.and_ if name == "&" else builder.or_)(*self.alike(*parts))
        if name == "where":
            return self.where(*parts)
        if name == "neg":
            return builder.fneg(parts[0])
        if name == "abs":
            return self._intrinsic("fabs", parts[0])
        return {"exp": self.exp, "log": self.log, "logistic2": self.logistic2}[name](*parts)

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        """Return ``x`` where a condition holds, else ``y``."""
        if isinstance(condition.type, ir.VectorType):
            x, y = self.splat(x), self.splat(y)
        return self.builder.select(condition, *self.alike(x, y))

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
        power = builder.fadd(whole, self._real(_ROUND_SINGLE if single else _ROUND, x))
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

    def logistic2(self, m: Any, y: Any) -> Any:
        """Return 1 / (1 + m 2^y) as `rng.logistic2` does."""
        builder = self.builder
        m, y = self.alike(m, y)
        even, odd, base = ((EVEN_SINGLE, ODD_SINGLE, _ROUND_SINGLE) if self.single else
                           (EVEN_SERIES, ODD_SERIES, _ROUND))
        base = self._real(base, y)
        shifted = builder.fadd(y, base)
        rest = builder.fsub(y, builder.fsub(shifted, base))
        square = builder.fmul(rest, rest)
        a, b = self._series(even, square), builder.fmul(self._series(odd, square), rest)
        fall = builder.fsub(a, b)
        power = builder.fmul(m, self.low_power(shifted))
        return builder.fdiv(fall, builder.fadd(fall, builder.fmul(builder.fadd(a, b), power)))
