"""Potentials of chosen cells, step by step, by NEST's multimeters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neostriatum.engines.base import Samples
from neostriatum.ranks import gathered, launched, rank


@dataclass
class Probe:
    """Which cells, the multimeter that watches them, and from which step on."""

    ids: np.ndarray
    nodes: np.ndarray
    since: int
    every: int = 1
    meter: Any = None
    #: What was read by hand where there is no multimeter: (step, node, mV).
    read: list[tuple[int, int, float]] = field(default_factory=list)


class Probes:
    """The probes of a simulation; a multimeter is one step late, the cells tell the last one."""

    def __init__(self, nest: Any, lag: int) -> None:
        self._nest, self._lag = nest, lag
        self._made: dict[str, Probe] = {}
        self._dt = 0.1

    @property
    def by_hand(self) -> bool:
        """Whether somebody must call `look` after every step."""
        return any(one.meter is None for one in self._made.values())

    def look(self, step: int) -> None:
        """Read the potentials after a step where no multimeter does."""
        for one in self._made.values():
            if one.meter is None:
                one.read += self._now(one, step)

    def _now(self, one: Probe, step: int) -> list[tuple[int, int, float]]:
        """Return (step, node, mV) of the cells on this rank."""
        nodes = [node for node in np.unique(one.nodes).tolist() if node % launched() == rank()]
        return [(step, node, self._nest.NodeCollection([node]).get("v")) for node in nodes]

    def add(self, name: str, ids: np.ndarray, nodes: np.ndarray, step: int, dt: float, *,
            every: int = 1, by_hand: bool = False) -> None:
        """Watch cells from ``step`` on, instead of any of that population before."""
        if name in self._made and self._made[name].meter is not None:
            self._made[name].meter.set(stop=self._nest.biological_time)
        self._dt = dt
        self._made[name] = Probe(ids, nodes, step, every)
        if by_hand:
            return
        meter = self._nest.Create("multimeter", params={"interval": dt, "record_from": ["v"]})
        self._made[name].meter = meter
        if len(nodes):
            cells = self._nest.NodeCollection(np.unique(nodes).tolist())
            self._nest.Connect(meter, cells, "all_to_all",
                               {"synapse_model": "static_synapse", "delay": dt})

    def take(self, step: int, warmup: int) -> list[Samples]:
        """Return what was seen since the last time, and forget it."""
        taken = []
        for name, (ids, first, v_mv) in self.all(step).items():
            one, steps = self._made[name], first + np.arange(len(v_mv)) - warmup
            due = (steps + 1) % one.every == 0
            taken.append(Samples(name, "v", ids, steps[due], v_mv[due]))
            one.since = step
            one.read.clear()
            if one.meter is not None:
                one.meter.n_events = 0
        return taken

    def all(self, step: int) -> dict[str, tuple[np.ndarray, int, np.ndarray]]:
        """Return (local ids, first step, potentials (steps, cells)) of each population."""
        return {name: (one.ids, one.since, self._of(one, step))
                for name, one in self._made.items()}

    def _of(self, one: Probe, step: int) -> np.ndarray:
        count = step - one.since
        v_mv = np.full((count, len(one.ids)), np.nan)
        if not v_mv.size:
            return v_mv
        known, places = np.unique(one.nodes, return_inverse=True)
        if one.meter is None:
            last = one.read
            rows, seen = np.zeros((0, 2), np.int64), np.zeros(0)
        else:
            last = self._now(one, step - 1)
            events = one.meter.get("events")
            when = np.rint(np.asarray(events["times"]) / self._dt).astype(np.int64) - 1 - self._lag
            rows = np.stack([when, np.asarray(events["senders"], np.int64)], axis=1)
            seen = np.asarray(events["v"], np.float64)
        if last:
            rows = np.concatenate([rows, [(when, node) for when, node, _ in last]])
            seen = np.concatenate([seen, [v for _, _, v in last]])
        if launched() > 1:
            rows, seen = gathered(rows), gathered(seen)
            if rank():
                return v_mv
        when = rows[:, 0] - one.since
        kept = (when >= 0) & (when < count)
        table = np.full((count, len(known)), np.nan)
        table[when[kept], np.searchsorted(known, rows[kept, 1])] = seen[kept]
        return table[:, places]
