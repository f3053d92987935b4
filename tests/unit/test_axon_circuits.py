"""Axons in circuits, networks, files and runs."""

import json

import numpy as np
import pytest

import neostriatum as ns
from neostriatum.cli import main
from neostriatum.engines.lowered import lower
from neostriatum.errors import BuildError, CircuitError, EngineUnsupported, RunFileError
from neostriatum.network.groups import groups_of, shared_channels

STP = {"U": 0.1, "tau_rec": "1900 ms", "tau_fac": "36 ms", "start": "stationary"}
HOME = {"share": 0.6, "groups": 2}


def wiring(n=40, **keys):
    """Return a wiring rule for axons."""
    return {"rule": "fixed_indegree", "n": n, **keys}


def circuit(rules=None, cells=None, **axons):
    """Return the first preset with axons: wiring rules by target, channels of cells, keys."""
    raw = ns.load("striatum_v1").to_dict()
    raw["axons"] = {"cortex": {"size": 400, "rate": "5 Hz", "groups": 8, **axons}}
    raw["warmup"] = "5 ms"
    for target, rule in (rules or {"dSPN": wiring(home=HOME), "FS": wiring(20)}).items():
        raw["pathways"][f"cortex->{target}"] = {
            "conductance": {"AMPA": "6 nS", "NMDA": "0.2 nS"}, "delay": "1 ms", "wiring": rule,
            "stp": STP}
    raw["channels"], raw["inputs"] = cells or {}, {}
    return ns.load(raw)


def rows(network, name):
    """Return source and target of every synapse of a pathway of axons."""
    edges = network.afferents[name]
    return np.repeat(np.arange(len(edges.offsets) - 1), np.diff(edges.offsets)), edges.targets


def test_a_circuit_is_read_back_and_says_nothing_of_axons_without_any():
    """What `to_dict` gives loads to an equal circuit; circuits of before have no new keys."""
    made = circuit(slow={"sd": 0.8, "tau": "100 ms"}, packets=0.1)
    assert ns.load(made.to_dict()) == made
    old = ns.load("striatum_v1").to_dict()
    assert "axons" not in old
    assert "start" not in next(one["stp"] for one in old["pathways"].values() if "stp" in one)


def test_every_target_has_its_axons_once():
    """In-degrees are exact, sources distinct, rows sorted; cells are counted as before."""
    network = ns.build(circuit(), size=300, seed=3)
    for name, n in (("cortex->dSPN", 40), ("cortex->FS", 20)):
        sources, targets = rows(network, name)
        assert (np.bincount(targets) == n).all()
        keys = sources * 300 + targets
        assert (np.diff(keys) > 0).all()
    plain = ns.build("striatum_v1", size=300, seed=3)
    assert network.synapses == plain.synapses
    assert network.populations == plain.populations
    assert all(np.array_equal(edges.targets, plain.edges[name].targets)
               for name, edges in network.edges.items())
    assert network.hash() != plain.hash()


def test_home_groups_give_their_share():
    """Of 40 axons 24 are from two groups, 12 of each, and the rest from any group."""
    network = ns.build(circuit(), size=300, seed=3)
    sources, targets = rows(network, "cortex->dSPN")
    counts = np.zeros((network.counts["dSPN"], 8), int)
    np.add.at(counts, (targets, sources // 50), 1)
    two = np.sort(counts, axis=1)[:, -2:]
    assert (two >= 12).all()
    # 16 others over 8 groups, so that the two homes have 4 of them on average.
    assert abs(two.sum(axis=1).mean() - 28) < 1.0
    homes = np.argsort(counts, axis=1)[:, -2:]
    assert (np.bincount(homes.ravel(), minlength=8) > 15).all()


def test_homes_by_position_are_shared_by_neighbours():
    """Cells that lie near each other have axons in common more often than others do."""
    rules = {"dSPN": wiring(20, home={"share": 1.0, "groups": 1, "by": "position"})}
    network = ns.build(circuit(rules, size=2000, groups=40), size=2000, seed=1)
    sources, targets = rows(network, "cortex->dSPN")
    home = np.zeros(network.counts["dSPN"], int)
    home[targets] = sources // 50
    at = network.positions[list(network.populations["dSPN"])].astype(float)
    away = at[:, None] - at
    away -= network.side_um * np.rint(away / network.side_um)
    distance = np.sqrt((away**2).sum(axis=-1)) + 1e9 * np.eye(len(at))
    same = home[:, None] == home
    assert same[distance < 25].mean() > 0.5
    assert same[(distance > 120) & (distance < 1e6)].mean() < 0.05


def test_same_channel():
    """Cells of a channel hear its axons alone; those of none hear all."""
    cells = {"left": {"of": ["dSPN"], "share": 0.4}, "right": {"of": ["SP1"], "share": 0.3}}
    made = circuit({"dSPN": wiring(30, same_channel=True)}, cells,
                   channels={"left": 0.25, "right": 0.75}, groups=8)
    network = ns.build(made, size=600, seed=2)
    sources, targets = rows(network, "cortex->dSPN")
    channel = shared_channels(made, "dSPN", network.counts["dSPN"], 2)
    assert abs((channel == 0).mean() - 0.4) < 0.1
    assert abs((channel == 1).mean() - 0.3) < 0.1
    assert (sources[channel[targets] == 0] < 100).all()
    assert (sources[channel[targets] == 1] >= 100).all()
    free = sources[channel[targets] == -1]
    assert 0.2 < (free < 100).mean() < 0.3


def test_sizes_follow_targets_and_volume():
    """Axons per target, axons and groups per volume."""
    rules = {"dSPN": wiring(5), "FS": wiring(5)}
    few = ns.build(circuit(rules, size=None, per_target=2), size=300)
    assert few.axons["cortex"] == 2 * (few.counts["dSPN"] + few.counts["FS"])
    made = circuit(rules, size=None, density="100000 / mm^3", groups=None, groups_per_mm3=2000)
    network = ns.build(made, size=300)
    assert network.axons["cortex"] == round(1e5 * network.volume_mm3)
    groups = groups_of("cortex", made.axons["cortex"], 1000, network.volume_mm3)
    assert len(groups) == round(2000 * network.volume_mm3)


def test_networks_are_the_same_at_any_number_of_threads():
    """One hash for 1, 2 and 3 threads."""
    made = circuit()
    assert len({ns.build(made, size=300, seed=1, threads=n).hash() for n in (1, 2, 3)}) == 1


def test_network_files_hold_axons(tmp_path):
    """A saved network comes back with its hash, and refuses a circuit with other axons."""
    made = circuit()
    network = ns.build(made, size=200, seed=1)
    network.save(tmp_path / "net.h5")
    again = ns.load_network(tmp_path / "net.h5")
    assert again.hash() == network.hash()
    assert again.axons == {"cortex": 400}
    assert again.circuit == made
    other = made.replace({"axons.cortex.size": 500})
    with pytest.raises(BuildError, match=r"axons\.cortex\.size: must stay as the network was"):
        ns.load_network(tmp_path / "net.h5", other)
    assert ns.load_network(tmp_path / "net.h5", made.replace({"axons.cortex.rate": "9 Hz"}))


@pytest.mark.parametrize(("keys", "rule", "text"), [
    ({"size": None, "per_target": 0.1}, wiring(40), "pathways.cortex->dSPN.wiring.n: must be at "
     "most the sources of every target (got 40, one has 20)"),
    ({"size": None, "per_target": 0.1, "groups": 30}, wiring(5), "axons.cortex.groups: must be at "
     "most the axons (got 30 of 20)"),
    ({"groups_per_mm3": 1e6, "groups": None}, wiring(5), "axons.cortex.groups_per_mm3: must be"),
    ({}, wiring(200, home={"share": 1.0, "groups": 2}), "pathways.cortex->dSPN.wiring.home.share: "
     "must take at most the axons of a group (got 100 of 50)"),
])
def test_what_only_the_size_decides_is_refused(keys, rule, text):
    """One line says what does not fit; nothing is drawn."""
    axons = {"size": 400, **keys}
    made = circuit({"dSPN": rule}, **axons)
    with pytest.raises(BuildError) as refusal:
        ns.build(made, size=400)
    assert text in str(refusal.value)


def test_groups_of_channels_follow_each_other():
    """Groups are shared out by their channels' shares, alike to one axon."""
    made = circuit(cells={"a": {"of": ["dSPN"], "share": 0.5},
                          "b": {"of": ["dSPN"], "share": 0.5}})
    axons = made.replace({"axons.cortex.channels": {"a": 0.25, "b": 0.75}}).axons["cortex"]
    groups = groups_of("cortex", axons, 402, 1.0)
    assert groups.channel.tolist() == [0, 0, 1, 1, 1, 1, 1, 1]
    assert set(np.diff(groups.starts)) == {50, 51}
    assert groups.of_channel("b") == (2, 8)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A short run with axons."""
    return ns.run(circuit(), size=100, duration="60 ms", figures=False, threads=2,
                  out=tmp_path_factory.mktemp("runs") / "whole")


def test_a_run_counts_the_spikes_of_axons(finished, tmp_path):
    """The summary has them by population, as `reference` has; they are no spikes of cells."""
    count = finished.summary["axons"]["cortex"]
    assert abs(count - 400 * 5 * 0.06) < 5 * np.sqrt(120)
    assert sum(len(ids) for ids in [finished.summary["rates_hz"]]) == 3
    again = ns.run(circuit(), size=100, duration="60 ms", figures=False, engine="reference",
                   out=tmp_path / "again")
    assert again.summary["axons"] == finished.summary["axons"]
    assert again.summary["spike_hash"] == finished.summary["spike_hash"]
    plain = ns.run("striatum_v1", size=50, duration="5 ms", figures=False, out=tmp_path / "plain")
    assert plain.summary["axons"] == {}


def test_a_run_goes_on_exactly(finished, tmp_path):
    """A run that is extended within a block of its trains has the spikes of one that was not."""
    ns.run(circuit(), size=100, duration="25.7 ms", figures=False, out=tmp_path / "half")
    whole = ns.resume(tmp_path / "half", duration="60 ms", threads=1)
    for key in ("spike_hash", "axons", "spikes"):
        assert whole.summary[key] == finished.summary[key]
    assert whole.summary["spikes"] > 0


def test_recorded_trains(tmp_path):
    """A file gives every axon its spikes; those of an axon that does not exist are refused."""
    table = "time_ms,id\n1.0,3\n1.0,3\n2.5,0\n2.5,9\n"
    (tmp_path / "trains.csv").write_text(table, encoding="utf-8")
    raw = circuit({"dSPN": {**wiring(4)}}).to_dict()
    raw["axons"]["cortex"] = {"size": 10, "recorded": {"file": "trains.csv"}}
    raw["pathways"]["cortex->dSPN"]["stp"] = {"U": 0.3, "tau_rec": "5 ms", "tau_fac": "0 ms"}
    made = ns.load(raw, folder=tmp_path)
    hashes = set()
    for name in ("reference", "numba"):
        run = ns.run(made, size=60, duration="6 ms", figures=False, engine=name,
                     out=tmp_path / name)
        # An axon has one spike in a step at most.
        assert run.summary["axons"] == {"cortex": 3}
        hashes.add(run.summary["spike_hash"])
    assert len(hashes) == 1
    raw["axons"]["cortex"]["size"] = 8
    with pytest.raises(BuildError, match=r"ids must be below the 8 axons \(got 9\)"):
        ns.run(ns.load(raw, folder=tmp_path), size=60, duration="6 ms", out=tmp_path / "bad")
    assert not (tmp_path / "bad").exists()


#: A file of trains, and what the refusal says of it.
BAD_TRAINS = {
    "empty": (b"", "needs the columns time_ms and id, separated by commas"),
    "no rows": (b"time_ms,id\n", "holds no spikes"),
    "another header": (b"t,id\n1,2\n", "needs the columns time_ms and id"),
    "semicolons": (b"time_ms;id\n1;2\n", "separated by commas (got time_ms;id)"),
    "before 0": (b"time_ms,id\n-1,2\n", "times must be finite, from 0 to 1e+10 ms (got -1)"),
    "no time": (b"time_ms,id\nnan,2\n", "times must be finite, from 0 to 1e+10 ms (got nan)"),
    "endless": (b"time_ms,id\ninf,2\n", "times must be finite, from 0 to 1e+10 ms (got inf)"),
    "a time of text": (b"time_ms,id\nsoon,2\n", "time_ms must be numbers (got soon)"),
    "an axon of text": (b"time_ms,id\n1,2\n1,a\n", "id must be numbers (got a)"),
    "part of an axon": (b"time_ms,id\n1,2.5\n", "ids must be whole numbers (got 2.5)"),
    "an axon below 0": (b"time_ms,id\n1,-2\n", "ids must be from 0 to 2^31 (got -2 to -2)"),
    "an axon that does not exist": (b"time_ms,id\n1,400\n",
                                    "ids must be below the 400 axons (got 400)"),
    "ragged": (b"time_ms,id\n1,2,3\n", "line 2 must have 2 fields as the header has (got 3)"),
    "no text": (b"time_ms,id\n\xff\xfe,1\n", "trains.csv: is not UTF-8 text"),
}
#: Keys of the axons, and what the refusal says.
BAD_KEYS = {
    "a rate of text": ({"rate": "five"}, "rate.constant: must be a number with its unit"),
    "a rate without a unit": ({"rate": 5}, 'rate.constant: must carry its unit, "5 Hz" (got 5)'),
    "a rate of something else": ({"rate": "5 mV"}, "must have the dimension of Hz (got 5 mV)"),
    "rates": ({"rate": ["5 Hz"]}, "rate.constant: must be a number with its unit"),
    "a size of a part": ({"size": 10.5}, "axons.cortex.size: must be a whole number (got 10.5)"),
    "a size of text": ({"size": "100"}, "axons.cortex.size: must be a whole number (got 100)"),
    "a huge size": ({"size": 10**12}, "axons.cortex.size: must be <= 100000000"),
    "a typo": ({"size_": 8}, "axons.cortex.size_: unknown key. Nearest: size"),
    "packets below 0": ({"packets": -0.1}, "axons.cortex.packets: must be >= 0 (got -0.1)"),
    "a slow number": ({"slow": 0.5}, "axons.cortex.slow: must be a table (got 0.5)"),
    "slow without tau": ({"slow": {"sd": 0.5}}, "axons.cortex.slow.tau: is missing"),
    "slow at once": ({"slow": {"sd": 0.5, "tau": "0 ms"}}, "axons.cortex.slow.tau: must be > 0"),
    "trains of text": ({"rate": None, "recorded": "trains.csv"},
                       "axons.cortex.recorded: must be a table (got trains.csv)"),
    "trains in a list": ({"rate": None, "recorded": ["trains.csv"]},
                         "axons.cortex.recorded: must be a table"),
    "trains from elsewhere": ({"rate": None, "recorded": {"file": "../trains.csv"}},
                              "recorded: file must lie in the circuit's folder"),
    "trains of another kind": ({"rate": None, "recorded": {"file": "bad.json"}},
                               "recorded: file must end in .h5, .hdf5 or .csv"),
    "trains that are none": ({"rate": None, "recorded": {"file": "no.csv"}},
                             "recorded: no such file (got no.csv)"),
    "trains in a folder": ({"rate": None, "recorded": {"file": "runs.csv"}},
                           "recorded: no such file (got runs.csv)"),
}


def refused(keys, folder, capsys):
    """Return the line that answers a circuit with such axons; nothing is left."""
    raw = circuit().to_dict()
    raw["axons"]["cortex"] = {key: value for key, value in (
        {"size": 400, "rate": "5 Hz"} | keys).items() if value is not None}
    for name in ("cortex->dSPN", "cortex->FS"):
        raw["pathways"][name] |= {"wiring": wiring(20), "stp": STP | {"start": "rested"}}
    (folder / "bad.json").write_text(json.dumps(raw), encoding="utf-8")
    before = sorted(folder.iterdir())
    assert main(["run", str(folder / "bad.json"), "--size", "60", "--duration", "5 ms", "--quiet",
                 "--out", str(folder / "run")]) == 2
    assert sorted(folder.iterdir()) == before
    out, error = capsys.readouterr()
    assert (out, error.count("\n")) == ("", 1)
    return error


@pytest.mark.parametrize("what", BAD_TRAINS)
def test_bad_trains_are_refused_in_one_line(what, tmp_path, capsys):
    """Where, and what there is instead."""
    data, rule = BAD_TRAINS[what]
    (tmp_path / "trains.csv").write_bytes(data)
    error = refused({"rate": None, "recorded": {"file": "trains.csv"}}, tmp_path, capsys)
    assert "axons.cortex.recorded: " in error
    assert rule in error


@pytest.mark.parametrize("what", BAD_KEYS)
def test_bad_keys_are_refused_in_one_line(what, tmp_path, capsys):
    """The key, and what it must be."""
    keys, rule = BAD_KEYS[what]
    (tmp_path / "runs.csv").mkdir()
    assert rule in refused(keys, tmp_path, capsys)


def test_the_command_line_has_them(tmp_path, capsys):
    """``run --json`` has the key; a rate is changed by its path."""
    path = tmp_path / "circuit.json"
    path.write_text(json.dumps(circuit().to_dict()), encoding="utf-8")
    assert main(["run", str(path), "--size", "60", "--duration", "10 ms", "--json", "--set",
                 "axons.cortex.rate=100 Hz", "--out", str(tmp_path / "run")]) == 0
    assert json.loads(capsys.readouterr().out)["axons"]["cortex"] > 300


def test_what_cannot_have_axons_says_so():
    """Brian2's objects, which play no trains, refuse them by name."""
    made = circuit()
    network = ns.build(made, size=60)
    with pytest.raises(EngineUnsupported, match=r"axons\.cortex"):
        ns.to_brian2(made, network)


def test_cells_alone_have_no_axons():
    """One cell and a pair of a circuit with axons are simulated as without."""
    made = circuit()
    assert ns.cell("dSPN", circuit=made, current="300 pA", duration="50 ms") is not None
    assert ns.pair("FS", "dSPN", circuit=made).psp_mv is not None


def test_a_spike_of_an_axon_onto_one_cell():
    """`pair` shows what an axon does to a cell; groups of axons have no cells to show."""
    made = circuit().replace({"pathways.cortex->dSPN.conductance.AMPA": "0.5 nS"})
    assert 0.1 < ns.pair("cortex", "dSPN", circuit=made).psp_mv < 5
    with pytest.raises(CircuitError, match="source: must be a cell type with --n above 1"):
        ns.pair("cortex", "dSPN", circuit=made, n=10)


def test_sonata_has_axons_as_virtual_nodes(tmp_path):
    """A network comes back from SONATA with its hash, and from another tool's with a circuit."""
    raw = circuit().to_dict()
    raw["pathways"]["cortex->FS"]["weight_cv"] = 0.3
    made = ns.load(raw)
    network = ns.build(made, size=80, seed=1)
    ns.export(network, to="sonata", out=tmp_path / "net")
    assert ns.load_network(tmp_path / "net").hash() == network.hash()
    config = json.loads((tmp_path / "net" / "circuit_config.json").read_text("utf-8"))
    assert config["networks"]["nodes"][0]["populations"]["cortex"] == {"type": "virtual"}
    (tmp_path / "net" / "neostriatum_network.json").unlink()
    again = ns.load_network(tmp_path / "net", made)
    assert again.axons == {"cortex": 400}
    for name, edges in network.afferents.items():
        assert np.array_equal(again.afferents[name].targets, edges.targets)
    other = ns.load({**raw, "axons": {**raw["axons"], "thalamus": raw["axons"]["cortex"]}})
    with pytest.raises(RunFileError, match="must have the virtual nodes thalamus"):
        ns.load_network(tmp_path / "net", other)


def test_pooled_axons_may_say_that_they_have_no_packets():
    """``packets = 0`` is what they have: ``identity`` alone is turned."""
    assert not circuit(identity=False, packets=0.0).axons["cortex"].packets.value
    with pytest.raises(CircuitError, match="packets needs identity = true"):
        circuit(identity=False, packets=0.1)


def test_sonata_has_no_place_for_pooled_axons(tmp_path):
    """They are refused, and nothing is left."""
    network = ns.build(circuit(identity=False), size=60, seed=1)
    with pytest.raises(BuildError, match=r"axons\.cortex\.identity: must be true for SONATA"):
        ns.export(network, to="sonata", out=tmp_path / "net")
    assert not (tmp_path / "net").exists()


def test_inputs_reach_a_channel_with_a_share():
    """An input's channel holds the cells that the axons of that channel end on."""
    cells = {"left": {"of": ["dSPN"], "share": 0.3}, "right": {"of": ["dSPN"], "share": 0.7}}
    made = circuit({"dSPN": wiring(30, same_channel=True)}, cells,
                   channels={"left": 0.25, "right": 0.75}, groups=8)
    raw = made.to_dict()
    raw["inputs"] = {"electrode": {"targets": {"dSPN": {"current": "50 pA", "channel": "left"}}}}
    network = ns.build(ns.load(raw), size=400, seed=5)
    # Another seed of the run changes nothing of the network.
    lowered = lower(ns.load(raw), network, seed=6)
    members = lowered.currents[0].members
    sources, targets = rows(network, "cortex->dSPN")
    assert np.array_equal(members, np.unique(targets[sources < 100]))
    assert abs(len(members) / network.counts["dSPN"] - 0.3) < 0.12
