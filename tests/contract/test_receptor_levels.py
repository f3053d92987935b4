"""Receptors that make a level: equal bits on both exact engines, and what a number would do."""

import numpy as np
import pytest

import neostriatum as ns
from neostriatum.circuit.cautions import warnings_of
from neostriatum.engines.base import engine
from neostriatum.errors import CircuitError, EngineUnsupported
from neostriatum.models import ReceptorModel, State, parameters, registry
from neostriatum.reporting.effects import effects

CELLS = ["dSPN", "iSPN", "FS"]
STEPS = 500


def models():
    s, g = State("s", "1"), State("g", "nS")
    tau, most = parameters("tau ms > 0", "most 1 > 0")
    return (ReceptorModel(name="saturating", states=(s,), decays={s: tau},
                          modulation=most * s / (s + 1)),
            ReceptorModel(name="steady", states=(g,), decays={g: tau}, modulation=most))


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    """Both models, known as long as a test runs."""
    for name in ("_registered", "_modules"):
        monkeypatch.setattr(registry, name, dict(getattr(registry, name)))
    monkeypatch.setattr(registry, "_used", set(registry._used))
    for model in models():
        ns.register(model)


def modulated(preset="striatum_v1", model="saturating", acting=(), **more):
    """A circuit of cells that fire, whose FS act on dSPN by a receptor that makes a level."""
    raw = ns.load(preset).to_dict()
    raw["warmup"] = "0 ms"
    raw["receptors"]["M4"] = {"model": model, "tau": "30 ms", "most": 0.7}
    raw["inputs"] = raw["inputs"] | {"pulse": {"targets": {
        cell: {"current": "900 pA"} for cell in CELLS}}}
    for pathway in ("FS->dSPN", "dSPN->dSPN"):
        raw["pathways"][pathway]["conductance"]["M4"] = "0.6 nS"
    raw["cells"]["dSPN"]["effects"] = [*raw["cells"]["dSPN"].get("effects", ()), *acting]
    return ns.load(raw | more)


V1 = [{"receptor": "M4", "acts_on": "k", "coefficient": 0.3},
      {"receptor": "M4", "acts_on": "v_r", "add": "1.5 mV"},
      {"receptor": "M4", "acts_on": "v_r", "coefficient": -0.01},
      {"receptor": "M4", "acts_on": "d", "coefficient": -0.4},
      {"receptor": "M4", "acts_on": "I_NMDA", "coefficient": 0.5},
      {"receptor": "M4", "acts_on": "I_AMPA", "coefficient": -0.2},
      {"receptor": "M4", "acts_on": "I_AMPA", "coefficient": 0.1}]
DEFAULT = [{"receptor": "M4", "acts_on": "g_A", "coefficient": -0.4},
           {"receptor": "M4", "acts_on": "v_T", "add": "1 mV"},
           {"receptor": "M4", "acts_on": "I_spon", "add": "3 pA"},
           {"receptor": "M4", "acts_on": "I_AMPA_SPN", "coefficient": 0.3}]
NETS = {
    "v1": lambda: modulated(acting=V1),
    "spread": lambda: modulated(acting=V1, spread={"dSPN": {"v_r": "2 mV", "C": "1 pF"}}),
    "regions": lambda: modulated(
        acting=V1, channels={"left": {"share": 0.5, "of": ["dSPN"]}},
        modulators={"D1": {"regions": {"left": {"constant": 0.9}}}}),
    "default": lambda: modulated("striatum", acting=DEFAULT),
    "gaps": lambda: modulated(acting=V1, gap_junctions={"dSPN-FS": {
        "kind": "ohmic", "conductance": "0.3 nS",
        "wiring": {"rule": "fixed_probability", "p": 0.02}}}),
}


def spikes_and_states(name, circuit, network, windows=(STEPS,), **options):
    running = engine(name, **options)
    running.prepare(circuit, network, 7)
    level = next(name for name in running.lowered.populations[0].variables if name.endswith("_M4"))
    for variable in ("v", level):
        running.probe("dSPN", np.arange(40), variable)
    found = np.concatenate([np.stack(running.advance(steps)) for steps in windows], axis=1)
    return found, [samples.values for samples in running.take()]


@pytest.mark.parametrize("net", NETS)
def test_equal_bits_over_threads_and_chunks(net):
    circuit = NETS[net]()
    assert ns.load(circuit.to_dict()) == circuit
    network = ns.build(circuit, size=400, seed=7)
    spikes, states = spikes_and_states("reference", circuit, network)
    assert spikes.shape[1] > 100
    assert max(values.max() for values in states) > 0.5
    for threads, windows in ((1, (STEPS,)), (3, (1, 137, STEPS - 138))):
        again, other = spikes_and_states("numba", circuit, network, windows, threads=threads)
        assert np.array_equal(spikes, again)
        assert sorted(one.tobytes() for one in states) == sorted(one.tobytes() for one in other)
    raw = circuit.to_dict()
    raw["cells"]["dSPN"]["effects"] = []
    without, _ = spikes_and_states("numba", ns.load(raw), network)
    assert not np.array_equal(spikes, without)


def test_single_precision_over_threads():
    circuit = NETS["default"]()
    network = ns.build(circuit, size=400, seed=7)
    runs = [spikes_and_states("numba", circuit, network, threads=threads, precision="single")[0]
            for threads in (1, 2)]
    assert np.array_equal(*runs)


@pytest.mark.parametrize("name", ["reference", "numba"])
def test_a_level_that_stays_does_what_a_number_would(name):
    circuit = modulated(model="steady", acting=[
        {"receptor": "M4", "acts_on": "k", "coefficient": 0.3},
        {"receptor": "M4", "acts_on": "v_t", "add": "2 mV"}])
    raw = circuit.to_dict()
    raw["cells"]["dSPN"]["effects"] = []
    values = circuit.cells["dSPN"].values
    raw["cells"]["dSPN"]["parameters"] |= {"k": f"{values['k'] * (1.0 + 0.3 * 0.7)!r} nS/mV",
                                           "v_t": f"{values['v_t'] + 2 * 0.7!r} mV"}
    plain = ns.load(raw)
    assert plain.cells["dSPN"].values["k"] == values["k"] * (1.0 + 0.3 * 0.7)
    network = ns.build(circuit, size=300, seed=7)
    spikes, _ = spikes_and_states(name, circuit, network)
    same, _ = spikes_and_states(name, plain, network)
    assert spikes.shape[1] > 100
    assert np.array_equal(spikes, same)


def test_a_run_goes_on_from_a_state_and_hears_changes():
    circuit = NETS["v1"]()
    network = ns.build(circuit, size=300, seed=7)
    whole, _ = spikes_and_states("numba", circuit, network)
    first, second = engine("numba"), engine("numba", threads=1)
    for one in (first, second):
        one.prepare(circuit, network, 7)
    first.advance(173)
    second.restore(first.state())
    assert np.array_equal(whole[:, whole[0] >= 173], np.stack(second.advance(STEPS - 173)))
    found = []
    for name in ("reference", "numba"):
        running = engine(name)
        running.prepare(circuit, network, 7)
        running.advance(100)
        running.change(circuit.replace({"receptors.M4.most": 0.1}))
        found.append(np.stack(running.advance(300)))
    assert np.array_equal(*found)
    assert not np.array_equal(found[0], whole[:, (whole[0] >= 100) & (whole[0] < 400)])


@pytest.mark.parametrize(("effect", "message"), [
    ({"receptor": "M5", "acts_on": "k", "coefficient": 0.1}, 'unknown receptor (got "M5")'),
    ({"receptor": "NMDA", "acts_on": "k", "coefficient": 0.1}, "must have a model with a modulati"),
    ({"receptor": "M4", "level": "D1", "acts_on": "k", "coefficient": 0.1}, "needs one of level"),
    ({"acts_on": "k", "coefficient": 0.1}, "needs one of level"),
    ({"receptor": "M4", "acts_on": "current", "conductance": "1 nS", "reversal": "0 mV"},
     "takes no current and no curve"),
    ({"receptor": "M4", "acts_on": "k", "coefficient": 0.1, "curve": {"half": 2}},
     "takes no current and no curve"),
    ({"receptor": "M4", "acts_on": "kk", "coefficient": 0.1}, "acts_on must be one of"),
    ({"receptor": "M4", "acts_on": "I_AMPA", "add": "1 pA"}, "is no parameter"),
])
def test_bad_effects_are_refused(effect, message):
    with pytest.raises(CircuitError) as caught:
        modulated(acting=[effect])
    assert message in str(caught.value)


def test_a_receptor_that_nothing_reaches_does_nothing_and_says_so():
    raw = modulated(acting=V1).to_dict()
    for pathway in ("FS->dSPN", "dSPN->dSPN"):
        del raw["pathways"][pathway]["conductance"]["M4"]
    circuit = ns.load(raw)
    assert any("M4 on dSPN: no pathway and no input reaches it" in one
               for one in warnings_of(circuit))
    assert ns.cell("dSPN", "300 pA", circuit=circuit, duration="20 ms").currents_pa == [300.0]


def test_it_is_told_and_refused_elsewhere():
    circuit = modulated(acting=V1)
    rows = [row for row in effects(circuit) if row["receptor"] == "M4"]
    assert rows[0]["rule"].text.endswith("(1 + 0.3 m)")
    assert rows[1]["rule"].text == "+ 1.5 mV · m"
    from neostriatum.engines.brian2_engine.statements import check as brian2_check
    from neostriatum.engines.lowered import lower
    from neostriatum.engines.nest_engine.connections import check as nest_check

    lowered = lower(circuit, ns.build(circuit, size=100, seed=1), 1)
    for refuse in (nest_check, lambda one: brian2_check("brian2", one)):
        with pytest.raises(EngineUnsupported, match=r"receptors\.M4\.model: saturating makes a"):
            refuse(lowered)
