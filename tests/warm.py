"""Compile what the tests need, once and before several of them do it side by side.

Two processes share the work; what is compiled already is only loaded. A helper of `make test`.
"""

import subprocess
import sys
import tempfile
import warnings
from pathlib import Path


def engine(precision: str) -> None:
    """Compile the fast engine, and the building of its network."""
    import neostriatum as ns

    with tempfile.TemporaryDirectory() as folder:
        ns.run("striatum_v1", size=60, duration="1 ms", precision=precision, figures=False,
               out=Path(folder) / "run", changes={"warmup": "0 ms"})


def network() -> None:
    """Compile the other rules of wiring and the analysis of a network."""
    import neostriatum as ns
    from neostriatum.analysis.profile import profile

    drawn = ns.build(ns.load("striatum_v1", changes={
        "pathways.FS->dSPN.wiring": {"rule": "fixed_indegree", "n": 1},
        "pathways.FS->iSPN.wiring": {"rule": "fixed_indegree", "n": 1, "within": "500 um"},
        "pathways.FS->FS.weight_cv": 0.1, "volume.boundary": "open"}), size=200)
    ns.anatomy(drawn)
    ns.pair_recordings(drawn, "iSPN->dSPN", "200 um", pairs=10)
    profile(drawn, "iSPN->dSPN", [0.0, 50.0, 100.0])


PARTS = {"double": lambda: engine("double"), "single": lambda: (network(), engine("single"))}

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    if len(sys.argv) > 1:
        PARTS[sys.argv[1]]()
    else:
        children = [subprocess.Popen([sys.executable, __file__, part]) for part in PARTS]
        sys.exit(max(child.wait() for child in children))
