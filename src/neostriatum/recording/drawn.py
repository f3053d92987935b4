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
    file = run.record.get("network") or None
    try:
        made = _taken(run, file)
    except NeostriatumError as error:
        return None, str(error)
    if made.hash() != run.record["network_hash"]:
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
    record = run.record
    network = _taken(run, record["network"] if network is None else network,
                     threads or record["threads"], tell)
    fit(run.circuit, network)
    known = record.get("network_hash")
    if known is not None and network.hash() != known:
        msg = (f"{run.label}: network must have the hash {known[:16]} (got "
               f"{network.hash()[:16]}). Give the one that it was run with, --network")
        raise RunFileError(msg)
    return network


def _taken(run: Run, network: Network | str | Path | None, threads: int | None = None,
           tell: Callable[[str, float], None] | None = None) -> Network:
    """Return a network, the one in a file, or without either the one that a run has drawn."""
    record = run.record
    if isinstance(network, Network):
        return network
    if network is None:
        return build(run.circuit, size=record["size"], seed=record["network_seed"],
                     threads=threads, progress=tell)
    return load_network(network, run.circuit, weight_unit=record["weight_unit"],
                        seed=record["seed"])
