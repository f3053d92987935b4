"""neostriatum build: what it prints, saves and refuses, and what it leaves behind."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import neostriatum as ns
from neostriatum.cli import main
from neostriatum.network.estimate import estimate

pytestmark = pytest.mark.usefixtures("one_figure")

#: docs/design.md, section 9.
KEYS = {"neurons", "synapses", "gap_junctions", "build_s", "bytes_per_synapse", "peak_memory_gb",
        "network_hash", "centre", "out"}
CENTRE = {"radius_um", "neurons", "indegree", "outdegree", "gap_per_FS", "distance_um"}
PLAN = {"circuit", "shape", "boundary", "volume_mm3", "neurons", "synapses", "bytes", "free_bytes",
        "fits", "seconds"}
SMALL = ["striatum_v1", "--size", "300"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(capsys, *arguments):
    """Run build with --json and return what it prints; nothing else may be printed."""
    assert main(["build", *arguments, "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""

    def refuse(name):
        pytest.fail(f"{name} in the JSON of build")

    return json.loads(out, parse_constant=refuse)


def refused(capsys, code, *arguments):
    """Build fails with one line, which is returned, and with this exit code."""
    assert main(["build", *arguments]) == code
    out, err = capsys.readouterr()
    assert out == ""
    lines = [line for line in err.splitlines() if not line.endswith(" ...")]
    assert len(lines) == 1, err
    assert len(lines[0]) <= 200
    return lines[0]


def everything(folder):
    return sorted(str(one.relative_to(folder)) for one in folder.rglob("*"))


# ---- what it says and saves ------------------------------------------------------------------


def test_json(capsys, folder):
    made = said(capsys, *SMALL, "--centre-radius", "60 um")
    assert set(made) >= KEYS
    assert made["neurons"] == {"dSPN": 148, "iSPN": 148, "FS": 4}
    network = ns.load_network(made["out"])
    assert made["network_hash"] == network.hash() == ns.build("striatum_v1", size=300).hash()
    assert made["synapses"] == {name: len(one) for name, one in network.edges.items()}
    assert set(made["centre"]) == CENTRE
    assert made["centre"]["radius_um"] == 60.0
    assert set(made["edge"]) == CENTRE - {"radius_um"} | {"range_um"}
    for block in (made["centre"], made["edge"]):
        assert set(block["neurons"]) == {"SPN", "FS"}
        assert set(block["indegree"]) == set(block["distance_um"]) == {
            "SPN->SPN", "FS->SPN", "FS->FS"}
        assert set(block["outdegree"]) == {"FS->SPN"}
        for one in (*block["indegree"].values(), *block["distance_um"].values(),
                    *block["outdegree"].values(), block["gap_per_FS"]):
            assert set(one) == {"mean", "sd"}
    assert (made["shape"], made["boundary"]) == ("cube", "periodic")
    assert 5 < made["bytes_per_synapse"] < 6.5
    assert made["build_s"] > 0
    assert made["peak_memory_gb"] > 0
    assert {**ns.anatomy(network, "60 um"), "out": made["out"]} == {
        key: made[key] for key in (*ns.anatomy(network, "60 um"), "out")}


def test_default_folders_are_numbered(capsys, folder):
    for number in ("0001", "0002"):
        made = said(capsys, *SMALL)
        assert made["out"] == f"networks/{number}/network.h5"
        assert json.loads(Path(f"networks/{number}/anatomy.json").read_text()) == made
    assert everything(folder / "networks" / "0002") == ["anatomy.json", "network.h5"]


def test_a_file_and_a_folder(capsys, folder):
    assert said(capsys, *SMALL, "--out", "net.h5")["out"] == "net.h5"
    assert said(capsys, *SMALL, "--out", "deep/net")["out"] == "deep/net/network.h5"
    assert everything(folder) == ["deep", "deep/net", "deep/net/anatomy.json",
                                  "deep/net/network.h5", "net.h5"]


def test_lines_for_a_person(capsys):
    assert main(["build", *SMALL, "--set", "volume.boundary=open", "--out", "net.h5"]) == 0
    out, err = capsys.readouterr()
    assert "300 neurons, cube of 0.00387 mm^3, open boundary" in out
    assert "within 75 um of the centroid" in out
    assert "within 500 um of the surface" in out
    assert "saved in net.h5" in out
    assert "nan" not in out
    assert err.splitlines() == ["placing somas ...", "wiring ...", "measuring ...", "saving ..."]
    assert main(["build", *SMALL, "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def test_options_reach_the_network(capsys):
    made = said(capsys, "humphries2010", "--size", "400", "--seed", "7", "--set",
                "volume.shape=sphere")
    other = ns.build(ns.load("humphries2010", changes={"volume.shape": "sphere"}), size=400, seed=7)
    assert made["network_hash"] == other.hash()
    assert made["shape"] == "sphere"
    dense = said(capsys, *SMALL, "--overlay", "dense", "--threads", "1")
    circuit = ns.load("striatum_v1", overlay="dense")
    assert dense["network_hash"] == ns.build(circuit, size=300).hash()


def test_a_run_takes_what_was_built(capsys):
    made = said(capsys, *SMALL, "--out", "net.h5")
    assert main(["run", "--network", "net.h5", "--duration", "1 ms", "--engine", "reference",
                 "--set", "warmup=0 ms", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["network_hash"] == made["network_hash"]


def test_peak_memory_is_not_counted_twice(folder):
    """Saving must start no process: it would count as large as the network."""
    code = ("import sys, neostriatum as ns; made = ns.construct(size=100, progress=lambda phase, "
            "share: phase == 'wire' and sys.addaudithook(lambda event, _: event in "
            "('subprocess.Popen', 'os.fork', 'os.posix_spawn') and print(event)))")
    source = str(Path(ns.__file__).parents[1])
    made = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": source},
                          capture_output=True, text=True, check=True, timeout=300)
    assert made.stdout == ""


def test_one_call_in_python(folder):
    phases = []
    made = ns.construct("striatum_v1", size=300, out="net.h5",
                        progress=lambda phase, share: phases.append(phase))
    assert list(dict.fromkeys(phases)) == ["place", "wire", "measure", "save"]
    assert Path(made["out"]).is_file()
    assert ns.estimate("striatum_v1", size=300).neurons == made["neurons"]


# ---- dry run ---------------------------------------------------------------------------------


def test_dry_run(capsys, folder):
    made = said(capsys, "striatum_v1", "--dry-run", "--size", "1667000", "--set",
                "volume.shape=ellipsoid")
    assert set(made) == PLAN
    circuit = ns.load("striatum_v1", changes={"volume.shape": "ellipsoid"})
    expected = estimate(circuit, 1_667_000)
    assert (made["neurons"], made["synapses"]) == (expected.neurons, expected.synapses)
    assert made["bytes"] == expected.bytes
    assert made["volume_mm3"] == pytest.approx(21.5, abs=0.01)
    assert 3e8 < sum(made["synapses"].values()) < 5e8
    assert everything(folder) == []


def test_dry_run_of_what_cannot_fit(capsys):
    made = said(capsys, "striatum_v1", "--dry-run", "--size", str(2**31 - 1), "--overlay", "dense")
    assert made["fits"] is False
    assert main(["build", "striatum_v1", "--dry-run", "--size", str(2**31 - 1),
                 "--overlay", "dense"]) == 0
    assert "it does not fit" in capsys.readouterr().out


@pytest.mark.parametrize("dry", [["--dry-run"], []])
def test_a_dry_run_refuses_what_building_refuses(dry, capsys, folder):
    arguments = ["build", "striatum_v1", "--size", "60", "--set", 'pathways.FS->dSPN.wiring='
                 '{"rule": "fixed_indegree", "n": 5}', *dry]
    assert main(arguments) == 2
    assert capsys.readouterr().err.splitlines() == [
        "striatum_v1: pathways.FS->dSPN.wiring.n: must be at most the sources of every target "
        "(got 5, one has 1). Lower it"]
    assert [path for path in everything(folder) if str(path) != "networks"] == []


def test_a_dry_run_saves_nothing(capsys, folder):
    line = refused(capsys, 2, "--dry-run", "--out", "net.h5")
    assert line == "out: a dry run saves nothing (got net.h5). Leave one of the two out"
    assert everything(folder) == []


# ---- refusals --------------------------------------------------------------------------------


@pytest.mark.parametrize(("arguments", "what"), [
    (["nobody"], "nobody"),
    (["--centre-radius", "75"], "centre_radius: must carry its unit"),
    (["--centre-radius", "-5 um"], "centre_radius: must be > 0 um"),
    (["--seed", "-1"], "seed"),
    (["--threads", "0"], "threads: must be a whole number from 1 to 1024"),
    (["--size", "0"], "--size"),
    (["--size", str(2**31 - 1), "--overlay", "dense"], "free memory"),
    (["--set", "volume.minimum_distance=40 um"], "volume.minimum_distance"),
    (["--set", "volume.shape=torus"], "volume.shape"),
    (["--overlay", "nothing"], "nothing"),
    (["--set", 'pathways.FS->dSPN.wiring={"rule": "fixed_indegree", "n": 500}'], "FS->dSPN"),
])
@pytest.mark.parametrize("out", [[], ["--out", "net.h5"], ["--out", "new"]])
def test_bad_input_leaves_nothing(capsys, folder, arguments, what, out):
    size = [] if "--size" in arguments else SMALL
    assert what in refused(capsys, 2, *size, *arguments, *out)
    assert everything(folder) == []


def test_what_exists_is_refused(capsys, folder):
    Path("net.h5").write_bytes(b"mine")
    assert "net.h5: exists already" in refused(capsys, 5, *SMALL, "--out", "net.h5")
    assert Path("net.h5").read_bytes() == b"mine"
    Path("full").mkdir()
    Path("full/mine").touch()
    assert "--out must be a new or empty folder" in refused(capsys, 5, *SMALL, "--out", "full")
    assert "its folder must exist" in refused(capsys, 5, *SMALL, "--out", "no/net.h5")
    assert everything(folder) == ["full", "full/mine", "net.h5"]


def test_a_mesh_has_its_own_size(capsys, folder):
    trimesh = pytest.importorskip("trimesh")
    trimesh.creation.box((150, 150, 150)).export("box.stl")
    circuit = ns.load("striatum_v1").to_dict()
    circuit["volume"] = {**circuit["volume"], "shape": "mesh", "file": "box.stl",
                         "boundary": "open"}
    Path("mine.json").write_text(json.dumps(circuit))
    before = everything(folder)
    assert "size: follows from the mesh" in refused(capsys, 2, "mine.json", "--size", "300")
    assert everything(folder) == before
    assert sum(said(capsys, "mine.json", "--dry-run")["neurons"].values()) == 262
    made = said(capsys, "mine.json", "--out", "net.h5")
    assert made["shape"] == "mesh"
    assert sum(made["neurons"].values()) == 262


def test_a_full_disk_leaves_nothing(folder):
    """The limit on the size of a file stands for a disk that is full."""
    code = ("import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (50000, 50000)); "
            "from neostriatum.cli import main; sys.exit(main(sys.argv[1:]))")
    source = str(Path(ns.__file__).parents[1])
    for out, left in (("net.h5", []), ("new", [])):
        made = subprocess.run(
            [sys.executable, "-c", "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
             + code, "build", *SMALL, "--out", out, "--quiet"],
            env={**os.environ, "PYTHONPATH": source}, capture_output=True, text=True, check=False,
            timeout=300)
        assert made.returncode == 5, made.stderr
        assert len(made.stderr.strip().splitlines()) == 1
        assert everything(folder) == left


def test_an_interrupt_leaves_nothing(capsys, folder, monkeypatch):
    from neostriatum import construction

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(construction, "anatomy", interrupt)
    assert main(["build", *SMALL, "--quiet"]) == 130
    assert capsys.readouterr().err.strip() == "interrupted"
    assert everything(folder) == []
