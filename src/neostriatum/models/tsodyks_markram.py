"""Release with facilitation and depression (Tsodyks and Markram 1997)."""

from neostriatum.models.expression import where
from neostriatum.models.release import ReleaseModel
from neostriatum.models.symbol import State, parameters

u, x = State("u", "1"), State("x", "1")
U, tau_rec, tau_fac = parameters("U 1 > 0 <= 1", "tau_rec ms >= 0", "tau_fac ms >= 0")

TSODYKS_MARKRAM = ReleaseModel(
    name="tsodyks_markram", source="tsodyks1997",
    summary="use u that facilitates, resources x that are depleted",
    states=(u, x), rests={u: 0, x: 1}, decays={u: tau_fac, x: tau_rec},
    jumps={u: u + U * (1.0 - u)}, released=u * x / U, most=where(tau_fac > 0, 1.0 / U, 1.0),
    after={x: x - u * x})
