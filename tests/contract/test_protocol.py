"""What holds for every engine whatever it simulates: steps, order, probes, independence, errors."""

import dataclasses
import re

import instruments
import numpy as np
import pytest
from compare import simulate
from lively import lively
from nets import TYPES, Net, Plan, load, network, recorded, train, trains

import neostriatum as ns
from neostriatum.errors import EngineUnsupported, NumericsError


@pytest.fixture(scope="module")
def small():
    """A net of 120 cells with drive, noise, plasticity and node gaps."""
    return lively(120)


@pytest.fixture(scope="module")
def usual(small):
    """Return the result of the small net on an engine, every cell probed, simulated once."""
    made = {}

    def get(maker):
        if maker not in made:
            made[maker] = simulate(maker, small)
        return made[maker]

    return get


class TestSteps:
    def test_a_delay_of_m_steps_arrives_m_steps_later(self, engine, tmp_path):
        contacts = [(0, j, 1 + j) for j in range(20)]
        found = simulate(engine, instruments.echo(tmp_path, [0, 7, 50], contacts, n_steps=80))
        assert found.steps.tolist() == [0, 7, 50]
        arrived = instruments.shown(found.v_mv["dSPN"])
        for _, cell, delay in contacts:
            np.testing.assert_array_equal(np.flatnonzero(arrived[:, cell] > 1e-9),
                                          [n + delay for n in (0, 7, 50)])
        np.testing.assert_allclose(arrived[arrived > 1e-9], 1.0, rtol=1e-9)

    def test_a_delay_is_rounded_half_to_even(self, engine, tmp_path):
        delays = [2, 3, 4, 5, 6, 7, 8, 9]
        contacts = [(0, j, delay) for j, delay in enumerate(delays)]
        found = simulate(engine, instruments.echo(tmp_path, [3], contacts, dt=0.2, n_steps=30))
        arrived = instruments.shown(found.v_mv["dSPN"], dt=0.2)
        late = [int(np.flatnonzero(arrived[:, cell] > 1e-9)[0]) - 3 for cell in range(8)]
        assert late == [1, 2, 2, 2, 3, 4, 4, 4]

    def test_several_inputs_at_step_0_add_up(self, engine, tmp_path):
        receptors = {"AMPA": {"E": "0 mV", "tau": "6 ms"}}
        inputs = {name: {"targets": {"dSPN": recorded(tmp_path, name, [(0, 0), (0, 0), (2, 0)],
                                                      {"AMPA": weight}, 0.1)}}
                  for name, weight in (("one", "1 nS"), ("two", "0.25 nS"))}
        made = instruments.circuit({"dSPN": instruments.integrator()}, receptors, tmp_path,
                                   inputs=inputs)
        net = Net("adds", made, instruments.network(made, {"dSPN": 2}), 5)
        arrived = instruments.shown(simulate(engine, net).v_mv["dSPN"])
        np.testing.assert_allclose(arrived[:, 0], [2.5, 0, 1.25, 0, 0], atol=1e-9)
        np.testing.assert_allclose(arrived[:, 1], 0, atol=1e-9)

    def test_time_counts_from_the_end_of_the_warm_up(self, engine):
        """A pulse on [50, 70) ms includes t = 50 and not 70: current, dopamine and drive."""
        window = {"start": "50 ms", "stop": "70 ms"}
        current = {"current": {"pulse": {"base": "0 pA", "peak": "5 pA", **window}}}
        rate = {"pulse": {"base": "0 Hz", "peak": "2000 Hz", **window}}
        drive = {"afferents": 10, "rate": rate, "conductance": {"AMPA": "1 nS"}}
        effect = {"receptor": "D1", "acts_on": "current", "conductance": "2 nS",
                  "reversal": "-90 mV"}
        cells = {"dSPN": instruments.integrator(), "FS": instruments.integrator(),
                 "iSPN": {**instruments.integrator(), "dopamine": [effect]}}
        made = instruments.circuit(
            cells, {"AMPA": {"E": "0 mV", "tau": "0.05 ms"}}, warmup="10 ms",
            inputs={"all": {"targets": {"dSPN": current, "FS": drive}}},
            dopamine={"d1": {"pulse": {"base": 0.0, "peak": 0.5, **window}}})
        net = Net("pulses", made, instruments.network(made, dict.fromkeys(TYPES, 1)), 900)
        v_mv = {name: v[:, 0] for name, v in simulate(engine, net).v_mv.items()}
        inside = np.arange(600, 800)
        for name in TYPES:
            moved = np.flatnonzero(np.diff(v_mv[name], prepend=instruments.REST) > 1e-5)
            if name != "FS":
                np.testing.assert_array_equal(moved, inside, err_msg=name)
        arrived = instruments.arrivals(
            instruments.conductance(v_mv["FS"][:, None], 1000.0, 0.1), 0.05, 0.1)[:, 0]
        hit = np.flatnonzero(arrived > 0.5)
        assert hit.min() in range(600, 610)
        assert hit.max() in range(790, 800)

    def test_recorded_spikes_count_from_the_end_of_the_warm_up(self, engine, tmp_path):
        net = instruments.echo(tmp_path, [0, 30], [(0, 0, 4)], n_steps=80)
        warm = net.with_circuit({"warmup": "2 ms"})
        assert simulate(engine, warm).steps.tolist() == [20, 50]

    def test_nothing_happens_in_no_steps(self, engine, small):
        simulator = engine()
        simulator.prepare(small.circuit, small.network, small.network.seed)
        steps, ids = simulator.advance(0)
        assert len(steps) == len(ids) == 0

    def test_spikes_are_sorted_and_unique(self, engine, usual):
        found = usual(engine)
        rows = np.stack([found.steps, found.ids], axis=1)
        assert rows.dtype == np.int64
        assert len(rows) > 50
        np.testing.assert_array_equal(rows, np.unique(rows, axis=0))
        assert rows[:, 0].min() >= 0
        assert rows[:, 0].max() < 300
        assert rows[:, 1].max() < 120

    def test_preparing_again_starts_again(self, engine, small, usual):
        simulator, right = engine(), usual(engine).until(100)
        assert len(right.steps) > 5
        for _ in range(2):
            simulator.prepare(small.circuit, small.network, small.network.seed)
            steps, ids = simulator.advance(100)
            np.testing.assert_array_equal(steps, right.steps)
            np.testing.assert_array_equal(ids, right.ids)

    def test_two_engines_alive_do_not_disturb_each_other(self, engine, tmp_path):
        if engine.name == "nest":
            pytest.skip("a process has one NEST: the first engine refuses, see test_nest_engine.py")
        made = [instruments.echo(tmp_path, [30, 60], [(0, 0, 2)], dt=dt) for dt in (0.1, 0.2)]
        engines = [engine() for _ in made]
        for simulator, net in zip(engines, made, strict=True):
            simulator.prepare(net.circuit, net.network, 1)
        for simulator in engines:
            simulator.probe("dSPN", np.array([0]))
        steps = [np.concatenate([simulator.advance(40)[0] for _ in range(2)])
                 for simulator in engines]
        assert [one.tolist() for one in steps] == [[30, 60], [30, 60]]
        for simulator, net in zip(engines, made, strict=True):
            alone = simulate(engine, net, 80).v_mv["dSPN"]
            np.testing.assert_array_equal(simulator.traces()["dSPN"].v_mv, alone)


class TestProbes:
    def test_probing_changes_no_spike(self, engine, small, usual):
        plain, probed = simulate(engine, small, probe=False), usual(engine)
        assert len(plain.steps) > 50
        np.testing.assert_array_equal(plain.steps, probed.steps)
        np.testing.assert_array_equal(plain.ids, probed.ids)

    def test_a_trace_has_the_potential_after_each_step(self, engine, small, usual):
        simulator = engine()
        simulator.prepare(small.circuit, small.network, small.network.seed)
        chosen = np.array([7, 2, 50])
        simulator.probe("iSPN", chosen)
        simulator.advance(30)
        simulator.advance(30)
        trace, every = simulator.traces()["iSPN"], usual(engine).v_mv["iSPN"]
        np.testing.assert_array_equal(trace.ids, chosen + small.network.populations["iSPN"].start)
        np.testing.assert_allclose(trace.times_ms, (np.arange(60) + 1) * 0.1 - 5.0, atol=1e-9)
        np.testing.assert_array_equal(trace.v_mv, every[:60, chosen])

    def test_a_later_probe_records_from_now_on(self, engine, small, usual):
        simulator = engine()
        simulator.prepare(small.circuit, small.network, small.network.seed)
        simulator.probe("dSPN", np.array([1]))
        simulator.advance(10)
        simulator.probe("FS", np.array([0, 3]))
        simulator.advance(5)
        traces, every = simulator.traces(), usual(engine).until(15).v_mv
        np.testing.assert_allclose(traces["dSPN"].times_ms, (np.arange(15) + 1) * 0.1 - 5.0)
        np.testing.assert_allclose(traces["FS"].times_ms, (np.arange(10, 15) + 1) * 0.1 - 5.0)
        np.testing.assert_array_equal(traces["dSPN"].v_mv, every["dSPN"][:, [1]])
        np.testing.assert_array_equal(traces["FS"].v_mv, every["FS"][10:, [0, 3]])

    def test_a_restored_engine_records_from_the_restored_step(self, engine, small, usual):
        simulator = engine()
        if not simulator.capabilities.exact_resume:
            pytest.skip(simulator.excuses["exact_resume"])
        simulator.prepare(small.circuit, small.network, small.network.seed)
        simulator.probe("FS", np.array([2]))
        simulator.advance(20)
        state = simulator.state()
        simulator.advance(9)
        simulator.restore(state)
        simulator.advance(5)
        trace, every = simulator.traces()["FS"], usual(engine).until(25).v_mv["FS"]
        np.testing.assert_allclose(trace.times_ms, (np.arange(20, 25) + 1) * 0.1 - 5.0)
        np.testing.assert_array_equal(trace.v_mv, every[20:, [2]])


class TestChanges:
    def test_a_change_acts_from_the_next_step(self, engine, reference, small):
        if not engine().capabilities.live_changes:
            pytest.skip(engine().excuses["live_changes"])
        if not engine().capabilities.same_draws_as_reference:
            pytest.skip("draws come from the engine's own generator; see test_nest_engine.py")
        changes = {"dopamine.d1": 0.0, "inputs.cortex.targets.FS.rate": "1 Hz",
                   "cells.iSPN.parameters.d": "20 pA"}
        found = {}
        for maker in (engine, reference):
            simulator = maker()
            simulator.prepare(small.circuit, small.network, 1)
            simulator.probe("dSPN", np.arange(54))
            simulator.advance(150)
            simulator.change(small.circuit.replace(changes))
            found[maker] = simulator.advance(150), simulator.traces()["dSPN"]
        (spikes, trace), (wanted, right) = found[engine], found[reference]
        np.testing.assert_array_equal(spikes, wanted)
        np.testing.assert_array_equal(trace.v_mv, right.v_mv)
        np.testing.assert_array_equal(trace.times_ms, right.times_ms)

    def test_what_would_change_the_state_is_refused(self, engine, small, usual):
        ohmic = {"kind": "ohmic", "conductance": "1 nS", "wiring": {"rule": "fixed_probability",
                                                                    "p": 0.2}}
        depressing = {"U": 0.5, "tau_rec": "100 ms", "tau_fac": "0 ms"}
        receptor = {"afferents": 5, "rate": "1 Hz", "conductance": {"NMDA": "1 nS"}}
        simulator = engine()
        simulator.prepare(small.circuit, small.network, small.network.seed)
        found = [np.stack(simulator.advance(60))]
        for changes in ({"dt": "0.2 ms"}, {"warmup": "6 ms"}, {"gap_junctions.FS-FS": ohmic},
                        {"pathways.iSPN->dSPN.stp": depressing},
                        {"inputs.more": {"targets": {"FS": receptor}}}):
            with pytest.raises(EngineUnsupported):
                simulator.change(small.circuit.replace(changes))
            found.append(np.stack(simulator.advance(20)))
        # Refused is unchanged.
        right = usual(engine).until(160)
        np.testing.assert_array_equal(np.concatenate(found, axis=1),
                                      np.stack([right.steps, right.ids]))


class TestIndependence:
    @staticmethod
    def plan(types):
        """Return FS cells onto dSPN, and iSPN unconnected if they are there."""
        drive = {name: (trains(range(4), 2000, 300, number),
                        {"AMPA": "25 nS", "GABA": "1 nS"})
                 for number, name in enumerate(TYPES) if name in types}
        raw = ns.load("striatum_v1").to_dict()
        pathways = {name: said for name, said in raw["pathways"].items()
                    if set(name.split("->")) <= set(types)}
        cells = {name: raw["cells"][name] | {"fraction": 1 / len(types)} for name in types}
        contacts = {"FS->dSPN": [(i, j, 3 + i + j) for i in range(4) for j in range(4)]}
        return Plan("striatum_v1", dict.fromkeys(types, 4), contacts=contacts, gaps=[(0, 1)],
                    recorded={"cortex": drive}, sections={"cells": cells, "pathways": pathways})

    def test_an_unconnected_population_changes_no_other(self, engine, tmp_path):
        found = {}
        for types in (("dSPN", "FS"), TYPES):
            (folder := tmp_path / str(len(types))).mkdir()
            plan = self.plan(types)
            made = load(plan, folder)
            found[len(types)] = simulate(engine, Net("apart", made, network(plan, made), 2000))
        assert found[3].count("iSPN") > 5
        for name in ("dSPN", "FS"):
            assert found[2].count(name) > 5
            for cell in range(4):
                np.testing.assert_array_equal(found[2].steps_of(name, cell),
                                              found[3].steps_of(name, cell))

    def test_nor_does_it_change_a_draw(self, engine):
        if not engine().capabilities.same_draws_as_reference:
            pytest.skip("draws come from the engine's own generator")
        found = {}
        for types in (("dSPN", "FS"), TYPES):
            raw = lively(120).circuit.to_dict()
            raw["cells"] = {name: raw["cells"][name] | {"fraction": 1 / len(types)}
                            for name in types}
            for key in ("pathways", "spread"):
                raw[key] = {}
            raw["inputs"]["cortex"]["targets"] = {
                name: raw["inputs"]["cortex"]["targets"][name] for name in types}
            made = ns.load(raw)
            whole = ns.build(made, size=20 * len(types), seed=3)
            found[len(types)] = simulate(engine, Net("apart", made, whole, 300))
        assert found[3].count("iSPN") > 5
        for name in ("dSPN", "FS"):
            assert found[2].count(name) > 5
            for cell in range(20):
                np.testing.assert_array_equal(found[2].steps_of(name, cell),
                                              found[3].steps_of(name, cell))

    def test_the_order_of_the_file_changes_no_spike(self, engine, net, result):
        original = net("plastic")
        raw = original.circuit.to_dict()
        for key in ("pathways", "inputs", "cells", "receptors"):
            raw[key] = dict(reversed(raw[key].items()))
        made = ns.load(dict(reversed(raw.items())), folder=original.circuit._folder)
        assert list(made.pathways) == list(original.circuit.pathways)[::-1]
        found = simulate(engine, dataclasses.replace(original, circuit=made), 3000)
        right = result(engine, "plastic").until(3000)
        assert len(right.steps) > 30
        np.testing.assert_array_equal(found.steps, right.steps)
        np.testing.assert_array_equal(found.ids, right.ids)

    def test_nor_does_it_change_a_draw_or_a_bit(self, engine, small, usual):
        if not engine().capabilities.same_draws_as_reference:
            pytest.skip("draws come from the engine's own generator")
        raw = small.circuit.to_dict()
        raw["pathways"] = dict(reversed(raw["pathways"].items()))
        made = ns.load(dict(reversed(raw.items())))
        right = usual(engine)
        found = simulate(engine, dataclasses.replace(small, circuit=made))
        for name in TYPES:
            np.testing.assert_array_equal(found.v_mv[name], right.v_mv[name])


class TestEdges:
    def test_a_circuit_may_lack_a_type(self, engine):
        """FS fraction 0, with pathways, gap junctions, drive, noise and current onto FS."""
        raw = lively(120).circuit.to_dict()
        for name, share in zip(TYPES, (0.5, 0.5, 0.0), strict=True):
            raw["cells"][name]["fraction"] = share
        raw["inputs"]["trains"] = {"targets": {"FS": {
            "afferents": 10, "shared_trains": 50, "rate": "5 Hz", "conductance": {"AMPA": "1 nS"}}}}
        raw["inputs"]["step"] = {"targets": {"FS": {"current": "10 pA"}}}
        made = ns.load(raw)
        whole = ns.build(made, size=40, seed=1)
        assert whole.counts == {"dSPN": 20, "iSPN": 20, "FS": 0}
        found = simulate(engine, Net("no FS", made, whole, 300))
        assert found.count("dSPN") > 0
        assert found.count("FS") == 0

    def test_one_cell_alone(self, engine, reference):
        made = ns.load("humphries2009", changes={
            "inputs": {"step": {"targets": {"dSPN": {"current": "500 pA"}}}}})
        counts = {"dSPN": 1, "iSPN": 0, "FS": 0}
        net = Net("one", made, network(Plan("", counts), made), 1500)
        found, right = simulate(engine, net), simulate(reference, net)
        assert len(found.steps) > 3
        np.testing.assert_array_equal(found.steps, right.steps)
        np.testing.assert_array_equal(found.ids, 0)

    @pytest.mark.parametrize("bad", [-1e7, np.nan])
    def test_a_bad_potential_is_reported_with_its_cell_and_step(self, engine, bad):
        made = instruments.circuit(dict.fromkeys(("dSPN", "iSPN"), instruments.integrator()), {})
        offsets = {"iSPN": {"I_spon": np.array([0.0, 0.0, bad, 0.0])}}
        whole = instruments.network(made, {"dSPN": 3, "iSPN": 4}, spread=offsets)
        with pytest.raises(NumericsError) as caught:
            simulate(engine, Net("bad", made, whole, 20))
        said = re.match(r"iSPN 2: membrane potential must stay within 200 mV.* at step (\d+) "
                        r"\(got (\S+) mV\)", str(caught.value))
        assert said, str(caught.value)
        assert int(said[1]) <= 20
        assert np.isnan(float(said[2])) == np.isnan(bad)

    def test_the_reference_names_the_very_step(self, reference):
        late = {"pulse": {"base": "0 pA", "peak": "-1e6 pA", "start": "0.5 ms", "stop": "9 ms"}}
        made = instruments.circuit({"dSPN": instruments.integrator(10.0)}, {},
                                   inputs={"late": {"targets": {"dSPN": {"current": late}}}})
        net = Net("late", made, instruments.network(made, {"dSPN": 1}), 20)
        with pytest.raises(NumericsError, match=r"dSPN 0: .* at step 5 "):
            simulate(reference, net)

    @pytest.mark.slow
    @pytest.mark.compiled
    def test_code_that_cython_cannot_compile_is_reported(self, small):
        """Brian2 2.9 passes over such code in silence."""
        from neostriatum.engines.brian2_engine import Brian2Runtime

        simulator = Brian2Runtime(target="cython")
        simulator.prepare(small.circuit, small.network, 1)
        extra = simulator.b2.NeuronGroup(3, "x : 1", name="extra")
        # A whole number that becomes a real one: fine in NumPy, refused by Cython.
        broken = extra.run_regularly("count = poisson(1.0)\ncount = count + x")
        simulator.objects.network.add(extra, broken)
        with pytest.raises(EngineUnsupported, match="cython could not compile extra"):
            simulator.advance(2)

    def test_trains_of_the_nets_differ_from_cell_to_cell(self):
        assert len({tuple(step for step, _ in train(cell, 2000, 90)) for cell in range(90)}) == 90
