"""Threads that meet at a counter, which is faster than to begin a parallel loop each time."""

from __future__ import annotations

import platform
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from neostriatum.caching import inner
from neostriatum.machine import cores

if TYPE_CHECKING:
    from collections.abc import Callable

#: Looks at the counter before a thread goes to sleep, where each has a processor and where not,
#: and a count that says that nobody comes.
_PATIENT, _HASTY, _NOBODY = 5000, 10, 2**62


def _place(context, builder, signature, args):
    made = context.make_array(signature.args[0])(context, builder, args[0])
    return builder.gep(made.data, [args[1]])


@intrinsic
def _read(typingctx, array, index):
    """Return ``array[index]``; what its writer wrote before is then seen too."""

    def codegen(context, builder, signature, args):
        return builder.load_atomic(_place(context, builder, signature, args), "acquire", 8)

    return types.int64(array, types.intp), codegen


@intrinsic
def _count(typingctx, array, index):
    """Add 1 to ``array[index]``."""

    def codegen(context, builder, signature, args):
        one = ir.Constant(ir.IntType(64), 1)
        builder.atomic_rmw("add", _place(context, builder, signature, args), one, "seq_cst")
        return context.get_dummy_value()

    return types.void(array, types.intp), codegen


@intrinsic
def _pause(typingctx):
    """Let the other thread of this core have its turn."""

    def codegen(context, builder, signature, args):
        machine, number = platform.machine(), ir.IntType(32)
        if machine in ("x86_64", "AMD64"):
            kind = ir.FunctionType(ir.VoidType(), [])
            pause = cgutils.get_or_insert_function(builder.module, kind, "llvm.x86.sse2.pause")
            builder.call(pause, [])
        elif machine in ("aarch64", "arm64"):
            kind = ir.FunctionType(ir.VoidType(), [number])
            hint = cgutils.get_or_insert_function(builder.module, kind, "llvm.aarch64.hint")
            builder.call(hint, [number(1)])
        return context.get_dummy_value()

    return types.void(), codegen


@intrinsic
def _sleep(typingctx):
    """Sleep for the shortest while: who wakes then gets a processor before who never slept."""

    def codegen(context, builder, signature, args):
        number = ir.IntType(32)
        kind = ir.FunctionType(number, [number])
        builder.call(cgutils.get_or_insert_function(builder.module, kind, "usleep"), [number(1)])
        return context.get_dummy_value()

    return types.void(), codegen


@inner
def meet(meeting, parts, times):
    """Wait until all parts got here, ``times`` from 1 on; return whether all still come.

    Numbers of ``meeting``: the counter, and looks at it before a thread goes to sleep.
    """
    everyone, most = parts * times, meeting[1]
    _count(meeting, 0)
    looks = 0
    while _read(meeting, 0) < everyone:
        looks += 1
        _pause()
        if looks >= most:
            _sleep()
    return _read(meeting, 0) < _NOBODY


class Crew:
    """Threads that do the parts of a job at once, the caller's thread the first.

    Whoever waits for a part that has not begun waits for ever where one thread does several, as in
    a parallel loop; here every part has its thread.

    Parameters
    ----------
    parts : int
        How many there are.
    """

    def __init__(self, parts: int) -> None:
        self.parts = parts
        self._threads: list[threading.Thread] = []
        # Queues in C: an interrupt leaves no lock of theirs taken, as it may one of `concurrent`.
        self._calls: list[SimpleQueue[Any]] = [SimpleQueue() for _ in range(1, parts)]

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        for calls in self._calls:
            calls.put(None)
        for thread in self._threads:
            thread.join()

    def run(self, job: Callable[..., None], *args: object) -> None:
        """Call ``job(part, meeting, *args)``, which lets the interpreter go, of every part.

        What stops one of them stops all at the next meeting, and is raised.
        """
        ends: SimpleQueue[BaseException | None] = SimpleQueue()
        meeting = np.zeros(8, np.int64)
        meeting[1] = _PATIENT if self.parts <= cores() else _HASTY

        def do(part: int) -> None:
            try:
                job(part, meeting, *args)
            except BaseException as error:
                meeting[0] = _NOBODY
                ends.put(error)
            else:
                ends.put(None)

        try:
            while len(self._threads) < len(self._calls):
                calls = self._calls[len(self._threads)]
                thread = threading.Thread(target=_serve, args=(calls,), daemon=True)
                thread.start()
                self._threads.append(thread)
            for part, calls in enumerate(self._calls, 1):
                calls.put((do, part))
            job(0, meeting, *args)
        except BaseException:
            meeting[0] = _NOBODY
            raise
        errors = [ends.get() for _ in self._calls]
        for error in errors:
            if error is not None:
                raise error


def _serve(calls: SimpleQueue[Any]) -> None:
    """Do what is called for until there is no more."""
    while (call := calls.get()) is not None:
        do, part = call
        do(part)
