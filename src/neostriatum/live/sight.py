"""What a page sees of a simulation: spikes, levels, one cell, a sample of the others."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.circuit.learning_rules import learning_pathways
from neostriatum.live.frames import Window, histogram

if TYPE_CHECKING:
    from neostriatum.runs.loop import Loop

#: Cells of every type whose potentials make the histogram, and every how many windows it is made.
SAMPLED, EVERY = 150, 5
#: Least wall time between two looks at weights [s], and how much of it they may take.
WEIGHED_S, SHARE = 1.0, 0.05


class Sight:
    """Looks at a run; ``watched`` is the global id of the cell whose potential is shown."""

    def __init__(self, loop: Loop) -> None:
        self._loop, self._windows = loop, 0
        self._learning, self._weighed, self._cost = list(learning_pathways(loop.circuit)), 0.0, 0.0
        # One from the middle, which has its neighbours all around.
        places = loop.network.positions[: max(1, next(iter(loop.network.counts.values())))]
        middle = np.linalg.norm(places - loop.network.positions.mean(axis=0), axis=1)
        self.watch(int(np.argmin(middle)))

    def watch(self, cell: int) -> None:
        """Record a cell, and a sample of every type, from the next step on."""
        self.watched = cell
        for name, span in self._loop.network.populations.items():
            if not len(span):
                continue
            ids = np.unique(np.linspace(0, len(span) - 1, min(SAMPLED, len(span))).astype(int))
            if cell in span:
                ids = np.concatenate([[cell - span.start], ids])
            self._loop.simulator.probe(name, ids)

    def weights(self) -> dict[str, Any] | None:
        """Return mean weights of the pathways that learn, now and then; else None."""
        now = time.monotonic()
        if not self._learning or now - self._weighed < max(WEIGHED_S, self._cost / SHARE):
            return None
        means = {name: round(float(self._loop.simulator.weights(name).mean()), 6)
                 for name in self._learning if name in self._loop.network.afferents}
        self._weighed = time.monotonic()
        self._cost = self._weighed - now
        return {"kind": "weights", "step": self._loop.at, "means": means}

    def window(self, first: int, steps: np.ndarray, ids: np.ndarray) -> Window:
        """Return what happened from a step on to where the run stands."""
        populations = self._loop.network.populations
        samples = {one.population: one.values for one in self._loop.simulator.take()}
        mine = next((name for name, span in populations.items() if self.watched in span), "")
        watched = samples[mine][:, 0] if mine in samples else np.zeros(0)
        self._windows += 1
        shares = np.zeros((0, 0), np.uint8)
        if self._windows % EVERY == 1:
            shares = np.stack([histogram(samples[name][:, int(name == mine):]
                                         if name in samples else np.zeros(0))
                               for name in populations])
        ends = np.cumsum([0, *map(len, populations.values())])
        counts = np.histogram(ids, ends)[0] if len(ids) else np.zeros(len(ends) - 1, np.int64)
        levels = np.array(list(self._loop.simulator.levels().values()))
        return Window(first, self._loop.at - first, steps, ids, levels, watched, shares, counts)
