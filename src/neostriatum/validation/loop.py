"""The loop of the basal ganglia: rates, irregularity, synchrony and phases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.analysis.irregularity import isi_cv, isi_cv2
from neostriatum.analysis.oscillation import oscillation_index, synchrony_index
from neostriatum.analysis.phase import phase
from neostriatum.validation.lab import Lab, Recorded, require

if TYPE_CHECKING:
    from neostriatum.network.network import Network

#: Types of each population that published numbers are of, by what they are called there.
POOLS = {"GPe": ("GPeTI", "GPeTF", "GPeTA"), "TI": ("GPeTI", "GPeTF"), "TA": ("GPeTA",),
         "STN": ("STN",), "SNr": ("SNr",), "dSPN": ("dSPN",), "iSPN": ("iSPN",), "FS": ("FS",)}
#: Pairs whose phase is published.
PAIRS = (("TI", "TA"), ("TI", "STN"), ("TA", "STN"))
#: Bins of counts and of rates [ms].
COUNT_MS, RATE_MS = 2.0, 4.0


def loop(lab: Lab, overlays: tuple[str, ...] = (), size: int = 20_000,
         duration_ms: float = 2000.0, band_hz: tuple[float, float] = (15.0, 25.0),
         ) -> dict[str, Any]:
    """Return rates, irregularity, synchrony and phases of every population of the loop."""
    require(lab.load(), cells=POOLS["GPe"] + ("STN", "SNr"))
    circuit = lab.load(overlay=tuple(overlays))
    network = lab.build(circuit, size)
    made = lab.record(circuit, network, duration_ms)
    found: dict[str, Any] = {}
    rates = {}
    for name, types in POOLS.items():
        times, ids, n = _spikes(network, made, types)
        found[f"{name}_hz"] = len(times) * 1000.0 / (n * duration_ms)
        for key, measure in (("cv", isi_cv), ("cv2", isi_cv2)):
            _, values = measure(times, ids)
            found[f"{name}_{key}"] = float(values.mean()) if values.size else None
        counts = _counts(times, duration_ms, COUNT_MS)
        found[f"{name}_synchrony"] = synchrony_index(counts)
        rates[name] = _counts(times, duration_ms, RATE_MS) * 1000.0 / (n * RATE_MS)
        found[f"{name}_oscillation"] = oscillation_index(rates[name], RATE_MS)
    for one, other in PAIRS:
        between = phase(rates[one], rates[other], RATE_MS, (band_hz[0], band_hz[1]))
        found[f"{one}_{other}_deg"] = abs(between.mean_deg)
        found[f"{one}_{other}_locking"] = between.locking
    found["TI_over_TA"] = found["TI_hz"] / found["TA_hz"] if found["TA_hz"] else None
    return found


def loop_change(lab: Lab, before: tuple[str, ...], after: tuple[str, ...],
                size: int = 20_000, duration_ms: float = 2000.0) -> dict[str, Any]:
    """Return by what each quantity of `loop` is multiplied from some overlays to others."""
    first, second = (loop(lab, overlays, size, duration_ms) for overlays in (before, after))
    return {key: second[key] / value if value and second[key] is not None else None
            for key, value in first.items()}


def _spikes(network: Network, made: Recorded,
            types: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray, int]:
    """Return the times and ids from 0 of the spikes of some types, and how many cells they are."""
    times, ids, n = [], [], 0
    for name in types:
        span = network.populations[name]
        own = (made.ids >= span.start) & (made.ids < span.stop)
        times.append(made.times_ms[own])
        ids.append(made.ids[own] - span.start + n)
        n += len(span)
    return np.concatenate(times), np.concatenate(ids), n


def _counts(times_ms: np.ndarray, duration_ms: float, bin_ms: float) -> np.ndarray:
    edges = np.arange(0.0, duration_ms + 0.5 * bin_ms, bin_ms)
    return np.histogram(times_ms, edges)[0]
