"""The numbers that a kernel is given: of every population, and of every step where one changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.engines.modulation import added, factors, opened, scale
from neostriatum.engines.numba_engine.drives import weights
from neostriatum.engines.numba_engine.heard import acting
from neostriatum.engines.regions import levels_in

if TYPE_CHECKING:
    from neostriatum.engines.lowered import LoweredCircuit
    from neostriatum.engines.modulation import Modulation
    from neostriatum.engines.numba_engine.shape import Shape


class Constants:
    """The constants of a population's kernel, in the order of its shape.

    Parameters
    ----------
    lowered : LoweredCircuit
        The lowered circuit.
    number : int
        Which population.
    shape : Shape
        Its shape.
    quantum : float
        What the ring counts in [nS]; 1 in double precision, where it holds nS.
    """

    def __init__(self, lowered: LoweredCircuit, number: int, shape: Shape, quantum: float) -> None:
        self._lowered, self._shape, self._pop = lowered, shape, lowered.populations[number]
        self._currents = [one for one in lowered.currents if one.population == number]
        self._fixed = {"dt": lowered.dt, "quantum": quantum, **weights(lowered, number)}
        for place, synapse in enumerate(self._pop.synapses):
            values = synapse.values | {f"decay {state}": decay
                                       for state, decay in synapse.decays.items()}
            self._fixed |= {f"{name} {place}": value for name, value in values.items()}
        constant = all(current.course.is_constant for current in self._currents)
        hears = bool(self._pop.effects or self._pop.inlets)
        self._levels_vary = not all(course.is_constant for course in (
            *lowered.courses, *(course for own in lowered.regions for course in own.values())))
        #: Constants that hear computed levels: column, what it is without them, the effects, and
        #: the number of the region, 0 outside.
        self.heard = self._heard()
        self._courses_vary = not constant or (hears and self._levels_vary)
        # Rows that hold for the whole run, once they are computed: curves of levels take long.
        self._row: np.ndarray | None = None
        self._given: np.ndarray | None = None
        self.varies = self._courses_vary or bool(self.heard) or (lowered.levels_vary and hears)

    def _heard(self) -> list[tuple[int, float, tuple[Modulation, ...], int]]:
        computed = set(self._lowered.signals.computed.tolist())
        every, heard = acting(self._pop, self._shape.spread), []
        for column, constant in enumerate(self._shape.constants):
            name, _, region = constant.partition("@")
            effects = every.get(name, ())
            if any(effect.level in computed for effect in effects):
                heard.append((column, self._base(name), effects, int(region or 0)))
        return heard

    def _base(self, name: str) -> float:
        """Return a constant without what acts on it."""
        if name in self._pop.parameters:
            return float(self._pop.parameters[name])
        return 0.0 if name.partition(" ")[0] in ("opened", "added") else 1.0

    def table(self, step: int, count: int, dtype: Any) -> np.ndarray:
        """Return the constants (steps, n) of ``count`` steps, a single row if nothing changes."""
        if self._courses_vary:
            return self._rows(np.arange(step, step + count)).astype(dtype)
        if self._row is None:
            self._row = self._rows(np.array([step]))
        return np.repeat(self._row.astype(dtype), count if self.varies else 1, axis=0)

    def given(self, steps: np.ndarray) -> np.ndarray:
        """Return (steps or 1, n) what effects beside computed levels hear of given ones."""
        if self._given is None or self._levels_vary:
            every = self._levels(steps if self._levels_vary else np.zeros(1))
            heard = [effect.modulator.response(every[region][effect.level], effect.curve)
                     if effect.kind == "weight" else effect.heard(every[region])
                     for _, _, effects, region in self.heard for effect in effects]
            self._given = np.stack(heard, axis=1)
        return self._given

    def _levels(self, steps: np.ndarray) -> list[tuple[np.ndarray, ...]]:
        """Return the levels at some steps, and after them those of every region."""
        times = self._lowered.time_ms(steps)
        levels = tuple(course.at(times) for course in self._lowered.courses)
        return [levels, *levels_in(self._lowered.regions, levels, times)]

    def _rows(self, steps: np.ndarray) -> np.ndarray:
        outside, *regional = self._levels(steps)
        known = self._known(steps, outside)
        if self._shape.regional:
            for region, levels in enumerate(regional, start=1):
                known |= {f"{name}@{region}": value for name, value
                          in self._known(steps, levels).items() if name in self._shape.regional}
        rows = np.empty((len(steps), len(self._shape.constants)))
        for column, name in enumerate(self._shape.constants):
            rows[:, column] = known[name]
        return rows

    def _known(self, steps: np.ndarray, levels: tuple[np.ndarray, ...]) -> dict[str, Any]:
        """Return the constants at some steps that hear these levels, by name."""
        lowered, pop = self._lowered, self._pop
        times = lowered.time_ms(steps)
        factor, more = factors(pop.effects, levels), added(pop.effects, levels)
        known: dict[str, Any] = dict(self._fixed)
        known |= {f"own {number}": one.amount for number, one in enumerate(pop.own)}
        for name, value in pop.parameters.items():
            if name in self._shape.spread:
                known[f"factor {name}"] = factor.get(name, 1.0)
                known[f"added {name}"] = more.get(name, 0.0)
            else:
                known[name] = value * factor.get(name, 1.0)
                if name in more:
                    known[name] = known[name] + more[name]
        for place, synapse in enumerate(pop.synapses):
            known[f"gain {place}"] = factor.get(f"I_{synapse.name}", 1.0)
        for place, current in enumerate(self._currents):
            known[f"current {place}"] = current.course.at(times)
        for place, (g, reversal) in enumerate(opened(pop.effects, levels)):
            known[f"opened {place}"], known[f"reversal {place}"] = g, reversal
        for place, inlet in enumerate(pop.inlets):
            known[f"scale {len(pop.synapses) + place}"] = scale(inlet.effects, levels)
        return known
