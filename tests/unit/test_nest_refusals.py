"""What NEST is asked to change while it runs, told before it begins; needs no NEST."""

import pytest

import neostriatum as ns
from neostriatum.engines.nest_engine.engine import Nest
from neostriatum.errors import EngineUnsupported
from neostriatum.runs.events import entries, event_list, planned, refuse_engine

CORTEX = "inputs.cortex.targets"
ACH = {"released_by": "FS", "tonic": "4 Hz", "tau": "400 ms", "delay": "1 ms", "level": 1.0}


@pytest.fixture(scope="module")
def circuit():
    """Trains of every kind: two types with one mother, a pool, and a current."""
    return ns.load("striatum_v1", changes={
        **{f"{CORTEX}.{name}": {"afferents": 200, "rate": "3 Hz", "conductance": {"AMPA": "1 nS"},
                                "correlation": {"between": 0.1}} for name in ("dSPN", "iSPN")},
        f"{CORTEX}.FS.afferents": 2000,
        "inputs.pool": {"targets": {"dSPN": {"afferents": 20, "shared_trains": 100, "rate": "2 Hz",
                                             "conductance": {"NMDA": "0.1 nS"}}}},
        "inputs.electrode": {"targets": {"FS": {"current": "10 pA"}}}})


def refuse(circuit, *changes):
    """Check events as a run does."""
    rows = [{"at": f"{number} ms", "set": one} for number, one in enumerate(changes, start=1)]
    refuse_engine(Nest, "nest", planned(entries(event_list(rows), circuit, 1000), circuit))


@pytest.mark.parametrize("changes", [
    {"modulators.D1.level": 0.8}, {"dopamine.d2": {"ramp": {
        "base": 0.1, "peak": 0.9, "start": "3 ms", "stop": "9 ms"}}},
    {f"{CORTEX}.FS.rate": "0 Hz"}, {f"{CORTEX}.dSPN.rate": "5 Hz", f"{CORTEX}.iSPN.rate": "5 Hz"},
    {"inputs.pool.targets.dSPN.rate": "9 Hz"}, {f"{CORTEX}.FS.conductance.AMPA": "2 nS"},
    {"inputs.electrode.targets.FS.current": "-20 pA"},
    {"inputs.more": {"targets": {"iSPN": {"current": "20 pA"}}}},
    {"pathways.FS->dSPN.conductance.GABA": "0 nS"}, {"pathways.FSI->D1.conductance": {
        "GABA": "2 nS"}},
    {"cells.FS.parameters.d": "9 pA"}])
def test_what_can_change_and_back(changes, circuit):
    back = circuit.to_dict()
    refuse(circuit, changes, {key: back[key] for key in ("inputs", "pathways", "cells")}, changes)


#: What NEST cannot follow, and what the refusal says of it.
REFUSED = {
    "a receptor": ({"receptors.GABA.tau": "9 ms"},
                   "receptors.GABA.tau cannot change while a run goes on (got 9.0 ms). Use the "),
    "another receptor": ({"pathways.FS->dSPN.conductance": {"AMPA": "1 nS"}},
                         "pathways.FS->dSPN.conductance.GABA cannot change while a run goes on "
                         "(got none)"),
    "one more receptor": ({"pathways.FS->dSPN.conductance": {"GABA": "6 nS", "AMPA": "1 nS"}},
                          "pathways.FS->dSPN.conductance.AMPA"),
    "plasticity": ({"pathways.FS->dSPN.stp.U": 0.5}, "pathways.FS->dSPN.stp.U"),
    "failures": ({"pathways.FS->dSPN.failure": {"probability": 0.2}},
                 "pathways.FS->dSPN.failure.probability"),
    "a gap junction": ({"gap_junctions.FS-FS.conductance": "2 nS"},
                       "gap_junctions.FS-FS.conductance"),
    "noise": ({"noise.FS": "1 mV"}, "noise.FS"),
    "an effect": ({"cells.FS.dopamine": []}, "cells.FS.dopamine"),
    "a reference": ({"modulators.D1.reference": 0.5}, "modulators.D1.reference"),
    "another modulator": ({"modulators.ACh": {"level": 1.0, "reference": 1.0}},
                          "modulators.ACh.reference"),
    "afferents": ({f"{CORTEX}.FS.afferents": 20}, f"{CORTEX}.FS.afferents"),
    "a correlation": ({f"{CORTEX}.FS.correlation.within": 0.1}, f"{CORTEX}.FS.correlation.within"),
    "another drive": ({"inputs.more": {"targets": {"FS": {
        "afferents": 5, "rate": "1 Hz", "conductance": {"AMPA": "1 nS"}}}}}, "inputs.more.targets"),
    "a drive less": ({"inputs.electrode": {"targets": {"FS": {
        "afferents": 5, "rate": "1 Hz", "conductance": {"AMPA": "1 nS"}}}}}, "inputs.electrode"),
    "too many events": ({f"{CORTEX}.FS.rate": "5000 Hz"}, "must bring at most 600 events per step"),
    "one rate of two": ({f"{CORTEX}.dSPN.rate": "5 Hz"}, f"{CORTEX}.dSPN.rate cannot change alone"),
    "weights of a mother": ({f"{CORTEX}.iSPN.conductance.AMPA": "2 nS"},
                            f"{CORTEX}.iSPN.conductance cannot change while a run goes on, as its"),
    "weights of a pool": ({"inputs.pool.targets.dSPN.conductance.NMDA": "2 nS"},
                          "inputs.pool.targets.dSPN.conductance cannot change"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_the_rest_is_refused_by_name(what, circuit):
    changes, rule = REFUSED[what]
    with pytest.raises(EngineUnsupported) as error:
        refuse(circuit, {"dopamine.d1": 0.5}, changes)
    assert str(error.value).startswith("event at 2 ms: engine nest: ")
    assert rule in str(error.value)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 200


def test_weights_of_recorded_spikes(tmp_path):
    (tmp_path / "in.csv").write_text("time_ms,id\n1.0,0\n", "utf-8")
    raw = ns.load("striatum_v1").to_dict()
    raw["inputs"]["file"] = {"targets": {"FS": {"spikes": {"file": "in.csv"},
                                                "conductance": {"AMPA": "1 nS"}}}}
    played = ns.load(raw, folder=tmp_path)
    with pytest.raises(EngineUnsupported, match=r"FS.conductance cannot change .* recorded"):
        refuse(played, {"inputs.file.targets.FS.conductance.AMPA": "2 nS"})


def test_a_level_that_is_let_go(circuit):
    clamped = ns.load(circuit.to_dict() | {"modulators": {"ACh": ACH}})
    refuse(clamped, {"modulators.ACh.level": 3.0})
    with pytest.raises(EngineUnsupported, match=r"event at 2 ms: engine nest: modulators\.ACh\."):
        refuse(clamped, {"modulators.ACh.level": 3.0}, {"modulators.ACh.level": "free"})
