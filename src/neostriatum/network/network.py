"""The built network: positions, connections, gap junctions, per-neuron spread; and its hash."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from neostriatum.circuit.load import load
from neostriatum.errors import BuildError, shown
from neostriatum.network.law import rule
from neostriatum.network.place import cube_side, place
from neostriatum.network.wire import Box, wire
from neostriatum.rng import checked_seed, stream, truncated_normals

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from neostriatum.circuit.model import Circuit
    from neostriatum.circuit.pathway import Delay

#: Unit of the stored delays [ms].
DELAY_UNIT = 0.1
#: Neurons when nobody says how many.
DEFAULT_SIZE = 10_000


@dataclass(frozen=True)
class Edges:
    """The synapses of one pathway by source (CSR).

    ``offsets`` int64 (n_source + 1,), ``targets`` int32 (m,) sorted within a row, ``delays``
    uint8 (m,) in units of `DELAY_UNIT`, ``weights`` float32 (m,) factors on the pathway's
    conductances, None where all are 1.
    """

    offsets: np.ndarray
    targets: np.ndarray
    delays: np.ndarray
    weights: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.targets)


@dataclass(frozen=True)
class Network:
    """Arrays of one drawn network; global ids run through the types in order."""

    seed: int
    counts: dict[str, int]
    side_um: float
    periodic: bool
    positions: np.ndarray
    edges: dict[str, Edges]
    gaps: np.ndarray
    spread: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)
    build_s: float = 0.0
    #: What it was drawn from; not part of the hash.
    circuit: Circuit | None = field(default=None, repr=False, compare=False)

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
        """Number of chemical synapses."""
        return sum(len(edges) for edges in self.edges.values())

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
        """Save the network with its circuit in one file; see `network.files.save`."""
        from neostriatum.network.files import save

        return save(self, path, circuit)

    def _arrays(self) -> Iterator[tuple[str, np.ndarray]]:
        for name, count in self.counts.items():
            yield f"count {name}", np.array([count], np.int64)
        yield f"side {self.periodic}", np.array([self.side_um])
        yield "positions", self.positions
        for name, edges in self.edges.items():
            for part in ("offsets", "targets", "delays"):
                yield f"{name} {part}", getattr(edges, part)
            if edges.weights is not None:
                yield f"{name} weights", edges.weights
        yield "gaps", self.gaps
        for name, parameters in self.spread.items():
            for parameter, values in parameters.items():
                yield f"spread {name} {parameter}", values


def build(circuit: str | Circuit = "striatum", size: int = DEFAULT_SIZE, seed: int = 1) -> Network:
    """Draw the network of a circuit.

    Parameters
    ----------
    circuit : str or Circuit
        What to build, or its name.
    size : int
        Neurons in all; the volume is size over density.
    seed : int
        Master seed.

    Returns
    -------
    Network
        The same one for the same circuit, size and seed, at any number of threads.

    Raises
    ------
    BuildError
        Size below 1, no room at the minimum distance, a delay out of range.

    Examples
    --------
    >>> build("striatum", size=1000, seed=1).counts
    {'dSPN': 493, 'iSPN': 493, 'FS': 14}
    """
    circuit = load(circuit)
    started, seed, size = time.perf_counter(), checked_seed(seed), checked_size(size)
    counts = circuit.counts(size)
    side = cube_side(circuit, size)
    box = Box(side, circuit.volume.boundary == "periodic")
    positions = place(circuit, counts, side, seed)
    at, start = {}, 0
    for name, count in counts.items():
        at[name] = positions[start : start + count]
        start += count
    edges = {name: _edges(circuit, name, at, box, seed) for name in circuit.pathways}
    gaps = _gaps(circuit, at, box, seed)
    return Network(seed, counts, side, box.periodic, positions, edges, gaps,
                   spread(circuit, counts, seed), time.perf_counter() - started, circuit)


def spread(circuit: Circuit, counts: dict[str, int],
           seed: int) -> dict[str, dict[str, np.ndarray]]:
    """Draw the deviations of parameters by neuron, {type: {parameter: (n,)}} in their units."""
    return {name: {parameter: sd.value * truncated_normals(
                      stream(seed, "spread", f"{name}.{parameter}"), counts[name])
                   for parameter, sd in parameters.items()}
            for name, parameters in circuit.spread.items()}


def checked_size(size: object, where: str = "size") -> int:
    """Return ``size`` as an int >= 1, or raise BuildError."""
    if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size < 1:
        msg = f"{where}: must be a whole number >= 1 (got {shown(size)})"
        raise BuildError(msg)
    return int(size)


def _edges(circuit: Circuit, name: str, at: dict[str, np.ndarray], box: Box, seed: int) -> Edges:
    pathway = circuit.pathways[name]
    source, target = name.split("->")
    key = stream(seed, "wire", name)
    found = wire(at[source], at[target], rule(pathway.wiring), box, key, same=source == target)
    delays = delay_units(f"{circuit.name}: pathways.{name}.delay", pathway.delay, found.distances)
    return Edges(found.offsets, found.targets, delays)


def delay_units(where: str, delay: Delay, distances_um: np.ndarray) -> np.ndarray:
    """Return the delays of synapses at these distances in units of `DELAY_UNIT`, uint8."""
    times = np.full(len(distances_um), delay.offset.value)
    if delay.velocity is not None:
        times += distances_um.astype(np.float64) / delay.velocity.value
    units = np.rint(times / DELAY_UNIT)
    if len(units) and not (units.min() >= 1 and units.max() <= 255):
        msg = (f"{where}: must be 1 to 255 units of {DELAY_UNIT} ms "
               f"(got {times.min():.3g} to {times.max():.3g} ms)")
        raise BuildError(msg)
    return units.astype(np.uint8)


def delay_steps(dt_ms: float) -> np.ndarray:
    """Return the steps of each stored delay 0..255, half to even; int64, shape (256,)."""
    step = Fraction(str(dt_ms))
    return np.array([round(Fraction(units, 10) / step) for units in range(256)], np.int64)


def _gaps(circuit: Circuit, at: dict[str, np.ndarray], box: Box, seed: int) -> np.ndarray:
    """Return coupled FS pairs, int32 (m, 2), first < second, sorted."""
    junctions = circuit.gap_junctions.get("FS-FS")
    if junctions is None:
        return np.zeros((0, 2), np.int32)
    key = stream(seed, "gap", "FS-FS")
    found = wire(at["FS"], at["FS"], rule(junctions.wiring), box, key, same=True, once=True)
    first = np.repeat(np.arange(len(at["FS"])), np.diff(found.offsets))
    return np.stack([first, found.targets], axis=1).astype(np.int32)
