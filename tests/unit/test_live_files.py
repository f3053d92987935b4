"""The files of the live page: complete, unchanged, from nowhere else; runs and notebooks."""

import base64
import hashlib
import json
import re

import numpy as np
import pytest
from livesession import until

import neostriatum as ns
from neostriatum.errors import CircuitError, LibraryMissing, RunFileError
from neostriatum.live import notebook, show
from neostriatum.live.bundle import script, style
from neostriatum.live.session import Session
from neostriatum.live.site import MODULES, PLOTS, pages, text

#: uPlot 1.6.32 as its authors published it: sha256 of the files in the package of npm.
PUBLISHED = {
    "uPlot.iife.min.js": "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
    "uPlot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_library_of_plots_is_the_published_one(name: str) -> None:
    assert hashlib.sha256(text(name).encode()).hexdigest() == PUBLISHED[name]
    assert "MIT License" in text("uPlot.LICENSE")


def test_nothing_is_asked_of_elsewhere() -> None:
    """The one address in our files is the name space of SVG; uPlot names its home in a comment."""
    for path, (_, content) in pages().items():
        if PLOTS in path:
            continue
        found = re.findall(rb"(?:https?:)?//[\w.-]+\.\w+", content)
        assert set(found) <= {b"http://www.w3.org"}, path
        assert not re.search(rb"\beval\(|new Function|innerHTML|document\.write", content), path


def test_modules_are_one_script_in_a_file() -> None:
    bundle = script()
    assert not re.search(r"^(import|export) ", bundle, re.MULTILINE)
    assert bundle.count("function mount(") == 1
    modules = "\n".join(map(text, MODULES))
    names = re.findall(r"^(?:export )?(?:const|class|function) (\w+)", modules, re.MULTILINE)
    assert len(names) > 30
    assert len(names) == len(set(names))
    assert "</script" not in bundle
    assert "</style" not in style()


def test_modules_come_after_what_they_import() -> None:
    for place, name in enumerate(MODULES):
        for other in re.findall(r"from '\./([\w.]+)'", text(name)):
            assert other in MODULES[:place], f"{name} imports {other}"


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> ns.Run:
    """A short run with an event."""
    return ns.run("striatum_v1", size=200, duration="100 ms", figures=False,
                  out=tmp_path_factory.mktemp("shown") / "run",
                  events=[{"at": "50 ms", "set": {"dopamine.d1": 0.8}, "note": "</script>up"}])


def test_a_run_is_one_file_that_its_policy_covers(run) -> None:
    path = ns.show(run)
    page = path.read_text("utf-8")
    assert path == run.folder / "show.html"
    assert "</script>up" not in page
    for tag, key in (("style", "style-src"), ('script type="module"', "script-src")):
        inside = page.split(f"<{tag}>")[1].split(f"</{tag.split()[0]}>")[0]
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{key} 'sha256-{digest}'" in page
    data = json.loads(page.split('id="run">')[1].split("</script>")[0])
    steps = np.frombuffer(base64.b64decode(data["steps"]), "<u4")
    ids = np.frombuffer(base64.b64decode(data["ids"]), "<u2")
    assert (steps + 1) * run.dt_ms == pytest.approx(run.spikes.times_ms)
    assert np.array_equal(ids, run.spikes.ids)
    assert data["hello"]["log"][0]["label"] == "</script>up"
    trace = run.traces["dSPN"]
    first = next(one for one in data["traces"] if one["id"] == trace.ids[0])
    kept = np.frombuffer(base64.b64decode(first["values"]), "<i2") / 100
    assert kept == pytest.approx(trace.values[::5, 0], abs=0.006)


@pytest.mark.parametrize("what", [3, None, ns.load("striatum_v1")])
def test_what_is_no_run_cannot_be_shown(what: object) -> None:
    with pytest.raises(CircuitError, match=r"^run: must be a name or a path \(got "):
        ns.show(what)


def test_runs_that_cannot_be_shown(run, tmp_path, monkeypatch) -> None:
    with pytest.raises(RunFileError, match="is not the record of a run"):
        ns.show(tmp_path)
    monkeypatch.setattr(show, "MOST", 0)
    with pytest.raises(RunFileError, match="to show must have 1 to 0 spikes"):
        ns.show(run, tmp_path / "x.html")
    monkeypatch.undo()
    monkeypatch.setattr(show, "network_of", lambda run: (None, "its file is gone"))
    with pytest.raises(RunFileError, match=r"needs the network \(its file is gone\)"):
        ns.show(run, tmp_path / "x.html")
    assert not (tmp_path / "x.html").exists()


# ---- the notebook --------------------------------------------------------------------------------

def test_a_notebook_has_the_same_messages(tmp_path) -> None:
    sent = []
    channel = notebook.Channel(lambda message, buffers: sent.append((message, buffers)))
    session = channel.session = Session("striatum_v1", size=120, out=tmp_path / "run",
                                        publish=channel.publish)
    session.start()
    try:
        until(lambda: session.phase == "live")
        channel.hear({"kind": "join"})
        until(lambda: sum(message == {"kind": "frame"} for message, _ in sent) > 6)
        kinds = [message["kind"] for message, _ in sent]
        assert "hello" in kinds
        assert {bytes(buffers[0])[:1] for message, buffers in sent
                if message == {"kind": "frame"}} >= {b"P", b"S"}
        assert session.time_ms > 0
        channel.hear({"kind": "turn", "values": {"level.D1": 0.6}})
        channel.hear({"kind": "ack", "number": 6})
        until(lambda: session.values["level.D1"] == 0.6)
        channel.hear({"kind": "turn", "values": {"level.D9": 0.6}})
        channel.hear("nonsense")
        refused = [message["text"] for message, _ in sent if message["kind"] == "refused"]
        assert refused[0].startswith("knob: must be one of")
        assert refused[1].startswith("message: must be a JSON object")
    finally:
        session.stop(20)


def test_a_widget_holds_the_page(tmp_path) -> None:
    pytest.importorskip("anywidget", reason="the extra [notebook] is not installed")
    page = ns.live("striatum_v1", size=100, out=tmp_path / "run")
    try:
        assert page._esm.endswith("export default { render };\n")
        assert page._css == style()
        until(lambda: page.session.phase == "live")
    finally:
        page.session.stop(20)
        page.close()


def test_live_is_a_function_and_a_package(monkeypatch) -> None:
    import neostriatum.live

    assert callable(ns.live)
    assert neostriatum.live.show.show is ns.show
    with pytest.raises(CircuitError, match="unknown circuit"):
        neostriatum.live("no_such_circuit")
    monkeypatch.setitem(__import__("sys").modules, "anywidget", None)
    with pytest.raises(LibraryMissing, match=r"pip install neostriatum\[notebook\]"):
        ns.live()
