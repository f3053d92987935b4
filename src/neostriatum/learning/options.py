"""The options of a session, as a user gives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from neostriatum.errors import CircuitError, shown
from neostriatum.units import quantity, whole_number

#: Most trials of a session: an environment that never ends is ended by their number.
MOST = 100_000


@dataclass
class SessionOptions:
    """What a session does; lengths [ms], rates [Hz] and currents [pA] once it is made.

    Raises
    ------
    CircuitError
        A number that is none, out of range, or of another unit.
    """

    #: Of a shipped task or a factory.
    parameters: dict[str, Any] | None = None
    trials: int = 150
    encoder: Any = None
    #: By default disinhibition where channels divide the output of the circuit, else difference.
    readout: Any = None
    critic: Any = "V"
    phases: dict[str, Any] | None = None
    #: Rate of the axons that tell what was chosen [Hz].
    efference: Any = "8 Hz"
    #: Current into the channels that were not [pA].
    inhibition: Any = "-120 pA"
    limits: Any = None
    fixed: Any = ()
    stimulate: Any = field(default_factory=list)
    #: Trials between two snapshots of all weights.
    weights_every: int = 50

    def __post_init__(self) -> None:
        for key in ("parameters", "phases", "limits"):
            value = getattr(self, key)
            if value is not None and not isinstance(value, Mapping):
                msg = f"{key}: must be a dict of keys and values (got {shown(value)})"
                raise CircuitError(msg)
        for key in ("fixed", "stimulate"):
            value = getattr(self, key)
            if not (value is None or isinstance(value, (list, tuple))
                    or (key == "fixed" and isinstance(value, str))):
                msg = f"{key}: must be a list (got {shown(value)})"
                raise CircuitError(msg)
        self.trials = whole_number("trials", self.trials, 1, MOST)
        self.weights_every = whole_number("weights_every", self.weights_every, 1, MOST)
        self.efference = _measure("efference", self.efference, "Hz")
        self.inhibition = _measure("inhibition", self.inhibition, "pA")
        if self.efference < 0:
            msg = f"efference: must be 0 Hz or more (got {self.efference:g} Hz)"
            raise CircuitError(msg)

    @classmethod
    def of(cls, options: dict[str, Any]) -> tuple[SessionOptions, dict[str, Any]]:
        """Return the options of a session among others, and the others."""
        names = {each.name for each in fields(cls)}
        mine = {key: value for key, value in options.items() if key in names}
        return cls(**mine), {key: value for key, value in options.items() if key not in names}


def _measure(where: str, value: Any, unit: str) -> float:
    try:
        number = value if type(value) is float else quantity(value, unit)
    except ValueError as error:
        msg = f"{where}: {error} (got {shown(value)})"
        raise CircuitError(msg) from None
    if not np.isfinite(number):
        msg = f"{where}: must be finite (got {shown(value)})"
        raise CircuitError(msg)
    return float(number)
