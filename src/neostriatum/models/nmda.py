"""NMDA receptors: one exponential, and the magnesium block of Jahr and Stevens 1990."""

from neostriatum.models.exponential import E, g, tau
from neostriatum.models.expression import logistic2
from neostriatum.models.receptor import ReceptorModel, V
from neostriatum.models.symbol import Computed, gain, parameters

magnesium, mg_half, mg_slope = parameters(
    "magnesium mM >= 0", "mg_half mM > 0 = 3.57", "mg_slope 1/mV > 0 = 0.062")
#: 2^(slope v) is e^(-mg_slope v): the slope times -1/ln(2).
block = Computed("block", magnesium / mg_half)
slope = Computed("slope", -mg_slope * 1.4426950408889634)
#: Share of the receptors that magnesium does not block.
free = logistic2(block, slope * V)

NMDA = ReceptorModel(
    name="nmda", source="jahr1990", summary="exponential conductance with magnesium block",
    states=(g,), decays={g: tau}, current=gain * g * (E - V) * free, derived={"free": free})
