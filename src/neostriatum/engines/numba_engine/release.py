"""What a spike releases: a function per release model, emitted from its trees."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from neostriatum.arithmetic import F64, I64, number
from neostriatum.engines.numba_engine.build import address_of
from neostriatum.engines.numba_engine.emit import POINTER, Emitter

if TYPE_CHECKING:
    from neostriatum.engines.plasticity import Plasticity
    from neostriatum.models.release import ReleaseModel


@lru_cache(maxsize=256)
def release_address(model: ReleaseModel) -> int:
    """Return the address of ``release(states, numbers, interval)`` of a model.

    It changes the states of a source and returns what it releases; see `numbers`.
    """
    module = release_module(model)
    return address_of(str(module), lambda: module)


def numbers(plasticity: Plasticity) -> list[float]:
    """Return the numbers of a projection's release: time constants in steps, parameters."""
    model = plasticity.model
    return [*(plasticity.steps[name] for name in model.names),
            *(plasticity.values[parameter.name] for parameter in model.parameters)]


def release_module(model: ReleaseModel) -> ir.Module:
    """Return a module with that function, named ``kernel``."""
    module = ir.Module("release")
    function = ir.Function(module, ir.FunctionType(F64, [I64, I64, F64]), "kernel")
    builder = ir.IRBuilder(function.append_basic_block())
    emitter = Emitter(builder, single=False, wide=1)
    states, values = (builder.inttoptr(at, POINTER) for at in function.args[:2])
    interval, known = function.args[2], dict[str, Any]()
    one, none = ir.Constant(F64, 1.0), ir.Constant(F64, 0.0)
    for place, state in enumerate(model.states):
        tau = emitter.load(values, number(place), F64)
        fall = emitter.exp(builder.fdiv(builder.fneg(interval), tau))
        fall = builder.select(builder.fcmp_ordered(">", tau, none), fall, none)
        before = emitter.load(states, number(place), F64)
        known[state.name] = (
            builder.fmul(before, fall) if model.rests[state] == 0 else
            builder.fsub(one, builder.fmul(builder.fsub(one, before), fall)))
    released = _released(emitter, model, values, known)
    for place, state in enumerate(model.states):
        emitter.store(known[state.name], states, number(place), F64)
    builder.ret(released)
    return module


def mean_release_address(model: ReleaseModel) -> int:
    """Return the address of ``release(states, numbers, spikes)``, what a spike releases on average.

    ``numbers`` are what a block leaves of every state, and parameters. The states follow the mean
    number of spikes in a block, as `Plasticity.follow` does.
    """
    module = mean_release_module(model)
    return address_of(str(module), lambda: module)


def mean_release_module(model: ReleaseModel) -> ir.Module:
    """Return a module with that function, named ``kernel``."""
    module = ir.Module("mean_release")
    function = ir.Function(module, ir.FunctionType(F64, [I64, I64, F64]), "kernel")
    builder = ir.IRBuilder(function.append_basic_block())
    emitter = Emitter(builder, single=False, wide=1)
    states, values = (builder.inttoptr(at, POINTER) for at in function.args[:2])
    spikes, known, met = function.args[2], dict[str, Any](), dict[str, Any]()
    one = ir.Constant(F64, 1.0)
    for place, state in enumerate(model.states):
        fall = emitter.load(values, number(place), F64)
        before = emitter.load(states, number(place), F64)
        met[state.name] = known[state.name] = (
            builder.fmul(before, fall) if model.rests[state] == 0 else
            builder.fsub(one, builder.fmul(builder.fsub(one, before), fall)))
    released = _released(emitter, model, values, known)
    for place, state in enumerate(model.states):
        moved = builder.fmul(spikes, builder.fsub(known[state.name], met[state.name]))
        emitter.store(builder.fadd(met[state.name], moved), states, number(place), F64)
    builder.ret(released)
    return module


@intrinsic
def call_release(typingctx, function, states, values, interval):
    """Call the function of `release_address` at its address."""

    def codegen(context, builder, signature, args):
        word = ir.IntType(64)
        kind = ir.FunctionType(ir.DoubleType(), [word, word, ir.DoubleType()])
        return builder.call(builder.inttoptr(args[0], kind.as_pointer()), args[1:])

    return types.float64(types.int64, types.int64, types.int64, types.float64), codegen


def _released(emitter: Emitter, model: ReleaseModel, values: Any, known: dict[str, Any]) -> Any:
    """Emit what a spike does to the states in ``known``; return what it releases."""
    for place, parameter in enumerate(model.parameters):
        known[parameter.name] = emitter.load(values, number(len(model.states) + place), F64)
    for state, tree in model.jumps.items():
        known[state.name] = emitter.tree(tree, known.__getitem__, {})
    released = emitter.tree(model.released, known.__getitem__, {})
    for state, tree in model.after.items():
        known[state.name] = emitter.tree(tree, known.__getitem__, {})
    return released
