"""Levels that are computed, in NEST: the spikes of a window decide what later steps hear.

No spike is heard sooner than the shortest delay of a release. So a window that is a step shorter
ends before anything is heard of its own spikes, and a generator can still be told the levels of all
its steps and of the step after it; a generator needs a step itself. Cells and synapses know nothing
of it: what they hear comes as a time course does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.engines.levels import Signals
from neostriatum.engines.modulation import scale
from neostriatum.engines.nest_engine.course_players import Player
from neostriatum.errors import EngineUnsupported
from neostriatum.ranks import summed

if TYPE_CHECKING:
    from collections.abc import Callable

    from neostriatum.engines.lowered import LoweredCircuit
    from neostriatum.engines.modulation import Modulation


def check_levels(lowered: LoweredCircuit) -> None:
    """Refuse levels that cannot be known in time.

    Raises
    ------
    EngineUnsupported
        A delay of one step.
    """
    for name in lowered.signals.free:
        _, _, source, delay = lowered.signals.plain[lowered.levels.index(name)]
        if source >= 0 and delay < 2:
            msg = (f"engine nest: modulators.{name}.delay: must be at least two steps (got "
                   f"{delay * lowered.dt:g} ms). Lengthen it, or use the engine numba")
            raise EngineUnsupported(msg)


class Computed:
    """The levels of a run, known some steps ahead.

    Parameters
    ----------
    lowered : LoweredCircuit
        The lowered circuit.
    """

    def __init__(self, lowered: LoweredCircuit) -> None:
        self.lowered = lowered
        self._signals = Signals(lowered.signals)
        self._first, self._levels = 0, list[tuple[float, ...]]()
        delays = [len(spikes) for spikes in self._signals.spikes if len(spikes)]
        #: Steps of a window at most.
        self.window = min(delays, default=1000) - 1
        self.reach(0)

    def reach(self, step: int) -> None:
        """Compute the levels up to a step."""
        lowered = self.lowered
        while self._first + len(self._levels) <= step:
            following = self._first + len(self._levels)
            if following > 0:
                # The spikes of steps that have not been simulated are counted later.
                self._signals.end(following - 1, lowered.time_ms(following - 1), lowered.dt,
                                  [0] * len(lowered.populations))
            self._levels.append(self._signals.begin(lowered.time_ms(following)))

    def count(self, first: int, stop: int, steps: np.ndarray, ids: np.ndarray) -> None:
        """Count the spikes of a window that was simulated, and forget the levels before its end."""
        for level, pending in enumerate(self._signals.spikes):
            if len(pending):
                pop = self.lowered.populations[self.lowered.signals.plain[level, 2]]
                mine = steps[(ids >= pop.offset) & (ids < pop.offset + pop.n) & (steps >= first)]
                counts = np.bincount(mine - first, minlength=stop - first)
                # A rank knows its own cells alone.
                pending[np.arange(first, stop) % len(pending)] = summed(counts)
        del self._levels[: stop - self._first]
        self._first = stop

    def at(self, step: int) -> tuple[float, ...]:
        """Return the levels of a step."""
        return self._levels[step - self._first]

    def change(self, lowered: LoweredCircuit) -> None:
        """Go on with another circuit from the last step that is known."""
        self.lowered = lowered
        self._signals.about = lowered.signals
        last = self._first + len(self._levels) - 1
        self._levels[-1] = self._signals.begin(lowered.time_ms(last))

    def between(self, first: int, stop: int) -> tuple[np.ndarray, ...]:
        """Return the levels of steps from ``first`` to ``stop``, that one too, an array each."""
        rows = self._levels[first - self._first : stop + 1 - self._first]
        return tuple(np.array(rows, np.float64).T)


@dataclass(frozen=True)
class Scaling:
    """The factor of weights as a time course, where all levels are given."""

    lowered: LoweredCircuit
    effects: tuple[Modulation, ...]

    @property
    def is_constant(self) -> bool:
        """Whether it never changes."""
        return all(self.lowered.courses[effect.level].is_constant for effect in self.effects)

    def at(self, times_ms: np.ndarray) -> np.ndarray:
        """Return its values at times from the end of the warm-up."""
        return scale(self.effects, tuple(course.at(times_ms) for course in self.lowered.courses))


@dataclass(frozen=True)
class Heard:
    """What is heard of computed levels: a function of all of them."""

    computed: Computed
    function: Callable[[tuple[Any, ...]], Any]
    #: It is played from the start on.
    is_constant = False


class Ahead(Player):
    """A player of computed levels: it plays the changes of a window and of the step after it."""

    def play(self, nest: Any, lowered: LoweredCircuit, first: int, stop: int, lag: int) -> None:
        """Schedule the changes after step ``first``, whose level was played before."""
        values = self.course.function(self.course.computed.between(first, stop))
        changed = np.flatnonzero(np.diff(values)) + 1
        if self.generator is None:
            self.connect(nest, lowered)
        when = (first + changed + lag) * lowered.dt
        self.generator.set(spike_times=np.round(when, 6), spike_weights=values[changed])
