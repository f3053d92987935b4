"""Levels that are computed while a run goes on have the bits of the reference."""

import dataclasses

import nets
import numpy as np
import pytest
from lively import lively
from test_any_model import CELLS as CELL_MODELS
from test_any_model import electrode, gaps, levels, second_input, spread
from test_any_model import net as any_net

import neostriatum as ns
from neostriatum.engines.base import engine as make_engine
from neostriatum.engines.lowered import lower
from neostriatum.engines.nest_engine.computed import check_levels
from neostriatum.errors import EngineUnsupported

CURVE = {"half": 4, "order": 2, "reference": 1}
SLOPE = {"half": 2.0, "order": 1.3, "reference": 1.0}
#: Every way in which a level can be computed, and one that is given.
MODULATORS = {
    "ACh": {"released_by": "FS", "tonic": "40 Hz", "tau": "20 ms", "delay": "0.4 ms"},
    "M1": {"follows": "ACh", "tau": "10 ms", "reference": 1.0},
    "M2": {"follows": "wave", "tau": "3 ms"},
    "DA": {"uptake": {"v_max": "4000 nM/s", "k_m": "160 nM"}, "per_spike": "200 nM",
           "rate": {"pulse": {"base": "4 Hz", "peak": "18 Hz", "start": "5 ms", "stop": "20 ms"}}},
    "OP": {"uptake": {"v_max": "90 nM/ms", "k_m": "50 nM"}, "per_spike": "800 nM",
           "released_by": "iSPN", "tonic": "20 Hz", "delay": "2 ms"},
    "D1": {"occupied_by": "DA", "ec50": "1000 nM", "k_off": "100 Hz", "full": 0.35},
    "mu": {"occupied_by": "OP", "ec50": "100 nM", "k_off": "300 Hz"},
    "wave": {"level": {"sine": {"mean": 1, "amplitude": 0.5, "frequency": "40 Hz"}}},
}


def weight(level, coefficient, curve=CURVE):
    """Return an effect on a weight."""
    made = {"level": level, "acts_on": "weight", "coefficient": coefficient}
    return made | ({"curve": curve} if curve else {})


CELLS = {
    "dSPN": [{"level": "ACh", "acts_on": "v_t", "add": "1.5 mV", "curve": SLOPE},
             {"level": "wave", "acts_on": "v_t", "add": "0.5 mV", "curve": SLOPE},
             {"level": "M1", "acts_on": "C", "coefficient": -0.5, "curve": SLOPE}],
    "iSPN": [{"level": "M1", "acts_on": "current", "conductance": "3 nS", "reversal": "-60 mV",
              "curve": SLOPE},
             {"level": "ACh", "acts_on": "I_GABA", "coefficient": 0.4, "curve": SLOPE},
             {"level": "D1", "acts_on": "I_NMDA", "coefficient": 2.0},
             {"level": "M2", "acts_on": "v_t", "coefficient": -0.05}],
    "FS": [{"level": "mu", "acts_on": "k", "coefficient": -0.5},
           {"level": "ACh", "acts_on": "I_AMPA", "coefficient": -0.4, "curve": SLOPE}],
}
PATHWAYS = {"FS->dSPN": [weight("ACh", -0.6)],
            "FS->iSPN": [weight("ACh", -0.6), weight("wave", 0.9, None)],
            "iSPN->dSPN": [weight("ACh", -0.6)], "FS->FS": [weight("D1", 3.0, None)],
            "iSPN->iSPN": [weight("mu", 2.0, None)]}
N_STEPS = 300


def signalled(net, cells=CELLS, pathways=PATHWAYS, **modulators):
    """Return a net with computed levels, FS->dSPN and iSPN->dSPN sharing what waits for them."""
    raw = net.circuit.to_dict()
    raw["cells"] = {name: cell | {"effects": cells.get(name, [])}
                    for name, cell in raw["cells"].items()}
    raw["pathways"] = {name: pathway | {"effects": pathways.get(name, [])}
                       for name, pathway in raw["pathways"].items()}
    raw["dopamine"].pop("d1")
    return dataclasses.replace(net, circuit=ns.load(raw | {
        "modulators": MODULATORS | modulators}, folder=net.circuit._folder))


def run(net, name="numba", pieces=(N_STEPS,), **options):
    """Return spikes, levels and potentials at the end of a net that is simulated in pieces."""
    simulator = make_engine(name, **options)
    simulator.prepare(net.circuit, net.network, 1)
    steps, ids = (np.concatenate(part) for part in
                  zip(*(simulator.advance(piece) for piece in pieces), strict=True))
    v = {pop.name: simulator.state()[f"{pop.name}.v"] for pop in simulator.lowered.populations}
    return (steps.tolist(), ids.tolist()), simulator.levels(), v


def same(first, second):
    return first[:2] == second[:2] and all(np.array_equal(first[2][name], second[2][name])
                                           for name in first[2])


@pytest.fixture(scope="module")
def net():
    return signalled(lively(300))


@pytest.fixture(scope="module")
def oracle(net):
    return run(net, "reference")


def test_the_reference_hears_every_level(oracle, net):
    assert len(oracle[0][0]) > 100
    starts = net.circuit.levels_at(0.0)
    assert starts["ACh"] == starts["M1"] == 1.0
    assert all(abs(oracle[1][name] - starts[name]) > 1e-3 * starts[name] for name in MODULATORS
               if name != "wave")


@pytest.mark.parametrize(("threads", "pieces"), [
    (1, (N_STEPS,)), (2, (77, 1, 3, N_STEPS - 81)), (3, (150, 150)), (1, (1,) * 20 + (280,))])
def test_neither_threads_nor_chunks_matter(net, oracle, threads, pieces):
    assert same(run(net, threads=threads, pieces=pieces), oracle)


@pytest.mark.parametrize("key", [*((f"cells.{cell}.effects", number) for cell, effects
                                   in CELLS.items() for number in range(len(effects))),
                                 *((f"pathways.{name}.effects", number) for name, effects
                                   in PATHWAYS.items() for number in range(len(effects)))], ids=str)
def test_every_effect_matters(key):
    table, number = key
    kind, name, _ = table.split(".")
    chosen = {name: [(CELLS if kind == "cells" else PATHWAYS)[name][number]]}
    plain = lively(150)
    alone = signalled(plain, chosen if kind == "cells" else {}, chosen if kind != "cells" else {})
    result = run(alone)
    assert same(result, run(alone, "reference"))
    assert not same(result, run(signalled(plain, {}, {})))


def test_a_level_is_the_sum_of_its_spikes(net, oracle):
    """Every spike of n cells adds 1/(n tonic tau), heard after the delay, and fades with tau."""
    (steps, ids), levels, _ = oracle
    population = make_engine("reference")
    population.prepare(net.circuit, net.network, 1)
    fast = population.lowered.populations[2]
    released = [step for step, cell in zip(steps, ids, strict=True) if cell >= fast.offset]
    unit, delay, tau = 1.0 / (fast.n * 0.040 * 20.0), 4, 200.0
    wanted = np.exp(-N_STEPS / tau) + sum(
        unit * np.exp(-(N_STEPS - step - delay) / tau) for step in released
        if step + delay <= N_STEPS)
    assert levels["ACh"] == pytest.approx(wanted, rel=1e-9)


def test_a_level_without_spikes_decays_from_one(net):
    silent = dataclasses.replace(net, circuit=net.circuit.replace({"inputs": {}}))
    for name in ("reference", "numba"):
        spikes, levels, _ = run(silent, name, (100,))
        assert spikes == ([], [])
        assert levels["ACh"] == pytest.approx(np.exp(-10.0 / 20.0), rel=1e-12)
        # The low-pass of a decay: a difference of two exponentials, from 1.
        wanted = 2.0 * np.exp(-10.0 / 20.0) - np.exp(-10.0 / 10.0)
        assert levels["M1"] == pytest.approx(wanted, rel=0.01)


def test_a_concentration_settles_where_uptake_balances_release():
    rates = {"ACh": MODULATORS["ACh"], "D1": MODULATORS["D1"] | {"full": 1}}
    for rate, wanted in ((4.0, 40.0), (10.0, 160.0)):
        net = signalled(lively(60), {}, {}, **rates, DA=MODULATORS["DA"] | {"rate": {"steps": {
            "times": ["0 ms", "5 ms"], "values": ["15 Hz", f"{rate} Hz"]}}})
        levels = run(net, pieces=(30_000,))[1]
        assert levels["DA"] == pytest.approx(wanted, rel=1e-6)
        assert levels["D1"] == pytest.approx(wanted / (wanted + 1000.0), rel=1e-6)


def test_a_weight_is_scaled_at_arrival(net):
    """Held at 4, where h is a half, against 1: the same net with the weights of its factor."""
    factor = (1 - 0.6 * 0.5) / (1 - 0.6 * (1 / 17))
    clamped = signalled(lively(150), {}, {"FS->dSPN": [weight("ACh", -0.6)]},
                        ACh=MODULATORS["ACh"] | {"level": 4.0})
    scaled = clamped.circuit.to_dict()
    pathway = scaled["pathways"]["FS->dSPN"]
    strength = clamped.circuit.pathways["FS->dSPN"].conductance["GABA"].value
    pathway |= {"effects": [], "conductance": {"GABA": f"{strength * factor!r} nS"}}
    results = [run(dataclasses.replace(clamped, circuit=circuit), pieces=(120,))
               for circuit in (clamped.circuit, ns.load(scaled))]
    assert results[0][0] == results[1][0]
    for name in results[0][2]:
        assert np.allclose(results[0][2][name], results[1][2][name], atol=1e-6)


@pytest.mark.parametrize("name", ["reference", "numba"])
def test_a_state_goes_on_exactly(net, oracle, name):
    first = make_engine(name)
    first.prepare(net.circuit, net.network, 1)
    before = first.advance(133)
    state = first.state()
    assert {"modulators.ACh.level", "modulators.ACh.released", "modulators.M1.level",
            "modulators.DA.level", "modulators.D1.level", "modulators.OP.released"} <= set(state)
    assert state["modulators.ACh.released"].shape == (4,)
    second = make_engine(name, threads=3)
    second.prepare(net.circuit, net.network, 1)
    second.advance(60)
    second.restore(state)
    after = second.advance(N_STEPS - 133)
    spikes = tuple(np.concatenate(part).tolist() for part in zip(before, after, strict=True))
    assert (spikes, second.levels()) == oracle[:2]


def test_both_engines_clamp_and_let_go_alike(net):
    """A clamp holds a level from its step on; let go, the level goes on from there."""
    results, seen = [], []
    for name, threads in (("reference", 1), ("numba", 1), ("numba", 3)):
        simulator = make_engine(name, threads=threads)
        simulator.prepare(net.circuit, net.network, 1)
        parts, circuit = [simulator.advance(80)], net.circuit
        for changes in ({"modulators.ACh.level": 0.0, "modulators.D1.level": 0.9},
                        {"modulators.ACh.level": "free", "modulators.DA.level": 700.0},
                        {"modulators.D1.level": "free", "modulators.DA.level": "free"}):
            circuit = circuit.replace(changes)
            simulator.change(circuit)
            seen.append(simulator.levels())
            parts.append(simulator.advance(70))
        results.append((*(np.concatenate(part).tolist() for part in zip(*parts, strict=True)),
                        simulator.levels()))
    assert results[0] == results[1] == results[2]
    assert seen[:3] == seen[3:6]
    assert (seen[0]["ACh"], seen[0]["D1"], seen[1]["DA"]) == (0.0, 0.9, 700.0)
    # Let go, both have gone on by steps of their own: ACh for 7 ms, D1 for one step of 0.1 ms.
    assert seen[2]["ACh"] > 0
    assert 0.9 < seen[2]["D1"] < 0.91


def test_single_precision_is_near_and_exact_among_threads(net, oracle):
    single = run(net, precision="single", threads=1)
    assert same(single, run(net, precision="single", threads=3, pieces=(11, 89, 200)))
    assert abs(len(single[0][0]) - len(oracle[0][0])) < 0.2 * len(oracle[0][0])


def test_a_population_without_cells_leaves_the_level_at_one():
    raw = signalled(lively(60)).circuit.to_dict()
    for name, fraction in (("dSPN", 0.5), ("iSPN", 0.4999), ("FS", 0.0001)):
        raw["cells"][name]["fraction"] = fraction
    circuit = ns.load(raw)
    network = ns.build(circuit, size=50, seed=1)
    assert network.counts["FS"] == 0
    for name in ("reference", "numba"):
        simulator = make_engine(name)
        simulator.prepare(circuit, network, 1)
        simulator.advance(40)
        assert (simulator.levels()["ACh"], simulator.levels()["M1"]) == (1.0, 1.0)


def agree(maker, net, *pieces):
    """Compare spikes, levels and potentials of an engine in pieces with the reference."""
    results = []
    for simulator, counts in ((make_engine("reference"), [sum(pieces)]), (maker(), pieces)):
        simulator.prepare(net.circuit, net.network, 1)
        simulator.probe("dSPN", np.arange(6))
        parts = zip(*(simulator.advance(count) for count in counts), strict=True)
        results.append(([np.concatenate(part).tolist() for part in parts],
                        simulator.levels(), simulator.traces()["dSPN"].v_mv))
    assert len(results[0][0][0]) > 20
    assert results[0][:2] == results[1][:2]
    if maker.name == "nest":
        # What cells hear comes as the weight of a spike, which NEST scales and scales back.
        assert np.abs(results[0][2] - results[1][2]).max() < 1e-8
    else:
        assert np.array_equal(results[0][2], results[1][2])


def test_rivals_agree(rival, tmp_path):
    """Recorded inputs: no number is drawn, so that every engine has the spikes and levels."""
    agree(rival, signalled(nets.ALL["plastic"](tmp_path)), 1_000, 1, 5, 1_994)


@pytest.mark.slow
@pytest.mark.compiled
def test_compiled_code_agrees(native, tmp_path):
    agree(native, signalled(nets.ALL["plastic"](tmp_path)), 3_000)


def test_how_a_level_is_computed_cannot_change(net):
    simulator = make_engine("numba")
    simulator.prepare(net.circuit, net.network, 1)
    with pytest.raises(EngineUnsupported, match="how levels are computed"):
        simulator.change(net.circuit.replace({"modulators.ACh.delay": "0.5 ms"}))


def test_nest_refuses_what_it_cannot_follow(net):
    lowered = lower(net.circuit.replace({"modulators.ACh.delay": "0.1 ms"}), net.network, 1)
    with pytest.raises(EngineUnsupported, match=r"ACh\.delay: must be at least two steps \(got 0"):
        check_levels(lowered)


def released(kinds):
    """Return sections of a net of any models that hear computed levels in every way."""
    sections = levels(kinds, wave=False)
    sections["modulators"] = {
        "L": {"released_by": kinds[0], "tonic": "20 Hz", "tau": "15 ms", "delay": "0.3 ms"},
        "ACh": {"follows": "L", "tau": "4 ms", "reference": 1.0}}
    for cell in sections["cells"].values():
        cell["effects"][1] |= {"curve": SLOPE}
    return sections


@pytest.mark.parametrize("kinds", [["spn"], ["fast", "adex"], list(CELL_MODELS)], ids=str)
def test_any_model_hears_computed_levels(kinds):
    """With spread, noise, a second input, electrodes and gap junctions, which go step by step."""
    sections = released(kinds) | {
        "spread": spread(kinds), "noise": {kinds[-1]: "0.5 mV"}, "gap_junctions": gaps(kinds),
        "inputs": {**second_input(kinds), **electrode(kinds)}}
    circuit, network, n_steps = any_net(kinds, ["plain", "nmda", "fast_gaba"], **sections)
    raw = circuit.to_dict()
    for pathway in raw["pathways"].values():
        pathway["effects"] = [weight("L", -0.9, {"half": 1, "order": 1, "reference": 1})]
    whole = nets.Net("any", ns.load(raw), network, n_steps)
    plain = nets.Net("plain", circuit, network, n_steps)
    oracle = run(whole, "reference", (600,))
    assert len(oracle[0][0]) > 20
    assert abs(oracle[1]["ACh"] - 1.0) > 0.01
    for threads, pieces in ((1, (600,)), (2, (1, 36, 563)), (3, (300, 300))):
        assert same(run(whole, threads=threads, pieces=pieces), oracle)
    assert not same(run(plain, pieces=(600,)), oracle)
