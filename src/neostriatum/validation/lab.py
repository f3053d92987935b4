"""The bench of a protocol: the circuit under test, the engine, and how a cell is recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neostriatum.circuit.clock import run_steps
from neostriatum.circuit.load import load
from neostriatum.circuit.model import Circuit
from neostriatum.engines.base import DEFAULT
from neostriatum.engines.base import engine as make_engine
from neostriatum.experiments.isolate import injected, isolated
from neostriatum.network.build import build
from neostriatum.network.network import Network


class Unsuited(Exception):
    """The circuit has not what a protocol measures; the text says what is missing."""


@dataclass(frozen=True)
class Recorded:
    """Spikes and potentials: times_ms and ids (n,), trace_ms (t,), v_mv (t, k), from time 0."""

    duration_ms: float
    times_ms: np.ndarray
    ids: np.ndarray
    trace_ms: np.ndarray
    v_mv: np.ndarray

    def of(self, cell: int, since_ms: float = 0.0) -> np.ndarray:
        """Return the spike times of one cell [ms]."""
        return self.times_ms[(self.ids == cell) & (self.times_ms >= since_ms)]

    def rates(self, n: int, since_ms: float = 0.0) -> np.ndarray:
        """Return the rates of cells 0 to n - 1 after ``since_ms`` [Hz]."""
        counts = np.bincount(self.ids[self.times_ms >= since_ms], minlength=n)[:n]
        return counts * 1000.0 / (self.duration_ms - since_ms)


@dataclass(frozen=True)
class Lab:
    """One circuit under test. Plain data, so that it travels to another process."""

    circuit: Any = "striatum"
    overlay: tuple[str, ...] = ()
    changes: Mapping[str, Any] = field(default_factory=dict)
    engine: str = DEFAULT
    threads: int | None = 1

    @property
    def small(self) -> str:
        """Engine for a few cells over a short time: the same spikes, and nothing to compile."""
        return "reference" if self.engine == "numba" else self.engine

    def load(self, dopamine: float | None = None, changes: Mapping[str, Any] | None = None,
             overlay: tuple[str, ...] = ()) -> Circuit:
        """Return the circuit, with a protocol's own overlays and changes on top."""
        made = load(self.circuit, overlay=(*self.overlay, *overlay), changes=self.changes)
        more = dict(changes or {})
        if dopamine is not None:
            more |= {"dopamine.d1": dopamine, "dopamine.d2": dopamine}
        return made.replace(more) if more else made

    def cell(self, name: str, dopamine: float | None = None,
             changes: Mapping[str, Any] | None = None, **parts: Any) -> Circuit:
        """Return a circuit of one cell type alone; ``parts`` are raw keys to add."""
        return isolated(require(self.load(dopamine, changes), cells=(name,)), name, **parts)

    def build(self, circuit: Circuit, size: int, seed: int = 1) -> Network:
        """Draw a network of a circuit."""
        return build(circuit, size=size, seed=seed, threads=self.threads)

    def record(self, circuit: Circuit, network: Network, duration_ms: float, seed: int = 1,
               probed: Mapping[str, Any] | None = None, engine: str | None = None) -> Recorded:
        """Simulate after the circuit's warm-up; record the potential of ``probed`` local ids."""
        simulator = make_engine(engine or self.engine, threads=self.threads)
        simulator.prepare(circuit, network, seed)
        for name, ids in (probed or {}).items():
            simulator.probe(name, np.asarray(ids))
        dt, warm = circuit.dt.value, run_warmup(circuit)
        steps, ids = simulator.advance(warm + run_steps(circuit, f"{duration_ms!r} ms"))
        kept = steps >= warm
        times = (steps[kept] - warm + 1) * dt
        trace_ms, v = np.zeros(0), np.zeros((0, 0))
        if probed:
            traces = simulator.traces()
            trace_ms = traces[next(iter(probed))].times_ms
            after = trace_ms > 1e-9
            v = np.hstack([traces[name].v_mv for name in probed])[after]
            trace_ms = trace_ms[after]
        return Recorded(duration_ms, times, ids[kept], trace_ms, v)

    def inject(self, name: str, currents_pa: Any, duration_ms: float,
               dopamine: float | None = None, changes: Mapping[str, Any] | None = None,
               pulse: dict[str, Any] | None = None) -> Recorded:
        """Inject a constant current into each of some isolated cells, and a pulse into all."""
        parts = {} if pulse is None else {
            "inputs": {"electrode": {"targets": {name: {"current": pulse}}}}}
        alone = self.cell(name, dopamine, changes, **parts)
        currents = np.atleast_1d(np.asarray(currents_pa, float))
        alone, network = injected(alone, name, currents)
        return self.record(alone, network, duration_ms, probed={name: np.arange(len(currents))})


def run_warmup(circuit: Circuit) -> int:
    """Return the steps of a circuit's warm-up."""
    return round(circuit.warmup.value / circuit.dt.value)


def require(circuit: Circuit, cells: tuple[str, ...] = (), pathways: tuple[str, ...] = ()
            ) -> Circuit:
    """Return the circuit if it has these cell types and pathways.

    Raises
    ------
    Unsuited
        It has not.
    """
    for names, known, what in ((cells, circuit.cells, "cell type"),
                               (pathways, circuit.pathways, "pathway")):
        if missing := [name for name in names if name not in known]:
            msg = f"{circuit.name} has no {what} {missing[0]}"
            raise Unsuited(msg)
    return circuit


def effect_index(circuit: Circuit, cell: str, acts_on: str) -> int:
    """Return the place of a dopamine effect in its cell's list.

    Raises
    ------
    Unsuited
        The cell has no such effect.
    """
    for number, effect in enumerate(circuit.cells[cell].dopamine):
        if effect.acts_on == acts_on:
            return number
    msg = f"{circuit.name} has no effect of dopamine on {acts_on} of {cell}"
    raise Unsuited(msg)
