"""Hand results to other tools."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from neostriatum.durable import claim, unclaim
from neostriatum.errors import CircuitError, shown
from neostriatum.network.files import circuit_of, load_network
from neostriatum.network.network import Network
from neostriatum.network.sonata import write_sonata

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit

#: What a network can be exported to.
FORMATS = ("sonata",)


def export(what: Network | str | Path, to: str, out: str | Path,
           circuit: Circuit | None = None) -> dict[str, Any]:
    """Write a network in the format of other tools.

    Parameters
    ----------
    what : Network, str or Path
        A network, or its file.
    to : str
        "sonata".
    out : str or Path
        A new or empty folder.
    circuit : Circuit, optional
        Where the network was not built from one; by default its own.

    Returns
    -------
    dict
        ``to``, ``circuit``, ``neurons``, ``synapses``, ``gap_junctions``, ``network_hash``,
        ``out``.

    Raises
    ------
    CircuitError
        An unknown format, or a run.
    RunFileError
        A damaged network, or a folder that is in the way; nothing is left behind.
    """
    if to not in FORMATS:
        msg = f"--to: must be {' or '.join(FORMATS)} (got {shown(to)})"
        raise CircuitError(msg)
    if not isinstance(what, Network):
        if (Path(what) / "run.json").is_file():
            msg = f"{what}: is a run, which cannot be exported yet; its spikes.h5 is SONATA already"
            raise CircuitError(msg)
        what = load_network(what)
    folder = claim(out)
    try:
        write_sonata(what, folder, circuit)
    except BaseException:
        unclaim(folder)
        raise
    return {"to": to, "circuit": circuit_of(what, circuit).name, "neurons": what.size,
            "synapses": what.synapses, "gap_junctions": len(what.gaps),
            "network_hash": what.hash(), "out": str(folder)}
