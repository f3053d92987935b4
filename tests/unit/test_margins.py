"""The standard figures stand at fixed places: nothing is cut, and nothing runs into anything."""

from types import SimpleNamespace

import numpy as np
import pytest
from test_plotting import draw, make_run, overlaps
from test_plotting_events import event, with_events

from neostriatum.plotting import raster, rate_histogram, traces

STANDARD = [raster, traces, rate_histogram]


def large_run():
    """Cells and voltages with the longest numbers."""
    rng = np.random.default_rng(1)
    times_ms, n = np.arange(0.0, 1000.0), 12_345_678
    trace = SimpleNamespace(ids=np.array([5, n - 1]), times_ms=times_ms,
                            v_mv=rng.normal(-110.0, 1.0, (1000, 2)))
    spikes = SimpleNamespace(times_ms=np.sort(rng.uniform(0, 1000, 500)),
                             ids=rng.integers(0, n, 500))
    return make_run(spikes=spikes, populations={"dSPN": range(n)}, traces={"dSPN": trace})


def five_types():
    names = ["dSPN", "iSPN", "FS", "LTS", "ChIN"]
    spikes = SimpleNamespace(times_ms=np.arange(0.5, 1000.0, 2), ids=np.arange(500) % 100)
    populations = {name: range(20 * at, 20 * at + 20) for at, name in enumerate(names)}
    return make_run(spikes=spikes, populations=populations, traces={})


RUNS = {"usual": make_run, "large": large_run, "five types": five_types,
        "events": lambda: with_events(event(500.0, "one"), event(501.0, "two"))}


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("make", STANDARD)
def test_nothing_is_cut_or_overlaps(make, name):
    figure, _ = make(RUNS[name]())
    assert figure.get_layout_engine() is None
    assert overlaps(figure) == []
    shown, page = figure.get_tightbbox(), figure.bbox_inches
    assert shown.x0 >= 0.02
    assert shown.y0 >= 0.02
    assert shown.x1 <= page.x1 - 0.02
    assert shown.y1 <= page.y1 - 0.02
    draw(figure)


@pytest.mark.parametrize("make", [raster, traces])
def test_events_leave_the_panels_as_they_are(make):
    boxes = []
    for run in (make_run(), RUNS["events"]()):
        figure, _ = make(run)
        figure.draw_without_rendering()
        boxes.append([axes.get_window_extent().bounds for axes in figure.axes])
    assert np.allclose(boxes[0], boxes[1])


def test_labels_of_y_axes_stand_below_each_other():
    figure, axes = raster(make_run())
    figure.draw_without_rendering()
    ends = {round(panel.yaxis.label.get_window_extent().x1, 3) for panel in axes.values()}
    assert len(ends) == 1
