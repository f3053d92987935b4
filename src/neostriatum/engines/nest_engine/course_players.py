"""Time courses in NEST: levels, currents and rates by the step, played as weighted spikes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from neostriatum.circuit.model import Circuit
    from neostriatum.engines.lowered import LoweredCircuit

#: Most events per step that a random drive may ask of one draw: exp(-600) is still a number.
MOST = 600.0


@dataclass
class Player:
    """One course that reaches some nodes through one of their ports.

    ``start`` sets its level on all of them before a window. A ``relative`` course is played as its
    changes; ``ahead`` is by how many steps the nodes run ahead of the cells.
    """

    nodes: np.ndarray
    port: int
    course: Any
    start: Callable[[float], None]
    relative: bool = False
    ahead: int = 0
    scale: float = 1.0
    #: Level at the last step that was simulated.
    level: float | None = None
    generator: Any = field(default=None, repr=False)

    def play(self, nest: Any, lowered: LoweredCircuit, first: int, stop: int, lag: int) -> None:
        """Set the level of step ``first`` and schedule its changes before ``stop``.

        A spike of a generator arrives one step after its time; cells run ``lag`` steps late.
        """
        values = self._values(lowered, first, stop)
        if self.level != values[0]:
            self.start(float(values[0]))
        self.level = float(values[-1])
        changed = np.flatnonzero(np.diff(values)) + 1
        if len(changed) and self.generator is None:
            self.connect(nest, lowered)
        if self.generator is not None:
            sent = values[changed] - values[changed - 1] if self.relative else values[changed]
            when = (first + changed + lag) * lowered.dt
            self.generator.set(spike_times=np.round(when, 6), spike_weights=sent)

    def connect(self, nest: Any, lowered: LoweredCircuit) -> None:
        """Make the generator that plays changes within a window."""
        self.generator = nest.Create("spike_generator")
        spec = {"synapse_model": "static_synapse", "weight": 1.0, "delay": lowered.dt,
                "receptor_type": self.port}
        nest.Connect(self.generator, nest.NodeCollection(self.nodes.tolist()), "all_to_all", spec)

    def next_change(self, lowered: LoweredCircuit, first: int, stop: int) -> int:
        """Return the first step after ``first`` at which the level changes, or ``stop``."""
        changed = np.flatnonzero(np.diff(self._values(lowered, first, stop)))
        return first + 1 + int(changed[0]) if len(changed) else stop

    def _values(self, lowered: LoweredCircuit, first: int, stop: int) -> np.ndarray:
        if self.course.is_constant:
            return np.full(1, float(self.course.at(0.0)) * self.scale)
        steps = np.arange(first, stop) + self.ahead
        # The very expression that the other engines evaluate step by step.
        times = (steps - lowered.warmup) * lowered.dt
        return np.asarray(self.course.at(times), np.float64) * self.scale


def overfull(circuit: Circuit) -> str | None:
    """Return which drive may bring more events per step than one draw can have, None if none."""
    for name, entry in circuit.inputs.items():
        for kind, target in entry.targets.items():
            if target.rate is not None:
                mean = target.afferents * target.rate.highest * circuit.dt.value / 1000.0
                if mean > MOST:
                    return (f"engine nest: inputs.{name}.{kind}: must bring at most {MOST:g} "
                            f"events per step (got {mean:g}). Lower dt or the rate")
    return None
