"""A run as a SONATA folder: configurations, network, spikes, reports of recorded variables."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.durable import replacing, write_text
from neostriatum.network.hdf5 import written
from neostriatum.network.sonata import CONFIG as CIRCUIT
from neostriatum.network.sonata import stamp, write_sonata
from neostriatum.recording.sonata import first_id
from neostriatum.recording.trains import clock
from neostriatum.units import text

if TYPE_CHECKING:
    from pathlib import Path

    from neostriatum.engines.base import Trace
    from neostriatum.network.network import Network
    from neostriatum.recording.store import Run

#: Instead of a seed of 2^31 or more, which libsonata reads as another number; it asks for one.
NO_SEED = -1
CONFIG, NODE_SETS = "simulation_config.json", "node_sets.json"


def write_simulation(run: Run, folder: Path, network: Network | None) -> None:
    """Write a run as SONATA: the config, without which it is none, comes last.

    Parameters
    ----------
    run : Run
        A finished run; its ``spikes.h5``, and ``axons.h5`` where it recorded some, are SONATA
        already and are copied.
    folder : Path
        An empty folder.
    network : Network or None
        What to write under ``network/``; without it nodes and edges are left out, and the
        config names none.

    Raises
    ------
    RunFileError
        Damaged files of the run, or a folder that cannot be written.
    """
    output = folder / "output"
    output.mkdir()
    len(run.spikes)  # damaged spikes are not handed on, nor are those of axons
    for name in ("spikes.h5", *(["axons.h5"] if run.axons else [])):
        with replacing(output / name) as temporary:
            shutil.copyfile(run.folder / name, temporary)
    reports, sets = {}, {name: {"population": name} for name in run.populations}
    for variable in run.variables:
        traces = {name: one for name, one in run.recorded(variable).items() if one.values.size}
        if cells := {name: one for name, one in traces.items() if name in run.populations}:
            everyone, parts = _sets(run, variable, cells)
            reports[variable] = _report(run, variable, cells, everyone)
            sets |= parts
        if traces:
            # Levels and states of releases are of no nodes, so no configuration names them.
            with written(output / f"{variable}.h5") as (file, _):
                stamp(file)
                for name, trace in traces.items():
                    first = first_id(run.populations, name)
                    _population(file.create_group(f"report/{name}"), trace,
                                run.unit(variable, name), first, run.dt_ms)
    write_text(folder / NODE_SETS, json.dumps(sets, indent=1) + "\n")
    if network is not None:
        (folder / "network").mkdir()
        write_sonata(network, folder / "network", run.circuit)
    write_text(folder / CONFIG,
               json.dumps(_config(run, reports, network is not None), indent=1) + "\n")


def _population(group: Any, trace: Trace, unit: str, first: int, dt_ms: float) -> None:
    """Write the cells of one type; beside what the specification has, what its readers ask for."""
    n = len(trace.ids)
    data = group.create_dataset("data", data=trace.values.astype(np.float32))
    data.attrs["units"] = unit
    mapping = group.create_group("mapping")
    ids = mapping.create_dataset("node_ids", data=(trace.ids - first).astype(np.uint64))
    ids.attrs["sorted"] = np.uint8(bool((np.diff(trace.ids) > 0).all()))
    pointer = mapping.create_dataset("index_pointer", data=np.arange(n + 1, dtype=np.uint64))
    mapping["index_pointers"] = pointer  # as libsonata spells it
    mapping.create_dataset("element_ids", data=np.zeros(n, np.uint32))
    mapping.create_dataset("element_pos", data=np.zeros(n, np.float32))  # for BMTK
    start, step = clock(trace, dt_ms)
    made = mapping.create_dataset("time", data=[start, start + step * len(trace.times_ms), step])
    made.attrs["units"] = "ms"


def _sets(run: Run, variable: str, traces: dict[str, Trace]) -> tuple[str, dict[str, Any]]:
    """Return the node sets of a report, one per type and all of them, after the name of these."""
    taken, parts = {*run.populations}, {}
    for name, trace in traces.items():
        mine = trace.ids - run.populations[name].start
        parts[_free(f"{variable}_{name}", taken)] = {
            "population": name, "node_id": mine.tolist()}
    everyone = _free(f"{variable}_all", taken)
    return everyone, {**parts, everyone: list(parts)}


def _free(name: str, taken: set[str]) -> str:
    """Return a name that no set has, as a type may be called ``all`` or ``v_dSPN``; take it."""
    while name in taken:
        name += "_"
    taken.add(name)
    return name


def _report(run: Run, variable: str, traces: dict[str, Trace], everyone: str) -> dict[str, Any]:
    start, step = clock(next(iter(traces.values())), run.dt_ms)
    return {"cells": everyone, "type": "compartment", "sections": "soma",
            "variable_name": variable, "unit": run.unit(variable), "dt": step, "start_time": start,
            "end_time": run.duration_ms, "file_name": f"{variable}.h5", "enabled": True}


def _config(run: Run, reports: dict[str, Any], with_network: bool) -> dict[str, Any]:
    made: dict[str, Any] = {
        "version": 1, "manifest": {"$BASE": ".", "$OUTPUT": "$BASE/output"},
        "run": {"tstop": run.duration_ms, "dt": run.dt_ms,
                "random_seed": run.seed if run.seed < 2**31 else NO_SEED},
        "node_sets_file": f"$BASE/{NODE_SETS}",
        "output": {"output_dir": "$OUTPUT", "spikes_file": "spikes.h5",
                   "spikes_sort_order": "by_time"},
        "reports": reports, "inputs": {},
        "metadata": {"simulated_with": f"neostriatum {run.record['versions']['neostriatum']}",
                     "circuit": run.circuit_name, "seed": str(run.seed),
                     "spike_hash": run.summary["spike_hash"],
                     "network_hash": run.summary["network_hash"]},
    }
    if events := run.events:  # as text: libsonata takes no list in the metadata
        made["metadata"]["events"] = json.dumps(
            [{"at": text(one.time_ms, "ms"), "set": one.spelled, "note": one.note}
             for one in events])
    if with_network:
        made["network"] = f"$BASE/network/{CIRCUIT}"
    return made
