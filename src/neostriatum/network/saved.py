"""Write the network file: every array of a network and its circuit, in one HDF5 file."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum import __version__
from neostriatum.circuit.models import entries_of
from neostriatum.errors import CircuitError, RunFileError
from neostriatum.network.check import fit
from neostriatum.network.edges import FIRST_KIND
from neostriatum.network.hdf5 import BLOCK, CHUNK, written

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit
    from neostriatum.network.hdf5 import Disk
    from neostriatum.network.network import Network

FORMAT, VERSION = "neostriatum network", 1
#: Fields of a network that are arrays, tables of arrays, or not saved.
ARRAYS = ("positions",)
_OTHERS = ("edges", "junctions", "spread", "build_s", "circuit", "axons", "afferents",
           "homes")
#: Arrays of a pathway.
PARTS = ("offsets", "targets", "delays", "weights")


def save(network: Network, path: str | Path, circuit: Circuit | None = None) -> Path:
    """Save a network with its circuit, durably; no array is copied.

    Parameters
    ----------
    network : Network
        What to save.
    path : str or Path
        A new file.
    circuit : Circuit, optional
        Where the network was not built from one; by default its own.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    CircuitError
        A network without a circuit.
    RunFileError
        The file exists, or cannot be written.
    """
    path, text = Path(path), json.dumps(header(network, circuit), allow_nan=False)
    if path.exists() or path.is_symlink():
        msg = f"{path}: exists already. Choose another name"
        raise RunFileError(msg)
    # The newer layout of HDF5 (1.10 on) has checksums on everything that is not data.
    with written(path, libver="v110") as (file, disk):
        file.attrs["format"] = FORMAT
        _put(file, disk, "header", np.frombuffer(text.encode(), np.uint8))
        for name in ARRAYS:
            _put(file, disk, name, getattr(network, name))
        for name in dict.fromkeys([FIRST_KIND, *network.junctions]):
            pairs = network.junctions.get(name, np.zeros((0, 2), np.int32))
            _put(file, disk, place(name), pairs)
        for folder, table in (("edges", network.edges), ("afferents", network.afferents)):
            for name, edges in table.items():
                for part in PARTS:
                    if getattr(edges, part) is not None:
                        _put(file, disk, f"{folder}/{name}/{part}", getattr(edges, part))
        for name, groups in network.homes.items():
            _put(file, disk, f"homes/{name}", groups)
        for name, parameters in network.spread.items():
            for parameter, values in parameters.items():
                _put(file, disk, f"spread/{name}/{parameter}", values)
    return path


def header(network: Network, circuit: Circuit | None = None) -> dict[str, Any]:
    """Return what is not an array: version, hash, fields, order of the tables, circuit."""
    circuit = circuit_of(network, circuit)
    models = [entry for entry in entries_of(circuit) if "data" in entry]
    return {
        "version": VERSION, "made_by": f"neostriatum {__version__}", "hash": network.hash(),
        "fields": {name: getattr(network, name) for name in plain_fields(type(network))},
        "pathways": list(network.edges), "gap_junctions": list(network.junctions),
        "weighted": [name for name, edges in (network.edges | network.afferents).items()
                     if edges.weights is not None],
        "spread": {name: list(parameters) for name, parameters in network.spread.items()},
        "circuit": circuit.to_dict(), **({"models": models} if models else {}),
        **({"axons": network.axons, "afferents": list(network.afferents),
            "homes": list(network.homes)} if network.axons else {}),
    }


def circuit_of(network: Network, circuit: Circuit | None) -> Circuit:
    """Return a circuit that fits a network: the one given, or its own."""
    circuit = circuit or network.circuit
    if circuit is None:
        msg = "network: needs its circuit to be saved (got none). Give it as circuit="
        raise CircuitError(msg)
    fit(circuit, network)
    return circuit


def plain_fields(kind: type[Network]) -> list[str]:
    """Return the fields of a network that are plain data."""
    return [field.name for field in dataclasses.fields(kind) if field.name not in ARRAYS + _OTHERS]


def place(kind: str) -> str:
    """Return the name of the data set with the pairs of a kind of gap junction."""
    return "gaps" if kind == FIRST_KIND else f"gap_junctions/{kind}"


def _put(file: Any, disk: Disk, name: str, array: np.ndarray) -> None:
    options: dict[str, Any] = {}
    if array.size:
        # Level 1 makes targets 30 % and delays 37 % of their size, at 100 MB/s.
        options = {"chunks": (min(CHUNK, len(array)), *array.shape[1:]), "compression": "gzip",
                   "compression_opts": 1, "shuffle": True, "fletcher32": True}
    made = file.create_dataset(name, array.shape, array.dtype.newbyteorder("<"), **options)
    for start in range(0, len(array), BLOCK):
        made[start : start + BLOCK] = array[start : start + BLOCK]
        disk.check()
