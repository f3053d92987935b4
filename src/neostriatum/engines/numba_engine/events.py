"""The random events of one drive in one tile and step: the same draws as `engines.drive`."""

from __future__ import annotations

from numba import uint32, uint64, uintp

from neostriatum import jit
from neostriatum.caching import compiled
from neostriatum.engines.numba_engine.cells import COUNT, PITCH

#: Kinds of a drive.
POISSON, BINOMIAL = 0, 1
#: Counters of events drawn at a time.
AHEAD = 32
_COUNT_DRAW = uint32(0x80000000)


@compiled()
def search(table, length, u):
    """Return how many entries of a rising table are <= u."""
    low, high = 0, length
    while low < high:
        middle = (low + high) >> 1
        if table[middle] <= u:
            low = middle + 1
        else:
            high = middle
    return low


@compiled()
def poisson_count(key0, key1, block, low, high, table, length, parts):
    """Return the Poisson count of a block."""
    count = 0
    for part in range(parts):
        words = jit.philox(key0, key1, uint32(_COUNT_DRAW + uint32(part)), block, low, high)
        count += search(table, length, jit.uniform53(words[0], words[1]))
    return count


@compiled()
def scatter(flat, base, key0, key1, block, low, high, count, members, first, size, one, words):
    """Give each of ``count`` events to a member, four members per counter.

    ``words`` is scratch for the words of `AHEAD` counters, drawn in a loop of their own that
    becomes vector instructions.
    """
    row = base + uintp(COUNT * PITCH)
    span = uint64(size)
    counters = (count + 3) >> 2
    for start in range(0, counters, AHEAD):
        some = min(AHEAD, counters - start)
        for n in range(some):
            w0, w1, w2, w3 = jit.philox(key0, key1, uint32(start + n), block, low, high)
            words[n] = (uint64(w0) * span) >> uint64(32)
            words[AHEAD + n] = (uint64(w1) * span) >> uint64(32)
            words[2 * AHEAD + n] = (uint64(w2) * span) >> uint64(32)
            words[3 * AHEAD + n] = (uint64(w3) * span) >> uint64(32)
        left = count - 4 * start
        for n in range(some):
            for lane in range(min(4, left - 4 * n)):
                member = members[first + int(words[lane * AHEAD + n])]
                flat[row + uintp(member)] += one


@compiled()
def each_binomial(flat, base, key0, key1, local, low, high, table, length, members, first, size,
                  one):
    """Draw a binomial count per member by inversion."""
    row = base + uintp(COUNT * PITCH)
    for n in range(size):
        lane = members[first + n]
        words = jit.philox(key0, key1, _COUNT_DRAW, uint32(local + lane), low, high)
        count = search(table, length, jit.uniform53(words[0], words[1]))
        flat[row + uintp(lane)] += one * jit.like(one, count)


@compiled()
def copy_reference(flat, base, key0, key1, local, low, high, p, table, length, members, first,
                   size, one):
    """Let the afferents of a member copy an event of its own reference train."""
    row = base + uintp(COUNT * PITCH)
    for n in range(size):
        lane = members[first + n]
        words = jit.philox(key0, key1, uint32(0), uint32(local + lane), low, high)
        if jit.uniform53(words[0], words[1]) < p:
            words = jit.philox(key0, key1, uint32(1), uint32(local + lane), low, high)
            count = search(table, length, jit.uniform53(words[0], words[1]))
            flat[row + uintp(lane)] += one * jit.like(one, count)


@compiled()
def add_to_members(flat, base, value, members, first, size):
    """Give every member the same number of events."""
    row = base + uintp(COUNT * PITCH)
    for n in range(size):
        flat[row + uintp(members[first + n])] += value
