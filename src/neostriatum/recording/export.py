"""Hand networks and runs to other tools."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from neostriatum.durable import claim, unclaim
from neostriatum.errors import CircuitError, shown
from neostriatum.network.network import Network
from neostriatum.network.saved import circuit_of
from neostriatum.network.sonata import write_sonata
from neostriatum.recording.drawn import network_of
from neostriatum.recording.opened import opened
from neostriatum.recording.store import Run

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit

#: What a run can be exported to, and a network.
FORMATS, OF_A_NETWORK = ("sonata", "nwb", "neo", "csv"), ("sonata",)


def export(what: Run | Network | str | Path, to: str, out: str | Path,
           circuit: Circuit | None = None) -> dict[str, Any]:
    """Write a run or a network in the format of other tools.

    Parameters
    ----------
    what : Run, Network, str or Path
        A finished run or a network, or the folder or file of one.
    to : str
        "sonata"; a run also to "nwb", "neo" (a NIX file) or "csv".
    out : str or Path
        A new or empty folder.
    circuit : Circuit, optional
        Of a network that was not built from one; by default its own.

    Returns
    -------
    dict
        ``to``, ``circuit``, ``neurons``, ``synapses``, ``gap_junctions``, ``network_hash``,
        ``out``; of a run also ``spikes``, ``spike_hash``, ``traced`` (cells), and ``network``:
        whether it was drawn again, for positions and connections; if not, ``note`` says why.

    Raises
    ------
    CircuitError
        An unknown format, or one that a network does not have.
    LibraryMissing
        The library of the format is not installed.
    RunFileError
        A run that did not finish, damaged files, or a folder that is in the way or cannot be
        written; nothing is left behind.

    Examples
    --------
    >>> import neostriatum as ns
    >>> ns.export("runs/0001", to="nwb", out="for_dandi")  # doctest: +SKIP
    """
    if to not in FORMATS:
        msg = f"--to: must be {', '.join(FORMATS[:-1])} or {FORMATS[-1]} (got {shown(to)})"
        raise CircuitError(msg)
    what = opened(what)
    if isinstance(what, Run):
        return _run(what, to, out)
    if to not in OF_A_NETWORK:
        msg = f"--to: of a network must be {', '.join(OF_A_NETWORK)} (got {to})"
        raise CircuitError(msg)
    folder = claim(out)
    try:
        write_sonata(what, folder, circuit)
    except BaseException:
        unclaim(folder)
        raise
    return {"to": to, "circuit": circuit_of(what, circuit).name, "neurons": what.size,
            "synapses": what.synapses, "gap_junctions": len(what.gaps),
            "network_hash": what.hash(), "out": str(folder)}


def _run(run: Run, to: str, out: str | Path) -> dict[str, Any]:
    # Of a run that did not finish there is no summary: part of it would look like all of it.
    said, write = run.summary, _writer(to)
    folder = claim(out)
    try:
        spikes = len(run.spikes)
        traced = len({int(one) for variable in run.variables
                      for trace in run.recorded(variable).values() for one in trace.ids})
        network, note = network_of(run)
        write(run, folder, network)
    except BaseException:
        unclaim(folder)
        raise
    made = {key: said[key] for key in ("circuit", "neurons", "synapses", "gap_junctions",
                                       "network_hash", "spike_hash")}
    return {"to": to, **made, "spikes": spikes, "traced": traced, "network": network is not None,
            "note": note or None, "out": str(folder)}


def _writer(to: str) -> Any:
    """Return what writes a format; its library is asked for before anything is on disk."""
    from neostriatum.recording.library import library

    if to == "nwb":
        library("pynwb", "NWB")
        from neostriatum.recording.nwb import write_nwb as write
    elif to == "neo":
        library("neo", "Neo")
        library("nixio", "Neo")
        from neostriatum.recording.neo import write_nix as write
    elif to == "csv":
        from neostriatum.recording.csv import write_csv as write
    else:
        from neostriatum.recording.simulation_config import write_simulation as write
    return write
