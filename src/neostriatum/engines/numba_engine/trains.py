"""Compiled twin of the draws of `engines.axons`, bit for bit."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import float64, int64, uint32, uint64

from neostriatum import jit
from neostriatum.caching import compiled, inner
from neostriatum.engines.axons import NEVER

#: Places of the keys.
_OWN, _MOTHER, _COPIES, _SLOW = range(4)


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
    """A stretch of steps to draw: its first block and the one past the last, steps, and results.

    ``chances`` (channels, steps of the blocks) are those of the mean course, ``slow`` (g,) the
    courses of the block ``at``. Groups of part p lie between two ``bounds``; their spikes go to
    ``events[p]`` as (step, axon), ``counts`` (p,) of them, which may be more than have room.
    """

    block: int
    last: int
    step: int
    count: int  # type: ignore[assignment]  # nobody counts in a tuple of these
    at: int
    chances: np.ndarray
    slow: np.ndarray
    bounds: np.ndarray
    events: np.ndarray
    counts: np.ndarray


class Job(NamedTuple):
    """What a part of the work draws with; ``chance`` (block,) is that of every step of a block.

    ``largest`` (channels,) is the largest of the mean course in a block, ``factors`` (g,) what the
    slow courses make of it.
    """

    part: int
    numbers: Numbers
    stretch: Stretch
    uniforms: np.ndarray
    normals: np.ndarray
    largest: np.ndarray
    factors: np.ndarray
    chance: np.ndarray
    events: np.ndarray


class Spot(NamedTuple):
    """A group in a block: axons, the largest chance, the slow factor, where its spikes begin."""

    group: int
    block: int
    size: int
    largest: float
    factor: float
    begun: int


@compiled()
def draw_part(part, meeting, numbers, stretch):
    """Draw the spikes of the groups of one part; ``slow`` are those of the last block then."""
    low, high = stretch.bounds[part], stretch.bounds[part + 1]
    job = Job(part, numbers, stretch, np.empty(high - low), np.empty(high - low + 8),
              np.empty(stretch.chances.shape[0]), np.ones(high - low), np.empty(numbers.block),
              stretch.events[part])
    count = int64(0)
    for block in range(min(stretch.at + 1, stretch.block), stretch.last):
        if block > stretch.at and numbers.sd > 0:
            move_on(job, block)
        if block >= stretch.block:
            draw_first(job, block)
            find_largest(job, block)
            for group in range(low, high):
                count = draw_group(job, look(job, group, block, count), count)
    stretch.counts[part] = count


@inner
def move_on(job, block):
    """Let the slow courses of the groups of a part go on to the next block."""
    low, high = job.stretch.bounds[job.part], job.stretch.bounds[job.part + 1]
    numbers, slow, normals, first = job.numbers, job.stretch.slow, job.normals, low // 4
    key = numbers.keys[_SLOW]
    bits, upper = uint32(uint64(block)), uint32(uint64(block) >> uint64(32))
    for four in range(first, (high + 3) // 4):
        w0, w1, w2, w3 = jit.philox(key[0], key[1], uint32(0), uint32(four), bits, upper)
        place = 4 * (four - first)
        normals[place], normals[place + 1] = jit.normal_pair(w0, w1)
        normals[place + 2], normals[place + 3] = jit.normal_pair(w2, w3)
    for group in range(low, high):
        slow[group] = numbers.kept * slow[group] + numbers.new * normals[group - 4 * first]


@inner
def draw_first(job, block):
    """Draw the first number of every group in a block, which tells most that nothing happens."""
    low, key = job.stretch.bounds[job.part], job.numbers.keys[_OWN]
    key0, key1 = uint64(key[0]), uint64(key[1])
    bits, upper = uint64(block) & uint64(0xFFFFFFFF), uint64(block) >> uint64(32)
    for n in range(job.uniforms.size):
        w0, w1, _, _ = jit.philox64(key0, key1, uint64(0), uint64(low + n), bits, upper)
        job.uniforms[n] = jit.uniform53(uint32(w0), uint32(w1))


@inner
def find_largest(job, block):
    """Find the largest chance of every channel in a block, and the factors of slow courses."""
    numbers, stretch = job.numbers, job.stretch
    place = (block - stretch.block) * numbers.block
    for channel in range(job.largest.size):
        job.largest[channel] = 0.0
        for k in range(numbers.block):
            job.largest[channel] = max(job.largest[channel], stretch.chances[channel, place + k])
    if numbers.sd > 0:
        low, less = stretch.bounds[job.part], 0.5 * (numbers.sd * numbers.sd)
        for n in range(job.factors.size):
            job.factors[n] = jit.exp(numbers.sd * stretch.slow[low + n] - less)


@inner
def look(job, group, block, count):
    """Return a group in a block."""
    numbers = job.numbers
    factor = job.factors[group - job.stretch.bounds[job.part]]
    # A product rounds to no less where a factor is larger, so this is the largest of all steps.
    largest = min(job.largest[numbers.channel[group]] * factor, 1.0)
    return Spot(group, block, numbers.starts[group + 1] - numbers.starts[group], largest, factor,
                count)


@inner
def write_chances(job, spot):
    """Write the chance of every step of a group in a block."""
    numbers, stretch = job.numbers, job.stretch
    channel, place = numbers.channel[spot.group], (spot.block - stretch.block) * numbers.block
    for k in range(numbers.block):
        job.chance[k] = min(stretch.chances[channel, place + k] * spot.factor, 1.0)


@inner
def draw_group(job, spot, count):
    """Draw the spikes of a group in a block; return how many there are by now."""
    numbers, group, block = job.numbers, spot.group, spot.block
    own, slots = (1.0 - numbers.packets) * spot.largest, spot.size * numbers.block
    uniform = job.uniforms[group - job.stretch.bounds[job.part]]
    if own > NEVER and (uniform < slots * own or own >= 1.0):
        key, start = numbers.keys[_OWN], block * numbers.block
        draw = int64(0)
        write_chances(job, spot)
        slot = next_event(key, (draw, group, block), int64(-1), slots, own)
        while slot < slots:
            k, axon = slot // spot.size, slot % spot.size
            if thinning(key, (draw, group, block)) * spot.largest < job.chance[k]:
                count = note(job, start + k, numbers.starts[group] + axon, count)
            draw += 1
            slot = next_event(key, (draw, group, block), slot, slots, own)
    if numbers.packets > 0 and spot.largest > NEVER:
        write_chances(job, spot)
        count = copy(job, spot, count)
    return count


@inner
def copy(job, spot, count):
    """Add the copies of the spikes of a group's mother train, and put all in order."""
    numbers, key, before = job.numbers, job.numbers.keys[_MOTHER], count
    draw = int64(0)
    slot = next_event(key, (draw, spot.group, spot.block), int64(-1), numbers.block, spot.largest)
    while slot < numbers.block:
        if thinning(key, (draw, spot.group, spot.block)) * spot.largest < job.chance[slot]:
            count = copy_one(job, spot, slot, count)
        draw += 1
        slot = next_event(key, (draw, spot.group, spot.block), slot, numbers.block, spot.largest)
    if before < count <= job.events.shape[0]:
        count = in_order(job.events, spot.begun, count)
    return count


@inner
def copy_one(job, spot, slot, count):
    """Add the copies of one spike of a mother train."""
    numbers, key = job.numbers, job.numbers.keys[_COPIES]
    share = numbers.packets / (1.0 - (1.0 - numbers.packets) * job.chance[slot])
    step, draw = spot.block * numbers.block + slot, int64(0)
    axon = next_event(key, (draw, spot.group, step), int64(-1), spot.size, share)
    while axon < spot.size:
        count = note(job, step, numbers.starts[spot.group] + axon, count)
        draw += 1
        axon = next_event(key, (draw, spot.group, step), axon, spot.size, share)
    return count


@inner
def next_event(key, counter, slot, slots, chance):
    """Return the slot of the event after one, or ``slots`` if none is left."""
    left = slots - 1 - slot
    if chance <= NEVER or left <= 0:
        return int64(slots)
    if chance >= 1.0:
        return slot + 1
    draw, group, step = counter
    w0, w1, _, _ = jit.philox(key[0], key[1], uint32(draw), uint32(group), uint32(uint64(step)),
                              uint32(uint64(step) >> uint64(32)))
    u = jit.uniform53(w0, w1)
    if not u < left * chance:
        return int64(slots)
    jump = np.floor(jit.log(1.0 - u) / jit.log(1.0 - chance))
    if not jump < left:
        return int64(slots)
    return slot + 1 + int64(jump)


@inner
def thinning(key, counter):
    """Return the uniform number of an event."""
    draw, group, step = counter
    _, _, w2, _ = jit.philox(key[0], key[1], uint32(draw), uint32(group), uint32(uint64(step)),
                             uint32(uint64(step) >> uint64(32)))
    return float64(w2) * 2.0**-32


@inner
def note(job, step, axon, count):
    """Note a spike of a step that is asked for; return how many there are by now."""
    if step < job.stretch.step or step >= job.stretch.step + job.stretch.count:
        return count
    if count < job.events.shape[0]:
        job.events[count, 0], job.events[count, 1] = step, axon
    return count + 1


@inner
def in_order(events, begun, end):
    """Sort the few spikes of a group in a block, keep equal ones once; return their end."""
    for n in range(begun + 1, end):
        step, axon, at = events[n, 0], events[n, 1], n
        while at > begun and (events[at - 1, 0] > step or (
                events[at - 1, 0] == step and events[at - 1, 1] > axon)):
            events[at, 0], events[at, 1] = events[at - 1, 0], events[at - 1, 1]
            at -= 1
        events[at, 0], events[at, 1] = step, axon
    kept = begun
    for n in range(begun, end):
        if n == begun or events[n, 0] != events[kept - 1, 0] or (
                events[n, 1] != events[kept - 1, 1]):
            events[kept, 0], events[kept, 1] = events[n, 0], events[n, 1]
            kept += 1
    return kept
