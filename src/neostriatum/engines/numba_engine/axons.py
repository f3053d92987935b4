"""Spikes of axons, drawn for a stretch of steps before it is simulated, and what they release.

Nothing of it depends on the cells, so every part of the work draws the groups, and then computes
the releases of the axons, that are its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import float64

from neostriatum.caching import compiled, inner
from neostriatum.engines.axons import Players, Trains
from neostriatum.engines.numba_engine.arrays import Wires
from neostriatum.engines.numba_engine.pooled import Pooled
from neostriatum.engines.numba_engine.release import call_release
from neostriatum.engines.numba_engine.trains import Numbers, Stretch, draw_part

if TYPE_CHECKING:
    from neostriatum.engines.axons import AxonPopulation
    from neostriatum.engines.numba_engine.meeting import Crew


class AxonSpikes(NamedTuple):
    """Spikes of a stretch: ``first`` (a, steps + 1) by population and step, ``who`` (n,) axons.

    ``releases`` (n, w) are those of the plastic projections of its source, in their order;
    ``pooled`` is what arrivals from axons without trains are drawn by.
    """

    first: np.ndarray
    who: np.ndarray
    releases: np.ndarray
    pooled: Pooled | None


class Firing(NamedTuple):
    """What the releases of a stretch are computed from: its spikes, its first step, the sources.

    ``cells`` is the number of populations of cells, ``sizes`` (a,) those of the axons.
    """

    spikes: AxonSpikes
    step: int
    wires: Wires
    cells: int
    sizes: np.ndarray
    parts: int


class CompiledTrains(Trains):
    """The trains of a population, drawn by compiled code."""

    def __init__(self, axons: AxonPopulation) -> None:
        super().__init__(axons)
        self._room = 1024

    def draw(self, crew: Crew, step: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Return where the spikes of every step begin (and the end), and the axons, in order."""
        first, axons = np.zeros(count + 1, np.int64), self.axons
        if axons.trains is not None:
            when, who = self.spikes(step, count)
            np.cumsum(np.bincount(when - step, minlength=count), out=first[1:])
            return first, who
        keep, keys = axons.keep, [axons.keys[use] for use in ("own", "mother", "copies", "slow")]
        numbers = Numbers(axons.groups.starts, axons.groups.channel, np.array(keys, np.uint32),
                          axons.block, axons.packets, axons.slow[0] if axons.slow else 0.0, *keep)
        block, last = step // axons.block, -(-(step + count) // axons.block)
        chances = axons.chances(block * axons.block, max(0, last - block) * axons.block)
        bounds = np.arange(crew.parts + 1) * len(axons.groups) // crew.parts
        while True:
            stretch = Stretch(block, last, step, count, self.at, chances, self.slow.copy(), bounds,
                              np.empty((crew.parts, self._room, 2), np.int64),
                              np.zeros(crew.parts, np.int64))
            crew.run(draw_part, numbers, stretch)
            if stretch.counts.max() <= self._room:
                break
            self._room = int(stretch.counts.max()) * 5 // 4
        if last > block:
            self.at, self.slow = last - 1, stretch.slow
        who = np.empty(stretch.counts.sum(), np.int64)
        sort_spikes(stretch.events, stretch.counts, step, first, who)
        return first, who


class CompiledPlayers(Players):
    """The trains of all axons, and what their spikes release."""

    kind = CompiledTrains

    def play(self, crew: Crew, wires: Wires, pooled: Pooled | None, step: int,
             count: int) -> AxonSpikes:
        """Return the spikes of a stretch of steps; what they release is used up then."""
        first, who = np.zeros((len(self.trains), count + 1), np.int64), [np.zeros(0, np.int64)]
        for number, trains in enumerate(self.trains):
            starts, axons = trains.draw(crew, step, count)
            first[number] = starts + sum(map(len, who))
            who.append(axons)
            late = min(max(trains.axons.warmup - step, 0), count)
            self.counts[trains.axons.name] += int(starts[count] - starts[late])
        sizes = np.array([trains.axons.n for trains in self.trains], np.int64)
        width = int(wires.plain[:, 5].max(initial=0)) if len(sizes) else 0
        axons = np.concatenate(who)
        spikes = AxonSpikes(first, axons, np.zeros((len(axons), width)), pooled)
        if spikes.releases.size:
            cells = len(wires.first_tile) - 1
            crew.run(release_part, Firing(spikes, step, wires, cells, sizes, crew.parts))
        return spikes


@compiled(_nrt=False)
def release_part(part, meeting, firing):
    """Compute what the spikes of the axons of one part release."""
    spikes, sizes, parts = firing.spikes, firing.sizes, firing.parts
    for number in range(sizes.size):
        low, high = sizes[number] * part // parts, sizes[number] * (part + 1) // parts
        for k in range(spikes.first.shape[1] - 1):
            for at in range(spikes.first[number, k], spikes.first[number, k + 1]):
                if low <= spikes.who[at] < high:
                    release_axon(firing.cells + number, spikes.who[at], firing.step + k,
                                 firing.wires, spikes.releases[at])


@inner
def release_axon(source, axon, step, wires, releases):
    """Compute what a spike of an axon releases, for every plastic projection of it."""
    for one in range(wires.plain.shape[0]):
        if wires.plain[one, 0] == source and wires.plain[one, 2]:
            place = wires.state_start[one] + axon
            releases[wires.plain[one, 4]] = call_release(
                wires.release[one], wires.state[place].ctypes.data,
                wires.numbers[one].ctypes.data, float64(step - wires.last[place]))
            wires.last[place] = step


@compiled()
def sort_spikes(events, counts, step, first, who):
    """Sort (step, axon) by step; parts follow each other, and within one steps do by group."""
    for part in range(counts.size):
        for n in range(counts[part]):
            first[events[part, n, 0] - step + 1] += 1
    for k in range(first.size - 1):
        first[k + 1] += first[k]
    at = first.copy()
    for part in range(counts.size):
        for n in range(counts[part]):
            k = events[part, n, 0] - step
            who[at[k]] = events[part, n, 1]
            at[k] += 1
