"""Compile functions with Numba, for this processor, and keep the result on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import llvmlite.binding as llvm
from numba import config, njit
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import LoweringPass, register_pass
from numba.core.typed_passes import NativeLowering

from neostriatum.code_cache import CodeCache
from neostriatum.environment import check_environment

if TYPE_CHECKING:
    from collections.abc import Callable


def _prefer_wide_vectors() -> None:
    """Let LLVM use 512-bit vectors where the processor has them.

    It prefers 256 bits on most such processors, which is slower for these loops. Results do not
    depend on it: no loop adds across lanes.
    """
    features = llvm.get_host_cpu_features()
    if not config.CPU_FEATURES and features.get("avx512f"):
        config.CPU_FEATURES = f"{features.flatten()},-prefer-256-bit"


def _shape_loops() -> None:
    """Let a round of every vector loop do two vectors, instruction by instruction, and no more.

    The longest chains of operations then wait for each other less than one vector after the other
    would. LLVM would go on to unroll the rounds, whose constants then do not fit the registers and
    are read again and again. Results do not depend on it.
    """
    for option in ("-force-vector-interleave=2", "-unroll-allow-partial=false"):
        llvm.set_option("neostriatum", option)


check_environment()
_prefer_wide_vectors()
_shape_loops()


@register_pass(mutates_CFG=False, analysis_only=False)
class _LeftToCallers(LoweringPass):
    """Leave the instructions of a function as they are until a caller's are made faster.

    Numba makes those of every function faster together with those of all that it calls, so those
    at the bottom of five others six times.
    """

    _name = "left_to_callers"

    def __init__(self) -> None:
        LoweringPass.__init__(self)

    def run_pass(self, state: Any) -> bool:
        library = state.targetctx.codegen().create_library(state.func_id.func_qualname)
        library._optimize_final_module = lambda: None
        state.library = library
        return True


class _Inner(CompilerBase):
    """Compile what only compiled code calls."""

    def define_pipelines(self) -> list[Any]:
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
        names = [each[0] for each in passes.passes]
        passes.passes.insert(names.index(NativeLowering), (_LeftToCallers, "left to callers"))
        passes.finalize()
        return [passes]


def inner(function: Any) -> Any:
    """Compile a function that only compiled code calls.

    It has no door to Python, whose making takes most of the time where arguments are tuples of
    arrays, and no file of its own in the cache: it lies in those of its callers. It makes no arrays
    and does not count who holds one (`_nrt`, which Numba does not document), which took a sixth of
    the time.
    """
    return njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True,
                _nrt=False, pipeline_class=_Inner)(function)


def woven(function: Any) -> Any:
    """Compile a function like `inner` and weave it into its callers.

    For what runs once per tile, step or spike: a call hands over every array as seven numbers, some
    hundred in all, and that takes as long as a short loop.
    """
    return njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True,
                _nrt=False, forceinline=True, pipeline_class=_Inner)(function)


def compiled(**options: Any) -> Callable[[Any], Any]:
    """Return a decorator that compiles a function that Python calls, and keeps its code on disk.

    The function lets the interpreter go, so that threads can run it at once.
    """

    def decorate(function: Any) -> Any:
        dispatcher = njit(error_model="numpy", nogil=True, **options)(function)
        dispatcher._cache = CodeCache(function)
        return dispatcher

    return decorate
