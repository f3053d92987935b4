"""Two eligibilities and four coefficients: no change at the tonic level."""

from math import expm1

from neostriatum.models.expression import positive, where
from neostriatum.models.learning import LearningRule, level, tonic, usual
from neostriatum.models.symbol import parameters

k_plus_hi, k_plus_lo, k_minus_hi, k_minus_lo = parameters(*(
    f"{name} 1 >= -100 <= 100 = 0" for name in ("k_plus_hi", "k_plus_lo", "k_minus_hi",
                                               "k_minus_lo")))
# From the tonic level up to 1, and down to 0.
up = where(tonic < 1.0, positive(level - tonic) / (1.0 - tonic), 0.0)
down = where(tonic > 0.0, positive(tonic - level) / tonic, 0.0)

#: A burst of 200 ms and a dip of 400 ms cancel for equal eligibilities that decay in 1 s: the dip
#: meets 1.82 times as much of them, so what it does must be weaker by that (0.55).
CANCEL = expm1(-0.2) / expm1(-0.4)
BALANCED = LearningRule(
    name="balanced", source="gurney2015", bounds="soft",
    summary="bursts and dips about the tonic level, in balance (form of Gurney et al. 2015)",
    plus=k_plus_hi * up + k_plus_lo * down, minus=k_minus_hi * up + k_minus_lo * down,
    common=usual(), receptors={
        "D1": {"k_plus_hi": 1.0, "k_plus_lo": -0.8 * CANCEL, "k_minus_hi": 0.0,
               "k_minus_lo": -0.2 * CANCEL},
        "D2": {"k_plus_hi": -0.6, "k_plus_lo": CANCEL, "k_minus_hi": -0.4, "k_minus_lo": 0.0,
               "w_max": 2.0}})
