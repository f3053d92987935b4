"""Take the pictures of the live page, still and moving, in Debian's chromium.

    python verify/live_pictures.py [FOLDER] [--size 4000] [--only light dark phone film]

Nothing is kept: each picture is of a session of the moment, in which dopamine rises from 0.3 to 0.8
after four seconds. FOLDER is docs/figures by default. The film is a GIF that plays three times.
"""

from __future__ import annotations

import argparse
import io
import re
import shutil
import tempfile
import threading
import time
from asyncio import run
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from neostriatum.live.server import Server
from neostriatum.live.session import Session

VIEW = "document.querySelector('.neo').neostriatum"
#: Software rendering, and no sandbox, as containers have neither.
ARGUMENTS = ["--no-sandbox", "--enable-unsafe-swiftshader", "--use-angle=swiftshader"]
DESK = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True,
         "device_scale_factor": 1.5}
TURN_MS, END_MS = 4000.0, 6500.0
#: A phone shows two seconds.
PHONE_END_MS = 5200.0
#: Steps of a millisecond.
STEPS = 10
#: The film: a picture per so much simulated time, how long it stands, its size and its colours.
EVERY_MS, STANDS_MS, FILM, COLOURS = 140.0, 150, (960, 458), 96
#: What of the page the film shows: all below the bar and above the log.
PART = {"x": 0, "y": 46, "width": 1280, "height": 611}


@contextmanager
def served(size: int) -> Iterator[Server]:
    """Give a server with a session of the default circuit, as it begins to run."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server()
        session = Session("striatum", size=size, publish=server.publish,
                          out=Path(folder) / "run")
        thread = threading.Thread(target=lambda: run(server.serve(session, lambda: None)))
        thread.start()
        try:
            while session.phase != "live":
                time.sleep(0.1)
            yield server
        finally:
            server.end()
            thread.join(20)
            session.stop(20)
            server.close()


def reach(page: Page, session: Any, time_ms: float) -> None:
    """Go on window by window to a time, so that the page draws every spike, however slow it is."""
    while session.time_ms < time_ms:
        before = session.time_ms
        session.step()
        while session.time_ms == before or page.evaluate(f"{VIEW}.store.step") < STEPS * before:
            page.wait_for_timeout(2)
    page.wait_for_timeout(300)


def turn(page: Page) -> None:
    """Raise dopamine, as a person does."""
    knob = page.get_by_label("D1 receptors", exact=True).last
    knob.focus()
    for _ in range(50):
        page.keyboard.press("ArrowRight")
    page.evaluate("document.activeElement.blur()")


def palette_of(page: Page, picture: Image.Image) -> Image.Image:
    """Return the colours of a picture and those of the cell types, whose dots are few."""
    types = page.evaluate(f"{VIEW}.raster.colours")
    colours = [tuple(map(int, re.findall(r"\d+", one))) for one in types]
    wide, high = picture.size
    source = Image.new("RGB", (wide, high * (1 + len(colours))))
    source.paste(picture)
    for number, colour in enumerate(colours, start=1):
        source.paste(colour, (0, number * high, wide, (number + 1) * high))
    return source.quantize(COLOURS)


def film(page: Page, session: Any, path: Path) -> None:
    """Take a picture every so often, before the turn and after it."""
    pictures, at = [], session.time_ms
    while at < END_MS:
        at += EVERY_MS
        if at - EVERY_MS < TURN_MS <= at:
            turn(page)
        reach(page, session, at)
        taken = Image.open(io.BytesIO(page.screenshot(clip=PART))).convert("RGB")
        pictures.append(taken.resize(FILM, Image.Resampling.LANCZOS))
    palette = palette_of(page, pictures[-1])
    drawn = [one.quantize(palette=palette, dither=Image.Dither.NONE) for one in pictures]
    drawn[0].save(path, save_all=True, append_images=drawn[1:], loop=2, optimize=True,
                  duration=[STANDS_MS] * (len(drawn) - 1) + [3000])


def still(page: Page, session: Any, path: Path) -> None:
    """Take one picture after the turn."""
    reach(page, session, TURN_MS)
    turn(page)
    reach(page, session, PHONE_END_MS if "phone" in path.name else END_MS)
    page.screenshot(path=path)


def main() -> None:
    """Take those that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("docs/figures"))
    parser.add_argument("--size", type=int, default=4000)
    parser.add_argument("--only", nargs="+", default=["light", "dark", "phone", "film"])
    given = parser.parse_args()
    browser = shutil.which("chromium")
    for kind in given.only:
        options = PHONE if kind == "phone" else DESK
        scheme = "light" if kind == "light" else "dark"
        with served(given.size) as server, sync_playwright() as driver:
            page = driver.chromium.launch(executable_path=browser, args=ARGUMENTS).new_context(
                color_scheme=scheme, **options).new_page()
            server.session.play(False)
            page.goto(server.url)
            while not page.evaluate(f"{VIEW}?.store?.step >= 0"):
                page.wait_for_timeout(100)
            path = given.folder / ("live.gif" if kind == "film" else f"live-{kind}.png")
            if kind == "film":
                reach(page, server.session, TURN_MS - 1500)
            (film if kind == "film" else still)(page, server.session, path)
            print(path, f"{path.stat().st_size / 1024:.0f} kB", flush=True)


if __name__ == "__main__":
    main()
