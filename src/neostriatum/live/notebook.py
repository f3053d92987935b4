"""The live page in a notebook: the same view, with the notebook's own channel behind it."""

from __future__ import annotations

import atexit
import threading
from typing import Any

from neostriatum.errors import CircuitError, LibraryMissing
from neostriatum.live.bundle import script, style
from neostriatum.live.frames import Window, placed
from neostriatum.live.greeting import greeting
from neostriatum.live.orders import obey, read_object
from neostriatum.live.session import Session
from neostriatum.live.viewer import Viewer

_MODULE = "\nexport default { render };\n"


class Channel:
    """Stands between a session and a widget: the queue of one page, and its orders."""

    def __init__(self, send: Any) -> None:
        self._send, self._viewer, self._lock = send, Viewer(), threading.Lock()
        self._positions: bytes | None = None
        self._status: dict[str, Any] | None = None
        self.session: Session | None = None

    def publish(self, news: Window | dict[str, Any]) -> None:
        """Hand on a window, or news; called in the thread of the session."""
        with self._lock:
            if isinstance(news, Window):
                self._viewer.offer(news)
            elif news["kind"] == "network":
                self._positions = placed(news["positions"])
                self._viewer.news(self._positions)
            else:
                self._status = news if news["kind"] == "status" else self._status
                self._send(news, [])
            self._flush()

    def _flush(self) -> None:
        while (message := self._viewer.take()) is not None:
            self._send({"kind": "frame"}, [message])

    def hear(self, message: Any) -> None:
        """Do what the page asks for."""
        session = self.session
        if session is None:
            return
        try:
            message = read_object(message)
            if message["kind"] == "join":
                self._greet(session)
            elif message["kind"] == "ack":
                with self._lock:
                    self._viewer.answer(message.get("number"))
                    self._flush()
            else:
                obey(session, message)
        except CircuitError as error:
            self._send({"kind": "refused", "text": " ".join(str(error).split())}, [])

    def _greet(self, session: Session) -> None:
        dt = session.circuit.dt.value
        with self._lock:
            self._viewer = Viewer()
            lines = [line.to_dict(dt) for line in list(session.history.lines)]
            self._send(greeting(session) | {"values": session.values, "controls": True,
                                            "log": lines}, [])
            if self._positions is not None:
                self._send({"kind": "frame"}, [self._positions])
            if self._status is not None:
                self._send(self._status, [])
        session.show(True)


def live(circuit: Any = "striatum", *, size: int | None = None, seed: int = 1,
         precision: str = "double", out: Any = None) -> Any:
    """Run a circuit live in a notebook, and return the widget that shows it.

    Parameters
    ----------
    circuit : str, Path, dict or Circuit
        What is simulated.
    size : int, optional
        Neurons in all; 10,000 by default, those of a mesh where the circuit has one.
    seed : int
        Master seed.
    precision : str
        "double" or "single", which goes further in the same time; its spikes are its own.
    out : str or Path, optional
        Folder of the run; by default the next under ``runs``.

    Returns
    -------
    anywidget.AnyWidget
        It begins once it is shown; ``widget.session.stop()`` ends it.

    Raises
    ------
    LibraryMissing
        anywidget is not installed.
    CircuitError
        Anything that the circuit refuses.

    Examples
    --------
    >>> import neostriatum as ns
    >>> widget = ns.live("striatum_v1", size=100)  # show it: the last line of a cell
    >>> widget.session.stop()
    """
    try:
        import anywidget
    except ImportError:
        msg = "live: needs the library anywidget (got none). pip install neostriatum[notebook]"
        raise LibraryMissing(msg) from None
    page = type("LivePage", (anywidget.AnyWidget,), {"_esm": script() + _MODULE, "_css": style()})()
    channel = Channel(lambda message, buffers: page.send(message, buffers=buffers))
    channel.session = Session(circuit, size=size, seed=seed, precision=precision, out=out,
                              publish=channel.publish)
    page.on_msg(lambda widget, message, buffers: channel.hear(message))
    page.session = channel.session
    channel.session.start()
    atexit.register(channel.session.stop)
    return page
