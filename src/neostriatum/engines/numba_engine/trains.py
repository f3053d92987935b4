"""Compiled twin of the draws of `engines.axons`, bit for bit."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import float64, int64, uint32, uint64

from neostriatum import jit
from neostriatum.caching import compiled, inner
from neostriatum.engines.axons import NEVER


class Numbers(NamedTuple):
    """What trains are drawn with: groups, keys, steps of a block, packets, slow courses.

    ``keys`` (4, 2) are those of own spikes, mothers, copies and slow courses.
    """

    starts: np.ndarray
    channel: np.ndarray
    keys: np.ndarray
    block: int
    packets: float
    sd: float
    kept: float
    new: float


class Stretch(NamedTuple):
    """Blocks from one to the one before another, and the steps that are asked for."""

    block: int
    last: int
    step: int
    count: int


@compiled()
def draw_part(part, meeting, bounds, numbers, chances, slow, at, stretch, events, counts):
    """Draw the spikes of the groups of one part; those that have no room are counted.

    ``slow`` are the courses of block ``at``, and in the end those of the last block.
    """
    low, high = bounds[part], bounds[part + 1]
    normals, uniforms = np.empty(high - low + 8), np.empty(high - low)
    chance, mothers = np.empty(numbers.block), np.empty(numbers.block, np.int64)
    found = int64(0)
    for block in range(min(at + 1, stretch.block), stretch.last):
        if block > at and numbers.sd > 0:
            move_on(low, high, numbers, slow, block, normals)
        if block >= stretch.block:
            found = draw_block(low, high, numbers, chances, slow, block, stretch, uniforms, chance,
                               mothers, events[part], found)
    counts[part] = found


@inner
def move_on(low, high, numbers, slow, block, normals):
    """Let the slow courses of some groups go on to the next block."""
    key0, key1, first = numbers.keys[3, 0], numbers.keys[3, 1], low // 4
    bits, upper = uint32(uint64(block)), uint32(uint64(block) >> uint64(32))
    for four in range(first, (high + 3) // 4):
        w0, w1, w2, w3 = jit.philox(key0, key1, uint32(0), uint32(four), bits, upper)
        place = 4 * (four - first)
        normals[place], normals[place + 1] = jit.normal_pair(w0, w1)
        normals[place + 2], normals[place + 3] = jit.normal_pair(w2, w3)
    for group in range(low, high):
        slow[group] = numbers.kept * slow[group] + numbers.new * normals[group - 4 * first]


@inner
def draw_block(low, high, numbers, chances, slow, block, stretch, uniforms, chance, mothers,
               events, found):
    """Draw the spikes of some groups in a block; return how many there are by now."""
    steps, start = numbers.block, block * numbers.block
    place = start - stretch.block * steps
    key0, key1 = uint64(numbers.keys[0, 0]), uint64(numbers.keys[0, 1])
    bits, upper = uint64(block) & uint64(0xFFFFFFFF), uint64(block) >> uint64(32)
    for n in range(high - low):
        w0, w1, _, _ = jit.philox64(key0, key1, uint64(0), uint64(low + n), bits, upper)
        uniforms[n] = jit.uniform53(uint32(w0), uint32(w1))
    for group in range(low, high):
        factor, channel, largest = 1.0, numbers.channel[group], 0.0
        if numbers.sd > 0:
            factor = jit.exp(numbers.sd * slow[group] - 0.5 * (numbers.sd * numbers.sd))
        for k in range(steps):
            chance[k] = min(chances[channel, place + k] * factor, 1.0)
            largest = max(largest, chance[k])
        own, size = (1.0 - numbers.packets) * largest, (
            numbers.starts[group + 1] - numbers.starts[group])
        slots, begun = size * steps, found
        # Most groups have no event in a block, which their first number tells.
        if own > NEVER and (uniforms[group - low] < slots * own or own >= 1.0):
            slot, draw = next_event(-1, slots, own, numbers.keys[0], 0, group, block)
            while slot < slots:
                k, axon = slot // size, slot % size
                thin = thinning(numbers.keys[0], draw, group, block)
                if thin * largest < chance[k]:
                    found = note(start + k, numbers.starts[group] + axon, stretch, events, found)
                draw += 1
                slot, draw = next_event(slot, slots, own, numbers.keys[0], draw, group, block)
        if numbers.packets > 0 and largest > NEVER:
            found = copy(group, size, start, block, numbers, largest, chance, mothers, stretch,
                         events, begun, found)
    return found


@inner
def copy(group, size, start, block, numbers, largest, chance, mothers, stretch, events, begun,
         found):
    """Add the copies of the spikes of a group's mother train, and put all in order."""
    draw, slot, before = int64(0), int64(-1), found
    slot, draw = next_event(slot, numbers.block, largest, numbers.keys[1], draw, group, block)
    while slot < numbers.block:
        if thinning(numbers.keys[1], draw, group, block) * largest < chance[slot]:
            copied = numbers.packets / (1.0 - (1.0 - numbers.packets) * chance[slot])
            step = start + slot
            axon, each = next_event(-1, size, copied, numbers.keys[2], 0, group, step)
            while axon < size:
                found = note(step, numbers.starts[group] + axon, stretch, events, found)
                axon, each = next_event(axon, size, copied, numbers.keys[2], each + 1, group, step)
        draw += 1
        slot, draw = next_event(slot, numbers.block, largest, numbers.keys[1], draw, group, block)
    if found > before and found <= events.shape[0]:
        found = in_order(events, begun, found)
    return found


@inner
def next_event(slot, slots, chance, key, draw, group, step):
    """Return the slot of the next event (``slots`` if none is left), and the number of its draw."""
    if chance <= NEVER:
        return slots, draw
    left = slots - 1 - slot
    if chance >= 1.0:
        return slot + 1 if left > 0 else slots, draw
    w0, w1, _, _ = jit.philox(key[0], key[1], uint32(draw), uint32(group), uint32(uint64(step)),
                              uint32(uint64(step) >> uint64(32)))
    u = jit.uniform53(w0, w1)
    if not u < left * chance:
        return slots, draw
    jump = np.floor(jit.log(1.0 - u) / jit.log(1.0 - chance))
    if not jump < left:
        return slots, draw
    return slot + 1 + int64(jump), draw


@inner
def thinning(key, draw, group, step):
    """Return the uniform number of an event."""
    _, _, w2, _ = jit.philox(key[0], key[1], uint32(draw), uint32(group), uint32(uint64(step)),
                             uint32(uint64(step) >> uint64(32)))
    return float64(w2) * 2.0**-32


@inner
def note(step, axon, stretch, events, found):
    """Note a spike of a step that is asked for; return how many there are by now."""
    if step < stretch.step or step >= stretch.step + stretch.count:
        return found
    if found < events.shape[0]:
        events[found, 0], events[found, 1] = step, axon
    return found + 1


@inner
def in_order(events, begun, found):
    """Sort the few spikes of a group in a block, and keep equal ones once."""
    for n in range(begun + 1, found):
        step, axon, at = events[n, 0], events[n, 1], n
        while at > begun and (events[at - 1, 0] > step or (
                events[at - 1, 0] == step and events[at - 1, 1] > axon)):
            events[at, 0], events[at, 1] = events[at - 1, 0], events[at - 1, 1]
            at -= 1
        events[at, 0], events[at, 1] = step, axon
    kept = begun
    for n in range(begun, found):
        if n == begun or events[n, 0] != events[kept - 1, 0] or (
                events[n, 1] != events[kept - 1, 1]):
            events[kept, 0], events[kept, 1] = events[n, 0], events[n, 1]
            kept += 1
    return kept
