"""The space that neurons lie in: a shape of a given volume in the middle of a cube."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import types
from numba.extending import overload

from neostriatum.caching import woven
from neostriatum.errors import BuildError, shown
from neostriatum.network.mesh import read_mesh, solid
from neostriatum.network.triangles import Columns, above, columns
from neostriatum.units import whole_number

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit
    from neostriatum.circuit.volume import Volume

#: Neurons when nobody says how many.
DEFAULT_SIZE = 10_000

#: Shapes as compiled code tells them apart; a cube and a slab fill their box.
BOX, ELLIPSOID, MESH = 0, 1, 2


@dataclass(frozen=True)
class Space:
    """Where the neurons of a network may lie.

    ``side`` is the edge of the cube [0, side)^3 [um], ``box`` the extents of the shape along x, y
    and z [um], in the middle of the cube; ``filled`` the share of the cube that the shape takes.
    """

    size: int
    shape: str
    side: float
    box: tuple[float, float, float]
    filled: float
    periodic: bool = False
    mesh: Columns | None = None

    @property
    def low(self) -> np.ndarray:
        """Lowest corner of the shape's box [um]."""
        return (self.side - np.array(self.box)) / 2

    @property
    def volume_um3(self) -> float:
        """Volume of the shape [um^3]."""
        return self.filled * self.side**3

    def grown(self, margin: float) -> Space:
        """Return this space larger by ``margin`` [um] on every side; a mesh becomes its box."""
        x, y, z = (extent + 2 * margin for extent in self.box)
        filled = x * y * z / self.side**3 * (np.pi / 6 if self.kind == ELLIPSOID else 1.0)
        return replace(self, shape="ellipsoid" if self.kind == ELLIPSOID else "slab",
                       box=(x, y, z), filled=filled)

    @property
    def solid(self) -> tuple[Any, ...]:
        """Kind, low corner, box and mesh or None, for `holds`."""
        return self.kind, self.low, np.array(self.box), self.mesh

    @property
    def kind(self) -> int:
        """Shape as compiled code tells it apart."""
        return {"sphere": ELLIPSOID, "ellipsoid": ELLIPSOID, "mesh": MESH}.get(self.shape, BOX)


def space(circuit: Circuit, size: int | None = None) -> Space:
    """Return the space of ``size`` neurons at a circuit's density.

    Parameters
    ----------
    circuit : Circuit
        Its ``volume`` gives shape, boundary and density.
    size : int, optional
        Neurons in all, `DEFAULT_SIZE` unless given. A mesh has its own and takes none.

    Raises
    ------
    BuildError
        A size below 1, a size beside a mesh, a mesh that bounds no volume.

    Examples
    --------
    >>> from neostriatum.circuit.load import load
    >>> round(space(load("striatum_v1"), 77_520).side)
    1000
    """
    volume = circuit.volume
    if volume.shape == "mesh":
        return _of_mesh(circuit, size)
    size = DEFAULT_SIZE if size is None else checked_size(size)
    if volume.shape == "cube":
        return cube(circuit, size)
    amount = placed(circuit, size) / volume.density.value * 1e9
    box = _box(volume, amount)
    side = max(box)
    return Space(size, volume.shape, side, box, amount / side**3)


def cube(circuit: Circuit, size: int) -> Space:
    """Return the cube of ``size`` neurons at a circuit's density, whatever the circuit's shape."""
    side = float((placed(circuit, size) / circuit.volume.density.value) ** (1 / 3) * 1000.0)
    return Space(size, "cube", side, (side, side, side), 1.0, circuit.volume.periodic)


def placed(circuit: Circuit, size: int) -> int:
    """Return how many of ``size`` neurons lie in the volume, those of no nucleus; at least 1."""
    if len(circuit.placed) == len(circuit.types):
        return size
    counts = circuit.counts(size)
    return max(1, sum(counts[name] for name in circuit.placed))


def checked_size(size: object, where: str = "size") -> int:
    """Return ``size`` as an int >= 1, or raise BuildError."""
    return whole_number(where, size, 1, error=BuildError)


def _box(volume: Volume, amount: float) -> tuple[float, float, float]:
    """Return the extents of a shape of ``amount`` um^3 [um]."""
    if volume.thickness is not None:
        edge = float((amount / volume.thickness.value) ** 0.5)
        return edge, edge, volume.thickness.value
    x, y, z = volume.proportions
    scale = float((6 * amount / (np.pi * x * y * z)) ** (1 / 3))
    return x * scale, y * scale, z * scale


def _of_mesh(circuit: Circuit, size: int | None) -> Space:
    if size is not None:
        msg = (f"{circuit.name}: size: follows from the mesh and the density "
               f"(got {shown(size)}). Leave it out")
        raise BuildError(msg)
    mesh = read_mesh(circuit)
    x, y, z = (float(extent) for extent in mesh.triangles.max(axis=(0, 1)))
    side, amount = max(x, y, z), solid(mesh)
    lying = sum(circuit.cells[name].fraction.value for name in circuit.placed)
    size = round(amount * 1e-9 * circuit.volume.density.value / lying)
    if not 1 <= size < 2**31:
        msg = (f"{circuit.name}: volume.file: must hold 1 to 2^31 neurons at this density "
               f"(got {size}). Check volume.unit")
        raise BuildError(msg)
    middle = columns(mesh.triangles + (side - np.array([x, y, z])) / 2)
    return Space(size, "mesh", side, (x, y, z), amount / side**3, mesh=middle)


@woven
def holds(solid, x, y, z):
    """Return whether a point [um] lies in a `Space.solid`."""
    kind, low, box, mesh = solid
    if (x < low[0] or y < low[1] or z < low[2]
            or x >= low[0] + box[0] or y >= low[1] + box[1] or z >= low[2] + box[2]):
        return False
    if kind == ELLIPSOID:
        u, v, w = (2.0 * (x - low[0]) / box[0] - 1.0, 2.0 * (y - low[1]) / box[1] - 1.0,
                   2.0 * (z - low[2]) / box[2] - 1.0)
        return u * u + v * v + w * w <= 1.0
    return kind == BOX or _within(mesh, x, y, z)


def _within(mesh: Any, x: float, y: float, z: float) -> bool:
    """Return whether a point lies in a mesh; without one, nothing of meshes is compiled."""
    raise RuntimeError


@overload(_within)
def _within_overload(mesh, x, y, z):
    if isinstance(mesh, types.NoneType):
        return lambda mesh, x, y, z: False
    return lambda mesh, x, y, z: above(mesh, x, y, z, -1) % 2 == 1
