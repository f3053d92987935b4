"""The short-term plasticity of a projection, lowered: its release model with numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.models.evaluate import evaluate
from neostriatum.rng import exp

if TYPE_CHECKING:
    from neostriatum.models.release import ReleaseModel


@dataclass(frozen=True)
class Plasticity:
    """A release model with its parameters, and the time constant of every state in steps.

    A state with 0 steps is at its rest again at the next spike.
    """

    model: ReleaseModel
    values: dict[str, float]
    steps: dict[str, float]

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

    def release(self, states: dict[str, np.ndarray], interval: np.ndarray) -> np.ndarray:
        """Return what spikes release, relative to first ones, and change the states.

        Parameters
        ----------
        states : dict of numpy.ndarray
            States (n,) of the sources after their last spikes.
        interval : numpy.ndarray
            Steps since then (n,).
        """
        for state in self.model.states:
            fall = _decay(interval, self.steps[state.name])
            value = states[state.name]
            states[state.name] = (value * fall if self.model.rests[state] == 0
                                  else 1.0 - (1.0 - value) * fall)
        known: dict[str, Any] = self.values | states
        for state, tree in self.model.jumps.items():
            states[state.name] = known[state.name] = evaluate(tree, known)
        released = evaluate(self.model.released, known)
        for state, tree in self.model.after.items():
            states[state.name] = known[state.name] = evaluate(tree, known)
        return np.broadcast_to(released, interval.shape)


def _decay(interval: np.ndarray, constant: float) -> np.ndarray:
    return exp(-interval / constant) if constant > 0 else np.zeros(len(interval))
