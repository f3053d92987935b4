"""What a protocol returns: numbers, a table, responses to draw, and how its table is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.errors import CircuitError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neostriatum.experiments.protocols.electrode import Electrode, Response

#: Currents that are injected side by side in one step of a search.
AT_ONCE = 17
#: Widest that the search for a rheobase leaves open [pA].
PRECISION_PA = 0.05
#: Strongest currents of its steps, tried one after another [pA].
LADDER_PA = (1000.0, 4000.0, 16000.0)


@dataclass(frozen=True)
class Panel:
    """Columns of a table against one of them: ``ys`` has the label of each."""

    x: str
    x_label: str
    ys: dict[str, str]
    y_label: str
    log: bool = False


@dataclass(frozen=True)
class Outcome:
    """Numbers by name, a table by column, responses with a label each, and panels."""

    values: dict[str, float | None]
    table: dict[str, list[Any]]
    responses: list[tuple[str, Response]]
    panels: tuple[Panel, ...]
    #: Whether each response is drawn in a row of its own.
    stacked: bool = False


@dataclass(frozen=True)
class Asked:
    """What the user set of a protocol: a current, several, a duration [ms]; None is its own."""

    current_pa: float | None = None
    currents_pa: np.ndarray | None = None
    duration_ms: float | None = None


def rheobase_of(electrode: Electrode, pulse_ms: float) -> float:
    """Return the smallest step of this length that makes a cell at rest fire [pA].

    Raises
    ------
    CircuitError
        No step does.
    """
    low = 0.0
    for high in LADDER_PA:
        fires, currents = _fires(electrode, low, high, pulse_ms)
        if fires.any():
            break
        low = high
    else:
        msg = f"{electrode.cell}: no step of {pulse_ms:g} ms makes it fire (got up to {high:g} pA)"
        raise CircuitError(msg)
    while True:
        first = int(np.argmax(fires))
        low, high = float(currents[max(first - 1, 0)]), float(currents[first])
        if high - low <= PRECISION_PA:
            return high
        fires, currents = _fires(electrode, low, high, pulse_ms)


def _fires(electrode: Electrode, low: float, high: float,
           pulse_ms: float) -> tuple[np.ndarray, np.ndarray]:
    currents = np.linspace(low, high, AT_ONCE)
    responses = electrode.steps(currents, pulse_ms)
    return np.array([len(response.spikes_ms) > 0 for response in responses]), currents


def first(spikes_ms: np.ndarray) -> float | None:
    """Return the first spike [ms], None without one."""
    return round(float(spikes_ms[0]), 6) if len(spikes_ms) else None


def named(responses: Sequence[Response]) -> list[tuple[str, Response]]:
    """Return responses to steps, each with its current as a label."""
    return [(f"{response.current_pa:.4g} pA", response) for response in responses]
