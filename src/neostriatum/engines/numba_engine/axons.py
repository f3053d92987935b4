"""Spikes of axons, drawn for a stretch of steps before it is simulated, and what they release.

Compiled twin of `engines.axons`, bit for bit. Nothing of it depends on the cells, so every part of
the work draws the groups, and then releases for the axons, that are its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import float64

from neostriatum.caching import compiled, inner
from neostriatum.engines.axons import Trains
from neostriatum.engines.numba_engine.release import call_release
from neostriatum.engines.numba_engine.trains import Numbers, Stretch, draw_part

if TYPE_CHECKING:
    from neostriatum.engines.axons import AxonPopulation
    from neostriatum.engines.numba_engine.arrays import Wires
    from neostriatum.engines.numba_engine.meeting import Crew
    from neostriatum.engines.program import Program


class AxonSpikes(NamedTuple):
    """Spikes of a stretch: ``first`` (a, steps + 1) by population and step, ``who`` (n,) axons.

    ``releases`` (n, w) are those of the plastic projections of its source, in their order.
    """

    first: np.ndarray
    who: np.ndarray
    releases: np.ndarray


class Drawer:
    """Draws the trains of one population for stretches that follow each other."""

    def __init__(self, axons: AxonPopulation) -> None:
        self.change(axons)
        #: The block that the slow courses are of, and these.
        self.at, self.slow = 0, Trains(axons).slow
        self._room = 1024

    def change(self, axons: AxonPopulation) -> None:
        """Go on with other rates."""
        self.axons, groups = axons, axons.groups
        kept, new = axons.keep
        keys = [axons.keys[use] for use in ("own", "mother", "copies", "slow")]
        self._numbers = Numbers(groups.starts, groups.channel, np.array(keys, np.uint32),
                                axons.block, axons.packets,
                                axons.slow[0] if axons.slow else 0.0, kept, new)

    def draw(self, crew: Crew, step: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Return where the spikes of every step begin (and the end), and the axons, in order."""
        first, axons = np.zeros(count + 1, np.int64), self.axons
        if axons.trains is not None:
            when, who = Trains(axons).spikes(step, count)
            np.cumsum(np.bincount(when - step, minlength=count), out=first[1:])
            return first, who
        block, last = step // axons.block, -(-(step + count) // axons.block)
        chances = axons.chances(block * axons.block, max(0, last - block) * axons.block)
        chances = np.ascontiguousarray(chances)
        parts, groups = crew.parts, len(axons.groups)
        bounds = np.arange(parts + 1) * groups // parts
        while True:
            events, counts = np.empty((parts, self._room, 2), np.int64), np.zeros(parts, np.int64)
            slow = self.slow.copy()
            crew.run(draw_part, bounds, self._numbers, chances, slow, self.at,
                     Stretch(block, last, step, count), events, counts)
            if counts.max() <= self._room:
                break
            self._room = int(counts.max()) * 5 // 4
        if last > block:
            self.at, self.slow = last - 1, slow
        who = np.empty(counts.sum(), np.int64)
        sort_spikes(events, counts, step, first, who)
        return first, who

    def go_to(self, block: int) -> None:
        """Let the slow courses go on to a block."""
        trains = Trains(self.axons)
        trains.at, trains.slow = self.at, self.slow
        trains.go_to(block)
        self.at, self.slow = trains.at, trains.slow


def spikes_of(drawers: list[Drawer], program: Program, wires: Wires, crew: Crew, step: int,
              count: int) -> AxonSpikes:
    """Return the spikes of all axons in a stretch of steps; what they release is used up then."""
    drawn = [drawer.draw(crew, step, count) for drawer in drawers]
    ends = np.cumsum([0, *(len(who) for _, who in drawn)])
    first = np.zeros((len(drawers), count + 1), np.int64)
    for number, (starts, _) in enumerate(drawn):
        first[number] = starts + ends[number]
    who = np.concatenate([np.zeros(0, np.int64), *(axons for _, axons in drawn)])
    width = int(wires.plain[:, 5].max(initial=0)) if drawers else 0
    releases = np.zeros((len(who), width))
    if len(who) and width:
        sizes = np.array([axons.n for axons in program.axons], np.int64)
        crew.run(release_part, len(program.populations), sizes, crew.parts, wires, step, first,
                 who, releases)
    return AxonSpikes(first, who, releases)


@compiled(_nrt=False)
def release_part(part, meeting, cells, sizes, parts, wires, step, first, who, releases):
    """Compute what the spikes of the axons of one part release."""
    for number in range(sizes.size):
        low, high = sizes[number] * part // parts, sizes[number] * (part + 1) // parts
        for k in range(first.shape[1] - 1):
            for at in range(first[number, k], first[number, k + 1]):
                if low <= who[at] < high:
                    release_axon(cells + number, who[at], step + k, wires, releases[at])


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
