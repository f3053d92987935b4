"""The trains of axons: a function of seed, population, axon and step alone.

Time goes in blocks of whole steps, 1 ms as nearly as these allow, from the start of the warm-up.
In a block a group has one value of its slow course. Its axons times the steps are slots, and one
goes from event to event by geometric jumps, so at most one spike falls into a slot. Where the rate
changes within a block, the jumps have its largest value and events are thinned.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum import rng
from neostriatum.circuit.clock import steps
from neostriatum.errors import BuildError
from neostriatum.network.groups import groups_of

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit
    from neostriatum.network.groups import Groups
    from neostriatum.network.network import Network

#: Below this probability [per slot] a rate is none.
NEVER = 1e-15


@dataclass(frozen=True)
class AxonPopulation:
    """Axons, lowered: groups, rates, and the keys of their draws.

    ``courses`` are the rates by number of channel [Hz]; ``slow`` the standard deviation of the
    logarithm and the time constant [ms]; ``trains`` sorted steps from the end of the warm-up and
    axons of recorded trains, which have none of these.
    """

    name: str
    n: int
    groups: Groups
    courses: tuple[Any, ...]
    slow: tuple[float, float] | None
    packets: float
    dt: float
    warmup: int
    keys: dict[str, tuple[int, int]]
    trains: tuple[np.ndarray, np.ndarray] | None = None

    @property
    def block(self) -> int:
        """Steps of a block."""
        return max(1, round(1.0 / self.dt))

    @property
    def keep(self) -> tuple[float, float]:
        """What a block leaves of a slow course, and the deviation of what is new."""
        if self.slow is None:
            return 1.0, 0.0
        kept = float(rng.exp(np.array([-self.block * self.dt / self.slow[1]]))[0])
        return kept, float(np.sqrt(1.0 - kept * kept))

    @cached_property
    def sizes(self) -> np.ndarray:
        """Axons of every group."""
        return np.diff(self.groups.starts)

    def chances(self, first: int, count: int) -> np.ndarray:
        """Return the probability of a spike per step by channel and step, of the mean course."""
        times = (np.arange(first, first + count) - self.warmup) * self.dt
        return np.stack([np.maximum(course.at(times), 0.0) for course in self.courses]) * (
            self.dt / 1000.0)

    def mean_rates(self) -> np.ndarray:
        """Return the mean rate of every axon at the first step [Hz]; 0 of recorded trains."""
        if self.trains is not None:
            return np.zeros(self.n)
        rates = self.chances(0, 1)[:, 0] / (self.dt / 1000.0)
        return np.repeat(rates[self.groups.channel], self.sizes)


class Trains:
    """Draws the trains of a population block by block; the slow courses are its only state."""

    def __init__(self, axons: AxonPopulation) -> None:
        self.axons = axons
        #: The block that the slow courses are of, and these: standard normal variables.
        self.at = 0
        self.slow = rng.normals(axons.keys["slow"], len(axons.groups), 0)
        # Spikes of the last block that was drawn, for engines that go step by step.
        self._drawn: tuple[int, np.ndarray] | None = None

    def change(self, axons: AxonPopulation) -> None:
        """Go on with other rates."""
        self.axons, self._drawn = axons, None

    def restart(self, step: int, slow: np.ndarray) -> None:
        """Go on from a step, with the slow courses of its block."""
        self.at, self.slow, self._drawn = step // self.axons.block, slow, None

    def go_to(self, block: int) -> None:
        """Let the slow courses go on to a block."""
        self.courses(block)

    def courses(self, block: int) -> np.ndarray:
        """Let the slow courses go on to a block; return those of all blocks from this one to it."""
        count = max(block - self.at, 0)
        courses = np.repeat(self.slow[None], count + 1, axis=0)
        if self.axons.slow is not None and count:
            kept, new = self.axons.keep
            steps = np.arange(self.at + 1, block + 1)[:, None]
            draws = rng.normals(self.axons.keys["slow"], len(self.slow), steps)
            for n, draw in enumerate(draws):
                courses[n + 1] = kept * courses[n] + new * draw
        self.at, self.slow = block, courses[-1].copy()
        return courses

    def spikes(self, first: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Return steps and axons of the spikes of ``count`` steps, sorted; never go back."""
        axons, last = self.axons, first + count
        if axons.trains is not None:
            when, who = axons.trains
            low, high = np.searchsorted(when, [first - axons.warmup, last - axons.warmup])
            pairs = np.unique(np.stack([when[low:high] + axons.warmup, who[low:high]]), axis=1)
            return pairs[0], pairs[1]
        found = [np.zeros((2, 0), np.int64)]
        for block in range(first // axons.block, -(-last // axons.block)):
            if self._drawn is None or self._drawn[0] != block:
                self.go_to(block)
                self._drawn = block, self._block(block)
            found.append(self._drawn[1])
        step, axon = np.concatenate(found, axis=1)
        inside = (step >= first) & (step < last)
        order = np.lexsort([axon[inside], step[inside]])
        return step[inside][order], axon[inside][order]

    def _block(self, block: int) -> np.ndarray:
        """Return (step, axon) of the spikes of a block, in no order."""
        axons = self.axons
        start, groups = block * axons.block, np.arange(len(axons.groups))
        chance = axons.chances(start, axons.block)[axons.groups.channel]
        if axons.slow is not None:
            sd = axons.slow[0]
            chance = chance * rng.exp(sd * self.slow - 0.5 * (sd * sd))[:, None]
        chance = np.minimum(chance, 1.0)
        largest = chance.max(axis=1)
        own = 1.0 - axons.packets
        group, slot, thin = _jumps(axons.keys["own"], groups, np.full(len(groups), block),
                                   own * largest, axons.sizes * axons.block)
        step, axon = slot // axons.sizes[group], slot % axons.sizes[group]
        kept = thin * largest[group] < chance[group, step]
        found = [np.stack([start + step, axons.groups.starts[group] + axon])[:, kept]]
        if axons.packets:
            found.append(self._copies(start, block, chance, largest))
        # A spike of its own may fall on a copy.
        return np.unique(np.concatenate(found, axis=1), axis=1)

    def _copies(self, start: int, block: int, chance: np.ndarray,
                largest: np.ndarray) -> np.ndarray:
        """Return (step, axon) of the copies of the spikes of the mother trains.

        An axon's slot is a copy of its mother's with the probability of packets, else its own. Own
        spikes were drawn in all slots, so a mother's spike makes others fire a little more often.
        """
        axons, share = self.axons, self.axons.packets
        groups = np.arange(len(axons.groups))
        mother, step, thin = _jumps(axons.keys["mother"], groups, np.full(len(groups), block),
                                    largest, np.full(len(groups), axons.block))
        kept = thin * largest[mother] < chance[mother, step]
        mother, step = mother[kept], step[kept]
        copied = share / (1.0 - (1.0 - share) * chance[mother, step])
        event, axon, _ = _jumps(axons.keys["copies"], mother, start + step, copied,
                                axons.sizes[mother])
        return np.stack([start + step[event], axons.groups.starts[mother[event]] + axon])


class Players:
    """The trains of all axons, step by step or in stretches, and how many spikes they had.

    ``counts`` are those after the warm-up, by population.
    """

    kind: type[Trains] = Trains

    def __init__(self, axons: tuple[AxonPopulation, ...]) -> None:
        self.trains: list[Any] = [self.kind(each) for each in axons]
        self.counts = {each.name: 0 for each in axons}

    def spikes(self, first: int, count: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return steps and axons of the spikes of ``count`` steps, by population."""
        drawn = [trains.spikes(first, count) for trains in self.trains]
        for trains, (when, _) in zip(self.trains, drawn, strict=True):
            late = when >= trains.axons.warmup
            self.counts[trains.axons.name] += int(late.sum())
        return drawn

    def change(self, axons: tuple[AxonPopulation, ...]) -> None:
        """Go on with other rates."""
        for trains, each in zip(self.trains, axons, strict=True):
            trains.change(each)

    def state(self, step: int) -> dict[str, np.ndarray]:
        """Return the slow courses at a step, and the counts, by name."""
        for trains in self.trains:
            trains.go_to(step // trains.axons.block)
        return {**{f"axons.{each.axons.name}.slow": each.slow.copy() for each in self.trains},
                **{f"axons.{name}.spikes": np.array(count)
                   for name, count in self.counts.items()}}

    def restore(self, step: int, state: dict[str, np.ndarray]) -> None:
        """Continue from a `state` at a step."""
        for trains in self.trains:
            trains.restart(step, state[f"axons.{trains.axons.name}.slow"].copy())
        self.counts |= {name: int(state[f"axons.{name}.spikes"]) for name in self.counts}


def _jumps(key: tuple[int, int], group: np.ndarray, step: np.ndarray, chance: np.ndarray,
           slots: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Let each slot of each row have an event with a probability of the row.

    Returns
    -------
    tuple
        Row and slot of every event, and a uniform number of it.
    """
    at, rows, draw = np.full(len(group), -1), np.flatnonzero(chance > NEVER), 0
    row, slot, uniform = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0)]
    while len(rows):
        words = rng.philox(key, draw, group[rows], step[rows])
        u, p = rng.uniform53(words[0], words[1]), chance[rows]
        left = slots[rows] - 1 - at[rows]
        # That an event comes at all is at most as likely as slots times chance.
        near = (u < left * p) | (p >= 1.0)
        rows, words, u, p, left = rows[near], words[:, near], u[near], p[near], left[near]
        sure = p >= 1.0
        jump = np.floor(rng.log(1.0 - u) / rng.log(np.where(sure, 0.5, 1.0 - p)))
        jump = np.where(sure, 0.0, jump)
        hit = jump < left
        rows = rows[hit]
        at[rows] += 1 + jump[hit].astype(np.int64)
        row.append(rows)
        slot.append(at[rows])
        uniform.append(rng.uniform32(words[2][hit]))
        draw += 1
    return np.concatenate(row), np.concatenate(slot), np.concatenate(uniform)


def lower_axons(circuit: Circuit, network: Network, seed: int) -> tuple[AxonPopulation, ...]:
    """Return the axons of a circuit in its order.

    Raises
    ------
    BuildError
        A recorded train of an axon that does not exist.
    """
    lowered = []
    for name, axons in circuit.axons.items():
        size = network.axons[name]
        groups = groups_of(name, axons, size, network.volume_mm3)
        trains = None
        if axons.recorded is not None:
            trains = _recorded(circuit, name, axons.recorded.events, size)
        slow = (axons.slow.sd.value, axons.slow.tau.value) if axons.slow is not None else None
        keys = {use: rng.stream(seed, f"axon {use}", name)
                for use in ("own", "mother", "copies", "slow")}
        courses = tuple(axons.courses.values())
        packets = axons.packets.value if axons.packets is not None else 0.0
        lowered.append(AxonPopulation(
            name, size, groups, courses, slow, packets, circuit.dt.value,
            steps(circuit.warmup.value, circuit.dt.value), keys, trains))
    return tuple(lowered)


def _recorded(circuit: Circuit, name: str, events: tuple[np.ndarray, np.ndarray],
              size: int) -> tuple[np.ndarray, np.ndarray]:
    times, ids = events
    if len(ids) and ids.max() >= size:
        msg = (f"{circuit.name}: axons.{name}.recorded: ids must be below the {size} axons "
               f"(got {ids.max()})")
        raise BuildError(msg)
    when = np.array([steps(time, circuit.dt.value) for time in times], np.int64)
    return when, ids
