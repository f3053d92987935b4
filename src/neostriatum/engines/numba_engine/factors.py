"""What a level makes of eligibilities: a function per learning rule, emitted from its trees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from neostriatum.arithmetic import F64, I64, number
from neostriatum.engines.numba_engine.build import address_of
from neostriatum.engines.numba_engine.emit import POINTER, Emitter

if TYPE_CHECKING:
    from neostriatum.engines.learning import Learning
    from neostriatum.models.learning import LearningRule


def factors_address(rule: LearningRule) -> int:
    """Return the address of ``factors(numbers, out, level)`` of a rule, see `factor_numbers`."""
    module = factors_module(rule)
    return address_of(str(module), lambda: module)


def factor_numbers(learning: Learning) -> list[float]:
    """Return the numbers of a rule: the tonic level, then its parameters."""
    return [learning.tonic, *(learning.values[each.name] for each in learning.rule.parameters)]


def factors_module(rule: LearningRule) -> ir.Module:
    """Return a module with that function, named ``kernel``."""
    module = ir.Module("factors")
    function = ir.Function(module, ir.FunctionType(I64, [I64, I64, F64]), "kernel")
    builder = ir.IRBuilder(function.append_basic_block())
    emitter = Emitter(builder, single=False, wide=1)
    values, out = (builder.inttoptr(at, POINTER) for at in function.args[:2])
    known: dict[str, Any] = {"level": function.args[2],
                             "tonic": emitter.load(values, number(0), F64)}
    for place, parameter in enumerate(rule.parameters):
        known[parameter.name] = emitter.load(values, number(1 + place), F64)
    shared: dict[int, Any] = {}
    for place, tree in enumerate((rule.plus, rule.minus)):
        emitter.store(emitter.tree(tree, known.__getitem__, shared), out, number(place), F64)
    builder.ret(number(0))
    return module


@intrinsic
def call_factors(typingctx, function, numbers, out, level):
    """Call the function of `factors_address` at its address."""

    def codegen(context, builder, signature, args):
        word = ir.IntType(64)
        kind = ir.FunctionType(word, [word, word, ir.DoubleType()])
        return builder.call(builder.inttoptr(args[0], kind.as_pointer()), args[1:])

    return types.int64(types.int64, types.int64, types.int64, types.float64), codegen
