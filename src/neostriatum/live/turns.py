"""What is changed while a simulation goes on: applied between two windows, kept line by line."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from neostriatum.errors import NeostriatumError
from neostriatum.live.history import History, Line, Moment

if TYPE_CHECKING:
    from collections.abc import Callable

    from neostriatum.live.knobs import Knob
    from neostriatum.live.lessons import Part
    from neostriatum.runs.loop import Loop

#: Changes of one knob that come this soon after each other are one line of the log [s].
TOGETHER_S = 1.0
#: Least wall time between two changes: at most 50 in a second [s].
APART_S = 0.02


class Turns:
    """The knobs of a run, where they stand, and every change of them.

    Parameters
    ----------
    known : dict
        The knobs by name.
    publish : callable
        Called with news.
    """

    def __init__(self, known: dict[str, Knob], publish: Callable[[Any], None]) -> None:
        self.knobs, self._publish = known, publish
        self.values = {name: knob.value for name, knob in known.items()}
        self.history = History()
        self._due: list[tuple[int, dict[str, float | None], str]] = []
        self._line: tuple[Line, frozenset[str], float] | None = None
        self._changed = 0.0

    @property
    def rested(self) -> bool:
        """Whether the last change is long enough ago for another one."""
        return time.monotonic() - self._changed >= APART_S

    def next_due(self, at: int, count: int) -> int:
        """Return how many of ``count`` steps may be simulated before something is due."""
        return min([count, *(step - at for step, _, _ in self._due if step > at)])

    def apply_due(self, loop: Loop) -> None:
        """Apply what is due at the step that comes next."""
        while self._due and self._due[0][0] <= loop.at:
            _, values, label = self._due.pop(0)
            self._line = None  # it is no part of a drag
            self.apply(loop, values, label)
            self._line = None

    def play(self, loop: Loop, parts: list[Part]) -> None:
        """Set knobs for a time, part after part; each goes back to where it stood.

        Where one is away already, that is where it stood before it went.
        """
        stood = dict(self.values)
        for _, values, _ in self._due:
            stood |= values
        mine = {name for part in parts for name in (*part.values, *part.factors)}
        at, due = loop.at, []
        back = {name: stood[name] for _, values, _ in self._due for name in values if name in mine}
        for part in parts:
            wanted: dict[str, float | None] = {**part.values, **{
                name: (stood[name] or 0.0) * factor for name, factor in part.factors.items()}}
            due.append((at, back | wanted, part.label))
            at += max(1, round(part.length_ms / loop.circuit.dt.value))
            back = {name: stood[name] for name in wanted}
        due.append((at, back, f"end of {parts[-1].label}"))
        self._due = [(step, kept, label) for step, values, label in self._due
                     if (kept := {name: one for name, one in values.items() if name not in mine})]
        self._due = sorted(self._due + due, key=lambda one: one[0])
        self.apply_due(loop)

    def apply(self, loop: Loop, values: dict[str, float | None], label: str = "") -> bool:
        """Change the circuit at the step that comes next; return whether it was accepted."""
        values = {name: value for name, value in values.items() if value != self.values[name]}
        if not values:
            return False
        changes = {key: value for name, wanted in values.items()
                   for key, value in self.knobs[name].changes(wanted).items()}
        fresh = self._fresh(frozenset(values))
        try:
            circuit = loop.circuit.replace(changes)
            before = self.moment(loop) if fresh else None
            loop.simulator.change(circuit)
        except NeostriatumError as error:
            self._publish({"kind": "refused", "text": " ".join(str(error).split())})
            return False
        loop.circuit = circuit
        label = label or self._label(values)
        self.values |= values
        line = self.history.open(loop.at, label, before) if fresh else self._go_on(label)
        self.history.add(line, loop.at, changes, label)
        self._changed = time.monotonic()
        self._line = (line, frozenset(values), self._changed)
        self._publish({"kind": "applied", "step": loop.at, "values": values,
                       "line": line.to_dict(loop.circuit.dt.value)})
        return True

    def _label(self, values: dict[str, float | None]) -> str:
        """Return what knobs do, once where they do the same."""
        moves: dict[str, list[str]] = {}
        for name, value in values.items():
            move = f"{_text(self.values[name])} → {_text(value)}"
            moves.setdefault(move, []).append(self.knobs[name].label)
        return ", ".join(f"{', '.join(labels)} {move}" for move, labels in moves.items())

    def _fresh(self, names: frozenset[str]) -> bool:
        """Whether a change begins a line of its own."""
        if self._line is None:
            return True
        _, former, when = self._line
        return former != names or time.monotonic() - when > TOGETHER_S

    def _go_on(self, label: str) -> Line:
        """Return the line that a drag belongs to, which now says where it led."""
        line = self._line[0]  # type: ignore[index]  # there is one
        first, last = line.label.partition(" → "), label.rpartition(" → ")
        line.label = f"{first[0]} → {last[2]}" if first[1] and last[1] else label
        return line

    def moment(self, loop: Loop) -> Moment:
        """Return where the simulation stands, to come back to it."""
        loop.writer.flush()
        return Moment(loop.at, loop.circuit, loop.simulator.state(), dict(self.values))

    def mark(self, loop: Loop, label: str) -> None:
        """Put a line into the log at which nothing changes."""
        self.history.open(loop.at, label, self.moment(loop))
        self._line = None
        self.tell(loop)

    def back(self, loop: Loop, number: Any) -> bool:
        """Go back to the moment before a line; return whether there is one."""
        moment = self.history.back(number)
        if moment is None:
            return False
        loop.simulator.change(moment.circuit)
        loop.simulator.restore(moment.state)
        loop.circuit, loop.at, self.values = moment.circuit, moment.step, dict(moment.values)
        loop.writer.back_to(moment.step)
        self._due, self._line = [], None
        if not self.history.lines:
            self.history.open(0, "start", self.moment(loop))
        self._publish({"kind": "branch", "step": loop.at, "values": self.values})
        self.tell(loop)
        return True

    def tell(self, loop: Loop) -> None:
        """Publish the whole log."""
        dt = loop.circuit.dt.value
        self._publish({"kind": "log", "lines": [one.to_dict(dt) for one in self.history.lines]})


def _text(value: float | None) -> str:
    return "free" if value is None else f"{value:.4g}"
