"""What is particular to NEST: exact at any dopamine, live changes, one kernel, compiled once."""

import multiprocessing

import nets
import numpy as np
import pytest
from compare import first_divergence, largest_difference_mv, simulate
from lively import lively

import neostriatum as ns
from neostriatum.engines.base import engine as make
from neostriatum.errors import EngineMissing, EngineUnsupported

TOLERANCE_MV = 1e-9


@pytest.fixture
def nest(request):
    """NEST, or a skipped test."""
    maker = request.getfixturevalue("reference").__class__("nest")
    maker()
    return maker


@pytest.mark.parametrize("levels", [(0.0, 0.0), (0.3, 0.3), (1.0, 1.0), (0.8, 0.0)])
def test_dopamine_at_any_level(levels, nest, reference, net):
    d1, d2 = levels
    changed = net("receptors").with_circuit({"dopamine.d1": d1, "dopamine.d2": d2})
    right, found = simulate(reference, changed, 5000), simulate(nest, changed, 5000)
    assert len(right.steps) > 40
    assert first_divergence(right, found, 0.1) is None
    assert largest_difference_mv(right, found) < TOLERANCE_MV


@pytest.mark.parametrize("variable", ["v", "u", "g_GABA"])
def test_what_was_taken_is_what_the_reference_saw(variable, nest, reference, net):
    """In two parts, every third step, from before the end of the warm-up."""
    whole, found = net("courses"), {}
    for maker in (reference, nest):
        simulator = maker()
        simulator.prepare(whole.circuit, whole.network, 1)
        simulator.probe("dSPN", np.array([0, 2]), variable, every=3)
        taken = []
        for count in (700, 801):
            simulator.advance(count)
            (one,) = simulator.take()
            taken.append(one)
        assert (simulator.take()[0].steps.size, taken[0].population) == (0, "dSPN")
        assert taken[0].variable == variable
        found[maker.name] = [np.concatenate([getattr(one, part) for one in taken])
                             for part in ("steps", "values")]
    steps, values = found["nest"]
    assert len(steps) == 500
    assert values.std() > 0
    np.testing.assert_array_equal(steps, found["reference"][0])
    np.testing.assert_allclose(values, found["reference"][1], atol=TOLERANCE_MV, rtol=0)


def test_changes_between_windows(nest, reference, net):
    """Level, course and back; a current; parameters: from the next step on, as in the reference."""
    whole = net("courses")
    ramp = {"ramp": {"base": 0.1, "peak": 0.9, "start": "30 ms", "stop": "90 ms"}}
    changes = [{"dopamine.d1": 0.9, "dopamine.d2": ramp}, {"dopamine.d2": 0.2},
               {"inputs.stimulus.targets.dSPN.current": "-20 pA", "cells.FS.parameters.d": "9 pA"},
               {"inputs.wave.targets.iSPN.current": "12 pA"}]
    found = {}
    for maker in (reference, nest):
        simulator, said = maker(), whole.circuit
        simulator.prepare(said, whole.network, 1)
        for name, count in whole.network.counts.items():
            simulator.probe(name, np.arange(count))
        parts = [simulator.advance(400)]
        for change in changes:
            said = said.replace(change)
            simulator.change(said)
            parts += [simulator.advance(1), simulator.advance(399)]
        found[maker.name] = np.concatenate([np.stack(part) for part in parts], axis=1), {
            name: trace.v_mv for name, trace in simulator.traces().items()}
    right, ours = found["reference"], found["nest"]
    assert right[0].shape[1] > 40
    np.testing.assert_array_equal(ours[0], right[0])
    # NEST sums gap junctions in another order; the spike of FS at step 1965 multiplies that.
    for name, v_mv in right[1].items():
        np.testing.assert_allclose(ours[1][name][:1940], v_mv[:1940], atol=TOLERANCE_MV, rtol=0)


def test_a_changed_rate_is_drawn_at_the_new_rate(nest):
    net = lively(120)
    simulator = nest()
    simulator.prepare(net.circuit, net.network, 1)
    simulator.change(net.circuit.replace({
        f"inputs.cortex.targets.{name}.rate": "0 Hz" for name in nets.TYPES}))
    steps, _ = simulator.advance(300)
    simulator.change(net.circuit)
    again, _ = simulator.advance(300)
    assert len(steps) < 10 < len(again) / 3


def test_the_kernel_goes_to_the_last(nest):
    net = lively(120)
    one, two = nest(), nest()
    one.prepare(net.circuit, net.network, 1)
    two.prepare(net.circuit, net.network, 1)
    two.advance(10)
    for call in (lambda: one.advance(10), lambda: one.probe("FS", np.array([0])),
                 lambda: one.change(net.circuit)):
        with pytest.raises(EngineUnsupported, match="another simulation took NEST's kernel"):
            call()
    assert len(two.advance(0)[0]) == 0


@pytest.mark.parametrize(("changes", "said"), [
    ({"dt": "0.0125 ms"}, "dt must be a multiple of 0.001 ms"),
    ({"pathways.FS->dSPN.failure": {"probability": 0.3, "drawn": True}}, "drawn failures need"),
    ({"inputs.cortex.targets.dSPN.rate": "5000 Hz", "inputs.cortex.targets.dSPN.afferents": 2000},
     "at most 600 events per step"),
])
def test_what_it_cannot_do(changes, said, nest):
    circuit = ns.load("striatum_v1", changes=changes)
    with pytest.raises(EngineUnsupported, match=said):
        nest().prepare(circuit, ns.build(circuit, size=100), 1)


def test_equal_seeds_and_threads_give_equal_spikes(nest):
    net, found = lively(120), []
    for seed, threads in ((1, 2), (1, 2), (2, 2), (1, 1)):
        simulator = make("nest", threads=threads)
        simulator.prepare(net.circuit, net.network, seed)
        found.append(np.stack(simulator.advance(200)).tolist())
    assert found[0] == found[1]
    assert found[0] != found[2]
    assert found[0] != found[3]


def compile_one(folder, barrier, queue):
    """Compile a model in a fresh cache, at the same time as others."""
    import os

    os.environ["XDG_CACHE_HOME"] = folder
    from neostriatum.engines.nest_engine.kernel import nest
    from neostriatum.engines.nest_engine.module import modules
    from neostriatum.engines.nest_engine.trains import train

    kernel = nest()
    barrier.wait()
    path = modules({"train": (train(), "plain")}, kernel)["train"]
    queue.put((str(path), path.stat().st_mtime_ns))


def test_parallel_starts_compile_once(nest, tmp_path):
    context = multiprocessing.get_context("spawn")
    barrier, queue = context.Barrier(2), context.Queue()
    started = [context.Process(target=compile_one, args=(str(tmp_path), barrier, queue))
               for _ in range(2)]
    for one in started:
        one.start()
    found = [queue.get(timeout=300) for _ in started]
    for one in started:
        one.join(30)
    assert found[0] == found[1]
    left = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    assert len(left) == 2, left  # the module and the lock: nothing half-built


def test_a_missing_compiler_is_said(nest, monkeypatch, tmp_path):
    net = lively(120)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineMissing, match=r"needs a C\+\+ compiler for its cells"):
        nest().prepare(net.circuit, net.network, 1)
