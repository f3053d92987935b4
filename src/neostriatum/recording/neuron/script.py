"""Simulate the network in this folder with NEURON and write its spikes, spikes.h5 (SONATA).

python run.py needs NEURON, NumPy and h5py, and a C++ compiler the first time.
model.json says which cells, pathways and gap junctions there are; inputs.h5 has what differs from
cell to cell, the events from outside and what changes in time; mod has the mechanisms.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np

#: Of spike files: how they are sorted, as SONATA spells it.
SORTING = {"none": 0, "by_id": 1, "by_time": 2}
QUANTUM = 2.0**-40


def mechanisms(model: dict[str, Any]) -> Any:
    """Compile the mechanisms if nobody did, and return NEURON with them."""
    beside = Path(sys.executable).parent / "nrnivmodl"
    if not any(Path().glob("*/special")):
        program = str(beside) if beside.is_file() else shutil.which("nrnivmodl")
        if program is None:
            sys.exit("run.py: needs nrnivmodl, which comes with NEURON. pip install neuron")
        done = subprocess.run([program, "mod"], capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"run.py: nrnivmodl failed\n{done.stdout}{done.stderr}")
    import neuron

    first = model["populations"][0]["mechanism"]
    if not hasattr(neuron.h, first):
        neuron.load_mechanisms(".")
    return neuron.h


def cells(h: Any, model: dict[str, Any], inputs: Any) -> dict[str, list[Any]]:
    """Return the cells of every type, with all their numbers."""
    made = {}
    for population in model["populations"]:
        # NMODL keeps six digits of the numbers that stand in its files.
        for name, value in population["numbers"].items():
            setattr(h, name, value)
        kind = getattr(h, population["mechanism"])
        made[population["name"]] = own = [kind() for _ in range(population["n"])]
        for name, values in inputs[f"cells/{population['name']}"].items():
            for cell, value in zip(own, values[:].tolist(), strict=True):
                setattr(cell, name, value)
    return made


def contact(h: Any, source: Any, target: Any, weights: dict[str, float], delay: float) -> Any:
    """Connect two cells, or the outside (None) with a cell."""
    link = h.NetCon(source, target)
    link.delay = delay
    for slot in range(int(link.wcnt())):
        link.weight[slot] = weights.get(str(slot), 0.0)
    return link


def pathway(h: Any, model: dict[str, Any], own: dict[str, list[Any]],
            entry: dict[str, Any]) -> tuple[list[Any], Any, Any]:
    """Return the synapses of a pathway, read from the SONATA edges, their sources and delays."""
    with h5py.File("network/edges.h5", "r") as file:
        edges = file[f"edges/{entry['population']}"]
        sources, targets = edges["source_node_id"][:], edges["target_node_id"][:]
        units = np.rint(edges["0/delay"][:].astype(float) / 0.1).astype(int)
        factors = (edges["0/weight_factor"][:].astype(float) if "weight_factor" in edges["0"]
                   else np.ones(len(sources)))
    steps = np.array(model["delay_steps"])[units]
    # A spike of step n has the time (n + 1) dt and arrives in the middle of step n + steps.
    delays = (steps - 0.5) * model["dt_ms"]
    weights = {slot: np.rint(weight * factors / QUANTUM) * QUANTUM
               for slot, weight in entry["weights"].items()}
    release = {str(entry["release_slot"]): float(entry["release"])}
    # Axons are the outside: their spikes come as events.
    pre, post = own.get(entry["source"]), own[entry["target"]]
    links = [contact(h, pre and pre[sources[k]], post[targets[k]],
                     {slot: float(values[k]) for slot, values in weights.items()} | release,
                     float(delays[k])) for k in range(len(sources))]
    return links, sources, steps


def begin(entry: dict[str, Any], inputs: Any, links: list[Any], sources: Any, steps: Any) -> None:
    """Give releases the states that they start with at step 0, where these are not at rest."""
    if f"starts/{entry['name']}" in inputs:
        starts, first = inputs[f"starts/{entry['name']}"][:].T, entry["release_slot"] + 1
        for link, source, delay in zip(links, sources, steps.tolist(), strict=True):
            for place, value in enumerate(starts[source].tolist()):
                link.weight[first + place] = value
            # Steps are counted at the synapse, where step 0 is that of an arrival.
            link.weight[entry["last_slot"]] = delay


def injected(model: dict[str, Any], inputs: Any, wired: list[Any]) -> list[Any]:
    """Return (links, delays, rows of axons, axons by time, ends of steps) of pathways of axons."""
    found, total = [], model["warmup_steps"] + model["steps"]
    for entry, (links, sources, steps) in zip(model["pathways"], wired, strict=True):
        if entry["source"] in model["axons"]:
            trains = inputs[f"axons/{entry['source']}"]
            ids, order = trains["ids"][:], np.argsort(sources, kind="stable")
            size = int(max(ids.max(initial=0), sources.max(initial=0))) + 1
            rows = np.searchsorted(sources[order], np.arange(size + 1)).tolist()
            found.append(([links[k] for k in order], steps[order].tolist(), rows, ids.tolist(),
                          np.searchsorted(trains["steps"][:], np.arange(total + 1)).tolist()))
    return found


def junctions(h: Any, model: dict[str, Any], own: dict[str, list[Any]], inputs: Any) -> list[Any]:
    """Return the gap junctions of all kinds."""
    made = []
    if model["gap_junctions"]:
        h.c_dt_nsjunction = model["dt_ms"]
    for entry in model["gap_junctions"]:
        a, b = own[entry["a"]], own[entry["b"]]
        for first, second in inputs[f"gap_junctions/{entry['name']}"][:].tolist():
            junction = h.nsjunction()
            junction.p_g, junction.p_tau = entry["g_nS"], entry["tau_ms"]
            for number, cell in ((1, a[first]), (2, b[second])):
                h.setpointer(cell._ref_s_v, f"v_{number}", junction)
                h.setpointer(cell._ref_i_gap, f"i_{number}", junction)
            made.append(junction)
    return made


def simulate(h: Any, model: dict[str, Any], own: dict[str, list[Any]], inputs: Any,
             wired: list[Any]) -> None:
    """Advance step by step; give every step its values and its events from outside."""
    dt, total = model["dt_ms"], model["warmup_steps"] + model["steps"]
    outside = []
    for entry in model["inputs"]:
        events = inputs[f"events/{entry['name']}"]
        links = [contact(h, None, cell, entry["weights"], 0.0) for cell in own[entry["target"]]]
        ends = np.searchsorted(events["steps"][:], np.arange(total + 1)).tolist()
        outside.append((links, events["ids"][:].tolist(), ends))
    courses = [(name, values[:].tolist()) for name, values in inputs["courses"].items()]
    axons = injected(model, inputs, wired)
    h.finitialize()
    for entry, synapses in zip(model["pathways"], wired, strict=True):
        begin(entry, inputs, *synapses)
    for step in range(total):
        for name, values in courses:
            setattr(h, name, values[step])
        for links, ids, ends in outside:
            for cell in ids[ends[step] : ends[step + 1]]:
                links[cell].event((step + 0.5) * dt)
        for links, delays, rows, ids, ends in axons:
            for axon in ids[ends[step] : ends[step + 1]]:
                for k in range(rows[axon], rows[axon + 1]):
                    links[k].event((step + delays[k] + 0.5) * dt)
        h.fadvance()


def write(model: dict[str, Any], spikes: dict[str, tuple[Any, Any]]) -> None:
    """Write spikes after the warm-up: one population per type, times from its end [ms]."""
    dt = model["dt_ms"]
    with h5py.File("spikes.h5", "w") as file:
        file.attrs["magic"] = np.uint32(0x0A7A)
        file.attrs["version"] = np.array([0, 1], np.uint32)
        for name, (times, ids) in spikes.items():
            # NumPy takes no empty Vector.
            moments, who = (np.array(part.to_python(), float) for part in (times, ids))
            steps = np.rint(moments / dt).astype(int) - 1 - model["warmup_steps"]
            numbers = who.astype(np.uint64)
            order = np.lexsort((numbers, steps))
            order = order[steps[order] >= 0]
            group = file.create_group(f"spikes/{name}")
            group.attrs.create("sorting", SORTING["by_time"],
                               dtype=h5py.enum_dtype(SORTING, basetype="u1"))
            group["timestamps"] = (steps[order] + 1) * dt
            group["timestamps"].attrs["units"] = "ms"
            group["node_ids"] = numbers[order]


def main() -> None:
    """Build, simulate and write."""
    os.chdir(Path(__file__).resolve().parent)
    model = json.loads(Path("model.json").read_text("utf-8"))
    h = mechanisms(model)
    h.dt = model["dt_ms"]
    h.CVode().active(0)
    with h5py.File("inputs.h5", "r") as inputs:
        own = cells(h, model, inputs)
        wired = [pathway(h, model, own, entry) for entry in model["pathways"]]
        coupled = junctions(h, model, own, inputs)
        spikes, listeners = {}, []
        for name, group in own.items():
            times, ids = h.Vector(), h.Vector()
            spikes[name] = times, ids
            for number, cell in enumerate(group):
                listener = h.NetCon(cell, None)
                listener.record(times, ids, number)
                listeners.append(listener)
        simulate(h, model, own, inputs, wired)
        del coupled
    for name, group in own.items():
        for number, cell in enumerate(group):
            if cell.c_broken:
                sys.exit(f"run.py: {name} {number}: its membrane potential left 200 mV")
    write(model, spikes)


if __name__ == "__main__":
    main()
