"""The report of a run: one page that loads nothing, believes nothing and leaves nothing out."""

import base64
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pages import Page

import neostriatum as ns
from neostriatum import plotting
from neostriatum.cli import main
from neostriatum.errors import RunFileError
from neostriatum.information import cited, describe
from neostriatum.plotting.gallery import STANDARD, picture
from neostriatum.recording.record import read_record, write_record
from neostriatum.reporting import captions
from neostriatum.runs.loop import Loop

GOOD = str(Path(__file__).parents[1] / "data" / "good_small.toml")
SRC = str(Path(ns.__file__).parents[1])
TIMERS = ("build_s", "warmup_s", "simulate_s", "real_time_factor", "peak_memory_gb")
QUICK = {"engine": "reference", "size": 60, "duration": "20 ms"}
#: Makes the FS cells fire within 20 ms.
STRONG = {"inputs.electrode.targets.FS.current": "1 nA"}
EVIL = "<script>alert('1')</script> \"quoted\" & {{ 7919 * 7919 }} </style></title>"


def page_of(folder):
    return Page((folder / "report.html").read_text("utf-8"))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run with spikes, an override and figures; not to be changed."""
    return ns.run(GOOD, out=tmp_path_factory.mktemp("runs") / "first", d1=0.8,
                  changes=STRONG | {"cells.dSPN.parameters.C": "16 pF"}, **QUICK).folder


@pytest.fixture
def folder(finished, tmp_path):
    """A copy of that run."""
    return Path(shutil.copytree(finished, tmp_path / "first"))


class Kill(Exception):
    """Ends a run as a kill does: nobody writes what happened."""


def report(folder, out=None):
    """Write the report without figures, which take most of the time."""
    return ns.report(folder, out, pictures={})


def altered(folder, change):
    """Change run.json in place."""
    record = read_record(folder)
    change(record)
    write_record(folder, record)
    return folder


# ---- a page that loads nothing --------------------------------------------------------------


def test_run_writes_it(finished):
    page = page_of(finished)
    assert page.text.count("Figure 3.") == 1
    more = len(plotting.FIGURES) - len(STANDARD)
    assert f"neostriatum report {finished} draws {more} more" in page.text
    assert (finished / "report.html").stat().st_size < 3e6


def test_python_writes_every_figure(folder):
    (folder / "report.html").unlink()
    made = ns.report(folder)
    assert made["figures"] == [name for name in plotting.FIGURES if name not in made["skipped"]]
    assert made["out"] == str(folder / "report.html")
    assert made["bytes"] == (folder / "report.html").stat().st_size < 3e6
    assert "draws" not in page_of(folder).text
    report(ns.Run(folder))  # over its own older one
    assert (folder / "report.html").stat().st_size < made["bytes"]


def test_loads_and_runs_nothing(finished):
    page = page_of(finished)
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "iframe", "object", "embed", "link", "form", "base", "svg"}
    for tag, attributes in page.elements:
        assert not [key for key in attributes if key.startswith("on") or key == "style"], tag
        assert attributes.get("src", "data:image/png;base64,").startswith("data:image/png;base64,")
        assert re.match(r"#|https://doi\.org/10\.", attributes.get("href", "#")), attributes
        assert "srcset" not in attributes
    assert not re.search(r"url\(|@import|expression|javascript", page.style)
    policy = next(said["content"] for tag, said in page.elements
                  if said.get("http-equiv") == "Content-Security-Policy")
    digest = base64.b64encode(hashlib.sha256(page.style.encode()).digest()).decode()
    assert policy.startswith("default-src 'none'; ")
    assert f"style-src 'sha256-{digest}'" in policy


def test_links_lead_somewhere(finished):
    page = page_of(finished)
    ids = [said["id"] for _, said in page.elements if "id" in said]
    assert len(ids) == len(set(ids))
    inside = {said["href"][1:] for _, said in page.elements if said.get("href", "")[:1] == "#"}
    assert len(inside) > 6
    assert inside <= set(ids)


def test_pictures_are_whole_and_described(finished):
    pictures = [said for tag, said in page_of(finished).elements if tag == "img"]
    for said, name in zip(pictures, ("raster", "traces", "rates"), strict=True):
        data = base64.b64decode(said["src"].partition(",")[2], validate=True)
        assert data == (finished / "figures" / f"{name}.png").read_bytes()
        assert data[:8] == b"\x89PNG\r\n\x1a\n"
        assert len(said["alt"]) > 10


# ---- a page that leaves nothing out ---------------------------------------------------------


def test_has_every_parameter(finished):
    rows = {row[0]: row[1:] for row in page_of(finished).rows if len(row) == 5}
    described = describe(finished)["values"]
    assert len(described) > 50
    for row in described:
        said = [str(row["value"]), row["how"] or "", row["source"] or "", row["note"] or ""]
        assert rows[row["key"]] == said, row["key"]


def test_has_every_source(finished):
    page = page_of(finished)
    used = cited(finished)["sources"]
    assert used
    for source in used:
        assert source["title"] in page.text
        assert f"{{{source['key']}," in page.text  # BibTeX
        if source.get("doi"):
            assert f"https://doi.org/{source['doi']}" in {
                said.get("href") for _, said in page.elements}


def test_says_the_numbers(finished):
    page, summary = page_of(finished), ns.Run(finished).summary
    assert summary["spikes"] > 0
    for key in ("spike_hash", "network_hash"):
        assert page.text.count(summary[key]) == 1
    for text in ("60", f"{summary['synapses']:,}", f"{summary['peak_memory_gb']:.2f} GB",
                 f"{summary['real_time_factor']:.2f}", ns.__version__):
        assert text in page.text
    types = {row[0]: row for row in page.rows if len(row) == 8}
    for name, rate in summary["rates_hz"].items():
        assert types[name][3] == f"{rate:.2f} Hz"
    assert sum(int(types[name][2]) for name in summary["rates_hz"]) == summary["spikes"]


def test_marks_what_was_changed(finished):
    page = page_of(finished)
    assert page.marked.count("16.0 pF") == 2  # in the summary, and among all parameters
    assert "16" in page.marked  # among the cells
    assert ["dopamine.d1.constant", "0.8"] in page.rows
    assert "Changed for this run" in page.text


def test_marks_nothing_where_nothing_changed(tmp_path):
    made = ns.run(GOOD, out=tmp_path / "run", figures=False, **QUICK | {"duration": "1 ms"})
    report(made.folder)
    page = page_of(made.folder)
    assert page.marked == []
    assert "Changed for this run" not in page.text
    assert "No neuron fired" in page.text
    assert made.summary["spikes"] == 0


def test_every_figure_has_a_caption(finished):
    run = ns.Run(finished)
    for name, make in plotting.FIGURES.items():
        assert name in captions._WORDS, f"{name}: say what it shows"
        said = captions.caption(name, make, run)
        assert "0 to 20 ms" in said
        assert "{" not in said

    def novel(run):
        """Draw something new.

        More.
        """

    assert captions.caption("novel", novel, run).startswith("Something new. n = ")


def test_same_run_same_bytes(finished, tmp_path, monkeypatch):
    again = ns.run(ns.Run(finished).circuit, out=tmp_path / "first", figures=False, **QUICK)
    old = read_record(finished)

    def as_before(record):
        record["summary"] |= {key: old["summary"][key] for key in TIMERS}
        record |= {key: old[key] for key in ("changes", "started")}

    altered(again.folder, as_before)
    first, second = tmp_path / "a.html", tmp_path / "b.html"
    for folder, out in ((finished, first), (again.folder, second)):
        drawn = picture(plotting.rate_histogram, ns.Run(folder))
        monkeypatch.chdir(folder.parent)
        ns.report(folder.name, out, pictures={"rates": drawn["png"]})
    assert first.read_bytes() == second.read_bytes()


# ---- how to run it again --------------------------------------------------------------------


def commands(folder):
    text = (folder / "report.html").read_text("utf-8")
    found = [re.sub(r"&#(\d+);", lambda one: chr(int(one[1])), block).replace("&gt;", ">")
             for block in re.findall(r"<pre>(.*?)</pre>", text, re.DOTALL)]
    return [one for one in found if one.startswith(("neostriatum ", "import "))]


@pytest.mark.usefixtures("one_figure")
def test_the_command_gives_the_same_spikes(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    strong = ["--set", "inputs.stimulus.targets.FS.current=500 pA"]
    asked = ["run", "seed", "--engine", "reference", "--size", "80", "--duration", "15 ms",
             "--dt", "0.05 ms", "--dopamine", "0.7", "--d2", "0.1", "--seed", "5",
             "--overlay", "parkinsonian.drive", *strong]
    assert main([*asked, "--out", "first"]) == 0
    line = commands(tmp_path / "first")[0]
    capsys.readouterr()
    assert main([*shlex.split(line)[1:], "--out", "again", "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    first = ns.Run("first").summary
    assert first["spikes"] > 0
    assert again["spike_hash"] == first["spike_hash"]
    assert again["network_hash"] == first["network_hash"]


def test_the_python_runs_again(folder):
    code = commands(folder)[-1]
    done = subprocess.run([sys.executable, "-c", code], cwd=folder.parent, check=False,
                          env={**os.environ, "PYTHONPATH": SRC}, capture_output=True, text=True,
                          timeout=600)
    assert done.returncode == 0, done.stderr


def test_no_command_for_another_circuit_of_that_name(folder):
    def renamed(record):
        record["circuit"]["name"] = "seed"
        record["changes"] = {}

    report(altered(folder, renamed))
    assert [one.split()[:2] for one in commands(folder)[:-1]] == [["neostriatum", "rerun"]]


def test_no_file_that_a_record_names_is_read(folder, monkeypatch):
    def named(record):
        record["circuit"] = ns.load("seed").to_dict()
        record["overlay"] = ["/etc/hostname"]

    def refuse(*said, **more):
        pytest.fail(f"read {said} {more}")

    altered(folder, named)
    monkeypatch.setattr("neostriatum.reporting.rerun.load", refuse)
    report(folder)
    assert [one.split()[:2] for one in commands(folder)[:-1]] == [["neostriatum", "rerun"]]


# ---- a page that believes nothing -----------------------------------------------------------


def test_hostile_texts_stay_texts(folder):
    def spoil(record):
        circuit = record["circuit"]
        circuit["summary"] = EVIL
        circuit["left_out"] = [EVIL]
        circuit["cells"]["dSPN"]["parameters"]["C"] = {
            "value": "15 pF", "source": EVIL, "how": "fitted", "note": EVIL}
        record["versions"] = {EVIL: EVIL, "neostriatum": EVIL}
        record["machine"] = {"processor": EVIL, "system": EVIL, "cores": EVIL}
        record |= {"engine": EVIL, "precision": EVIL, "network": EVIL, "changes": {EVIL: EVIL},
                   "overlay": [EVIL], "started": EVIL}

    altered(folder, spoil)
    evil = folder.rename(folder.with_name("<img src=x onerror=alert(1)>"))
    ns.report(evil, pictures={name: (evil / "figures" / f"{name}.png").read_bytes()
                              for name in STANDARD})
    page = page_of(evil)
    assert {tag for tag, _ in page.elements} & {"script", "iframe"} == set()
    assert [said["alt"] for tag, said in page.elements if tag == "img"]
    assert len([tag for tag, _ in page.elements if tag == "img"]) >= 3
    assert not [said for _, said in page.elements if "onerror" in said]
    assert page.text.count(EVIL) > 10
    assert "62710561" not in page.text  # no template in a text is run
    assert evil.name in page.text
    test_loads_and_runs_nothing(evil)


def test_record_of_wrong_kind(folder, capsys):
    good = json.dumps(read_record(folder))
    for where, wrong in (
            ("seed", "1"), ("seed", -1), ("counts", {}), ("counts", {"dSPN": 60}),
            ("counts", {"dSPN": -1, "iSPN": 1, "FS": 1}), ("counts", {"<b>": 60}), ("counts", None),
            ("duration_ms", 0.0), ("duration_ms", "20"), ("versions", []), ("overlay", "x"),
            ("changes", {"a": 1}), ("machine", {"cores": [1]}), ("circuit", {}), ("circuit", 3),
            ("summary", None), ("summary", {}), ("summary.spike_hash", "../../etc"),
            ("summary.synapses", "many"), ("network_hash", "<b>"), ("status", "running")):
        record = json.loads(good)
        *parts, last = where.split(".")
        at = record
        for part in parts:
            at = at[part]
        at[last] = wrong
        write_record(folder, record)
        before = sorted(folder.rglob("*"))
        for command in ("report", "plot"):
            assert main([command, str(folder)]) == 5, (where, wrong)
            out, err = capsys.readouterr()
            assert out == ""
            assert len(err.splitlines()) == 1
            assert "run.json" in err
            assert "our bug" not in err
        assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize(("spoil", "says"), [
    (lambda folder: (folder / "run.json").unlink(), "first"),
    (lambda folder: (folder / "run.json").write_text("{"), "run.json"),
    (lambda folder: (folder / "spikes.h5").unlink(), "spikes"),
    (lambda folder: (folder / "spikes.h5").write_bytes(b"\x89HDF"), "spikes"),
    (lambda folder: (folder / "traces.h5").write_bytes(b"\x89HDF"), "traces"),
])
def test_damaged_runs(folder, capsys, spoil, says):
    shutil.rmtree(folder / "figures")
    (folder / "report.html").unlink()
    spoil(folder)
    before = sorted(folder.rglob("*"))
    for command in ("report", "plot"):
        assert main([command, str(folder)]) == 5
        out, err = capsys.readouterr()
        assert out == ""
        assert len(err.splitlines()) == 1
        assert says in err
    assert sorted(folder.rglob("*")) == before


@pytest.mark.usefixtures("one_figure")
@pytest.mark.parametrize("recorded", [True, False])
def test_unfinished(tmp_path, monkeypatch, capsys, recorded):
    """What a killed run recorded is shown; one that recorded nothing is refused."""
    real = Loop.save

    def killed(job):
        if recorded:
            real(job)
        raise Kill

    monkeypatch.setattr(Loop, "save", killed)
    folder = tmp_path / "first"
    with pytest.raises(Kill):
        ns.run(GOOD, out=folder, changes=STRONG, **QUICK)
    before = sorted(folder.rglob("*"))
    code = main(["report", str(folder)])
    err = capsys.readouterr().err
    if recorded:
        assert code == 0, err
        page = page_of(folder)
        assert "This run did not finish (killed)" in page.text
        assert f"neostriatum resume {folder}" in page.text
        assert len(ns.Run(folder).spikes) > 0
        assert f"{len(ns.Run(folder).spikes):,}" in page.text
    else:
        assert code == 5
        assert "nothing was recorded yet" in err
        assert sorted(folder.rglob("*")) == before


def test_without_traces(tmp_path, monkeypatch):
    monkeypatch.setattr(plotting, "FIGURES", {"traces": plotting.traces})
    folder = ns.run(GOOD, out=tmp_path / "first", record="none", figures=False, **QUICK).folder
    assert ns.report(folder)["figures"] == ["traces"]
    assert "n = no recorded cells" in page_of(folder).text


def test_without_neurons_of_a_type(tmp_path):
    made = ns.run(GOOD, out=tmp_path / "run", changes={
        "cells.FS.fraction": 0, "cells.dSPN.fraction": 0.55}, figures=False, **QUICK)
    report(made.folder)
    rows = {row[0]: row for row in page_of(made.folder).rows if len(row) == 8}
    assert rows["FS"] == ["FS", "0", *["\N{EN DASH}"] * 6]


# ---- the command ----------------------------------------------------------------------------


def test_command(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(plotting, "FIGURES", {"raster": plotting.raster})
    out = tmp_path / "elsewhere.html"
    assert main(["report", str(folder), "--out", str(out), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["out"] == str(out)
    assert said["bytes"] == out.stat().st_size
    assert said["figures"] == ["raster"]


def test_command_for_a_person(folder, monkeypatch, capsys):
    monkeypatch.setattr(plotting, "FIGURES", {"rates": plotting.rate_histogram})
    assert main(["report", str(folder)]) == 0
    assert str(folder / "report.html") in capsys.readouterr().out
    assert main(["report", str(folder), "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def test_output_in_the_way(folder, tmp_path, capsys):
    there = tmp_path / "there.html"
    there.write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    for out in (there, tmp_path, tmp_path / "no" / "such.html", ""):
        assert main(["report", str(folder), "--out", str(out)]) == 5
        assert len(capsys.readouterr().err.splitlines()) == 1
    with pytest.raises(RunFileError, match="cannot be written"):
        report(folder, "/proc/report.html")
    assert sorted(tmp_path.rglob("*")) == before
    assert there.read_text() == "mine"
    (folder / "report.html").unlink()
    (folder / "report.html").mkdir()
    with pytest.raises(RunFileError, match=r"report\.html"):
        report(folder)


@pytest.mark.usefixtures("obeys_permissions")
def test_read_only_folder(folder):
    folder.chmod(0o500)
    try:
        with pytest.raises(RunFileError, match="cannot be written"):
            report(folder)
    finally:
        folder.chmod(0o700)


