"""Units of models: products of powers of a coherent set, in which no factor is ever needed."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import product

from neostriatum.errors import ModelError, shown

#: Powers of mV, ms, pA, mM and um.
Powers = tuple[int, ...]
NONE: Powers = (0, 0, 0, 0, 0)
#: Names of the coherent set: pF mV/ms = pA and nS mV = pA.
_POWERS: dict[str, Powers] = {
    "1": NONE, "mV": (1, 0, 0, 0, 0), "ms": (0, 1, 0, 0, 0), "pA": (0, 0, 1, 0, 0),
    "nS": (-1, 0, 1, 0, 0), "pF": (-1, 1, 1, 0, 0), "mM": (0, 0, 0, 1, 0),
    "um": (0, 0, 0, 0, 1),
}
_FACTOR = re.compile(r"([*/]?)\s*([A-Za-zµμΩ%]+|1)(?:\s*(?:\^|\*\*)\s*(-?[0-9]))?\s*")


@lru_cache(maxsize=512)
def powers(unit: str) -> Powers:
    """Return the powers of mV, ms, pA, mM and um in a unit.

    Parameters
    ----------
    unit : str
        A product or quotient of ``1``, ``mV``, ``ms``, ``pA``, ``nS``, ``pF``, ``mM``, ``um`` and
        their powers.

    Returns
    -------
    tuple of int
        The five powers.

    Raises
    ------
    ModelError
        Another unit; the message says which unit of the set has its dimension.

    Examples
    --------
    >>> powers("nS/mV") == powers("pA/mV^2")
    True
    """
    text, at, total = unit.strip(), 0, [0] * len(NONE)
    while at < len(text) and (match := _FACTOR.match(text, at)):
        known = _POWERS.get(match[2])
        if known is None:
            raise ModelError(_unknown(unit))
        power = int(match[3] or 1) * (-1 if match[1] == "/" else 1)
        total = [sum_ + power * each for sum_, each in zip(total, known, strict=True)]
        at = match.end()
    if not text or at < len(text):
        raise ModelError(_unknown(unit))
    return tuple(total)


def _unknown(unit: str) -> str:
    known = ", ".join(_POWERS)
    message = f'unit "{shown(unit)}": must be a product of {known}'
    alike = _coherent(unit)
    return f"{message}. Write {alike}" if alike else message


def _coherent(unit: str) -> str | None:
    """Return the unit of the set with the dimension of any other unit, None if there is none."""
    from neostriatum.units import quantity

    for name in ("1/ms", *_POWERS, "nS/mV", "nS/mV^2", "mV/ms", "pA/ms"):
        try:
            quantity(f"1 {unit}", name)
        except ValueError:
            continue
        return name
    return None


@lru_cache(maxsize=512)
def spelled(wanted: Powers) -> str:
    """Return the shortest name of a unit.

    Examples
    --------
    >>> spelled(powers("pF*mV/ms"))
    'pA'
    """
    names = [name for name in _POWERS if name != "1"]
    if wanted == NONE:
        return "1"
    candidates = [*names, *(f"{a}^2" for a in names), *(f"1/{a}" for a in names),
                  *(f"{a}/{b}" for a, b in product(names, names) if a != b),
                  *(f"{a}/{b}^2" for a, b in product(names, names) if a != b)]
    for name in candidates:
        if powers(name) == wanted:
            return name
    return "*".join(f"{name}^{power}" for name, power in
                    zip(("mV", "ms", "pA", "mM", "um"), wanted, strict=True) if power)
