"""Measure the behaviour of the default circuit and of humphries2010 against what is wanted of them.

The bounds are those that the circuit was calibrated to or that the papers report; the numbers are
measured here, on networks built and simulated now.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from table import Table

import neostriatum as ns
from neostriatum.analysis import count_correlation, isi_cv

NO_FS = {"pathways.FS->dSPN.conductance.GABA": "0 nS", "pathways.FS->iSPN.conductance.GABA": "0 nS"}


class Lab:
    """Runs circuits into a temporary folder, one after the other."""

    def __init__(self, engine: str, seed: int) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._engine, self._seed, self._count = engine, seed, 0

    def run(self, circuit: Any = "striatum_v1", **options: Any) -> ns.Run:
        """Run a circuit without figures."""
        self._count += 1
        options = {"engine": self._engine, "seed": self._seed, "figures": False, **options}
        return ns.run(circuit, out=Path(self._folder.name) / str(self._count), **options)

    def rates(self, circuit: Any = "striatum_v1", **options: Any) -> dict[str, float]:
        """Return the rates of a run [Hz]."""
        return self.run(circuit, **options).summary["rates_hz"]


def default_circuit(table: Table, lab: Lab, seconds: float) -> dict[str, float]:
    """Rates, irregularity and correlations over ``seconds``, and the same at twice the size."""
    run = lab.run(duration=f"{seconds} s", size=10_000)
    rates = run.summary["rates_hz"]
    for name, low, high in (("dSPN", 0.5, 3), ("iSPN", 0.5, 3), ("FS", 8, 30)):
        table.row(f"striatum, 10,000 neurons, {seconds:g} s: {name} Hz", rates[name], low, high)
    spikes, spans = run.spikes, run.populations
    spn = spikes.ids < spans["FS"].start
    _, cv = isi_cv(spikes.times_ms[spn], spikes.ids[spn], minimum_intervals=10)
    table.row(f"  median ISI CV of {len(cv)} SPNs", float(np.median(cv)), 0.7, 1.2)
    fs = ~spn
    _, cv = isi_cv(spikes.times_ms[fs], spikes.ids[fs], minimum_intervals=10)
    table.row(f"  median ISI CV of {len(cv)} FS", float(np.median(cv)))
    for bin_ms in (5.0, 50.0):
        found = count_correlation(spikes.times_ms, spikes.ids, run.summary["neurons"],
                                  run.duration_ms, bin_ms)
        table.row(f"  mean pairwise count correlation, {bin_ms:g} ms bins", found.mean, -0.01, 0.01)
    double = lab.rates(duration=f"{seconds} s", size=20_000)
    for name in rates:
        table.row(f"  {name} at 20,000 over 10,000 neurons", double[name] / rates[name], 0.9, 1.1)
    return rates


def dopamine(table: Table, lab: Lab, seconds: float) -> None:
    """What dopamine does, and which mechanism does it, by switching each off."""
    options = {"duration": f"{seconds} s", "size": 10_000}
    normal, none = lab.rates(**options), lab.rates(dopamine=0.0, **options)
    high = lab.rates(dopamine=0.8, **options)
    for level, rates in (("0", none), ("0.3", normal), ("0.8", high)):
        print(f"  dopamine {level}: " + ", ".join(f"{k} {v:.2f} Hz" for k, v in rates.items()))
    change = (none["iSPN"] / none["dSPN"]) / (normal["iSPN"] / normal["dSPN"])
    table.row("iSPN/dSPN at dopamine 0 over that at 0.3", change, 1.5)
    table.row("  iSPN at 0 over 0.3", none["iSPN"] / normal["iSPN"], 1.5)
    table.row("  dSPN at 0 over 0.3", none["dSPN"] / normal["dSPN"], high=1.0)
    base = ns.load("striatum_v1")
    for cell in ("dSPN", "iSPN", "FS"):
        for number, effect in enumerate(base.cells[cell].dopamine):
            off = {f"cells.{cell}.dopamine.{number}.coefficient": 0.0}
            here = lab.rates(changes=off, **options)
            there = lab.rates(changes=off, dopamine=0.0, **options)
            what = f"  without {effect.receptor} on {effect.acts_on} of {cell}"
            table.row(f"{what}: iSPN at 0 over 0.3", there["iSPN"] / here["iSPN"])
            table.row(f"{'':>{len(what)}}  dSPN at 0 over 0.3", there["dSPN"] / here["dSPN"])


def without_fs(table: Table, lab: Lab, seconds: float) -> None:
    """What removing the FS inhibition of SPNs does in the two circuits."""
    options = {"duration": f"{seconds} s", "size": 10_000}
    for circuit, low, high in (("striatum_v1", 1.5, float("inf")), ("humphries2010", 0.0, 1.0)):
        whole, cut = lab.rates(circuit, **options), lab.rates(circuit, changes=NO_FS, **options)
        for name in ("dSPN", "iSPN"):
            table.row(f"{circuit}: {name} without FS over with", cut[name] / whole[name], low, high)


def humphries(table: Table, lab: Lab, seconds: float) -> None:
    """Rates of the archived network model at its background drive.

    In an open cube the FS cells near the surface miss inhibition: 10,000 neurons give 20.4 Hz, the
    whole cubic millimetre of the paper less, so 40,000 are taken here.
    """
    rates = lab.rates("humphries2010", duration=f"{min(seconds, 5.0)} s", size=40_000,
                      changes={"warmup": "500 ms"})
    mean = (rates["dSPN"] + rates["iSPN"]) / 2
    table.row("humphries2010, 475 events/s: MSN Hz", mean, 0.5, 2.0)
    table.row("humphries2010, 475 events/s: FS Hz", rates["FS"], 14, 20)


def step_size(table: Table, lab: Lab, seconds: float) -> None:
    """How the rates depend on dt, on the same network."""
    network = ns.build("striatum_v1", size=10_000, seed=1)
    rates = {dt: lab.rates(duration=f"{seconds} s", dt=f"{dt} ms", network=network)
             for dt in (0.05, 0.1, 0.2)}
    for dt in (0.05, 0.2):
        for name in rates[dt]:
            change = 100 * (rates[dt][name] / rates[0.1][name] - 1)
            table.row(f"change of {name} rate at dt {dt} ms [%]", change, -5, 5)


def main() -> None:
    """Run the parts that were asked for, by default all."""
    parts = {"default": default_circuit, "dopamine": dopamine, "fs": without_fs,
             "humphries2010": humphries, "dt": step_size}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*parts, []], default=[])
    parser.add_argument("--engine", default="numba")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=1)
    said = parser.parse_args()
    table, lab = Table(), Lab(said.engine, said.seed)
    for name in said.parts or parts:
        parts[name](table, lab, said.seconds)
    table.finish()


if __name__ == "__main__":
    main()
