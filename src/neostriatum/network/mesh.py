"""Read a closed triangle mesh from an OBJ or STL file, and refuse one that bounds no volume."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from neostriatum.errors import BuildError, LibraryMissing
from neostriatum.network.triangles import Columns, columns, crossing, inward
from neostriatum.units import quantity

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit

#: Largest file and most triangles.
MOST_BYTES, MOST_TRIANGLES = 100_000_000, 500_000
#: Smallest share of its bounding box that a mesh may fill: points are drawn in the box.
LEAST_FILLED = 1e-3
#: Smallest and largest extent [um]: beyond them the unit is wrong.
EXTENTS = (1.0, 1e6)


def read_mesh(circuit: Circuit) -> Columns:
    """Return the mesh of a circuit's volume, its lowest corner at the origin.

    Parameters
    ----------
    circuit : Circuit
        Its ``volume`` names the file, in its folder, and the unit.

    Raises
    ------
    BuildError
        Not a mesh, empty, too large; open, inside out, or crossing itself.
    LibraryMissing
        trimesh is not installed.
    """
    volume = circuit.volume
    where, path = f"{circuit.name}: volume.file", Path(volume.file or "")
    vertices, faces = _read(where, (circuit._folder or Path.cwd()) / path)
    vertices = vertices * quantity(f"1 {volume.unit}", "um")
    if not len(faces):
        _refuse(where, f"must hold triangles (got none in {path.name})")
    if len(faces) > MOST_TRIANGLES:
        _refuse(where, f"must hold at most {MOST_TRIANGLES} triangles (got {len(faces)})")
    if not np.isfinite(vertices).all():
        _refuse(where, f"coordinates must be finite (got others in {path.name})")
    extent = np.ptp(vertices[faces].reshape(-1, 3), axis=0)
    if extent.min() < EXTENTS[0] or extent.max() > EXTENTS[1]:
        _refuse(where, f"must extend over {EXTENTS[0]:g} to {EXTENTS[1]:g} um along each axis "
                f"(got {extent.min():.3g} to {extent.max():.3g} um). Check volume.unit")
    return _closed(where, vertices, faces)


def solid(mesh: Columns) -> float:
    """Return the volume that a mesh encloses [um^3]."""
    a, b, c = (mesh.triangles[:, n] for n in range(3))
    return float((a * np.cross(b, c)).sum() / 6.0)


def _closed(where: str, vertices: np.ndarray, faces: np.ndarray) -> Columns:
    """Return a mesh whose triangles bound a volume, each facing outward; refuse any other."""
    mesh = _trimesh(where).Trimesh(vertices, faces, process=True)  # merges equal vertices
    if not mesh.is_watertight:
        _refuse(where, "must be closed: every edge between two triangles (got an open mesh)")
    if not mesh.is_winding_consistent:
        _refuse(where, "triangles must turn one way around (got neighbours that disagree)")
    triangles = np.ascontiguousarray(mesh.triangles, np.float64)
    triangles = triangles - triangles.min(axis=(0, 1))
    if crossed := crossing(triangles):
        _refuse(where, f"must not cross itself (got triangles {crossed[0]} and {crossed[1]})")
    made = columns(triangles)
    if (wrong := inward(made)) >= 0:
        _refuse(where, f"triangles must face outward (got triangle {wrong} facing inward)")
    filled = solid(made) / float(triangles.max(axis=(0, 1)).prod())
    if not filled >= LEAST_FILLED:
        _refuse(where, f"must fill at least {LEAST_FILLED:g} of its bounding box "
                f"(got {filled:.2g})")
    return made


def _read(where: str, path: Path) -> tuple[np.ndarray, np.ndarray]:
    trimesh = _trimesh(where)
    kind = path.suffix.lower()
    if kind not in (".obj", ".stl"):
        _refuse(where, f"must end in .obj or .stl (got {path.name})")
    try:
        with path.open("rb") as handle:
            data = handle.read(MOST_BYTES + 1)
    except OSError as error:
        _refuse(where, f"cannot be read ({error.strerror or error})")
    if len(data) > MOST_BYTES:
        _refuse(where, f"must have at most {MOST_BYTES // 1_000_000} MB (got more)")
    try:
        # From memory, so that a mesh cannot name other files to be read.
        made = trimesh.load_mesh(io.BytesIO(data), file_type=kind[1:], process=False,
                                 **({"skip_materials": True} if kind == ".obj" else {}))
        return np.asarray(made.vertices, np.float64), np.asarray(made.faces, np.int64)
    except Exception as error:  # what a reader of foreign files stumbles over is not foreseeable
        _refuse(where, f"{path.name} is not a mesh ({type(error).__name__}: {error})")


def _trimesh(where: str) -> Any:
    try:
        import trimesh
    except ImportError:
        msg = f"{where}: a mesh needs trimesh, which is missing. pip install neostriatum[mesh]"
        raise LibraryMissing(msg) from None
    return trimesh


def _refuse(where: str, rule: str) -> NoReturn:
    msg = " ".join(f"{where}: {rule}".split())
    raise BuildError(msg if len(msg) <= 200 else msg[:197] + "...")
