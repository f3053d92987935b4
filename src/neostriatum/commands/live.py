"""A circuit that runs live on a page."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Annotated

import typer

from neostriatum.commands.app import (
    CircuitArgument,
    Json,
    Models,
    Out,
    Precision,
    Seed,
    Size,
    app,
    option,
    show,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from neostriatum.live.server import Server
    from neostriatum.live.session import Session


@app.command("live")
def live_command(
    circuit: CircuitArgument = "striatum", size: Size = None, seed: Seed = 1,
    precision: Precision = "double",
    port: Annotated[int, option("Port on this machine (any free one).", "--port", min=0,
                                max=65_535)] = 0,
    no_browser: Annotated[bool, option("Open no browser, only print the address.",
                                       "--no-browser")] = False,
    out: Out = None, models: Models = None, as_json: Json = False,
) -> None:
    """Run a circuit on a page: turn dopamine and watch what the cells do."""
    from neostriatum.live.server import Server
    from neostriatum.live.session import Session

    server = Server(port)
    try:
        session = Session(circuit, size=size, seed=seed, precision=precision, out=out,
                          publish=server.publish)
        _serve(server, session, lambda: _say(server, session, no_browser, as_json))
    finally:
        server.close()
    if session.failure is not None:
        raise session.failure
    if session.loop is not None and session.loop.at > 0 and not as_json:
        label = session.loop.label
        typer.echo(f"recorded in {label}. Results: neostriatum resume {label}")


def _serve(server: Server, session: Session, ready: Callable[[], None]) -> None:
    """Serve until Ctrl-C, which leaves the run safe."""
    import asyncio

    main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGINT)
    if main:
        signal.signal(signal.SIGINT, lambda *_: server.end())
    try:
        asyncio.run(server.serve(session, ready))
    finally:
        session.stop()
        if main:
            signal.signal(signal.SIGINT, before)


def _say(server: Server, session: Session, no_browser: bool, as_json: bool) -> None:
    """Tell where the page is, and open it."""
    show(as_json, False, {"url": server.url, "pid": os.getpid()}, lambda: [
        f"{session.circuit.name} is live at", f"  {server.url}",
        "for those who only look:", f"  {server.viewers_url}",
        "Ctrl-C ends it; what was recorded stays."])
    sys.stdout.flush()
    if not (no_browser or as_json):
        _open(server.url)


def _open(url: str) -> None:
    """Open the page in a browser, or say that there is none."""
    import webbrowser

    try:
        opened = webbrowser.open(url)
    except webbrowser.Error:
        opened = False
    if not opened:
        typer.echo("no browser could be opened: open the first address in one", err=True)
