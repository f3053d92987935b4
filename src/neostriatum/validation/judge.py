"""Compare what was measured with what was published."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from neostriatum.validation.targets import Target


@dataclass(frozen=True)
class Verdict:
    """Whether a target is met, and by how much it is missed.

    ``measured`` is a number, a list as long as a published curve, or {name: number} for an order;
    None where nothing could be measured. ``deviation`` is the distance from the published value
    in units of the tolerance: at most 1 passes.
    """

    measured: Any
    passed: bool
    deviation: float | None


def judge(target: Target, measured: Any) -> Verdict:
    """Return the verdict on one target.

    Parameters
    ----------
    target : Target
        What was published.
    measured : float, sequence or dict
        What the protocol found, of the kind that the target has.

    Returns
    -------
    Verdict
        A measurement that is None, not finite or incomplete does not pass.

    Examples
    --------
    >>> from neostriatum.validation.targets import published
    >>> target = next(one for one in published().targets if one.id == "spn-rheobase")
    >>> judge(target, 229.4).passed, judge(target, 400.0).passed
    (True, False)
    """
    if target.order is not None:
        return _ordered(target.order, measured)
    if target.curve is not None:
        return _followed(target, measured)
    value = _number(measured)
    if value is None:
        return Verdict(None, False, None)
    low, high = target.interval() or (-math.inf, math.inf)
    return Verdict(value, low <= value <= high, _deviation(value, low, high))


def _deviation(value: float, low: float, high: float) -> float | None:
    """Return the distance from the middle of an interval over half its width."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return None
    if low > 0 and high > 4 * low and value > 0:  # a factor: the middle is the geometric one
        low, high, value = math.log(low), math.log(high), math.log(value)
    return abs(value - (low + high) / 2) / ((high - low) / 2)


def _number(measured: Any) -> float | None:
    if measured is None or isinstance(measured, (dict, list, tuple)):
        return None
    value = float(measured)
    return value if math.isfinite(value) else None


def _ordered(names: tuple[str, ...], measured: Any) -> Verdict:
    found = {name: _number(measured.get(name)) for name in names} if isinstance(
        measured, dict) else {}
    values = [found.get(name) for name in names]
    known = [value for value in values if value is not None]
    rising = len(known) == len(values) and all(a < b for a, b in pairwise(known))
    return Verdict(found or None, bool(rising), None)


def _followed(target: Target, measured: Any) -> Verdict:
    curve, most = target.curve, target.tolerance.rms
    if curve is None or most is None:
        msg = f"{target.id}: has no curve to follow"
        raise ValueError(msg)
    wanted = np.array(curve.y)
    try:
        found = np.array(measured, float)
    except (TypeError, ValueError):
        return Verdict(None, False, None)
    if found.shape != wanted.shape or not np.isfinite(found).all():
        return Verdict(None, False, None)
    rms = float(np.sqrt(np.mean((found - wanted) ** 2)))
    return Verdict(found.tolist(), rms <= most, rms / most)
