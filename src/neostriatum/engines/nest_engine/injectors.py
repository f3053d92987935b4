"""Axons in NEST: a `spike_train_injector` each, told the spikes of every stretch before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from neostriatum.engines.axons import Players
from neostriatum.ranks import launched, rank

if TYPE_CHECKING:
    from neostriatum.engines.lowered import LoweredCircuit, Projection


class Kind(NamedTuple):
    """Axons of a population that fire some steps late, and once more before every flush.

    Their synapses have a delay of one step where these learn; ``flush`` is 0 where none does.
    """

    population: int
    late: int = 0
    flush: int = 0


class Injectors:
    """The axons of a circuit; every rank draws all trains and plays those of its own nodes."""

    def __init__(self, nest: Any, lowered: LoweredCircuit, lag: int) -> None:
        self._nest, self._dt, self._lag = nest, lowered.dt, lag
        self._players = Players(lowered.axons)
        self._cells, self._sizes = len(lowered.populations), [one.n for one in lowered.axons]
        kinds = dict.fromkeys(self._kind(one) for one in lowered.projections
                              if one.source >= self._cells)
        #: Node ids of the first axon of every kind; 0 of none.
        self._first = {kind: nest.Create("spike_train_injector", n).tolist()[0] if n else 0
                       for kind in kinds for n in (self._sizes[kind.population],)}
        #: Steps and axons of what was drawn and fires later.
        self._waiting = {kind: (np.zeros(0, np.int64), np.zeros(0, np.int64)) for kind in kinds}

    def _kind(self, one: Projection) -> Kind:
        number, learning = one.source - self._cells, one.learning
        return Kind(number, learning.delay - 1, learning.flush) if learning else Kind(number)

    def first(self, one: Projection) -> int:
        """Return the node id of the first source of a projection from axons."""
        return self._first[self._kind(one)]

    @property
    def counts(self) -> dict[str, int]:
        """Spikes after the warm-up, by population."""
        return self._players.counts

    def play(self, step: int, count: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """Schedule the spikes of ``count`` steps, and return those of the trains by population.

        All that were scheduled before have been sent.
        """
        drawn, stop = self._players.spikes(step, count), step + count
        for kind, first in self._first.items():
            new, old = drawn[kind.population], self._waiting[kind]
            when = np.concatenate([old[0], new[0] + kind.late])
            who = np.concatenate([old[1], new[1]])
            now = when < stop
            self._waiting[kind] = when[~now], who[~now]
            when, who = when[now], who[now]
            if kind.flush:
                n = self._sizes[kind.population]
                flushes = np.arange(step // kind.flush + 1, stop // kind.flush + 1) * kind.flush
                when = np.concatenate([when, np.repeat(flushes - 1, n)])
                who = np.concatenate([who, np.tile(np.arange(n), len(flushes))])
            self._schedule(first + who, when)
        return drawn

    def _schedule(self, nodes: np.ndarray, steps: np.ndarray) -> None:
        mine = nodes % launched() == rank()
        nodes, steps = nodes[mine], steps[mine]
        order = np.lexsort((steps, nodes))
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
