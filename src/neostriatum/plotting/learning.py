"""What a session learnt, trial by trial: choices, weights, dopamine and reward.

In: one run that learns a task, or several. Out: the figure and its axes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from neostriatum.errors import InputError, RunFileError
from neostriatum.learning.results import trials_of
from neostriatum.plotting.palette import COLOURS, FAINT, INK, OTHER, SPARE, colour
from neostriatum.plotting.style import WIDTH_IN, empty, heading, new_figure, paper

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from neostriatum.recording.store import Run

#: Lines of channels, in their order.
STYLES = ("-", "--", ":", "-.")
HEIGHT_IN = 2.4


def learning_curve(
    run: Run | Sequence[Run] | Mapping[str, Sequence[Run]], smooth: int = 10,
) -> tuple[Figure, dict[str, Axes]]:
    """Draw the share of best choices by trial, of one session or of several seeds.

    Parameters
    ----------
    run : Run, sequence of Run, or mapping of str to sequence of Run
        Sessions of one task, or several such groups by what differs. A line is the mean of a group;
        its band has two standard errors to each side.
    smooth : int
        Trials that every value is the mean of: its own and those before it.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The figure.
    axes : dict of str to matplotlib.axes.Axes
        One panel, "choices". Grey, every trial of every session, of one group; where an environment
        does not say what was best, the mean reward.

    Raises
    ------
    InputError
        No session, ``smooth`` below 1, or a run that learns no task.
    """
    groups: dict[str, Sequence[Run]] = dict(run) if isinstance(run, Mapping) else {
        "": run if isinstance(run, (list, tuple)) else [cast("Run", run)]}
    runs = [run for group in groups.values() for run in group]
    if not runs or not all(groups.values()) or smooth < 1:
        msg = f"learning_curve: needs a run and smooth of 1 or more (got {len(runs)}, {smooth})"
        raise InputError(msg)
    tables = {name: [_table(run) for run in group] for name, group in groups.items()}
    known = all(np.isfinite(table["correct"]).any() for group in tables.values() for table in group
                if len(table["correct"]))
    values = {name: [table["correct" if known else "reward"] for table in group]
              for name, group in tables.items()}
    with paper():
        figure = new_figure(WIDTH_IN, HEIGHT_IN)
        axes = figure.add_subplot()
        if len(runs) == 1:
            heading(figure, runs[0])
        _count_trials(axes)
        axes.set_ylabel("share of best choices" if known else "reward")
        lines = [INK, *COLOURS.values(), *SPARE]
        for number, (name, group) in enumerate(values.items()):
            _curve(axes, group, smooth, name, lines[number % len(lines)])
        if not axes.lines:
            empty(axes, "no trial is over in this run")
            return figure, {"choices": axes}
        if len(groups) == 1:
            for choices in next(iter(values.values())):
                axes.plot(choices, "|", color=FAINT, markersize=4, alpha=0.6, zorder=1)
        else:
            axes.legend(frameon=False, fontsize="x-small", ncols=2)
        seeds = max(map(len, groups.values()))
        axes.set_title(f"{runs[0].record['learning']['task']}, mean of {smooth} trials"
                       + (f" and {seeds} seeds" if seeds > 1 else ""))
        _turns(axes, runs[0])
        if known:
            axes.set_ylim(-0.05, 1.05)
    return figure, {"choices": axes}


def _curve(axes: Axes, values: list[Any], smooth: int, name: str, shade: str) -> None:
    """Draw the mean of some sessions as far as all of them have come."""
    length = min(map(len, values))
    if not length:
        return
    curves = np.array([smoothed(choices[:length], smooth) for choices in values])
    mean, trials = curves.mean(axis=0), np.arange(length)
    axes.plot(trials, mean, color=shade, zorder=3, label=name)
    if len(values) > 1:
        error = 2 * curves.std(axis=0, ddof=1) / np.sqrt(len(values))
        # A mean cannot lie outside of what it is the mean of.
        counted = np.concatenate([np.asarray(choices[:length], float) for choices in values])
        known = counted[np.isfinite(counted)]
        low, high = mean - error, mean + error
        if known.size:
            low, high = np.clip([low, high], known.min(), known.max())
        axes.fill_between(trials, low, high, color=shade, alpha=0.2, linewidth=0)


def learnt_weights(run: Run) -> tuple[Figure, dict[str, Axes]]:
    """Draw the mean weight of every pathway that learns by trial, a line per channel.

    Parameters
    ----------
    run : Run
        A session.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The figure.
    axes : dict of str to matplotlib.axes.Axes
        A panel per cell type; dashed lines are of the second channel, dotted of the third.

    Raises
    ------
    InputError
        A run that learns no task.
    """
    table = _table(run)
    columns = [name.removeprefix("weight_") for name in table if name.startswith("weight_")]
    types = list(dict.fromkeys(_end(name) for name in columns)) or [""]
    with paper():
        figure = new_figure(WIDTH_IN, HEIGHT_IN)
        heading(figure, run)
        axes = dict(zip(types, figure.subplots(1, len(types), sharey=True, squeeze=False)[0],
                        strict=True))
        for cell, panel in axes.items():
            panel.set_title(f"weights onto {cell}" if cell else "weights")
            _count_trials(panel)
            mine = [name for name in columns if _end(name) == cell]
            channels = list(dict.fromkeys(_channel(name) for name in mine))
            sources = list(dict.fromkeys(name.split("->")[0] for name in mine))
            for name in mine:
                shade = 1.0 - 0.7 * sources.index(name.split("->")[0]) / max(1, len(sources))
                panel.plot(table["trial"], table[f"weight_{name}"], color=colour(cell, types),
                           alpha=shade, linestyle=STYLES[channels.index(_channel(name)) % 4],
                           label=f"{name.split('->')[0]}, {_channel(name)}")
            if not mine or not len(table["trial"]):
                empty(panel, "no synapse learns in this run")
            elif len(mine) <= 8:
                panel.legend(frameon=False, fontsize="x-small")
        next(iter(axes.values())).set_ylabel("mean weight")
    return figure, axes


def dopamine_by_trial(run: Run) -> tuple[Figure, dict[str, Axes]]:
    """Draw the error that dopamine told by trial, and whether there was a reward.

    Parameters
    ----------
    run : Run
        A session.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The figure.
    axes : dict of str to matplotlib.axes.Axes
        "dopamine": bars up are bursts, bars down dips, as parts of their whole range; "reward".

    Raises
    ------
    InputError
        A run that learns no task.
    """
    table = _table(run)
    delta, trials = table["delta"], table["trial"]
    with paper():
        figure = new_figure(WIDTH_IN, HEIGHT_IN)
        heading(figure, run)
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        _count_trials(below)
        below.set_ylabel("reward")
        above.set_ylabel("error")
        if not len(trials):
            empty(above, "no trial is over in this run")
        else:
            up = np.where(delta >= 0, COLOURS[next(iter(COLOURS))], OTHER)
            above.vlines(trials, 0, delta, colors=up, linewidth=1.0)
            above.axhline(0, color=FAINT, linewidth=0.6)
            above.set_ylim(-1.05, 1.05)
            below.vlines(trials, 0, table["reward"], colors=INK, linewidth=1.0)
            _turns(above, run)
    return figure, {"dopamine": above, "reward": below}


def smoothed(values: np.ndarray, width: int) -> np.ndarray:
    """Return the mean of each value and up to ``width`` - 1 before it, without NaN.

    Examples
    --------
    >>> smoothed(np.array([1.0, 0.0, 1.0, 1.0]), 2).tolist()
    [1.0, 0.5, 0.5, 1.0]
    """
    there = np.isfinite(values)
    sums = np.concatenate([[0.0], np.cumsum(np.where(there, values, 0.0))])
    counts = np.concatenate([[0], np.cumsum(there)])
    first = np.maximum(np.arange(len(values)) + 1 - width, 0)
    number = counts[1:] - counts[first]
    return np.where(number, (sums[1:] - sums[first]) / np.maximum(number, 1), np.nan)


def _table(run: Run) -> dict[str, Any]:
    try:
        return trials_of(run)
    except RunFileError as error:
        raise InputError(str(error)) from None


def _count_trials(axes: Axes) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_xlabel("trial")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _turns(axes: Axes, run: Run) -> None:
    """Mark the trials at which the task says that it changes."""
    parameters = run.record["learning"]["parameters"]
    for key in ("reverse_at", "swap_at", "extinction_at"):
        for trial in np.ravel(parameters.get(key) or []):
            axes.axvline(float(trial) - 0.5, color=FAINT, linewidth=0.8, linestyle=":")


def _end(name: str) -> str:
    """Return the cell type of a column such as ``cortex->dSPN_left``."""
    return name.split("->")[1].split("_")[0]


def _channel(name: str) -> str:
    return name.split("->")[1].partition("_")[2]


#: What is drawn of a run that learns a task, besides what is drawn of every run.
LEARNING = {"learning_curve": learning_curve, "learnt_weights": learnt_weights,
            "dopamine_by_trial": dopamine_by_trial}
