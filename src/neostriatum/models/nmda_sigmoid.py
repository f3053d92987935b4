"""NMDA receptors whose block is a sigmoid of the potential with half and slope of its own."""

from neostriatum.models.exponential import E, g, tau
from neostriatum.models.expression import logistic2
from neostriatum.models.receptor import ReceptorModel, V
from neostriatum.models.symbol import gain, parameters

v_half, v_slope = parameters("v_half mV >= -200 <= 200", "v_slope mV > 0")
#: 1 / (1 + e^((v_half - v) / v_slope)).
free = logistic2(1.0, (v_half - V) / v_slope * 1.4426950408889634)

NMDA_SIGMOID = ReceptorModel(
    name="nmda_sigmoid", summary="exponential conductance behind a sigmoid of the potential",
    states=(g,), decays={g: tau}, current=gain * g * (E - V) * free, derived={"free": free})
