"""Check that the arrays of a network hang together, and that a circuit fits them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.caching import compiled
from neostriatum.circuit.catalogue import former
from neostriatum.errors import BuildError, RunFileError, shown

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit
    from neostriatum.network.edges import Edges
    from neostriatum.network.network import Network

_FAULTS = ("", "offsets must start at 0, rise and end at the number of targets",
           "targets must be local ids of the target type", "targets must be sorted within a row",
           "delays must be at least 1 unit", "weights must be finite and >= 0")


def fit(circuit: Circuit, network: Network) -> None:
    """Refuse a circuit that would have had another network drawn than the one it is to run on.

    Types, pathways and gap junctions must be there; where the network knows the circuit that it
    was drawn from, everything that decides what is drawn must be equal.

    Raises
    ------
    BuildError
        What differs.
    """
    for what, ours, theirs in (
        ("cells", circuit.types, tuple(network.counts)),
        ("axons", tuple(circuit.axons), tuple(network.axons)),
        ("pathways", tuple(sorted(circuit.pathways)),
         tuple(sorted((*network.edges, *network.afferents, *network.homes)))),
    ):
        if ours != theirs:
            msg = (f"{circuit.name}: {what}: must be the network's, {shown(', '.join(theirs))} "
                   f"(got {shown(', '.join(ours))}){_remedy(circuit, network)}")
            raise BuildError(msg)
    for name, pairs in network.junctions.items():
        if len(pairs) and name not in circuit.gap_junctions:
            msg = (f"{circuit.name}: gap_junctions.{name}: must be there, as the network has "
                   f"{len(pairs)} (got none)")
            raise BuildError(msg)
    if network.circuit is not None:
        refuse_another(network.circuit, circuit)


def _remedy(circuit: Circuit, network: Network) -> str:
    """Return what to name instead of a preset whose name meant the network's circuit once."""
    drawn_from = network.circuit
    if drawn_from is None or circuit.name != drawn_from.name:
        return ""
    name = former(drawn_from.to_dict())
    return f". The network is of version 0.1: name {name}" if name else ""


def refuse_another(drawn_from: Circuit, circuit: Circuit) -> None:
    """Refuse a circuit that decides otherwise what a network drawn from another one is.

    Raises
    ------
    BuildError
        The first key that differs.
    """
    if key := differs(drawn_from, circuit):
        msg = (f"{circuit.name}: {key}: must stay as the network was built (got another). Build "
               "a network with it")
        raise BuildError(msg)


def differs(circuit: Circuit, other: Circuit) -> str | None:
    """Return the first key that decides what is drawn and that two circuits say otherwise."""
    ours, theirs = _drawn_by(_Same(circuit)), _drawn_by(_Same(other))
    return next((key for key in {**ours, **theirs} if ours.get(key) != theirs.get(key)), None)


@dataclass(frozen=True, eq=False)
class _Same:
    """A circuit that is equal to itself alone, for which no value of it needs to be looked at."""

    circuit: Circuit

    def __hash__(self) -> int:
        return id(self.circuit)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.circuit is other.circuit


@lru_cache(maxsize=4)
def _drawn_by(same: _Same) -> dict[str, Any]:
    """Return the values that decide what is drawn, without their sources, by key.

    A run that changes its circuit asks for those of its network and of its last circuit each time.
    """
    circuit = same.circuit
    raw = circuit.to_dict()
    parts = {f"{section}.{name}": raw.get(section, {})[name] for section in ("volume", "spread")
             for name in raw.get(section, {})}
    parts |= {f"cells.{name}.{key}": cell.get(key) for name, cell in raw["cells"].items()
              for key in ("fraction", "nucleus")}
    parts |= {f"axons.{name}.{key}": entry.get(key) for name, entry in raw.get("axons", {}).items()
              for key in ("size", "per_target", "density", "groups", "groups_per_mm3", "identity")}
    parts |= {f"axons.{name}.channels": {channel: one["share"] for channel, one in
                                         entry.get("channels", {}).items()}
              for name, entry in raw.get("axons", {}).items()}
    if circuit.axons or any(getattr(one.wiring, "same_channel", False)
                            for one in circuit.pathways.values()):
        # Channels with a share decide which axons a cell listens to.
        parts |= {f"channels.{name}": one for name, one in raw["channels"].items()
                  if "share" in one}
    for section, keys in (("pathways", ("wiring", "delay", "weight_cv", "weight_spread")),
                          ("gap_junctions", ("wiring",))):
        parts |= {f"{section}.{name}.{key}": entry.get(key)
                  for name, entry in raw.get(section, {}).items() for key in keys}
    # A variation of 0 is none.
    return {key: _plain(value) or None for key, value in parts.items()}


def _plain(value: Any) -> Any:
    """Return a value of `Circuit.to_dict` without source, note and how it came about."""
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if not isinstance(value, dict):
        return value
    if "value" in value:
        return value["value"]
    return {key: _plain(part) for key, part in value.items()
            if key not in ("source", "how", "note")}


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
    for ids in network.populations.values():
        mine = network.positions[ids.start : ids.stop]
        # Cells of a nucleus have no places.
        if not (np.isfinite(mine).all() or np.isnan(mine).all()):
            _refuse(where, "positions must be finite")
    for name, edges in (network.edges | network.afferents).items():
        _check_edges(where, name, edges, *(network.sources(end) for end in name.split("->")))
    for name, groups in network.homes.items():
        place = f"{name} homes"
        _like(where, place, groups, np.int32, (network.counts[name.split("->")[1]],
                                               *groups.shape[1:]))
        if groups.ndim != 2 or groups.shape[1] < 2 or (len(groups) and (
                groups.min() < 0 or groups.max() > network.axons[name.split("->")[0]])):
            _refuse(where, f"{place} must be numbers of groups")
    for name, pairs in network.junctions.items():
        _check_junctions(where, name, pairs, network.counts)
    for name, parameters in network.spread.items():
        for parameter, values in parameters.items():
            place = f"spread {name} {parameter}"
            _like(where, place, values, np.float64, (network.counts[name],))
            if not np.isfinite(values).all():
                _refuse(where, f"{place} must be finite")


def _check_junctions(where: str, name: str, pairs: np.ndarray, counts: dict[str, int]) -> None:
    a, b = name.split("-")
    _like(where, f"gaps {name}", pairs, np.int32, (len(pairs), 2))
    if not len(pairs):
        return
    first, second = pairs.astype(np.int64).T
    if not (first.min() >= 0 and second.min() >= 0 and first.max() < counts[a]
            and second.max() < counts[b] and (np.diff(first * 2**31 + second) > 0).all()
            and (a != b or (first < second).all())):
        ids = f"{a}, the lower first" if a == b else f"{a} and {b}"
        _refuse(where, f"gaps {name} must be sorted pairs of local ids of {ids}")


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
