"""Delays are what the circuit says, in whole steps, or it is refused."""

import numpy as np
import pytest

import neostriatum as ns

PATHWAY = "iSPN->dSPN"
RAW = ns.load("striatum_v1").to_dict() | {"warmup": "0 ms", "gap_junctions": {}}


def circuit(delay, dt):
    pathway = RAW["pathways"][PATHWAY] | {"delay": delay}
    return ns.load(RAW | {"dt": f"{dt} ms", "pathways": {PATHWAY: pathway}})


@pytest.mark.parametrize("dt", [0.1, 0.05, 0.025, 0.02, 0.2, 0.3, 0.5])
@pytest.mark.parametrize("tenths", [0.25, 0.5, 1, 1.5, 2, 3, 4, 7.5, 10, 10.25, 12, 12.5, 30])
@pytest.mark.parametrize("spelling", ["ms", "us", "table"])
def test_exact_or_refused(dt, tenths, spelling):
    ms = tenths / 10
    delay = {"ms": f"{ms:g} ms", "us": f"{ms * 1000:g} us", "table": {"offset": f"{ms:g} ms"}}
    exact = abs(tenths - round(tenths)) < 1e-9 and abs(ms / dt - round(ms / dt)) < 1e-9
    if not exact or ms < dt:
        with pytest.raises(ns.NeostriatumError, match=r"dSPN.delay.offset: must be ") as error:
            circuit(delay[spelling], dt)
        assert f"(got {ms:g} ms)" in str(error.value)
    else:
        edges = ns.build(circuit(delay[spelling], dt), size=100, threads=1).edges[PATHWAY]
        assert set(np.unique(edges.delays)) <= {round(tenths)}


def test_a_distance_makes_any_delay():
    made = circuit({"offset": "0.15 ms", "velocity": "0.8 m/s"}, 0.05)
    delays = ns.build(made, size=100).edges[PATHWAY].delays
    assert len(np.unique(delays)) > 1


def test_presets_at_their_own_step_are_not_touched():
    for name in ("striatum_v1", "seed", "humphries2010", "fountas2017"):
        ns.load(name)
