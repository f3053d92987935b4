"""The circuit at work: rates, irregularity, correlations, states, and the part of the FS cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.analysis.correlation import count_correlation
from neostriatum.analysis.irregularity import isi_cv
from neostriatum.validation.drive import SPIKE_MV, two_peaks
from neostriatum.validation.lab import Lab, Recorded, Unsuited, require

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit
    from neostriatum.network.network import Network

#: Conductances of a pathway are set to this to take it away.
NOTHING = "0 nS"
#: Types that a published number of "SPN" or "MSN" is of; they have the first ids of all.
SPNS = ("dSPN", "iSPN")


def rates_of(network: Network, made: Recorded) -> dict[str, float]:
    """Return the mean rate of each type and of the SPNs together [Hz]."""
    each = made.rates(network.size)
    spans = network.populations
    found = {name: float(each[span.start : span.stop].mean()) for name, span in spans.items()
             if len(span)}
    spn = [each[spans[name].start : spans[name].stop] for name in SPNS if name in spans]
    return found | {"SPN": float(np.concatenate(spn).mean())}


def settled(circuit: Circuit) -> Circuit:
    """Return the circuit with a warm-up of at least 1 s: from rest SPNs are silent for a while."""
    return circuit if circuit.warmup.value >= 1000.0 else circuit.replace({"warmup": "1 s"})


def in_vivo(lab: Lab, size: int = 10_000, duration_ms: float = 20_000.0, seed: int = 1,
            dopamine: float | None = None, changes: dict[str, Any] | None = None,
            ) -> dict[str, Any]:
    """Return rates, share of silent cells, irregularity and correlations of a network at rest."""
    circuit = settled(require(lab.load(dopamine, changes), cells=SPNS))
    network = lab.build(circuit, size, seed)
    probed = {"dSPN": np.arange(min(50, network.counts["dSPN"]))}
    made = lab.record(circuit, network, duration_ms, seed, probed)
    spans, each = network.populations, made.rates(network.size)
    fs = spans.get("FS", range(network.size, network.size))
    spns = range(spans[SPNS[-1]].stop)
    spn, fast = made.ids < spns.stop, (made.ids >= fs.start) & (made.ids < fs.stop)
    found: dict[str, Any] = {f"{name}_hz": rate for name, rate in
                             rates_of(network, made).items()}
    quiet = made.v_mv[made.v_mv < SPIKE_MV]
    found |= {
        "silent": float((each[: spns.stop] == 0).mean()),
        "spn_sd_hz": float(each[: spns.stop].std(ddof=1)),
        "fastest_fs_hz": float(each[fs.start : fs.stop].max()) if len(fs) else None,
        "slowest_fs_hz": float(each[fs.start : fs.stop].min()) if len(fs) else None,
        "spn_cv": _cv(made.times_ms[spn], made.ids[spn]),
        "fs_cv": _cv(made.times_ms[fast], made.ids[fast]),
        "fs_correlation": _correlation(made.times_ms[fast], made.ids[fast] - fs.start, len(fs),
                                       duration_ms, 50.0),
        "correlation": _correlation(made.times_ms, made.ids, network.size, duration_ms, 50.0),
        "correlation_5ms": _correlation(made.times_ms, made.ids, network.size, duration_ms, 5.0),
        "dip": two_peaks(quiet)["dip"], "spn_mv": float(quiet.mean()),
        "ratio": found["iSPN_hz"] / found["dSPN_hz"] if found["dSPN_hz"] else None,
    }
    return found


def _cv(times_ms: np.ndarray, ids: np.ndarray) -> float | None:
    _, cv = isi_cv(times_ms, ids, minimum_intervals=10)
    return float(np.median(cv)) if len(cv) else None


def _correlation(times_ms: np.ndarray, ids: np.ndarray, n: int, duration_ms: float,
                 bin_ms: float) -> float | None:
    if n < 2 or not len(ids):
        return None
    return float(count_correlation(times_ms, ids, n, duration_ms, bin_ms).mean)


def up_down(lab: Lab, size: int = 2000, frequency_hz: float = 1.0, depth: float = 0.9,
            duration_ms: float = 10_000.0, seed: int = 1, cell: str = "dSPN",
            dopamine: float | None = None) -> dict[str, Any]:
    """Return the states of SPNs while all rates of their drive swing slowly around their means.

    Potentials of 100 cells in the outer quarters of the cycle: ``up`` where the drive is highest,
    ``down`` where it is lowest; cells that fire in their up states are told from silent ones.
    """
    circuit = settled(require(lab.load(dopamine), cells=(cell,)))
    changes = {}
    for key, entry in circuit.inputs.items():
        for name, target in entry.targets.items():
            if target.rate is None or target.rate.constant is None:
                continue
            changes[f"inputs.{key}.targets.{name}.rate"] = target.rate.constant.value
    changes |= {f"axons.{key}.rate": axons.rate.constant.value for key, axons in
                circuit.axons.items() if axons.rate is not None and axons.rate.constant is not None}
    if not changes:
        msg = f"{circuit.name} has no constant cortical drive to modulate"
        raise Unsuited(msg)
    circuit = circuit.replace({key: {"sine": {
        "mean": f"{mean} Hz", "amplitude": f"{depth * mean} Hz",
        "frequency": f"{frequency_hz} Hz"}} for key, mean in changes.items()})
    network = lab.build(circuit, size, seed)
    ids = np.arange(min(100, network.counts[cell]))
    first = network.populations[cell].start
    made = lab.record(circuit, network, duration_ms, seed, {cell: ids})
    phase = np.sin(2 * np.pi * frequency_hz * made.trace_ms / 1000.0)
    v = np.where(made.v_mv < SPIKE_MV, made.v_mv, np.nan)
    up, down = np.nanmean(v[phase > 0.7], axis=0), np.nanmean(v[phase < -0.7], axis=0)
    rates = made.rates(network.size)[first : first + len(ids)]
    fires = rates > 0
    spikes = made.times_ms[(made.ids >= first) & (made.ids < first + len(ids))]
    late = np.sin(2 * np.pi * frequency_hz * spikes / 1000.0) > 0
    return {"silent_up_mv": _mean(up[~fires]), "silent_down_mv": _mean(down[~fires]),
            "firing_up_mv": _mean(up[fires]), "firing_down_mv": _mean(down[fires]),
            "up_mv": _mean(up), "down_mv": _mean(down), "swing_mv": _mean(up - down),
            "spikes_in_up": float(late.mean()) if len(spikes) else None,
            "rate_hz": float(rates.mean()), "silent": float((~fires).mean())}


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if len(values) else None


def take_away(circuit: Circuit, pathways: tuple[str, ...]) -> Circuit:
    """Return the circuit with the conductances of these pathways at zero."""
    return circuit.replace({f"pathways.{name}.conductance.{receptor}": NOTHING
                            for name in pathways
                            for receptor in circuit.pathways[name].conductance})


def without_fs(lab: Lab, size: int = 10_000, duration_ms: float = 10_000.0,
               seed: int = 1, changes: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return by what the rates of SPNs are multiplied when FS cells no longer inhibit them."""
    circuit = settled(require(lab.load(changes=changes), pathways=("FS->dSPN", "FS->iSPN")))
    network = lab.build(circuit, size, seed)
    whole = rates_of(network, lab.record(circuit, network, duration_ms, seed))
    cut = take_away(circuit, ("FS->dSPN", "FS->iSPN"))
    left = rates_of(network, lab.record(cut, network, duration_ms, seed))
    return {name: left[name] / whole[name] if whole[name] else None
            for name in (*SPNS, "SPN")}
