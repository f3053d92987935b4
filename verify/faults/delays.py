"""Delays and steps: a delay that stands in the circuit is the delay that spikes have."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from case import EITHER, REFUSED, SAME, Case

import neostriatum as ns

KIND = "delays"

STEPS = ("0.1", "0.05", "0.025", "0.2")
OFFSETS = ("0.05", "0.1", "0.15", "0.2", "0.25", "0.3", "0.125", "0.975", "1.0", "1.01", "1.025",
           "1.05", "1.25", "2.2", "2.75", "12.7", "25.5")
#: The same delay, spelled otherwise.
SPELLINGS = {"150 us": "0.15", "0.00015 s": "0.15", "1.5e-1 ms": "0.15", "0.000 25 s": "",
             "1250 us": "1.25", "0.001 s": "1.0", "1000000 ns": "1.0", "0.1 ms": "0.1"}
WORDS = ("delay",)


def circuit(delay: Any, dt: str) -> Any:
    """Return the circuit with one delay for a pathway and a step."""
    return ns.load("striatum_v1").replace({
        "pathways.FS->dSPN.delay": delay, "dt": f"{dt} ms", "warmup": "0 ms"})


def stored(delay: Any, dt: str) -> Callable[[Path], str]:
    """Return what builds the network and tells the delays of the pathway in it."""
    def run(folder: Path) -> str:
        del folder
        from neostriatum.network.edges import DELAY_UNIT

        network = ns.build(circuit(delay, dt), size=100, seed=1)
        unit = getattr(network, "delay_unit_ms", DELAY_UNIT)
        return _shown(np.unique(network.edges["FS->dSPN"].delays) * unit)

    return run


def felt(delay: Any, dt: str) -> Callable[[Path], str]:
    """Return what lets one spike arrive and tells its delay."""
    def run(folder: Path) -> str:
        del folder
        result = ns.pair("FS", "dSPN", circuit=circuit(delay, dt), duration="60 ms")
        return _shown([result.delay_ms])

    return run


def _shown(values: Any) -> str:
    return ", ".join(f"{float(value):.6g} ms" for value in values)


def _case(label: str, run: Callable[[Path], str], offset: str, dt: str) -> Case:
    whole = Fraction(offset) % Fraction(dt) == 0 and Fraction(offset) >= Fraction(dt)
    tenths = whole and Fraction(offset) % Fraction("0.1") == 0
    expect = SAME if tenths else EITHER if whole else REFUSED
    return Case(f"{label}, dt {dt} ms", run, expect, _shown([offset]), WORDS)


def cases() -> list[Case]:
    """Return every case of this kind."""
    listed = []
    for dt in STEPS:
        for offset in OFFSETS:
            if Fraction(offset) / Fraction(dt) > 255:
                continue  # more steps than any delay may have
            delay = f"{offset} ms"
            listed.append(_case(f"offset {delay}, stored", stored(delay, dt), offset, dt))
            if dt != "0.025" or len(offset) > 3:
                listed.append(_case(f"offset {delay}, felt", felt(delay, dt), offset, dt))
    for delay, offset in SPELLINGS.items():
        if offset:
            listed.append(_case(f"offset {delay}, stored", stored(delay, "0.05"), offset, "0.05"))
    table = {"offset": {"value": "0.15 ms", "source": "override"}}
    listed.append(_case("a table of offset 0.15 ms, stored", stored(table, "0.05"), "0.15", "0.05"))
    for delay in ("0 ms", "-1 ms", "25.6 ms", "1e9 ms", "0.04 ms", "nan ms"):
        listed.append(Case(f"offset {delay}", stored(delay, "0.1"), REFUSED, words=WORDS))
    for dt in STEPS:
        for offset in ("1", "1.05", "1.025", "0.15"):
            if Fraction(offset) >= Fraction(dt):
                delay = {"offset": f"{offset} ms", "velocity": "0.8 m/s"}
                listed.append(Case(f"offset {offset} ms with a velocity, dt {dt} ms",
                                  lambda folder, delay=delay, dt=dt: bool(
                                      stored(delay, dt)(folder)),
                                  SAME if offset == "1" else EITHER, words=WORDS))
    return listed
