"""Make small samples of every file that a version writes, for the tests of later versions.

    PYTHONPATH=SOURCE python verify/samples.py FOLDER

SOURCE is the `src` of the version to sample; FOLDER is new, as `tests/data/v0_1` once was. Paths in
the files are relative to it, and what `run.json` says of the machine is replaced.
"""

import json
import os
import signal
import sys
from pathlib import Path

import neostriatum as ns
from neostriatum.recording.record import read_record, write_record

#: All that a file may hold: shares that give gap junctions, spread, weights, plastic synapses.
CHANGES = {
    "warmup": "5 ms", "cells.dSPN.fraction": 0.45, "cells.iSPN.fraction": 0.45,
    "cells.FS.fraction": 0.1, "spread": {"dSPN": {"C": "1 pF"}},
    "pathways.iSPN->dSPN.weight_cv": 0.5, "noise.FS": "0.1 mV",
    "inputs.cortex.targets.dSPN.rate": "40 Hz", "inputs.cortex.targets.FS.rate": "20 Hz",
}
OPTIONS = {"size": 60, "duration": "20 ms", "seed": 3, "changes": CHANGES, "figures": False,
           "record": ["dSPN:2:v,u", "FS:1:v,g_AMPA:5"]}
MACHINE = {"processor": "any", "cores": 2, "system": "any"}


def interrupted(engine: str) -> dict:
    """Make a run that Ctrl-C ended in its middle; return the hashes of one that nobody ended."""

    def press(phase: str, share: float) -> None:
        if phase == "simulate":  # the first window of it comes to its end
            os.kill(os.getpid(), signal.SIGINT)

    try:
        ns.run("striatum_v1", engine=engine, out=f"interrupted_{engine}", progress=press,
               checkpoint_every="0 s", **OPTIONS)
    except KeyboardInterrupt:
        return ns.run("striatum_v1", engine=engine, out=f"whole_{engine}", **OPTIONS).record
    message = "the run ended before it was interrupted"
    raise RuntimeError(message)


def neutral(folder: Path) -> None:
    """Take from records what they say of the machine."""
    for path in folder.rglob("run.json"):
        write_record(path.parent, read_record(path.parent) | {"machine": MACHINE})
    for path in folder.rglob("sweep.json"):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"machine": MACHINE}, indent=1)
                        + "\n")


def main() -> None:
    """Make the samples in the folder that the command names."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True)
    os.chdir(folder)
    run = ns.run("striatum_v1", engine="reference", out="finished", **OPTIONS)
    expected = {"finished": {"spike_hash": run.summary["spike_hash"],
                             "network_hash": run.record["network_hash"],
                             "spikes": len(run.spikes)}}
    for engine in ("reference", "numba"):
        record = interrupted(engine)
        expected[f"interrupted_{engine}"] = {"spike_hash": record["summary"]["spike_hash"]}
    network = ns.build(ns.load("striatum_v1", changes=CHANGES), size=60, seed=3)
    network.save("network.h5")
    expected["network.h5"] = {"network_hash": network.hash()}
    ns.export(network, to="sonata", out="sonata")
    ns.sweep(circuit="striatum_v1", size=60, duration="20 ms", engine="reference", figures=False,
             vary={"dopamine": [0.0, 0.8]}, changes=CHANGES, out="sweep", jobs=1)
    for name in ("reference", "numba"):
        for path in sorted(Path(f"whole_{name}").rglob("*"), reverse=True):
            path.unlink()
        Path(f"whole_{name}").rmdir()
    neutral(Path())
    Path("expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
