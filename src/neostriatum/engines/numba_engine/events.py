"""The random events of one drive in one tile: the same draws as `engines.drive`.

They are counted in rows of single-precision numbers, one per cell: exact below 2^24.
"""

from __future__ import annotations

from llvmlite import ir
from numba import float32, int64, types, uint32, uint64, uintp
from numba.extending import intrinsic

from neostriatum import jit
from neostriatum.arithmetic import I64
from neostriatum.caching import inner, woven
from neostriatum.engines.numba_engine.pack import COLUMN, STRIP, TILE

#: Kinds of a drive.
POISSON, BINOMIAL = 0, 1
#: Counters of events drawn at a time.
AHEAD = 128
_COUNT_DRAW = uint32(0x80000000)


@inner
def search(table, length, u):
    """Return how many entries of a rising table are <= u, without a branch to mispredict."""
    low, left = uintp(0), uintp(length)
    while left > uintp(1):
        half = left >> uintp(1)
        low = low + half if table[low + half - uintp(1)] <= u else low
        left -= half
    return int(low) + int(table[low] <= u)


@inner
def poisson_count(key0, key1, block, low, high, table, length, parts):
    """Return the Poisson count of a block."""
    count = 0
    for part in range(parts):
        words = jit.philox(key0, key1, uint32(_COUNT_DRAW + uint32(part)), block, low, high)
        count += search(table, length, jit.uniform53(words[0], words[1]))
    return count


@inner
def scatter_window(counts, key0, key1, block, step0, steps, table, length, parts, members, first,
                   size, words, uniforms):
    """Draw the events of some steps of a block and count them by cell.

    Row k of ``counts``, `COLUMN` numbers each, gets those of step step0 + k. What comes from
    counters is drawn for all steps in loops of their own, which become vector instructions; they
    run to a whole vector, and so a little beyond what is used. ``words`` (8, `AHEAD`) holds draw
    indices, step low and high, the four words of every counter, and per step the first counter;
    ``uniforms`` is scratch too.
    """
    for k in range(whole_vectors(steps)):
        step = uint64(step0) + uint64(k)
        w0, w1, _, _ = jit.philox64(uint64(key0), uint64(key1), uint64(_COUNT_DRAW), uint64(block),
                                    step, step >> uint64(32))
        uniforms[k] = jit.uniform53(uint32(w0), uint32(w1))
    filled, k0 = uintp(0), uintp(0)
    for k in range(uintp(steps)):
        step = uint64(step0) + uint64(k)
        low, high = uint32(step), uint32(step >> uint64(32))
        count = search(table, length, uniforms[k])
        for part in range(1, parts):
            more = jit.philox(key0, key1, uint32(_COUNT_DRAW + uint32(part)), block, low, high)
            count += search(table, length, jit.uniform53(more[0], more[1]))
        uniforms[k] = float(count)
        counters = uintp((count + 3) >> 2)
        if filled + counters + uintp(8) > uintp(AHEAD):
            scatter(counts, key0, key1, block, k0, k, filled, members, first, size, words,
                    uniforms)
            filled, k0 = uintp(0), k
        done = uintp(0)
        while counters - done + uintp(8) > uintp(AHEAD):
            # More events in one step than fit at a time.
            some = uintp(AHEAD - 8)
            gather(words, uintp(0), some, done, low, high, uintp(0))
            left, uniforms[k] = uniforms[k] - float(4 * some), float(4 * some)
            scatter(counts, key0, key1, block, k, k + uintp(1), some, members, first, size, words,
                    uniforms)
            uniforms[k] = left
            done += some
        gather(words, filled, counters - done, done, low, high, k - k0)
        filled += counters - done
    scatter(counts, key0, key1, block, k0, uintp(steps), filled, members, first, size, words,
            uniforms)


@woven
def whole_vectors(count):
    """Return a count of counters rounded up to what one vector instruction holds."""
    return uintp((count + 7) // 8 * 8)


@woven
def gather(words, filled, count, draw, low, high, k):
    """Put some counters of a step behind those that are there."""
    words[7, k] = filled
    for n in range(whole_vectors(count)):
        words[0, filled + n] = draw + n
        words[1, filled + n] = uint64(low)
        words[2, filled + n] = uint64(high)


@woven
def scatter(counts, key0, key1, block, k0, k1, filled, members, first, size, words, uniforms):
    """Draw the words of the gathered counters and count the events of steps k0 to k1."""
    one, half, span = float32(1.0), uint64(32), uint64(uint32(size))
    key0, key1, block = uint64(key0), uint64(key1), uint64(block)
    for n in range(whole_vectors(filled)):
        w0, w1, w2, w3 = jit.philox64(key0, key1, words[0, n], block, words[1, n], words[2, n])
        words[3, n] = (w0 * span) >> half
        words[4, n] = (w1 * span) >> half
        words[5, n] = (w2 * span) >> half
        words[6, n] = (w3 * span) >> half
    # Where all cells of the tile are members, the number of a member is its lane.
    whole = members[first + size - 1] == size - 1
    for k in range(k0, k1):
        row, at, count = k * uintp(COLUMN), words[7, k - k0], uintp(uniforms[k])
        if whole:
            full = at + (count >> uintp(2))
            for n in range(at, full):
                counts[row + words[3, n]] += one
                counts[row + words[4, n]] += one
                counts[row + words[5, n]] += one
                counts[row + words[6, n]] += one
            for event in range(count & uintp(3)):
                counts[row + words[uintp(3) + event, full]] += one
        else:
            for event in range(count):
                member = words[uintp(3) + (event & uintp(3)), at + (event >> uintp(2))]
                counts[row + uintp(members[uintp(first) + member])] += one


@inner
def draw_binomial(number, tile, s0, count, step0, counts, tiles, drives, tables):
    """Draw a binomial count per member and step, by inversion."""
    size, first, local = drives.sizes[number, tile], drives.offsets[number, tile], tiles.first[tile]
    key0, key1 = drives.keys[number, 0], drives.keys[number, 1]
    # Lanes that are no cells may have events too.
    whole = size == tiles.used[tile]
    together = count if not drives.plain[number, 2] else 1
    for k in range(0, count, together):
        t = s0 + k if drives.plain[number, 2] else 0
        table, row = tables.values[number, 0, t], counts[k * COLUMN:]
        if whole:
            lanes = (size + STRIP - 1) // STRIP * STRIP
            call_counts(drives.binomial, row.ctypes.data, table.ctypes.data, int64(key0),
                        int64(key1), local, lanes, step0 + k, together)
            continue
        for step in range(together):
            each_binomial(row[step * COLUMN:], key0, key1, local, step0 + k + step, table,
                          tables.lengths[number, 0, t], drives.members, first, size)


@intrinsic
def call_counts(typingctx, function, counts, table, key0, key1, local, lanes, step, steps):
    """Call the function of `binomial.binomial_address` at its address."""

    def codegen(context, builder, signature, args):
        kind = ir.FunctionType(I64, [I64] * 8)
        return builder.call(builder.inttoptr(args[0], kind.as_pointer()), args[1:])

    return types.int64(*[types.int64] * 9), codegen


@inner
def each_binomial(counts, key0, key1, local, step, table, length, members, first, size):
    """Draw a binomial count per member, one after the other."""
    low, high = uint32(uint64(step) & uint64(0xFFFFFFFF)), uint32(uint64(step) >> uint64(32))
    for n in range(size):
        lane = members[first + n]
        words = jit.philox(key0, key1, _COUNT_DRAW, uint32(local + lane), low, high)
        count = search(table, length, jit.uniform53(words[0], words[1]))
        counts[lane] += float32(count)


@inner
def copy_reference(counts, row, key0, key1, local, low, high, p, table, length, members, first,
                   size):
    """Let the afferents of a member copy an event of its own reference train."""
    for n in range(size):
        lane = members[first + n]
        words = jit.philox(key0, key1, uint32(0), uint32(local + lane), low, high)
        if jit.uniform53(words[0], words[1]) < p:
            words = jit.philox(key0, key1, uint32(1), uint32(local + lane), low, high)
            count = search(table, length, jit.uniform53(words[0], words[1]))
            counts[row + lane] += float32(count)


@inner
def add_to_members(counts, row, value, members, first, size):
    """Give every member the same number of events."""
    for n in range(size):
        counts[row + members[first + n]] += float32(value)


@inner
def draw_window(tile, window, counts, net, tables, words, uniforms):
    """Count the events of a window for every drive of a tile, a row per drive and step."""
    drives, tiles, population = net.drives, net.tiles, net.tiles.population[tile]
    s0, count, step0 = window.done, window.count, window.step0
    for number in range(drives.plain.shape[0]):
        if drives.plain[number, 0] != population or drives.sizes[number, tile] == 0:
            continue
        own = counts[drives.plain[number, 3] * window.most * COLUMN:]
        if drives.plain[number, 1] == BINOMIAL:
            draw_binomial(number, tile, s0, count, step0, own, tiles, drives, tables)
        elif drives.share[number, 0] > 0 or drives.share[number, 1] > 0 or drives.plain[number, 2]:
            for k in range(count):
                count_events(number, tile, s0 + k, step0 + k, own, k, tiles, drives, tables, words,
                             uniforms)
        else:
            chosen = drives.chosen[number, tile]
            length = tables.lengths[number, chosen, 0]
            if length > 0:
                scatter_window(
                    own, drives.keys[number, 0], drives.keys[number, 1],
                    uint32(tiles.first[tile] // TILE), step0, count,
                    tables.values[number, chosen, 0], length, tables.parts[number, chosen, 0],
                    drives.members, drives.offsets[number, tile], drives.sizes[number, tile],
                    words, uniforms)


@inner
def count_events(number, tile, s, step, counts, k, tiles, drives, tables, words, uniforms):
    """Add the events of one drive in this tile and step to row k of the counts."""
    low, high = uint32(uint64(step) & uint64(0xFFFFFFFF)), uint32(uint64(step) >> uint64(32))
    local = tiles.first[tile]
    block, row = uint32(local // TILE), k * COLUMN
    size, first = drives.sizes[number, tile], drives.offsets[number, tile]
    keys, t = drives.keys[number], s if drives.plain[number, 2] else 0
    chosen = drives.chosen[number, tile]
    table, length = tables.values[number, chosen, t], tables.lengths[number, chosen, t]
    if length > 0:
        scatter_window(counts[row:], keys[0], keys[1], block, step, 1, table, length,
                       tables.parts[number, chosen, t], drives.members, first, size, words,
                       uniforms)
    if drives.share[number, 0] > 0:
        copy_reference(counts, row, keys[2], keys[3], local, low, high,
                       tables.reference_p[number, t], drives.copies[number],
                       drives.copies_length[number], drives.members, first, size)
    mother = tables.values.shape[1] - 1
    if drives.share[number, 1] > 0 and tables.lengths[number, mother, t] > 0:
        count = poisson_count(keys[4], keys[5], uint32(0), low, high,
                              tables.values[number, mother, t],
                              tables.lengths[number, mother, t], tables.parts[number, mother, t])
        if count:
            add_to_members(counts, row, count, drives.members, first, size)
