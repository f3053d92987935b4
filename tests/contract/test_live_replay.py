"""What was done live can be repeated: `run --events` has the very spikes, on both engines."""

import json
import sys
import time
from pathlib import Path

from lively import lively

import neostriatum as ns

sys.path.insert(0, str(Path(__file__).parent.parent / "unit"))
from livesession import live, until


def test_a_session_is_repeated_to_the_bit(tmp_path: Path) -> None:
    """A circuit without a second of warm-up, as a step of the reference takes a millisecond."""
    circuit, seconds = tmp_path / "lively.json", 0.12
    circuit.write_text(json.dumps(lively(60).circuit.to_dict()))
    turns = [{"level.D1": 0.8, "level.D2": 0.8}, {"strength.FS": 0.0},
             {"reversal.GABA": -60.0}, {"rate.cortex.dSPN": 3.0}, {"current.iSPN": 25.0}]
    with live(tmp_path, str(circuit), size=60) as (session, kept):
        session.hurry(0.4)
        for place, values in enumerate(turns):
            until(lambda at=place: session.time_ms >= 1000 * seconds * at / len(turns))
            session.turn(values)
            until(lambda values=values: session.values | values == session.values)
            time.sleep(0.01)
        until(lambda: session.time_ms >= 1000 * seconds)
        session.save()
        saved = until(lambda: kept.of("saved"))[0]
    assert saved["events"] == len(turns)
    for engine in ("numba", "reference"):
        run = ns.run(events=saved["file"], engine=engine, figures=False, out=tmp_path / engine)
        assert run.summary["spike_hash"] == saved["spike_hash"]
        assert len(run.events) == len(turns)
    assert run.summary["spikes"] > 0


def test_a_session_in_single_precision_is_repeated_in_it(tmp_path: Path) -> None:
    with live(tmp_path, size=60, precision="single") as (session, kept):
        until(lambda: session.time_ms >= 20)
        session.turn({"level.D1": 0.8, "level.D2": 0.8})
        until(lambda: session.time_ms >= 60)
        session.save()
        saved = until(lambda: kept.of("saved"))[0]
    run = ns.run(events=saved["file"], figures=False, out=tmp_path / "again")
    assert run.record["precision"] == "single"
    assert run.summary["spike_hash"] == saved["spike_hash"]
