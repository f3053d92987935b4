"""The server of the live page: who gets in, what is refused, and pages that do not keep up."""

import asyncio
import http.client
import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import pytest
from livesession import SIZE, until

from neostriatum.errors import CircuitError, LibraryMissing
from neostriatum.live import server as module
from neostriatum.live.frames import Window
from neostriatum.live.orders import obey, read
from neostriatum.live.session import Session
from neostriatum.live.site import HEADERS, pages
from neostriatum.live.viewer import AHEAD, NEWS, Viewer

pytest.importorskip("websockets", reason="the extra [live] is not installed")

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect


@pytest.fixture(scope="module")
def running(tmp_path_factory) -> Iterator[module.Server]:
    """A server with a small session, in a thread of its own."""
    made = module.Server()
    session = Session("striatum_v1", size=SIZE, publish=made.publish,
                      out=tmp_path_factory.mktemp("live") / "run")
    thread = threading.Thread(target=lambda: asyncio.run(made.serve(session, lambda: None)))
    thread.start()
    until(lambda: session.phase == "live")
    yield made
    made.end()
    thread.join(10)
    session.stop(10)
    made.close()
    assert not thread.is_alive()
    assert session.failure is None


@contextmanager
def page(running: module.Server, token: str | None = None, **options: Any) -> Iterator[Any]:
    """Give a socket as a page opens it."""
    origin = options.pop("origin", f"http://127.0.0.1:{running.port}")
    with connect(f"ws://127.0.0.1:{running.port}/socket", origin=origin, compression=None,
                 open_timeout=5, max_size=None, **options) as ws:
        ws.send(json.dumps({"kind": "join", "token": token or running.token}))
        yield ws


def news(ws: Any, kind: str, seconds: float = 10.0) -> dict[str, Any]:
    """Return the next message of a kind; frames are answered meanwhile."""
    end = time.monotonic() + seconds
    while True:
        text = ws.recv(timeout=end - time.monotonic())
        if isinstance(text, bytes):
            if text[:1] in b"SM":
                ws.send(json.dumps({"kind": "ack", "number": number(text)}))
            continue
        message = json.loads(text)
        if message["kind"] == kind:
            return message


def number(frame: bytes) -> int:
    """Return the number of a frame."""
    return struct.unpack_from("<I", frame, 4)[0]


def get(running: module.Server, path: str, host: str | None = None,
        origin: str | None = None) -> tuple[int, Any, bytes]:
    """Return status, headers and content of a page."""
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=5)
    connection.putrequest("GET", path, skip_host=True)
    connection.putheader("Host", host or f"127.0.0.1:{running.port}")
    if origin is not None:
        connection.putheader("Origin", origin)
    connection.endheaders()
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read()


# ---- the page ------------------------------------------------------------------------------------

def test_every_file_of_the_page_is_served_with_a_strict_policy(running) -> None:
    for path, (kind, content) in pages().items():
        status, headers, got = get(running, path)
        assert (status, headers["Content-Type"], got) == (200, kind, content)
        for name, value in HEADERS.items():
            assert headers.get_all(name) == [value]
    assert "unsafe" not in HEADERS["Content-Security-Policy"]
    assert "default-src 'none'" in HEADERS["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/x", "/../pyproject.toml", "/%2e%2e/run.json", "//etc/passwd",
                                  "/static/", "/scenes.toml", "/uPlot.LICENSE/.."])
def test_nothing_else_is_served(running, path: str) -> None:
    assert get(running, path)[0] == 404


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1", "localhost:1",
                                  "127.0.0.1.evil.example"])
def test_another_host_is_refused(running, host: str) -> None:
    assert get(running, "/", host)[0] == 403
    assert get(running, "/socket", host)[0] == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "", "http://127.0.0.1:1"])
def test_a_page_for_a_foreign_origin_is_refused(running, origin: str) -> None:
    assert get(running, "/", origin=origin)[0] == 403
    assert get(running, "/main.js", origin=origin)[0] == 403
    assert get(running, "/", origin=f"http://localhost:{running.port}")[0] == 200


def test_it_listens_on_this_machine_alone(running) -> None:
    assert running._socket.getsockname()[0] == "127.0.0.1"


def test_the_token_is_in_the_fragment_alone(running) -> None:
    address, _, token = running.url.partition("#")
    assert token == running.token
    assert len(token) == 64
    assert running.token not in address
    assert running.token != running.looking


# ---- the socket ----------------------------------------------------------------------------------

@pytest.mark.parametrize("origin", ["http://evil.example", None, "null", "http://127.0.0.1:1"])
def test_a_foreign_origin_is_refused(running, origin) -> None:
    with pytest.raises(InvalidStatus) as refused, page(running, origin=origin):
        pass
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("first", [
    {"kind": "join", "token": "0" * 64}, {"kind": "join"}, {"kind": "join", "token": 7},
    {"kind": "turn", "values": {"level.D1": 1}}, [], "x"])
def test_without_its_token_nobody_is_told_anything(running, first) -> None:
    with connect(f"ws://127.0.0.1:{running.port}/socket",
                 origin=f"http://127.0.0.1:{running.port}") as ws:
        ws.send(json.dumps(first))
        with pytest.raises(ConnectionClosed) as closed:
            ws.recv(timeout=5)
    assert closed.value.rcvd.code == 1008


def test_a_page_is_greeted_and_its_frames_come_in_order(running) -> None:
    with page(running) as ws:
        hello = json.loads(ws.recv(timeout=5))
        assert hello["kind"] == "hello"
        assert hello["controls"] is True
        assert hello["counts"] == running.session.circuit.counts(SIZE)
        assert {"level.D1", "level.D2"} <= {knob["name"] for knob in hello["knobs"]}
        assert ws.recv(timeout=5)[:1] == b"P"
        numbers = []
        while len(numbers) < 20:
            message = ws.recv(timeout=5)
            if isinstance(message, bytes):
                numbers.append(number(message))
                ws.send(json.dumps({"kind": "ack", "number": numbers[-1]}))
        assert numbers == list(range(1, 21))
        first, later = news(ws, "status"), news(ws, "status")
        assert 0 < first["server_s"] < later["server_s"] < first["server_s"] + 5


def test_one_page_controls_and_the_others_look(running) -> None:
    with page(running) as first:
        assert news(first, "hello")["controls"] is True
        with page(running, running.looking) as other:
            hello = news(other, "hello")
            assert hello["controls"] is False
            assert hello["viewers_url"] is None
            for order in ({"kind": "turn", "values": {"level.D1": 1}}, {"kind": "save"}):
                other.send(json.dumps(order))
                assert "only the page that controls" in news(other, "refused")["text"]
            other.send(json.dumps({"kind": "control"}))
            assert "only looks" in news(other, "refused")["text"]
        with page(running) as second:
            assert news(second, "hello")["controls"] is False
            second.send(json.dumps({"kind": "control"}))
            assert news(second, "role")["controls"] is True
            assert news(first, "role")["controls"] is False
        assert news(first, "role")["controls"] is True  # the other has left
        assert running.session.values["level.D1"] == 0.3


def test_a_turn_is_applied_within_two_frames_and_everybody_is_told(running) -> None:
    with page(running) as ws, page(running, running.looking) as other:
        news(ws, "hello")
        frames = []
        ws.send(json.dumps({"kind": "turn", "values": {"level.D2": 0.5}}))
        while True:
            message = ws.recv(timeout=5)
            if isinstance(message, bytes):
                if message[:1] == b"S":
                    frames.append(struct.unpack_from("<i", message, 8)[0])
                ws.send(json.dumps({"kind": "ack", "number": number(message)}))
            elif json.loads(message)["kind"] == "applied":
                applied = json.loads(message)
                break
        # Frames that were on their way when the order was sent come before it.
        assert sum(first < applied["step"] for first in frames) <= AHEAD + 2
        assert news(other, "applied")["values"] == {"level.D2": 0.5}
        ws.send(json.dumps({"kind": "turn", "values": {"level.D2": 0.3}}))
        news(ws, "applied")


@pytest.mark.parametrize("order", [
    {"kind": "turn", "values": {"level.D9": 1}}, {"kind": "turn", "values": {"level.D1": 1e9}},
    {"kind": "turn", "values": {"cells.dSPN.parameters.C": 1}}, {"kind": "speed", "speed": 0},
    {"kind": "turn", "values": {"level.D1": "0.5"}}, {"kind": "watch", "cell": -1},
    {"kind": "open", "path": "/etc/passwd"}, {"kind": 1}, [], "x" * 1000,
    {"kind": "back", "line": "../../x"}, {"kind": "lesson", "name": "burst"}, {"kind": "lesson"}])
def test_what_no_page_may_ask_is_refused_and_the_server_lives(running, order) -> None:
    with page(running) as ws:
        news(ws, "hello")
        ws.send(json.dumps(order))
        assert news(ws, "refused")["text"]
    assert get(running, "/")[0] == 200


def test_a_frame_of_a_megabyte_ends_the_connection_alone(running) -> None:
    with page(running) as ws:
        news(ws, "hello")
        ws.send("x" * 1_000_000)
        with pytest.raises(ConnectionClosed) as closed:
            news(ws, "none")
    assert closed.value.rcvd.code == 1009
    assert get(running, "/")[0] == 200


def test_a_thousand_connections_do_not_stop_it(running) -> None:
    """Most say nothing: they are turned away or wait for their time to be over."""
    with ExitStack() as held:
        for _ in range(1000):
            made = socket.create_connection(("127.0.0.1", running.port), timeout=5)
            held.callback(made.close)
        assert get(running, "/")[0] == 200
        with page(running) as ws:
            assert news(ws, "hello")["controls"] is True


def test_too_many_pages_are_turned_away(running) -> None:
    with ExitStack() as held:
        for _ in range(module.MOST):
            held.enter_context(page(running, running.looking))
        until(lambda: running._connections == module.MOST)
        with pytest.raises(InvalidStatus) as refused, page(running):
            pass
        assert refused.value.response.status_code == 503
    until(lambda: running._connections == 0)


# ---- pages that do not keep up -------------------------------------------------------------------

def window(first: int, spikes: int = 250) -> Window:
    """Return a window of ten thousand neurons."""
    return Window(first, 200, np.full(spikes, first), np.arange(spikes), np.zeros(5),
                  np.zeros(200), np.zeros((0, 0), np.uint8), np.array([spikes]))


def test_a_page_that_reads_nothing_costs_little_and_comes_back() -> None:
    viewer = Viewer()
    for n in range(100_000):
        viewer.offer(window(200 * n))
        if n % 1000 == 0:
            viewer.news({"kind": "applied", "values": {"level.D1": 0.5}, "n": n})
    assert viewer.waiting < 60_000
    assert viewer.sent == AHEAD
    taken = [message for message in iter(viewer.take, None) if isinstance(message, bytes)]
    assert [number(one) for one in taken] == list(range(1, AHEAD + 1))
    viewer.answer(AHEAD)
    merged = viewer.take()  # at once: after a pause no window would bring it
    viewer.offer(window(200 * 100_000))
    frame = viewer.take()
    assert struct.unpack_from("<cBHIiII", merged) == (
        b"M", 0, 1, AHEAD + 1, 200 * AHEAD, 200 * (100_000 - AHEAD), 100_000 - AHEAD)
    assert (frame[:1], number(frame)) == (b"S", AHEAD + 2)


def test_answers_that_make_no_sense_open_no_window() -> None:
    viewer = Viewer()
    for n in range(AHEAD):
        viewer.offer(window(n))
    for said in (10**9, -1, "3", None, 2.5):
        viewer.answer(said)
    assert viewer.answered == 0
    viewer.answer(3)
    viewer.answer(2)
    assert viewer.answered == 3


def test_lost_news_are_noticed() -> None:
    viewer = Viewer()
    for n in range(NEWS + 1):
        viewer.news({"kind": "status", "n": n})
    assert viewer.behind
    for _ in range(NEWS):
        viewer.take()
    assert viewer.take() is None


# ---- orders, ports, libraries --------------------------------------------------------------------

@pytest.mark.parametrize("text", ["", "{", "[]", '{"kind": 1}', "[" * 5000, b"{}", "x" * 70_000])
def test_messages_that_are_none(text) -> None:
    with pytest.raises(CircuitError, match=r"^message: must be"):
        read(text)


def test_an_unknown_order_is_refused() -> None:
    with pytest.raises(CircuitError, match="message: kind must be"):
        obey(None, {"kind": "quit"})


def test_a_port_that_is_taken_is_named(running) -> None:
    with pytest.raises(CircuitError, match=f"--port: {running.port} cannot be used"):
        module.bound(running.port)


def test_without_the_library_it_says_what_to_install(monkeypatch) -> None:
    import builtins

    real = builtins.__import__

    def without(name, *arguments, **more):
        if name.startswith("websockets"):
            raise ImportError(name)
        return real(name, *arguments, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(LibraryMissing, match=r"pip install neostriatum\[live\]"):
        module.Server()
