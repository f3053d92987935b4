"""Measure the basal ganglia of Lindahl & Hellgren Kotaleski 2016 against what is known of them.

``rates``: seven populations against a program apart, in three states. ``effects``: every effect of
dopamine taken back by itself in the depleted, driven loop, as a sweep with its table. ``map``:
which of two actions is selected over a grid of saliences, in both states. ``speed``: Brian2 against
numba, and the time that a simulated second takes at four times the size.
"""

from __future__ import annotations

import argparse
import csv
import time
from pathlib import Path
from typing import Any

import numpy as np
from behaviour import Lab
from table import Table

import neostriatum as ns
from neostriatum.analysis import oscillation_index, selection, synchrony_index
from neostriatum.bench.engines import bench
from neostriatum.validation.action import TURN_MS, called, of_calls

#: Types in the order of the rows below.
TYPES = ("dSPN", "iSPN", "FS", "STN", "GPeTI", "GPeTA", "SNr")
#: Rates [Hz] of a program apart, written from the same numbers: 20,000 cells, 2 s after the first,
#: one row per seed; five seeds in control, three in the others.
APART: dict[str, tuple[tuple[str, ...], tuple[tuple[float, ...], ...]]] = {
    "control": ((), (
        (0.16, 0.27, 9.41, 12.11, 36.32, 12.33, 25.55),
        (0.15, 0.28, 9.23, 12.19, 36.22, 12.37, 26.57),
        (0.16, 0.26, 9.03, 12.74, 37.86, 13.20, 24.12),
        (0.14, 0.27, 9.20, 12.80, 37.40, 13.02, 25.33),
        (0.15, 0.29, 8.98, 12.09, 36.55, 11.73, 25.65))),
    "without dopamine": (("depleted",), (
        (0.05, 2.44, 1.50, 29.55, 11.91, 23.37, 59.76),
        (0.05, 2.43, 1.36, 30.45, 12.84, 23.77, 58.72),
        (0.05, 2.38, 1.40, 30.45, 14.30, 23.80, 55.70))),
    "control, printed rates": (("printed.rates",), (
        (0.16, 0.31, 9.73, 11.95, 36.93, 9.62, 21.89),
        (0.15, 0.30, 9.64, 12.00, 36.76, 9.85, 22.43),
        (0.16, 0.28, 9.38, 12.51, 38.42, 10.70, 19.65))),
}
#: What dopamine acts on, by name: (cell, what) of effects, and pathways whose in-degree changes.
EFFECTS: dict[str, tuple[tuple[tuple[str, str], ...], tuple[str, ...]]] = {
    "dSPN": ((("dSPN", "v_r"), ("dSPN", "d")), ()),
    "cortex to dSPN": ((("dSPN", "I_NMDA"),), ()),
    "cortex to iSPN": ((("iSPN", "I_AMPA"),), ()),
    "SPN to SPN": ((("dSPN", "I_GABA_SPN"), ("iSPN", "I_GABA_SPN")),
                   ("dSPN->dSPN", "dSPN->iSPN", "iSPN->dSPN", "iSPN->iSPN")),
    "TA to dSPN": ((("dSPN", "I_GABA_TA_dSPN"),), ()),
    "TA to iSPN": ((("iSPN", "I_GABA_TA_iSPN"),), ()),
    "FS": ((("FS", "v_r"),), ()),
    "FS to FS": ((("FS", "I_GABA_FS_FS"),), ()),
    "FS to iSPN": ((), ("FS->iSPN",)),
    "TA to FS": ((("FS", "I_GABA_TA_FS"),), ()),
    "cortex to STN": ((("STN", "I_AMPA_ctx_STN"), ("STN", "I_NMDA")), ()),
    "TI to STN": ((("STN", "I_GABA_TI_STN"),), ()),
    "TI": (tuple((cell, key) for cell in ("GPeTI", "GPeTF") for key in ("E_L", "v_a")), ()),
    "TA": ((("GPeTA", "E_L"), ("GPeTA", "v_a")), ()),
    "STN to GPe": (tuple((cell, "I_AMPA_STN") for cell in ("GPeTI", "GPeTF", "GPeTA")), ()),
    "GPe to GPe": (tuple((cell, "I_GABA_GPe") for cell in ("GPeTI", "GPeTF", "GPeTA")), ()),
    "iSPN to TI": (tuple((cell, "I_GABA_iSPN_GPe") for cell in ("GPeTI", "GPeTF")), ()),
    "SNr": ((("SNr", "E_L"), ("SNr", "v_a")), ()),
    "dSPN to SNr": ((("SNr", "I_GABA_dSPN_SNr"),), ()),
}
#: Saliences of the map.
SALIENCES = tuple(np.linspace(1.0, 3.0, 7).tolist())


def rates(options: argparse.Namespace) -> None:
    """Print our rates beside those of the program apart: within 10 % or 3 standard errors."""
    table, lab = Table(), Lab("numba", 1)
    for state, (overlays, apart) in APART.items():
        ours = np.array([[lab.rates("lindahl2016", overlay=overlays, seed=seed, size=options.size,
                                    duration="2 s", record="none")[name] for name in TYPES]
                         for seed in range(1, options.seeds + 1)])
        theirs = np.array(apart)
        for place, name in enumerate(TYPES):
            mine, other = ours[:, place], theirs[:, place]
            error = np.hypot(*(values.std(ddof=1) / len(values)**0.5 if len(values) > 1 else 0.0
                               for values in (mine, other)))
            wanted = other.mean()
            half = max(0.1 * wanted, 3 * error)
            table.row(f"{state}: {name} [Hz], {len(mine)} and {len(other)} seeds", mine.mean(),
                      wanted - half, wanted + half)
    table.finish()


def without(circuit: ns.Circuit, lesioned: ns.Circuit, name: str) -> dict[str, Any]:
    """Return the changes of the lesioned circuit that take an effect of dopamine back."""
    effects, pathways = EFFECTS[name]
    changes: dict[str, Any] = {}
    for cell, target in effects:
        number, = (place for place, one in enumerate(lesioned.cells[cell].effects)
                   if one.acts_on == target)
        changes[f"cells.{cell}.effects.{number}.coefficient"] = 0.0
    return changes | {f"pathways.{one}.wiring.n": circuit.pathways[one].wiring.n
                      for one in pathways}


def effects(options: argparse.Namespace) -> None:
    """Print synchrony and oscillation of SNr with each effect of dopamine taken back."""
    circuit = ns.load("lindahl2016")
    lesioned = ns.load("lindahl2016", overlay=["depleted", "activation"])
    single = {name: without(circuit, lesioned, name) for name in EFFECTS}
    keys = dict.fromkeys(key for changes in single.values() for key in changes)
    kept = {key: value(lesioned, key) for key in keys}
    rows = [{}, *single.values()]
    together = {key: [row.get(key, kept[key]) for row in rows] for key in keys}
    made = ns.sweep(circuit="lindahl2016", overlay=["depleted", "activation"], size=options.size,
                    duration=f"{options.duration} s", seeds=options.seeds, engine="numba",
                    vary={"effect": {"together": together}}, out=options.out, dask=options.dask)
    found: dict[str, list[tuple[float, float]]] = {}
    for row in made.rows:
        run = ns.Run(made.out / row["folder"])
        names = ["all of them", *EFFECTS]
        found.setdefault(names[row["point"] % len(names)], []).append(indices(run, "SNr"))
    with (Path(made.out) / "effects.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("effect taken back", "synchrony of SNr", "oscillation of SNr"))
        for name, values in found.items():
            writer.writerow((name, *(f"{value:.3f}" for value in np.mean(values, axis=0))))
    print((Path(made.out) / "effects.csv").read_text("utf-8"))
    table = Table()
    whole = np.mean(found.pop("all of them"), axis=0)
    falls = {name: whole - np.mean(values, axis=0) for name, values in found.items()}
    for place, index in enumerate(("synchrony", "oscillation")):
        order = sorted(falls, key=lambda name: -falls[name][place])
        for name in ("SPN to SPN", "cortex to iSPN"):
            table.row(f"{index}: place of {name} among the effects", order.index(name) + 1, 1, 3)
    table.finish()


def value(circuit: ns.Circuit, key: str) -> Any:
    """Return the number at a path of `without`."""
    section, name, *rest = key.split(".")
    if section == "pathways":
        return circuit.pathways[name].wiring.n
    return circuit.cells[name].effects[int(rest[1])].coefficient.value


def indices(run: ns.Run, name: str) -> tuple[float, float]:
    """Return the synchrony and oscillation indices of a population."""
    members = run.populations[name]
    own = (run.spikes.ids >= members.start) & (run.spikes.ids < members.stop)
    counts = [np.histogram(run.spikes.times_ms[own],
                           np.arange(0.0, run.duration_ms + 0.5 * width, width))[0]
              for width in (2.0, 4.0)]
    return synchrony_index(counts[0]), oscillation_index(counts[1].astype(float), 4.0)


def selection_maps(options: argparse.Namespace) -> None:
    """Print and draw which actions are selected, and time both maps."""
    from neostriatum.plotting import selection_map

    started, table, lab = time.perf_counter(), Table(), Lab("numba", 1)
    folder = Path(options.out or ".")
    folder.mkdir(parents=True, exist_ok=True)
    pairs = [(first, second) for first in SALIENCES for second in SALIENCES]
    for state, overlays in (("control", ()), ("lesion", ("depleted", "activation"))):
        circuit = called(ns.load("basal_ganglia", overlay=overlays), pairs)
        duration_ms, n, found = len(pairs) * TURN_MS, len(SALIENCES), []
        for seed in range(1, options.seeds + 1):
            network = ns.build(circuit, size=options.size, seed=seed)
            run = lab.run(circuit, network=network, seed=seed, duration=f"{duration_ms} ms",
                          record="none")
            found.append(of_calls(circuit, network, run.spikes, len(pairs)).reshape(n, n, 2))
        mean = np.mean(found, axis=0)
        for i, first in enumerate(SALIENCES):
            for j, second in enumerate(SALIENCES):
                print(f"{state} {first:.2f} {second:.2f}: {mean[i, j, 0]:6.1f} "
                      f"{mean[i, j, 1]:6.1f} Hz, {selection(mean[i, j])}")
        selected = mean[SALIENCES.index(2.0), 0].min()
        table.row(f"{state}: lower channel of SNr at saliences 2 and 1 [Hz]", selected,
                  *((0, 14) if state == "control" else (14, np.inf)))
        figure, _ = selection_map([round(one, 2) for one in SALIENCES], mean, title=state)
        figure.savefig(folder / f"selection_{state}.png")
    table.row("seconds for both maps", time.perf_counter() - started, 0, 900)
    table.finish()


def speed(options: argparse.Namespace) -> None:
    """Print Brian2's time over ours, and the real-time factor at 80,000 neurons on two threads."""
    table, lab = Table(), Lab("numba", 1)
    compared = bench("lindahl2016", size=options.size, duration="1 s", repeats=3, threads=2)
    for reason in compared["missing"].values():
        print(f"not measured: {reason}")
    ratio = compared["ratios"]["brian2_over_numba"]["double"]
    if ratio is not None:
        table.row(f"{options.size:,} neurons: Brian2 C++ over numba, double", ratio, 10)
    run = lab.run("lindahl2016", size=4 * options.size, duration="2 s", threads=2, record="none")
    table.row(f"{4 * options.size:,} neurons, seconds per simulated second",
              run.summary["real_time_factor"], 0, 2)
    table.finish()


PARTS = {"rates": rates, "effects": effects, "map": selection_maps, "speed": speed}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--size", type=int, default=20_000)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--duration", type=float, default=4.0, help="of effects [s]")
    parser.add_argument("--out", help="folder of the sweep, or of figures")
    parser.add_argument("--dask", help="address of a Dask scheduler, for effects")
    chosen = parser.parse_args()
    PARTS[chosen.part](chosen)
