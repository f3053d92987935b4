"""An electrode in one isolated cell: it holds the cell, then injects steps or courses."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.circuit.clock import run_steps
from neostriatum.circuit.load import load
from neostriatum.engines.base import engine as make_engine
from neostriatum.errors import CircuitError
from neostriatum.experiments.isolate import injected, isolated, started

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit

#: A cell is left alone for so long before a step [ms], and must not fire in the second half.
SETTLE_MS = 4000.0
#: Strongest current of an electrode [pA].
MOST_PA = 20_000.0


@dataclass(frozen=True)
class Response:
    """What one cell did: spikes [ms], samples of the potential [mV] at times [ms] from the start.
    """

    current_pa: float
    spikes_ms: np.ndarray
    times_ms: np.ndarray
    v_mv: np.ndarray


@dataclass
class Electrode:
    """A cell type of a circuit with an electrode in it.

    ``hold_pa`` flows all the time; currents of steps and courses are on top of it.
    """

    whole: Circuit
    cell: str
    engine: str
    hold_pa: float = 0.0
    start: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def alone(self) -> Circuit:
        """The cell type alone, with the start values that were asked for."""
        return started(isolated(self.whole, self.cell), self.cell, self.start)

    @cached_property
    def settled(self) -> tuple[np.ndarray, dict[str, Any]]:
        """Spikes of the second half of a time alone [ms], and the states at its end."""
        response, states = self._run(self.alone, np.zeros(1), SETTLE_MS, states=True)
        spikes = response[0].spikes_ms
        return spikes[spikes > SETTLE_MS / 2], states

    @property
    def rest_mv(self) -> float:
        """Potential of the cell at rest [mV]."""
        return float(self._rest[0])

    @cached_property
    def _rest(self) -> tuple[float, Circuit]:
        spikes, states = self.settled
        if len(spikes):
            msg = (f"{self.cell}: the cell must be silent before a step (got {len(spikes)} spikes "
                   f"in {SETTLE_MS / 2000:g} s). Hold it by a negative current, --hold")
            raise CircuitError(msg)
        raw = self.alone.to_dict()
        units = {state.name: state.unit for state in self.alone.cells[self.cell].cell_model.states}
        raw["start"] = {self.cell: {
            name: value if units[name] == "1" else f"{value!r} {units[name]}"
            for name, value in states.items()}}
        return states["v"], load(raw)

    def steps(self, currents_pa: Any, duration_ms: float) -> list[Response]:
        """Return what steps of these currents do to the cell at rest, from their begin.

        Raises
        ------
        CircuitError
            The cell fires without a step, or a current is too strong.
        """
        currents = np.atleast_1d(np.asarray(currents_pa, float))
        check_current(np.abs(currents).max())
        alone = self._rest[1]
        together = alone.cells[self.cell].cell_model.constant_current is not None
        parts = [currents] if together else np.split(currents, len(currents))
        return [response for part in parts for response in self._run(alone, part, duration_ms)[0]]

    def course(self, edges_ms: list[float], currents_pa: list[float], duration_ms: float,
               rested: bool = True) -> Response:
        """Return what a current does that keeps each value from its edge on.

        From rest, or as the cell stands at its start where it need not be silent.
        """
        check_current(max(map(abs, currents_pa)))
        alone = self._rest[1] if rested else self.alone
        course = {"steps": {"times": [f"{edge!r} ms" for edge in edges_ms],
                            "values": [f"{current!r} pA" for current in currents_pa]}}
        raw = alone.to_dict()
        raw["inputs"] = {"course": {"targets": {self.cell: {"current": course}}}}
        return self._run(load(raw), np.zeros(1), duration_ms)[0][0]

    def _run(self, alone: Circuit, currents: np.ndarray, duration_ms: float,
             states: bool = False) -> tuple[list[Response], dict[str, Any]]:
        dt, simulator = alone.dt.value, make_engine(self.engine)
        simulator.prepare(*injected(alone, self.cell, self.hold_pa + currents), seed=0)
        names = alone.cells[self.cell].cell_model.names if states else ("v",)
        for name in names:
            simulator.probe(self.cell, np.arange(len(currents)), variable=name)
        when, who = simulator.advance(run_steps(alone, f"{duration_ms!r} ms"))
        samples = {part.variable: part for part in simulator.take()}
        v = samples["v"]
        ends = {name: float(part.values[-1, 0]) for name, part in samples.items()}
        return [Response(float(current), np.round((when[who == number] + 1) * dt, 9),
                         (v.steps + 1) * dt, v.values[:, number])
                for number, current in enumerate(currents)], ends


def check_current(most_pa: float) -> None:
    """Refuse a current that no electrode injects.

    Raises
    ------
    CircuitError
        It is too strong.
    """
    if most_pa > MOST_PA:
        msg = f"current: must be within {MOST_PA:g} pA (got {most_pa:g} pA)"
        raise CircuitError(msg)
