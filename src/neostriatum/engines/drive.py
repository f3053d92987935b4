"""Draw the events of one input onto one population."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from neostriatum import rng

#: Steps that are drawn together while the rate stays, and how many numbers that may take.
STRETCH, NUMBERS = 64, 200_000


@dataclass(frozen=True, eq=False)
class Drive:
    """Random synaptic drive of one input onto one population.

    ``members`` are the local ids that receive it (sorted); ``weights`` are (receptor index, nS).
    ``pool`` is, for shared trains, the CSR (offsets, positions in ``members``) of the trains.
    Every draw is a function of its step, so that steps may be drawn together.
    """

    name: str
    population: int
    members: np.ndarray
    afferents: int
    rate: Any
    weights: tuple[tuple[int, float], ...]
    process: str
    within: float
    between: float
    pool: tuple[np.ndarray, np.ndarray] | None
    keys: dict[str, tuple[int, int]]
    #: The rate asked for last, and the events of the steps drawn with it.
    _drawn: dict[str, Any] = field(default_factory=dict, init=False, repr=False)

    def events(self, step: int, rate_hz: float, dt: float) -> np.ndarray:
        """Return the local ids hit at ``step``, one entry per event (unsorted)."""
        if rate_hz <= 0 or not len(self.members):
            return np.zeros(0, np.int64)
        drawn, p = self._drawn, rate_hz * dt / 1000.0
        if drawn.get("p") != p:
            # A rate that differs from step to step is drawn step by step.
            drawn.update(p=p, first=step, events=self._events(np.arange(step, step + 1), p))
        elif not 0 <= step - drawn["first"] < len(drawn["events"]):
            wide = len(self.members) if self.pool is None else len(self.pool[0])
            count = max(1, min(STRETCH, NUMBERS // wide))
            drawn.update(first=step, events=self._events(np.arange(step, step + count), p))
        return drawn["events"][step - drawn["first"]]

    def _events(self, steps: np.ndarray, p: float) -> list[np.ndarray]:
        """Return the local ids that are hit, step by step."""
        if self.pool is not None:
            hit = [self._pooled(steps, p)]
        elif self.process == "binomial":
            hit = [self._binomial(steps, p)]
        else:
            own = self.afferents * (1.0 - self.between) * (1.0 - self.within)
            hit = [self._independent(steps, p * own)] if p * own > 0 else []
            if self.within > 0:
                hit.append(self._reference(steps, p * (1.0 - self.between)))
            if self.between > 0:
                hit.append(self._mother(steps, p * self.afferents * self.between))
        when, member = (np.concatenate(parts) for parts in zip(*hit, strict=True))
        order = np.argsort(when, kind="stable")
        edges = np.searchsorted(when[order], np.arange(1, len(steps)))
        return np.split(self.members[member[order]], edges)

    def _independent(self, steps: np.ndarray, mean: float) -> tuple[np.ndarray, np.ndarray]:
        """Draw a Poisson count per block of 512 local ids, then a member for each event."""
        starts, blocks = self._blocks()
        sizes = np.diff(starts)
        when, hit = [], []
        for size in np.unique(sizes):
            mine = sizes == size
            parts, table = _table(mean * int(size))
            counts = rng.poisson_counts(self.keys["own"], blocks[mine], steps[:, None], table,
                                        parts)
            step, block, event = _each(counts)
            words = rng.philox(self.keys["own"], event // 4, blocks[mine][block], steps[step])
            lane = words[event % 4, np.arange(len(event))]
            when.append(step)
            hit.append(starts[:-1][mine][block] + rng.below(lane, int(size)))
        return np.concatenate(when), np.concatenate(hit)

    def _blocks(self) -> tuple[np.ndarray, np.ndarray]:
        """Return where the members of each block start (and the end), and the block numbers."""
        numbers, first = np.unique(self.members // rng.BLOCK, return_index=True)
        return np.append(first, len(self.members)), numbers

    def _binomial(self, steps: np.ndarray, p: float) -> tuple[np.ndarray, np.ndarray]:
        words = rng.philox(self.keys["own"], rng.COUNT_DRAW, self.members, steps[:, None])
        table = binomial_table(self.afferents, p)
        counts = np.searchsorted(table, rng.uniform53(words[0], words[1]), side="right")
        return _each(counts)[:2]

    def _reference(self, steps: np.ndarray, p: float) -> tuple[np.ndarray, np.ndarray]:
        """Let each afferent copy an event of the neuron's own reference train."""
        words = rng.philox(self.keys["reference"], 0, self.members, steps[:, None])
        step, fires = np.nonzero(rng.uniform53(words[0], words[1]) < p)
        table = binomial_table(self.afferents, self.within)
        words = rng.philox(self.keys["reference"], 1, self.members[fires], steps[step])
        counts = np.searchsorted(table, rng.uniform53(words[0], words[1]), side="right")
        return np.repeat(step, counts), np.repeat(fires, counts)

    def _mother(self, steps: np.ndarray, mean: float) -> tuple[np.ndarray, np.ndarray]:
        """Give every member the events of the channel's mother train."""
        parts, table = _table(mean)
        counts = rng.poisson_counts(self.keys["mother"], np.zeros(1, np.int64), steps[:, None],
                                    table, parts)
        return _each(np.repeat(counts, len(self.members), axis=1))[:2]

    def _pooled(self, steps: np.ndarray, p: float) -> tuple[np.ndarray, np.ndarray]:
        """Let each shared train that fires reach the members that listen to it."""
        offsets, listeners = self.pool  # type: ignore[misc]  # called for shared trains alone
        words = rng.philox(self.keys["pool"], 0, np.arange(len(offsets) - 1), steps[:, None])
        step, fires = np.nonzero(rng.uniform53(words[0], words[1]) < p)
        lengths = offsets[fires + 1] - offsets[fires]
        rows = np.repeat(offsets[fires] - np.cumsum(lengths) + lengths, lengths)
        return np.repeat(step, lengths), listeners[rows + np.arange(lengths.sum())]


def _each(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return row, column and number within its count of each of these (steps, n) events."""
    flat = counts.ravel()
    place = np.repeat(np.arange(len(flat)), flat)
    number = np.arange(len(place)) - np.repeat(np.cumsum(flat) - flat, flat)
    return place // counts.shape[1], place % counts.shape[1], number


@lru_cache(maxsize=256)
def _table(mean: float) -> tuple[int, np.ndarray]:
    parts, each = rng.poisson_parts(mean)
    return parts, rng.poisson_table(each)


@lru_cache(maxsize=256)
def binomial_table(n: int, p: float) -> np.ndarray:
    """Return the cumulative distribution of Binomial(n, p), for inversion by search."""
    if p >= 1.0:
        return np.append(np.zeros(n), 1.0)
    term = (1.0 - p) ** n
    if term < 1e-280:
        return _from_mode(n, p)
    table, total = [term], term
    for k in range(1, n + 1):
        term = term * (n - k + 1) / k * (p / (1.0 - p))
        total += term
        table.append(total)
    return np.array(table[:-1])


def _from_mode(n: int, p: float) -> np.ndarray:
    """Do the same where the first term underflows: both ways from the largest term."""
    odds, mode = p / (1.0 - p), int((n + 1) * p)
    terms = np.zeros(n + 1)
    terms[mode] = 1.0
    for k in range(mode, n):
        terms[k + 1] = terms[k] * (n - k) / (k + 1) * odds
    for k in range(mode, 0, -1):
        terms[k - 1] = terms[k] * k / (n - k + 1) / odds
    sums = np.cumsum(terms)
    return (sums / sums[-1])[:-1]
