"""Dopamine as a concentration: the shipped layers give what their parameters gave elsewhere.

The numbers were computed apart from this package, by exact steps of the same equations: rest at
4 Hz; a burst of 0.3 s at 20 Hz, its peaks and the time until a tenth of the rise is left; a pause
of 1 s.
"""

import numpy as np
import pytest

import neostriatum as ns
from neostriatum.engines.base import engine

#: Concentration, share of D1 and of D2 at rest; peaks in a burst; decay [ms]; D2 after a pause.
WANTED = {"dreyer_nigra": ((40.0, 0.04, 0.29), (492.0, 0.30, 0.50), 270.0, 0.21),
          "dreyer_vta": ((58.0, 0.055, 0.37), (400.0, 0.27, 0.57), 740.0, 0.28),
          "ejdrup_dorsal": ((10.0, 0.01, 0.60), (64.0, 0.06, 0.73), 100.0, 0.49)}
BURST = {"base": "4 Hz", "peak": "20 Hz", "start": "10 ms", "stop": "310 ms"}
PAUSE = {"base": "4 Hz", "peak": "0 Hz", "start": "10 ms", "stop": "1010 ms"}


def course(name, pulse, ms):
    """Return concentration and the occupied shares of D1 and D2 every 10 ms."""
    circuit = ns.load("striatum_v1", overlay=name, changes={
        "modulators.DA.rate": {"pulse": pulse}, "warmup": "0 ms", "inputs": {}})
    simulator = engine("numba", threads=1)
    simulator.prepare(circuit, ns.build(circuit, size=10, seed=1), 1)
    found = []
    for _ in range(ms // 10):
        levels = simulator.levels()
        found.append((levels["DA"], 0.35 * levels["D1"], levels["D2"]))
        simulator.advance(100)
    return np.array(found)


@pytest.mark.parametrize("name", WANTED)
def test_rest_burst_and_pause(name):
    rest, peaks, decay, after = WANTED[name]
    burst = course(name, BURST, 2000)
    assert burst[0] == pytest.approx(np.array(rest), rel=0.06, abs=0.003)
    assert burst.max(axis=0) == pytest.approx(np.array(peaks), rel=0.03, abs=0.01)
    low, high = burst[0, 0], burst[:, 0].max()
    late = np.flatnonzero(burst[:, 0] > low + 0.1 * (high - low))
    assert 10.0 * (late[-1] + 1) - 310.0 == pytest.approx(decay, abs=20.0)
    assert course(name, PAUSE, 1020)[:, 2].min() == pytest.approx(after, abs=0.01)


@pytest.mark.parametrize("preset", ["striatum_v1", "humphries2010", "fountas2017"])
@pytest.mark.parametrize("name", WANTED)
def test_every_preset_takes_them(name, preset):
    circuit = ns.load(preset, overlay=name)
    assert circuit.dopamine.d1 is circuit.dopamine.d2 is None
    assert ns.load(circuit.to_dict()) == circuit
    # Another layer takes the place of the first.
    other = ns.load(circuit, overlay="dreyer_vta")
    assert other == ns.load(preset, overlay="dreyer_vta")


def test_dopamine_alone_is_refused_then_clamped():
    layered = ns.load("striatum_v1", overlay="ejdrup_dorsal")
    with pytest.raises(ns.errors.CircuitError, match=r"dopamine\.d1: D1 is computed"):
        layered.replace({"dopamine.d1": 0.8})
    with pytest.raises(ns.errors.CircuitError, match=r"dopamine\.d1: D1 is computed"):
        ns.load(layered, overlay="parkinsonian.dopamine")
    assert layered.replace({"modulators.DA.level": 0.0}).levels_at(0.0)["D2"] == 0.0
