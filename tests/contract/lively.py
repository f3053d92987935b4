"""A circuit with everything that is random or remembered: drive, noise, STP, node gaps."""

from nets import Net

import neostriatum as ns


def lively(size: int) -> Net:
    """Return a busy circuit of ``size`` cells, a tenth of them FS, that fires from the first ms."""
    raw = ns.load("striatum_v1").to_dict()
    for name, share in (("dSPN", 0.45), ("iSPN", 0.45), ("FS", 0.1)):
        raw["cells"][name]["fraction"] = share
    targets = raw["inputs"]["cortex"]["targets"]
    for name in ("dSPN", "iSPN"):
        targets[name]["conductance"] = {"AMPA": "7 nS", "NMDA": "0.3 nS"}
    targets["FS"]["conductance"] = {"AMPA": "6 nS"}
    targets["FS"]["process"] = "binomial"
    targets["iSPN"]["correlation"] = {"within": 0.02, "between": 0.1}
    wiring = {"rule": "fixed_probability", "p": 0.2 if size < 200 else 0.02}
    raw |= {
        "warmup": "5 ms", "noise": {"FS": "2 mV", "dSPN": "1 mV"},
        "gap_junctions": {"FS-FS": {"kind": "node", "conductance": "5 nS", "tau": "5 ms",
                                    "wiring": wiring}},
        "spread": {"iSPN": {"v_t": "0.5 mV"}},
    }
    circuit = ns.load(raw)
    return Net(f"lively{size}", circuit, ns.build(circuit, size=size, seed=3), 300)
