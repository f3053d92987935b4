"""A run as one file that a browser plays: the page without a server."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.circuit.folder import path_text
from neostriatum.durable import write_text
from neostriatum.errors import RunFileError
from neostriatum.live.bundle import script, style
from neostriatum.live.greeting import about
from neostriatum.recording.drawn import network_of
from neostriatum.recording.store import Run

if TYPE_CHECKING:
    from neostriatum.engines.base import Trace

FILE = "show.html"
#: More spikes make a page that no browser likes.
MOST = 5_000_000
#: Potentials are kept this often [ms].
EVERY_MS = 0.5
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src {script_hash}; \
style-src {style_hash}; img-src data:; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark light">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main id="neostriatum"></main>
<script type="application/json" id="run">{data}</script>
<script type="module">{script}</script>
</body>
</html>
"""
_START = """
mount(document.getElementById('neostriatum'),
  fileTransport(JSON.parse(document.getElementById('run').textContent)));
"""


def show(run: Run | str | Path, out: str | Path | None = None) -> Path:
    """Write a run as one HTML file that plays it; nothing is loaded from elsewhere.

    Parameters
    ----------
    run : Run, str or Path
        The run, or its folder; of one that has not finished, what there is.
    out : str or Path, optional
        The file; by default ``show.html`` in the folder of the run.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    RunFileError
        No run there, nothing recorded, too many spikes, or the file cannot be written.

    Examples
    --------
    >>> import neostriatum as ns
    >>> ns.show("runs/0001")  # doctest: +SKIP
    PosixPath('runs/0001/show.html')
    """
    run = run if isinstance(run, Run) else Run(run)
    if not run.duration_ms or len(run.spikes) > MOST:
        msg = (f"{run.label}: to show must have 1 to {MOST:,} spikes and some time (got "
               f"{len(run.spikes):,} in {run.duration_ms:g} ms). Show a shorter or smaller run")
        raise RunFileError(msg)
    path = run.folder / FILE if out is None else Path(path_text("out", out))
    program, sheet = script() + _START, style()
    data = json.dumps(recorded(run), allow_nan=False).replace("<", "\\u003c")
    title = f"{run.circuit_name}, seed {run.seed}"
    write_text(path, _PAGE.format(
        title="".join(x for x in title if x.isalnum() or x in " ,_-"), style=sheet, data=data,
        script=program, script_hash=_allowed(program), style_hash=_allowed(sheet)))
    return path


def recorded(run: Run) -> dict[str, Any]:
    """Return what the page needs of a run, arrays as base64.

    Raises
    ------
    RunFileError
        Its network cannot be had.
    """
    circuit, spans, dt = run.circuit, run.populations, run.dt_ms
    steps = np.rint(run.spikes.times_ms / dt).astype(np.int64) - 1
    order = np.argsort(steps, kind="stable")
    wide = max((span.stop for span in spans.values()), default=0) > 65_536
    traces = [one for name, trace in run.traces.items()
              for one in _traces(trace, run.steps_of(name)["v"], dt)]
    network, reason = network_of(run)
    if network is None:
        msg = f"{run.label}: to show needs the network ({reason}). Put its file back"
        raise RunFileError(msg)
    positions = np.asarray(network.positions, float)
    positions = positions - positions.min(axis=0)
    side = float(max(positions.max(), 1e-9))
    log = [{"number": number, "label": event.label, "step": event.step, "time_ms": event.time_ms,
            "set": event.spelled} for number, event in enumerate(run.events, start=1)]
    end = round(run.duration_ms / dt)
    hello = {"kind": "hello", **about(circuit), "counts": {k: len(v) for k, v in spans.items()},
             "size": sum(map(len, spans.values())), "seed": run.seed, "knobs": [], "scenes": [],
             "values": {}, "log": log, "end": end,
             "watched": min((one["id"] for one in traces), default=0)}
    return {"hello": hello, "steps": _text(steps[order], "<u4"), "wide": wide,
            "ids": _text(run.spikes.ids[order], "<u4" if wide else "<u2"), "traces": traces,
            "positions": _text(np.rint(positions / side * 65_535).ravel(), "<u2"), "side": side}


def _traces(trace: Trace, every: int, dt: float) -> list[dict[str, Any]]:
    stride = max(1, round(EVERY_MS / (dt * every)))
    values = np.clip(np.rint(trace.values[::stride] * 100.0), -32_768, 32_767)
    return [{"id": int(cell), "every": every * stride, "values": _text(values[:, column], "<i2")}
            for column, cell in enumerate(trace.ids)]


def _text(array: np.ndarray, kind: str) -> str:
    return base64.b64encode(np.ascontiguousarray(array, kind).tobytes()).decode()


def _allowed(content: str) -> str:
    """Return the hash by which a policy allows one inline script or style sheet alone."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
