"""Release from two pools that recover with time constants of their own."""

from neostriatum.models.release import ReleaseModel
from neostriatum.models.symbol import State, parameters

x, y = State("x", "1"), State("y", "1")
U, share, tau_fast, tau_slow = parameters(
    "U 1 > 0 <= 1", "share 1 >= 0 <= 1", "tau_fast ms >= 0", "tau_slow ms >= 0")

TWO_POOLS = ReleaseModel(
    name="two_pools", summary="resources of which a share recovers fast and the rest slowly",
    states=(x, y), rests={x: 1, y: 1}, decays={x: tau_fast, y: tau_slow}, jumps={},
    released=share * x + (1.0 - share) * y, most=1.0, after={x: x - U * x, y: y - U * y})
