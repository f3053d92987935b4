"""Write a folder that NEURON can run: mechanisms, network, inputs, and the script."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.circuit.clock import run_steps
from neostriatum.durable import write_text
from neostriatum.engines.axons import Players
from neostriatum.engines.lowered import lower
from neostriatum.engines.refusals import (
    refuse_learning,
    refuse_levels,
    refuse_modulating,
    refuse_regions,
)
from neostriatum.errors import CircuitError, EngineUnsupported
from neostriatum.network.hdf5 import written
from neostriatum.network.network import delay_steps
from neostriatum.network.sonata import edge_population, write_sonata
from neostriatum.recording.neuron.arrivals import arrivals, expected
from neostriatum.recording.neuron.courses import columns, courses_of, mechanism_of
from neostriatum.recording.neuron.junction import JUNCTION, TEXT
from neostriatum.rng import checked_seed

if TYPE_CHECKING:
    from pathlib import Path

    from neostriatum.circuit.model import Circuit
    from neostriatum.engines.lowered import LoweredCircuit
    from neostriatum.network.network import Network
    from neostriatum.recording.neuron.arrivals import Arrivals
    from neostriatum.recording.neuron.mechanism import Mechanism

#: Events from outside, and values that change from step to step, that a folder holds at most.
MOST = 20_000_000


@dataclass(frozen=True)
class Played:
    """A program for NEURON: how long it runs, and what was drawn for it."""

    lowered: LoweredCircuit
    steps: int
    mechanisms: list[Mechanism]
    arrivals: list[Arrivals]
    #: Steps and axons of the spikes of every population of axons.
    trains: list[tuple[np.ndarray, np.ndarray]]
    courses: dict[str, Any]


def played(network: Network, circuit: Circuit, duration: Any, seed: int) -> Played:
    """Return what is written of a network; nothing is on disk before that is known.

    Raises
    ------
    CircuitError
        A duration that is none, or in which there are too many events.
    EngineUnsupported
        What NEURON cannot do as this package does.
    """
    steps = run_steps(circuit, duration)
    lowered = lower(circuit, network, checked_seed(seed))
    _refuse(lowered)
    total = lowered.warmup + steps
    # The length first: everything else has a number for every step.
    size = float(total * max(1, columns(lowered)))
    size = size if size > MOST else max(size, expected(lowered, total))
    if size > MOST:
        msg = (f"duration: must have at most {MOST:,} events from outside and values that change "
               f"(got about {size:,.0f}). Choose a shorter one, or fewer neurons")
        raise CircuitError(msg)
    mechanisms = [mechanism_of(lowered, number) for number in range(len(lowered.populations))]
    return Played(lowered, steps, mechanisms, arrivals(lowered, total),
                  Players(lowered.axons).spikes(0, total), courses_of(lowered, mechanisms, total))


def _refuse(lowered: LoweredCircuit) -> None:
    refuse_levels("NEURON", lowered)
    refuse_learning("NEURON", lowered)
    refuse_regions("NEURON", lowered)
    refuse_modulating("NEURON", lowered)
    for pooled in lowered.pooled:
        msg = (f"axons.{pooled.axons.name}.identity: must be true for NEURON, as counts without "
               "trains are no spikes (got false). Use --engine numba or reference")
        raise EngineUnsupported(msg)
    for population in lowered.populations:
        if population.sigma:
            msg = (f"noise.{population.name}: must be 0 for NEURON, which would draw other numbers "
                   f"(got {population.sigma:g} mV). Take it out of the circuit")
            raise EngineUnsupported(msg)
    for projection in lowered.projections:
        if projection.failure:
            msg = (f"pathways.{projection.name}.failure.drawn: must be false for NEURON, which "
                   "would draw other failures (got true). Set it to false")
            raise EngineUnsupported(msg)


def write_neuron(network: Network, circuit: Circuit, run: Played, folder: Path) -> None:
    """Write a network for NEURON into an empty folder.

    Parameters
    ----------
    network : Network
        What to write.
    circuit : Circuit
        Its circuit.
    run : Played
        What `played` gives of them.
    folder : Path
        An empty folder.

    Raises
    ------
    RunFileError
        A folder that cannot be written.
    """
    for name in ("mod", "network"):
        (folder / name).mkdir()
    write_sonata(network, folder / "network", circuit)
    for mechanism in run.mechanisms:
        write_text(folder / "mod" / f"{mechanism.name}.mod", mechanism.text)
    if run.lowered.gaps:
        write_text(folder / "mod" / f"{JUNCTION}.mod", TEXT)
    _write_inputs(folder / "inputs.h5", run)
    entries = json.dumps(_model(network, circuit, run), indent=1, allow_nan=False)
    write_text(folder / "model.json", entries + "\n")
    script = files("neostriatum.recording.neuron").joinpath("script.py").read_text("utf-8")
    write_text(folder / "run.py", script)


def _write_inputs(path: Path, run: Played) -> None:
    lowered = run.lowered
    with written(path) as (file, disk):
        for mechanism in run.mechanisms:
            group = file.create_group(f"cells/{mechanism.population.name}")
            for name, values in mechanism.arrays.items():
                group.create_dataset(name, data=np.asarray(values, float))
        for played_input in run.arrivals:
            group = file.create_group(f"events/{played_input.name}")
            group.create_dataset("steps", data=played_input.steps.astype(np.int64))
            group.create_dataset("ids", data=played_input.ids.astype(np.int64))
            disk.check()
        for axons, (steps_of, ids) in zip(lowered.axons, run.trains, strict=True):
            group = file.create_group(f"axons/{axons.name}")
            group.create_dataset("steps", data=steps_of.astype(np.int64))
            group.create_dataset("ids", data=ids.astype(np.int64))
            disk.check()
        for projection in lowered.projections:
            if projection.stp is not None and projection.stp.starts:
                starts = projection.stp.begin(lowered.sources(projection.source))
                file.create_dataset(f"starts/{projection.name}", data=np.stack([
                    starts[state.name] for state in projection.stp.model.states]))
        for kind in lowered.gaps:
            file.create_dataset(f"gap_junctions/{kind.name}",
                                data=np.stack([kind.first, kind.second], axis=1))
        group = file.create_group("courses")
        for name, values in run.courses.items():
            group.create_dataset(name, data=values)
        disk.check()


def _model(network: Network, circuit: Circuit, run: Played) -> dict[str, Any]:
    """Return what the script must know and is no array."""
    lowered = run.lowered
    names = [population.name for population in lowered.populations]
    names += [axons.name for axons in lowered.axons]
    releases = dict.fromkeys(range(len(lowered.populations)), 0)
    pathways = []
    for projection in lowered.projections:
        mechanism, number = run.mechanisms[projection.target], 0
        if projection.stp is not None:
            releases[projection.target] += 1
            number = releases[projection.target]
        pathways.append({
            "name": projection.name, "population": edge_population(projection.name),
            "source": names[projection.source], "target": names[projection.target],
            "weights": _slots(projection.weights), "release": number,
            "release_slot": mechanism.weights.index("release"),
            "last_slot": mechanism.weights.index("last")})
    return {
        "circuit": circuit.name, "network_hash": network.hash(), "seed": lowered.seed,
        "dt_ms": lowered.dt, "warmup_steps": lowered.warmup, "steps": run.steps,
        "delay_steps": delay_steps(lowered.dt).tolist(),
        "populations": [{"name": mechanism.population.name, "n": mechanism.population.n,
                         "mechanism": mechanism.name, "numbers": mechanism.numbers}
                        for mechanism in run.mechanisms],
        "axons": [each.name for each in lowered.axons], "pathways": pathways,
        "gap_junctions": [{"name": kind.name, "a": names[kind.a], "b": names[kind.b],
                           "g_nS": kind.g, "tau_ms": kind.tau or 0.0} for kind in lowered.gaps],
        "inputs": [{"name": each.name, "target": names[each.population],
                    "weights": _slots(each.weights)} for each in run.arrivals]}


def _slots(weights: tuple[tuple[int, float], ...]) -> dict[str, float]:
    """Return conductances [nS] by the number of their weight in a connection."""
    return {str(receptor): weight for receptor, weight in weights}
