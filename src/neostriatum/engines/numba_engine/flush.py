"""Flushes: all synapses that learn are brought up to date, and their steps counted anew."""

from __future__ import annotations

from numba import float64, int64, uintp

from neostriatum import jit
from neostriatum.caching import inner
from neostriatum.engines.numba_engine.delivery import first_at_least
from neostriatum.engines.numba_engine.eligibility import (
    begin_row,
    bring,
    bring_with_rise,
    limits_of,
)
from neostriatum.engines.numba_engine.learning import AT_LEARNING, AT_NUMBER
from neostriatum.engines.numba_engine.pack import TILE

_TARGET, _ROW, _SOURCES, _FLUSH, _PARTS, _VALUES, _SOURCE, _CELL, _TABLE, _SCALED = (
    AT_LEARNING[name] for name in ("target", "row", "sources", "flush", "parts", "values",
                                   "source", "cell", "table", "scaled"))
_LOW, _HIGH, _LEFT_PRE, _LEFT_POST, _MEAN, _SHARE, _LEFT = (
    AT_NUMBER[name] for name in ("low", "high", "left_pre", "left_post", "target", "share",
                                 "left"))


@inner
def until_flush(step, learn):
    """Return the steps from one to the next flush of any projection."""
    most = int64(2**62)
    for q in range(learn.plain.shape[0]):
        most = min(most, learn.plain[q, _FLUSH] - step % learn.plain[q, _FLUSH])
    return most


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
    stride, values, left = uintp(1 + 2 * parts), learn.values, numbers[_LEFT]
    targets, cells, limits = wires.targets, uintp(plain[_CELL]), limits_of(q, learn)
    base = uintp(plain[_VALUES]) - uintp(wires.offsets[plain[_ROW]]) * stride
    for source in range(plain[_SOURCES]):
        start, stop = wires.offsets[plain[_ROW] + source], wires.offsets[plain[_ROW] + source + 1]
        start = first_at_least(wires.targets, start, stop, low)
        last, before = (learn.last[part, plain[_SOURCE] + source],
                        learn.pre[part, plain[_SOURCE] + source])
        stop = first_at_least(wires.targets, start, stop, high)
        place = (part, q, plain[_FLUSH])
        event = begin_row(place, (last, before), learn)
        for k in range(uintp(start), uintp(stop)):
            at, cell = base + k * stride, cells + uintp(targets[k])
            if parts == 1:
                bring(part, (at, cell), event, limits, learn)
                for trace in range(at + uintp(1), at + uintp(3)):
                    values[trace] = jit.like(values[0], float64(values[trace]) * left)
            else:
                bring_with_rise(place, (at, cell), event, limits, learn)
                for each in range(4):
                    trace = at + uintp(1 + each)
                    values[trace] = jit.like(values[0], float64(
                        values[trace]) * numbers[_LEFT + each % 2])
    if plain[_SCALED] and own[0] < own[1]:
        scale_weights(q, low, high - TILE + net.tiles.used[own[1] - 1], net)


@inner
def scale_weights(q, low, high, net):
    """Move the mean weight of every cell between two places towards a target."""
    learn, wires, plain, numbers = net.learn, net.wires, net.learn.plain[q], net.learn.numbers[q]
    values, sums, degrees = learn.values, learn.sums, learn.degrees
    stride = 1 + 2 * plain[_PARTS]
    base = plain[_VALUES] - wires.offsets[plain[_ROW]] * stride
    for cell in range(plain[_CELL] + low, plain[_CELL] + high):
        sums[cell], degrees[cell] = 0.0, 0
    for scaling in range(2):
        for source in range(plain[_SOURCES]):
            row = plain[_ROW] + source
            start, stop = wires.offsets[row], wires.offsets[row + 1]
            start = first_at_least(wires.targets, start, stop, low)
            while start < stop and wires.targets[start] < high:
                at, cell = base + start * stride, plain[_CELL] + wires.targets[start]
                if scaling:
                    mean = sums[cell] / degrees[cell]
                    moved = float64(values[at]) * (
                        1.0 + numbers[_SHARE] * (numbers[_MEAN] - mean) / max(mean, 1e-9))
                    values[at] = jit.like(values[0], min(max(moved, numbers[_LOW]),
                                                         numbers[_HIGH]))
                else:
                    sums[cell] += float64(values[at])
                    degrees[cell] += 1
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
    for each in range(2 * plain[_PARTS]):
        learn.tables[part, plain[_TABLE] + each * (plain[_FLUSH] + 1)] = 0.0
