"""Compiled twin of `engines.synapses`, bit for bit in double precision.

A synapse is touched only by the part that owns the tile of its target. What depends on sources and
levels alone, every part computes for itself.
"""

from __future__ import annotations

import numpy as np
from numba import float64, int64, uintp

from neostriatum import jit
from neostriatum.caching import inner, woven
from neostriatum.engines.numba_engine.factors import call_factors
from neostriatum.engines.numba_engine.learning import AT_LEARNING, AT_NUMBER
from neostriatum.engines.numba_engine.pack import COLUMN, TILE

(_ONE, _TARGET, _ROW, _FLUSH, _PARTS, _VALUES, _SOURCE, _CELL, _TABLE, _CURVE, _LEVEL, _GATE,
 _SOFT) = (AT_LEARNING[name] for name in (
     "one", "target", "row", "flush", "parts", "values", "source", "cell", "table", "curve",
     "level", "gate", "soft"))
_LOW, _HIGH, _DOWN, _UP, _GAIN = (AT_NUMBER[name] for name in ("low", "high", "down", "up", "gain"))
_C, _T = uintp(COLUMN), uintp(TILE)
#: Unsigned places are used as they are; those with a sign are tested for counting from the end.
_1, _2, _3, _4 = uintp(1), uintp(2), uintp(3), uintp(4)


@inner
def go_on_with_table(part, step, row, net, lessons):
    """Add what the levels of a step make of eligibilities to the tables of a part."""
    learn, signals = net.learn, net.signals
    for q in range(learn.plain.shape[0]):
        plain, numbers = learn.plain[q], learn.numbers[q]
        level, gate = lessons.levels[row, q, 0], lessons.levels[row, q, 1]
        if signals.plain.shape[0] > 0:
            if plain[_LEVEL] >= 0:
                level = signals.heard[part, plain[_LEVEL]]
            if plain[_GATE] >= 0:
                gate = signals.heard[part, plain[_GATE]]
        call_factors(learn.factors[q], learn.factor_numbers[q].ctypes.data,
                     learn.out[part].ctypes.data, level)
        length, now = plain[_FLUSH] + 1, step % plain[_FLUSH]
        falls = plain[_CURVE] + 2 * plain[_PARTS] * length
        for each in range(plain[_PARTS]):
            for sign in range(2):
                more = numbers[_GAIN + each] * learn.out[part, sign]
                if plain[_GATE] >= 0:
                    more = more * gate
                at = plain[_TABLE] + (2 * each + sign) * length + now
                learn.tables[part, at + 1] = learn.tables[part, at] + (
                    more * learn.curves[falls + each * length + now])


@woven
def begin_row(place, former, learn):
    """Return what all synapses of a source have in common at an event, of one exponential.

    These are: what both eligibilities gained, the table and what spikes add, by step, the trace of
    the source, the table now, and the step of the event before. ``place`` is part, projection and
    step, ``former`` that step and that trace.
    """
    (part, q, now), (last, before) = place, former
    plain, tables = learn.plain[q], learn.tables
    length, table = plain[_FLUSH] + 1, plain[_TABLE]
    there = tables[part, table + now]
    return (there - tables[part, table + last],
            tables[part, table + length + now] - tables[part, table + length + last],
            table, plain[_CURVE], before, there, last)


@woven
def limits_of(q, learn):
    """Return the bounds of weights, whether these are soft, and the factors of soft ones."""
    numbers = learn.numbers[q]
    return numbers[_LOW], numbers[_HIGH], learn.plain[q, _SOFT], numbers[_DOWN], numbers[_UP]


@woven
def bring(part, spot, event, limits, learn):
    """Bring one synapse with one exponential up to date; ``spot`` is its place and its cell's."""
    at, cell = spot
    gain_plus, gain_minus, table, adds, before, there, last = event
    values, counts, spikes = learn.values, learn.counts, learn.spikes
    weight, plus = float64(values[at]), float64(values[at + _1])
    gained = plus * gain_plus + float64(values[at + _2]) * gain_minus
    first = counts[cell]
    if first > 0 and spikes[first - 1, cell] >= last:
        while first > 0 and spikes[first - 1, cell] >= last:
            first -= 1
        for number in range(first, counts[cell]):
            when = int64(spikes[number, cell])
            more = before * learn.curves[adds + when]
            gained += more * (there - learn.tables[part, table + when])
            plus += more
        values[at + _1] = jit.like(values[0], plus)
    values[at] = jit.like(values[0], bounded(weight, gained, limits))


@woven
def bring_with_rise(place, spot, event, limits, learn):
    """Bring one synapse with two exponentials up to date; ``spot`` as of `bring`."""
    (part, q, now), (at, cell) = place, spot
    plain, values, tables = learn.plain[q], learn.values, learn.tables
    length, before, last, gained = plain[_FLUSH] + 1, event[4], event[6], 0.0
    for each in range(2):
        table, plus = plain[_TABLE] + 2 * each * length, at + uintp(1 + each)
        gained = gained + (
            float64(values[plus]) * (tables[part, table + now] - tables[part, table + last])
            + float64(values[plus + _2]) * (
                tables[part, table + length + now] - tables[part, table + length + last]))
    first = learn.counts[cell]
    while first > 0 and learn.spikes[first - 1, cell] >= last:
        first -= 1
    for number in range(first, learn.counts[cell]):
        when = int64(learn.spikes[number, cell])
        for each in range(2):
            table, adds = plain[_TABLE] + 2 * each * length, plain[_CURVE] + each * length
            more, plus = before * learn.curves[adds + when], at + uintp(1 + each)
            gained += more * (tables[part, table + now] - tables[part, table + when])
            values[plus] = jit.like(values[0], float64(values[plus]) + more)
    values[at] = jit.like(values[0], bounded(float64(values[at]), gained, limits))


@woven
def bounded(weight, gained, limits):
    """Return a weight that gained something."""
    low, high, soft, down, up = limits
    if soft:
        room = (high - weight) * up if gained > 0 else (weight - low) * down
        gained = gained * room
    return min(max(weight + gained, low), high)


@woven
def bring_row(place, span, former, net):
    """Bring some synapses of a source up to date for what arrives at a step."""
    (part, q, now), (start, stop) = place, span
    learn, plain, values = net.learn, net.learn.plain[q], net.learn.values
    post, targets, cells = learn.post, net.wires.targets, uintp(plain[_CELL])
    length, parts = plain[_FLUSH] + 1, plain[_PARTS]
    stride = uintp(1 + 2 * parts)
    base = uintp(plain[_VALUES]) - uintp(net.wires.offsets[plain[_ROW]]) * stride
    event, limits = begin_row(place, former, learn), limits_of(q, learn)
    adds = learn.curves[plain[_CURVE] + parts * length + now]
    if parts == 1:
        for k in range(uintp(start), uintp(stop)):
            at, cell = base + k * _3, cells + uintp(targets[k])
            bring(part, (at, cell), event, limits, learn)
            values[at + _2] = jit.like(values[0], float64(values[at + _2]) + post[cell] * adds)
        return
    rise = learn.curves[plain[_CURVE] + (parts + 1) * length + now]
    for k in range(uintp(start), uintp(stop)):
        at, cell = base + k * stride, cells + uintp(targets[k])
        bring_with_rise(place, (at, cell), event, limits, learn)
        values[at + _3] = jit.like(values[0], float64(values[at + _3]) + post[cell] * adds)
        values[at + _4] = jit.like(values[0], float64(values[at + _4]) + post[cell] * rise)


@woven
def deliver_learnt(q, spot, span, released, net):
    """Deliver to some synapses what arrives now, times their weights; ``spot`` is tile and slot."""
    (tile, slot), (start, stop) = spot, span
    learn, wires, populations, plain = net.learn, net.wires, net.populations, net.learn.plain[q]
    population, one, stride = plain[_TARGET], plain[_ONE], uintp(1 + 2 * plain[_PARTS])
    values, targets, ring = learn.values, wires.targets, net.ring
    base = uintp(plain[_VALUES]) - uintp(wires.offsets[plain[_ROW]]) * stride
    varied = wires.factor_start[one] >= 0
    factors = uintp(wires.factor_start[one]) - uintp(wires.offsets[plain[_ROW]])
    place = uintp(populations.ring_at[population]) + uintp(
        tile - wires.first_tile[population]) * uintp(populations.ring_stride[population]) + (
        uintp(slot) * uintp(populations.width[population]) * _C)
    # The quantum is a power of two: a product with its inverse is the quotient.
    grains, grain = 1.0 / net.unit[0], net.unit[1]
    for receptor in range(populations.column.shape[1]):
        amount = wires.amounts[one, receptor] * released
        if wires.amounts[one, receptor] == 0:
            continue
        column = place + uintp(populations.column[population, receptor]) * _C
        for k in range(uintp(start), uintp(stop)):
            each = amount
            if varied:
                each = each * float64(wires.factors[factors + k])
            each = each * float64(values[base + k * stride])
            ring[column + uintp(targets[k]) % _T] += jit.like(
                ring[0], np.rint(each * grains) * grain)
