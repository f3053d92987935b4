"""The circuit that a command or a call asks for: one that is named, and what is changed on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from neostriatum.circuit.load import load, overlay_names
from neostriatum.errors import CircuitError, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from neostriatum.circuit.model import Circuit


@dataclass
class Changes:
    """What is changed on a circuit: overlays, single values, the step, and dopamine.

    Overlays may be given in several ways and are a tuple of texts here.

    Raises
    ------
    CircuitError
        An option of another kind.
    """

    overlay: Any = ()
    changes: Mapping[str, Any] = field(default_factory=dict)
    dt: Any = None
    dopamine: float | None = None
    d1: float | None = None
    d2: float | None = None

    def __post_init__(self) -> None:
        self.overlay = tuple(overlay_names(self.overlay))
        try:
            self.changes = dict(self.changes or {})
        except (TypeError, ValueError):
            msg = f"changes: must be a table of keys and values (got {shown(self.changes)})"
            raise CircuitError(msg) from None

    def values(self) -> dict[str, Any]:
        """Return the values at dotted paths that are replaced once the overlays are applied."""
        values = dict(self.changes)
        if self.dt is not None:
            values["dt"] = self.dt
        for key in ("d1", "d2"):
            own = getattr(self, key)
            level = own if own is not None else self.dopamine
            if level is not None:
                values[f"dopamine.{key}"] = level
        return values


def resolve(circuit: Any, changes: Changes) -> Circuit:
    """Return a circuit with overlays, values, step and dopamine changed.

    Parameters
    ----------
    circuit : str, Path, dict or Circuit
        What to begin with.
    changes : Changes
        What is put on top.

    Raises
    ------
    CircuitError
        Anything that the circuit refuses.
    """
    return load(circuit, overlay=changes.overlay, changes=changes.values())
