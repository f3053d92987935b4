"""Recorded input spikes: good files are read as they stand, and reach the neurons they name."""

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

import neostriatum as ns
from neostriatum.circuit.load import load

GOOD = Path(__file__).parents[1] / "data" / "good_small.toml"
TIMES, IDS = [0.0, 1.0, 1.0, 2.5], [3, 0, 3, 1]

CSV = {
    "plain": "time_ms,id\n0,3\n1,0\n1,3\n2.5,1\n",
    "spaces": "time_ms, id\n0, 3\n1, 0\n1, 3\n2.5, 1\n",
    "other_order": "id,time_ms\n3,0.0\n0,1.0\n3,1.0\n1,2.5\n",
    "more_columns": "time_ms,type,id\n0,FS,3\n1,FS,0\n1,FS,3\n2.5,FS,1\n",
    "windows": "time_ms,id\r\n0,3\r\n1,0\r\n1,3\r\n2.5,1\r\n",
}


def sonata(path, populations, units="ms"):
    with h5py.File(path, "w") as file:
        for name, (times, ids) in populations.items():
            group = file.create_group(f"spikes/{name}")
            group["timestamps"] = np.asarray(times)
            group["node_ids"] = np.asarray(ids)
            if units is not None:
                group["timestamps"].attrs["units"] = units


def circuit_with(folder, name, population=None):
    chosen = f', population = "{population}"' if population else ""
    path = folder / "net.toml"
    path.write_text(GOOD.read_text("utf-8") + "\n[inputs.recorded.targets.FS]\n"
                    f'spikes = {{ file = "{name}"{chosen} }}\nconductance = {{ AMPA = "50 nS" }}\n')
    return load(path)


def events(circuit):
    return circuit.inputs["recorded"].targets["FS"].spikes.events


def assert_read(circuit):
    times, ids = events(circuit)
    assert times.dtype == np.float64
    assert ids.dtype == np.int64
    assert times.tolist() == TIMES
    assert ids.tolist() == IDS


@pytest.mark.parametrize("name", CSV)
def test_csv(name, tmp_path):
    (tmp_path / "spikes.csv").write_bytes(CSV[name].encode())
    assert_read(circuit_with(tmp_path, "spikes.csv"))


@pytest.mark.parametrize("suffix", ["h5", "hdf5"])
@pytest.mark.parametrize("population", [None, "cortex"])
def test_sonata_of_one_population(suffix, population, tmp_path):
    sonata(tmp_path / f"spikes.{suffix}", {"cortex": (TIMES, np.array(IDS, np.uint64))})
    assert_read(circuit_with(tmp_path, f"spikes.{suffix}", population))


def test_sonata_of_two_populations(tmp_path):
    both = {"cortex": (TIMES, IDS), "thalamus": ([7.0], [0])}
    sonata(tmp_path / "spikes.h5", both, units=None)
    assert_read(circuit_with(tmp_path, "spikes.h5", "cortex"))
    with pytest.raises(ns.NeostriatumError, match="must be one of cortex, thalamus"):
        circuit_with(tmp_path, "spikes.h5")


@pytest.mark.parametrize("kind", [np.uint8, np.int32, np.uint64])
def test_number_types(kind, tmp_path):
    sonata(tmp_path / "spikes.h5", {"cortex": (np.float32(TIMES), kind(IDS))})
    assert_read(circuit_with(tmp_path, "spikes.h5"))


def test_file_in_a_folder_below(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "spikes.csv").write_text(CSV["plain"])
    assert_read(circuit_with(tmp_path, "data/spikes.csv"))


def test_circuit_as_dict_needs_its_folder(tmp_path):
    (tmp_path / "spikes.csv").write_text(CSV["plain"])
    circuit = circuit_with(tmp_path, "spikes.csv")
    assert_read(load(circuit.to_dict(), folder=tmp_path))
    assert_read(circuit.replace({"dopamine.d2": 0.5}))
    with pytest.raises(ns.NeostriatumError, match="no such file"):
        load(circuit.to_dict())


def test_our_own_spikes_are_input_again(tmp_path):
    made = ns.run(str(GOOD), size=50, duration="20 ms", engine="reference", figures=False,
                  out=tmp_path / "first", changes={"inputs.electrode.targets.FS.current": "1 nA"})
    shutil.copy(tmp_path / "first" / "spikes.h5", tmp_path / "spikes.h5")
    times, ids = events(circuit_with(tmp_path, "spikes.h5", "FS"))
    fs = made.populations["FS"]
    mine = (made.spikes.ids >= fs.start) & (made.spikes.ids < fs.stop)
    assert len(times) > 0
    assert times.tolist() == made.spikes.times_ms[mine].tolist()
    assert ids.tolist() == (made.spikes.ids[mine] - fs.start).tolist()


def test_spikes_reach_their_neurons(tmp_path):
    (tmp_path / "spikes.csv").write_text("time_ms,id\n3,1\n3,2\n")
    quiet = {"inputs.cortex.targets.FS.rate": "0 Hz", "inputs.electrode.targets.FS.current": "0 pA",
             "noise.FS": "0 mV"}
    made = ns.run(circuit_with(tmp_path, "spikes.csv"), size=50, duration="10 ms",
                  engine="reference", figures=False, out=tmp_path / "run", changes=quiet)
    fs = made.populations["FS"].start
    traces = made.traces["FS"]
    assert traces.ids.tolist() == [fs, fs + 1, fs + 2]
    before = traces.times_ms < 3.05
    jump = traces.v_mv[~before][5] - traces.v_mv[before][-1]
    assert jump[0] < 1 < jump[1]
    assert jump[2] > 1
    # A run keeps its input spikes, so that its folder alone repeats it.
    assert (tmp_path / "run" / "spikes.csv").read_text() == "time_ms,id\n3,1\n3,2\n"
    assert events(made.circuit)[1].tolist() == [1, 2]
