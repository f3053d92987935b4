"""Turn what a user writes ("0.75 nS", a pint or a Brian2 quantity) into a float of one unit.

Inside the package every number is in the coherent set ms, mV, pA, nS, pF, um, Hz (so nS mV = pA
and pF mV/ms = pA); this is the only door between that set and the outside.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import Any

#: Number, then a unit of at most 32 harmless characters: nothing here can become an expression.
_QUANTITY = re.compile(
    r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?)\s*([A-Za-zµμΩ%/*^0-9 ()]{0,32})\s*"
)
_POWER = re.compile(r"[\^*]\s*(\d+)")


@lru_cache(maxsize=1)
def registry() -> Any:
    """Return the one pint registry (imported late: it takes a quarter of a second)."""
    import pint

    return pint.UnitRegistry(cache_folder=None)


@lru_cache(maxsize=512)
def _factor(unit: str, wanted: str) -> float:
    """Return the factor from ``unit`` to ``wanted``; raise ValueError with the reason."""
    import pint

    if any(int(power) > 3 for power in _POWER.findall(unit)):
        msg = f"must be in {wanted}"
        raise ValueError(msg)
    try:
        given = registry()(_spelled(unit))
        factor = given.to(_spelled(wanted)).magnitude
    except pint.DimensionalityError:
        msg = f"must have the dimension of {wanted}"
        raise ValueError(msg) from None
    except Exception:
        msg = f"must be in {wanted}, and {unit!r} is not a unit"
        raise ValueError(msg) from None
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
    elif isinstance(raw, bool) or raw is None or isinstance(raw, (dict, list, tuple)):
        msg = "must be a number" if unit == "1" else f'must be a number with its unit, "1 {unit}"'
        raise ValueError(msg)
    elif hasattr(raw, "to") and hasattr(raw, "magnitude"):
        value = _from_pint(raw, unit)
    elif hasattr(raw, "get_best_unit"):
        value = _from_text(repr_brian(raw), unit)
    elif unit == "1":
        value = float(raw)
    else:
        msg = f'must carry its unit, "{raw} {unit}"'
        raise ValueError(msg)
    if not math.isfinite(value):
        msg = "must be a finite number"
        raise ValueError(msg)
    return value


def _from_text(text: str, unit: str) -> float:
    match = _QUANTITY.fullmatch(text) if len(text) <= 64 else None
    if match is None:
        example = "a number" if unit == "1" else f'a number with its unit, "1 {unit}"'
        msg = f"must be {example}"
        raise ValueError(msg)
    number, given = float(match[1]), match[2].strip()
    if given == unit or (unit == "1" and not given):
        return number
    if not given:
        msg = f'must carry its unit, "{text.strip()} {unit}"'
        raise ValueError(msg)
    factor = _factor(given, unit)
    return number if factor == 1.0 else float(f"{number * factor:.15g}")


def _from_pint(raw: Any, unit: str) -> float:
    given = f"{raw.units:~}" or "1"
    return float(raw.magnitude) * (1.0 if given == unit else _factor(given, unit))


def repr_brian(raw: Any) -> str:
    """Return a Brian2 quantity as text in SI base units, ``"1.5e-11 m^-2..."`` spelled for pint."""
    names = ("m", "kg", "s", "A", "K", "mol", "cd")
    above, below = [], []
    for name, power in zip(names, raw.dim._dims, strict=True):
        if power:
            (above if power > 0 else below).append(f"{name}^{abs(int(power))}")
    text = "*".join(above) or "1"
    return f"{float(raw)!r} {text}" + "".join(f"/{part}" for part in below)


def text(value: float, unit: str) -> str:
    """Return ``value`` in ``unit`` so that reading it gives the same float back."""
    return f"{value!r} {unit}"
