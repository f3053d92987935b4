"""Cells without their inputs, and the membrane of cells while the network works."""

from __future__ import annotations

from typing import Any

import numpy as np

from neostriatum.analysis.irregularity import isi_cv
from neostriatum.circuit.load import load
from neostriatum.engines.inputs import channel_members
from neostriatum.engines.lowered import lower
from neostriatum.errors import CircuitError
from neostriatum.experiments.isolate import holding
from neostriatum.network.build import build
from neostriatum.validation.drive import SPIKE_MV
from neostriatum.validation.lab import Lab, Unsuited, require
from neostriatum.validation.network import settled

#: Share of the cells of a type that have an electrode.
SHARE = 0.1


def by_themselves(lab: Lab, cell: str, n: int = 200, duration_ms: float = 10_000.0,
                  ) -> dict[str, Any]:
    """Return how many cells of a type fire without input and neighbours, how fast and regularly."""
    whole = require(lab.load(), cells=(cell,))
    # What the cells release has the level that it has in the circuit, not that of them alone.
    raw = whole.to_dict() | {"modulators": holding(whole)}
    for key in ("pathways", "axons", "gap_junctions", "inputs", "channels", "pools"):
        raw.pop(key, None)
    raw |= {key: {cell: raw[key][cell]} if cell in raw.get(key, {}) else {}
            for key in ("noise", "spread", "start")}
    raw["cells"] = {cell: raw["cells"][cell] | {"fraction": 1.0}}
    circuit = settled(load(raw))
    made = lab.record(circuit, build(circuit, size=n, seed=1, threads=lab.threads), duration_ms)
    rates = made.rates(n)
    _, cv = isi_cv(made.times_ms, made.ids, minimum_intervals=5)
    return {"active": float((rates > 0).mean()), "rate_hz": float(rates.mean()),
            "cv": float(np.median(cv)) if len(cv) else None}


def active_membrane(lab: Lab, size: int = 2000, step_pa: float = -50.0, pulses: int = 20,
                    overlay: str | None = None) -> dict[str, Any]:
    """Return input resistance and time constant of dSPNs in the working network.

    Pulses of 150 ms every 300 ms into a tenth of the cells; the same network without them is the
    reference. What lies within 30 ms of a spike in either run is left out.
    """
    cell = "dSPN"
    try:
        loaded = lab.load(overlay=() if overlay is None else (overlay,))
    except CircuitError as reason:
        raise Unsuited(str(reason)) from None
    circuit = settled(require(loaded, cells=(cell,)))
    # The current flows in the warm-up too, so the first period is not like the others.
    duration = (pulses + 1) * 300.0
    network = lab.build(circuit, size)
    raw = circuit.to_dict()
    raw["channels"] = raw.get("channels", {}) | {"patched": {"fraction": SHARE}}
    raw["inputs"] = raw["inputs"] | {"patch": {"targets": {cell: {
        "channel": "patched", "current": {"square": {
            "low": f"{step_pa} pA", "high": "0 pA", "frequency": f"{1000.0 / 300.0!r} Hz",
            "start": "0 ms"}}}}}}
    stepped = load(raw, folder=circuit._folder)
    seed = network.seed
    populations = {each.name: each for each in lower(stepped, network, seed).populations}
    ids = channel_members(stepped, network, "patched", populations[cell], seed)
    traces = [lab.record(each, network, duration, seed, {cell: ids})
              for each in (stepped, circuit)]
    change = traces[0].v_mv - traces[1].v_mv
    for made in traces:
        _leave_out(change, made, network.populations[cell].start)
    per_pulse = round(300.0 / circuit.dt.value)
    whole = change[per_pulse : (pulses + 1) * per_pulse].reshape(pulses, per_pulse, -1)
    mean = np.nanmean(whole, axis=(0, 2))
    half = per_pulse // 2
    end = float(np.nanmean(mean[half - half // 3 : half]))
    charged = mean[:half] / end >= 1 - np.exp(-1)
    tau = float((np.argmax(charged) + 1) * circuit.dt.value)
    return {"resistance_mohm": end / step_pa * 1000.0, "tau_ms": tau}


def _leave_out(change: np.ndarray, made: Any, first: int) -> None:
    """Set to nothing what lies near a spike, in every column of its own."""
    change[made.v_mv > SPIKE_MV] = np.nan
    for time, cell in zip(made.times_ms, made.ids - first, strict=True):
        if 0 <= cell < change.shape[1]:
            begin, end = np.searchsorted(made.trace_ms, (time - 5.0, time + 30.0))
            change[begin:end, cell] = np.nan
