"""Networks of other tools: what changes the meaning of a number is understood or refused."""

import json
import warnings

import h5py
import numpy as np
import pytest
from foreign_sonata import COUNTS, ONE, configure, entry, network, put, table, take
from test_network_files import refused

import neostriatum as ns
from neostriatum.network.files import load_network

EDGES, GROUP = f"edges/{ONE}", f"edges/{ONE}/0"
AXES = [f"nodes/{name}/0/{axis}" for name in COUNTS for axis in "xyz"]


@pytest.fixture
def net(tmp_path):
    """The folder of a small network; its FS->dSPN synapses are the circuit's, 6 nS and 1 ms."""
    return network(tmp_path / "net")


def assert_plain(read, side=90):
    """The network as it was written, whatever its units."""
    assert read.counts == COUNTS
    assert read.side_um == pytest.approx(side)
    edges = read.edges["FS->dSPN"]
    assert edges.targets.tolist() == [0, 3, 1, 2]
    assert edges.delays.tolist() == [10] * 4
    assert edges.weights is None
    assert np.allclose(read.edges["iSPN->dSPN"].weights, 6 / 0.9)


def changed(net, **changes):
    """Change the config itself."""
    config = json.loads((net / "circuit_config.json").read_text())
    configure(net, config | changes)


def group(name):
    return f"{EDGES}/{name}"


# ---- read right -----------------------------------------------------------------------------


def test_as_it_stands(net):
    assert_plain(load_network(net, "striatum_v1"))


@pytest.mark.parametrize(("unit", "one"), [
    ("ms", 1.0), ("s", 1e-3), ("us", 1000.0), ("µs", 1000.0), ("milliseconds", 1.0),
    ("second", 1e-3), ("", 1.0), (b"s", 1e-3), (np.bytes_("s"), 1e-3),
    (np.array(["s"], object), 1e-3), (np.array([b"s"]), 1e-3), (" s ", 1e-3),
])
@pytest.mark.parametrize("key", ["units", "unit"])
def test_unit_of_a_delay(key, unit, one, net):
    put(net, group("0/delay"), np.full(2, one), **{key: unit})
    assert_plain(load_network(net, "striatum_v1"))


@pytest.mark.parametrize(("delay", "dt", "units"), [
    (1.04, "0.1 ms", 10), (1.05, "0.2 ms", 10), (1.1, "0.05 ms", 11), (1.04, "0.05 ms", None),
    (1.05, "0.05 ms", None), (0.125, "0.025 ms", None)])
def test_a_delay_that_a_finer_step_resolves_is_not_rounded(delay, dt, units, net):
    put(net, group("0/delay"), np.full(2, delay))
    circuit = ns.load("striatum_v1").replace({"dt": dt})
    if units is None:
        with pytest.raises(ns.NeostriatumError, match=r"delay must be a multiple of 0\.1 ms"):
            load_network(net, circuit)
    else:
        assert units in load_network(net, circuit).edges["FS->dSPN"].delays


@pytest.mark.parametrize(("unit", "one"), [
    ("nm", 1000.0), ("um", 1.0), ("µm", 1.0), ("micron", 1.0), ("mm", 1e-3), ("m", 1e-6),
])
def test_unit_of_positions(unit, one, net):
    for name in AXES:
        number = COUNTS[name.split("/")[1]]
        put(net, name, np.linspace(0, 90, number) * one, units=unit)
    assert_plain(load_network(net, "striatum_v1"))


def test_unit_of_one_axis(net):
    for name in COUNTS:
        put(net, f"nodes/{name}/0/x", np.linspace(0, 9e4, COUNTS[name]), units="nm")
    assert_plain(load_network(net, "striatum_v1"))


@pytest.mark.parametrize("units", [("nS", "uS"), ("uS", "nS"), ("uS", None), (None, "uS"),
                                   ("pS", "siemens"), ("mS", "microsiemens")])
def test_unit_of_each_group(units, net):
    size = {"nS": 6.0, None: 6.0, "uS": 6e-3, "microsiemens": 6e-3, "pS": 6e3, "mS": 6e-6,
            "siemens": 6e-9}
    for number, unit in enumerate(units):
        put(net, group(f"{number}/syn_weight"), np.full(2, size[unit]),
            **({} if unit is None else {"units": unit}))
    assert_plain(load_network(net, "striatum_v1"))


def test_weight_unit_is_for_what_says_none(net):
    put(net, group("0/syn_weight"), [6.0, 6.0], units="nS")
    put(net, group("1/syn_weight"), [6e-3, 6e-3])
    for number in range(2):
        put(net, f"edges/iSPN_to_dSPN/{number}/syn_weight", [6e-3, 6e-3])
    assert_plain(load_network(net, "striatum_v1", weight_unit="uS"))


def test_weight_unit_is_for_types(net):
    for name in (ONE, "iSPN_to_dSPN"):
        for number in range(2):
            take(net, f"edges/{name}/{number}/syn_weight")
    table(net, "edge_type_id syn_weight\n7 6e-3\n")
    assert_plain(load_network(net, "striatum_v1", weight_unit="uS"))


@pytest.mark.parametrize("kind", [">f8", "<f4", ">f4", ">i4", "u1", "i8"])
def test_kinds_of_numbers(kind, net):
    for number in range(2):
        put(net, group(f"{number}/syn_weight"), np.full(2, 6, kind))
        put(net, group(f"{number}/delay"), np.full(2, 1, kind))
    put(net, f"{EDGES}/target_node_id", np.array([0, 1, 2, 3], kind))
    put(net, f"{EDGES}/edge_group_index", np.array([0, 0, 1, 1], kind))
    put(net, "nodes/dSPN/node_id", np.arange(6).astype(kind))
    assert_plain(load_network(net, "striatum_v1"))


@pytest.mark.parametrize("text", [
    "edge_type_id nsyns\n7 2\n", "edge_type_id  nsyns\n7  2\n", "edge_type_id\tnsyns\n7\t2\n",
    "edge_type_id nsyns\r\n7 2\r\n", "\ufeffedge_type_id nsyns\n7 2\n", "edge_type_id nsyns \n7 2 ",
    'edge_type_id nsyns source_query\n7 2 "pop_name==\'a b\'"\n\n', "nsyns edge_type_id\n2 7.0\n",
    "edge_type_id nsyns weight_function weight_sigma\n7 2 wmax 50.0\n",
    "edge_type_id nsyns model_template dynamics_params\n7 2 nest:static_synapse ex.json\n",
    "edge_type_id nsyns model_template delay\n7 2 Exp2Syn NULL\n",
    "edge_type_id nsyns is_gap_junction\n7 2 False\n", "edge_type_id nsyns receptor\n7 2 GABA\n",
    "edge_type_id nsyns afferent_section_pos distance_range\n7 2 0.5 [0,50]\n",
    "edge_type_id nsyns population\n7 2 FS_to_dSPN\n7 2 iSPN_to_dSPN\n7 3 other\n",
])
def test_tables_of_types(text, net):
    table(net, text)
    for name in (ONE, "iSPN_to_dSPN"):
        for number in range(2):
            put(net, f"edges/{name}/{number}/syn_weight", [3.0, 3.0])
    assert_plain(load_network(net, "striatum_v1"))


def test_group_before_type(net):
    """A value of a group counts before that of its type, whatever the other groups have."""
    table(net, "edge_type_id delay syn_weight nsyns\n7 1.0 3.0 2\n")
    put(net, group("0/syn_weight"), [2.0, 2.0])
    put(net, group("0/nsyns"), [3, 3])
    for name in (group("1"), "edges/iSPN_to_dSPN/0", "edges/iSPN_to_dSPN/1"):
        take(net, f"{name}/syn_weight")
        take(net, f"{name}/delay")
    assert_plain(load_network(net, "striatum_v1"))


def test_enabled(net):
    config = json.loads((net / "circuit_config.json").read_text())
    config["networks"]["edges"].append({"edges_file": "missing.h5", "enabled": False})
    config["networks"]["edges"][0]["enabled"] = True
    configure(net, config)
    assert_plain(load_network(net, "striatum_v1"))
    entry(net, "edges", enabled=False)
    assert load_network(net, "striatum_v1").synapses == 0
    entry(net, "nodes", enabled=False)
    refused(net, "has no nodes", circuit="striatum_v1")


def add_virtual(net):
    with h5py.File(net / "nodes.h5", "r+") as file:
        file.create_group("nodes/lgn/0")
        for key in ("node_type_id", "node_group_id", "node_group_index"):
            file[f"nodes/lgn/{key}"] = [0]
    with h5py.File(net / "edges.h5", "r+") as file:
        file.copy(EDGES, "edges/lgn_to_dSPN")
        file["edges/lgn_to_dSPN/source_node_id"].attrs["node_population"] = "lgn"
        file["edges/lgn_to_dSPN/0/weight_max"] = [1.0, 1.0]


@pytest.mark.parametrize("where", ["config", "table"])
def test_virtual(where, net):
    """Virtual nodes and their edges are left out, and that is said."""
    add_virtual(net)
    refused(net, "must name one of dSPN, iSPN, FS (got lgn)", circuit="striatum_v1", code=2)
    if where == "config":
        entry(net, "nodes", populations={**{name: {} for name in COUNTS},
                                         "lgn": {"type": "virtual"}})
    else:
        rows = [f"{n} {name} biophysical" for n, name in enumerate(COUNTS)]
        table(net, "\n".join(["node_type_id population model_type", *rows, "0 lgn virtual"]),
              kind="node")
    with pytest.warns(UserWarning, match="virtual nodes and their edges are not read.*: lgn"):
        assert_plain(load_network(net, "striatum_v1"))


def test_config_that_names_the_network(net):
    """The configs that one hands to a simulator name the network in another file."""
    (net / "sub").mkdir()
    configure(net, {"manifest": {"$BASE": "${configdir}/.."},
                    "network": "$BASE/circuit_config.json", "run": {"tstop": 10, "dt": 0.1},
                    "target_simulator": "NEST", "conditions": {}, "inputs": {}, "output": {}},
              "sub/simulation_config.json")
    configure(net, {"network": "sub/simulation_config.json", "simulation": "s.json"}, "config.json")
    for name in ("sub/simulation_config.json", "config.json"):
        assert_plain(load_network(net / name, "striatum_v1"))
    configure(net, {"network": "config.json"}, "config.json")
    refused(net / "config.json", "must name a config with networks", circuit="striatum_v1")


def test_run_that_was_exported(tmp_path):
    """The config of a run that we exported leads to its network."""
    run = ns.run("striatum_v1", size=20, duration="5 ms", engine="reference", figures=False,
                 changes={"warmup": "0 ms"}, out=tmp_path / "run")
    ns.export(run, "sonata", tmp_path / "out")
    read = load_network(tmp_path / "out" / "simulation_config.json")
    assert read.hash() == run.summary["network_hash"]


def test_harmless_sections(net):
    changed(net, version=1, metadata={"a": 1}, components={"synaptic_models_dir": "x"},
            target_simulator="NEURON", node_sets_file="n.json")
    entry(net, "nodes", node_types_file=None, populations={
        name: {"type": "biophysical", "morphologies_dir": "m"} for name in COUNTS})
    entry(net, "edges", edge_types_file="", populations={
        ONE: {"type": "chemical"}, "iSPN_to_dSPN": {}})
    assert_plain(load_network(net, "striatum_v1"))


def test_spread_of_the_file(net):
    circuit = ns.load("striatum_v1",
                      changes={"spread": {"FS": {"C": "1 pF"}, "dSPN": {"C": "1 pF"}}})
    put(net, "nodes/FS/0/spread_C", [1e-3, -2e-3, 0.0], units="nF")
    read = load_network(net, circuit)
    assert read.spread["FS"]["C"].tolist() == [1.0, -2.0, 0.0]
    assert np.array_equal(read.spread["dSPN"]["C"],
                          load_network(net, circuit, seed=1).spread["dSPN"]["C"])
    refused(net, "the circuit must have spread.FS.C", code=2, circuit="striatum_v1")
    put(net, "nodes/FS/0/spread_C", [1.0, np.nan, 0.0])
    refused(net, "spread_C must be a number for every FS", circuit=circuit)


def electrical(net, **columns):
    """Make the FS of the first pathway's edges gap junctions between FS."""
    put(net, f"{EDGES}/target_node_id", [1, 2, 0, 2], node_population="FS")
    for number in range(2):
        take(net, group(f"{number}/delay"))
        take(net, group(f"{number}/syn_weight"))
        for key, values in columns.items():
            put(net, group(f"{number}/{key}"), values)
    entry(net, "edges", populations={ONE: {"type": "electrical"}, "iSPN_to_dSPN": {}})


def test_electrical_by_the_config(net):
    electrical(net)
    put(net, f"{EDGES}/target_node_id", [1, 2, 1, 2])  # 1-2 from both sides
    read = load_network(net, "striatum_v1")
    assert read.gaps.tolist() == [[0, 1], [0, 2], [1, 2]]
    assert read.synapses == 4
    put(net, f"{EDGES}/target_node_id", [1, 2, 0, 1])
    refused(net, "the same pair twice", circuit="striatum_v1")


# ---- refused by name ------------------------------------------------------------------------


def gap_column(net):
    electrical(net, is_gap_junction=[False, True])


REFUSED = {
    # sections and entries of the config
    "entry key": (lambda f: entry(f, "edges", weight_scale=2), "unknown key weight_scale"),
    "node key": (lambda f: entry(f, "nodes", scale=2), "networks.nodes[0]: unknown key scale"),
    "enabled text": (lambda f: entry(f, "edges", enabled="false"), "enabled must be true or false"),
    "enabled twice": (lambda f: (f / "circuit_config.json").write_text(
        '{"networks": {"edges": [{"edges_file": "e", "enabled": false, "enabled": true}]}}'),
        "the key enabled stands there twice"),
    "section": (lambda f: changed(f, connection_overrides=[]), "unknown key connection_overrides"),
    "node set": (lambda f: changed(f, node_set="Mosaic"), "unknown key node_set"),
    "old spelling": (lambda f: changed(f, networks={"node_files": []}),
                     "networks: unknown key node_files. Known: nodes, edges"),
    "BMTK junctions": (lambda f: changed(f, networks={"nodes": [], "gap_juncs": []}),
                       "networks: unknown key gap_juncs"),
    "old entry": (lambda f: entry(f, "nodes", nodes="nodes.h5"), "unknown key nodes. Known: "),
    "no file": (lambda f: entry(f, "nodes", nodes_file=None), "nodes[0] has no nodes_file"),
    "two networks": (lambda f: changed(f, network="x.json"), "must be the name of a config"),
    "network missing": (lambda f: configure(f, {"network": "x.json"}), "x.json: no such file"),
    "list": (lambda f: changed(f, networks=[]), "networks must be a table of keys"),
    "population type": (lambda f: entry(f, "nodes", populations={
        name: {"type": "astrocyte"} for name in COUNTS}), "must be one of point_neuron"),
    "edge type": (lambda f: entry(f, "edges", populations={ONE: {"type": "endfoot"}}),
                  "type must be one of chemical, electrical (got endfoot)"),
    "population key": (lambda f: entry(f, "edges", populations={ONE: {"weight": 2}}),
                       "unknown key (got weight)"),
    "population unlisted": (lambda f: entry(f, "nodes", populations={"dSPN": {}, "FS": {}}),
                            "must list all of nodes.h5 (got no iSPN)"),
    "population absent": (lambda f: entry(f, "edges", populations={
        "a": {}, ONE: {}, "iSPN_to_dSPN": {}}), "edges.h5 has no a"),
    "populations list": (lambda f: entry(f, "edges", populations=["a"]), "must be a table of keys"),
    "junction and chemical": (gap_column, "must not contradict the config (electrical)"),
    # units
    "delay in nS": (lambda f: put(f, group("0/delay"), [1.0, 1.0], units="nS"),
                    f"/{GROUP}/delay: units must have the dimension of ms (got nS)"),
    "delay unknown": (lambda f: put(f, group("0/delay"), [1.0, 1.0], units="ticks"),
                      'and "ticks" is not a unit (got ticks)'),
    "delay in steps": (lambda f: put(f, group("1/delay"), [1.0, 1.0], units="1"), "(got 1)"),
    "delay in us": (lambda f: put(f, group("1/delay"), [10.0, 10.0], units="us"), "(got 0.01 ms)"),
    "two units": (lambda f: put(f, group("0/delay"), [1.0, 1.0], units="s", unit="ms"),
                  "units must be one (got ms and s)"),
    "unit a number": (lambda f: put(f, group("0/delay"), [1.0, 1.0], units=1),
                      "the attribute units must be one text (got 1)"),
    "unit two texts": (lambda f: put(f, group("0/delay"), [1.0, 1.0],
                                     units=np.array(["ms", "s"], object)), "must be one text"),
    "weight in pA": (lambda f: put(f, group("0/syn_weight"), [6.0, 6.0], units="pA"),
                     "must have the dimension of nS (got pA)"),
    "weight of second group": (lambda f: put(f, group("1/syn_weight"), [6.0, 6.0], units="mV"),
                               "1/syn_weight: units must have the dimension of nS (got mV)"),
    "position in ms": (lambda f: put(f, "nodes/FS/0/z", np.arange(3.0), units="ms"),
                       "/nodes/FS/0/z: units must have the dimension of um"),
    "factor with unit": (lambda f: put(f, group("0/nsyns"), [1, 1], units="nS"), "have no unit"),
    "positions too close": (lambda f: [put(f, name, np.linspace(0, 9e-5, COUNTS[name[6:].split("/")[
        0]])) for name in AXES], "positions must extend over 1 to 1e+06 um (got 9e-05 um)"),
    "positions too wide": (lambda f: put(f, AXES[0], np.linspace(0, 2e6, 6)), "(got 2e+06 um)"),
    "positions one point": (lambda f: [put(f, name, np.zeros(COUNTS[name[6:].split("/")[0]]))
                                       for name in AXES], "(got 0 um)"),
    # columns
    "unknown column": (lambda f: put(f, group("0/weight_max"), [1.0, 1.0]),
                       "column weight_max is not understood"),
    "conductance": (lambda f: put(f, group("1/conductance"), [1.0, 1.0]), "column conductance is"),
    "unknown receptor": (lambda f: put(f, group("1/syn_weight_XYZ"), [1.0, 1.0]),
                         "column syn_weight_XYZ is not"),
    "other receptor": (lambda f: put(f, group("1/syn_weight_AMPA"), [1.0, 1.0]),
                       "syn_weight_AMPA must follow from syn_weight"),
    "same receptor": (lambda f: put(f, group("1/syn_weight_GABA"), [6.0, 5.0]),
                      "syn_weight_GABA must follow from syn_weight"),
    "factor": (lambda f: put(f, group("0/weight_factor"), [2.0, 2.0]), "weight_factor must follow"),
    "dynamics": (lambda f: put(f, group("0/dynamics_params/tau"), [2.0, 2.0]),
                 "column dynamics_params/tau is not understood"),
    "plasticity": (lambda f: put(f, group("0/u_syn"), [0.5, 0.5]), "column u_syn is not"),
    "function": (lambda f: table(f, "edge_type_id weight_function\n7 gaussianLL\n"),
                 "weight_function must be wmax, or none (got gaussianLL)"),
    "function of a group": (lambda f: put(f, group("1/weight_function"), ["wmax", "mine"]),
                            "weight_function must be wmax, or none (got mine)"),
    "template": (lambda f: table(f, "edge_type_id model_template\n7 nest:stdp_synapse\n"),
                 "must be static_synapse, or none (got nest:stdp_synapse)"),
    "receptor": (lambda f: table(f, "edge_type_id receptor\n7 AMPA\n"), "GABA, or none (got AMPA)"),
    "receptor type": (lambda f: table(f, "edge_type_id receptor_type\n7 2\n"), "receptor_type is"),
    "model type": (lambda f: put(f, "nodes/FS/0/model_type", ["astrocyte"] * 3),
                   "model_type must be one of point_neuron"),
    "half virtual": (lambda f: put(f, "nodes/FS/0/model_type", ["virtual", "", ""]),
                     "must be virtual for all nodes or for none"),
    "half a synapse": (lambda f: put(f, group("0/nsyns"), [1.5, 2]), "nsyns must be whole numbers"),
    "fewer than none": (lambda f: put(f, group("0/nsyns"), [-1, 2]), "(got -1)"),
    "delay nan": (lambda f: put(f, group("1/delay"), [np.nan, 1.0]), "must have a delay"),
    "weight nan": (lambda f: put(f, group("1/syn_weight"), [np.nan, 1.0]), "have a syn_weight"),
    "two rows": (lambda f: put(f, group("1/delay"), [[1.0], [1.0]]), "must be numbers (got float"),
    "complex": (lambda f: put(f, group("1/delay"), [1j, 1j]), "must be numbers (got complex128"),
    "enumeration": (lambda f: put(f, group("0/@library/delay"), ["a", "b"]),
                    "delay must be numbers (got names)"),
    "group missing": (lambda f: put(f, f"{EDGES}/edge_group_id", [0, 1, 0, 9]), "has no group 9"),
    "positions in a group": (lambda f: (take(f, "nodes/FS/0/x"),
                                        put(f, "nodes/FS/0/positions/x", np.arange(3.0))),
                             "must have x, y and z"),
    "ids too large": (lambda f: put(f, "nodes/FS/node_id", np.array([0, 1, 2**63 + 1], np.uint64)),
                      "must be different whole numbers from 0 on"),
    "ids nan": (lambda f: put(f, "nodes/FS/node_id", [0, 1, np.nan]), "whole numbers (got nan)"),
    # tables of types
    "comma": (lambda f: table(f, "edge_type_id,nsyns\n7,2\n"), "separated by blanks (got edge"),
    "semicolon": (lambda f: table(f, "edge_type_id;nsyns\n7;2\n"), "separated by blanks"),
    "longer row": (lambda f: table(f, "edge_type_id nsyns\n1 7 2\n"),
                   "types.csv line 2 must have 2 fields as the header has (got 3)"),
    "shorter row": (lambda f: table(f, "edge_type_id nsyns delay\n7 2\n"), "(got 2)"),
    "comment": (lambda f: table(f, "edge_type_id nsyns\n# two\n7 2\n"), "must be whole numbers"),
    "header twice": (lambda f: table(f, "edge_type_id nsyns nsyns\n7 2 3\n"), "each column once"),
    "decimal comma": (lambda f: table(f, "edge_type_id nsyns\n7 2,5\n"),
                      "types.csv: nsyns must be numbers with a point (got 2,5)"),
    "thousands": (lambda f: table(f, 'edge_type_id nsyns\n7 "1,000"\n'), "(got 1,000)"),
    "yes": (lambda f: table(f, "edge_type_id is_gap_junction\n7 yes\n"), "true or false (got yes)"),
    "type missing": (lambda f: table(f, "edge_type_id nsyns\n8 2\n"), "no row of edge_type_id 7"),
    "empty table": (lambda f: table(f, ""), "has no column edge_type_id"),
    "latin": (lambda f: table(f, "edge_type_id nsyns\n7 é\n".encode("latin-1")), "must be UTF-8"),
    "utf-16": (lambda f: table(f, "edge_type_id nsyns\n7 2\n".encode("utf-16")), "must be UTF-8"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name, net):
    spoil, what = REFUSED[name]
    spoil(net)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        refused(net, what, circuit="striatum_v1")


def test_one_file_named_twice(net):
    config = json.loads((net / "circuit_config.json").read_text())
    config["networks"]["edges"].append(config["networks"]["edges"][0])
    configure(net, config)
    with pytest.raises(ns.NeostriatumError, match="edges_file must be named once"):
        load_network(net, "striatum_v1")
