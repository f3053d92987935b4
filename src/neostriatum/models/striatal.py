"""A piecewise-quadratic cell for all striatal types: rectifier, A current, slow and third state.

Linear leak, piecewise-linear inward rectifier and A current, a sharp quadratic onset of the spike,
a slow current u, and z: an inactivating A current, a fast potassium current or a rebound.
"""

from neostriatum.models.cell import CellModel
from neostriatum.models.expression import clip, positive
from neostriatum.models.rate import rate
from neostriatum.models.symbol import I, State, parameters

v, u, z = State("v", "mV"), State("u", "pA"), State("z", "pA")
C, g_L, E_L, k, v_T, v_peak, a, b, v_r, d, c, t_ref = parameters(
    "C pF >= 1e-3 <= 1e6", "g_L nS > 0 <= 1e6", "E_L mV >= -200 <= 200",
    "k nS/mV > 0 <= 1e6", "v_T mV >= -200 <= 200", "v_peak mV >= -200 <= 200 = 0",
    "a 1/ms > 0 <= 1e3", "b nS >= -1e6 <= 1e6", "v_r mV >= -200 <= 200", "d pA >= -1e6 <= 1e6",
    "c mV >= -200 <= 200", "t_ref ms >= 0 <= 1000 = 0")
g_K, E_K, v_0, v_1, g_A, v_A = parameters(
    "g_K nS >= 0 <= 1e6 = 0", "E_K mV >= -200 <= 200 = -95", "v_0 mV >= -200 <= 200 = -108",
    "v_1 mV >= -200 <= 200 = -56", "g_A nS >= 0 <= 1e6 = 0", "v_A mV >= -200 <= 200 = -62")
a_z, b_z, v_z, s, d_z, I_spon = parameters(
    "a_z 1/ms > 0 <= 1e3 = 1", "b_z nS >= -1e6 <= 1e6 = 0", "v_z mV >= -200 <= 200 = 0",
    "s 1 >= -1 <= 1 = 1", "d_z pA >= -1e6 <= 1e6 = 0", "I_spon pA >= -1e6 <= 1e6 = 0")
onset = positive(v - v_T)
leak = g_L * (E_L - v)
rectifier = g_K * clip((v_1 - v) / (v_1 - v_0), 0.0, 1.0) * (E_K - v)
a_current = g_A * positive(v - v_A)

STRIATAL = CellModel(
    name="striatal",
    summary="piecewise cell with rectifier, A current, sharp onset and two slow currents",
    states=(v, u, z),
    rates=(rate(v, leak + rectifier - a_current + k * onset * onset - u - z + I, per=C),
           rate(u, b * (v - v_r) - u, times=a),
           rate(z, b_z * positive(s * (v - v_z)) - z, times=a_z)),
    fires=v >= v_peak, then={v: c, u: u + d, z: z + d_z}, starts={v: E_L, u: 0, z: 0},
    hold=t_ref, constant_current=I_spon,
    derived={"leak": leak, "rectifier": rectifier, "a_current": a_current},
    requires=(c < v_peak, v_T < v_peak, v_0 < v_1))
