"""Progress that shows itself where somebody waits: in an interactive terminal and in a notebook.

A script, a test, a worker and the command line, which has a bar of its own, get none.
"""

from __future__ import annotations

import multiprocessing
import sys
import threading
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from neostriatum.terminal import Progress, words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Given = ParamSpec("Given")
Result = TypeVar("Result")

#: So long nothing is shown: what takes less needs no progress [s].
PATIENCE_S = 1.0


class _Choice:
    """Whether progress is shown at all, and whether a call that shows it is running."""

    wanted, running = True, False


def set_progress(shown: bool) -> None:
    """Say whether long calls show their progress in a terminal and in a notebook.

    Parameters
    ----------
    shown : bool
        False for none, anywhere; True for what is usual: after one second, in an interactive
        Python or IPython and in a notebook, never in a script.

    Examples
    --------
    >>> import neostriatum as ns
    >>> ns.set_progress(False)
    >>> ns.set_progress(True)
    """
    _Choice.wanted = bool(shown)


def watched(function: Callable[Given, Result]) -> Callable[Given, Result]:
    """Let a function that takes ``progress`` show it by itself where none is given."""
    @wraps(function)
    def call(*args: Given.args, **options: Given.kwargs) -> Result:
        if options.get("progress") is not None or not _somebody_waits():
            return function(*args, **options)
        with _shown() as tell:
            options["progress"] = tell
            return function(*args, **options)

    return call


def place() -> str:
    """Return where this Python runs: "notebook", "terminal", or "" where nobody waits."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is not None and hasattr(shell, "kernel"):
        return "notebook"
    typed = shell is not None or hasattr(sys, "ps1")
    return "terminal" if typed and sys.stderr.isatty() else ""


def _somebody_waits() -> bool:
    own = multiprocessing.parent_process() is None
    main = threading.current_thread() is threading.main_thread()
    return _Choice.wanted and not _Choice.running and own and main and bool(place())


@contextmanager
def _shown() -> Iterator[Callable[[str, float], None]]:
    """Show the progress of one call, and none of those that it makes."""
    late = Late(_Line() if place() == "notebook" else Progress(silent=False))
    _Choice.running = True
    try:
        with late:
            yield late
    finally:
        _Choice.running = False


class Late:
    """A progress that begins to show after a while.

    Parameters
    ----------
    shown : context manager
        It is entered once `patience_s` are over, and then called with phase and share.
    patience_s : float
        So long nothing is shown [s].
    """

    def __init__(self, shown: Any, patience_s: float = PATIENCE_S) -> None:
        self._shown, self._open, self._over = shown, False, False
        self._last: tuple[str, float] | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(patience_s, self._begin)
        self._timer.daemon = True

    def __enter__(self) -> Late:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        with self._lock:
            self._over = True
            if self._open:
                self._shown.__exit__(None, None, None)

    def __call__(self, phase: str, share: float) -> None:
        """Take that ``phase`` is done to ``share``."""
        with self._lock:
            self._last = phase, share
            if self._open:
                self._shown(phase, share)

    def _begin(self) -> None:
        """Show what was told last; called in the thread of the timer."""
        with self._lock:
            if self._over:
                return
            self._shown.__enter__()
            self._open = True
            if self._last is not None:
                self._shown(*self._last)


class _Line:
    """One line of a notebook that is written anew, and is gone at the end."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._text = ""

    def __enter__(self) -> _Line:
        from IPython.display import display

        self._handle = display(self._page(""), display_id=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._handle.update(self._page(""))

    def __call__(self, phase: str, share: float) -> None:
        """Write that ``phase`` is done to ``share``, at most once per percent."""
        text = words(phase) + (f" … {share:.0%}" if 0 < share < 1 else " …")
        if text != self._text:
            self._text = text
            self._handle.update(self._page(text))

    @staticmethod
    def _page(text: str) -> Any:
        from IPython.display import HTML

        return HTML(f"<small>{text}</small>" if text else "")
