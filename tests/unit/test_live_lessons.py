"""What dopamine tells a circuit that learns: bursts, dips, rewards, and the weights after them."""

import pytest
from livesession import live, until
from test_learning_circuits import circuit

import neostriatum as ns
from neostriatum.errors import CircuitError
from neostriatum.live import history
from neostriatum.live.knobs import knobs
from neostriatum.live.lessons import lesson, lessons


def made(circuit):
    """Return the lessons of a circuit."""
    return lessons(circuit, knobs(circuit))


def test_a_circuit_that_does_not_learn_has_none() -> None:
    assert made(ns.load("striatum")) == {}
    with pytest.raises(CircuitError, match=r"^lesson: needs a pathway that learns \(got burst\)\."):
        lesson("burst", {})


def test_lessons_set_what_the_pathways_hear() -> None:
    known = made(circuit())
    assert list(known) == ["reward", "burst", "dip"]
    assert known["burst"][0].values == {"level.D1": 1.0, "level.D2": 1.0}
    assert known["dip"][0].values == {"level.D1": 0.0, "level.D2": 0.0}
    assert known["reward"][0].factors == {"rate.cortex": 3.0}
    assert known["reward"][1] == known["burst"][0]
    assert made(circuit({"level": "D1"}))["burst"][0].values == {"level.D1": 1.0}
    with pytest.raises(CircuitError, match="lesson: must be one of reward, burst, dip"):
        lesson("../x", known)


def test_computed_dopamine_is_held_and_let_go() -> None:
    """D1 is occupied by a concentration: a burst clamps it, and its end lets it go."""
    layered = ns.load(circuit().to_dict(), overlay="dreyer_nigra")
    burst = made(layered)["burst"][0].values
    assert set(burst) == {"level.D1", "level.D2"}
    known = knobs(layered)
    assert known["level.D1"].changes(None) == {"modulators.D1.level": "free"}
    layered.replace(known["level.D1"].changes(burst["level.D1"]))


def test_lessons_are_in_the_log_change_weights_and_are_repeated(tmp_path) -> None:
    with live(tmp_path, circuit(), size=100) as (session, kept):
        until(lambda: session.time_ms > 200)
        session.teach("reward")
        until(lambda: session.time_ms > 1000)
        session.teach("burst")
        session.teach("burst")  # while the first one lasts
        session.pulse("rate.cortex", 2, 100)
        session.pulse("rate.cortex", 2, 100)
        until(lambda: session.time_ms > 1500)
        session.teach("dip")
        until(lambda: kept.of("weights")[-1]["step"] > 10_000)
        until(lambda: session.time_ms > 2500)
        assert session.values == {name: knob.value for name, knob in session.knobs.items()}
        session.play(False)
        session.save()
        saved = until(lambda: kept.of("saved"))[0]
        labels = [line.label for line in session.history.lines]
        weights = {name: session.loop.simulator.weights(name).mean()
                   for name in ("cortex->dSPN", "cortex->iSPN")}
    assert kept.of("refused") == []
    assert labels[:4] == ["start", "cue of a reward, cortex axons x 3", "dopamine burst",
                          "end of dopamine burst"]
    assert labels[-2:] == ["dopamine dip", "end of dopamine dip"]
    first, last = kept.of("weights")[0], kept.of("weights")[-1]
    assert set(first["means"]) == set(weights)
    assert first["means"]["cortex->dSPN"] == pytest.approx(1.0, abs=0.05)
    assert last["means"]["cortex->dSPN"] != first["means"]["cortex->dSPN"]
    record = ns.Run(tmp_path / "run")
    again = ns.rerun(record, out=tmp_path / "again")
    assert again.summary["equal"] is True
    assert again.summary["spike_hash"] == saved["spike_hash"]
    events = {round(event.step * 0.1): event.changes for event in record.events}
    starts = [at for at, changes in events.items() if changes.get("modulators.D1.level") == 1.0]
    for at in starts:
        assert events[at + 200]["modulators.D1.level"] == 0.3


def test_moments_of_large_states_are_few(monkeypatch) -> None:
    import numpy as np

    monkeypatch.setattr(history, "KEPT_BYTES", 1000)
    lines = history.History()
    for step in range(6):
        lines.open(step, "x", history.Moment(step, None, {"weights": np.zeros(50)}, {}))
    assert [line.before is not None for line in lines.lines] == [False] * 4 + [True] * 2
