"""The list of what a run has made durable so far: chunks of results, checkpoints, resumptions."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any, NoReturn

from neostriatum.durable import append_line, cut, remove
from neostriatum.errors import RunFileError

if TYPE_CHECKING:
    from pathlib import Path

FILE = "manifest.jsonl"
_NUMBERED = re.compile(r"(?:chunk|state)-(\d{6})\.npz")

Entry = dict[str, Any]


class Manifest:
    """The lines of ``manifest.jsonl``: only what is listed here, and has its hash, is trusted.

    A line is one of

    - ``{"chunk": name, "first": step, "stop": step, "sha256": ..., "spikes": {type: n}}``,
    - ``{"state": name, "step": step, "sha256": ..., "timers": {...}}``,
    - ``{"resumed": step}``: what comes after this step in earlier lines does not count,

    with a ``check`` over itself and all lines before. Steps count from the end of the warm-up.

    Parameters
    ----------
    folder : Path
        Of the run.

    Raises
    ------
    RunFileError
        A line was changed or is missing. The end of a last line may be: a kill can do that.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / FILE
        self.entries: list[Entry] = []
        self._check = ""
        #: Bytes that hold whole lines; more are what a killed process left of one.
        self._sound = 0
        try:
            text = self.path.read_bytes()
        except FileNotFoundError:
            text = b""
        except OSError as error:
            self._refuse(error.strerror or str(error))
        *lines, rest = text.split(b"\n")
        for line in lines:
            self._read(line)
            self._sound += len(line) + 1
        if rest and self._parsed(rest[:-1]) is not None:
            self._refuse("its last line goes on")
        self._refuse_holes()

    def _parsed(self, line: bytes) -> Entry | None:
        try:
            entry = json.loads(line)
            check = entry.pop("check")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None
        sound = _check(self._check, entry) == check and _line(entry, check) == line
        return entry if sound else None

    def _read(self, line: bytes) -> None:
        entry = self._parsed(line)
        if entry is None:
            self._refuse(f"line {len(self.entries) + 1} was changed")
        self.entries.append(entry)
        self._check = _check(self._check, entry)

    def _refuse_holes(self) -> None:
        stop = 0
        for entry in self.chunks:
            if entry["first"] != stop:
                self._refuse(f"steps from {stop} on are missing")
            stop = entry["stop"]
        # One file may wait for its line when a process is killed, never two. A state alone is what
        # a finished run keeps.
        files = [one.name for one in self.folder.glob("chunk-*.npz")]
        files += [one.name for one in self.folder.glob("state-*.npz")] if self.entries else []
        numbers = [int(found[1]) for name in files if (found := _NUMBERED.fullmatch(name))]
        if max(numbers, default=0) > self.last_number + 1:
            self._refuse("it lists less than there is")

    def _refuse(self, what: str) -> NoReturn:
        msg = f"{self.path}: is damaged ({what})"
        raise RunFileError(msg)

    @property
    def last_number(self) -> int:
        """Number of the last chunk or checkpoint that is listed."""
        names = [entry.get("chunk") or entry.get("state") or "" for entry in self.entries]
        return max((int(found[1]) for one in names if (found := _NUMBERED.fullmatch(one))),
                   default=0)

    @property
    def chunks(self) -> list[Entry]:
        """The chunks that count, in the order of time."""
        found: list[Entry] = []
        for entry in self.entries:
            if "resumed" in entry:
                found = [one for one in found if one["first"] < entry["resumed"]]
            elif "chunk" in entry:
                found.append(entry)
        return found

    @property
    def states(self) -> list[Entry]:
        """The checkpoints that count, in the order of time."""
        found: list[Entry] = []
        for entry in self.entries:
            if "resumed" in entry:
                found = [one for one in found if one["step"] <= entry["resumed"]]
            elif "state" in entry:
                found.append(entry)
        return found

    @property
    def stop(self) -> int:
        """The step up to which results are durable."""
        return self.chunks[-1]["stop"] if self.chunks else 0

    def append(self, entry: Entry) -> None:
        """Add a line durably."""
        check = _check(self._check, entry)
        append_line(self.path, _line(entry, check).decode())
        self.entries.append(entry)
        self._check = check
        self._sound += len(_line(entry, check)) + 1

    def mend(self) -> None:
        """Take away what a killed process left: part of a line, and files without one."""
        if self.path.exists() and self.path.stat().st_size > self._sound:
            cut(self.path, self._sound)
        kept = {one["chunk"] for one in self.chunks} | {one["state"] for one in self.states[-2:]}
        sweep(self.folder, kept | {FILE})


def sweep(folder: Path, kept: set[str]) -> None:
    """Remove the working files of a run that are not among ``kept``."""
    for one in folder.iterdir():
        temporary = one.name.startswith(".") and one.name.endswith(".tmp")
        if temporary or ((_NUMBERED.fullmatch(one.name) or one.name == FILE)
                         and one.name not in kept):
            remove(one)


def _check(before: str, entry: Entry) -> str:
    text = before + json.dumps(entry, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _line(entry: Entry, check: str) -> bytes:
    return json.dumps(entry | {"check": check}, sort_keys=True, allow_nan=False).encode()
