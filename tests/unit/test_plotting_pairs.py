"""Figures of experiments on cells and pairs: the trace under a current, and two groups."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.figure import Figure
from test_plotting import draw, overlaps, words
from test_plotting_imports import run_python

import neostriatum as ns
from neostriatum.experiments.pair import PairResult
from neostriatum.plotting import fi_curve, groups, palette, psp, trace
from neostriatum.plotting.style import span


def recorded(n, level_mv=-75.0):
    return SimpleNamespace(ids=np.arange(n), times_ms=(np.arange(2000) + 1) * 0.1,
                           v_mv=np.full((2000, n), level_mv))


def make_groups(source="FS", target="dSPN", n=10, **changes):
    """Two groups, their spikes on the grid of 0.1 ms; cell 1 of the source reaches 20 mV."""
    rng = np.random.default_rng(1)
    fired = {role: (np.sort(rng.integers(1, 2000, 3 * n)) * 0.1, rng.integers(0, n, 3 * n))
             for role in ("source", "target")}
    traces = {"source": recorded(n), "target": recorded(n, -80.0)}
    traces["source"].v_mv[500, 1] = 20.0
    rates = dict.fromkeys(fired, 15.0)
    made = PairResult(source, target, n, None, None, 1.0, 3.75, None, recorded(n).times_ms,
                      traces["target"].v_mv, np.zeros(0), 95, fired, traces, rates)
    return replace(made, **changes)


def titles(axes):
    return [panel.get_title(loc="left") for panel in axes]


class TestTrace:
    def test_spikes_are_drawn_up_and_the_rest_is_as_recorded(self):
        made = ns.cell("FS", "200 pA", circuit="striatum_v1", duration="100 ms")
        spikes = made.spike_times_ms[0]
        figure, axes = trace(made.times_ms, made.v_mv[:, 0], spikes, "FS", v_peak_mv=25.0)
        times_ms, v_mv = axes.lines[0].get_data()
        assert isinstance(figure, Figure)
        assert len(spikes) > 2
        np.testing.assert_array_equal(times_ms[v_mv == 25.0], spikes)
        np.testing.assert_array_equal(v_mv[v_mv != 25.0], made.v_mv[:, 0])
        assert np.all(np.diff(times_ms) >= 0)
        # The sample of the same time is the one after the reset.
        peaks = np.flatnonzero(v_mv == 25.0)
        np.testing.assert_array_equal(v_mv[peaks + 1], -60.0)
        draw(figure)

    def test_units_name_and_colour(self):
        figure, axes = trace([0.1, 0.2], [-70, -60], [], "iSPN")
        assert (axes.get_xlabel(), axes.get_ylabel()) == ("time (ms)", "membrane voltage (mV)")
        assert axes.get_title(loc="left") == "iSPN, no spikes"
        assert axes.lines[0].get_color() == palette.colour("iSPN")
        assert axes.get_xlim() == (0.0, 0.2)
        assert figure.axes == [axes]

    def test_without_v_peak_spikes_reach_the_highest_sample(self):
        _, axes = trace([1, 2, 3, 4], [-70, 12, -55, -60], [3, 4], "dSPN")
        assert axes.lines[0].get_ydata().tolist() == [-70, 12, 12, -55, 12, -60]
        assert axes.get_title(loc="left") == "dSPN, 2 spikes, 500.0 Hz"

    def test_one_sample(self):
        figure, axes = trace([5], [-70], [])
        assert axes.get_title(loc="left") == "no spikes"
        draw(figure)

    def test_refusals(self):
        for times_ms, v_mv in [([], []), ([1, 2], [-70]), ([[1, 2]], [[-70, -70]])]:
            with pytest.raises(ValueError, match="must be flat, of the same length and not empty"):
                trace(times_ms, v_mv, [])
        for v_mv, spikes in [([np.nan], []), ([-70], [np.inf])]:
            with pytest.raises(ValueError, match="every value must be finite"):
                trace([1], v_mv, spikes)


class TestGroups:
    def test_roles_types_and_units(self):
        figure, axes = groups(make_groups())
        assert list(axes) == ["source", "target", "source spikes", "target spikes"]
        assert titles([axes["source"][0], axes["target"][0]]) == [
            "source FS, 10 cells", "target dSPN, 10 cells"]
        assert titles([axes["source spikes"], axes["target spikes"]]) == [
            "source FS, mean 15.0 Hz", "target dSPN, mean 15.0 Hz"]
        assert figure.get_suptitle() == "FS to dSPN, 95 connections of 3.75 nS"
        assert axes["target spikes"].get_xlabel() == "time (ms)"
        for role in ("source", "target"):
            assert "voltage (mV)" in [panel.get_ylabel() for panel in axes[role]]
            assert [words(panel) for panel in axes[role]] == [["cell 0"], ["cell 1"], ["cell 2"]]
        draw(figure)

    def test_all_share_time_and_voltages_one_scale(self):
        figure, axes = groups(make_groups())
        assert {panel.get_xlim() for panel in figure.axes} == {(0.0, 200.0)}
        assert len({panel.get_ylim() for role in ("source", "target") for panel in axes[role]}) == 1

    def test_every_spike_of_both_groups_is_drawn(self):
        made = make_groups()
        _, axes = groups(made)
        for role, name in (("source", "FS"), ("target", "dSPN")):
            (dots,) = axes[f"{role} spikes"].lines
            np.testing.assert_array_equal(dots.get_xdata(), made.spikes[role][0])
            np.testing.assert_array_equal(dots.get_ydata(), made.spikes[role][1])
            assert dots.get_color() == palette.colour(name)

    def test_spikes_of_a_cell_stand_in_its_voltage(self):
        made = make_groups()
        _, axes = groups(made, v_peak_mv={"dSPN": 40.0})
        when, who = made.spikes["target"]
        for cell, panel in enumerate(axes["target"]):
            times_ms, v_mv = panel.lines[0].get_data()
            np.testing.assert_array_equal(times_ms[v_mv == 40.0], when[who == cell])
        # Without v_peak all cells of a type reach the highest sample of the type.
        assert axes["source"][0].lines[0].get_ydata().max() == 20.0

    def test_a_source_like_its_target_is_darker(self):
        _, axes = groups(make_groups("dSPN", "dSPN"))
        source, target = (axes[role][0].lines[0].get_color() for role in ("source", "target"))
        assert (source, target) == (palette.shade(palette.colour("dSPN")), palette.colour("dSPN"))
        assert axes["source spikes"].lines[0].get_color() == source
        assert titles([axes["source"][0], axes["target"][0]]) == [
            "source dSPN, 10 cells", "target dSPN, 10 cells"]

    @pytest.mark.parametrize("n", [2, 10, 80])
    def test_no_labels_run_into_each_other(self, n):
        figure, axes = groups(make_groups(n=n, connections=1))
        assert overlaps(figure) == []
        assert len(axes["source"]) == min(n, 3)
        assert "1 connection of" in figure.get_suptitle()

    def test_fewer_cells(self):
        figure, axes = groups(make_groups(), cells_per_group=1)
        assert overlaps(figure) == []
        assert [len(axes[role]) for role in ("source", "target")] == [1, 1]

    def test_silence_says_so(self):
        silent = {role: (np.empty(0), np.empty(0, np.int64)) for role in ("source", "target")}
        figure, axes = groups(make_groups(spikes=silent, rates_hz=dict.fromkeys(silent, 0.0)))
        assert words(axes["source spikes"]) == ["no source spikes"]
        assert words(axes["target spikes"]) == ["no target spikes"]
        draw(figure)

    def test_refusals(self):
        with pytest.raises(ValueError, match=r"a single pair is drawn by psp \(got n 1\)"):
            groups(replace(make_groups(), n=1))
        with pytest.raises(ValueError, match=r"cells_per_group: must be at least 1 \(got 0\)"):
            groups(make_groups(), cells_per_group=0)

    def test_the_experiment_is_drawn_as_it_comes(self):
        made = ns.pair("dSPN", "dSPN", n=4, circuit="seed", duration="20 ms")
        figure, axes = groups(made)
        assert axes["target spikes"].get_xlim() == (0.0, 20.0)
        draw(figure)


class TestShared:
    def test_span(self):
        assert span(np.array([0.0, 0.5])) == (0.0, 0.5)
        assert span(np.array([7.0])) == (7.0, 7.0)

    def test_psp_begins_where_the_simulation_does(self):
        made = ns.pair("FS", "dSPN", circuit="seed", duration="50 ms")
        figure, (_, difference) = psp(made.times_ms, made.v_mv, made.reference_mv)
        assert difference.get_xlim() == (0.0, 50.0)
        draw(figure)

    @pytest.mark.parametrize("label", ["FS", "FS linear", "FS, cubic"])
    def test_fi_curve_finds_the_cell_type_in_its_label(self, label):
        _, axes = fi_curve([1, 2], [0.0, 3.0], label)
        assert axes.lines[0].get_color() == palette.colour("FS")

    @pytest.mark.parametrize("label", ["", " ", ", "])
    def test_fi_curve_without_a_cell_type(self, label):
        _, axes = fi_curve([1, 2], [0.0, 3.0], label)
        assert axes.lines[0].get_color() == palette.OTHER

    def test_shade_keeps_the_form_of_a_colour(self):
        assert [palette.shade(one) for one in ("#FFFFFF", "#000000")] == ["#7F7F7F", "#000000"]

    def test_groups_is_not_hidden_by_its_module(self):
        run_python("""
from neostriatum.plotting.groups import groups
from neostriatum import plotting
assert plotting.groups is groups
assert callable(plotting.trace) and callable(plotting.traces)
""")
