"""Stand-ins for the local field potential, which point neurons do not have.

In: synaptic currents, or spikes and positions. Out: one signal. Both methods were made for cortex.
The dendrites of spiny projection neurons spread alike in all directions, so the fields of their
currents largely cancel, and what is recorded in a striatum comes in part from cortex by volume
conduction. Read the shape in time of these signals, never their size.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neostriatum.analysis.counts import whole_bins
from neostriatum.analysis.rates import bin_index, checked_ids, checked_positive, checked_times
from neostriatum.errors import InputError
from neostriatum.units import plain_numbers

#: Mazzoni et al. 2015: AMPA currents are delayed by 6 ms, GABA currents weigh 1.65 times as much.
AMPA_DELAY_MS, GABA_WEIGHT = 6.0, 1.65

#: Telenczuk et al. 2020, an inhibitory cell at the depth of its soma: amplitude [uV], width [ms],
#: time to peak [ms], speed of spread [um/ms], space constant [um].
AMPLITUDE_UV, WIDTH_MS, PEAK_MS, SPEED_UM_MS, REACH_UM = 3.0, 2.1, 10.4, 200.0, 200.0


def reference_weighted_sum(
    ampa_pa: ArrayLike, gaba_pa: ArrayLike, step_ms: float
) -> NDArray[np.float64]:
    """Return the reference weighted sum of synaptic currents, a proxy of the field potential.

    I_AMPA(t - 6 ms) - 1.65 I_GABA(t), brought to mean 0 and standard deviation 1 (Mazzoni et al.
    2015, doi:10.1371/journal.pcbi.1004584). Its constants were fitted to pyramidal cells, with
    AMPA and GABA synapses on different parts of an apical tree, which a striatum does not have.

    Parameters
    ----------
    ampa_pa, gaba_pa : array_like, shape (n,) or (n, n_cells)
        AMPA and GABA currents g (E - v) [pA] of the cells, summed over them here: an excitatory
        current is positive, an inhibitory one negative.
    step_ms : float
        Step [ms]; 6 ms are rounded to whole steps.

    Returns
    -------
    ndarray of float64, shape (n,)
        The proxy, without unit; before 6 ms the AMPA current is that of the first step. All 0
        where nothing varies.

    Raises
    ------
    InputError
        If the arrays differ in shape, are empty or not finite, or the step is not above zero.

    Examples
    --------
    >>> ampa_pa = np.array([0.0, 1.0, 0.0, 0.0])
    >>> reference_weighted_sum(ampa_pa, np.zeros(4), step_ms=3.0).argmax()
    np.int64(3)
    """
    ampa, gaba = plain_numbers("ampa_pa", ampa_pa), plain_numbers("gaba_pa", gaba_pa)
    if ampa.shape != gaba.shape or ampa.ndim not in (1, 2) or not ampa.size:
        message = ("ampa_pa, gaba_pa: must be of one shape, (n,) or (n, cells) "
                   f"(got {ampa.shape} and {gaba.shape})")
        raise InputError(message)
    if not (np.isfinite(ampa).all() and np.isfinite(gaba).all()):
        message = "ampa_pa, gaba_pa: every value must be finite (got NaN or infinity)"
        raise InputError(message)
    if ampa.ndim == 2:
        ampa, gaba = ampa.sum(axis=1), gaba.sum(axis=1)
    late = np.arange(ampa.size) - round(AMPA_DELAY_MS / checked_positive("step_ms", step_ms))
    field = ampa[np.maximum(late, 0)] - GABA_WEIGHT * gaba
    field -= field.mean()
    spread = field.std()
    return field / spread if spread > 0 else np.zeros(field.size)


def kernel_field(
    times_ms: ArrayLike,
    ids: ArrayLike,
    positions_um: ArrayLike,
    electrode_um: ArrayLike,
    duration_ms: float,
    step_ms: float = 1.0,
    side_um: float | None = None,
) -> NDArray[np.float64]:
    """Return the sum of the unitary fields of all spikes at an electrode.

    A spike at distance r adds 3 uV exp(-r / 200 um) times a Gaussian of 2.1 ms that peaks
    10.4 ms + r / (200 um/ms) later (Telenczuk, Telenczuk and Destexhe 2020,
    doi:10.1016/j.jneumeth.2020.108871, an inhibitory cell). Unitary fields of striatal cells have
    not been measured: take this as the spikes near the electrode, smoothed, in a size that is a
    cortical one. Excitation from cortex, whose spikes a run does not record, is not in it.

    Parameters
    ----------
    times_ms : array_like, shape (n_spikes,)
        Spike times [ms], in any order, in 0 to `duration_ms`.
    ids : array_like of int, shape (n_spikes,)
        The neuron of each spike, 0 to n - 1.
    positions_um : array_like, shape (n, 3)
        Positions of the somas [um].
    electrode_um : array_like, shape (3,)
        Position of the electrode [um].
    duration_ms : float
        Length of the recording [ms].
    step_ms : float
        Step of the result [ms]; an unfinished one at the end is left out.
    side_um : float, optional
        Side of the periodic cube [um], where distances are to the nearest image.

    Returns
    -------
    ndarray of float64, shape (n_steps,)
        The field [uV]; sample i belongs to the time (i + 1/2) step. The first 20 ms lack spikes
        from before the recording.

    Raises
    ------
    InputError
        If the arrays do not match or are out of range.

    Examples
    --------
    >>> field_uv = kernel_field([10.0], [0], [[0, 0, 0]], [0, 0, 0], duration_ms=40)
    >>> int(field_uv.argmax()), round(float(field_uv.max()), 1)
    (19, 2.9)
    """
    steps = whole_bins(duration_ms, step_ms)
    positions = checked_positions(positions_um)
    electrode = plain_numbers("electrode_um", electrode_um)
    if electrode.shape != (3,) or not np.isfinite(electrode).all():
        message = f"electrode_um: must be 3 finite numbers (got shape {electrode.shape})"
        raise InputError(message)
    times = checked_times(times_ms, duration_ms)
    neurons = checked_ids(ids, len(positions), n_spikes=times.size)
    distance_um = np.sqrt((offsets(positions, electrode, side_um) ** 2).sum(axis=1))
    amplitude = AMPLITUDE_UV * np.exp(-distance_um / REACH_UM)
    # Binned by the time of arrival, then smoothed once: a kernel per bin, not one per spike.
    arrival = times + (distance_um / SPEED_UM_MS)[neurons]
    reach = int(np.ceil((PEAK_MS + 5 * WIDTH_MS) / step_ms))
    index = bin_index(arrival, step_ms)
    weight = np.bincount(index, amplitude[neurons], minlength=steps)[:steps]
    lags_ms = np.arange(reach + 1) * step_ms - PEAK_MS
    return np.convolve(weight, np.exp(-0.5 * (lags_ms / WIDTH_MS) ** 2))[:steps]


def checked_positions(positions_um: ArrayLike) -> NDArray[np.float64]:
    """Return positions as a float64 array of shape (n, 3), or refuse them.

    Raises
    ------
    InputError
        If the shape is another or a value is not finite.

    Examples
    --------
    >>> checked_positions([[0, 1, 2]]).shape
    (1, 3)
    """
    positions = plain_numbers("positions_um", positions_um)
    if positions.ndim != 2 or positions.shape[1] != 3 or not np.isfinite(positions).all():
        message = f"positions_um: must be (n, 3) and finite (got shape {positions.shape})"
        raise InputError(message)
    return positions


def offsets(
    positions_um: NDArray[np.float64], at_um: NDArray[np.float64], side_um: float | None
) -> NDArray[np.float64]:
    """Return positions relative to a point [um], on a torus those of the nearest image.

    Examples
    --------
    >>> offsets(np.array([[9.0, 0, 0]]), np.zeros(3), side_um=10.0)
    array([[-1., 0., 0.]])
    """
    away = positions_um - at_um
    if side_um is not None:
        side_um = checked_positive("side_um", side_um)
        away -= side_um * np.rint(away / side_um)
    return away
