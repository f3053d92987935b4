"""Synapses that learn, in NumPy: looked at when something arrives, and at flushes.

A step has this order: flush where one is due, arrivals, what the level adds to the table, spikes.
Steps are counted from the last flush. See `engines.learning` for what is kept times what.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.engines.quantum import quantised

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neostriatum.engines.learning import Learning
    from neostriatum.engines.lowered import LoweredCircuit, Projection


class Synapses:
    """The synapses of a projection that learns, from its sources' arrivals on.

    Parameters
    ----------
    projection : Projection
        It has a `Learning`.
    sources, cells : int
        Numbers of its sources and targets.
    """

    def __init__(self, projection: Projection, sources: int, cells: int) -> None:
        self.about = projection
        learning: Learning = self.learning
        count, parts = len(projection.targets), len(learning.taus)
        self.weights = np.full(count, learning.start)
        self.plus, self.minus = np.zeros((2, parts, count))
        self.pre, self.post = np.zeros(sources), np.zeros(cells)
        #: Steps of the last arrivals from every source, and of all spikes of every cell.
        self.last, self.spikes = np.zeros(sources, np.int64), np.zeros((cells, 8), np.int64)
        self.counts = np.zeros(cells, np.int64)
        #: By exponential, eligibility and step.
        self.table = np.zeros((parts, 2, learning.flush + 1))
        #: What was sent and has not arrived: step of arrival and source, and what was released.
        self.sent, self.released = np.zeros((0, 2), np.int64), np.zeros(0)
        # The level of the last step, whose rule, and what that makes of it.
        self._heard: tuple[float, Learning, Any] | None = None

    @property
    def learning(self) -> Any:
        """The rule and its numbers, a `Learning`."""
        return self.about.learning

    def send(self, step: int, fired: np.ndarray, released: np.ndarray) -> None:
        """Let sources that spike at a step send what they release."""
        arrive = np.full(len(fired), step + self.learning.delay)
        self.sent = np.concatenate([self.sent, np.stack([arrive, fired], axis=1)])
        self.released = np.concatenate([self.released, released])

    def arrivals(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the sources of which something arrives at a step, and what they released."""
        now = self.sent[:, 0] == step
        fired, released = self.sent[now, 1], self.released[now]
        self.sent, self.released = self.sent[~now], self.released[~now]
        return fired, released

    def begin(self, step: int, level: float, gate: float) -> None:
        """Begin a step at a level: flush where one is due, and go on with the table."""
        learning = self.learning
        if step % learning.flush == 0 and step:
            self.flush()
        now = step % learning.flush
        if self._heard is None or self._heard[:2] != (level, learning):
            self._heard = level, learning, learning.factors(level)
        for part, gain in enumerate(learning.gains):
            for sign, factor in enumerate(self._heard[2]):
                each = gain * factor
                if learning.gate >= 0:
                    each = each * gate
                self.table[part, sign, now + 1] = (
                    self.table[part, sign, now] + each * learning.falls[part, now])

    def arrive(self, step: int, fired: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Bring the synapses of sources up to date for what arrives at a step.

        Returns
        -------
        tuple
            The synapses, source by source, and how many each source has.
        """
        if not len(fired):
            return fired, fired
        offsets, learning, now = self.about.offsets, self.learning, step % self.learning.flush
        lengths = offsets[fired + 1] - offsets[fired]
        rows = np.repeat(offsets[fired] - np.cumsum(lengths) + lengths, lengths)
        rows += np.arange(lengths.sum())
        source = np.repeat(fired, lengths)
        gained, plus = self._gained(rows, source, now)
        self.weights[rows] = self.learning.bounded(self.weights[rows], gained)
        self.plus[:, rows] = plus
        for part, adds in enumerate(learning.adds_minus):
            self.minus[part, rows] += self.post[self.about.targets[rows]] * adds[now]
        self.pre[fired] += learning.pre_rises[now]
        self.last[fired] = now
        return rows, lengths

    def spike(self, step: int, fired: np.ndarray) -> None:
        """Let cells spike at a step, after what arrives at it."""
        if not len(fired):
            return
        now = step % self.learning.flush
        if self.counts[fired].max() == self.spikes.shape[1]:
            self.spikes = np.concatenate([self.spikes, np.zeros_like(self.spikes)], axis=1)
        self.spikes[fired, self.counts[fired]] = now
        self.counts[fired] += 1
        self.post[fired] += self.learning.post_rises[now]

    def flush(self) -> None:
        """Bring all synapses up to date and count steps anew."""
        learning = self.learning
        self.weights, self.plus = self._brought(learning.flush)
        if learning.scaling is not None:
            self._scale(*learning.scaling)
        left, left_pre, left_post = learning.flushed
        self.plus *= left[:, None]
        self.minus *= left[:, None]
        self.pre *= left_pre
        self.post *= left_post
        self.last[:], self.counts[:], self.table[..., 0] = 0, 0, 0.0

    def _scale(self, target: float, share: float) -> None:
        """Move the mean weight of every cell towards a target."""
        cells, size = self.about.targets, len(self.post)
        sums = np.zeros(size)
        np.add.at(sums, cells, self.weights)
        counts = np.bincount(cells, minlength=size)
        mean = sums[cells] / counts[cells]
        moved = self.weights * (1.0 + share * (target - mean) / np.maximum(mean, 1e-9))
        low, high = self.learning.bounds[:2]
        self.weights = np.minimum(np.maximum(moved, low), high)

    def now(self, step: int) -> np.ndarray:
        """Return all weights as they are when a step begins, and change nothing."""
        since = step % self.learning.flush
        # A flush that is due comes when the step begins.
        return self._brought(since or (self.learning.flush if step else 0))[0]

    def _brought(self, now: int) -> tuple[np.ndarray, np.ndarray]:
        """Return all weights and the eligibilities of spikes, brought up to date."""
        offsets = self.about.offsets
        rows = np.arange(len(self.weights))
        source = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
        gained, plus = self._gained(rows, source, now)
        return self.learning.bounded(self.weights, gained), plus

    def _gained(self, rows: np.ndarray, source: np.ndarray,
                now: int) -> tuple[np.ndarray, np.ndarray]:
        """Return what weights gained since the last arrivals, and the eligibilities of spikes."""
        learning, table, cells = self.learning, self.table, self.about.targets[rows]
        last, plus, gained = self.last[source], self.plus[:, rows], np.zeros(len(rows))
        for part in range(len(table)):
            gained = gained + (plus[part] * (table[part, 0, now] - table[part, 0, last])
                               + self.minus[part, rows] * (table[part, 1, now]
                                                           - table[part, 1, last]))
        for number in range(self.counts[cells].max(initial=0)):
            spike = self.spikes[cells, number]
            heard = np.flatnonzero((number < self.counts[cells]) & (spike >= last))
            for part in range(len(table)):
                when = spike[heard]
                more = self.pre[source[heard]] * learning.adds_plus[part, when]
                gained[heard] += more * (table[part, 0, now] - table[part, 0, when])
                plus[part, heard] += more
        return gained, plus

    def parts(self) -> dict[str, np.ndarray]:
        """Return what the future depends on, by name."""
        return {"weights": self.weights, "plus": self.plus, "minus": self.minus, "pre": self.pre,
                "post": self.post, "last": self.last, "spikes": self.spikes, "counts": self.counts,
                "table": self.table, "sent": self.sent, "released": self.released}

    def restore(self, parts: dict[str, np.ndarray]) -> None:
        """Go on from `parts`."""
        for name, values in parts.items():
            setattr(self, name, values.copy())


class Learners:
    """The synapses of all projections that learn, for an engine that goes step by step."""

    def __init__(self, lowered: LoweredCircuit) -> None:
        #: By number of the projection.
        self.every = {
            number: Synapses(one, lowered.sources(one.source), lowered.populations[one.target].n)
            for number, one in enumerate(lowered.projections) if one.learning}

    def change(self, lowered: LoweredCircuit) -> None:
        """Go on with other numbers."""
        for number, synapses in self.every.items():
            synapses.about = lowered.projections[number]

    def begin(self, step: int, levels: tuple[tuple[float, ...], ...],
              arriving: list[np.ndarray]) -> None:
        """Begin a step at some levels, those of regions too, and add what arrives."""
        for synapses in self.every.values():
            one, learning = synapses.about, synapses.learning
            heard = levels[learning.region]
            synapses.begin(step, heard[learning.level], heard[learning.gate])
            fired, released = synapses.arrivals(step)
            if not len(fired):
                continue
            rows, lengths = synapses.arrive(step, fired)
            scale = np.repeat(released, lengths)
            for receptor, weight in one.weights:
                each = weight * scale if one.factors is None else (
                    weight * scale * one.factors[rows].astype(np.float64))
                np.add.at(arriving[one.target][receptor], one.targets[rows],
                          quantised(each * synapses.weights[rows]))

    def spike(self, step: int, spikes: Sequence[np.ndarray]) -> None:
        """Let the cells of every population spike."""
        for synapses in self.every.values():
            synapses.spike(step, spikes[synapses.about.target])

    def state(self) -> dict[str, np.ndarray]:
        """Return what the future depends on, by name."""
        return {f"{one.about.name}.learning.{name}": part.copy()
                for one in self.every.values() for name, part in one.parts().items()}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Continue from a `state`."""
        for one in self.every.values():
            one.restore({name: state[f"{one.about.name}.learning.{name}"] for name in one.parts()})
