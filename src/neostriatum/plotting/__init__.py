"""Draw the results of a run, or a network, one figure per function.

A run, a network or plain arrays go in, a Matplotlib Figure and its axes come out. Matplotlib is
imported when the first figure is drawn, pyplot never, so no display is needed and nothing global
changes.
"""

# The functions are bound here at once, not on first use: some have the name of their module, and
# whichever is bound last is what `plotting.raster` means.
from neostriatum.plotting.connectivity import connectivity
from neostriatum.plotting.degrees import degrees
from neostriatum.plotting.fi import fi_curve
from neostriatum.plotting.groups import groups
from neostriatum.plotting.heatmap import heat_map
from neostriatum.plotting.pair import psp
from neostriatum.plotting.palette import COLOURS, colour
from neostriatum.plotting.probability import connection_probability
from neostriatum.plotting.raster import raster
from neostriatum.plotting.rates import rate_histogram
from neostriatum.plotting.response import response
from neostriatum.plotting.space import positions
from neostriatum.plotting.style import paper
from neostriatum.plotting.traces import trace, traces

__all__ = [
    "COLOURS", "colour", "connection_probability", "connectivity", "degrees", "fi_curve", "groups",
    "heat_map", "paper", "positions", "psp", "raster", "rate_histogram", "response", "trace",
    "traces",
]
