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
class Tables:
    """What a pathway's arrivals in blocks are drawn by.

    ``mean`` and the chance of ``none`` (blocks, h, g); ``rest`` (blocks, s) the mean of a cell's
    other axons, by span; ``amounts`` (blocks, g + s, r) what an arrival brings [nS], by receptor of
    the pathway: those of the groups, then those of the spans.
    """

    mean: np.ndarray
    none: np.ndarray
    rest: np.ndarray
    amounts: np.ndarray

    def of(self, block: int) -> Tables:
        """Return the tables of one block alone, without the first axis."""
        return Tables(self.mean[block], self.none[block], self.rest[block], self.amounts[block])


class Pool:
    """The rates and releases of one population of pooled axons, block after block."""

    def __init__(self, pooled: PooledAxons) -> None:
        self.trains = Trains(pooled.axons)
        self.at = 0
        groups = len(pooled.axons.groups)
        rates = pooled.axons.chances(0, 1)[pooled.axons.groups.channel, 0]
        self.states = {one.name: one.stp.mean_states(rates) if one.stp.starts else
                       one.stp.begin(groups) for one in pooled.pathways if one.stp}
        self.change(pooled)

    def change(self, pooled: PooledAxons) -> None:
        """Go on with other rates."""
        self.pooled, block = pooled, float(pooled.axons.block)
        self.trains.change(pooled.axons)
        self.falls = {one.name: one.stp.falls(block) for one in pooled.pathways if one.stp}

    def go_to(self, block: int) -> None:
        """Let slow courses and releases go on to the start of a block."""
        if block > self.at:
            self._releases(self._spikes(block))
            self.at = block

    def _spikes(self, block: int) -> np.ndarray:
        """Return how many spikes an axon of each group has in the blocks from this one to one."""
        axons, first, count = self.pooled.axons, self.at, block + 1 - self.at
        chance = axons.chances(first * axons.block, count * axons.block)
        chance = chance.reshape(-1, count, axons.block).swapaxes(0, 1)[:, axons.groups.channel]
        courses = self.trains.courses(block)
        if axons.slow is not None:
            sd = axons.slow[0]
            chance = chance * rng.exp(sd * courses - 0.5 * (sd * sd))[:, :, None]
        return np.ascontiguousarray(np.minimum(chance, 1.0)).sum(axis=2)

    def _releases(self, spikes: np.ndarray) -> list[np.ndarray]:
        """Return what a spike releases in every block, by pathway; go on to the last block."""
        return [np.ones(spikes.shape) if one.stp is None else self.release(one, spikes)
                for one in self.pooled.pathways]

    def release(self, one: PooledPathway, spikes: np.ndarray) -> np.ndarray:
        """Return what a spike of a pathway releases in every block; go on to the last block."""
        stp, released = one.stp, np.empty(spikes.shape)
        if stp is None:
            raise TypeError(one.name)
        for n, each in enumerate(spikes):
            met = stp.decayed(self.states[one.name], self.falls[one.name])
            released[n] = stp.expected(met)
            if n + 1 < len(spikes):
                self.states[one.name] = stp.follow(met, np.minimum(each, 1.0))
        return released

    def tables(self, first: int, last: int) -> list[Tables]:
        """Return the tables of the blocks from a first to the one before a last, by pathway."""
        spikes, begun = self._spikes(last - 1), first - self.at
        releases, sizes = self._releases(spikes), self.pooled.axons.sizes
        self.at, spikes, tables = last - 1, spikes[begun:], []
        for one, released in zip(self.pooled.pathways, releases, strict=True):
            released = released[begun:]
            mean, release = (np.concatenate([part, np.zeros((len(part), len(one.spans)))], axis=1)
                             for part in (spikes, released))
            for place, (low, high) in enumerate(one.spans.tolist(), spikes.shape[1]):
                weight = sizes[low:high] * spikes[:, low:high]
                total = weight.sum(axis=1)
                mean[:, place] = total / sizes[low:high].sum()
                release[:, place] = (weight * released[:, low:high]).sum(axis=1) / np.maximum(
                    total, 1e-300)
            means = one.counts[:, None] * mean[:, None, : spikes.shape[1]]
            amounts = release[:, :, None] * np.array([weight for _, weight in one.weights])
            tables.append(Tables(means, rng.exp(-means), one.rest * mean[:, spikes.shape[1] :],
                                 amounts))
        return tables

    def state(self, step: int) -> dict[str, np.ndarray]:
        """Return slow courses and releases at the start of a step's block, by name."""
        self.go_to(step // self.pooled.axons.block)
        return {f"axons.{self.pooled.axons.name}.slow": self.trains.slow.copy(),
                **{f"{name}.{state}": values.copy() for name, states in self.states.items()
                   for state, values in states.items()}}

    def restore(self, step: int, state: dict[str, np.ndarray]) -> None:
        """Continue from a `state` at a step."""
        self.at = step // self.pooled.axons.block
        self.trains.restart(step, state[f"axons.{self.pooled.axons.name}.slow"].copy())
        self.states = {name: {each: state[f"{name}.{each}"].copy() for each in states}
                       for name, states in self.states.items()}


def arrivals(one: PooledPathway, table: Tables, block: int,
             steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return step within the block, cell and row of the amounts of every arrival of a block."""
    parts = zip(_from_homes(one, table, block, steps), _from_rest(one, table, block, steps),
                strict=True)
    step, cell, row = (np.concatenate(part) for part in parts)
    return step, cell, row


def _from_rest(one: PooledPathway, table: Tables, block: int,
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


def _from_homes(one: PooledPathway, table: Tables, block: int,
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
                tables = [table.of(0) for table in pool.tables(block, block + 1)]
                self._drawn[number] = block, [
                    (one, quantised(table.amounts), *arrivals(one, table, block, size))
                    for one, table in zip(pool.pooled.pathways, tables, strict=True)]
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
