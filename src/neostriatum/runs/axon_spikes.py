"""The recorded spikes of axons: drawn again when a run ends, as they depend on nothing else."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from neostriatum.engines.axons import lower_axons
from neostriatum.engines.numba_engine.axons import CompiledTrains
from neostriatum.engines.numba_engine.meeting import Crew
from neostriatum.recording.chunks import Chunk
from neostriatum.recording.selection import axons_asked
from neostriatum.recording.sonata import write_spikes
from neostriatum.recording.store import Run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neostriatum.circuit.model import Circuit
    from neostriatum.network.network import Network
    from neostriatum.runs.loop import Loop

FILE = "axons.h5"
#: Steps that are drawn at a time.
STRETCH = 5000


def write_axon_spikes(loop: Loop) -> list[str]:
    """Write the spikes of the axons that a run records; return the files."""
    chosen = axons_asked(loop.record.record, loop.circuit, loop.network.axons)
    if not chosen:
        return []
    circuits = Run(loop.folder).circuits
    spans = _spans(loop.network)
    every = list(_chunks(loop, circuits, chosen))
    totals = {name: sum(int(((chunk.ids >= span.start) & (chunk.ids < span.stop)).sum())
                        for chunk in every) for name, span in spans.items()}
    write_spikes(loop.folder / FILE, {name: spans[name] for name in chosen},
                 loop.circuit.dt.value, totals, loop.record.steps, every)
    return [FILE]


def _spans(network: Network) -> dict[str, range]:
    """Return numbers of the axons of each population, one after another."""
    ends = np.cumsum([0, *network.axons.values()]).tolist()
    return {name: range(*span) for name, span in zip(network.axons, pairwise(ends), strict=True)}


def _chunks(loop: Loop, circuits: list[tuple[int, Circuit]],
            chosen: dict[str, np.ndarray]) -> Iterator[Chunk]:
    """Yield the spikes of chosen axons after the warm-up, from the start on, change by change."""
    spans, warm, seed = _spans(loop.network), loop.warm, loop.record.seed
    starts = [0, *(step + warm for step, _ in circuits[1:]), loop.record.steps + warm]
    trains = {each.name: CompiledTrains(each)
              for each in lower_axons(circuits[0][1], loop.network, seed) if each.name in chosen}
    with Crew(1) as crew:
        for (first, last), (_, circuit) in zip(pairwise(starts), circuits, strict=True):
            for each in lower_axons(circuit, loop.network, seed):
                if each.name in trains:
                    trains[each.name].change(each)
            for step in range(first, last, STRETCH):
                count, parts = min(STRETCH, last - step), [np.zeros((2, 0), np.int64)]
                for name, train in trains.items():
                    begin, who = train.draw(crew, step, count)
                    when = np.repeat(np.arange(step, step + count), np.diff(begin)) - warm
                    kept = (when >= 0) & np.isin(who, chosen[name])
                    parts.append(np.stack([when[kept], who[kept] + spans[name].start]))
                steps, ids = np.concatenate(parts, axis=1)
                order = np.lexsort((ids, steps))
                yield Chunk(max(step - warm, 0), max(step + count - warm, 0), steps[order],
                            ids[order])
