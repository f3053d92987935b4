"""Spread the delays of a pathway's synapses evenly around what they are."""

from __future__ import annotations

import numpy as np
from numba import uint32

from neostriatum import jit
from neostriatum.caching import compiled
from neostriatum.errors import BuildError
from neostriatum.threads import over_rows


def spread_delays(where: str, rows: tuple[np.ndarray, np.ndarray, np.ndarray], spread: float,
                  key: tuple[int, int]) -> None:
    """Multiply every stored delay by a number of its own, from 1 - spread to 1 + spread.

    Parameters
    ----------
    where : str
        Path of the delay, for messages.
    rows : (numpy.ndarray, numpy.ndarray, numpy.ndarray)
        Offsets, targets and delays of the synapses of a pathway (CSR); the delays are changed.
    spread : float
        From 0 to below 1.
    key : (int, int)
        Philox key of the pathway's delays.

    Raises
    ------
    BuildError
        Delays that can then not be stored.
    """
    offsets, _, delays = rows
    if not len(delays):
        return
    low, high = delays.min() * (1 - spread), delays.max() * (1 + spread)
    if np.rint(low) < 1 or np.rint(high) > 255:
        msg = (f"{where}.spread: must leave delays of 0.1 to 25.5 ms (got {low / 10:.3g} to "
               f"{high / 10:.3g} ms). Lower it")
        raise BuildError(msg)
    over_rows(len(offsets) - 1, _spread, rows, float(spread), key)


@compiled()
def _spread(start, stop, rows, spread, key):
    offsets, targets, delays = rows
    for source in range(start, stop):
        for n in range(offsets[source], offsets[source + 1]):
            words = jit.philox(uint32(key[0]), uint32(key[1]), uint32(0), uint32(source),
                               uint32(targets[n]), uint32(0))
            u = (np.float64(words[0]) + 0.5) * 2.0**-32
            delays[n] = np.uint8(np.rint(delays[n] * (1.0 + spread * (2.0 * u - 1.0))))
