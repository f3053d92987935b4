"""Move each calibrated number of the default circuit by 10 % and show what each choice gives.

These numbers of `striatum` are free (how = "calibrated"): no experiment gives the number of axons
together with the conductance of each, nor how their rates wander. They were set to what the first
column of `KNOBS` says. A choice is good if, at dopamine 0.3, the five
types fire in their ranges and SPNs irregularly (median ISI CV 0.7 to 1.2), and taking dopamine
away raises the iSPN rate and lowers the dSPN rate.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from behaviour import Lab
from microcircuit import CIRCUIT, RATES, SPN, times_of

import neostriatum as ns
from neostriatum.analysis import isi_cv
from neostriatum.circuit.replacement import value_at

FACTORS = (0.9, 1.1)


def weights(source: str, *targets: str) -> list[str]:
    """Return the keys of the conductances from a population to others."""
    circuit = ns.load(CIRCUIT)
    return [f"pathways.{source}->{target}.conductance.{receptor}" for target in targets
            for receptor in circuit.pathways[f"{source}->{target}"].conductance]


#: {what is moved: (what it was calibrated to, the keys of its numbers)}.
KNOBS = {
    "cortex->SPN": ("rates of SPNs awake", weights("cortex", *SPN)),
    "CL->SPN": ("rates of SPNs awake", weights("CL", *SPN)),
    "Pf->SPN": ("rates of SPNs awake", weights("Pf", *SPN)),
    "cortex->FS": ("rate of FS awake", weights("cortex", "FS")),
    "Pf->FS": ("rate of FS awake", weights("Pf", "FS")),
    "cortex->LTS": ("rate of LTS", weights("cortex", "LTS")),
    "Pf->ChIN": ("pause after a burst of Pf", weights("Pf", "ChIN")),
    "current of ChIN": ("rate of ChIN, alone and in vivo", ["cells.ChIN.parameters.I_spon"]),
    "FS->SPN": ("recorded amplitudes of FS->SPN", weights("FS", *SPN)),
    "reach of FS->SPN": ("number of FS cells per SPN",
                         [f"pathways.FS->{cell}.wiring.range" for cell in SPN]),
    "slow courses": ("irregularity of SPNs", ["axons.cortex.slow.sd"]),
}


def moved(keys: list[str], factor: float) -> dict[str, Any]:
    """Return the changes that multiply the numbers at some keys."""
    raw = ns.load(CIRCUIT).to_dict()
    changes: dict[str, Any] = {}
    for key in keys:
        value = value_at(raw, key)
        if isinstance(value, dict):
            value = value["value"]
        number, _, unit = str(value).partition(" ")
        changes[key] = f"{float(number) * factor:.6g} {unit}".strip()
    return {key: value if " " in value else float(value) for key, value in changes.items()}


def try_out(lab: Lab, label: str, changes: dict[str, Any], options: dict[str, Any]) -> bool:
    """Measure one choice, print its row, and return whether it is good."""
    run = lab.run(CIRCUIT, changes=changes, record="none", **options)
    rates = run.summary["rates_hz"]
    none = lab.run(CIRCUIT, changes=changes, record="none", dopamine=0.0,
                   **options).summary["rates_hz"]
    trains = [times_of(run, name) for name in SPN]
    times, ids = (np.concatenate(part) for part in zip(*trains, strict=True))
    order = np.argsort(times, kind="stable")
    _, cvs = isi_cv(times[order], ids[order], minimum_intervals=7)
    cv = float(np.median(cvs)) if len(cvs) else float("nan")
    ratios = [none[name] / rates[name] for name in SPN]
    good = (all(low <= rates[name] <= high for name, (low, high) in RATES.items())
            and 0.7 <= cv <= 1.2 and ratios[0] < 1 < ratios[1])
    numbers = "".join(f"{number:>8.3g}" for number in (*rates.values(), cv, *ratios))
    print(f"{label:<24}{numbers}{'   good' if good else ''}", flush=True)
    return good


def main() -> None:
    """Scan every calibrated number of the default circuit, one at a time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=4000)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    lab = Lab("numba", asked.seed)
    options = {"size": asked.size, "duration": f"{asked.seconds:g} s"}
    names = "".join(f"{name:>8}" for name in RATES)
    print(f"{'Hz at dopamine 0.3':<24}{names}      CV  dSPN 0/.3  iSPN 0/.3")
    good = [try_out(lab, "as it is", {}, options)]
    for name, (purpose, keys) in KNOBS.items():
        print(f"  {name}: calibrated to the {purpose}")
        good += [try_out(lab, f"{name} x {factor:g}", moved(keys, factor), options)
                 for factor in FACTORS]
    print(f"{sum(good)} of {len(good)} choices are good")


if __name__ == "__main__":
    main()
