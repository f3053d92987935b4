"""NEST computes what the trees of any model say, to the bit, on nets without random draws."""

import itertools

import numpy as np
import pytest
from nets import trains
from test_any_model import CELLS, RECEPTORS, G, electrode, gaps, levels, spread

import neostriatum as ns
from neostriatum.engines.nest_engine.module import modules
from neostriatum.engines.nest_engine.trains import train
from neostriatum.errors import CircuitError, EngineUnsupported
from neostriatum.models import (
    CellModel,
    I,
    ReceptorModel,
    State,
    exp,
    log,
    logistic2,
    parameters,
    positive,
    rate,
    where,
)
from neostriatum.models.registry import register

N_STEPS = 2500
#: Steps for which states must agree where NEST sums in another order; spikes do throughout.
HORIZON = 500
#: Of the conductances in `WEIGHTS`, so that every kind fires.
SCALE = 5.0
#: Cells of each kind.
EACH = 8


def wordy_cell() -> CellModel:
    """A cell of three states under words and units of NESTML, with every operation."""
    v, step, ms = State("v", "mV"), State("step", "pA"), State("ms", "1")
    while_, E, input_, spike, t0, refractory, on = parameters(
        "while pF > 0", "E nS > 0", "input mV", "spike mV", "t0 ms > 0", "refractory ms = 0.7",
        "on pA = 3")
    gate = where((v > input_) & (ms < 0.9) | (v > spike), 1.0 - ms, 0.5 * log(1.5 - ms))
    return CellModel(
        name="wordy", states=(v, step, ms),
        rates=(rate(v, E * (input_ - v) + E * positive(v - spike) - step * ms + I, per=while_),
               rate(step, 0.0003 * E * abs(v - input_) - step, per=t0),
               rate(ms, gate * exp((v - spike) / -1e1 / (spike - input_) * E / E)
                    * logistic2(2.5, -ms) - 0.123456789012345 * ms, per=t0)),
        fires=(v >= spike) & (ms > -3.0), then={v: input_ - 3 * (spike - input_) * ms / 9,
                                               step: step + 40 * on, ms: where(ms > 0.5, 0.1, ms)},
        starts={v: input_, step: 0, ms: 0.25}, hold=refractory, constant_current=on)


def wordy_receptor() -> ReceptorModel:
    """A receptor with a rate that sees the potential, and an arrival that one state alone takes."""
    v, function, end = State("v", "mV"), State("function", "nS"), State("end", "nS")
    inline, tau, half = parameters("inline mV", "tau ms > 0", "half mV")
    return ReceptorModel(
        name="wordy", states=(function, end), decays={function: tau},
        rates=(rate(end, where(v > half, function, 0.5 * function) - end, per=tau),),
        adds=(function,), current=(function + end) * (inline - v))


WORDY = {"while": "80 pF", "E": "6 nS", "input": "-70 mV", "spike": "-48 mV", "t0": "40 ms"}
KINDS = {**CELLS, "wordy": ("wordy", WORDY)}
HEARD = {**RECEPTORS, "wordy": {"model": "wordy", "inline": "0 mV", "tau": "6 ms",
                                "half": "-60 mV"}}
WEIGHTS = {**G, "wordy": "0.6 nS"}


@pytest.fixture
def nest(request):
    """NEST, or a skipped test."""
    maker = request.getfixturevalue("reference").__class__("nest")
    maker()
    return maker


@pytest.fixture(scope="module", autouse=True)
def wordy():
    """Two models of a user."""
    register(wordy_cell())
    register(wordy_receptor())


def recorded(folder, kinds):
    """Write a train for every cell and receptor, and return the inputs that play them."""
    inputs = {}
    for place, name in enumerate(HEARD):
        amount = f"{SCALE * float(WEIGHTS[name].split()[0])!r} nS"
        targets = {}
        for salt, kind in enumerate(kinds):
            file = f"{name}.{kind}.csv"
            events = sorted(trains(range(EACH), N_STEPS, 37 if place % 2 else 61, 7 * place + salt))
            lines = [f"{step * 0.1!r},{cell}" for step, cell in events]
            (folder / file).write_text("\n".join(["time_ms,id", *lines]) + "\n", encoding="utf-8")
            targets[kind] = {"spikes": {"file": file}, "conductance": {name: amount}}
        inputs[f"played_{name}"] = {"targets": targets}
    return inputs


def net(folder, kinds, **sections):
    """Return circuit and network of kinds of cells with all receptors, wired at random."""
    pathways = {f"{a}->{b}": {
        "conductance": {"fast_gaba": "0.9 nS", "slow_gaba": "0.3 nS", "wordy": "0.1 nS"},
        "delay": {"offset": "1.2 ms"}, "wiring": {"rule": "fixed_probability", "p": 0.05}}
        for a, b in itertools.product(kinds, kinds)}
    raw = {"name": "any", "receptors": HEARD, "volume": {"density": "80000 / mm^3"},
           "pathways": pathways,
           "cells": {name: {"fraction": 1.0 / len(kinds), "model": model, "parameters": values}
                     for name, (model, values) in KINDS.items() if name in kinds}}
    raw |= sections
    raw["inputs"] = recorded(folder, kinds) | sections.get("inputs", {})
    circuit = ns.load(raw, folder=folder)
    return circuit, ns.build(circuit, size=EACH * len(kinds), seed=1)


def compared(circuit, network, maker, **options):
    """Return spikes, and every state of every cell after every step by kind and variable."""
    simulator = maker(**options)
    simulator.prepare(circuit, network, 1)
    for name, count in network.counts.items():
        for variable in variables(circuit, name):
            simulator.probe(name, np.arange(count), variable)
    parts = [np.stack(simulator.advance(count)) for count in (1, 699, N_STEPS - 700)]
    return np.concatenate(parts, axis=1), {
        (one.population, one.variable): one.values for one in simulator.take()}


def variables(circuit, name):
    """Return what can be recorded of a cell type."""
    own = list(circuit.cells[name].cell_model.names)
    return own + [f"{state}_{receptor}" for receptor in circuit.receptors_of(name)
                  for state in circuit.receptors[receptor].receptor_model.names]


def test_all_models_have_the_bits_of_the_reference(nest, reference, tmp_path):
    circuit, network = net(tmp_path, list(KINDS))
    right, ours = (compared(circuit, network, maker) for maker in (reference, nest))
    for name, ids in network.populations.items():
        assert np.isin(right[0][1], list(ids)).sum() > 5, name
    np.testing.assert_array_equal(ours[0], right[0])
    assert ours[1].keys() == right[1].keys()
    for key, values in right[1].items():
        assert values.std() > 0, key
        np.testing.assert_array_equal(ours[1][key], values, err_msg=str(key))


def test_what_acts_on_a_model_is_that_of_the_reference(nest, reference, tmp_path):
    """Spread, a level on parameters, a gain and a current, an electrode, gap junctions.

    NEST sums currents of electrodes and junctions in another order; spikes that follow from
    slow currents multiply the difference.
    """
    kinds = ["fast", "adex", "wordy"]
    sections = {**levels(kinds[:2], wave=True), "spread": spread(kinds[:2]),
                "inputs": electrode(kinds), "gap_junctions": gaps(kinds)}
    for junctions in sections["gap_junctions"].values():
        junctions["wiring"]["p"] = 0.3
    share = 1.0 / len(kinds)
    acting = [{"level": "ACh", "acts_on": "while", "coefficient": 0.2},
              {"level": "ACh", "acts_on": "on", "add": "5 pA"},
              {"level": "ACh", "acts_on": "I_wordy", "coefficient": -0.3}]
    cells = sections["cells"] | {"wordy": {"model": "wordy", "parameters": WORDY,
                                           "effects": acting}}
    sections["cells"] = {name: {**cell, "fraction": share} for name, cell in cells.items()}
    circuit, network = net(tmp_path, kinds, **sections)
    assert all(len(pairs) for pairs in network.junctions.values())
    right, ours = (compared(circuit, network, maker) for maker in (reference, nest))
    for name, ids in network.populations.items():
        assert np.isin(right[0][1], list(ids)).sum() > 5, name
    np.testing.assert_array_equal(ours[0], right[0])
    for key, values in right[1].items():
        assert values.std() > 0, key
        np.testing.assert_allclose(ours[1][key][:HORIZON], values[:HORIZON], atol=1e-9, rtol=0,
                                   err_msg=str(key))


def test_a_variable_that_a_cell_does_not_have(nest, tmp_path):
    circuit, network = net(tmp_path, ["wordy"])
    simulator = nest()
    simulator.prepare(circuit, network, 1)
    with pytest.raises(CircuitError, match=r"^record: wordy has v, step, ms, .*\(got u\)"):
        simulator.probe("wordy", np.array([0]), "u")


def test_what_nestml_says_of_a_text_is_told(nest, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    text = train().replace("rise0 real = 0.0", "risen real = 0.0")
    with pytest.raises(EngineUnsupported) as error:
        modules({"train": (text, "plain")}, nest().nest)
    assert str(error.value).startswith("engine nest: NESTML refuses a cell model (")
    assert 'Could not resolve symbol "rise0"' in str(error.value)
    assert len(str(error.value).splitlines()) == 1
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["lock"]
