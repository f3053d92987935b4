"""Traces and rates of a run as labelled arrays."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.engines.probes import MODULATORS, PATHWAYS
from neostriatum.recording.library import library

if TYPE_CHECKING:
    from neostriatum.engines.base import Trace
    from neostriatum.recording.store import Run


#: What the names of variables begin with, by what they are of.
_PREFIX = {"probe": "", "modulator": "modulator_", "transmitter": "transmitter_",
           "source": "release_"}


def dataset(run: Run) -> Any:
    """Return traces and rates of a run as an xarray dataset.

    Parameters
    ----------
    run : Run
        A finished run.

    Returns
    -------
    xarray.Dataset
        ``v`` (time, probe) [mV] and other recorded variables; ``modulator_level``
        (time, modulator), of concentrations ``transmitter_level`` (time, transmitter) [nM];
        ``release_x`` and so on (time, source), a source being "FS->dSPN 0";
        ``population_rate`` (bin, cell_type) [Hz]; ``rate`` (neuron) [Hz];
        times [ms], ids and cell types as coordinates. Of a run with
        events ``event_label`` and ``event_set`` (the new values by path, JSON text) over ``event``
        [ms]. The attribute ``seed`` is text from 2^31 on, as NetCDF-3 has no larger whole numbers.

    Raises
    ------
    LibraryMissing
        xarray is not installed.
    RunFileError
        Damaged files of the run, or one that did not finish.
    """
    xr = library("xarray", "to_xarray")
    said, spans = run.summary, run.populations
    starts_ms, binned = run.population_rates()
    rates = run.rates()
    ms, hz = {"units": "ms"}, {"units": "Hz"}
    found = {
        "population_rate": (("bin", "cell_type"), np.stack(list(binned.values()), axis=1), hz),
        "rate": (("neuron",), np.concatenate(list(rates.values())), hz),
    }
    names = list(spans)
    about = {key: said[key] for key in ("circuit", "engine", "seed", "duration_ms", "network_hash",
                                        "spike_hash")}
    if about["seed"] >= 2**31:
        about["seed"] = str(about["seed"])
    made = xr.Dataset(found, coords={
        "bin": ("bin", starts_ms, ms), "cell_type": names,
        "neuron": np.arange(sum(map(len, spans.values()))),
        "neuron_type": ("neuron", np.repeat(names, [len(span) for span in spans.values()])),
    }, attrs=about)
    for variable in run.variables:
        traces: dict[str, list[Any]] = {}
        for name, trace in run.recorded(variable).items():
            array = _array(xr, run, (variable, name), trace)
            traces.setdefault(array.dims[1], []).append(array)
        for dim, arrays in traces.items():
            # A state of release may be called like one of a cell.
            key = _PREFIX[dim] + variable
            # What was recorded at other times is NaN in between; times are rounded to be equal.
            made = made.merge({key: xr.concat(arrays, dim=dim, join="outer")},
                              join="outer", compat="no_conflicts")
    if events := run.events:
        made = made.assign_coords(event=("event", [one.time_ms for one in events], ms)).assign(
            event_label=("event", [one.label for one in events]),
            event_set=("event", [json.dumps(one.spelled) for one in events]))
    return made


def _array(xr: Any, run: Run, what: tuple[str, str], trace: Trace) -> Any:
    """Return a variable of a cell type, a modulator or the sources of a pathway over time."""
    variable, name = what
    unit = run.unit(variable, name)
    dim, coords = "probe", dict[str, Any]()
    if name.startswith(MODULATORS):
        dim = "modulator" if unit == "1" else "transmitter"
        coords = {dim: [name.removeprefix(MODULATORS)]}
    elif name.startswith(PATHWAYS):
        pathway = name.removeprefix(PATHWAYS)
        dim, coords = "source", {"source": [f"{pathway} {number}" for number in trace.ids]}
    else:
        coords = {"probe": trace.ids, "probe_type": ("probe", [name] * len(trace.ids))}
    times = ("time", trace.times_ms.round(9), {"units": "ms"})
    return xr.DataArray(trace.values, dims=("time", dim), coords={"time": times, **coords},
                        attrs={"units": unit})
