"""Network files: what is saved comes back bit for bit, and damage is one line, never a crash."""

import dataclasses
import json
import shutil
import subprocess
import sys
import tracemalloc
from pathlib import Path

import h5py
import numpy as np
import pytest

import neostriatum as ns
from neostriatum.cli import main
from neostriatum.errors import RunFileError
from neostriatum.network.files import load_network
from neostriatum.network.network import Edges, Network

SRC = str(Path(ns.__file__).parents[1])
GOOD = Path(__file__).parents[1] / "data" / "good_small.toml"
PATHWAY = "dSPN->iSPN"


def weighted(network, *names):
    """The network with log-normal weights on some pathways."""
    draw = np.random.default_rng(1).lognormal
    edges = {name: dataclasses.replace(one, weights=draw(0, 0.5, len(one)).astype(np.float32))
             if name in names else one for name, one in network.edges.items()}
    return dataclasses.replace(network, edges=edges)


@pytest.fixture(scope="module")
def rich():
    """A network with everything: gap junctions, weights, spread."""
    circuit = ns.load("striatum_v1", changes={"spread": {"dSPN": {"C": "1 pF", "k": "0.1 nS/mV"}},
                                           "cells.FS.fraction": 0.2, "cells.dSPN.fraction": 0.4,
                                           "cells.iSPN.fraction": 0.4})
    made = weighted(ns.build(circuit, size=150, seed=2), PATHWAY, "FS->FS")
    assert len(made.gaps) > 10
    return made


@pytest.fixture
def saved(rich, tmp_path, tmp_path_factory):
    """A copy of its file for a test that changes it."""
    folder = tmp_path_factory.getbasetemp() / "rich"
    if not folder.exists():
        folder.mkdir()
        rich.save(folder / "net.h5")
    return Path(shutil.copy(folder / "net.h5", tmp_path))


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """The bytes of a small network file, its network, and a place for damaged copies."""
    path = tmp_path_factory.mktemp("small") / "net.h5"
    made = ns.build(str(GOOD), size=30, seed=1)
    made.save(path)
    return path.read_bytes(), made, path.with_name("bad.h5")


def refused(path, what="", code=5, **options):
    """Loading fails with one line that says ``what``."""
    with pytest.raises(ns.NeostriatumError) as caught:
        load_network(path, **options)
    said = str(caught.value)
    assert caught.value.exit_code == code
    assert "\n" not in said
    assert len(said) < 400
    assert what in said
    return said


# ---- there and back --------------------------------------------------------------------------


def test_round_trip(rich, tmp_path):
    assert rich.save(tmp_path / "net.h5") == tmp_path / "net.h5"
    read = ns.load_network(tmp_path / "net.h5")
    assert [one.name for one in tmp_path.iterdir()] == ["net.h5"]
    assert read.hash() == rich.hash()
    assert read.circuit == rich.circuit
    assert (read.seed, read.counts, read.side_um, read.periodic) == (
        rich.seed, rich.counts, rich.side_um, rich.periodic)
    ours, theirs = dict(read._arrays()), dict(rich._arrays())
    assert list(ours) == list(theirs)
    for name, array in ours.items():
        assert array.dtype == theirs[name].dtype, name
        assert array.tobytes() == theirs[name].tobytes(), name
    assert read.edges["iSPN->iSPN"].weights is None


def test_weights_are_hashed(rich):
    plain = dataclasses.replace(rich.edges[PATHWAY], weights=None)
    assert dataclasses.replace(rich, edges=rich.edges | {PATHWAY: plain}).hash() != rich.hash()


def test_empty_type(tmp_path):
    made = ns.build("striatum_v1", size=20, seed=1)
    assert made.counts["FS"] == 0
    made.save(tmp_path / "net.h5")
    assert load_network(tmp_path / "net.h5").hash() == made.hash()


def test_plain_hdf5(rich, tmp_path):
    """Any HDF5 library reads it, and the header is JSON."""
    rich.save(tmp_path / "net.h5")
    with h5py.File(tmp_path / "net.h5") as file:
        targets = file[f"edges/{PATHWAY}/targets"]
        assert targets.compression == "gzip"
        assert targets.fletcher32
        assert np.array_equal(targets, rich.edges[PATHWAY].targets)
        header = json.loads(file["header"][()].tobytes())
    assert header["hash"] == rich.hash()
    assert header["circuit"] == rich.circuit.to_dict()
    assert header["made_by"] == f"neostriatum {ns.__version__}"


def test_saving_copies_nothing(tmp_path):
    n, each = 2000, 1000
    rng = np.random.default_rng(0)
    edges = Edges(np.arange(n + 1) * each,
                  np.sort(rng.integers(0, n, (n, each), dtype=np.int32), axis=1).ravel(),
                  rng.integers(1, 9, n * each, dtype=np.uint8))
    big = Network(1, {"dSPN": n}, 100.0, False, np.zeros((n, 3), np.float32),
                  {"dSPN->dSPN": edges}, {})
    circuit = json.loads(json.dumps(ns.load("striatum_v1").to_dict()))
    circuit |= {"pathways": {"dSPN->dSPN": circuit["pathways"]["dSPN->dSPN"]}, "inputs": {},
                "cells": {"dSPN": circuit["cells"]["dSPN"] | {"fraction": 1.0}},
                "gap_junctions": {}}
    big.save(tmp_path / "warm.h5", ns.load(circuit))
    tracemalloc.start()
    big.save(tmp_path / "net.h5", ns.load(circuit))
    saving = tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    load_network(tmp_path / "net.h5")
    loading = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert saving < 0.2 * edges.targets.nbytes
    assert loading < 1.2 * (edges.targets.nbytes + edges.delays.nbytes)


# ---- saving refuses --------------------------------------------------------------------------


def test_existing_file(rich, tmp_path):
    (tmp_path / "net.h5").write_text("mine")
    with pytest.raises(ns.NeostriatumError, match="exists already") as caught:
        rich.save(tmp_path / "net.h5")
    assert caught.value.exit_code == 5
    assert (tmp_path / "net.h5").read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 1


def test_missing_folder(rich, tmp_path):
    with pytest.raises(ns.NeostriatumError, match="cannot be written") as caught:
        rich.save(tmp_path / "nowhere" / "net.h5")
    assert caught.value.exit_code == 5


def test_full_disk(tmp_path):
    """A limit on the size of files stands for a disk that is full: nothing is left."""
    code = (f"import resource, sys; sys.path.insert(0, {SRC!r}); import neostriatum as ns\n"
            "made = ns.build('striatum_v1', size=200)\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
            "try:\n    made.save('net.h5')\n"
            "except ns.NeostriatumError as error:\n    print(error.exit_code, error)")
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True,
                          text=True, check=True, timeout=120)
    assert done.stdout.startswith("5 net.h5: cannot be written"), done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []


def test_interrupt_leaves_nothing(rich, tmp_path, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(h5py.Group, "create_dataset", interrupted)
    with pytest.raises(KeyboardInterrupt):
        rich.save(tmp_path / "net.h5")
    assert list(tmp_path.iterdir()) == []


def test_no_circuit(rich, tmp_path):
    bare = dataclasses.replace(rich, circuit=None)
    with pytest.raises(ns.NeostriatumError, match="needs its circuit"):
        bare.save(tmp_path / "net.h5")
    with pytest.raises(ns.NeostriatumError, match="pathways: must be the network's"):
        bare.save(tmp_path / "net.h5", ns.load("humphries2009"))
    assert list(tmp_path.iterdir()) == []
    bare.save(tmp_path / "net.h5", rich.circuit)
    assert load_network(tmp_path / "net.h5").circuit == rich.circuit


# ---- damage ----------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [16, pytest.param(1, marks=pytest.mark.slow)])
def test_cut_anywhere(step, small):
    data, _, path = small
    rng = np.random.default_rng(3)
    for length in (*range(0, 4096, step), *rng.integers(4096, len(data), 200)):
        path.write_bytes(data[:length])
        refused(path, "bad.h5: is not a sound network")


def test_bits_flipped(small):
    """A flip is refused, or lies in one of the gaps that HDF5 leaves between its parts."""
    data, made, path = small
    rng = np.random.default_rng(4)
    found = 0
    for bit in rng.choice(8 * len(data), 200, replace=False):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << (bit % 8)
        path.write_bytes(damaged)
        try:
            read = load_network(path)
        except RunFileError as error:
            said = str(error)
            found += 1
        else:
            said = ""
            assert read.hash() == made.hash()
            assert read.circuit == made.circuit
        assert "\n" not in said
    assert found > 100


@pytest.mark.parametrize("content", [b"", b"\0" * 5000, b"\x89HDF\r\n\x1a\n", b"text"])
def test_other_files(content, tmp_path):
    (tmp_path / "net.h5").write_bytes(content)
    refused(tmp_path / "net.h5", "is not a sound network")


def test_other_hdf5(tmp_path):
    with h5py.File(tmp_path / "net.h5", "w") as file:
        file["header"] = 1
    refused(tmp_path / "net.h5", "not written by save")


def test_missing_file(tmp_path):
    refused(tmp_path / "net.h5", "no such file")


def replace(file, name, array):
    del file[name]
    file[name] = array


def change(file, name, index, value):
    array = file[name][()]
    array[index] = value
    replace(file, name, array)


def head(file, **said):
    header = json.loads(file["header"][()].tobytes())
    for key, value in said.items():
        (header["fields"] if key in header["fields"] else header)[key] = value
    replace(file, "header", np.frombuffer(json.dumps(header).encode(), np.uint8))


EDGES = f"edges/{PATHWAY}"
FAULTS = {
    "no targets": (lambda f: f.__delitem__(f"{EDGES}/targets"), "has no targets"),
    "no pathway": (lambda f: f.__delitem__(EDGES), f"has no {PATHWAY}"),
    "no positions": (lambda f: f.__delitem__("positions"), "has no positions"),
    "no header": (lambda f: f.__delitem__("header"), "has no header"),
    "no spread": (lambda f: f.__delitem__("spread"), "has no spread"),
    "targets out of range": (lambda f: change(f, f"{EDGES}/targets", 0, 60), "local ids"),
    "targets negative": (lambda f: change(f, f"{EDGES}/targets", 0, -1), "local ids"),
    "targets unsorted": (lambda f: change(f, f"{EDGES}/targets", 0, 59), "sorted within a row"),
    "targets float": (lambda f: replace(f, f"{EDGES}/targets",
                                        f[f"{EDGES}/targets"][()].astype(np.float32)), "int32"),
    "targets short": (lambda f: replace(f, f"{EDGES}/targets", f[f"{EDGES}/targets"][1:]), "rows"),
    "offsets falling": (lambda f: change(f, f"{EDGES}/offsets", 3, 10**6), "offsets must"),
    "offsets short": (lambda f: replace(f, f"{EDGES}/offsets", f[f"{EDGES}/offsets"][1:]), "rows"),
    "offsets from 1": (lambda f: change(f, f"{EDGES}/offsets", 0, 1), "offsets must start at 0"),
    "no delay": (lambda f: change(f, f"{EDGES}/delays", 3, 0), "at least 1 unit"),
    "weight negative": (lambda f: change(f, f"{EDGES}/weights", 3, -1.0), "finite and >= 0"),
    "weight nan": (lambda f: change(f, f"{EDGES}/weights", 3, np.nan), "finite and >= 0"),
    "position nan": (lambda f: change(f, "positions", 3, np.nan), "positions must be finite"),
    "positions few": (lambda f: replace(f, "positions", f["positions"][1:]), "positions must be"),
    "gaps turned": (lambda f: replace(f, "gaps", f["gaps"][()][:, ::-1]), "sorted pairs"),
    "gaps unsorted": (lambda f: replace(f, "gaps", f["gaps"][()][::-1]), "sorted pairs"),
    "gaps of others": (lambda f: change(f, "gaps", (-1, 1), 30), "local ids of FS"),
    "spread nan": (lambda f: change(f, "spread/dSPN/C", 0, np.nan), "must be finite"),
    "delay changed": (lambda f: change(f, f"{EDGES}/delays", 0, 99), "hash"),
    "position changed": (lambda f: change(f, "positions", 0, 1.0), "hash"),
    "seed changed": (lambda f: head(f, hash="0" * 64), "hash"),
    "counts negative": (lambda f: head(f, counts={"dSPN": -1}), "another kind"),
    "counts text": (lambda f: head(f, counts="many"), "another kind"),
    "side nan": (lambda f: head(f, side_um=float("nan")), "another kind"),
    "fields more": (lambda f: head(f, fields={"seed": 1, "colour": "red"}), "other fields"),
    "version no number": (lambda f: head(f, version="one"), "has no version"),
    "too new": (lambda f: head(f, version=2, made_by="neostriatum 9.0"),
                "version must be 1 (got 2, made by neostriatum 9.0; update neostriatum)"),
    "header no JSON": (lambda f: replace(f, "header", np.zeros(9, np.uint8)), "sound network"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults(name, saved):
    damage, said = FAULTS[name]
    with h5py.File(saved, "r+") as file:
        damage(file)
    refused(saved, said)


def test_data_elsewhere(saved):
    shutil.copy(saved, saved.with_name("other.h5"))
    with h5py.File(saved, "r+") as file:
        del file["positions"]
        file["positions"] = h5py.ExternalLink("other.h5", "/positions")
    refused(saved, "must lie in the file itself")


def test_bad_circuit(saved):
    with h5py.File(saved, "r+") as file:
        head(file, circuit={"name": "nothing"})
    refused(saved, "nothing: cells", code=2)


# ---- simulating ------------------------------------------------------------------------------


QUICK = {"duration": "20 ms", "engine": "reference", "figures": False}


def test_run_of_a_file(tmp_path):
    made = ns.build(str(GOOD), size=60, seed=5)
    made.save(tmp_path / "net.h5")
    strong = {"inputs.electrode.targets.FS.current": "1 nA"}
    direct = ns.run(str(GOOD), size=60, seed=5, out=tmp_path / "a", changes=strong, **QUICK)
    loaded = ns.run(network=tmp_path / "net.h5", seed=5, out=tmp_path / "b", changes=strong,
                    **QUICK)
    for key in ("spike_hash", "network_hash", "circuit", "neurons", "synapses"):
        assert loaded.summary[key] == direct.summary[key], key
    assert direct.summary["spikes"] > 0
    assert loaded.record["network"] == str(tmp_path / "net.h5")
    assert direct.record["network"] is None
    other = ns.run(str(GOOD), network=tmp_path / "net.h5", out=tmp_path / "c", **QUICK)
    assert other.summary["network_hash"] == made.hash()


def test_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    made = ns.build(str(GOOD), size=60, seed=5)
    made.save("net.h5")
    quick = ["--duration", "10 ms", "--engine", "reference", "--json"]
    assert main(["run", "--network", "net.h5", *quick]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["network_hash"] == made.hash()
    assert said["circuit"] == made.circuit.name
    for more, what, code in (
        (["--network", "no.h5"], "no.h5: no such file", 5),
        (["humphries2009", "--network", "net.h5"], "must be the network's", 2),
        (["--network", "net.h5", "--size", "61"], "size: must be the network's 60", 2),
        (["--network", "net.h5", "--set", "volume.boundary=open"],
         "volume.boundary: must stay as the network was built", 2),
        (["--network", "net.h5", "--weight-unit", "pA"], "weight_unit: must be nS or uS", 2),
    ):
        before = set(tmp_path.iterdir())
        assert main(["run", *more, *quick]) == code
        out, err = capsys.readouterr()
        assert out == ""
        assert what in err
        assert err.count("\n") == 1
        assert set(tmp_path.iterdir()) == before


def test_where_a_number_comes_from_decides_nothing(rich, tmp_path):
    same = {"pathways.dSPN->iSPN.delay.offset": "1 ms", "spread.dSPN.C": "1 pF",
            "volume.density": "77520 / mm^3", "warmup": "0 ms"}
    made = ns.run(network=rich, changes=same, out=tmp_path / "run", **QUICK)
    assert made.circuit != rich.circuit
    assert made.summary["network_hash"] == rich.hash()
