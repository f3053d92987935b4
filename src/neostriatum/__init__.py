"""neostriatum: simulate the microcircuit of the striatum, from one cell to a whole one.

Everything the command line does is one call here; names load on first use, so that
``import neostriatum`` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"

_WHERE = {
    "load": "circuit.load",
    "Circuit": "circuit.model",
    "build": "network.build",
    "Network": "network.network",
    "load_network": "network.files",
    "export": "recording.export",
    "construct": "construction",
    "estimate": "network.estimate",
    "anatomy": "analysis.anatomy",
    "pair_recordings": "analysis.recordings",
    "register": "models.registry",
    "run": "runs.start",
    "Run": "recording.store",
    "learn": "runs.learn",
    "resume": "runs.go_on",
    "rerun": "runs.again",
    "cell": "experiments.cell",
    "pair": "experiments.pair",
    "protocol": "experiments.protocol",
    "sweep": "sweeps.sweep",
    "validate": "validation.validate",
    "to_brian2": "engines.brian2_engine",
    "NeostriatumError": "errors",
    "plot": "plotting",
    "draw": "plotting.gallery",
    "report": "reporting.report",
    "show": "live.show",
    "set_progress": "progress",
    "live": "live",
}

__all__ = ["__version__", *_WHERE]

if TYPE_CHECKING:  # for editors, which do not run this
    from neostriatum import plotting as plot
    from neostriatum.analysis.anatomy import anatomy
    from neostriatum.analysis.recordings import pair_recordings
    from neostriatum.circuit.load import load
    from neostriatum.circuit.model import Circuit
    from neostriatum.construction import construct
    from neostriatum.engines.brian2_engine import to_brian2
    from neostriatum.errors import NeostriatumError
    from neostriatum.experiments.cell import cell
    from neostriatum.experiments.pair import pair
    from neostriatum.experiments.protocol import protocol
    from neostriatum.live.notebook import live
    from neostriatum.live.show import show
    from neostriatum.models.registry import register
    from neostriatum.network.build import build
    from neostriatum.network.estimate import estimate
    from neostriatum.network.files import load_network
    from neostriatum.network.network import Network
    from neostriatum.plotting.gallery import draw
    from neostriatum.progress import set_progress
    from neostriatum.recording.export import export
    from neostriatum.recording.store import Run
    from neostriatum.reporting.report import report
    from neostriatum.runs.again import rerun
    from neostriatum.runs.go_on import resume
    from neostriatum.runs.learn import learn
    from neostriatum.runs.start import run
    from neostriatum.sweeps.sweep import sweep
    from neostriatum.validation.validate import validate


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        msg = f"module 'neostriatum' has no attribute {name!r}"
        raise AttributeError(msg)
    module = import_module(f"neostriatum.{_WHERE[name]}")
    # The package `live` can be called, as importing it takes the place of the name.
    return module if name in ("plot", "live") else getattr(module, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__} - {"Any", "TYPE_CHECKING", "annotations", "import_module"})
