"""Levels by name: both spellings, a third modulator on cells, levels that hold and square waves."""

import dataclasses

import nets
import numpy as np
import pytest
from compare import first_divergence, simulate
from lively import lively

import neostriatum as ns
from neostriatum.engines.base import engine as make_engine
from neostriatum.recording.store import spike_hash

#: A level that changes all the time, below and above the reference of every effect.
ACH = {"level": {"sine": {"mean": 2.0, "amplitude": 1.5, "frequency": "40 Hz"}}, "reference": 1.0}
CURVE = {"half": 2.0, "order": 1.7, "reference": 1.0}
#: In every way: a factor, an addition (also where neurons differ), a current, a gain; with curves.
EFFECTS = {
    "dSPN": [{"level": "ACh", "acts_on": "v_t", "add": "-0.8 mV"},
             {"level": "ACh", "acts_on": "I_spon", "add": "90 pA", "curve": CURVE},
             {"level": "ACh", "acts_on": "I_NMDA", "coefficient": 3.0, "curve": CURVE}],
    "iSPN": [{"level": "ACh", "acts_on": "v_t", "coefficient": 0.02},
             {"level": "ACh", "acts_on": "v_t", "add": "-1.2 mV", "curve": CURVE},
             {"level": "ACh", "acts_on": "k", "coefficient": -0.3, "curve": {"half": 1.5}}],
    "FS": [{"level": "ACh", "acts_on": "current", "conductance": "2 nS", "reversal": "-80 mV",
            "curve": CURVE}, {"level": "D1", "acts_on": "C", "add": "5 pF"},
           {"level": "ACh", "acts_on": "k", "add": "0.1 nS/mV"}],
}
N_STEPS = 300


def modulated(net, effects=EFFECTS, ach=ACH):
    """Return a net with a third modulator that acts on every type."""
    raw = net.circuit.to_dict()
    raw["cells"] = {name: cell | {"effects": effects[name]} for name, cell in raw["cells"].items()}
    circuit = ns.load(raw | {"modulators": {"ACh": ach}}, folder=net.circuit._folder)
    return dataclasses.replace(net, circuit=circuit)


def spikes(net, name="numba", pieces=(N_STEPS,), **options):
    """Return the hash and the number of the spikes of a net, simulated in pieces."""
    simulator = make_engine(name, **options)
    simulator.prepare(net.circuit, net.network, 1)
    steps, ids = (np.concatenate(part) for part in
                  zip(*(simulator.advance(piece) for piece in pieces), strict=True))
    return spike_hash(steps, ids), len(steps)


@pytest.fixture(scope="module")
def plain():
    """A busy random net, with noise on two types and spread on the third."""
    return lively(300)


@pytest.fixture(scope="module")
def net(plain):
    """The same net with acetylcholine."""
    return modulated(plain)


@pytest.mark.parametrize("name", ["reference", "numba"])
def test_both_spellings_give_the_same_spikes(plain, name):
    raw = plain.circuit.to_dict()
    dopamine = raw.pop("dopamine")
    raw["modulators"] = {"D1": {"level": dopamine["d1"]}, "D2": {"level": dopamine["d2"]}}
    for cell in raw["cells"].values():
        cell["effects"] = [{("level" if key == "receptor" else key): value
                            for key, value in effect.items()} for effect in cell.pop("dopamine")]
    newer = dataclasses.replace(plain, circuit=ns.load(raw))
    found = spikes(newer, name)
    assert found == spikes(plain, name)
    assert found[1] > 100


def test_a_third_modulator_to_the_bit(net, plain):
    oracle = spikes(net, "reference")
    assert oracle[1] > 100
    assert oracle != spikes(plain, "reference")
    for threads, pieces in ((1, (N_STEPS,)), (2, (77, 1, N_STEPS - 78)), (3, (150, 150))):
        assert spikes(net, threads=threads, pieces=pieces) == oracle


@pytest.mark.parametrize("cell", EFFECTS)
@pytest.mark.parametrize("number", range(3))
def test_every_effect_matters_and_agrees(plain, cell, number):
    one = {name: [EFFECTS[cell][number]] if name == cell else [] for name in EFFECTS}
    single = modulated(plain, one)
    assert spikes(single) == spikes(single, "reference") != spikes(plain)


def test_constant_levels_and_uniform_cells(plain):
    raw = plain.circuit.to_dict() | {"noise": {}, "spread": {}}
    network = dataclasses.replace(plain.network, spread={}, circuit=None)
    uniform = dataclasses.replace(plain, circuit=ns.load(raw), network=network)
    constant = modulated(uniform, ach={"level": 3.0, "reference": 1.0})
    assert spikes(constant) == spikes(constant, "reference") != spikes(uniform)


def test_single_precision_is_near(net):
    count = spikes(net)[1]
    assert abs(spikes(net, precision="single")[1] - count) < 0.2 * count


@pytest.mark.parametrize("ach", [ACH, {"level": 2.5, "reference": 1.0}], ids=["sine", "constant"])
@pytest.mark.parametrize("name", ["receptors", "courses"])
def test_rivals_agree(rival, reference, name, ach, tmp_path):
    changed = modulated(nets.ALL[name](tmp_path), ach=ach)
    oracle, other = (simulate(maker, changed, 2_000, probe=False) for maker in (reference, rival))
    assert len(oracle.ids) > 20
    assert first_divergence(oracle, other, changed.circuit.dt.value) is None


STEPS = {"dopamine.d1": [0.3, 0.9, 0.1], "modulators.ACh.level": [1.0, 4.0, 0.0],
         "inputs.cortex.targets.dSPN.rate": ["2 Hz", "30 Hz", "0 Hz"]}


@pytest.mark.parametrize("key", STEPS)
@pytest.mark.parametrize("name", ["reference", "numba"])
def test_steps_are_live_changes(net, key, name):
    warm, at, values = 50, (0, 90, 170), STEPS[key]
    course = {"steps": {"times": [f"{step * 0.1!r} ms" for step in at], "values": values}}
    whole = dataclasses.replace(net, circuit=net.circuit.replace({key: course}))
    simulator = make_engine(name)
    simulator.prepare(net.circuit.replace({key: values[0]}), net.network, 1)
    parts = [simulator.advance(warm + at[1])]
    for value, count in ((values[1], at[2] - at[1]), (values[2], N_STEPS - warm - at[2])):
        simulator.change(net.circuit.replace({key: value}))
        parts.append(simulator.advance(count))
    steps, ids = (np.concatenate(part) for part in zip(*parts, strict=True))
    assert (spike_hash(steps, ids), len(steps)) == spikes(whole, name)
    assert spikes(whole, name) != spikes(net, name)


def test_a_square_wave_is_its_steps(plain):
    square = {"low": "1 Hz", "high": "9 Hz", "frequency": "200 Hz", "duty": 0.4, "start": "1 ms"}
    times = [0.0, *(1.0 + 5.0 * turn + late for turn in range(6) for late in (0.0, 3.0))]
    steps = {"times": [f"{time} ms" for time in times], "values": ["1 Hz", *["1 Hz", "9 Hz"] * 6]}
    found = [spikes(dataclasses.replace(plain, circuit=plain.circuit.replace(
        {"inputs.cortex.targets.dSPN.rate": {shape: course}})), name)
        for shape, course in (("square", square), ("steps", steps))
        for name in ("reference", "numba")]
    assert len(set(found)) == 1
