"""What follows from recorded states, of every shipped model, by hand and in two engines."""

import numpy as np
import pytest
from test_any_model import ALL, CELLS, RECEPTORS, net

import neostriatum as ns

DERIVED = {"spn": ["leak", "rectifier", "a_current"], "fast": ["leak", "rectifier", "a_current"],
           "adex": ["leak", "upstroke"], "stn": ["leak", "upstroke"],
           "linear": ["static_threshold"], "cubic": ["static_threshold"]}
PARTS = ["free_nmda", "free_sigmoid", "g_rising", "g_slow_gaba"]
SUMS = ["I_syn", "I_abs", "g_syn"]


def numbers(table):
    """Return the numbers of a table of quantities, without their units."""
    return {key: float(str(value).split()[0]) for key, value in table.items() if key != "model"}


@pytest.fixture(scope="module", params=["reference", "numba"])
def run(request, tmp_path_factory):
    """Return a run of all shipped cells with all shipped receptors that asked for all that follows.
    """
    circuit, network, _ = net(ALL, list(RECEPTORS), size=60)
    flows = [f"I_{receptor}" for receptor in RECEPTORS]
    return ns.run(circuit, network=network, engine=request.param, duration="10 ms", figures=False,
                  out=tmp_path_factory.mktemp(request.param) / "run", threads=1,
                  record=[f"{kind}:4:{','.join([*DERIVED[kind], *flows, *PARTS, *SUMS])}:5"
                          for kind in ALL])


def by_hand(run, kind):
    """Return what follows from the recorded states of a kind of cell."""
    read = {name: run.recorded(name)[kind].values for name in run.variables
            if name.split("_")[0] in ("v", "g", "slow", "rise") and kind in run.recorded(name)}
    v, p = read["v"], numbers(CELLS[kind][1])
    rising, slow, nmda, sigmoid = (numbers(RECEPTORS[name]) for name in (
        "rising", "slow_gaba", "nmda", "sigmoid"))
    g = {name: read.get(f"g_{name}") for name in RECEPTORS}
    for name, own in (("rising", rising), ("slow_gaba", slow)):
        t = np.linspace(0, 100, 1_000_001)
        peak = (np.exp(-t / own["tau"]) - np.exp(-t / own["tau_rise"])).max()
        g[name] = (read[f"slow_{name}"] - read[f"rise_{name}"]) / peak
    free = {"nmda": 1 / (1 + nmda["magnesium"] / nmda["mg_half"] * np.exp(-0.062 * v)),
            "sigmoid": 1 / (1 + np.exp((sigmoid["v_half"] - v) / sigmoid["v_slope"]))}
    flow = {name: g[name] * (numbers(RECEPTORS[name])["E"] - v) * free.get(name, 1.0)
            for name in RECEPTORS}
    hand = {f"I_{name}": value for name, value in flow.items()}
    hand |= {f"free_{name}": value for name, value in free.items()}
    hand |= {"g_rising": g["rising"], "g_slow_gaba": g["slow_gaba"], "I_syn": sum(flow.values()),
             "I_abs": sum(map(abs, flow.values())), "g_syn": sum(g.values())}
    if "g_L" in p:
        hand["leak"] = p["g_L"] * (p["E_L"] - v)
    if "D_T" in p:
        cut = np.minimum(v, p["v_peak"])
        hand["upstroke"] = p["g_L"] * p["D_T"] * np.exp((cut - p["v_T"]) / p["D_T"])
    if "g_L" in p and "D_T" not in p:
        inward = p.get("g_K", 0) * np.clip((-56 - v) / (-56 + 108), 0, 1) * (-95 - v)
        hand |= {"rectifier": inward, "a_current": p.get("g_A", 0) * np.maximum(v + 62, 0)}
    if "v_t" in p:
        shift = p["b"] / p["k"] if kind == "linear" else 0.0
        hand["static_threshold"] = np.full(v.shape, (p["v_r"] + p["v_t"] + shift) / 2)
    return hand


@pytest.mark.parametrize("kind", ALL)
def test_every_shipped_model_by_hand(run, kind):
    hand = by_hand(run, kind)
    names = {*DERIVED[kind], *(f"I_{name}" for name in RECEPTORS), *PARTS, *SUMS}
    assert set(hand) == names
    for name in names:
        trace = run.recorded(name)[kind]
        assert trace.values.shape == (20, 4)
        np.testing.assert_array_equal(trace.ids, run.recorded("v")[kind].ids)
        np.testing.assert_array_equal(trace.times_ms, run.recorded("v")[kind].times_ms)
        np.testing.assert_allclose(trace.values, hand[name], rtol=1e-7, atol=1e-9, err_msg=name)
    assert run.recorded("I_abs")[kind].values[-1].min() > 0
    assert np.ptp(run.recorded("I_syn")[kind].values) > 1


def test_states_are_recorded_once_and_stand_first(run):
    files = {path.name for path in run.folder.glob("traces*.h5")}
    states = {"v", *(f"{state}_{name}" for name, own in RECEPTORS.items() for state in (
        ("slow", "rise") if own.get("model") == "two_exponentials" else ("g",)))}
    assert files == {"traces.h5" if name == "v" else f"traces-{name}.h5" for name in states}
    assert set(run.variables[:len(states)]) == states
    assert {run.unit(name) for name in ("I_plain", "I_syn", "I_abs", "leak")} == {"pA"}
    assert (run.unit("free_nmda"), run.unit("g_syn"), run.unit("static_threshold")) == (
        "1", "nS", "mV")


def test_engines_give_the_same(tmp_path):
    circuit, network, _ = net(["spn", "fast"], ["plain", "nmda"], size=60)
    names = "I_plain,I_nmda,free_nmda,leak,rectifier,a_current,I_syn,I_abs,g_syn"
    first, second = (ns.run(circuit, network=network, engine=engine, duration="10 ms", threads=1,
                            record=[f"spn:all:{names}"], figures=False, out=tmp_path / engine)
                     for engine in ("reference", "numba"))
    for name in names.split(","):
        wanted, given = (run.recorded(name)["spn"].values for run in (first, second))
        assert wanted.shape == (100, 30)
        np.testing.assert_array_equal(wanted, given)
