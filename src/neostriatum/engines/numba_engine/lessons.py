"""What arrives in a window at synapses that learn, tile by tile, and the spikes that they see."""

from __future__ import annotations

from numba import int64, uintp

from neostriatum import jit
from neostriatum.caching import inner, woven
from neostriatum.engines.numba_engine.chains import AFTER, END, NEXT, wait
from neostriatum.engines.numba_engine.delivery import first_at_least
from neostriatum.engines.numba_engine.eligibility import bring_row, deliver_learnt
from neostriatum.engines.numba_engine.learning import AT_LEARNING
from neostriatum.engines.numba_engine.pack import TILE

_TARGET, _ROW, _FLUSH, _PARTS, _VALUES, _SOURCE, _CELL, _CURVE = (
    AT_LEARNING[name] for name in ("target", "row", "flush", "parts", "values", "source", "cell",
                                   "curve"))
#: Arrivals ahead whose rows are asked for when a window begins.
SOON = 8
#: The place in a row of the step of the arrival before.
SINCE = AFTER + 1


@inner
def most_spikes(learn, phase):
    """Return the most spikes of a cell since a flush, as all parts noted after a window."""
    most = int64(0)
    for part in range(learn.full.shape[0]):
        most = max(most, learn.full[part, phase])
    return most


@inner
def begin_lessons(window, net, lessons, scratch):
    """Note of all arrivals of a window what was before them; put traces of sources up.

    Each waits at the first own tile that it reaches.
    """
    learn, part, wires = net.learn, window.part, net.wires
    for q in range(learn.plain.shape[0]):
        plain, chains = learn.plain[q], scratch.lessons[part, q]
        length = plain[_FLUSH] + 1
        rises = plain[_CURVE] + 3 * plain[_PARTS] * length
        own = net.work.own[part, plain[_TARGET]]
        tiles = wires.first_tile[plain[_TARGET]], own[1]
        low = (own[0] - tiles[0]) * TILE
        last = lessons.first[q, window.done + window.count]
        for k in range(window.count):
            chains[k, own[0]:own[1]] = -1
            now = (window.step0 + k) % plain[_FLUSH]
            row = window.done + k
            for at in range(lessons.first[q, row], lessons.first[q, row + 1]):
                if at + SOON < last:
                    jit.prefetch(wires.targets, wires.offsets[plain[_ROW] + lessons.who[at + SOON]])
                source = plain[_SOURCE] + lessons.who[at]
                lessons.before[part, at] = learn.pre[part, source]
                lessons.rows[part, at, SINCE] = learn.last[part, source]
                learn.pre[part, source] += learn.curves[rises + now]
                learn.last[part, source] = now
                start = wires.offsets[plain[_ROW] + lessons.who[at]]
                stop = wires.offsets[plain[_ROW] + lessons.who[at] + 1]
                if low > 0:
                    start = first_at_least(wires.targets, start, stop, low)
                lessons.rows[part, at, NEXT], lessons.rows[part, at, END] = start, stop
                wait(lessons.rows[part], at, tiles, wires.targets, chains[k])


@inner
def arrive(spot, window, net, lessons, scratch):
    """Bring the synapses of a tile up to date for what arrives at a step, and deliver it.

    ``spot`` is the tile, its population and the number of the step in the window.
    """
    tile, population, k = spot
    learn, wires, part = net.learn, net.wires, window.part
    tiles = wires.first_tile[population], net.work.own[part, population, 1]
    high = (tile + 1 - tiles[0]) * TILE
    for q in range(learn.plain.shape[0]):
        plain, rows, chains = learn.plain[q], lessons.rows[part], scratch.lessons[part, q]
        if plain[_TARGET] != population:
            continue
        now = (window.step0 + k) % plain[_FLUSH]
        if k + 1 < window.count:
            ask_for(chains[k + 1, tile], (part, q), net, lessons)
        at = chains[k, tile]
        while at >= 0:
            follows, start = rows[at, AFTER], rows[at, NEXT]
            stop = end_of(wires.targets, start, rows[at, END], high)
            bring_row((part, q, now), (start, stop), (rows[at, SINCE], lessons.before[part, at]),
                      net)
            deliver_learnt(q, (tile, (window.step0 + k) % window.slots), (start, stop),
                           lessons.released[at], net)
            rows[at, NEXT] = stop
            wait(rows, at, tiles, wires.targets, chains[k])
            at = follows


@inner
def expect(tile, part, net, lessons, scratch):
    """Ask for what a tile's first arrivals and its cells need, as other tiles lay between."""
    learn, lines, population = net.learn, TILE // 8, net.tiles.population[tile]
    for q in range(learn.plain.shape[0]):
        if learn.plain[q, _TARGET] == population:
            ask_for(scratch.lessons[part, q, 0, tile], (part, q), net, lessons)
            cell = learn.plain[q, _CELL] + net.tiles.first[tile]
            for line in range(lines):
                jit.prefetch(learn.post, cell + 8 * line)
                jit.prefetch(learn.counts, cell + 8 * line)


@woven
def ask_for(at, place, net, lessons):
    """Ask for the synapses of the arrivals that wait, from ``at`` on, as they lie anywhere."""
    part, q = place
    plain = net.learn.plain[q]
    stride = 1 + 2 * plain[_PARTS]
    base = plain[_VALUES] - net.wires.offsets[plain[_ROW]] * stride
    while at >= 0:
        start = lessons.rows[part, at, NEXT]
        jit.prefetch(net.wires.targets, start)
        for line in range(stride):
            jit.prefetch(net.learn.values, base + start * stride + line * 8)
        at = lessons.rows[part, at, AFTER]


@woven
def end_of(targets, start, stop, high):
    """Return where targets of a row, from ``start`` on, reach ``high``."""
    while start < stop and targets[uintp(start)] < high:
        start += 1
    return start


@inner
def note_spikes(spot, before, window, net):
    """Note the spikes of a tile at a step, those from ``before`` on, for synapses that learn."""
    tile, population, k = spot
    step, part, phase = window.step0 + k, window.part, window.phase
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
