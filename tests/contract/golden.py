"""The nets whose spike hashes are kept in golden.json: deterministic ones and stochastic ones."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import nets
from lively import lively

import neostriatum as ns

if TYPE_CHECKING:
    from pathlib import Path

#: Dopamine of the deterministic nets; those with a course of their own keep it.
LEVELS = (0.0, 0.3, 0.8)
STEPS = 2000


def deterministic(folder: Path) -> dict[str, nets.Net]:
    """Return every contract net at three levels of dopamine, cut to `STEPS`."""
    made = {}
    for name, make in nets.ALL.items():
        place = folder / name
        place.mkdir()
        net = dataclasses.replace(make(place), n_steps=STEPS)
        for level in LEVELS if name != "courses" else (None,):
            changes = {} if level is None else {"dopamine.d1": level, "dopamine.d2": level}
            made[f"{name} {level}"] = net.with_circuit(changes) if changes else net
    return made


def stochastic() -> dict[str, nets.Net]:
    """Return nets with every kind of random draw."""
    made = {"lively": lively(150)}
    cases = {
        "striatum_v1": ("striatum_v1", {
            "warmup": "20 ms", "inputs.cortex.targets.dSPN.rate.constant": "9 Hz"}),
        "varying": ("striatum_v1", {
            "warmup": "0 ms",
            "dopamine.d1": {"ramp": {"base": 0.0, "peak": 1.0, "start": "20 ms", "stop": "150 ms"}},
            "dopamine.d2": {"sine": {"mean": 0.5, "amplitude": 0.4, "frequency": "8 Hz"}},
            "inputs.cortex.targets.dSPN.rate": {
                "table": {"times": ["0 ms", "80 ms"], "values": ["4 Hz", "12 Hz"]}}}),
        "humphries2010": ("humphries2010", {"inputs.cortex.targets.dSPN.rate.constant": "5 Hz",
                                            "inputs.cortex.targets.iSPN.rate.constant": "5 Hz"}),
        "fountas2017": ("fountas2017", {"cells.FS.fraction": 0.1, "cells.dSPN.fraction": 0.45,
                                        "cells.iSPN.fraction": 0.45}),
        "seed": ("seed", {}),
    }
    for name, (preset, changes) in cases.items():
        circuit = ns.load(preset, changes=changes)
        network = ns.build(circuit, size=300 if preset != "striatum_v1" else 700, seed=5)
        made[name] = nets.Net(name, circuit, network, STEPS)
    return made
