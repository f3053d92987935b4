"""Lines and labels of events in the figures over the time of a run."""

import warnings

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from test_plotting import draw, make_run, overlaps

from neostriatum.plotting import activity, assemblies, psth, raster, rate_histogram, states, traces
from neostriatum.plotting.events import LONGEST, MOST, ROWS
from neostriatum.recording.events import Event


def event(time_ms, note="", changes=None):
    return Event(round(10 * time_ms), time_ms, changes or {"modulators.D1.level": 0.8}, note)


def with_events(*events, **changes):
    run = make_run(**changes)
    run.events = list(events)
    return run


def lines(panel):
    """The times of the vertical lines over the whole height of a panel."""
    found = [segment[0, 0] for one in panel.collections if isinstance(one, LineCollection)
             for segment in one.get_segments()
             if len(segment) == 2 and segment[0, 0] == segment[1, 0]
             and segment[:, 1].tolist() == [0, 1]]
    return [float(x) for x in found]


def labels(panel):
    return [text.get_text() for text in panel.texts if text.get_text()]


@pytest.mark.parametrize("make", [raster, psth, traces, states])
def test_every_panel_over_time_has_every_line_and_the_first_the_labels(make):
    run = with_events(event(100.0), event(500.0, "lesion of FS"), cells=1)
    plain = [labels(panel) for panel in make(make_run(cells=1))[0].axes]
    figure, _ = make(run)
    over_time = [panel for panel in figure.axes if panel.get_xlim() == (0, 1000)]
    assert len(over_time) == (6 if make is raster else 3)
    assert [lines(panel) for panel in over_time] == [[100, 500]] * len(over_time)
    more = [labels(panel) for panel in figure.axes]
    more[0] = [text for text in more[0] if text not in ("modulators.D1.level 0.8", "lesion of FS")]
    assert more == plain
    assert overlaps(figure) == []
    draw(figure)


def test_the_strength_of_assemblies_has_them():
    run = make_run(sizes=(30, 20, 6), rates_hz=(5.0, 5.0, 5.0))
    together = np.repeat(np.arange(50.0, 1000.0, 100), 8)
    run.spikes.times_ms = np.append(run.spikes.times_ms, together)
    run.spikes.ids = np.append(run.spikes.ids, np.tile(np.arange(8), 10))
    order = np.argsort(run.spikes.times_ms, kind="stable")
    run.spikes.times_ms, run.spikes.ids = run.spikes.times_ms[order], run.spikes.ids[order]
    run.events = [event(500.0, "lesion of FS")]
    figure, axes = assemblies(run)
    assert lines(axes["strength"]) == [500]
    assert labels(axes["strength"])[0] == "lesion of FS"
    assert not lines(axes["weights"]) or lines(axes["weights"]) != [500]
    draw(figure)


@pytest.mark.parametrize("make", [raster, psth, traces, states, rate_histogram, activity])
def test_without_events_a_figure_is_what_it_was(make):
    first, second = make(make_run())[0], make(with_events())[0]
    assert first.get_figheight() == second.get_figheight()
    assert [len(axes.get_children()) for axes in first.axes] == [
        len(axes.get_children()) for axes in second.axes]


def test_only_events_in_the_window():
    run = with_events(*(event(t, f"at {t:g}") for t in (99.9, 100.0, 150.0, 200.0)))
    for figure, axes in (raster(run, 100, 200), traces(run, 100, 200)):
        panel = next(iter(axes.values()))
        panel = panel[0] if isinstance(panel, list) else panel
        assert lines(panel) == [100, 150]
        assert {"at 100", "at 150"} < {*labels(panel), "cell 0"}
        assert "at 200" not in labels(panel)
        draw(figure)


def test_events_of_others_get_no_line():
    """A histogram around repeated times has another axis."""
    run = with_events(event(100.0, "lesion of FS"))
    _, axes = psth(run, events_ms=[300.0, 500.0])
    assert not any(lines(panel) or labels(panel) for panel in axes.values())


SETS = {
    "edges": [(0.0, "from the first step on"), (5.0, "then this"), (999.9, "the last step")],
    "near": [(500.0 + at, f"pulse {at} of dopamine") for at in range(12)],
    "at the end": [(960.0 + 3 * at, f"pulse {at} of dopamine") for at in range(6)],
    "at the start": [(3.0 * at, f"pulse {at} of dopamine") for at in range(6)],
    "long": [(80.0 + 70 * at, f"{at} a note that is longer than its place") for at in range(12)],
    "same": [(500.0, "one"), (500.0, "two"), (500.0, "three")],
}


@pytest.mark.parametrize("name", SETS)
def test_labels_do_not_run_into_anything(name):
    run = with_events(*(event(*one) for one in SETS[name]))
    figure, axes = psth(run)
    panel = axes["dSPN"]
    assert overlaps(figure) == []
    shown = labels(panel)
    assert len(shown) >= min(len(SETS[name]), ROWS)
    assert all(len(text) <= LONGEST for text in shown)
    assert lines(panel) == [time_ms for time_ms, _ in SETS[name]]
    left, right = panel.get_window_extent().x0, panel.get_window_extent().x1
    for text in panel.texts:
        if text.get_text():
            box = text.get_window_extent()
            assert left - 3 <= box.x0 <= box.x1 <= right + 3
    draw(figure)


def test_the_panels_keep_their_height():
    heights = []
    for run in (make_run(), with_events(event(500.0, "one"), event(501.0, "two"))):
        figure, axes = psth(run)
        figure.draw_without_rendering()
        heights.append(axes["FS"].get_window_extent().height)
    assert heights[1] == pytest.approx(heights[0], rel=0.1)


def test_of_many_events_the_first_have_labels():
    _, axes = psth(with_events(*(event(10.0 * at, f"step {at}") for at in range(99))))
    assert len(lines(axes["FS"])) == 99
    assert labels(axes["dSPN"]) == [f"step {at}" for at in range(MOST)]


@pytest.mark.parametrize(("note", "shown"), [
    ("$x^2", "$x^2"), ("two\nlines\t\0here", "two lines here"), ("\udcff", None),
    ("刺激 on", "?? on"), ("a" * 99, "a" * (LONGEST - 1) + "…")])
def test_notes_of_any_characters(note, shown):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure, axes = psth(with_events(event(500.0, note)))
        draw(figure)
        figure.savefig("/dev/null", format="svg")
    assert labels(axes["dSPN"]) == ([shown] if shown else [])
