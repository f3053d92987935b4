"""Which neurons lie near the surface of the tissue, where part of what they connect to is missing.

From the positions alone, so that a loaded network needs no mesh.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from neostriatum.network.network import Network

#: Neurons that a full voxel holds on average: an empty one lies outside.
_PER_VOXEL = 20.0
#: Voxels along the distance that is asked for, at most.
_FINEST = 8


def near_surface(network: Network, reach_um: float) -> np.ndarray:
    """Return which neurons lie nearer to the surface than ``reach_um`` [um], bool (N,).

    Parameters
    ----------
    network : Network
        A torus has no surface. Of an ellipsoid, those outside the one whose half axes are shorter
        by ``reach_um``; of a mesh, those with an empty voxel that near (63 um in the default
        circuit, a voxel that would hold 20 neurons).
    reach_um : float
        Distance [um].
    """
    if network.periodic:
        return np.zeros(network.size, bool)
    if network.shape == "mesh":
        return _near_empty(network, reach_um)
    low, high = np.zeros(3), np.full(3, network.side_um)
    if network.shape in ("slab", "ellipsoid"):
        # They fill their box up to a few um.
        lying = network.positions[network.lying]
        low, high = lying.min(axis=0), lying.max(axis=0)
    half = (high - low) / 2.0 - reach_um
    if half.min() <= 0:
        return np.ones(network.size, bool)
    away = np.abs(network.positions - (low + high) / 2.0) / half
    if network.shape in ("sphere", "ellipsoid"):
        return (away**2).sum(axis=1) > 1.0
    return away.max(axis=1) > 1.0


def _near_empty(network: Network, reach_um: float) -> np.ndarray:
    density = len(network.positions[network.lying]) / (network.volume_mm3 * 1e9)
    width = max((_PER_VOXEL / density) ** (1 / 3), reach_um / _FINEST)
    margin = int(np.ceil(reach_um / width))
    close = np.zeros(network.size, bool)
    at = (network.positions[network.lying] / width).astype(np.int64) + margin
    shape = at.max(axis=0) + margin + 1
    empty = np.ones(shape, bool)
    empty[tuple(at.T)] = False
    near = empty.copy()
    steps = range(-margin, margin + 1)
    for i in steps:
        for j in steps:
            for k in steps:
                if (i * i + j * j + k * k) * width * width <= reach_um * reach_um:
                    near |= np.roll(empty, (i, j, k), axis=(0, 1, 2))
    close[network.lying] = near[tuple(at.T)]
    return close
