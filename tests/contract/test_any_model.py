"""Any model has the same bits in the fast engine as the trees of its equations have in NumPy."""

import itertools

import numpy as np
import pytest
from random_models import parameters_of, random_model

import neostriatum as ns
from neostriatum.engines.base import engine
from neostriatum.models.registry import register

SPN = {"C": "120 pF", "g_L": "7.2 nS", "E_L": "-76.5 mV", "g_K": "6 nS", "g_A": "10.2 nS",
       "k": "12 nS/mV", "v_T": "-48 mV", "a": "0.01 / ms", "b": "-0.3 nS", "v_r": "-82 mV",
       "d": "55 pA", "c": "-55 mV", "a_z": "0.0033 / ms", "b_z": "-2 nS", "v_z": "-68 mV",
       "s": 1}
FS = {"C": "90 pF", "g_L": "12.4 nS", "E_L": "-67 mV", "k": "16 nS/mV", "v_T": "-50 mV",
      "a": "0.0067 / ms", "b": "-1 nS", "v_r": "-67 mV", "d": "8 pA", "c": "-59 mV",
      "t_ref": "0.8 ms", "a_z": "0.5 / ms", "b_z": "40 nS", "v_z": "-52 mV", "s": 1,
      "d_z": "20 pA"}
ADEX = {"C": "120 pF", "g_L": "10 nS", "E_L": "-75 mV", "v_T": "-50 mV", "D_T": "2 mV",
        "a": "2 nS", "b": "60 pA", "tau_w": "100 ms", "v_reset": "-58 mV", "v_peak": "0 mV",
        "t_ref": "2 ms"}
STN = {"C": "60 pF", "g_L": "10 nS", "E_L": "-80.2 mV", "v_T": "-64 mV", "D_T": "16.2 mV",
       "a_low": "0.3 nS", "a_high": "0 nS", "v_a": "-70 mV", "tau_w": "333 ms",
       "b": "0.05 pA", "v_reset": "-70 mV", "v_peak": "15 mV", "slope_low": "-10 mV/pA",
       "max_low": "-60 mV", "slope_high": "0 mV/pA", "max_high": "-70 mV", "I_spon": "6 pA"}
QUADRATIC = {"C": "15.2 pF", "k": "1 nS/mV", "v_r": "-80 mV", "v_t": "-29.7 mV",
             "v_peak": "40 mV", "a": "0.01 / ms", "b": "-20 nS", "c": "-55 mV", "d": "91 pA"}
CUBIC = {**QUADRATIC, "C": "80 pF", "v_r": "-70 mV", "v_t": "-50 mV", "v_peak": "25 mV",
         "a": "0.2 / ms", "b": "0.025 nS/mV^2", "c": "-60 mV", "d": "0 pA", "v_b": "-55 mV"}
CELLS = {"spn": ("striatal", SPN), "fast": ("striatal", FS), "adex": ("adex", ADEX),
         "stn": ("adex_rebound", STN), "linear": ("izhikevich", QUADRATIC),
         "cubic": ("izhikevich_fs", CUBIC)}
RECEPTORS = {
    "rising": {"model": "two_exponentials", "E": "0 mV", "tau": "5 ms", "tau_rise": "0.5 ms"},
    "plain": {"E": "0 mV", "tau": "4 ms"},
    "nmda": {"E": "0 mV", "tau": "160 ms", "magnesium": "1 mM", "mg_half": "2.62 mM"},
    "sigmoid": {"model": "nmda_sigmoid", "E": "0 mV", "tau": "80 ms", "v_half": "-20 mV",
                "v_slope": "16 mV"},
    "fast_gaba": {"E": "-60 mV", "tau": "8 ms"},
    "slow_gaba": {"model": "two_exponentials", "E": "-60 mV", "tau": "40 ms",
                  "tau_rise": "3 ms"}}
G = {"rising": "0.8 nS", "plain": "0.7 nS", "nmda": "0.2 nS", "sigmoid": "0.2 nS",
     "fast_gaba": "1 nS", "slow_gaba": "0.5 nS"}


def drive(names, rate="12 Hz", **more):
    """An input onto some receptors."""
    return {"afferents": 250, "rate": {"constant": rate},
            "conductance": {name: G[name] for name in names}, **more}


def net(kinds, receptors, /, seed=1, size=700, n_steps=900, folder=None, **sections):
    """Return circuit, network and steps of a net of some kinds of cells and receptors.

    Files that its sections name are in the folder.
    """
    share = 1.0 / len(kinds)
    cells = sections.get("cells") or {
        name: {"fraction": share, "model": CELLS[name][0], "parameters": CELLS[name][1]}
        for name in kinds}
    pathways = {f"{a}->{b}": {
        "conductance": {name: G[name] for name in receptors if name.endswith("gaba")},
        "delay": {"offset": "1.2 ms"}, "wiring": {"rule": "fixed_probability", "p": 0.05}}
        for a, b in itertools.product(kinds, kinds)
        if any(name.endswith("gaba") for name in receptors)}
    driven = [name for name in receptors if not name.endswith("gaba")]
    inputs = {"first": {"targets": {name: drive(driven) for name in kinds}}}
    raw = {"name": "any", "cells": cells, "pathways": pathways, "inputs": inputs,
           "receptors": {name: RECEPTORS[name] for name in receptors},
           "volume": {"density": "80000 / mm^3"}}
    raw |= {key: value for key, value in sections.items() if key != "inputs"}
    raw["inputs"] |= sections.get("inputs", {})
    circuit = ns.load(raw, folder=folder)
    return circuit, ns.build(circuit, size=size, seed=seed), n_steps


def second_input(kinds):
    return {"second": {"targets": {name: drive(["plain"], "4 Hz", process="binomial")
                                   for name in kinds}}}


def electrode(kinds):
    return {"electrode": {"targets": {name: {"current": {"sine": {
        "mean": "20 pA", "amplitude": "10 pA", "frequency": "40 Hz"}}} for name in kinds}}}


def spread(kinds):
    """Every parameter of every kind, a little, and the size of its cells."""
    table = {}
    for name in kinds:
        # What must keep its order or its size, or is a time that v is held, stays.
        table[name] = {key: f"{0.01 * abs(float(str(value).split()[0])) or 0.01!r}"
                            f"{' ' + str(value).partition(' ')[2] if ' ' in str(value) else ''}"
                       for key, value in CELLS[name][1].items()
                       if key not in ("t_ref", "s", "v_peak", "c", "v_reset", "max_low",
                                      "max_high")}
        table[name]["size"] = {"cv": 0.05, "of": [
            key for key in ("C", "g_L", "g_A", "k") if key in CELLS[name][1]]}
    return table


def levels(kinds, wave):
    """Effects of a level that varies, or not, on a parameter that all have, and on a receptor."""
    first = {"spn": "v_T", "fast": "v_T", "adex": "v_T", "stn": "v_T", "linear": "v_t",
             "cubic": "v_t"}
    cells = {name: {"fraction": 1.0 / len(kinds), "model": CELLS[name][0],
                    "parameters": CELLS[name][1], "effects": [
                        {"level": "ACh", "acts_on": first[name], "add": "-1 mV"},
                        {"level": "ACh", "acts_on": "C", "coefficient": 0.1},
                        {"level": "ACh", "acts_on": "I_plain", "coefficient": 0.2},
                        {"level": "ACh", "acts_on": "current", "conductance": "0.2 nS",
                         "reversal": "-90 mV"}]} for name in kinds}
    sine = {"sine": {"mean": 0.5, "amplitude": 0.4, "frequency": "30 Hz"}}
    return {"cells": cells, "modulators": {"ACh": {"level": sine if wave else {"constant": 0.4}}}}


def gaps(kinds):
    rule = {"wiring": {"rule": "fixed_probability", "p": 0.02}, "conductance": "0.5 nS"}
    made = {f"{kinds[0]}-{kinds[0]}": {"kind": "ohmic", **rule}}
    if len(kinds) > 1:
        made[f"{kinds[0]}-{kinds[1]}"] = {"kind": "node", "tau": "2 ms", **rule}
    return made


ALL = list(CELLS)
NETS = {
    **{f"{kind}, {len(receptors)} receptors": ([kind], receptors, {})
       for kind, receptors in zip(ALL, [["plain"], ["plain", "fast_gaba"],
                                        ["plain", "nmda", "fast_gaba"],
                                        ["rising", "nmda", "fast_gaba", "slow_gaba"],
                                        ["plain", "rising", "sigmoid", "fast_gaba", "slow_gaba"],
                                        list(RECEPTORS)], strict=True)},
    **{f"{kind}, all receptors": ([kind], list(RECEPTORS), {}) for kind in ALL[:5]},
    "all kinds": (ALL, ["plain", "nmda", "fast_gaba"], {}),
    "all kinds and receptors": (ALL, list(RECEPTORS), {}),
    **{f"{kind}, spread": ([kind], ["plain", "fast_gaba"], {"spread": spread([kind])})
       for kind in ALL},
    **{f"{kind}, level": ([kind], ["plain", "nmda"], levels([kind], wave=kind != "adex"))
       for kind in ALL},
    **{f"{kind}, spread and level": ([kind], ["plain", "nmda"], {
        **levels([kind], wave=True), "spread": spread([kind])})
       for kind in ("spn", "stn", "cubic")},
    "noise": (["spn", "adex"], ["plain"], {"noise": {"spn": "1 mV", "adex": "0.5 mV"}}),
    "two inputs": (["spn", "fast"], ["plain", "nmda"], {"inputs": second_input(["spn", "fast"])}),
    "currents": (["spn", "linear"], ["plain"], {"inputs": electrode(["spn", "linear"])}),
    "gap junctions": (["fast", "adex"], ["plain", "fast_gaba"],
                      {"gap_junctions": gaps(["fast", "adex"])}),
    "all at once": (ALL, list(RECEPTORS), {
        **levels(ALL, wave=True), "spread": spread(ALL), "noise": {"spn": "0.5 mV"},
        "inputs": {**second_input(ALL), **electrode(ALL)},
        "gap_junctions": gaps(["fast", "adex"])}),
}


def spikes(circuit, network, n_steps, name, pieces=None, **options):
    """Return steps and ids, simulated in pieces."""
    simulator = engine(name, **options)
    simulator.prepare(circuit, network, 3)
    parts = [simulator.advance(count) for count in pieces or [n_steps]]
    return [np.concatenate(part) for part in zip(*parts, strict=True)]


def same(first, second) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_there_are_enough_nets() -> None:
    assert len(NETS) >= 30


@pytest.mark.parametrize("name", NETS)
def test_every_net_has_the_bits_of_the_reference(name):
    kinds, receptors, sections = NETS[name]
    circuit, network, n_steps = net(kinds, receptors, **sections)
    wanted = spikes(circuit, network, n_steps, "reference")
    assert len(wanted[0]) > 20
    for threads, pieces in ((1, None), (2, [1, 36, 500, n_steps - 537])):
        assert same(wanted, spikes(circuit, network, n_steps, "numba", pieces, threads=threads))


def test_how_long_a_cell_is_held_may_change():
    circuit, network, _ = net(["adex"], ["plain"], size=200)
    counts = []
    for name in ("reference", "numba"):
        simulator = engine(name)
        simulator.prepare(circuit, network, 3)
        counts.append([len(simulator.advance(300)[0])])
        for hold in ("0 ms", "20 ms", "0 ms"):
            simulator.change(circuit.replace({"cells.adex.parameters.t_ref": hold}))
            counts[-1].append(len(simulator.advance(1000)[0]))
    assert counts[0] == counts[1]
    assert counts[0][3] > 1.2 * counts[0][2] > 0


@pytest.mark.parametrize("threads", [1, 3, 4, 8])
def test_threads_and_chunks_do_not_matter(threads):
    kinds, receptors, sections = NETS["all at once"]
    circuit, network, n_steps = net(kinds, receptors, size=4000, n_steps=300, **sections)
    wanted = spikes(circuit, network, n_steps, "numba", threads=2)
    assert same(wanted, spikes(circuit, network, n_steps, "numba", [7, 93, 200], threads=threads))
    single = spikes(circuit, network, n_steps, "numba", threads=2, precision="single")
    assert same(single, spikes(circuit, network, n_steps, "numba", [7, 93, 200], threads=threads,
                               precision="single"))


@pytest.mark.parametrize("seed", range(40))
def test_random_models_have_the_bits_of_the_reference(seed):
    model = random_model(seed)
    register(model)
    raw = {"name": "random", "volume": {"density": "80000 / mm^3"},
           "cells": {"X": {"fraction": 1.0, "model": model.name,
                           "parameters": parameters_of(model),
                           "effects": [{"level": "L", "acts_on": "low", "add": "2 mV"}]}},
           "modulators": {"L": {"level": {"sine": {"mean": 0.5, "amplitude": 0.5,
                                                   "frequency": "50 Hz"}}}},
           "receptors": {"plain": RECEPTORS["plain"]},
           "spread": {"X": {"tau": "1 ms", "reset": "1 mV"}},
           "inputs": {"first": {"targets": {"X": drive(["plain"], "6 Hz")}}}}
    circuit = ns.load(raw)
    network = ns.build(circuit, size=100, seed=1)
    results = []
    for name in ("reference", "numba"):
        simulator = engine(name, threads=1)
        simulator.prepare(circuit, network, 1)
        for state in model.names:
            simulator.probe("X", np.arange(100), state)
        fired = simulator.advance(150)
        results.append([*fired, *(samples.values for samples in simulator.take())])
    assert results[0][2].std() > 0
    for wanted, given in zip(*results, strict=True):
        assert wanted.tobytes() == given.tobytes()
