"""Hand networks and runs to other tools."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neostriatum.circuit.catalogue import preset_files
from neostriatum.circuit.datafile import read_data
from neostriatum.circuit.load import load
from neostriatum.durable import claim, unclaim
from neostriatum.errors import CircuitError, shown
from neostriatum.keywords import keywords_of
from neostriatum.network.build import build
from neostriatum.network.network import Network
from neostriatum.network.saved import circuit_of
from neostriatum.network.sonata import write_sonata
from neostriatum.recording.drawn import network_of
from neostriatum.recording.opened import opened
from neostriatum.recording.store import Run

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit

#: What a run can be exported to, and a network.
FORMATS, OF_A_NETWORK = ("sonata", "nwb", "neo", "csv"), ("sonata", "neuron")
ALL = (*FORMATS, "neuron")


@dataclass(frozen=True)
class Simulation:
    """What "neuron" simulates: how long, drawn from which seed, and how many cells of a circuit."""

    duration: Any = "2 s"
    size: int | None = None
    seed: int = 1


@keywords_of(Simulation)
def export(what: Any, to: str, out: str | Path,
           circuit: Circuit | None = None, **options: Any) -> dict[str, Any]:
    """Write a run or a network in the format of other tools.

    Parameters
    ----------
    what : Run, Network, str or Path
        A finished run or a network, or the folder or file of one; for "neuron" a circuit too.
    to : str
        "sonata"; a run also to "nwb", "neo" (a NIX file) or "csv"; a network or a circuit also to
        "neuron".
    out : str or Path
        A new or empty folder.
    circuit : Circuit, optional
        Of a network that was not built from one; by default its own.
    **options
        Of "neuron", fields of `Simulation`: duration, size (of a circuit alone), seed.

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
    if to not in ALL:
        msg = f"--to: must be {', '.join(ALL[:-1])} or {ALL[-1]} (got {shown(to)})"
        raise CircuitError(msg)
    simulation = _simulation(to, options)
    what = _drawn(what, simulation) if to == "neuron" else opened(what)
    if isinstance(what, Run):
        if to not in FORMATS:
            msg = (f"--to: of a run must be {', '.join(FORMATS[:-1])} or {FORMATS[-1]} (got {to}). "
                   "Export its network or its circuit")
            raise CircuitError(msg)
        return _run(what, to, out)
    if to not in OF_A_NETWORK:
        msg = f"--to: of a network must be {' or '.join(OF_A_NETWORK)} (got {to})"
        raise CircuitError(msg)
    if to == "neuron":
        write: Any = _for_neuron(what, circuit_of(what, circuit), simulation)
    else:
        def write(folder: Path) -> Any:
            return write_sonata(what, folder, circuit)
    folder = claim(out)
    try:
        write(folder)
    except BaseException:
        unclaim(folder)
        raise
    return {"to": to, "circuit": circuit_of(what, circuit).name, "neurons": what.size,
            "synapses": what.synapses, "gap_junctions": len(what.gaps),
            "network_hash": what.hash(), "out": str(folder)}


def _simulation(to: str, options: dict[str, Any]) -> Simulation:
    """Return the options of a simulation; another format has none."""
    for name, value in options.items():
        if name not in Simulation.__dataclass_fields__:
            msg = f"export: unknown option {shown(name)}"
            raise CircuitError(msg)
        if to != "neuron" and value is not None:
            msg = f"--{name}: is of --to neuron alone (got --to {to}). Leave it out"
            raise CircuitError(msg)
    return Simulation(**{name: value for name, value in options.items() if value is not None})


def _drawn(what: Any, simulation: Simulation) -> Run | Network:
    """Return a run or a network, or the network of a circuit: a preset's name, a file, or data."""
    circuit = _circuit(what)
    if circuit is not None:
        return build(circuit, size=simulation.size, seed=simulation.seed)
    if simulation.size is not None:
        msg = f"--size: is of a circuit alone (got {simulation.size}). Leave it out"
        raise CircuitError(msg)
    return opened(what)


def _circuit(what: Any) -> Circuit | None:
    """Return the circuit that is meant, None where it is a run, a network or nothing."""
    if isinstance(what, (Run, Network)):
        return None
    if not isinstance(what, (str, Path)):
        return load(what)
    path = Path(what)
    if path.suffix.lower() == ".toml" or (str(what) in preset_files() and not path.exists()):
        return load(what)
    if path.suffix.lower() == ".json" and path.is_file() and "networks" not in read_data(path):
        return load(what)
    return None


def _for_neuron(network: Network, circuit: Circuit, simulation: Simulation) -> Any:
    """Return what writes a network for NEURON; what is refused is refused before."""
    from neostriatum.recording.neuron.folder import played, write_neuron

    run = played(network, circuit, simulation.duration, simulation.seed)
    return lambda folder: write_neuron(network, circuit, run, folder)


def _run(run: Run, to: str, out: str | Path) -> dict[str, Any]:
    # Of a run that did not finish there is no summary: part of it would look like all of it.
    said, write = run.summary, _writer(to)
    folder = claim(out)
    try:
        spikes = len(run.spikes)
        traced = len({int(one) for variable in run.variables
                      for name, trace in run.recorded(variable).items()
                      if name in run.populations for one in trace.ids})
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
