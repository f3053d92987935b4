"""The events of a run in its report, in the command that repeats it, and on the terminal."""

import re
import shlex
import shutil
import tomllib
from html import unescape

import pytest
from pages import Page

import neostriatum as ns
from neostriatum.commands.run import summary_lines
from neostriatum.plotting.gallery import draw
from neostriatum.recording.checked import record_of
from neostriatum.recording.events import Event
from neostriatum.recording.record import write_record
from neostriatum.reporting import events

EVIL = "<script>alert('1')</script> \"quoted\" & {{ 7 * 7 }}"
EVENTS = [
    {"step": 0, "set": {"modulators.D1.level": "0.8"}},
    {"step": 123, "set": {"pathways.FS->dSPN.conductance.GABA": "0 nS", EVIL: EVIL}, "note": EVIL},
]


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A run without events; not to be changed."""
    return ns.run("striatum_v1", size=30, duration="20 ms", engine="reference", figures=False,
                  changes={"warmup": "0 ms"}, record="none",
                  out=tmp_path_factory.mktemp("runs") / "plain")


@pytest.fixture
def changed(plain, tmp_path):
    """A run whose record has events."""
    copy = shutil.copytree(plain.folder, tmp_path / "changed")
    write_record(copy, plain.record | {"events": EVENTS})
    return ns.Run(copy)


def blocks(run):
    ns.report(run, pictures={})
    text = (run.folder / "report.html").read_text("utf-8")
    return [unescape(one) for one in re.findall(r"<pre>(.*?)</pre>", text, re.DOTALL)], Page(text)


def test_a_run_knows_its_events(changed, plain):
    assert plain.events == []
    first, second = changed.events
    assert first == Event(0, 0.0, {"modulators.D1.level": 0.8})
    assert (second.step, second.time_ms, second.note) == (123, 12.3, EVIL)
    assert second.spelled == EVENTS[1]["set"]
    assert record_of(changed).events[1].step == 123


def test_the_table(changed):
    _, page = blocks(changed)
    assert ["0 ms", "modulators.D1.level = 0.8", ""] in page.rows
    what = f"pathways.FS->dSPN.conductance.GABA = 0 nS{EVIL} = {EVIL}"
    assert ["12.3 ms", what, EVIL] in page.rows
    assert "script" not in {tag for tag, _ in page.elements}
    assert "Changed during the run" in page.text


def test_how_to_run_it_again(changed):
    texts, page = blocks(changed)
    command, file, again, _ = texts[:4]
    assert shlex.split(command)[-2:] == ["--events", "events.toml"]
    assert shlex.split(again)[:2] == ["neostriatum", "rerun"]
    assert "both repeat the events and compare the spikes" in page.text
    assert tomllib.loads(file) == {"format": "neostriatum-events/1", "event": [
        {"at": "0.0 ms", "set": {"modulators.D1.level": 0.8}},
        {"at": "12.3 ms", "set": EVENTS[1]["set"], "note": EVIL}]}


def test_without_a_command_the_file_is_there(changed):
    record = changed.record | {"changes": {}}
    record["circuit"] = record["circuit"] | {"name": "seed"}
    write_record(changed.folder, record)
    texts, page = blocks(ns.Run(changed.folder))
    assert tomllib.loads(texts[0])["format"] == "neostriatum-events/1"
    assert "as a file for neostriatum run --events" in page.text


def test_without_events_there_is_no_word_of_them(plain):
    texts, page = blocks(plain)
    assert "--events" not in texts[0]
    assert not [text for text in texts if "[[event]]" in text]
    assert "Changed during the run" not in page.text
    assert "events" not in summary_lines(plain)[0]


def test_the_figures_and_their_captions(changed):
    said = draw(changed, ["raster", "rates"])
    pictures = {name[:-4]: (changed.folder / "figures" / name).read_bytes()
                for name in said["files"]}
    ns.report(changed, pictures=pictures)
    page = Page((changed.folder / "report.html").read_text("utf-8"))
    assert page.text.count("Vertical lines: events.") == 1


def test_the_terminal(changed):
    assert summary_lines(changed)[0].endswith("; seed 1; 2 events")
    changed.record["events"] = EVENTS[:1]
    assert summary_lines(changed)[0].endswith("; seed 1; 1 event")


@pytest.mark.parametrize("value", [
    0.8, 3, True, "0 nS", "a \"b\" \\ \n\t\x7f \x01 µ 🙂", [1, "2 Hz", [True]],
    {"pulse": {"base": "2 Hz", "odd key": []}}, {}, 1e300, -0.5])
def test_values_in_a_file_of_events(value):
    text = events.toml([Event(1, 0.1, {"a.b->c": value, "d": "e"}, str(value))])
    (back,) = tomllib.loads(text)["event"]
    assert back == {"at": "0.1 ms", "set": {"a.b->c": value, "d": "e"}, "note": str(value)}


def test_nothing_is_spelled_as_on_the_command_line():
    assert 'set = { "a" = "null" }' in events.toml([Event(0, 0.0, {"a": None})])


@pytest.mark.parametrize(("entry", "where"), [
    ({"step": -1, "set": {"a": "1"}}, "events.0.step"), ({"step": 1, "set": {}}, "events.0.set"),
    ({"step": 1.5, "set": {"a": "1"}}, "events.0.step"), ({"step": 1}, "events.0.set"),
    ({"step": 1, "set": {"a": 1}}, "events.0.set.a"),
    ({"step": 1, "set": {"a": "1"}, "note": 3}, "events.0.note")])
def test_a_record_with_bad_events_is_refused(changed, entry, where, tmp_path):
    write_record(changed.folder, changed.record | {"events": [entry]})
    for use in (lambda run: ns.report(run, pictures={}), lambda run: draw(run, ["raster"]),
                lambda run: ns.export(run, "csv", tmp_path / "out")):
        with pytest.raises(ns.NeostriatumError, match=rf"damaged \({where}: "):
            use(ns.Run(changed.folder))
    assert not (tmp_path / "out").exists()
