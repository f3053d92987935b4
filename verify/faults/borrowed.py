"""State of the process that a call finds and must leave: signals, warnings, settings, folders."""

from __future__ import annotations

import contextlib
import decimal
import hashlib
import locale
import logging
import os
import random
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from busy import COMMON, SIZE, circuit, network, usual
from case import OTHER, SAME, Case

import neostriatum as ns

KIND = "borrowed"


def state() -> dict[str, Any]:
    """Return what a library must not change for those who use it."""
    import matplotlib as mpl
    import numba

    mask = os.umask(0)
    os.umask(mask)
    return {
        "handler of SIGINT": signal.getsignal(signal.SIGINT),
        "handler of SIGTERM": signal.getsignal(signal.SIGTERM),
        "rcParams": {key: str(content) for key, content in dict.items(mpl.rcParams)
                     if key != "backend"},
        "warnings.filters": list(warnings.filters), "warnings.showwarning": warnings.showwarning,
        "np.geterr": np.geterr(), "working folder": str(Path.cwd()), "umask": mask,
        "print options": {key: str(content) for key, content in np.get_printoptions().items()},
        "os.environ": {key: text for key, text in os.environ.items()
                       if key != "KMP_INIT_AT_FORK"},
        "sys.path": list(sys.path), "excepthook": sys.excepthook,
        "stdout and stderr": (sys.stdout, sys.stderr),
        "random": random.getstate(), "np.random": str(np.random.get_state()),  # noqa: NPY002
        "level of logging": logging.getLogger().level,
        "handlers": list(logging.getLogger().handlers),
        "decimal context": str(decimal.getcontext()), "locale": locale.setlocale(locale.LC_ALL),
        "threads of Numba": numba.get_num_threads(), "recursion limit": sys.getrecursionlimit(),
        "threads": sum(not item.daemon for item in threading.enumerate()),
    }


def figures_open() -> int:
    """Return how many figures pyplot holds."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    return len(pyplot.get_fignums()) if pyplot else 0


def ran(folder: Path, **options: Any) -> Any:
    """Run the busy circuit."""
    del folder
    return ns.run(circuit(), network=network(), **{**COMMON, **options})


CALLS: dict[str, Callable[[Path], Any]] = {
    "load": lambda folder: ns.load("striatum_v1", overlay="dense"),
    "build": lambda folder: ns.build("striatum_v1", size=60, threads=1),
    "run": ran, "run of numba": lambda folder: ran(folder, engine="numba", threads=1),
    "run with figures": lambda folder: ran(folder, figures=True),
    "a run that is refused": lambda folder: _refused(lambda: ran(folder, duration="20 mV")),
    "resume": lambda folder: ns.resume(ran(folder), duration="22 ms"),
    "rerun": lambda folder: ns.rerun(ran(folder)),
    "report": lambda folder: ns.report(ran(folder), out="r.html"),
    "draw": lambda folder: ns.draw(ran(folder), ["raster"], out="f", formats=["svg", "pdf"]),
    "plot": lambda folder: ns.plot.raster(ran(folder)),
    "cell": lambda folder: ns.cell("dSPN", current="270 pA", duration="5 ms"),
    "pair": lambda folder: ns.pair("FS", "dSPN", duration="30 ms"),
    "pair_recordings": lambda folder: ns.pair_recordings(network(), "FS->dSPN", pairs=10),
    "estimate": lambda folder: ns.estimate("striatum_v1", 1000),
    "construct": lambda folder: ns.construct(size=30, out="n.h5", threads=1),
    "anatomy": lambda folder: ns.anatomy(network()),
    **{f"export to {to}": lambda folder, to=to: ns.export(ran(folder), to=to, out="x")
       for to in ("csv", "sonata", "nwb", "neo")},
    "load_network": lambda folder: ns.load_network(network().save("n.h5")),
}


def _refused(call: Callable[[], Any]) -> None:
    with contextlib.suppress(ns.NeostriatumError):
        call()


def _left(call: Callable[[Path], Any]) -> Callable[[Path], list[str]]:
    def run(folder: Path) -> list[str]:
        call(folder)  # imports what it needs, which may set things once
        before, figures = state(), figures_open()
        call_again = call if call is not CALLS["construct"] else CALLS["build"]
        os.chdir(_fresh(folder))
        before["working folder"] = str(Path.cwd())
        call_again(folder)
        after = state()
        changed = [key for key in before if before[key] != after[key]]
        return changed + (["figures of pyplot"] if figures_open() > figures + 1 else [])

    return run


def _fresh(folder: Path) -> Path:
    path = folder.parent / "again"
    path.mkdir()
    return path


@contextlib.contextmanager
def handled(handler: Any) -> Iterator[None]:
    """Give SIGINT a handler for a while."""
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def foreign() -> Iterator[list[Any]]:
    """Let SIGINT have a handler that Python does not know, as one that was set in C."""
    true_signal, true_getsignal, now = signal.signal, signal.getsignal, [None]

    def set_one(number: int, handler: Any) -> Any:
        if number != signal.SIGINT:
            return true_signal(number, handler)
        if handler is None:
            msg = "signal handler must be signal.SIG_IGN, signal.SIG_DFL, or a callable object"
            raise TypeError(msg)
        before, now[0] = now[0], handler
        return before

    def get_one(number: int) -> Any:
        return now[0] if number == signal.SIGINT else true_getsignal(number)

    signal.signal, signal.getsignal = set_one, get_one  # type: ignore[assignment]
    try:
        yield now
    finally:
        signal.signal, signal.getsignal = true_signal, true_getsignal


def interrupting(phase: str = "simulate") -> Callable[[str, float], None]:
    """Return a progress that sends SIGINT to this process, once."""
    sent: list[int] = []

    def tell(name: str, share: float) -> None:
        if name == phase and not sent:
            sent.append(1)
            os.kill(os.getpid(), signal.SIGINT)

    return tell


def hashed(run: Any) -> str:
    """Return the hash of a run's spikes."""
    return run.summary["spike_hash"][:12]


def _signals() -> list[Case]:
    def own(number: int, frame: Any) -> None:
        del number, frame

    def keeps(handler: Any, call: Callable[[Path], Any]) -> Callable[[Path], bool]:
        def run(folder: Path) -> bool:
            with handled(handler):
                call(folder)
                return signal.getsignal(signal.SIGINT) is handler

        return run

    def unknown(call: Callable[[Path], Any], files: tuple[str, ...]) -> Callable[[Path], Any]:
        def run(folder: Path) -> Any:
            with foreign() as now:
                result = call(folder)
            left = [name for name in files if any(result.folder.glob(name))]
            return now, left, hashed(result)

        return run

    def ignored(folder: Path) -> str:
        with handled(signal.SIG_IGN):
            return hashed(ran(folder, progress=interrupting()))

    def stopped(folder: Path) -> str:
        with handled(signal.default_int_handler):
            try:
                ran(folder, out="r", checkpoint_every="0 s", progress=interrupting())
            except KeyboardInterrupt:
                kept = signal.getsignal(signal.SIGINT) is signal.default_int_handler
                return hashed(ns.resume("r", network=network())) if kept else "another handler"
        return "not interrupted"

    def in_thread(folder: Path) -> tuple[str, bool]:
        listed: list[str] = []
        before = signal.getsignal(signal.SIGINT)
        thread = threading.Thread(target=lambda: listed.append(hashed(ran(folder))))
        thread.start()
        thread.join()
        return listed[0], signal.getsignal(signal.SIGINT) is before

    working = ("manifest.jsonl", "chunk-*", ".lock*", ".*.tmp")
    handlers = {"None": None, "SIG_IGN": signal.SIG_IGN, "SIG_DFL": signal.SIG_DFL, "own": own,
                "default": signal.default_int_handler}
    again = {"run": ran, "resume": lambda folder: ns.resume(ran(folder), duration="22 ms"),
             "rerun": lambda folder: ns.rerun(ran(folder))}
    listed = [Case(f"handler {label} is kept by {road}", keeps(handler, call))
             for label, handler in handlers.items() if handler is not None
             for road, call in again.items()]
    listed += [Case("a handler set in C, run", unknown(ran, working), SAME,
                   lambda: ([None], [], usual())),
              Case("a handler set in C, rerun", unknown(again["rerun"], working), SAME,
                   lambda: ([None], [], usual())),
              Case("a handler set in C, resume", lambda folder: unknown(
                  again["resume"], working)(folder)[:2], SAME, ([None], [])),
              Case("a handler set in C, with figures", lambda folder: unknown(
                  lambda place: ran(place, figures=True), working)(folder)[1:], SAME,
                  lambda: ([], usual()))]
    return [*listed, Case("SIGINT while it is ignored", ignored, SAME, usual),
            Case("SIGINT, then resume", stopped, SAME, usual),
            Case("run in a thread", in_thread, SAME, lambda: (usual(), True))]


def _found() -> list[Case]:
    """Return states that a call finds and must bear."""
    @contextlib.contextmanager
    def masked(mask: int) -> Iterator[None]:
        before = os.umask(mask)
        try:
            yield
        finally:
            os.umask(before)

    @contextlib.contextmanager
    def strict() -> Iterator[None]:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            yield

    @contextlib.contextmanager
    def drawn(**settings: Any) -> Iterator[None]:
        import matplotlib as mpl

        with mpl.rc_context({key.replace("_", "."): content for key, content in settings.items()}):
            yield

    states = {"np.seterr raise": lambda: np.errstate(all="raise"), "warnings as errors": strict,
              "umask 077": lambda: masked(0o077), "umask 777": lambda: masked(0o777),
              "decimals of 3": lambda: decimal.localcontext(decimal.Context(prec=3)),
              "prints of 2 digits": lambda: np.printoptions(precision=2),
              "usetex": lambda: drawn(text_usetex=True), "savefig as pdf": lambda: drawn(
                  savefig_format="pdf"), "tight": lambda: drawn(savefig_bbox="tight"),
              "black": lambda: drawn(axes_facecolor="black")}

    def bears(make: Callable[[], Any], **options: Any) -> Callable[[Path], Any]:
        def run(folder: Path) -> Any:
            with make():
                result = ran(folder, **options)
            if not options:
                return hashed(result)
            return {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:8]
                    for path in sorted((result.folder / "figures").iterdir())}

        return run

    def usual_figures() -> Any:
        import tempfile

        with tempfile.TemporaryDirectory() as place:
            return bears(contextlib.nullcontext, figures=True, out=f"{place}/r")(Path())

    drawing = ("usetex", "savefig as pdf", "tight", "black", "prints of 2 digits")
    return [*(Case(f"{label}, run", bears(make), SAME, usual) for label, make in states.items()
              if label not in drawing or label == "prints of 2 digits"),
            *(Case(f"{label}, figures of the same bytes", bears(states[label], figures=True), SAME,
                   usual_figures) for label in drawing),
            Case("another seed of random numbers, the same spikes", lambda folder: (
                random.seed(7), np.random.seed(7), hashed(ran(folder)))[2], SAME, usual),  # noqa: NPY002
            Case("another circuit, other spikes", lambda folder: hashed(
                ns.run("striatum_v1", size=SIZE, changes={"warmup": "0 ms"}, **COMMON)),
                OTHER, usual)]


def cases() -> list[Case]:
    """Return every case of this kind."""
    return [*(Case(f"{label} leaves the process as it was", _left(call), SAME, [])
              for label, call in CALLS.items()), *_signals(), *_found()]
