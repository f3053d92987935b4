"""What an engine records of single cells: which variable of whom, how often, and what it saw."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.engines.base import Samples, Trace
from neostriatum.errors import CircuitError, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from neostriatum.engines.lowered import LoweredCircuit
    from neostriatum.engines.population import Population


@dataclass
class Probe:
    """One variable of chosen cells of one type, and the blocks (t, k) that nobody took yet."""

    population: Population
    variable: str
    ids: np.ndarray
    every: int
    steps: list[np.ndarray] = field(default_factory=list)
    values: list[np.ndarray] = field(default_factory=list)

    def seen(self) -> tuple[np.ndarray, np.ndarray]:
        """Return steps (t,) and values (t, k)."""
        return (np.concatenate([np.zeros(0, np.int64), *self.steps]),
                np.concatenate([np.zeros((0, len(self.ids))), *self.values]))

    def forget(self) -> None:
        """Drop what was seen."""
        self.steps.clear()
        self.values.clear()


class Probes:
    """The probes of one engine, one per type and variable."""

    def __init__(self, lowered: LoweredCircuit) -> None:
        self._lowered = lowered
        self._all: dict[tuple[str, str], Probe] = {}

    def __iter__(self) -> Iterator[Probe]:
        return iter(self._all.values())

    def add(self, population: str, ids: np.ndarray, variable: str = "v", every: int = 1) -> Probe:
        """Start a probe, in the place of one of the same type and variable.

        Raises
        ------
        CircuitError
            A variable that the type does not have.
        """
        cells = self._lowered.populations[self._lowered.index[population]]
        known = cells.variables
        if variable not in known:
            msg = f"record: {population} has {', '.join(known)} (got {shown(variable)})"
            raise CircuitError(msg)
        probe = Probe(cells, variable, np.asarray(ids, np.int64), every)
        self._all[population, variable] = probe
        return probe

    def see(self, step: int, value: Callable[[Probe], np.ndarray]) -> None:
        """Note the state after ``step``."""
        for probe in self:
            if self._due(probe, step):
                self.put(probe, np.array([step]), value(probe)[None])

    def put(self, probe: Probe, steps: np.ndarray, values: np.ndarray) -> None:
        """Note values (t, k) after ``steps`` (t,), of those that are due."""
        kept = self._due(probe, steps)
        probe.steps.append(steps[kept])
        probe.values.append(values[kept].astype(float))

    def _due(self, probe: Probe, steps: Any) -> Any:
        # Counted from the end of the warm-up, so that nothing depends on when recording began.
        return (steps + 1 - self._lowered.warmup) % probe.every == 0

    def take(self) -> list[Samples]:
        """Hand over what was seen since the last time, and forget it."""
        taken = []
        for probe in self:
            steps, values = probe.seen()
            taken.append(Samples(probe.population.name, probe.variable, probe.ids,
                                 steps - self._lowered.warmup, values))
            probe.forget()
        return taken

    def traces(self) -> dict[str, Trace]:
        """Return the potentials that nobody took, by type, times from the end of the warm-up."""
        made = {}
        for probe in self:
            if probe.variable == "v":
                steps, values = probe.seen()
                times = (steps - self._lowered.warmup + 1) * self._lowered.dt
                made[probe.population.name] = Trace(probe.ids + probe.population.offset, times,
                                                    values)
        return made

    def forget(self) -> None:
        """Drop what all have seen."""
        for probe in self:
            probe.forget()
