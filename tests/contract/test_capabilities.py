"""What each engine claims in its table of capabilities is what it can do, no more and no less.

Every capability has an exercise, which returns whether an engine did it. An engine that lists a
capability as missing must fail its exercise, and give the reason in `excuses`.
"""

import copy
import dataclasses

import numpy as np
import pytest
from lively import lively

from neostriatum.engines.base import Capabilities, refuse_probes
from neostriatum.engines.base import engine as make
from neostriatum.errors import EngineUnsupported

N_STEPS = 300


def spikes_of(maker, net, pieces=(N_STEPS,), **options):
    """Return the spikes of a net as rows [step, id], advanced in pieces."""
    engine = maker(**options)
    engine.prepare(net.circuit, net.network, 1)
    return np.concatenate([np.stack(engine.advance(count), axis=1) for count in pieces])


def threads_exact(maker, net, oracle):
    """Whether one, two and three threads give the same spikes."""
    del oracle
    one = spikes_of(maker, net, threads=1)
    return all(np.array_equal(one, spikes_of(maker, net, threads=count)) for count in (2, 3))


def exact_resume(maker, net, oracle):
    """Whether a fresh engine continues from a state to the spikes of an uninterrupted run."""
    # Delays are 10 steps and more: the spikes of the step before the split are in flight.
    split = int(oracle[len(oracle) // 2, 0]) + 1
    first = maker()
    first.prepare(net.circuit, net.network, 1)
    first.state()
    first.advance(split)
    state = first.state()
    kept = copy.deepcopy(state)
    whole = np.stack(first.advance(N_STEPS - split), axis=1)
    assert len(whole) > 20
    equal = []
    for saved, wasted in ((state, 0), (kept, 7)):
        second = maker()
        second.prepare(net.circuit, net.network, 1)
        second.advance(wasted)
        second.restore(saved)
        equal.append(np.array_equal(whole, np.stack(second.advance(N_STEPS - split), axis=1)))
    return all(equal)


def chunks(maker, net, oracle):
    """Whether two halves, and uneven pieces, give the spikes of one whole."""
    del oracle
    cut = [spikes_of(maker, net, pieces)
           for pieces in ((N_STEPS // 2, N_STEPS // 2), (1, 0, 12, N_STEPS - 13))]
    whole = spikes_of(maker, net)
    return all(np.array_equal(whole, one) for one in cut)


def live_changes(maker, net, oracle):
    """Whether dopamine, a rate and a current can change between two windows, and change spikes."""
    del oracle
    changes = {"dopamine.d1": 0.9, "dopamine.d2": {"ramp": {"base": 0.3, "peak": 0.9,
                                                            "start": "10 ms", "stop": "20 ms"}},
               "inputs.cortex.targets.dSPN.rate": "3 Hz"}

    def spikes(middle):
        engine = maker()
        engine.prepare(net.circuit, net.network, 1)
        engine.probe("FS", np.array([1]))
        engine.change(net.circuit)
        engine.advance(N_STEPS // 2)
        engine.change(middle)
        engine.advance(0)
        after = np.stack(engine.advance(N_STEPS // 2), axis=1)
        assert engine.traces()["FS"].v_mv.shape == (N_STEPS, 1)
        return after

    same, other = spikes(net.circuit), spikes(net.circuit.replace(changes))
    plain = spikes_of(maker, net)
    kept = np.array_equal(same, plain[plain[:, 0] >= N_STEPS // 2])
    return kept and len(other) > 20 and not np.array_equal(other, same)


def same_draws_as_reference(maker, net, oracle):
    """Whether drive and noise give the reference's spikes."""
    return np.array_equal(oracle, spikes_of(maker, net))


def seen(maker, net, name, variable):
    """Return what is recorded in a run, refused first where a run would refuse it."""
    engine = maker()
    refuse_probes(engine, [name])
    engine.prepare(net.circuit, net.network, 1)
    engine.probe(name, np.array([0]), variable, 10)
    engine.advance(N_STEPS)
    (samples,) = engine.take()
    return samples.values


def records_levels(maker, net, oracle):
    """Whether the level of a modulator is recorded."""
    del oracle
    return (seen(maker, net, "modulators.D1", "level") == 0.3).tolist() == [[True]] * 30


def records_releases(maker, net, oracle):
    """Whether a state of release is recorded, and is used up by spikes."""
    del oracle
    values = seen(maker, net, "pathways.FS->dSPN", "x")
    return values.shape == (30, 1) and values.min() < 0.9


EXERCISES = {one.__name__: one for one in
             (threads_exact, exact_resume, chunks, live_changes, same_draws_as_reference,
              records_levels, records_releases)}


def did(exercise, maker, net, oracle):
    """Return whether an engine passes an exercise; refusing it, for its stated reason, is a no."""
    try:
        return EXERCISES[exercise](maker, net, oracle)
    except EngineUnsupported as refused:
        said = str(refused)
    return False if maker().excuses[exercise] in said else said


def oracle_of(net):
    """Return the reference's spikes of a net, which must be many in every type."""
    spikes = spikes_of(lambda: make("reference"), net)
    counts = [((spikes[:, 1] >= ids.start) & (spikes[:, 1] < ids.stop)).sum()
              for ids in net.network.populations.values()]
    assert min(counts) >= 15, counts
    return spikes


@pytest.fixture(scope="module")
def small():
    """A net and its spikes."""
    net = lively(120)
    return net, oracle_of(net)


@pytest.fixture(scope="module")
def large():
    """The same with 1200 cells, so that two types fill more than one block of 512."""
    net = lively(1200)
    return net, oracle_of(net)


def test_every_capability_has_an_exercise():
    assert set(EXERCISES) == {field.name for field in dataclasses.fields(Capabilities)}


def check_excuses(simulator):
    """Assert that exactly the missing capabilities have a reason."""
    claimed = dataclasses.asdict(simulator.capabilities)
    assert set(simulator.excuses) == {name for name, can in claimed.items() if not can}
    assert all(len(reason.split()) > 3 for reason in simulator.excuses.values())


def test_every_missing_capability_has_a_reason(engine):
    check_excuses(engine())
    assert engine().name == engine.name


@pytest.mark.parametrize("capability", EXERCISES)
def test_an_engine_can_do_what_it_claims_and_nothing_else(
        capability, engine, small, large):
    claimed = getattr(engine().capabilities, capability)
    net, oracle = large if capability in ("threads_exact", "same_draws_as_reference") else small
    assert did(capability, engine, net, oracle) == claimed


@pytest.mark.slow
@pytest.mark.compiled
@pytest.mark.parametrize("capability", EXERCISES)
def test_a_compiled_engine_can_do_what_it_claims_and_nothing_else(capability, compiled, small):
    check_excuses(compiled())
    assert did(capability, compiled, *small) == getattr(compiled().capabilities, capability)
