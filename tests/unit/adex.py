"""A cell of one's own, as the design document writes it, and circuits that name it."""

import copy
from pathlib import Path

import neostriatum as ns
from neostriatum.models import CellModel, I, State, exp, minimum, parameters, rate

GOOD = Path(__file__).parents[1] / "data" / "good_small.toml"
#: What makes the cell of the document spike.
NUMBERS = {"C": "80 pF", "g_L": "10 nS", "E_L": "-70 mV", "v_T": "-50 mV", "D_T": "2 mV",
           "a": "2 nS", "b": "20 pA", "tau_w": "100 ms", "v_reset": "-60 mV", "v_peak": "0 mV",
           "t_ref": "2 ms"}

v, w = State("v", "mV"), State("w", "pA")


def declared(*more):
    """Return the parameters of the document's cell, and more."""
    return parameters(
        "C pF > 0", "g_L nS > 0", "E_L mV", "v_T mV", "D_T mV > 0", "a nS", "b pA",
        "tau_w ms > 0", "v_reset mV", "v_peak mV", "t_ref ms >= 0", *more)


def adex(name="adex", **changes):
    """Return the document's cell under a name."""
    C, g_L, E_L, v_T, D_T, a, b, tau_w, v_reset, v_peak, t_ref = declared()
    fields = {
        "name": name, "source": "brette2005", "states": (v, w),
        "rates": (rate(v, g_L * (E_L - v) + g_L * D_T * exp((minimum(v, v_peak) - v_T) / D_T)
                       - w + I, per=C), rate(w, a * (v - E_L) - w, per=tau_w)),
        "fires": v >= v_peak, "then": {v: v_reset, w: w + b}, "starts": {v: E_L, w: 0},
        "hold": t_ref, "derived": {"leak": g_L * (E_L - v)}}
    return CellModel(**fields | changes)


def plain(model="adex", cell=None, **parts):
    """Return the plain data of a small circuit whose FS cells are of a model, and more parts."""
    raw = copy.deepcopy(ns.load(GOOD).to_dict())
    for key in ("spread", "start", "noise"):
        raw.pop(key, None)
    raw["inputs"]["electrode"]["targets"]["FS"] = {"current": "400 pA"}
    raw["cells"]["FS"] = {"fraction": raw["cells"]["FS"]["fraction"], "model": model,
                          "parameters": dict(NUMBERS)} | (cell or {})
    return raw | parts
