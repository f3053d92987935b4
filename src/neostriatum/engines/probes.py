"""What an engine records: which variable of which cells, sources or modulator, and what it saw."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.engines.base import Samples, Trace
from neostriatum.errors import CircuitError, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from neostriatum.engines.lowered import LoweredCircuit
    from neostriatum.engines.plasticity import Plasticity


#: What begins the name of a modulator and of a pathway, where a cell type has its own.
MODULATORS, PATHWAYS = "modulators.", "pathways."
#: The variable of a modulator.
LEVEL = "level"


@dataclass(eq=False)
class Probe:
    """One variable of chosen cells of one type, and the blocks (t, k) that nobody took yet.

    ``name`` is that of a cell type, ``modulators.<name>``, or ``pathways.<name>``, whose states of
    release are those of its sources.
    """

    name: str
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

    @property
    def cells(self) -> list[Probe]:
        """The probes of cells."""
        return [probe for probe in self if "." not in probe.name]

    @property
    def levels(self) -> list[tuple[Probe, int]]:
        """The probes of levels, and the numbers of these."""
        return [(probe, self._lowered.levels.index(probe.name.removeprefix(MODULATORS)))
                for probe in self if probe.name.startswith(MODULATORS)]

    @property
    def releases(self) -> list[tuple[Probe, int, Plasticity]]:
        """The probes of pathways, with the numbers of their projections and what these release."""
        plastic = plastic_of(self._lowered)
        return [(probe, *plastic[probe.name.removeprefix(PATHWAYS)])
                for probe in self if probe.name.startswith(PATHWAYS)]

    def change(self, lowered: LoweredCircuit) -> None:
        """Go on with other numbers of the same network."""
        self._lowered = lowered

    def add(self, population: str, ids: np.ndarray, variable: str = "v", every: int = 1) -> Probe:
        """Start a probe, in the place of one of the same type and variable.

        Raises
        ------
        CircuitError
            A variable that the type does not have.
        """
        known = self._known(population)
        if variable not in known:
            msg = f"record: {population} has {', '.join(known) or 'none'} (got {shown(variable)})"
            raise CircuitError(msg)
        probe = Probe(population, variable, np.asarray(ids, np.int64), every)
        self._all[population, variable] = probe
        return probe

    def _known(self, name: str) -> Collection[str]:
        """Return the variables of a cell type, a modulator or a pathway."""
        lowered = self._lowered
        if name.startswith(MODULATORS):
            return (LEVEL,) if name.removeprefix(MODULATORS) in lowered.levels else ()
        if name.startswith(PATHWAYS):
            _, stp = plastic_of(lowered).get(name.removeprefix(PATHWAYS), (-1, None))
            return () if stp is None else stp.model.names
        return lowered.populations[lowered.index[name]].variables

    def see(self, step: int, value: Callable[[Probe], np.ndarray],
            heard: Callable[[], list[float]], states: dict[int, dict[str, np.ndarray]],
            last: dict[int, np.ndarray]) -> None:
        """Note the state after ``step``, of cells, of levels, and of releases by projection."""
        steps = np.array([step])
        for probe in self.cells:
            if self.due(probe, step):
                self.put(probe, steps, value(probe)[None])
        if self.levels:
            self.put_levels(steps, np.array([heard()]))
        for probe, number, stp in self.releases:
            now = stp.now(states[number], last[number], probe.ids, step)
            self.put(probe, steps, now[probe.variable][None])

    def put_levels(self, steps: np.ndarray, heard: np.ndarray) -> None:
        """Note the levels (t, l) that the steps after ``steps`` hear."""
        for probe, level in self.levels:
            self.put(probe, steps, heard[:, [level]])

    def put(self, probe: Probe, steps: np.ndarray, values: np.ndarray) -> None:
        """Note values (t, k) after ``steps`` (t,), of those that are due."""
        kept = self.due(probe, steps)
        probe.steps.append(steps[kept])
        probe.values.append(values[kept].astype(float))

    def due(self, probe: Probe, steps: Any) -> Any:
        """Return whether a probe looks after steps."""
        # Counted from the end of the warm-up, so that nothing depends on when recording began.
        return (steps + 1 - self._lowered.warmup) % probe.every == 0

    def take(self) -> list[Samples]:
        """Hand over what was seen since the last time, and forget it."""
        taken = []
        for probe in self:
            steps, values = probe.seen()
            taken.append(Samples(probe.name, probe.variable, probe.ids,
                                 steps - self._lowered.warmup, values))
            probe.forget()
        return taken

    def traces(self) -> dict[str, Trace]:
        """Return the potentials that nobody took, by type, times from the end of the warm-up."""
        made = {}
        for probe in self.cells:
            if probe.variable == "v":
                steps, values = probe.seen()
                times = (steps - self._lowered.warmup + 1) * self._lowered.dt
                first = self._lowered.populations[self._lowered.index[probe.name]].offset
                made[probe.name] = Trace(probe.ids + first, times, values)
        return made

    def forget(self) -> None:
        """Drop what all have seen."""
        for probe in self:
            probe.forget()


def plastic_of(lowered: LoweredCircuit) -> dict[str, tuple[int, Plasticity]]:
    """Return number and plasticity of the projections that have one, by pathway, one of each."""
    return {one.name.partition("@")[0]: (number, one.stp)
            for number, one in reversed(list(enumerate(lowered.projections))) if one.stp}
