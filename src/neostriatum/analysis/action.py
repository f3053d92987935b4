"""Which action the output of the basal ganglia lets go: contrast and class of a selection.

In: rates of the output nucleus by channel. Out: a difference, and a name. An action is selected
while the output of its channel is below a threshold: 14 Hz in Lindahl and Hellgren Kotaleski
(2016), 5 Hz in Humphries et al. (2006), whose tonic rates differ.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from neostriatum.errors import InputError

#: Rate of the output below which its action is selected [Hz].
LINDAHL_HZ, HUMPHRIES_HZ = 14.0, 5.0
#: Names by (first selected while it is alone, then while both are salient, second selected then).
_SEQUENCES = {
    (False, False, False): "none", (False, False, True): "single",
    (True, True, False): "single", (True, False, False): "interference",
    (True, False, True): "switching", (True, True, True): "dual",
}


def channel_contrast(rates_hz: ArrayLike) -> float:
    """Return the rate of the second channel of an output nucleus less that of the first [Hz].

    Above 0 the first channel is the more disinhibited one.

    Parameters
    ----------
    rates_hz : array_like, shape (2,)
        Rates of both channels.

    Raises
    ------
    InputError
        Not two rates from 0 on.

    Examples
    --------
    >>> channel_contrast([4.4, 72.4])
    68.0
    """
    first, second = _pair(rates_hz)
    return second - first


def selection(rates_hz: ArrayLike, threshold_hz: float = LINDAHL_HZ) -> str:
    """Return what two rates of an output nucleus select: ``"none"``, ``"single"`` or ``"dual"``.

    Parameters
    ----------
    rates_hz : array_like, shape (2,)
        Rates of both channels [Hz] while both actions are wanted.
    threshold_hz : float
        Rate below which an action is selected [Hz].

    Raises
    ------
    InputError
        Not two rates from 0 on, a threshold not above 0.

    Examples
    --------
    >>> selection([4.4, 72.4]), selection([28.4, 28.6]), selection([7.1, 11.0])
    ('single', 'none', 'dual')
    """
    return ("none", "single", "dual")[sum(_selected(_pair(rates_hz), threshold_hz))]


def selection_in_turn(alone_hz: ArrayLike, together_hz: ArrayLike,
                      threshold_hz: float = HUMPHRIES_HZ) -> str:
    """Return what happens when a second action is wanted after a first (Humphries et al. 2006).

    Parameters
    ----------
    alone_hz : array_like, shape (2,)
        Rates of both channels [Hz] while the first action alone is wanted.
    together_hz : array_like, shape (2,)
        The same while both are.
    threshold_hz : float
        Rate below which an action is selected [Hz].

    Returns
    -------
    str
        ``"none"``, ``"single"`` (one from its turn on), ``"switching"`` (from the first to the
        second), ``"dual"``, ``"interference"`` (the second stops the first and is not selected), or
        ``"invalid"`` (the first only once the second is wanted).

    Raises
    ------
    InputError
        Not two rates from 0 on, a threshold not above 0.

    Examples
    --------
    >>> selection_in_turn([2, 30], [40, 3]), selection_in_turn([2, 30], [20, 20])
    ('switching', 'interference')
    """
    first, _ = _selected(_pair(alone_hz), threshold_hz)
    return _SEQUENCES.get((first, *_selected(_pair(together_hz), threshold_hz)), "invalid")


def _pair(rates_hz: ArrayLike) -> tuple[float, float]:
    values = np.asarray(rates_hz, np.float64)
    if values.shape != (2,) or not np.isfinite(values).all() or values.min() < 0:
        message = f"rates_hz: must be two rates from 0 on (got shape {values.shape})"
        raise InputError(message)
    return float(values[0]), float(values[1])


def _selected(rates_hz: tuple[float, float], threshold_hz: float) -> tuple[bool, bool]:
    if not threshold_hz > 0:
        message = f"threshold_hz: must be above 0 (got {threshold_hz:g})"
        raise InputError(message)
    return rates_hz[0] < threshold_hz, rates_hz[1] < threshold_hz
