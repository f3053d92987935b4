"""The socket and the page, on this machine alone: one page that controls, any number that look."""

from __future__ import annotations

import asyncio
import hmac
import http
import logging
import os
import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from neostriatum.errors import CircuitError, LibraryMissing
from neostriatum.live.frames import Window, placed
from neostriatum.live.greeting import greeting
from neostriatum.live.orders import LARGEST, obey, read
from neostriatum.live.site import HEADERS, pages
from neostriatum.live.viewer import Viewer

if TYPE_CHECKING:
    from collections.abc import Callable

    from neostriatum.live.session import Session

HOST = "127.0.0.1"
#: Says nothing: a stranger's request is no news.
_SILENT = logging.getLogger("neostriatum.live")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False
#: Pages at once; more are turned away.
MOST = 32
#: Time in which a page must say its token [s].
PATIENCE_S = 5.0


def bound(port: int) -> socket.socket:
    """Return a socket that listens on this machine alone, on a port or on any free one (0).

    Raises
    ------
    CircuitError
        The port is taken, or not ours to take.
    """
    try:
        return socket.create_server((HOST, port), backlog=64)
    except OSError as error:
        msg = (f"--port: {port} cannot be used ({error.strerror or error}) (got {port}). "
               "Leave it out for a free one")
        raise CircuitError(msg) from None


def websockets() -> Any:
    """Return the library that the server needs.

    Raises
    ------
    LibraryMissing
        It is not installed.
    """
    try:
        import websockets.asyncio.server as library
    except ImportError:
        msg = "live: needs the library websockets (got none). pip install neostriatum[live]"
        raise LibraryMissing(msg) from None
    return library


class Server:
    """Serves the page of a session, on a port of 127.0.0.1 or on any free one (0)."""

    def __init__(self, port: int = 0) -> None:
        self._library = websockets()
        self._socket = bound(port)
        self.port = self._socket.getsockname()[1]
        #: Where pages that may ask come from.
        self.origins = [f"http://{host}:{self.port}" for host in (HOST, "localhost")]
        #: Who has the first one controls, who has the second one looks.
        self.token, self.looking = os.urandom(32).hex(), os.urandom(32).hex()
        self.session: Session | None = None
        self._viewers: dict[Viewer, asyncio.Event] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = asyncio.Event()
        self._positions: bytes | None = None
        self._status: dict[str, Any] = {}
        self._connections = 0

    @property
    def url(self) -> str:
        """Address of the page, the token in its fragment, which no browser sends."""
        return f"http://{HOST}:{self.port}/#{self.token}"

    @property
    def viewers_url(self) -> str:
        """The same for those who only look."""
        return f"http://{HOST}:{self.port}/#{self.looking}"

    # ---- from the thread of the session ---------------------------------------------------------

    def publish(self, news: Window | dict[str, Any]) -> None:
        """Hand on a window, or news, to all pages; may be called from any thread."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended meanwhile
                self._loop.call_soon_threadsafe(self._spread, news)

    def _spread(self, news: Window | dict[str, Any]) -> None:
        if isinstance(news, Window):
            for viewer, wake in self._viewers.items():
                viewer.offer(news)
                wake.set()
            return
        message: Any = news
        if news["kind"] == "network":
            message = self._positions = placed(news["positions"])
        elif news["kind"] == "status":
            # Time of the processor that this thread took: packing, sending, hearing [s].
            message = self._status = news | {"viewers": len(self._viewers),
                                             "server_s": round(time.thread_time(), 4)}
        for viewer, wake in self._viewers.items():
            viewer.news(message)
            wake.set()
        if news["kind"] == "status" and news["phase"] == "failed" and self._hopeless():
            self._ended.set()

    def _hopeless(self) -> bool:
        """Whether the session ended before anything was simulated."""
        return self.session is not None and self.session.failure is not None

    # ---- the server -----------------------------------------------------------------------------

    async def serve(self, session: Session, ready: Callable[[], None]) -> None:
        """Serve until `end`, or until the session cannot begin."""
        self.session, self._loop = session, asyncio.get_running_loop()
        async with self._library.serve(
                self._connected, sock=self._socket, process_request=self._requested,
                origins=self.origins, compression=None, max_size=LARGEST, max_queue=64,
                write_limit=65_536, ping_interval=20, ping_timeout=90, close_timeout=0.5,
                server_header=None, logger=_SILENT):
            session.start()
            ready()
            await self._ended.wait()
            await asyncio.sleep(0.2 if self._viewers else 0)  # the reason reaches the pages

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()

    def end(self) -> None:
        """Stop serving; may be called from any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._ended.set)

    def _requested(self, connection: Any, request: Any) -> Any:
        """Answer what is no socket; None lets a socket through."""
        if f"http://{request.headers.get('Host', '')}" not in self.origins:
            return _answer(connection, http.HTTPStatus.FORBIDDEN, "wrong host\n")
        # A browser that opens a page itself says none; the library asks for one of sockets.
        if any(origin not in self.origins for origin in request.headers.get_all("Origin")):
            return _answer(connection, http.HTTPStatus.FORBIDDEN, "wrong origin\n")
        path = request.path.partition("?")[0]
        if path == "/socket":
            if self._connections >= MOST:
                return _answer(connection, http.HTTPStatus.SERVICE_UNAVAILABLE, "too many pages\n")
            return None
        if path not in pages():
            return _answer(connection, http.HTTPStatus.NOT_FOUND, "nothing here\n")
        kind, content = pages()[path]
        return _answer(connection, http.HTTPStatus.OK, content, kind)

    async def _connected(self, connection: Any) -> None:
        from websockets.exceptions import ConnectionClosed

        self._connections += 1
        try:
            with suppress(ConnectionClosed):
                role = await self._role(connection)
                if role is None:
                    await connection.close(1008, "token")
                else:
                    await self._attend(connection, role)
        finally:
            self._connections -= 1

    async def _role(self, connection: Any) -> bool | None:
        """Return whether a page may control, None where its token is neither."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                token = read(await connection.recv()).get("token")
        except (TimeoutError, CircuitError):
            return None
        if not isinstance(token, str):
            return None
        said = token.encode("utf-8", "replace")
        control = hmac.compare_digest(said, self.token.encode())
        look = hmac.compare_digest(said, self.looking.encode())
        return control if control or look else None

    async def _attend(self, connection: Any, may_control: bool) -> None:
        viewer, wake = Viewer(may_control), asyncio.Event()
        viewer.controls = may_control and not any(one.controls for one in self._viewers)
        self._viewers[viewer] = wake
        self._welcome(viewer)
        wake.set()
        self._look()
        sender = asyncio.create_task(self._send(connection, viewer, wake))
        try:
            async for text in connection:
                self._heard(viewer, text)
                wake.set()
        finally:
            sender.cancel()
            del self._viewers[viewer]
            heir = next((one for one in self._viewers if one.may_control), None)
            if viewer.controls and heir is not None:
                self._hand_over(heir)
            self._look()

    def _welcome(self, viewer: Viewer) -> None:
        """Tell a page everything that holds now."""
        session = self._running()
        dt = session.circuit.dt.value
        viewer.news(greeting(session) | {
            "values": session.values, "controls": viewer.controls,
            "viewers_url": self.viewers_url if viewer.controls else None,
            "log": [line.to_dict(dt) for line in list(session.history.lines)]})
        if self._positions is not None:
            viewer.news(self._positions)
        if self._status:
            viewer.news(self._status)

    async def _send(self, connection: Any, viewer: Viewer, wake: asyncio.Event) -> None:
        from websockets.exceptions import ConnectionClosed

        with suppress(ConnectionClosed):
            while True:
                message = viewer.take()
                if message is None:
                    if viewer.behind:
                        viewer.behind = False
                        self._welcome(viewer)
                        continue
                    wake.clear()
                    await wake.wait()
                else:
                    # Waits until the page takes it, so that nothing heaps up in the socket.
                    await connection.send(message)

    def _heard(self, viewer: Viewer, text: Any) -> None:
        session = self._running()
        try:
            message = read(text)
            if message["kind"] == "ack":
                viewer.answer(message.get("number"))
            elif message["kind"] == "control":
                self._hand_over(viewer)
            elif message["kind"] == "visible":
                viewer.hidden = message.get("visible") is False
                self._look()
            elif not viewer.controls:
                msg = "page: only the page that controls may do that (got a viewer)"
                raise CircuitError(msg)
            else:
                obey(session, message)
        except CircuitError as error:
            viewer.news({"kind": "refused", "text": " ".join(str(error).split())})

    def _hand_over(self, viewer: Viewer) -> None:
        """Let a page control that may; the one that did looks from now on."""
        if not viewer.may_control:
            msg = "page: this address only looks (got no control). Use the other one"
            raise CircuitError(msg)
        for one, wake in self._viewers.items():
            if one.controls != (one is viewer):
                one.controls = one is viewer
                one.news({"kind": "role", "controls": one.controls})
                wake.set()

    def _look(self) -> None:
        """Simulate only while a page is open that somebody sees."""
        self._running().show(any(not one.hidden for one in self._viewers))

    def _running(self) -> Session:
        assert self.session is not None  # noqa: S101
        return self.session


def _answer(connection: Any, status: http.HTTPStatus, content: str | bytes,
            kind: str = "text/plain; charset=utf-8") -> Any:
    data = content.encode() if isinstance(content, str) else content
    response = connection.respond(status, "")
    for name in ("Content-Type", "Content-Length"):
        del response.headers[name]
    response.headers["Content-Type"] = kind
    response.headers["Content-Length"] = str(len(data))
    for name, value in HEADERS.items():
        response.headers[name] = value
    response.body = data
    return response
