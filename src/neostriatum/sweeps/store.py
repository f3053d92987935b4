"""The folder of a sweep: what was asked, one folder and one outcome per point, and its lock.

In: a folder and a plan. Out: the outcomes that an earlier call left, if it asked for the same.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neostriatum.circuit.catalogue import former
from neostriatum.durable import claim, unclaim, write_text
from neostriatum.errors import RunFileError, shown
from neostriatum.machine import machine, versions
from neostriatum.recording.store import Run
from neostriatum.rng import STREAM_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neostriatum.circuit.model import Circuit
    from neostriatum.sweeps.plan import Plan
    from neostriatum.sweeps.points import Point

FORMAT = 1
#: Seconds to wait for the processes of a sweep that was killed: they end by themselves.
WAIT_S = 5.0
#: What must be as it was for a sweep to go on.
_KEPT = ("format", "neostriatum", "plan", "circuit", "stream_version")


class SweepFolder:
    """A folder that holds a sweep, new or to be continued.

    Parameters
    ----------
    out : str, Path or None
        The folder; by default the next number under ``sweeps``.
    plan : Plan
        What is asked.
    circuit : Circuit
        What its points start from.

    Raises
    ------
    RunFileError
        The folder holds something else, or cannot be made.
    """

    def __init__(self, out: str | Path | None, plan: Plan, circuit: Circuit) -> None:
        path = _begun(out)
        if path is not None:
            self.path = path.parent
            return
        record = _asked(plan, circuit) | {"versions": versions(), "machine": machine()}
        self.path = claim(out, "sweeps")
        try:
            write_text(self.path / "sweep.json", json.dumps(record, indent=1) + "\n")
        except BaseException:
            unclaim(self.path)
            raise

    @property
    def points(self) -> Path:
        """Folder of the runs."""
        return self.path / "points"

    @contextmanager
    def locked(self) -> Iterator[int]:
        """Hold the folder, so that no second sweep writes there; give the lock's descriptor.

        Raises
        ------
        RunFileError
            Another sweep holds it.
        """
        handle = os.open(self.path, os.O_RDONLY)
        try:
            until = time.monotonic() + WAIT_S
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > until:
                        msg = f"{self.path}: another sweep is at work there. Wait for it"
                        raise RunFileError(msg) from None
                    time.sleep(0.1)
            try:
                self.points.mkdir(exist_ok=True)
            except OSError as error:
                msg = f"{self.points}: cannot be made ({error.strerror}). Choose --out"
                raise RunFileError(msg) from None
            yield handle
        finally:
            os.close(handle)

    def finished(self, point: Point) -> dict[str, Any] | None:
        """Return the row of a point that is done, None if it must run."""
        try:
            said = json.loads((self.points / f"{point.name}.json").read_text("utf-8"))
            row = said["row"]
            done = (said["asked"] == point.asked and row["status"] == "finished"
                    and Run(self.points / point.name).summary["spike_hash"] == row["spike_hash"])
        except (OSError, ValueError, KeyError, TypeError, RunFileError):
            return None
        return row if done else None

    def keep(self, point: Point, row: dict[str, Any]) -> None:
        """Make the outcome of a point durable."""
        write_text(self.points / f"{point.name}.json",
                   json.dumps({"asked": point.asked, "row": row}, allow_nan=False) + "\n")


def refuse_another(out: str | Path | None, plan: Plan, circuit: Circuit) -> None:
    """Refuse a folder whose sweep was asked for otherwise, naming the first difference.

    Raises
    ------
    RunFileError
        What differs, or a record that cannot be read.
    """
    path = _begun(out)
    if path is None:
        return
    try:
        there = json.loads(path.read_text("utf-8"))
        there = {key: there[key] for key in _KEPT}
        name = former(there["circuit"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        msg = f"{path}: is not the record of a sweep ({' '.join(str(error).split())})"
        raise RunFileError(msg) from None
    if name and circuit.name == there["circuit"]["name"]:
        msg = (f"{path.parent}: circuit: must be what {circuit.name} was in version 0.1, now "
               f"{name}, to go on there (got {circuit.name}). Choose another --out")
        raise RunFileError(msg)
    asked = json.loads(json.dumps(_asked(plan, circuit)))
    for key in _KEPT:
        found = _difference(there[key], asked[key], "" if key == "plan" else key)
        if found is not None:
            where, theirs, ours = found
            msg = (f"{path.parent}: {where.strip('.')}: must be {shown(theirs)} to go on there "
                   f"(got {shown(ours)}). Choose another --out")
            raise RunFileError(msg)


def _begun(out: str | Path | None) -> Path | None:
    """Return the record of the sweep that a folder holds, None for a folder without."""
    path = Path(out) / "sweep.json" if out is not None and str(out).strip() else None
    return path if path is not None and path.is_file() else None


def _asked(plan: Plan, circuit: Circuit) -> dict[str, Any]:
    """Return what must be as it was for a sweep to go on."""
    return {"format": FORMAT, "neostriatum": versions()["neostriatum"],
            "stream_version": STREAM_VERSION, "plan": plan.to_dict(),
            "circuit": circuit.to_dict()}


def _difference(one: Any, other: Any, path: str) -> tuple[str, Any, Any] | None:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in {**one, **other}:
            found = _difference(one.get(key), other.get(key), f"{path}.{key}")
            if found is not None:
                return found
        return None
    return None if one == other else (path, one, other)
