"""Several kinds of gap junctions in a circuit, a network, its files and its statistics."""

import dataclasses
import json
import shutil

import h5py
import numpy as np
import pytest

import neostriatum as ns
from neostriatum.cli import main
from neostriatum.commands.network import _degree_lines
from neostriatum.errors import BuildError, CircuitError
from neostriatum.network import sonata
from neostriatum.network.estimate import expected_junctions
from neostriatum.network.files import load_network
from neostriatum.reporting import tables

LAW = {"rule": "fixed_probability", "p": 0.2}
KINDS = {
    "FSN-FSI": {"kind": "node", "conductance": "5 nS", "tau": "5 ms", "wiring": LAW},
    "FS-D1": {"kind": "ohmic", "conductance": "1 nS", "wiring": LAW},
    "dSPN-dSPN": {"kind": "ohmic", "conductance": "0.5 nS", "wiring": {
        "rule": "pairwise", "bins": [{"below": "40 um", "p": 0.5}]}},
}


def circuit(**kinds):
    """Return the default circuit with a fifth of FS and these kinds of gap junctions."""
    raw = ns.load("striatum_v1").to_dict()
    for name, share in (("dSPN", 0.4), ("iSPN", 0.4), ("FS", 0.2)):
        raw["cells"][name]["fraction"] = share
    return ns.load(raw | {"gap_junctions": kinds, "warmup": "1 ms"})


def turned():
    """Return the circuit of all kinds that names dSPN before FS."""
    return circuit(**{("dSPN-FS" if name == "FS-D1" else name): kind
                      for name, kind in KINDS.items()})


@pytest.fixture(scope="module")
def drawn():
    """A network with three kinds."""
    return ns.build(circuit(**KINDS), size=200, seed=2)


@pytest.fixture
def exported(drawn, tmp_path):
    """Its SONATA files."""
    ns.export(drawn, "sonata", tmp_path / "net")
    return tmp_path / "net"


def same(read, drawn):
    """Assert the same pairs of the same kinds in the same order."""
    assert list(read.junctions) == list(drawn.junctions)
    for name, pairs in drawn.junctions.items():
        assert read.junctions[name].dtype == pairs.dtype
        np.testing.assert_array_equal(read.junctions[name], pairs)


# ---- the network -----------------------------------------------------------------------------


def test_kinds_are_drawn_apart(drawn):
    assert list(drawn.junctions) == ["FS-FS", "FS-dSPN", "dSPN-dSPN"]
    assert {name: pairs.dtype for name, pairs in drawn.junctions.items()} == dict.fromkeys(
        drawn.junctions, np.dtype(np.int32))
    for name, pairs in drawn.junctions.items():
        a, b = name.split("-")
        first, second = pairs.T
        assert len(pairs) > 20
        assert first.max() < drawn.counts[a]
        assert second.max() < drawn.counts[b]
        assert (np.diff(first.astype(int) * 1000 + second) > 0).all()
        assert a != b or (first < second).all()
    np.testing.assert_array_equal(drawn.gaps, np.concatenate(list(drawn.junctions.values())))
    somas = drawn.positions[drawn.populations["dSPN"].start:].astype(float)
    away = somas[drawn.junctions["dSPN-dSPN"][:, 0]] - somas[drawn.junctions["dSPN-dSPN"][:, 1]]
    away -= drawn.side_um * np.rint(away / drawn.side_um)
    assert np.sqrt((away**2).sum(axis=1)).max() < 40.0


def test_a_kind_changes_no_other(drawn):
    """Nor does it change the hash of a network that has it not."""
    alone = ns.build(circuit(**{"FS-FS": KINDS["FSN-FSI"]}), size=200, seed=2)
    assert list(alone.junctions) == ["FS-FS"]
    np.testing.assert_array_equal(alone.junctions["FS-FS"], drawn.junctions["FS-FS"])
    np.testing.assert_array_equal(alone.gaps, drawn.junctions["FS-FS"])
    assert alone.hash() != drawn.hash()
    threads = ns.build(circuit(**KINDS), size=200, seed=2, threads=3)
    assert threads.hash() == drawn.hash()


def test_hash_of_the_default_network():
    """As it was when FS-FS was the only kind."""
    assert ns.build("striatum_v1", size=3000, seed=7).hash() == (
        "9d3656d60ba901f88003ad37c64f618b796a9bfad880685ba6e6c288e11d21b8")


def test_every_pair_is_hashed(drawn):
    other = {name: pairs.copy() for name, pairs in drawn.junctions.items()}
    other["dSPN-dSPN"][0, 1] += 1
    assert dataclasses.replace(drawn, junctions=other).hash() != drawn.hash()


def test_estimate_counts_them(drawn):
    whole = drawn.circuit
    for name in ("FS-FS", "FS-dSPN"):
        wanted = expected_junctions(whole, name, drawn.counts)
        assert abs(len(drawn.junctions[name]) - wanted) < 5 * wanted**0.5
    many = {"dSPN-dSPN": {"kind": "ohmic", "conductance": "1 nS",
                          "wiring": {"rule": "fixed_probability", "p": 1.0}}}
    more, less = (ns.estimate(circuit(**kinds), 100_000) for kinds in (many, {}))
    assert more.bytes - less.bytes > 15 * 40_000**2 / 2
    assert more.synapses == less.synapses


def test_anatomy_counts_them_by_type(drawn):
    block = ns.anatomy(drawn, "1 mm")["centre"]
    assert [key for key in block if key.startswith("gap_per_")] == ["gap_per_FS", "gap_per_dSPN"]
    sizes = {name: len(pairs) for name, pairs in drawn.junctions.items()}
    ends = {"FS": 2 * sizes["FS-FS"] + sizes["FS-dSPN"],
            "dSPN": 2 * sizes["dSPN-dSPN"] + sizes["FS-dSPN"]}
    for name in ends:
        assert block[f"gap_per_{name}"]["mean"] == pytest.approx(
            ends[name] / drawn.counts[name], abs=1e-4)


# ---- files -----------------------------------------------------------------------------------


def test_network_file(drawn, tmp_path):
    drawn.save(tmp_path / "net.h5")
    read = load_network(tmp_path / "net.h5")
    same(read, drawn)
    assert read.hash() == drawn.hash()
    with h5py.File(tmp_path / "net.h5") as file:
        np.testing.assert_array_equal(file["gaps"][()], drawn.junctions["FS-FS"])
        assert list(file["gap_junctions"]) == ["FS-dSPN", "dSPN-dSPN"]


def header(file, change):
    """Change the header of a network file."""
    head = json.loads(file["header"][()].tobytes())
    change(head)
    del file["header"]
    file["header"] = np.frombuffer(json.dumps(head).encode(), np.uint8)


def test_file_of_before(tmp_path):
    """A header without a list of kinds has the pairs of FS, or none where there are no FS."""
    drawn = ns.build(circuit(**{"FS-FS": KINDS["FSN-FSI"]}), size=100, seed=2)
    drawn.save(tmp_path / "net.h5")
    with h5py.File(tmp_path / "net.h5", "r+") as file:
        header(file, lambda head: head.pop("gap_junctions"))
    same(load_network(tmp_path / "net.h5"), drawn)


def pairs(file, change):
    """Change the pairs of FS and dSPN in a network file."""
    table = file["gap_junctions/FS-dSPN"][()]
    del file["gap_junctions/FS-dSPN"]
    file["gap_junctions/FS-dSPN"] = change(table)


FAULTS = {
    "unsorted": (lambda f: pairs(f, lambda table: table[::-1]),
                 "gaps FS-dSPN must be sorted pairs of local ids of FS and dSPN"),
    "of others": (lambda f: pairs(f, lambda table: table + 60), "local ids of FS and dSPN"),
    "float": (lambda f: pairs(f, lambda table: table.astype(float)), "must be int32"),
    "lost": (lambda f: f.__delitem__("gap_junctions"), "gap_junctions"),
    "changed": (lambda f: pairs(f, lambda table: table[1:]), "hash"),
    "unlisted": (lambda f: header(f, lambda head: head["gap_junctions"].pop()), "hash"),
    "kind unknown": (lambda f: header(f, lambda head: head["gap_junctions"].append("FS-X")),
                     "another kind"),
    "kind no name": (lambda f: header(f, lambda head: head["gap_junctions"].append(7)), "sound"),
    "kinds no list": (lambda f: header(f, lambda head: head.update(gap_junctions=7)), "sound"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults(name, drawn, tmp_path):
    damage, text = FAULTS[name]
    drawn.save(tmp_path / "net.h5")
    with h5py.File(tmp_path / "net.h5", "r+") as file:
        damage(file)
    with pytest.raises(ns.NeostriatumError) as caught:
        load_network(tmp_path / "net.h5")
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 5


def test_circuit_must_have_the_kind(drawn, tmp_path):
    drawn.save(tmp_path / "net.h5")
    less = circuit(**{name: KINDS[name] for name in ("FSN-FSI", "FS-D1")})
    with pytest.raises(BuildError, match=r"gap_junctions.dSPN-dSPN: must be there.*\(got none\)"):
        load_network(tmp_path / "net.h5", less)
    with pytest.raises(BuildError, match=r"gap_junctions\.FS-dSPN: must be there"):
        load_network(tmp_path / "net.h5", turned())


def test_sonata(drawn, exported):
    read = load_network(exported)
    same(read, drawn)
    assert read.hash() == drawn.hash()
    with h5py.File(exported / "edges.h5") as file:
        group = file["edges/FS_to_dSPN_gap"]
        np.testing.assert_array_equal(group["source_node_id"][()],
                                      drawn.junctions["FS-dSPN"][:, 0])
        assert group["target_node_id"].attrs["node_population"] == "dSPN"
        assert group["0/syn_weight"].fillvalue == 1


def test_sonata_of_another_tool(drawn, exported):
    """Without our header, and with a circuit that names the types the other way round."""
    (exported / sonata.SIDE).unlink()
    same(load_network(exported, drawn.circuit), drawn)
    read = load_network(exported, turned())
    wanted = drawn.junctions["FS-dSPN"][:, ::-1]
    np.testing.assert_array_equal(read.junctions["dSPN-FS"],
                                  wanted[np.lexsort(wanted.T[::-1])])
    less = circuit(**{name: KINDS[name] for name in ("FSN-FSI", "dSPN-dSPN")})
    with pytest.raises(BuildError, match=r"must have gap_junctions.FS-dSPN \(got none\)"):
        load_network(exported, less)


@pytest.mark.parametrize("twice", [False, True])
def test_sonata_from_both_sides(twice, drawn, exported, tmp_path):
    """A junction between two types may stand there from each, but not twice from one."""
    folder = shutil.copytree(exported, tmp_path / "copy")
    (folder / sonata.SIDE).unlink()
    with h5py.File(folder / "edges.h5", "r+") as file:
        group = file["edges/FS_to_dSPN_gap"]
        other = file.create_group("edges/again")
        for key in ("edge_type_id", "edge_group_id", "edge_group_index"):
            other[key] = group[key][()]
        other["0/syn_weight"] = group["0/syn_weight"][()]
        for end, away in (("source", "target"), ("target", "source")):
            copied = group[f"{end if twice else away}_node_id"]
            other[f"{end}_node_id"] = copied[()]
            other[f"{end}_node_id"].attrs["node_population"] = copied.attrs["node_population"]
    config = json.loads((folder / sonata.CONFIG).read_text())
    entry = config["networks"]["edges"][0]
    entry["populations"]["again"], entry["edge_types_file"] = {"type": "electrical"}, None
    (folder / sonata.CONFIG).write_text(json.dumps(config))
    if twice:
        with pytest.raises(ns.NeostriatumError, match="the same pair twice"):
            load_network(folder, drawn.circuit)
    else:
        same(load_network(folder, drawn.circuit), drawn)


# ---- the circuit and the commands ------------------------------------------------------------


REFUSED = {
    "turned": ({"FS-dSPN": KINDS["FS-D1"], "dSPN-FS": KINDS["FS-D1"]},
               "gap_junctions: two names mean the same pairs"),
    "alias": ({"FS-dSPN": KINDS["FS-D1"], "FSI-D1": KINDS["FS-D1"]},
              "gap_junctions: two names mean FS-dSPN"),
    "three ends": ({"FS-FS-FS": KINDS["FS-D1"]}, 'a name is "type-type"'),
    "no type": ({"FS-LTS": KINDS["FS-D1"]}, "gap_junctions.FS-LTS: unknown cell type"),
    "arrow": ({"FS->FS": KINDS["FS-D1"]}, "unknown cell type"),
    "in-degree": ({"FS-dSPN": KINDS["FS-D1"] | {"wiring": {"rule": "fixed_indegree", "n": 2}}},
                  "gap_junctions.FS-dSPN.wiring: rule must be one of"),
    "not measured": ({"FS-dSPN": KINDS["FS-D1"] | {"wiring": {
        "rule": "measured", "table": "taverna2008"}}}, "did not measure FS-dSPN"),
    "node": ({"FS-dSPN": KINDS["FS-D1"] | {"kind": "node"}},
             'gap_junctions.FS-dSPN: tau must be given for kind "node"'),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_circuits(name):
    kinds, text = REFUSED[name]
    with pytest.raises(CircuitError) as caught:
        circuit(**kinds)
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


def test_set_one_kind():
    drawn = circuit(**KINDS).replace({"gap_junctions.FSI-D1.conductance": "2 nS"})
    assert drawn.gap_junctions["FS-dSPN"].conductance.value == 2
    assert drawn.gap_junctions["FS-FS"].conductance.value == 5


def test_build_run_and_resume(tmp_path, capsys):
    file = tmp_path / "c.json"
    file.write_text(json.dumps(circuit(**KINDS).to_dict()))
    assert main(["build", str(file), "--size", "100", "--quiet", "--json", "--out",
                 str(tmp_path / "net")]) == 0
    built = json.loads(capsys.readouterr().out)
    assert built["gap_junctions"] == len(load_network(tmp_path / "net").gaps)
    assert {"gap_per_FS", "gap_per_dSPN"} <= set(built["centre"])
    options = {"engine": "reference", "figures": False, "network": tmp_path / "net"}
    run = ns.run(file, duration="10 ms", out=tmp_path / "run", **options)
    assert run.summary["gap_junctions"] == built["gap_junctions"]
    assert run.summary["network_hash"] == built["network_hash"]
    longer = ns.resume(tmp_path / "run", duration="20 ms")
    whole = ns.run(file, duration="20 ms", out=tmp_path / "whole", **options)
    assert longer.summary["spike_hash"] == whole.summary["spike_hash"]
    assert "FS \N{EN DASH} dSPN gap" in [row["name"] for row in tables.wiring(whole.circuit)]


def test_lines_of_a_built_network(drawn):
    """A person is told of every type that has gap junctions."""
    lines = _degree_lines(ns.anatomy(drawn, "1 mm")["centre"])
    assert any("gap junctions per FS" in line for line in lines)
    assert any(line.strip().endswith("gap junctions per dSPN") for line in lines)
