"""Scan the cortical drive of `striatum_v1` around its value and show what each choice gives.

The drive is its one free set of numbers (how = "calibrated"). A choice is good if, at
dopamine 0.3, both SPNs fire at 0.5 to 3 Hz and the FS cells at 8 to 30 Hz, SPNs fire irregularly
(median ISI CV 0.7 to 1.2), and taking dopamine away raises the iSPN rate 1.5 times and not the dSPN
rate. Variant B of docs/parameters.md 9a (600, 610 and 575 events/s) is the middle of the scan, and
the circuit keeps it if it is good.
"""

from __future__ import annotations

import argparse

import numpy as np
from behaviour import Lab

from neostriatum.analysis import isi_cv

AFFERENTS = 250
BOUNDS = {"dSPN": (0.5, 3), "iSPN": (0.5, 3), "FS": (8, 30)}


def changes(dspn: float, ispn: float, fs: float) -> dict[str, str]:
    """Return the circuit changes for a drive in events/s per neuron."""
    return {f"inputs.cortex.targets.{name}.rate.constant": f"{events / AFFERENTS} Hz"
            for name, events in (("dSPN", dspn), ("iSPN", ispn), ("FS", fs))}


def try_drive(lab: Lab, drive: tuple[float, float, float], seconds: float) -> bool:
    """Measure one choice, print its row, and return whether it is good."""
    options = {"changes": changes(*drive), "duration": f"{seconds} s"}
    run = lab.run(**options)
    rates, none = run.summary["rates_hz"], lab.rates(dopamine=0.0, **options)
    spn = run.spikes.ids < run.populations["FS"].start
    _, cvs = isi_cv(run.spikes.times_ms[spn], run.spikes.ids[spn], minimum_intervals=10)
    cv = float(np.median(cvs)) if len(cvs) else float("nan")
    good = (all(low <= rates[name] <= high for name, (low, high) in BOUNDS.items())
            and 0.7 <= cv <= 1.2 and none["iSPN"] >= 1.5 * rates["iSPN"]
            and none["dSPN"] <= rates["dSPN"])
    numbers = [*drive, *rates.values(), cv, *none.values()]
    text = "".join(f"{number:>9.3g}" for number in numbers)
    print(text + ("   good" if good else ""), flush=True)
    return good


def main() -> None:
    """Scan SPN and FS drive by a few percent around variant B."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", default="numba")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=1)
    said = parser.parse_args()
    lab = Lab(said.engine, said.seed)
    print("events/s to dSPN, iSPN, FS; Hz and SPN CV at dopamine 0.3; Hz at dopamine 0")
    good = {}
    for spn in (570.0, 600.0, 630.0):
        for fs in (525.0, 575.0, 625.0):
            good[spn, fs] = try_drive(lab, (spn, spn * 610 / 600, fs), said.seconds)
    print(f"variant B {'is' if good[600.0, 575.0] else 'is not'} good; "
          f"{sum(good.values())} of {len(good)} choices are")


if __name__ == "__main__":
    main()
