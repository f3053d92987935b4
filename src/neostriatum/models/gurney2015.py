"""The rule of Gurney, Humphries and Redgrave 2015, heard through the level of a circuit.

They give concentrations; a level phi is 1.2 c^1.8/(c^1.8 + 4.5^1.8) of theirs, so the concentration
is 4.5 (phi/(1.2 - phi))^(1/1.8).
"""

from neostriatum.models.expression import exp, log, maximum, minimum
from neostriatum.models.learning import LearningRule, level, usual
from neostriatum.models.symbol import parameters

k_plus_hi, k_plus_lo, k_minus_hi, k_minus_lo, order, half, top = parameters(
    *(f"{name} 1 >= -100 <= 100 = 0" for name in ("k_plus_hi", "k_plus_lo", "k_minus_hi",
                                                 "k_minus_lo")),
    "order 1 > 0 <= 20 = 1", "half 1 > 0 <= 1000 = 1", "top 1 > 0 <= 10 = 1")
heard = minimum(maximum(level, 1e-9), 1.0)
c = 4.5 * exp(log(heard / (1.2 - heard)) / 1.8)
power = exp(order * log(c / half))
alpha = minimum(top * power / (1.0 + power), 1.0)

GURNEY2015 = LearningRule(
    name="gurney2015", source="gurney2015", bounds="hard",
    summary="the published kernel: not at rest at the tonic level, so weights move without reward",
    plus=alpha * k_plus_hi + (1.0 - alpha) * k_plus_lo,
    minus=alpha * k_minus_hi + (1.0 - alpha) * k_minus_lo,
    common=usual(tau_e=300, w_max=5), receptors={
        "D1": {"k_plus_hi": 1.3, "k_plus_lo": -0.4, "k_minus_hi": 0.0, "k_minus_lo": -0.5,
               "order": 1.2, "half": 6.0, "top": 1.2},
        "D2": {"k_plus_hi": 0.35, "k_plus_lo": 0.3, "k_minus_hi": -0.85, "k_minus_lo": 0.3,
               "order": 1.4, "half": 1.8, "top": 1.0}})
