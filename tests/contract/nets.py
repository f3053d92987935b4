"""Small nets without any random draw in the run: recorded input spikes, edges placed by hand.

Each `Net` holds a circuit, a network and a number of steps; everything is arithmetic on integers,
so that two engines that mean the same model must give the same spikes.
"""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import neostriatum as ns
from neostriatum.circuit.model import Circuit
from neostriatum.network.network import Edges, Network

TYPES = ("dSPN", "iSPN", "FS")
#: Pathways of every preset.
PATHWAYS = ("dSPN->dSPN", "dSPN->iSPN", "iSPN->dSPN", "iSPN->iSPN", "FS->dSPN", "FS->iSPN",
            "FS->FS")


@dataclass(frozen=True)
class Net:
    """One circuit on one network, to be simulated for a number of steps."""

    name: str
    circuit: Circuit
    network: Network
    n_steps: int

    def with_network(self, **parts) -> "Net":
        """Return this net with parts of its network replaced."""
        return dataclasses.replace(self, network=dataclasses.replace(self.network, **parts))

    def with_circuit(self, changes) -> "Net":
        """Return this net with values of its circuit replaced."""
        return dataclasses.replace(self, circuit=self.circuit.replace(changes))


@dataclass
class Plan:
    """What a net is made of; `net` turns it into one."""

    preset: str
    counts: dict[str, int]
    dt: float = 0.1
    #: Pathway to list of (source, target, delay in 0.1 ms).
    contacts: dict[str, list[tuple[int, int, int]]] = field(default_factory=dict)
    gaps: list[tuple[int, int]] = field(default_factory=list)
    #: Other kinds of gap junctions than FS-FS, the pairs of each.
    junctions: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    spread: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)
    #: Input name to type to (list of (step, id), conductances).
    recorded: dict[str, dict[str, tuple[list, dict[str, str]]]] = field(default_factory=dict)
    #: Top-level sections of the circuit that replace the preset's.
    sections: dict = field(default_factory=dict)
    side_um: float = 100.0
    periodic: bool = False


def edges(n_sources, contacts) -> Edges:
    """Return (source, target, delay) triples as CSR."""
    table = np.array(sorted(contacts), np.int64).reshape(-1, 3)
    offsets = np.searchsorted(table[:, 0], np.arange(n_sources + 1))
    targets, delays = table[:, 1].astype(np.int32), table[:, 2].astype(np.uint8)
    return Edges(offsets.astype(np.int64), targets, delays)


def network(plan: Plan, circuit: Circuit) -> Network:
    """Return the network of a plan: cells on a line, edges as told."""
    size = sum(plan.counts.values())
    line = (np.arange(size, dtype=np.float32) + 0.5) / size * plan.side_um
    made = {name: edges(plan.counts[name.split("->")[0]], plan.contacts.get(name, []))
            for name in circuit.pathways}
    listed = {"FS-FS": plan.gaps, **plan.junctions}
    junctions = {name: np.array(sorted(listed.get(name, [])), np.int32).reshape(-1, 2)
                 for name in circuit.gap_junctions}
    return Network(1, plan.counts, plan.side_um, plan.periodic, np.stack([line] * 3, axis=1), made,
                   junctions, plan.spread)


def recorded(folder: Path, name: str, events, conductance, dt: float) -> dict:
    """Write (step, id) events as a CSV file and return the input that plays them."""
    table = np.array(sorted(events), np.int64).reshape(-1, 2)
    lines = [f"{step * dt!r},{cell}" for step, cell in table.tolist()]
    (folder / f"{name}.csv").write_text("\n".join(["time_ms,id", *lines]) + "\n", encoding="utf-8")
    return {"spikes": {"file": f"{name}.csv"}, "conductance": conductance}


def load(plan: Plan, folder: Path) -> Circuit:
    """Return the circuit of a plan: the preset with this input, these sections and no noise."""
    raw = ns.load(plan.preset).to_dict()
    raw |= {"dt": f"{plan.dt!r} ms", "warmup": "0 ms", "noise": {}, "inputs": {}, **plan.sections}
    for name, targets in plan.recorded.items():
        entry = raw["inputs"].setdefault(name, {"targets": {}})["targets"]
        for cell, (events, conductance) in targets.items():
            entry[cell] = recorded(folder, f"{name}.{cell}", events, conductance, plan.dt)
    return ns.load(raw, folder=folder)


def net(name: str, plan: Plan, folder: Path, ms: float) -> Net:
    """Return the net of a plan, run for ``ms``."""
    circuit = load(plan, folder)
    return Net(name, circuit, network(plan, circuit), round(ms / plan.dt))


def train(cell: int, n_steps: int, every: int, salt: int = 0) -> list[tuple[int, int]]:
    """Return an uneven train of (step, id), different from cell to cell."""
    events, step, k = [], (17 * cell + 5 * salt) % every, 0
    while step < n_steps:
        events.append((step, cell))
        k += 1
        step += 1 + every // 2 + (every * (k * k + 3 * cell + 7 * k * salt) % 997) % every
    return events


def trains(cells, n_steps: int, every: int, salt: int = 0) -> list[tuple[int, int]]:
    """Return the trains of several cells."""
    return [event for cell in cells for event in train(cell, n_steps, every, salt)]


def receptors(folder: Path) -> Net:
    """AMPA, NMDA and GABA alone and together onto every type; dopamine 0.8.

    Of each type, cell 0 has AMPA, 1 NMDA, 2 AMPA and GABA, 3 all, 4 GABA alone, 5
    nothing.
    """
    n, ampa, nmda, gaba = 10_000, {}, {}, {}
    for number, (cell, fast, slow) in enumerate(zip(
            TYPES, ("24 nS", "24 nS", "24 nS"), ("84 nS", "120 nS", "14 nS"), strict=True)):
        ampa[cell] = (trains([0, 2, 3], n, 900, number), {"AMPA": fast})
        nmda[cell] = (trains([1, 3], n, 4500, 1 + number), {"NMDA": slow})
        gaba[cell] = (trains([2, 3, 4], n, 500, 2 + number), {"GABA": "6 nS"})
    plan = Plan("striatum_v1", dict.fromkeys(TYPES, 6),
                recorded={"ampa": ampa, "nmda": nmda, "gaba": gaba},
                sections={"dopamine": {"d1": 0.8, "d2": 0.8}})
    return net("receptors", plan, folder, 1000.0)


def pathways(folder: Path) -> Net:
    """Every pathway from cells 0 and 1 of a type onto 20 others, delays 1 to 20 steps; node gaps.

    The cells of Humphries et al. 2010, with their dopamine current; dopamine 0.3.
    """
    n = 10_000
    contacts = {name: [(source, 2 + j, 1 + (j + 7 * number + 3 * source) % 20)
                       for source in (0, 1) for j in range(20)]
                for number, name in enumerate(PATHWAYS)}
    drive = {cell: (trains(range(22), n, 900, number), {"AMPA": "30 nS", "NMDA": "0.5 nS"})
             for number, cell in enumerate(TYPES)}
    drive["FS"] = (drive["FS"][0], {"AMPA": "50 nS"})
    plan = Plan("humphries2010", dict.fromkeys(TYPES, 22), contacts=contacts,
                gaps=[(0, 1), (5, 9)], recorded={"cortex": drive},
                sections={"dopamine": {"d1": 0.3, "d2": 0.3}})
    return net("pathways", plan, folder, 1000.0)


def plastic(folder: Path) -> Net:
    """Depressing, facilitating and mixed synapses in two layers; ohmic gaps; dopamine 0."""
    n = 10_000
    onto = {"FS->dSPN": 3, "FS->iSPN": 11, "iSPN->dSPN": 5, "dSPN->iSPN": 40}
    contacts = {name: [(source, 2 + j, delay + 2 * j + source) for source in (0, 1)
                       for j in range(4)] for name, delay in onto.items()}
    drive = {"dSPN": (trains(range(6), n, 900, 0), {"AMPA": "24 nS"}),
             "iSPN": (trains(range(6), n, 900, 1), {"AMPA": "24 nS"}),
             "FS": (trains(range(4), n, 400, 2), {"AMPA": "25 nS"})}
    raw = ns.load("striatum_v1").to_dict()["pathways"]
    raw["iSPN->dSPN"]["stp"] = {"U": 0.1, "tau_rec": "0 ms", "tau_fac": "500 ms"}
    raw["dSPN->iSPN"]["stp"] = {"U": 0.5, "tau_rec": "300 ms", "tau_fac": "0 ms"}
    plan = Plan("striatum_v1", {"dSPN": 6, "iSPN": 6, "FS": 4}, contacts=contacts,
                gaps=[(0, 1), (1, 2), (0, 3)], recorded={"cortex": drive},
                sections={"pathways": raw, "dopamine": {"d1": 0.0, "d2": 0.0}})
    return net("plastic", plan, folder, 1000.0)


def courses(folder: Path) -> Net:
    """All the rest at dt 0.2 ms: courses, channels, spread, start values, linear FS, warm-up."""
    n, counts = 5_500, {"dSPN": 8, "iSPN": 8, "FS": 6}
    pulse = {"base": "20 pA", "peak": "90 pA", "start": "50 ms", "stop": "370 ms"}
    table = {"times": ["0 ms", "300 ms", "900 ms"], "values": ["0 pA", "15 pA", "-30 pA"]}
    ramp = {"base": 0.0, "peak": 0.8, "start": "100 ms", "stop": "800 ms"}
    sine = {"mean": 0.4, "amplitude": 0.3, "frequency": "3 Hz", "phase": 0.5}
    wave = {"mean": "40 pA", "amplitude": "40 pA", "frequency": "5 Hz"}
    drive = {cell: (trains(range(8), n, 450, number), {"AMPA": "24 nS", "NMDA": "0.5 nS"})
             for number, cell in enumerate(("dSPN", "iSPN"))}
    drive["FS"] = (trains(range(6), n, 400, 2), {"AMPA": "14 nS"})
    currents = {"dSPN": {"current": {"pulse": pulse}, "channel": "some"},
                "iSPN": {"current": {"pulse": pulse}, "channel": "ball"},
                "FS": {"current": {"table": table}}}
    sections = {
        "warmup": "100 ms",
        "inputs": {"stimulus": {"targets": currents},
                   "wave": {"targets": {"iSPN": {"current": {"sine": wave}}}}},
        "channels": {"some": {"fraction": 0.5},
                     "ball": {"sphere": {"centre": ["-10 um", "0 um", "5 um"], "radius": "25 um"}}},
        "dopamine": {"d1": {"ramp": ramp}, "d2": {"sine": sine}},
        "start": {"dSPN": {"v": "-78 mV", "v_sd": "2 mV"}, "FS": {"v": "-66 mV", "u": "3 pA"}},
    }
    contacts = {name: [(source, 2 + j, 2 + (3 * j + number) % 40) for source in (0, 1)
                       for j in range(4)] for number, name in enumerate(PATHWAYS)}
    spread = {"dSPN": {"v_t": np.linspace(-1.5, 1.5, 8), "v_r": np.linspace(0.7, -0.7, 8)},
              "FS": {"C": np.linspace(-8.0, 8.0, 6)}}
    plan = Plan("seed", counts, dt=0.2, contacts=contacts, gaps=[(0, 1), (1, 4), (2, 5)],
                spread=spread, recorded={"cortex": drive}, sections=sections)
    return net("courses", plan, folder, 1100.0)


def recurrent(folder: Path) -> Net:
    """200 cells wired by the distance laws, each spike triggered by a strong input."""
    n = 10_000
    spn = {"AMPA": "24 nS", "NMDA": "0.3 nS"}
    return _wired("recurrent", folder, n, {
        "dSPN": (trains(range(90), n, 900, 0), spn), "iSPN": (trains(range(90), n, 900, 1), spn),
        "FS": (trains(range(20), n, 500, 2), {"AMPA": "25 nS"})})


def restless(folder: Path) -> Net:
    """The same 200 cells on many weak inputs: each spike hangs on all that went before."""
    n = 5_000
    spn = {"AMPA": "11 nS", "NMDA": "0.3 nS"}
    return _wired("restless", folder, n, {
        "dSPN": (trains(range(90), n, 90, 0), spn), "iSPN": (trains(range(90), n, 90, 1), spn),
        "FS": (trains(range(20), n, 80, 2), {"AMPA": "3.5 nS"})})


def _wired(name: str, folder: Path, n_steps: int, drive) -> Net:
    cells = ns.load("striatum_v1").to_dict()["cells"]
    for cell, share in zip(TYPES, (0.45, 0.45, 0.1), strict=True):
        cells[cell]["fraction"] = share
    plan = Plan("striatum_v1", {}, recorded={f"cortex_{name}": drive}, sections={"cells": cells})
    circuit = load(plan, folder)
    return Net(name, circuit, ns.build(circuit, size=200, seed=1), n_steps)


FEED_FORWARD = {"receptors": receptors, "pathways": pathways, "plastic": plastic,
                "courses": courses}
RECURRENT = {"recurrent": recurrent, "restless": restless}
ALL = {**FEED_FORWARD, **RECURRENT}
