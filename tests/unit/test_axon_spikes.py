"""Recorded spikes of axons: those that the engine played, whatever happened meanwhile."""

import numpy as np
import pytest
from test_axon_circuits import circuit

import neostriatum as ns
from neostriatum.errors import CircuitError

ALL = "axons.cortex:all:spikes"


def run(tmp_path, name, duration="40 ms", **options):
    """Return a short run that records axons."""
    options = {"record": [ALL, "dSPN:2:v"], **options}
    return ns.run(circuit(packets=0.2, slow={"sd": 0.5, "tau": "20 ms"}), size=60,
                  duration=duration, figures=False, out=tmp_path / name, **options)


def test_every_axon(tmp_path):
    """All spikes are there, sorted, in time; recording changes nothing."""
    made = run(tmp_path, "all")
    spikes = made.axons["cortex"]
    assert len(spikes.ids) == made.summary["axons"]["cortex"] > 50
    assert spikes.times_ms.min() > 0
    assert spikes.times_ms.max() <= 40.0
    assert (np.diff(spikes.times_ms) >= 0).all()
    plain = run(tmp_path, "plain", record="none")
    assert plain.axons == {}
    assert plain.summary["spike_hash"] == made.summary["spike_hash"]
    made.verify()


def test_some_axons(tmp_path):
    """Numbers and ranges in brackets choose, as they do of cells."""
    every = run(tmp_path, "all").axons["cortex"]
    some = run(tmp_path, "some", record="axons.cortex:[3,100-299]:spikes").axons["cortex"]
    chosen = np.isin(every.ids, [3, *range(100, 300)])
    assert np.array_equal(some.ids, every.ids[chosen])
    assert np.array_equal(some.times_ms, every.times_ms[chosen])


def test_a_run_that_goes_on_has_them_all(tmp_path):
    """The file of an extended run is that of a run at once."""
    whole = run(tmp_path, "whole")
    run(tmp_path, "half", "13.3 ms")
    longer = ns.resume(tmp_path / "half", duration="40 ms")
    assert np.array_equal(longer.axons["cortex"].ids, whole.axons["cortex"].ids)
    assert np.array_equal(longer.axons["cortex"].times_ms, whole.axons["cortex"].times_ms)
    assert longer.summary["spike_hash"] == whole.summary["spike_hash"]


def test_a_rate_that_an_event_changes(tmp_path):
    """What is written is what was played, on both sides of a change within a block."""
    events = [{"at": "20.3 ms", "set": {"axons.cortex.rate": "80 Hz"}}]
    made = run(tmp_path, "events", events=events)
    spikes = made.axons["cortex"]
    assert len(spikes.ids) == made.summary["axons"]["cortex"]
    early = (spikes.times_ms <= 20.3).sum()
    assert len(spikes.ids) - early > 6 * early
    again = run(tmp_path, "reference", events=events, engine="reference")
    assert again.summary["axons"] == made.summary["axons"]


@pytest.mark.parametrize(("text", "rule"), [
    ("axons.cortex:all", "record: of axons must be axons.NAME:AXONS:spikes"),
    ("axons.cortex:all:v", "record: of axons must be axons.NAME:AXONS:spikes"),
    ("axons.cortx:all:spikes", "axons must be one of cortex (got cortx)"),
    ("axons.cortex:401:spikes", "must be some of the 400 that there are (got 401)"),
    ("axons.cortex:some:spikes", "cells must be a number, [ids] or all (got some)"),
])
def test_other_texts_are_refused(tmp_path, text, rule):
    """One line, and no folder."""
    with pytest.raises(CircuitError) as refusal:
        run(tmp_path, "bad", record=text)
    assert rule in str(refusal.value)
    assert not (tmp_path / "bad").exists()


def test_pooled_axons_have_no_trains(tmp_path):
    """They are refused by their key."""
    with pytest.raises(CircuitError, match="must have identity = true to have trains"):
        ns.run(circuit(identity=False), size=60, duration="5 ms", record=ALL,
               out=tmp_path / "bad")
    assert not (tmp_path / "bad").exists()
