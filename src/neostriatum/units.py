"""Turn what a user writes ("0.75 nS", a pint or a Brian2 quantity) into a float of one unit.

Inside the package every number is in the coherent set ms, mV, pA, nS, pF, um, Hz (so nS mV = pA
and pF mV/ms = pA); this is the only door between that set and the outside.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from numbers import Real
from typing import Any

from neostriatum.errors import shown

#: A number, then a unit; nothing here can become an expression.
_QUANTITY = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,9})?)\s*(.{0,40})")
#: Names of units joined by a space, ``*`` or ``/``, each with a power of at most 3.
_NAME = r"[A-Za-zµμΩ%]+(?:\s*(?:\^|\*\*)\s*-?[1-3])?"
_UNIT = re.compile(rf"(?:1?\s*/\s*)?{_NAME}(?:(?:\s*[*/]\s*|\s+){_NAME})*")


@lru_cache(maxsize=1)
def registry() -> Any:
    """Return the one pint registry (imported late: it takes a quarter of a second)."""
    import pint

    return pint.UnitRegistry(cache_folder=None)


@lru_cache(maxsize=512)
def _factor(unit: str, wanted: str) -> float:
    """Return the factor from ``unit`` to ``wanted``; raise ValueError with the reason."""
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
    raw : str, number, pint.Quantity or brian2.Quantity
        A number with its unit. A bare number is accepted only when ``unit`` is ``"1"``.
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
    elif hasattr(raw, "get_best_unit"):
        value = _converted(raw, _brian_unit(raw), unit)
    elif hasattr(raw, "to") and hasattr(raw, "magnitude"):
        value = _converted(raw.magnitude, f"{raw.units:~}" or "1", unit)
    elif isinstance(raw, bool) or not isinstance(raw, Real):
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


def _rule(unit: str) -> str:
    return "must be a number" if unit == "1" else f'must be a number with its unit, "1 {unit}"'


def _no_unit(given: str, unit: str) -> str:
    return "must have no unit" if unit == "1" else f'must be in {unit}, and "{given}" is not a unit'


def _number(raw: Any) -> float:
    try:
        return float(raw)
    except OverflowError:
        return math.inf
    except TypeError:
        msg = "must be a single number"
        raise ValueError(msg) from None


def _from_text(text: str, unit: str) -> float:
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


def _brian_unit(raw: Any) -> str:
    """Return the SI base units of a Brian2 quantity, spelled for pint."""
    names = ("m", "kg", "s", "A", "K", "mol", "cd")
    powers = zip(names, raw.dim._dims, strict=True)
    return "*".join(f"{name}^{power:g}" for name, power in powers if power) or "1"


def text(value: float, unit: str) -> str:
    """Return ``value`` in ``unit`` so that reading it gives the same float back."""
    return f"{value!r} {unit}"
