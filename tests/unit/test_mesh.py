"""Closed meshes as volumes: somas lie inside, and what bounds no volume is refused."""

import builtins
import json
import math
import struct

import numpy as np
import pytest

import neostriatum as ns
from neostriatum.cli import main
from neostriatum.network import mesh as mesh_module
from neostriatum.network.place import place
from neostriatum.network.volume import space

trimesh = pytest.importorskip("trimesh")


def ball(radius=200.0, at=(0.0, 0.0, 0.0), fineness=3):
    return trimesh.creation.icosphere(fineness, radius).apply_translation(at)


def joined(*parts):
    return trimesh.util.concatenate(parts)


def inverted(mesh):
    mesh.invert()
    return mesh


def without(mesh, number):
    mesh.update_faces(np.arange(len(mesh.faces)) != number)
    return mesh


def turned(mesh, number):
    mesh.faces[number] = mesh.faces[number][::-1]
    return mesh


def dented():
    """A ball with one corner pulled through the opposite wall."""
    mesh = ball(fineness=2)
    mesh.vertices[0] *= -1.5
    return mesh


def circuit_with(folder, mesh, name="tissue.obj", **said):
    """Return a circuit in ``folder`` whose volume is a mesh (or the bytes of its file)."""
    data = mesh if isinstance(mesh, bytes) else mesh.export(file_type=name[-3:])
    (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())
    raw = ns.load("striatum_v1").to_dict()
    raw["volume"] = {"shape": "mesh", "file": name, "density": raw["volume"]["density"],
                     "minimum_distance": "15 um"} | said
    (folder / "net.json").write_text(json.dumps(raw))
    return ns.load(str(folder / "net.json"))


@pytest.mark.parametrize("name", ["tissue.obj", "tissue.stl", "TISSUE.STL"])
def test_a_ball_is_a_sphere(name, tmp_path):
    radius, exact = 250.0, 4 / 3 * np.pi * 0.25**3
    data = ball(radius, (1e4, -300, 7)).export(file_type=name[-3:].lower())
    made = ns.build(circuit_with(tmp_path, data if isinstance(data, bytes) else data.encode(),
                                 name))
    assert made.shape == "mesh"
    assert 0.985 * exact < made.volume_mm3 < exact
    assert made.size == round(made.volume_mm3 * 77520)
    assert math.isclose(made.side_um, 2 * radius, rel_tol=1e-4)
    away = np.sqrt(((made.positions.astype(float) - made.side_um / 2) ** 2).sum(axis=1))
    assert away.max() <= radius
    inner = (away < radius * 0.5 ** (1 / 3)).mean()
    assert abs(inner - 0.5 * exact / made.volume_mm3) < 3 * 0.5 / math.sqrt(made.size)


def test_the_same_box_in_other_units(tmp_path):
    um = circuit_with(tmp_path, trimesh.creation.box((300, 400, 500)), "um.obj")
    mm = circuit_with(tmp_path, trimesh.creation.box((0.3, 0.4, 0.5)), "mm.obj", unit="mm")
    volumes = [space(circuit) for circuit in (um, mm)]
    assert {volume.size for volume in volumes} == {round(0.06 * 77520)}
    assert np.allclose(volumes[1].box, [300, 400, 500])


TURN = trimesh.transformations.rotation_matrix(0.7, (1, 2, 3))


def tilted():
    """A box with many flat neighbours, in no axis' direction."""
    mesh = trimesh.creation.box((200, 300, 400)).subdivide().subdivide().subdivide()
    return mesh.apply_transform(TURN)


BODIES = {
    "tilted": (tilted(), lambda p: np.abs(p @ TURN[:3, :3]) <= [100.001, 150.001, 200.001]),
    # Its inner ring of 32 chords lies up to 1.06 um beyond the true one.
    "torus": (trimesh.creation.torus(300, 80), lambda p: np.hypot(
        np.hypot(p[:, 0], p[:, 1]) - 300, p[:, 2]) <= 81.1),
    "two": (joined(ball(), ball(at=(500, 0, 0))), lambda p: (
        (np.abs(p[:, 0]) - 250) ** 2 + p[:, 1] ** 2 + p[:, 2] ** 2) <= 200.001**2),
    "cavity": (joined(ball(), inverted(ball(100))), lambda p: (p**2).sum(axis=1) > 95**2),
}


@pytest.mark.parametrize("name", BODIES)
def test_bodies(name, tmp_path):
    mesh, holds = BODIES[name]
    circuit = circuit_with(tmp_path, mesh)
    volume = space(circuit)
    assert math.isclose(volume.volume_um3, mesh.volume, rel_tol=1e-6)
    positions = place(circuit, circuit.counts(volume.size), volume, 1).astype(float)
    assert positions.min() >= 0
    assert positions.max() < volume.side
    assert np.all(holds(positions - volume.side / 2))
    # Evenly: each half of the body, cut across its middle, has its share of the somas.
    for axis in range(3):
        low = (positions[:, axis] < volume.side / 2).mean()
        assert abs(low - 0.5) < 4 * 0.5 / math.sqrt(volume.size)


#: Versions of trimesh differ in whether they stumble or find nothing.
UNREAD = "is not a mesh|must hold triangles"
BAD = {
    "open.obj": (lambda: without(ball(), 7), "must be closed: every edge between two triangles"),
    "sheet.obj": (lambda: b"v 0 0 0\nv 100 0 0\nv 0 100 9\nf 1 2 3\n", "must be closed"),
    "twice.obj": (lambda: joined(ball(), ball()), "must be closed"),
    "crossing.obj": (lambda: joined(ball(), ball(at=(300, 0, 0))), "must not cross itself (got "),
    "dented.obj": (dented, "must not cross itself"),
    "boxes.obj": (lambda: joined(trimesh.creation.box((300, 300, 300)), trimesh.creation.box(
        (100, 100, 900))), "must not cross itself"),
    "inward.obj": (lambda: inverted(ball()), "triangles must face outward (got triangle 0 facing"),
    "inward_body.obj": (lambda: joined(ball(), inverted(ball(at=(500, 0, 0)))),
                        "triangles must face outward"),
    "nested.obj": (lambda: joined(ball(), ball(100)), "triangles must face outward"),
    "turned.obj": (lambda: turned(ball(), 3), "triangles must turn one way around"),
    "thin.obj": (lambda: joined(ball(9), ball(9, (900, 900, 900))), "must fill at least 0.001"),
    "speck.obj": (lambda: trimesh.creation.box((2, 2, 2)), "must hold 1 to 2^31 neurons"),
    "metres.obj": (lambda: ball(2e-4), "Check volume.unit"),
    "endless.obj": (lambda: b"v 0 0 0\nv 1e999 0 0\nv 0 1 0\nf 1 2 3\n", "must be finite"),
    "empty.obj": (lambda: b"", ""),
    "empty.stl": (lambda: b"", ""),
    "points.obj": (lambda: b"v 0 0 0\nv 1 0 0\n", ""),
    "text.obj": (lambda: b"call me Ishmael\n", ""),
    "index.obj": (lambda: b"v 0 0 0\nv 9 0 0\nv 0 9 9\nf 1 2 77\n", "is not a mesh"),
    "binary.obj": (lambda: bytes(range(256)) * 9, ""),
    "cut.stl": (lambda: ball().export(file_type="stl")[:-33], UNREAD),
    "huge_count.stl": (lambda: bytes(80) + struct.pack("<I", 2**32 - 1) + bytes(50),
                       UNREAD),
    "notes.txt": (lambda: b"v 0 0 0\n", "must end in .obj or .stl (got notes.txt)"),
}


def refused(capsys, arguments, code):
    """Return the one line that a command is refused with."""
    assert main(arguments) == code
    said = capsys.readouterr()
    assert said.out == ""
    lines = said.err.splitlines()
    assert len(lines) == 1, lines
    assert len(lines[0]) <= 200
    return lines[0]


@pytest.mark.parametrize("name", BAD)
def test_bad_mesh(name, tmp_path, capsys, monkeypatch):
    make, fragment = BAD[name]
    mesh = make()
    data = mesh if isinstance(mesh, bytes) else mesh.export(file_type="obj").encode()
    circuit_with(tmp_path, data, name)
    monkeypatch.chdir(tmp_path)
    line = refused(capsys, ["run", "net.json", "--quiet", "--engine", "reference"], 2)
    assert line.startswith("striatum_v1: volume.file: ")
    assert any(one in line for one in fragment.split("|"))
    assert not (tmp_path / "runs").exists()


def test_too_many_triangles(tmp_path, monkeypatch):
    circuit = circuit_with(tmp_path, ball())
    monkeypatch.setattr(mesh_module, "MOST_TRIANGLES", 1279)
    with pytest.raises(ns.NeostriatumError, match=r"at most 1279 triangles \(got 1280\)"):
        space(circuit)
    monkeypatch.setattr(mesh_module, "MOST_BYTES", 1_000_000)
    (tmp_path / "tissue.obj").write_bytes(b"#" * 1_000_001)
    with pytest.raises(ns.NeostriatumError, match="must have at most 1 MB"):
        space(circuit)


def test_size_beside_a_mesh(tmp_path, capsys, monkeypatch):
    circuit_with(tmp_path, ball())
    monkeypatch.chdir(tmp_path)
    line = refused(capsys, ["run", "net.json", "--quiet", "--size", "500"], 2)
    assert "size: follows from the mesh and the density (got 500). Leave it out" in line
    assert not (tmp_path / "runs").exists()


def test_file_outside_the_folder(tmp_path, capsys):
    inner = tmp_path / "net"
    inner.mkdir()
    circuit_with(inner, ball())
    (tmp_path / "elsewhere.obj").write_bytes((inner / "tissue.obj").read_bytes())
    (inner / "link.obj").symlink_to(tmp_path / "elsewhere.obj")
    raw = json.loads((inner / "net.json").read_text())
    for name in ("../elsewhere.obj", "link.obj", str(tmp_path / "elsewhere.obj"), "x\x00.obj",
                 "x" * 250):
        raw["volume"]["file"] = name
        (inner / "net.json").write_text(json.dumps(raw))
        line = refused(capsys, ["info", str(inner / "net.json")], 2)
        assert line.startswith("net.json: volume: ")


def test_a_mesh_names_no_other_file(tmp_path):
    """The material of an OBJ file, which may lie anywhere, is not read."""
    data = b"mtllib /etc/hostname\nusemtl x\n" + ball().export(file_type="obj").encode()
    assert space(circuit_with(tmp_path, data)).size > 2000


def test_without_trimesh(tmp_path, capsys, monkeypatch):
    circuit_with(tmp_path, ball())
    real = builtins.__import__

    def missing(name, *more, **about):
        if name == "trimesh":
            raise ImportError(name)
        return real(name, *more, **about)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(builtins, "__import__", missing)
    line = refused(capsys, ["run", "net.json", "--quiet"], 3)
    assert line == ("striatum_v1: volume.file: a mesh needs trimesh, which is missing. "
                    "pip install neostriatum[mesh]")


def test_a_run_keeps_its_mesh(tmp_path):
    circuit = circuit_with(tmp_path, ball(60))
    made = ns.run(circuit, duration="1 ms", engine="reference", figures=False,
                  out=tmp_path / "run", changes={"warmup": "0 ms"})
    again = ns.build(made.circuit, seed=made.seed)
    assert made.summary["neurons"] == again.size
    assert made.summary["network_hash"] == again.hash()
