"""What a session sets while a trial goes on, as events: rates, currents and levels in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from neostriatum.circuit.modulator import DOPAMINE
from neostriatum.errors import CircuitError, shown
from neostriatum.learning.knobs import tonic
from neostriatum.learning.tasks.circuit import EFFERENCE
from neostriatum.units import text

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit
    from neostriatum.learning.knobs import Knobs
    from neostriatum.learning.phases import Phases


@dataclass(frozen=True)
class Drive:
    """Turns what happens in a trial into new values of the circuit.

    ``efference`` is the rate of the axons that tell what was chosen [Hz], ``inhibition`` the
    current into the channels that were not [pA].
    """

    circuit: Circuit
    channels: tuple[str, ...]
    populations: tuple[str, ...]
    types: tuple[str, ...]
    phases: Phases
    knobs: Knobs
    efference: float
    inhibition: float

    def __post_init__(self) -> None:
        for name in self.populations:
            if name not in self.circuit.axons:
                known = ", ".join(self.circuit.axons) or "none"
                self._refuse(f"axons.{shown(name)}: must be there, as the encoder sets its rate. "
                             f"Known: {known}")
            self._base(name, None)
        if self.efference:
            if EFFERENCE not in self.circuit.axons:
                self._refuse(f"axons.{EFFERENCE}: must be there for an efference copy. Add them, "
                             "or give efference 0 Hz")
            for channel in self.channels:
                self._base(EFFERENCE, channel)
        for row in self.knobs.stimulate:
            if row["channel"] not in self.channels or row["type"] not in self.types:
                self._refuse("stimulate: must name a channel of an action and a type of the "
                             f"readout (got {shown(row['channel'])}, {shown(row['type'])}). Known: "
                             f"{', '.join(self.channels)}; {', '.join(self.types)}")
        if self.inhibition or self.knobs.stimulate:
            for channel in self.channels:
                for cell in self.types:
                    self._check_electrode(channel, cell)
        for name in DOPAMINE:
            tonic(self.circuit, name)

    def cue(self, start_ms: float, rates: dict[str, float]) -> dict[str, Any]:
        """Return the rates of the cue, and the currents of stimulated cells, of a trial."""
        on = start_ms + self.phases.before
        off = on + self.phases.choice + self.phases.action
        changes = {f"axons.{name}.rate": _pulse(self._base(name, None), rate, on, off, "Hz")
                 for name, rate in rates.items()}
        return changes | self._currents("choice", on, on + self.phases.choice, {})

    def action(self, start_ms: float, chosen: int | None) -> dict[str, Any]:
        """Return the efference copy and what holds down the other channels."""
        stop = start_ms + self.phases.action
        if not self.phases.action:
            return {}
        changes, held = {}, {}
        for number, channel in enumerate(self.channels):
            if number == chosen:
                if self.efference:
                    base = self._base(EFFERENCE, channel)
                    changes[f"axons.{EFFERENCE}.channels.{channel}.rate"] = _pulse(
                        base, self.efference, start_ms, stop, "Hz")
            else:
                held[channel] = self.inhibition
        return changes | self._currents("action", start_ms, stop, held)

    def outcome(self, start_ms: float, delta: float) -> dict[str, Any]:
        """Return the levels of dopamine after an outcome: a burst, a dip, or nothing."""
        if delta == 0:
            return {}
        length = self.phases.burst if delta > 0 else self.phases.dip
        changes = {}
        for name in DOPAMINE:
            level = tonic(self.circuit, name)
            peak = level + (1 - level) * delta if delta > 0 else level * (1 + delta)
            peak = self.knobs.held(name, peak)
            if peak != level:
                changes[f"modulators.{name}.level"] = _pulse(
                    level, round(peak, 12), start_ms, start_ms + length, "1")
        return changes

    def rehearsal(self) -> list[dict[str, Any]]:
        """Return one of each kind of event, for an engine to refuse before it starts."""
        rates = dict.fromkeys(self.populations, 1.0)
        events = [self.cue(0.0, rates), self.action(0.0, 0), self.outcome(0.0, 0.5)]
        return [event for event in events if event]

    def _currents(self, phase: str, start_ms: float, stop_ms: float,
                  held: dict[str, float]) -> dict[str, Any]:
        changes = {}
        for channel in self.channels:
            for cell in self.types:
                current = held.get(channel, 0.0) + self.knobs.current(channel, cell, phase)
                if current:
                    changes[f"inputs.{channel}.targets.{cell}.current"] = _pulse(
                        0.0, current, start_ms, stop_ms, "pA")
        return changes

    def _base(self, name: str, channel: str | None) -> float:
        axons = self.circuit.axons[name]
        where, rate = f"axons.{name}.rate", axons.rate
        if channel is not None:
            where = f"axons.{name}.channels.{channel}"
            if channel not in axons.channels:
                self._refuse(f"{where}: must be there, as the channel is an action")
            rate = axons.channels[channel].rate or axons.rate
        if rate is None or rate.constant is None:
            self._refuse(f"{where}: must be constant where a session sets it")
        return float(rate.constant.value)

    def _check_electrode(self, channel: str, cell: str) -> None:
        targets = self.circuit.inputs[channel].targets if channel in self.circuit.inputs else {}
        entry = targets.get(cell)
        if entry is None or entry.current is None or entry.channel != channel:
            self._refuse(f"inputs.{channel}.targets.{cell}.current: must be there, with channel "
                         f'"{channel}", to inhibit what was not chosen. Add it, or give '
                         "inhibition 0 pA")

    def _refuse(self, rule: str) -> NoReturn:
        msg = f"{self.circuit.name}: {rule}"
        raise CircuitError(msg)


def _pulse(base: float, peak: float, start_ms: float, stop_ms: float, unit: str) -> dict[str, Any]:
    values = (base, peak) if unit == "1" else (text(base, unit), text(peak, unit))
    return {"pulse": {"base": values[0], "peak": values[1],
                      "start": text(round(start_ms, 9), "ms"),
                      "stop": text(round(stop_ms, 9), "ms")}}
