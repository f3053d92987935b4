"""The quadratic cell of Izhikevich with linear recovery, for SPNs (Humphries et al. 2009)."""

from neostriatum.models.cell import CellModel
from neostriatum.models.rate import rate
from neostriatum.models.symbol import I, State, parameters

v, u = State("v", "mV"), State("u", "pA")
C, k, v_r, v_t, v_peak, a, b, c, d, I_spon = parameters(
    "C pF > 0 >= 1e-3 <= 1e6", "k nS/mV > 0 >= 1e-6 <= 1e6", "v_r mV >= -200 <= 200",
    "v_t mV >= -200 <= 200", "v_peak mV >= -200 <= 200", "a 1/ms > 0 <= 1e3",
    "b nS >= -1e6 <= 1e6", "c mV >= -200 <= 200", "d pA >= -1e6 <= 1e6",
    "I_spon pA >= -1e6 <= 1e6 = 0")

IZHIKEVICH = CellModel(
    name="izhikevich", source="izhikevich2007",
    summary="quadratic cell with linear recovery",
    states=(v, u),
    rates=(rate(v, k * (v - v_r) * (v - v_t) - u + I, per=C),
           rate(u, b * (v - v_r) - u, times=a)),
    fires=v >= v_peak, then={v: c, u: u + d}, starts={v: v_r, u: 0},
    constant_current=I_spon,
    derived={"static_threshold": (v_r + v_t + b / k) / 2},
    requires=(c < v_peak, v_t < v_peak))
