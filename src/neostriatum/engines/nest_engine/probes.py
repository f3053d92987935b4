"""Potentials of chosen cells, step by step, by NEST's multimeters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from neostriatum.ranks import gathered, launched, rank


@dataclass
class Probe:
    """Which cells, the multimeter that watches them, and from which step on."""

    ids: np.ndarray
    nodes: np.ndarray
    meter: Any
    since: int


class Probes:
    """The probes of a simulation; a multimeter is one step late, the cells tell the last one."""

    def __init__(self, nest: Any, lag: int) -> None:
        self._nest, self._lag = nest, lag
        self._made: dict[str, Probe] = {}
        self._dt = 0.1

    def add(self, name: str, ids: np.ndarray, nodes: np.ndarray, step: int, dt: float) -> None:
        """Watch cells from ``step`` on, instead of any of that population before."""
        if name in self._made:
            self._made[name].meter.set(stop=self._nest.biological_time)
        self._dt = dt
        meter = self._nest.Create("multimeter", params={"interval": dt, "record_from": ["v"]})
        self._made[name] = Probe(ids, nodes, meter, step)
        if len(nodes):
            cells = self._nest.NodeCollection(np.unique(nodes).tolist())
            self._nest.Connect(meter, cells, "all_to_all",
                               {"synapse_model": "static_synapse", "delay": dt})

    def all(self, step: int) -> dict[str, tuple[np.ndarray, int, np.ndarray]]:
        """Return (local ids, first step, potentials (steps, cells)) of each population."""
        return {name: (one.ids, one.since, self._of(one, step))
                for name, one in self._made.items()}

    def _of(self, one: Probe, step: int) -> np.ndarray:
        count = step - one.since
        v_mv = np.full((count, len(one.ids)), np.nan)
        if not v_mv.size:
            return v_mv
        events = one.meter.get("events")
        when = np.rint(np.asarray(events["times"]) / self._dt).astype(np.int64)
        when -= 1 + self._lag + one.since
        rows = np.stack([when, np.asarray(events["senders"], np.int64)], axis=1)
        seen = np.asarray(events["v"], np.float64)
        cells = self._nest.NodeCollection(np.unique(one.nodes).tolist())
        last = [(count - 1, node, self._nest.NodeCollection([node]).get("v"))
                for node, local in zip(cells.tolist(), np.atleast_1d(cells.local), strict=True)
                if local]
        rows = np.concatenate([rows, [(row[0], row[1]) for row in last]]) if last else rows
        seen = np.concatenate([seen, [row[2] for row in last]]) if last else seen
        if launched() > 1:
            rows, seen = gathered(rows), gathered(seen)
            if rank():
                return v_mv
        kept = (rows[:, 0] >= 0) & (rows[:, 0] < count)
        rows, seen = rows[kept], seen[kept]
        known, places = np.unique(one.nodes, return_inverse=True)
        table = np.full((count, len(known)), np.nan)
        table[rows[:, 0], np.searchsorted(known, rows[:, 1])] = seen
        return table[:, places]
