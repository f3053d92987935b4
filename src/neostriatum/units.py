"""Turn what a user writes ("0.75 nS", a pint or a Brian2 quantity) into a float of one unit.

Inside the package every number is in the coherent set ms, mV, pA, nS, pF, um, Hz (so nS mV = pA
and pF mV/ms = pA); this is the only door between that set and the outside.
"""

from __future__ import annotations

import math
import operator
import re
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from numbers import Real
from typing import Any

import numpy as np

from neostriatum.errors import CircuitError, InputError, NeostriatumError, shown

#: A number, then a unit; nothing here can become an expression.
_QUANTITY = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,9})?)\s*(.{0,40})")
#: Names of units joined by a space, ``*`` or ``/``, each with a power of at most 3.
_NAME = r"[A-Za-zµμΩ%]+(?:\s*(?:\^|\*\*)\s*-?[1-3])?"
_UNIT = re.compile(rf"(?:1?\s*/\s*)?{_NAME}(?:(?:\s*[*/]\s*|\s+){_NAME})*")
#: Numbers as other locales and printed papers write them: a decimal comma, a typographic minus.
_PRINTED = {
    "must have a decimal point, no comma": re.compile(r"[+-]?[0-9]*\.?[0-9]*,[0-9].*"),
    'must have the minus sign of the keyboard, "-"': re.compile("[\u2010-\u2015\u2212].*"),
}

#: Factors of the usual spellings, (unit, wanted), which need no registry.
USUAL = {
    ("s", "ms"): 1e3, ("min", "ms"): 6e4, ("us", "ms"): 1e-3, ("ms", "s"): 1e-3, ("min", "s"): 60.0,
    ("kHz", "Hz"): 1e3, ("/ ms", "1/ms"): 1.0, ("/ s", "1/ms"): 1e-3, ("V", "mV"): 1e3,
    ("nA", "pA"): 1e3, ("uS", "nS"): 1e3, ("nF", "pF"): 1e3, ("nm", "um"): 1e-3, ("mm", "um"): 1e3,
    ("/ um", "1/um"): 1.0, ("/ mm^3", "1/mm^3"): 1.0, ("m/s", "um/ms"): 1e3,
}


@lru_cache(maxsize=1)
def registry() -> Any:
    """Return the one pint registry (imported late: it takes a quarter of a second)."""
    import pint

    return pint.UnitRegistry(cache_folder=None)


@lru_cache(maxsize=512)
def _factor(unit: str, wanted: str) -> float:
    """Return the factor from ``unit`` to ``wanted``; raise ValueError with the reason."""
    if (unit, wanted) in USUAL:
        return USUAL[unit, wanted]
    import pint

    try:
        given = registry().Quantity(_spelled(unit))
        factor = given.to(_spelled(wanted)).magnitude
    except pint.DimensionalityError:
        msg = f"must have the dimension of {wanted}" if wanted != "1" else "must have no unit"
        raise ValueError(msg) from None
    except Exception:
        raise ValueError(_no_unit(unit, wanted)) from None
    return float(f"{float(factor):.15g}")


def _spelled(unit: str) -> str:
    unit = unit.strip().replace("μ", "µ")
    return "1" + unit if unit.startswith("/") else unit


def quantity(raw: Any, unit: str) -> float:
    """Return ``raw`` as a finite float in ``unit``.

    Parameters
    ----------
    raw : str, number or quantity
        A number with its unit: text, or a quantity of pint, Brian2, ``quantities`` or astropy; a
        span of time also as ``timedelta`` of Python, NumPy or pandas. A bare number is accepted
        only when ``unit`` is ``"1"``.
    unit : str
        The unit wanted, ``"1"`` for dimensionless.

    Returns
    -------
    float
        The magnitude in ``unit``.

    Raises
    ------
    ValueError
        Missing or unknown unit, wrong dimension, not a finite number.

    Examples
    --------
    >>> quantity("0.8 m/s", "um/ms")
    800.0
    >>> quantity("15.2 pF", "pF")
    15.2
    """
    if isinstance(raw, str):
        value = _from_text(raw, unit)
    elif (measured := _with_unit(raw)) is not None:
        number, given = measured
        value = _converted(number, given or "1", unit)
    elif type(raw) is np.ndarray and raw.ndim == 0:
        return quantity(raw[()], unit)
    elif isinstance(raw, bool) or not isinstance(raw, (Real, Decimal)):
        raise ValueError(_rule(unit))
    else:
        value = _number(raw)
        if unit != "1" and math.isfinite(value):
            msg = f'must carry its unit, "{shown(raw)} {unit}"'
            raise ValueError(msg)
    if not math.isfinite(value):
        msg = "must be a finite number"
        raise ValueError(msg)
    return value


def plain_numbers(name: str, raw: Any) -> np.ndarray:
    """Return an array of plain numbers, and refuse quantities, of which NumPy drops the unit.

    Parameters
    ----------
    name : str
        What the message calls it; its end says the unit, ``times_ms``.
    raw : array_like
        Numbers.

    Returns
    -------
    numpy.ndarray
        float64.

    Raises
    ------
    InputError
        A quantity of another library, or no numbers.

    Examples
    --------
    >>> plain_numbers("times_ms", [1, 2])
    array([1., 2.])
    """
    spans = getattr(getattr(raw, "dtype", None), "kind", "") in ("m", "M")
    if spans or hasattr(raw, "dim") or _with_unit(raw) is not None:
        unit = name.rpartition("_")[2]
        msg = f"{name}: must be plain numbers (got a quantity). Divide it by its unit, {unit}"
        raise InputError(msg)
    try:
        return np.asarray(raw, dtype=np.float64)
    except (TypeError, ValueError):
        msg = f"{name}: must be plain numbers (got {shown(raw)})"
        raise InputError(msg) from None


def whole_number(where: str, raw: Any, low: int, high: int | None = None,
                 error: type[NeostriatumError] = CircuitError) -> int:
    """Return ``raw`` as an int from ``low`` to ``high``.

    Parameters
    ----------
    where : str
        What it is, for the message.
    raw : int, or an integer of another library
        A boolean is none, nor is a float.
    low, high : int
        Bounds, both included; without ``high`` there is no upper one.
    error : type
        What to raise.

    Raises
    ------
    NeostriatumError
        Not a whole number, or out of bounds; of the type ``error``.

    Examples
    --------
    >>> whole_number("size", np.uint8(7), 1)
    7
    """
    try:
        number = low - 1 if isinstance(raw, (bool, np.bool_)) else operator.index(raw)
    except TypeError:
        number = low - 1
    if number < low or (high is not None and number > high):
        span = f">= {low}" if high is None else f"from {low} to {_power(high)}"
        msg = f"{where}: must be a whole number {span} (got {shown(raw)})"
        raise error(msg)
    return number


def _power(high: int) -> str:
    bits = high.bit_length()
    return f"2^{bits} - 1" if bits > 20 and high == 2**bits - 1 else str(high)


def _with_unit(raw: Any) -> tuple[Any, str] | None:
    """Return number and unit, spelled for pint, of a quantity of a library that we know."""
    if isinstance(raw, (timedelta, np.timedelta64)):
        return _span(raw), "ns"
    if hasattr(raw, "get_best_unit"):  # Brian2
        names = ("m", "kg", "s", "A", "K", "mol", "cd")
        return raw, _product(zip(names, raw.dim._dims, strict=True))
    if hasattr(raw, "to") and hasattr(raw, "magnitude"):  # pint, of whatever registry
        return raw.magnitude, f"{raw.units:~D}"
    if hasattr(raw, "rescale") and hasattr(raw, "simplified"):  # quantities
        plain = raw.simplified
        return plain.magnitude, _product((base.symbol, power) for base, power
                                         in plain.dimensionality.items())
    if hasattr(raw, "decompose") and hasattr(raw, "unit"):  # astropy
        plain = raw.si
        return plain.value, _product((base.name, float(power)) for base, power
                                     in zip(plain.unit.bases, plain.unit.powers, strict=True))
    return None


def _product(powers: Any) -> str:
    return "*".join(f"{name}^{power:g}" for name, power in powers if power)


def _span(raw: Any) -> float:
    """Return a span of time [ns]; months, years and bare counts are no fixed spans."""
    if hasattr(raw, "to_timedelta64"):  # pandas
        raw = raw.to_timedelta64()
    if isinstance(raw, timedelta):
        return raw / timedelta(microseconds=1) * 1000
    if np.datetime_data(raw.dtype)[0] in ("generic", "Y", "M"):
        msg = "must be a span of seconds or their parts"
        raise ValueError(msg)
    return float(raw / np.timedelta64(1, "ns"))


def _rule(unit: str) -> str:
    return "must be a number" if unit == "1" else f'must be a number with its unit, "1 {unit}"'


def _no_unit(given: str, unit: str) -> str:
    return "must have no unit" if unit == "1" else f'must be in {unit}, and "{given}" is not a unit'


def _number(raw: Any) -> float:
    # NumPy would drop an imaginary part, and take a boolean for 0 or 1.
    array = np.asarray(raw)
    if array.ndim or array.dtype.kind not in "iufO":
        msg = "must be a single number"
        raise ValueError(msg)
    try:
        return float(raw)
    except OverflowError:
        return math.inf
    except ValueError:  # the signalling NaN of a Decimal
        return math.nan
    except TypeError:
        msg = "must be a single number"
        raise ValueError(msg) from None


def _from_text(text: str, unit: str) -> float:
    for rule, spelling in _PRINTED.items():
        if spelling.fullmatch(text.strip()):
            raise ValueError(rule)
    match = _QUANTITY.fullmatch(text.strip())
    if match is None:
        raise ValueError(_rule(unit))
    number, given = float(match[1]), match[2]
    if unit != "1" and not given:
        msg = f'must carry its unit, "{text.strip()} {unit}"'
        raise ValueError(msg)
    if given and not _UNIT.fullmatch(given):
        raise ValueError(_no_unit(given, unit))
    return _converted(number, given or "1", unit)


def _converted(number: Any, given: str, unit: str) -> float:
    factor = 1.0 if given == unit else _factor(given, unit)
    value = _number(number)
    return value if factor == 1.0 else float(f"{value * factor:.15g}")


def text(value: float, unit: str) -> str:
    """Return ``value`` in ``unit`` so that reading it gives the same float back."""
    return f"{value!r} {unit}"


def seconds(where: str, span: Any) -> float:
    """Return a span of wall time [s].

    Raises
    ------
    CircuitError
        Not a time, or below 0.
    """
    try:
        value = quantity(span, "s")
    except ValueError as error:
        msg = f"{where}: {error} (got {shown(span)})"
        raise CircuitError(msg) from None
    if value < 0:
        msg = f"{where}: must be at least 0 s (got {shown(span)})"
        raise CircuitError(msg)
    return value
