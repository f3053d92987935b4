"""The built network: positions, connections, gap junctions, per-neuron spread; and its hash."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from neostriatum.card import Carded
from neostriatum.network.edges import DELAY_UNIT, FIRST_KIND, Edges

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from neostriatum.card import Card
    from neostriatum.circuit.model import Circuit


@dataclass(frozen=True, repr=False)
class Network(Carded):
    """Arrays of one drawn network; global ids run through the types in order.

    Positions of the cells of a nucleus are NaN.

    Examples
    --------
    >>> import neostriatum as ns
    >>> network = ns.build("striatum_v1", size=100)
    >>> isinstance(network, ns.Network), network.size, network.positions.shape
    (True, 100, (100, 3))
    """

    seed: int
    counts: dict[str, int]
    side_um: float
    periodic: bool
    positions: np.ndarray
    edges: dict[str, Edges]
    #: Coupled pairs by kind of gap junction, int32 (m, 2): local ids of A and B of "A-B", sorted.
    junctions: dict[str, np.ndarray]
    spread: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)
    #: Seconds that drawing took, without compiling.
    build_s: float = 0.0
    shape: str = "cube"
    #: Share of the cube [0, side_um)^3 that the shape in its middle takes.
    filled: float = 1.0
    #: What it was drawn from; not part of the hash.
    circuit: Circuit | None = field(default=None, repr=False, compare=False)
    #: Axons of every population that is no cell type, and the synapses of their pathways.
    axons: dict[str, int] = field(default_factory=dict)
    afferents: dict[str, Edges] = field(default_factory=dict)
    #: Of pathways of axons without identity: home groups of every target, then the first group of
    #: the other axons and the one past the last, int32 (n, h + 2).
    homes: dict[str, np.ndarray] = field(default_factory=dict)

    def card(self) -> Card:
        """Return what it says of itself."""
        from neostriatum.network.card import card

        return card(self)

    @property
    def volume_mm3(self) -> float:
        """Volume that the neurons lie in [mm^3]."""
        return self.filled * self.side_um**3 * 1e-9

    @property
    def centroid_um(self) -> np.ndarray:
        """Mean of the soma positions [um], float64 (3,); cells without a place do not count."""
        return self.positions[self.lying].mean(axis=0, dtype=np.float64)

    @property
    def lying(self) -> np.ndarray | slice:
        """Which neurons have a place, bool (N,); where all have, all of them as a slice."""
        has = np.isfinite(self.positions[:, 0])
        return slice(None) if has.all() else has

    @property
    def size(self) -> int:
        """Number of neurons."""
        return sum(self.counts.values())

    @property
    def populations(self) -> dict[str, range]:
        """Global ids of each type."""
        ids, start = {}, 0
        for name, count in self.counts.items():
            ids[name] = range(start, start + count)
            start += count
        return ids

    @property
    def synapses(self) -> int:
        """Number of chemical synapses between cells."""
        return sum(len(edges) for edges in self.edges.values())

    def sources(self, name: str) -> int:
        """Return the number of cells, or of axons, of a population."""
        return self.counts[name] if name in self.counts else self.axons[name]

    @property
    def gaps(self) -> np.ndarray:
        """Pairs of all kinds of gap junctions, kind after kind, int32 (m, 2)."""
        return np.concatenate([np.zeros((0, 2), np.int32), *self.junctions.values()])

    def joined(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the targets and delays of all pathways, one after another.

        Without a copy where they already lie so, as in a network from `build`.
        """
        return (_joined([edges.targets for edges in self.edges.values()], np.int32),
                _joined([edges.delays for edges in self.edges.values()], np.uint8))

    def hash(self) -> str:
        """Return the sha256 over names, dtypes, shapes and bytes of all arrays in fixed order."""
        digest = hashlib.sha256(f"neostriatum network 1, delay unit {DELAY_UNIT} ms".encode())
        for name, array in self._arrays():
            plain = np.ascontiguousarray(array)
            plain = plain.astype(plain.dtype.newbyteorder("<"), copy=False)
            digest.update(f"{name} {plain.dtype.str} {plain.shape}".encode())
            digest.update(plain.reshape(-1).view(np.uint8).data)
        return digest.hexdigest()

    def save(self, path: str | Path, circuit: Circuit | None = None) -> Path:
        """Save the network with its circuit in one file; see `network.saved.save`."""
        from neostriatum.network.saved import save

        return save(self, path, circuit)

    def _arrays(self) -> Iterator[tuple[str, np.ndarray]]:
        for name, count in self.counts.items():
            yield f"count {name}", np.array([count], np.int64)
        yield f"{self.shape} {self.periodic}", np.array([self.side_um, self.filled])
        yield "positions", self.positions
        for name, edges in self.edges.items():
            yield from _parts(name, edges)
        # Networks of before other kinds were known keep their hashes.
        yield "gaps", self.junctions.get(FIRST_KIND, np.zeros((0, 2), np.int32))
        for name, pairs in self.junctions.items():
            if name != FIRST_KIND:
                yield f"gaps {name}", pairs
        for name, parameters in self.spread.items():
            for parameter, values in parameters.items():
                yield f"spread {name} {parameter}", values
        for name, count in self.axons.items():
            yield f"axons {name}", np.array([count], np.int64)
        for name, edges in self.afferents.items():
            yield from _parts(name, edges)
        for name, groups in self.homes.items():
            yield f"{name} homes", groups


def _parts(name: str, edges: Edges) -> Iterator[tuple[str, np.ndarray]]:
    for part in ("offsets", "targets", "delays"):
        yield f"{name} {part}", getattr(edges, part)
    if edges.weights is not None:
        yield f"{name} weights", edges.weights


def _joined(parts: list[np.ndarray], dtype: type) -> np.ndarray:
    whole = parts[0].base if parts else None
    if isinstance(whole, np.ndarray) and whole.ndim == 1 and whole.dtype == dtype:
        at = whole.ctypes.data
        for part in parts:
            if part.base is not whole or part.ctypes.data != at:
                break
            at += part.nbytes
        else:
            if at == whole.ctypes.data + whole.nbytes:
                return whole
    return np.concatenate([np.zeros(0, dtype), *parts])


def delay_steps(dt_ms: float) -> np.ndarray:
    """Return the steps of each stored delay 0..255, half to even; int64, shape (256,)."""
    step = Fraction(str(dt_ms))
    return np.array([round(Fraction(units, 10) / step) for units in range(256)], np.int64)
