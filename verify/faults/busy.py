"""A small circuit in which every part matters and spikes come at once."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from case import Refused

import neostriatum as ns

SIZE, DURATION = 60, "20 ms"
COMMON = {"duration": DURATION, "figures": False, "engine": "reference", "record": "none"}


@cache
def circuit() -> Any:
    """Return the circuit: much current, dense wiring, spread, gap junctions, unequal weights."""
    raw = ns.load("striatum_v1").to_dict()
    for name, share in (("dSPN", 0.4), ("iSPN", 0.4), ("FS", 0.2)):
        raw["cells"][name]["fraction"] = share
    raw["inputs"]["electrode"] = {"targets": {
        "FS": {"current": "1 nA"}, "dSPN": {"current": "700 pA"}, "iSPN": {"current": "700 pA"}}}
    for name, pathway in raw["pathways"].items():
        pathway["delay"] = {"offset": "2 ms"}
        if name != "dSPN->dSPN":
            pathway["wiring"] = {"rule": "fixed_probability", "p": 0.3}
    # Beyond half a side the law would count every image of a cell, and connect all of them.
    raw["pathways"]["dSPN->dSPN"]["wiring"]["range"] = "40 um"
    raw["pathways"]["iSPN->dSPN"]["weight_cv"] = 0.5
    raw["dopamine"] = {"d1": 0.3, "d2": 0.2}
    raw["spread"] = {"iSPN": {"v_t": "0.5 mV"}}
    raw["gap_junctions"] = {"FS-FS": {"kind": "node", "conductance": "5 nS", "tau": "5 ms",
                                      "wiring": {"rule": "fixed_probability", "p": 0.2}}}
    return ns.load({**raw, "warmup": "0 ms", "name": "busy"})


@cache
def network() -> Any:
    """Return the network of the circuit."""
    return ns.build(circuit(), size=SIZE, seed=1)


def spikes(result: Any = None, drawn: Any = None, **options: Any) -> str:
    """Run a circuit and return the hash of its spikes."""
    result = circuit() if result is None else result
    where = {"size": SIZE} if drawn is None else {"network": drawn}
    return ns.run(result, **{**COMMON, **where, **options}).summary["spike_hash"][:12]


@cache
def usual() -> str:
    """Return the hash of the spikes of the circuit on its own network."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        return spikes(drawn=network(), out=f"{folder}/run")


def written(folder: Path, result: Any, name: str = "circuit.json") -> Path:
    """Write a circuit file."""
    (folder / name).write_text(json.dumps(result.to_dict()), "utf-8")
    return folder / name


def command(*arguments: Any) -> str:
    """Call the command line in this process and return what it printed.

    Raises
    ------
    Refused
        Another exit code than 0, with the last line of stderr.
    """
    from neostriatum.cli import main

    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        code = main([str(item) for item in arguments])
    if code:
        raise Refused(code, _complaint(errors.getvalue().splitlines()))
    return out.getvalue()


def _complaint(lines: Sequence[str]) -> str:
    return "\n".join(line for line in lines if line.strip() and not line.endswith(" ...")
                     and not line.lower().startswith("warning:"))
