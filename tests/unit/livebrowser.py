"""A real browser for the tests of the live page; they are skipped where there is none."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

#: Software rendering, and no sandbox: tests run as root in containers.
ARGUMENTS = ["--no-sandbox", "--enable-unsafe-swiftshader", "--use-angle=swiftshader"]
VIEW = "document.querySelector('.neo').neostriatum"


def program() -> str:
    """Return the browser, or skip the test with the reason."""
    pytest.importorskip("playwright", reason="playwright is not installed (extra [dev])")
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        if os.environ.get("NEOSTRIATUM_REQUIRE_BROWSER") == "1":
            pytest.fail("no chromium, and NEOSTRIATUM_REQUIRE_BROWSER=1", pytrace=False)
        pytest.skip("no chromium in the path")
    return found


class Opened:
    """A page, what it complained of and what it asked for."""

    def __init__(self, page: Any) -> None:
        self.page, self.complaints, self.requests = page, [], []
        page.on("console", lambda one: self.complaints.append(f"{one.type}: {one.text}"))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda one: self.requests.append(one.url))
        page.on("websocket", lambda one: self.requests.append(one.url))

    def evaluate(self, text: str) -> Any:
        """Return what a script says."""
        return self.page.evaluate(text)

    def until(self, text: str, seconds: float = 60.0) -> Any:
        """Wait until a script says something true: the policy forbids the library's own wait."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if said := self.page.evaluate(text):
                return said
            time.sleep(0.05)
        raise AssertionError(text, self.complaints)


@contextmanager
def browser(**options: Any) -> Iterator[Opened]:
    """Give a page of the options of a browser's context."""
    path = program()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            context = chromium.new_context(**{"viewport": {"width": 1280, "height": 800}} | options)
            yield Opened(context.new_page())
        finally:
            chromium.close()


PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True,
         "device_scale_factor": 2}

#: Text whose contrast with what lies behind it is below 4.5, and what sticks out of the page.
FAULTS = """() => {
  const faults = [], root = document.querySelector('.neo');
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((x) => x / 255)
    .map((x) => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4)
    .reduce((sum, x, k) => sum + x * [0.2126, 0.7152, 0.0722][k], 0);
  for (const one of root.querySelectorAll('*')) {
    const box = one.getBoundingClientRect();
    const text = [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!box.width || !box.height || getComputedStyle(one).visibility !== 'visible') continue;
    if (one.closest('.unseen, .uplot, option, :disabled')) continue;
    if (box.right > document.documentElement.clientWidth + 1) {
      faults.push(`sticks out: ${one.tagName}.${one.className}`);
    }
    if (!text) continue;
    let ground = one, colour;
    while (ground && (colour = rgb(getComputedStyle(ground).backgroundColor))[3] === 0) {
      ground = ground.parentElement;
    }
    const [high, low] = [rgb(getComputedStyle(one).color), colour].map(light).sort((a, b) => b - a);
    if ((high + 0.05) / (low + 0.05) < 4.5) {
      faults.push(`${((high + 0.05) / (low + 0.05)).toFixed(2)}: ${one.textContent.slice(0, 40)}`);
    }
  }
  for (const one of root.querySelectorAll('button, input, select')) {
    const labels = one.labels && [...one.labels].map((label) => label.textContent).join('');
    if (!(one.getAttribute('aria-label') || labels || one.textContent.trim())) {
      faults.push(`no name: ${one.outerHTML.slice(0, 80)}`);
    }
  }
  return faults;
}"""
