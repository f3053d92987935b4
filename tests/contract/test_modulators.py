"""Levels by name: both spellings, a third modulator on cells, levels that hold and square waves."""

import instruments  # noqa: F401
import numpy as np
import pytest
from lively import lively

import neostriatum as ns

#: A level that changes in the run, below and above the reference of every effect.
ACH = {"level": {"sine": {"mean": 2.0, "amplitude": 1.5, "frequency": "40 Hz"}}, "reference": 1.0}
CURVE = {"half": 2.0, "order": 1.7, "reference": 1.0}
#: By each way: factor, addition (where parameters have spread, too), curve, current, gain.
EFFECTS = {
    "dSPN": [{"level": "ACh", "acts_on": "v_t", "add": "-0.8 mV"},
             {"level": "ACh", "acts_on": "I_spon", "add": "6 pA", "curve": CURVE},
             {"level": "ACh", "acts_on": "I_NMDA", "coefficient": 0.3, "curve": CURVE}],
    "iSPN": [{"level": "ACh", "acts_on": "v_t", "coefficient": 0.02},
             {"level": "ACh", "acts_on": "v_t", "add": "-1.2 mV", "curve": CURVE},
             {"level": "ACh", "acts_on": "d", "coefficient": -0.3, "curve": {"half": 1.5}}],
    "FS": [{"level": "ACh", "acts_on": "current", "conductance": "2 nS", "reversal": "-40 mV",
            "curve": CURVE}, {"level": "D1", "acts_on": "C", "add": "5 pF"},
           {"level": "ACh", "acts_on": "b", "add": "0.001 nS/mV^2"}],
}


def modulated(raw, ach=ACH):
    """Return raw data of a circuit with a third modulator acting on every type."""
    cells = {name: cell | {"effects": EFFECTS[name]} for name, cell in raw["cells"].items()}
    return raw | {"cells": cells, "modulators": {"ACh": ach}}
