"""Run jobs in processes of their own, with a watchdog that ends those that hang.

A worker is started afresh by spawning, so that nothing of this process is shared with it. It
works through the jobs that it is sent; one that outlives its limit, or dies, costs its own job
and no other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Any

from neostriatum.models.registry import register_plain, registered

#: Longest time that a new process may take before its first job begins [s].
START_S = 120.0


@dataclass(frozen=True)
class Done:
    """The result of one job, or what went wrong, and how long it took [s]."""

    key: Any
    result: Any
    error: str | None
    seconds: float


@dataclass
class _Worker:
    process: Any
    pipe: Connection
    key: Any = None
    since: float = 0.0
    #: Whether it has started and imported what it needs; a job's time counts from then on.
    ready: bool = False


def run_jobs(function: Callable[..., Any], jobs: Iterable[tuple[Any, tuple[Any, ...]]],
             workers: int, limit_s: float = 600.0) -> Iterator[Done]:
    """Yield what ``function(*arguments)`` returned for each (key, arguments), as they finish.

    Parameters
    ----------
    function : callable
        Of a module, so that another process finds it.
    jobs : iterable of (key, arguments)
        The longest first.
    workers : int
        Processes at a time; 0 works in this one, without a watchdog.
    limit_s : float
        Longest time of one job [s].

    Yields
    ------
    Done
        One per job.
    """
    waiting = list(jobs)
    if workers < 1:
        for key, arguments in waiting:
            yield _inline(function, key, arguments)
        return
    staff: list[_Worker] = []
    try:
        while waiting or any(one.key is not None for one in staff):
            while waiting and len(staff) < workers:
                staff.append(_hire(function))
            for one in staff:
                if one.key is None and waiting:
                    one.key, arguments = waiting.pop(0)
                    one.since = time.monotonic()
                    one.pipe.send(arguments)
            yield from _look(staff, limit_s)
    finally:
        for one in staff:
            _dismiss(one)


def _inline(function: Callable[..., Any], key: Any, arguments: tuple[Any, ...]) -> Done:
    started = time.monotonic()
    result, error = _attempt(function, arguments)
    return Done(key, result, error, time.monotonic() - started)


def _attempt(function: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[Any, str | None]:
    try:
        return function(*arguments), None
    except Exception as error:
        return None, f"{type(error).__name__}: {error}"


def _look(staff: list[_Worker], limit_s: float) -> Iterator[Done]:
    busy = {one.pipe: one for one in staff if one.key is not None}
    for pipe in wait(list(busy), timeout=0.5):
        one = busy[pipe]  # type: ignore[index]  # those that were waited for
        try:
            if not one.ready:
                one.ready, one.since = one.pipe.recv(), time.monotonic()
                continue
            result, error = one.pipe.recv()
        except EOFError:
            result, error = None, f"worker ended (exit code {one.process.exitcode})"
            staff.remove(one)
            _dismiss(one)
        yield Done(one.key, result, error, time.monotonic() - one.since)
        one.key = None
    for one in list(staff):
        allowed = limit_s if one.ready else limit_s + START_S
        if one.key is not None and time.monotonic() - one.since > allowed:
            staff.remove(one)
            _dismiss(one)
            yield Done(one.key, None, f"took longer than {limit_s:g} s", limit_s)


def _hire(function: Callable[..., Any]) -> _Worker:
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(function, theirs, registered()), daemon=True)
    process.start()
    theirs.close()
    return _Worker(process, ours)


def _serve(function: Callable[..., Any], pipe: Connection, models: list[dict[str, Any]]) -> None:
    register_plain(models)
    pipe.send(True)
    while True:
        try:
            arguments = pipe.recv()
        except EOFError:
            return
        pipe.send(_attempt(function, arguments))


def _dismiss(worker: _Worker) -> None:
    worker.pipe.close()
    worker.process.join(timeout=1.0)
    if worker.process.is_alive():
        worker.process.kill()
        worker.process.join()
