"""The phases of a trial, in whole steps."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from neostriatum.circuit.clock import whole_steps
from neostriatum.errors import CircuitError, shown
from neostriatum.units import quantity


@dataclass(frozen=True)
class Phases:
    """How long the phases of a trial last [ms].

    The cue is on from the end of ``before`` to the end of ``action``. In ``choice`` the readout
    looks at the spikes; in ``action`` the channel that was chosen is driven and the others are
    held down. The outcome comes ``delay`` after that, and ``after`` it the trial lasts on:
    ``burst`` and ``dip`` are the lengths of what dopamine does there.
    """

    before: float = 100.0
    choice: float = 500.0
    action: float = 400.0
    delay: float = 200.0
    after: float = 500.0
    burst: float = 200.0
    dip: float = 400.0

    @classmethod
    def of(cls, given: dict[str, Any] | None, dt_ms: float) -> Phases:
        """Return phases with some of them given, as quantities or numbers [ms].

        Raises
        ------
        CircuitError
            An unknown phase, one that is no whole number of steps, or dopamine that outlasts a
            trial.
        """
        known = [each.name for each in fields(cls)]
        values = {}
        for key, value in (given or {}).items():
            if key not in known:
                msg = f"phases: unknown (got {shown(key)}). Known: {', '.join(known)}"
                raise CircuitError(msg)
            try:
                values[key] = float(value) if isinstance(value, (int, float)) \
                    and not isinstance(value, bool) else quantity(value, "ms")
            except ValueError as error:
                msg = f"phases.{key}: {error} (got {shown(value)})"
                raise CircuitError(msg) from None
        phases = cls(**values)
        phases._check(dt_ms)
        return phases

    def _check(self, dt_ms: float) -> None:
        for key, value in asdict(self).items():
            shortest = 0.0 if key in ("before", "action", "delay") else dt_ms
            if not shortest <= value <= 600_000:
                msg = (f"phases.{key}: must be from {shortest:g} ms to 600 s (got {value:g} ms)")
                raise CircuitError(msg)
            try:
                whole_steps(f"phases.{key}", value, dt_ms)
            except ValueError as error:
                raise CircuitError(str(error)) from None
        for key in ("burst", "dip"):
            if getattr(self, key) > self.after:
                msg = (f"phases.after: must be at least the {key} of dopamine, "
                       f"{getattr(self, key):g} ms (got {self.after:g} ms)")
                raise CircuitError(msg)

    @property
    def trial(self) -> float:
        """Length of a trial [ms]."""
        return self.before + self.choice + self.action + self.delay + self.after

    def to_dict(self) -> dict[str, float]:
        """Return the lengths [ms]."""
        return asdict(self)
