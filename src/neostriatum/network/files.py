"""The network file: every array of a network and its circuit, in one HDF5 file."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum import __version__
from neostriatum.circuit.load import load
from neostriatum.circuit.models import entries_of, load_with
from neostriatum.errors import CircuitError, ModelError, RunFileError, shown
from neostriatum.network.check import check, fit
from neostriatum.network.edges import Edges
from neostriatum.network.hdf5 import BLOCK, CHUNK, column, reading, whole, written
from neostriatum.network.network import FIRST_KIND, Network

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit
    from neostriatum.network.hdf5 import Disk

FORMAT, VERSION = "neostriatum network", 1
#: Fields of a network that are arrays, tables of arrays, or not saved.
_ARRAYS = ("positions",)
_OTHERS = ("edges", "junctions", "spread", "build_s", "circuit")
#: Units of the weights of another tool's synapses [nS].
UNITS = {"nS": 1.0, "uS": 1000.0}
#: Where a folder that we wrote holds its network: one built, one exported, a run exported.
_INSIDE = ("network.h5", "circuit_config.json", "network/circuit_config.json")
_PARTS = ("offsets", "targets", "delays", "weights")


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
        for name in _ARRAYS:
            _put(file, disk, name, getattr(network, name))
        for name in dict.fromkeys([FIRST_KIND, *network.junctions]):
            pairs = network.junctions.get(name, np.zeros((0, 2), np.int32))
            _put(file, disk, _place(name), pairs)
        for name, edges in network.edges.items():
            for part in _PARTS:
                if getattr(edges, part) is not None:
                    _put(file, disk, f"edges/{name}/{part}", getattr(edges, part))
        for name, parameters in network.spread.items():
            for parameter, values in parameters.items():
                _put(file, disk, f"spread/{name}/{parameter}", values)
    return path


def load_network(path: str | Path, circuit: Any = None, *, weight_unit: str = "nS",
                 seed: int = 1) -> Network:
    """Load a network file, or a network in SONATA files.

    Parameters
    ----------
    path : str or Path
        A file that `save` wrote, the folder that `construct` made, or a SONATA
        ``circuit_config.json`` or the folder of one, an exported run's too.
    circuit : str, Path, dict or Circuit, optional
        Simulate the network with this circuit instead of its own; a network that another tool
        made has none and needs one.
    weight_unit : str
        Unit of ``syn_weight`` where another tool's file does not say it: "nS" or "uS".
    seed : int
        Master seed of what another tool's network lacks, the spread of its circuit.

    Returns
    -------
    Network
        With the hash that it had when it was saved.

    Raises
    ------
    RunFileError
        A file that is missing, damaged, made by a newer version, or not a network.
    BuildError, CircuitError
        A circuit that does not fit, or that is not one.

    Examples
    --------
    >>> import neostriatum as ns
    >>> network = ns.load_network("net.h5")  # doctest: +SKIP
    """
    try:
        path = Path(path)
    except TypeError:
        msg = f"network: must be a network or the path of one (got {shown(path)})"
        raise CircuitError(msg) from None
    if weight_unit not in UNITS:
        msg = f"weight_unit: must be {' or '.join(UNITS)} (got {shown(weight_unit)})"
        raise CircuitError(msg)
    wanted = None if circuit is None else load(circuit)
    file = network_file(path)
    if file is None:
        msg = f"{path}: no such file, nor a folder with a network"
        raise RunFileError(msg)
    path = file
    if path.suffix == ".json":
        from neostriatum.network.sonata_reader import read

        return read(path, wanted, weight_unit=weight_unit, seed=seed)
    with reading(path):
        made, said = _read(path)
    return verified(path, made, said, wanted)


def network_file(path: Path) -> Path | None:
    """Return the file of a network: a file itself, or the one in a folder; None without one."""
    try:
        return next((one for one in (path, *(path / name for name in _INSIDE)) if one.is_file()),
                    None)
    except (OSError, ValueError):  # a name too long, or with a null character
        return None


def header(network: Network, circuit: Circuit | None = None) -> dict[str, Any]:
    """Return what is not an array: version, hash, fields, order of the tables, circuit."""
    circuit = circuit_of(network, circuit)
    models = [entry for entry in entries_of(circuit) if "data" in entry]
    return {
        "version": VERSION, "made_by": f"neostriatum {__version__}", "hash": network.hash(),
        "fields": {name: getattr(network, name) for name in plain_fields()},
        "pathways": list(network.edges), "gap_junctions": list(network.junctions),
        "weighted": [name for name, edges in network.edges.items() if edges.weights is not None],
        "spread": {name: list(parameters) for name, parameters in network.spread.items()},
        "circuit": circuit.to_dict(), **({"models": models} if models else {}),
    }


def circuit_of(network: Network, circuit: Circuit | None) -> Circuit:
    """Return a circuit that fits a network: the one given, or its own."""
    circuit = circuit or network.circuit
    if circuit is None:
        msg = "network: needs its circuit to be saved (got none). Give it as circuit="
        raise CircuitError(msg)
    fit(circuit, network)
    return circuit


def plain_fields() -> list[str]:
    """Return the fields of a network that are plain data."""
    return [one.name for one in dataclasses.fields(Network) if one.name not in _ARRAYS + _OTHERS]


def parsed(text: bytes) -> dict[str, Any]:
    """Return a `header` from its text, or raise ValueError with what is wrong."""
    said = json.loads(text)
    if not isinstance(said, dict) or not isinstance(said.get("version"), int):
        msg = "the header has no version"
        raise ValueError(msg)
    if said["version"] != VERSION:
        msg = (f"version must be {VERSION} (got {said['version']}, made by "
               f"{shown(said.get('made_by'))}; update neostriatum)")
        raise ValueError(msg)
    fields = said["fields"]
    if set(fields) != set(plain_fields()):
        msg = "the header has other fields than a network"
        raise ValueError(msg)
    counts, side = fields["counts"], fields["side_um"]
    if not (isinstance(counts, dict) and isinstance(fields["seed"], int)
            and all(type(n) is int and 0 <= n < 2**31 for n in counts.values())
            and isinstance(side, float) and side > 0 and math.isfinite(side)
            and isinstance(fields["periodic"], bool)
            and all(set(name.split("->")) <= set(counts) and name.count("->") == 1
                    for name in said["pathways"])
            and all(set(name.split("-")) <= set(counts) and name.count("-") == 1
                    for name in junction_kinds(said)) and set(said["spread"]) <= set(counts)):
        msg = "the header has fields of another kind than a network"
        raise ValueError(msg)
    return said


def junction_kinds(head: dict[str, Any]) -> list[str]:
    """Return the kinds of gap junctions of a `header`; one without a list knew a single kind."""
    if "gap_junctions" in head:
        return list(head["gap_junctions"])
    return [FIRST_KIND] if set(FIRST_KIND.split("-")) <= set(head["fields"]["counts"]) else []


def verified(path: Path, made: Network, said: dict[str, Any],
             wanted: Circuit | None) -> Network:
    """Return a network with its circuit once its arrays, hash and circuit are found in order."""
    check(str(path), made)
    if made.hash() != said["hash"]:
        msg = f"{path}: the arrays do not have the hash they were saved with. Save it again"
        raise RunFileError(msg)
    own = own_circuit(path, said)
    circuit = wanted or own
    fit(circuit, dataclasses.replace(made, circuit=own))
    return dataclasses.replace(made, circuit=circuit)


def own_circuit(path: Path, head: dict[str, Any]) -> Circuit:
    """Return the circuit of a `header`, which keeps models that are not shipped.

    Raises
    ------
    RunFileError
        They are damaged.
    """
    try:
        return load_with(head.get("models", []), head["circuit"], path.parent.resolve())
    except (ModelError, TypeError, AttributeError) as error:
        msg = f"{path}: the models of the header are damaged ({error}). Save it again"
        raise RunFileError(msg) from None


def _read(path: Path) -> tuple[Network, dict[str, Any]]:
    import h5py

    with h5py.File(path, "r") as file:
        if file.attrs.get("format") != FORMAT:
            msg = "not written by save"
            raise ValueError(msg)
        said = parsed(whole(column(file, "header")).tobytes())
        counts = said["fields"]["counts"]
        arrays: dict[str, Any] = {name: whole(column(file, name)) for name in _ARRAYS}
        junctions = {name: whole(column(file, _place(name))) for name in junction_kinds(said)}
        edges = {}
        for name in said["pathways"]:
            offsets = whole(column(file, f"edges/{name}/offsets"),
                            counts[name.split("->")[0]] + 1)
            rest = {part: whole(column(file, f"edges/{name}/{part}"), int(offsets[-1]))
                    for part in _PARTS[1:] if part != "weights" or name in said["weighted"]}
            edges[name] = Edges(offsets, **rest)
        spread = {name: {one: whole(column(file, f"spread/{name}/{one}"), counts[name])
                         for one in parameters} for name, parameters in said["spread"].items()}
    return Network(**said["fields"], **arrays, edges=edges, junctions=junctions,
                   spread=spread), said


def _place(kind: str) -> str:
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
