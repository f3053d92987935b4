"""Axons in NEST: a `spike_train_injector` each, told the spikes of every stretch before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.engines.axons import Players
from neostriatum.ranks import launched, rank

if TYPE_CHECKING:
    from neostriatum.engines.lowered import LoweredCircuit


class Injectors:
    """The axons of a circuit; every rank draws all trains and plays those of its own nodes."""

    def __init__(self, nest: Any, lowered: LoweredCircuit, lag: int) -> None:
        self._nest, self._dt, self._lag = nest, lowered.dt, lag
        self._players = Players(lowered.axons)
        #: Node ids of the first axon of every population; 0 of none.
        self.first = [nest.Create("spike_train_injector", each.n).tolist()[0] if each.n else 0
                      for each in lowered.axons]

    @property
    def counts(self) -> dict[str, int]:
        """Spikes after the warm-up, by population."""
        return self._players.counts

    def play(self, step: int, count: int) -> None:
        """Schedule the spikes of ``count`` steps; all that were scheduled before have been sent."""
        for first, (when, who) in zip(self.first, self._players.spikes(step, count), strict=True):
            mine = (first + who) % launched() == rank()
            nodes, steps = first + who[mine], when[mine]
            order = np.argsort(nodes, kind="stable")
            # The time of a spike is that of the end of its step, as for cells.
            times = np.round((steps[order] + 1 + self._lag) * self._dt, 6)
            firing, starts = np.unique(nodes[order], return_index=True)
            if len(firing):
                trains = np.split(times, starts[1:])
                self._nest.NodeCollection(firing.tolist()).set(
                    [{"spike_times": train} for train in trains])

    def change(self, lowered: LoweredCircuit) -> None:
        """Go on with other rates."""
        self._players.change(lowered.axons)
