"""The live page in a real browser: what it draws, what it asks for, how it is read and turned."""

import asyncio
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from livebrowser import FAULTS, PHONE, VIEW, browser
from livesession import until
from test_learning_circuits import circuit

import neostriatum as ns

pytest.importorskip("websockets", reason="the extra [live] is not installed")
pytestmark = pytest.mark.slow

from neostriatum.live.server import Server  # noqa: E402
from neostriatum.live.session import Session  # noqa: E402


@contextmanager
def served(circuit, size, out):
    """Give a server with a small session."""
    server = Server()
    session = Session(circuit, size=size, publish=server.publish, out=out)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(session, lambda: None)))
    thread.start()
    until(lambda: session.phase == "live", 120)
    yield server
    server.end()
    thread.join(20)
    session.stop(20)
    server.close()
    assert session.failure is None


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """A server with a small session of the default circuit."""
    with served("striatum", 400, tmp_path_factory.mktemp("live") / "run") as server:
        yield server


def opened(made, running, frames=5):
    """Open the page and wait until it has drawn some frames."""
    running.session.play(True)
    made.page.goto(running.url)
    made.until(f"{VIEW} && {VIEW}.state.frames > {frames} && {VIEW}.state.draws > 2")


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("device", [{}, PHONE], ids=["desk", "phone"])
def test_it_can_be_read_everywhere(running, scheme, device) -> None:
    """Contrast, nothing outside the page, names for all that can be pressed; no complaint."""
    with browser(color_scheme=scheme, reduced_motion="reduce", **device) as made:
        opened(made, running)
        tabs = made.evaluate("document.querySelectorAll('.tabs button').length") if device else 1
        for tab in range(tabs):
            made.evaluate(f"document.querySelectorAll('.tabs button')[{tab}].click()")
            time.sleep(0.3)
            assert made.evaluate(FAULTS) == []
        assert made.complaints == []
        assert made.requests
        for url in made.requests:
            assert url.split("://")[1].startswith(f"127.0.0.1:{running.port}/"), url


def test_knobs_keys_log_and_saving(running) -> None:
    session = running.session
    with browser(reduced_motion="reduce", color_scheme="dark") as made:
        opened(made, running)
        made.page.get_by_label("D1 receptors", exact=True).focus()
        made.page.keyboard.press("End")
        until(lambda: session.values["level.D1"] == 1.0)
        assert session.values["level.D2"] == 1.0  # together
        made.until("document.querySelector('.lines').textContent.includes('0.3 → 1')")
        made.page.keyboard.press("h")
        until(lambda: session.values["level.D1"] == 0.3)
        made.page.keyboard.press("p")
        until(lambda: any(one.label.startswith("end of pulse") for one in session.history.lines))
        made.page.locator("body").click(position={"x": 5, "y": 795})
        made.page.keyboard.press(" ")
        until(lambda: not session.playing)
        stood = session.time_ms
        made.page.keyboard.press("s")
        until(lambda: session.time_ms > stood)
        made.page.get_by_role("button", name="save the run and its events").click()
        made.until("document.querySelector('.saved').textContent.includes('run --events')")
        made.page.keyboard.press("l")
        assert made.evaluate("document.querySelector('.neo').dataset.theme") == "light"
        before = session.history.lines[-1].number
        made.page.get_by_role("button", name="go back to before end of pulse").click()
        until(lambda: session.history.lines[-1].number < before)
        made.until("!document.querySelector('.lines').textContent.includes('end of pulse')")
        made.page.keyboard.press(" ")
        until(lambda: session.playing)
        assert made.complaints == []


def test_the_page_counts_the_rates_of_the_simulation(running, tmp_path) -> None:
    """What the cards say is what the run folder has."""
    session = running.session
    with browser(reduced_motion="reduce") as made:
        opened(made, running)
        made.page.keyboard.press("r")
        until(lambda: session.time_ms < 2000)
        until(lambda: session.time_ms > 3000, 60)
        session.play(False)
        made.until(f"Math.abs({VIEW}.store.step * 0.1 - {session.time_ms}) < 60")
        session.save()
        made.until("document.querySelector('.saved').textContent.includes('Saved')")
        means = made.evaluate(f"{VIEW}.store.means(60)")
        merged = made.evaluate(f"{VIEW}.store.lost")
    session.play(True)
    run = ns.Run(session.loop.folder)
    whole = means[0]["seconds"]
    for (name, rates), seen in zip(run.rates().items(), means, strict=True):
        spikes = rates.mean() * run.duration_ms / 1000 / whole
        assert seen["mean"] == pytest.approx(spikes, rel=0.1), (name, merged)


#: Columns of the raster's buffer that change when it is drawn again from what the page has kept.
CHANGED = f"""() => {{
  const {{ raster }} = {VIEW}, {{ width, height }} = raster.buffer;
  const read = () => raster.ink.getImageData(0, 0, width, height).data;
  const before = read();
  raster.again();
  const after = read(), columns = new Set();
  for (let k = 0; k < before.length; k += 1) {{
    if (before[k] !== after[k]) columns.add((k >> 2) % width);
  }}
  return columns.size;
}}"""


def test_spikes_drawn_again_are_those_of_the_shown_seconds(running) -> None:
    """Light or dark, a new size: seconds that have left the picture do not come back into it."""
    session = running.session
    with browser(reduced_motion="reduce") as made:
        opened(made, running)
        begun = session.time_ms
        session.hurry(10)
        until(lambda: session.time_ms > begun + 9000, 90)
        session.hurry(1)
        session.play(False)
        time.sleep(1)
        # At the edge between the newest and the oldest, a few columns are wiped ahead.
        assert made.evaluate(CHANGED) <= 8
        assert made.complaints == []
    session.play(True)


def test_a_scene_asks_first_and_answers_then(running) -> None:
    with browser(reduced_motion="reduce") as made:
        opened(made, running)
        made.page.keyboard.press("1")
        made.until("document.querySelectorAll('.choice').length > 2")
        made.page.locator(".choice").first.click()
        made.until("document.querySelector('.neo').classList.contains('blind')")
        until(lambda: running.session.values["level.D1"] == 0.0)
        running.session.hurry(10)
        made.until("document.querySelector('.scene table')", 90)
        running.session.hurry(1)
        assert not made.evaluate("document.querySelector('.neo').classList.contains('blind')")
        assert made.complaints == []


def test_lessons_of_a_circuit_that_learns(tmp_path) -> None:
    """The buttons are there, change the log, and weights are told."""
    with served(circuit(), 100, tmp_path / "run") as learns, browser(
            reduced_motion="reduce") as made:
        opened(made, learns)
        for name in ("Reward", "Dopamine burst", "Dopamine dip"):
            made.page.get_by_role("button", name=name).click()
        made.until("document.querySelector('.lines').textContent.includes('end of dopamine dip')")
        made.until("document.querySelector('.lessons').textContent.includes('cortex → iSPN')")
        until(lambda: learns.session.values["level.D1"] == 0.3)
        assert made.evaluate(FAULTS) == []
        assert made.complaints == []


def test_a_circuit_that_is_too_slow_is_said(running) -> None:
    """The page says how fast it goes, and that it was asked for more."""
    with browser(reduced_motion="reduce") as made:
        opened(made, running)
        slow = {"playing": True, "phase": "live", "speed": 1, "reached": 0.31, "possible": 0.31}
        said = made.page.evaluate(f"(status) => {{ {VIEW}.stand(status);"
                                  f" return {VIEW}.pace.textContent; }}", slow)
        assert said.replace("\u00d7", "x") == "0.31x real time too slow here for 1.0x"
        slow |= {"reached": 0.99, "possible": 3.0}
        assert "too slow" not in made.page.evaluate(
            f"(status) => {{ {VIEW}.stand(status); return {VIEW}.pace.textContent; }}", slow)


def test_a_wrong_token_is_explained(running) -> None:
    with browser() as made:
        made.page.goto(running.url[:-4] + "0000")
        made.until("document.querySelector('.wait').textContent.includes('lacks its token')")


def test_a_run_as_a_file(tmp_path: Path) -> None:
    run = ns.run("striatum_v1", size=200, duration="600 ms", figures=False, out=tmp_path / "run",
                 events=[{"at": "300 ms", "set": {"modulators.D1.level": 0.8}, "note": "<b>up"}])
    path = ns.show(run)
    with browser(color_scheme="light", reduced_motion="reduce") as made:
        made.page.goto(path.as_uri())
        made.until(f"{VIEW} && {VIEW}.store.step >= 6000")
        assert made.evaluate(f"{VIEW}.store.frames.reduce((n, f) => n + f.ids.length, 0)") == len(
            run.spikes)
        assert made.evaluate(f"{VIEW}.store.trace.length") > 0
        made.page.keyboard.press("ArrowLeft")
        made.until(f"{VIEW}.store.step === 0")
        assert made.evaluate(FAULTS) == []
        assert "<b>up" in made.page.locator(".lines").inner_text()
        assert made.requests == [path.as_uri()]
        assert made.complaints == []
