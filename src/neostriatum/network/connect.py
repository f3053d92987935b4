"""Wire one pathway by whatever rule its circuit names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neostriatum.circuit.pathway import FixedIndegree
from neostriatum.network.indegree import wire_indegree
from neostriatum.network.law import rule
from neostriatum.network.wire import wire

if TYPE_CHECKING:
    import numpy as np

    from neostriatum.circuit.pathway import PairRule
    from neostriatum.network.cells import Cells


def connect(name: str, wiring: PairRule | FixedIndegree, sources: Cells, targets: Cells,
            channels: tuple[np.ndarray, ...] | None = None, **shared: Any) -> np.ndarray:
    """Add the synapses of the pathway ``name`` to a block and return where its rows begin.

    Parameters
    ----------
    name : str
        ``"source->target"``.
    wiring : Wiring
        Its rule.
    sources, targets : Cells
        Both populations.
    channels : (numpy.ndarray, numpy.ndarray), optional
        Of every source and every target, where a pathway keeps to channels.
    **shared
        box, key, block, lag, same, tell as in `wire`.

    Returns
    -------
    numpy.ndarray
        int64, shape (sources + 1,).
    """
    if isinstance(wiring, FixedIndegree):
        within = None if wiring.within is None else wiring.within.value
        return wire_indegree(sources, targets, wiring.n, within, nearest=wiring.nearest,
                             channels=channels, **shared)
    return wire(sources, targets, rule(name, wiring), **shared)
