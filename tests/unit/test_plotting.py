"""Figures: what they show, their units, their behaviour with nothing to show, and no pyplot."""

from dataclasses import dataclass, field, replace
from io import BytesIO
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from neostriatum import plotting
from neostriatum.plotting import fi_curve, palette, paper, psp, raster, rate_histogram, traces

SRC = str(Path(plotting.__file__).parents[2])
TYPES = ["dSPN", "iSPN", "FS"]


@dataclass
class SyntheticRun:
    """What the figures read from a run."""

    spikes: SimpleNamespace
    populations: dict
    duration_ms: float = 1000.0
    traces: dict = field(default_factory=dict)
    circuit_name: str = "striatum_v1"
    dopamine: tuple = (0.3, 0.5)
    seed: int = 7


def make_run(sizes=(60, 50, 6), rates_hz=(2.0, 1.0, 15.0), cells=2, **changes):
    """Poisson spikes on the grid of 0.1 ms, and flat traces of the first cells of each type."""
    rng = np.random.default_rng(1)
    ends = np.cumsum(sizes)
    spans = [range(int(end - size), int(end)) for size, end in zip(sizes, ends, strict=True)]
    populations = dict(zip(TYPES, spans, strict=True))
    spikes = rng.random((ends[-1], 10_000)) < np.repeat(rates_hz, sizes)[:, None] * 1e-4
    steps, ids = np.nonzero(spikes.T)
    sampled_ms = (np.arange(2000) + 1) * 0.5
    recorded = {
        name: SimpleNamespace(
            ids=np.array(members[:cells]), times_ms=sampled_ms, v_mv=np.full((2000, cells), -70.0)
        )
        for name, members in populations.items()
        if len(members) >= cells
    }
    fired = SimpleNamespace(times_ms=(steps + 1) * 0.1, ids=ids)
    return replace(SyntheticRun(fired, populations, traces=recorded), **changes)


def silent_run(**changes):
    spikes = SimpleNamespace(times_ms=np.empty(0), ids=np.empty(0, np.int64))
    return make_run(spikes=spikes, **changes)


def words(axes):
    return [text.get_text() for text in axes.texts]


def draw(figure):
    """Render, so that whatever only fails or warns on drawing does so."""
    figure.savefig(BytesIO(), format="png")


def overlaps(figure):
    """Pairs of texts of a figure that run into each other: titles, labels, ticks, notes."""
    figure.draw_without_rendering()
    shown = [figure._suptitle, figure._supylabel]
    for axes in figure.axes:
        shown += [axes.title, axes._left_title, axes.xaxis.label, axes.yaxis.label, *axes.texts]
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = [tick for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
            shown += [tick.label1 for tick in ticks if tick.label1.get_visible()]
    shown = [text for text in shown if text is not None and text.get_text().strip()]
    boxes = [text.get_window_extent().padded(1) for text in shown]
    pairs = combinations(zip(shown, boxes, strict=True), 2)
    return [(a.get_text(), b.get_text()) for (a, one), (b, two) in pairs if one.overlaps(two)]


class TestRaster:
    def test_every_spike_is_a_dot_in_the_panel_of_its_type(self):
        run = make_run()
        figure, axes = raster(run)
        assert isinstance(figure, Figure)
        assert list(axes) == [*TYPES, "dSPN rate", "iSPN rate", "FS rate"]
        for name, members in run.populations.items():
            own = np.isin(run.spikes.ids, members)
            (dots,) = axes[name].lines
            np.testing.assert_array_equal(dots.get_xdata(), run.spikes.times_ms[own])
            np.testing.assert_array_equal(dots.get_ydata(), run.spikes.ids[own] - members.start)
            assert dots.get_rasterized()
            assert dots.get_color() == palette.colour(name)
        draw(figure)

    def test_units_on_the_axes(self):
        figure, axes = raster(make_run())
        assert axes["FS rate"].get_xlabel() == "time (ms); rates in bins of 10 ms"
        assert {axes[f"{name} rate"].get_ylabel() for name in TYPES} == {"spikes/s"}
        assert {axes[name].get_ylabel() for name in TYPES} == {"neuron"}
        assert figure.get_suptitle() == "striatum_v1, dopamine D1 0.3, D2 0.5, seed 7"

    def test_rate_is_that_of_the_spikes(self):
        run = make_run()
        _, axes = raster(run)
        for name, members in run.populations.items():
            values, edges, _ = axes[f"{name} rate"].patches[0].get_data()
            spikes = np.isin(run.spikes.ids, members).sum()
            assert np.sum(values * np.diff(edges)) * len(members) / 1000 == pytest.approx(spikes)
            assert len(values) == 100

    def test_panel_heights_are_proportional_with_a_minimum(self):
        figure, axes = raster(make_run(sizes=(400, 200, 2)))
        figure.draw_without_rendering()
        dspn, ispn, fs = (axes[name].get_position().height for name in TYPES)
        assert dspn / ispn == pytest.approx(2, rel=0.05)
        assert fs > 0.1 * (dspn + ispn + fs)

    def test_types_share_the_size_of_dots_and_projection_neurons_the_scale_of_rate(self):
        _, axes = raster(make_run())
        assert len({axes[name].lines[0].get_markersize() for name in TYPES}) == 1
        assert axes["dSPN rate"].get_ylim() == axes["iSPN rate"].get_ylim()
        assert axes["dSPN rate"].get_ylim() != axes["FS rate"].get_ylim()

    def test_window_begins_after_its_start_and_ends_with_its_end(self):
        run = make_run()
        run.spikes.times_ms[[50, 120]] = 200, 500
        run.spikes.times_ms.sort()
        run.spikes.ids[run.spikes.times_ms == 200] = run.spikes.ids[run.spikes.times_ms == 500] = 0
        _, axes = raster(run, start_ms=200, stop_ms=500)
        assert axes["dSPN"].get_xlim() == (200, 500)
        times_ms = run.spikes.times_ms[run.spikes.ids < 60]
        expected = times_ms[(times_ms > 200) & (times_ms <= 500)]
        np.testing.assert_array_equal(axes["dSPN"].lines[0].get_xdata(), expected)
        _, edges, _ = axes["dSPN rate"].patches[0].get_data()
        assert (edges[0], edges[-1], len(edges)) == (200, 500, 31)

    def test_neurons_per_type_thins_the_dots_and_not_the_rate(self):
        run = make_run()
        _, axes = raster(run, neurons_per_type=20)
        _, whole = raster(run)
        assert "20 of them drawn" in axes["dSPN"].get_title(loc="left")
        assert "drawn" not in axes["FS"].get_title(loc="left")
        assert axes["dSPN"].lines[0].get_ydata().max() < 20
        rates = [x["dSPN rate"].patches[0].get_data().values for x in (axes, whole)]
        np.testing.assert_array_equal(*rates)

    def test_more_spikes_than_can_be_told_apart_are_thinned_by_the_same_part(self):
        rng = np.random.default_rng(0)
        ids = np.sort(rng.integers(0, 2200, 200_000))
        spikes = SimpleNamespace(times_ms=np.linspace(1, 999, 200_000), ids=rng.permutation(ids))
        run = make_run(sizes=(1000, 1000, 200), spikes=spikes)
        _, axes = raster(run)
        assert sum(len(axes[name].lines[0].get_xdata()) for name in TYPES) < 50_000
        dspn, ispn, fs = (np.unique(axes[name].lines[0].get_ydata()).size for name in TYPES)
        assert dspn == ispn
        assert fs == pytest.approx(dspn / 5, abs=1)

    def test_a_type_without_neurons_and_one_without_spikes_say_so(self):
        run = make_run(sizes=(60, 50, 0), rates_hz=(2.0, 0.0, 0.0))
        figure, axes = raster(run)
        assert words(axes["FS"]) == words(axes["FS rate"]) == ["no FS neurons in this run"]
        assert words(axes["iSPN"]) == ["no iSPN spikes"]
        assert axes["iSPN rate"].patches[0].get_data().values.max() == 0
        draw(figure)

    def test_nothing_at_all(self):
        figure, axes = raster(silent_run())
        assert [words(axes[name])[0] for name in TYPES] == [f"no {x} spikes" for x in TYPES]
        draw(figure)
        draw(raster(silent_run(populations={"dSPN": range(0), "FS": range(0)}))[0])

    @pytest.mark.parametrize(
        ("given", "sentence"),
        [
            ({"start_ms": -1}, "must satisfy 0 <= start < stop <= 1000 ms"),
            ({"stop_ms": 1001}, r"got 0, 1001"),
            ({"start_ms": 5, "stop_ms": 5}, r"got 5, 5"),
            ({"neurons_per_type": 0}, "neurons_per_type: must be at least 1"),
            ({"bin_ms": 0}, "bin_ms: must be a finite number above 0"),
        ],
    )
    def test_refusals(self, given, sentence):
        with pytest.raises(ValueError, match=sentence):
            raster(make_run(), **given)


class TestTraces:
    def test_spikes_reach_v_peak_and_the_rest_is_as_recorded(self):
        run = make_run()
        figure, axes = traces(run, v_peak_mv={"dSPN": 40.0, "iSPN": 40.0, "FS": 25.0})
        for name, peak_mv in [("dSPN", 40.0), ("FS", 25.0)]:
            for panel, cell in zip(axes[name], run.traces[name].ids, strict=True):
                times_ms, v_mv = panel.lines[0].get_data()
                expected = run.spikes.times_ms[run.spikes.ids == cell]
                np.testing.assert_array_equal(times_ms[v_mv == peak_mv], expected)
                assert np.count_nonzero(v_mv == -70.0) == 2000
                assert np.all(np.diff(times_ms) >= 0)
        draw(figure)

    def test_the_peak_comes_before_the_reset_of_the_same_step(self):
        spikes = SimpleNamespace(times_ms=np.array([2.0]), ids=np.array([0]))
        recorded = SimpleNamespace(
            ids=[0], times_ms=np.arange(1.0, 5.0), v_mv=np.array([[-60.0], [-75.0], [-74.0], [-73]])
        )
        run = make_run(spikes=spikes, traces={"dSPN": recorded})
        _, axes = traces(run, v_peak_mv={"dSPN": 40.0})
        np.testing.assert_array_equal(
            axes["dSPN"][0].lines[0].get_ydata(), [-60, 40, -75, -74, -73]
        )

    def test_without_v_peak_traces_are_cut_below_the_spikes(self):
        run = make_run()
        run.traces["FS"].v_mv[7] = -39.0
        _, axes = traces(run)
        drawn = axes["FS"][0].lines[0].get_ydata()
        assert np.flatnonzero(np.isnan(drawn)).tolist() == [7]
        assert "ticks above" in axes["FS"][-1].get_xlabel()
        _, axes = traces(run, v_peak_mv={"FS": 30.0})
        assert axes["FS"][0].lines[0].get_ydata().max() == 30.0
        assert axes["FS"][-1].get_xlabel() == "time (ms)"
        run.traces["FS"].v_mv[:] = 0.0
        draw(traces(run)[0])

    def test_a_long_run_has_a_time_axis_in_seconds(self):
        _, axes = raster(make_run(duration_ms=20_000.0))
        assert axes["FS rate"].get_xlabel().startswith("time (s)")
        assert axes["FS rate"].xaxis.get_major_formatter()(5000.0) == "5"

    def test_a_drawn_example_says_that_it_is_one(self):
        run = make_run()
        run.example = True
        assert raster(run)[0].get_suptitle() == "drawn example, not a simulation"

    def test_without_v_peak_spikes_are_marked_above(self):
        run = make_run()
        figure, axes = traces(run)
        panel, cell = axes["FS"][0], run.traces["FS"].ids[0]
        marks_ms = [segment[0, 0] for segment in panel.collections[0].get_segments()]
        np.testing.assert_array_equal(marks_ms, run.spikes.times_ms[run.spikes.ids == cell])
        assert panel.lines[0].get_ydata().max() == -70.0
        draw(figure)

    def test_units_scale_and_names(self):
        figure, axes = traces(make_run(), v_peak_mv=dict.fromkeys(TYPES, 40.0))
        assert figure.get_supylabel() == "membrane voltage (mV)"
        assert axes["FS"][-1].get_xlabel() == "time (ms)"
        assert len({panel.get_ylim() for panels in axes.values() for panel in panels}) == 1
        assert [panel.texts[0].get_text() for panel in axes["FS"]] == ["cell 0", "cell 1"]

    def test_cells_per_type_and_window(self):
        _, axes = traces(make_run(), 100, 200, cells_per_type=1)
        assert [len(axes[name]) for name in TYPES] == [1, 1, 1]
        times_ms = axes["dSPN"][0].lines[0].get_xdata()
        assert (times_ms[0], times_ms[-1]) == (100, 200)

    def test_what_was_not_recorded_says_so(self):
        run = make_run(sizes=(60, 50, 0))
        del run.traces["iSPN"]
        figure, axes = traces(run)
        assert words(axes["iSPN"][0]) == ["no iSPN voltages were recorded"]
        assert words(axes["FS"][0]) == ["no FS neurons in this run"]
        draw(figure)
        for nothing in ({}, None):
            figure, axes = traces(make_run(traces=nothing))
            assert words(axes["dSPN"][0]) == ["no dSPN voltages were recorded"]
            draw(figure)

    def test_a_window_between_two_samples_says_so(self):
        figure, axes = traces(make_run(), 100.1, 100.4)
        assert words(axes["dSPN"][0]) == ["no dSPN voltages were recorded in this window"]
        draw(figure)

    def test_refusals(self):
        with pytest.raises(ValueError, match="cells_per_type: must be at least 1"):
            traces(make_run(), cells_per_type=0)
        with pytest.raises(ValueError, match="must satisfy 0 <= start < stop"):
            traces(make_run(), 900, 2000)


class TestRateHistogram:
    def test_bars_are_the_fractions_of_neurons(self):
        ids = np.repeat([0, 1, 2, 5], [1, 1, 3, 2])
        spikes = SimpleNamespace(times_ms=np.arange(1.0, 8.0), ids=ids)
        run = make_run(spikes=spikes, populations={"dSPN": range(4), "FS": range(4, 6)})
        figure, axes = rate_histogram(run)
        values, edges, _ = axes["dSPN"].patches[0].get_data()
        np.testing.assert_allclose(values, [0.5, 0, 0.25])
        np.testing.assert_allclose(edges, [0.5, 1.5, 2.5, 3.5])
        silent, place, _ = axes["dSPN"].patches[2].get_data()
        assert silent == [0.25]
        assert place[1] < edges[0]
        assert axes["dSPN"].get_xticks()[0] == sum(place) / 2
        assert axes["dSPN"].get_xticklabels()[0].get_text() == "0"
        values, _, _ = axes["FS"].patches[0].get_data()
        np.testing.assert_allclose(values, [0, 0.5])
        assert axes["dSPN"].lines[0].get_xdata()[0] == pytest.approx(1.25)
        assert "mean 1.25 Hz, 25.0% silent" in axes["dSPN"].get_title(loc="left")
        draw(figure)

    def test_bars_span_whole_counts_whatever_the_duration(self):
        run = make_run(rates_hz=(200.0, 100.0, 900.0), duration_ms=1234.0)
        _, axes = rate_histogram(run)
        for name in TYPES:
            values, edges, _ = axes[name].patches[0].get_data()
            per_count = np.diff(edges) * 1.234
            np.testing.assert_allclose(per_count, per_count[0].round())
            assert len(values) <= 41
            assert values.sum() == pytest.approx(1)

    def test_units_and_ranges(self):
        _, axes = rate_histogram(make_run())
        assert {panel.get_xlabel() for panel in axes.values()} == {
            "rate (spikes/s); hatched: silent"}
        assert axes["dSPN"].get_ylabel() == "fraction of neurons"
        assert axes["dSPN"].get_xlim() == axes["iSPN"].get_xlim()
        assert axes["FS"].get_xlim()[1] > 2 * axes["dSPN"].get_xlim()[1]

    def test_nothing_to_show_says_so(self):
        figure, axes = rate_histogram(make_run(sizes=(60, 50, 0), rates_hz=(2.0, 0.0, 0.0)))
        assert words(axes["iSPN"]) == ["no iSPN spikes"]
        assert words(axes["FS"]) == ["no FS neurons in this run"]
        draw(figure)
        draw(rate_histogram(silent_run())[0])

    @pytest.mark.parametrize("figure_of", [raster, traces, rate_histogram])
    def test_a_run_without_types_is_refused(self, figure_of):
        with pytest.raises(ValueError, match=r"run\.populations: must name at least one cell type"):
            figure_of(make_run(populations={}))


class TestCurves:
    def test_fi_curve_is_sorted_and_labelled(self):
        figure, axes = fi_curve([300, 220, 260], [9.0, 0.0, 4.0], label="FS")
        np.testing.assert_array_equal(axes.lines[0].get_xdata(), [220, 260, 300])
        np.testing.assert_array_equal(axes.lines[0].get_ydata(), [0, 4, 9])
        assert axes.get_xlabel() == "injected current (pA)"
        assert axes.get_ylabel() == "firing rate (spikes/s)"
        assert axes.lines[0].get_color() == palette.colour("FS")
        draw(figure)

    def test_fi_curves_share_axes(self):
        figure, axes = fi_curve([1, 2], [0.0, 30.0], label="dSPN, dopamine 0")
        same, again = fi_curve([1, 2], [0.0, 10.0], label="iSPN", axes=axes)
        assert same is figure
        assert again is axes
        assert axes.get_ylim()[1] > 30
        legend = [text.get_text() for text in axes.get_legend().get_texts()]
        assert legend == ["dSPN, dopamine 0", "iSPN"]
        draw(figure)

    def test_fi_curve_of_a_silent_cell_and_of_nothing(self):
        _, axes = fi_curve([1, 2], [0.0, 0.0])
        assert axes.get_ylim() == (0, 1)
        assert axes.get_legend() is None
        _, axes = fi_curve([], [])
        assert words(axes) == ["no currents in this sweep"]

    def test_fi_curve_refusals(self):
        with pytest.raises(ValueError, match=r"got shapes \(2,\) and \(1,\)"):
            fi_curve([1, 2], [0.0])
        with pytest.raises(ValueError, match="every value must be finite"):
            fi_curve([1], [np.nan])

    @pytest.mark.parametrize(("sign", "written"), [(1, "+0.5 mV"), (-1, "\u22120.5 mV")])
    def test_psp_marks_the_signed_peak(self, sign, written):
        times_ms = np.arange(0, 100, 0.5)
        reference = np.full(200, -80.0)
        change = np.where(times_ms == 60, 0.5, np.where(times_ms > 50, 0.2, 0)) * sign
        figure, (voltage, difference) = psp(
            times_ms, reference + change, reference, spike_ms=50, source="iSPN", target="dSPN"
        )
        assert difference.get_title(loc="left") == f"peak {written}, 10.0 ms after the spike"
        np.testing.assert_allclose(difference.lines[0].get_ydata(), change, atol=1e-12)
        assert voltage.get_ylabel() == "membrane voltage (mV)"
        assert difference.get_ylabel() == "PSP (mV)"
        assert difference.get_xlabel() == "time (ms)"
        assert voltage.get_title(loc="left") == "iSPN to dSPN"
        draw(figure)

    def test_psp_without_a_spike_time_and_without_a_deflection(self):
        _, (_, difference) = psp([0, 1, 2], [-80, -79, -80], [-80, -80, -80])
        assert difference.get_title(loc="left") == "peak +1 mV, at 1.0 ms"
        figure, (_, difference) = psp([0, 1], [-80, -80], [-80, -80])
        assert difference.get_title(loc="left") == "no deflection"
        draw(figure)

    def test_psp_refusals(self):
        with pytest.raises(ValueError, match="two samples or more"):
            psp([], [], [])
        with pytest.raises(ValueError, match="of the same length"):
            psp([0, 1], [-80, -80], [-80])
        with pytest.raises(ValueError, match="every value must be finite"):
            psp([0, 1], [-80, np.inf], [-80, -80])
        with pytest.raises(ValueError, match="times_ms: must ascend"):
            psp([1, 1], [-80, -80], [-80, -80])


class TestLook:
    @pytest.mark.parametrize("figure_of", [raster, traces, rate_histogram])
    def test_no_labels_run_into_each_other(self, figure_of):
        for run in (make_run(), make_run(sizes=(300, 300, 8), cells=3)):
            assert overlaps(figure_of(run)[0]) == []

    def test_no_labels_of_the_curves_run_into_each_other(self):
        assert overlaps(fi_curve(np.arange(220, 305, 5), np.arange(17.0), "dSPN")[0]) == []
        times_ms = np.arange(0, 200, 0.1)
        figure, _ = psp(times_ms, -80 + 0.01 * np.exp(-times_ms), np.full(2000, -80.0), 0, "FS")
        assert overlaps(figure) == []

    def test_colours_differ_from_each_other(self):
        assert len(set(palette.COLOURS.values())) == len(palette.COLOURS)
        assert len(set(palette.MARKERS.values())) == len(palette.MARKERS)
        every = [*palette.COLOURS.values(), *palette.SPARE, palette.FAINT]
        for hue in map(palette.lettering, every):
            light = [int(hue[at : at + 2], 16) / 255 for at in (1, 3, 5)]
            linear = [((x + 0.055) / 1.055) ** 2.4 if x > 0.04045 else x / 12.92 for x in light]
            assert 1.05 / (np.dot(linear, (0.2126, 0.7152, 0.0722)) + 0.05) >= 4.5
        assert palette.lettering(palette.FAINT) == palette.FAINT
        assert palette.colour("mother train") == palette.OTHER

    def test_settings_are_put_back(self):
        before = dict(mpl.rcParams)
        raster(make_run())
        with paper(font_size=20):
            assert mpl.rcParams["font.size"] == 20
            assert not mpl.rcParams["axes.spines.top"]
        with pytest.raises(ZeroDivisionError), paper():
            _ = 1 / 0
        assert dict(mpl.rcParams) == before

    def test_unknown_setting_is_refused(self):
        sentence = r"no Matplotlib setting has this name \(got fontsize\)"
        with pytest.raises(ValueError, match=sentence), paper(fontsize=3):
            pass

    def test_dopamine_that_changes_is_called_a_time_course(self):
        figure, _ = rate_histogram(make_run(dopamine=({"ramp": "..."}, 0.5)))
        assert "D1 time course, D2 0.5" in figure.get_suptitle()
