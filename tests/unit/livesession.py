"""A small session of a test: what it publishes is kept, and it ends with the test."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from neostriatum.live.frames import Window
from neostriatum.live.session import Session

SIZE = 120


class Kept:
    """News and windows of a session, in the order in which they came."""

    def __init__(self) -> None:
        self.windows: list[Window] = []
        self.news: list[dict[str, Any]] = []

    def __call__(self, message: Window | dict[str, Any]) -> None:
        """Keep a message."""
        (self.windows if isinstance(message, Window) else self.news).append(message)

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Return the news of a kind."""
        return [one for one in self.news if one["kind"] == kind]


def until(true: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Wait until something is true, and return it.

    Looks are counted, not time: a machine that stands still for a minute is no reason to fail.
    """
    for _ in range(round(200 * seconds)):
        if found := true():
            return found
        time.sleep(0.005)
    msg = "it did not become true"
    raise AssertionError(msg)


@contextmanager
def live(folder: Path, circuit: Any = "striatum_v1", **options: Any) -> Iterator[
        tuple[Session, Kept]]:
    """Give a session that is live and goes as fast as it can."""
    kept = Kept()
    session = Session(circuit, **{"size": SIZE, "out": folder / "run", "publish": kept} | options)
    session.hurry(10)
    session.show(True)
    session.start()
    try:
        until(lambda: session.phase in ("live", "failed"))
        assert session.phase == "live", session.error
        yield session, kept
    except AssertionError as error:
        error.add_note(f"the session: {session.phase} at {session.time_ms} ms, "
                       f"{session.error or session.failure or 'no error'}")
        raise
    finally:
        session.stop(20)
    assert session.failure is None, session.failure
