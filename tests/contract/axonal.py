"""A circuit with axons of every kind, for nets of any size."""

import neostriatum as ns

HOME = {"share": 0.5, "groups": 2}
FACILITATING = {"U": 0.1, "tau_rec": "300 ms", "tau_fac": "60 ms", "start": "stationary"}
TWO = {"model": "two_pools", "U": 0.4, "share": 0.3, "tau_fast": "80 ms", "tau_slow": "900 ms",
       "start": "stationary"}
SQUARE = {"square": {"low": "10 Hz", "high": "60 Hz", "frequency": "40 Hz"}}


def circuit():
    """Two populations of axons on three types: every kind of release, course, home and delay."""
    raw = ns.load("striatum_v1").to_dict()
    raw |= {"warmup": "5 ms", "inputs": {}, "noise": {}, "channels": {
        "left": {"of": ["dSPN", "iSPN"], "share": 0.5},
        "right": {"of": ["dSPN", "iSPN"], "share": 0.4}}}
    for name, share in (("dSPN", 0.45), ("iSPN", 0.45), ("FS", 0.1)):
        raw["cells"][name]["fraction"] = share
    raw["axons"] = {
        "cortex": {"size": 300, "rate": "25 Hz", "groups": 12, "packets": 0.2,
                   "slow": {"sd": 0.5, "tau": "20 ms"},
                   "channels": {"left": 0.5, "right": {"share": 0.5, "rate": "40 Hz"}}},
        "thalamus": {"size": 40, "rate": SQUARE}}
    rules = {"cortex->dSPN": ({"n": 50, "home": HOME, "same_channel": True}, FACILITATING, "1 ms"),
             "cortex->iSPN": ({"n": 40, "home": {**HOME, "by": "position"}}, TWO, "2.5 ms"),
             "cortex->FS": ({"n": 30}, None, "0.7 ms"),
             "thalamus->FS": ({"n": 20}, {**FACILITATING, "start": "rested"}, "1 ms"),
             "thalamus->dSPN": ({"n": 10}, None, "3 ms")}
    for name, (rule, stp, delay) in rules.items():
        raw["pathways"][name] = {
            "conductance": {"AMPA": "4 nS", "NMDA": "0.3 nS"} if stp else {"AMPA": "3 nS"},
            "delay": delay, "wiring": {"rule": "fixed_indegree", **rule}, "weight_cv": 0.3,
            **({"stp": stp} if stp else {})}
        if not name.endswith("dSPN"):
            raw["pathways"][name]["conductance"]["AMPA"] = "20 nS"
    raw["pathways"]["thalamus->dSPN"]["failure"] = {"probability": 0.4, "drawn": True}
    raw["pathways"]["FS->dSPN"]["stp"] |= {"start": "stationary", "start_rate": "15 Hz"}
    return ns.load(raw)
