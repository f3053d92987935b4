"""The adaptive exponential cell whose reset depends on u (Lindahl and Hellgren Kotaleski 2016)."""

from neostriatum.models.adex import (
    E_L,
    C,
    I_spon,
    b,
    leak,
    t_ref,
    upstroke,
    v,
    v_peak,
    v_reset,
)
from neostriatum.models.cell import CellModel
from neostriatum.models.expression import minimum, where
from neostriatum.models.rate import rate
from neostriatum.models.symbol import I, State, parameters

u = State("u", "pA")
tau_w, a_low, a_high, v_a, slope_low, max_low, slope_high, max_high = parameters(
    "tau_w ms > 0 <= 1e6", "a_low nS >= -1e6 <= 1e6", "a_high nS >= -1e6 <= 1e6",
    "v_a mV >= -200 <= 200", "slope_low mV/pA >= -1e6 <= 1e6 = 0",
    "max_low mV >= -200 <= 200 = 200", "slope_high mV/pA >= -1e6 <= 1e6 = 0",
    "max_high mV >= -200 <= 200 = 200")
#: Below v_a one slope, above it another.
pull = where(v < v_a, a_low, a_high) * (v - v_a)
reset = where(u < 0, minimum(v_reset + slope_low * u, max_low),
              minimum(v_reset + slope_high * u, max_high))

ADEX_REBOUND = CellModel(
    name="adex_rebound", source="lindahl2016",
    summary="adaptive exponential cell with a reset that depends on u, for STN, GPe and SNr",
    states=(v, u),
    rates=(rate(v, leak + upstroke - u + I, per=C), rate(u, pull - u, per=tau_w)),
    fires=v >= v_peak, then={v: reset, u: u + b}, starts={v: E_L, u: 0},
    hold=t_ref, constant_current=I_spon,
    derived={"leak": leak, "upstroke": upstroke},
    requires=(v_reset < v_peak,))
