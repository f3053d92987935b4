"""Progress that shows itself: where somebody waits, after a while, and never twice."""

import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

import neostriatum as ns
from neostriatum import progress
from neostriatum.progress import Late, watched


class Shown:
    """What was shown, in order."""

    def __init__(self):
        self.seen = []

    def __enter__(self):
        self.seen.append("begin")
        return self

    def __exit__(self, *_):
        self.seen.append("end")

    def __call__(self, phase, share):
        self.seen.append((phase, share))


@watched
def work(*, progress=None):
    if progress is not None:
        progress("wire", 0.5)
    return progress


@pytest.fixture
def waiting(monkeypatch):
    monkeypatch.setattr(progress, "place", lambda: "terminal")
    yield
    ns.set_progress(True)


def test_nothing_is_shown_of_what_is_over_soon():
    shown = Shown()
    with Late(shown, patience_s=30.0) as tell:
        tell("wire", 0.5)
    assert shown.seen == []


def test_what_takes_longer_is_shown_from_where_it_is():
    shown = Shown()
    with Late(shown, patience_s=0.01) as tell:
        tell("wire", 0.25)
        for _ in range(500):
            if len(shown.seen) == 2:
                break
            time.sleep(0.01)
        tell("simulate", 0.5)
    assert shown.seen == ["begin", ("wire", 0.25), ("simulate", 0.5), "end"]


def test_in_a_script_or_a_test_there_is_none():
    assert progress.place() == ""
    assert work() is None


def test_where_somebody_waits_there_is_one_unless_it_is_not_wanted(waiting):
    assert isinstance(work(), Late)
    own = Shown()
    assert work(progress=own) is own
    ns.set_progress(False)
    assert work() is None


def test_a_call_within_a_call_shows_nothing_of_its_own(waiting):
    @watched
    def outer(*, progress=None):
        return progress, work()

    first, second = outer()
    assert isinstance(first, Late)
    assert second is None
    assert isinstance(work(), Late)


def test_a_call_that_fails_leaves_nothing_behind(waiting):
    @watched
    def broken(*, progress=None):
        raise ValueError(progress)

    with pytest.raises(ValueError, match=r"Late"):
        broken()
    assert isinstance(work(), Late)


def test_a_notebook_has_one_line_that_is_gone_at_the_end(monkeypatch):
    pages = []
    handle = SimpleNamespace(update=lambda page: pages.append(page))
    display = SimpleNamespace(display=lambda page, display_id: handle, HTML=lambda text: text)
    shell = SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell,
                                                                display=display))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    assert progress.place() == "notebook"
    with progress._Line() as line:
        line("wire", 0.0)
        line("wire", 0.5)
        line("wire", 0.501)
    assert pages == ["<small>wiring …</small>", "<small>wiring … 50%</small>", ""]


def test_an_interactive_python_without_a_terminal_has_none():
    code = "import neostriatum.progress as p; print(repr(p.place()))"
    made = subprocess.run([sys.executable, "-i", "-c", code], input="", capture_output=True,
                          text=True, timeout=60, check=True)
    assert made.stdout.strip() == "''"
