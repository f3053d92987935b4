"""The loop of the basal ganglia: rates, irregularity, phases, and which action is selected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.analysis.irregularity import isi_cv, isi_cv2
from neostriatum.analysis.oscillation import oscillation_index, synchrony_index
from neostriatum.analysis.phase import phase
from neostriatum.engines.inputs import channel_members
from neostriatum.engines.lowered import lower
from neostriatum.validation.lab import Lab, Recorded, Unsuited, require

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit
    from neostriatum.network.network import Network

#: Types of each population that published numbers are of, by what they are called there.
POOLS = {"GPe": ("GPeTI", "GPeTF", "GPeTA"), "TI": ("GPeTI", "GPeTF"), "TA": ("GPeTA",),
         "STN": ("STN",), "SNr": ("SNr",), "dSPN": ("dSPN",), "iSPN": ("iSPN",), "FS": ("FS",)}
#: Pairs whose phase is published.
PAIRS = (("TI", "TA"), ("TI", "STN"), ("TA", "STN"))
#: Channels and the inputs that call their actions.
SIDES = ("left", "right")
#: Bins of counts and of rates [ms].
COUNT_MS, RATE_MS = 2.0, 4.0
#: Of an action: how often it is called, for how long, and how much later SNr hears it [ms].
EVERY_MS, CALL_MS, LATE_MS = 1000.0, 100.0, 10.0


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


def action(lab: Lab, saliences: tuple[float, float] = (2.0, 1.0), overlays: tuple[str, ...] = (),
           size: int = 20_000, repeats: int = 3) -> dict[str, Any]:
    """Return the rates of both channels of SNr while two actions are called, in the mean.

    A salience is by what cortex multiplies its drive of a fifth of the channel's dSPNs, and of the
    other channel's iSPNs, for 100 ms in every second.
    """
    if missing := [side for side in SIDES if side not in lab.load().inputs]:
        msg = f"{lab.load().name} has no input {missing[0]}, which calls an action"
        raise Unsuited(msg)
    circuit = called(lab.load(overlay=tuple(overlays)), saliences)
    network = lab.build(circuit, size)
    left, right, rest_left, rest_right = _of_channels(circuit, network, lab.record(
        circuit, network, repeats * EVERY_MS + LATE_MS), repeats)
    return {"left_hz": left, "right_hz": right, "contrast_hz": right - left,
            "lower_hz": min(left, right), "rest_difference": abs(rest_left - rest_right)
            / (0.5 * (rest_left + rest_right))}


def called(circuit: Circuit, saliences: tuple[float, float]) -> Circuit:
    """Return a circuit whose two actions have these saliences at the end of every second."""
    changes = {}
    for side, salience in zip(SIDES, saliences, strict=True):
        for cell in ("dSPN", "iSPN"):
            rate: Any = circuit.inputs["cortex"].targets[cell].rate  # the loop has it for both
            base = rate.constant
            changes[f"inputs.{side}.targets.{cell}.rate"] = {"square": {
                "low": "0 Hz", "high": f"{(salience - 1) * base.value!r} Hz",
                "frequency": f"{1000.0 / EVERY_MS!r} Hz", "duty": CALL_MS / EVERY_MS}}
    return circuit.replace(changes)


def _of_channels(circuit: Circuit, network: Network, made: Recorded,
                 repeats: int) -> tuple[float, ...]:
    """Return the rates of both channels of SNr while actions are called, then before [Hz]."""
    span = network.populations["SNr"]
    number = list(network.counts).index("SNr")
    snr = lower(circuit, network, 1).populations[number]
    late = (made.times_ms - LATE_MS) % EVERY_MS
    during = (late > EVERY_MS - CALL_MS) & (made.times_ms > LATE_MS)
    before = (late > CALL_MS) & ~during
    rates = []
    for chosen, length_ms in ((during, CALL_MS), (before, EVERY_MS - 2 * CALL_MS)):
        for side in SIDES:
            members = channel_members(circuit, network, side, snr, 1) + span.start
            spikes = np.isin(made.ids[chosen], members).sum()
            rates.append(float(spikes) * 1000.0 / (len(members) * repeats * length_ms))
    return tuple(rates)


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
