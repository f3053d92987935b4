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


@pytest.mark.parametrize(("unit", "one"), [
    ("s", 1e-3), ("seconds", 1e-3), ("us", 1e3), ("µs", 1e3), ("milliseconds", 1.0), ("", 1.0),
    (b"s", 1e-3), (np.array([b"s"]), 1e-3), (np.array(["s"], object), 1e-3),
])
@pytest.mark.parametrize("key", ["units", "unit"])
def test_units(key, unit, one, tmp_path):
    sonata(tmp_path / "spikes.h5", {"cortex": (np.array(TIMES) * one, IDS)}, units=None)
    with h5py.File(tmp_path / "spikes.h5", "r+") as file:
        file["spikes/cortex/timestamps"].attrs[key] = unit
    assert_read(circuit_with(tmp_path, "spikes.h5"))


def test_whole_numbers_as_floats(tmp_path):
    sonata(tmp_path / "spikes.h5", {"cortex": (TIMES, np.array(IDS, float))})
    assert_read(circuit_with(tmp_path, "spikes.h5"))
    (tmp_path / "spikes.csv").write_text("time_ms,id\n0,3.0\n1,0\n1,3.0\n2.5,1\n")
    assert_read(circuit_with(tmp_path, "spikes.csv"))


def test_big_endian(tmp_path):
    sonata(tmp_path / "spikes.h5", {"cortex": (np.array(TIMES, ">f8"), np.array(IDS, ">i4"))})
    assert_read(circuit_with(tmp_path, "spikes.h5"))


def test_any_order(tmp_path):
    """By id, as BMTK writes them; those of one time stay in the order of the file."""
    sonata(tmp_path / "spikes.h5", {"cortex": ([1.0, 2.5, 0.0, 1.0], [0, 1, 3, 3])})
    assert_read(circuit_with(tmp_path, "spikes.h5"))
    (tmp_path / "spikes.csv").write_text("time_ms,id\n2.5,1\n1,0\n1,3\n0,3\n")
    assert_read(circuit_with(tmp_path, "spikes.csv"))


@pytest.mark.parametrize("key", ["gids", "node_ids"])
def test_layout_before_populations(key, tmp_path):
    with h5py.File(tmp_path / "spikes.h5", "w") as file:
        file["spikes/timestamps"], file[f"spikes/{key}"] = TIMES, IDS
    assert_read(circuit_with(tmp_path, "spikes.h5"))
    refused(tmp_path, "spikes.h5", "the layout of SONATA before 0.1", population="cortex")


@pytest.mark.parametrize("population", ["cortex-M1", "4_L5", "a b", "Großhirn", "x" * 255])
def test_names_of_other_tools(population, tmp_path):
    sonata(tmp_path / "spikes.h5", {population: (TIMES, IDS), "other": ([7.0], [0])})
    assert_read(circuit_with(tmp_path, "spikes.h5", population))


@pytest.mark.parametrize("name", ["spikes.H5", "spikes.HDF5", "Spikes.CSV"])
def test_capital_endings(name, tmp_path):
    if name.endswith("CSV"):
        (tmp_path / name).write_text(CSV["plain"])
    else:
        sonata(tmp_path / name, {"cortex": (TIMES, IDS)})
    assert_read(circuit_with(tmp_path, name))


def refused(folder, name, what, population=None):
    """Loading fails with one line that says ``what``."""
    with pytest.raises(ns.NeostriatumError) as caught:
        circuit_with(folder, name, population)
    assert what in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) <= 200
    assert caught.value.exit_code == 2


BAD_CSV = {
    "wider rows": ("time_ms,id\n0.5,2,1\n1.0,3,1\n", "line 2 must have 2 fields as the header has"),
    "one wide row": ("time_ms,id\n0.5,2\n1.0,3,1\n", "line 3 must have 2 fields"),
    "number first": ("time_ms,id\n17,0.5,3\n18,1.0,2\n", "(got 3)"),
    "short row": ("time_ms,id,flag\n0.5,2,1\n3,1\n", "line 3 must have 3 fields as the header has"),
    "trailing comma": ("time_ms,id\n0.5,3,\n1.0,2,\n", "line 2 must have 2 fields"),
    "id twice": ("time_ms,id,id\n0.5,3,1\n", "must have each column once (got id twice)"),
    "comment": ("# from NEST\ntime_ms,id\n0.5,3\n", "needs the columns time_ms and id"),
    "comment below": ("time_ms,id\n# from NEST\n0.5,3\n", "line 2 must have 2 fields"),
    "comment of two": ("time_ms,id\n# a, b\n0.5,3\n", "time_ms must be numbers (got # a)"),
    "semicolons": ("time_ms;id\n0,5;3\n", "separated by commas (got time_ms;id)"),
    "decimal comma": ('time_ms,id\n"0,5",3\n', "time_ms must be numbers (got 0,5)"),
    "thousands": ('time_ms,id\n0.5,3\n"1,000.5",2\n', "time_ms must be numbers (got 1,000.5)"),
    "BMTK": ("timestamps population node_ids\n0.5 lgn 3\n", "separated by commas"),
    "seconds": ("time_s,id\n0.0005,3\n", "needs the columns time_ms and id"),
    "capital": ("Time_ms,ID\n0.5,3\n", "needs the columns time_ms and id"),
    "two populations": ("time_ms,id,population\n0.5,3,a\n1,3,b\n", "one population (got a, b)"),
    "no id": ("time_ms,id\n0.5,3\n1.0,\n", "ids must be whole numbers (got nan)"),
    "half an id": ("time_ms,id\n0.5,3.5\n", "ids must be whole numbers (got 3.5)"),
    "truth": ("time_ms,id\n0.5,True\n", "ids must be whole numbers (got bool)"),
    "no time": ("time_ms,id\n,3\n", "times must be finite"),
    "empty": ("", "needs the columns time_ms and id"),
    "header alone": ("time_ms,id\n", "holds no spikes"),
    "long field": ("time_ms,id\n0.5," + "3" * 200_000 + "\n", "field larger than field limit"),
}


@pytest.mark.parametrize("name", BAD_CSV)
def test_bad_csv(name, tmp_path):
    text, what = BAD_CSV[name]
    (tmp_path / "spikes.csv").write_text(text)
    refused(tmp_path, "spikes.csv", what)


@pytest.mark.parametrize("text", ["\ufefftime_ms,id\n0,3\n1,0\n1,3\n2.5,1\n",
                                  "\ntime_ms,id\n0,3\n\n1,0\n1,3\n  \n2.5,1\n\n",
                                  'time_ms,id,note\n0,3,"a, b"\n1,0,\n1,3,\n2.5,1,"c"\n',
                                  "time_ms,id,population\n0,3,a\n1,0,a\n1,3,a\n2.5,1,a\n"])
def test_csv_of_other_tools(text, tmp_path):
    (tmp_path / "spikes.csv").write_text(text, "utf-8")
    assert_read(circuit_with(tmp_path, "spikes.csv"))


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_encodings(encoding, tmp_path):
    (tmp_path / "spikes.csv").write_text("time_ms,id,é\n0,3,é\n", encoding)
    refused(tmp_path, "spikes.csv", "is not UTF-8 text")


BAD_HDF5 = {
    "a column": ([[0.5], [1.0]], [[1], [2]], "ms", "times must be one row of numbers (got (2, 1))"),
    "ids a column": ([0.5, 1.0], [[1], [2]], "ms", "ids must be one row of numbers (got (2, 1))"),
    "one id": ([0.5, 1.0], [1], "ms", "needs one id per time (got 1 and 2)"),
    "half an id": ([0.5], [1.5], "ms", "ids must be whole numbers (got 1.5)"),
    "infinite id": ([0.5], [np.inf], "ms", "ids must be whole numbers (got inf)"),
    "large id": ([0.5], np.array([2**63 + 5], np.uint64), "ms", "ids must be from 0 to 2^31"),
    "large float id": ([0.5], [1e300], "ms", "ids must be from 0 to 2^31"),
    "negative": ([0.5], [-1], "ms", "ids must be from 0 to 2^31 (got -1 to -1)"),
    "text id": ([0.5], np.array([b"3"]), "ms", "ids must be whole numbers"),
    "text time": (np.array([b"3"]), [3], "ms", "times must be numbers"),
    "text time in s": (np.array([b"3"]), [3], "s", "times must be numbers"),
    "mV": ([0.5], [3], "mV", "units must have the dimension of ms (got mV)"),
    "steps": ([0.5], [3], "steps", 'and "steps" is not a unit (got steps)'),
    "number": ([0.5], [3], 0.1, "the attribute units must be one text (got 0.1)"),
    "two": ([0.5], [3], np.array(["ms", "s"], object), "must be one text"),
    "too late": ([1e8], [3], "s", "times must be finite, from 0 to 1e+10 ms"),
}


@pytest.mark.parametrize("name", BAD_HDF5)
def test_bad_hdf5(name, tmp_path):
    times, ids, unit, what = BAD_HDF5[name]
    sonata(tmp_path / "spikes.h5", {"cortex": (times, ids)}, units=unit)
    refused(tmp_path, "spikes.h5", what)


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
