"""What a run says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neostriatum.card import Card, Fold
from neostriatum.circuit.modulator import dopamine, others

if TYPE_CHECKING:
    from neostriatum.recording.store import Run

#: Most spikes of a type in the picture, and its size in pixels.
SPIKES, WIDE, BAND = 300, 480, 36


def card(run: Run) -> Card:
    """Return what was simulated, how it went and the rates of a run; a small raster."""
    heading = f"Run {run.label}: {run.circuit_name}, {run.status}"
    if not run.finished:
        return Card(heading, [("seed", f"{run.seed}"), ("asked for", f"{run.duration_ms:g} ms"),
                              ("next", f"neostriatum resume {run.label}, or ns.resume")])
    told = run.summary
    rates = {name: rate for name, rate in told["rates_hz"].items() if rate is not None}
    lines = [
        ("size", f"{told['neurons']:,} neurons, {told['synapses']:,} synapses, seed {run.seed}"),
        ("levels", dopamine(told["dopamine"])
         + others(told.get("modulators", {}), told.get("levels_held", ()))),
        ("rates", ", ".join(f"{name} {rate:.2f}" for name, rate in rates.items()) + " Hz"),
        ("simulated", f"{told['duration_ms'] / 1000:g} s in {told['simulate_s']:.2f} s "
                      f"by {told['engine']}"),
        ("events", str(len(run.record.get("events", ())) or "")),
        ("spikes", f"{told['spikes']:,}, hash {told['spike_hash'][:16]}"),
        ("folder", run.label),
    ]
    rows = [(name, f"{len(run.populations[name]):,}", f"{rate:.3f}")
            for name, rate in rates.items()]
    return Card(heading, lines, (Fold("rates", ("cells", "neurons", "Hz"), rows),),
                _raster(run))


def _raster(run: Run) -> str:
    """Return a raster as SVG, in the colour of the text around it; the same share of each type."""
    populations = {name: span for name, span in run.populations.items() if len(span)}
    if not len(run.spikes) or not run.duration_ms:
        return ""
    marks = []
    for band, (name, span) in enumerate(populations.items()):
        inside = (run.spikes.ids >= span.start) & (run.spikes.ids < span.stop)
        times, ids = run.spikes.times_ms[inside], run.spikes.ids[inside]
        chosen = np.linspace(0, len(ids) - 1, min(len(ids), SPIKES)).astype(int)
        top = band * BAND
        marks.append(f'<text x="0" y="{top + BAND / 2:g}" font-size="11">{name}</text>')
        for time, neuron in zip(times[chosen], ids[chosen], strict=True):
            x = 50 + (WIDE - 50) * time / run.duration_ms
            y = top + 2 + (BAND - 6) * (neuron - span.start) / len(span)
            marks.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="1" height="2"/>')
    height = len(populations) * BAND
    return (f'<svg width="{WIDE}" height="{height}" viewBox="0 0 {WIDE} {height}" role="img" '
            f'aria-label="spikes by type" fill="currentColor">{"".join(marks)}</svg>')
