"""Spike trains whose statistics are known."""

import numpy as np

NOTHING = np.empty(0), np.empty(0, np.int64)
DURATION_MS = 100_000.0


def spikes_of(own, bin_ms):
    """Spikes in the middle of the bins where a boolean array (neurons, bins) is true."""
    ids, at = own.nonzero()
    return (at + 0.5) * bin_ms, ids


def poisson(n, rate_hz, seed, duration_ms=DURATION_MS):
    rng = np.random.default_rng(seed)
    count = rng.poisson(rate_hz * duration_ms / 1000 * n)
    return rng.random(count) * duration_ms, rng.integers(0, n, count)


def mother(n, rate_hz, copied, seed):
    """Trains that each copy a spike of a shared Poisson train with a probability: correlation."""
    rng = np.random.default_rng(seed)
    shared_ms = rng.random(rng.poisson(rate_hz / copied * DURATION_MS / 1000)) * DURATION_MS
    own = rng.random((n, shared_ms.size)) < copied
    ids, at = own.nonzero()
    return shared_ms[at], ids
