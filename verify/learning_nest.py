"""Compare what synapses learn in NEST with the fast engine, which has the bits of `reference`.

    python verify/learning_nest.py [--size 500] [--seconds 20] [--threads 1 2]
    mpiexec -n 2 python verify/learning_nest.py --threads 1

The default circuit with 42 plastic cortical synapses per spiny cell, while dopamine rises and
falls. Needs NEST; with mpiexec a NEST that has MPI. Prints the largest difference of a weight.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

import numpy as np

import neostriatum as ns
from neostriatum.engines.base import engine
from neostriatum.engines.numba_engine import Numba
from neostriatum.ranks import launched

PATHS = ("cortex->dSPN", "cortex->iSPN")
#: Steps that are simulated in one call.
PIECE = 10_000


def learning_circuit() -> Any:
    """Return the default circuit with 42 cortical synapses per spiny cell, which learn."""
    level = {"square": {"low": 0.2, "high": 0.5, "frequency": "1 Hz"}}
    # NEST looks at every axon in every step, and is told a level at each step that changes it.
    changes: dict[str, Any] = {"dopamine": {"d1": level, "d2": level}, "axons.cortex.size": 4000,
                               "axons.CL.size": 1200, "axons.Pf.size": 1200,
                               "pathways.cortex->FS.wiring.n": 42}
    for path in PATHS:
        changes |= {f"pathways.{path}.wiring.n": 42, f"pathways.{path}.learning": {"dose": 5},
                    f"pathways.{path}.conductance": {"AMPA_SPN": "2 nS", "NMDA": "0.5 nS"}}
    return ns.load("striatum", overlay="no_acetylcholine", changes=changes)


def learnt(name: str, circuit: Any, network: Any, steps: int, **options: Any
           ) -> tuple[int, np.ndarray, float]:
    """Return spikes, all plastic weights at the end, and seconds."""
    # By its class, as `engine` has the fast one in a single process alone; here rank 0 asks it.
    simulator = Numba() if name == "numba" else engine(name, **options)
    simulator.prepare(circuit, network, 1)
    begun, spikes = time.perf_counter(), 0
    for done in range(0, steps, PIECE):
        spikes += len(simulator.advance(min(PIECE, steps - done))[0])
    seconds = time.perf_counter() - begun
    return spikes, np.concatenate([simulator.weights(path) for path in PATHS]), seconds


def main() -> int:
    """Compare; return 1 if a weight differs by more than 1e-9."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    given = parser.parse_args()
    circuit = learning_circuit()
    network = ns.build(circuit, size=given.size, seed=1)
    steps = round(given.seconds * 1e4)
    spikes, weights, seconds = learnt("numba", circuit, network, steps)
    print(f"numba: {len(weights)} plastic synapses, weights {weights.min():.4f} to "
          f"{weights.max():.4f}, {spikes} spikes, {seconds:.1f} s", flush=True)
    missed = False
    for threads in given.threads:
        others, found, seconds = learnt("nest", circuit, network, steps, threads=threads)
        apart = float(np.abs(found - weights).max())
        missed |= apart > 1e-9
        print(f"nest, {threads} threads, {launched()} ranks: largest difference {apart:.1e} "
              f"(at most 1e-9), {others} spikes, {seconds:.1f} s", flush=True)
    return int(missed)


if __name__ == "__main__":
    if launched() > 1:
        from neostriatum.engines.nest_engine.ranks_follow import among

        sys.exit(among(main, lambda error: print(error, file=sys.stderr) or 2))
    sys.exit(main())
