"""Nets with several kinds of gap junctions, of one type and of two, ohmic and through nodes."""

from nets import Net

import neostriatum as ns

FS = {"FS-FS": {"kind": "node", "conductance": "5 nS", "tau": "5 ms", "p": 0.2}}
SPN = {"dSPN-dSPN": {"kind": "ohmic", "conductance": "2 nS", "p": 0.03}}
BOTH = {"dSPN-FS": {"kind": "ohmic", "conductance": "3 nS", "p": 0.1}}
#: By name: one group of one type, two groups, one group of two types, of two and an unlike one.
KINDS = {
    "spns": SPN,
    "apart": FS | SPN,
    "joined": BOTH,
    "turned": {"FSI-D2": {"kind": "node", "conductance": "4 nS", "tau": "3 ms", "p": 0.1}},
    "three": FS | BOTH | SPN,
    "through": BOTH | {"FS-iSPN": {"kind": "node", "conductance": "2 nS", "tau": "8 ms",
                                   "p": 0.1}},
    "two groups": {"dSPN-iSPN": {"kind": "node", "conductance": "2 nS", "tau": "4 ms",
                                 "p": 0.05}} | FS,
}


def junctions(kinds):
    """Return kinds of gap junctions as a circuit has them."""
    return {name: {**{key: value for key, value in kind.items() if key != "p"},
                   "wiring": {"rule": "fixed_probability", "p": kind["p"]}}
            for name, kind in kinds.items()}


def coupled(name: str, size: int = 120, steps: int = 300) -> Net:
    """Return a busy circuit with drive, plasticity, spread and the named kinds."""
    raw = ns.load("striatum_v1").to_dict()
    for cell, share in (("dSPN", 0.45), ("iSPN", 0.45), ("FS", 0.1)):
        raw["cells"][cell]["fraction"] = share
    targets = raw["inputs"]["cortex"]["targets"]
    for cell in ("dSPN", "iSPN"):
        targets[cell]["conductance"] = {"AMPA": "7 nS", "NMDA": "0.3 nS"}
    targets["FS"]["conductance"] = {"AMPA": "6 nS"}
    targets["FS"]["process"] = "binomial"
    raw |= {"warmup": "5 ms", "noise": {"iSPN": "1 mV"}, "spread": {"FS": {"v_t": "0.5 mV"}},
            "gap_junctions": junctions(KINDS[name])}
    # A second input to one type: its events are not drawn ahead, those of the others are.
    raw["inputs"]["more"] = {"targets": {"dSPN": {
        "afferents": 20, "rate": "5 Hz", "conductance": {"AMPA": "1 nS"}}}}
    circuit = ns.load(raw)
    return Net(name, circuit, ns.build(circuit, size=size, seed=3), steps)
