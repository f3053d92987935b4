"""A slice whose synapses learn: cells made to fire, an axon onto each, dopamine as it is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
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
    from neostriatum.circuit.model import Circuit

#: Times by row [ms].
Trains = Sequence[Any]
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


@dataclass(frozen=True)
class Slice:
    """Cells of one type by themselves, each with an axon of its own and an electrode.

    Spikes of the axons arrive, and the electrodes make the cells fire, at given times by row [ms].
    Unless ``exact`` a pulse may fail. Without ``learning`` the synapses learn as the circuit's do.
    """

    cell: str
    arrivals: Trains
    spikes: Trains
    course: Course
    until_ms: float
    learning: dict[str, Any] | None = None
    exact: bool = True


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


def changes_of(lab: Lab, made: Slice) -> np.ndarray:
    """Return by how much the weight of every synapse of a slice changes.

    Raises
    ------
    Unsuited
        A cell does not fire once for every pulse.
    """
    circuit = require(lab.load(), cells=(made.cell,))
    rule = own_learning(circuit, made.cell) if made.learning is None else made.learning
    rule = {"start": 1.0, **rule, "tonic": made.course.tonic}
    made = replace(made, learning=rule)
    weights, fired = _run(lab, _circuit(circuit, made, _pulse(lab, circuit, made)), made)
    if made.exact and fired != [len(row) for row in made.spikes]:
        msg = f"{made.cell} does not fire once per pulse"
        raise Unsuited(msg)
    return weights - rule["start"]


def _pulse(lab: Lab, circuit: Circuit, made: Slice) -> float:
    """Return the weakest pulse that makes a cell fire once, without dopamine, and with most."""
    at = FIRST_MS + 100.0 * np.arange(3)
    course = Course(made.course.tonic, ((at[0] + 50.0, 0.0), (at[1] + 50.0, 1.0)))
    pilot = replace(made, arrivals=[[]], spikes=[at], course=course, until_ms=float(at[-1]) + 50.0)
    for strength in PULSES:
        if _run(lab, _circuit(circuit, pilot, strength), pilot)[1] == [3]:
            return strength
    msg = f"{made.cell} of {circuit.name} cannot be made to fire once per pulse"
    raise Unsuited(msg)


def _circuit(circuit: Circuit, made: Slice, pulse_ns: float) -> Circuit:
    """Return the cells of a slice with their axons and the electrode."""
    cell, level = made.cell, made.course.raw()
    raw = isolated(circuit, cell).to_dict()
    raw |= {"dopamine": {"d1": level, "d2": level},
            "receptors": raw["receptors"] | {"Electrode": ELECTRODE},
            "inputs": {"electrode": {"targets": {cell: {
                "afferents": 1, "rate": "0 Hz", "conductance": {"Electrode": f"{pulse_ns} nS"}}}}},
            "axons": {AXONS: {"size": len(made.arrivals), "rate": "0 Hz"}},
            "pathways": {f"{AXONS}->{cell}": {
                "conductance": {"Electrode": f"{FAINT} nS"}, "delay": f"{DELAY_MS} ms",
                "wiring": {"rule": "fixed_indegree", "n": 1}, "learning": made.learning}}}
    alone = with_trains(load(raw), made.arrivals)
    electrode = alone.inputs["electrode"]
    entry = electrode.targets[cell].model_copy(update={
        "afferents": None, "rate": None, "spikes": trains(made.spikes)})
    return alone.model_copy(update={"inputs": {
        "electrode": electrode.model_copy(update={"targets": {cell: entry}})}})


def with_trains(circuit: Circuit, arrivals: Trains) -> Circuit:
    """Return a circuit whose axons fire so that their spikes arrive at given times."""
    axons = circuit.axons[AXONS].model_copy(update={
        "rate": None, "recorded": trains(arrivals, -DELAY_MS)})
    return circuit.model_copy(update={"axons": {AXONS: axons}})


def trains(rows: Trains, later_ms: float = 0.0) -> SpikeFile:
    """Return trains by number as recorded spikes, every spike this much later."""
    times = np.concatenate([np.asarray(row, float) for row in rows]) + later_ms
    ids = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    order = np.argsort(times, kind="stable")
    file = SpikeFile(file="trains.csv")
    file._events = (times[order], ids[order])
    return file


def _run(lab: Lab, circuit: Circuit, made: Slice) -> tuple[np.ndarray, list[int]]:
    """Return the weights in the end, and how often every cell fired."""
    n = len(made.spikes)
    simulator = make_engine(lab.engine, threads=lab.threads)
    simulator.prepare(circuit, wired(circuit, made.cell, np.arange(n)), 1)
    _, ids = simulator.advance(run_steps(circuit, f"{made.until_ms!r} ms"))
    return simulator.weights(f"{AXONS}->{made.cell}"), np.bincount(ids, minlength=n).tolist()


def wired(circuit: Circuit, cell: str, targets: np.ndarray) -> Network:
    """Return cells of a type, each with the axons that name its number in rising order."""
    name, n = f"{AXONS}->{cell}", int(targets[-1]) + 1
    units = delay_units(name, circuit.pathways[name].delay, np.zeros(len(targets)))
    edges = Edges(np.arange(len(targets) + 1), targets.astype(np.int32), units)
    return Network(0, {cell: n}, 100.0, False, np.zeros((n, 3), np.float32), {}, {},
                   axons={AXONS: len(targets)}, afferents={name: edges})
