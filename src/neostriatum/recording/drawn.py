"""The network of a run, which its directory does not hold: drawn or loaded again, and checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neostriatum.errors import NeostriatumError, RunFileError
from neostriatum.network.build import build
from neostriatum.network.check import fit
from neostriatum.network.files import load_network
from neostriatum.network.network import Network

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from neostriatum.recording.store import Run


def network_of(run: Run) -> tuple[Network | None, str]:
    """Return the network that a run was made on, or None with the reason.

    It is drawn from circuit, size and seed, or loaded from the file that the run names, and
    believed only if its hash is the one in the run's record.

    Parameters
    ----------
    run : Run
        A finished run.

    Returns
    -------
    tuple
        The network and an empty text, or None and why it is not known.
    """
    record = run.record
    file = record.get("network")
    try:
        if file:
            made = load_network(file, run.circuit, weight_unit=record["weight_unit"],
                                seed=run.seed)
        else:
            made = build(run.circuit, size=record["size"], seed=record["network_seed"])
    except NeostriatumError as error:
        return None, str(error)
    if made.hash() != record["network_hash"]:
        return None, (f"{file}: is another network now" if file else
                      "the run was made on a network that circuit and seed alone do not give")
    return made, ""


def former_network(run: Run, network: Network | str | Path | None, threads: int | None,
                   tell: Callable[[str, float], None]) -> Network:
    """Return the network of a run: the one that is given, its file, or drawn as it was.

    Parameters
    ----------
    run : Run
        The run; its record names the network's hash once there was one.
    network : Network, str or Path, optional
        A network, or the file of one, to take instead of what the record names.
    threads : int, optional
        Threads to draw with.
    tell : callable
        Called with the phase and its share done.

    Raises
    ------
    RunFileError
        It is another network than that of the run.
    BuildError, CircuitError
        The circuit does not fit it, or it cannot be drawn.
    """
    record, circuit = run.record, run.circuit
    network = network if network is not None else record["network"]
    if network is None:
        network = build(circuit, size=record["size"], seed=record["network_seed"],
                        threads=threads or record["threads"], progress=tell)
    elif not isinstance(network, Network):
        network = load_network(network, circuit, weight_unit=record["weight_unit"],
                               seed=record["seed"])
    fit(circuit, network)
    known = record.get("network_hash")
    if known is not None and network.hash() != known:
        msg = (f"{run.label}: network must have the hash {known[:16]} (got "
               f"{network.hash()[:16]}). Give the one that it was run with, --network")
        raise RunFileError(msg)
    return network
