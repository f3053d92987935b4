"""A cluster that Dask knows, which runs points on the machines that its workers are on.

In: points. Out: what becomes of each, in the order in which they end, as `Pool` gives it. Workers
need this package in this version, and the sweep's folder at the same path.
"""

from __future__ import annotations

import json
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neostriatum import __version__
from neostriatum.errors import InputError, LibraryMissing, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neostriatum.sweeps.points import Point

#: Seconds to wait for a scheduler and for its first worker.
PATIENCE_S = 20
#: The last runner of this process, by what it was made of; one point at a time has the turn.
_RUNNERS: dict[str, Any] = {}
_TURN = threading.Lock()


class Cluster:
    """Runs points on the workers of a Dask scheduler.

    A point whose worker ends is given to another one, which resumes it; after four workers it has
    failed.

    Parameters
    ----------
    start : dict
        What every point starts from, as of `Pool`.
    folder : Path
        Folder of the runs.
    address : str
        Address of the scheduler, ``"tcp://10.0.0.1:8786"``. It runs what its clients send, so it
        has to be one's own.
    """

    def __init__(self, start: dict[str, Any], folder: Path, address: str) -> None:
        self._start, self._folder, self._address = start, folder.resolve(), address

    @staticmethod
    def check() -> None:
        """Refuse a machine without Dask, before anything is written.

        Raises
        ------
        LibraryMissing
            Dask is not installed.
        """
        if find_spec("distributed") is None:
            msg = ("--dask: needs the library distributed (not installed). "
                   "pip install 'neostriatum[dask]'")
            raise LibraryMissing(msg)

    def outcomes(self, points: list[Point]) -> Iterator[tuple[Point, dict[str, Any]]]:
        """Yield (point, message): ``row``, or ``error`` with ``exit_code``.

        Raises
        ------
        InputError
            No scheduler at the address, no workers, or workers that cannot run points.
        """
        from distributed import Client, as_completed

        try:
            client = Client(self._address, timeout=PATIENCE_S)
        except (OSError, ValueError) as error:
            msg = (f"--dask: no scheduler answers (got {shown(self._address)}, "
                   f"{shown(' '.join(str(error).split()))}). Check the address")
            raise InputError(msg) from None
        with client:
            self._check(client)
            start = json.dumps(self._start)
            futures = {client.submit(answer, start, self._message(point), pure=False): point
                       for point in points}
            for future in as_completed(list(futures)):
                point, failure = futures.pop(future), future.exception()
                yield point, future.result() if failure is None else {
                    "error": f"its workers ended ({type(failure).__name__})", "exit_code": 1}

    def _message(self, point: Point) -> dict[str, Any]:
        return {"number": point.number, "seed": point.seed, "options": point.options,
                "out": str(self._folder / point.name)}

    def _check(self, client: Any) -> None:
        """Refuse a cluster whose workers could not run a point."""
        try:
            client.wait_for_workers(1, timeout=PATIENCE_S)
        except TimeoutError:
            msg = f"--dask: has no workers (got {shown(self._address)}). Start some"
            raise InputError(msg) from None
        try:
            seen = client.run(sees, str(self._folder))
        except Exception as error:
            msg = (f"--dask: a worker cannot run neostriatum (got {type(error).__name__}: "
                   f"{shown(' '.join(str(error).split()))}). Install it there")
            raise InputError(msg) from None
        for worker, (version, there) in seen.items():
            if version != __version__:
                msg = (f"--dask: workers must have version {__version__} (got {shown(version)} of "
                       f"{shown(worker)}). Install the same")
                raise InputError(msg)
            if not there:
                msg = (f"--dask: a worker must see the folder {self._folder} (got none of "
                       f"{shown(worker)}). Choose --out on a disk that all share")
                raise InputError(msg)


def sees(folder: str) -> tuple[str, bool]:
    """Return the version of this package here, and whether a folder is there."""
    return __version__, Path(folder).is_dir()


def answer(start: str, point: dict[str, Any]) -> dict[str, Any]:
    """Run a point in this process; return its row, or the line and exit code of its error.

    Parameters
    ----------
    start : str
        JSON of what every point starts from.
    point : dict
        Its number, seed, options and folder.
    """
    from neostriatum.sweeps.worker import runner_of

    with _TURN:
        if start not in _RUNNERS:
            _RUNNERS.clear()
            _RUNNERS[start] = runner_of(json.loads(start))
        answered: dict[str, Any] = _RUNNERS[start].answer(point, lambda **message: None)
        return answered
