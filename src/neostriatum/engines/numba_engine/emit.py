"""Expressions and loops as LLVM instructions: vectors of lanes, each operation as it is written.

Vectors need no promise about which rows overlap or where they begin, and LLVM splits them for
whatever the processor has. A scalar stays one until it meets a vector.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from llvmlite import ir

from neostriatum.arithmetic import F32, F64, I32, I64, ROUND, ROUND_SINGLE, Arithmetic, number
from neostriatum.models.expression import Number, Operation
from neostriatum.models.symbol import Symbol
from neostriatum.rng import EVEN_SERIES, EVEN_SINGLE, ODD_SERIES, ODD_SINGLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from neostriatum.models.expression import Expression

I1, I16, POINTER = ir.IntType(1), ir.IntType(16), ir.PointerType()
_BYTES = {I16: 2, I32: 4, I64: 8, F32: 4, F64: 8}
#: Bytes of a line of the cache.
LINE = 64
_ARITHMETIC = {"+": "fadd", "-": "fsub", "*": "fmul", "/": "fdiv"}


class Emitter(Arithmetic):
    """Emits trees and loops."""

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

    def prefetch(self, base: Any, at: Any, kind: Any) -> None:
        """Ask for ``wide`` numbers from ``base[at]`` on, to be read and written soon."""
        builder, settings = self.builder, (1, 3, 1)  # to write, to keep, data
        ask = builder.module.declare_intrinsic(
            "llvm.prefetch", (POINTER,), ir.FunctionType(ir.VoidType(), [POINTER, I32, I32, I32]))
        for line in range(0, self.wide, LINE // _BYTES[kind]):
            place = builder.gep(base, [builder.add(at, number(line))], source_etype=kind)
            builder.call(ask, [place, *(ir.Constant(I32, each) for each in settings)])

    @contextmanager
    def loop(self, stop: Any, step: Any = 1) -> Iterator[Any]:
        """Go from 0 to ``stop``, above 0; yields the index."""
        builder = self.builder
        before = builder.block
        body, after = builder.append_basic_block("loop"), builder.append_basic_block("after")
        builder.cbranch(builder.icmp_signed("<", number(0), stop), body, after)
        builder.position_at_end(body)
        at = builder.phi(I64)
        at.add_incoming(number(0), before)
        yield at
        step = number(step) if isinstance(step, int) else step
        following = builder.add(at, step, flags=("nuw", "nsw"))
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
        functions: dict[str, Callable[..., Any]] = {
            "exp": self.exp, "log": self.log, "logistic2": self.logistic2}
        return functions[name](*parts)

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        """Return ``x`` where a condition holds, else ``y``."""
        if isinstance(condition.type, ir.VectorType):
            x, y = self.splat(x), self.splat(y)
        return self.builder.select(condition, *self.alike(x, y))

    def logistic2(self, m: Any, y: Any) -> Any:
        """Return 1 / (1 + m 2^y) as `rng.logistic2` does."""
        builder = self.builder
        m, y = self.alike(m, y)
        even, odd, base = ((EVEN_SINGLE, ODD_SINGLE, ROUND_SINGLE) if self.single else
                           (EVEN_SERIES, ODD_SERIES, ROUND))
        base = self._real(base, y)
        shifted = builder.fadd(y, base)
        rest = builder.fsub(y, builder.fsub(shifted, base))
        square = builder.fmul(rest, rest)
        a, b = self._series(even, square), builder.fmul(self._series(odd, square), rest)
        fall = builder.fsub(a, b)
        power = builder.fmul(m, self.low_power(shifted))
        return builder.fdiv(fall, builder.fadd(fall, builder.fmul(builder.fadd(a, b), power)))
