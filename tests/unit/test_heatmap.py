"""Figures of sweeps: rates against two parameters, and against one."""

import numpy as np
import pandas as pd
import pytest
from test_plotting import draw, overlaps, words

from neostriatum.plotting import heat_map, palette, response

TYPES = ("dSPN", "iSPN", "FS")


def make_table(x=(0.0, 0.3, 0.8), y=(0.9, 1.0, 1.1), seeds=(1, 2), failed=()):
    """Rates rise with both; ``failed`` lists (x, y, seed)."""
    rows = []
    for seed in seeds:
        for n, one in enumerate(x):
            for m, other in enumerate(y):
                row = {"dopamine": one, "drive": other, "seed": seed, "status": "finished"}
                bad = (one, other, seed) in failed
                for scale, name in zip((1.0, 2.0, 10.0), TYPES, strict=True):
                    row[f"rate_{name}_hz"] = None if bad else scale * (n + m + 0.1 * seed)
                rows.append(row | ({"status": "failed"} if bad else {}))
    return pd.DataFrame(rows)


class TestHeatMap:
    def test_a_cell_is_the_mean_over_seeds_at_its_place(self):
        figure, axes = heat_map(make_table(), "dopamine", "drive", title="striatum_v1")
        assert list(axes) == list(TYPES)
        for scale, name in zip((1.0, 2.0, 10.0), TYPES, strict=True):
            wanted = scale * (np.add.outer(np.arange(3), np.arange(3)) + 0.15)
            np.testing.assert_allclose(axes[name].images[0].get_array(), wanted)
            assert axes[name].images[0].origin == "lower"
            assert axes[name].get_title(loc="left") == name
        assert (axes["dSPN"].get_xlabel(), axes["dSPN"].get_ylabel()) == (
            "dopamine (activation, 0 to 1)", "drive")
        assert [one.get_text() for one in axes["FS"].get_yticklabels()] == ["0.9", "1", "1.1"]
        bars = [one for one in figure.axes if one not in axes.values()]
        assert [one.get_title() for one in bars] == ["spikes/s"] * 2
        assert axes["dSPN"].images[0].get_clim() == axes["iSPN"].images[0].get_clim()
        assert figure.get_suptitle() == "striatum_v1"
        assert not overlaps(figure)
        draw(figure)

    def test_values_are_printed_where_few(self):
        _, axes = heat_map(make_table(seeds=(1,)), "dopamine", "drive")
        assert words(axes["dSPN"])[:2] == ["0.10", "1.10"]
        _, axes = heat_map(make_table(x=np.linspace(0, 1, 20)), "dopamine", "drive")
        assert words(axes["dSPN"]) == []

    def test_failed_points_are_hatched_and_missing_ones_white(self):
        table = make_table(failed=[(0.3, 1.0, 1), (0.8, 1.1, 1), (0.8, 1.1, 2)]).iloc[1:]
        figure, axes = heat_map(table[table.dopamine + table.drive != 0.9], "dopamine", "drive")
        hatched = {one.get_xy() for one in axes["iSPN"].patches if one.get_hatch()}
        assert hatched == {(0.5, 0.5), (1.5, 1.5)}
        shown = axes["iSPN"].images[0].get_array()
        assert np.ma.getmaskarray(shown)[2, 2]
        assert np.ma.getmaskarray(shown)[0, 0]
        np.testing.assert_allclose(shown[1, 1], 2 * 2.2)  # seed 2 alone
        draw(figure)

    def test_every_point_failed(self):
        table = make_table(seeds=(1,), x=(0.0,), y=(1.0,), failed=[(0.0, 1.0, 1)])
        figure, axes = heat_map(table, "dopamine", "drive")
        assert words(axes[""]) == ["no rates in this table"]
        draw(figure)
        draw(response(table, "dopamine")[0])

    def test_texts_and_nothing_at_all_as_values(self):
        table = make_table().assign(overlay=["none", "parkinsonian", "dense"] * 6, level=None)
        _, axes = heat_map(table, "overlay", "level")
        assert [one.get_text() for one in axes["FS"].get_xticklabels()] == [
            "none", "parkinsonian", "dense"]

    def test_silence(self):
        table = make_table().assign(rate_FS_hz=0.0)
        figure, axes = heat_map(table, "dopamine", "drive")
        assert axes["FS"].images[0].get_clim() == (0.0, 1.0)
        draw(figure)

    def test_refusals(self):
        with pytest.raises(ValueError, match="a column d1"):
            heat_map(make_table(), "d1", "drive")
        with pytest.raises(ValueError, match="must have rows"):
            response(make_table().iloc[:0], "dopamine")


class TestResponse:
    def test_means_and_spread_of_the_seeds(self):
        table = make_table(y=(1.0,), seeds=(1, 3))
        figure, axes = response(table, "dopamine", title="striatum_v1")
        np.testing.assert_allclose(axes["iSPN"].lines[0].get_ydata(), [0.4, 2.4, 4.4])
        assert axes["iSPN"].lines[0].get_color() == palette.colour("iSPN")
        band = axes["iSPN"].collections[0].get_paths()[0].vertices
        np.testing.assert_allclose([band[:, 1].min(), band[:, 1].max()], [0.2, 4.6])
        assert axes["dSPN"].get_ylabel() == "rate (spikes/s)"
        assert axes["FS"].get_xlabel() == "dopamine (activation, 0 to 1)"
        assert not overlaps(figure)
        draw(figure)

    def test_a_failed_value_has_a_cross(self):
        table = make_table(y=(1.0,), seeds=(1,), failed=[(0.3, 1.0, 1)])
        _, axes = response(table, "dopamine")
        assert axes["dSPN"].lines[0].get_xdata().tolist() == [0.0, 0.8]
        assert axes["dSPN"].lines[1].get_xdata().tolist() == [0.3]

    def test_texts_and_units(self):
        table = make_table(x=("a", "b", "c")).rename(columns={"dopamine": "g_nS"})
        _, axes = response(table, "g_nS")
        assert axes["dSPN"].get_xlabel() == "g (nS)"
        assert [one.get_text() for one in axes["dSPN"].get_xticklabels()] == ["a", "b", "c"]
