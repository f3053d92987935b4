"""An export for NEURON spikes as the trees of its models do in NumPy."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import axonal
import h5py
import nets
import numpy as np
import pytest
import test_any_model as any_model
from random_models import parameters_of, random_model

import neostriatum as ns
from neostriatum.engines.base import engine
from neostriatum.models import (
    CellModel,
    I,
    ReceptorModel,
    ReleaseModel,
    State,
    gain,
    parameters,
    rate,
    where,
)
from neostriatum.models.registry import register

MISSING = find_spec("neuron") is None and os.environ.get("NEOSTRIATUM_REQUIRE_NEURON") != "1"
pytestmark = pytest.mark.skipif(MISSING, reason="needs NEURON. pip install neostriatum[neuron]")
MS = 500


def exported(circuit, network, folder: Path, ms: float = MS, seed: int = 3) -> Path:
    """Export a network and simulate it with NEURON."""
    ns.export(network, "neuron", folder, circuit=circuit, duration=f"{ms} ms", seed=seed)
    done = subprocess.run([sys.executable, "run.py"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def of_neuron(circuit, network, folder: Path) -> list[tuple[int, int]]:
    """Return (global id, step) of every spike in an export, sorted."""
    spikes = []
    with h5py.File(folder / "spikes.h5") as file:
        for name, ids in network.populations.items():
            group = file[f"spikes/{name}"]
            steps = np.rint(group["timestamps"][:] / circuit.dt.value).astype(int) - 1
            spikes += zip((group["node_ids"][:].astype(int) + ids.start).tolist(),
                          steps.tolist(), strict=True)
    return sorted(spikes)


def of_reference(circuit, network, ms: float = MS, seed: int = 3) -> list[tuple[int, int]]:
    """Return the same of the reference engine."""
    simulator = engine("reference")
    simulator.prepare(circuit, network, seed)
    dt = circuit.dt.value
    warmup = round(circuit.warmup.value / dt)
    steps, ids = simulator.advance(warmup + round(ms / dt))
    return sorted((cell, step - warmup) for cell, step in
                  zip(ids.tolist(), steps.tolist(), strict=True) if step >= warmup)


def agree(circuit, network, folder: Path, ms: float = MS, spikes: int = 20) -> None:
    """Hold NEURON to the same number of spikes of every cell, times within one step."""
    wanted = of_reference(circuit, network, ms)
    given = of_neuron(circuit, network, exported(circuit, network, folder / "out", ms))
    assert len(wanted) >= spikes
    assert [cell for cell, _ in given] == [cell for cell, _ in wanted]
    assert max(abs(a[1] - b[1]) for a, b in zip(given, wanted, strict=True)) <= 1


@pytest.mark.parametrize("name", nets.FEED_FORWARD)
def test_nets_of_the_presets(name, net, tmp_path):
    """Recorded inputs, all pathways, both kinds of gap junctions, releases, courses, a warm-up."""
    agree(net(name).circuit, net(name).network, tmp_path)


def test_axons_and_releases_that_start_stationary(tmp_path):
    """Trains, homes, delays, weights, both releases of axons, and one of cells."""
    circuit = axonal.circuit().replace({"pathways.thalamus->dSPN.failure": None})
    agree(circuit, ns.build(circuit, size=60, seed=1), tmp_path, ms=45, spikes=200)


#: Receptors of a cell whose potential doubles any rounding every 3 ms: those that call no exp.
PLAIN = ["rising", "plain", "fast_gaba", "slow_gaba"]


@pytest.mark.parametrize("kind", any_model.CELLS)
def test_every_cell_and_receptor(kind, tmp_path):
    """Poisson inputs are drawn once, by this package."""
    receptors = PLAIN if kind == "cubic" else list(any_model.RECEPTORS)
    circuit, network, _ = any_model.net([kind], receptors, size=20)
    agree(circuit, network, tmp_path)


def test_cubic_cell_behind_blocks(tmp_path):
    circuit, network, _ = any_model.net(["cubic"], list(any_model.RECEPTORS), size=20)
    agree(circuit, network, tmp_path, ms=100)


def test_levels_spread_electrodes_and_gap_junctions(tmp_path):
    kinds = ["adex", "fast"]
    circuit, network, _ = any_model.net(
        kinds, ["plain", "fast_gaba"], size=20, **any_model.levels(kinds, wave=True),
        spread=any_model.spread(kinds), inputs=any_model.electrode(kinds),
        gap_junctions=any_model.gaps(kinds))
    assert len(network.gaps) > 2
    agree(circuit, network, tmp_path)


def alike(names: list[str], **more) -> dict:
    """Return a circuit of cell types of random models."""
    share = 1.0 / len(names)
    cells = {}
    for number, name in enumerate(names):
        model = random_model(number)
        register(model)
        cells[name] = {"fraction": share, "model": model.name, "parameters": parameters_of(model)}
    return {"name": "random", "volume": {"density": "80000 / mm^3"}, "cells": cells,
            "receptors": {"plain": any_model.RECEPTORS["plain"]},
            "inputs": {"first": {"targets": {
                name: any_model.drive(["plain"], "6 Hz") for name in names}}}, **more}


def test_random_models(tmp_path):
    """Every operation that trees can have."""
    circuit = ns.load(alike(["A", "B", "C", "D"]))
    agree(circuit, ns.build(circuit, size=16, seed=1), tmp_path, ms=100)


def of_a_user() -> tuple[CellModel, ReceptorModel, ReleaseModel]:
    """Models whose names are words and units of NMODL."""
    v, exp, t = State("v", "mV"), State("exp", "pA"), State("t", "mV")
    mV, tau, IF, FUNCTION, celsius, hold, n = parameters(
        "mV nS > 0", "STATE ms > 0", "if mV", "FUNCTION mV", "celsius mV", "hold ms >= 0", "n nS")
    cell = CellModel(
        name="words", states=(v, exp, t),
        rates=(rate(v, mV * (FUNCTION - v) - exp + I, per=tau * mV),
               rate(exp, n * (v - FUNCTION) - exp, per=tau), rate(t, v - t, per=tau)),
        fires=(v >= IF) & (t < IF), then={v: celsius, exp: exp + 4.0 * n * (IF - celsius)},
        starts={v: FUNCTION, exp: 0, t: FUNCTION}, hold=hold)
    g, s = State("last", "nS"), State("release", "nS")
    E, decay, rise = parameters("dt_ mV", "nrn ms > 0", "w ms > 0")
    receptor = ReceptorModel(
        name="slower", states=(g, s), rates=(rate(g, s - g, per=rise),), decays={s: decay},
        adds=(s,), current=gain * where(g > 0, g, 0.0) * (E - v))
    x = State("flag", "1")
    U, tau_x = parameters("U 1 > 0 <= 1", "tau ms >= 0")
    release = ReleaseModel(name="emptying", states=(x,), rests={x: 1}, decays={x: tau_x}, jumps={},
                           released=x, most=1, after={x: x - U * x})
    return cell, receptor, release


def test_models_of_a_user(tmp_path):
    for model in of_a_user():
        register(model)
    values = {"mV": "8 nS", "STATE": "15 ms", "if": "-50 mV", "FUNCTION": "-70 mV",
              "celsius": "-65 mV", "hold": "1.5 ms", "n": "0.5 nS"}
    slow = {"model": "slower", "dt_": "0 mV", "nrn": "6 ms", "w": "2 ms"}
    pathway = {"conductance": {"slow": "1 nS", "plain": "0.5 nS"}, "delay": {"offset": "1.5 ms"},
               "wiring": {"rule": "fixed_probability", "p": 0.3}, "weight_cv": 0.5}
    circuit = ns.load({
        "name": "words", "volume": {"density": "80000 / mm^3"},
        "cells": {name: {"fraction": 0.5, "model": "words", "parameters": values}
                  for name in ("NEURON", "gap")},
        "receptors": {"slow": slow, "plain": any_model.RECEPTORS["plain"]},
        "pathways": {
            "NEURON->gap": {**pathway, "stp": {"model": "emptying", "U": 0.5, "tau": "80 ms"}},
            "gap->gap": {**pathway, "stp": {
                "model": "two_pools", "U": 0.4, "share": 0.3, "tau_fast": "20 ms",
                "tau_slow": "400 ms"}},
            "gap->NEURON": pathway},
        "inputs": {"first": {"targets": {name: {
            "afferents": 100, "rate": {"constant": "12 Hz"}, "conductance": {
                "slow": "0.9 nS", "plain": "0.3 nS"}} for name in ("NEURON", "gap")}}}})
    network = ns.build(circuit, size=20, seed=2)
    agree(circuit, network, tmp_path)
    model = json.loads((tmp_path / "out" / "model.json").read_text("utf-8"))
    assert [pathway["release"] for pathway in model["pathways"]] == [1, 2, 0]


def test_a_potential_out_of_range_ends_the_script(tmp_path):
    circuit, network, _ = any_model.net(["linear"], ["plain"], size=4)
    ns.export(network, "neuron", tmp_path / "out", circuit=circuit, duration="20 ms")
    path = tmp_path / "out" / "model.json"
    model = json.loads(path.read_text("utf-8"))
    model["populations"][0]["numbers"]["p_v_peak_nscell_linear"] = 1e9
    path.write_text(json.dumps(model), "utf-8")
    done = subprocess.run([sys.executable, "run.py"], cwd=path.parent, capture_output=True,
                          text=True)
    assert done.returncode == 1
    assert "run.py: linear" in done.stderr
    assert not (path.parent / "spikes.h5").exists()
