"""One page that looks: what it is sent, what it has confirmed, and what was merged for it."""

from __future__ import annotations

import json
from collections import deque
from typing import Any

from neostriatum.live.frames import Merged, Window, packed

#: Frames that may be on their way without an answer: half a second of them.
AHEAD = 24
#: News that may wait; a page that is further behind gets the whole state anew.
NEWS = 256


class Viewer:
    """The queue of one page; its size is bounded, however slowly the page reads.

    Frames are counted when they are handed out. While ``AHEAD`` of them are without an answer, new
    ones are merged into counts.
    """

    def __init__(self, may_control: bool = True) -> None:
        self.may_control = may_control
        self.controls = self.hidden = False
        self.sent = self.answered = 0
        self._queue: deque[bytes | str] = deque()
        self._news = 0
        self._merged = Merged()
        #: Whether news were lost, so that the page needs the whole state.
        self.behind = False

    def offer(self, window: Window) -> None:
        """Take a window: as a frame, or as a part of merged ones."""
        if self.sent - self.answered >= AHEAD:
            self._merged.add(window)
            return
        self._hand_out_merged()
        self.sent += 1
        self._queue.append(packed(window, self.sent))

    def _hand_out_merged(self) -> None:
        if self._merged.windows:
            self.sent += 1
            self._queue.append(self._merged.packed(self.sent))
            self._merged = Merged()

    def news(self, message: dict[str, Any] | bytes) -> None:
        """Take a message that must not be merged."""
        if self._news >= NEWS:
            self.behind = True
            return
        self._news += 1
        self._queue.append(message if isinstance(message, bytes)
                           else json.dumps(message, allow_nan=False))

    def answer(self, number: Any) -> None:
        """Note that the page has drawn all frames up to a number."""
        if isinstance(number, int) and self.answered < number <= self.sent:
            self.answered = number
            # Not only with the next window: there may be none, after a pause.
            self._hand_out_merged()

    def take(self) -> bytes | str | None:
        """Return what is to be sent next; None where nothing waits."""
        if not self._queue:
            return None
        message = self._queue.popleft()
        if isinstance(message, str) or message[:1] == b"P":
            self._news -= 1
        return message

    @property
    def waiting(self) -> int:
        """Bytes that wait here."""
        return sum(map(len, self._queue))
