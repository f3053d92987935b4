"""A slice whose synapses learn: cells made to fire, an axon onto each, dopamine as it is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.circuit.clock import run_steps
from neostriatum.circuit.drive import SpikeFile
from neostriatum.circuit.load import load
from neostriatum.engines.base import engine as make_engine
from neostriatum.experiments.isolate import isolated
from neostriatum.models.learning import RECEPTORS
from neostriatum.network.edges import Edges, delay_units
from neostriatum.network.network import Network
from neostriatum.validation.lab import Lab, Unsuited, require

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neostriatum.circuit.model import Circuit

#: The receptor by which the electrode makes a cell fire, fast and strong.
ELECTRODE = {"E": "50 mV", "tau": "0.5 ms"}
#: Strengths of its pulses, of which the weakest that makes a cell fire once is taken [nS].
PULSES = (30.0, 45.0, 70.0, 100.0, 150.0, 220.0, 330.0, 500.0)
#: What an axon does to the cell: nothing that would make it fire [nS].
FAINT = 1e-4
AXONS, DELAY_MS = "cortex", 1.0
#: When the first spike of anything may come, and the end after the last one [ms].
FIRST_MS = 100.0


@dataclass(frozen=True)
class Course:
    """Levels of dopamine: from a time on [ms] the level that follows it, the tonic one before."""

    tonic: float
    changes: tuple[tuple[float, float], ...] = ()

    def raw(self) -> dict[str, Any]:
        """Return the time course as a circuit file has it."""
        times = ((0.0, self.tonic), *self.changes)
        return {"steps": {"times": [f"{float(time)!r} ms" for time, _ in times],
                          "values": [float(level) for _, level in times]}}


def tonic_level(lab: Lab, cell: str) -> float:
    """Return the level at which dopamine acts on a cell while nothing happens."""
    circuit = require(lab.load(), cells=(cell,))
    hears = {effect.level for effect in circuit.cells[cell].acting} & set(RECEPTORS)
    if len(hears) != 1:
        msg = f"{cell} of {circuit.name} does not hear one of {', '.join(RECEPTORS)}"
        raise Unsuited(msg)
    return float(circuit.levels_at(0.0)[hears.pop()])


def own_learning(circuit: Circuit, cell: str) -> dict[str, Any]:
    """Return how a circuit's own synapses onto a cell type learn, or the default rule."""
    for name, pathway in circuit.to_dict()["pathways"].items():
        if name.endswith(f"->{cell}") and pathway.get("learning"):
            return dict(pathway["learning"])
    return {"rule": "balanced"}


def changes_of(lab: Lab, cell: str, arrivals: Sequence[Sequence[float]],
               spikes: Sequence[Sequence[float]], course: Course, until_ms: float,
               learning: dict[str, Any] | None = None, exact: bool = True) -> np.ndarray:
    """Return by how much the weight of one synapse per row changes.

    Every row is a cell by itself, with an axon of its own whose spikes arrive at given times, and
    an electrode that makes the cell fire at others [ms]. Unless ``exact`` a pulse may fail.

    Raises
    ------
    Unsuited
        A cell does not fire once for every pulse.
    """
    circuit = require(lab.load(), cells=(cell,))
    rule = own_learning(circuit, cell) if learning is None else learning
    rule = {"start": 1.0, **rule, "tonic": course.tonic}
    strength = _pulse(lab, circuit, cell, rule)
    made = _circuit(circuit, cell, course, rule, strength, arrivals, spikes)
    weights, fired = _run(lab, made, cell, len(spikes), until_ms)
    if exact and fired != [len(row) for row in spikes]:
        msg = f"{cell} does not fire once per pulse"
        raise Unsuited(msg)
    return weights - rule["start"]


def _pulse(lab: Lab, circuit: Circuit, cell: str, learning: dict[str, Any]) -> float:
    """Return the weakest pulse that makes a cell fire once, without dopamine, and with most."""
    at = FIRST_MS + 100.0 * np.arange(3)
    course = Course(learning["tonic"], ((at[0] + 50.0, 0.0), (at[1] + 50.0, 1.0)))
    for strength in PULSES:
        made = _circuit(circuit, cell, course, learning, strength, [[]], [at])
        if _run(lab, made, cell, 1, float(at[-1]) + 50.0)[1] == [3]:
            return strength
    msg = f"{cell} of {circuit.name} cannot be made to fire once per pulse"
    raise Unsuited(msg)


def _circuit(circuit: Circuit, cell: str, course: Course, learning: dict[str, Any],
             pulse_ns: float, arrivals: Sequence[Sequence[float]],
             spikes: Sequence[Sequence[float]]) -> Circuit:
    """Return the cells of a slice with their axons and the electrode."""
    raw = isolated(circuit, cell).to_dict()
    raw |= {"dopamine": {"d1": course.raw(), "d2": course.raw()},
            "receptors": raw["receptors"] | {"Electrode": ELECTRODE},
            "inputs": {"electrode": {"targets": {cell: {
                "afferents": 1, "rate": "0 Hz", "conductance": {"Electrode": f"{pulse_ns} nS"}}}}},
            "axons": {AXONS: {"size": len(arrivals), "rate": "0 Hz"}},
            "pathways": {f"{AXONS}->{cell}": {
                "conductance": {"Electrode": f"{FAINT} nS"}, "delay": f"{DELAY_MS} ms",
                "wiring": {"rule": "fixed_indegree", "n": 1}, "learning": learning}}}
    made = load(raw)
    electrode = made.inputs["electrode"]
    entry = electrode.targets[cell].model_copy(update={
        "afferents": None, "rate": None, "spikes": trains(spikes)})
    axons = made.axons[AXONS].model_copy(update={
        "rate": None, "recorded": trains(arrivals, -DELAY_MS)})
    return made.model_copy(update={"axons": {AXONS: axons}, "inputs": {
        "electrode": electrode.model_copy(update={"targets": {cell: entry}})}})


def trains(rows: Sequence[Sequence[float]], later_ms: float = 0.0) -> SpikeFile:
    """Return trains by number as recorded spikes, every spike this much later."""
    times = np.concatenate([np.asarray(row, float) for row in rows]) + later_ms
    ids = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    order = np.argsort(times, kind="stable")
    file = SpikeFile(file="trains.csv")
    file._events = (times[order], ids[order])
    return file


def _run(lab: Lab, circuit: Circuit, cell: str, n: int,
         until_ms: float) -> tuple[np.ndarray, list[int]]:
    """Return the weights in the end, and how often every cell fired."""
    network, name = wired(circuit, cell, np.arange(n)), f"{AXONS}->{cell}"
    simulator = make_engine(lab.engine, threads=lab.threads)
    simulator.prepare(circuit, network, 1)
    _, ids = simulator.advance(run_steps(circuit, f"{until_ms!r} ms"))
    return simulator.weights(name), np.bincount(ids, minlength=n).tolist()


def wired(circuit: Circuit, cell: str, targets: np.ndarray) -> Network:
    """Return cells of a type, each with the axons that name its number in rising order."""
    name, n = f"{AXONS}->{cell}", int(targets[-1]) + 1
    units = delay_units(name, circuit.pathways[name].delay, np.zeros(len(targets)))
    edges = Edges(np.arange(len(targets) + 1), targets.astype(np.int32), units)
    return Network(0, {cell: n}, 100.0, False, np.zeros((n, 3), np.float32), {}, {},
                   axons={AXONS: len(targets)}, afferents={name: edges})
