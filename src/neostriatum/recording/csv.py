"""Write a run as tables of text: spikes, traces, rates, neurons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.durable import replacing
from neostriatum.recording.trains import population_rates

if TYPE_CHECKING:
    from pathlib import Path

    from neostriatum.network.network import Network
    from neostriatum.recording.store import Run

#: Decimals of a time [ms]: multiples of the step are written as 0.3, not 0.30000000000000004.
_DECIMALS = 9
#: Rows of spikes in memory as a table at a time.
_BLOCK = 2**20


def write_csv(run: Run, folder: Path, network: Network | None) -> None:
    """Write spikes.csv, traces.csv, rates.csv and neurons.csv, units in the names of the columns.

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

    with replacing(folder / "spikes.csv") as temporary, temporary.open("w", newline="") as handle:
        for start in range(0, max(len(spikes), 1), _BLOCK):
            table(start, start + _BLOCK).to_csv(handle, index=False, header=start == 0)
    with replacing(folder / "traces.csv") as temporary, temporary.open("w", newline="") as handle:
        handle.write("time_ms,type,node_id,id,v_mv\n")
        for trace in run.traces.values():
            times = trace.times_ms.round(_DECIMALS)
            for column, number in enumerate(trace.ids):
                cell = about(np.full(len(times), number))
                pd.DataFrame({"time_ms": times, **cell, "v_mv": trace.v_mv[:, column]}).to_csv(
                    handle, index=False, header=False, float_format="%.9g")
    begins_ms, rates = population_rates(run)
    _write(folder / "rates.csv", pd.DataFrame(
        {"time_ms": begins_ms} | {f"{name}_hz": rates[:, column]
                                  for column, name in enumerate(names)}))
    neurons = about(np.arange(len(np.concatenate(list(run.rates().values())))))
    positions = {} if network is None else {
        f"{axis}_um": network.positions[:, column] for column, axis in enumerate("xyz")}
    _write(folder / "neurons.csv", pd.DataFrame(
        {**neurons, "rate_hz": np.concatenate(list(run.rates().values())), **positions}))


def _write(path: Path, table: Any) -> None:
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False)
