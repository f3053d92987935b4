"""Measure the wiring against what the papers report and against the laws themselves.

Ten networks of Humphries et al. 2010 in 1 mm^3 against their Table 5; every pathway's synapses
against the sum of its law over the real positions; paired recordings in the default circuit against
the intervals of Cinotti & Humphries 2022, and how far the unscaled law misses them.
"""

from __future__ import annotations

import argparse
import math
from itertools import combinations
from typing import Any

import numpy as np
from table import Table

import neostriatum as ns
from neostriatum.analysis.profile import profile
from neostriatum.circuit.measured import measured
from neostriatum.network.law import rule

#: 84,900 SPN and 849 FS.
CUBE = 85_749
#: Tables of the posteriors: given Taverna's pairs, given Planert's pairs.
POSTERIORS = ("cinotti2022_50um", "cinotti2022_100um")


def pooled(parts: list[tuple[float, float, float]]) -> tuple[float, float]:
    """Return the mean and the standard deviation of groups given as (n, mean, sd)."""
    n, mean, sd = np.array(parts).T
    whole = float((n * mean).sum() / n.sum())
    square = ((n - 1) * sd**2 + n * (mean - whole) ** 2).sum() / (n.sum() - 1)
    return whole, float(square) ** 0.5


def groups(centres: list[dict[str, Any]], what: str, name: str) -> tuple[float, float]:
    """Return mean and sd of a statistic over the neurons, or synapses, of all networks."""
    parts = []
    for centre in centres:
        n = centre["neurons"][name.split("->")[1]]
        if what == "distance_um":
            n = round(n * centre["indegree"][name]["mean"])
        parts.append((n, centre[what][name]["mean"], centre[what][name]["sd"]))
    return pooled(parts)


def gap_deviation(network: ns.Network) -> float:
    """Return the gap junctions above the sum of their law, in standard deviations."""
    law = rule("FS-FS", network.circuit.gap_junctions["FS-FS"].wiring)
    fs = network.populations["FS"]
    at = network.positions[fs.start : fs.stop].astype(float)
    p = np.array([law(math.dist(a, b)) for a, b in combinations(at, 2)])
    return float((len(network.junctions["FS-FS"]) - p.sum()) / math.sqrt((p * (1 - p)).sum()))


def largest_gap(z: list[float]) -> float:
    """Return the Kolmogorov-Smirnov distance of two-sided p-values from uniform, times sqrt n."""
    p = np.sort([math.erfc(abs(one) / math.sqrt(2)) for one in z])
    steps = np.arange(len(p) + 1) / len(p)
    return float(max((p - steps[:-1]).max(), (steps[1:] - p).max())) * math.sqrt(len(p))


def published(table: Table, networks: int, pairs: int) -> None:
    """Table 5 of Humphries et al. 2010, and every pathway against its law."""
    centres, scores = [], {}
    for seed in range(1, networks + 1):
        network = ns.build("humphries2010", size=CUBE, seed=seed)
        made = ns.anatomy(network)
        centres.append(made["centre"])
        for name in network.edges:
            counted = profile(network, name, np.array([0.0, 500.0]), pairs=pairs)
            scores.setdefault(name, []).append(counted.deviation)
        scores.setdefault("gap FS-FS", []).append(gap_deviation(network))
        print(f"  network {seed}: built in {network.build_s:.1f} s, {network.synapses:,} synapses, "
              f"{made['bytes_per_synapse']:.2f} bytes each, centre {made['centre']['neurons']}",
              flush=True)
    found = groups(centres, "indegree", "SPN->SPN")
    table.row("humphries2010: SPN->SPN in-degree", found[0], 0.98 * 728, 1.02 * 728)
    table.row("  its sd", found[1], 0.8 * 25.7, 1.2 * 25.7)
    away = groups(centres, "distance_um", "SPN->SPN")
    table.row("  distance of those connections, um", away[0], 0.97 * 230, 1.03 * 230)
    table.row("  its sd, um", away[1], 0.97 * 101, 1.03 * 101)
    fast = groups(centres, "indegree", "FS->SPN")
    table.row("  FS->SPN in-degree", fast[0], 0.9 * 30.6, 1.1 * 30.6)
    table.row("  its sd (published 5.39)", fast[1])
    everything = []
    for name, z in scores.items():
        everything += z
        table.row(f"  {name}: mean z of {len(z)} networks times sqrt n",
                  float(np.mean(z)) * math.sqrt(len(z)), -3.5, 3.5)
    table.row(f"  largest of {len(everything)} z-scores", max(map(abs, everything)), 0.0, 4.0)
    # 1.95 is exceeded once in a thousand times.
    table.row("  p-values from uniform (Kolmogorov, scaled)", largest_gap(everything), 0.0, 1.95)


def recorded(table: Table, size: int, pairs: int) -> None:
    """Paired recordings against the posteriors: the default circuit must meet every interval."""
    for overlay in ((), "dense"):
        network = ns.build(ns.load("striatum_v1", overlay=overlay), size=size)
        print("paired recordings, " + ("law unscaled (dense)" if overlay else "default circuit"))
        for key in POSTERIORS:
            for name, (one,) in measured()[key].items():
                low, high = (end.value for end in one.interval)
                made = ns.pair_recordings(network, name, f"{one.below.value:g} um", pairs=pairs)
                what = f"  {name} within {one.below.value:g} um"
                if overlay:
                    table.row(f"{what} (to {high:g}: {made.probability / high:.1f} times)",
                              made.probability)
                else:
                    table.row(what, made.probability, low, high)
        if overlay:
            continue
        for key in ("planert2010", "gittis2011", "gittis2010"):
            for name, (one,) in measured()[key].items():
                if name.startswith("FS"):
                    made = ns.pair_recordings(network, name, f"{one.below.value:g} um",
                                              pairs=pairs)
                    table.row(f"  {name} within {one.below.value:g} um ({key}: {one.p.note} = "
                              f"{one.p.value:.2f})", made.probability)


def main() -> None:
    """Print every row; exit with 1 if one misses."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, default=10)
    parser.add_argument("--pairs", type=int, default=100_000_000,
                        help="pairs per pathway and network held against the law")
    parser.add_argument("--recorded-size", type=int, default=20_000)
    parser.add_argument("--recorded-pairs", type=int, default=40_000)
    said = parser.parse_args()
    table = Table()
    recorded(table, said.recorded_size, said.recorded_pairs)
    if said.networks:
        published(table, said.networks, said.pairs)
    table.finish()


if __name__ == "__main__":
    main()
