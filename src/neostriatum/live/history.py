"""What was done since the start, line by line, and the moments that one can go back to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from neostriatum.recording.checked import EventEntry
from neostriatum.recording.record import spelled

if TYPE_CHECKING:
    import numpy as np

    from neostriatum.circuit.model import Circuit

#: Moments that are kept in memory, and bytes of them; older lines stay, but nobody can go back to
#: them. A state with the weights of millions of synapses is large.
KEPT, KEPT_BYTES = 30, 400_000_000


@dataclass(frozen=True)
class Moment:
    """Where a simulation stood: all that its future depends on, and where the knobs stood."""

    step: int
    circuit: Circuit
    state: dict[str, np.ndarray]
    values: dict[str, float | None]

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return sum(array.nbytes for array in self.state.values())


@dataclass
class Line:
    """One line of the log: changes of the same knobs that followed each other closely."""

    number: int
    label: str
    events: list[EventEntry]
    #: Where the simulation stood before the first of them.
    before: Moment | None
    step: int

    def to_dict(self, dt_ms: float) -> dict[str, Any]:
        """Return the line as a page shows it."""
        last: dict[str, str] = {}
        for event in self.events:
            last |= event.set
        return {"number": self.number, "label": self.label, "step": self.step,
                "time_ms": round(self.step * dt_ms, 6), "set": last,
                "events": len(self.events), "back": self.before is not None}


@dataclass
class History:
    """The lines of a session, in the order of time."""

    lines: list[Line] = field(default_factory=list)
    _number: int = 0

    @property
    def events(self) -> list[EventEntry]:
        """Every change that was applied, in the order of time."""
        return [event for line in self.lines for event in line.events]

    def open(self, step: int, label: str, before: Moment | None) -> Line:
        """Begin a line."""
        self._number += 1
        line = Line(self._number, label, [], before, step)
        self.lines.append(line)
        size, count = 0, 0
        for old in reversed(self.lines):
            if old.before is None:
                continue
            size, count = size + old.before.size, count + 1
            if count > KEPT or (count > 1 and size > KEPT_BYTES):
                old.before = None
        return line

    def add(self, line: Line, step: int, changes: dict[str, Any], note: str) -> None:
        """Add a change to a line; one of the same step and keys takes the place of the last."""
        entry = EventEntry(step=step, note=note, set={
            key: spelled(value) for key, value in changes.items()})
        line.events.append(entry)

    def back(self, number: int) -> Moment | None:
        """Drop a line and all after it; return the moment before it, None where none is kept."""
        place = next((n for n, line in enumerate(self.lines) if line.number == number), None)
        if place is None or (moment := self.lines[place].before) is None:
            return None
        del self.lines[place:]
        return moment
