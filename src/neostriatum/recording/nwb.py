"""A run as an NWB file, with nothing in it that a simulation does not have."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.circuit.modulator import DOPAMINE, others
from neostriatum.circuit.sources import cited
from neostriatum.engines.probes import MODULATORS
from neostriatum.errors import RunFileError
from neostriatum.network.hdf5 import written
from neostriatum.recording.library import library
from neostriatum.recording.sonata import bin_steps
from neostriatum.recording.trains import clock, trains

if TYPE_CHECKING:
    from pathlib import Path

    from neostriatum.network.network import Network
    from neostriatum.recording.store import Run

#: The file that `write_nwb` makes.
FILE = "run.nwb"
#: What of a run's record goes into the file beside the circuit.
_KEPT = ("seed", "size", "duration_ms", "engine", "precision", "counts", "network_hash",
         "stream_version", "versions", "events")
#: Units of recorded variables as NWB has them, and the factor to them.
_SI = {"mV": ("volts", 1e-3), "pA": ("amperes", 1e-12), "nS": ("siemens", 1e-9),
       "nM": ("molar", 1e-9)}
_NAMES = {"v": "membrane_potential"}


def write_nwb(run: Run, folder: Path, network: Network | None) -> None:
    """Write a run as one NWB file.

    Units (one per neuron, spike times in one flat vector), recorded variables and population rates
    in the processing module ``simulation``, there also a table of the events of the run, circuit
    and settings as JSON text in the scratch space.
    There is no device and no electrode, and the subject says that it is no animal.

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
    LibraryMissing
        pynwb is not installed.
    RunFileError
        Damaged files of the run, a run that does not say when it started, or a folder that cannot
        be written.
    """
    pynwb = library("pynwb", "NWB")
    made = _file(run, pynwb)
    made.units = _units(run, network)
    _simulated(made, run, pynwb)
    with written(folder / FILE) as (file, _):
        pynwb.NWBHDF5IO(file=file, mode="w").write(made)


def _file(run: Run, pynwb: Any) -> Any:
    record, said, more = run.record, run.summary, others(run.modulators)
    levels = [f"{name} {'computed' if level is None else format(level, 'g')}"
              for name, level in zip(DOPAMINE, run.dopamine, strict=True)]
    text = json.dumps(record["circuit"], indent=1)
    warm = f" after a warm-up of {said['warmup_ms']:g} ms" if said["warmup_ms"] else ""
    made = pynwb.NWBFile(
        session_description=(
            f"Simulation of {said['neurons']} neurons of the striatum, circuit "
            f"{run.circuit_name}, {run.duration_ms:g} ms{warm}. Times are simulated and start "
            "at the end of the warm-up; the session start is when the program ran."),
        identifier=f"{said['network_hash']}-{said['spike_hash']}-{record.get('started')}",
        session_start_time=_started(run),
        experiment_description=(
            "Not a recording from an animal: computed with neostriatum "
            f"{record['versions']['neostriatum']}, engine {record['engine']}, seed {run.seed}, "
            f"dopamine {', '.join(levels)} at the start"
            f"{f'{more} at the end' if more else ''}. The resolved "
            "circuit, with a source for every number, is in the scratch space."),
        # No keywords: Neo (0.14) opens no NWB file that has some.
        related_publications=[f"doi:{one['doi']}" for one in cited(run.circuit)
                              if one.get("doi")])
    # The inspector and the DANDI archive ask for a subject with a sex and an age. This one claims
    # nothing: unknown, a range without ends, and a description that says what it is.
    made.subject = pynwb.file.Subject(
        subject_id=f"simulation-{said['network_hash'][:12]}", sex="U", age="/",
        description="no animal: a simulated network; sex and age do not apply")
    made.add_scratch(text, name="circuit", description="resolved circuit, JSON")
    kept = {key: record[key] for key in _KEPT if key in record}
    made.add_scratch(json.dumps(kept | {"spike_hash": said["spike_hash"]}, indent=1),
                     name="run", description="settings, versions and hashes of the run, JSON")
    return made


def _started(run: Run) -> datetime:
    try:
        started = datetime.fromisoformat(run.record["started"])
        if started.tzinfo is not None:
            return started
    except (KeyError, TypeError, ValueError):
        pass
    msg = (f"{run.folder / 'run.json'}: started must be a time with its zone, which NWB asks for "
           f"(got {run.record.get('started')}). Run it again with this version")
    raise RunFileError(msg)


def _units(run: Run, network: Network | None) -> Any:
    """Return the table of units, built column by column, as rows one by one take hours."""
    from hdmf.common import VectorData, VectorIndex
    from pynwb.misc import Units

    spans, spikes = run.populations, run.spikes
    n = sum(len(span) for span in spans.values())
    flat = trains(spikes.times_ms / 1000, spikes.ids, n)
    times = VectorData(name="spike_times", data=flat.times_ms, description="spike times [s]")
    watched = VectorData(name="obs_intervals", data=np.tile([0.0, run.duration_ms / 1000], (n, 1)),
                         description="simulated and recorded [s]")
    columns: list[Any] = [
        VectorIndex(name="spike_times_index", data=flat.offsets[1:].astype(np.uint64),
                    target=times), times,
        VectorIndex(name="obs_intervals_index", data=np.arange(1, n + 1, dtype=np.uint64),
                    target=watched), watched,
        VectorData(name="cell_type", description="type of the simulated cell", data=np.repeat(
            list(spans), [len(span) for span in spans.values()]).tolist()),
        VectorData(name="node_id", description="number of the cell within its type",
                   data=np.concatenate([np.arange(len(span)) for span in spans.values()]))]
    if network is not None:
        columns += [VectorData(name=axis, description=f"{axis} of the soma in the model [um]",
                               data=np.ascontiguousarray(network.positions[:, column]))
                    for column, axis in enumerate("xyz")]
    return Units(
        name="units", description="simulated neurons", id=np.arange(n), columns=columns,
        colnames=[one.name for one in columns if not isinstance(one, VectorIndex)],
        resolution=run.dt_ms / 1000)


def _simulated(made: Any, run: Run, pynwb: Any) -> None:
    from hdmf.common import DynamicTable, DynamicTableRegion, VectorData

    module = made.create_processing_module("simulation", "what the simulation computed")
    bin_ms = bin_steps(run.dt_ms) * run.dt_ms
    for name, rate in run.population_rates()[1].items():
        if run.populations[name]:
            module.add(pynwb.TimeSeries(
                name=f"population_rate_{name}", data=rate, unit="Hz", rate=1000 / bin_ms,
                starting_time=0.0, description=f"spikes per {name} and second in bins of "
                f"{bin_ms:g} ms", comments="a time is the start of its bin, and the last bin ends "
                "with the run"))
    rows: list[tuple[str, int, int]] = []
    for variable in run.variables:
        for name, trace in run.recorded(variable).items():
            if not trace.values.size:
                continue
            unit = run.unit(variable, name)
            si, factor = _SI.get(unit, (unit, 1.0))
            start, step = clock(trace, run.dt_ms)
            of_cells = name in run.populations
            layout, comment = "a column per source", (
                f"numbers of the sources: {', '.join(map(str, trace.ids))}")
            if of_cells:
                layout = "a column per cell"
                comment = "the table traced_cells says which unit a column is"
            elif name.startswith(MODULATORS):
                layout, comment = "one column", "what the next step hears"
            series = pynwb.TimeSeries(
                name=f"{_NAMES.get(variable, variable)}_{name}", unit=si, conversion=factor,
                data=trace.values.astype(np.float32), rate=1000 / step, starting_time=start / 1000,
                description=f"{variable} of {name}, stored in {unit}, {layout}", comments=comment)
            module.add(series)
            rows += [(series.name, column, int(one)) for column, one in enumerate(trace.ids)
                     if of_cells]
    if rows:
        series_names, columns, units = (list(one) for one in zip(*rows, strict=True))
        module.add(DynamicTable(
            name="traced_cells", description="the unit behind every column of the potentials",
            columns=[VectorData(name="series", data=series_names, description="time series"),
                     VectorData(name="column", data=columns, description="its column, from 0"),
                     DynamicTableRegion(name="unit", data=units, table=made.units,
                                        description="row of the table of units")]))
    changes = [(one.time_ms / 1000, one.label, key, value) for one in run.events
               for key, value in one.spelled.items()]
    if changes:
        # Not the table of events that newer versions of NWB have: PyNWB 3 does not know it.
        about = {"timestamp": "time of the change [s]", "label": "the note, or what changed",
                 "key": "path of the value in the circuit", "value": "the new value"}
        module.add(DynamicTable(
            name="events", description="values of the circuit that changed during the run",
            columns=[VectorData(name=name, data=list(column), description=text)
                     for (name, text), column in zip(
                         about.items(), zip(*changes, strict=True), strict=True)]))
