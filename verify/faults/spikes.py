"""Recorded input spikes: what a circuit makes of a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np

import neostriatum as ns

#: What every file here says: times [ms] and ids.
TIMES, IDS = (0.5, 1.0, 1.0, 7.25), (2, 3, 1, 4)
Events = tuple[tuple[float, ...], tuple[int, ...]]
RIGHT: Events = (TIMES, IDS)


def events(folder: Path, name: str, population: str | None = None) -> Events:
    """Return times and ids of a file as an input of FS."""
    raw = ns.load("striatum_v1").to_dict()
    spikes = {"file": name} | ({} if population is None else {"population": population})
    raw["inputs"] = {"recorded": {"targets": {"FS": {
        "spikes": spikes, "conductance": {"AMPA": "50 nS"}}}}}
    times, ids = ns.load(raw, folder=folder).inputs["recorded"].targets["FS"].spikes.events
    return tuple(np.round(times, 6).tolist()), tuple(ids.tolist())


def table(rows: Any = None, separator: str = ",", header: str = "time_ms,id") -> str:
    """Return a CSV text."""
    rows = zip(TIMES, IDS, strict=True) if rows is None else rows
    return "\n".join([header.replace(",", separator),
                      *(separator.join(map(str, row)) for row in rows), ""])


def population(file: Any, name: str = "ctx", times: Any = TIMES, ids: Any = IDS, *,
               time_type: Any = "<f8", id_type: Any = "<u8", units: Any = "ms",
               sorting: Any = None, **options: Any) -> Any:
    """Add a population of spikes in SONATA's layout; ``units`` None leaves the attribute out."""
    group = file.create_group(f"spikes/{name}")
    group.create_dataset("timestamps", data=np.array(times).astype(time_type), **options)
    group.create_dataset("node_ids", data=np.array(ids).astype(id_type), **options)
    if units is not None:
        group["timestamps"].attrs["units"] = units
    if sorting is not None:
        group.attrs["sorting"] = sorting
    return group


def opened(path: Path) -> Any:
    """Return a new HDF5 file."""
    return h5py.File(path, "w")
