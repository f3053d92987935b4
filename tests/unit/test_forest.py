"""Targets of the validation in one figure: their places on the scale, sentences and numbers."""

import io
import math

import numpy as np
import pytest

from neostriatum.plotting import COLOURS
from neostriatum.plotting.forest import MET, MISSED, forest, place
from neostriatum.validation.words import numbers

ROW = {"id": "rate", "quantity": "rate of SPNs", "unit": "Hz", "target": 1.5, "spread": 2.0,
       "tolerance": {"kind": "sd", "low": -0.5, "high": 3.5}, "measured": 1.2, "pass": True,
       "x": None, "circuit": "striatum", "deviation": 0.15}


@pytest.mark.parametrize(("changes", "ends", "measured", "bar"), [
    ({}, (-0.75, 1.0), -0.15, (-0.75, 1.0)),  # there are no negative rates
    ({"target": -75.0, "tolerance": {"kind": "sd", "low": -79.0, "high": -71.0},
      "measured": -81.0}, (-1.0, 1.0), -1.5, (-0.5, 0.5)),
    ({"target": None, "tolerance": {"kind": "interval", "low": 20.0, "high": None},
      "measured": 30.0}, (-1.0, math.inf), -0.5, None),
    ({"target": [1.0, 2.0], "x": [0.0, 1.0], "deviation": 0.4}, (0.0, 1.0), 0.4, None),
    # A wide interval is drawn as it is judged, by its logarithm.
    ({"target": 10.0, "spread": None, "measured": 20.0,
      "tolerance": {"kind": "factor", "low": 2.5, "high": 40.0}}, (-1.0, 1.0), 0.5, None),
])
def test_the_ends_of_what_passes_are_one_from_the_middle(changes, ends, measured, bar):
    found = place(ROW | changes)
    np.testing.assert_allclose((found.low, found.high, found.measured), (*ends, measured))
    assert (found.bar is None) == (bar is None)
    if bar is not None:
        np.testing.assert_allclose(found.bar, bar)


def test_an_order_has_no_place():
    assert place(ROW | {"target": ["D1", "D2"]}) is None


def test_every_target_has_its_sentence_and_its_numbers():
    order = ROW | {"target": ["D2", "D1"], "measured": {"D1": 2.0, "D2": 1.0},
                   "tolerance": {"kind": "order"}}
    rows = [ROW, ROW | {"measured": 99.0, "pass": False}, order,
            ROW | {"measured": None, "pass": None}]
    figure, axes = forest(rows, [numbers(row) for row in rows])
    texts = [one.get_text() for one in axes.texts]
    assert texts.count("rate of SPNs") == texts.count("rate") == 4
    assert {"1.2 Hz", "1.5 ± 2, passes from 0 to 3.5", "99 Hz (missed)", "in this order",
            "D2 1, D1 2 Hz", "nothing measured"} <= set(texts)
    diamond, arrow = (line for line in axes.lines if line.get_marker() in ("D", ">"))
    assert (diamond.get_marker(), diamond.get_markerfacecolor()) == ("D", MET)
    assert (arrow.get_marker(), arrow.get_markerfacecolor()) == (">", "white")
    assert arrow.get_color() == MISSED
    assert not {MET, MISSED} & set(COLOURS.values())
    figure.savefig(io.BytesIO(), format="png")
