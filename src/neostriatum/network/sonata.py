"""Write a network as SONATA files: nodes, edges with both indices, type tables, a config."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.durable import replacing, write_text
from neostriatum.errors import BuildError
from neostriatum.network.edges import DELAY_UNIT, Edges
from neostriatum.network.hdf5 import BLOCK, CHUNK, written
from neostriatum.network.saved import circuit_of, header

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from neostriatum.circuit.model import Circuit
    from neostriatum.network.network import Network

CONFIG, SIDE = "circuit_config.json", "neostriatum_network.json"
_MAGIC, _VERSION = np.uint32(0x0A7A), np.array([0, 1], np.uint32)


def write_sonata(network: Network, folder: Path, circuit: Circuit | None = None) -> Path:
    """Write a network into an empty folder; the config, without which it is none, comes last.

    Parameters
    ----------
    network : Network
        What to write; edges are written in blocks, so that its own arrays are all that is big.
    folder : Path
        An empty folder.
    circuit : Circuit, optional
        Where the network was not built from one; by default its own.

    Returns
    -------
    Path
        The ``circuit_config.json``.

    Raises
    ------
    RunFileError
        A folder that cannot be written.
    BuildError
        Axons without identity, which have no synapses.
    """
    circuit = circuit_of(network, circuit)
    for name in network.homes:
        msg = (f"axons.{name.split('->')[0]}.identity: must be true for SONATA, as axons without "
               "have no synapses (got false)")
        raise BuildError(msg)
    side, sources = header(network, circuit), network.counts | network.axons
    with written(folder / "nodes.h5") as (file, _):
        stamp(file)
        for number, name in enumerate(network.counts):
            _nodes(file.create_group(f"nodes/{name}"), network, name, number)
        for number, (name, count) in enumerate(network.axons.items(), len(network.counts)):
            _columns(file.create_group(f"nodes/{name}"), count, number)
    _table(folder / "node_types.csv", [
        {"node_type_id": number, "population": name, "pop_name": name,
         "model_type": "point_neuron" if name in network.counts else "virtual",
         "model_template": "NULL"} for number, name in enumerate(sources)])
    wired = list(_wired(network, circuit))
    with written(folder / "edges.h5") as (file, disk):
        stamp(file)
        for number, (_, row, edges, conductance) in enumerate(wired):
            group = file.create_group(f"edges/{row['population']}")
            _edges(group, number, row, edges, conductance, sources)
            disk.check()
    _table(folder / "edge_types.csv", [{"edge_type_id": number, **row}
                                       for number, (_, row, _, _) in enumerate(wired)])
    write_text(folder / SIDE, json.dumps(side, allow_nan=False) + "\n")
    write_text(folder / CONFIG, json.dumps(_config(wired, {
        name: "point_neuron" if name in network.counts else "virtual" for name in sources}),
        indent=1) + "\n")
    return folder / CONFIG


def edge_population(name: str) -> str:
    """Return the name of a pathway's edge population, ``dSPN_to_iSPN`` of ``dSPN->iSPN``."""
    return name.replace("->", "_to_")


def stamp(file: Any) -> None:
    """Mark an HDF5 file as SONATA."""
    file.attrs["magic"] = _MAGIC
    file.attrs["version"] = _VERSION


def _wired(network: Network, circuit: Circuit) -> Iterator[
        tuple[str, dict[str, Any], Edges, dict[str, float]]]:
    """Yield (kind, row of edge_types.csv, edges, conductances [nS]) of every edge population."""
    for name, edges in (network.edges | network.afferents).items():
        source, target = name.split("->")
        conductance = {key: g.value for key, g in circuit.pathways[name].conductance.items()}
        yield "chemical", {
            "population": edge_population(name), "source": source, "target": target,
            "receptor": "+".join(conductance), "model_template": "NULL",
            "is_gap_junction": False}, edges, conductance
    for name, junctions in circuit.gap_junctions.items():
        # A junction is one edge, from A to B of "A-B"; if A is B, from the lower id to the higher.
        source, target = name.split("-")
        pairs = network.junctions.get(name, np.zeros((0, 2), np.int32))
        degree = np.bincount(pairs[:, 0], minlength=network.counts[source])
        offsets = np.concatenate([[0], np.cumsum(degree)]).astype(np.int64)
        yield "electrical", {
            "population": f"{source}_to_{target}_gap", "source": source, "target": target,
            "receptor": "gap", "model_template": "NULL", "is_gap_junction": True,
        }, Edges(offsets, pairs[:, 1], np.zeros(0, np.uint8)), {"gap": junctions.conductance.value}


def _nodes(group: Any, network: Network, name: str, number: int) -> None:
    ids = network.populations[name]
    n = len(ids)
    _columns(group, n, number)
    mine = network.positions[ids.start : ids.stop]
    # Cells of a nucleus have no places.
    for axis, key in enumerate("xyz" if np.isfinite(mine).all() else ""):
        made = _fill(group, f"0/{key}", "f4", n,
                     lambda start, stop, axis=axis: mine[start:stop, axis])
        made.attrs["units"] = "um"
    for parameter, values in network.spread.get(name, {}).items():
        _fill(group, f"0/spread_{parameter}", "f8", n,
              lambda start, stop, values=values: values[start:stop])


def _columns(group: Any, n: int, number: int) -> None:
    """Write the columns that nodes of every kind have."""
    _fill(group, "node_id", "u8", n, lambda start, stop: np.arange(start, stop))
    _fill(group, "node_type_id", "u4", n, number)
    _fill(group, "node_group_id", "u4", n, 0)
    _fill(group, "node_group_index", "u8", n, lambda start, stop: np.arange(start, stop))
    group.require_group("0")


def _edges(group: Any, number: int, row: dict[str, Any], edges: Edges,
           conductance: dict[str, float], counts: dict[str, int]) -> None:
    m = len(edges)
    ends = {"source": lambda start, stop: rows(edges.offsets, start, stop),
            "target": lambda start, stop: edges.targets[start:stop]}
    for end, values in ends.items():
        made = _fill(group, f"{end}_node_id", "u4", m, values)
        made.attrs["node_population"] = row[end]
    _fill(group, "edge_type_id", "u4", m, number)
    _fill(group, "edge_group_id", "u4", m, 0)
    _fill(group, "edge_group_index", "u8", m, lambda start, stop: np.arange(start, stop))
    weights = edges.weights

    def peak(g: float) -> Any:
        return g if weights is None else lambda start, stop: g * weights[start:stop]

    first, *more = conductance
    columns = {"syn_weight": first} | ({f"syn_weight_{key}": key for key in conductance}
                                       if more else {})
    for key, receptor in columns.items():
        made = _fill(group, f"0/{key}", "f4", m, peak(conductance[receptor]))
        made.attrs["units"] = "nS"
    if weights is not None:
        _fill(group, "0/weight_factor", "f4", m, lambda start, stop: weights[start:stop])
    if not row["is_gap_junction"]:
        made = _fill(group, "0/delay", "f4", m,
                     lambda start, stop: edges.delays[start:stop] * np.float32(DELAY_UNIT))
        made.attrs["units"] = "ms"
    starts, stops = edges.offsets[:-1], edges.offsets[1:]
    used = np.flatnonzero(stops > starts)
    _index(group, "source_to_target", (stops > starts).astype(np.int64), len(used),
           lambda start, stop: np.stack([end[used[start:stop]] for end in (starts, stops)], axis=1))
    degree = in_degree(edges.targets, counts[row["target"]])
    made = _index(group, "target_to_source", degree, m, None)
    for start, found in _by_target(edges.targets, degree):
        made[start : start + len(found)] = np.stack([found, found + 1], axis=1)


def rows(offsets: np.ndarray, start: int, stop: int) -> np.ndarray:
    """Return the source of every edge from ``start`` to ``stop``."""
    first, last = np.searchsorted(offsets, [start, stop - 1], "right") - 1
    inside = np.clip(offsets[first : last + 2], start, stop)
    return np.repeat(np.arange(first, last + 1), np.diff(inside))


def in_degree(targets: np.ndarray, n_target: int) -> np.ndarray:
    """Return the number of edges into each target, int64 (n_target,)."""
    degree = np.zeros(n_target, np.int64)
    for start in range(0, len(targets), BLOCK):
        degree += np.bincount(targets[start : start + BLOCK], minlength=n_target)
    return degree


def _by_target(targets: np.ndarray, degree: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield edge ids in the order of their targets, in blocks with the place of the first."""
    ends = np.cumsum(degree)
    low, done = 0, 0
    while done < len(targets):
        high = max(low + 1, int(np.searchsorted(ends, done + BLOCK, "right")))
        parts = ((start, targets[start : start + BLOCK]) for start in range(0, len(targets), BLOCK))
        found = np.concatenate([start + np.flatnonzero((part >= low) & (part < high))
                                for start, part in parts])
        yield done, found[np.argsort(targets[found], kind="stable")]
        low, done = high, int(ends[high - 1])


def _index(group: Any, name: str, lengths: np.ndarray, m: int, values: Any) -> Any:
    """Write the ranges of an index: ``lengths`` ranges per node, m in all."""
    ends = np.cumsum(lengths)
    ranges = np.stack([ends - lengths, ends], axis=1)
    index = group.create_group(f"indices/{name}")
    made = _fill(index, "node_id_to_ranges", "u8", len(lengths),
                 lambda start, stop: ranges[start:stop], 2)
    # libsonata asks for the one name, BMTK for the other.
    index["node_id_to_range"] = made
    return _fill(index, "range_to_edge_id", "u8", m, values, 2)


def _fill(group: Any, key: str, dtype: str, n: int, values: Any, width: int = 0) -> Any:
    """Make a column of n rows and fill it with a number, or in blocks with a function.

    Nothing is compressed, as the HDF5 inside libsonata cannot unpack; but a column that is one
    number takes no room: its chunks are never written, and read as the fill value.
    """
    shape = (n, width) if width else (n,)
    if isinstance(values, (int, float)):
        return group.create_dataset(key, shape, dtype=f"<{dtype}", fillvalue=values,
                                    chunks=(min(CHUNK, n),) if n else None)
    made = group.create_dataset(key, shape, dtype=f"<{dtype}")
    for start in range(0, n if values else 0, BLOCK):
        made[start : start + BLOCK] = values(start, min(n, start + BLOCK))
    return made


def _config(wired: list[tuple[str, dict[str, Any], Edges, dict[str, float]]],
            names: dict[str, str]) -> dict[str, Any]:
    """Return the config: names relative to its folder, populations as libsonata wants them."""
    return {
        "version": 1, "manifest": {"$NETWORK_DIR": "."},
        "networks": {
            "nodes": [{"nodes_file": "$NETWORK_DIR/nodes.h5",
                       "node_types_file": "$NETWORK_DIR/node_types.csv",
                       "populations": {name: {"type": kind} for name, kind in names.items()}}],
            "edges": [{"edges_file": "$NETWORK_DIR/edges.h5",
                       "edge_types_file": "$NETWORK_DIR/edge_types.csv",
                       "populations": {row["population"]: {"type": kind}
                                       for kind, row, _, _ in wired}}],
        },
    }


def _table(path: Path, table: Iterable[dict[str, Any]]) -> None:
    """Write a table of types, columns separated by a space as the readers of SONATA expect."""
    table = list(table)
    with replacing(path) as temporary, temporary.open("w", newline="") as handle:
        made = csv.DictWriter(handle, list(table[0]) if table else ["edge_type_id"],
                              delimiter=" ", lineterminator="\n")
        made.writeheader()
        made.writerows(table)
