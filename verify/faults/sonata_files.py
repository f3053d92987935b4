"""A small network in SONATA files, and what a reader makes of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np

import neostriatum as ns

COUNTS = {"dSPN": 6, "iSPN": 6, "FS": 4}
#: Pathways and their number of synapses.
PATHWAYS = {"FS->dSPN": 6, "dSPN->dSPN": 8, "iSPN->FS": 0, "FS->iSPN": 5}
FILES = {name: f"{name.replace('->', '_')}_edges.h5" for name in PATHWAYS if PATHWAYS[name]}
AXES = ("x", "y", "z")


@cache
def circuit() -> Any:
    """Return the circuit that every network here is read with."""
    return ns.load("striatum_v1")


def written(folder: Path, groups: int = 1) -> Path:
    """Write nodes, edges and a config, values in um, ms and nS without attributes of units."""
    chance = np.random.default_rng(1)
    with h5py.File(folder / "nodes.h5", "w") as file:
        for number, (name, count) in enumerate(COUNTS.items()):
            group = file.create_group(f"nodes/{name}")
            group["node_type_id"] = np.full(count, number)
            group["node_id"] = np.arange(count)
            _grouped(group, "node", count, groups,
                     {axis: chance.integers(0, 200, count).astype(float) for axis in AXES})
    for name, path in FILES.items():
        count, (source, target) = PATHWAYS[name], name.split("->")
        pairs = [(i, j) for i in range(COUNTS[source]) for j in range(COUNTS[target])
                 if source != target or i != j]
        picked = np.array(pairs)[chance.choice(len(pairs), count, replace=False)]
        with h5py.File(folder / path, "w") as file:
            group = file.create_group(f"edges/{source}_to_{target}")
            for end, population, ids in (("source", source, picked[:, 0]),
                                         ("target", target, picked[:, 1])):
                group[f"{end}_node_id"] = ids
                group[f"{end}_node_id"].attrs["node_population"] = population
            group["edge_type_id"] = np.full(count, 7)
            _grouped(group, "edge", count, groups, {
                "syn_weight": chance.integers(1, 9, count) * 0.25,
                "delay": chance.integers(10, 90, count) / 10})
    configured(folder, config())
    return folder


def _grouped(group: Any, kind: str, count: int, groups: int, columns: dict[str, Any]) -> None:
    which = np.arange(count) % groups
    group[f"{kind}_group_id"], group[f"{kind}_group_index"] = which, np.arange(count) // groups
    for number in range(groups):
        for name, values in columns.items():
            group[f"{number}/{name}"] = values[which == number]


def config() -> dict[str, Any]:
    """Return the config of the files."""
    return {"manifest": {"$DIR": "."}, "networks": {
        "nodes": [{"nodes_file": "$DIR/nodes.h5"}],
        "edges": [{"edges_file": f"$DIR/{path}"} for path in FILES.values()]}}


def configured(folder: Path, content: Any, name: str = "circuit_config.json") -> None:
    """Write a config: bytes and text as they are, anything else as JSON."""
    if not isinstance(content, (str, bytes)):
        content = json.dumps(content)
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)


def columns(folder: Path, key: str, change: Callable[[Any, str, int], None],
            groups: tuple[int, ...] = (0,)) -> None:
    """Call ``change(group, key, number)`` for a column of every population."""
    for path in ("nodes.h5",) if key in AXES else tuple(FILES.values()):
        with h5py.File(folder / path, "r+") as file:
            for population in next(iter(file.values())).values():
                for number in groups:
                    change(population[str(number)], key, number)


def scaled(factor: float, unit: Any) -> Callable[[Any, str, int], None]:
    """Return a change that multiplies a column and gives it an attribute ``units``."""
    def change(group: Any, key: str, number: int) -> None:
        del number
        values = group[key][()]
        del group[key]
        group[key] = values * factor
        if unit is not None:
            group[key].attrs["units"] = unit

    return change


def seen(network: Any) -> str:
    """Return a hash of a network that differences of rounding do not change."""
    digest = hashlib.sha256(f"{network.counts} {network.side_um:.4f}".encode())
    digest.update(np.round(network.positions.astype(float), 2).tobytes())
    for name, edges in network.edges.items():
        digest.update(name.encode())
        for array in (edges.offsets, edges.targets, edges.delays):
            digest.update(array.tobytes())
        if edges.weights is not None:
            digest.update(np.round(edges.weights.astype(float), 4).tobytes())
    digest.update(network.gaps.tobytes())
    return digest.hexdigest()[:12]


def read(folder: Path, **options: Any) -> str:
    """Load the network of a folder and return what was seen."""
    return seen(ns.load_network(folder, circuit=circuit(), **options))


@cache
def plain(groups: int = 1) -> str:
    """Return what is seen of the plain files."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        return read(written(Path(folder), groups))


def without(*pathways: str) -> Callable[[], str]:
    """Return what gives what is seen of the files without some pathways."""
    def right() -> str:
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            content = config()
            content["networks"]["edges"] = [
                {"edges_file": f"$DIR/{path}"} for name, path in FILES.items()
                if name not in pathways]
            configured(written(Path(folder)), content)
            return read(Path(folder))

    return right
