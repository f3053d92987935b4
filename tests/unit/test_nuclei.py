"""Nuclei without places, in-degrees from the nearest and within channels, even spreads, ranges."""

import json
import tomllib
from pathlib import Path

import h5py
import numpy as np
import pytest

import neostriatum as ns
from neostriatum import plotting
from neostriatum.analysis.anatomy import anatomy
from neostriatum.cli import main
from neostriatum.engines.inputs import channel_members
from neostriatum.engines.lowered import lower
from neostriatum.errors import BuildError
from neostriatum.network.estimate import estimate
from neostriatum.network.files import load_network
from neostriatum.network.groups import shared_channels

GOOD = Path(__file__).parents[1] / "data" / "good_nuclei.toml"
SIZE = 400


@pytest.fixture(scope="module")
def circuit():
    return ns.load(GOOD)


@pytest.fixture(scope="module")
def network(circuit):
    return ns.build(circuit, size=SIZE, seed=1)


def ends(network, name):
    """Return source and target of every synapse."""
    edges = network.edges[name]
    return np.repeat(np.arange(len(edges.offsets) - 1), np.diff(edges.offsets)), edges.targets


def changed(**keys):
    """Return the raw data with the values at dotted paths (``__`` for a dot) replaced."""
    raw = tomllib.loads(GOOD.read_text("utf-8"))
    for path, value in keys.items():
        *places, last = path.replace("_to_", "->").split("__")
        at = raw
        for place in places:
            at = at.setdefault(place, {})
        if value is None:
            del at[last]
        else:
            at[last] = value
    return raw


def test_cells_of_a_nucleus_have_no_place(network):
    without = np.isnan(network.positions).all(axis=1)
    assert network.counts == {"iSPN": 200, "GPeTI": 120, "STN": 80}
    assert without.tolist() == [False] * 200 + [True] * 200
    assert network.volume_mm3 == pytest.approx(200 / 10_000)  # iSPN alone fill the volume
    assert np.isfinite(network.centroid_um).all()


def test_a_type_lies_as_it_would_alone(circuit, network):
    alone = circuit.to_dict()
    for key in ("nuclei", "pathways", "start", "inputs", "channels"):
        alone.pop(key)
    alone["cells"] = {"iSPN": alone["cells"]["iSPN"] | {"fraction": 1.0}}
    np.testing.assert_array_equal(ns.build(ns.load(alone), size=200, seed=1).positions,
                                  network.positions[:200])


def test_sources_are_among_the_nearest(network):
    at = network.positions[:200].astype(float)
    away = at[:, None] - at
    away -= network.side_um * np.rint(away / network.side_um)
    square = (away**2).sum(axis=2)
    np.fill_diagonal(square, np.inf)
    rank = np.argsort(np.argsort(square, axis=1), axis=1)
    source, target = ends(network, "iSPN->iSPN")
    assert (np.bincount(target, minlength=200) == 10).all()
    ranks = rank[target, source]
    # Each of the 30 is as likely as any other: 66.7 of 2,000, give or take 8.
    assert ranks.max() == 29
    assert np.ptp(np.bincount(ranks, minlength=30)) < 60


def test_all_others_are_the_nearest_where_so_many_are_asked_for():
    raw = changed()
    raw["pathways"]["iSPN->iSPN"]["wiring"] = {"rule": "fixed_indegree", "n": 59, "nearest": 59}
    drawn = ns.build(ns.load(raw), size=120, seed=1)
    source, target = ends(drawn, "iSPN->iSPN")
    assert len(set(zip(source, target, strict=True))) == 60 * 59


def test_sources_are_of_the_channel_of_their_target(circuit, network):
    source, target = ends(network, "iSPN->GPeTI")
    of = {cell: shared_channels(circuit, cell, network.counts[cell], 1)
          for cell in ("iSPN", "GPeTI")}
    assert (np.bincount(target) == 20).all()
    assert set(of["GPeTI"]) == {0, 1}
    np.testing.assert_array_equal(of["iSPN"][source], of["GPeTI"][target])
    elsewhere = ends(network, "STN->GPeTI")
    assert (shared_channels(circuit, "STN", 80, 1)[elsewhere[0]]
            != of["GPeTI"][elsewhere[1]]).any()


def test_a_target_of_no_channel_has_sources_of_all():
    raw = changed()
    for channel in raw["channels"].values():
        channel["share"] = 0.3
    drawn = ns.build(ns.load(raw), size=SIZE, seed=1)
    source, target = ends(drawn, "iSPN->GPeTI")
    mine = shared_channels(ns.load(raw), "GPeTI", 120, 1)
    theirs = shared_channels(ns.load(raw), "iSPN", 200, 1)
    assert set(theirs[source[mine[target] == -1]]) == {-1, 0, 1}
    assert set(theirs[source[mine[target] == 0]]) == {0}


def test_a_fraction_of_a_channel_lies_in_it(network):
    called = ns.load(changed(channels__called={"fraction": 0.2, "inside": "left"}))
    population = lower(called, network, 1).populations[0]
    left, mine = (channel_members(called, network, name, population, 1)
                  for name in ("left", "called"))
    assert set(mine) < set(left)
    assert 8 <= len(mine) <= 36  # of about 100


def test_delays_and_weights_spread_evenly(network):
    edges = network.edges["iSPN->iSPN"]
    # 1.7 ms and half of it more or less, rounded to 0.1 ms.
    assert set(edges.delays) == set(range(9, 26)) or set(edges.delays) == set(range(8, 26))
    assert edges.delays.mean() == pytest.approx(17, abs=4 * 17 * 0.5 / 3**0.5 / 2000**0.5)
    assert 0.5 <= edges.weights.min() < 0.51
    assert 1.49 < edges.weights.max() <= 1.5
    assert edges.weights.mean() == pytest.approx(1, abs=4 * 0.5 / 3**0.5 / 2000**0.5)
    assert edges.weights.std() == pytest.approx(0.5 / 3**0.5, rel=0.05)
    assert abs(np.corrcoef(edges.weights, edges.delays)[0, 1]) < 0.1
    assert network.edges["GPeTI->STN"].weights is None


def test_potentials_start_evenly_in_their_range(circuit):
    v = lower(circuit, ns.build(circuit, size=SIZE, seed=1), 1).populations[1].starts["v"]
    assert len(v) == 120
    assert -74.7 <= v.min() < -73
    assert -56.5 < v.max() < -54.7


@pytest.mark.parametrize("engine", ["numba"])
def test_engines_agree_to_the_bit(engine, circuit, tmp_path):
    hashes = {ns.run(circuit, size=SIZE, seed=1, duration="60 ms", engine=name, figures=False,
                     out=tmp_path / name).summary["spike_hash"] for name in ("reference", engine)}
    assert len(hashes) == 1


def test_files_keep_nuclei(circuit, network, tmp_path):
    network.save(tmp_path / "net.h5")
    read = load_network(tmp_path / "net.h5")
    assert read.hash() == network.hash()
    assert read.circuit == circuit
    ns.export(network, "sonata", tmp_path / "sonata")
    assert load_network(tmp_path / "sonata").hash() == network.hash()
    with h5py.File(tmp_path / "sonata" / "nodes.h5") as file:
        assert "x" in file["nodes/iSPN/0"]
        assert "x" not in file["nodes/GPeTI/0"]


def test_estimate_counts_what_is_drawn(circuit, network):
    made = estimate(circuit, SIZE)
    fixed = {name: count for name, count in made.synapses.items() if name != "GPeTI->STN"}
    assert fixed == {name: len(network.edges[name]) for name in fixed}


def test_figures_and_statistics_leave_nuclei_out(circuit, network, tmp_path):
    made = anatomy(network, "60 um")
    assert 0 < made["centre"]["neurons"]["iSPN"] < 200
    assert made["centre"]["neurons"]["GPeTI"] == 0
    json.dumps(made, allow_nan=False)
    run = ns.run(circuit, size=SIZE, seed=1, duration="300 ms", figures=False,
                 out=tmp_path / "run")
    for draw in (plotting.activity, plotting.correlation_distance, plotting.spectrum):
        draw(run)
    _, axes = plotting.positions(network)
    assert [text.get_text().split(",")[0] for text in axes.get_legend().get_texts()] == ["iSPN"]


def test_a_pair_of_cells_without_places_is_measured(circuit):
    result = ns.pair("STN", "GPeTI", circuit=circuit, engine="reference")
    assert result.delay_ms == 2.0
    assert ns.pair("STN", "GPeTI", n=30, circuit=circuit, duration="20 ms",
                   engine="reference").connections == 300


BAD = {
    "a nucleus with volume and size": (
        {"nuclei__GPe": {"volume": "1 mm^3", "size": 100}},
        "nuclei.GPe: has no volume, and the fractions of its cells are its size "
        "(got volume and size). Leave them out"),
    "an unknown nucleus": ({"cells__STN__nucleus": "STM"},
                           'cells.STN.nucleus: unknown nucleus (got "STM"). Known: GPe, STN'),
    "nothing in the volume": ({"cells__iSPN__nucleus": "GPe"}, "cells: some type must lie"),
    "a law of distance in a nucleus": (
        {"pathways__STN_to_GPeTI__wiring": {"rule": "pairwise", "bins": [
            {"below": "50 um", "p": 0.1}]}},
        "pathways.STN->GPeTI.wiring.rule: must be fixed_indegree or fixed_probability, as STN has "
        "no places (nucleus STN) (got pairwise)"),
    "nearest in a nucleus": (
        {"pathways__STN_to_GPeTI__wiring__nearest": 20},
        "pathways.STN->GPeTI.wiring.nearest: must not be given, as STN has no places"),
    "a velocity in a nucleus": (
        {"pathways__STN_to_GPeTI__delay__velocity": "1 m/s"},
        "pathways.STN->GPeTI.delay.velocity: must not be given, as STN has no places"),
    "a sphere in a nucleus": (
        {"channels__ball": {"sphere": {"centre": ["0 um", "0 um", "0 um"], "radius": "9 um"}},
         "inputs__ctx__targets__STN": {"afferents": 1, "rate": "1 Hz", "channel": "ball",
                                       "conductance": {"AMPA": "1 nS"}}},
        "inputs.ctx.targets.STN.channel: must be no sphere, as STN has no places"),
    "channels that the ends do not share": (
        {"pathways__STN_to_GPeTI__wiring__same_channel": True,
         "channels__right__of": ["iSPN", "GPeTI"]},
        "pathways.STN->GPeTI.wiring.same_channel: needs source and target in the same channels, "
        "which have of and share (got left and left, right)"),
    "nearest below n": (
        {"pathways__iSPN_to_iSPN__wiring__nearest": 9},
        "pathways.iSPN->iSPN.wiring: nearest: must be at least n, 10 (got 9)"),
    "nearest and within": (
        {"pathways__iSPN_to_iSPN__wiring__within": "50 um"},
        "pathways.iSPN->iSPN.wiring: nearest: must not be given beside within (got 30)"),
    "a spread that reaches a delay of zero": (
        {"pathways__GPeTI_to_STN__delay": {"offset": "0.1 ms", "spread": 0.6}},
        "pathways.GPeTI->STN.delay.spread: must leave delays of 1 to 255 steps "
        "(got 0.04 to 0.16 ms). Lower it"),
    "a spread of all": (
        {"pathways__iSPN_to_iSPN__delay__spread": 1.0}, "pathways.iSPN->iSPN.delay.spread: must"),
    "weights spread beyond zero": (
        {"pathways__iSPN_to_iSPN__weight_spread": 1.5},
        "pathways.iSPN->iSPN.weight_spread: must"),
    "weights spread twice": (
        {"pathways__iSPN_to_iSPN__weight_cv": 0.5},
        "weights vary by weight_cv or by weight_spread (got both). Give one of them"),
    "half a range": ({"start__STN__v_low": None}, "start.STN.v_low: is missing, as v_high is"),
    "a range upside down": ({"start__STN__v_low": "-50 mV"},
                            "start.STN.v_low: must be below v_high, -64 mV (got -50 mV)"),
    "a range and a value": ({"start__STN__v": "-60 mV"},
                            "start.STN.v: must not be given beside v_low and v_high"),
    "a reference without a level": (
        {"modulators__ACh": {"reference": 0.8}}, "modulators.ACh.level: is missing"),
    "a fraction of an unknown channel": (
        {"channels__called": {"fraction": 0.2, "inside": "middle"}},
        'channels.called.inside: unknown channel (got "middle"). Known: left, right, called'),
    "a fraction of no share": (
        {"channels__called": {"fraction": 0.2, "inside": "called"}},
        "channels.called.inside: must be a channel with share and of, which divide the cells"),
    "all of a channel": (
        {"channels__called": {"all": True, "inside": "left"}},
        "channels.called: inside needs the fraction of the other channel (got inside left)"),
    "a channel of one type twice": (
        {"channels__left__of": ["iSPN", "GPeTI", "iSPN"]},
        "channels.left: of must name every cell type once (got iSPN twice)"),
    "a typo in a channel that a pathway keeps to": (
        {"channels__left__of": ["iSPN", "GPeTA"]},
        'channels.left.of: unknown cell type (got "GPeTA"). Known: iSPN, GPeTI, STN'),
    "a list of nuclei": ({"nuclei": ["GPe", "STN"]}, "nuclei: must be a table"),
    "a number of a nucleus": ({"nuclei__GPe": 100}, "nuclei.GPe: must be a table (got 100)"),
    "cells of nowhere": ({"cells__STN__nucleus": ""}, 'unknown nucleus (got ""). Known: GPe, STN'),
    "cells of two nuclei": ({"cells__STN__nucleus": ["GPe", "STN"]},
                            "cells.STN.nucleus: must be a text"),
    "a name with a blank": ({"nuclei__GP e": {}}, "nuclei.GP e: must be a letter"),
    "no nuclei": ({"nuclei": None}, 'unknown nucleus (got "GPe"). Known: none'),
    "no channels": ({"channels": None}, "same channels, which have of and share (got none and"),
    "half of a channel": ({"channels__left__share": "half"},
                          "channels.left.share: must be a number (got half)"),
    "shares above one": ({"channels__left__share": 0.8},
                         "channels: shares of iSPN must sum to at most 1 (got 1.3)"),
    "a channel of text": ({"channels__left__of": "iSPN"},
                          "channels.left.of: must be a list (got iSPN)"),
    "nearest as a part": ({"pathways__iSPN_to_iSPN__wiring__nearest": 30.5},
                          "wiring.nearest: must be a whole number (got 30.5)"),
    "nearest below one": ({"pathways__iSPN_to_iSPN__wiring__nearest": -1},
                          "wiring.nearest: must be > 0 (got -1)"),
    "a spread with a unit": ({"pathways__iSPN_to_iSPN__delay__spread": "0.5 ms"},
                             "delay.spread: must have no unit (got 0.5 ms)"),
    "a spread below zero": ({"pathways__iSPN_to_iSPN__delay__spread": -0.5},
                            "delay.spread: must be >= 0 (got -0.5)"),
    "a range without a unit": ({"start__STN__v_low": -70}, 'must carry its unit, "-70 mV"'),
    "same channel as text": ({"pathways__STN_to_GPeTI__wiring__same_channel": "yes"},
                             "wiring.same_channel: must be true or false (got yes)"),
    "an effect of no modulator": (
        {"cells__GPeTI__effects": [{"level": "NE", "acts_on": "b", "coefficient": 1}]},
        'cells.GPeTI.effects.0.level: unknown modulator (got "NE")'),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_circuits_are_refused_in_one_line(name, tmp_path, capsys):
    keys, message = BAD[name]
    file = tmp_path / "bad.json"
    file.write_text(json.dumps(changed(**keys)))
    assert main(["run", str(file), "--size", "400", "--out", str(tmp_path / "run")]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_what_only_a_size_decides_is_refused(circuit):
    with pytest.raises(BuildError, match=r"wiring.nearest: must be at most the sources of a target "
                                         r"\(got 30 of 29\). Lower it, or take more neurons"):
        ns.build(circuit.replace({"pathways.STN->GPeTI.wiring.n": 2,
                                  "pathways.iSPN->GPeTI.wiring.n": 2}), size=60)
    many = {f"c{k}": {"share": 0.05, "of": ["STN"]} for k in range(20)}
    raw = changed(channels__left__of=["iSPN", "GPeTI"], channels__right__of=["iSPN", "GPeTI"])
    raw["channels"] |= many
    with pytest.raises(BuildError, match=r"channels: 20 channels must not share fewer cells "
                                         r"\(got 16 STN\). Take more neurons"):
        ns.build(ns.load(raw), size=80)
    with pytest.raises(BuildError, match=r"every target in its channel \(got 150, one has \d+\)"):
        ns.build(circuit.replace({"pathways.iSPN->GPeTI.wiring.n": 150}), size=SIZE)
