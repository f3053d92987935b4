"""Compiled twin of `engines.synapses`, bit for bit in double precision.

A synapse is touched only by the part that owns the tile of its target. What depends on sources and
levels alone, every part computes for itself.
"""

from __future__ import annotations

import numpy as np
from numba import float64, int64, uintp

from neostriatum import jit
from neostriatum.caching import inner, woven
from neostriatum.engines.numba_engine.delivery import first_at_least
from neostriatum.engines.numba_engine.factors import call_factors
from neostriatum.engines.numba_engine.learning import NUMBERS, PLACES
from neostriatum.engines.numba_engine.pack import COLUMN, TILE

(_ONE, _TARGET, _ROW, _SOURCES, _FLUSH, _PARTS, _VALUES, _SOURCE, _CELL, _TABLE, _CURVE, _LEVEL,
 _GATE, _SOFT, _SCALED) = range(len(PLACES))
(_LOW, _HIGH, _DOWN, _UP, _LEFT_PRE, _LEFT_POST, _MEAN, _SHARE, _GAIN, _GAIN_RISE, _LEFT,
 _LEFT_RISE) = range(len(NUMBERS))
_C = uintp(COLUMN)
#: Arrivals ahead whose synapses are asked for.
AHEAD = 3


@inner
def until_flush(step, learn):
    """Return the steps from one to the next flush of any projection."""
    most = int64(2**62)
    for q in range(learn.plain.shape[0]):
        most = min(most, learn.plain[q, _FLUSH] - step % learn.plain[q, _FLUSH])
    return most


@inner
def most_spikes(learn, phase):
    """Return the most spikes of a cell since a flush, as all parts noted after a window."""
    most = int64(0)
    for part in range(learn.full.shape[0]):
        most = max(most, learn.full[part, phase])
    return most


@inner
def go_on_with_table(part, step, row, net, lessons):
    """Add what the levels of a step make of eligibilities to the tables of a part."""
    learn, signals = net.learn, net.signals
    for q in range(learn.plain.shape[0]):
        plain, numbers = learn.plain[q], learn.numbers[q]
        level, gate = lessons.levels[row, q, 0], lessons.levels[row, q, 1]
        if signals.plain.shape[0] > 0:
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


@inner
def begin_lessons(window, net, lessons):
    """Note of all arrivals of a window what was before them; put traces of sources up."""
    learn, part = net.learn, window.part
    for q in range(learn.plain.shape[0]):
        plain = learn.plain[q]
        length = plain[_FLUSH] + 1
        rises = plain[_CURVE] + 3 * plain[_PARTS] * length
        own = net.work.own[part, plain[_TARGET]]
        low = (own[0] - net.wires.first_tile[plain[_TARGET]]) * TILE
        for k in range(window.count):
            now = (window.step0 + k) % plain[_FLUSH]
            row = window.done + k
            for at in range(lessons.first[q, row], lessons.first[q, row + 1]):
                source = plain[_SOURCE] + lessons.who[at]
                lessons.before[part, at] = learn.pre[part, source]
                lessons.since[part, at] = learn.last[part, source]
                learn.pre[part, source] += learn.curves[rises + now]
                learn.last[part, source] = now
                start = net.wires.offsets[plain[_ROW] + lessons.who[at]]
                stop = net.wires.offsets[plain[_ROW] + lessons.who[at] + 1]
                if low > 0:
                    start = first_at_least(net.wires.targets, start, stop, low)
                lessons.cursor[part, at] = start


@woven
def bring(part, q, at, cell, last, now, before, learn):
    """Bring one synapse up to date; return its weight."""
    plain, numbers, values, tables = learn.plain[q], learn.numbers[q], learn.values, learn.tables
    length, parts = plain[_FLUSH] + 1, plain[_PARTS]
    weight, gained = float64(values[at]), 0.0
    for each in range(parts):
        table = plain[_TABLE] + 2 * each * length
        gained = gained + (
            float64(values[at + 1 + each]) * (
                tables[part, table + now] - tables[part, table + last])
            + float64(values[at + 1 + parts + each]) * (
                tables[part, table + length + now] - tables[part, table + length + last]))
    count = learn.counts[cell]
    first = count
    while first > 0 and learn.spikes[first - 1, cell] >= last:
        first -= 1
    for number in range(first, count):
        when = int64(learn.spikes[number, cell])
        for each in range(parts):
            table, adds = plain[_TABLE] + 2 * each * length, plain[_CURVE] + each * length
            more = before * learn.curves[adds + when]
            gained += more * (tables[part, table + now] - tables[part, table + when])
            values[at + 1 + each] = jit.like(values[0], float64(values[at + 1 + each]) + more)
    if plain[_SOFT]:
        room = (numbers[_HIGH] - weight) * numbers[_UP]
        if not gained > 0:
            room = (weight - numbers[_LOW]) * numbers[_DOWN]
        gained = gained * room
    weight = min(max(weight + gained, numbers[_LOW]), numbers[_HIGH])
    values[at] = jit.like(values[0], weight)
    return float64(values[at])


@woven
def add_minus(q, at, cell, now, learn):
    """Add what an arrival adds to one synapse."""
    plain, values = learn.plain[q], learn.values
    length, parts = plain[_FLUSH] + 1, plain[_PARTS]
    for each in range(parts):
        place, adds = at + 1 + parts + each, plain[_CURVE] + (parts + each) * length
        values[place] = jit.like(values[0], float64(values[place]) + (
            learn.post[cell] * learn.curves[adds + now]))


@inner
def arrive(tile, population, k, window, net, lessons):
    """Bring the synapses of a tile up to date for what arrives at a step, and deliver it."""
    learn, wires, part = net.learn, net.wires, window.part
    populations = net.populations
    first_tile = wires.first_tile[population]
    high, row = (tile + 1 - first_tile) * TILE, window.done + k
    width = uintp(populations.width[population]) * _C
    slot = uintp((window.step0 + k) % window.slots)
    place = uintp(populations.ring_at[population]) + uintp(tile - first_tile) * uintp(
        populations.ring_stride[population]) + slot * width
    for q in range(learn.plain.shape[0]):
        plain = learn.plain[q]
        if plain[_TARGET] != population:
            continue
        one, stride = plain[_ONE], 1 + 2 * plain[_PARTS]
        base = plain[_VALUES] - wires.offsets[plain[_ROW]] * stride
        last = lessons.first[q, window.done + window.count]
        for at in range(lessons.first[q, row], lessons.first[q, row + 1]):
            if at + AHEAD < last:
                soon = lessons.cursor[part, at + AHEAD]
                jit.prefetch(wires.targets, soon)
                for line in range(stride):
                    jit.prefetch(learn.values, base + soon * stride + line * 8)
            start = lessons.cursor[part, at]
            stop = wires.offsets[plain[_ROW] + lessons.who[at] + 1]
            factors = wires.factor_start[one]
            if factors >= 0:
                factors = factors - wires.offsets[plain[_ROW]]
            now = (window.step0 + k) % plain[_FLUSH]
            while start < stop and wires.targets[start] < high:
                cell = wires.targets[start]
                weight = bring(part, q, base + start * stride, plain[_CELL] + cell,
                               lessons.since[part, at], now, lessons.before[part, at], learn)
                add_minus(q, base + start * stride, plain[_CELL] + cell, now, learn)
                for receptor in range(populations.column.shape[1]):
                    amount = wires.amounts[one, receptor]
                    if amount != 0:
                        each = amount * lessons.released[at]
                        if factors >= 0:
                            each = each * float64(wires.factors[factors + start])
                        each = each * weight
                        column = uintp(populations.column[population, receptor]) * _C
                        net.ring[place + column + uintp(cell % TILE)] += jit.like(
                            net.ring[0], np.rint(each / net.unit[0]) * net.unit[1])
                start += 1
            lessons.cursor[part, at] = start


@inner
def note_spikes(tile, population, step, part, phase, before, net):
    """Note the spikes of a tile at a step, those from ``before`` on, for synapses that learn."""
    learn, emitted = net.learn, net.emitted
    first = net.tiles.first[tile]
    for n in range(before, emitted.counts[phase, tile]):
        lane = int64(emitted.found[phase, tile, n]) % TILE
        for q in range(learn.plain.shape[0]):
            plain = learn.plain[q]
            if plain[_TARGET] == population:
                cell = plain[_CELL] + first + lane
                length = plain[_FLUSH] + 1
                learn.spikes[learn.counts[cell], cell] = step % plain[_FLUSH]
                learn.counts[cell] += 1
                rises = plain[_CURVE] + (3 * plain[_PARTS] + 1) * length
                learn.post[cell] += learn.curves[rises + step % plain[_FLUSH]]
                learn.full[part, phase] = max(learn.full[part, phase], learn.counts[cell])


@inner
def flush(step, part, net):
    """Bring all synapses of a part up to date where a flush is due, and count steps anew."""
    learn = net.learn
    for q in range(learn.plain.shape[0]):
        if step % learn.plain[q, _FLUSH] == 0 and step > 0:
            flush_synapses(q, part, net)
            flush_traces(q, part, net)


@inner
def flush_synapses(q, part, net):
    """Bring the synapses of one projection in a part up to date."""
    learn, wires, plain, numbers = net.learn, net.wires, net.learn.plain[q], net.learn.numbers[q]
    own, parts = net.work.own[part, plain[_TARGET]], plain[_PARTS]
    first_tile = wires.first_tile[plain[_TARGET]]
    low, high = (own[0] - first_tile) * TILE, (own[1] - first_tile) * TILE
    stride, values = 1 + 2 * parts, learn.values
    base = plain[_VALUES] - wires.offsets[plain[_ROW]] * stride
    scaled = plain[_SCALED]
    for source in range(plain[_SOURCES]):
        start, stop = wires.offsets[plain[_ROW] + source], wires.offsets[plain[_ROW] + source + 1]
        start = first_at_least(wires.targets, start, stop, low)
        last, before = (learn.last[part, plain[_SOURCE] + source],
                        learn.pre[part, plain[_SOURCE] + source])
        while start < stop and wires.targets[start] < high:
            at, cell = base + start * stride, plain[_CELL] + wires.targets[start]
            weight = bring(part, q, at, cell, last, plain[_FLUSH], before, learn)
            if scaled:
                learn.sums[cell] += weight
                learn.degrees[cell] += 1
            for each in range(parts):
                for place in (at + 1 + each, at + 1 + parts + each):
                    values[place] = jit.like(values[0], float64(values[place]) * (
                        numbers[_LEFT + each]))
            start += 1
    if not scaled:
        return
    for source in range(plain[_SOURCES]):
        start, stop = wires.offsets[plain[_ROW] + source], wires.offsets[plain[_ROW] + source + 1]
        start = first_at_least(wires.targets, start, stop, low)
        while start < stop and wires.targets[start] < high:
            at, cell = base + start * stride, plain[_CELL] + wires.targets[start]
            mean = learn.sums[cell] / learn.degrees[cell]
            moved = float64(values[at]) * (1.0 + numbers[_SHARE] * (numbers[_MEAN] - mean)
                                           / max(mean, 1e-9))
            values[at] = jit.like(values[0], min(max(moved, numbers[_LOW]), numbers[_HIGH]))
            start += 1


@inner
def flush_traces(q, part, net):
    """Count the steps of traces, of spikes and of the table anew."""
    learn, plain, numbers = net.learn, net.learn.plain[q], net.learn.numbers[q]
    own, first_tile = net.work.own[part, plain[_TARGET]], net.wires.first_tile[plain[_TARGET]]
    for source in range(plain[_SOURCE], plain[_SOURCE] + plain[_SOURCES]):
        learn.pre[part, source] *= numbers[_LEFT_PRE]
        learn.last[part, source] = 0
    for tile in range(own[0], own[1]):
        first = plain[_CELL] + (tile - first_tile) * TILE
        for cell in range(first, first + net.tiles.used[tile]):
            learn.post[cell] *= numbers[_LEFT_POST]
            learn.counts[cell] = 0
            learn.sums[cell] = 0.0
            learn.degrees[cell] = 0
    for each in range(2 * plain[_PARTS]):
        learn.tables[part, plain[_TABLE] + each * (plain[_FLUSH] + 1)] = 0.0
