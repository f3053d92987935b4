"""The quantum of synaptic contributions, in whose multiples sums of arrivals are exact."""

from __future__ import annotations

from typing import Any

import numpy as np

#: Quantum of a synaptic contribution [nS]: sums of such numbers below 8192 nS are exact in
#: float64, so the order in which spikes arrive cannot matter.
QUANTUM = 2.0**-40


def quantised(weight: Any) -> Any:
    """Return a conductance [nS] rounded to a multiple of `QUANTUM`."""
    return np.rint(np.asarray(weight) / QUANTUM) * QUANTUM
