"""Measure the live page: speed, delays, bytes, a viewer that does not read, and the repetition.

    python verify/live.py [--size 10000] [--seconds 60] [--circuit striatum] [--no-page]
        [--precision single]

Starts `neostriatum live`, a browser (Debian's chromium, driven by Playwright) and viewers of its
own. Prints a row per quantity: measured, wanted, met or not. Run it on a machine that does nothing
else. Rates after a turn of dopamine: `python verify/scenes.py`.
"""

import argparse
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

import neostriatum as ns

VIEW = "document.querySelector('.neo').neostriatum"
#: How Chromium is started: as it comes, and drawing all of the page, not the somas alone, as a
#: graphics card would that the processor computes (SwiftShader).
BROWSERS = {"": ["--no-sandbox"],
            ", all through SwiftShader": ["--no-sandbox", "--enable-unsafe-swiftshader",
                                    "--use-angle=swiftshader"]}


#: What was missed.
MISSED: list[str] = []


def row(quantity: str, measured: object, wanted: str, met: bool) -> None:
    """Print a row."""
    if not met:
        MISSED.append(quantity)
    print(f"{'met' if met else 'MISSED':<7} {quantity}: {measured} (wanted {wanted})", flush=True)


class Page:
    """A viewer that is no browser: it answers every frame, and keeps what it is told."""

    def __init__(self, address: str, token: str) -> None:
        origin = address.rstrip("/")
        self._opened = connect(f"ws{origin[4:]}/socket", origin=origin, compression=None,
                               max_size=None, ping_timeout=None)
        self.socket = self._opened.__enter__()
        self.socket.send(json.dumps({"kind": "join", "token": token}))
        self.news, self.frames, self.reading = [], [], threading.Event()
        self.reading.set()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        try:
            while True:
                self.reading.wait()
                message = self.socket.recv()
                if isinstance(message, str):
                    self.news.append((time.monotonic(), json.loads(message)))
                elif message[:1] in (b"S", b"M"):
                    number, first, count = struct.unpack_from("<IiI", message, 4)
                    self.frames.append((time.monotonic(), message[:1], first, count, len(message)))
                    self.send(kind="ack", number=number)
        except ConnectionClosed:
            return

    def send(self, **message: object) -> None:
        """Send an order."""
        self.socket.send(json.dumps(message))

    def reach(self, seconds: float, before: int) -> None:
        """Wait for simulated seconds, in the frames after so many."""
        while len(self.frames) == before or sum(self.frames[-1][2:4]) * 1e-4 < seconds:
            time.sleep(0.005)

    def until(self, kind: str, true=lambda said: True, seconds: float = 120.0) -> dict:
        """Wait for the newest message of a kind that is as wanted."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for _, said in reversed(self.news):
                if said["kind"] == kind and true(said):
                    return said
            time.sleep(0.02)
        raise TimeoutError(kind)


@contextmanager
def served(circuit: str, size: int, out: Path, precision: str = "double"):
    """Give process, address, token and the token of viewers."""
    process = subprocess.Popen(
        [sys.executable, "-m", "neostriatum", "live", circuit, "--size", str(size), "--json",
         "--out", str(out), "--precision", precision], stdout=subprocess.PIPE, text=True)
    try:
        address, _, token = json.loads(process.stdout.readline())["url"].partition("#")
        yield process, address, token
    finally:
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.wait(30)
        taken = time.monotonic() - begun
        row("Ctrl-C ends it", f"{taken:.2f} s", "2 s", taken < 2)


def memory_mb(pid: int) -> float:
    """Return the resident size of a process [MB]; 0 where the system does not tell."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf(
            "SC_PAGE_SIZE") / 1e6
    except OSError:
        return 0.0


def speed(page: Page, seconds: float) -> None:
    """Measure how much is simulated in some seconds, and the bytes of a frame."""
    first = page.until("status")
    before, begun = len(page.frames), time.monotonic()
    time.sleep(seconds)
    frames = page.frames[before:]
    last = page.until("status")
    share = 100 * (last["server_s"] - first["server_s"]) / (time.monotonic() - begun)
    row("the server's thread", f"{share:.1f} % of a core", "<= 15 %", share <= 15)
    simulated = sum(count for _, _, _, count, _ in frames) * 1e-4
    factor = simulated / (time.monotonic() - begun)
    row(f"speed over {seconds:g} s", f"{factor:.2f} x real time", ">= 1", factor >= 0.99)
    size = np.mean([length for *_, length in frames]) if frames else float("nan")
    row("bytes per frame", f"{size:.0f}", "<= 3000", size <= 3000)
    merged = sum(kind == b"M" for _, kind, *_ in frames)
    row("merged messages", merged, "0 for a page that reads", merged == 0)


def turns(page: Page) -> None:
    """Measure the delay of a turn in frames, and a storm of them."""
    late = []
    for level in (0.5, 0.3) * 5:
        page.until("status")
        stood = page.frames[-1][2] + page.frames[-1][3]
        page.send(kind="turn", values={"level.D1": level})
        said = page.until("applied", lambda one, level=level, stood=stood: one["step"] >= stood
                          and one["values"].get("level.D1") == level)
        late.append((said["step"] - stood) / 200)
        time.sleep(0.3)
    row("from a turn to its effect", f"{max(late):.0f} frames at most", "<= 2", max(late) <= 2)
    begun, before = time.monotonic(), len(page.news)
    for n in range(120):
        page.send(kind="turn", values={"level.D1": n / 120})
        time.sleep(2 / 120)
    page.send(kind="turn", values={"level.D1": 0.3})
    page.until("applied", lambda one: one["values"] == {"level.D1": 0.3})
    applied = [one for _, one in page.news[before:] if one["kind"] == "applied"]
    rate = len(applied) / (time.monotonic() - begun)
    row("changes in a storm of 120", f"{len(applied)}, {rate:.0f}/s, the last one holds",
        "<= 50/s", rate <= 50)


def sleeper(pid: int, address: str, token: str, page: Page) -> None:
    """Measure what a viewer costs that reads nothing for 30 s, and whether it comes back."""
    lazy = Page(address, token)
    lazy.until("hello")
    time.sleep(2)
    memory, before = memory_mb(pid), len(page.frames)
    lazy.reading.clear()
    time.sleep(30)
    grown = memory_mb(pid) - memory
    others = len(page.frames) - before
    gaps = np.diff([when for when, *_ in page.frames[before:]])
    row("memory for a viewer that reads nothing for 30 s", f"{grown:+.1f} MB", "<= 20",
        grown <= 20)
    row("frames of the other viewer meanwhile", f"{others}, longest gap {gaps.max():.2f} s",
        "no gap above 1 s", gaps.max() < 1.0)
    seen = len(lazy.frames)
    lazy.reading.set()
    time.sleep(3)
    kinds = {kind for _, kind, *_ in lazy.frames[seen:]}
    row("it comes back", f"{len(lazy.frames) - seen} frames, merged ones too: {b'M' in kinds}",
        "yes", len(lazy.frames) > seen + 8)
    lazy.socket.close()


def browser(url: str, seconds: float, kind: str) -> None:
    """Measure the first frame and the pictures per second of a real page."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=shutil.which("chromium"),
                                          args=BROWSERS[kind])
        page = chromium.new_page(viewport={"width": 1280, "height": 800})
        begun = time.monotonic()
        page.goto(url)
        while not page.evaluate(f"{VIEW} && {VIEW}.state.frames > 0"):
            time.sleep(0.02)
        first = time.monotonic() - begun
        row(f"first frame after the page opens{kind}", f"{first:.2f} s", "< 2 s", first < 2)
        time.sleep(2)  # it has settled
        state, begun = page.evaluate(f"{VIEW}.state"), time.monotonic()
        time.sleep(seconds)
        later, taken = page.evaluate(f"{VIEW}.state"), time.monotonic() - begun
        drawn = (later["draws"] - state["draws"]) / taken
        row(f"pictures of the page{kind}", f"{drawn:.1f}/s", ">= 20/s", drawn >= 20)
        reached = page.evaluate(f"{VIEW}.status")["reached"]
        row(f"speed beside a page that draws{kind}", f"{reached:.2f} x real time", ">= 1",
            reached >= 0.99)
        chromium.close()


def repetition(page: Page, out: Path, seconds: float, engine: str = "numba") -> None:
    """Record a session with 20 changes from its start, in simulated seconds, and repeat it."""
    first = page.until("log")["lines"][0]["number"]
    page.send(kind="back", line=first)
    page.until("branch")
    before = len(page.frames)
    turned = [("level.D1", 0.8), ("level.D2", 0.0), ("strength.FS", 0.0), ("rate.cortex", 2.2),
              ("level.D1", 0.3), ("level.D2", 0.3), ("strength.FS", 1.0), ("rate.cortex", 2.0)]
    for n in range(20):
        page.reach(seconds * (n + 1) / 21, before)
        name, value = turned[n % len(turned)]
        page.send(kind="turn", values={name: value + 0.001 * n})
    page.reach(seconds, before)
    page.send(kind="save")
    saved = page.until("saved")
    run = ns.run(events=out / "events.toml", engine=engine, figures=False, record="none",
                 out=out.parent / f"again-{engine}")
    equal = run.summary["spike_hash"] == saved["spike_hash"]
    row(f"repeated by run --events on {engine}", f"{saved['duration_ms'] / 1000:.1f} s, "
        f"{saved['events']} changes, the same hash: {equal}", "the same", equal)


def main() -> None:
    """Measure everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--circuit", default="striatum")
    parser.add_argument("--size", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--precision", default="double")
    parser.add_argument("--no-page", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        with served(given.circuit, given.size, out, given.precision) as (process, address, token):
            page = Page(address, token)
            page.until("status", lambda one: one["phase"] == "live" and one["time_ms"] > 500)
            speed(page, given.seconds)
            turns(page)
            sleeper(process.pid, address, token, page)
            for kind in () if given.no_page else BROWSERS:
                browser(f"{address}#{token}", min(given.seconds, 20.0), kind)
            repetition(page, out, given.seconds)
        out = Path(folder) / "small"
        with served(given.circuit, 300, out) as (_, address, token):
            page = Page(address, token)
            page.until("status", lambda one: one["phase"] == "live" and one["time_ms"] > 0)
            repetition(page, out, 3.0, "reference")
    sys.exit(bool(MISSED))


if __name__ == "__main__":
    main()
