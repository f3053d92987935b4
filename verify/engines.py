"""Compare engines on stochastic nets: rates, irregularity and correlation over many seeds.

`numba` must equal `reference` spike for spike. `brian2` draws its own random numbers, so its rates
must agree within 5 %, the irregularity (ISI CV) within 0.05 and the mean pairwise count correlation
within 0.01, over 20 networks of 1,000 cells.
"""

from __future__ import annotations

import argparse

import numpy as np
from table import Table

import neostriatum as ns
from neostriatum.analysis import count_correlation, isi_cv
from neostriatum.engines.base import engine


def measured(name: str, circuit: ns.Circuit, network: ns.Network, seed: int,
             seconds: float) -> dict[str, float]:
    """Run one engine on one network; return rates by type, SPN CV and count correlation."""
    dt, warm = circuit.dt.value, round(circuit.warmup.value / circuit.dt.value)
    count = round(seconds * 1000 / dt)
    simulator = engine(name)
    simulator.prepare(circuit, network, seed)
    steps, ids = simulator.advance(warm + count)
    kept = steps >= warm
    times, ids = (steps[kept] - warm + 1) * dt, ids[kept]
    said = {f"{cell} Hz": ((ids >= span.start) & (ids < span.stop)).sum() / len(span) / seconds
            for cell, span in network.populations.items()}
    _, cvs = isi_cv(times, ids, minimum_intervals=5)
    said["CV"] = float(np.mean(cvs))
    said["correlation"] = count_correlation(times, ids, network.size, count * dt, 50.0).mean
    return said


def main() -> None:
    """Run every seed through every engine and compare the means."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engines", nargs="*", default=["brian2-runtime"])
    parser.add_argument("--against", default="numba", help="an engine with the reference's draws")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--size", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=4.0)
    said = parser.parse_args()
    circuit, table = ns.load("striatum_v1"), Table()
    names = [said.against, *said.engines]
    found: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for seed in range(1, said.seeds + 1):
        network = ns.build(circuit, size=said.size, seed=seed)
        for name in names:
            found[name].append(measured(name, circuit, network, seed, said.seconds))
    mean = {name: {key: float(np.mean([one[key] for one in rows])) for key in rows[0]}
            for name, rows in found.items()}
    for name in said.engines:
        for key, wanted in mean[said.against].items():
            print(f"  {key}: {said.against} {wanted:.4g}, {name} {mean[name][key]:.4g}")
            if key.endswith("Hz"):
                ratio = mean[name][key] / wanted
                table.row(f"{name} over {said.against}, {key}", ratio, 0.95, 1.05)
            else:
                bound = 0.05 if key == "CV" else 0.01
                table.row(f"{name} minus {said.against}, {key}", mean[name][key] - wanted,
                          -bound, bound)
    table.finish()


if __name__ == "__main__":
    main()
