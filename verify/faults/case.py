"""One thing that a user tries, what must come of it, and what came of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import neostriatum
from neostriatum.errors import NeostriatumError

#: Exit codes of a refusal: bad input, something not installed or not able, bad files.
CODES = (2, 3, 5)
#: Longest that a case may take in this process, and a process of its own [s].
HERE_S, APART_S = 120.0, 200.0
#: What a case may come to.
SAME, REFUSED, EITHER, OTHER = "same", "refused", "either", "other"
#: The environment that every process starts from.
PLAIN = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV",
                                          "LD_LIBRARY_PATH") if key in os.environ}
# The package that is tried, wherever the process is started.
PLAIN["PYTHONPATH"] = str(Path(neostriatum.__file__).resolve().parents[1])


class Refused(Exception):
    """A process that ended with another exit code than 0."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.exit_code = code


@dataclass(frozen=True)
class Case:
    """A name, a call in an empty folder, and its expectation.

    ``run`` is called with a folder for inputs, while an empty folder is the working one. What it
    returns must equal ``right`` (``same``), may be refused instead (``either``), must be refused
    (``refused``), or must be accepted and differ from ``right`` (``other``). A refusal must hold
    one of ``words``, and leaves nothing in the working folder but what ``keeps`` names. ``apart``
    marks cases that start a process and do not touch this one.
    """

    name: str
    run: Callable[[Path], Any]
    expect: str = SAME
    right: Any = True
    words: Sequence[str] = ()
    apart: bool = False
    keeps: Sequence[str] = ()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise TimeoutError after a time; only the main thread can."""
    def late(number: int, frame: Any) -> None:
        msg = f"took longer than {seconds:g} s"
        raise TimeoutError(msg)

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def judged(case: Case, place: Path) -> str:
    """Try a case in a new folder; return what is wrong with what happened, "" if nothing is."""
    here, inputs = place / "here", place / "inputs"
    for folder in (place, here, inputs):
        folder.mkdir()
    try:
        if case.apart:
            value = case.run(inputs)
        else:
            os.chdir(here)
            with within(HERE_S), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                value = case.run(inputs)
    except (NeostriatumError, Refused) as error:
        return _of_refusal(case, error.exit_code, str(error).strip(), here)
    except BaseException as error:  # whatever it is, it is what a user would see
        if isinstance(error, KeyboardInterrupt) and not str(error):
            raise  # of whoever runs this, not of a run that was stopped
        return f"{type(error).__name__}: {error}"
    if case.expect == REFUSED:
        return f"was accepted: {value}"
    try:
        right = case.right() if callable(case.right) else case.right
    except Exception as error:
        return f"what to compare with failed, {type(error).__name__}: {error}"
    if case.expect == OTHER:
        return "" if value != right else f"changed nothing: {value}"
    return "" if value == right else f"was accepted and is another: {value} instead of {right}"


def _of_refusal(case: Case, code: int, text: str, here: Path) -> str:
    wrong = []
    if case.expect in (SAME, OTHER):
        wrong.append("was refused")
    if code not in CODES:
        wrong.append(f"ended with code {code}")
    if "\n" in text:
        wrong.append(f"said {text.count(chr(10)) + 1} lines")
    if "our bug" in text or "Traceback" in text:
        wrong.append("was a bug")
    if case.words and not any(word.lower() in text.lower() for word in case.words):
        wrong.append(f"named none of {', '.join(case.words)}")
    if left := sorted({path.name for path in here.iterdir()} - set(case.keeps)):
        wrong.append(f"left {', '.join(left)}")
    return f"{'; '.join(wrong)}: {text[-200:]}" if wrong else ""


def started(arguments: Sequence[str | Path], folder: Path, seconds: float = APART_S,
            **environment: str | None) -> str:
    """Run ``python ARGUMENTS`` in the working folder beside ``folder`` and return its stdout.

    Raises
    ------
    Refused
        It ended with another exit code than 0; with its stderr but for progress.
    TimeoutError
        It did not end; it was killed with all that it started.
    """
    given = {key: value for key, value in (PLAIN | environment).items() if value is not None}
    with subprocess.Popen([sys.executable, *map(str, arguments)], cwd=folder.parent / "here",
                          env=given, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, start_new_session=True) as process:
        try:
            out, errors = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            msg = f"did not end within {seconds:g} s"
            raise TimeoutError(msg) from None
    lines = [line for line in errors.decode("utf-8", "replace").splitlines()
             if line.strip() and not line.rstrip().endswith(" ...")
             and not line.lower().startswith("warning:")]
    if process.returncode:
        raise Refused(process.returncode, "\n".join(lines))
    return out.decode("utf-8", "replace")


def program(*arguments: str | Path, folder: Path, **environment: str | None) -> str:
    """Run the command line in a process of its own; see `started`."""
    return started(["-m", "neostriatum", *arguments], folder, **environment)


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds until now."""
        return time.monotonic() - self._start
