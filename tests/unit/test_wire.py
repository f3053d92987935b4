"""Connections against the law over the real pairs, whatever the threads; every rule and refusal."""

import dataclasses
import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

import neostriatum as ns
from neostriatum.circuit.measured import measured
from neostriatum.circuit.pathway import FixedProbability, Pairwise
from neostriatum.errors import BuildError
from neostriatum.network import build as building
from neostriatum.network import wire as wiring
from neostriatum.network.cells import Cells
from neostriatum.network.edges import Block, Lag
from neostriatum.network.indegree import wire_indegree
from neostriatum.network.law import BINS, DISTANCE, Rule, rule
from neostriatum.network.place import morton
from neostriatum.network.wire import Box, wire
from neostriatum.rng import stream
from neostriatum.threads import using_threads

OPEN = {"volume.boundary": "open"}
LAWS = ("MSN-MSN", "FSI-MSN", "FSI-FSI", "FSI-gap")
INDEGREE = {"pathways.FS->dSPN.wiring": {"rule": "fixed_indegree", "n": 20}}


def distance_law(connection="MSN-MSN", scale=1.0, reach="500 um"):
    pathway = ns.load("striatum_v1").replace({"pathways.dSPN->iSPN.wiring": {
        "rule": "humphries2010", "connection": connection, "scale": scale, "range": reach}})
    return rule("dSPN->iSPN", pathway.pathways["dSPN->iSPN"].wiring)


def bins(*pairs):
    made = [{"below": f"{below} um", "p": p} for below, p in pairs]
    return rule("dSPN->iSPN", Pairwise(rule="pairwise", bins=made))


RULES = {
    "law": distance_law("FSI-MSN", 0.7),
    "short": distance_law("MSN-MSN", 1.0, "60 um"),
    "above one": distance_law("FSI-MSN", 1.4, "80 um"),
    # A bin within one um, and one that rises.
    "bins": bins((20.25, 0.3), (20.75, 0.9), (40, 0.02), (70, 0.4)),
    "fixed": rule("dSPN->iSPN", FixedProbability(rule="fixed_probability", p=0.13)),
}


def along_curve(n, side, seed):
    points = (np.random.default_rng(seed).random((n, 3)) * side).astype(np.float32)
    return points[np.argsort(morton(points, side), kind="stable")]


def pairs(sources, targets, law, box, edges=None):
    """Exact probability of every pair, and of every pair by distance where ``edges`` are given."""
    away = targets[None].astype(np.float64) - sources[:, None].astype(np.float64)
    table = np.array([law(d) for d in np.arange(0, 1000, 0.05)]) if len(away) > 200 else None
    images = range(-12, 13) if box.periodic and np.isfinite(law.reach) else (0,)
    total = np.zeros(away.shape[:2])
    nearest = away - box.side * np.rint(away / box.side) if box.periodic else away
    for shift in itertools.product(images, repeat=3):
        if np.linalg.norm(np.maximum(np.abs(shift) - np.array(0.5), 0)) * box.side >= law.reach:
            continue
        d = np.sqrt(((nearest + np.array(shift) * box.side) ** 2).sum(axis=-1))
        if table is None:
            close = d < law.reach
            total[close] += [law(one) for one in d[close]]
        else:
            total += np.interp(d, np.arange(len(table)) * 0.05, table, right=0.0)
    return np.minimum(total, 1.0)


def connect(sources, targets, law, box, seed, **flags):
    block = Block()
    offsets = wire(Cells.of(sources, box.side), Cells.of(targets, box.side), law, box,
                   stream(seed, "wire", "a->b"), block, Lag("here", 1.0, 800.0), **flags)
    block.trim()
    rows = np.repeat(np.arange(len(sources)), np.diff(offsets))
    return rows, block.targets, block.delays


def two_sided(z):
    return math.erfc(abs(z) / math.sqrt(2))


def assert_uniform(values):
    """Kolmogorov and Smirnov at 0.1 %: p-values of a true hypothesis are uniform."""
    values, n = np.sort(values), len(values)
    steps = np.arange(n + 1) / n
    gap = max(np.abs(values - steps[:-1]).max(), np.abs(values - steps[1:]).max())
    assert gap < 1.95 / math.sqrt(n), values


class TestProbability:
    """Each pair, drawn many times, is connected as often as the sum over its images says."""

    @pytest.mark.parametrize("side", [45.0, 130.0])
    @pytest.mark.parametrize("periodic", [False, True])
    @pytest.mark.parametrize("name", RULES)
    def test_every_pair(self, name, periodic, side, monkeypatch):
        law, box = RULES[name], Box(side, periodic)
        if name == "law" and periodic:
            law = dataclasses.replace(law, reach=min(law.reach, 2.5 * side))
        if np.isfinite(law.reach):
            # Worked out once for all draws.
            for method in ("bounds", "envelope", "partners"):
                value = getattr(law, method)()
                monkeypatch.setattr(Rule, method, lambda self, value=value: value)
        sources, targets = along_curve(24, side, 1), along_curve(30, side, 2)
        p = pairs(sources, targets, law, box)
        certain, draws, values = (p >= 1) | (p <= 0), 150, []
        for trial in range(12):
            counts = np.zeros(p.shape)
            with using_threads(1):
                for seed in range(draws):
                    rows, found, _ = connect(sources, targets, law, box, 1000 * trial + seed)
                    counts[rows, found] += 1
            np.testing.assert_array_equal(counts[certain], draws * p[certain])
            # Where nearly nothing is left to chance a sum is not normal.
            left = draws * p * (1 - p) > 1
            q, k = p[left], counts[left]
            if len(q) >= 30:
                square = (k - draws * q) ** 2 / (draws * q * (1 - q))
                # Variance of a binomial's squared standardised deviation.
                spread = 2 + (1 - 6 * q * (1 - q)) / (draws * q * (1 - q))
                values.append(two_sided((square.sum() - len(q)) / math.sqrt(spread.sum())))
                total = k.sum() - draws * q.sum()
                values.append(two_sided(total / math.sqrt(draws * (q * (1 - q)).sum())))
        if values:
            assert_uniform(np.array(values))

    def test_counts_and_distances_of_real_networks(self):
        """Two levels: a z-value per network and pathway, then all of them together."""
        circuit, edges, counts, profile = ns.load("striatum_v1", changes=OPEN), np.arange(
            0, 501, 50), [], []
        for seed in range(8):
            network = ns.build(circuit, size=2400, seed=seed)
            for name in ("dSPN->dSPN", "iSPN->dSPN", "FS->iSPN"):
                source, target = name.split("->")
                mine, other = (network.positions[network.populations[end].start :
                                                 network.populations[end].stop].astype(float)
                               for end in (source, target))
                law = rule(name, circuit.pathways[name].wiring)
                p = pairs(mine, other, law, Box(network.side_um, False))
                if source == target:
                    np.fill_diagonal(p, 0.0)
                d = np.sqrt(((mine[:, None] - other[None]) ** 2).sum(axis=-1))
                made = network.edges[name]
                rows = np.repeat(np.arange(len(mine)), np.diff(made.offsets))
                hits = np.histogram(d[rows, made.targets], edges)[0]
                expected = np.histogram(d, edges, weights=p)[0]
                variance = np.histogram(d, edges, weights=p * (1 - p))[0]
                z = (hits - expected) / np.sqrt(np.maximum(variance, 1e-9))
                usable = variance > 5
                profile += [two_sided(one) for one in z[usable]]
                counts.append(two_sided((len(made) - p.sum()) / math.sqrt((p * (1 - p)).sum())))
        assert len(profile) > 150
        assert_uniform(np.array(counts))
        assert_uniform(np.array(profile))

    def test_pairs_once(self):
        side = 100.0
        both = along_curve(60, side, 3)
        rows, found, _ = connect(both, both, RULES["fixed"], Box(side, True), 1, same=True,
                                 once=True)
        assert len(rows) > 100
        assert (rows < found).all()

    def test_every_candidate_is_its_own(self):
        """The draws of a source do not depend on the other sources' number of candidates."""
        side = 100.0
        sources, targets = along_curve(50, side, 4), along_curve(400, side, 5)
        rows, found, _ = connect(sources, targets, RULES["fixed"], Box(side, False), 1)
        fewer, same, _ = connect(sources[:20], targets, RULES["fixed"], Box(side, False), 1)
        np.testing.assert_array_equal(found[rows < 20], same)
        np.testing.assert_array_equal(rows[rows < 20], fewer)


@pytest.fixture(scope="module")
def circuit():
    return ns.load("striatum_v1", changes={
        **INDEGREE, "pathways.iSPN->iSPN.weight_cv": 0.5,
        "pathways.dSPN->iSPN.wiring": {"rule": "fixed_probability", "p": 0.05}})


@pytest.fixture(scope="module")
def network(circuit):
    return ns.build(circuit, size=3000, seed=7)


class TestNetwork:
    def test_rows_are_sorted_without_selves(self, network):
        for name, edges in network.edges.items():
            source, target = name.split("->")
            assert len(edges) > 0
            assert edges.targets.min() >= 0
            assert edges.targets.max() < network.counts[target]
            rows = np.repeat(np.arange(network.counts[source]), np.diff(edges.offsets))
            step = np.diff(edges.targets)
            assert (step[np.diff(rows) == 0] > 0).all()
            if source == target:
                assert (rows != edges.targets).all()

    @pytest.mark.parametrize("threads", [1, 2, 4])
    def test_same_at_any_number_of_threads(self, network, circuit, threads):
        assert ns.build(circuit, size=3000, seed=7, threads=threads).hash() == network.hash()

    def test_same_in_any_chunks(self, network, circuit, monkeypatch):
        monkeypatch.setattr(wiring, "SCRATCH", 5000)
        monkeypatch.setattr(wiring, "_mean", lambda rule, targets: 0.0)
        monkeypatch.setattr(building, "_roomy", lambda expected: 1)
        monkeypatch.setattr("neostriatum.network.indegree.CHUNK", 100)
        assert ns.build(circuit, size=3000, seed=7).hash() == network.hash()

    def test_a_pathway_more_changes_no_other(self, network, circuit):
        raw = circuit.to_dict()
        raw["pathways"] = {"FS->iSPN": raw["pathways"]["FS->iSPN"]}
        few = ns.build(ns.load(raw), size=3000, seed=7).edges["FS->iSPN"]
        for part in ("offsets", "targets", "delays"):
            np.testing.assert_array_equal(getattr(few, part),
                                          getattr(network.edges["FS->iSPN"], part))

    def test_one_block_for_all(self, network):
        targets, delays = network.joined()
        assert len(targets) == len(delays) == network.synapses
        at = 0
        for edges in network.edges.values():
            assert np.shares_memory(targets[at : at + len(edges)], edges.targets)
            assert np.shares_memory(delays[at : at + len(edges)], edges.delays)
            at += len(edges)
        held = targets.nbytes + delays.nbytes + sum(
            edges.offsets.nbytes for edges in network.edges.values())
        assert held <= 6.5 * network.synapses
        loose = dataclasses.replace(network, edges=dict(reversed(network.edges.items())))
        np.testing.assert_array_equal(loose.joined()[0][: len(network.edges["FS->FS"])],
                                      network.edges["FS->FS"].targets)

    @pytest.mark.parametrize("boundary", ["open", "periodic"])
    def test_delays(self, boundary):
        made = ns.build(ns.load("striatum_v1", changes={"volume.boundary": boundary,
                                                     "pathways.dSPN->dSPN.wiring.range": "90 um"}),
                        size=2000)
        edges, at = made.edges["dSPN->dSPN"], made.positions.astype(float)
        rows = np.repeat(np.arange(made.counts["dSPN"]), np.diff(edges.offsets))
        away = at[edges.targets] - at[rows]
        if boundary == "periodic":
            away -= made.side_um * np.rint(away / made.side_um)
        distances = np.sqrt((away**2).sum(axis=1))
        np.testing.assert_array_equal(edges.delays, np.rint((1.0 + distances / 800.0) / 0.1))
        assert distances.max() < 90

    def test_progress(self, circuit):
        told = []
        ns.build(circuit, size=2000, progress=lambda phase, share: told.append((phase, share)))
        assert [phase for phase, _ in itertools.groupby(told, lambda one: one[0])] == [
            "place", "wire"]
        shares = [share for phase, share in told if phase == "wire"]
        assert shares == sorted(shares)
        assert 0.99 < shares[-1] <= 1

    @pytest.mark.parametrize("threads", [0, True, 1025])
    def test_threads_are_checked(self, threads):
        with pytest.raises(BuildError, match="threads: must be a whole number from 1 to 1024"):
            ns.build("striatum_v1", size=10, threads=threads)

    def test_a_delay_that_cannot_be_stored(self):
        slow = {"pathways.dSPN->dSPN.delay.velocity": "0.01 m/s"}
        with pytest.raises(BuildError, match=r"dSPN->dSPN.delay: must be 1 to 255 units of 0.1 ms"):
            ns.build(ns.load("striatum_v1", changes=slow), size=2000)


class TestIndegree:
    @pytest.mark.parametrize("within", [None, 60.0])
    @pytest.mark.parametrize("periodic", [False, True])
    def test_exactly_n_distinct(self, within, periodic):
        side, n = 120.0, 7
        sources = along_curve(300, side, 6)
        offsets, found, delays = self.drawn(sources, sources, n, within, periodic, same=True)
        rows = np.repeat(np.arange(300), np.diff(offsets))
        assert (np.bincount(found, minlength=300) == n).all()
        assert len(set(zip(rows, found, strict=True))) == 300 * n
        assert (rows != found).all()
        away = (sources[found] - sources[rows]).astype(float)
        if periodic:
            away -= side * np.rint(away / side)
        distances = np.sqrt((away**2).sum(axis=1))
        np.testing.assert_array_equal(delays, np.rint((1.0 + distances / 800.0) / 0.1))
        assert within is None or distances.max() < within
        assert all((np.diff(found[a:b]) > 0).all() for a, b in itertools.pairwise(offsets))

    @staticmethod
    def drawn(sources, targets, n, within, periodic, same=False, seed=1, side=120.0):
        block = Block()
        offsets = wire_indegree(
            Cells.of(sources, side), Cells.of(targets, side), n, within, Box(side, periodic),
            stream(seed, "wire", "a->b"), block, Lag("x.delay", 1.0, 800.0), same)
        return offsets, block.targets[: block.used], block.delays[: block.used]

    def test_every_source_alike(self):
        """Two levels: chi-square of the counts per seed, then all seeds together."""
        sources, targets, values = along_curve(40, 120.0, 1), along_curve(200, 120.0, 2), []
        for seed in range(40):
            offsets, _, _ = self.drawn(sources, targets, 5, None, False, seed=seed)
            p = 5 / 40
            square = ((np.diff(offsets) - 200 * p) ** 2).sum() / (200 * p * (1 - p)) * 39 / 40
            # Wilson and Hilferty: the cube root of chi-square is nearly normal.
            z = ((square / 39) ** (1 / 3) - (1 - 2 / 351)) / math.sqrt(2 / 351)
            values.append(0.5 * math.erfc(z / math.sqrt(2)))
        assert_uniform(np.array(values))

    def test_too_few_within_reach(self):
        sources = along_curve(50, 120.0, 1)
        with pytest.raises(BuildError, match=(r"x.wiring.n: must be at most the sources of every "
                                              r"target within 30 um \(got 9, one has \d\)")):
            self.drawn(sources, sources, 9, 30.0, False, same=True)

    def test_more_than_the_population(self):
        wrong = {"pathways.FS->FS.wiring": {"rule": "fixed_indegree", "n": 14}}
        with pytest.raises(BuildError, match=r"pathways.FS->FS.wiring.n: .*got 14, one has 13"):
            ns.build(ns.load("striatum_v1", changes=wrong), size=1000)

    def test_all_of_them(self):
        sources = along_curve(9, 120.0, 1)
        offsets, found, _ = self.drawn(sources, sources, 8, None, True, same=True)
        assert (np.diff(offsets) == 8).all()
        assert len(found) == 72


class TestWeights:
    def test_mean_and_spread(self, network):
        drawn = network.edges["iSPN->iSPN"].weights.astype(float)
        n, cv = len(drawn), 0.5
        assert n > 100_000
        assert drawn.min() > 0
        assert abs(drawn.mean() - 1) < 4 * cv / math.sqrt(n)
        z = (np.log(drawn) + 0.5 * math.log(1 + cv**2)) / math.sqrt(math.log(1 + cv**2))
        assert abs(z.mean()) < 4 / math.sqrt(n)
        assert abs(z.var() - 1) < 4 * math.sqrt(2 / n)
        assert abs((z**3).mean()) < 4 * math.sqrt(15 / n)
        assert abs(drawn.std() - cv) < 0.01

    def test_only_where_asked_for(self, network):
        assert [name for name, edges in network.edges.items() if edges.weights is not None] == [
            "iSPN->iSPN"]
        none = ns.load("striatum_v1", changes={"pathways.iSPN->iSPN.weight_cv": 0})
        assert ns.build(none, size=200).edges["iSPN->iSPN"].weights is None

    def test_belong_to_the_pair_and_to_the_hash(self, network):
        edges = network.edges["iSPN->iSPN"]
        again = ns.build(ns.load("striatum_v1", changes={
            "pathways.iSPN->iSPN.weight_cv": 0.5,
            "pathways.iSPN->iSPN.wiring.scale": 0.9}), size=3000, seed=7).edges["iSPN->iSPN"]
        mine, theirs = (
            dict(zip(zip(np.repeat(np.arange(len(one.offsets) - 1), np.diff(one.offsets)),
                         one.targets, strict=True), one.weights, strict=True))
            for one in (edges, again))
        both = mine.keys() & theirs.keys()
        assert len(both) > 1000
        assert all(mine[pair] == theirs[pair] for pair in both)
        other = dataclasses.replace(edges, weights=edges.weights * np.float32(2))
        changed = dataclasses.replace(network, edges={**network.edges, "iSPN->iSPN": other})
        assert changed.hash() != network.hash()


class TestLaw:
    @pytest.mark.parametrize("connection", LAWS)
    @pytest.mark.parametrize("scale", [1.0, 0.26, 1.4])
    def test_bounds_hold_between_whole_um(self, connection, scale):
        self.check(distance_law(connection, scale, "333.3 um"))

    def test_bounds_of_bins_within_one_um(self):
        self.check(RULES["bins"])

    @staticmethod
    def check(law):
        low, high = law.bounds()
        envelope = law.envelope()
        assert (np.diff(envelope) <= 0).all()
        for d in np.arange(0, law.reach, 0.03):
            assert low[int(d)] <= law(d) <= high[int(d)] <= envelope[int(d)]

    def test_integral(self):
        law = distance_law("FSI-MSN", 1.0)
        r = (np.arange(100_000) + 0.5) * 500 / 100_000
        direct = sum(4 * math.pi * one**2 * law(one) for one in r) * 500 / 100_000
        assert law.partners() == pytest.approx(direct, rel=1e-5)
        ball = bins((30, 0.5)).partners(10.0)
        assert ball == pytest.approx(0.5 * 4 / 3 * math.pi * (30**3 - 10**3), rel=1e-12)

    @pytest.mark.parametrize(("bad", "said"), [
        (Rule(DISTANCE, np.array([0.5, 1.0, np.nan, 20.0, 0.004, 1.0]), 500.0), "nan at 0"),
        (Rule(DISTANCE, np.array([0.5, 1.0, 0.04, 20.0, 0.004, -1.0]), 500.0), r"-\S+ at 0"),
        (Rule(BINS, np.array([50.0, 100.0, 0.1, -0.2]), 100.0), "-0.2 at 50"),
    ])
    def test_no_probability(self, bad, said):
        with pytest.raises(BuildError, match=f"must be a probability .*got {said} um"):
            bad.checked("pathways.a->b.wiring")

    def test_positions_out_of_order(self):
        with pytest.raises(ValueError, match="must run along the curve"):
            Cells.of(along_curve(50, 100.0, 1)[::-1], 100.0)


class TestMeasured:
    def test_tables_give_what_they_counted(self):
        """The notes hold the counts; the interval lies around the most probable value."""
        for name, table in measured().items():
            for pathway, (one,) in table.items():
                note = one.p.note.split()
                if one.p.how == "measured":
                    assert one.p.value == float(Fraction(note[0])), (name, pathway)
                    assert one.tested == int(note[0].split("/")[1])
                else:
                    low, high = one.interval
                    assert 0 < low.value < one.p.value < high.value < 1

    def test_nothing_beyond_the_measured_distance(self):
        law = rule("iSPN->dSPN", ns.load("striatum_v1", changes={
            "pathways.iSPN->dSPN.wiring": {"rule": "measured", "table": "cinotti2022_100um"},
        }).pathways["iSPN->dSPN"].wiring)
        assert law(0.0) == law(99.9) == 0.117
        assert law(100.0) == law(101.0) == 0.0

    def test_is_cited(self):
        from neostriatum.information import cited

        circuit = ns.load("striatum_v1", changes={
            "pathways.FS->dSPN.wiring": {"rule": "measured", "table": "gittis2010"}})
        used = {one["key"]: one["used_for"] for one in cited(circuit)["sources"]}
        assert "table gittis2010" in used["gittis2010"]
