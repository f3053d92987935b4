"""Figures of the measures: what they show, their units, and what they say with nothing to show."""

from io import BytesIO
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.figure import Figure
from test_plotting import TYPES, make_run, overlaps, silent_run, words

from neostriatum.analysis import isi_cv
from neostriatum.analysis.somas import Somas, somas
from neostriatum.errors import InputError
from neostriatum.plotting import (
    FIGURES,
    activity,
    assemblies,
    correlation_distance,
    cv_histogram,
    palette,
    psth,
    spectrum,
    states,
)


def placed(run, side_um=None):
    """The run with its somas at random in a cube of 300 um."""
    n = max(members.stop for members in run.populations.values())
    run.somas = Somas(np.random.default_rng(2).random((n, 3)) * 300, side_um)
    return run


def flat(axes):
    """All axes of a figure in one list."""
    found = []
    for value in axes.values() if isinstance(axes, dict) else axes:
        found += flat(value) if isinstance(value, list | tuple) else [value]
    return found


class TestTable:
    @pytest.mark.parametrize("name", FIGURES)
    def test_every_figure_takes_the_run_alone_and_can_be_saved_in_all_formats(self, name):
        figure, axes = FIGURES[name](placed(make_run()))
        assert isinstance(figure, Figure)
        assert flat(axes)
        # A letter of a PDF or an SVG can fail where a dot of a PNG does not; one is as slow as all.
        for ending in ("png", "pdf", "svg") if name in ("psth", "activity") else ("svg",):
            file = BytesIO()
            figure.savefig(file, format=ending)
            assert file.tell() > 1000

    @pytest.mark.parametrize("name", FIGURES)
    def test_nothing_to_show_is_drawn_and_said(self, name):
        short = silent_run(traces={}, duration_ms=0.1)
        for run in (silent_run(traces={}), short, placed(silent_run()),
                    silent_run(populations={"dSPN": range(0), "FS": range(0)}, traces={})):
            figure, axes = FIGURES[name](run)
            figure.draw_without_rendering()
            if name != "activity" or not hasattr(run, "somas"):
                assert any(words(panel) for panel in flat(axes)) or name == "states"

    @pytest.mark.parametrize("name", [x for x in FIGURES if x != "activity"])
    def test_no_labels_run_into_each_other(self, name):
        for run in (placed(make_run()), silent_run(traces={})):
            figure, _ = FIGURES[name](run)
            assert not overlaps(figure)

    @pytest.mark.parametrize("name", FIGURES)
    def test_a_run_without_types_is_refused(self, name):
        with pytest.raises(InputError, match=r"run\.populations: must name at least one"):
            FIGURES[name](make_run(populations={}))


def test_psth_of_events_is_their_average():
    run = make_run(spikes=SimpleNamespace(times_ms=np.array([203.0, 403.0, 409.0]),
                                          ids=np.array([0, 1, 0])))
    _, axes = psth(run, events_ms=[200.0, 400.0], before_ms=10, after_ms=20)
    values, edges, _ = axes["dSPN"].patches[0].get_data()
    np.testing.assert_allclose(edges, [-10, 0, 10, 20])
    np.testing.assert_allclose(values, [0, 1000 * 3 / (2 * 60 * 10), 0])
    assert axes["FS"].get_xlabel() == "time since event (ms), 2 events"
    assert words(axes["FS"]) == ["no FS spikes"]


def test_cv_histogram_counts_the_neurons_with_enough_intervals():
    run = make_run(rates_hz=(8.0, 1.0, 20.0))
    _, axes = cv_histogram(run)
    neurons, values = isi_cv(run.spikes.times_ms, run.spikes.ids, 5)
    own = values[neurons < 60]
    assert f"{own.size} of 60" in axes["dSPN"].get_title(loc="left")
    heights, edges, _ = axes["dSPN"].patches[0].get_data()
    assert heights.sum() == pytest.approx(1)
    assert np.average((edges[1:] + edges[:-1]) / 2, weights=heights) == pytest.approx(
        own.mean(), abs=np.diff(edges)[0] / 2)
    assert len({axes[name].get_xlim() for name in ("dSPN", "FS")}) == 1
    with pytest.raises(InputError, match="minimum_intervals"):
        cv_histogram(run, minimum_intervals=1)


def test_spectrum_of_independent_neurons_lies_on_the_line():
    _, axes = spectrum(placed(make_run(rates_hz=(20.0, 20.0, 20.0))))
    curve, line = axes["dSPN"].lines
    assert curve.get_ydata().mean() == pytest.approx(line.get_ydata()[0], rel=0.2)
    assert curve.get_color() == palette.colour("dSPN")
    assert axes["dSPN"].get_xlabel() == "frequency (Hz)"
    assert axes["field"].get_ylabel() == "power (µV²/Hz)"
    assert words(spectrum(make_run())[1]["field"]) == ["positions are not known"]


def test_correlation_is_drawn_where_there_are_pairs():
    _, axes = correlation_distance(placed(make_run(rates_hz=(20.0, 20.0, 20.0)), side_um=300.0))
    assert axes["dSPN"].get_xlim() == (0, 150)
    assert axes["dSPN"].get_ylim() == axes["iSPN"].get_ylim()
    assert axes["dSPN"].lines[0].get_marker() == palette.marker("dSPN")
    assert words(axes["FS"]) == ["too few pairs of FS that fire"]
    assert words(correlation_distance(make_run())[1]["FS"]) == ["positions are not known"]


def test_activity_shows_the_rate_of_each_soma():
    run = placed(make_run(rates_hz=(20.0, 1.0, 20.0)))
    figure, axes = activity(run)
    rates = np.bincount(run.spikes.ids, minlength=116)[:60] * 1.0
    dots = axes["dSPN"].collections[0]
    np.testing.assert_allclose(np.sort(dots.get_array()), np.sort(rates))
    assert [axis.get_label_text() for axis in (axes["FS"].xaxis, axes["FS"].zaxis)] == [
        "x (µm)", "z (µm)"]
    bars = [panel for panel in figure.axes if panel.get_xlabel() == "firing rate (spikes/s)"]
    assert len(bars) == 3
    assert words(activity(make_run())[1]["dSPN"]) == ["positions are not known"]
    with pytest.raises(InputError, match="start_ms, stop_ms"):
        activity(run, 5, 5)


def test_states_are_shaded_where_they_are():
    times_ms = np.arange(1000) * 1.0
    v_mv = np.where((times_ms >= 300) & (times_ms < 600), -55.0, -78.0)
    v_mv += np.random.default_rng(3).normal(0, 1, 1000)
    recorded = SimpleNamespace(ids=[0], times_ms=times_ms, v_mv=v_mv[:, None])
    figure, axes = states(make_run(traces={"dSPN": recorded}))
    assert figure.get_size_inches()[1] < 3.2  # rows that only say why are low
    assert axes["dSPN"][0].get_xlabel().startswith("time (ms)")
    assert axes["dSPN"][1].get_xlabel() == "time (%)"
    assert not axes["FS"][0].xaxis.get_visible()
    (shaded,) = axes["dSPN"][0].patches
    assert shaded.get_x() == pytest.approx(300)
    assert shaded.get_width() == pytest.approx(300)
    assert axes["dSPN"][0].get_title(loc="left") == (
        "dSPN, cell 0, 1 up state, 30% of the time, \N{MINUS SIGN}78 and \N{MINUS SIGN}55 mV")
    assert words(axes["FS"][0]) == ["no FS voltages were recorded"]
    with pytest.raises(InputError, match="cell: must be 0 or more"):
        states(make_run(), cell=-1)


def test_assemblies_show_their_members_in_the_colour_of_their_type():
    rng = np.random.default_rng(4)
    own = rng.random((116, 2000)) < 0.02
    own[50:70] |= (rng.random(2000) < 0.02) & (rng.random((20, 2000)) < 0.8)
    at, ids = own.T.nonzero()
    run = make_run(spikes=SimpleNamespace(times_ms=at * 25.0 + 10, ids=ids), duration_ms=50_000.0)
    _, axes = assemblies(run)
    assert axes["eigenvalues"].get_title(loc="left") == "1 assembly above chance"
    filled = {line.get_label(): line for line in axes["weights"].lines if line.get_label() in TYPES}
    assert filled["dSPN"].get_xdata().tolist() == list(range(50, 60))
    assert filled["iSPN"].get_xdata().tolist() == list(range(60, 70))
    assert filled["iSPN"].get_color() == palette.colour("iSPN")
    assert len(axes["strength"].lines) == 1
    assert axes["strength"].get_xlabel() == "time (s)"
    assert list(assemblies(make_run())[1]) == ["eigenvalues"]


class TestSomas:
    def test_they_are_drawn_again_as_the_network_was(self):
        import neostriatum as ns

        network = ns.build("striatum_v1", size=200, seed=3)
        record = {"network": None, "size": 200, "counts": network.counts}
        run = SimpleNamespace(record=record, circuit=network.circuit, seed=3)
        found = somas(run)
        np.testing.assert_array_equal(found.positions_um, network.positions)
        assert found.side_um == network.side_um
        record["counts"] = {"dSPN": 200}
        assert somas(run) is None

    def test_or_read_from_the_network_of_the_run_if_it_is_still_the_same(self, tmp_path):
        import neostriatum as ns

        network = ns.build("striatum_v1", size=200, seed=3)
        path = network.save(tmp_path / "network.h5")
        record = {"network": str(path), "network_hash": network.hash()}
        found = somas(SimpleNamespace(record=record))
        np.testing.assert_array_equal(found.positions_um, network.positions)
        assert somas(SimpleNamespace(record=record | {"network_hash": "other"})) is None
        assert somas(SimpleNamespace(record=record | {"network": str(tmp_path / "no.h5")})) is None
