"""Read a network from SONATA files: our own export, or what another tool made."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.circuit.cell import canonical
from neostriatum.circuit.load import load
from neostriatum.circuit.recorded import own
from neostriatum.errors import BuildError, CircuitError, RunFileError, shown
from neostriatum.network.check import check
from neostriatum.network.edges import DELAY_UNIT, Edges
from neostriatum.network.files import UNITS, parsed, verified
from neostriatum.network.hdf5 import BLOCK, reading
from neostriatum.network.network import Network, spread
from neostriatum.network.sonata import CONFIG, SIDE
from neostriatum.network.sonata_table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from neostriatum.circuit.model import Circuit

#: Attributes of nodes that may name their cell type, the first found counts.
TYPE_KEYS = ("cell_type", "pop_name", "model_name")
#: How far a conductance in single precision may be from its value in the circuit.
_CLOSE = 1e-5


@dataclass
class _Cells:
    """Nodes of one population by rising id: which type each is, and which of that type."""

    ids: np.ndarray
    kinds: np.ndarray
    local: np.ndarray

    def rows(self, wanted: np.ndarray, where: str) -> np.ndarray:
        rows = np.minimum(np.searchsorted(self.ids, wanted), max(len(self.ids) - 1, 0))
        missing = wanted[self.ids[rows] != wanted] if len(self.ids) else wanted
        if len(missing):
            msg = f"{where} has an id that no node has (got {missing[0]})"
            raise ValueError(msg)
        return rows


@dataclass
class _Found:
    """What the files hold, gathered population by population."""

    circuit: Circuit
    #: The header beside our own export, None for another tool's.
    said: dict[str, Any] | None
    unit: str
    cells: dict[str, _Cells] = field(default_factory=dict)
    positions: list[list[np.ndarray]] = field(default_factory=list)
    spread: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)
    edges: dict[str, list[tuple[np.ndarray, ...]]] = field(default_factory=dict)
    gaps: list[np.ndarray] = field(default_factory=list)


def read(path: Path, circuit: Circuit | None, weight_unit: str = "nS", seed: int = 1) -> Network:
    """Read a network from a SONATA config or the folder of one; see `load_network`."""
    config = path / CONFIG if path.is_dir() else path
    side = config.parent / SIDE
    with reading(config):
        files = _files(config)
        said = parsed(side.read_bytes()) if side.is_file() else None
    meant = circuit if said is None else load(said["circuit"], folder=config.parent.resolve())
    if meant is None:
        msg = f"{config}: was made by another tool: needs a circuit (got none). Name one"
        raise CircuitError(msg)
    found = _Found(meant, said, weight_unit, positions=[[] for _ in meant.types])
    for kind, data, types in files:
        with reading(data):
            for table in _tables(kind, data, types):
                (_take_nodes if kind == "node" else _take_edges)(found, table)
    return _network(config, found, circuit, seed)


def _network(config: Path, found: _Found, wanted: Circuit | None, seed: int) -> Network:
    circuit, said = found.circuit, found.said
    placed = [np.concatenate([np.zeros((0, 3)), *one]) for one in found.positions]
    counts = {name: len(one) for name, one in zip(circuit.types, placed, strict=True)}
    positions = np.concatenate(placed)
    with reading(config):
        if not len(positions):
            msg = "has no nodes"
            raise ValueError(msg)
        if said is not None and counts != said["fields"]["counts"]:
            msg = f"has other nodes than {SIDE} says"
            raise ValueError(msg)
        edges = {name: _csr(found, name, counts) for name in circuit.pathways}
    pairs = np.concatenate([np.zeros((0, 2), np.int64), *found.gaps])
    gaps = np.unique(np.sort(pairs, axis=1), axis=0).astype(np.int32)
    if said is not None:
        made = Network(**said["fields"], positions=positions.astype(np.float32), edges=edges,
                       gaps=gaps, spread=found.spread)
        return verified(config, made, said, wanted)
    # The volume is the smallest cube around the somas, its corner at 0.
    low, high = positions.min(axis=0), positions.max(axis=0)
    side = float((high - low).max()) or 1.0
    positions = (positions - (low + high) / 2 + side / 2).astype(np.float32)
    made = Network(seed, counts, side, False, positions, edges, gaps,
                   spread(circuit, counts, seed), circuit=circuit)
    check(str(config), made)
    return made


def _files(config: Path) -> list[tuple[str, Path, Path | None]]:
    """Return (kind, HDF5 file, CSV file) of everything a config names, nodes first."""
    said = json.loads(config.read_bytes())
    networks, manifest = said["networks"], said.get("manifest", {})
    known = {"configdir": ".", **{key.strip("${}"): str(value) for key, value in manifest.items()}}
    found: list[tuple[str, Path, Path | None]] = []
    for kind in ("node", "edge"):
        for entry in networks.get(f"{kind}s", []):
            types = entry.get(f"{kind}_types_file")
            found.append((kind, _resolved(config, entry[f"{kind}s_file"], known),
                          _resolved(config, types, known) if types else None))
    return found


def _resolved(config: Path, name: str, known: dict[str, str]) -> Path:
    for _ in range(len(known) + 1):
        name = re.sub(r"\$\{?(\w+)\}?", lambda found: known.get(found[1], found[0]), name)
    if "$" in name:
        msg = f"the manifest does not resolve {shown(name)}"
        raise ValueError(msg)
    return config.parent / name


def _tables(kind: str, data: Path, types: Path | None) -> Iterator[Table]:
    import h5py

    with h5py.File(data, "r") as file:
        root = own(file, f"{kind}s", h5py.Group)
        for name in root:
            yield Table(kind, root, name, types)


def _take_nodes(found: _Found, table: Table) -> None:
    types = found.circuit.types
    name = table.group.name
    if table.name in found.cells:
        msg = f"{name} stands in two files"
        raise ValueError(msg)
    ids = table.ids("node_id") if "node_id" in table.group else np.arange(table.n)
    order = np.argsort(ids, kind="stable")
    ids = ids[order]
    if table.n and (ids[0] < 0 or (np.diff(ids) < 1).any()):
        msg = f"{name}/node_id must be different whole numbers from 0 on"
        raise ValueError(msg)
    kinds = _kinds(table, types)[order]
    at = np.stack([table.values(axis) for axis in "xyz"], axis=1)[order]
    if not np.isfinite(at).all():
        msg = f"{name} must have x, y and z of every node [um]"
        raise ValueError(msg)
    local = np.zeros(table.n, np.int64)
    for number in range(len(types)):
        mine = np.flatnonzero(kinds == number)
        local[mine] = sum(map(len, found.positions[number])) + np.arange(len(mine))
        found.positions[number].append(at[mine])
    if found.said is not None and table.name in found.said["spread"]:
        found.spread[table.name] = {one: table.values(f"spread_{one}")[order]
                                    for one in found.said["spread"][table.name]}
    found.cells[table.name] = _Cells(ids, kinds, local)


def _kinds(table: Table, types: tuple[str, ...]) -> np.ndarray:
    """Return the number of the cell type of every node."""
    if canonical(table.name) in types:
        return np.full(table.n, types.index(canonical(table.name)))
    key = next((one for one in TYPE_KEYS if table.has(one)), None)
    said = table.texts(key) if key else np.full(table.n, table.name, dtype=object)
    kinds = np.zeros(table.n, np.int64)
    for name in set(said):
        if canonical(name) not in types:
            msg = (f"{table.group.name}: the population or its {', '.join(TYPE_KEYS)} must name "
                   f"one of {', '.join(types)} (got {shown(name)})")
            raise BuildError(msg)
        kinds[said == name] = types.index(canonical(name))
    return kinds


def _take_edges(found: _Found, table: Table) -> None:
    types, name = found.circuit.types, table.group.name
    ends = {}
    for end in ("source", "target"):
        population = table.end(f"{end}_node_id")
        if population not in found.cells:
            msg = f"{name}/{end}_node_id: no such node population (got {shown(population)})"
            raise ValueError(msg)
        ends[end] = found.cells[population]
    for start in range(0, table.n, BLOCK):
        stop = min(table.n, start + BLOCK)
        (k0, i0), (k1, i1) = (
            (cells.kinds[rows], cells.local[rows]) for end, cells in ends.items()
            for rows in [cells.rows(table.ids(f"{end}_node_id", start, stop),
                                    f"{name}/{end}_node_id")])
        junction = table.values("is_gap_junction", start, stop) == 1
        for pair in np.unique(k0 * len(types) + k1):
            both = [types[number] for number in divmod(int(pair), len(types))]
            mine = k0 * len(types) + k1 == pair
            for electrical in np.unique(junction[mine]):
                rows = np.flatnonzero(mine & (junction == electrical))
                if electrical:
                    _junctions(found, table, "-".join(both), start + rows)
                    found.gaps.append(np.stack([i0[rows], i1[rows]], axis=1))
                else:
                    found.edges.setdefault("->".join(both), []).append((
                        i0[rows].astype(np.int32), i1[rows].astype(np.int32),
                        _delays(table, start, stop)[rows],
                        _factors(found, table, "->".join(both), start, stop)[rows]))


def _junctions(found: _Found, table: Table, name: str, rows: np.ndarray) -> None:
    """Refuse gap junctions that the circuit does not have, or has with another conductance."""
    junctions = found.circuit.gap_junctions.get(name)
    if junctions is None:
        msg = f"{table.group.name}: the circuit must have gap_junctions.{name} (got none)"
        raise BuildError(msg)
    g = table.values("syn_weight")[rows] * _scale(found, table)
    off = g[np.abs(g - junctions.conductance.value) > _CLOSE * junctions.conductance.value]
    if len(off):
        msg = (f"{table.group.name}: syn_weight of a gap junction must be the circuit's "
               f"{junctions.conductance.value:g} nS (got {off[0]:g} nS)")
        raise BuildError(msg)


def _delays(table: Table, start: int, stop: int) -> np.ndarray:
    """Return the delays of edges in units of `DELAY_UNIT`, half to even, uint8."""
    delays = table.values("delay", start, stop)
    units = np.rint(np.round(delays / DELAY_UNIT, 3))
    if not ((units >= 1) & (units <= 255)).all():
        wrong = delays[~((units >= 1) & (units <= 255))][0]
        rule = ("must have a delay [ms] in its group or its edge type" if np.isnan(wrong) else
                f"delay must be 1 to 255 units of {DELAY_UNIT} ms (got {wrong:g} ms)")
        msg = f"{table.group.name} {rule}"
        raise ValueError(msg)
    return units.astype(np.uint8)


def _scale(found: _Found, table: Table) -> float:
    unit = table.unit("syn_weight") or found.unit
    if unit not in UNITS:
        msg = f"{table.group.name} syn_weight must be in nS or uS (got {shown(unit)})"
        raise ValueError(msg)
    return UNITS[unit]


def _factors(found: _Found, table: Table, name: str, start: int, stop: int) -> np.ndarray:
    """Return the conductance of every edge over that of its pathway, float32."""
    if name not in found.circuit.pathways:
        msg = f"{table.group.name}: the circuit must have the pathway {name} (got none)"
        raise BuildError(msg)
    peak = next(iter(found.circuit.pathways[name].conductance.values())).value
    given = table.values("syn_weight", start, stop) * _scale(found, table)
    if table.has("nsyns"):
        given *= np.nan_to_num(table.values("nsyns", start, stop), nan=1.0)
    if not ((given >= 0) & (given < np.inf)).all():
        wrong = given[~((given >= 0) & (given < np.inf))][0]
        msg = f"{table.group.name} must have a syn_weight >= 0 of every edge (got {wrong:g})"
        raise ValueError(msg)
    factors = np.ones(stop - start)
    if found.said is not None and name in found.said["weighted"]:
        factors = table.values("weight_factor", start, stop)
    elif found.said is None and peak > 0:
        factors = given / peak
    if not (np.abs(given - factors * peak) <= _CLOSE * given).all():
        rule = (f"syn_weight is not what {SIDE} says; without that file it is read anew"
                if found.said else f"syn_weight must be 0, as the pathway {name} is")
        msg = f"{table.group.name} {rule} (got {given.max():g} nS)"
        raise RunFileError(msg)
    return factors.astype(np.float32)


def _csr(found: _Found, name: str, counts: dict[str, int]) -> Edges:
    """Return the edges of a pathway by source, then target, else in the order of the files."""
    n_source, n_target = (counts[end] for end in name.split("->"))
    empty = tuple(np.zeros(0, kind) for kind in (np.int32, np.int32, np.uint8, np.float32))
    parts = zip(empty, *found.edges.pop(name, []), strict=True)
    source, target, delays, factors = (np.concatenate(part) for part in parts)
    rank = source.astype(np.int64) * max(n_target, 1) + target
    if (np.diff(rank) < 0).any():
        order = np.argsort(rank, kind="stable")
        source, target, delays, factors = (one[order] for one in (source, target, delays, factors))
    del rank
    offsets = np.zeros(n_source + 1, np.int64)
    np.cumsum(np.bincount(source, minlength=n_source), out=offsets[1:])
    weighted = (name in found.said["weighted"] if found.said is not None
                else bool((np.abs(factors - 1) > _CLOSE).any()))
    return Edges(offsets, target, delays, factors if weighted else None)
