"""The numbers that a kernel is given: of every population, and of every step where one changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.engines.modulation import added, factors, opened, scale
from neostriatum.engines.numba_engine.drives import weights

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
        self._levels_vary = not all(course.is_constant for course in lowered.courses)
        #: Constants that hear computed levels: column, what it is without them, and the effects.
        self.heard = self._heard()
        self._courses_vary = not constant or (hears and self._levels_vary)
        # Rows that hold for the whole run, once they are computed: curves of levels take long.
        self._row: np.ndarray | None = None
        self._given: np.ndarray | None = None
        self.varies = self._courses_vary or bool(self.heard) or (lowered.levels_vary and hears)

    def _heard(self) -> list[tuple[int, float, tuple[Modulation, ...]]]:
        computed, pop = set(self._lowered.signals.computed.tolist()), self._pop
        currents = [effect for effect in pop.effects if effect.kind == "current"]
        acting: dict[str, tuple[float, list[Modulation]]] = {}
        for effect in pop.effects:
            name, base = effect.acts_on, 1.0
            if effect.kind == "current":
                name, base = f"opened {currents.index(effect)}", 0.0
            elif name in self._shape.spread:
                name, base = (f"factor {name}", 1.0) if effect.kind == "factor" else (
                    f"added {name}", 0.0)
            elif name in pop.parameters:
                base = float(pop.parameters[name])
            else:
                name = next((f"gain {place}" for place, synapse in enumerate(pop.synapses)
                             if name == f"I_{synapse.name}"), "")
            acting.setdefault(name, (base, []))[1].append(effect)
        for place, inlet in enumerate(pop.inlets):
            acting[f"scale {len(pop.synapses) + place}"] = (1.0, list(inlet.effects))
        return [(column, acting[name][0], tuple(acting[name][1]))
                for column, name in enumerate(self._shape.constants) if name in acting
                and any(effect.level in computed for effect in acting[name][1])]

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
            levels = self._levels(steps if self._levels_vary else np.zeros(1))
            heard = [effect.modulator.response(levels[effect.level], effect.curve)
                     if effect.kind == "weight" else effect.heard(levels)
                     for _, _, effects in self.heard for effect in effects]
            self._given = np.stack(heard, axis=1)
        return self._given

    def _levels(self, steps: np.ndarray) -> tuple[np.ndarray, ...]:
        times = (steps - self._lowered.warmup) * self._lowered.dt
        return tuple(course.at(times) for course in self._lowered.courses)

    def _rows(self, steps: np.ndarray) -> np.ndarray:
        lowered, pop, levels = self._lowered, self._pop, self._levels(steps)
        times = (steps - lowered.warmup) * lowered.dt
        factor, more = factors(pop.effects, levels), added(pop.effects, levels)
        known: dict[str, Any] = dict(self._fixed)
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
        rows = np.empty((len(steps), len(self._shape.constants)))
        for column, name in enumerate(self._shape.constants):
            rows[:, column] = known[name]
        return rows
