"""Stop runs and compare what they become with runs that nobody stopped, spike for spike.

Engine x threads x precision x short-term plasticity x course of dopamine x noise and node gaps x
moment of the stop, always with spikes on their way; every run is stopped a second time, and then
extended. Everything must be equal.
"""

import itertools
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import numpy as np

import neostriatum as ns
from neostriatum.runs import loop

#: (engine, options before the stop, options after it).
ENGINES = {
    "reference": ({"engine": "reference"}, {}),
    "numba": ({"engine": "numba", "threads": 1}, {"threads": 2}),
    "numba single": ({"engine": "numba", "threads": 2, "precision": "single"}, {"threads": 1}),
}
RAMP = {"ramp": {"base": 0.1, "peak": 0.9, "start": "5 ms", "stop": "28 ms"}}
PLASTIC = {"U": 0.2, "tau_rec": "100 ms", "tau_fac": "50 ms"}
RECORD = ["dSPN:3:v,u,g_GABA:3", "FS:2"]


class Stop(Exception):
    """Ends a run between two windows."""


def circuit(plastic, course, rich):
    """Return a busy circuit."""
    raw = ns.load("striatum_v1").to_dict()
    for name, share in (("dSPN", 0.4), ("iSPN", 0.4), ("FS", 0.2)):
        raw["cells"][name]["fraction"] = share
    raw["inputs"]["electrode"] = {"targets": {
        "FS": {"current": "1 nA"}, "dSPN": {"current": "700 pA"}, "iSPN": {"current": "700 pA"}}}
    for pathway in raw["pathways"].values():
        pathway |= {"wiring": {"rule": "fixed_probability", "p": 0.3}, "delay": {"offset": "8 ms"}}
        pathway.pop("stp", None)
        if plastic:
            pathway["stp"] = PLASTIC
    raw["dopamine"] = {"d1": RAMP if course else 0.3, "d2": 0.2}
    if rich:
        raw["noise"] = {"FS": "2 mV", "dSPN": "1 mV"}
        raw["spread"] = {"iSPN": {"v_t": "0.5 mV"}}
        raw["gap_junctions"] = {"FS-FS": {"kind": "node", "conductance": "5 nS", "tau": "5 ms",
                                          "wiring": {"rule": "fixed_probability", "p": 0.2}}}
    return ns.load({**raw, "warmup": "6 ms"})


def stopper(phase, share):
    """Return a progress that ends a run at a share of a phase."""
    def tell(now, done):
        if now == phase and done >= share:
            raise Stop
    return tell


def in_flight(folder):
    """Return how many arrivals are on their way in the last checkpoint."""
    last = max(folder.glob("state-*.npz"))
    with np.load(last) as state:
        return sum(np.count_nonzero(state[name]) for name in state if name[:4] == "ring")


def equal(one, two):
    """Return whether two runs have the same spikes and the same samples."""
    return (one.summary["spike_hash"] == two.summary["spike_hash"] and all(
        np.array_equal(trace.values, two.recorded(variable)[name].values)
        for variable in one.variables for name, trace in one.recorded(variable).items()))


def case(place, made, network, engine, phase, share):
    """Return (arrivals at the stop, whether it was resumed exactly, and extended exactly)."""
    before, after = ENGINES[engine]
    common = {"figures": False, "checkpoint_every": "0 s"}
    lengths = {"whole": "30 ms", "long": "45 ms"}
    right = {name: ns.run(made, network=network, out=place / name, duration=length, record=RECORD,
                          **common, **before) for name, length in lengths.items()}
    folder = place / "stopped"
    with suppress(Stop):
        ns.run(made, network=network, out=folder, duration="30 ms", record=RECORD, **common,
               **before, progress=stopper(phase, share))
    flying = in_flight(folder)
    with suppress(Stop):
        ns.resume(folder, network=network, checkpoint_every="0 s", **after,
                  progress=stopper("simulate", 0.8))
    resumed = equal(ns.resume(folder, network=network, **after), right["whole"])
    extended = equal(ns.resume(folder, network=network, duration="45 ms", **after), right["long"])
    spikes = right["long"].summary["spikes"]
    for name in (*lengths, "stopped"):
        shutil.rmtree(place / name)
    return flying, spikes, resumed, extended


def main():
    """Run every case and print a table; exit with 1 if one is not equal."""
    loop.WINDOW_MS = 3.0
    moments = (("warmup", 0.5), ("simulate", 0.4), ("simulate", 0.7))
    print(f"{'engine':<14}{'stp':>5}{'course':>8}{'rich':>6}  {'stopped at':<16}{'arrivals':>9}"
          f"{'spikes':>8}{'resumed':>9}{'extended':>10}")
    bad = count = 0
    with tempfile.TemporaryDirectory() as place:
        for plastic, course, rich in itertools.product((False, True), repeat=3):
            made = circuit(plastic, course, rich)
            network = ns.build(made, size=60, seed=1)
            for engine, (phase, share) in itertools.product(ENGINES, moments):
                flying, spikes, resumed, extended = case(Path(place), made, network, engine, phase,
                                                         share)
                count += 1
                bad += not (resumed and extended and (flying or phase == "warmup"))
                print(f"{engine:<14}{'yes' if plastic else 'no':>5}{'yes' if course else 'no':>8}"
                      f"{'yes' if rich else 'no':>6}  {f'{phase} {share:g}':<16}{flying:>9}"
                      f"{spikes:>8}{'equal' if resumed else 'OTHER':>9}"
                      f"{'equal' if extended else 'OTHER':>10}", flush=True)
    print(f"{count - bad} of {count} cases equal")
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
