"""Levels that are computed while a run goes on: lowered, and taken from step to step.

`go_on` is plain Python on arrays; the fast engine compiles it, so that both have the same bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.circuit.clock import steps
from neostriatum.circuit.course import AmountCourse
from neostriatum.circuit.signals import start_level

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neostriatum.circuit.model import Circuit
    from neostriatum.engines.population import Population

#: Kinds of levels.
GIVEN, RELEASED, FOLLOWS, CONCENTRATION, OCCUPIED = range(5)
_KINDS = {None: GIVEN, "released_by": RELEASED, "follows": FOLLOWS, "uptake": CONCENTRATION,
          "occupied_by": OCCUPIED}


@dataclass(frozen=True)
class Levels:
    """The levels of all modulators of a circuit, in its order.

    Parameters
    ----------
    names : tuple of str
        Their names.
    starts : numpy.ndarray
        (l,) what they start with.
    plain : numpy.ndarray
        (l, 4) kind, the level that it hears, the population that releases it or -1, and how many
        steps after a spike it is heard.
    numbers : numpy.ndarray
        (l, 3) what `go_on` is given.
    courses : tuple
        By level: the time course that it has or is clamped to, or None.
    rates : tuple
        By level: the time course of the rate of release [Hz], or None.
    """

    names: tuple[str, ...]
    starts: np.ndarray
    plain: np.ndarray
    numbers: np.ndarray
    courses: tuple[Any, ...]
    rates: tuple[Any, ...]

    @property
    def computed(self) -> np.ndarray:
        """Numbers of the levels that are not given, clamped ones among them."""
        return np.flatnonzero(self.plain[:, 0] != GIVEN)

    @property
    def free(self) -> tuple[str, ...]:
        """Names of the computed levels that are not clamped."""
        return tuple(self.names[level] for level in self.computed if self.courses[level] is None)

    def given(self, times_ms: np.ndarray) -> np.ndarray:
        """Return (l, t) what courses say at some times, NaN where a level is computed."""
        values = np.full((len(self.names), len(times_ms)), np.nan)
        for level, course in enumerate(self.courses):
            if course is not None:
                values[level] = course.at(times_ms)
        return values

    def released(self, times_ms: np.ndarray, dt: float) -> np.ndarray:
        """Return (l, t) what rates release in a step at some times, 0 where spikes do."""
        values = np.zeros((len(self.names), len(times_ms)))
        for level, rate in enumerate(self.rates):
            if rate is not None:
                values[level] = rate.at(times_ms) * (dt / 1000.0)
        return values


def lower_levels(circuit: Circuit, populations: Sequence[Population]) -> Levels:
    """Return the levels of a circuit on populations.

    A level that a population without cells releases is held at its start.
    """
    sizes = {pop.name: (number, pop.n) for number, pop in enumerate(populations)}
    index = {name: number for number, name in enumerate(circuit.modulators)}
    plain, numbers = np.full((len(index), 4), -1, np.int64), np.zeros((len(index), 3))
    starts = np.array([start_level(circuit, name) for name in index])
    for level, modulator in enumerate(circuit.modulators.values()):
        source, size = sizes.get(modulator.released_by or "", (-1, 0))
        kind = GIVEN if modulator.released_by and not size else _KINDS[modulator.kind]
        heard = modulator.follows or modulator.occupied_by
        delay = steps(modulator.delay.value, circuit.dt.value) if modulator.delay else 0
        plain[level] = kind, index.get(heard or "", -1), source, delay
        numbers[level] = _numbers(modulator, kind, size, circuit.dt.value)
    courses = tuple(held(start) if each.level is None and kind == GIVEN else each.level
                    for each, kind, start in zip(circuit.modulators.values(), plain[:, 0], starts,
                                                 strict=True))
    rates = tuple(each.rate for each in circuit.modulators.values())
    return Levels(tuple(index), starts, plain, numbers, courses, rates)


def held(level: float) -> Any:
    """Return the time course of a level that never changes."""
    return AmountCourse(constant=level)


def _numbers(modulator: Any, kind: int, size: int, dt: float) -> tuple[float, float, float]:
    # Of the kinds of Modulator, whose check says which of its fields are there.
    if kind == RELEASED:
        tau, tonic = modulator.tau.value, modulator.tonic.value / 1000.0
        return float(np.exp(-dt / tau)), 1.0 / (size * tonic * tau), 0.0
    if kind == FOLLOWS:
        return float(-np.expm1(-dt / modulator.tau.value)), 0.0, 0.0
    if kind == CONCENTRATION:
        uptake, shares = modulator.uptake, max(size, 1)
        return (uptake.v_max.value / 1000.0 * dt, uptake.k_m.value,
                modulator.per_spike.value / shares)
    if kind == OCCUPIED:
        off = modulator.k_off.value / 1000.0 * dt
        full = 1.0 if modulator.full is None else modulator.full.value
        on = off / modulator.ec50.value
        return on, off, full
    return 0.0, 0.0, 0.0


def go_on(plain: np.ndarray, numbers: np.ndarray, states: np.ndarray, levels: np.ndarray,
          released: np.ndarray) -> None:
    """Take the states of all levels from one step to the next, all from their values before.

    Parameters
    ----------
    plain, numbers : numpy.ndarray
        As `Levels` has them.
    states : numpy.ndarray
        (l,) changed in place.
    levels : numpy.ndarray
        (l,) the levels that are heard at the step that ends.
    released : numpy.ndarray
        (l,) spikes, or events of a rate, that are heard from the next step on.
    """
    for level in range(plain.shape[0]):
        kind, heard, first, second = (plain[level, 0], plain[level, 1], numbers[level, 0],
                                      numbers[level, 1])
        if kind == RELEASED:
            states[level] = states[level] * first + released[level] * second
        elif kind == FOLLOWS:
            states[level] = states[level] + first * (levels[heard] - states[level])
        elif kind == CONCENTRATION:
            more = released[level] * numbers[level, 2]
            states[level] = (states[level] + more) / (1.0 + first / (second + states[level]))
        elif kind == OCCUPIED:
            bound = first * levels[heard]
            states[level] = (states[level] + bound / numbers[level, 2]) / (1.0 + bound + second)


def hear(plain: np.ndarray, states: np.ndarray, given: np.ndarray, levels: np.ndarray) -> None:
    """Write the levels that are heard: those given, clamped ones among them, and the states.

    ``given`` (l,) is NaN where a level is computed; a clamped state takes the value of its clamp.
    """
    for level in range(plain.shape[0]):
        if given[level] == given[level]:
            states[level] = given[level]
        levels[level] = states[level]
        if plain[level, 0] == OCCUPIED and not levels[level] <= 1.0:
            levels[level] = 1.0


def ahead(levels: Levels, states: np.ndarray, time_ms: float) -> list[float]:
    """Return the levels that a step will hear from states, which stay as they are."""
    states, heard = states.copy(), states.copy()
    hear(levels.plain, states, levels.given(np.array([time_ms]))[:, 0], heard)
    return heard.tolist()


class Signals:
    """The levels of a run, step by step.

    Parameters
    ----------
    levels : Levels
        The lowered levels.
    """

    def __init__(self, levels: Levels) -> None:
        self.about = levels
        self.states = levels.starts.copy()
        self.heard = levels.starts.copy()
        #: By level: spikes of the last steps, those of step n at n modulo their number.
        self.spikes = [np.zeros(max(0, delay), np.int64) if source >= 0 else np.zeros(0, np.int64)
                       for source, delay in levels.plain[:, 2:]]

    def begin(self, time_ms: float) -> tuple[float, ...]:
        """Return the levels that are heard at a step."""
        hear(self.about.plain, self.states, self.about.given(np.array([time_ms]))[:, 0],
             self.heard)
        return tuple(self.heard.tolist())

    def end(self, step: int, time_ms: float, dt: float, spikes: Sequence[int]) -> None:
        """Take the levels to the next step, after this many spikes of every population."""
        plain = self.about.plain
        released = self.about.released(np.array([time_ms]), dt)[:, 0]
        for level, pending in enumerate(self.spikes):
            if len(pending):
                pending[step % len(pending)] = spikes[plain[level, 2]]
                released[level] = pending[(step + 1) % len(pending)]
        go_on(plain, self.about.numbers, self.states, self.heard, released)

    def parts(self) -> dict[str, np.ndarray]:
        """Return the arrays that the future depends on, by name."""
        return parts_of(self.about, self.states, self.spikes)


def parts_of(levels: Levels, states: np.ndarray, spikes: list[np.ndarray]) -> dict[str, np.ndarray]:
    """Return views of the states and of the pending spikes of computed levels, by name."""
    parts = {}
    for level in levels.computed:
        name = f"modulators.{levels.names[level]}"
        parts[f"{name}.level"] = states[level : level + 1]
        if len(spikes[level]):
            parts[f"{name}.released"] = spikes[level]
    return parts
