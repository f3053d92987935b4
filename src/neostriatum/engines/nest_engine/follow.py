"""What the ranks but the first do: build their part of the network, and follow step by step."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.network.edges import Edges
from neostriatum.network.network import Network
from neostriatum.ranks import sent, tell

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit


def brief(circuit: Circuit, network: Network, slots: int) -> None:
    """Tell the others what to prepare: the circuit, and of the network all but its synapses."""
    tell({
        "circuit": circuit.to_dict(), "slots": slots,
        "folder": str(circuit._folder) if circuit._folder else None,
        "fields": {name: getattr(network, name) for name in
                   ("seed", "counts", "side_um", "periodic", "shape", "filled")},
        "weighted": {name: edges.weights is not None for name, edges in network.edges.items()},
        "spread": {name: list(said) for name, said in network.spread.items()},
    })
    sent(network.positions, np.float32)
    sent(network.gaps, np.int32)
    for said in network.spread.values():
        for values in said.values():
            sent(values, np.float64)


def briefed() -> tuple[Circuit, Network, int]:
    """Return the circuit, the network without its synapses, and the slots of its delays."""
    from pathlib import Path

    from neostriatum.circuit.load import load

    said = tell()
    counts = said["fields"]["counts"]
    positions, gaps = sent(None, np.float32), sent(None, np.int32)
    edges = {name: Edges(np.zeros(counts[name.split("->")[0]] + 1, np.int64),
                         np.zeros(0, np.int32), np.zeros(0, np.uint8),
                         np.zeros(0, np.float32) if weighted else None)
             for name, weighted in said["weighted"].items()}
    spread = {name: {one: sent(None, np.float64) for one in names}
              for name, names in said["spread"].items()}
    folder = said["folder"]
    circuit = load(said["circuit"], folder=Path(folder) if folder else None)
    network = Network(**said["fields"], positions=positions, edges=edges, gaps=gaps,
                      spread=spread)
    return circuit, network, said["slots"]


def serve() -> int:
    """Follow rank 0 until it says that all is done; return the exit code."""
    from neostriatum.engines.nest_engine.engine import Nest
    from neostriatum.errors import EngineMissing, NeostriatumError
    from neostriatum.ranks import end_all, rank

    simulator: Any = None
    try:
        from neostriatum.engines.nest_engine.kernel import nest

        nest()
    except EngineMissing as error:
        return error.exit_code  # rank 0 says it
    try:
        while (said := tell())["do"] != "end":
            if said["do"] == "open":
                simulator = Nest(threads=said["threads"])
            else:
                getattr(simulator, f"follow_{said['do']}")(said)
    except Exception as error:
        code = error.exit_code if isinstance(error, NeostriatumError) else 1
        sys.stderr.write(f"rank {rank()}: {' '.join(str(error).split())[:190]}\n")
        sys.stderr.flush()
        end_all(code)
    return 0


def dismiss(code: int) -> int:
    """Let the other ranks go: in peace at exit code 0, else by ending them all; return the code."""
    from neostriatum.engines.nest_engine.kernel import nest
    from neostriatum.errors import EngineMissing
    from neostriatum.ranks import end_all

    try:
        nest()
    except EngineMissing:
        return code  # then they have left already
    if code:
        end_all(code)
    tell({"do": "end"})
    return 0
