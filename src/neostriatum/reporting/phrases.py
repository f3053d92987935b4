"""Numbers, quantities and time courses as a reader expects them.

In: values of a circuit. Out: short texts with the units of print, and where each comes from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neostriatum.circuit.value import Value

_UNITS = {"1": "", "um": "µm", "um/ms": "µm/ms", "1/ms": "ms⁻¹", "1/mm^3": "mm⁻³",
          "nS/mV^2": "nS/mV²"}


@dataclass(frozen=True)
class Said:
    """A text, and the source, certainty and note of the number in it."""

    text: str
    source: str | None = None
    how: str | None = None
    note: str | None = None


def number(value: float) -> str:
    """Return a number with at most six digits and a true minus.

    Examples
    --------
    >>> number(-80.0), number(0.4932502596), number(77520.0)
    ('−80', '0.49325', '77,520')
    """
    text = f"{value:,.0f}" if abs(value) >= 1e4 and value == round(value) else f"{value:.6g}"
    return text.replace("-", "−")


def amount(value: float, unit: str) -> str:
    """Return a number and its unit.

    Examples
    --------
    >>> amount(15.0, "um"), amount(0.01, "1/ms"), amount(0.3, "1")
    ('15 µm', '0.01 ms⁻¹', '0.3')
    """
    printed = printed_unit(unit)
    return f"{number(value)} {printed}" if printed else number(value)


def against_real_time(factor: float) -> str:
    """Return how fast a run was, from its wall time over the time that it simulated.

    Examples
    --------
    >>> against_real_time(0.12), against_real_time(25.0), against_real_time(0.0)
    ('8.3× faster', '25× slower', 'faster')
    """
    if not factor:
        return "faster"  # the time taken was too short to be measured
    times = max(factor, 1 / factor)
    said = f"{times:.0f}" if times >= 10 else f"{times:.1f}"
    return f"{said}\N{MULTIPLICATION SIGN} {'faster' if factor < 1 else 'slower'}"


def printed_unit(unit: str) -> str:
    """Return a unit as it is printed; nothing for a number without one."""
    return _UNITS.get(unit, unit)


def said(value: Value, unit: bool = True) -> Said:
    """Return a value of a circuit, with or without its unit."""
    text = amount(value.value, value.unit if unit else "1")
    return Said(text, value.source, value.how, value.note)


def course(what: Any) -> Said:
    """Return a time course in words.

    Examples
    --------
    >>> from neostriatum.circuit.load import load
    >>> course(load("striatum_v1").inputs["cortex"].targets["FS"].rate).text
    '2.3 Hz'
    """
    first, text = _course(what)
    source, how, note = (getattr(what, key) or getattr(first, key)
                         for key in ("source", "how", "note"))
    return Said(text, source, how, note)


def _course(what: Any) -> tuple[Value, str]:
    """Return the value that a course begins with, and the course in words."""
    def text(value: Any) -> str:
        return amount(value.value, value.unit)

    if what.constant is not None:
        return what.constant, text(what.constant)
    if what.sine is not None:
        wave = what.sine
        return wave.mean, (f"{text(wave.mean)} ± {text(wave.amplitude)}, sine of "
                           f"{text(wave.frequency)}")
    if what.table is not None:
        times, values = what.table.times, what.table.values
        return values[0], (f"table of {len(times)} points from {text(values[0])} at "
                           f"{text(times[0])} to {text(values[-1])} at {text(times[-1])}")
    if what.steps is not None:
        times, values = what.steps.times, what.steps.values
        return values[0], f"{len(times)} steps from {text(values[0])} to {text(values[-1])}"
    if what.square is not None:
        wave = what.square
        return wave.low, (f"{text(wave.low)} and {text(wave.high)}, square wave of "
                          f"{text(wave.frequency)}")
    shape = what.pulse or what.ramp
    window = f"{number(shape.start.value)} to {text(shape.stop)}"
    if what.pulse is not None:
        return shape.base, f"{text(shape.base)}, {text(shape.peak)} from {window}"
    return shape.base, f"{text(shape.base)} to {text(shape.peak)}, ramp from {window}"
