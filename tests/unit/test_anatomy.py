"""Statistics of networks against brute force, and paired recordings against what was published."""

import dataclasses
import itertools
import math

import numpy as np
import pytest

import neostriatum as ns
from neostriatum.analysis.profile import profile
from neostriatum.analysis.recordings import interval, pair_recordings
from neostriatum.analysis.surface import near_surface
from neostriatum.analysis.tally import tally
from neostriatum.circuit.measured import measured
from neostriatum.network.law import rule
from neostriatum.threads import using_threads

POOLS = {"SPN": ("dSPN", "iSPN"), "FS": ("FS",)}
PATHWAYS = ("SPN->SPN", "FS->SPN", "FS->FS")
MORE_FS = {"cells.FS.fraction": 0.2, "cells.dSPN.fraction": 0.4, "cells.iSPN.fraction": 0.4}
OPEN = {"volume.boundary": "open"}
SHORT = {f"pathways.{name}.wiring.range": "90 um" for name in ns.load("striatum_v1").pathways}
SHORT["gap_junctions.FS-FS.wiring.range"] = "90 um"
SHAPES = {
    "torus of images": MORE_FS,
    "torus": {**MORE_FS, **SHORT},
    "open": {**MORE_FS, **SHORT, **OPEN},
    "slab": {**MORE_FS, **SHORT, "volume.shape": "slab", "volume.thickness": "240 um"},
    "ellipsoid": {**MORE_FS, **SHORT, "volume.shape": "ellipsoid"},
    "sphere": {**MORE_FS, **SHORT, "volume.shape": "sphere"},
}


def assert_uniform(values):
    """Kolmogorov and Smirnov at 0.1 %: p-values of a true hypothesis are uniform."""
    values, n = np.sort(values), len(values)
    steps = np.arange(n + 1) / n
    gap = max(np.abs(values - steps[:-1]).max(), np.abs(values - steps[1:]).max())
    assert gap < 1.95 / math.sqrt(n), values


def two_sided(z):
    return math.erfc(abs(z) / math.sqrt(2))


def flat(network, pathway):
    """Global ids of source and target of every synapse."""
    source, target = (network.populations[name].start for name in pathway.split("->"))
    edges = network.edges[pathway]
    return (source + np.repeat(np.arange(len(edges.offsets) - 1), np.diff(edges.offsets)),
            target + edges.targets.astype(np.int64))


def moments(network, pathway, source, target):
    """Mean distance and mean squared distance of synapses, one by one."""
    away = network.positions[target].astype(float) - network.positions[source].astype(float)
    if not network.periodic:
        square = (away**2).sum(axis=1)
        return np.sqrt(square), square
    side = network.side_um
    away -= side * np.rint(away / side)
    law = rule(pathway, network.circuit.pathways[pathway].wiring)
    images = range(-3, 4) if 2 * law.reach > side else (0,)
    table = np.array([law(d) for d in np.arange(0.0, law.reach + 1.0, 0.02)])
    total, once, twice = (np.zeros(len(away)) for _ in range(3))
    for shift in itertools.product(images, repeat=3):
        d = np.sqrt(((away + side * np.array(shift)) ** 2).sum(axis=1))
        p = np.interp(d, 0.02 * np.arange(len(table)), table, right=0.0)
        total, once, twice = total + p, once + p * d, twice + p * d * d
    return once / total, twice / total


def brute(network, mine):
    """The block of `anatomy` for the neurons ``mine``, by the book."""
    members = {pool: np.concatenate([np.array(network.populations[one]) for one in types])
               for pool, types in POOLS.items()}
    members = {pool: ids[mine[ids]] for pool, ids in members.items()}
    said = {"neurons": {pool: len(ids) for pool, ids in members.items()}, "indegree": {},
            "distance_um": {}, "outdegree": {}}
    for name in PATHWAYS:
        pools = [POOLS[end] for end in name.split("->")]
        into, out, once, twice = (np.zeros(network.size), np.zeros(network.size), [], [])
        for pathway in network.edges:
            ends = pathway.split("->")
            if ends[0] in pools[0] and ends[1] in pools[1]:
                source, target = flat(network, pathway)
                np.add.at(into, target, 1)
                np.add.at(out, source, 1)
                here = mine[target]
                a, b = moments(network, pathway, source[here], target[here])
                once.append(a)
                twice.append(b)
        once, twice = np.concatenate(once), np.concatenate(twice)
        values = into[members[name.split("->")[1]]]
        said["indegree"][name] = (values.mean(), values.std(ddof=1))
        n = len(once)
        said["distance_um"][name] = (
            once.mean(), math.sqrt((twice.sum() - once.sum() ** 2 / n) / (n - 1)))
        if name == "FS->SPN":
            values = out[members["FS"]]
            said["outdegree"][name] = (values.mean(), values.std(ddof=1))
    fs = network.populations["FS"]
    gaps = np.bincount(network.gaps.ravel(), minlength=len(fs))[members["FS"] - fs.start]
    said["gap_per_FS"] = (gaps.mean(), gaps.std(ddof=1))
    return said


def same(block, expected):
    assert block["neurons"] == expected["neurons"]
    for what in ("indegree", "outdegree", "distance_um"):
        assert set(block[what]) == set(expected[what])
        for name, (mean, sd) in expected[what].items():
            found = block[what][name]
            assert found["mean"] == pytest.approx(mean, abs=1e-3), (what, name)
            assert found["sd"] == pytest.approx(sd, abs=1e-3), (what, name)
    assert block["gap_per_FS"]["mean"] == pytest.approx(expected["gap_per_FS"][0], abs=1e-3)
    assert block["gap_per_FS"]["sd"] == pytest.approx(expected["gap_per_FS"][1], abs=1e-3)


class TestAnatomy:
    @pytest.mark.parametrize("name", SHAPES)
    def test_against_brute_force(self, name):
        network = ns.build(ns.load("striatum_v1", changes=SHAPES[name]), size=1500, seed=3)
        radius = 60.0 if name == "torus of images" else 100.0
        made = ns.anatomy(network, f"{radius:g} um")
        away = network.positions - network.positions.mean(axis=0, dtype=float)
        if network.periodic:
            away -= network.side_um * np.rint(away / network.side_um)
        near = np.linalg.norm(away, axis=1) <= radius
        same(made["centre"], brute(network, near))
        assert made["centre"]["radius_um"] == radius
        edge = made["edge"]
        assert edge["range_um"] == (500.0 if name == "torus of images" else 90.0)
        if network.periodic:
            assert edge["neurons"] == {"SPN": 0, "FS": 0}
            assert edge["indegree"]["SPN->SPN"] == {"mean": None, "sd": None}
        else:
            outer = near_surface(network, 90.0)
            assert 0 < outer.sum() < network.size
            same(edge, brute(network, outer))
            assert (edge["indegree"]["SPN->SPN"]["mean"]
                    < made["centre"]["indegree"]["SPN->SPN"]["mean"])

    def test_what_is_counted(self):
        network = ns.build("striatum_v1", size=500, seed=1)
        made = ns.anatomy(network)
        assert made["neurons"] == network.counts
        assert made["synapses"] == {name: len(one) for name, one in network.edges.items()}
        assert made["gap_junctions"] == len(network.gaps)
        assert (made["shape"], made["boundary"]) == ("cube", "periodic")
        held = sum(one.offsets.nbytes + one.targets.nbytes + one.delays.nbytes
                   for one in network.edges.values())
        assert made["bytes_per_synapse"] == pytest.approx(held / network.synapses, abs=1e-4)

    def test_weights_are_counted_too(self):
        changes = {"pathways.FS->FS.weight_cv": 0.5}
        network = ns.build(ns.load("striatum_v1", changes=changes), size=500, seed=1)
        plain = ns.anatomy(ns.build("striatum_v1", size=500, seed=1))["bytes_per_synapse"]
        more = 4 * len(network.edges["FS->FS"]) / network.synapses
        assert ns.anatomy(network)["bytes_per_synapse"] == pytest.approx(plain + more, abs=2e-4)

    def test_nobody_there(self):
        made = ns.anatomy(ns.build("striatum_v1", size=20, seed=1), "1 um")
        nothing = {"mean": None, "sd": None}
        for block in (made["centre"], made["edge"]):
            assert block["neurons"] == {"SPN": 0, "FS": 0}
            assert block["gap_per_FS"] == nothing
            assert block["indegree"] == block["distance_um"] == dict.fromkeys(PATHWAYS, nothing)
            assert block["outdegree"] == {"FS->SPN": nothing}

    def test_one_neuron_has_no_sd(self):
        network = ns.build(ns.load("striatum_v1", changes=OPEN), size=1, seed=1)
        degree = ns.anatomy(network)["centre"]["indegree"]["SPN->SPN"]
        assert degree == {"mean": 0.0, "sd": None}
        assert ns.anatomy(network)["bytes_per_synapse"] is None

    def test_rules_without_a_range_have_no_edge(self):
        network = ns.build(ns.load("fountas2017", changes=OPEN), size=200, seed=1)
        edge = ns.anatomy(network)["edge"]
        assert edge["range_um"] is None
        assert edge["neurons"] == {"SPN": 0, "FS": 0}

    def test_any_number_of_threads(self):
        network = ns.build(ns.load("striatum_v1", changes=OPEN), size=3000, seed=1)
        made = []
        for count in (1, 2, 4):
            with using_threads(count):
                made.append(ns.anatomy(network))
        assert made[0] == made[1] == made[2]

    def test_of_a_loaded_network(self, tmp_path):
        network = ns.build("striatum_v1", size=400, seed=1)
        network.save(tmp_path / "net.h5")
        assert ns.anatomy(ns.load_network(tmp_path / "net.h5")) == ns.anatomy(network)

    def test_fixed_indegree(self):
        changes = {**OPEN, "pathways.FS->dSPN.wiring": {"rule": "fixed_indegree", "n": 3},
                   "pathways.FS->iSPN.wiring": {"rule": "fixed_indegree", "n": 3}}
        network = ns.build(ns.load("striatum_v1", changes=changes), size=800, seed=1)
        assert ns.anatomy(network)["centre"]["indegree"]["FS->SPN"] == {"mean": 3.0, "sd": 0.0}

    @pytest.mark.parametrize("radius", ["75", 75, "-1 um", "0 um", "2 mV", "nan um"])
    def test_radius_is_a_length(self, radius):
        with pytest.raises(ns.NeostriatumError, match="centre_radius: must") as caught:
            ns.anatomy(ns.build("striatum_v1", size=20, seed=1), radius)
        assert caught.value.exit_code == 2


class TestTally:
    def test_degrees(self):
        network = ns.build("striatum_v1", size=1200, seed=2)
        for name, edges in network.edges.items():
            count = network.counts[name.split("->")[1]]
            made = tally(network, name, np.zeros(count, np.uint8))
            np.testing.assert_array_equal(made.degrees,
                                          np.bincount(edges.targets, minlength=count))
            assert not made.sums.any()


class TestSurface:
    def test_a_cube(self):
        network = ns.build(ns.load("striatum_v1", changes=OPEN), size=2000, seed=1)
        at, side = network.positions, network.side_um
        expected = np.minimum(at, side - at).min(axis=1) < 40.0
        np.testing.assert_array_equal(near_surface(network, 40.0), expected)

    def test_a_sphere_and_a_reach_beyond_everything(self):
        network = ns.build(ns.load("striatum_v1", changes={"volume.shape": "sphere"}), size=2000)
        away = np.linalg.norm(network.positions - network.side_um / 2, axis=1)
        np.testing.assert_array_equal(near_surface(network, 40.0),
                                      away > network.side_um / 2 - 40.0)
        assert near_surface(network, 1000.0).all()

    def test_voxels_find_the_walls_of_a_cube(self):
        """What is done for a mesh, on a shape whose walls are known: right up to a voxel."""
        network = ns.build(ns.load("striatum_v1", changes=OPEN), size=20_000, seed=1)
        depth = np.minimum(network.positions, network.side_um - network.positions).min(axis=1)
        found = near_surface(dataclasses.replace(network, shape="mesh"), 150.0)
        assert found[depth < 150.0 - 64.0].all()
        assert not found[depth > 150.0 + 64.0].any()
        assert abs(found.mean() - (depth < 150.0).mean()) < 0.12


class TestProfile:
    @pytest.mark.parametrize("changes", [{}, OPEN])
    def test_pairs_against_brute_force(self, changes):
        network = ns.build(ns.load("striatum_v1", changes={**MORE_FS, **changes}), size=300, seed=4)
        edges = np.arange(0.0, 121.0, 30.0)
        for name in ("FS->FS", "FS->iSPN"):
            made = profile(network, name, edges, pairs=10**9)
            ids = [np.array(network.populations[end]) for end in name.split("->")]
            away = (network.positions[ids[1]][None].astype(float)
                    - network.positions[ids[0]][:, None].astype(float))
            if network.periodic:
                away -= network.side_um * np.rint(away / network.side_um)
            d = np.linalg.norm(away, axis=-1)
            if name == "FS->FS":
                np.fill_diagonal(d, np.inf)
            np.testing.assert_array_equal(made.pairs, np.histogram(d, edges)[0])
            connected = np.zeros(d.shape, bool)
            source, target = flat(network, name)
            connected[source - ids[0][0], target - ids[1][0]] = True
            np.testing.assert_array_equal(made.connected, np.histogram(d[connected], edges)[0])
            if not network.periodic:
                law = rule(name, network.circuit.pathways[name].wiring)
                p = np.array([law(one) for one in d.ravel()])
                np.testing.assert_allclose(
                    made.expected, np.histogram(d.ravel(), edges, weights=p)[0])
                np.testing.assert_allclose(
                    made.variance, np.histogram(d.ravel(), edges, weights=p * (1 - p))[0])
                np.testing.assert_allclose(made.mean_um * made.pairs, np.histogram(
                    d, edges, weights=np.where(np.isinf(d), 0.0, d))[0])

    @pytest.mark.parametrize("changes", [{}, OPEN])
    def test_counts_follow_the_law(self, changes):
        """Two levels: a z-score per network and pathway, then all of them together."""
        circuit, values = ns.load("striatum_v1", changes=changes), []
        for seed in range(8):
            network = ns.build(circuit, size=3000, seed=seed)
            for name in ("dSPN->dSPN", "dSPN->iSPN", "iSPN->dSPN", "FS->dSPN", "FS->FS"):
                made = profile(network, name, np.array([0.0, 500.0]), pairs=50_000)
                values.append(two_sided(made.deviation))
        assert_uniform(np.array(values))

    def test_a_wrong_law_is_noticed(self):
        network = ns.build("striatum_v1", size=1500, seed=1)
        other = network.circuit.replace({"pathways.iSPN->dSPN.wiring.scale": 0.5})
        made = profile(dataclasses.replace(network, circuit=other), "iSPN->dSPN",
                       np.array([0.0, 500.0]))
        assert abs(made.deviation) > 10

    def test_no_law_no_expectation(self):
        changes = {"pathways.FS->dSPN.wiring": {"rule": "fixed_indegree", "n": 2}}
        network = ns.build(ns.load("striatum_v1", changes=changes), size=400, seed=1)
        assert np.isnan(profile(network, "FS->dSPN", np.array([0.0, 500.0])).expected).all()


@pytest.fixture(scope="module")
def network():
    return ns.build("striatum_v1", size=8000, seed=5)


class TestRecordings:
    def test_every_pathway_is_inside_the_published_intervals(self, network):
        """The default circuit; a sampling error of half a per cent is far inside."""
        for key in ("cinotti2022_50um", "cinotti2022_100um"):
            for name, (one,) in measured()[key].items():
                made = pair_recordings(network, name, f"{one.below.value:g} um", pairs=5000)
                low, high = (end.value for end in one.interval)
                assert low < made.probability < high, (key, name)

    def test_the_unscaled_law_is_not(self):
        network = ns.build(ns.load("striatum_v1", overlay="dense"), size=4000, seed=1)
        missed = {}
        for key in ("cinotti2022_50um", "cinotti2022_100um"):
            for name, (one,) in measured()[key].items():
                made = pair_recordings(network, name, f"{one.below.value:g} um", pairs=3000)
                missed[key, name] = made.probability / one.interval[1].value
        assert sum(ratio > 1 for ratio in missed.values()) >= 7
        assert max(missed.values()) > 2.5

    def test_distances_grow_like_the_circumference(self, network):
        made = pair_recordings(network, "iSPN->dSPN", "100 um", pairs=4000)
        d, nearest = made.distances_um, 15.0
        assert nearest <= d.min()
        assert d.max() < 100.0
        # Density 2 r / R^2 beyond the minimum distance, where somas crowd a little.
        share = (d**2 - nearest**2) / (100.0**2 - nearest**2)
        assert share.mean() == pytest.approx(0.5, abs=0.02)
        assert np.quantile(share, [0.25, 0.75]) == pytest.approx([0.25, 0.75], abs=0.03)

    @pytest.mark.parametrize("name", ["dSPN->dSPN", "FS->iSPN"])
    def test_counts_are_binomial(self, network, name):
        """Two levels: recordings with many seeds, against the exact mean over this network."""
        within, chances = 60.0, []
        ids = [np.array(network.populations[end]) for end in name.split("->")]
        connected = np.zeros((len(ids[0]), len(ids[1])), bool)
        source, target = flat(network, name)
        connected[source - ids[0][0], target - ids[1][0]] = True
        for row, one in enumerate(ids[0]):
            away = network.positions[ids[1]].astype(float) - network.positions[one].astype(float)
            away -= network.side_um * np.rint(away / network.side_um)
            d = np.linalg.norm(away, axis=1)
            if ids[0][0] == ids[1][0]:
                d[row] = np.inf
            near = d < within
            if near.any():
                weights = 1.0 / d[near]
                chances.append((weights * connected[row, near]).sum() / weights.sum())
        p, n, values = float(np.mean(chances)), 500, []
        for seed in range(60):
            made = pair_recordings(network, name, f"{within:g} um", pairs=n, seed=seed)
            values.append((made.connected - n * p) / math.sqrt(n * p * (1 - p)))
        # Counts are whole numbers: spread them over the width of one before comparing.
        width = 1 / math.sqrt(n * p * (1 - p))
        values = np.array(values) + (np.random.default_rng(1).random(60) - 0.5) * width
        assert_uniform(np.array([0.5 * math.erfc(-z / math.sqrt(2)) for z in values]))

    def test_seed_and_threads(self, network):
        made = []
        for count in (1, 4):
            with using_threads(count):
                made.append(pair_recordings(network, "FS->dSPN", "80 um", pairs=300, seed=9))
        np.testing.assert_array_equal(made[0].distances_um, made[1].distances_um)
        assert made[0].connected == made[1].connected
        other = pair_recordings(network, "FS->dSPN", "80 um", pairs=300, seed=10)
        assert (other.distances_um != made[0].distances_um).any()

    @pytest.mark.parametrize(("options", "what"), [
        ({"pathway": "dSPN->FS"}, "pathway: must be one of the network's, dSPN->dSPN"),
        ({"within": "50"}, "within: must carry its unit"),
        ({"within": "0 um"}, "within: must be > 0 um"),
        ({"within": "10 um"}, "within: must leave pairs of iSPN->dSPN to record"),
        ({"pairs": 0}, "pairs: must be a whole number from 1"),
        ({"pairs": 2.5}, "pairs: must be a whole number from 1"),
        ({"seed": -1}, "seed"),
    ])
    def test_refusals(self, network, options, what):
        with pytest.raises(ns.NeostriatumError) as caught:
            pair_recordings(network, **{"pathway": "iSPN->dSPN", "pairs": 50, **options})
        assert what in str(caught.value)
        assert caught.value.exit_code == 2

    def test_interval(self):
        low, high = interval(0, 20)
        assert low == 0.0
        assert high == pytest.approx(0.161, abs=1e-3)
        assert interval(20, 20)[1] == pytest.approx(1.0)
