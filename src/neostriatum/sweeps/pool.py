"""Processes that run points side by side, as many as cores and memory allow.

In: points. Out: what becomes of each, in the order in which they end. No process outlives the
loop over the outcomes, however that ends, nor this process, however it ends.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from neostriatum.sweeps.points import Point


class Worker:
    """The parent's end of one process.

    Parameters
    ----------
    start : dict
        First message: the circuit, its folder, options that all points share.
    threads : int
        Threads that the process may use.
    log : int
        Descriptor of the file that takes what it prints.
    lock : int
        Descriptor of the lock of the sweep's folder; the process holds it as long as it lives.
    """

    def __init__(self, start: dict[str, Any], threads: int, log: int, lock: int) -> None:
        package = str(Path(__file__).parents[2])
        count = str(threads)
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join([package, *filter(None, [os.environ.get("PYTHONPATH")])]),
            "NUMBA_NUM_THREADS": count, "OMP_NUM_THREADS": count, "OPENBLAS_NUM_THREADS": count,
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "neostriatum.sweeps.worker"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=log, pass_fds=(lock,), start_new_session=True,
            env=environment)
        self.point: Point | None = None
        self.ready = False
        self._rest = b""
        self._send(start)

    def fileno(self) -> int:
        """Return the descriptor of its replies."""
        return self._process.stdout.fileno()  # type: ignore[union-attr]  # a pipe

    def run(self, point: Point, out: Path) -> None:
        """Give it a point."""
        self.point = point
        self._send({"number": point.number, "seed": point.seed, "options": point.options,
                    "out": str(out)})

    def replies(self) -> list[dict[str, Any]] | None:
        """Return what it says, None if it has ended."""
        data = os.read(self.fileno(), 65536)
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [json.loads(line) for line in lines] if data else None

    def last_words(self) -> str:
        """Return how it ended."""
        code = self._process.wait()
        if code >= 0:
            return f"its process ended with code {code}"
        name = signal.Signals(-code).name
        more = ", as when memory runs out" if name == "SIGKILL" else ""
        return f"its process was ended by {name}{more}"

    def stop(self) -> None:
        """End it, after its point if it has none."""
        if self.point is None:
            self._send({"stop": True})
        else:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                pipe.close()  # type: ignore[union-attr]  # a pipe

    def _send(self, message: dict[str, Any]) -> None:
        with suppress(BrokenPipeError):  # it has ended, which its replies will tell
            pipe: Any = self._process.stdin
            pipe.write(json.dumps(message).encode() + b"\n")
            pipe.flush()


class Pool:
    """Runs points on at most ``jobs`` processes whose points together take at most ``budget``.

    Parameters
    ----------
    start : dict
        First message to every process.
    folder : Path
        Folder of the runs.
    jobs, threads : int
        Processes, and threads of each.
    budget : int or None
        Bytes that the points at work may take together; None for no bound.
    log, lock : int
        See `Worker`.
    """

    def __init__(self, start: dict[str, Any], folder: Path, jobs: int, threads: int,
                 budget: int | None, log: int, lock: int) -> None:
        self._folder, self._jobs, self._budget = folder, jobs, budget
        self._make: Callable[[], Worker] = lambda: Worker(start, threads, log, lock)
        self._workers: list[Worker] = []
        self._selector = selectors.DefaultSelector()

    def outcomes(self, points: list[Point]) -> Iterator[tuple[Point, dict[str, Any]]]:
        """Yield (point, message): ``share``, ``row``, or ``error`` with ``exit_code``."""
        waiting = list(points)
        try:
            while waiting or any(one.point for one in self._workers):
                self._share_out(waiting)
                for key, _ in self._selector.select(timeout=1.0):
                    yield from self._heard(key.fileobj)  # type: ignore[arg-type]  # a Worker
        finally:
            for one in self._workers:
                one.stop()
            self._selector.close()

    def _share_out(self, waiting: list[Point]) -> None:
        """Give points to idle processes; start new ones; end those for which nothing fits."""
        while waiting:
            busy = [one.point.bytes for one in self._workers if one.point]
            room = None if self._budget is None else self._budget - sum(busy)
            fits = next((n for n, point in enumerate(waiting)
                         if not busy or room is None or point.bytes <= room), None)
            idle = [one for one in self._workers if one.point is None]
            if fits is None or not (idle or len(self._workers) < self._jobs):
                break
            if not idle:
                idle = [self._make()]
                self._workers += idle
                self._selector.register(idle[0], selectors.EVENT_READ)
            point = waiting.pop(fits)
            idle[0].run(point, self._folder / point.name)
        for one in [one for one in self._workers if one.point is None]:
            self._drop(one)

    def _heard(self, worker: Worker) -> Iterator[tuple[Point, dict[str, Any]]]:
        messages, point = worker.replies(), worker.point
        if messages is None:
            how = worker.last_words()
            self._drop(worker)
            if not worker.ready:
                msg = f"sweep: a process could not start, {how}; see errors.log"
                raise RuntimeError(msg)
            if point is not None:
                yield point, {"error": how, "exit_code": 1}
            return
        for message in messages:
            if "ready" in message:
                worker.ready = True
            elif point is not None:
                if "share" not in message:
                    worker.point = None
                yield point, message

    def _drop(self, worker: Worker) -> None:
        self._selector.unregister(worker)
        self._workers.remove(worker)
        worker.stop()
