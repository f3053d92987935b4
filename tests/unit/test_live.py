"""A session: knobs by name within bounds, changes between windows, going back, what is kept."""

import struct
import time
import tomllib
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from livesession import live, until

import neostriatum as ns
from neostriatum.errors import BuildError, CircuitError, NumericsError
from neostriatum.live import history, saving
from neostriatum.live.frames import BINS, Merged, Window, histogram, packed, placed
from neostriatum.live.greeting import greeting, published_rates, scenes
from neostriatum.live.knobs import knobs
from neostriatum.live.pace import Pace
from neostriatum.live.session import Session

# ---- knobs ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["striatum", "striatum_v1", "humphries2010", "fountas2017"])
def test_every_knob_of_a_circuit_turns(name: str) -> None:
    """At both bounds and at its own value the circuit takes what the knob gives."""
    circuit = ns.load(name)
    every = knobs(circuit).values()
    for knob in every:
        assert knob.value is None or knob.low <= knob.value <= knob.high, knob.name
    for end in ("low", "high", "value"):
        circuit.replace({key: one for knob in every for key, one in
                         knob.changes(knob.checked(getattr(knob, end))).items()})


def test_a_level_above_its_usual_ones_is_within_its_knob() -> None:
    """Of a concentration in nM, and of a level that a circuit gives."""
    circuit = ns.load({"extends": "striatum_v1", "modulators": {"NA": {"level": 40.0}}},
                      overlay="dreyer_nigra")
    found = knobs(circuit)
    assert found["level.NA"].checked(40.0) == 40.0
    assert found["level.DA"].checked(40.0) == 40.0  # at rest
    assert (found["level.D1"].high, found["level.DA"].source) == (1.0, "nM")


def test_a_knob_at_its_own_value_changes_no_number() -> None:
    circuit = ns.load("striatum")
    for knob in knobs(circuit).values():
        if knob.name.startswith("current"):
            continue  # an electrode of 0 pA is one more input
        turned = circuit.replace(knob.changes(knob.value))
        for key in knob.changes(knob.value):
            assert _number(turned, key) == _number(circuit, key), key


def _number(circuit, key):
    from neostriatum.circuit.replacement import value_at

    if key.startswith("modulators."):
        return circuit.levels_at(0.0)[key.split(".")[1]]
    said = value_at(circuit.to_dict(), key)
    return float(str(said).split()[0])


def test_knobs_of_the_default_circuit() -> None:
    found = knobs(ns.load("striatum"))
    assert list(found)[:2] == ["level.D1", "level.D2"]
    assert found["level.ACh"].free
    assert found["level.ACh"].value is None
    assert found["rate.cortex"].changes(3.0) == {"axons.cortex.rate.constant": "3 Hz"}
    lesion = found["strength.FS"].changes(0.0)
    assert lesion["pathways.FS->dSPN.conductance.GABA_FS_SPN"] == "0 nS"
    assert all(key.startswith("pathways.FS->") for key in lesion)
    assert "level.M1" not in found  # it follows acetylcholine


@pytest.mark.parametrize("value", [1.01, -0.01, float("nan"), float("inf"), "0.5", None, True, []])
def test_a_value_that_a_knob_cannot_have(value: object) -> None:
    with pytest.raises(CircuitError, match=r"level\.D1: must be from 0 to 1 \(got .*\)\. Turn it"):
        knobs(ns.load("striatum_v1"))["level.D1"].checked(value)


def test_published_rates_come_from_the_targets() -> None:
    rates = published_rates(ns.load("striatum"))
    assert set(rates) == {"dSPN", "iSPN", "FS", "ChIN"}
    assert rates["FS"]["low"] < 15.2 < rates["FS"]["high"] < 20
    assert rates["dSPN"] == rates["iSPN"]
    for one in rates.values():
        assert 0 <= one["low"] < one["high"]
        assert one["source"]


def test_scenes_name_knobs_and_have_an_answer() -> None:
    found = scenes("striatum", knobs(ns.load("striatum")))
    raw = tomllib.loads((saving.Path(saving.__file__).parent / "scenes.toml").read_text("utf-8"))
    assert len(found) == len([one for one in raw["scene"] if one["circuit"] == "striatum"]) >= 5
    learns = [one for one in raw["scene"] if "file" in one]
    examples = Path(__file__).parent.parent.parent
    for one in learns:
        circuit = ns.load(examples / one["file"])
        assert circuit.name == one["circuit"]
        assert scenes("elsewhere.toml", knobs(circuit), circuit.name) == [one]
        assert scenes("striatum", knobs(circuit)) == found
    for scene in (*found, *learns):
        assert 0 <= scene["answer"] < len(scene["choices"])
        assert set(scene["before"]) == set(scene["after"]) == set(ns.load("striatum").types)
        for name, value in scene["values"].items():
            knobs(ns.load("striatum"))[name].checked(value)


# ---- frames --------------------------------------------------------------------------------------

def window(first=40, ids=(3, 70_000), count=200) -> Window:
    """Return a window with spikes of two types."""
    return Window(first, count, np.array([first, first + 7])[: len(ids)], np.array(ids),
                  np.array([0.3, 0.8]), np.array([-80.0, 12.34]),
                  np.ones((2, BINS), np.uint8), np.array([1, 1]))


@pytest.mark.parametrize("ids", [(3, 65_535), (3, 70_000), ()])
def test_a_frame_says_what_happened(ids: tuple[int, ...]) -> None:
    data = packed(window(ids=ids), 9)
    kind, wide, levels, number, first, count, spikes, types, samples = struct.unpack_from(
        "<cBHIiIIHH", data)
    assert (kind, wide, number, first, count, spikes) == (
        b"S", int(max(ids, default=0) > 65_535), 9, 40, 200, len(ids))
    at = 24 + 4 * levels
    assert np.frombuffer(data, "<f4", levels, 24).tolist() == pytest.approx([0.3, 0.8])
    assert np.frombuffer(data, "<i2", samples, at).tolist() == [-8000, 1234]
    at += 2 * samples + types * BINS
    at += -at % 4
    assert np.frombuffer(data, "<u2", spikes, at).tolist() == [0, 7][:spikes]
    at += 2 * spikes
    at += -at % 4
    assert np.frombuffer(data, "<u4" if wide else "<u2", spikes, at).tolist() == list(ids)
    assert len(data) % 4 == 0


def test_merged_windows_keep_time_and_counts() -> None:
    merged = Merged()
    for first in (0, 200, 400):
        merged.add(window(first))
    assert struct.unpack("<cBHIiII2I", merged.packed(5)) == (b"M", 0, 2, 5, 0, 600, 3, 3, 3)
    merged.add(window(100))  # somebody went back
    assert (merged.first, merged.count, merged.windows) == (100, 200, 1)


def test_positions_and_histogram() -> None:
    assert placed(np.array([[1.0, 2, 3]]))[:4] == b"P\0\0\0"
    assert histogram(np.zeros(0)).tolist() == [0] * BINS
    assert histogram(np.array([-500.0, 500.0]))[[0, -1]].tolist() == [128, 128]


# ---- pace ----------------------------------------------------------------------------------------

def test_debt_is_forgiven() -> None:
    pace = Pace()
    assert pace.wait_s(1.0, 0.01) == pytest.approx(1.0, abs=0.05)
    pace.restart()
    pace._since -= 5.0
    assert pace.wait_s(0.02, 5.0) == 0.0
    assert pace.wait_s(0.02, 0.001) == pytest.approx(0.02, abs=0.015)
    assert [Pace.window_ms(_at(speed)) for speed in (0.1, 1, 10)] == [5.0, 20.0, 50.0]


def _at(speed: float) -> Pace:
    pace = Pace()
    pace.speed = speed
    return pace


# ---- the session ---------------------------------------------------------------------------------

def test_the_page_is_told_of_every_step(tmp_path) -> None:
    with live(tmp_path) as (session, kept):
        until(lambda: len(kept.windows) > 5)
        session.watch(7)
        until(lambda: kept.of("status")[-1]["watched"] == 7)
    windows = kept.windows
    assert windows[0].first == 0
    for first, second in pairwise(windows):
        assert second.first == first.first + first.count
    assert all(len(one.watched) == one.count for one in windows)
    assert kept.of("status")[-1]["phase"] == "live"


def test_a_session_that_is_repeated_has_the_same_spikes(tmp_path) -> None:
    """Slider drags, a pulse, going back, saving twice: `run --events` gives the same hash."""
    with live(tmp_path) as (session, kept):
        until(lambda: session.time_ms > 200)
        for level in np.linspace(0.3, 0.8, 6):
            session.turn({"level.D1": float(level), "level.D2": float(level)})
            time.sleep(0.03)
        until(lambda: session.history.events)
        session.pulse("rate.cortex.dSPN", 2, 33.3)
        session.turn({"strength.FS": 0.0, "current.FS": 20.0}, "lesion")
        number = until(lambda: [one.number for one in session.history.lines
                                if "lesion" in one.label])[0]
        session.back(number)
        until(lambda: kept.of("branch"))
        session.turn({"reversal.GABA": -60.0})
        until(lambda: any("reversal" in one.label for one in session.history.lines))
        session.save()
        first = until(lambda: kept.of("saved"))[0]
        here = session.time_ms
        until(lambda: session.time_ms > here + 100)
        session.play(False)
        session.save()
        second = until(lambda: kept.of("saved")[1:])[0]
    assert first["spike_hash"] != second["spike_hash"]
    again = ns.run(events=second["file"], out=tmp_path / "again", figures=False)
    assert again.summary["spike_hash"] == second["spike_hash"]
    assert ns.Run(tmp_path / "run").summary["spike_hash"] == second["spike_hash"]
    assert "lesion" not in (tmp_path / "run" / "events.toml").read_text("utf-8")


def test_what_is_stopped_can_be_resumed(tmp_path) -> None:
    with live(tmp_path) as (session, _):
        until(lambda: session.time_ms > 100)
        session.turn({"level.D1": 0.8})
        until(lambda: session.history.events)
        until(lambda: session.time_ms > 300)
    left = ns.Run(tmp_path / "run")
    assert left.status == "interrupted"
    whole = ns.resume(tmp_path / "run")
    assert whole.duration_ms == pytest.approx(session.time_ms)
    assert len(whole.events) == 1
    assert ns.rerun(whole, out=tmp_path / "again").summary["equal"] is True


def test_nothing_is_left_where_nothing_was_simulated(tmp_path) -> None:
    session = Session("striatum_v1", size=100, out=tmp_path / "run", publish=lambda news: None)
    session.start()  # and nobody looks
    until(lambda: session.phase == "live")
    assert (tmp_path / "run").exists()
    session.stop(20)
    assert not (tmp_path / "run").exists()


def test_a_storm_of_turns_is_few_changes_and_the_last_one_holds(tmp_path) -> None:
    with live(tmp_path) as (session, kept):
        begun = time.monotonic()
        for number in range(120):
            session.turn({"level.D1": (number % 100) / 100})
            time.sleep(2 / 120)
        session.turn({"level.D1": 0.42})
        until(lambda: session.values["level.D1"] == 0.42)
        taken = time.monotonic() - begun
        assert len(kept.of("applied")) <= 50 * taken + 1
        assert kept.of("applied")[-1]["values"] == {"level.D1": 0.42}
        events = session.history.events
        assert len(events) == len(kept.of("applied"))
        assert events[-1].set == {"modulators.D1.level": "0.42"}
        assert len(session.history.lines) == 2  # the start, and one line for the whole drag


def test_pause_step_and_nobody_looking(tmp_path) -> None:
    with live(tmp_path) as (session, kept):
        session.play(False)
        time.sleep(0.1)
        stood, windows = session.time_ms, len(kept.windows)
        session.step()
        until(lambda: len(kept.windows) == windows + 1)
        assert session.time_ms > stood
        session.play(True)
        session.show(False)
        time.sleep(0.1)
        stood = session.time_ms
        time.sleep(0.1)
        assert session.time_ms == stood
        session.show(True)
        until(lambda: session.time_ms > stood)


def test_a_simulation_that_fails_says_why_and_can_go_back(tmp_path) -> None:
    with live(tmp_path) as (session, kept):
        until(lambda: session.time_ms > 50)
        session.turn({"level.D1": 0.9})
        until(lambda: session.history.events)
        advance, session.loop.simulator.advance = session.loop.simulator.advance, _fail
        failed = until(lambda: [one for one in kept.of("status") if one["phase"] == "failed"])[0]
        assert failed["error"] == "dSPN 3: membrane potential must stay within 1000 mV"
        stood = session.time_ms
        time.sleep(0.1)
        assert session.time_ms == stood
        session.loop.simulator.advance = advance
        session.back(session.history.lines[-1].number)
        until(lambda: session.phase == "live")
        assert session.values["level.D1"] == 0.3
        until(lambda: session.time_ms > stood)


def test_the_folder_of_a_failed_simulation_stays(tmp_path) -> None:
    with live(tmp_path) as (session, kept):
        until(lambda: session.time_ms > 50)
        session.loop.simulator.advance = _fail
        until(lambda: kept.of("status")[-1]["phase"] == "failed")
    left = ns.Run(tmp_path / "run")
    assert left.status == "failed"
    assert left.record["error"].startswith("dSPN 3")
    assert left.duration_ms > 0


def _fail(count: int) -> None:
    msg = "dSPN 3: membrane potential must stay within 1000 mV"
    raise NumericsError(msg)


@pytest.mark.parametrize(("order", "text"), [
    (lambda s: s.turn({"level.D3": 1}), "knob: must be one of the page's list (got level.D3)"),
    (lambda s: s.turn({"../../etc/passwd": 1}), "knob: must be one of the page's list"),
    (lambda s: s.turn({}), "values: must be a table"),
    (lambda s: s.turn([1]), "values: must be a table"),
    (lambda s: s.turn({"level.D1": 2}), "level.D1: must be from 0 to 1 (got 2)"),
    (lambda s: s.hurry(11), "speed: must be from 0.1 to 10 (got 11)"),
    (lambda s: s.hurry("1"), "speed: must be from"),
    (lambda s: s.watch(10**9), "cell: must be an id below"),
    (lambda s: s.watch(True), "cell: must be an id below"),
    (lambda s: s.pulse("level.D1", 2, 10), "level.D1: only a rate can have a pulse"),
    (lambda s: s.pulse("rate.cortex.FS", 0, 10), "factor: must be above 0"),
    (lambda s: s.pulse("rate.cortex.FS", 2, 1e9), "length_ms: must be above 0"),
])
def test_refused_orders(order, text: str) -> None:
    session = Session("striatum_v1", size=100, publish=lambda news: None)
    with pytest.raises(CircuitError) as refused:
        order(session)
    assert str(refused.value).startswith(text)


@pytest.mark.parametrize("seed", [-1, 2**63, 1.5, "1"])
def test_a_bad_seed_is_refused_before_a_page_opens(seed: object) -> None:
    with pytest.raises(CircuitError, match=r"^seed: must be a whole number from 0 to 2\^63 - 1"):
        Session("striatum_v1", size=100, seed=seed, publish=lambda news: None)


def test_a_wrong_precision_is_refused_before_a_page_opens() -> None:
    with pytest.raises(CircuitError, match=r"^precision: must be double or single"):
        Session("striatum_v1", size=100, precision="half", publish=lambda news: None)


def test_a_mesh_is_live_with_its_own_number_of_cells(tmp_path: Path) -> None:
    """A size beside it is refused, in words of the circuit; its events name none."""
    trimesh = pytest.importorskip("trimesh")
    trimesh.creation.icosphere(2, 60.0).export(tmp_path / "ball.stl")
    (tmp_path / "ball.toml").write_text(
        'extends = "striatum_v1"\nwarmup = "0 ms"\n[volume]\nshape = "mesh"\n'
        'file = "ball.stl"\n', encoding="utf-8")
    with pytest.raises(BuildError, match="size: follows from the mesh"):
        Session(tmp_path / "ball.toml", size=50, publish=print)
    with live(tmp_path, tmp_path / "ball.toml", size=None) as (session, kept):
        assert greeting(session)["size"] == session.size == session.cells
        until(lambda: session.time_ms > 40)
        session.save()
        until(lambda: kept.of("saved"))
    text = (tmp_path / "run" / "events.toml").read_text("utf-8")
    assert "size" not in tomllib.loads(text)


def test_few_moments_are_kept() -> None:
    lines = history.History()
    for step in range(history.KEPT + 5):
        lines.open(step, "x", history.Moment(step, None, {}, {}))
    assert sum(line.before is not None for line in lines.lines) == history.KEPT
    assert lines.back(1) is None
    assert lines.back(10**6) is None
    assert len(lines.lines) == history.KEPT + 5
    assert lines.back(20).step == 19
    assert len(lines.lines) == 19


def test_a_file_of_events_is_toml_whatever_is_in_it() -> None:
    for value in ('a "b" \\ \n \x7f ü →', 0.1, True, ["x", 1], {"a b": {"c": "20 pA"}}):
        assert tomllib.loads(f"x = {saving._toml(value)}") == {"x": value}
