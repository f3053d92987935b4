"""Recorded levels of modulators and states of releases: by hand, and equal bits everywhere."""

from dataclasses import replace

import numpy as np
import pytest
from lively import lively
from test_signals import signalled

import neostriatum as ns
from neostriatum.engines.base import engine as make_engine
from neostriatum.engines.brian2_engine import Brian2Runtime
from neostriatum.engines.probes import plastic_of
from neostriatum.errors import CircuitError
from neostriatum.models import ReceptorModel, State, parameters, registry

N_STEPS = 400


@pytest.fixture(scope="module")
def net():
    return signalled(lively(300))


def samples(net, name, pieces=(N_STEPS,), every=(1, 7), **options):
    """Return what is seen of all levels, and of all states of releases of some sources."""
    running = make_engine(name, **options)
    running.prepare(net.circuit, net.network, 1)
    for modulator in net.circuit.modulators:
        running.probe(f"modulators.{modulator}", np.zeros(1, int), "level", every[0])
    for pathway, (number, stp) in plastic_of(running.lowered).items():
        count = running.lowered.sources(running.lowered.projections[number].source)
        for state in stp.model.names:
            running.probe(f"pathways.{pathway}", np.unique([0, count // 3, count - 1]), state,
                          every[1])
    for steps in pieces:
        running.advance(steps)
    return {(one.population, one.variable): one for one in running.take()}


@pytest.fixture(scope="module")
def oracle(net):
    return samples(net, "reference")


def test_the_reference_sees_all(net, oracle):
    assert len(oracle) == len(net.circuit.modulators) + 2 * len(plastic_of_circuit(net.circuit))
    for (name, _), seen in oracle.items():
        assert len(seen.values) == (N_STEPS if name.startswith("modulators") else 58)
        assert np.ptp(seen.values) > 1e-3 or name == "modulators.D2", name
    assert any(np.ptp(seen.values[:, 1]) > 0.05 for (name, _), seen in oracle.items()
               if name.startswith("pathways"))


def plastic_of_circuit(circuit):
    return [name for name, pathway in circuit.pathways.items() if pathway.stp]


@pytest.mark.parametrize(("threads", "pieces"), [(1, (N_STEPS,)), (3, (77, 1, 3, N_STEPS - 81))])
def test_engines_threads_and_chunks_see_the_same(net, oracle, threads, pieces):
    given = samples(net, "numba", pieces, threads=threads)
    assert given.keys() == oracle.keys()
    for key, seen in oracle.items():
        np.testing.assert_array_equal(given[key].steps, seen.steps)
        np.testing.assert_array_equal(given[key].values, seen.values, err_msg=str(key))


def test_sources_that_are_axons():
    circuit = ns.load("striatum")
    net = replace(lively(120), circuit=circuit, network=ns.build(circuit, size=120, seed=2))
    oracle, given = samples(net, "reference", (200,)), samples(net, "numba", (150, 50), threads=2)
    moved = [key for key, seen in oracle.items() if key[0].startswith("pathways.cortex")
             and (np.diff(seen.values[:, 1]) < -1e-3).any()]
    assert moved
    for key, seen in oracle.items():
        np.testing.assert_array_equal(given[key].values, seen.values, err_msg=str(key))


def test_recording_changes_no_spike(net):
    def spikes(probing):
        running = make_engine("numba", threads=2)
        running.prepare(net.circuit, net.network, 1)
        if probing:
            running.probe("modulators.ACh", np.zeros(1, int), "level")
            running.probe("pathways.FS->dSPN", np.arange(5), "x")
        return np.stack(running.advance(N_STEPS))

    np.testing.assert_array_equal(spikes(True), spikes(False))


def released_circuit():
    """A circuit whose FS release acetylcholine, which acts on NMDA receptors of dSPN."""
    raw = ns.load("striatum_v1").to_dict()
    raw["warmup"] = "2 ms"
    raw["modulators"] = {"ACh": {"released_by": "FS", "tonic": "20 Hz", "tau": "15 ms",
                                 "delay": "0.5 ms"}}
    raw["cells"]["dSPN"]["effects"] = [{"level": "ACh", "acts_on": "I_NMDA", "coefficient": 0.5}]
    raw["inputs"]["pulse"] = {"targets": {"FS": {"current": "500 pA"}}}
    return ns.load(raw)


def level_by_hand(steps, cells):
    """Return the level at the end of every step, from the steps of all spikes of FS."""
    count, level, levels = np.bincount(steps, minlength=420), 1.0, []
    for step in range(420):
        heard = count[step - 4] if step >= 4 else 0
        level = level * np.exp(-0.1 / 15.0) + heard / (cells * 0.020 * 15.0)
        levels.append(level)
    return np.array(levels)


@pytest.mark.parametrize("make", [lambda: make_engine("reference"), lambda: make_engine("numba"),
                                  lambda: Brian2Runtime(target="numpy")])
def test_a_level_by_hand(make):
    circuit = ns.load(released_circuit().to_dict() | {"dopamine": {"d1": {"ramp": {
        "base": 0.2, "peak": 0.6, "start": "0 ms", "stop": "20 ms"}}}})
    running, network = make(), ns.build(circuit, size=100, seed=1)
    running.prepare(circuit, network, 1)
    running.probe("modulators.ACh", np.zeros(1, int), "level")
    running.probe("modulators.D1", np.zeros(1, int), "level", 50)
    (first, ids), (more, others) = running.advance(123), running.advance(297)
    cells = running.lowered.populations[running.lowered.index["FS"]]
    steps, ids = np.concatenate([first, more]), np.concatenate([ids, others])
    mine = steps[(ids >= cells.offset) & (ids < cells.offset + cells.n)]
    level, given = (one.values[:, 0] for one in running.take())
    np.testing.assert_allclose(level, level_by_hand(mine, cells.n), rtol=1e-12)
    assert np.ptp(level) > 0.5
    times = 5.0 * np.arange(9)
    np.testing.assert_allclose(given, 0.2 + 0.4 * np.minimum(times / 20.0, 1.0), rtol=1e-12)


def test_a_release_by_hand(tmp_path):
    """Tsodyks and Markram, from the spikes of a run and the states before them."""
    run = ns.run("striatum_v1", size=200, duration="300 ms", figures=False, out=tmp_path / "run",
                 record=["pathways.FS->dSPN:all:released"])
    assert run.variables == ["u", "x", "released"]
    x, u, released = (run.recorded(name)["pathways.FS->dSPN"] for name in ("x", "u", "released"))
    stp = run.circuit.pathways["FS->dSPN"].stp.values
    U, rec, fac = stp["U"], stp["tau_rec"], stp["tau_fac"]
    span, used = run.populations["FS"], np.zeros(0)
    for cell in span:
        times = np.rint(run.spikes.times_ms[run.spikes.ids == cell] / 0.1).astype(int) - 1
        column = cell - span.start
        assert len(times) > 1
        for before, fired in zip([0, *times], times, strict=False):
            if fired == 0:
                continue
            # Closed decays from just after the spike before, or from the first sample.
            gap = 0.1 * (fired - 1 - before)
            np.testing.assert_allclose(
                [u.values[fired - 1, column], x.values[fired - 1, column]],
                [u.values[before, column] * np.exp(-gap / fac),
                 1 - (1 - x.values[before, column]) * np.exp(-gap / rec)], atol=2e-6)
            u0 = u.values[before, column] * np.exp(-(gap + 0.1) / fac)
            x0 = 1 - (1 - x.values[before, column]) * np.exp(-(gap + 0.1) / rec)
            now = u0 + U * (1 - u0)
            np.testing.assert_allclose([u.values[fired, column], x.values[fired, column]],
                                       [now, x0 - now * x0], atol=2e-6)
            used = np.append(used, now * x0 / U)
            np.testing.assert_allclose(released.values[fired - 1, column], used[-1], rtol=0.01)
    assert len(used) > 12
    assert np.ptp(used) > 0.05


# ---- what follows from levels ---------------------------------------------------------------


def test_a_quantity_that_a_computed_level_acts_on(tmp_path):
    circuit = released_circuit()
    run = ns.run(circuit, size=300, duration="40 ms", figures=False, out=tmp_path / "run",
                 record=["dSPN:4:I_NMDA:6", "modulators.ACh:level:4"], dopamine=0)
    # The level is looked at as often as both need it.
    assert run.steps_of("modulators.ACh") == {"level": 2}
    trace, level = run.recorded("I_NMDA")["dSPN"], run.recorded("level")["modulators.ACh"]
    v, g = (run.recorded(name)["dSPN"].values for name in ("v", "g_NMDA"))
    free = 1.0 / (1.0 + 1.0 / 3.57 * np.exp(-0.062 * v))
    factor = 1.0 + 0.5 * level.values[2::3]
    np.testing.assert_allclose(trace.values, factor * g * (0.0 - v) * free, rtol=1e-6)
    assert np.ptp(factor) > 0.2


def test_states_without_the_level_say_what_is_missing(tmp_path):
    run = ns.run(released_circuit(), size=60, duration="5 ms", figures=False,
                 out=tmp_path / "run", record=["dSPN:2:v,g_NMDA"])
    with pytest.raises(CircuitError, match=r'the level of ACh was computed .* not recorded at '
                       r'these times\. Record it: --record "modulators\.ACh:level"'):
        run.recorded("I_NMDA")


@pytest.mark.parametrize("engine", ["reference", "numba"])
def test_an_event_clamps_a_level_from_its_time_on(engine, tmp_path):
    events = [{"at": "10 ms", "set": {"modulators.ACh.level": 0.25}},
              {"at": "20 ms", "set": {"modulators.ACh.level": "free"}},
              {"at": "30 ms", "set": {"modulators.D1.level": 0.9}}]
    options = {"size": 100, "duration": "40 ms", "figures": False, "events": events,
               "engine": engine, "dopamine": 0.4}
    run = ns.run(released_circuit(), **options, out=tmp_path / "run", record=[
        "modulators.ACh:level", "modulators.D1:level", "dSPN:2:I_NMDA"])
    level = run.recorded("level")
    times, ach = level["modulators.ACh"].times_ms, level["modulators.ACh"].values[:, 0]
    np.testing.assert_array_equal(ach == 0.25, (times > 9.95) & (times < 20.05))
    d1 = level["modulators.D1"].values[:, 0]
    np.testing.assert_array_equal(d1, np.where(times > 29.95, 0.9, 0.4))
    assert run.recorded("I_NMDA")["dSPN"].values.shape == (400, 2)


def test_recording_moves_no_level_that_is_let_go(net):
    """A clamp that rises, seen at every step, leaves the level where it would be unseen."""
    def levels(name, probing):
        running = make_engine(name)
        clamp = {"ramp": {"base": 0.1, "peak": 3.0, "start": "0 ms", "stop": "20 ms"}}
        running.prepare(net.circuit.replace({"modulators.ACh.level": clamp}), net.network, 1)
        if probing:
            running.probe("modulators.ACh", np.zeros(1, int), "level")
        running.advance(150)
        running.change(net.circuit)
        running.advance(1)
        return running.levels()["ACh"]

    first = levels("reference", False)
    assert [levels(*how) for how in (("reference", True), ("numba", False), ("numba", True))] == [
        first] * 3


@pytest.mark.parametrize("engine", ["reference", "numba"])
def test_an_event_changes_how_states_recover(engine, tmp_path):
    events = [{"at": "20 ms", "set": {"pathways.FS->dSPN.stp.tau_rec": "50 ms"}}]
    run = ns.run("striatum_v1", size=200, duration="40 ms", figures=False, events=events,
                 engine=engine, out=tmp_path / "run", record=["pathways.FS->dSPN:3:x"])
    x = run.recorded("x")["pathways.FS->dSPN"].values
    used = np.flatnonzero(x[150] < 0.99)
    assert len(used)
    fall = (1 - x[1:, used]) / (1 - x[:-1, used])
    np.testing.assert_allclose(np.median(fall[:195], axis=0), np.exp(-0.1 / 902), atol=1e-4)
    np.testing.assert_allclose(np.median(fall[205:], axis=0), np.exp(-0.1 / 50), atol=1e-4)


def saturating_circuit():
    """A circuit whose FS act on dSPN by a receptor that makes a level s / (s + 1)."""
    s, (tau, most) = State("s", "1"), parameters("tau ms > 0", "most 1 > 0")
    ns.register(ReceptorModel(name="saturating", states=(s,), decays={s: tau},
                              modulation=most * s / (s + 1)))
    raw = ns.load("striatum_v1").to_dict()
    raw["receptors"]["M4"] = {"model": "saturating", "tau": "30 ms", "most": 0.7}
    raw["inputs"]["pulse"] = {"targets": {"FS": {"current": "500 pA"}}}
    raw["pathways"]["FS->dSPN"]["conductance"]["M4"] = "0.6 nS"
    raw["cells"]["dSPN"]["effects"] = [
        {"receptor": "M4", "acts_on": "I_NMDA", "coefficient": 0.5},
        {"receptor": "M4", "acts_on": "I_NMDA", "coefficient": -0.1}]
    return ns.load(raw)


def test_a_quantity_that_the_level_of_a_receptor_acts_on(monkeypatch, tmp_path):
    for name in ("_registered", "_modules"):
        monkeypatch.setattr(registry, name, dict(getattr(registry, name)))
    monkeypatch.setattr(registry, "_used", set())
    run = ns.run(saturating_circuit(), size=300, duration="40 ms", figures=False,
                 out=tmp_path / "run", record=["dSPN:50:I_NMDA:4"], dopamine=0)
    assert run.variables == ["g_NMDA", "v", "s_M4", "I_NMDA"]
    v, g, s = (run.recorded(name)["dSPN"].values for name in ("v", "g_NMDA", "s_M4"))
    level = 0.7 * s / (s + 1)
    assert level.max() > 0.05
    free = 1.0 / (1.0 + 1.0 / 3.57 * np.exp(-0.062 * v))
    wanted = (1 + 0.5 * level) * (1 - 0.1 * level) * g * (0.0 - v) * free
    np.testing.assert_allclose(run.recorded("I_NMDA")["dSPN"].values, wanted, rtol=1e-6)
