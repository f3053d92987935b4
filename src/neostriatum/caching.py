"""Compile functions with Numba, for this processor, and keep the result on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import llvmlite.binding as llvm
from numba import config, njit

from neostriatum.code_cache import CodeCache
from neostriatum.threads import check_environment

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


def inner(function: Any) -> Any:
    """Compile a function that only compiled code calls.

    It has no door to Python, whose making takes most of the time where arguments are tuples of
    arrays, and no file of its own in the cache: it lies in those of its callers. It makes no arrays
    and does not count who holds one (`_nrt`, which Numba does not document), which took a sixth of
    the time.
    """
    return njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True,
                _nrt=False)(function)


def woven(function: Any) -> Any:
    """Compile a function like `inner` and weave it into its callers.

    For what runs once per tile, step or spike: a call hands over every array as seven numbers, some
    hundred in all, and that takes as long as a short loop.
    """
    return njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True,
                _nrt=False, forceinline=True)(function)


def compiled(**options: Any) -> Callable[[Any], Any]:
    """Return a decorator that compiles a function that Python calls, and keeps its code on disk.

    The function lets the interpreter go, so that threads can run it at once.
    """

    def decorate(function: Any) -> Any:
        dispatcher = njit(error_model="numpy", nogil=True, **options)(function)
        dispatcher._cache = CodeCache(function)
        return dispatcher

    return decorate
