"""Factors by which the synapses of a pathway differ: log-normal, or even within a range."""

from __future__ import annotations

import numpy as np
from numba import uint32

from neostriatum import jit
from neostriatum.caching import compiled
from neostriatum.threads import over_rows


def weights(offsets: np.ndarray, targets: np.ndarray, cv: float, key: tuple[int, int]
            ) -> np.ndarray:
    """Return a log-normal factor of mean 1 per synapse.

    Parameters
    ----------
    offsets, targets : numpy.ndarray
        The synapses of a pathway (CSR).
    cv : float
        Coefficient of variation.
    key : (int, int)
        Philox key of the pathway's weights.

    Returns
    -------
    numpy.ndarray
        float32, shape (synapses,).
    """
    factors = np.empty(len(targets), np.float32)
    over_rows(len(offsets) - 1, _draw, offsets, targets, float(np.sqrt(np.log1p(cv * cv))), key,
              factors)
    return factors


def even_weights(offsets: np.ndarray, targets: np.ndarray, spread: float, key: tuple[int, int],
                 ) -> np.ndarray:
    """Return a factor per synapse from 1 - spread to 1 + spread, each as likely as any other.

    Parameters and what is returned are as of `weights`.
    """
    factors = np.empty(len(targets), np.float32)
    over_rows(len(offsets) - 1, _draw_even, (offsets, targets, factors), float(spread), key)
    return factors


@compiled()
def _draw_even(start, stop, rows, spread, key):
    offsets, targets, factors = rows
    for source in range(start, stop):
        for n in range(offsets[source], offsets[source + 1]):
            words = jit.philox(uint32(key[0]), uint32(key[1]), uint32(0), uint32(source),
                               uint32(targets[n]), uint32(0))
            u = (np.float64(words[0]) + 0.5) * 2.0**-32
            factors[n] = 1.0 + spread * (2.0 * u - 1.0)


@compiled()
def _draw(start, stop, offsets, targets, spread, key, factors):
    for source in range(start, stop):
        for n in range(offsets[source], offsets[source + 1]):
            words = jit.philox(uint32(key[0]), uint32(key[1]), uint32(0), uint32(source),
                               uint32(targets[n]), uint32(0))
            z = jit.normal_pair(words[0], words[1])[0]
            factors[n] = jit.exp(spread * z - 0.5 * spread * spread)
