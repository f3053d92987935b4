"""Read the network file, and whatever else holds a network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from neostriatum.circuit.load import load
from neostriatum.errors import CircuitError, RunFileError, shown
from neostriatum.network.edges import Edges
from neostriatum.network.hdf5 import column, reading, whole
from neostriatum.network.header import junction_kinds, parsed, verified
from neostriatum.network.network import Network
from neostriatum.network.saved import ARRAYS, FORMAT, PARTS, place

#: Units of the weights of another tool's synapses [nS].
UNITS = {"nS": 1.0, "uS": 1000.0}
#: Where a folder that we wrote holds its network: one built, one exported, a run exported.
_INSIDE = ("network.h5", "circuit_config.json", "network/circuit_config.json")


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


def _read(path: Path) -> tuple[Network, dict[str, Any]]:
    import h5py

    with h5py.File(path, "r") as file:
        if file.attrs.get("format") != FORMAT:
            msg = "not written by save"
            raise ValueError(msg)
        said = parsed(whole(column(file, "header")).tobytes())
        counts = said["fields"]["counts"]
        arrays: dict[str, Any] = {name: whole(column(file, name)) for name in ARRAYS}
        junctions = {name: whole(column(file, place(name))) for name in junction_kinds(said)}
        axons = said.get("axons", {})
        edges, afferents = (
            {name: _edges(file, f"{folder}/{name}", sizes[name.split("->")[0]],
                          name in said["weighted"]) for name in names}
            for folder, sizes, names in (("edges", counts, said["pathways"]),
                                         ("afferents", axons, said.get("afferents", []))))
        homes = {name: whole(column(file, f"homes/{name}"), counts[name.split("->")[1]])
                 for name in said.get("homes", [])}
        spread = {name: {one: whole(column(file, f"spread/{name}/{one}"), counts[name])
                         for one in parameters} for name, parameters in said["spread"].items()}
    return Network(**said["fields"], **arrays, edges=edges, junctions=junctions,
                   spread=spread, axons=axons, afferents=afferents, homes=homes), said


def _edges(file: Any, folder: str, sources: int, weighted: bool) -> Edges:
    offsets = whole(column(file, f"{folder}/offsets"), sources + 1)
    rest = {part: whole(column(file, f"{folder}/{part}"), int(offsets[-1]))
            for part in PARTS[1:] if part != "weights" or weighted}
    return Edges(offsets, **rest)
