"""Compiled geometry of closed triangle meshes: what is inside, what crosses, what faces outward.

A vertical line through a point meets the surface above it an odd number of times exactly when the
point is inside. Which triangles the line meets is decided edge by edge, with the ends of an edge in
a fixed order, so that the two triangles of an edge always agree and no line slips between them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from neostriatum.caching import compiled

#: A triangle is shrunk by this share of itself before it is tested against its neighbours.
_SHRINK = 1e-6
#: Gap that counts as one, as a share of the size of two triangles; rounding is below 1e-15.
_GAP = 1e-13


class Columns(NamedTuple):
    """Triangles (F, 3, 3) [um] by the vertical column they lie over, in CSR form."""

    triangles: np.ndarray
    starts: np.ndarray
    members: np.ndarray
    low: np.ndarray
    cell: np.ndarray
    across: np.ndarray


def columns(triangles: np.ndarray) -> Columns:
    """Sort triangles, shape (F, 3, 3) [um], into about as many vertical columns."""
    across = max(1, min(2048, round(len(triangles) ** 0.5)))
    return Columns(triangles, *_sorted(triangles * (1.0, 1.0, 0.0), (across, across, 1)))


def hull(triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the low and the high corner of the box around triangles [um]."""
    return triangles.min(axis=(0, 1)), triangles.max(axis=(0, 1))


def crossing(triangles: np.ndarray) -> tuple[int, int] | None:
    """Return two triangles of shape (F, 3, 3) that cross, or None.

    Neighbours may meet at their common corners and edges; folded onto each other they cross.
    """
    middle = triangles.mean(axis=1, keepdims=True)
    shrunk = triangles + (middle - triangles) * _SHRINK
    low, high = hull(triangles)
    # Cells as large as a triangle is on average: few triangles per cell, few cells per triangle.
    size = np.maximum((triangles.max(axis=1) - triangles.min(axis=1)).mean(), 1e-12)
    across = np.clip((high - low) / size, 1, max(1.0, 2 * len(triangles) ** (1 / 3)))
    starts, members, *_ = _sorted(triangles, across)
    first, second = _crossing(shrunk, starts, members)
    return None if first < 0 else (int(first), int(second))


def _sorted(triangles: np.ndarray, cells: Any) -> tuple[np.ndarray, ...]:
    """Return starts, members, low corner, cell sides and cells per axis of a grid of triangles."""
    (low, high), across = hull(triangles), np.array(cells, np.int64)
    cell = np.maximum(high - low, 1e-12) / across
    span = np.stack([triangles.min(axis=1), triangles.max(axis=1)], axis=1)
    at = np.clip(((span - low) / cell).astype(np.int64), 0, across - 1)
    starts, members = _fill(at, across)
    return starts, members, low, cell, across


@compiled()
def _fill(at, across):
    """Return the triangles in each cell (CSR); ``at`` holds their lowest and highest cells."""
    starts = np.zeros(across[0] * across[1] * across[2] + 1, np.int64)
    members, ends = np.empty(0, np.int32), starts
    for fill in range(2):
        for t in range(at.shape[0]):
            for i in range(at[t, 0, 0], at[t, 1, 0] + 1):
                for j in range(at[t, 0, 1], at[t, 1, 1] + 1):
                    for k in range(at[t, 0, 2], at[t, 1, 2] + 1):
                        c = (i * across[1] + j) * across[2] + k
                        if fill:
                            members[ends[c]] = t
                            ends[c] += 1
                        else:
                            starts[c + 1] += 1
        if not fill:
            starts = np.cumsum(starts)
            members, ends = np.empty(starts[-1], np.int32), starts.copy()
    return starts, members


@compiled()
def above(grid, x, y, z, without):
    """Count the triangles straight above a point, not counting triangle ``without``."""
    i, j = int((x - grid.low[0]) / grid.cell[0]), int((y - grid.low[1]) / grid.cell[1])
    if x < grid.low[0] or y < grid.low[1] or i > grid.across[0] or j > grid.across[1]:
        return 0
    c = min(i, grid.across[0] - 1) * grid.across[1] + min(j, grid.across[1] - 1)
    count = 0
    for m in range(grid.starts[c], grid.starts[c + 1]):
        t = grid.members[m]
        if t != without and _covers(grid.triangles, t, x, y) and _height(grid, t, x, y) > z:
            count += 1
    return count


@njit(inline="always")
def _covers(triangles, t, x, y):
    inside = False
    for n in range(3):
        o = n + 1 if n < 2 else 0
        if (triangles[t, n, 1] <= y) != (triangles[t, o, 1] <= y):
            # From the lower end to the upper one, whichever triangle asks.
            low, high = (n, o) if triangles[t, n, 1] < triangles[t, o, 1] else (o, n)
            x0, y0 = triangles[t, low, 0], triangles[t, low, 1]
            slope = (triangles[t, high, 0] - x0) / (triangles[t, high, 1] - y0)
            inside ^= x < x0 + (y - y0) * slope
    return inside


@compiled()
def _height(grid, t, x, y):
    a = grid.triangles[t, 0]
    n = _normal(grid.triangles[t])
    return a[2] - (n[0] * (x - a[0]) + n[1] * (y - a[1])) / n[2]


@compiled()
def _normal(triangle):
    a, b, c = triangle[0], triangle[1], triangle[2]
    return _cross((b[0] - a[0], b[1] - a[1], b[2] - a[2]),
                  (c[0] - a[0], c[1] - a[1], c[2] - a[2]))


@njit(inline="always")
def _cross(u, v):
    return u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]


@compiled()
def inward(grid):
    """Return a triangle whose right-handed normal does not point out of the mesh, or -1."""
    for t in range(grid.triangles.shape[0]):
        n = _normal(grid.triangles[t])
        # An upright triangle has no clear upper side; its neighbours share its orientation.
        if abs(n[2]) <= 1e-3 * (abs(n[0]) + abs(n[1])):
            continue
        a, b, c = grid.triangles[t, 0], grid.triangles[t, 1], grid.triangles[t, 2]
        x, y, z = (a[0] + b[0] + c[0]) / 3, (a[1] + b[1] + c[1]) / 3, (a[2] + b[2] + c[2]) / 3
        if (above(grid, x, y, z, t) % 2 == 1) != (n[2] < 0):
            return t
    return -1


@compiled()
def _crossing(triangles, starts, members):
    for c in range(starts.size - 1):
        for m in range(starts[c], starts[c + 1]):
            for o in range(m + 1, starts[c + 1]):
                a, b = triangles[members[m]], triangles[members[o]]
                if _boxes_meet(a, b) and not _apart(a, b):
                    return members[m], members[o]
    return -1, -1


@compiled()
def _boxes_meet(a, b):
    for axis in range(3):
        if (min(a[0, axis], a[1, axis], a[2, axis]) > max(b[0, axis], b[1, axis], b[2, axis])
                or min(b[0, axis], b[1, axis], b[2, axis])
                > max(a[0, axis], a[1, axis], a[2, axis])):
            return False
    return True


@compiled()
def _apart(a, b):
    """Return whether a plane separates two triangles (separating axis theorem, 17 axes)."""
    size = 0.0
    for n in range(3):
        for axis in range(3):
            size = max(size, abs(a[n, axis] - a[0, axis]), abs(b[n, axis] - a[0, axis]))
    edges = (_edge(a, 0), _edge(a, 1), _edge(a, 2), _edge(b, 0), _edge(b, 1), _edge(b, 2))
    normals = (_cross(edges[0], edges[1]), _cross(edges[3], edges[4]))
    for n in range(17):
        if n < 2:
            axis = normals[n]
        elif n < 8:
            axis = _cross(normals[(n - 2) // 3], edges[n - 2])
        else:
            axis = _cross(edges[(n - 8) // 3], edges[3 + (n - 8) % 3])
        p, q = _span(axis, a, a[0]), _span(axis, b, a[0])
        gap = max(q[0] - p[1], p[0] - q[1])
        if gap > _GAP * size * max(abs(axis[0]), abs(axis[1]), abs(axis[2])):
            return True
    return False


@njit(inline="always")
def _edge(triangle, n):
    p, q = triangle[n], triangle[(n + 1) % 3]
    return q[0] - p[0], q[1] - p[1], q[2] - p[2]


@njit(inline="always")
def _span(axis, triangle, origin):
    """Return the lowest and the highest shadow of a triangle on an axis."""
    low, high = np.inf, -np.inf
    for n in range(3):
        shadow = (axis[0] * (triangle[n, 0] - origin[0]) + axis[1] * (triangle[n, 1] - origin[1])
                  + axis[2] * (triangle[n, 2] - origin[2]))
        low, high = min(low, shadow), max(high, shadow)
    return low, high
