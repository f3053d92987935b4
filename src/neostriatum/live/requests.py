"""What is asked of a session from other threads, kept until its next window begins."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from neostriatum.errors import CircuitError, shown
from neostriatum.live.lessons import Part, lesson
from neostriatum.live.pace import FASTEST, SLOWEST, Pace

if TYPE_CHECKING:
    from neostriatum.live.knobs import Knob


class Requests(ABC):
    """Requests that are checked where they are made, and followed by the thread of a session."""

    #: What a circuit that learns can be told, by name.
    lessons: dict[str, list[Part]]

    @property
    @abstractmethod
    def knobs(self) -> dict[str, Knob]:
        """The knobs by name."""

    @property
    @abstractmethod
    def cells(self) -> int:
        """Cells in all; 0 before they are placed."""

    def __init__(self) -> None:
        self.pace = Pace()
        #: Whether it is to go on, and whether anybody looks.
        self.playing, self.seen = True, False
        self._wanted: dict[str, float | None] = {}
        self._label = ""
        self._orders: list[tuple[str, Any]] = []
        self._wake = threading.Condition()

    @abstractmethod
    def tell(self) -> None:
        """Publish how things stand."""

    def turn(self, values: Any, label: str = "") -> None:
        """Ask for new values of knobs by name; the newest wins until the next window begins.

        Raises
        ------
        CircuitError
            No such knob, or a value out of its bounds.
        """
        wanted = self._checked(values)
        with self._wake:
            self._wanted |= wanted
            self._label = label or self._label
            self._wake.notify()

    def pulse(self, name: Any, factor: Any, length_ms: Any) -> None:
        """Ask for a knob to be multiplied for a time, and to be put back to where it stands then.

        Raises
        ------
        CircuitError
            No such knob, a computed level, or a value out of bounds.
        """
        knob = self._knob(name)
        if knob.group != "Input":
            msg = f"{knob.name}: only a rate can have a pulse (got {knob.group}). Turn it instead"
            raise CircuitError(msg)
        for what, value, most in (("factor", factor, 20.0), ("length_ms", length_ms, 2000.0)):
            if not isinstance(value, (int, float)) or not 0 < value <= most:
                msg = f"{what}: must be above 0, at most {most:g} (got {shown(value)})"
                raise CircuitError(msg)
        label = f"pulse {knob.label} x {factor:g}"
        self._order("parts", [Part(float(length_ms), label, factors={knob.name: float(factor)})])

    def teach(self, name: Any) -> None:
        """Ask for a burst of dopamine, a dip, or a reward.

        Raises
        ------
        CircuitError
            No such lesson, or a circuit that does not learn.
        """
        self._order("parts", lesson(name, self.lessons))

    def play(self, playing: bool) -> None:
        """Go on, or pause."""
        with self._wake:
            self.playing = bool(playing)
            self.pace.restart()
            self._wake.notify()
        self.tell()

    def step(self) -> None:
        """Simulate one window, then pause."""
        self._order("step")

    def show(self, seen: bool) -> None:
        """Say whether anybody looks; while nobody does nothing is simulated."""
        with self._wake:
            self.seen = seen
            self.pace.restart()
            self._wake.notify()

    def hurry(self, speed: Any) -> None:
        """Set how many times real time to go.

        Raises
        ------
        CircuitError
            Out of bounds.
        """
        if not isinstance(speed, (int, float)) or not SLOWEST <= speed <= FASTEST:
            msg = f"speed: must be from {SLOWEST:g} to {FASTEST:g} (got {shown(speed)})"
            raise CircuitError(msg)
        with self._wake:
            self.pace.speed = float(speed)
            self.pace.restart()
            self._wake.notify()
        self.tell()

    def watch(self, cell: Any) -> None:
        """Choose the cell whose potential is shown, by its global id.

        Raises
        ------
        CircuitError
            No such cell.
        """
        size = self.cells
        if not isinstance(cell, int) or isinstance(cell, bool) or not 0 <= cell < size:
            msg = f"cell: must be an id below {size} (got {shown(cell)})"
            raise CircuitError(msg)
        self._order("watch", cell)

    def back(self, number: Any) -> None:
        """Go back to the moment before a line of the log; what came after it is gone."""
        self._order("back", number)

    def mark(self) -> None:
        """Put a line into the log that one can go back to."""
        self._order("mark")

    def save(self) -> None:
        """Write the run folder and its events, and go on."""
        self._order("save")

    def _order(self, what: str, value: Any = None) -> None:
        with self._wake:
            if len(self._orders) < 100:
                self._orders.append((what, value))
            self._wake.notify()

    def _knob(self, name: Any) -> Knob:
        if not isinstance(name, str) or name not in self.knobs:
            msg = f"knob: must be one of the page's list (got {shown(name)})"
            raise CircuitError(msg)
        return self.knobs[name]

    def _checked(self, values: Any) -> dict[str, float | None]:
        if not isinstance(values, dict) or not values:
            msg = f"values: must be a table of knobs and values (got {shown(values)})"
            raise CircuitError(msg)
        return {name: self._knob(name).checked(value) for name, value in values.items()}
