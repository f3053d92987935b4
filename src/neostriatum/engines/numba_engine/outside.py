"""Events that come with names of cells: recorded spikes, and trains that several cells share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import uint32, uint64, uintp

from neostriatum import jit
from neostriatum.caching import inner
from neostriatum.engines.numba_engine.arrays import Outside
from neostriatum.engines.numba_engine.delivery import first_at_least
from neostriatum.engines.numba_engine.pack import COLUMN, TILE

if TYPE_CHECKING:
    from neostriatum.engines.lowered import LoweredCircuit

_T = uintp(TILE)


def outside_events(lowered: LoweredCircuit, quanta: np.ndarray, dtype: Any) -> Outside:
    """Return the events of a lowered circuit that come with names of cells.

    Parameters
    ----------
    lowered : LoweredCircuit
        The lowered circuit.
    quanta : numpy.ndarray
        Quantum of a contribution [nS], and what one adds to the ring.
    dtype : type
        Of the ring.
    """
    pools = [drive for drive in lowered.drives if drive.pool is not None]
    none = np.zeros(0, np.int64)
    recorded = lowered.recorded
    events = np.cumsum([0, *(len(source.steps) for source in recorded)])
    spans = np.array([(source.population, *events[n : n + 2])
                      for n, source in enumerate(recorded)], np.int64).reshape(-1, 3)
    shared: list[Any] = [drive.pool for drive in pools]
    trains = np.cumsum([0, *(len(pool[0]) - 1 for pool in shared)])
    pooled = np.array([(drive.population, *trains[n : n + 2])
                       for n, drive in enumerate(pools)], np.int64).reshape(-1, 3)
    listeners = [drive.members[pool[1]] for drive, pool in zip(pools, shared, strict=True)]
    starts = np.cumsum([0, *(len(ids) for ids in listeners)])
    ends = [start + pool[0][1:] for start, pool in zip(starts, shared, strict=False)]
    return Outside(
        spans,
        np.concatenate([none, *(source.steps + lowered.warmup for source in recorded)]),
        np.concatenate([none, *(source.ids for source in recorded)]),
        _amounts(lowered, recorded, quanta, dtype), pooled,
        np.array([drive.keys["pool"] for drive in pools], np.uint32).reshape(-1, 2),
        np.concatenate([np.zeros(1, np.int64), *ends]), np.concatenate([none, *listeners]),
        _amounts(lowered, pools, quanta, dtype))


def _amounts(lowered: LoweredCircuit, sources: Any, quanta: np.ndarray, dtype: Any) -> np.ndarray:
    """Return what an event of every source adds to the ring, by receptor."""
    grain, unit = quanta
    most = max([1, *(pop.entries for pop in lowered.populations)])
    amounts = np.zeros((len(sources), most), dtype)
    for number, source in enumerate(sources):
        for receptor, weight in source.weights:
            amounts[number, receptor] += np.rint(weight / grain) * unit
    return amounts


@inner
def add_outside(span, window, net, tables):
    """Add the events of a window to tiles; ``span``: their population, first, one past the last."""
    population, start, stop = span
    outside, first = net.outside, net.wires.first_tile[population]
    low, high = (start - first) * TILE, (stop - first) * TILE
    for number in range(outside.recorded.shape[0]):
        if outside.recorded[number, 0] != population:
            continue
        end = outside.recorded[number, 2]
        at = first_at_least(outside.when, outside.recorded[number, 1], end, window.step0)
        while at < end and outside.when[at] < window.step0 + window.count:
            who = outside.who[at]
            if low <= who < high:
                add_event(population, who, outside.when[at] % window.slots,
                          outside.recorded_amounts[number], net)
            at += 1
    for number in range(outside.pools.shape[0]):
        if outside.pools[number, 0] == population:
            for k in range(window.count):
                p = tables.pool_p[number, window.done + k if tables.pool_p.shape[1] > 1 else 0]
                if p > 0:
                    fire_trains(number, low, high, k, p, window, net)


@inner
def fire_trains(number, low, high, k, p, window, net):
    """Let the trains of a pool that fire at a step reach those who listen to them."""
    outside, uniforms = net.outside, net.work.uniforms[window.part]
    population, first, last = outside.pools[number]
    key0, key1 = uint64(outside.pool_keys[number, 0]), uint64(outside.pool_keys[number, 1])
    step = window.step0 + k
    bits, upper = uint64(step) & uint64(0xFFFFFFFF), uint64(step) >> uint64(32)
    for begin in range(0, last - first, uniforms.size):
        some = min(uniforms.size, last - first - begin)
        for n in range(some):
            w0, w1, _, _ = jit.philox64(key0, key1, uint64(0), uint64(begin + n), bits, upper)
            uniforms[n] = jit.uniform53(uint32(w0), uint32(w1))
        for n in range(some):
            if uniforms[n] < p:
                train = first + begin + n
                stop = outside.ends[train + 1]
                at = first_at_least(outside.listeners, outside.ends[train], stop, low)
                while at < stop and outside.listeners[at] < high:
                    add_event(population, outside.listeners[at], step % window.slots,
                              outside.pool_amounts[number], net)
                    at += 1


@inner
def add_event(population, who, slot, amounts, net):
    """Add one event to the slot of a step, receptor by receptor."""
    populations = net.populations
    at = (populations.ring_at[population] + (who // TILE) * populations.ring_stride[population]
          + slot * populations.width[population] * COLUMN + who % TILE)
    for receptor in range(amounts.size):
        column = populations.column[population, receptor]
        if amounts[receptor] != 0 and column >= 0:
            net.ring[at + column * COLUMN] += amounts[receptor]
