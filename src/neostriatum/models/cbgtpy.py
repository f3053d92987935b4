"""Constants of CBGTPy, with an eligibility per synapse where that has one per neuron."""

from neostriatum.models.expression import maximum, minimum
from neostriatum.models.learning import LearningRule, level, tonic, usual
from neostriatum.models.symbol import parameters

A_pre, A_post, slope, floor, ceiling, sign = parameters(
    "A_pre 1 >= 0 <= 100 = 0.8", "A_post 1 >= 0 <= 100 = 0.04", "slope 1 >= 0 <= 1000 = 6",
    "floor 1 >= -1000 <= 0 = -1000", "ceiling 1 >= 0 <= 1000 = 1000", "sign 1 >= -2 <= 2 = 1")
f = sign * minimum(maximum(slope * (level - tonic), floor), ceiling)

CBGTPY = LearningRule(
    name="cbgtpy", source="cbgtpy2025", bounds="soft",
    summary="like CBGTPy: brief eligibilities, gains of bursts and dips far apart",
    plus=A_pre * f, minus=-(A_post * f),
    common=usual(tau_plus=15, tau_minus=6, tau_e=100), receptors={
        "D1": {"slope": 6.0, "floor": -3.0, "sign": 1.0},
        "D2": {"slope": 1.8, "ceiling": 0.9, "sign": -0.967}})
