"""The command, what it refuses, and the snippets of docs/export.md."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import neostriatum as ns
from neostriatum.cli import main
from neostriatum.recording.export import FORMATS
from neostriatum.recording.record import write_record


def test_command(run, folders, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(run.folder, "run")
    assert main(["export", "run", "--to", "csv", "--out", "out", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said == {"to": "csv", "out": "out", "traced": 9, "network": True, "note": None} | {
        key: run.summary[key] for key in ("circuit", "neurons", "synapses", "gap_junctions",
                                          "network_hash", "spikes", "spike_hash")}
    assert main(["export", "run", "--to", "neo", "--out", "neo"]) == 0
    assert "200 neurons, traces of 9 written to neo" in capsys.readouterr().out
    for status in ("started", "failed"):
        shutil.copytree("run", f"run-{status}")
        write_record(tmp_path / f"run-{status}", run.record | {"status": status})
    shutil.copytree("run", "cut")
    (tmp_path / "cut" / "spikes.h5").write_bytes(b"\x89HDF")
    shutil.copytree("run", "lost")
    (tmp_path / "lost" / "traces.h5").write_bytes(b"")
    for what, to, out, rule, code in (
        ("run", "mat", "x", "--to: must be sonata, nwb, neo, csv or neuron (got mat)", 2),
        ("run", "nwb", "out", "out: --out must be a new or empty folder", 5),
        ("run", "nwb", "run/run.json/x", "cannot be made", 5),
        ("run-started", "csv", "x", "did not finish (status killed). Go on with: neostriatum", 5),
        ("run-failed", "nwb", "x", "run-failed: the run did not finish (status failed)", 5),
        *((bad, to, "x", "is damaged", 5) for bad in ("cut", "lost") for to in FORMATS),
        ("nothing", "csv", "x", "nothing: is not there", 5),
    ):
        assert main(["export", what, "--to", to, "--out", out]) == code
        printed, err = capsys.readouterr()
        assert printed == ""
        assert rule in err
        assert err.count("\n") == 1
        assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(("to", "name"), [("nwb", "pynwb"), ("neo", "neo"), ("neo", "nixio")])
def test_missing_library(to, name, run, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, name, None)
    assert main(["export", str(run.folder), "--to", to, "--out", str(tmp_path / "x")]) == 3
    err = capsys.readouterr().err
    assert f"needs {name}, which is missing. pip install neostriatum[{to}]" in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_missing_xarray(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "xarray", None)
    with pytest.raises(ns.NeostriatumError, match=r"pip install neostriatum\[xarray\]") as caught:
        run.to_xarray()
    assert caught.value.exit_code == 3


FULL = """
import resource, sys
import neo, nixio, pynwb
from neostriatum.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
sys.exit(main(["export", *sys.argv[2:]]))
"""


@pytest.mark.parametrize(("to", "size"), [("sonata", 4000), ("csv", 4000), ("nwb", 4000),
                                          ("nwb", 200_000), ("neo", 4000)])
def test_full_disk(to, size, run, tmp_path):
    """A file cannot grow: one line, exit 5, nothing left."""
    done = subprocess.run([sys.executable, "-c", FULL, str(size), str(run.folder), "--to", to,
                           "--out", str(tmp_path / "x")], capture_output=True, text=True)
    assert done.returncode == 5, done.stderr
    assert "cannot be written (File too large). Free space or choose --out" in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_snippets(run, folders, tmp_path):
    """What docs/export.md shows runs, in the folder that its commands make."""
    text = (Path(__file__).parents[3] / "docs" / "export.md").read_text("utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 8
    for to in FORMATS:
        shutil.copytree(folders[to], tmp_path / f"for-{to}")
    shutil.copytree(run.folder, tmp_path / "runs" / "0001")
    done = subprocess.run([sys.executable, "-c", "".join(blocks)], cwd=tmp_path,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "volts" in done.stdout
    assert "FS 40" in done.stdout
