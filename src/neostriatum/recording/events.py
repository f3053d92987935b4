"""What was done during a run, as its record keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from neostriatum.recording.record import spelled

#: What a file of events is called inside.
FORMAT = "neostriatum-events/1"


@dataclass(frozen=True)
class Event:
    """Values of a circuit that changed at the start of a step."""

    #: Step and time [ms] from the end of the warm-up.
    step: int
    time_ms: float
    #: New values by dotted path, as `Circuit.replace` takes them.
    changes: dict[str, Any]
    note: str = ""

    @property
    def label(self) -> str:
        """The note, or what changed, in one line of printable characters.

        Examples
        --------
        >>> Event(100, 10.0, {"modulators.D1.level": 0.8}).label
        'modulators.D1.level 0.8'
        """
        text = self.note or ", ".join(f"{key} {value}" for key, value in self.changes.items())
        return " ".join("".join(x if x.isprintable() else " " for x in text).split())

    @property
    def spelled(self) -> dict[str, str]:
        """The new values by path, as ``--set`` takes them.

        Examples
        --------
        >>> Event(0, 0.0, {"dopamine.d1": 0.8, "receptors.AMPA.tau": "5 ms"}).spelled
        {'dopamine.d1': '0.8', 'receptors.AMPA.tau': '5 ms'}
        """
        return {key: spelled(value) for key, value in self.changes.items()}
