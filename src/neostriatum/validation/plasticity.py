"""Pairs of spikes in a slice, and what dopamine before, with or after them makes of a synapse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum import rng
from neostriatum.validation.learning_slice import (
    FIRST_MS,
    Course,
    Slice,
    changes_of,
    own_learning,
    tonic_level,
)

if TYPE_CHECKING:
    from neostriatum.validation.lab import Lab

#: Time that is left for a course of dopamine to act on what is eligible [ms].
AFTER_MS = 500.0
#: A train of pairs, from memory: how many, how often [Hz], and a spike how long after an arrival.
PAIRS, RATE_HZ, LAG_MS = 10, 10.0, 10.0
#: Length of a burst of ten pulses at 30 Hz, and of one that tells what is eligible now [ms].
BURST_MS, BRIEF_MS = 330.0, 10.0
#: The level below which an agonist does not let D2 fall.
FLOOR = 0.5
#: Random trains: their length [s], cells, and rates of axons and of cells [Hz].
SECONDS, CELLS, PRE_HZ, POST_HZ = 40, 40, 8.0, 10.0


def train(at_ms: float, pairs: int = PAIRS, rate_hz: float = RATE_HZ,
          lag_ms: float = LAG_MS) -> tuple[Any, Any]:
    """Return arrivals and spikes of a train of pairs [ms]; a spike comes ``lag_ms`` later."""
    arrivals = at_ms + np.arange(pairs) * 1000.0 / rate_hz
    return arrivals, arrivals + lag_ms


def window(lab: Lab, cell: str = "dSPN", delays_ms: tuple[float, ...] = (0.0, 1000.0),
           learning: dict[str, Any] | None = None, single: bool = False) -> dict[str, Any]:
    """Return what dopamine at several delays from the onset of a train of pairs does.

    One burst of dopamine, and a cell for every delay that is paired so long before it; ``single``
    is one pair and a brief burst. Keys are "N ms": the change over the largest one; "best_ms", the
    delay of that; "change", its size; "without_change", the change by the train alone, and
    "without", that over the largest.
    """
    tonic, pairs = tonic_level(lab, cell), 1 if single else PAIRS
    burst = FIRST_MS + max(delays_ms)
    over = burst + (BRIEF_MS if single else BURST_MS)
    rows = [train(burst - delay, pairs) for delay in delays_ms]
    until = max(over, max(float(spikes[-1]) for _, spikes in rows)) + AFTER_MS
    found = changes_of(lab, Slice(cell, [row[0] for row in rows], [row[1] for row in rows], Course(
        tonic, ((burst, 1.0), (over, tonic))), until, learning))
    arrivals, spikes = train(FIRST_MS, pairs)
    without = changes_of(lab, Slice(cell, [arrivals], [spikes], Course(tonic),
                                    float(spikes[-1]) + AFTER_MS, learning))[0]
    best = int(np.argmax(np.abs(found)))
    return {"change": float(found[best]), "best_ms": float(delays_ms[best]),
            "without_change": float(without), "without": float(without / found[best]),
            **{f"{delay:g} ms": float(change / found[best])
               for delay, change in zip(delays_ms, found, strict=True)}}


def memory(lab: Lab, cell: str = "dSPN", waits_ms: tuple[float, ...] = (200.0, 700.0, 1200.0),
           learning: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the time constant with which an eligibility decays, from brief bursts [ms]."""
    rule = own_learning(lab.load(), cell) if learning is None else learning
    found = window(lab, cell, waits_ms, {**rule, "bounds": "hard"}, single=True)
    logs = np.log([found[f"{wait:g} ms"] for wait in waits_ms])
    return {"tau_ms": float(-1.0 / np.polyfit(waits_ms, logs, 1)[0])}


def kernel(lab: Lab, cell: str, lags_ms: tuple[float, ...] = (10.0, -10.0),
           level: float | None = None, learning: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the changes by trains of pairs at several lags while dopamine has one level.

    A positive lag is an arrival before a spike. Without ``level`` it is the tonic one. Keys are
    "N ms"; "hebbian", the change of the first lag less that of the last; "width_ratio", the mean
    lag of depression at negative lags over that of potentiation at positive ones;
    "silent", the change of a synapse whose cell does not fire.
    """
    tonic = tonic_level(lab, cell)
    course = Course(tonic, () if level is None else ((FIRST_MS / 2, level),))
    rows = [train(FIRST_MS + 100.0, rate_hz=RATE_HZ / 2, lag_ms=lag) for lag in lags_ms]
    arrivals, spikes = [row[0] for row in rows], [row[1] for row in rows]
    until = float(arrivals[0][-1]) + 100.0 + AFTER_MS
    found = changes_of(lab, Slice(cell, [*arrivals, arrivals[0]], [*spikes, np.zeros(0)], course,
                                  until, learning))
    low, high = (_width(lags_ms, found, side) for side in (-1, 1))
    return {"hebbian": float(found[0] - found[len(lags_ms) - 1]), "silent": float(found[-1]),
            "width_ratio": low / high if high else None,
            **{f"{lag:g} ms": float(change)
               for lag, change in zip(lags_ms, found, strict=False)}}


def _width(lags_ms: tuple[float, ...], changes: np.ndarray, side: int) -> float:
    """Return the mean lag of depression (side -1) or potentiation (1), 0 without any [ms]."""
    lags = np.asarray(lags_ms)
    chosen = np.sign(lags) == side
    sizes = np.maximum(side * changes[: len(lags)][chosen], 0.0)
    return float((np.abs(lags[chosen]) * sizes).sum() / sizes.sum()) if sizes.sum() > 1e-9 else 0.0


def block(lab: Lab, cell: str, lag_ms: float = 10.0,
          learning: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return what is left of the change by pairs with dopamine where its receptor is blocked."""
    high, none = (kernel(lab, cell, (lag_ms,), level, learning=learning)[f"{lag_ms:g} ms"]
                  for level in (1.0, 0.0))
    return {"with": high, "blocked": none, "left": none / high if high else None}


def dips(lab: Lab, cell: str = "iSPN", lengths_ms: tuple[float, ...] = (0.0, 400.0, 600.0, 2000.0),
         learning: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the changes by a train of pairs with pauses of dopamine that begin with it."""
    tonic = tonic_level(lab, cell)
    arrivals, spikes = train(FIRST_MS)
    until, made = max(FIRST_MS + max(lengths_ms), float(spikes[-1])) + AFTER_MS, {}
    for length in lengths_ms:
        course = Course(tonic, ((FIRST_MS, 0.0), (FIRST_MS + length, tonic)) if length else ())
        made[f"{length:g} ms"] = float(changes_of(lab, Slice(
            cell, [arrivals], [spikes], course, until, learning))[0])
    last = made[f"{lengths_ms[-1]:g} ms"]
    return {"changes": made, "share": made[f"{lengths_ms[1]:g} ms"] / last if last else None}


def agonist(lab: Lab, cell: str, level: float, length_ms: float) -> dict[str, Any]:
    """Return what is left of a change where an agonist keeps the D2 level from falling.

    The level of a synapse that hears D1 is the same with and without it.
    """
    tonic = tonic_level(lab, cell)
    hears = {effect.level for effect in lab.load().cells[cell].acting}
    arrivals, spikes = train(FIRST_MS)
    burst, changes = float(spikes[-1]), []
    for lowest in (0.0, FLOOR if "D2" in hears else 0.0):
        low = max(tonic, lowest)
        course = Course(tonic, ((1.0, low), (burst, max(level, lowest)), (burst + length_ms, low)))
        changes.append(float(changes_of(lab, Slice(
            cell, [arrivals], [spikes], course, burst + length_ms + AFTER_MS))[0]))
    return {"control": changes[0], "drug": changes[1],
            "left": changes[1] / changes[0] if changes[0] else None}


def drift(lab: Lab, cell: str, errors: float = 0.0, seeds: tuple[int, ...] = (1,),
          learning: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return by how much weights drift where spikes tell nothing of dopamine.

    Trains without correlation; every second an error of ``errors`` or its negative, as often, as
    a burst of 200 ms or a dip of 400 ms of the size that tasks give it. "drift" is the mean change
    of a weight, "se" its standard error over seeds: all synapses of one hear the same errors.
    """
    tonic, means = tonic_level(lab, cell), []
    until = FIRST_MS + 1000.0 * SECONDS
    for seed in seeds:
        course = Course(tonic, _errors(seed, errors, tonic) if errors else ())
        arrivals, spikes = (_trains(rate, until, seed, name)
                            for rate, name in ((PRE_HZ, "arrivals"), (POST_HZ, "spikes")))
        means.append(changes_of(lab, Slice(cell, arrivals, spikes, course, until + AFTER_MS,
                                           learning, exact=False)).mean())
    return {"drift": float(np.mean(means)), "by_seed": [float(mean) for mean in means],
            "se": float(np.std(means, ddof=1) / np.sqrt(len(means))) if len(means) > 1 else None}


def _errors(seed: int, size: float, tonic: float) -> tuple[tuple[float, float], ...]:
    """Return the levels of bursts and dips in random order, as many of each, one per second."""
    words = rng.philox(rng.stream(seed, "errors", ""), 0, np.arange(SECONDS))[0]
    changes: list[tuple[float, float]] = []
    for second, place in enumerate(np.argsort(words).tolist()):
        up, at = place < SECONDS // 2, FIRST_MS + 1000.0 * second
        level = tonic + (1.0 - tonic) * size if up else tonic * (1.0 - size)
        changes += [(at, level), (at + (200.0 if up else 400.0), tonic)]
    return tuple(changes)


def _trains(rate_hz: float, until_ms: float, seed: int, name: str) -> list[np.ndarray]:
    """Return random trains whose spikes are at least 20 ms apart, of a rate [Hz]."""
    slots = np.arange(FIRST_MS, until_ms, 40.0)
    made = []
    for row in range(CELLS):
        words = rng.philox(rng.stream(seed, name, str(row)), 0, np.arange(len(slots)))
        kept = rng.uniform32(words[0]) < rate_hz * 0.04
        # Where in its slot, in steps, and the dead time of the cell after the last one.
        made.append(slots[kept] + np.floor(200.0 * rng.uniform32(words[1][kept])) * 0.1)
    return made
