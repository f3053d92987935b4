"""Put an electrode into one cell and measure what a protocol of current clamp measures."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.card import Card, Carded, Fold
from neostriatum.circuit.clock import run_steps
from neostriatum.circuit.modulator import DOPAMINE
from neostriatum.circuit.resolve import Changes, resolve
from neostriatum.engines.base import DEFAULT
from neostriatum.errors import CircuitError, shown
from neostriatum.experiments.cell import currents_of
from neostriatum.experiments.isolate import known_type
from neostriatum.experiments.protocols.burst_pause import burst_pause
from neostriatum.experiments.protocols.electrode import Electrode, check_current
from neostriatum.experiments.protocols.fi import fi
from neostriatum.experiments.protocols.latency import latency
from neostriatum.experiments.protocols.outcome import Asked, Outcome
from neostriatum.experiments.protocols.rebound import rebound
from neostriatum.experiments.protocols.rheobase import rheobase
from neostriatum.experiments.protocols.rin import rin
from neostriatum.keywords import keywords_of
from neostriatum.units import quantity

if TYPE_CHECKING:
    from collections.abc import Callable

    from neostriatum.circuit.model import Circuit

#: By name: the function, and what of current, sweep and duration it takes.
PROTOCOLS: dict[str, tuple[Callable[[Electrode, Asked], Outcome], tuple[str, ...]]] = {
    "rheobase": (rheobase, ("duration",)),
    "fi": (fi, ("sweep", "duration")),
    "rin": (rin, ("current", "duration")),
    "latency": (latency, ("sweep", "duration")),
    "rebound": (rebound, ("sweep", "duration")),
    "burst-pause": (burst_pause, ("current",)),
}


@dataclass(frozen=True, repr=False)
class ProtocolResult(Carded):
    """What a protocol measured: ``values`` by name, and ``table`` by column."""

    cell: str
    circuit: str
    protocol: str
    engine: str
    dopamine: dict[str, float]
    modulators: dict[str, float]
    dt_ms: float
    hold_pa: float
    v_peak_mv: float | None
    outcome: Outcome

    @property
    def values(self) -> dict[str, float | None]:
        """The numbers by name, their units at the end of the names."""
        return self.outcome.values

    @property
    def table(self) -> dict[str, list[Any]]:
        """The columns by name; None where a cell does not fire."""
        return self.outcome.table

    def card(self) -> Card:
        """Return what it says of itself."""
        columns = tuple(self.table)
        rows = [tuple("" if value is None else f"{value:g}" for value in row)
                for row in zip(*self.table.values(), strict=True)]
        return Card(f"{self.protocol} of {self.cell}, {self.circuit}",
                    [(name, "not there" if value is None else f"{value:g}")
                     for name, value in self.values.items()], (Fold("table", columns, rows),))

    def to_dict(self) -> dict[str, Any]:
        """Return what ``neostriatum cell --protocol --json`` prints."""
        return {"cell": self.cell, "circuit": self.circuit, "protocol": self.protocol,
                "engine": self.engine, "dopamine": self.dopamine, "dt_ms": self.dt_ms,
                "hold_pa": self.hold_pa, "values": self.values, "table": self.table}


@dataclass(frozen=True)
class Stimulus:
    """What `protocol` lets the user set of a stimulus."""

    current: Any = None
    sweep: Any = None
    duration: Any = None
    hold: Any = "0 pA"
    start: dict[str, Any] | None = None

    def asked(self, kind: str, circuit: Circuit) -> Asked:
        """Return currents and duration in numbers.

        Raises
        ------
        CircuitError
            Something that the protocol does not take.
        """
        takes = PROTOCOLS[kind][1]
        for key in ("current", "sweep", "duration"):
            if getattr(self, key) is not None and key not in takes:
                msg = (f"{key}: protocol {kind} takes {' and '.join(takes)} alone "
                       f"(got {shown(getattr(self, key))}). Leave it out")
                raise CircuitError(msg)
        return Asked(
            None if self.current is None else _current("current", self.current),
            None if self.sweep is None else currents_of(None, self.sweep),
            None if self.duration is None else (
                run_steps(circuit, self.duration) * circuit.dt.value))


@keywords_of(Stimulus, Changes)
def protocol(name: str, kind: str, *, circuit: Any = "striatum", engine: str | None = None,
             **options: Any) -> ProtocolResult:
    """Measure one isolated cell by a protocol of current clamp, on an engine.

    Parameters
    ----------
    name : str
        Cell type or one of its aliases.
    kind : str
        ``"rheobase"``, ``"fi"``, ``"rin"``, ``"latency"``, ``"rebound"`` or ``"burst-pause"``.
    circuit : str, Path, dict or Circuit
        Where the cell comes from.
    engine : str, optional
        Engine to use; the fast one unless given.
    **options
        ``current``, the step of ``rin`` or the pulses of ``burst-pause``; ``sweep``, the steps of
        ``fi`` and ``rebound``, of ``latency`` those above the rheobase; ``duration`` of a step;
        ``hold``, a current all the time; ``start``, values of states, ``{"v": "-50 mV"}``;
        dt, dopamine, d1, d2, overlay, changes as in `run`.

    Returns
    -------
    ProtocolResult
        Numbers, table and responses.

    Raises
    ------
    CircuitError
        Unknown type or protocol, something that the protocol does not take, a cell that fires where
        it must be silent, or is silent where it must fire.

    Examples
    --------
    >>> import neostriatum as ns
    >>> made = ns.protocol("dSPN", "rheobase", circuit="humphries2009")
    >>> round(made.values["rheobase_pa"])
    282
    """
    if kind not in PROTOCOLS:
        msg = f"protocol: must be one of {', '.join(PROTOCOLS)} (got {shown(kind)})"
        raise CircuitError(msg)
    own = {each.name for each in fields(Stimulus)}
    stimulus = Stimulus(**{key: value for key, value in options.items() if key in own})
    whole = resolve(circuit, Changes(**{key: value for key, value in options.items()
                                        if key not in own}))
    name, engine = known_type(whole, name), engine or DEFAULT
    asked, hold = stimulus.asked(kind, whole), _current("hold", stimulus.hold)
    check_current(abs(hold))
    electrode = Electrode(whole, name, engine, hold, dict(stimulus.start or {}))
    outcome = PROTOCOLS[kind][0](electrode, asked)
    levels = whole.levels_at(0.0)
    return ProtocolResult(name, whole.name, kind, engine,
                          {key: levels[level] for level, key in DOPAMINE.items()}, levels,
                          whole.dt.value, electrode.hold_pa, whole.cells[name].peak_mv, outcome)


def _current(where: str, raw: Any) -> float:
    try:
        return float(np.float64(quantity(raw, "pA")))
    except ValueError as error:
        msg = f"{where}: {error} (got {shown(raw)})"
        raise CircuitError(msg) from None
