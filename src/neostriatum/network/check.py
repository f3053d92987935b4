"""Check that the arrays of a network hang together, and that a circuit fits them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.caching import compiled
from neostriatum.circuit.plain import plain
from neostriatum.circuit.value import Provenance
from neostriatum.errors import BuildError, RunFileError, shown

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit
    from neostriatum.network.edges import Edges
from neostriatum.network.network import Network

_FAULTS = ("", "offsets must start at 0, rise and end at the number of targets",
           "targets must be local ids of the target type", "targets must be sorted within a row",
           "delays must be at least 1 unit", "weights must be finite and >= 0")


def fit(circuit: Circuit, network: Network) -> None:
    """Refuse a circuit whose types, pathways or gap junctions are not those of a network.

    Raises
    ------
    BuildError
        What differs.
    """
    for what, ours, theirs in (
        ("cells", circuit.types, tuple(network.counts)),
        ("pathways", tuple(sorted(circuit.pathways)), tuple(sorted(network.edges))),
    ):
        if ours != theirs:
            msg = (f"{circuit.name}: {what}: must be the network's, {shown(', '.join(theirs))} "
                   f"(got {shown(', '.join(ours))})")
            raise BuildError(msg)
    if len(network.gaps) and not circuit.gap_junctions:
        msg = (f"{circuit.name}: gap_junctions: must be there, as the network has "
               f"{len(network.gaps)} (got none)")
        raise BuildError(msg)


def differs(circuit: Circuit, other: Circuit) -> str | None:
    """Return the first key that decides what is built and that two circuits say otherwise."""
    def built(one: Circuit) -> dict[str, Any]:
        return {
            "volume": one.volume, "spread": one.spread,
            **{f"cells.{name}.fraction": cell.fraction.value for name, cell in one.cells.items()},
            **{f"pathways.{name}.{part}": getattr(pathway, part)
               for name, pathway in one.pathways.items()
               for part in ("wiring", "delay", "weight_cv")},
            **{f"gap_junctions.{name}.wiring": junctions.wiring
               for name, junctions in one.gap_junctions.items()},
        }

    # Where a number comes from decides nothing.
    ours, theirs = (_unsourced(plain(built(one))) for one in (circuit, other))
    return next((key for key in {**ours, **theirs} if ours.get(key) != theirs.get(key)), None)


def _unsourced(raw: Any) -> Any:
    """Return plain data of a circuit without source, how and note."""
    if isinstance(raw, dict):
        kept = {key: _unsourced(value) for key, value in raw.items()
                if key not in Provenance.model_fields}
        return kept["value"] if set(kept) == {"value"} else kept
    return [_unsourced(value) for value in raw] if isinstance(raw, list) else raw


def check(where: str, network: Network) -> None:
    """Refuse arrays that no network can have.

    Parameters
    ----------
    where : str
        The file, for messages.
    network : Network
        What was read.

    Raises
    ------
    RunFileError
        A shape, dtype or value out of place.
    """
    _like(where, "positions", network.positions, np.float32, (network.size, 3))
    if not np.isfinite(network.positions).all():
        _refuse(where, "positions must be finite")
    for name, edges in network.edges.items():
        _check_edges(where, name, edges, *(network.counts[end] for end in name.split("->")))
    gaps = network.gaps
    _like(where, "gaps", gaps, np.int32, (len(gaps), 2))
    if len(gaps):
        first, second = gaps.astype(np.int64).T
        rows = first * 2**31 + second
        if not (first.min() >= 0 and (first < second).all() and (np.diff(rows) > 0).all()
                and second.max() < network.counts.get("FS", 0)):
            _refuse(where, "gaps must be sorted pairs of local ids of FS, the lower first")
    for name, parameters in network.spread.items():
        for parameter, values in parameters.items():
            place = f"spread {name} {parameter}"
            _like(where, place, values, np.float64, (network.counts[name],))
            if not np.isfinite(values).all():
                _refuse(where, f"{place} must be finite")


def _check_edges(where: str, name: str, edges: Edges, n_source: int, n_target: int) -> None:
    m = len(edges.targets)
    _like(where, f"{name} offsets", edges.offsets, np.int64, (n_source + 1,))
    _like(where, f"{name} targets", edges.targets, np.int32, (m,))
    _like(where, f"{name} delays", edges.delays, np.uint8, (m,))
    weights = np.ones(0, np.float32) if edges.weights is None else edges.weights
    if edges.weights is not None:
        _like(where, f"{name} weights", weights, np.float32, (m,))
    if fault := _fault(edges.offsets, edges.targets, edges.delays, weights, n_target):
        _refuse(where, f"{name} {_FAULTS[fault]}")


def _like(where: str, what: str, array: np.ndarray, dtype: type, shape: tuple[int, ...]) -> None:
    if array.dtype != dtype or array.shape != shape:
        _refuse(where, f"{what} must be {np.dtype(dtype)} {shape} "
                f"(got {array.dtype} {array.shape})")


def _refuse(where: str, rule: str) -> None:
    msg = f"{where}: {rule}. Build or save it again"
    raise RunFileError(msg)


@compiled()
def _fault(offsets, targets, delays, weights, n_target):
    """Return the number of the first fault of a pathway, 0 if there is none."""
    if offsets[0] != 0 or offsets[-1] != targets.size:
        return 1
    for row in range(offsets.size - 1):
        if offsets[row + 1] < offsets[row] or offsets[row + 1] > targets.size:
            return 1
        for n in range(offsets[row], offsets[row + 1]):
            if targets[n] < 0 or targets[n] >= n_target:
                return 2
            if n > offsets[row] and targets[n] < targets[n - 1]:
                return 3
            if delays[n] == 0:
                return 4
    for weight in weights:
        if not (weight >= 0.0 and weight < np.inf):
            return 5
    return 0
