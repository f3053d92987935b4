"""The events of a run in every export, read back with the libraries of its format."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

import neostriatum as ns
from neostriatum.recording import neo as nix
from neostriatum.recording import nwb
from neostriatum.recording.export import FORMATS
from neostriatum.recording.record import write_record

EVENTS = [
    {"step": 0, "set": {"modulators.D1.level": "0.8"}},
    {"step": 3, "set": {"pathways.FS->dSPN.conductance.GABA": "0 nS",
                        "inputs.cortex.targets.FS.rate": "[1, \"2 Hz\"]"},
     "note": "lesion, \"quoted\"\n\0 and µ"},
    {"step": 3, "set": {"modulators.D1.level": "0.3"}, "note": "released"},
]
LABELS = ["modulators.D1.level 0.8", "lesion, \"quoted\" and µ", "released"]
TIMES_MS = [0.0, 0.3, 0.3]


@pytest.fixture(scope="module")
def changed(silent, tmp_path_factory):
    """A run whose record has events."""
    copy = shutil.copytree(silent.folder, tmp_path_factory.mktemp("changed") / "run")
    write_record(copy, silent.record | {"events": EVENTS})
    return ns.Run(copy)


@pytest.fixture(scope="module")
def exported(changed, tmp_path_factory):
    root = tmp_path_factory.mktemp("out")
    for to in FORMATS:
        ns.export(changed, to, root / to)
    return root


def test_neo(changed, silent):
    (events,) = changed.to_neo().segments[0].events
    assert (events.name, events.units.dimensionality.string) == ("events", "ms")
    assert events.magnitude.tolist() == TIMES_MS
    assert events.labels.tolist() == LABELS
    assert not silent.to_neo().segments[0].events


def test_nix(exported):
    from neo.io.nixio import NixIO

    with NixIO(str(exported / "neo" / nix.FILE), "ro") as file:
        (events,) = file.read_block().segments[0].events
    assert np.allclose(events.rescale("ms").magnitude, TIMES_MS)
    assert events.labels.tolist() == LABELS
    assert [json.loads(text) for text in events.array_annotations["set"]] == [
        one["set"] for one in EVENTS]


def test_nwb(exported, changed, folders):
    import pynwb
    from neo.io import NWBIO
    from nwbinspector import Importance, inspect_nwbfile

    path = exported / "nwb" / nwb.FILE
    assert pynwb.validate(path=path) == []

    def complaints(path):
        return {one.check_function_name for one in inspect_nwbfile(nwbfile_path=path)
                if one.importance != Importance.ERROR}

    assert complaints(path) == complaints(folders["nwb", 0] / nwb.FILE)
    with pynwb.NWBHDF5IO(path, "r") as io:
        file = io.read()
        table = file.processing["simulation"]["events"].to_dataframe()
        kept = json.loads(file.scratch["run"].data)
    assert table.timestamp.tolist() == pytest.approx([0, 3e-4, 3e-4, 3e-4])
    assert table.label.tolist() == [LABELS[0], *[LABELS[1]] * 2, LABELS[2]]
    assert list(zip(table.key, table.value, strict=True)) == [
        pair for one in EVENTS for pair in one["set"].items()]
    assert kept["events"] == EVENTS
    assert NWBIO(str(path), "r").read_all_blocks()


def test_csv(exported, folders):
    table = pd.read_csv(exported / "csv" / "events.csv", keep_default_na=False)
    assert list(table) == ["time_ms", "key", "value", "note"]
    assert table.time_ms.tolist() == [0, 0.3, 0.3, 0.3]
    assert list(zip(table.key, table.value, strict=True)) == [
        pair for one in EVENTS for pair in one["set"].items()]
    assert table.note.tolist() == ["", *[EVENTS[1]["note"]] * 2, "released"]
    assert not (folders["csv", 0] / "events.csv").exists()


def test_sonata(exported, folders):
    import libsonata

    config = libsonata.SimulationConfig.from_file(exported / "sonata" / "simulation_config.json")
    said = json.loads(config.metadata["events"])
    assert [one["at"] for one in said] == ["0.0 ms", "0.3 ms", "0.3 ms"]
    assert [one["set"] for one in said] == [one["set"] for one in EVENTS]
    assert [one["note"] for one in said] == ["", EVENTS[1]["note"], "released"]
    plain = folders["sonata", 0] / "simulation_config.json"
    assert "events" not in json.loads(plain.read_text())["metadata"]


def test_xarray(changed, silent, tmp_path):
    import xarray

    made = changed.to_xarray()
    made.to_netcdf(tmp_path / "run.nc", engine="scipy")
    for data in (made, xarray.load_dataset(tmp_path / "run.nc", engine="scipy")):
        assert data.event.values.tolist() == TIMES_MS
        assert data.event.attrs["units"] == "ms"
        assert data.event_label.values.tolist() == LABELS
        assert json.loads(str(data.event_set.values[1])) == EVENTS[1]["set"]
    assert "event" not in silent.to_xarray().coords
