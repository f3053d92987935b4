"""The network of a run, which its directory does not hold: drawn or loaded again, and checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neostriatum.errors import NeostriatumError
from neostriatum.network.files import load_network
from neostriatum.network.network import build

if TYPE_CHECKING:
    from neostriatum.network.network import Network
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
