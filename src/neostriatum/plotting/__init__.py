"""Draw the results of a run, or a network, one figure per function.

A run, a network or plain arrays go in, a Matplotlib Figure and its axes come out. Matplotlib is
imported when the first figure is drawn, pyplot never, so no display is needed and nothing global
changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

# The functions are bound here at once, not on first use: some have the name of their module, and
# whichever is bound last is what `plotting.raster` means.
from neostriatum.plotting.activity import activity
from neostriatum.plotting.assemblies import assemblies
from neostriatum.plotting.connectivity import connectivity
from neostriatum.plotting.degrees import degrees
from neostriatum.plotting.distance import correlation_distance
from neostriatum.plotting.fi import fi_curve
from neostriatum.plotting.groups import groups
from neostriatum.plotting.heatmap import heat_map
from neostriatum.plotting.irregularity import cv_histogram
from neostriatum.plotting.learning import (
    LEARNING,
    dopamine_by_trial,
    learning_curve,
    learnt_weights,
)
from neostriatum.plotting.pair import psp
from neostriatum.plotting.palette import COLOURS, colour
from neostriatum.plotting.phase import phase_histogram
from neostriatum.plotting.probability import connection_probability
from neostriatum.plotting.protocol import protocol
from neostriatum.plotting.psth import psth
from neostriatum.plotting.raster import raster
from neostriatum.plotting.rates import rate_histogram
from neostriatum.plotting.response import response
from neostriatum.plotting.selection import selection_map
from neostriatum.plotting.space import positions
from neostriatum.plotting.spectrum import spectrum
from neostriatum.plotting.states import states
from neostriatum.plotting.style import paper
from neostriatum.plotting.traces import recorded, trace, traces

if TYPE_CHECKING:
    from collections.abc import Callable

#: What can be drawn from a finished run, in the order of a report: its name, and a function that
#: takes the run alone and returns the figure and its axes. Where a run has nothing to show, no
#: spikes or no traces, the figure is drawn all the same and says so in its axes.
FIGURES: dict[str, Callable[[Any], tuple[Any, Any]]] = {
    "raster": raster,
    "psth": psth,
    "traces": traces,
    "states": states,
    "rates": rate_histogram,
    "cv": cv_histogram,
    "spectrum": spectrum,
    "correlation": correlation_distance,
    "activity": activity,
    "assemblies": assemblies,
}

__all__ = [
    "COLOURS", "FIGURES", "LEARNING", "activity", "assemblies", "colour",
    "connection_probability", "connectivity", "correlation_distance", "cv_histogram", "degrees",
    "dopamine_by_trial", "fi_curve", "groups", "heat_map", "learning_curve", "learnt_weights",
    "paper", "phase_histogram", "positions", "protocol", "psp", "psth", "raster",
    "rate_histogram", "recorded", "response", "selection_map", "spectrum", "states", "trace",
    "traces",
]
