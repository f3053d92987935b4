"""Variables of the environment that would stop every command; light to import."""

from __future__ import annotations

import os

from neostriatum.errors import CircuitError, shown


def check_environment() -> None:
    """Refuse settings of Numba with which nothing can be compiled.

    Raises
    ------
    CircuitError
        The environment variable.
    """
    threads, off = os.environ.get("NUMBA_NUM_THREADS"), os.environ.get("NUMBA_DISABLE_JIT", "0")
    if threads is not None and not (threads.isdecimal() and int(threads) > 0):
        msg = f"NUMBA_NUM_THREADS: must be a whole number >= 1 (got {shown(threads)}). Unset it"
        raise CircuitError(msg)
    if off not in ("", "0"):
        msg = f"NUMBA_DISABLE_JIT: must be 0, since the loops must be compiled (got {shown(off)})"
        raise CircuitError(msg)
