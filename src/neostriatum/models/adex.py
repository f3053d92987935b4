"""The adaptive exponential cell of Brette and Gerstner 2005."""

from neostriatum.models.cell import CellModel
from neostriatum.models.expression import exp, minimum
from neostriatum.models.rate import rate
from neostriatum.models.symbol import I, State, parameters

v, w = State("v", "mV"), State("w", "pA")
C, g_L, E_L, v_T, D_T, a, b, tau_w, v_reset, v_peak, t_ref, I_spon = parameters(
    "C pF >= 1e-3 <= 1e6", "g_L nS > 0 <= 1e6", "E_L mV >= -200 <= 200",
    "v_T mV >= -200 <= 200", "D_T mV > 0 >= 1e-3 <= 200", "a nS >= -1e6 <= 1e6",
    "b pA >= -1e6 <= 1e6", "tau_w ms > 0 <= 1e6", "v_reset mV >= -200 <= 200",
    "v_peak mV >= -200 <= 200", "t_ref ms >= 0 <= 1000 = 0", "I_spon pA >= -1e6 <= 1e6 = 0")
leak = g_L * (E_L - v)
#: Current of the upstroke; v is held at the peak, or the exponential would leave every range.
upstroke = g_L * D_T * exp((minimum(v, v_peak) - v_T) / D_T)

ADEX = CellModel(
    name="adex", source="brette2005", summary="adaptive exponential cell",
    states=(v, w),
    rates=(rate(v, leak + upstroke - w + I, per=C), rate(w, a * (v - E_L) - w, per=tau_w)),
    fires=v >= v_peak, then={v: v_reset, w: w + b}, starts={v: E_L, w: 0},
    hold=t_ref, constant_current=I_spon,
    derived={"leak": leak, "upstroke": upstroke},
    requires=(v_reset < v_peak, v_T < v_peak))
