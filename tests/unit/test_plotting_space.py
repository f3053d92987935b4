"""Figures of networks: what they show, their units, their behaviour with nothing to show."""

import os
import subprocess
import sys
from io import BytesIO
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

import neostriatum as ns
from neostriatum import plotting
from neostriatum.analysis.profile import profile
from neostriatum.plotting import (
    connection_probability,
    connectivity,
    degrees,
    palette,
    positions,
)

SRC = str(Path(plotting.__file__).parents[2])
FIGURES = {"positions": positions, "connection_probability": connection_probability,
           "degrees": degrees, "connectivity": connectivity}
OPEN = {"volume.boundary": "open"}


@pytest.fixture(scope="module")
def network():
    return ns.build(ns.load("striatum_v1", changes=OPEN), size=900, seed=3)


@pytest.fixture(scope="module")
def sparse():
    """Nobody is an FS, nobody contacts a dSPN."""
    nobody = {"rule": "fixed_probability", "p": 0.0}
    changes = {"pathways.dSPN->dSPN.wiring": nobody, "pathways.iSPN->dSPN.wiring": nobody}
    made = ns.build(ns.load("striatum_v1", changes=changes), size=30, seed=1)
    assert made.counts["FS"] == 0
    return made


def draw(figure):
    """Render, so that whatever only fails or warns on drawing does so."""
    figure.savefig(BytesIO(), format="png")


def overlaps(figure):
    """Pairs of texts of a figure that run into each other."""
    figure.draw_without_rendering()
    shown = [figure._suptitle]
    for axes in figure.axes:
        if axes.get_legend() is not None:
            shown += axes.get_legend().get_texts()
        if not axes.axison:
            continue
        shown += [axes.title, axes._left_title, axes.xaxis.label, axes.yaxis.label]
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = [tick for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
            shown += [tick.label1 for tick in ticks if tick.label1.get_visible()]
    shown = [text for text in shown if text.get_text().strip()]
    boxes = [text.get_window_extent() for text in shown]
    pairs = combinations(zip(shown, boxes, strict=True), 2)
    return [(a.get_text(), b.get_text()) for (a, one), (b, two) in pairs if one.overlaps(two)]


class TestPositions:
    def test_every_soma_is_a_dot_at_its_place(self, network):
        figure, axes = positions(network)
        dots = dict(zip(network.populations, axes.collections, strict=True))
        for name, ids in network.populations.items():
            at = np.stack([np.asarray(one) for one in dots[name]._offsets3d], axis=1)
            np.testing.assert_array_equal(at, network.positions[ids.start : ids.stop])
            assert dots[name].get_rasterized()
        assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_zlabel()) == (
            "x (µm)", "y (µm)", "z (µm)")
        draw(figure)

    def test_many_somas_are_thinned_and_the_legend_says_so(self, network):
        _, axes = positions(network, most=100)
        drawn = [len(one._offsets3d[0]) for one in axes.collections]
        assert 95 <= sum(drawn) <= 105
        assert drawn[2] >= 2
        texts = [one.get_text() for one in axes.get_legend().get_texts()]
        assert texts[0] == f"dSPN, {drawn[0]} of 444"

    def test_axes_are_to_scale(self):
        slab = ns.build(ns.load("striatum_v1", changes={
            "volume.shape": "slab", "volume.thickness": "60 um"}), size=500, seed=1)
        _, axes = positions(slab)
        x, _, z = axes._box_aspect
        assert x / z == pytest.approx(np.ptp(slab.positions[:, 0]) / np.ptp(slab.positions[:, 2]))

    @pytest.mark.parametrize("most", [0, -1, 2.5, True])
    def test_refusals(self, network, most):
        with pytest.raises(ValueError, match="most: must be a whole number"):
            positions(network, most=most)


class TestConnectionProbability:
    def test_dots_are_the_counts_and_the_line_is_the_law(self, network):
        figure, axes = connection_probability(network, up_to_um=120, bin_um=20, recordings=False)
        assert list(axes) == list(network.edges)
        for name, panel in axes.items():
            made = profile(network, name, np.arange(0.0, 121.0, 20.0))
            some = made.pairs > 0
            dots = panel.containers[0].lines[0]
            np.testing.assert_allclose(dots.get_ydata(), made.probability[some])
            np.testing.assert_allclose(dots.get_xdata(), made.mean_um[some])
            law = next(line for line in panel.lines if line.get_label() == "law")
            assert law.get_ydata()[0] == pytest.approx(law.get_ydata().max())
        draw(figure)

    def test_published_intervals(self, network):
        _, axes = connection_probability(network, recordings=False)
        panel = axes["iSPN->dSPN"]
        bars = {one.get_label(): one for one in panel.containers}
        assert set(bars) == {"counted here", "Taverna 2008, posterior", "Planert 2010, posterior"}
        point, _, (line,) = bars["Taverna 2008, posterior"].lines
        assert (point.get_xdata()[0], point.get_ydata()[0]) == (pytest.approx(100 / 3), 0.222)
        np.testing.assert_allclose(line.get_segments()[0][:, 1], [0.138, 0.336])
        fs = {one.get_label() for one in axes["FS->dSPN"].containers}
        assert fs == {"counted here", "Planert 2010, counted", "Gittis 2011, counted",
                      "Gittis 2010, counted"}

    def test_recordings_lie_beside_what_was_published(self, network):
        _, axes = connection_probability(network, up_to_um=100, bin_um=20)
        made = ns.pair_recordings(network, "iSPN->iSPN", "50 um", pairs=4000)
        points = [line for line in axes["iSPN->iSPN"].lines if line.get_label() == "recorded here"]
        assert len(points) == 2
        assert points[0].get_ydata()[0] == pytest.approx(made.probability)

    def test_units(self, network):
        _, axes = connection_probability(network, up_to_um=100, bin_um=20, recordings=False)
        assert axes["FS->dSPN"].get_xlabel() == "distance (µm)"
        assert axes["FS->dSPN"].get_ylabel() == "connection probability"

    def test_a_small_torus_shows_the_law_over_all_images(self):
        torus = ns.build("striatum_v1", size=300, seed=1)
        _, axes = connection_probability(torus, up_to_um=80, bin_um=20, recordings=False)
        labels = [line.get_label() for line in axes["dSPN->dSPN"].lines]
        assert "law, all images" in labels

    def test_nothing_to_show_says_so(self, sparse):
        figure, axes = connection_probability(sparse, up_to_um=100, bin_um=20)
        assert [text.get_text() for text in axes["FS->FS"].texts] == ["no such pairs"]
        draw(figure)

    @pytest.mark.parametrize("given", [{"bin_um": 0}, {"up_to_um": 10}, {"up_to_um": np.inf}])
    def test_refusals(self, network, given):
        with pytest.raises(ValueError, match="bin_um, up_to_um: must satisfy"):
            connection_probability(network, **given)


class TestDegrees:
    def test_bars_are_the_fractions_of_neurons(self, network):
        figure, axes = degrees(network)
        assert list(axes) == [f"{way} {name}" for way in ("in", "out")
                              for name in ("dSPN", "iSPN", "FS")]
        for key, panel in axes.items():
            for patch in panel.patches:
                values, edges, _ = patch.get_data()
                assert (values * np.diff(edges)).sum() == pytest.approx(1)
                assert (np.diff(edges) % 1 == 0).all(), key
        edges = network.edges["iSPN->dSPN"]
        into = np.bincount(edges.targets, minlength=network.counts["dSPN"])
        out = np.diff(edges.offsets)
        texts = [one.get_text() for one in axes["in dSPN"].get_legend().get_texts()]
        assert texts[1] == f"iSPN: {into.mean():.3g} ± {into.std():.2g}"
        texts = [one.get_text() for one in axes["out iSPN"].get_legend().get_texts()]
        assert texts[0] == f"dSPN: {out.mean():.3g} ± {out.std():.2g}"
        draw(figure)

    def test_units(self, network):
        _, axes = degrees(network)
        assert axes["in FS"].get_xlabel() == "sources of an FS"
        assert axes["out dSPN"].get_xlabel() == "targets of a dSPN"
        assert axes["in dSPN"].get_ylabel() == "density (1/partner)"
        assert axes["in dSPN"].get_legend().get_title().get_text() == "mean ± sd"

    def test_nothing_to_show_says_so(self, sparse):
        figure, axes = degrees(sparse)
        assert [text.get_text() for text in axes["in dSPN"].texts] == ["none"]
        assert [text.get_text() for text in axes["out FS"].texts] == ["none"]
        draw(figure)


class TestConnectivity:
    def test_cells_are_mean_in_degrees(self, network):
        figure, axes = connectivity(network)
        shown = axes.images[0].get_array()
        types = list(network.counts)
        for row, source in enumerate(types):
            for column, target in enumerate(types):
                edges = network.edges.get(f"{source}->{target}")
                if edges is None:
                    assert shown.mask[row, column]
                else:
                    assert shown[row, column] == pytest.approx(
                        len(edges) / network.counts[target])
        texts = [text.get_text() for text in axes.texts]
        assert texts.count("none") == 2
        assert f"\n{len(network.edges['FS->FS'])} synapses" in texts
        draw(figure)

    def test_rows_are_sources(self, network):
        _, axes = connectivity(network)
        assert (axes.get_xlabel(), axes.get_ylabel()) == ("target", "source")
        ticks = axes.get_yticklabels()
        assert [one.get_text() for one in ticks] == ["dSPN", "iSPN", "FS"]
        assert [one.get_color() for one in ticks] == [
            palette.lettering(palette.colour(one.get_text())) for one in ticks]

    def test_nothing_to_show_says_so(self, sparse):
        figure, axes = connectivity(sparse)
        assert [text.get_text() for text in axes.texts].count("none") == 7
        draw(figure)


class TestLook:
    @pytest.mark.parametrize("name", FIGURES)
    def test_no_labels_run_into_each_other(self, network, name):
        figure, _ = FIGURES[name](network)
        if name != "positions":  # labels of three axes are turned, their boxes are not
            assert overlaps(figure) == []

    @pytest.mark.parametrize("name", FIGURES)
    def test_the_heading_says_what_it_is(self, network, name):
        figure, _ = FIGURES[name](network)
        assert figure.get_suptitle().replace("\n", " ") == (
            "striatum_v1, 900 neurons, open cube of 0.0116 mm³, seed 3")

    def test_neither_pyplot_nor_a_display_is_touched(self, tmp_path):
        code = (
            "import sys, neostriatum as ns\n"
            "network = ns.build('striatum_v1', size=100)\n"
            "for name in ('positions', 'connection_probability', 'degrees', 'connectivity'):\n"
            "    figure, _ = getattr(ns.plot, name)(network)\n"
            "    figure.savefig(name + '.png')\n"
            "assert 'matplotlib.pyplot' not in sys.modules\n"
        )
        environment = {key: said for key, said in os.environ.items() if key != "DISPLAY"}
        done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False,
                              env={**environment, "PYTHONPATH": SRC}, capture_output=True,
                              text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        assert {one.name for one in tmp_path.iterdir()} == {f"{name}.png" for name in FIGURES}
