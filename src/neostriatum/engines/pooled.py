"""Pooled axons: counts of arrivals per cell, drawn from the rates of groups, without trains.

Nothing is kept per axon. A cell has a number of axons in each of its home groups, and others in
all groups. In a block of time (see `engines.axons`) a Poisson number of arrivals comes from each,
at random steps of the block. The release of a pathway has one state per group, which follows the
group's rate instead of spikes: s <- s + m (s' - s), where m is the number of spikes of an axon in
the block and s' what a spike makes of s.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum import rng
from neostriatum.engines.axons import AxonPopulation, Trains
from neostriatum.engines.quantum import quantised

if TYPE_CHECKING:
    from neostriatum.engines.plasticity import Plasticity

#: Most arrivals of a cell from one group in a block.
MOST = 1000


@dataclass(frozen=True)
class PooledPathway:
    """A pathway of pooled axons: ``counts`` (h,) axons of a cell in each of its home groups.

    ``homes`` int32 (n, h) are these, of ``group_count`` groups. Another ``rest`` axons of a cell
    are of all groups from a first to the one before a last: those of ``spans`` (s, 2) with the
    number ``span`` int32 (n,).
    """

    name: str
    target: int
    weights: tuple[tuple[int, float], ...]
    group_count: int
    homes: np.ndarray
    counts: np.ndarray
    spans: np.ndarray
    span: np.ndarray
    rest: float
    stp: Plasticity | None
    keys: dict[str, tuple[int, int]]


@dataclass(frozen=True)
class PooledAxons:
    """A population of pooled axons, with its pathways."""

    axons: AxonPopulation
    pathways: tuple[PooledPathway, ...]


@dataclass(frozen=True)
class Table:
    """What a pathway's arrivals in a block are drawn by: mean (h, g) and chance of none (h, g).

    ``rest`` (s,) is the mean of a cell's other axons, by span; ``amounts`` (g + s, r) what an
    arrival brings [nS], by receptor of the pathway: those of the groups, then those of the spans.
    """

    mean: np.ndarray
    none: np.ndarray
    rest: np.ndarray
    amounts: np.ndarray


class Pool:
    """The rates and releases of one population of pooled axons, block after block."""

    def __init__(self, pooled: PooledAxons) -> None:
        self.pooled = pooled
        self.trains = Trains(pooled.axons)
        self.at = 0
        # Of the block that was looked at last.
        self._block: tuple[int, Any] | None = None
        self._falls = _falls(pooled)
        groups = len(pooled.axons.groups)
        rates = pooled.axons.chances(0, 1)[pooled.axons.groups.channel, 0]
        self.states = {one.name: one.stp.mean_states(rates) if one.stp.starts else
                       one.stp.begin(groups) for one in pooled.pathways if one.stp}

    def change(self, pooled: PooledAxons) -> None:
        """Go on with other rates."""
        self.pooled, self._block, self._falls = pooled, None, _falls(pooled)
        self.trains.change(pooled.axons)

    def go_to(self, block: int) -> None:
        """Let slow courses and releases go on to the start of a block."""
        while self.at < block:
            spikes, met = self._met()
            for one in self.pooled.pathways:
                if one.stp:
                    self.states[one.name] = one.stp.follow(met[one.name], np.minimum(spikes, 1.0))
            self.at += 1
            self.trains.go_to(self.at)

    def _met(self) -> tuple[np.ndarray, dict[str, dict[str, np.ndarray]]]:
        """Return spikes of an axon in the block by group, and the states that they find."""
        if self._block is None or self._block[0] != self.at:
            self._block = self.at, (self.spikes(), {
                one.name: one.stp.decayed(self.states[one.name], self._falls[one.name])
                for one in self.pooled.pathways if one.stp})
        return self._block[1]

    def spikes(self) -> np.ndarray:
        """Return how many spikes an axon of each group has in the block."""
        axons = self.pooled.axons
        chance = axons.chances(self.at * axons.block, axons.block)[axons.groups.channel]
        if axons.slow is not None:
            sd = axons.slow[0]
            chance = chance * rng.exp(sd * self.trains.slow - 0.5 * (sd * sd))[:, None]
        return np.minimum(chance, 1.0).sum(axis=1)

    def tables(self) -> list[Table]:
        """Return the tables of the block, by pathway."""
        (spikes, met), sizes = self._met(), self.pooled.axons.sizes
        tables = []
        for one in self.pooled.pathways:
            released = np.ones(len(spikes)) if one.stp is None else (
                one.stp.expected(met[one.name]))
            mean, release = (np.concatenate([part, np.zeros(len(one.spans))])
                             for part in (spikes, released))
            for place, (low, high) in enumerate(one.spans.tolist(), len(spikes)):
                weight = sizes[low:high] * spikes[low:high]
                total = weight.sum()
                mean[place] = total / sizes[low:high].sum()
                release[place] = (weight * released[low:high]).sum() / max(total, 1e-300)
            means = one.counts[:, None] * mean[: len(spikes)]
            amounts = release[:, None] * np.array([weight for _, weight in one.weights])
            tables.append(Table(means, rng.exp(-means), one.rest * mean[len(spikes) :], amounts))
        return tables

    def state(self, step: int) -> dict[str, np.ndarray]:
        """Return slow courses and releases at the start of a step's block, by name."""
        self.go_to(step // self.pooled.axons.block)
        return {f"axons.{self.pooled.axons.name}.slow": self.trains.slow.copy(),
                **{f"{name}.{state}": values.copy() for name, states in self.states.items()
                   for state, values in states.items()}}

    def restore(self, step: int, state: dict[str, np.ndarray]) -> None:
        """Continue from a `state` at a step."""
        self.at, self._block = step // self.pooled.axons.block, None
        self.trains.restart(step, state[f"axons.{self.pooled.axons.name}.slow"].copy())
        self.states = {name: {each: state[f"{name}.{each}"].copy() for each in states}
                       for name, states in self.states.items()}


def _falls(pooled: PooledAxons) -> dict[str, dict[str, float]]:
    """Return what a block leaves of the states of every plastic pathway."""
    return {one.name: one.stp.falls(float(pooled.axons.block))
            for one in pooled.pathways if one.stp}


def arrivals(one: PooledPathway, table: Table, block: int,
             steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return step within the block, cell and row of the amounts of every arrival of a block."""
    parts = zip(_from_homes(one, table, block, steps), _from_rest(one, table, block, steps),
                strict=True)
    step, cell, row = (np.concatenate(part) for part in parts)
    return step, cell, row


def _from_rest(one: PooledPathway, table: Table, block: int,
               steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the arrivals from all groups, drawn for 512 cells at once."""
    key, spans = one.keys["rest"], len(one.spans)
    tiles = np.arange(-(-len(one.span) // rng.BLOCK))
    found = [np.zeros((3, 0), np.int64)]
    for span, mean in enumerate(table.rest * rng.BLOCK):
        if mean <= 0:
            continue
        parts, each = rng.poisson_parts(float(mean))
        ids = tiles * spans + span
        counts = rng.poisson_counts(key, ids, block, rng.poisson_table(each), parts)
        tile = np.repeat(tiles, counts)
        number = np.arange(len(tile)) - np.repeat(np.cumsum(counts) - counts, counts)
        words = rng.philox(key, number // 4, ids[tile], block)
        place = rng.below(words[number % 4, np.arange(len(tile))], rng.BLOCK * steps)
        cell = tile * rng.BLOCK + place % rng.BLOCK
        # A place without a cell of this span gets nothing.
        kept = cell < len(one.span)
        kept[kept] = one.span[cell[kept]] == span
        row = np.full(kept.sum(), table.mean.shape[1] + span)
        found.append(np.stack([place[kept] // rng.BLOCK, cell[kept], row]))
    step, cell, row = np.concatenate(found, axis=1)
    return step, cell, row


def _from_homes(one: PooledPathway, table: Table, block: int,
                steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    cells, columns = one.homes.shape
    entries, group = np.arange(columns * cells), one.homes.T.reshape(-1)
    cell, column = entries % max(cells, 1), entries // max(cells, 1)
    # Word by word of 128 counters, so that the numbers of a tile lie as its cells do.
    words = rng.philox(one.keys["count"], column, cell // 512 * 128 + cell % 128, block)
    u = rng.uniform32(words[cell // 128 % 4, entries])
    mean, total = (part[column, group] for part in (table.mean, table.none))
    term, count = total.copy(), np.zeros(len(entries), np.int64)
    active = np.flatnonzero(u >= total)
    while len(active):
        count[active] += 1
        term[active] = term[active] * mean[active] / count[active]
        total[active] = total[active] + term[active]
        active = active[(u[active] >= total[active]) & (count[active] < MOST)]
    entry = np.repeat(entries, count)
    number = np.arange(len(entry)) - np.repeat(np.cumsum(count) - count, count)
    words = rng.philox(one.keys["step"], column[entry] * 256 + number // 4, cell[entry], block)
    step = rng.below(words[number % 4, np.arange(len(entry))], steps)
    return step, cell[entry], group[entry]


class Pools:
    """All pooled axons, for an engine that goes step by step."""

    def __init__(self, pooled: tuple[PooledAxons, ...]) -> None:
        self.pools = [Pool(one) for one in pooled]
        self._drawn: list[Any] = [None] * len(pooled)

    def change(self, pooled: tuple[PooledAxons, ...]) -> None:
        """Go on with other rates."""
        for pool, one in zip(self.pools, pooled, strict=True):
            pool.change(one)
        self._drawn = [None] * len(pooled)

    def add(self, step: int, arriving: list[np.ndarray]) -> None:
        """Add what comes at a step to what arrives at each population, receptor by receptor."""
        for number, pool in enumerate(self.pools):
            size = pool.pooled.axons.block
            block = step // size
            if self._drawn[number] is None or self._drawn[number][0] != block:
                pool.go_to(block)
                self._drawn[number] = block, [
                    (one, quantised(table.amounts), *arrivals(one, table, block, size))
                    for one, table in zip(pool.pooled.pathways, pool.tables(), strict=True)]
            for one, amounts, when, cell, group in self._drawn[number][1]:
                now = when == step - block * size
                for place, (receptor, _) in enumerate(one.weights):
                    np.add.at(arriving[one.target][receptor], cell[now], amounts[group[now], place])

    def state(self, step: int) -> dict[str, np.ndarray]:
        """Return what all depend on, by name."""
        return {name: values for pool in self.pools for name, values in pool.state(step).items()}

    def restore(self, step: int, state: dict[str, np.ndarray]) -> None:
        """Continue from a `state` at a step."""
        for pool in self.pools:
            pool.restore(step, state)
        self._drawn = [None] * len(self.pools)
