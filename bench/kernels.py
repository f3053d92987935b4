"""Time the kernels: nanoseconds of a cell and step by model, receptors, spread and the like.

One tile of cells that nothing reaches goes through windows of ten steps, kernel after kernel in
turns, so that a machine whose speed changes slows all of them. Draws and delivery are not in it.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

import numpy as np
from numba import njit

import neostriatum as ns
from neostriatum.bench.variants import BASE, variants
from neostriatum.circuit.load import load
from neostriatum.engines.numba_engine import build
from neostriatum.engines.numba_engine.engine import Numba
from neostriatum.engines.numba_engine.kernel import kernel_module
from neostriatum.engines.numba_engine.pack import AT, TILE
from neostriatum.engines.numba_engine.window import call

STEPS = 10
_FIELDS = tuple(AT[name] for name in ("steps", "first", "done", "slot", "noted", "spikes"))


@njit
def windows(pack, at, kernel, spikes, count):
    """Call a kernel for some windows of ten steps."""
    steps, first, done, slot, noted, where = _FIELDS
    for n in range(count):
        pack[steps], pack[first], pack[done], pack[noted] = 10, 0, 0, 0
        pack[slot], pack[where] = (10 * n) % 17, spikes
        call(kernel, at)


class Timed:
    """The kernel of the first population of a circuit."""

    def __init__(self, circuit: Any, precision: str) -> None:
        circuit = load({**circuit.to_dict(), "warmup": "0 ms"})
        name = circuit.types[0]
        network = ns.build(circuit, size=round(TILE / circuit.cells[name].fraction.value))
        self.engine = Numba(1, precision)
        self.engine.prepare(circuit, network, 1)
        self.tables = [each.table(0, 10, self.engine.dtype) for each in self.engine._constants]
        self.shape = self.engine.layout.shapes[0]
        self.engine.layout.packs[0, AT["constants"]] = self.tables[0].ctypes.data
        self.engine.layout.packs[0, AT["stride"]] = 0

    def nanoseconds(self, count: int = 1000) -> float:
        """Return the time of a cell and step [ns]."""
        net = self.engine.layout.net
        arguments = (net.tiles.packs[0], int(net.tiles.pack_at[0]), int(net.tiles.kernel[0]),
                     net.emitted.at)
        windows(*arguments, 1)
        started = time.process_time()
        windows(*arguments, count)
        return (time.process_time() - started) / (count * STEPS * TILE) * 1e9

    def compiling(self) -> float:
        """Return how long its kernel takes to be emitted and compiled [s]."""
        started = time.process_time()
        build._compiled(str(kernel_module(self.shape)))
        return time.process_time() - started


def shapes() -> dict[str, Any]:
    """Return circuits by the name of what is measured."""
    base = load(BASE)
    first = base.types[0]
    striatal = {"C": "120 pF", "g_L": "7.2 nS", "E_L": "-76.5 mV", "g_K": "6 nS", "g_A": "10.2 nS",
                "k": "12 nS/mV", "v_T": "-48 mV", "a": "0.01 / ms", "b": "-0.3 nS",
                "v_r": "-82 mV", "d": "55 pA", "c": "-55 mV", "a_z": "0.0033 / ms",
                "b_z": "-2 nS", "v_z": "-68 mV", "t_ref": "0.5 ms"}
    adex = {"C": "120 pF", "g_L": "10 nS", "E_L": "-75 mV", "v_T": "-50 mV", "D_T": "2 mV",
            "a": "2 nS", "b": "60 pA", "tau_w": "100 ms", "v_reset": "-58 mV", "v_peak": "0 mV",
            "t_ref": "2 ms"}
    raw = base.to_dict()
    cell = {"fraction": raw["cells"][first]["fraction"]}
    target = raw["inputs"]["cortex"]["targets"][first]
    more = {**target, "conductance": {"AMPA_2": "0.5 nS"}}
    recorded = {"receptors.GABA_2": {"E": "-60 mV", "tau": "8 ms"}}
    wired = {"inputs.extra": {"targets": {first: {
        "afferents": 1, "rate": {"constant": "0 Hz"}, "shared_trains": 1,
        "conductance": {"GABA_2": "1 nS"}}}}}
    five = {"receptors.AMPA_2": {"E": "0 mV", "tau": "6 ms"}, **recorded, **wired,
            "inputs.third": {"targets": {first: more}}}
    return {
        "default": base, "default again": base,
        **{name: load(BASE, changes=changes) for name, changes in variants().items()},
        "striatal": base.replace({f"cells.{first}": {**cell, "model": "striatal",
                                                     "parameters": striatal}}),
        "striatal, 5 receptors": base.replace({
            **five, f"cells.{first}": {**cell, "model": "striatal", "parameters": striatal}}),
        "adex": base.replace({f"cells.{first}": {**cell, "model": "adex", "parameters": adex}}),
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--repeats", type=int, default=15)
    options = parser.parse_args()
    for precision in ("double", "single"):
        timed = {name: Timed(circuit, precision) for name, circuit in shapes().items()}
        times: dict[str, list[float]] = {name: [] for name in timed}
        for _ in range(options.repeats):
            for name, each in timed.items():
                times[name].append(each.nanoseconds())
        base = np.array(times["default"])
        print(f"{precision}: ns per cell and step, median of the ratios to default, compiling [s]")
        for name, values in times.items():
            ratio = statistics.median(np.array(values) / base)
            print(f"  {name:<24}{statistics.median(values):>7.2f}{ratio:>7.2f}"
                  f"{timed[name].compiling():>8.3f}")


if __name__ == "__main__":
    main()
