"""What every figure shares: the look of a printed page, the heading, the note in empty axes.

In: sizes in inches, a run, axes. Out: figures on the Agg canvas, by Matplotlib's object-oriented
interface alone.
"""

from __future__ import annotations

from contextlib import contextmanager
from numbers import Real
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from neostriatum.network.network import Network
    from neostriatum.plotting.view import RunView

from neostriatum.circuit.modulator import others
from neostriatum.errors import InputError
from neostriatum.plotting.margins import place_heading
from neostriatum.plotting.palette import FAINT, INK

WIDTH_IN = 7.0  # two columns of a journal
NARROW_IN = 5.0  # a heading of a network has two lines
LONG_MS = 5000.0  # of a time axis, from which on it is in seconds
#: Voltages are cut here and spikes are ticks above, so that what lies below a spike can be seen.
CEILING_MV = -40.0
CUT = f"; spikes are ticks above \N{MINUS SIGN}{-CEILING_MV:g} mV"

PAPER = {
    "figure.dpi": 150,
    "savefig.dpi": 300,
    "figure.facecolor": "white",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.titlelocation": "left",
    "axes.titlepad": 4,
    "axes.labelsize": 8,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.formatter.useoffset": False,
    "figure.titlesize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "lines.linewidth": 1.0,
    "lines.markersize": 3.5,
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
}


@contextmanager
def paper(**changes: object) -> Iterator[None]:
    """Draw with the look of a printed page: small type, thin lines, no box, 150 dpi
    on the screen and 300 in a file.

    Under it lie the settings that Matplotlib comes with, not those of the user, so that one run has
    the same figures for everybody.

    Parameters
    ----------
    **changes
        Matplotlib settings on top, with ``_`` for ``.``, as in ``font_size=10``.

    Raises
    ------
    InputError
        If a setting is unknown.

    Notes
    -----
    Everything is put back at the end. Save a PDF or SVG inside it too: Matplotlib looks up how
    to store letters only then, and here they stay letters that can be edited.

    Examples
    --------
    >>> with paper(font_size=10):
    ...     figure = new_figure(width_in=3, height_in=2)
    >>> int(figure.dpi)
    150
    """
    import matplotlib as mpl

    known = {key.replace(".", "_"): key for key in mpl.rcParams}
    if unknown := sorted(set(changes) - set(known)):
        message = f"paper: no Matplotlib setting has this name (got {', '.join(unknown)})"
        raise InputError(message)
    plain = {key: x for key, x in mpl.rcParamsDefault.items() if not key.startswith("backend")}
    settings: dict[Any, Any] = plain | PAPER | {known[name]: x for name, x in changes.items()}
    with mpl.rc_context(settings):
        yield


def new_figure(width_in: float, height_in: float) -> Figure:
    """Return an empty figure that lays itself out and needs no display.

    Parameters
    ----------
    width_in, height_in : float
        Size [inch].

    Returns
    -------
    matplotlib.figure.Figure
        The figure, on an Agg canvas.

    Examples
    --------
    >>> new_figure(width_in=3, height_in=2).get_layout_engine() is not None
    True
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_in, height_in), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def heading(figure: Figure, run: RunView) -> None:
    """Write circuit, dopamine and seed over a figure, or that it shows no simulation.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Where.
    run : RunView
        The run. Made-up data that explain a figure say so by ``example``, which is true.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> figure = new_figure(width_in=3, height_in=2)
    >>> heading(figure, SimpleNamespace(circuit_name="striatum", dopamine=(0.3, 0.5), seed=1))
    >>> figure.get_suptitle()
    'striatum, dopamine D1 0.3, D2 0.5, seed 1'
    """
    if getattr(run, "example", False):
        text = "drawn example, not a simulation"
    else:
        d1, d2 = (f"{x:g}" if isinstance(x, Real) else "computed" if x is None else "time course"
                  for x in run.dopamine)
        more = others(getattr(run, "modulators", {}))
        text = f"{run.circuit_name}, dopamine D1 {d1}, D2 {d2}{more}, seed {run.seed}"
    # On the left, where a narrow screen begins to show a figure.
    figure.suptitle(text, x=0.05 / figure.get_figwidth(), ha="left", color=FAINT)
    if figure.get_layout_engine() is None:
        place_heading(figure)


def network_heading(figure: Figure, network: Network) -> None:
    """Write circuit, size, shape, boundary and seed over a figure of a network.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Where.
    network : Network
        The network.

    Examples
    --------
    >>> import neostriatum as ns
    >>> figure = new_figure(width_in=3, height_in=2)
    >>> network_heading(figure, ns.build("striatum_v1", size=100))
    >>> figure.get_suptitle()
    'striatum_v1, 100 neurons,\\nperiodic cube of 0.00129 mm³, seed 1'
    """
    name = "" if network.circuit is None else f"{network.circuit.name}, "
    boundary = "periodic" if network.periodic else "open"
    text = (f"{name}{network.size:,} neurons, {boundary} {network.shape} of "
            f"{network.volume_mm3:.3g} mm³, seed {network.seed}")
    if figure.get_figwidth() < NARROW_IN:
        text = text.replace(", periodic", ",\nperiodic").replace(", open", ",\nopen")
    figure.suptitle(text, x=0.99, ha="right", color=FAINT)


def empty(axes: Axes, text: str) -> None:
    """Say in the axes why nothing is drawn there.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where; its y axis is removed, as nothing is measured.
    text : str
        The reason.

    Examples
    --------
    >>> axes = new_figure(width_in=3, height_in=2).add_subplot()
    >>> empty(axes, "no FS neurons in this run")
    >>> axes.texts[0].get_text()
    'no FS neurons in this run'
    """
    axes.set_yticks([])
    axes.set_ylabel("")
    axes.spines["left"].set_visible(False)
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=FAINT)


def blank(axes: Axes, text: str) -> None:
    """Say in the axes why nothing is drawn there, where neither axis measures anything.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where; both its axes are removed.
    text : str
        The reason.

    Examples
    --------
    >>> axes = new_figure(width_in=3, height_in=2).add_subplot()
    >>> blank(axes, "no assembly")
    >>> len(axes.get_xticks())
    0
    """
    empty(axes, text)
    axes.set_xticks([])
    axes.set_xlabel("")
    axes.spines["bottom"].set_visible(False)


def hertz(rate_hz: float) -> str:
    """Write a rate for a label.

    Parameters
    ----------
    rate_hz : float
        Rate [Hz].

    Returns
    -------
    str
        Two decimals below 10 Hz, one above.

    Examples
    --------
    >>> hertz(1.6), hertz(13.04)
    ('1.60 Hz', '13.0 Hz')
    """
    return f"{rate_hz:.2f} Hz" if rate_hz < 10 else f"{rate_hz:.1f} Hz"


def time_axis(axes: Axes, start_ms: float, stop_ms: float, also: str = "") -> None:
    """Let an axis be the time of a run, in seconds where that is longer than 5 s.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where; its data stay in milliseconds.
    start_ms, stop_ms : float
        Its ends [ms].
    also : str
        What its label says besides.

    Examples
    --------
    >>> axes = new_figure(width_in=3, height_in=2).add_subplot()
    >>> time_axis(axes, 0.0, 50_000.0)
    >>> axes.get_xlabel(), axes.xaxis.get_major_formatter()(20_000.0)
    ('time (s)', '20')
    """
    long = stop_ms - start_ms > LONG_MS
    axes.set_xlim(start_ms, stop_ms)
    axes.set_xlabel(f"time ({'s' if long else 'ms'}){also}")
    if long:
        axes.xaxis.set_major_formatter(lambda x, _: f"{x / 1000:g}")


def span(times_ms: NDArray[np.float64]) -> tuple[float, float]:
    """Return where a trace begins and ends, from the times of its samples.

    Parameters
    ----------
    times_ms : ndarray of float64, shape (n,)
        Times of the samples [ms], ascending.

    Returns
    -------
    tuple of float
        Start and end [ms]. Engines sample after each step, so a first sample one step after 0
        belongs to a trace that begins at 0.

    Examples
    --------
    >>> import numpy as np
    >>> span(np.array([0.1, 0.2, 0.3])), span(np.array([50.1, 50.2]))
    ((0.0, 0.3), (50.1, 50.2))
    """
    first, last = float(times_ms[0]), float(times_ms[-1])
    step = float(times_ms[1]) - first if len(times_ms) > 1 else 0.0
    return (0.0 if 0 < first <= 1.001 * step else first), last


def window(run: RunView, start_ms: float, stop_ms: float | None) -> tuple[float, float]:
    """Return the window of a figure, or refuse one outside the run.

    Parameters
    ----------
    run : RunView
        The run.
    start_ms : float
        Start [ms].
    stop_ms : float or None
        End [ms]; None for the end of the run.

    Returns
    -------
    tuple of float
        Start and end [ms].

    Raises
    ------
    InputError
        If the window is empty or reaches outside the run.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> window(SimpleNamespace(duration_ms=2000.0), 500, None)
    (500.0, 2000.0)
    """
    start_ms, stop_ms = float(start_ms), float(run.duration_ms if stop_ms is None else stop_ms)
    if not 0 <= start_ms < stop_ms <= run.duration_ms:
        message = (
            f"start_ms, stop_ms: must satisfy 0 <= start < stop <= {run.duration_ms:g} ms "
            f"(got {start_ms:g}, {stop_ms:g})"
        )
        raise InputError(message)
    return start_ms, stop_ms


def spikes_between(
    run: RunView, start_ms: float, stop_ms: float
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the spikes of a run in a window.

    Parameters
    ----------
    run : RunView
        The run, its spikes sorted by time.
    start_ms, stop_ms : float
        The window [ms]; a spike at its start belongs to the step before and is left out.

    Returns
    -------
    times_ms : ndarray of float64, shape (n_spikes,)
        Spike times [ms].
    ids : ndarray of int64, shape (n_spikes,)
        Global ids.

    Examples
    --------
    >>> import numpy as np
    >>> from types import SimpleNamespace
    >>> spikes = SimpleNamespace(times_ms=np.array([1.0, 2.0, 3.0]), ids=np.array([4, 5, 6]))
    >>> spikes_between(SimpleNamespace(spikes=spikes), 1.0, 2.0)
    (array([2.]), array([5]))
    """
    first, last = run.spikes.times_ms.searchsorted((start_ms, stop_ms), side="right")
    return run.spikes.times_ms[first:last], run.spikes.ids[first:last]


def members_of(run: RunView) -> Mapping[str, range]:
    """Return the ids of each type of a run, or refuse a run without a type.

    Parameters
    ----------
    run : RunView
        The run.

    Returns
    -------
    mapping of str to range
        Global ids by type.

    Raises
    ------
    InputError
        If it has no cell type.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> members_of(SimpleNamespace(populations={"FS": range(3)}))
    {'FS': range(0, 3)}
    """
    if not run.populations:
        message = "run.populations: must name at least one cell type (got none)"
        raise InputError(message)
    return run.populations


def silence(name: str, n: int, spikes: int) -> str:
    """Say why a type has nothing to show, or nothing where it has spikes.

    Parameters
    ----------
    name : str
        Cell type.
    n, spikes : int
        Its neurons and its spikes.

    Returns
    -------
    str
        The reason, empty where there are spikes.

    Examples
    --------
    >>> silence("FS", 3, 0), silence("FS", 3, 1)
    ('no FS spikes', '')
    """
    if not n:
        return f"no {name} neurons in this run"
    return "" if spikes else f"no {name} spikes"
