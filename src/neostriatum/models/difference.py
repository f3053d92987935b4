"""One eligibility, causal pairs minus the others, times the level above the tonic one."""

from neostriatum.models.learning import LearningRule, level, tonic, usual
from neostriatum.models.symbol import parameters

A_plus, A_minus, sign = parameters("A_plus 1 >= 0 <= 100 = 1", "A_minus 1 >= 0 <= 100 = 1",
                                   "sign 1 >= -1 <= 1 = 1")

DIFFERENCE = LearningRule(
    name="difference", source="izhikevich2007c", bounds="hard",
    summary="causal minus anti-causal pairs times dopamine, as in NEST and Izhikevich 2007",
    plus=sign * A_plus * (level - tonic), minus=-(sign * A_minus) * (level - tonic),
    common=usual(), receptors={"D1": {"sign": 1.0}, "D2": {"sign": -0.3}})
