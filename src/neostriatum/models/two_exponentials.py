"""A receptor whose conductance rises and decays; what an arrival adds is its peak."""

from neostriatum.models.exponential import E
from neostriatum.models.expression import exp, log
from neostriatum.models.receptor import ReceptorModel, V
from neostriatum.models.symbol import Computed, State, gain, parameters

slow, rise = State("slow", "nS"), State("rise", "nS")
tau, tau_rise = parameters("tau ms > 0", "tau_rise ms > 0")
#: Time to the peak of exp(-t/tau) - exp(-t/tau_rise), and what makes that peak 1.
peak = tau * tau_rise / (tau - tau_rise) * log(tau / tau_rise)
norm = Computed("norm", 1.0 / (exp(-peak / tau) - exp(-peak / tau_rise)))
conductance = norm * (slow - rise)

TWO_EXPONENTIALS = ReceptorModel(
    name="two_exponentials", summary="conductance that rises and decays exponentially",
    states=(slow, rise), decays={slow: tau, rise: tau_rise},
    current=gain * conductance * (E - V), derived={"g": conductance},
    requires=(tau_rise < tau,))
