"""Synapses that learn, in NEST: compiled from `learning.cpp`, told before every stretch what comes.

The synapses of a pathway share the table of `engines.learning`, which is made here as far as the
level is known, and what their axons release. At a flush the axons fire once more, which brings
every synapse up to date. So weights have the bits of the reference.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.engines.nest_engine.cell import LAG, port
from neostriatum.engines.quantum import QUANTUM
from neostriatum.engines.synapses import Synapses
from neostriatum.ranks import gathered, launched, rank

if TYPE_CHECKING:
    from neostriatum.engines.lowered import LoweredCircuit
    from neostriatum.engines.nest_engine.computed import Computed
    from neostriatum.engines.nest_engine.shape import Form


def learning_text(exponentials: int) -> str:
    """Return the C++ text of a synapse whose eligibility is made of 1 or 2 exponentials."""
    text = Path(__file__).with_name("learning.cpp").read_text("utf-8")
    return text.replace("PARTS", str(exponentials))


def synapse_name(number: int) -> str:
    """Return the name of the synapse model of a pathway that learns."""
    return f"pathway_{number}"


def amounts(lowered: LoweredCircuit, number: int) -> dict[str, Any]:
    """Return what a spike adds by receptor, as the synapses are told it."""
    return {"amounts": np.array([weight for _, weight in lowered.projections[number].weights])}


def shared_numbers(lowered: LoweredCircuit, number: int, form: Form) -> dict[str, Any]:
    """Return what all synapses of a pathway that learns have in common."""
    one = lowered.projections[number]
    learning: Any = one.learning
    left, left_pre, left_post = learning.flushed
    receivers = [port(form, f"in{receptor}") for receptor, _ in one.weights]
    return amounts(lowered, number) | {
        "lag": LAG, "flush": learning.flush, "soft": learning.soft, "grain": 1.0 / QUANTUM,
        "bounds": learning.bounds, "ports": np.array(receivers) - receivers[0],
        "adds_plus": learning.adds_plus.ravel(), "adds_minus": learning.adds_minus.ravel(),
        "pre_rises": learning.pre_rises, "post_rises": learning.post_rises, "left": left,
        "left_pre": left_pre, "left_post": left_post, "weight": learning.start}


class Learner:
    """A pathway that learns, beside its synapses: its table, what is released, recent spikes.

    Parameters
    ----------
    nest : module
        NEST.
    lowered : LoweredCircuit
        The lowered circuit.
    number : int
        That of the projection.
    """

    def __init__(self, nest: Any, lowered: LoweredCircuit, number: int) -> None:
        self._nest, self.lowered, self.number = nest, lowered, number
        self._about = lowered.projections[number]
        sources = lowered.sources(self._about.source)
        self._table = np.zeros((len(self._learning.taus), 2, self._learning.flush + 1))
        #: Steps and local ids of the spikes of the target since the last flush.
        self._spikes = np.zeros((2, 0), np.int64)
        if self._about.stp:
            self._states, self._last = self._about.stp.begin(sources), np.zeros(sources, np.int64)
            #: Of what has not arrived: source and step of arrival, and how much is released.
            self._arrivals, self._released = np.zeros((2, 0), np.int64), np.zeros(0)

    @property
    def _learning(self) -> Any:
        return self._about.learning

    @property
    def source(self) -> int:
        """The number of its population of axons."""
        return self._about.source - len(self.lowered.populations)

    def change(self, lowered: LoweredCircuit) -> None:
        """Go on with other numbers; what arrives from now on has the new conductances."""
        self.lowered, self._about = lowered, lowered.projections[self.number]
        self._tell(amounts(lowered, self.number))

    def release(self, step: int, when: np.ndarray, who: np.ndarray) -> None:
        """Tell the synapses what spikes of axons from ``step`` on release when they arrive."""
        stp = self._about.stp
        if not stp:
            return
        order = np.lexsort((when, who))
        when, who = when[order], who[order]
        released = np.zeros(len(who))
        # The first spikes of all axons, then the second ones, and so on.
        place = np.arange(len(who)) - np.searchsorted(who, who)
        for turn in range(int(place.max(initial=-1)) + 1):
            now = place == turn
            released[now] = stp.fire(self._states, self._last, who[now], when[now])
        waiting = self._arrivals[1] >= step
        arrivals = np.concatenate([self._arrivals[:, waiting],
                                   np.stack([who, when + self._learning.delay])], axis=1)
        released = np.concatenate([self._released[waiting], released])
        order = np.lexsort((arrivals[1], arrivals[0]))
        self._arrivals, self._released = arrivals[:, order], released[order]
        first = np.searchsorted(self._arrivals[0], np.arange(len(self._last) + 1))
        self._tell({"first": first, "when": self._arrivals[1], "released": self._released})

    def halt(self, step: int) -> int:
        """Return the step of the next flush."""
        return step - step % self._learning.flush + self._learning.flush

    def go_on(self, first: int, stop: int, computed: Computed | None) -> None:
        """Go on with the table over steps up to ``stop``, no flush between, and tell it."""
        learning, now = self._learning, first % self._learning.flush
        count = stop - first
        if now == 0:
            self._table[..., 0] = 0.0
        if computed:
            levels: Any = computed.between(first, stop - 1)
            level, gate = levels[learning.level], levels[learning.gate]
        else:
            times, courses = self.lowered.time_ms(np.arange(first, stop)), self.lowered.courses
            level, gate = (courses[each].at(times) for each in (learning.level, learning.gate))
        factors = learning.factors(np.broadcast_to(level, (count,)))
        for part, gain in enumerate(learning.gains):
            for sign, factor in enumerate(factors):
                each = gain * factor
                if learning.gate >= 0:
                    each = each * gate
                more = each * learning.falls[part, now : now + count]
                row = self._table[part, sign]
                row[now : now + count + 1] = np.cumsum(np.concatenate([row[now : now + 1], more]))
        stretch = self._table[..., now : now + count + 1].ravel()
        self._tell({"period": first // learning.flush, "place": now, "stretch": stretch})

    def note(self, stop: int, steps: np.ndarray, ids: np.ndarray) -> None:
        """Note spikes before ``stop``, global ids, and forget those before the last flush."""
        pop = self.lowered.populations[self._about.target]
        mine = (ids >= pop.offset) & (ids < pop.offset + pop.n)
        spikes = np.concatenate([self._spikes, np.stack([steps[mine], ids[mine] - pop.offset])],
                                axis=1)
        self._spikes = spikes[:, spikes[0] >= self._begin(stop)]

    def _begin(self, step: int) -> int:
        """Return the step of the last flush that was done when a step begins."""
        return (step - 1) // self._learning.flush * self._learning.flush if step else 0

    def weights(self, step: int) -> np.ndarray:
        """Return all weights as they are when a step begins, on rank 0; none on the others."""
        one, lowered = self._about, self.lowered
        keys = ["source", "target", "weight", "pre", "last",
                *(f"{sign}{part}" for sign in ("plus", "minus") for part in range(
                    len(self._learning.taus)))]
        there = self._nest.GetConnections(synapse_model=synapse_name(self.number))
        numbers = there.get(keys) if len(there) else {key: [] for key in keys}
        rows = np.stack([np.atleast_1d(np.asarray(numbers[key], float)) for key in keys], axis=1)
        if launched() > 1:
            rows = gathered(rows)
            if rank():
                return np.zeros(0)
        sources = np.repeat(np.arange(len(one.offsets) - 1), np.diff(one.offsets))
        # NEST keeps its synapses in another order; those of one pair are alike in all but factors.
        mine = np.lexsort((one.targets, sources))
        columns = rows[np.lexsort((rows[:, 1], rows[:, 0]))][np.argsort(mine)].T
        held = Synapses(one, lowered.sources(one.source), lowered.populations[one.target].n)
        held.weights, held.table = columns[2], self._table
        held.pre[sources] = columns[3]
        held.last[sources] = columns[4] - self._begin(step)
        held.plus, held.minus = np.split(columns[5:], 2)
        when, who = self._spikes[:, np.lexsort(self._spikes)]
        place = np.arange(len(who)) - np.searchsorted(who, who)
        held.counts = np.bincount(who, minlength=len(held.counts))
        held.spikes = np.zeros((len(held.counts), int(held.counts.max(initial=0))), np.int64)
        held.spikes[who, place] = when - self._begin(step)
        return held.now(step)

    def _tell(self, numbers: dict[str, Any]) -> None:
        """Set what all synapses share."""
        self._nest.SetDefaults(synapse_name(self.number), numbers)
