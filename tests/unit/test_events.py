"""Events: what is done during a run, in a file, in the record, and done again."""

import json
from pathlib import Path

import numpy as np
import pytest

import neostriatum as ns
from neostriatum.cli import main
from neostriatum.engines.base import engine
from neostriatum.errors import CircuitError, EngineUnsupported, NeostriatumError

pytestmark = pytest.mark.usefixtures("one_figure")
GOOD = Path(__file__).parents[1] / "data" / "good_small.toml"
QUICK = {"duration": "30 ms", "engine": "reference", "figures": False, "record": "none",
         "size": 60, "changes": {"warmup": "2 ms", "inputs.pulse": {"targets": {
             name: {"current": "250 pA"} for name in ("dSPN", "FS")}}}}
LEVELS = [("4 ms", 1.0), ("9.5 ms", 0.1), ("9.6 ms", 0.7), ("20 ms", 0.0)]
EVENTS = [{"at": at, "set": {"modulators.D1.level": value}} for at, value in LEVELS]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The working directory, empty."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def spike_hash(**options):
    made = ns.run(GOOD, **QUICK | options)
    return made.summary["spike_hash"]


def plain_circuit():
    return ns.load(GOOD).replace(QUICK["changes"] | {"dopamine.d1": 0.3})


@pytest.fixture(scope="module")
def live():
    """The spikes of live changes in windows of different lengths, and of events."""
    circuit = plain_circuit()
    network = ns.build(circuit, size=60, seed=1)

    def run(name, window):
        running, at, spikes = engine(name), 0, []
        running.prepare(circuit, network, 1)
        due = [(20 + round(float(text.split()[0]) * 10), value) for text, value in LEVELS]
        while at < 320:
            while due and due[0][0] == at:
                running.change(circuit.replace({"dopamine.d1": due.pop(0)[1]}))
            count = min(window, 320 - at, *(step - at for step, _ in due))
            spikes.append(np.stack(running.advance(count), axis=1))
            at += count
        return np.concatenate(spikes)

    return circuit, network, run


class TestSameSpikes:
    @pytest.mark.parametrize("name", ["reference", "numba"])
    def test_live_changes_events_and_a_course(self, live, name, tmp_path):
        circuit, network, run = live
        first = run(name, 1)
        assert len(first)
        for window in (37, 200, 15_000):
            np.testing.assert_array_equal(run(name, window), first)
        kept = first[:, 0] >= 20
        options = QUICK | {"changes": {}, "size": None, "engine": name}
        events = ns.run(circuit, network=network, events=EVENTS, out="a", **options)
        times = ["0 ms", *(text for text, _ in LEVELS)]
        course = circuit.replace({"dopamine.d1": {"steps": {
            "times": times, "values": [0.3, *(value for _, value in LEVELS)]}}})
        steps = ns.run(course, network=network, out="b", **options)
        assert events.summary["spike_hash"] == steps.summary["spike_hash"]
        # The last event holds at the end, in the record and for who reads the run.
        assert events.modulators["D1"] == events.summary["modulators"]["D1"] == LEVELS[-1][1]
        np.testing.assert_array_equal(events.spikes.ids, first[kept, 1])
        other = ns.run(circuit, network=network, out="c", **options)
        assert other.summary["spike_hash"] != events.summary["spike_hash"]

    def test_windows_and_checkpoints_do_not_matter(self, monkeypatch):
        whole = spike_hash(events=EVENTS, out="a")
        monkeypatch.setattr("neostriatum.runs.loop.WINDOW_MS", 0.7)
        assert spike_hash(events=EVENTS, checkpoint_every="0 s", out="b") == whole

    def test_rerun_and_resume(self, monkeypatch):
        whole = ns.run(GOOD, events=EVENTS, out="a", **QUICK)
        again = ns.rerun("a", out="again")
        assert again.summary["equal"] is True
        assert again.record["events"] == whole.record["events"]
        for stop in (3, 7, 12):
            calls = []

            def tell(phase, share, calls=calls, stop=stop):
                calls.append(phase)
                if calls.count("simulate") == stop:
                    raise KeyboardInterrupt

            monkeypatch.setattr("neostriatum.runs.loop.WINDOW_MS", 2.0)
            with pytest.raises(KeyboardInterrupt):
                ns.run(GOOD, events=EVENTS, out=f"half{stop}", checkpoint_every="0 s",
                       progress=tell, **QUICK)
            done = ns.resume(f"half{stop}")
            assert done.summary["spike_hash"] == whole.summary["spike_hash"]

    def test_a_finished_run_is_extended(self):
        long = spike_hash(events=EVENTS, out="a", duration="45 ms")
        ns.run(GOOD, events=EVENTS, out="b", **QUICK)
        assert ns.resume("b", duration="45 ms").summary["spike_hash"] == long


class TestFile:
    def test_what_it_says_of_the_run_holds_where_the_command_is_silent(self, capsys):
        Path("small.toml").write_bytes(GOOD.read_bytes())
        Path("e.toml").write_text("""
format = "neostriatum-events/1"
circuit = "small.toml"
size = 60
seed = 4
duration = "8 ms"
dt = "0.05 ms"
precision = "double"
[[event]]
at = "3.2 ms"
set = { "modulators.D1.level" = 0.8, "pathways.iSPN->dSPN.conductance.GABA" = "0 nS" }
note = "lesion"
[[event]]
at = "3.2 ms"
set = { "receptors.GABA.tau" = "9 ms" }
""", "utf-8")
        quiet = ["--engine", "reference", "--record", "none", "--json"]
        assert main(["run", "--events", "e.toml", "--out", "a", *quiet]) == 0
        summary = json.loads(capsys.readouterr().out)
        assert (summary["events"], summary["seed"], summary["duration_ms"]) == (2, 4, 8.0)
        run = ns.Run("a")
        assert (run.dt_ms, run.record["size"]) == (0.05, 60)
        first = run.events[0]
        assert (first.step, first.time_ms, first.note) == (64, 3.2, "lesion")
        assert first.changes["modulators.D1.level"] == 0.8
        assert main(["run", "--events", "e.toml", "--out", "b", "--seed", "1", "--duration",
                     "5 ms", *quiet]) == 0
        summary = json.loads(capsys.readouterr().out)
        assert (summary["seed"], summary["duration_ms"]) == (1, 5.0)

    def test_a_spike_hash_is_compared_once_the_run_is_safe(self, capsys):
        right = spike_hash(events=EVENTS, out="a")
        assert spike_hash(events={"event": EVENTS, "spike_hash": right}, out="b") == right
        text = (f'format = "neostriatum-events/1"\ncircuit = "{GOOD}"\nspike_hash = "{"0" * 64}"\n'
                'size = 50\nduration = "3 ms"\n')
        Path("e.toml").write_text(text, "utf-8")
        assert main(["run", "--events", "e.toml", "--out", "c", "--engine", "reference"]) == 4
        message = capsys.readouterr().err.splitlines()[-1]
        assert f"spike_hash must be {'0' * 16} (got " in message
        assert message.endswith("other spikes than when the file was written")
        assert ns.Run("c").finished

    def test_a_run_without_events_has_none(self):
        run = ns.run(GOOD, events=[], **QUICK)
        assert "events" not in run.record
        assert (run.events, run.summary["events"]) == ([], 0)


GABA = "pathways.iSPN->dSPN.conductance.GABA"
#: Events, and what the refusal says.
BAD = {
    "off the grid": ([{"at": "1.05 ms", "set": {"dopamine.d1": 1.0}}],
                     "event 1: at: must be a whole number of steps of 0.1 ms (got 1.05 ms)"),
    "before 0": ([{"at": "-1 ms", "set": {"dopamine.d1": 1.0}}],
                 "must be from 0 to before the end at 30 ms (got -1 ms)"),
    "after the end": ([{"at": "30 ms", "set": {"dopamine.d1": 1.0}}], "(got 30 ms)"),
    "no time": ([{"set": {"dopamine.d1": 1.0}}], "event 1: needs at and set"),
    "no unit": ([{"at": 3, "set": {"dopamine.d1": 1.0}}], 'must carry its unit, "3 ms"'),
    "unsorted": (EVENTS[::-1], "event 2: at: events must stand in the order of time"),
    "one key twice": ([*EVENTS[:1], {"at": "4 ms", "set": {"dopamine.d1": 0.2}}],
                      "event at 4 ms: two events must not set one key at one step"),
    "two spellings": ([{"at": "4 ms", "set": {GABA: "1 nS"}},
                       {"at": "4 ms", "set": {"pathways.D2->D1.conductance.GABA": "2 nS"}}],
                      "two events must not set one key at one step"),
    "a delay": ([{"at": "4 ms", "set": {"pathways.iSPN->dSPN.delay": "3 ms"}}],
                "event at 4 ms: pathways.iSPN->dSPN.delay cannot change while a run goes on"),
    "wiring": ([{"at": "4 ms", "set": {"pathways.iSPN->dSPN.wiring": {
        "rule": "fixed_probability", "p": 0.1}}}], "wiring cannot change while a run goes on"),
    "the volume": ([{"at": "4 ms", "set": {"volume.density": "60000 / mm^3"}}],
                   "volume.density cannot change while a run goes on"),
    "the step": ([{"at": "4 ms", "set": {"dt": "0.05 ms"}}], "dt cannot change while a run goes"),
    "the warm-up": ([{"at": "4 ms", "set": {"warmup": "4 ms"}}], "warmup cannot change while"),
    "a value": ([{"at": "4 ms", "set": {"dopamine.d1": 1.5}}], "event at 4 ms: dopamine.d1"),
    "a key": ([{"at": "4 ms", "set": {"dopamine.d7": 0.5}}],
              "event at 4 ms: dopamine.d7: unknown key"),
    "an unknown field": ([{"at": "4 ms", "set": {"dopamine.d1": 1.0}, "not": ""}],
                         "event 1: unknown key (got not)"),
    "no values": ([{"at": "4 ms", "set": {}}], "set must be a table of keys and values"),
    "a note": ([{"at": "4 ms", "set": {"dopamine.d1": 1.0}, "note": 3}], "note must be text"),
    "no list": ({"event": {"at": "4 ms"}}, "event must be a list of tables"),
    "another key": ({"events": EVENTS}, "unknown key (got events)"),
    "one key twice with another between": (
        [*EVENTS[:1], {"at": "4 ms", "set": {"modulators.D2.level": 0.2}},
         {"at": "4 ms", "set": {"modulators.D1.level": 0.3}}],
        "event at 4 ms: two events must not set one key at one step (got modulators.D1.level)"),
    "a start": ([{"at": "4 ms", "set": {"start.dSPN.v": "-60 mV"}}],
                "event at 4 ms: start cannot change while a run goes on"),
    "a name": ([{"at": "4 ms", "set": {"name": "other"}}], "name cannot change while a run goes"),
    "a summary": ([{"at": "4 ms", "set": {"summary": "x"}}], "summary cannot change while a run"),
    "another circuit": ([{"at": "4 ms", "set": {"extends": "seed"}}], "extends: unknown key"),
    "a fraction": ([{"at": "4 ms", "set": {"cells.dSPN.fraction": 0.2}}],
                   "event at 4 ms: cells: fractions must sum to 1"),
    "a removed type": ([{"at": "4 ms", "set": {"cells.FS": "none"}}], "cells.FS: must be a table"),
    "a level of text": ([{"at": "4 ms", "set": {"dopamine.d1": "high"}}],
                        "dopamine.d1.constant: must be a number (got high)"),
    "a level that is none": ([{"at": "4 ms", "set": {"dopamine.d1": float("nan")}}],
                             "dopamine.d1.constant: must be a finite number (got nan)"),
    "a unit of something else": ([{"at": "4 ms", "set": {GABA: "1 mV"}}],
                                 "must have the dimension of nS (got 1 mV)"),
    "an arrow of another kind": (
        [{"at": "4 ms", "set": {GABA.replace("->", "\u2192"): "1 nS"}}],
        'unknown key (got "iSPN\u2192dSPN"). Known: iSPN->dSPN'),
    "a typo of a type": ([{"at": "4 ms", "set": {GABA.replace("dSPN", "dSPM"): "1 nS"}}],
                         'unknown key (got "iSPN->dSPM"). Known: iSPN->dSPN'),
    "a new input": ([{"at": "4 ms", "set": {"inputs.new.targets.dSPN.current": "1 pA"}}],
                    'unknown key (got "new"). Known:'),
    "a time of something else": ([{"at": "4 mV", "set": {"dopamine.d1": 1.0}}],
                                 "event 1: at: must have the dimension of ms (got 4 mV)"),
    "a time of no number": ([{"at": True, "set": {"dopamine.d1": 1.0}}],
                            "event 1: at: must be a number with its unit"),
    "a time that never comes": ([{"at": "1e300 s", "set": {"dopamine.d1": 1.0}}],
                                "event 1: at: must be at most 1e+11 steps"),
    "events of text": ({"event": ["4 ms"]}, "event 1: needs at and set (got 4 ms)"),
    "an empty name": ("", 'events: must be a file (got "")'),
    "a hash of no digits": ({"event": EVENTS, "spike_hash": "abc"},
                            "spike_hash must be 64 hexadecimal digits (got abc)"),
    "a hash of a number": ({"event": EVENTS, "spike_hash": 3}, "digits (got 3)"),
    "a size in quotes": ({"event": EVENTS, "size": "60"},
                         'events: size must be a whole number (got "60")'),
    "a size of a truth": ({"event": EVENTS, "size": True}, "size must be a whole number (got Tr"),
    "a seed of a part": ({"event": EVENTS, "seed": 1.5}, "seed must be a whole number (got 1.5)"),
    "a duration without a unit": ({"event": EVENTS, "duration": 5},
                                  "duration must be a text (got 5)"),
    "a step without a unit": ({"event": EVENTS, "dt": 0.1}, "dt must be a text (got 0.1)"),
    "circuits": ({"event": EVENTS, "circuit": ["seed"]}, "circuit must be a text (got ['seed'])"),
    "a number": (3, "must be a file, a dict or a list of events (got 3)"),
    "no file": ("none.toml", "none.toml: cannot be read"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_events_are_refused_in_one_line(what, folder):
    events, rule = BAD[what]
    with pytest.raises(CircuitError) as error:
        ns.run(GOOD, events=events, **QUICK)
    assert rule in str(error.value)
    assert "\n" not in str(error.value)
    assert not list(folder.iterdir())


@pytest.mark.parametrize(("text", "rule"), [
    ("[[event]]\nat = '1 ms'\nset = {'dopamine.d1' = 1.0}\n", "format must be"),
    ('format = "neostriatum-events/2"\n', 'format must be "neostriatum-events/1" (got neostri'),
    ("format = 3\n", "format must be"), ("a", "is not valid TOML"), ("", "(got none)"),
    ('format = "neostriatum-events/1"\nsize = "60"\n',
     'e.toml: size must be a whole number (got "'),
])
def test_a_file_of_another_format(text, rule, folder, capsys):
    Path("e.toml").write_text(text, "utf-8")
    assert main(["run", str(GOOD), "--events", "e.toml", "--size", "60"]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert rule in err
    assert [path.name for path in folder.iterdir()] == ["e.toml"]


def test_a_folder_of_events(folder, capsys):
    Path("e").mkdir()
    assert main(["run", str(GOOD), "--events", "e", "--size", "60"]) == 2
    assert capsys.readouterr().err == "e: cannot be read (Is a directory)\n"
    assert [path.name for path in folder.iterdir()] == ["e"]


def test_an_engine_without_live_changes(folder):
    with pytest.raises(EngineUnsupported, match=r"engine brian2-runtime: .*Leave the events out"):
        ns.run(GOOD, events=EVENTS, **QUICK | {"engine": "brian2-runtime"})
    assert not list(folder.iterdir())


def test_what_an_engine_cannot_change_is_refused_before_it_begins(folder):
    plastic = {"U": 0.5, "tau_rec": "100 ms", "tau_fac": "0 ms"}
    with pytest.raises(NeostriatumError, match=r"event at 4 ms: .* must stay as") as error:
        ns.run(GOOD, events=[{"at": "4 ms", "set": {"pathways.iSPN->dSPN.stp": plastic}}], **QUICK)
    assert error.value.exit_code == 3
    assert not list(folder.iterdir())


def test_a_sweep_honours_events(folder):
    Path("e.toml").write_text('format = "neostriatum-events/1"\n[[event]]\nat = "4 ms"\n'
                              'set = { "dopamine.d1" = 1.0 }\n', "utf-8")
    sweep = {"circuit": str(GOOD), "size": 60, "engine": "reference", "duration": "8 ms",
             "changes": QUICK["changes"], "seeds": 1, "jobs": 1,
             "vary": {"dopamine.d2": [0.1, 0.9]}}
    with_events = ns.sweep(**sweep, events="e.toml", out="a")
    assert (with_events.finished, with_events.failed) == (2, 0)
    points = sorted(path.parent for path in Path("a").rglob("run.json"))
    for point, level in zip(points, (0.1, 0.9), strict=True):
        run = ns.run(GOOD, **QUICK | {"duration": "8 ms"}, d2=level, out=f"one{level}", events=[
            {"at": "4 ms", "set": {"dopamine.d1": 1.0}}])
        assert ns.Run(point).summary["spike_hash"] == run.summary["spike_hash"]
    inline = ns.sweep(**sweep, events=[{"at": "4 ms", "set": {"dopamine.d1": 1.0}}], out="b")
    assert inline.finished == 2
    with pytest.raises(CircuitError, match=r"point 1 .*at: must be from 0 to before the end"):
        ns.sweep(**sweep, events=[{"at": "4 s", "set": {"dopamine.d1": 1.0}}], out="c")
    assert not Path("c").exists()


def test_a_summary_has_dopamine_as_it_began_and_levels_as_they_ended(folder):
    """What acts at the first step is there when the recorded time begins."""
    late = [{"at": "10 ms", "set": {"dopamine.d1": 0.7}}]
    early = [{"at": "0 ms", "set": {"dopamine.d1": 0.9}}, *late]
    for events, d1 in ((late, 0.3), (early, 0.9)):
        told = ns.run(plain_circuit(), events=events, **QUICK | {"changes": None}).summary
        assert (told["dopamine"]["d1"], told["modulators"]["D1"]) == (d1, 0.7)
