"""Long-term plasticity of a projection, lowered: its rule with numbers, and tables of exponentials.

Between events an eligibility only decays, so what a weight gains is the eligibility times a sum
over steps of what dopamine makes of it. That sum runs on for all synapses of a projection in one
table ``G``, step by step; of a synapse nothing is done but at events. Eligibilities and traces are
kept times what they have decayed by since the last flush, so that they change at events alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.circuit.clock import steps
from neostriatum.circuit.learning_rules import flush_steps, level_of, receptor_of, tonic_of
from neostriatum.errors import EngineUnsupported
from neostriatum.models.evaluate import evaluate
from neostriatum.rng import exp

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit
    from neostriatum.models.learning import LearningRule


@dataclass(frozen=True, eq=False)
class Learning:
    """The learning of a projection: rule and numbers, levels by number, times in steps.

    ``gate`` is -1 without one; ``scaling`` target and share of a flush, or None; ``region`` the
    number of that whose level is heard, 0 for the level outside.
    """

    rule: LearningRule
    values: dict[str, float]
    level: int
    tonic: float
    gate: int
    dt: float
    delay: int
    flush: int
    soft: bool
    start: float
    scaling: tuple[float, float] | None
    region: int = 0

    @property
    def taus(self) -> tuple[float, ...]:
        """Time constants of the exponentials that an eligibility is made of [ms]."""
        rise = (self.values["tau_rise"],) if self.values["tau_rise"] > 0 else ()
        return (self.values["tau_e"], *rise)

    @cached_property
    def gains(self) -> np.ndarray:
        """By exponential: change of a weight per step by an eligibility and a factor of 1."""
        slow, *rise = self.taus
        each = self.values["dose"] * self.dt / slow
        if not rise:
            return np.array([each])
        each = each * slow / (slow - rise[0])
        return np.array([each, -each])

    @cached_property
    def falls(self) -> np.ndarray:
        """What is left after some steps, by exponential and number of steps."""
        return np.stack([exp(-self._times / tau) for tau in self.taus])

    @cached_property
    def pre_rises(self) -> np.ndarray:
        """What a trace of a source is kept times, by number of steps."""
        return exp(self._times / self.values["tau_plus"])

    @cached_property
    def post_rises(self) -> np.ndarray:
        """What a trace of a target is kept times, by number of steps."""
        return exp(self._times / self.values["tau_minus"])

    @cached_property
    def adds_plus(self) -> np.ndarray:
        """What a spike of the target adds per kept trace of a source, as `falls`."""
        return np.stack([exp(self._times / tau - self._times / self.values["tau_plus"])
                         for tau in self.taus])

    @cached_property
    def adds_minus(self) -> np.ndarray:
        """What an arrival adds per kept trace of a target, as `falls`."""
        return np.stack([exp(self._times / tau - self._times / self.values["tau_minus"])
                         for tau in self.taus])

    @cached_property
    def flushed(self) -> tuple[np.ndarray, float, float]:
        """What a flush leaves of kept eligibilities, and of kept traces of sources and targets."""
        return (self.falls[:, -1].copy(), float(1.0 / self.pre_rises[-1]),
                float(1.0 / self.post_rises[-1]))

    @property
    def _times(self) -> np.ndarray:
        return np.arange(self.flush + 1) * self.dt

    @cached_property
    def bounds(self) -> np.ndarray:
        """Lowest and highest weight, and what a distance from them is a factor by, or 0."""
        low, high = self.values["w_min"], self.values["w_max"]
        soft = (1.0 / (1.0 - low), 1.0 / (high - 1.0)) if self.soft else (0.0, 0.0)
        return np.array([low, high, *soft])

    def bounded(self, weights: np.ndarray, gained: np.ndarray) -> np.ndarray:
        """Return weights that gained something."""
        low, high, down, up = self.bounds
        if self.soft:
            room = np.where(gained > 0, (high - weights) * up, (weights - low) * down)
            gained = gained * room
        return np.minimum(np.maximum(weights + gained, low), high)

    def factors(self, level: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return what the rule makes of both eligibilities at levels."""
        known = self.values | {"level": level, "tonic": self.tonic}
        plus, minus = (np.broadcast_to(evaluate(tree, known), np.shape(level))
                       for tree in (self.rule.plus, self.rule.minus))
        return plus, minus


def lower_learning(circuit: Circuit, name: str, delays: np.ndarray) -> Learning | None:
    """Return the learning of a pathway with these delays in steps; None where it learns not.

    Raises
    ------
    EngineUnsupported
        Delays that differ.
    """
    learning, dt = circuit.pathways[name].learning, circuit.dt.value
    if learning is None:
        return None
    delay = steps(circuit.pathways[name].delay.offset.value, dt)
    if (delays != delay).any():
        msg = (f"pathways.{name}.learning: all synapses must have one delay, {delay} steps (got "
               f"{delays.min()} to {delays.max()})")
        raise EngineUnsupported(msg)
    index = {modulator: number for number, modulator in enumerate(circuit.modulators)}
    scaling = None
    if learning.scaling is not None:
        share = -np.expm1(-learning.flush.value / learning.scaling.tau.value)
        scaling = (learning.scaling.target.value, float(share))
    return Learning(
        learning.learning_rule, learning.numbers(receptor_of(circuit, name)),
        index[level_of(circuit, name)], tonic_of(circuit, name), index.get(learning.gate or "", -1),
        dt, delay, flush_steps(circuit, name), learning.soft, learning.start.value, scaling)
