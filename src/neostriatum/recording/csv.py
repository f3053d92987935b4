"""Write a run as tables of text: spikes, traces, rates, neurons."""

from __future__ import annotations

from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from neostriatum.durable import replacing
from neostriatum.engines.probes import MODULATORS, PATHWAYS
from neostriatum.recording.sonata import report

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from neostriatum.engines.base import Trace
    from neostriatum.network.network import Network
    from neostriatum.recording.store import Run

#: Decimals of a time [ms]: multiples of the step are written as 0.3, not 0.30000000000000004.
_DECIMALS = 9
#: Rows of spikes in memory as a table at a time.
_BLOCK = 2**20


def write_csv(run: Run, folder: Path, network: Network | None) -> None:
    """Write spikes.csv, traces.csv, rates.csv and neurons.csv, units in the names of the columns.

    Variables other than the potential have a file of their own, ``traces-u.csv``. Of a run with
    events there is ``events.csv``, a row per value that changed. Levels are in ``levels.csv``, of
    type ``modulators.<name>``, states of releases in ``releases-x.csv``, of type
    ``pathways.<name>``, both without a global id.

    Parameters
    ----------
    run : Run
        A finished run.
    folder : Path
        An empty folder.
    network : Network or None
        Where the positions come from; without it they are left out.

    Raises
    ------
    RunFileError
        Damaged files of the run, or a folder that cannot be written.
    """
    import pandas as pd

    spikes, spans = run.spikes, run.populations
    names = np.array(list(spans))
    starts = np.array([span.start for span in spans.values()])

    def about(ids: np.ndarray) -> dict[str, Any]:
        # The last type that starts at or before an id is its type, also after an empty one.
        which = np.searchsorted(starts, ids, side="right") - 1
        return {"type": pd.Categorical.from_codes(which, names), "node_id": ids - starts[which],
                "id": ids}

    def table(start: int, stop: int) -> Any:
        return pd.DataFrame({"time_ms": spikes.times_ms[start:stop].round(_DECIMALS),
                             **about(spikes.ids[start:stop])})

    with _rows(folder / "spikes.csv") as handle:
        for start in range(0, max(len(spikes), 1), _BLOCK):
            table(start, start + _BLOCK).to_csv(handle, index=False, header=start == 0)
    for variable in run.variables:
        for file, traces in _files(run, variable).items():
            with _rows(folder / file) as handle:
                unit = run.unit(variable, next(iter(traces), None))
                # Not in small letters: nm would be nanometres.
                unit = unit if unit == "nM" else unit.lower()
                handle.write(f"time_ms,type,node_id,id,{variable}_{unit}\n")
                for name, trace in traces.items():
                    times = trace.times_ms.round(_DECIMALS)
                    for column, number in enumerate(trace.ids):
                        # A level or a source of a pathway is no cell: it has no global id.
                        cell = about(np.full(len(times), number)) if name in spans else {
                            "type": name, "node_id": number, "id": ""}
                        rows = {"time_ms": times, **cell, "": trace.values[:, column]}
                        pd.DataFrame(rows).to_csv(handle, index=False, header=False,
                                                  float_format="%.9g")
    begins_ms, rates = run.population_rates()
    _write(folder / "rates.csv", pd.DataFrame(
        {"time_ms": begins_ms} | {f"{name}_hz": rate for name, rate in rates.items()}))
    each = np.concatenate(list(run.rates().values()))
    positions = {} if network is None else {
        f"{axis}_um": network.positions[:, column] for column, axis in enumerate("xyz")}
    _write(folder / "neurons.csv", pd.DataFrame(
        {**about(np.arange(len(each))), "rate_hz": each, **positions}))
    if events := run.events:
        _write(folder / "events.csv", pd.DataFrame(
            [(one.time_ms, key, value, one.note) for one in events
             for key, value in one.spelled.items()], columns=["time_ms", "key", "value", "note"]))


def _files(run: Run, variable: str) -> dict[str, dict[str, Trace]]:
    """Return traces by file, each of one unit: a release may have a state like one of a cell."""
    files: dict[str, dict[str, Trace]] = {}
    of_cells = report(variable).replace(".h5", ".csv")
    for name, trace in run.recorded(variable).items():
        file = of_cells
        if name.startswith(PATHWAYS):
            file = f"releases-{variable}.csv"
        elif name.startswith(MODULATORS):
            file = "levels.csv" if run.unit(variable, name) == "1" else "concentrations.csv"
        files.setdefault(file, {})[name] = trace
    return files or {of_cells: {}}


@contextmanager
def _rows(path: Path) -> Iterator[IO[str]]:
    with replacing(path) as temporary, temporary.open("w", newline="") as handle:
        yield handle


def _write(path: Path, table: Any) -> None:
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False)
