"""States of chosen cells, step by step, by NEST's multimeters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neostriatum.engines.base import Samples
from neostriatum.ranks import gathered, launched, rank


@dataclass
class Probe:
    """Which state of which cells, the multimeter that watches them, and from which step on."""

    recorded: str
    ids: np.ndarray
    nodes: np.ndarray
    since: int
    every: int = 1
    meter: Any = None
    #: What was read by hand where there is no multimeter: (step, node, value).
    read: list[tuple[int, int, float]] = field(default_factory=list)


class Probes:
    """The probes of a simulation; a multimeter is one step late, the cells tell the last one.

    Their keys are the population and the variable.
    """

    def __init__(self, nest: Any, lag: int) -> None:
        self._nest, self._lag = nest, lag
        self._all: dict[tuple[str, str], Probe] = {}
        self._dt = 0.1

    @property
    def by_hand(self) -> bool:
        """Whether somebody must call `look` after every step."""
        return any(probe.meter is None for probe in self._all.values())

    def look(self, step: int) -> None:
        """Read the states after a step where no multimeter does."""
        for probe in self._all.values():
            if probe.meter is None:
                probe.read += self._now(probe, step)

    def _now(self, probe: Probe, step: int) -> list[tuple[int, int, float]]:
        """Return (step, node, value) of the cells on this rank."""
        nodes = [node for node in np.unique(probe.nodes).tolist() if node % launched() == rank()]
        return [(step, node, self._nest.NodeCollection([node]).get(probe.recorded))
                for node in nodes]

    def add(self, key: tuple[str, str], recorded: str, ids: np.ndarray, nodes: np.ndarray,
            step: int, dt: float, *, every: int = 1, by_hand: bool = False) -> None:
        """Watch cells from ``step`` on, instead of any under that key before."""
        if key in self._all and self._all[key].meter is not None:
            self._all[key].meter.set(stop=self._nest.biological_time)
        self._dt = dt
        self._all[key] = Probe(recorded, ids, nodes, step, every)
        if by_hand:
            return
        meter = self._nest.Create("multimeter", params={"interval": dt, "record_from": [recorded]})
        self._all[key].meter = meter
        if len(nodes):
            cells = self._nest.NodeCollection(np.unique(nodes).tolist())
            self._nest.Connect(meter, cells, "all_to_all",
                               {"synapse_model": "static_synapse", "delay": dt})

    def take(self, step: int, warmup: int) -> list[Samples]:
        """Return what was seen since the last time, and forget it."""
        taken = []
        for (name, variable), (ids, first, values) in self.all(step).items():
            probe, steps = self._all[name, variable], first + np.arange(len(values)) - warmup
            due = (steps + 1) % probe.every == 0
            taken.append(Samples(name, variable, ids, steps[due], values[due]))
            probe.since = step
            probe.read.clear()
            if probe.meter is not None:
                probe.meter.n_events = 0
        return taken

    def all(self, step: int) -> dict[tuple[str, str], tuple[np.ndarray, int, np.ndarray]]:
        """Return (local ids, first step, values (steps, cells)) under every key."""
        return {key: (probe.ids, probe.since, self._of(probe, step))
                for key, probe in self._all.items()}

    def _of(self, probe: Probe, step: int) -> np.ndarray:
        count = step - probe.since
        values = np.full((count, len(probe.ids)), np.nan)
        if not values.size:
            return values
        known, places = np.unique(probe.nodes, return_inverse=True)
        if probe.meter is None:
            last = probe.read
            rows, seen = np.zeros((0, 2), np.int64), np.zeros(0)
        else:
            last = self._now(probe, step - 1)
            events = probe.meter.get("events")
            when = np.rint(np.asarray(events["times"]) / self._dt).astype(np.int64) - 1 - self._lag
            rows = np.stack([when, np.asarray(events["senders"], np.int64)], axis=1)
            seen = np.asarray(events[probe.recorded], np.float64)
        if last:
            rows = np.concatenate([rows, [(when, node) for when, node, _ in last]])
            seen = np.concatenate([seen, [value for _, _, value in last]])
        if launched() > 1:
            rows, seen = gathered(rows), gathered(seen)
            if rank():
                return values
        when = rows[:, 0] - probe.since
        kept = (when >= 0) & (when < count)
        table = np.full((count, len(known)), np.nan)
        table[when[kept], np.searchsorted(known, rows[kept, 1])] = seen[kept]
        return table[:, places]
