"""SONATA: our export is what libsonata and BMTK read, and other tools' networks become ours."""

import dataclasses
import json
import shutil

import h5py
import libsonata
import numpy as np
import pytest
from spoiled_sonata import (
    BAD,
    change,
    drop,
    replaced,
)
from test_network_files import PATHWAY, refused, weighted

import neostriatum as ns
from neostriatum.cli import main
from neostriatum.network import sonata, sonata_reader
from neostriatum.network.files import load_network

TWO = {"GABA": "0.75 nS", "AMPA": "0.2 nS"}


@pytest.fixture(scope="module")
def made():
    """A network with gap junctions, weights, spread, and a pathway of two receptors."""
    circuit = ns.load("striatum_v1", changes={
        "spread": {"dSPN": {"C": "1 pF"}}, "cells.FS.fraction": 0.2, "cells.dSPN.fraction": 0.4,
        "cells.iSPN.fraction": 0.4, "pathways.iSPN->dSPN.conductance": TWO})
    return weighted(ns.build(circuit, size=150, seed=2), PATHWAY, "FS->FS", "iSPN->dSPN")


@pytest.fixture(scope="module")
def exported(made, tmp_path_factory):
    """The folder of its export; not to be changed."""
    folder = tmp_path_factory.mktemp("sonata") / "out"
    ns.export(made, "sonata", folder)
    return folder


@pytest.fixture
def copy(exported, tmp_path):
    """A copy of the export for a test that changes it, without what we put beside it."""
    folder = shutil.copytree(exported, tmp_path / "net")
    (folder / sonata.SIDE).unlink()
    return folder


def same(ours, theirs):
    """The same synapses, gap junctions and weights."""
    assert list(ours.edges) == list(theirs.edges)
    for name, edges in ours.edges.items():
        for part in ("offsets", "targets", "delays"):
            assert np.array_equal(getattr(edges, part), getattr(theirs.edges[name], part)), name
        assert (edges.weights is None) == (theirs.edges[name].weights is None), name
        if edges.weights is not None:
            assert np.allclose(edges.weights, theirs.edges[name].weights, rtol=1e-6), name
    assert np.array_equal(ours.gaps, theirs.gaps)


# ---- our export ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", sonata.CONFIG])
def test_round_trip(name, made, exported):
    read = load_network(exported / name)
    assert read.hash() == made.hash()
    assert read.circuit == made.circuit
    assert (read.seed, read.side_um, read.periodic) == (made.seed, made.side_um, made.periodic)


def test_round_trip_of_an_empty_type(tmp_path):
    made = ns.build(ns.load("striatum_v1", changes={"spread": {"FS": {"C": "1 pF"}}}), size=20)
    assert made.counts["FS"] == 0
    ns.export(made, "sonata", tmp_path / "out")
    assert load_network(tmp_path / "out").hash() == made.hash()


def test_blocks(made, exported, tmp_path, monkeypatch):
    """Edges written and read in many blocks are the same edges."""
    for module in (sonata, sonata_reader):
        monkeypatch.setattr(module, "BLOCK", 997)
    ns.export(made, "sonata", tmp_path / "out")
    with h5py.File(exported / "edges.h5") as one, h5py.File(tmp_path / "out/edges.h5") as other:
        def equal(name, item):
            if isinstance(item, h5py.Dataset):
                assert np.array_equal(item, other[name]), name
        one.visititems(equal)
    assert load_network(tmp_path / "out").hash() == made.hash()


def test_columns(made, exported):
    with h5py.File(exported / "nodes.h5") as file:
        for name, ids in made.populations.items():
            group = file[f"nodes/{name}"]
            assert np.array_equal(group["node_id"], np.arange(len(ids)))
            assert np.array_equal(np.stack([group[f"0/{axis}"] for axis in "xyz"], axis=1),
                                  made.positions[ids.start:ids.stop])
        assert file["nodes/dSPN/0/x"].attrs["units"] == "um"
        assert np.array_equal(file["nodes/dSPN/0/spread_C"], made.spread["dSPN"]["C"])
    with h5py.File(exported / "edges.h5") as file:
        assert file.attrs["magic"] == 0x0A7A
        group, edges = file["edges/dSPN_to_iSPN/0"], made.edges[PATHWAY]
        assert np.allclose(group["syn_weight"], 0.75 * edges.weights)
        assert np.allclose(group["delay"], 0.1 * edges.delays)
        assert group["syn_weight"].attrs["units"] == "nS"
        assert group["delay"].attrs["units"] == "ms"
        both, weights = file["edges/iSPN_to_dSPN/0"], made.edges["iSPN->dSPN"].weights
        assert np.allclose(both["syn_weight"], 0.75 * weights)
        assert np.allclose(both["syn_weight_GABA"], 0.75 * weights)
        assert np.allclose(both["syn_weight_AMPA"], 0.2 * weights)
        assert (file["edges/dSPN_to_dSPN/0/syn_weight"][()] == np.float32(0.3)).all()


def test_both_names_of_the_index(exported):
    with h5py.File(exported / "edges.h5") as file:
        for population in file["edges"].values():
            for index in population["indices"].values():
                assert index["node_id_to_range"] == index["node_id_to_ranges"]


def test_libsonata(made, exported):
    config = libsonata.CircuitConfig.from_file(str(exported / sonata.CONFIG))
    assert config.config_status == libsonata.CircuitConfigStatus.complete
    assert config.node_populations == set(made.counts)
    for name, ids in made.populations.items():
        nodes = config.node_population(name)
        assert np.array_equal(nodes.get_attribute("z", nodes.select_all()),
                              made.positions[ids.start:ids.stop, 2])
    wanted = {sonata.edge_population(name): edges for name, edges in made.edges.items()}
    assert config.edge_populations == {*wanted, "FS_to_FS_gap"}
    for name, edges in wanted.items():
        read = config.edge_population(name)
        assert read.size == len(edges)
        assert f"{read.source}_to_{read.target}" == name
        for source in (0, 7, len(edges.offsets) - 2):
            row = slice(*edges.offsets[source : source + 2])
            found = read.efferent_edges([source])
            assert np.array_equal(read.target_nodes(found), edges.targets[row])
            assert np.allclose(read.get_attribute("delay", found), 0.1 * edges.delays[row])
        sources = np.repeat(np.arange(len(edges.offsets) - 1), np.diff(edges.offsets))
        for target in (0, 5, int(edges.targets[-1])):
            found = read.afferent_edges([target])
            assert np.array_equal(read.source_nodes(found), sources[edges.targets == target])
    gaps = config.edge_population("FS_to_FS_gap")
    pairs = np.stack([gaps.source_nodes(gaps.select_all()), gaps.target_nodes(gaps.select_all())])
    assert np.array_equal(pairs.T, made.gaps)


@pytest.mark.filterwarnings("ignore")  # BMTK leaves files open, and pandas warns it of its ways
def test_bmtk(made, exported, monkeypatch):
    from bmtk.utils.sonata import File
    from bmtk.utils.sonata.config import SonataConfig

    monkeypatch.chdir(exported)  # where BMTK looks for relative names
    config = SonataConfig.from_json(str(exported / sonata.CONFIG))
    read = File([config.nodes[0]["nodes_file"], config.edges[0]["edges_file"]],
                [config.nodes[0]["node_types_file"], config.edges[0]["edge_types_file"]])
    assert set(read.nodes.population_names) == set(made.counts)
    cell = read.nodes["iSPN"].get_node_id(3)
    assert cell["pop_name"] == "iSPN"
    assert cell["model_type"] == "point_neuron"
    assert cell["x"] == made.positions[made.populations["iSPN"].start + 3, 0]
    edges, both = made.edges[PATHWAY], read.edges["dSPN_to_iSPN"]
    assert (both.source_population, both.target_population) == ("dSPN", "iSPN")
    out = list(both.get_source(4))
    row = slice(*edges.offsets[4:6])
    assert [one.target_node_id for one in out] == edges.targets[row].tolist()
    assert np.allclose([one["syn_weight"] for one in out], 0.75 * edges.weights[row])
    assert np.allclose([one["delay"] for one in out], 0.1 * edges.delays[row])
    sources = np.repeat(np.arange(len(edges.offsets) - 1), np.diff(edges.offsets))
    into = [one.source_node_id for one in both.get_target(6)]
    assert into == sources[edges.targets == 6].tolist()
    assert next(iter(read.edges["FS_to_FS_gap"]))["is_gap_junction"]
    for handle in read._h5_file_handles:
        handle.close()


@pytest.mark.parametrize("what", [
    lambda folder: change(folder, "edges/dSPN_to_iSPN/0/syn_weight", 0, 9.0),
    lambda folder: change(folder, "edges/dSPN_to_iSPN/0/delay", 0, 9.0),
    lambda folder: change(folder, "edges/dSPN_to_iSPN/source_node_id", 0, 9),
    lambda folder: change(folder, "nodes/dSPN/0/x", 0, 0.0),
    lambda folder: change(folder, "nodes/dSPN/0/spread_C", 0, 0.5),
    lambda folder: change(folder, "edges/FS_to_FS_gap/target_node_id", 0, 29),
    lambda folder: drop(folder, "edges/dSPN_to_iSPN"),
    lambda folder: drop(folder, "nodes/FS"),
])
def test_edited_export(what, exported, tmp_path):
    """An edit is never half believed: beside our own header it is refused."""
    shutil.copytree(exported, tmp_path / "net")
    what(tmp_path / "net")
    refused(tmp_path / "net")


# ---- the command -----------------------------------------------------------------------------


def test_command(made, exported, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    made.save("net.h5")
    assert main(["export", "net.h5", "--to", "sonata", "--out", "out", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said == {"to": "sonata", "circuit": "striatum_v1", "neurons": made.size, "out": "out",
                    "synapses": made.synapses, "gap_junctions": len(made.gaps),
                    "network_hash": made.hash()}
    for name in ("nodes.h5", "node_types.csv", "edge_types.csv", sonata.CONFIG):
        assert (tmp_path / "out" / name).stat().st_size == (exported / name).stat().st_size
    names = [{one.name for one in folder.iterdir()} for folder in (tmp_path / "out", exported)]
    assert names[0] == names[1]
    for more, what, code in (
        (["net.h5", "--to", "nwb", "--out", "x"],
         "--to: of a network must be sonata or neuron (got nwb)", 2),
        (["net.h5", "--to", "mat", "--out", "x"],
         "--to: must be sonata, nwb, neo, csv or neuron", 2),
        (["net.h5", "--out", "x"], "--to", 2),
        (["net.h5", "--to", "sonata", "--out", "out"], "out: --out must be a new or empty", 5),
        (["no.h5", "--to", "sonata", "--out", "x"], "no.h5: is not there", 5),
    ):
        assert main(["export", *more]) == code
        out, err = capsys.readouterr()
        assert out == ""
        assert what in err
        assert err.count("\n") == 1
        assert not (tmp_path / "x").exists()


def test_failure_leaves_nothing(made, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sonata, "_index", full)
    with pytest.raises(ns.NeostriatumError, match="cannot be written") as caught:
        ns.export(made, "sonata", tmp_path / "out")
    assert caught.value.exit_code == 5
    assert list(tmp_path.iterdir()) == []


# ---- networks of other tools -----------------------------------------------------------------


def test_without_our_header(made, copy):
    read = load_network(copy, made.circuit)
    same(read, made)
    assert read.circuit == made.circuit
    spans = np.ptp(made.positions, axis=0)
    assert np.allclose(np.ptp(read.positions, axis=0), spans, atol=1e-3)
    assert read.side_um == pytest.approx(spans.max())
    assert not read.periodic
    refused(copy, "needs a circuit", code=2)
    assert read.spread["dSPN"]["C"].shape == (made.counts["dSPN"],)
    again = load_network(copy, made.circuit, seed=made.seed)
    assert np.array_equal(again.spread["dSPN"]["C"], made.spread["dSPN"]["C"])


def test_simulation(tmp_path):
    """What another tool wrote runs, and gives the spikes of the same wires built here."""
    made = ns.build("striatum_v1", size=150, seed=4)
    ns.export(made, "sonata", tmp_path / "net")
    (tmp_path / "net" / sonata.SIDE).unlink()
    options = {"seed": 4, "duration": "50 ms", "engine": "reference", "figures": False,
               "changes": {"warmup": "0 ms", "inputs.cortex.targets.dSPN.rate": "9 Hz"}}
    ours = ns.run("striatum_v1", size=150, out=tmp_path / "a", **options)
    theirs = ns.run("striatum_v1", network=tmp_path / "net", out=tmp_path / "b", **options)
    assert ours.summary["spikes"] > 0
    assert theirs.summary["spike_hash"] == ours.summary["spike_hash"]


def mixed(folder, **changes):
    """Write a network as a tool with one population, gaps in ids and two groups might do it."""
    said = {
        "node_id": [10, 30, 20, 40], "cell_type": [0, 1, 0, 2],
        "names": ["MSN_D1", "SP2", "FSI"], "xyz": [[0, 0, 0], [40, 0, 0], [0, 20, 0], [10, 10, 5]],
        "source": [40, 10, 10, 20, 40, 10], "target": [10, 30, 20, 30, 30, 30],
        "type": [7, 8, 8, 8, 7, 8], "group": [0, 0, 1, 0, 0, 1], "index": [0, 1, 0, 2, 3, 1],
        "weight": [3e-3, 0.75e-3, 1.5e-3, 1.5e-3], "weight1": [0.3e-3, 2.25e-3],
        "delay1": [2.04, 0.3], "types": "edge_type_id delay\n7 1.0\n8 1.25\n",
    } | changes
    folder.mkdir()
    with h5py.File(folder / "n.h5", "w") as file:
        group = file.create_group("nodes/striatum")
        group["node_id"] = np.array(said["node_id"], np.uint64)
        group["node_type_id"] = np.full(4, 1, np.int64)
        group["node_group_id"], group["node_group_index"] = np.zeros(4, int), np.arange(4)
        for axis, values in zip("xyz", np.array(said["xyz"], float).T, strict=True):
            group[f"0/{axis}"] = values
        group["0/cell_type"] = np.array(said["cell_type"])
        group["0/@library/cell_type"] = said["names"]
    with h5py.File(folder / "e.h5", "w") as file:
        group = file.create_group("edges/all")
        for end in ("source", "target"):
            group[f"{end}_node_id"] = np.array(said[end])
            group[f"{end}_node_id"].attrs["node_population"] = "striatum"
        group["edge_type_id"], group["edge_group_id"] = said["type"], said["group"]
        group["edge_group_index"] = said["index"]
        group["0/syn_weight"] = np.array(said["weight"], np.float32)
        group["1/syn_weight"] = np.array(said["weight1"], np.float32)
        group["1/delay"] = said["delay1"]
        group["indicies/source_to_target/node_id_to_range"] = np.zeros((4, 2), int)
    (folder / "t.csv").write_text(said["types"])
    (folder / sonata.CONFIG).write_text(json.dumps({
        "manifest": {"$HERE": "${configdir}/", "$N": "$HERE/n.h5"}, "networks": {
            "nodes": [{"nodes_file": "$N", "node_types_file": None}],
            "edges": [{"edges_file": "${HERE}e.h5", "edge_types_file": "t.csv"}]}}))
    return folder


def test_one_population_of_all(tmp_path):
    """Types from an enumeration, ids with gaps, values from two groups and a table, in uS."""
    read = load_network(mixed(tmp_path / "net"), "striatum_v1", weight_unit="uS")
    assert read.counts == {"dSPN": 2, "iSPN": 1, "FS": 1}
    assert np.allclose(read.positions, np.array([[0, 0, 0], [0, 20, 0], [40, 0, 0], [10, 10, 5]])
                       + np.array([0, 10, 17.5]))
    assert read.side_um == 40
    one = read.edges["dSPN->iSPN"]  # two of them from cell 10, in the order of the file
    assert (one.offsets.tolist(), one.targets.tolist()) == ([0, 2, 3], [0, 0, 0])
    assert one.delays.tolist() == [12, 3, 12]  # 1.25 ms is half to even
    assert np.allclose(one.weights, [1, 3, 2])
    assert read.edges["dSPN->dSPN"].targets.tolist() == [1]
    assert read.edges["dSPN->dSPN"].delays.tolist() == [20]
    assert read.edges["dSPN->dSPN"].weights is None
    (peak,) = (g.value for g in read.circuit.pathways["FS->dSPN"].conductance.values())
    assert np.allclose(read.edges["FS->dSPN"].weights, [3 / peak])
    assert read.edges["FS->iSPN"].weights[0] == pytest.approx(1.5 / peak)
    assert len(read.edges["iSPN->dSPN"]) == 0


def test_pathway_without_strength_beside_others(tmp_path):
    """The weights of other pathways in the same population are not held against it."""
    circuit = ns.load("striatum_v1", changes={"pathways.FS->dSPN.conductance.GABA": "0 nS"})
    folder = mixed(tmp_path / "net", weight=[0.0, 0.75e-3, 1.5e-3, 0.0])
    read = load_network(folder, circuit, weight_unit="uS")
    assert read.edges["FS->dSPN"].weights is None
    assert np.allclose(read.edges["dSPN->iSPN"].weights, [1, 3, 2])


@pytest.mark.filterwarnings("ignore")
def test_built_by_bmtk(tmp_path):
    from bmtk.builder.networks import NetworkBuilder

    net = NetworkBuilder("striatum")
    rng = np.random.default_rng(0)
    for name, n in (("MSN_D1", 20), ("MSN_D2", 20), ("FSI", 4)):
        x, y, z = rng.uniform(-50, 50, (3, n))
        net.add_nodes(N=n, pop_name=name, model_type="point_neuron", x=x, y=y, z=z)
    net.add_edges(source={"pop_name": "MSN_D1"}, target={"pop_name": "MSN_D2"},
                  connection_rule=2, syn_weight=0.00075, delay=1.3)
    net.add_edges(source={"pop_name": "FSI"}, target={"pop_name": "MSN_D1"},
                  connection_rule=1, syn_weight=0.0015, delay=1.0)
    net.build()
    net.save(output_dir=str(tmp_path))
    (tmp_path / sonata.CONFIG).write_text(json.dumps({"networks": {
        "nodes": [{"nodes_file": "striatum_nodes.h5",
                   "node_types_file": "striatum_node_types.csv"}],
        "edges": [{"edges_file": "striatum_striatum_edges.h5",
                   "edge_types_file": "striatum_striatum_edge_types.csv"}]}}))
    read = load_network(tmp_path, "striatum_v1", weight_unit="uS")
    assert read.counts == {"dSPN": 20, "iSPN": 20, "FS": 4}
    assert {name: len(one) for name, one in read.edges.items() if len(one)} == {
        "dSPN->iSPN": 400, "FS->dSPN": 80}
    assert np.allclose(read.edges["dSPN->iSPN"].weights, 2)  # two synapses are one of both
    assert set(read.edges["dSPN->iSPN"].delays) == {13}


def test_junctions_said_twice(made, copy):
    """A junction from both sides is one junction."""
    with h5py.File(copy / "edges.h5", "r+") as file:
        group = file["edges/FS_to_FS_gap"]
        pairs = [group[f"{end}_node_id"][()] for end in ("source", "target")]
        m = len(pairs[0])
        for end, mine, other in (("source", 0, 1), ("target", 1, 0)):
            replaced(file, f"edges/FS_to_FS_gap/{end}_node_id",
                     np.concatenate([pairs[mine], pairs[other]]))
        for key in ("edge_type_id", "edge_group_id", "edge_group_index"):
            replaced(file, f"edges/FS_to_FS_gap/{key}", np.tile(group[key], 2))
    assert np.array_equal(load_network(copy, made.circuit).gaps, made.gaps)
    assert len(made.gaps) == m


# ---- bad files -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BAD)
def test_bad_files(name, made, copy):
    damage, said, code = BAD[name]
    damage(copy)
    refused(copy, said, code=code, circuit=made.circuit)


def test_circuit_lacks(made, copy):
    circuit = made.circuit.to_dict()
    for key, what in (("pathways", f"must have the pathway {PATHWAY}"),
                      ("gap_junctions", "must have gap_junctions.FS-FS")):
        less = json.loads(json.dumps(circuit))
        less[key].pop(PATHWAY if key == "pathways" else "FS-FS")
        refused(copy, what, code=2, circuit=less)
    zero = made.circuit.replace({f"pathways.{PATHWAY}.conductance.GABA": "0 nS"})
    refused(copy, "must be 0", circuit=zero)


def test_pathway_without_strength(tmp_path):
    """Its synapses keep their factors, which syn_weight alone could not tell."""
    circuit = ns.load("striatum_v1", changes={f"pathways.{PATHWAY}.conductance.GABA": "0 nS"})
    made = weighted(ns.build(circuit, size=40, seed=1), PATHWAY)
    ns.export(made, "sonata", tmp_path / "net")
    assert load_network(tmp_path / "net").hash() == made.hash()


def test_own_circuit_replaced(made, exported):
    other = made.circuit.replace({"dopamine.d1": 0.9})
    read = load_network(exported, other)
    assert read.circuit == other
    assert dataclasses.replace(read, circuit=None).hash() == made.hash()
    refused(exported, "must be the network's", code=2, circuit="humphries2009")
