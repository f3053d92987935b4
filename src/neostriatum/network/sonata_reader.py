"""Read a network from SONATA files: our own export, or what another tool made."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.circuit.aliases import canonical
from neostriatum.circuit.dataset import own
from neostriatum.errors import BuildError, CircuitError, RunFileError, shown
from neostriatum.network.build import spread
from neostriatum.network.check import check
from neostriatum.network.edges import DELAY_UNIT, Edges
from neostriatum.network.hdf5 import BLOCK, reading
from neostriatum.network.header import junction_kinds, own_circuit, parsed, verified
from neostriatum.network.mesh import EXTENTS
from neostriatum.network.network import Network
from neostriatum.network.sonata import CONFIG, SIDE
from neostriatum.network.sonata_columns import check_edges, check_labels, check_nodes
from neostriatum.network.sonata_config import Entry, entries, network_config
from neostriatum.network.sonata_table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from neostriatum.circuit.model import Circuit

#: Attributes of nodes that may name their cell type, the first that is there counts.
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
class _Files:
    """What the files hold, gathered population by population."""

    circuit: Circuit
    #: The header beside our own export, None for another tool's.
    header: dict[str, Any] | None
    unit: str
    cells: dict[str, _Cells] = field(default_factory=dict)
    positions: list[list[np.ndarray]] = field(default_factory=list)
    spread: dict[str, dict[str, list[np.ndarray]]] = field(default_factory=dict)
    edges: dict[str, list[tuple[np.ndarray, ...]]] = field(default_factory=dict)
    #: Junctions by kind "A-B": (ids of A, ids of B, whether the file has them from B to A).
    junctions: dict[str, list[np.ndarray]] = field(default_factory=dict)
    #: Node populations that are not read, because the circuit says the drive.
    virtual: set[str] = field(default_factory=set)
    #: Axons by population of the circuit.
    axons: dict[str, int] = field(default_factory=dict)

    @property
    def sources(self) -> list[str]:
        """Names of the populations of cells and of axons, by kind."""
        return [*self.circuit.types, *self.circuit.axons]


def read(path: Path, circuit: Circuit | None, weight_unit: str = "nS", seed: int = 1) -> Network:
    """Read a network from a SONATA config or the folder of one; see `load_network`."""
    config = path / CONFIG if path.is_dir() else path
    with reading(config):
        config = network_config(config)
    side = config.parent / SIDE
    with reading(config):
        listed = entries(config)
        header = parsed(side.read_bytes()) if side.is_file() else None
    meant = circuit if header is None else own_circuit(config, header)
    if meant is None:
        msg = f"{config}: was made by another tool: needs a circuit (got none). Name one"
        raise CircuitError(msg)
    files = _Files(meant, header, weight_unit, positions=[[] for _ in meant.types])
    for entry in listed:
        with reading(entry.data):
            for table in _tables(entry):
                about = entry.populations.get(table.name, "")
                (_take_nodes if entry.kind == "node" else _take_edges)(files, table, about)
    if files.virtual:
        warnings.warn(f"{config}: virtual nodes and their edges are not read, as the circuit says "
                      f"the drive: {shown(', '.join(sorted(files.virtual)))}", stacklevel=3)
    return _network(config, files, circuit, seed)


def _network(config: Path, files: _Files, wanted: Circuit | None, seed: int) -> Network:
    circuit, header = files.circuit, files.header
    somas = [np.concatenate([np.zeros((0, 3)), *parts]) for parts in files.positions]
    counts = {name: len(at) for name, at in zip(circuit.types, somas, strict=True)}
    positions = np.concatenate(somas)
    with reading(config):
        if not len(positions):
            msg = "has no nodes"
            raise ValueError(msg)
        if header is not None and counts != header["fields"]["counts"]:
            msg = f"has other nodes than {SIDE} says"
            raise ValueError(msg)
        if missing := [name for name in circuit.axons if name not in files.axons]:
            msg = f"must have the virtual nodes {missing[0]}, as the circuit has these axons"
            raise ValueError(msg)
        axons = {name: files.axons[name] for name in circuit.axons}
        edges = {name: _csr(files, name, counts | axons) for name in circuit.pathways}
        afferents = {name: edges.pop(name) for name in list(edges) if name.split("->")[0] in axons}
        junctions = _junctions(files)
        deviations = _spread(files, counts, seed)
    if header is not None:
        network = Network(**header["fields"], positions=positions.astype(np.float32), edges=edges,
                          junctions=junctions, spread=deviations, axons=axons,
                          afferents=afferents)
        return verified(config, network, header, wanted)
    # The volume is the smallest cube around the somas, its corner at 0; one soma has none.
    low, high = np.nanmin(positions, axis=0), np.nanmax(positions, axis=0)
    side = float((high - low).max()) if len(positions) > 1 else 1.0
    if not EXTENTS[0] <= side <= EXTENTS[1]:
        msg = (f"{config}: positions must extend over {EXTENTS[0]:g} to {EXTENTS[1]:g} um "
               f"(got {side:.3g} um). Check the attribute units of x, y and z")
        raise RunFileError(msg)
    positions = (positions - (low + high) / 2 + side / 2).astype(np.float32)
    network = Network(seed, counts, side, False, positions, edges, junctions, deviations,
                      circuit=circuit, axons=axons, afferents=afferents)
    check(str(config), network)
    return network


def _tables(entry: Entry) -> Iterator[Table]:
    import h5py

    with h5py.File(entry.data, "r") as file:
        root = own(file, f"{entry.kind}s", h5py.Group)
        for name in entry.names(list(root)):
            yield Table(entry.kind, root, name, entry.types)


def _take_nodes(files: _Files, table: Table, about: str) -> None:
    types = files.circuit.types
    name = table.group.name
    if table.name in files.cells or table.name in files.virtual:
        msg = f"{name} stands in two files"
        raise ValueError(msg)
    virtual = check_nodes(table) or about == "virtual"
    if virtual and table.name not in files.circuit.axons:
        files.virtual.add(table.name)
        return
    ids = table.ids("node_id") if "node_id" in table.group else np.arange(table.n)
    order = np.argsort(ids, kind="stable")
    ids = ids[order]
    if table.n and (ids[0] < 0 or (np.diff(ids) < 1).any()):
        msg = f"{name}/node_id must be different whole numbers from 0 on"
        raise ValueError(msg)
    if virtual:
        files.axons[table.name] = table.n
        kind = files.sources.index(table.name)
        files.cells[table.name] = _Cells(ids, np.full(table.n, kind), np.arange(table.n))
        return
    kinds = _kinds(table, types)[order]
    beside = [files.circuit.cells[name].nucleus is not None for name in types]
    if all(beside[kind] for kind in np.unique(kinds)) and not {*"xyz"} & {*table.columns()}:
        at = np.full((table.n, 3), np.nan)
    else:
        at = np.stack([table.values(axis, "um") for axis in "xyz"], axis=1)[order]
    if not (np.isfinite(at).all() or np.isnan(at).all()):
        msg = f"{name} must have x, y and z of every node [um]"
        raise ValueError(msg)
    local = np.zeros(table.n, np.int64)
    for number in range(len(types)):
        mine = np.flatnonzero(kinds == number)
        local[mine] = sum(map(len, files.positions[number])) + np.arange(len(mine))
        files.positions[number].append(at[mine])
    _take_spread(files, table, order, kinds)
    files.cells[table.name] = _Cells(ids, kinds, local)


def _take_spread(files: _Files, table: Table, order: np.ndarray, kinds: np.ndarray) -> None:
    """Take deviations of parameters, in the units of the circuit's own."""
    for key in table.columns():
        if not key.startswith("spread_"):
            continue
        parameter = key.removeprefix("spread_")
        for number in np.unique(kinds):
            cell = files.circuit.types[number]
            sd = files.circuit.spread.get(cell, {}).get(parameter)
            if sd is None:
                msg = f"{table.group.name}: {key}: the circuit must have spread.{cell}.{parameter}"
                raise BuildError(msg)
            values = table.values(key, sd.unit)[order][kinds == number]
            files.spread.setdefault(cell, {}).setdefault(parameter, []).append(values)


def _spread(files: _Files, counts: dict[str, int], seed: int) -> dict[str, dict[str, np.ndarray]]:
    """Return the deviations that the files hold; another tool's may hold none, then drawn."""
    deviations = (spread(files.circuit, counts, seed) if files.header is None else
                  {name: {parameter: np.full(counts[name], np.nan) for parameter in parameters}
                   for name, parameters in files.header["spread"].items()})
    for name, parameters in files.spread.items():
        for parameter, parts in parameters.items():
            values = np.concatenate(parts)
            if len(values) != counts[name] or not np.isfinite(values).all():
                msg = f"spread_{parameter} must be a number for every {name} or for none"
                raise ValueError(msg)
            deviations[name][parameter] = values
    return deviations


def _kinds(table: Table, types: tuple[str, ...]) -> np.ndarray:
    """Return the number of the cell type of every node."""
    if canonical(table.name) in types:
        return np.full(table.n, types.index(canonical(table.name)))
    key = next((key for key in TYPE_KEYS if table.has(key)), None)
    labels = table.texts(key) if key else np.full(table.n, table.name, dtype=object)
    kinds = np.zeros(table.n, np.int64)
    for name in set(labels):
        if canonical(name) not in types:
            msg = (f"{table.group.name}: the population or its {', '.join(TYPE_KEYS)} must name "
                   f"one of {', '.join(types)} (got {shown(name)})")
            raise BuildError(msg)
        kinds[labels == name] = types.index(canonical(name))
    return kinds


def _junctions(files: _Files) -> dict[str, np.ndarray]:
    """Return the gap junctions; one may stand there from both sides, but not twice from one."""
    listed = (files.circuit.gap_junctions if files.header is None
              else junction_kinds(files.header))
    junctions = {}
    for name in dict.fromkeys([*listed, *files.junctions]):
        rows = np.concatenate([np.zeros((0, 3), np.int64), *files.junctions.get(name, [])])
        if len(np.unique(rows, axis=0)) < len(rows):
            msg = "two neurons must have one gap junction (got the same pair twice)"
            raise ValueError(msg)
        a, b = name.split("-")
        pairs = np.sort(rows[:, :2], axis=1) if a == b else rows[:, :2]
        junctions[name] = np.unique(pairs, axis=0).astype(np.int32)
    return junctions


def _take_edges(files: _Files, table: Table, about: str) -> None:
    types, name = files.sources, table.group.name
    ends = {}
    for end in ("source", "target"):
        population = table.end(f"{end}_node_id")
        if population in files.virtual:
            return
        if population not in files.cells:
            msg = (f"{name}/{end}_node_id: no such node population, or its file is not enabled "
                   f"(got {shown(population)})")
            raise ValueError(msg)
        ends[end] = files.cells[population]
    check_edges(table, set(files.circuit.receptors))
    for start in range(0, table.n, BLOCK):
        stop = min(table.n, start + BLOCK)
        (k0, i0), (k1, i1) = (
            (cells.kinds[rows], cells.local[rows]) for end, cells in ends.items()
            for rows in [cells.rows(table.ids(f"{end}_node_id", start, stop),
                                    f"{name}/{end}_node_id")])
        junction = _electrical(table, about, start, stop)
        values = _values(files, table, start, stop)
        pairs = {pair: [types[number] for number in divmod(int(pair), len(types))]
                 for pair in np.unique(k0 * len(types) + k1)}
        for pair, both in pairs.items():
            mine = k0 * len(types) + k1 == pair
            for electrical in np.unique(junction[mine]):
                rows = np.flatnonzero(mine & (junction == electrical))
                here = {key: column[rows] for key, column in values.items()}
                if electrical:
                    kind = _check_junctions(files, name, both, here)
                    turned = kind != "-".join(both)
                    ids = (i1[rows], i0[rows]) if turned else (i0[rows], i1[rows])
                    files.junctions.setdefault(kind, []).append(
                        np.stack([*ids, np.full(len(rows), turned)], axis=1))
                else:
                    files.edges.setdefault("->".join(both), []).append((
                        i0[rows].astype(np.int32), i1[rows].astype(np.int32),
                        _delays(name, here, files.circuit.dt.value),
                        _factors(files, name, "->".join(both), here)))
        check_labels(table, start, stop, [
            "+".join(files.circuit.pathways[pathway].conductance) for both in pairs.values()
            if (pathway := "->".join(both)) in files.circuit.pathways])


def _values(files: _Files, table: Table, start: int, stop: int) -> dict[str, np.ndarray]:
    """Return weights [nS], delays [ms] and factors of edges, each for all synapses of an edge."""
    columns = {"delay": table.values("delay", "ms", start, stop)}
    for key in ("syn_weight", *(f"syn_weight_{name}" for name in files.circuit.receptors)):
        if key == "syn_weight" or table.has(key):
            columns[key] = table.values(key, "nS", start, stop, default=files.unit)
    if table.has("weight_factor"):
        columns["weight_factor"] = table.values("weight_factor", "1", start, stop)
    if table.has("nsyns"):
        counts = np.nan_to_num(table.values("nsyns", "1", start, stop), nan=1.0)
        wrong = counts[~((counts >= 0) & (counts == np.floor(counts)))]
        if len(wrong):
            msg = f"{table.group.name}: nsyns must be whole numbers >= 0 (got {wrong[0]:g})"
            raise ValueError(msg)
        for key in columns.keys() - {"delay"}:
            columns[key] *= counts
    return columns


def _electrical(table: Table, about: str, start: int, stop: int) -> np.ndarray:
    """Return which edges are gap junctions, as their column or the config says."""
    column = table.values("is_gap_junction", "1", start, stop)
    wrong = {"chemical": 1, "electrical": 0}.get(about)
    if wrong is not None and (column == wrong).any():
        msg = f"{table.group.name}: is_gap_junction must not contradict the config ({about})"
        raise ValueError(msg)
    return (column == 1) | (about == "electrical")


def _check_junctions(files: _Files, where: str, types: list[str],
                     values: dict[str, np.ndarray]) -> str:
    """Return the circuit's kind of gap junctions between two types, whichever it names first.

    Refuse those that the circuit does not have, or has with another conductance.
    """
    known = files.circuit.gap_junctions
    names = ["-".join(types), "-".join(reversed(types))]
    kind = next((name for name in names if name in known), None)
    if kind is None:
        msg = f"{where}: the circuit must have gap_junctions.{names[0]} (got none)"
        raise BuildError(msg)
    g, wanted = values["syn_weight"], known[kind].conductance.value
    off = g[np.abs(g - wanted) > _CLOSE * wanted]
    if len(off):
        msg = (f"{where}: syn_weight of a gap junction must be the circuit's {wanted:g} nS "
               f"(got {off[0]:g} nS)")
        raise BuildError(msg)
    return kind


def _delays(where: str, values: dict[str, np.ndarray], dt: float) -> np.ndarray:
    """Return the delays of edges in units of `DELAY_UNIT`, half to even, uint8."""
    delays = values["delay"]
    units = np.rint(np.round(delays / DELAY_UNIT, 3))
    if not ((units >= 1) & (units <= 255)).all():
        wrong = delays[~((units >= 1) & (units <= 255))][0]
        rule = ("must have a delay [ms] in its group or its edge type" if np.isnan(wrong) else
                f"delay must be {DELAY_UNIT:g} to {255 * DELAY_UNIT:g} ms (got {wrong:g} ms)")
        msg = f"{where} {rule}"
        raise ValueError(msg)
    finer = np.abs(units * DELAY_UNIT - delays) > 1e-3 * DELAY_UNIT
    if dt < DELAY_UNIT and finer.any():
        msg = (f"{where} delay must be a multiple of {DELAY_UNIT:g} ms, since a step of {dt:g} ms "
               f"resolves it (got {delays[finer][0]:g} ms)")
        raise ValueError(msg)
    return units.astype(np.uint8)


def _factors(files: _Files, where: str, name: str, values: dict[str, np.ndarray]) -> np.ndarray:
    """Return the conductance of every edge over that of its pathway, float32."""
    if name not in files.circuit.pathways:
        msg = f"{where}: the circuit must have the pathway {name} (got none)"
        raise BuildError(msg)
    conductance = files.circuit.pathways[name].conductance
    peak, given = next(iter(conductance.values())).value, values["syn_weight"]
    if not ((given >= 0) & (given < np.inf)).all():
        wrong = given[~((given >= 0) & (given < np.inf))][0]
        msg = f"{where} must have a syn_weight >= 0 of every edge (got {wrong:g})"
        raise ValueError(msg)
    factors = np.ones(len(given))
    if files.header is not None and name in files.header["weighted"]:
        factors = values["weight_factor"]
    elif files.header is None and peak > 0:
        factors = given / peak
    if not (np.abs(given - factors * peak) <= _CLOSE * given).all():
        rule = (f"syn_weight is not what {SIDE} says; without that file it is read anew"
                if files.header else f"syn_weight must be 0, as the pathway {name} is")
        msg = f"{where} {rule} (got {given.max():g} nS)"
        raise RunFileError(msg)
    # What else says the weight must say the same.
    strengths = {"weight_factor": 1.0} if peak > 0 else {}
    strengths |= {f"syn_weight_{key}": g.value for key, g in conductance.items()}
    for key in values.keys() - {"syn_weight", "delay"}:
        if key in strengths or key != "weight_factor":
            wanted = factors * strengths.get(key, 0.0)
            off = np.flatnonzero(np.abs(values[key] - wanted) > _CLOSE * wanted)
            if len(off):
                msg = (f"{where}: {key} must follow from syn_weight and the circuit's {name}, "
                       f"{wanted[off[0]]:g} (got {values[key][off[0]]:g})")
                raise RunFileError(msg)
    return factors.astype(np.float32)


def _csr(files: _Files, name: str, counts: dict[str, int]) -> Edges:
    """Return the edges of a pathway by source, then target, else in the order of the files."""
    n_source, n_target = (counts[end] for end in name.split("->"))
    empty = tuple(np.zeros(0, kind) for kind in (np.int32, np.int32, np.uint8, np.float32))
    parts = zip(empty, *files.edges.pop(name, []), strict=True)
    source, target, delays, factors = (np.concatenate(part) for part in parts)
    rank = source.astype(np.int64) * max(n_target, 1) + target
    if (np.diff(rank) < 0).any():
        order = np.argsort(rank, kind="stable")
        source, target, delays, factors = (
            part[order] for part in (source, target, delays, factors))
    del rank
    offsets = np.zeros(n_source + 1, np.int64)
    np.cumsum(np.bincount(source, minlength=n_source), out=offsets[1:])
    weighted = (name in files.header["weighted"] if files.header is not None
                else bool((np.abs(factors - 1) > _CLOSE).any()))
    return Edges(offsets, target, delays, factors if weighted else None)
