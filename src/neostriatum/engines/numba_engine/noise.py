"""The noise of the cells of a tile: the normals of `rng.normals`, to the bit.

They are emitted as vectors: a loop over single counters is not always turned into some.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types, uint64, uintp
from numba.core import cgutils
from numba.extending import intrinsic

from neostriatum.arithmetic import F32, F64, I32, I64, Arithmetic
from neostriatum.caching import inner
from neostriatum.engines.numba_engine.pack import TILE

#: Counters drawn at a time, four cells each.
COUNTERS = 16


@inner
def draw_noise(rows, count, sigma, key0, key1, first, step0):
    """Fill a row per step with sigma times standard normals, four cells per counter."""
    for k in range(count):
        for group in range(0, TILE // 4, COUNTERS):
            counter = (uint64(key0), uint64(key1), uint64(first // 4 + group),
                       uint64(step0) + uint64(k))
            put_normals(rows, uintp(k * TILE + 4 * group), sigma, counter)


@intrinsic
def put_normals(typingctx, rows, at, sigma, counter):
    """Write sigma times the normals of `COUNTERS` counters to ``rows`` (1-D) from a place on.

    ``counter`` holds both halves of the key, the first counter and the step.
    """

    def codegen(context, builder, signature, args):
        rows, at, sigma, counter = args
        key0, key1, first, step = cgutils.unpack_tuple(builder, counter, 4)
        emit = Arithmetic(builder, wide=COUNTERS)
        order = ir.Constant(emit.vector(I64), list(range(COUNTERS)))
        words = emit.philox((key0, key1), (
            ir.Constant(I64, 0), builder.add(emit.splat(first), order), step,
            builder.lshr(step, ir.Constant(I64, 32))))
        words = [builder.trunc(word, emit.vector(I32)) for word in words]
        normals = [*emit.normal_pair(*words[:2]), *emit.normal_pair(*words[2:])]
        single = signature.args[2] == types.float32
        scale = emit.splat(builder.fpext(sigma, F64) if single else sigma)
        normals = [builder.fmul(scale, normal) for normal in normals]
        if single:
            normals = [builder.fptrunc(normal, emit.vector(F32)) for normal in normals]
        cells = _by_cell(builder, normals)
        array = context.make_array(signature.args[0])(context, builder, rows)
        place = builder.bitcast(builder.gep(array.data, [at]), cells.type.as_pointer())
        builder.store(cells, place, align=4 if single else 8)
        return context.get_dummy_value()

    return types.void(rows, types.uintp, sigma, counter), codegen


def _by_cell(builder, normals):
    """Return four vectors of normals as one: cell 4 g + j has normal j of counter g."""

    def shuffled(first, second, order):
        kind = ir.VectorType(I32, len(order))
        return builder.shuffle_vector(first, second, ir.Constant(kind, order))

    first, second = (shuffled(normals[n], normals[n + 1], list(range(2 * COUNTERS)))
                     for n in (0, 2))
    return shuffled(first, second, [j * COUNTERS + g for g in range(COUNTERS) for j in range(4)])
