"""The quadratic cell with the cubic recovery of fast-spiking cells (Humphries et al. 2010)."""

from neostriatum.models.cell import CellModel
from neostriatum.models.expression import positive
from neostriatum.models.izhikevich import C, I_spon, a, c, d, k, u, v, v_peak, v_r, v_t
from neostriatum.models.rate import rate
from neostriatum.models.symbol import I, parameters

b, v_b = parameters("b nS/mV^2 >= -1e6 <= 1e6", "v_b mV >= -200 <= 200")
above = positive(v - v_b)

IZHIKEVICH_FS = CellModel(
    name="izhikevich_fs", source="izhikevich2007",
    summary="quadratic cell with cubic recovery, for fast-spiking interneurons",
    states=(v, u),
    rates=(rate(v, k * (v - v_r) * (v - v_t) - u + I, per=C),
           rate(u, b * above * above * above - u, times=a)),
    fires=v >= v_peak, then={v: c, u: u + d}, starts={v: v_r, u: 0},
    constant_current=I_spon,
    derived={"static_threshold": (v_r + v_t) / 2},
    requires=(c < v_peak, v_t < v_peak))
