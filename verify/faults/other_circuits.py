"""A circuit on the network of another: what decides a network must be as it was, by any road."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from busy import COMMON, SIZE, circuit, command, network, spikes, usual, written
from case import OTHER, REFUSED, SAME, Case

import neostriatum as ns

KIND = "other circuits"

#: What decides a network, and words of which a refusal holds one.
BUILT: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "spread": ({"spread.iSPN.v_t": "1 mV"}, ("spread",)),
    "spread of another type": ({"spread": {"iSPN": {"v_t": "0.5 mV"}, "dSPN": {"C": "1 pF"}}},
                               ("spread",)),
    "no spread": ({"spread": {}}, ("spread",)),
    "delay": ({"pathways.FS->dSPN.delay": "3 ms"}, ("delay",)),
    "delay with a velocity": ({"pathways.FS->dSPN.delay": {
        "offset": "2 ms", "velocity": "0.8 m/s"}}, ("delay",)),
    "wiring.scale": ({"pathways.dSPN->dSPN.wiring.scale": 0.5}, ("wiring",)),
    "wiring.range": ({"pathways.dSPN->dSPN.wiring.range": "60 um"}, ("wiring",)),
    "wiring.p": ({"pathways.FS->iSPN.wiring.p": 0.6}, ("wiring",)),
    "wiring rule": ({"pathways.FS->iSPN.wiring": {"rule": "fixed_indegree", "n": 3}}, ("wiring",)),
    "weight_cv": ({"pathways.iSPN->dSPN.weight_cv": 1.0}, ("weight_cv",)),
    "a new weight_cv": ({"pathways.FS->iSPN.weight_cv": 0.5}, ("weight_cv",)),
    "density": ({"volume.density": "40000 / mm^3"}, ("volume", "density")),
    "minimum_distance": ({"volume.minimum_distance": "5 um"}, ("volume", "minimum_distance")),
    "boundary": ({"volume.boundary": "open"}, ("volume", "boundary")),
    "shape": ({"volume": {"shape": "sphere", "boundary": "open", "density": "77520 / mm^3",
                          "minimum_distance": "15 um"}}, ("volume", "shape", "boundary")),
    "fraction": ({"cells.dSPN.fraction": 0.5, "cells.iSPN.fraction": 0.3}, ("fraction", "cells")),
    "gap wiring": ({"gap_junctions.FS-FS.wiring": {"rule": "fixed_probability", "p": 0.6}},
                   ("gap_junctions",)),
    "no gap junctions": ({"gap_junctions": {}}, ("gap_junctions", "gap junctions")),
}
#: What may be another on the same network, and changes spikes.
FREE: dict[str, dict[str, Any]] = {
    "conductance": {"pathways.FS->dSPN.conductance.GABA": "30 nS"},
    "dopamine": {"dopamine.d1": 0.9}, "dopamine of d2": {"dopamine.d2": 0.9},
    "current": {"inputs.electrode.targets.FS.current": "500 pA"},
    "rates": {"inputs.cortex.targets.FS.rate": "200 Hz"},
    "afferents": {"inputs.cortex.targets.FS.afferents": 5000},
    "tau": {"receptors.GABA.tau": "20 ms"}, "reversal": {"receptors.GABA.E": "-50 mV"},
    "parameter": {"cells.FS.parameters.C": "40 pF"},
    "gap conductance": {"gap_junctions.FS-FS.conductance": "50 nS"},
    "noise": {"noise": {"FS": "3 mV"}}, "start": {"start": {"dSPN": {"v": "-60 mV", "u": "0 pA"}}},
    "failure": {"pathways.FS->dSPN.failure": {"probability": 0.9}},
    "stp": {"pathways.FS->dSPN.stp": {"U": 0.05, "tau_rec": "900 ms", "tau_fac": "50 ms"}},
    "warmup": {"warmup": "5 ms"}, "no inputs": {"inputs": {}},
}
#: Of these an engine can take over in the middle of a run.
LIVE = ("conductance", "dopamine", "dopamine of d2", "current", "rates", "tau", "reversal",
        "parameter")


def changed(changes: dict[str, Any]) -> Any:
    """Return the circuit with other values."""
    raw = json.loads(json.dumps(circuit().to_dict()))
    whole = {key: content for key, content in changes.items() if "." not in key}
    result = ns.load(raw | whole) if whole else circuit()
    rest = {key: content for key, content in changes.items() if "." in key}
    return result.replace(rest) if rest else result


def saved(folder: Path) -> Path:
    """Save the network of the circuit."""
    return network().save(folder / "net.h5")


def by_run(changes: dict[str, Any], folder: Path) -> str:
    """Hand circuit and network to `run`."""
    del folder
    return spikes(changed(changes), network())


def by_file(changes: dict[str, Any], folder: Path) -> str:
    """Hand a circuit and the file of the network to `run`."""
    return spikes(changed(changes), saved(folder))


def by_loading(changes: dict[str, Any], folder: Path) -> str:
    """Load the network with the circuit, then run it as it is."""
    return ns.run(network=ns.load_network(saved(folder), circuit=changed(changes)),
                  **COMMON).summary["spike_hash"][:12]


def by_saving(changes: dict[str, Any], folder: Path) -> str:
    """Save the network with the circuit, then run the file."""
    path = network().save(folder / "other.h5", circuit=changed(changes))
    return ns.run(network=path, **COMMON).summary["spike_hash"][:12]


def by_command(changes: dict[str, Any], folder: Path) -> str:
    """Name a circuit file and the network on the command line."""
    path = written(folder, changed(changes))
    text = command("run", path, "--network", saved(folder), "--duration", "20 ms", "--engine",
                   "reference", "--record", "none", "--json")
    return json.loads(text)["spike_hash"][:12]


def by_set(changes: dict[str, Any], folder: Path) -> str:
    """Name the network and the changed keys on the command line."""
    sets = [part for key, content in changes.items()
            for part in ("--set", f"{key}={json.dumps(content)}")]
    text = command("run", "--network", saved(folder), *sets, "--duration", "20 ms", "--engine",
                   "reference", "--record", "none", "--json")
    return json.loads(text)["spike_hash"][:12]


def by_changes(changes: dict[str, Any], folder: Path) -> str:
    """Hand the network and changes to `run`."""
    del folder
    return ns.run(network=network(), changes=changes, **COMMON).summary["spike_hash"][:12]


def by_both(changes: dict[str, Any], folder: Path) -> str:
    """Hand the circuit, the network and changes to `run`."""
    del folder
    return spikes(circuit(), network(), changes=changes)


def by_resuming(changes: dict[str, Any], folder: Path) -> str:
    """Go on with a run on the network of the changed circuit."""
    first = ns.run(circuit(), network=network(), out=folder / "first", **COMMON)
    other = ns.build(changed(changes), size=SIZE, seed=1)
    return ns.resume(first, duration="30 ms", network=other).summary["spike_hash"][:12]


def by_rerun(changes: dict[str, Any], folder: Path) -> str:
    """Do a run again on the network of the changed circuit."""
    first = ns.run(circuit(), network=network(), out=folder / "first", **COMMON)
    other = ns.build(changed(changes), size=SIZE, seed=1)
    return ns.rerun(first, network=other).summary["spike_hash"][:12]


def engine_of(name: str) -> Callable[[dict[str, Any], Path], str]:
    """Return a road that changes the circuit while an engine runs."""
    def by_engine(changes: dict[str, Any], folder: Path) -> str:
        from neostriatum.engines.base import engine

        del folder
        simulator = engine(name, threads=1)
        simulator.prepare(circuit(), network(), 1)
        simulator.advance(50)
        if changes:
            simulator.change(changed(changes))
        steps, ids = simulator.advance(150)
        return hashlib.sha256(steps.tobytes() + ids.tobytes()).hexdigest()[:12]

    return by_engine


ROADS: dict[str, Callable[[dict[str, Any], Path], str]] = {
    "run": by_run, "run with a file": by_file, "load_network": by_loading, "save": by_saving,
    "command": by_command, "--set": by_set, "changes": by_changes, "circuit and changes": by_both,
    "resume": by_resuming, "rerun": by_rerun,
    "engine reference": engine_of("reference"), "engine numba": engine_of("numba"),
}


def _right(road: str) -> Callable[[], str]:
    def right() -> str:
        return ROADS[road]({}, Path()) if road.startswith("engine") else usual()

    return right


def _steps() -> list[Case]:
    """Return other steps: those that the delays are multiples of are as good as any."""
    def alone(changes: dict[str, Any]) -> Callable[[], str]:
        def right() -> str:
            import tempfile

            with tempfile.TemporaryDirectory() as folder:
                result = changed(changes)
                return spikes(result, ns.build(result, size=SIZE, seed=1), out=f"{folder}/run",
                              duration="21 ms")

        return right

    listed = []
    for dt in ("0.05 ms", "0.2 ms", "0.5 ms", "0.3 ms", "0.07 ms", "0.15 ms"):
        whole = dt in ("0.05 ms", "0.2 ms", "0.5 ms")
        for label, options in (("a circuit", {}), ("an option", {"dt": dt})):
            def run(folder: Path, dt: str = dt, options: dict[str, Any] = options) -> str:
                del folder
                result = circuit() if options else changed({"dt": dt})
                return spikes(result, network(), duration="21 ms", **options)

            listed.append(Case(f"dt {dt} of {label} on the network of 0.1 ms", run,
                              SAME if whole else REFUSED, alone({"dt": dt}), ("dt", "delay")))
    return listed


def _same() -> list[Case]:
    """Return what is accepted and changes nothing."""
    copies = {"itself": circuit, "a copy": lambda: ns.load(circuit().to_dict()),
              "another name": lambda: ns.load({**circuit().to_dict(), "name": "other"}),
              "another summary": lambda: ns.load({**circuit().to_dict(), "summary": "other"})}
    listed = [Case(f"{label} on its network", lambda folder, make=make: spikes(
        make(), network()), SAME, usual) for label, make in copies.items()]
    units = {"pathways.FS->dSPN.delay": "0.002 s", "volume.minimum_distance": "0.015 mm"}
    return [*listed,
            Case("the same values in other units on its network", lambda folder: spikes(
                circuit().replace(units), network()), SAME, usual),
            Case("no circuit named", lambda folder: ns.run(
                network=network(), **COMMON).summary["spike_hash"][:12], SAME, usual),
            *(Case(f"no change by {name}", lambda folder, road=road: road({}, folder), SAME,
                   usual) for name, road in ROADS.items()
              if name not in ("resume",) and not name.startswith("engine"))]


def cases() -> list[Case]:
    """Return every case of this kind."""
    listed = [Case(f"{label} by {road}", lambda folder, go=go, changes=changes: go(changes, folder),
                  REFUSED, words=(*words, *(("hash",) if road in ("resume", "rerun") else ())))
             for label, (changes, words) in BUILT.items() for road, go in ROADS.items()
             if not (road == "save" and label not in ("spread", "delay", "density", "wiring.p"))]
    for label, changes in FREE.items():
        for road in ("run", "command", "changes", "load_network", "engine reference",
                     "engine numba"):
            # A command also draws figures, which takes most of the time.
            if label in (("current", "noise", "stp") if road in ("command", "load_network") else
                         LIVE if road.startswith("engine") else FREE):
                listed.append(Case(f"{label} by {road}", lambda folder, go=ROADS[road],
                                  changes=changes: go(changes, folder), OTHER, _right(road)))
    return [*listed, *_steps(), *_same()]
