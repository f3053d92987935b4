"""Brian2 computes any model: its spikes and states are those of the trees in NumPy.

Inputs are recorded, so that no number is drawn. Brian2 has text for every operation and functions
of its own, so that even the bits are equal.
"""

import json
import re

import numpy as np
import pytest
from compare import first_divergence, largest_difference_mv, simulate
from nets import Net, recorded, trains
from test_any_model import ALL, RECEPTORS, G, electrode, gaps, levels, net, spread

import neostriatum as ns
from neostriatum.cli import main
from neostriatum.errors import EngineUnsupported
from neostriatum.models import (
    CellModel,
    I,
    ReceptorModel,
    ReleaseModel,
    State,
    clip,
    exp,
    gain,
    log,
    logistic2,
    parameters,
    rate,
    where,
)
from neostriatum.models.registry import register

SIZE, STEPS = 36, 400
TM = {"model": "tsodyks_markram", "U": 0.3, "tau_rec": "120 ms", "tau_fac": "40 ms"}
POOLS = {"model": "two_pools", "U": 0.4, "share": 0.3, "tau_fast": "20 ms", "tau_slow": "300 ms"}


def odd_cell() -> CellModel:
    """A cell of three states whose names are those of Brian2, of Python and of units."""
    v, t, mV = State("v", "mV"), State("t", "pA"), State("mV_post", "1")
    C, i, xi, N, lambda_, peak, back, hold = parameters(
        "C pF > 0", "i nS > 0", "xi mV", "N mV > 0", "lambda ms > 0", "exp mV", "x_ mV",
        "not_refractory ms >= 0")
    upstroke = i * N * exp(clip((v - peak) / N, -30.0, 3.0))
    slow = where((v > xi) & (t < 500.0 * i * N) | (mV > 0.9), 0.4 * i * (v - xi), -0.1 * t)
    # Nothing divides by 0 where it is asked.
    slow = slow + where(mV > 0.0, 0.01 * t / mV, 0.0)
    return CellModel(
        name="odd", states=(v, t, mV),
        rates=(rate(v, i * (xi - v) + upstroke - t * mV + I, per=C),
               rate(t, slow - t, per=lambda_),
               rate(mV, logistic2(log(1.0 + abs(t) / (i * N)), (v - peak) / N) - mV,
                    times=1.0 / (2.0 * lambda_))),
        fires=v >= peak + 3.0 * N,
        then={v: back, t: t + i * N * mV, mV: where(mV < 0.5, mV, 0.5)},
        starts={v: xi, t: 0, mV: 0}, hold=hold)


def odd_receptor() -> ReceptorModel:
    """A receptor with a state that has a rate, and one that decays."""
    g, dt_, v = State("g", "nS"), State("second", "nS"), State("v", "mV")
    E, tau, rise = parameters("E mV", "tau ms > 0", "rise ms > 0")
    return ReceptorModel(
        name="odd", states=(g, dt_), decays={g: tau}, rates=(rate(dt_, g - dt_, per=rise),),
        adds=(g,), current=gain * dt_ * (E - v))


def odd_release() -> ReleaseModel:
    """A release with two jumps before it and one after it."""
    x, last = State("x", "1"), State("last", "1")
    U, tau, factor = parameters("U 1 > 0 <= 1", "tau ms >= 0", "factor ms >= 0")
    return ReleaseModel(
        name="odd", states=(x, last), rests={x: 1, last: 0}, decays={x: tau, last: factor},
        jumps={last: last + U * (1.0 - last), x: where(last > 0.6, 0.5 * x, x)},
        released=x * last / U, most=1.0 / U, after={x: x - 0.5 * x * last})


ODD = {"C": "60 pF", "i": "4 nS", "xi": "-70 mV", "N": "2 mV", "lambda": "30 ms", "exp": "-50 mV",
       "x_": "-62 mV", "not_refractory": "0.9 ms"}


def played(folder, kinds, receptors, /, **sections) -> Net:
    """A net of some kinds that plays recorded spikes, every cell a train of its own."""
    share, names = SIZE // len(kinds), [name for name in receptors if not name.endswith("gaba")]
    targets = {kind: recorded(folder, kind, trains(range(share), STEPS, 12, number),
                              {name: f"{20 * float(G[name].split()[0]):g} nS" for name in names},
                              0.1)
               for number, kind in enumerate(kinds)}
    inputs = {"first": {"targets": targets}, **sections.pop("inputs", {})}
    circuit, network, n_steps = net(kinds, receptors, size=SIZE, n_steps=STEPS, folder=folder,
                                    inputs=inputs, **sections)
    return Net("played", circuit, network, n_steps)


def all_at_once(folder) -> Net:
    """Every kind of cell, receptor and release; levels, spread, currents, gap junctions."""
    release = {f"{kind}->{kind}": {"conductance": {"fast_gaba": "2 nS", "slow_gaba": "1 nS"},
                                   "delay": {"offset": f"{1 + number} ms"},
                                   "wiring": {"rule": "fixed_probability", "p": 0.6},
                                   "stp": (TM, POOLS)[number % 2], "weight_cv": 0.3}
               for number, kind in enumerate(ALL)}
    return played(folder, ALL, list(RECEPTORS), **levels(ALL, wave=True), spread=spread(ALL),
                  inputs=electrode(ALL), gap_junctions=gaps(["fast", "adex"]), pathways=release)


def odd_net(folder) -> Net:
    """A user's cell, receptor and release."""
    for model in (odd_cell(), odd_receptor(), odd_release()):
        register(model)
    cells = {"odd": {"fraction": 1.0, "model": "odd", "parameters": ODD, "effects": [
        {"level": "ACh", "acts_on": "xi", "add": "2 mV"},
        {"level": "ACh", "acts_on": "x_", "coefficient": 0.1},
        {"level": "ACh", "acts_on": "I_odd_gaba", "coefficient": 0.5}]}}
    sine = {"sine": {"mean": 0.5, "amplitude": 0.4, "frequency": "30 Hz"}}
    odd = {"model": "odd", "E": "-80 mV", "tau": "5 ms", "rise": "2 ms"}
    pathway = {"conductance": {"odd_gaba": "3 nS"}, "delay": {"offset": "1.2 ms"},
               "wiring": {"rule": "fixed_probability", "p": 0.3},
               "stp": {"model": "odd", "U": 0.4, "tau": "80 ms", "factor": "30 ms"}}
    return played(folder, ["odd"], ["plain"], cells=cells, spread={"odd": {"xi": "1 mV"}},
                  warmup="5 ms", receptors={"plain": RECEPTORS["plain"], "odd_gaba": odd},
                  modulators={"ACh": {"level": sine}}, pathways={"odd->odd": pathway})


def check(net, oracle, other) -> None:
    """Assert that spikes and potentials are the same, and are worth a comparison."""
    assert all(oracle.count(name) > 3 for name in net.circuit.cells), oracle
    assert first_divergence(oracle, other, 0.1) is None
    assert largest_difference_mv(oracle, other) == 0.0


FEW = {"cells and receptors": all_at_once, "a user's": odd_net}


@pytest.mark.parametrize("name", FEW)
def test_brian2_has_the_bits_of_the_reference(name, runtime, reference, tmp_path):
    example = FEW[name](tmp_path)
    check(example, simulate(reference, example), simulate(runtime, example))


@pytest.mark.slow
@pytest.mark.compiled
@pytest.mark.parametrize("name", FEW)
def test_compiled_brian2_has_the_bits_of_the_reference(name, compiled, reference, tmp_path):
    example = FEW[name](tmp_path)
    check(example, simulate(reference, example), simulate(compiled, example))


def test_what_brian2_cannot_read_is_refused(tmp_path, capsys):
    """It reads an equation by functions that call themselves."""
    v = State("v", "mV")
    tau, g, rest = parameters("tau ms > 0", "g nS > 0", "rest mV")
    deep = v
    for _ in range(70):
        deep = 0.5 * (deep + rest)
    register(CellModel(name="deep", states=(v,), rates=(rate(v, deep - v + I / g, per=tau),),
                       fires=v >= rest, then={v: rest}, starts={v: rest}))
    raw = {"name": "deep", "volume": {"density": "80000 / mm^3"}, "receptors": {},
           "cells": {"X": {"fraction": 1.0, "model": "deep", "parameters": {
               "tau": "10 ms", "g": "5 nS", "rest": "-70 mV"}}}}
    (tmp_path / "deep.json").write_text(json.dumps(raw), "utf-8")
    code = main(["run", str(tmp_path / "deep.json"), "--size", "5", "--duration", "2 ms",
                 "--engine", "brian2-runtime", "--out", str(tmp_path / "run"), "--quiet"])
    wanted = ("cells.X.model: must nest at most 60 operations, as Brian2 reads no more (got 144). "
              "Use --engine reference")
    assert (code, capsys.readouterr().err) == (3, f"engine brian2-runtime: {wanted}\n")
    assert not (tmp_path / "run").exists()
    circuit = ns.load(raw)
    with pytest.raises(EngineUnsupported, match=re.escape(f"engine brian2: {wanted}")):
        ns.to_brian2(circuit, ns.build(circuit, size=5, seed=1))


def test_exported_objects_say_what_they_do(tmp_path):
    """What is read with units and what is added to arrive, as the documents say."""
    b2 = pytest.importorskip("brian2")
    circuit = ns.load("striatum_v1", changes={"warmup": "0 ms", "noise": {}, "inputs": {}})
    objects = ns.to_brian2(circuit, ns.build(circuit, size=100, seed=1))
    b2.prefs.codegen.target = "numpy"
    group = objects.groups["dSPN"]
    assert "c_v" in objects.network["step_dSPN"].abstract_code
    seen = b2.StateMonitor(group, ["v", "u", "g_GABA", "I_GABA", "c_v"], record=[0, 1], when="end")
    volley = b2.SpikeGeneratorGroup(1, [0], [1] * b2.ms)
    push = b2.Synapses(volley, group, on_pre="in_GABA_post += 2.0")
    push.connect(i=0, j=0)
    objects.network.add(seen, volley, push)
    objects.network.run(3 * b2.ms, namespace={})
    assert seen.v / b2.mV == pytest.approx(seen.c_v)
    assert seen.v[0, 0] < -60 * b2.mV
    fall = float(np.exp(-0.1 / circuit.receptors["GABA"].tau.value))
    assert seen.g_GABA[0, :11] / b2.nS == pytest.approx(0.0)
    assert seen.g_GABA[0, 11:14] / b2.nS == pytest.approx(2.0 * fall ** np.arange(1, 4))
    assert seen.g_GABA[1, :] / b2.nS == pytest.approx(0.0)
    reversal = circuit.receptors["GABA"].E.value * b2.mV
    assert seen.I_GABA[0, 20] / b2.pA == pytest.approx(
        float(seen.g_GABA[0, 20] * (reversal - seen.v[0, 20]) / b2.pA))
