"""The short-term plasticity of a projection, lowered: its release model with numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.models.evaluate import evaluate
from neostriatum.rng import exp

if TYPE_CHECKING:
    from neostriatum.circuit.pathway import Plasticity as Declared
    from neostriatum.models.release import ReleaseModel


@dataclass(frozen=True)
class Plasticity:
    """A release model with its parameters, and the time constant of every state in steps.

    A state with 0 steps is at its rest again at the next spike.
    """

    model: ReleaseModel
    values: dict[str, float]
    steps: dict[str, float]
    #: States (n,) of the sources at the first step, where these are not at rest.
    starts: dict[str, np.ndarray] = field(default_factory=dict)

    def begin(self, n: int) -> dict[str, np.ndarray]:
        """Return the states of ``n`` sources at the first step."""
        return {state.name: np.array(np.broadcast_to(
                    np.asarray(self.starts.get(state.name, float(rest)), float), (n,)))
                for state, rest in self.model.rests.items()}

    def stationary(self, per_step: np.ndarray) -> dict[str, np.ndarray]:
        """Return the states that a spike releases from after firing at a mean rate.

        These are the `mean_states` with the jumps of a spike done: of Tsodyks and Markram
        u = U(1 + r tau_fac)/(1 + U r tau_fac) and x = 1/(1 + u r tau_rec).

        Parameters
        ----------
        per_step : numpy.ndarray
            Spikes per step (n,).
        """
        return self._jumped(self.mean_states(per_step), self.model.jumps)

    def mean_states(self, per_step: np.ndarray) -> dict[str, np.ndarray]:
        """Return the states that firing at a mean rate leads to, as a spike finds them.

        They solve (rest - s)/tau + r (s' - s) = 0, where s' is what a spike makes of s.
        """
        per_step = np.asarray(per_step, float)
        # A circuit that changes while it runs asks again and again for the same.
        settled = _settled(self.model, tuple(self.values.items()), tuple(self.steps.items()),
                           per_step.tobytes())
        return {name: value.reshape(per_step.shape).copy() for name, value in settled.items()}

    def falls(self, interval: float) -> dict[str, float]:
        """Return what is left of every state's distance from its rest after some steps."""
        return {name: float(_decay(np.array([interval]), tau)[0])
                for name, tau in self.steps.items()}

    def later(self, states: dict[str, np.ndarray],
              interval: np.ndarray) -> dict[str, np.ndarray]:
        """Return states (n,) after some steps (n,) without a spike."""
        return self.decayed(states, {name: _decay(interval, tau)
                                     for name, tau in self.steps.items()})

    def now(self, states: dict[str, np.ndarray], last: np.ndarray, sources: np.ndarray,
            step: int) -> dict[str, np.ndarray]:
        """Return the states of some sources after a step, as a spike would find them."""
        interval = (step - last[sources]).astype(np.float64)
        return self.later({name: values[sources] for name, values in states.items()}, interval)

    def follow_spikes(self, states: dict[str, np.ndarray], last: np.ndarray,
                      spikes: tuple[np.ndarray, np.ndarray],
                      due: np.ndarray) -> dict[str, np.ndarray]:
        """Return the states (t, n) of some sources after the steps that are due.

        Parameters
        ----------
        states, last : dict of numpy.ndarray, numpy.ndarray
            States (n,) after the last spikes before, and the steps (n,) of these; both change.
        spikes : tuple of numpy.ndarray
            Steps (s,), ascending, and sources, from 0 to n - 1.
        due : numpy.ndarray
            Steps (t,), ascending.
        """
        seen = {name: np.empty((len(due), len(last))) for name in states}
        steps, first = np.unique(spikes[0], return_index=True)
        places = np.searchsorted(due, [*steps, np.iinfo(np.int64).max])
        self._note(seen, states, last, due, slice(0, places[0]))
        for number, step in enumerate(steps):
            stop = first[number + 1] if number + 1 < len(steps) else None
            self.fire(states, last, spikes[1][first[number] : stop], step)
            self._note(seen, states, last, due, slice(places[number], places[number + 1]))
        return seen

    def _note(self, seen: dict[str, np.ndarray], states: dict[str, np.ndarray], last: np.ndarray,
              due: np.ndarray, rows: slice) -> None:
        """Note the states at some of the steps that are due, after which nobody fired."""
        if rows.start < rows.stop:
            interval = (due[rows, None] - last).astype(np.float64)
            for name, values in self.later(states, interval).items():
                seen[name][rows] = values

    def decayed(self, states: dict[str, np.ndarray],
                falls: dict[str, Any]) -> dict[str, np.ndarray]:
        """Return states later, without a spike; see `falls`."""
        return {state.name: states[state.name] * falls[state.name] if rest == 0
                else 1.0 - (1.0 - states[state.name]) * falls[state.name]
                for state, rest in self.model.rests.items()}

    def expected(self, states: dict[str, np.ndarray]) -> np.ndarray:
        """Return what a spike releases that finds these states."""
        known = self.values | self._jumped(states, self.model.jumps)
        return np.broadcast_to(evaluate(self.model.released, known),
                               next(iter(states.values())).shape)

    def follow(self, states: dict[str, np.ndarray],
               spikes: np.ndarray) -> dict[str, np.ndarray]:
        """Return what a number of spikes below 1 makes of states on average."""
        after = self._jumped(self._jumped(states, self.model.jumps), self.model.after)
        return {name: value + spikes * (after[name] - value) for name, value in states.items()}

    def _jumped(self, states: dict[str, np.ndarray], jumps: Any) -> dict[str, np.ndarray]:
        known: dict[str, Any] = self.values | states
        states = dict(states)
        for state, tree in jumps.items():
            states[state.name] = known[state.name] = evaluate(tree, known)
        return states

    @property
    def U(self) -> float:
        """Use of resources at a first spike (Tsodyks and Markram)."""
        return self.values["U"]

    @property
    def rec_steps(self) -> float:
        """Time constant of the recovery of resources, in steps."""
        return self.steps["x"]

    @property
    def fac_steps(self) -> float:
        """Time constant of facilitation, in steps."""
        return self.steps["u"]

    @property
    def most(self) -> float:
        """The most that a spike can release, relative to a first one."""
        return float(evaluate(self.model.most, self.values))

    def fire(self, states: dict[str, np.ndarray], last: np.ndarray, fired: np.ndarray,
             step: int) -> np.ndarray:
        """Return what spikes of some sources at a step release, and change what these keep."""
        own = {name: values[fired] for name, values in states.items()}
        released = self.release(own, (step - last[fired]).astype(np.float64))
        for name, values in own.items():
            states[name][fired] = values
        last[fired] = step
        return released

    def release(self, states: dict[str, np.ndarray], interval: np.ndarray) -> np.ndarray:
        """Return what spikes release, relative to first ones, and change the states.

        Parameters
        ----------
        states : dict of numpy.ndarray
            States (n,) of the sources after their last spikes.
        interval : numpy.ndarray
            Steps since then (n,).
        """
        states |= self.later(states, interval)
        known: dict[str, Any] = self.values | states
        for state, tree in self.model.jumps.items():
            states[state.name] = known[state.name] = evaluate(tree, known)
        released = evaluate(self.model.released, known)
        for state, tree in self.model.after.items():
            states[state.name] = known[state.name] = evaluate(tree, known)
        return np.broadcast_to(released, interval.shape)


def lower_release(stp: Declared, dt: float) -> Plasticity:
    """Return the short-term plasticity of a pathway at a step [ms], its sources at rest."""
    model, values = stp.release_model, stp.values
    return Plasticity(model, values, {state.name: values[tau.name] / dt
                                      for state, tau in model.decays.items()})


def _decay(interval: np.ndarray, constant: float) -> np.ndarray:
    return exp(-interval / constant) if constant > 0 else np.zeros(interval.shape)


@lru_cache(maxsize=256)
def _settled(model: ReleaseModel, values: tuple[tuple[str, float], ...],
             steps: tuple[tuple[str, float], ...], rates: bytes) -> dict[str, np.ndarray]:
    """Return the states of `Plasticity.mean_states` at the rates whose bytes are given."""
    plasticity, per_step = Plasticity(model, dict(values), dict(steps)), np.frombuffer(rates)
    rests = {state.name: float(rest) for state, rest in model.rests.items()}
    load = {name: per_step * plasticity.steps[name] for name in rests}
    states = {name: np.full(per_step.shape, rest) for name, rest in rests.items()}
    for _ in range(10_000):
        after = plasticity._jumped(plasticity._jumped(states, model.jumps), model.after)
        new = {name: (rests[name] + load[name] * after[name]) / (1.0 + load[name])
               for name in rests}
        moved = max(float(np.abs(new[name] - states[name]).max(initial=0.0)) for name in rests)
        states = new
        if moved < 1e-15:
            break
    return states
