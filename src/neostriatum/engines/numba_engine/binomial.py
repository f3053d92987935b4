"""Binomial counts of events, 32 cells at a time: the draws of `engines.drive`, to the bit.

Most counts are 0, so the uniform numbers are made and compared in vectors, and the table is
searched for the few cells that have events.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from neostriatum.arithmetic import F32, F64, I64, LOW, number
from neostriatum.engines.numba_engine.build import address_of
from neostriatum.engines.numba_engine.emit import I1, POINTER, Emitter
from neostriatum.engines.numba_engine.pack import COLUMN

WIDE = 32
_COUNT_DRAW = 0x80000000


def binomial_address() -> int:
    """Return the address of ``count(counts, table, key0, key1, local, lanes, step, steps)``.

    It adds to ``counts``, a row of `COLUMN` numbers per step, the events of ``lanes`` cells (a
    multiple of `WIDE`) from the local id on; all arguments are 64-bit numbers, the first two
    addresses.
    """
    module = binomial_module()
    return address_of(str(module), lambda: module)


def binomial_module() -> ir.Module:
    """Return a module with that function, named ``kernel``."""
    module = ir.Module("binomial")
    function = ir.Function(module, ir.FunctionType(I64, [I64] * 8), "kernel")
    builder = ir.IRBuilder(function.append_basic_block())
    counts, table, *numbers = function.args
    counts, table = (builder.inttoptr(at, POINTER) for at in (counts, table))
    _Counts(builder).emit(counts, table, *numbers)
    builder.ret(number(0))
    return module


class _Counts(Emitter):
    """Emits the loops; words are 64-bit numbers below 2^32."""

    def __init__(self, builder: ir.IRBuilder) -> None:
        super().__init__(builder, single=False, wide=WIDE)
        place = builder.ptrtoint(builder.alloca(I64, size=WIDE), I64)
        self._draws = builder.inttoptr(place, POINTER)

    def emit(self, counts: Any, table: Any, key0: Any, key1: Any, local: Any, lanes: Any,
             step0: Any, steps: Any) -> None:
        """Emit a loop over steps and cells."""
        builder = self.builder
        # Numbers of 53 bits are compared as they are: no draw below this one has an event.
        none = builder.fmul(builder.load(table, typ=F64, align=8), ir.Constant(F64, 2.0**53))
        ceil = builder.module.declare_intrinsic("llvm.ceil", [F64])
        none = self.splat(builder.fptosi(builder.call(ceil, [none]), I64))
        order = ir.Constant(ir.VectorType(I64, WIDE), list(range(WIDE)))
        with self.loop(steps) as k:
            step = builder.add(step0, k)
            low = self.splat(builder.and_(step, number(LOW)))
            high = self.splat(builder.lshr(step, number(32)))
            with self.loop(lanes, WIDE) as lane:
                cells = builder.add(self.splat(builder.add(local, lane)), order)
                draw = self.splat(number(_COUNT_DRAW))
                first, second, *_ = self.philox((key0, key1), (draw, cells, low, high))
                drawn = self.bits53(first, second)
                hit = builder.bitcast(builder.icmp_signed(">=", drawn, none), ir.IntType(WIDE))
                row = builder.add(builder.mul(k, number(COLUMN)), lane)
                with builder.if_then(builder.icmp_unsigned("!=", hit,
                                                           ir.Constant(hit.type, 0))):
                    self.store(drawn, self._draws, number(0), I64)
                    self._search(hit, counts, table, row)

    def _search(self, hit: Any, counts: Any, table: Any, row: Any) -> None:
        """Emit the search for the count of every cell with a bit in ``hit``."""
        builder, one = self.builder, Emitter(self.builder, single=False, wide=1)
        before = builder.block
        head, body, after = (builder.append_basic_block(name) for name in ("hits", "hit", "all"))
        builder.branch(head)
        builder.position_at_end(head)
        left = builder.phi(hit.type)
        left.add_incoming(hit, before)
        none = ir.Constant(left.type, 0)
        builder.cbranch(builder.icmp_unsigned("!=", left, none), body, after)
        builder.position_at_end(body)
        lane = builder.zext(builder.cttz(left, ir.Constant(I1, 1)), I64)
        drawn = builder.uitofp(one.load(self._draws, lane, I64), F64)
        uniform = builder.fmul(drawn, ir.Constant(F64, 2.0**-53))
        look, done = builder.append_basic_block("look"), builder.append_basic_block("counted")
        builder.branch(look)
        builder.position_at_end(look)
        count = builder.phi(I64)
        count.add_incoming(number(1), body)
        more = builder.fcmp_ordered("<=", one.load(table, count, F64), uniform)
        count.add_incoming(builder.add(count, number(1)), look)
        builder.cbranch(more, look, done)
        builder.position_at_end(done)
        at = builder.add(row, lane)
        events = builder.fadd(one.load(counts, at, F32), builder.uitofp(count, F32))
        one.store(events, counts, at, F32)
        rest = builder.and_(left, builder.sub(left, ir.Constant(left.type, 1)))
        left.add_incoming(rest, builder.block)
        builder.branch(head)
        builder.position_at_end(after)
