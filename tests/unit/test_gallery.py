"""Figures by name into files: formats, windows, refusals, and nothing half-written."""

import json
from pathlib import Path

import pytest

import neostriatum as ns
from neostriatum import plotting
from neostriatum.cli import main
from neostriatum.errors import CircuitError, InputError, RunFileError
from neostriatum.plotting.gallery import STANDARD, figures_of, picture

GOOD = str(Path(__file__).parents[1] / "data" / "good_small.toml")
QUICK = {"engine": "reference", "size": 60, "duration": "20 ms", "figures": False}
MAGIC = {"png": b"\x89PNG\r\n\x1a\n", "svg": b"<?xml", "pdf": b"%PDF"}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run without figures; tests draw into folders of their own."""
    return ns.run(GOOD, out=tmp_path_factory.mktemp("runs") / "first", **QUICK)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """The file of a small network."""
    path = tmp_path_factory.mktemp("networks") / "net.h5"
    ns.build(GOOD, size=60).save(path)
    return path


def said(capsys, *arguments):
    assert main([*map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys, code, *arguments):
    assert main([*map(str, arguments)]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    return err


def test_every_figure_of_a_run(run, tmp_path, capsys, monkeypatch):
    assert set(STANDARD) <= set(plotting.FIGURES)
    quick = {name: plotting.FIGURES[name] for name in STANDARD}
    monkeypatch.setattr(plotting, "FIGURES", quick)
    made = said(capsys, "plot", run.folder, "--out", tmp_path / "all")
    assert made["out"] == str(tmp_path / "all")
    assert made["files"] == [f"{name}.png" for name in STANDARD]
    assert {one.name for one in (tmp_path / "all").iterdir()} == set(made["files"])


def test_formats_and_names(run, tmp_path, capsys):
    made = said(capsys, "plot", run.folder, "rates", "rates", "--format", "svg", "--format", "pdf",
                "--format", "png", "--out", tmp_path)
    assert made["files"] == ["rates.svg", "rates.pdf", "rates.png"]
    for name in made["files"]:
        assert (tmp_path / name).read_bytes().startswith(MAGIC[name[-3:]])


def test_same_run_same_bytes(run):
    for ending in MAGIC:
        first, second = (picture(plotting.rate_histogram, run, [ending]) for _ in range(2))
        assert first == second


def test_own_folder_is_drawn_over(run):
    made = ns.draw(run, "rates")
    assert made["out"] == str(run.folder / "figures")
    (run.folder / "figures" / "rates.png").write_bytes(b"old")
    ns.draw(str(run.folder), ["rates"])
    assert (run.folder / "figures" / "rates.png").read_bytes().startswith(MAGIC["png"])


def test_window(run, tmp_path, capsys, monkeypatch):
    seen = []

    def drawn(run, start_ms=0.0, stop_ms=None):
        seen.append((start_ms, stop_ms))
        return plotting.rate_histogram(run)

    monkeypatch.setattr(plotting, "FIGURES", {"rates": plotting.rate_histogram, "course": drawn})
    limits = ["--start", "5 ms", "--stop", "0.01 s"]
    made = said(capsys, "plot", run.folder, *limits, "--out", tmp_path)
    assert made["files"] == ["course.png"]
    ns.draw(run, "course", start="4 ms", out=tmp_path / "b")
    ns.draw(run, "course", out=tmp_path / "c")
    assert seen == [(5.0, 10.0), (4.0, 20.0), (0.0, None)]
    assert "takes no window" in refused(capsys, 2, "plot", run.folder, "rates", "--stop", "9 ms")
    for start, stop in (("5 ms", "5 ms"), ("9 ms", "5 ms"), ("-1 ms", "5 ms"), ("0 ms", "21 ms"),
                        ("0 ms", "5"), ("0 ms", "5 mV"), ("nan ms", "5 ms"), ("soon", "5 ms")):
        err = refused(capsys, 2, "plot", run.folder, "course", f"--start={start}", "--stop", stop)
        assert "start" in err or "stop" in err


def test_window_of_the_real_raster(run):
    assert picture(plotting.raster, run, start_ms=0.0, stop_ms=10.0)["png"] != picture(
        plotting.raster, run)["png"]


@pytest.mark.parametrize(("arguments", "known"), [
    (["nosuch"], "raster"), (["positions"], "raster"), (["rates", "--format", "gif"], "svg"),
    (["../rates"], "raster"), ([""], "raster"),
])
def test_unknown_names(run, tmp_path, capsys, arguments, known):
    assert known in refused(capsys, 2, "plot", run.folder, *arguments, "--out", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_figure_that_cannot_be_drawn(run, tmp_path, capsys, monkeypatch):
    def impossible(run):
        msg = "run: is too short (got 20 ms)"
        raise InputError(msg)

    monkeypatch.setattr(plotting, "FIGURES", {"rates": plotting.rate_histogram,
                                              "impossible": impossible})
    made = said(capsys, "plot", run.folder, "--out", tmp_path / "a")
    assert made["files"] == ["rates.png"]
    assert made["skipped"] == {"impossible": "run: is too short (got 20 ms)"}
    assert "too short" in refused(capsys, 2, "plot", run.folder, "impossible", "--out",
                                  tmp_path / "b")
    assert not (tmp_path / "b").exists()
    assert main(["plot", str(run.folder), "--out", str(tmp_path / "c")]) == 0
    assert "not drawn: impossible" in capsys.readouterr().out


def test_network(network, tmp_path, capsys):
    made = said(capsys, "plot", network, "positions", "connectivity", "--out", tmp_path / "all")
    assert made["files"] == ["positions.png", "connectivity.png"]
    (tmp_path / "network").mkdir()
    (tmp_path / "network" / "network.h5").write_bytes(network.read_bytes())
    made = said(capsys, "plot", tmp_path / "network", "degrees", "--out", tmp_path / "one")
    assert made["files"] == ["degrees.png"]
    assert list(figures_of(ns.load_network(network))) == [
        "positions", "degrees", "connection_probability", "connectivity"]
    assert "--out" in refused(capsys, 2, "plot", network, "degrees")
    assert "no time" in refused(capsys, 2, "plot", network, "--stop", "5 ms", "--out", tmp_path)
    assert "degrees" in refused(capsys, 2, "plot", network, "raster", "--out", tmp_path)


def test_neither_run_nor_network(tmp_path, capsys):
    (tmp_path / "text.txt").write_text("no")
    for what in (tmp_path, tmp_path / "nosuch", tmp_path / "text.txt", ""):
        refused(capsys, 5, "plot", what, "--out", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_output_in_the_way(run, tmp_path, capsys):
    (tmp_path / "rates.png").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    refused(capsys, 5, "plot", run.folder, "traces", "rates", "--out", tmp_path)
    refused(capsys, 5, "plot", run.folder, "rates", "--out", tmp_path / "rates.png")
    refused(capsys, 5, "plot", run.folder, "rates", "--out", "")
    refused(capsys, 5, "plot", run.folder, "rates", "--out", "/proc/figures")
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "rates.png").read_text() == "mine"


def test_python_refuses_alike(run, tmp_path):
    with pytest.raises(CircuitError, match="figure: must be one of"):
        ns.draw(run, ["nosuch"])
    with pytest.raises(RunFileError, match="is not there"):
        ns.draw(tmp_path / "nosuch")
