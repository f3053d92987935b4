"""What was done during a run, as its record keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.recording.record import spelled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neostriatum.circuit.model import Circuit
    from neostriatum.recording.store import Run

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


def circuits_at(run: Run, times_ms: np.ndarray) -> Iterator[tuple[Circuit, slice]]:
    """Yield the circuits that hold at the times of samples, and the samples of each.

    A sample at t is the state at the start of the step at t, to which an event at t belongs.
    """
    starts = [step for step, _ in run.circuits]
    places = np.searchsorted(np.rint(times_ms / run.dt_ms), starts).tolist()
    for (_, circuit), rows in zip(run.circuits, pairwise([*places, len(times_ms)]), strict=True):
        if rows[0] < rows[1]:
            yield circuit, slice(*rows)
