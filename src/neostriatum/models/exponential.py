"""A receptor whose conductance jumps and decays with one time constant."""

from neostriatum.models.receptor import ReceptorModel, V
from neostriatum.models.symbol import State, gain, parameters

g = State("g", "nS")
E, tau = parameters("E mV >= -200 <= 200", "tau ms > 0")

EXPONENTIAL = ReceptorModel(
    name="exponential", summary="conductance that jumps, and decays exponentially",
    states=(g,), decays={g: tau}, current=gain * g * (E - V))
