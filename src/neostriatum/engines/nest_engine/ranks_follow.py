"""What the ranks but the first do: build their part of the network, and follow step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.network.edges import Edges
from neostriatum.network.network import Network
from neostriatum.ranks import sent, tell

if TYPE_CHECKING:
    from collections.abc import Callable

    from neostriatum.circuit.model import Circuit


def send_network(circuit: Circuit, network: Network, slots: int) -> None:
    """Tell the others what to prepare: the circuit, and of the network all but its synapses."""
    tell({
        "circuit": circuit.to_dict(), "slots": slots,
        "folder": str(circuit._folder) if circuit._folder else None,
        "fields": {name: getattr(network, name) for name in
                   ("seed", "counts", "side_um", "periodic", "shape", "filled", "axons")},
        **{kind: {name: edges.weights is not None for name, edges
                  in getattr(network, kind).items()} for kind in ("edges", "afferents")},
        "gap_junctions": list(network.junctions),
        "spread": {name: list(said) for name, said in network.spread.items()},
    })
    sent(network.positions, np.float32)
    for pairs in network.junctions.values():
        sent(pairs, np.int32)
    for said in network.spread.values():
        for values in said.values():
            sent(values, np.float64)


def receive_network() -> tuple[Circuit, Network, int]:
    """Return the circuit, the network without its synapses, and the slots of its delays."""
    from pathlib import Path

    from neostriatum.circuit.load import load

    said = tell()
    sizes = said["fields"]["counts"] | said["fields"]["axons"]
    positions = sent(None, np.float32)
    junctions = {name: sent(None, np.int32) for name in said["gap_junctions"]}
    edges, afferents = ({name: Edges(np.zeros(sizes[name.split("->")[0]] + 1, np.int64),
                                     np.zeros(0, np.int32), np.zeros(0, np.uint8),
                                     np.zeros(0, np.float32) if weighted else None)
                         for name, weighted in said[kind].items()}
                        for kind in ("edges", "afferents"))
    spread = {name: {one: sent(None, np.float64) for one in names}
              for name, names in said["spread"].items()}
    folder = said["folder"]
    circuit = load(said["circuit"], folder=Path(folder) if folder else None)
    network = Network(**said["fields"], positions=positions, edges=edges,
                      afferents=afferents, junctions=junctions, spread=spread)
    return circuit, network, said["slots"]


def serve() -> None:
    """Follow rank 0 until it says that all is done."""
    from neostriatum.engines.nest_engine.engine import Nest

    simulator: Any = None
    while (said := tell())["do"] != "end":
        if said["do"] == "open":
            simulator = Nest(threads=said["threads"])
        else:
            getattr(simulator, f"follow_{said['do']}")(said)


def among(answer: Callable[[], int], explain: Callable[[Exception], int]) -> int:
    """Let rank 0 answer and the others follow; return the exit code, or end all where one failed.

    Parameters
    ----------
    answer : callable
        Does what rank 0 was asked for and returns the exit code.
    explain : callable
        Says what went wrong and returns the exit code.
    """
    from neostriatum.engines.nest_engine.kernel import nest
    from neostriatum.errors import EngineMissing
    from neostriatum.ranks import end_all, rank

    leads = rank() == 0
    code = answer() if leads else 0
    try:
        nest()
    except EngineMissing as error:
        return code or error.exit_code  # rank 0 has said it, and the others leave
    if leads and not code:
        tell({"do": "end"})
    elif not leads:
        try:
            serve()
        except Exception as error:
            code = explain(error)
    if code:
        end_all(code)
    return code
