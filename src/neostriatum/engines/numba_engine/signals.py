"""Levels that are computed while the cells go on, and the constants of kernels that hear them.

Every part computes all of them for itself, from the spikes of the last window that all parts see:
nothing has to be shared, and no thread waits for another. A window is at most as long as the
shortest delay of a release, so what its steps hear is known when it begins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum import jit
from neostriatum.caching import inner
from neostriatum.circuit.modulator import TINY, exact_power
from neostriatum.engines.levels import go_on, hear
from neostriatum.engines.numba_engine.arrays import Courses, Signals
from neostriatum.engines.numba_engine.eligibility import go_on_with_table
from neostriatum.engines.numba_engine.pack import TILE

if TYPE_CHECKING:
    from neostriatum.engines.lowered import LoweredCircuit
    from neostriatum.engines.modulation import Modulation
    from neostriatum.engines.numba_engine.constants import Constants

#: What a term does to a constant: a factor, an addition, a factor over that at the reference.
FACTOR, ADDED, WEIGHT = 0, 1, 2
_KINDS = {"factor": FACTOR, "add": ADDED, "current": ADDED, "weight": WEIGHT}
_go_on, _hear = inner(go_on), inner(hear)


def lay_out_signals(lowered: LoweredCircuit, parts: int) -> Signals:
    """Return the levels of a lowered circuit, at their starts, for every part of the work.

    Nothing where no level is computed. The columns come once the constants are known.
    """
    about = lowered.signals
    count = len(about.names) if len(about.computed) else 0
    lengths = [delay if source >= 0 else 0 for _, _, source, delay in about.plain[:count]]
    start = np.tile(about.starts[:count], (parts, 1))
    pending = np.zeros((parts, sum(lengths)), np.int64)
    return Signals(about.plain[:count], about.numbers[:count], start, start.copy(),
                   np.zeros((parts, count)), pending, np.cumsum([0, *lengths]),
                   *columns_of(lowered, []))


def columns_of(lowered: LoweredCircuit, constants: list[Constants]) -> tuple[np.ndarray, ...]:
    """Return columns, bases, terms and their numbers of all constants that hear computed levels."""
    computed = set(lowered.signals.computed.tolist())
    columns, bases, numbers = [], [], list[tuple[float, ...]]()
    terms: list[Any] = []
    for each in constants:
        for _, base, effects, _ in each.heard:
            columns.append((len(terms), len(terms) + len(effects)))
            bases.append(base)
            for effect in effects:
                terms.append((_KINDS[effect.kind],
                              effect.level if effect.level in computed else -1))
                numbers.append(_numbers(effect))
    return (np.array(columns, np.int64).reshape(-1, 2), np.array(bases, float),
            np.array(terms, np.int64).reshape(-1, 2), np.array(numbers, float).reshape(-1, 5))


def _numbers(effect: Modulation) -> tuple[float, float, float, float, float]:
    """Return amount, power of the half, order or 0, response and factor at the reference."""
    order = half = 0.0
    if effect.curve is not None:
        order = effect.curve.order.value
        half = float(exact_power(np.full(1, effect.curve.half.value), order)[0])
    nothing = effect.nothing
    return effect.amount, half, order, nothing, 1.0 + effect.amount * nothing


def courses_of(lowered: LoweredCircuit, constants: list[Constants], tables: list[np.ndarray],
               steps: range, parts: int) -> Courses:
    """Return what the levels of a stretch of steps need, and its constants for every part.

    Parameters
    ----------
    lowered : LoweredCircuit
        The lowered circuit.
    constants : list of Constants
        By population.
    tables : list of numpy.ndarray
        The constants of every population that hears a computed level.
    steps : range
        The steps.
    parts : int
        Parts of the work.
    """
    whole = np.array(steps, np.int64)
    times, places, start = (whole - lowered.warmup) * lowered.dt, [], 0
    hearing = [each for each in constants if each.heard]
    given = [np.zeros((len(steps), 0))]
    for each in hearing:
        own = each.given(whole)
        given.append(np.broadcast_to(own, (len(steps), own.shape[1])))
    for each, table in zip(hearing, tables, strict=True):
        places += [(start + column, table.shape[1]) for column, *_ in each.heard]
        start += table.size
    joined = np.concatenate([np.zeros(0, tables[0].dtype if tables else float),
                             *(table.ravel() for table in tables)])
    given_levels = lowered.signals.given(times).T.copy()
    return Courses(given_levels,
                   lowered.signals.released(times, lowered.dt).T.copy(),
                   np.concatenate(given, axis=1),
                   np.tile(joined, (parts, 1)), np.array(places, np.int64).reshape(-1, 2),
                   given_levels.copy())


@inner
def signal_window(window, last, net, courses, lessons):
    """Compute the levels of a window and write what hears them: constants, tables of learning.

    ``last`` is the first step of the window before, whose spikes are noted.
    """
    signals, part, step0, done = net.signals, window.part, window.step0, window.done
    if signals.plain.shape[0] == 0:
        for k in range(window.count):
            go_on_with_table(part, step0 + k, done + k, net, lessons)
        return
    if last < step0:
        count_spikes(signals.pending[part], last, window, net)
        end_step(part, step0 - 1, done - 1, signals, courses)
    for k in range(window.count):
        if k > 0:
            end_step(part, step0 + k - 1, done + k - 1, signals, courses)
        _hear(signals.plain, signals.states[part], courses.given[done + k], signals.heard[part])
        for level in range(signals.plain.shape[0] if part == 0 else 0):
            courses.levels[done + k, level] = signals.heard[part, level]
        write_constants(part, done + k, signals, courses)
        go_on_with_table(part, step0 + k, done + k, net, lessons)


@inner
def count_spikes(pending, last, window, net):
    """Count the spikes of every step of the last window for all levels that they release."""
    signals, tiles = net.signals, net.tiles
    found, counts = net.emitted.found[1 - window.phase], net.emitted.counts[1 - window.phase]
    for level in range(signals.plain.shape[0]):
        source, start = signals.plain[level, 2], signals.pending_at[level]
        length = signals.pending_at[level + 1] - start
        if length == 0:
            continue
        for step in range(last, window.step0):
            pending[start + step % length] = 0
        for tile in range(counts.size):
            if tiles.population[tile] == source:
                for n in range(counts[tile]):
                    pending[start + (last + found[tile, n] // TILE) % length] += 1


@inner
def end_step(part, step, row, signals, courses):
    """Take all levels of a part from a step to the next."""
    released = signals.released[part]
    for level in range(released.size):
        released[level] = courses.released[row, level]
        start = signals.pending_at[level]
        length = signals.pending_at[level + 1] - start
        if length > 0:
            released[level] = signals.pending[part, start + (step + 1) % length]
    _go_on(signals.plain, signals.numbers, signals.states[part], signals.heard[part], released)


@inner
def write_constants(part, row, signals, courses):
    """Write the constants of one step that hear computed levels."""
    for column in range(signals.columns.shape[0]):
        factor, more, adds = 1.0, 0.0, False
        for term in range(signals.columns[column, 0], signals.columns[column, 1]):
            kind, level = signals.terms[term, 0], signals.terms[term, 1]
            amount = signals.term_numbers[term, 0]
            f = courses.heard[row, term]
            if level >= 0:
                f = response(signals.heard[part, level], signals.term_numbers[term])
                if kind != WEIGHT:
                    f = f - signals.term_numbers[term, 3]
            if kind == FACTOR:
                factor = factor * (1.0 + amount * f)
            elif kind == ADDED:
                more, adds = more + amount * f, True
            else:
                factor = factor * ((1.0 + amount * f) / signals.term_numbers[term, 4])
        value = signals.bases[column] * factor
        if adds:
            value = value + more
        place = courses.places[column, 0] + row * courses.places[column, 1]
        courses.constants[part, place] = jit.like(courses.constants[0, 0], value)


@inner
def response(level, numbers):
    """Return a level, or the curve of it, as `circuit.modulator.hill` does."""
    half, order = numbers[1], numbers[2]
    if order == 0.0:
        return level
    above = jit.exp(order * jit.log(max(level, TINY))) if level > TINY else 0.0
    return above / (above + half)
