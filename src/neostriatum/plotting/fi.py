"""The f-I curve: firing rate against injected current.

In: currents in pA and rates in Hz. Out: the figure and its axes, which take further curves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from neostriatum.errors import InputError
from neostriatum.plotting.palette import colour, marker
from neostriatum.plotting.style import empty, new_figure, paper

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray


def fi_curve(
    currents_pa: ArrayLike,
    rates_hz: ArrayLike,
    label: str = "",
    axes: Axes | None = None,
) -> tuple[Figure, Axes]:
    """Draw firing rate against injected current.

    Parameters
    ----------
    currents_pa : array_like, shape (n,)
        Injected currents [pA], in any order.
    rates_hz : array_like, shape (n,)
        Rate at each current [Hz].
    label : str
        Name in the legend. A cell type, alone or as the first word, brings its colour.
    axes : matplotlib.axes.Axes, optional
        Draw into these; a new figure by default.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The figure.
    axes : matplotlib.axes.Axes
        Its axes.

    Raises
    ------
    InputError
        If the two are not flat and of the same length, or a value is not finite.

    Examples
    --------
    >>> figure, axes = fi_curve([220, 240, 260], [0.0, 0.0, 4.0], label="dSPN")
    >>> figure, axes = fi_curve([220, 240, 260], [0.0, 5.0, 11.0], label="iSPN", axes=axes)
    >>> axes.get_xlabel(), len(axes.lines)
    ('injected current (pA)', 2)
    """
    currents, rates = np.asarray(currents_pa, float), np.asarray(rates_hz, float)
    if currents.ndim != 1 or currents.shape != rates.shape:
        message = (
            "currents_pa, rates_hz: must be flat and of the same length "
            f"(got shapes {currents.shape} and {rates.shape})"
        )
        raise InputError(message)
    if not (np.isfinite(currents).all() and np.isfinite(rates).all()):
        message = "currents_pa, rates_hz: every value must be finite (got NaN or infinity)"
        raise InputError(message)
    with paper():
        if axes is None:
            axes = new_figure(3.4, 2.5).add_subplot()
            axes.set_xlabel("injected current (pA)")
            axes.set_ylabel("firing rate (spikes/s)")
        if not currents.size:
            empty(axes, "no currents in this sweep")
        else:
            _curve(axes, currents, rates, label)
    return cast("Figure", axes.figure), axes


def _curve(
    axes: Axes, currents: NDArray[np.float64], rates: NDArray[np.float64], label: str
) -> None:
    """Add one curve and keep the legend and the limits up to date."""
    order = np.argsort(currents)
    cell = label.replace(",", " ").split()[0] if label.strip(" ,") else ""
    axes.plot(
        currents[order], rates[order], color=colour(cell), marker=marker(cell),
        markeredgewidth=0, label=label or "_", clip_on=False,
    )  # fmt: skip
    axes.set_ylim(0, max(axes.dataLim.y1 * 1.05, 1.0))
    if label:
        axes.legend(loc="upper left")
