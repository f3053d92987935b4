"""What a current electrode measures in one isolated cell."""

from __future__ import annotations

from typing import Any

import numpy as np

from neostriatum.validation.lab import Lab, effect_index

#: Currents that are injected side by side in one step of the search for a rheobase.
AT_ONCE = 17


def rheobase(lab: Lab, cell: str, dopamine: float | None = None, most_pa: float = 1000.0,
             duration_ms: float = 5000.0, flip: str = "",
             changes: dict[str, Any] | None = None) -> dict[str, Any]:
    """Narrow the smallest constant current that makes a cell fire to 0.25 pA.

    ``flip`` reverses the sign of the dopamine effect on this parameter.
    """
    changes = dict(changes or {})
    if flip:
        circuit = lab.load()
        at = effect_index(circuit, cell, flip)
        effect: Any = circuit.cells[cell].dopamine[at]  # on a parameter: it has a coefficient
        sign = -effect.coefficient.value
        changes[f"cells.{cell}.dopamine.{at}.coefficient"] = sign
    low, high = 0.0, most_pa
    while high - low > 0.25:
        currents = np.linspace(low, high, AT_ONCE)
        made = lab.inject(cell, currents, duration_ms, dopamine, changes)
        fires = made.rates(AT_ONCE) > 0
        if not fires.any():
            return {"rheobase_pa": None}
        first = int(np.argmax(fires))
        if first == 0:
            return {"rheobase_pa": float(currents[0])}
        low, high = currents[first - 1], currents[first]
    return {"rheobase_pa": (low + high) / 2}


def rheobase_shift(lab: Lab, cell: str, dopamine: float = 0.8,
                   flip: str = "") -> dict[str, Any]:
    """Return the rheobase without and with dopamine, and their ratio."""
    without = rheobase(lab, cell, 0.0)["rheobase_pa"]
    there = rheobase(lab, cell, dopamine, flip=flip)["rheobase_pa"]
    ratio = there / without if there and without else None
    return {"rheobase_pa": there, "without_pa": without, "ratio": ratio}


def rheobase_order(lab: Lab, dopamine: float = 0.0) -> dict[str, Any]:
    """Return the rheobases of dSPN and iSPN at one level of dopamine."""
    return {"rheobase_pa": {cell: rheobase(lab, cell, dopamine)["rheobase_pa"]
                            for cell in ("dSPN", "iSPN")}}


def pooled(lab: Lab, kind: str, reads: str, **arguments: Any) -> dict[str, Any]:
    """Return the mean of a number over dSPN and iSPN, for recordings that do not tell them apart.

    ``kind`` is `rheobase` or `passive`, with its arguments, and ``reads`` what is read from it.
    """
    measured: Any = {"rheobase": rheobase, "passive": passive}[kind]
    each = [measured(lab, cell, **arguments)[reads] for cell in ("dSPN", "iSPN")]
    return {"mean": None if None in each else float(np.mean(each))}


def spike_threshold(lab: Lab, cell: str, dopamine: float | None = None, above: float = 1.1,
                    speed: float = 10.0) -> dict[str, Any]:
    """Return the potential at which the first spike rises faster than ``speed`` [mV/ms].

    At a current that is so many times the rheobase of 1 s.
    """
    least = rheobase(lab, cell, dopamine, duration_ms=1000.0)["rheobase_pa"]
    if least is None:
        return {"threshold_mv": None}
    made = lab.inject(cell, least * above, 1000.0, dopamine)
    fired = made.of(0)
    if not len(fired):
        return {"threshold_mv": None}
    before = made.trace_ms < fired[0]
    v, time = made.v_mv[before, 0], made.trace_ms[before]
    slow = np.flatnonzero(np.diff(v) / np.diff(time) < speed)
    return {"threshold_mv": float(v[slow[-1] + 1]) if len(slow) else None}


def fi_curve(lab: Lab, cell: str, currents_pa: list[float], dopamine: float | None = None,
             duration_ms: float = 5000.0, since_ms: float = 1000.0,
             changes: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the firing rate at each constant current, after the first second."""
    made = lab.inject(cell, currents_pa, duration_ms, dopamine, changes)
    rates = made.rates(len(currents_pa), since_ms)
    return {"rates_hz": rates.tolist(), "highest_hz": float(rates.max()),
            "rate_hz": float(rates[-1])}


def latency(lab: Lab, cell: str, current_pa: float, dopamine: float | None = None,
            duration_ms: float = 5000.0, changes: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the time to the first spike of a constant current, and the spikes after it."""
    made = lab.inject(cell, current_pa, duration_ms, dopamine, changes)
    times = made.of(0)
    return {"latency_ms": float(times[0]) if len(times) else None, "spikes": len(times)}


def threshold_latency(lab: Lab, cell: str, above: float = 1.02,
                      dopamine: float | None = None) -> dict[str, Any]:
    """Return the latency at a current just above the rheobase, as slice work quotes it."""
    least = rheobase(lab, cell, dopamine)["rheobase_pa"]
    return latency(lab, cell, least * above, dopamine) | {"rheobase_pa": least}


def latency_order(lab: Lab, current_pa: float, dopamine: float = 0.8) -> dict[str, Any]:
    """Return the first-spike latencies of the cell without dopamine, and of D1 and D2 cells."""
    found = {"none": latency(lab, "dSPN", current_pa, 0.0)["latency_ms"],
             "D1": latency(lab, "dSPN", current_pa, dopamine)["latency_ms"],
             "D2": latency(lab, "iSPN", current_pa, dopamine)["latency_ms"]}
    return {"latency_ms": found}


def paired_pulse(lab: Lab, cell: str, current_pa: float = 400.0, pulse_ms: float = 200.0,
                 intervals_ms: tuple[float, ...] = (200.0, 400.0, 600.0, 800.0, 1000.0),
                 a_per_ms: float | None = None, dopamine: float | None = 0.0) -> dict[str, Any]:
    """Return by how much a first pulse shortens the latency of a second one.

    Two pulses of ``pulse_ms``, the second beginning an interval after the end of the first; the
    facilitation is the first latency minus the second.
    """
    gains = []
    changes = {} if a_per_ms is None else {f"cells.{cell}.parameters.a": f"{a_per_ms} / ms"}
    for interval in intervals_ms:
        second = 100.0 + pulse_ms + interval
        edges = [0.0, 100.0, 100.0 + pulse_ms, second, second + pulse_ms]
        levels = [0.0, current_pa, 0.0, current_pa, 0.0]
        times, values = [edges[0]], [levels[0]]
        for edge, before, after in zip(edges[1:], levels, levels[1:], strict=False):
            times += [edge - 0.05, edge]
            values += [before, after]
        course = {"table": {"times": [f"{one} ms" for one in times],
                            "values": [f"{one} pA" for one in values]}}
        made = lab.inject(cell, 0.0, second + pulse_ms + 50.0, dopamine, changes, pulse=course)
        spikes = made.of(0)
        first = spikes[(spikes >= 100.0) & (spikes < 100.0 + pulse_ms)]
        again = spikes[(spikes >= second) & (spikes < second + pulse_ms)]
        gains.append(float((first[0] - 100.0) - (again[0] - second))
                     if len(first) and len(again) else None)
    earliest, latest = gains[0], gains[-1]
    whole = all(gain is not None for gain in gains)
    return {"intervals_ms": list(intervals_ms), "facilitation_ms": gains,
            "first_ms": earliest, "last_ms": latest,
            "remaining": latest / earliest if whole and earliest and latest is not None else None}


def passive(lab: Lab, cell: str, step_pa: float = -10.0, dopamine: float | None = None,
            duration_ms: float = 1500.0) -> dict[str, Any]:
    """Return resting potential, input resistance and time constant from a small current step.

    The time constant is that of the single exponential that fits the first 100 ms of the step
    best, as it is read from a slice recording.
    """
    start = 500.0
    course = {"pulse": {"base": "0 pA", "peak": f"{step_pa} pA", "start": f"{start} ms",
                        "stop": f"{duration_ms} ms"}}
    made = lab.inject(cell, 0.0, duration_ms, dopamine, pulse=course)
    v, time = made.v_mv[:, 0], made.trace_ms
    rest = float(v[(time > start - 100) & (time < start - 1)].mean())
    end = float(v[time > duration_ms - 50].mean())
    early = (time > start) & (time <= start + 100)
    tau = _tau(time[early] - start, v[early] - rest)
    resistance = (end - rest) / step_pa * 1000.0
    return {"rest_mv": rest, "resistance_mohm": resistance, "tau_ms": tau,
            "capacitance_pf": tau / resistance * 1000.0}


def _tau(time: np.ndarray, change: np.ndarray) -> float:
    """Return the time constant [ms] of A (1 - exp(-t / tau)) that fits best."""
    taus = np.geomspace(0.05, 200.0, 600)
    shapes = 1.0 - np.exp(-time[None, :] / taus[:, None])
    size = (shapes @ change) / (shapes**2).sum(axis=1)
    error = ((change[None, :] - size[:, None] * shapes) ** 2).sum(axis=1)
    return float(taus[int(np.argmin(error))])
