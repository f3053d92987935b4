"""Measure the circuit of five cell types against what the awake striatum is known to do.

Every row is measured here, on networks built and simulated now. docs/behaviour.md says which rows
judge what a number of the circuit was calibrated to.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
from behaviour import Lab
from table import Table

import neostriatum as ns
from neostriatum.analysis import count_correlation, isi_cv

CIRCUIT = "striatum"
#: Lowest and highest rate of each type [Hz].
RATES = {"dSPN": (0.5, 3), "iSPN": (0.5, 3), "FS": (8, 25), "LTS": (3, 9), "ChIN": (3, 6)}
SPN = ("dSPN", "iSPN")
NO_FS = {f"pathways.FS->{cell}.conductance.GABA_FS_SPN": "0 nS" for cell in SPN}
#: Every mechanism of dopamine, by the cell, the level and what it acts on.
MECHANISMS = [("dSPN", "D1", "v_T"), ("dSPN", "D1", "d"), ("dSPN", "D1", "I_NMDA"),
              ("iSPN", "D2", "v_T"), ("iSPN", "D2", "I_AMPA_SPN"), ("iSPN", "D2", "I_AMPA_Pf_iSPN"),
              ("FS", "D1", "E_L")]
#: A potential is between spikes from 15 ms after one to 3 ms before the next [ms].
BEFORE, AFTER = 3, 15
#: Of a burst: volleys, interval [ms]; bursts every so many seconds, the first at that time.
VOLLEYS, INTERVAL_MS, EVERY_S = 10, 20.0, 3.0


class Bench:
    """What a part needs: where rows go, how to run, how large and how long."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.table, self.lab = Table(), Lab("numba", 1)
        self.size, self.duration, self.seeds = options.size, options.duration, options.seeds
        self._rates: dict[str, dict[str, float]] = {}

    def run(self, circuit: Any = CIRCUIT, **options: Any) -> ns.Run:
        """Run a circuit, and say what came of it."""
        start = time.perf_counter()
        run = self.lab.run(circuit, **{"size": self.size, "duration": f"{self.duration:g} s",
                                       "record": "none", **options})
        rates = ", ".join(f"{name} {hz:.2f}" for name, hz in run.summary["rates_hz"].items())
        print(f"  . {rates} Hz ({time.perf_counter() - start:.0f} s)", flush=True)
        return run

    def rates(self, **options: Any) -> dict[str, float]:
        """Return the rates of a run [Hz]; the same run is simulated once."""
        key = repr(sorted(options.items(), key=str))
        if key not in self._rates:
            self._rates[key] = self.run(**options).summary["rates_hz"]
        return self._rates[key]


def times_of(run: ns.Run, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the times [ms] and ids of the spikes of a type."""
    span, spikes = run.populations[name], run.spikes
    inside = (spikes.ids >= span.start) & (spikes.ids < span.stop)
    return spikes.times_ms[inside], spikes.ids[inside]


def steady(bench: Bench) -> None:
    """Rates, irregularity, correlation, and the potential between spikes."""
    table = bench.table
    run = bench.run(record=["dSPN:60:v:10", "iSPN:60:v:10"])
    for name, bounds in RATES.items():
        table.row(f"{name} [Hz]", run.summary["rates_hz"][name], *bounds)
    bounds = dict.fromkeys(SPN, (0.7, 1.2)) | {"FS": (0.5, np.inf)}
    for name in RATES:
        _, cv = isi_cv(*times_of(run, name), minimum_intervals=7)
        table.row(f"median CV of {len(cv)} {name} with 8 spikes", float(np.median(cv)),
                  *bounds.get(name, ()))
    times, ids = (np.concatenate(part) for part in zip(
        *(times_of(run, name) for name in SPN), strict=True))
    order = np.argsort(times, kind="stable")
    for bin_ms in (5.0, 50.0):
        pairs = count_correlation(times[order], ids[order], len(ids), run.duration_ms, bin_ms)
        table.row(f"mean count correlation of SPNs, {bin_ms:g} ms", pairs.mean, -0.05, 0.05)
    for name in SPN:
        level = between_spikes(run, name)
        table.row(f"potential of {name} between spikes [mV]", np.nanmean(level), -61, -49)
        table.row("  its standard deviation in time [mV]", float(np.nanstd(level, axis=0).mean()))


def between_spikes(run: ns.Run, name: str) -> np.ndarray:
    """Return the potentials of the recorded cells [mV], NaN around spikes."""
    trace = run.traces[name]
    level = np.array(trace.values, float)
    times, ids = times_of(run, name)
    for column, cell in enumerate(trace.ids):
        for spike in times[ids == cell]:
            near = (trace.times_ms > spike - BEFORE) & (trace.times_ms < spike + AFTER)
            level[near, column] = np.nan
    return level


def dopamine(bench: Bench) -> None:
    """Compare no dopamine with its normal level, whole and with each mechanism switched off."""
    table, base = bench.table, ns.load(CIRCUIT)
    compare(bench, "all mechanisms", {}, {"iSPN": (1.3, np.inf), "dSPN": (0, 0.8)})
    for level in (0.0, 0.3, 0.8):
        changed = {} if level == 0.3 else {"dopamine": level}
        for name, hz in bench.rates(changes={}, **changed).items():
            table.row(f"{name} at dopamine {level:g} [Hz]", hz)
    for cell, level, target in MECHANISMS:
        at = next(n for n, effect in enumerate(base.cells[cell].effects)
                  if (effect.level, effect.acts_on) == (level, target))
        added = base.cells[cell].effects[at].add
        off = {f"cells.{cell}.effects.{at}.coefficient": 0.0} if added is None else {
            f"cells.{cell}.effects.{at}.add": f"0 {added.unit}"}
        compare(bench, f"without {level} on {target} of {cell}", off)


def compare(bench: Bench, what: str, changes: dict[str, Any],
            bounds: dict[str, tuple[float, float]] | None = None) -> None:
    """Print the rates without dopamine, where no effect acts, over those with it."""
    normal, none = bench.rates(changes=changes), bench.rates(changes={}, dopamine=0.0)
    for name in ("dSPN", "iSPN", "FS"):
        bench.table.row(f"{what}: {name} at 0 over 0.3", none[name] / normal[name],
                        *(bounds or {}).get(name, ()))


def removals(bench: Bench) -> None:
    """Remove FS->SPN; block muscarinic receptors; take dopamine away as in the lesioned rat."""
    table, whole = bench.table, bench.rates(changes={})
    cut = bench.rates(changes=NO_FS)
    for name in SPN:
        table.row(f"{name} without FS->SPN over with", cut[name] / whole[name], 1.5)
    for overlay in ("no_acetylcholine", "parkinsonian", "parkinsonian.rewiring", "pooled_axons"):
        rates = bench.rates(overlay=overlay)
        for name in RATES:
            bounds = (0.9, 1.1) if overlay == "pooled_axons" else ()
            table.row(f"{overlay}: {name} over the preset", rates[name] / whole[name], *bounds)
        if overlay == "parkinsonian":
            ratio = rates["iSPN"] / rates["dSPN"] / (whole["iSPN"] / whole["dSPN"])
            table.row("parkinsonian: iSPN/dSPN over that of the preset", ratio, 1)


def slow_waves(bench: Bench) -> None:
    """Two peaks of the potential under up and down states, and when the spikes come."""
    table = bench.table
    run = bench.run(overlay="slow_waves", record=["dSPN:100:v:10", "iSPN:100:v:10"])
    for name in SPN:
        low, high, dip = peaks(run, name)
        table.row(f"slow_waves: lower peak of {name} [mV]", low, -82, -70)
        table.row(f"slow_waves: upper peak of {name} [mV]", high, -60, -50)
        table.row("  least between them over the smaller peak", dip, high=0.5)
        times, _ = times_of(run, name)
        table.row(f"slow_waves: share of spikes of {name} in the up phase", in_up(times), 0.9)
        table.row("  the same with the phase 20 ms later", in_up(times - 20))


def in_up(times_ms: np.ndarray) -> float:
    """Return the share of spikes in the high half of the course, which begins with the low."""
    return float(np.mean(times_ms % 1000 >= 500))


def peaks(run: ns.Run, name: str) -> tuple[float, float, float]:
    """Return both peaks of the potential [mV], and the least between over the smaller peak."""
    edges = np.arange(-90.0, -39.0)
    count, _ = np.histogram(run.traces[name].values, edges)
    split = int(np.searchsorted(edges, -68))
    low, high = int(count[:split].argmax()), split + int(count[split:].argmax())
    dip = count[low:high + 1].min() / min(count[low], count[high])
    return edges[low] + 0.5, edges[high] + 0.5, float(dip)


def bursts(bench: Bench) -> None:
    """Make ChINs pause by volleys of Pf axons; see what a burst of ChINs does to others."""
    table = bench.table
    bench.duration = max(bench.duration, 1 + 4 * EVERY_S)
    starts = 1.0 + EVERY_S * np.arange(int((bench.duration - 1) // EVERY_S))
    for share, low in ((0.3, 500), (0.1, 500)):
        run = bench.run(changes=volleys(starts, share))
        spikes, pause, base = pauses(run, starts)
        what = f"Pf burst, {100 * share:g} % of axons"
        table.row(f"{what}: pause of ChIN [ms] (calibrated)", pause, low)
        table.row("  interval of ChIN before [ms]", base)
        table.row("  spikes of ChIN in the burst", spikes)
        courses(bench, what, run, starts)
    current = {"inputs.burst": {"targets": {"ChIN": {"current": {"steps": course(
        starts, 3.0, "900 pA", "0 pA")}}}}}
    run = bench.run(changes=current)
    level = acetylcholine(run)
    factor = transmission(level) / transmission(1.0)
    after = np.mean([factor[int(1000 * at):int(1000 * at) + 2000] for at in starts], axis=0)
    table.row("ChIN burst: least transmission of cortex->SPN, tonic 1", float(after.min()),
              high=0.9)
    table.row("  time below the middle of that and 1 [ms]",
              float(np.sum(after < (1 + after.min()) / 2)), high=1000)
    over = courses(bench, "ChIN burst", run, starts)
    table.row("ChIN burst: iSPN over dSPN from 1 to 1.5 s, each over before",
              over["iSPN"] / over["dSPN"], 1.0)


def course(starts: np.ndarray, width_ms: float, high: str, low: str) -> dict[str, list[str]]:
    """Return a course of steps that is high in every volley."""
    times, values = ["0 ms"], [low]
    for start in starts:
        for volley in range(VOLLEYS):
            at = 1000 * start + INTERVAL_MS * volley
            times += [f"{at:.1f} ms", f"{at + width_ms:.1f} ms"]
            values += [high, low]
    return {"times": times, "values": values}


def volleys(starts: np.ndarray, share: float) -> dict[str, Any]:
    """Return the changes with which a share of the Pf axons fires in every volley, all at once."""
    rate = {"steps": course(starts, 0.1, "10000 Hz", "2 Hz")}
    return {"channels.volley": {"of": ["ChIN"], "share": share},
            "channels.calm": {"of": ["ChIN"], "share": round(1 - share, 6)},
            "axons.Pf.slow": {"sd": 0, "tau": "100 ms"},
            "axons.Pf.channels": {"volley": {"share": share, "rate": rate},
                                  "calm": round(1 - share, 6)}}


def pauses(run: ns.Run, starts: np.ndarray) -> tuple[float, float, float]:
    """Return spikes in a burst, the interval after its last one, and that before it [ms]."""
    times, ids = times_of(run, "ChIN")
    counts, after, before = [], [], []
    for cell in run.populations["ChIN"]:
        own = times[ids == cell]
        for start in 1000 * starts:
            burst = own[(own >= start) & (own < start + 250)]
            counts.append(len(burst))
            if len(burst) and np.any(own > burst[-1]):
                after.append(own[own > burst[-1]][0] - burst[-1])
            before += list(np.diff(own[(own > start - 1000) & (own < start)]))
    return float(np.mean(counts)), float(np.median(after)), float(np.median(before))


def courses(bench: Bench, what: str, run: ns.Run, starts: np.ndarray) -> dict[str, float]:
    """Print the rates around a burst; return those from 1 to 1.5 s over those before."""
    edges = np.array([-0.5, 0, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.25, 1.5, 2.0])
    print(f"  . {what}, Hz from s: " + " ".join(f"{edge:6g}" for edge in edges[:-1]))
    late = {}
    for name in RATES:
        times, _ = times_of(run, name)
        count = sum(np.histogram(times / 1000 - start, edges)[0] for start in starts)
        hz = count / np.diff(edges) / len(starts) / len(run.populations[name])
        print(f"  . {name:>20}: " + " ".join(f"{rate:6.2f}" for rate in hz), flush=True)
        late[name] = float(hz[7:9].mean() / hz[0])
    return late


def acetylcholine(run: ns.Run) -> np.ndarray:
    """Return the level of acetylcholine after every ms, from the spikes of ChINs."""
    times, _ = times_of(run, "ChIN")
    count = np.bincount(times.astype(int), minlength=int(run.duration_ms))
    level, now, fall = np.zeros(len(count)), 1.0, np.exp(-1 / 400.0)
    for at, spikes in enumerate(count):
        now = now * fall + spikes / (len(run.populations["ChIN"]) * 0.004 * 400)
        level[at] = now
    return level


def transmission(level: Any) -> Any:
    """Return the factor of the cortical weights at a level of acetylcholine."""
    return 1 - 0.6 * level**2 / (level**2 + 16)


def step_size(bench: Bench) -> None:
    """How the rates depend on dt, on the same networks, with standard errors over seeds."""
    networks = [ns.build(CIRCUIT, size=bench.size, seed=seed + 1)
                for seed in range(min(bench.seeds, 3))]
    rates = {dt: [bench.run(dt=f"{dt} ms", network=network, size=None, seed=network.seed)
                  .summary["rates_hz"] for network in networks] for dt in (0.05, 0.1, 0.2)}
    for dt, most in ((0.05, 5), (0.2, 8)):
        for name in RATES:
            change = 100 * (np.array([one[name] for one in rates[dt]])
                            / np.array([one[name] for one in rates[0.1]]) - 1)
            error = change.std(ddof=1) / len(change)**0.5 if len(change) > 1 else np.nan
            bench.table.row(f"dt {dt} ms: change of {name} [%], standard error {error:.1f}",
                            float(change.mean()), -most, most)


def sizes(bench: Bench) -> None:
    """Rates of small networks, the mean over seeds, over those of the largest."""
    large = bench.run(size=5 * bench.size).summary["rates_hz"]
    small = [bench.run(seed=seed + 1).summary["rates_hz"] for seed in range(bench.seeds)]
    for name in RATES:
        rates = np.array([one[name] for one in small])
        error = rates.std(ddof=1) / len(rates)**0.5 / large[name] if len(rates) > 1 else np.nan
        bench.table.row(f"{name} at {bench.size} over {5 * bench.size} cells, standard error "
                        f"{error:.2f}", float(rates.mean() / large[name]), 0.9, 1.1)


def main() -> None:
    """Run the parts that were asked for, by default all."""
    parts = {"steady": steady, "dopamine": dopamine, "removals": removals,
             "slow_waves": slow_waves, "bursts": bursts, "dt": step_size, "sizes": sizes}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*parts, []], default=[])
    parser.add_argument("--size", type=int, default=2000)
    parser.add_argument("--duration", type=float, default=12.0, help="seconds")
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    bench = Bench(options)
    for name in options.parts or parts:
        parts[name](bench)
    bench.table.finish()


if __name__ == "__main__":
    main()
