"""Projections that learn, laid out; what arrives at them in a stretch; their state by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from neostriatum.engines.numba_engine.factors import factor_numbers, factors_address
from neostriatum.engines.regions import levels_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neostriatum.engines.lowered import LoweredCircuit, Projection
    from neostriatum.engines.numba_engine.axons import AxonSpikes

#: Places of the plain numbers of a projection that learns.
PLACES = ("one", "target", "row", "sources", "flush", "parts", "values", "source", "cell", "table",
          "curve", "level", "gate", "soft", "scaled")
AT_LEARNING = {name: place for place, name in enumerate(PLACES)}
#: Places of its other numbers; gains and falls have two, for both exponentials.
NUMBERS = ("low", "high", "down", "up", "left_pre", "left_post", "target", "share", "gain",
           "gain_rise", "left", "left_rise")
AT_NUMBER = {name: place for place, name in enumerate(NUMBERS)}
#: Spikes of a cell between two flushes that there is room for at first.
ROOM = 16


class Learn(NamedTuple):
    """Projections that learn: ``plain`` (q, 15) and ``numbers`` (q, 12) as this module names them.

    ``values`` hold of every synapse its weight and, by exponential, both eligibilities. ``pre``,
    ``last`` (w, n) of sources and ``tables`` (w, n) every part has for itself; ``post``,
    ``counts`` (c,) and ``spikes`` (room, c) of targets only their owner looks at. ``curves`` are
    tables by number of steps: by exponential what spikes add, what arrivals add and what is left,
    then what traces of sources and targets are kept times. ``full`` (w, 2) is the most spikes of a
    cell since a flush, by phase; ``sums`` and ``degrees`` (c,) are of weights, at a flush alone.
    ``learns`` (p,) says whether a population has such synapses.
    """

    plain: np.ndarray
    numbers: np.ndarray
    values: np.ndarray
    pre: np.ndarray
    last: np.ndarray
    tables: np.ndarray
    post: np.ndarray
    counts: np.ndarray
    spikes: np.ndarray
    curves: np.ndarray
    factors: np.ndarray
    factor_numbers: np.ndarray
    out: np.ndarray
    sums: np.ndarray
    degrees: np.ndarray
    full: np.ndarray
    learns: np.ndarray


class Lessons(NamedTuple):
    """What arrives in a stretch: ``first`` (q, steps + 1) by step, ``who``, what was released.

    ``levels`` (steps, q, 2) are those heard and those of gates, where no level is computed. Every
    part keeps of each arrival ``before`` (w, n), the trace of its source, and ``rows`` (w, n, 4):
    its row as of `chains`, and the step of the arrival before.
    """

    first: np.ndarray
    who: np.ndarray
    released: np.ndarray
    levels: np.ndarray
    before: np.ndarray
    rows: np.ndarray


def learners(lowered: LoweredCircuit) -> list[tuple[int, Projection]]:
    """Return the projections that learn, with their numbers."""
    return [(n, each) for n, each in enumerate(lowered.projections) if each.learning is not None]


def lay_out_learning(lowered: LoweredCircuit, rows: np.ndarray, parts: int, dtype: Any) -> Learn:
    """Return the projections that learn at their start.

    Parameters
    ----------
    lowered : LoweredCircuit
        The lowered circuit.
    rows : numpy.ndarray
        First place in the offsets of all projections, by projection.
    parts : int
        Parts of the work.
    dtype : type
        The precision of weights.
    """
    mine: list[tuple[int, Any]] = learners(lowered)  # of which every one learns
    plain, numbers = np.zeros((len(mine), len(PLACES)), np.int64), np.zeros((len(mine),
                                                                             len(NUMBERS)))
    curves, values, sizes = [np.zeros(0)], [np.zeros(0, dtype)], np.zeros(4, np.int64)
    most = max([1, *(len(factor_numbers(each.learning)) for _, each in mine)])
    known = np.zeros((len(mine), most))
    for place, (number, one) in enumerate(mine):
        learning: Any = one.learning
        # The level of a region is given, whatever is computed.
        own = lowered.regions[learning.region - 1] if learning.region else {}
        count, sources = len(learning.taus), lowered.sources(one.source)
        plain[place] = (number, one.target, rows[number], sources, learning.flush, count,
                        sizes[0], sizes[1], sizes[2], sizes[3], sum(map(len, curves)),
                        -1 if learning.level in own else learning.level, learning.gate,
                        learning.soft, learning.scaling is not None)
        left, left_pre, left_post = learning.flushed
        pair = [np.append(each, np.zeros(2 - count)) for each in (learning.gains, left)]
        numbers[place] = (*learning.bounds, left_pre, left_post, *(learning.scaling or (0, 0)),
                          *pair[0], *pair[1])
        curves += [part.ravel() for part in (learning.adds_plus, learning.adds_minus,
                                             learning.falls, learning.pre_rises,
                                             learning.post_rises)]
        own = np.zeros((len(one.targets), 1 + 2 * count), dtype)
        own[:, 0] = learning.start
        values.append(own.ravel())
        sizes += (own.size, sources, lowered.populations[one.target].n,
                  2 * count * (learning.flush + 1))
        known[place, : len(factor_numbers(learning))] = factor_numbers(learning)
    learns = np.zeros(len(lowered.populations), np.bool_)
    learns[[one.target for _, one in mine]] = True
    cells = max(1, int(sizes[2]))
    return Learn(
        plain, numbers, np.concatenate(values), np.zeros((parts, sizes[1])),
        np.zeros((parts, sizes[1]), np.int64), np.zeros((parts, sizes[3])), np.zeros(cells),
        np.zeros(cells, np.int64), np.zeros((ROOM, cells), np.uint16), np.concatenate(curves),
        np.array([factors_address(one.learning.rule) for _, one in mine], np.int64), known,
        np.zeros((parts, 2)), np.zeros(cells), np.zeros(cells, np.int64),
        np.zeros((parts, 2), np.int64), learns)


def levels_of(lowered: LoweredCircuit, stretch: range) -> np.ndarray:
    """Return (steps, q, 2) given levels that are heard and those of gates."""
    mine = learners(lowered)
    times = (np.array(stretch, np.int64) - lowered.warmup) * lowered.dt
    given = tuple(course.at(times) for course in lowered.courses) if mine else ()
    every = (given, *levels_in(lowered.regions, given, times))
    levels = np.zeros((len(stretch), len(mine), 2))
    for place, (_, one) in enumerate(mine):
        learning: Any = one.learning
        heard = every[learning.region]
        levels[:, place, 0], levels[:, place, 1] = heard[learning.level], heard[learning.gate]
    return levels


class Teacher:
    """What was sent to synapses that learn and has not arrived, from stretch to stretch."""

    def __init__(self, lowered: LoweredCircuit, parts: int) -> None:
        mine = learners(lowered)
        self._parts = parts
        self.sent = {number: np.zeros((0, 2), np.int64) for number, _ in mine}
        self.released = {number: np.zeros(0) for number, _ in mine}

    def lessons(self, lowered: LoweredCircuit, plain: np.ndarray, axons: AxonSpikes,
                stretch: range) -> Lessons:
        """Return what arrives in a stretch of steps; ``plain`` is that of the wires."""
        mine, cells, step = learners(lowered), len(lowered.populations), stretch.start
        count = len(stretch)
        first, who, released = np.zeros((len(mine), count + 1), np.int64), [], []
        start = 0
        for place, (number, one) in enumerate(mine):
            learning: Any = one.learning
            begun = axons.first[one.source - cells]
            span = slice(int(begun[0]), int(begun[count]))
            arrive = step + np.repeat(np.arange(count), np.diff(begun)) + learning.delay
            sent = np.concatenate([self.sent[number],
                                   np.stack([arrive, axons.who[span]], axis=1)])
            amounts = np.concatenate([
                self.released[number], axons.releases[span, plain[number, 4]] if one.stp
                else np.ones(len(arrive))])
            now = sent[:, 0] < step + count
            self.sent[number], self.released[number] = sent[~now], amounts[~now]
            who.append(sent[now, 1])
            released.append(amounts[now])
            np.cumsum(np.bincount(sent[now, 0] - step, minlength=count), out=first[place, 1:])
            first[place] += start
            start += int(now.sum())
        shape = (self._parts, start)
        return Lessons(first, np.concatenate([np.zeros(0, np.int64), *who]),
                       np.concatenate([np.zeros(0), *released]), levels_of(lowered, stretch),
                       np.zeros(shape), np.zeros((*shape, 4), np.int64))

    def state(self, lowered: LoweredCircuit) -> dict[str, np.ndarray]:
        """Return what is under way, by name."""
        return {f"{one.name}.learning.{key}": part[number].copy()
                for number, one in learners(lowered)
                for key, part in (("sent", self.sent), ("released", self.released))}

    def restore(self, lowered: LoweredCircuit, state: dict[str, np.ndarray]) -> None:
        """Continue from a `state`."""
        for number, one in learners(lowered):
            self.sent[number] = state[f"{one.name}.learning.sent"].copy()
            self.released[number] = state[f"{one.name}.learning.released"].copy()


def views(lowered: LoweredCircuit, learn: Learn, part: int) -> Iterator[tuple[str, np.ndarray]]:
    """Yield name and view of the state of synapses that learn, as a part has it."""
    for place, (_, one) in enumerate(learners(lowered)):
        at = {name: int(learn.plain[place, AT_LEARNING[name]]) for name in PLACES}
        parts, cells = at["parts"], lowered.populations[one.target].n
        synapses = learn.values[at["values"]:][: len(one.targets) * (1 + 2 * parts)]
        own = synapses.reshape(-1, 1 + 2 * parts).T
        size = 2 * parts * (at["flush"] + 1)
        yield from ((f"{one.name}.learning.{name}", view) for name, view in (
            ("weights", own[0]), ("plus", own[1 : 1 + parts]), ("minus", own[1 + parts :]),
            ("pre", learn.pre[part, at["source"]:][: at["sources"]]),
            ("last", learn.last[part, at["source"]:][: at["sources"]]),
            ("table", learn.tables[part, at["table"]:][:size].reshape(parts, 2, -1)),
            ("post", learn.post[at["cell"]:][:cells]),
            ("counts", learn.counts[at["cell"]:][:cells])))


def spikes_of(lowered: LoweredCircuit, learn: Learn) -> Iterator[tuple[str, slice]]:
    """Yield the name of the spikes of targets since the last flush, and which targets these are."""
    for place, (_, one) in enumerate(learners(lowered)):
        cell = int(learn.plain[place, AT_LEARNING["cell"]])
        yield (f"{one.name}.learning.spikes",
               slice(cell, cell + lowered.populations[one.target].n))


def give_room(learn: Learn, count: int) -> None:
    """Let a cell have this many spikes between two flushes."""
    if count > len(learn.spikes):
        # In place, as the array is part of what compiled code was given.
        learn.spikes.resize((count, learn.spikes.shape[1]), refcheck=False)


def saved_learning(lowered: LoweredCircuit, learn: Learn) -> dict[str, np.ndarray]:
    """Return the state of synapses that learn, by name."""
    state = {name: view.copy() for name, view in views(lowered, learn, 0)}
    return state | {name: learn.spikes[:, cells].T.astype(np.int64)
                    for name, cells in spikes_of(lowered, learn)}


def load_learning(lowered: LoweredCircuit, learn: Learn, state: dict[str, np.ndarray]) -> None:
    """Take over a state that was saved."""
    for part in range(len(learn.pre)):
        for name, view in views(lowered, learn, part):
            view[:] = state[name]
    for name, cells in spikes_of(lowered, learn):
        spikes = state[name].T
        give_room(learn, len(spikes))
        learn.spikes[: len(spikes), cells] = spikes


def weights_now(lowered: LoweredCircuit, learn: Learn, number: int, step: int) -> np.ndarray:
    """Return the weights of a projection as they are when a step begins, and change nothing."""
    from neostriatum.engines.synapses import Synapses

    one = lowered.projections[number]
    mirror = Synapses(one, lowered.sources(one.source), lowered.populations[one.target].n)
    state, name = saved_learning(lowered, learn), f"{one.name}.learning."
    mirror.restore({key: state[name + key].astype(float) if key in ("weights", "plus", "minus")
                    else state[name + key] for key in mirror.parts() if name + key in state})
    return mirror.now(step)
