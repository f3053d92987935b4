"""Somas lie inside their shape, evenly, no two too near, numbered along the curve."""

import math

import numpy as np
import pytest

import neostriatum as ns
from neostriatum.engines.inputs import channel_members
from neostriatum.errors import BuildError
from neostriatum.network.network import Network
from neostriatum.network.place import morton, place
from neostriatum.network.volume import space

SHAPES = {
    "cube": {"volume.shape": "cube", "volume.boundary": "open"},
    "torus": {"volume.shape": "cube", "volume.boundary": "periodic"},
    "slab": {"volume.shape": "slab", "volume.thickness": "150 um"},
    "column": {"volume.shape": "slab", "volume.thickness": "900 um"},
    "sphere": {"volume.shape": "sphere"},
    "ellipsoid": {"volume.shape": "ellipsoid"},
    "needle": {"volume.shape": "ellipsoid", "volume.axes": [0.5, 4, 1]},
}


@pytest.fixture(scope="module")
def striatum():
    return ns.load("striatum_v1")


def placed(circuit, size, seed=1):
    volume = space(circuit, size)
    return volume, place(circuit, circuit.counts(size), volume, seed)


def inside(circuit, volume, positions):
    """Whether positions lie in the shape that the circuit describes, from its definition."""
    about = positions.astype(float) - volume.side / 2
    said = circuit.volume
    if said.shape == "cube":
        return (np.abs(about) <= volume.side / 2).all(axis=1)
    um3 = len(positions) / said.density.value * 1e9
    if said.shape == "slab":
        half = [math.sqrt(um3 / said.thickness.value) / 2] * 2 + [said.thickness.value / 2]
        return (np.abs(about) <= np.array(half) * (1 + 1e-12)).all(axis=1)
    axes = np.array([axis.value for axis in said.axes]) if said.axes else np.ones(3)
    semi = axes * (um3 / (4 / 3 * np.pi * axes.prod())) ** (1 / 3)
    return ((about / semi) ** 2).sum(axis=1) <= 1 + 1e-12


def closest(positions, period=None):
    """Smallest distance of two positions: each against all that are less than 20 um along x."""
    points = positions.astype(float)[np.argsort(positions[:, 0])]
    if period is not None:
        points = np.concatenate([points, points[points[:, 0] < 20] + [period, 0, 0]])
    best, shift = np.inf, 1
    while (points[shift:, 0] - points[:-shift, 0]).min(initial=20) < 20:
        away = points[shift:] - points[:-shift]
        if period is not None:
            away[:, 1:] -= period * np.rint(away[:, 1:] / period)
        best = min(best, (away**2).sum(axis=1).min())
        shift += 1
    return math.sqrt(best)


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("size", [1, 3, 50, 6000])
def test_somas_lie_in_their_shape(name, size, striatum):
    circuit = striatum.replace(SHAPES[name])
    volume, positions = placed(circuit, size)
    assert positions.dtype == np.float32
    assert positions.shape == (size, 3)
    assert positions.min() >= 0
    assert positions.max() < volume.side
    assert inside(circuit, volume, positions).all()
    assert math.isclose(size / volume.volume_um3 * 1e9, circuit.volume.density.value)
    if size > 1:
        assert closest(positions) >= 15


def test_the_shape_is_filled(striatum):
    for changes in SHAPES.values():
        volume, positions = placed(striatum.replace(changes), 6000)
        low, high = volume.low, volume.low + volume.box
        assert (np.abs(positions.min(axis=0) - low) < 40).all()
        assert (np.abs(positions.max(axis=0) - high) < 40).all()


def test_opposite_faces_meet_on_a_torus_only(striatum):
    torus, positions = placed(striatum.replace(SHAPES["torus"]), 6000)
    assert closest(positions, torus.side) >= 15
    cube, positions = placed(striatum.replace(SHAPES["cube"]), 6000)
    assert closest(positions) >= 15
    assert closest(positions, cube.side) < 15


@pytest.mark.parametrize("name", ["cube", "sphere", "slab"])
def test_walls_do_not_gather_somas(name, striatum):
    """Without tissue beyond the walls, the outer 10 um held a sixth more than their share."""
    circuit, share = striatum.replace(SHAPES[name]), []
    for seed in range(8):
        volume, positions = placed(circuit, 3000, seed)
        about = np.abs(positions.astype(float) - volume.side / 2)
        if name == "sphere":
            outer = np.sqrt((about**2).sum(axis=1)) > volume.side / 2 - 10
            part = 1 - (1 - 20 / volume.side) ** 3
        else:
            outer = (about > np.array(volume.box) / 2 - 10).any(axis=1)
            part = 1 - np.prod([1 - 20 / extent for extent in volume.box])
        share.append(outer.mean() / part)
    assert abs(np.mean(share) - 1) < 0.06


def test_density_inside_an_open_volume(striatum):
    core = []
    for seed in range(6):
        volume, positions = placed(striatum.replace(SHAPES["cube"]), 10_000, seed)
        away = np.abs(positions - volume.side / 2).max(axis=1)
        core.append((away < volume.side / 2 - 40).mean() / (1 - 80 / volume.side) ** 3)
    assert abs(np.mean(core) - 1) < 0.01


@pytest.mark.parametrize("name", SHAPES)
def test_somas_lie_evenly(name, striatum):
    """Two levels: chi^2 over octants and shells for each seed, then whether the p are uniform."""
    circuit = striatum.replace(SHAPES[name] | {"volume.minimum_distance": "0 um"})
    chances = []
    for seed in range(60):
        volume, positions = placed(circuit, 800, seed)
        about = (positions.astype(float) - volume.side / 2) / (np.array(volume.box) / 2)
        octant = ((about > 0) * [1, 2, 4]).sum(axis=1)
        # The share of the volume that lies further in: the cube of a radius, or of a half edge.
        radius = (np.sqrt((about**2).sum(axis=1)) if volume.shape in ("sphere", "ellipsoid")
                  else np.abs(about).max(axis=1))
        shell = np.minimum(3, (radius**3 * 4).astype(int))
        counts = np.bincount(octant * 4 + shell, minlength=32)
        chances.append(upper_tail(((counts - 25) ** 2 / 25).sum(), 31))
    assert uniform(chances) > 1e-3


def upper_tail(chi2, degrees):
    """Chance of a larger chi^2, by Wilson and Hilferty: good to a percent at 31 degrees."""
    scale = 2 / (9 * degrees)
    return 0.5 * math.erfc(((chi2 / degrees) ** (1 / 3) - (1 - scale)) / math.sqrt(2 * scale))


def uniform(chances):
    """Chance of a larger Kolmogorov-Smirnov distance of ``chances`` from uniform."""
    ranked, n = np.sort(chances), len(chances)
    step = np.arange(n) / n
    d = max((ranked - step).max(), (step + 1 / n - ranked).max())
    x = d * (math.sqrt(n) + 0.12 + 0.11 / math.sqrt(n))
    return min(1.0, 2 * sum((-1) ** (k - 1) * math.exp(-2 * (k * x) ** 2) for k in range(1, 50)))


def test_the_statistics_can_fail():
    assert uniform(np.linspace(0.01, 0.99, 60)) > 0.9
    assert uniform(np.linspace(0, 1, 60) ** 2) < 1e-3
    assert abs(upper_tail(31 - 2 / 3, 31) - 0.5) < 0.01
    assert 0.04 < upper_tail(44.99, 31) < 0.06  # the 95th percentile


@pytest.mark.parametrize("name", SHAPES)
def test_ids_run_along_the_curve(name, striatum):
    circuit = striatum.replace(SHAPES[name])
    volume, positions = placed(circuit, 3000)
    start = 0
    for count in circuit.counts(3000).values():
        codes = morton(positions[start : start + count], volume.side)
        assert (codes[1:] >= codes[:-1]).all()
        start += count


def test_morton_interleaves_the_bits():
    points = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [3, 5, 1023]], np.float32)
    assert morton(points, 1024.0).tolist() == [1, 2, 4, sum(
        4 << 3 * bit for bit in range(10)) + 1 + 8 + 2 + (2 << 6)]


def test_a_seed_is_one_network(striatum):
    circuit = striatum.replace(SHAPES["ellipsoid"])
    first, again, other = (placed(circuit, 2000, seed)[1] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_without_a_distance_types_do_not_touch_each_other(striatum):
    circuit = striatum.replace(SHAPES["sphere"] | {"volume.minimum_distance": "0 um"})
    volume = space(circuit, 300)
    both = place(circuit, {"dSPN": 200, "FS": 100}, volume, 1)
    alone = place(circuit, {"FS": 100}, volume, 1)
    assert np.array_equal(both[200:], alone)


@pytest.mark.parametrize("name", [name for name in SHAPES if name != "torus"])
def test_full_packing_is_refused(name, striatum):
    circuit = striatum.replace(SHAPES[name] | {"volume.minimum_distance": "22 um"})
    with pytest.raises(BuildError, match=r"leaves no room for 900 neurons .*\(got 22 um\)"):
        placed(circuit, 900)


# ---- what a change of the shape brings with it ---------------------------------------------------


def test_another_shape_opens_a_torus(striatum):
    assert striatum.volume.periodic
    assert not striatum.replace({"volume.shape": "ellipsoid"}).volume.periodic
    assert striatum.replace({"volume.shape": "cube"}).volume.periodic
    with pytest.raises(ns.NeostriatumError, match="boundary must be open"):
        striatum.replace({"volume.boundary": "periodic", "volume.shape": "sphere"})


def test_another_shape_drops_what_the_former_had(striatum):
    slab = striatum.replace({"volume.thickness": "300 um", "volume.shape": "slab"})
    assert slab.replace({"volume.thickness": "200 um"}).volume.thickness.value == 200
    sphere = slab.replace({"volume.shape": "sphere"})
    assert "thickness" not in sphere.to_dict()["volume"]
    assert sphere.replace({"volume.shape": "cube"}).volume.boundary == "open"
    assert ns.load(sphere.to_dict()) == sphere


def test_overlay_changes_the_shape(tmp_path):
    path = tmp_path / "slice.toml"
    path.write_text('name = "slice"\nsummary = "x"\n[parts.volume]\n'
                    'volume = { shape = "slab", thickness = "300 um" }\n')
    volume = ns.load("striatum_v1", overlay=str(path)).volume
    assert (volume.shape, volume.boundary, volume.thickness.value) == ("slab", "open", 300)


def test_boundary_follows_the_shape_where_nothing_is_said():
    raw = ns.load("striatum_v1").to_dict()
    del raw["volume"]["boundary"]
    assert ns.load(raw).volume.periodic
    raw["volume"]["shape"] = "sphere"
    assert not ns.load(raw).volume.periodic


# ---- the network ---------------------------------------------------------------------------------


def test_network_says_its_volume(striatum):
    made = ns.build(striatum.replace(SHAPES["ellipsoid"]), size=500)
    assert made.shape == "ellipsoid"
    assert math.isclose(made.volume_mm3, 500 / 77520)
    assert not made.periodic
    assert np.abs(made.centroid_um - made.side_um / 2).max() < 20
    assert ns.build(striatum, size=500).filled == 1


def test_hash_covers_the_volume():
    def bare(**more):
        return Network(1, {"FS": 1}, 100.0, False, np.zeros((1, 3), np.float32), {},
                       {}, **more).hash()

    assert len({bare(), bare(shape="slab"), bare(shape="slab", filled=0.5)}) == 3


def test_sphere_channel_lies_in_the_middle(striatum):
    """A channel's sphere counts from the middle of the volume, whatever the shape."""
    ball = {"sphere": {"centre": ["20 um", "0 um", "0 um"], "radius": "40 um"}}
    for changes in (SHAPES["slab"], SHAPES["needle"]):
        circuit = ns.load(striatum.to_dict() | {"channels": {"ball": ball}}).replace(changes)
        made = ns.build(circuit, size=2000)
        ids = made.populations["iSPN"]
        one = type("P", (), {"n": len(ids), "offset": ids.start, "name": "iSPN"})
        members = channel_members(circuit, made, "ball", one, 1)
        away = made.positions[ids.start : ids.stop].astype(float) - made.side_um / 2 - [20, 0, 0]
        assert np.array_equal(members, np.flatnonzero((away**2).sum(axis=1) <= 1600))
        assert len(members) > 3


def test_a_torus_narrower_than_two_distances_says_so():
    with pytest.raises(BuildError, match=r"a torus of 2 neurons must be at least 30 um wide"):
        ns.build("striatum_v1", size=2)
    assert ns.build("striatum_v1", size=1).size == 1
    assert ns.build(ns.load("striatum_v1").replace({"volume.boundary": "open"}), size=2).size == 2
