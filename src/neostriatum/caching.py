"""Compile functions with Numba, for this processor, and keep the result on disk."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import llvmlite.binding as llvm
from numba import config, njit

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


def _wait_gently() -> None:
    """Let idle threads sleep soon instead of spinning.

    They meet after each parallel loop. Where another process wants the processor, a thread that
    spins takes it from the very one that it waits for: on a busy machine that was thirty
    times slower while the fast engine had a loop for every window.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")


def _fingerprint() -> str:
    """Return a hash of every source that compiled code can be made from."""
    here = Path(__file__).parent
    paths = [here / "rng.py", here / "jit.py", Path(__file__)]
    for folder in (here / "network", here / "engines" / "numba_engine", here / "analysis"):
        paths += sorted(folder.glob("*.py"))
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()


_prefer_wide_vectors()
_shape_loops()
_wait_gently()
_FINGERPRINT = _fingerprint()


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
    """Return a decorator like njit(cache=True) whose cache notices every change of our sources.

    Numba's own looks at the file of the function alone, not at what was inlined into it.
    """

    def decorate(function: Any) -> Any:
        made = njit(cache=True, error_model="numpy", **options)(function)
        file = made._cache._cache_file
        file._source_stamp = _FINGERPRINT
        # Read before the rest, which may name classes that only another version of ours has.
        file._version = f"{file._version} {_FINGERPRINT}"
        return made

    return decorate
