"""One step of one tile of 512 cells, as short loops that LLVM turns into vector instructions.

Each loop reads and writes rows of flat arrays: row r of a tile starts at base + r * PITCH. Only
the strips in use are computed; no loop adds across lanes (one looks for the highest).
The formulas and their order are those of the reference engine, to the bit.
"""

from __future__ import annotations

from numba import uint32, uint64, uintp

from neostriatum import jit
from neostriatum.caching import inner, woven

#: Cells of a tile; equal to `rng.BLOCK`.
TILE = 512
#: From one row to the next: a little more than a tile, since rows that lie a multiple of 4096
#: bytes apart make the processor mistake a load from one for a store to another.
PITCH = TILE + 16
#: Rows of a tile: potential, recovery, conductance by receptor, spread parameters, current masks.
V, U, FIRST = 0, 1, 2
#: Rows that only last for a step, one set for all tiles: current, noise, arrivals by receptor.
I, NOISE, ARRIVALS = 0, 1, 2
#: Columns of the step parameters. What is added to parameters that differ from cell to cell comes
#: in the same order from `ADDED` on, then gains and opened currents.
K, V_R, V_T, C, A, B, V_PEAK, RESET, D, V_B, I_SPON, ADDED = range(12)
GAIN = 2 * ADDED

#: Lanes of a strip: a loop of known length, which LLVM can prove to stay within its row.
STRIP = 64

_T = uintp(TILE)
_P = uintp(PITCH)
_S = uintp(STRIP)


@woven
def in_use(lanes, strip):
    """Return a number of lanes rounded up to whole strips."""
    return uintp((lanes + strip - 1) // strip * strip)


@inner
def fill(flat, lanes, at, value):
    """Set a row to one value."""
    for strip in range(uintp(0), lanes, _S):
        for lane in range(strip, strip + _S):
            flat[at + lane] = value


@inner
def add_scaled(flat, lanes, at, rows, source, weight):
    """Add ``weight`` times a row of ``rows`` to a row."""
    for strip in range(uintp(0), lanes, _S):
        for lane in range(strip, strip + _S):
            flat[at + lane] += rows[source + lane] * weight


@inner
def set_scaled(flat, lanes, at, rows, source, weight):
    """Set a row to ``weight`` times a row of ``rows``."""
    for strip in range(uintp(0), lanes, _S):
        for lane in range(strip, strip + _S):
            flat[at + lane] = rows[source + lane] * weight


@inner
def add_value(flat, lanes, at, value):
    """Add one value to a row."""
    for strip in range(uintp(0), lanes, _S):
        for lane in range(strip, strip + _S):
            flat[at + lane] += value


@inner
def take_arrivals(rows, lanes, at, ring, slot, quantum):
    """Move what arrives at this step from the ring into a row."""
    for strip in range(uintp(0), lanes, _S):
        for lane in range(strip, strip + _S):
            rows[at + lane] = jit.arrived(ring[slot + lane], quantum)
            ring[slot + lane] = 0


@inner
def receive(flat, rows, lanes, base, receptor, arrivals, gain, reversal, decay):
    """Add arrivals to a conductance, its current to the sum, then let it decay."""
    v, current = base, uintp(I) * _P
    g, new = base + (uintp(FIRST) + receptor) * _P, (uintp(ARRIVALS) + receptor) * _P
    if arrivals:
        for strip in range(uintp(0), lanes, _S):
            for lane in range(strip, strip + _S):
                conductance = flat[g + lane] + rows[new + lane]
                rows[current + lane] += gain * conductance * (reversal - flat[v + lane])
                flat[g + lane] = conductance * decay
    else:
        for strip in range(uintp(0), lanes, _S):
            for lane in range(strip, strip + _S):
                conductance = flat[g + lane]
                rows[current + lane] += gain * conductance * (reversal - flat[v + lane])
                flat[g + lane] = conductance * decay


@inner
def receive_blocked(flat, rows, lanes, base, receptor, arrivals, gain, reversal, decay, block,
                    slope):
    """Do the same for a receptor with the magnesium block."""
    v, current = base, uintp(I) * _P
    g, new = base + (uintp(FIRST) + receptor) * _P, (uintp(ARRIVALS) + receptor) * _P
    if arrivals:
        for strip in range(uintp(0), lanes, _S):
            for lane in range(strip, strip + _S):
                flat[g + lane] += rows[new + lane]
    for strip in range(uintp(0), lanes, _S):
        for lane in range(strip, strip + _S):
            x = flat[v + lane]
            conductance = flat[g + lane]
            flow = gain * conductance * (reversal - x)
            rows[current + lane] += flow * jit.logistic2(block, slope * x)
            flat[g + lane] = conductance * decay


@inner
def opened_current(flat, rows, lanes, base, conductance, reversal):
    """Add the current that a modulator opens."""
    v, current = base, uintp(I) * _P
    for strip in range(uintp(0), lanes, _S):
        for lane in range(strip, strip + _S):
            rows[current + lane] += conductance * (flat[v + lane] - reversal)


@inner
def update_linear(flat, rows, lanes, base, par, dt_over_c, dt_a, fired):
    """Advance v and u of cells with linear recovery by forward Euler; reset those that fired."""
    k, v_r, v_t, b = par[K], par[V_R], par[V_T], par[B]
    v_peak, reset, d = par[V_PEAK], par[RESET], par[D]
    iv, iu, current = base, base + uintp(U) * _P, uintp(I) * _P
    for strip in range(uintp(0), lanes, _S):
        for lane in range(strip, strip + _S):
            v, u = flat[iv + lane], flat[iu + lane]
            new_v = v + dt_over_c * (k * (v - v_r) * (v - v_t) - u + rows[current + lane])
            new_u = u + dt_a * (b * (v - v_r) - u)
            spike = new_v >= v_peak
            fired[lane] = spike
            flat[iv + lane] = reset if spike else new_v
            flat[iu + lane] = new_u + d if spike else new_u


@woven
def step_driven(flat, base, lanes, ring, slot, counts, row, share, quantum, weights, said, slope,
                par, dt):
    """Advance a tile of cells with linear recovery by a step, as most SPNs need it.

    Receptors 0 and 1 get the counted events of one drive and share a reversal, 1 has the magnesium
    block, 2 gets what arrives in the ring and has no gain. The sums are those of the separate
    loops, to the bit. Three loops (share of NMDA receptors without magnesium; conductances and
    current; membrane) that hand on a row which stays in the cache: one loop would be a chain of
    operations too long for the processor to overlap one round with the next, with more constants
    than there are registers. Returns whether a cell is at its peak; `settle` resets it.
    """
    k, v_r, v_t, b = par[K], par[V_R], par[V_T], par[B]
    v_peak, injected, dt_over_c, dt_a = par[V_PEAK], par[I_SPON], dt / par[C], dt * par[A]
    gain0, gain1 = par[GAIN], par[GAIN + 1]
    w0, w1 = weights[0], weights[1]
    e0, e2 = said[0, 0], said[2, 0]
    decay0, decay1, decay2, block = said[0, 1], said[1, 1], said[2, 1], said[1, 2]
    g0, g1, g2 = (base + uintp(FIRST) * _P, base + uintp(FIRST + 1) * _P,
                  base + uintp(FIRST + 2) * _P)
    iu = base + uintp(U) * _P
    half = lanes // uintp(2)
    for lane in range(half):
        share[lane], share[half + lane] = jit.logistic2_pair(
            block, slope * flat[base + lane], slope * flat[base + half + lane])
    for lane in range(lanes):
        v, events = flat[base + lane], counts[row + lane]
        counts[row + lane] = 0
        ampa = flat[g0 + lane] + events * w0
        nmda = flat[g1 + lane] + events * w1
        gaba = flat[g2 + lane] + jit.arrived(ring[slot + lane], quantum)
        ring[slot + lane] = 0
        flat[g0 + lane] = ampa * decay0
        flat[g1 + lane] = nmda * decay1
        flat[g2 + lane] = gaba * decay2
        pull = e0 - v
        flow = gain1 * nmda * pull * share[lane]
        share[lane] = injected + gain0 * ampa * pull + flow + gaba * (e2 - v)
    highest = v_r
    for lane in range(lanes):
        v, u = flat[base + lane], flat[iu + lane]
        new_v = v + dt_over_c * (k * (v - v_r) * (v - v_t) - u + share[lane])
        flat[base + lane] = new_v
        flat[iu + lane] = u + dt_a * (b * (v - v_r) - u)
        highest = jit.higher(highest, new_v)
    return highest >= v_peak


@woven
def settle(flat, base, lanes, par, used, k, found, count):
    """Reset the cells of a tile that are at their peak and note them; return the new count."""
    for lane in range(lanes):
        if flat[base + lane] >= par[V_PEAK]:
            flat[base + lane] = par[RESET]
            flat[base + uintp(U) * _P + lane] += par[D]
            if lane < used:
                found[count] = k * TILE + lane
                count += 1
    return count


@inner
def update_cubic(flat, rows, lanes, base, par, dt_over_c, dt_a, fired):
    """Advance v and u of cells with cubic recovery by forward Euler; reset those that fired."""
    k, v_r, v_t, b, v_b = par[K], par[V_R], par[V_T], par[B], par[V_B]
    v_peak, reset, d = par[V_PEAK], par[RESET], par[D]
    zero = v_b - v_b
    iv, iu, current = base, base + uintp(U) * _P, uintp(I) * _P
    for strip in range(uintp(0), lanes, _S):
        for lane in range(strip, strip + _S):
            v, u = flat[iv + lane], flat[iu + lane]
            new_v = v + dt_over_c * (k * (v - v_r) * (v - v_t) - u + rows[current + lane])
            above = v - v_b
            above = above if above > zero else zero
            new_u = u + dt_a * (b * above * above * above - u)
            spike = new_v >= v_peak
            fired[lane] = spike
            flat[iv + lane] = reset if spike else new_v
            flat[iu + lane] = new_u + d if spike else new_u


@woven
def receive_plain(flat, current, lanes, base, g, waiting, ring, slot, counts, row, weight, gain,
                  reversal, decay, quantum):
    """Add events and, where any are ``waiting``, arrivals to a conductance, and its current."""
    g = base + g
    if waiting:
        for strip in range(uintp(0), lanes, _S):
            for lane in range(strip, strip + _S):
                new = jit.arrived(ring[slot + lane], quantum) + counts[row + lane] * weight
                ring[slot + lane] = 0
                conductance = flat[g + lane] + new
                current[lane] += gain * conductance * (reversal - flat[base + lane])
                flat[g + lane] = conductance * decay
    else:
        for strip in range(uintp(0), lanes, _S):
            for lane in range(strip, strip + _S):
                conductance = flat[g + lane] + counts[row + lane] * weight
                current[lane] += gain * conductance * (reversal - flat[base + lane])
                flat[g + lane] = conductance * decay


@inner
def update_general(flat, rows, lanes, base, spread, par, dt, cubic, noise, fired):
    """Advance cells whose parameters differ from cell to cell, or which are noisy.

    ``spread`` is the first of the rows that hold the parameters by column; ``par`` then holds their
    factors, and what is added.
    """
    iv, iu, current = base, base + uintp(U) * _P, uintp(I) * _P
    z, own = uintp(NOISE) * _P, base + spread * _P
    zero = dt - dt
    for strip in range(uintp(0), lanes, _S):
        for lane in range(strip, strip + _S):
            at = own + lane
            k = flat[at] * par[K] + par[ADDED + K]
            v_r = flat[at + uintp(V_R) * _P] * par[V_R] + par[ADDED + V_R]
            v_t = flat[at + uintp(V_T) * _P] * par[V_T] + par[ADDED + V_T]
            c = flat[at + uintp(C) * _P] * par[C] + par[ADDED + C]
            a = flat[at + uintp(A) * _P] * par[A] + par[ADDED + A]
            b = flat[at + uintp(B) * _P] * par[B] + par[ADDED + B]
            v_peak = flat[at + uintp(V_PEAK) * _P] * par[V_PEAK] + par[ADDED + V_PEAK]
            reset = flat[at + uintp(RESET) * _P] * par[RESET] + par[ADDED + RESET]
            d = flat[at + uintp(D) * _P] * par[D] + par[ADDED + D]
            v, u = flat[iv + lane], flat[iu + lane]
            new_v = v + dt / c * (k * (v - v_r) * (v - v_t) - u + rows[current + lane])
            if cubic:
                above = v - (flat[at + uintp(V_B) * _P] * par[V_B] + par[ADDED + V_B])
                above = above if above > zero else zero
                pull = b * above * above * above
            else:
                pull = b * (v - v_r)
            new_u = u + dt * a * (pull - u)
            if noise:
                new_v = new_v + rows[z + lane]
            spike = new_v >= v_peak
            fired[lane] = spike
            flat[iv + lane] = reset if spike else new_v
            flat[iu + lane] = new_u + d if spike else new_u


@inner
def draw_noise(rows, sigma, key0, key1, first, step):
    """Fill the noise row with sigma times standard normals, four cells per counter."""
    low, high = uint32(uint64(step) & uint64(0xFFFFFFFF)), uint32(uint64(step) >> uint64(32))
    row = uintp(NOISE) * _P
    for group in range(uintp(TILE // 4)):
        words = jit.philox(key0, key1, uint32(0), uint32(uintp(first) // uintp(4) + group), low,
                           high)
        z0, z1 = jit.normal_pair(words[0], words[1])
        z2, z3 = jit.normal_pair(words[2], words[3])
        at = row + group * uintp(4)
        rows[at] = jit.like(sigma, sigma * z0)
        rows[at + uintp(1)] = jit.like(sigma, sigma * z1)
        rows[at + uintp(2)] = jit.like(sigma, sigma * z2)
        rows[at + uintp(3)] = jit.like(sigma, sigma * z3)


@woven
def any_fired(fired):
    """Return whether any lane fired, eight flags at a time."""
    words = fired.view(uint64)
    seen = uint64(0)
    for n in range(words.size):
        seen |= words[n]
    return seen != uint64(0)
