"""A run as a SONATA folder: configurations, network, spikes, membrane potentials."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.durable import replacing, write_text
from neostriatum.network.hdf5 import written
from neostriatum.network.sonata import CONFIG as CIRCUIT
from neostriatum.network.sonata import stamp, write_sonata

if TYPE_CHECKING:
    from pathlib import Path

    from neostriatum.network.network import Network
    from neostriatum.recording.store import Run

CONFIG, NODE_SETS = "simulation_config.json", "node_sets.json"
#: Name of the report of membrane potentials, and of the set of nodes in it.
REPORT, TRACED = "membrane_potential", "traced"


def write_simulation(run: Run, folder: Path, network: Network | None) -> None:
    """Write a run as SONATA: the config, without which it is none, comes last.

    Parameters
    ----------
    run : Run
        A finished run; its ``spikes.h5`` is SONATA already and is copied.
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
    len(run.spikes)  # damaged spikes are not handed on
    with replacing(output / "spikes.h5") as temporary:
        shutil.copyfile(run.folder / "spikes.h5", temporary)
    traces = {name: trace for name, trace in run.traces.items() if trace.v_mv.size}
    if traces:
        with written(output / f"{REPORT}.h5") as (file, _):
            stamp(file)
            for name, trace in traces.items():
                _report(file.create_group(f"report/{name}"), trace, run.populations[name].start)
    sets: dict[str, Any] = {name: {"population": name} for name in run.populations}
    for name, trace in traces.items():
        local = trace.ids - run.populations[name].start
        sets[f"{TRACED}_{name}"] = {"population": name, "node_id": local.tolist()}
    if traces:
        sets[TRACED] = [f"{TRACED}_{name}" for name in traces]
    write_text(folder / NODE_SETS, json.dumps(sets, indent=1) + "\n")
    if network is not None:
        (folder / "network").mkdir()
        write_sonata(network, folder / "network", run.circuit)
    write_text(folder / CONFIG,
               json.dumps(_config(run, traces, network is not None), indent=1) + "\n")


def _report(group: Any, trace: Any, first: int) -> None:
    """Write potentials; beside what the specification has, what its readers ask for."""
    n = len(trace.ids)
    group.create_dataset("data", data=trace.v_mv.astype(np.float32)).attrs["units"] = "mV"
    mapping = group.create_group("mapping")
    ids = mapping.create_dataset("node_ids", data=(trace.ids - first).astype(np.uint64))
    ids.attrs["sorted"] = np.uint8(bool((np.diff(trace.ids) > 0).all()))
    pointer = mapping.create_dataset("index_pointer", data=np.arange(n + 1, dtype=np.uint64))
    mapping["index_pointers"] = pointer  # as libsonata spells it
    mapping.create_dataset("element_ids", data=np.zeros(n, np.uint32))
    mapping.create_dataset("element_pos", data=np.zeros(n, np.float32))  # for BMTK
    start, step = _clock(trace)
    made = mapping.create_dataset("time", data=[start, start + step * len(trace.times_ms), step])
    made.attrs["units"] = "ms"


def _clock(trace: Any) -> tuple[float, float]:
    """Return first time and step of a trace [ms], as decimals and not as their differences."""
    times = trace.times_ms
    step = (times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else times[0]
    return round(float(times[0]), 9), round(float(step), 9)


def _config(run: Run, traces: dict[str, Any], with_network: bool) -> dict[str, Any]:
    dt = run.circuit.dt.value
    made: dict[str, Any] = {
        "version": 1, "manifest": {"$BASE": ".", "$OUTPUT": "$BASE/output"},
        "run": {"tstop": run.duration_ms, "dt": dt, "random_seed": run.seed},
        "node_sets_file": f"$BASE/{NODE_SETS}",
        "output": {"output_dir": "$OUTPUT", "spikes_file": "spikes.h5",
                   "spikes_sort_order": "by_time"},
        "reports": {}, "inputs": {},
        "metadata": {"simulated_with": f"neostriatum {run.record['versions']['neostriatum']}",
                     "circuit": run.circuit_name, "spike_hash": run.summary["spike_hash"],
                     "network_hash": run.summary["network_hash"]},
    }
    if with_network:
        made["network"] = f"$BASE/network/{CIRCUIT}"
    if traces:
        start, step = _clock(next(iter(traces.values())))
        made["reports"][REPORT] = {
            "cells": TRACED, "type": "compartment", "sections": "soma", "variable_name": "v",
            "unit": "mV", "dt": step, "start_time": start, "end_time": run.duration_ms,
            "file_name": f"{REPORT}.h5", "enabled": True}
    return made
