"""The record of a run: whatever `run` accepts, its record says, and every reader takes back."""

import json
import os
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest

import neostriatum as ns
from neostriatum.cli import main
from neostriatum.errors import CircuitError
from neostriatum.network.files import load_network
from neostriatum.recording.checked import LONGEST, checked
from neostriatum.recording.record import parsed, read_record, spelled, write_record

pytestmark = pytest.mark.usefixtures("one_figure")
GOOD = str(Path(__file__).parents[1] / "data" / "good_small.toml")
OVERLAY = 'name = "own"\nsummary = "own"\n[parts.dopamine.dopamine]\nd1 = 0.4\n'
QUICK = {"engine": "reference", "size": 60, "duration": "5 ms", "figures": False}
POINTS = 400
TABLE = {"table": {"times": [f"{n / 100} ms" for n in range(POINTS)],
                   "values": [round(n / POINTS, 4) for n in range(POINTS)]}}
CHANGES = {
    "a long table": {"dopamine.d1": TABLE},
    "a long text": {"summary": "x" * 20_000},
    "letters of the world": {"summary": "\N{GREEK SMALL LETTER MU} \N{CJK UNIFIED IDEOGRAPH-4E2D}"
                                        " \N{GRINNING FACE}"},
    "a number as text": {"summary": "0.3"},
    "a line": {"summary": "one\ntwo\t\"three\" 'four' \\ {{ 5 }}"},
    "half of a pair": {"summary": "\ud800"},
    "a number": {"dopamine.d1": 0.3},
    "a number of NumPy": {"dopamine.d1": np.float64(0.3)},
    "a quantity": {"cells.dSPN.parameters.C": "16 pF"},
    "a list": {"left_out": ["one", "two"]},
    "an array": {"dopamine.d1": {"table": {"times": ["0 ms", "1 ms"],
                                           "values": np.array([0.1, 0.2]).tolist()}}},
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Every test works in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """The file of a small network."""
    return ns.build(GOOD, size=60).save(tmp_path_factory.mktemp("networks") / "n.h5")


def taken_back(run):
    """Whether every reader takes a run back: record, report, figures, rerun, resume, export."""
    checked(ns.Run(run.folder))
    assert ns.report(run.folder, pictures={})["bytes"] > 0
    ns.draw(run.folder, "rates")
    ns.export(run.folder, "csv", "csv")
    assert ns.rerun(run.folder, out="again").summary["equal"]
    assert ns.resume(run.folder, duration="6 ms").duration_ms == 6
    return True


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_is_recorded(name):
    run = ns.run(GOOD, out="a", changes=CHANGES[name], **QUICK)
    record = read_record(run.folder)
    assert {key: parsed(text) for key, text in record["changes"].items()} == CHANGES[name]
    assert taken_back(run)
    assert read_record(Path("again"))["changes"] == record["changes"]


def test_the_command_of_a_report_holds_tables():
    run = ns.run("seed", out="a", changes={"dopamine.d1": TABLE}, **QUICK)
    ns.report(run, pictures={})
    page = Path("a/report.html").read_text("utf-8").replace("&#34;", '"').replace("&#39;", "'")
    line = next(row for row in page.splitlines() if row.startswith("<pre>neostriatum run seed"))
    words = shlex.split(line.removeprefix("<pre>").removesuffix("</pre>"))
    assert main([*words[1:], "--out", "b", "--quiet"]) == 0
    assert ns.Run("b").circuit == run.circuit
    assert ns.Run("b").summary["spike_hash"] == run.summary["spike_hash"]


@pytest.mark.parametrize("text", ["0.3", "{'table': {'times': ['0 ms']}}", "16 pF", "True"])
def test_records_of_before_are_read(text):
    """Changes were the text that Python makes of a value."""
    run = ns.run(GOOD, out="a", **QUICK)
    record = read_record(run.folder)
    record["changes"] = {"dopamine.d1": text}
    write_record(run.folder, record)
    assert taken_back(ns.Run("a"))


NAMES = {"bytes": os.fsdecode(b"\xe9t\xe9"), "letters": "\N{LATIN SMALL LETTER O WITH STROKE} ",
         "long": "/".join(["d" * 200] * 6), "quotes": "it's \"one\""}


@pytest.mark.parametrize("name", NAMES)
def test_every_path_is_recorded(name, network):
    there = Path(NAMES[name])
    there.mkdir(parents=True)
    shutil.copy(network, there / "n.h5")
    (there / "own.toml").write_text(OVERLAY)
    run = ns.run(network=there / "n.h5", overlay=there / "own.toml", out=there / "run",
                 **QUICK | {"size": None})
    record = read_record(run.folder)
    assert Path(record["network"]) == (there / "n.h5").absolute()
    assert record["overlay"] == [str(there / "own.toml")]
    assert taken_back(run)
    assert main(["report", str(there / "run"), "--json"]) == 0
    (there / "n.h5").rename("moved.h5")
    assert main(["rerun", str(there / "run"), "--out", "b"]) == 5
    assert main(["rerun", str(there / "run"), "--out", "b", "--network", "moved.h5"]) == 0


REFUSED = {
    "text longer than a circuit file": {"changes": {"summary": "x" * (LONGEST + 1)}},
    "table of more entries than a circuit": {"changes": {"dopamine.d1": {"table": {
        "times": [f"{n / 1000} ms" for n in range(6000)], "values": [0.1] * 6000}}}},
    "figures": {"figures": "no"}, "unit of weights": {"weight_unit": 3},
    "overlay of a number": {"overlay": 3}, "overlay of numbers": {"overlay": [3]},
    "record of a number": {"record": 3}, "record of numbers": {"record": [3]},
    "out of a number": {"out": 3}, "network of a number": {"network": 3},
    "changes of a number": {"changes": 3}, "changes of texts": {"changes": ["ab"]},
    "threads of a text": {"threads": "2"}, "threads of a half": {"threads": 0.5},
    "threads of bool": {"threads": True},
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_recorded_is_refused_before(name, folder):
    with pytest.raises(CircuitError) as refused:
        ns.run(GOOD, **QUICK | REFUSED[name])
    assert len(str(refused.value)) < 250
    assert "\n" not in str(refused.value)
    assert not list(folder.iterdir())


# ---- options that may be given in several ways --------------------------------------------------


class Somewhere(os.PathLike):
    """A path of another library."""

    def __init__(self, path):
        self.path = path

    def __fspath__(self):
        return self.path


OVERLAYS = {
    "text": "own.toml", "path": Path("own.toml"), "another path": Somewhere("own.toml"),
    "list": ["own.toml"], "tuple of paths": (Path("own.toml"),),
    "generator": (one for one in ["own.toml"]), "keys": {"own.toml": 1}.keys(),
    "array": np.array(["own.toml"]),
}


@pytest.mark.parametrize("kind", OVERLAYS)
def test_overlays(kind):
    Path("own.toml").write_text(OVERLAY)
    run = ns.run(GOOD, overlay=OVERLAYS[kind], **QUICK)
    assert run.record["overlay"] == ["own.toml"]
    assert run.dopamine[0] == 0.4


OPTIONS = {
    "record": ["FS:1:u", ["FS:1:u"], (one for one in ["FS:1:u"]), np.array(["FS:1:u"]),
               [np.str_("FS:1:u")]],
    "out": ["runs/0001", Path("runs/0001"), Somewhere("runs/0001")],
    "threads": [1, np.int64(1), np.uint8(1)],
    "figures": [False, np.bool_(False)],
    "changes": [{"dopamine.d1": 0.4}, [("dopamine.d1", 0.4)], {"dopamine.d1": np.float32(0.5)}],
}


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in OPTIONS.items()
                                            for value in values])
def test_kinds_of_options(key, value):
    run = ns.run(GOOD, **QUICK | {key: value})
    assert run.summary["out"] == "runs/0001"
    record = run.record
    assert record["threads"] in (None, 1)
    assert record["record"] in (None, ["FS:1:u"])
    checked(run)


@pytest.mark.parametrize("error", [ZeroDivisionError(), OSError(5, "no"), KeyError("x"),
                                   RecursionError()])
@pytest.mark.parametrize("place", ["_copy_inputs", "write_record", "build", "Writer"])
def test_an_exception_leaves_no_folder(place, error, folder, monkeypatch):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(f"neostriatum.runs.start.{place}", fail)
    with pytest.raises(type(error)):
        ns.run(GOOD, **QUICK)
    assert not list(folder.iterdir())


# ---- a folder that we wrote is a network --------------------------------------------------------

FORMS = {
    "file": "n.h5", "folder of build": "built", "file of build": "built/network.h5",
    "folder of SONATA": "sonata", "config": "sonata/circuit_config.json", "run": "exported",
}


@pytest.fixture(scope="module")
def forms(network, tmp_path_factory):
    """A network in every form that we write."""
    place = tmp_path_factory.mktemp("forms")
    (place / "built").mkdir()
    for name in ("n.h5", "built/network.h5"):
        shutil.copy(network, place / name)
    ns.export(network, "sonata", place / "sonata")
    run = ns.run(network=network, out=place / "run", **QUICK | {"size": None})
    ns.export(run, "sonata", place / "exported")
    return place


def test_build_writes_such_a_folder(capsys):
    assert main(["build", GOOD, "--size", "60", "--out", "n", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert ns.load_network("n").hash() == said["network_hash"]


@pytest.mark.parametrize("form", FORMS)
def test_a_network_in_every_form(form, forms, network):
    path = forms / FORMS[form]
    assert load_network(path).hash() == load_network(network).hash()
    assert ns.run(network=path, out="a", **QUICK | {"size": None}).finished
    assert ns.rerun("a", out="b").summary["equal"]
    assert ns.rerun("a", out="c", network=network).summary["equal"]
    assert main(["plot", str(path), "degrees", "--out", "figures", "--quiet"]) == 0
    assert main(["export", str(path), "--to", "sonata", "--out", "x", "--quiet"]) == 0


def test_a_folder_without_a_network(folder, capsys):
    for arguments in (["run", "--network", "."], ["plot", ".", "--out", "x"],
                      ["export", ".", "--to", "sonata", "--out", "x"]):
        assert main(arguments) == 5
        assert "network" in capsys.readouterr().err
    assert not list(folder.iterdir())


@pytest.mark.parametrize("value", [0, -1.5, True, None, "", "0", "null", "a b", "[1", [1, ["x"]],
                                   {"a": {"b": None}}, "\N{SNOWMAN}"])
def test_spelled_and_parsed(value):
    assert parsed(spelled(value)) == value
    assert type(parsed(spelled(value))) is type(value)
