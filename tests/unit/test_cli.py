"""The command line: what each command prints and writes, and how its options combine."""

import json
import os
import re
import resource
import subprocess
import sys
import tomllib
from importlib.resources import files
from pathlib import Path
from statistics import median

import h5py
import numpy as np
import pytest

import neostriatum as ns
from neostriatum import rng
from neostriatum.circuit.catalogue import presets
from neostriatum.circuit.load import load
from neostriatum.cli import app, entry, main
from neostriatum.recording.store import spike_hash

pytestmark = pytest.mark.usefixtures("one_figure")
SRC = str(Path(ns.__file__).parents[1])
GOOD = str(Path(__file__).parents[1] / "data" / "good_small.toml")
QUICK = ["--engine", "reference", "--size", "60", "--duration", "20 ms"]
#: Makes the FS cells fire within 20 ms.
STRONG = ["--set", "inputs.electrode.targets.FS.current=1 nA"]

#: Keys of --json that others rely on (docs/design.md section 9); more may come.
KEYS = {
    "run": {"circuit", "engine", "seed", "dopamine", "modulators", "duration_ms", "neurons",
            "synapses", "gap_junctions", "rates_hz", "warmup_ms", "spikes", "spike_hash",
            "network_hash", "build_s", "warmup_s", "simulate_s", "real_time_factor",
            "peak_memory_gb", "out"},
    "cell": {"cell", "circuit", "current_pa", "dopamine", "dt_ms", "spike_times_ms", "rate_hz"},
    "pair": {"source", "target", "psp_mv", "psp_peak_ms", "delay_ms", "conductance_ns",
             "holding_mv"},
    "info": {"name", "circuit", "values", "thresholds_mv", "recordable", "warnings",
             "left_out"},
    "cite": {"circuit", "sources"},
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(capsys, *arguments):
    """Run a command with --json and return what it prints; nothing else may be printed."""
    assert main([*arguments, "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""

    def refuse(name):
        pytest.fail(f"{name} in the JSON of {arguments[0]}")

    return json.loads(out, parse_constant=refuse)


def python(*arguments, **options):
    environment = {**os.environ, "PYTHONPATH": SRC}
    return subprocess.run([sys.executable, *arguments], env=environment, capture_output=True,
                          text=True, check=False, timeout=120, **options)


# ---- what is printed ------------------------------------------------------------------------


def test_json_keys(capsys):
    summary = said(capsys, "run", GOOD, *QUICK, *STRONG)
    assert set(summary) >= KEYS["run"]
    assert set(summary["dopamine"]) == {"d1", "d2"}
    assert summary["modulators"] == {"D1": 0.6, "D2": 0.3}  # at the end: d1 is a ramp
    assert set(summary["rates_hz"]) == {"dSPN", "iSPN", "FS"}
    cell = said(capsys, "cell", "dSPN", "--current", "300 pA", "--duration", "100 ms")
    assert set(cell) >= KEYS["cell"]
    sweep = said(capsys, "cell", "dSPN", "--sweep", "290:310:10 pA", "--duration", "100 ms")
    assert set(sweep) >= KEYS["cell"]
    assert len(sweep["rate_hz"]) == len(sweep["current_pa"]) == len(sweep["spike_times_ms"]) == 3
    assert set(said(capsys, "pair", "FS", "dSPN")) >= KEYS["pair"]
    assert set(said(capsys, "info", GOOD)) >= KEYS["info"]
    assert set(said(capsys, "cite", "striatum_v1")) >= KEYS["cite"]


def test_json_has_null_and_not_nan(capsys):
    # No neurons of a type have no rate, and a target that fires has no synaptic potential.
    nobody = ["--set", "cells.FS.fraction=0", "--set", "cells.dSPN.fraction=0.55"]
    assert said(capsys, "run", GOOD, *QUICK, *nobody)["rates_hz"]["FS"] is None
    strong = ["--set", "pathways.iSPN->dSPN.conductance.GABA=5000 nS",
              "--set", "receptors.GABA.E=0 mV"]
    pair = said(capsys, "pair", "iSPN", "dSPN", "--circuit", GOOD, *strong)
    assert pair["psp_mv"] is None
    assert pair["psp_peak_ms"] is None


def test_lines_for_a_person(capsys):
    assert main(["run", GOOD, *QUICK]) == 0
    out, err = capsys.readouterr()
    assert "60 neurons" in out
    assert "results in" in out
    assert err.splitlines()[0] == "placing somas ..."  # no bar where no terminal is
    for arguments in (["cell", "FSI", "--current", "200 pA", "--duration", "50 ms"],
                      ["cell", "FS", "--sweep", "100:200:50 pA", "--duration", "50 ms"],
                      ["pair", "FSI", "SP1"], ["info"], ["cite", "seed"]):
        assert main(arguments) == 0
        out, err = capsys.readouterr()
        assert out.strip()
        assert err == ""


def test_quiet_prints_nothing(capsys):
    assert main(["run", GOOD, *QUICK, "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("name", presets())
def test_info_of_every_preset(name, capsys):
    described = said(capsys, "info", name)
    assert described["name"] == name
    assert load(described["circuit"]) == load(name)
    assert len(described["values"]) > 50
    known = {name for name, cell in load(name).cells.items()
             if "static_threshold" in cell.cell_model.derived}
    assert set(described["thresholds_mv"]) == known
    assert main(["info", name]) == 0
    printed = capsys.readouterr().out
    for row in described["values"][:20]:
        assert re.search(rf"^{re.escape(row['key'])} +{re.escape(str(row['value']))}", printed,
                         re.MULTILINE)


def test_info_hides_control_characters(capsys, folder):
    (folder / "odd.toml").write_text(Path(GOOD).read_text("utf-8").replace(
        'summary = "', 'summary = "\\u001b[31m\\u0007\\n'))
    assert main(["info", "odd.toml"]) == 0
    out = capsys.readouterr().out
    assert all(line.isprintable() for line in out.split("\n"))


def test_schema(capsys):
    assert main(["info", "--schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) == {"name", "cells", "volume"}
    jsonschema = pytest.importorskip("jsonschema")
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    validator = kind(schema)
    packaged = files("neostriatum.circuit") / "presets"
    texts = [(packaged / f"{name}.toml").read_text("utf-8") for name in presets()]
    for text in (*texts, Path(GOOD).read_text("utf-8")):
        raw = tomllib.loads(text)
        if "extends" in raw:  # part of a circuit; the schema is of whole ones
            raw = load(raw).to_dict()
        assert list(validator.iter_errors(raw)) == []
        assert list(validator.iter_errors(load(raw).to_dict())) == []
    data = Path(GOOD).parent
    for name in ("unknown_key_target", "fraction_negative", "volume_missing", "how_unknown"):
        path = next(data.glob(f"bad_*{name}.toml"))
        assert not validator.is_valid(tomllib.loads(path.read_text("utf-8")))


def test_cite(capsys):
    made = said(capsys, "cite", "striatum_v1")
    keys = {source["key"] for source in made["sources"]}
    assert {"humphries2009b", "humphries2010", "hjorth2020", "fountas2017"} <= keys
    assert all(source["title"] and source["used_for"] for source in made["sources"])
    assert main(["cite", "striatum_v1"]) == 0
    out = capsys.readouterr().out
    assert len(re.findall(r"^@\w+\{\w+,$", out, re.MULTILINE)) == len(keys)
    assert out.count("{") == out.count("}")
    # A run cites what its own circuit used: a replaced value has no source.
    assert main(["run", GOOD, *QUICK, "--quiet", "--set", "cells.dSPN.parameters.d=90 pA"]) == 0
    assert [one["key"] for one in said(capsys, "cite", "runs/0001")["sources"]] == ["humphries2010"]
    assert said(capsys, "info", "runs/0001")["circuit"]["cells"]["dSPN"]["parameters"]["d"] == {
        "value": "90.0 pA", "source": "override", "how": "override"}


# ---- options --------------------------------------------------------------------------------


@pytest.mark.parametrize(("alias", "name"), [
    ("SP1", "dSPN"), ("SD1", "dSPN"), ("D1", "dSPN"), ("MSN_D1", "dSPN"), ("MSND1", "dSPN"),
    ("SP2", "iSPN"), ("SD2", "iSPN"), ("D2", "iSPN"), ("MSN_D2", "iSPN"), ("MSND2", "iSPN"),
    ("FSI", "FS"), ("FSN", "FS"),
])
def test_aliases(alias, name, capsys):
    made = said(capsys, "cell", alias, "--current", "0 pA", "--duration", "1 ms")
    assert made["cell"] == name


def test_aliases_of_a_pair(capsys):
    made = said(capsys, "pair", "FSI", "MSND2")
    assert (made["source"], made["target"]) == ("FS", "iSPN")


@pytest.mark.parametrize(("options", "d1", "d2"), [
    ([], 0.3, 0.3),
    (["--dopamine", "0.8"], 0.8, 0.8),
    (["--d1", "0.1"], 0.1, 0.3),
    (["--d2", "0"], 0.3, 0.0),
    (["--dopamine", "0.8", "--d1", "0"], 0.0, 0.8),
    (["--d2", "1", "--dopamine", "0.5", "--d1", "0.2"], 0.2, 1.0),
    (["--dopamine", "0", "--overlay", "parkinsonian.dopamine"], 0.0, 0.0),
    (["--dopamine", "0.7", "--overlay", "parkinsonian.dopamine"], 0.7, 0.7),
    (["--dopamine", "0.7", "--set", "dopamine.d1=0.9"], 0.7, 0.7),
])
def test_dopamine(options, d1, d2, capsys):
    made = said(capsys, "cell", "dSPN", "--current", "0 pA", "--duration", "1 ms", *options)
    assert made["dopamine"] == {"d1": d1, "d2": d2}


def test_set_and_dt(capsys):
    options = ["--set", "cells.dSPN.parameters.C=16 pF", "--set", "dt=0.05 ms",
               "--set", 'inputs.cortex.targets.FS.rate={"constant": "3 Hz"}',
               "--set", "inputs.cortex.targets.FS.afferents=300"]
    described = said(capsys, "info", GOOD, *options)
    row = {one["key"]: one for one in described["values"]}
    assert row["cells.dSPN.parameters.C"]["value"] == "16.0 pF"
    assert row["cells.dSPN.parameters.C"]["source"] == "override"
    assert row["dt"]["value"] == "0.05 ms"
    assert row["inputs.cortex.targets.FS.rate.constant"]["value"] == "3.0 Hz"
    assert row["inputs.cortex.targets.FS.afferents"]["value"] == 300
    made = said(capsys, "cell", "dSPN", "--current", "0 pA", "--dt", "0.2 ms", "--duration", "1 ms")
    assert made["dt_ms"] == 0.2


def test_empty_option_is_not_the_default(capsys):
    for option in ("--duration", "--engine", "--dt", "--overlay"):
        assert main(["run", GOOD, *QUICK, option, ""]) == 2
        assert capsys.readouterr().err.count("\n") == 1


# ---- what a run writes ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two runs with the same seed and one with another, in folders of their own."""
    root = tmp_path_factory.mktemp("made")
    assert main(["run", GOOD, *QUICK, *STRONG, "--seed", "7", "--quiet",
                 "--out", str(root / "first")]) == 0
    for name, seed in (("second", 7), ("third", 8)):
        ns.run(GOOD, engine="reference", size=60, duration="20 ms", seed=seed, figures=False,
               changes={"inputs.electrode.targets.FS.current": "1 nA"}, out=root / name)
    return {name: ns.Run(root / name) for name in ("first", "second", "third")}


def test_same_seed_same_spikes(made):
    first, second, third = (made[name].summary for name in ("first", "second", "third"))
    assert first["spikes"] > 0
    assert first["spike_hash"] == second["spike_hash"] != third["spike_hash"]
    assert first["network_hash"] == second["network_hash"] != third["network_hash"]


def test_run_json(made):
    run = made["first"]
    record = json.loads((run.folder / "run.json").read_text("utf-8"), parse_constant=pytest.fail)
    assert record["status"] == "finished"
    assert record["seed"] == 7
    assert record["stream_version"] == rng.STREAM_VERSION
    assert record["changes"] == {"inputs.electrode.targets.FS.current": "1 nA"}
    assert set(record["versions"]) >= {"python", "neostriatum", "numpy"}
    assert set(record["machine"]) >= {"processor", "cores", "system"}
    assert re.fullmatch("[0-9a-f]{64}", record["network_hash"])
    assert record["summary"]["network_hash"] == record["network_hash"]
    assert load(record["circuit"]) == run.circuit == load(GOOD, changes=record["changes"])
    assert set(record["summary"]) >= KEYS["run"]


def test_spikes_in_sonata_layout(made):
    run = made["first"]
    steps, ids = [], []
    with h5py.File(run.folder / "spikes.h5", "r") as file:
        assert file.attrs["magic"] == 0x0A7A
        assert set(file["spikes"]) == {"dSPN", "iSPN", "FS"}
        for name, span in run.populations.items():
            group = file[f"spikes/{name}"]
            assert h5py.check_enum_dtype(group.attrs.get_id("sorting").dtype) == {
                "none": 0, "by_id": 1, "by_time": 2}
            assert group.attrs["sorting"] == 2
            assert group["node_ids"].dtype == np.uint64
            assert group["timestamps"].dtype == np.float64
            assert group["timestamps"].attrs["units"] == "ms"
            times, local = group["timestamps"][()], group["node_ids"][()]
            assert (np.diff(times) >= 0).all()
            assert len(times) == len(local)
            assert ((times > 0) & (times <= 20 + 1e-9)).all()
            assert (local < len(span)).all()
            steps.append(np.rint(times / 0.1).astype(int) - 1)
            ids.append(local.astype(int) + span.start)
    assert spike_hash(np.concatenate(steps), np.concatenate(ids)) == run.summary["spike_hash"]
    assert len(run.spikes) == run.summary["spikes"]
    rate = run.rates()["FS"].mean()
    assert run.summary["rates_hz"]["FS"] == pytest.approx(rate, abs=1e-6)


def test_traces_in_sonata_layout(made):
    run = made["first"]
    with h5py.File(run.folder / "traces.h5", "r") as file:
        for name in ("dSPN", "iSPN", "FS"):
            group = file[f"report/{name}"]
            assert group["data"].attrs["units"] == "mV"
            assert group["data"].shape == (200, 3)
            assert group["mapping/node_ids"][()].tolist() == [0, 1, 2]
            assert group["mapping/time"].attrs["units"] == "ms"
            assert group["mapping/time"][()] == pytest.approx([0.1, 20.1, 0.1])
    assert run.traces["FS"].times_ms[-1] == pytest.approx(20.0)


def test_figures_and_nothing_else(made):
    folder = made["first"].folder
    state = made["first"].record["state"]["state"]
    assert {one.name for one in folder.iterdir()} == {"run.json", "spikes.h5", "traces.h5", state,
                                                      "figures", "report.html"}
    for name in ("raster", "traces", "rates"):
        assert (folder / "figures" / f"{name}.png").read_bytes()[:4] == b"\x89PNG"


def test_default_folders_are_numbered(capsys, folder):
    (folder / "runs" / "0041").mkdir(parents=True)
    outs = [said(capsys, "run", GOOD, *QUICK)["out"] for _ in range(2)]
    assert outs == ["runs/0042", "runs/0043"]
    assert said(capsys, "run", GOOD, *QUICK, "--out", "mine/here")["out"] == "mine/here"


def test_out_of_cell_and_pair(capsys):
    assert main(["cell", "dSPN", "--current", "300 pA", "--duration", "50 ms", "--out", "a"]) == 0
    assert main(["cell", "dSPN", "--sweep", "0:300:100 pA", "--duration", "50 ms",
                 "--out", "b"]) == 0
    assert main(["pair", "FS", "dSPN", "--out", "c"]) == 0
    for path in ("a/cell.png", "b/cell.png", "c/pair.png"):
        assert Path(path).read_bytes()[:4] == b"\x89PNG"
    capsys.readouterr()
    assert main(["pair", "FS", "dSPN", "--out", "c"]) == 5
    assert capsys.readouterr().err.startswith("c/pair.png: exists already")


# ---- the program ----------------------------------------------------------------------------


def test_help(capsys):
    assert main([]) == 0
    bare = capsys.readouterr().out
    assert main(["--help"]) == 0
    assert capsys.readouterr().out == bare
    for command in app.registered_commands:
        assert f"\n  {command.name} " in bare
        assert main([command.name, "--help"]) == 0
        out, err = capsys.readouterr()
        assert "Usage: neostriatum" in out
        assert err == ""


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"neostriatum {ns.__version__}\n"


def processor_s(*words):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert python(*words).returncode == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_help_is_quick():
    # Against the import of NumPy, which it does without, on a quick machine and on a slow one.
    ratios = [processor_s("-m", "neostriatum", "--help") / processor_s("-c", "import numpy")
              for _ in range(5)]
    assert median(ratios) < 1.5


@pytest.mark.parametrize("code", ["import neostriatum", "import neostriatum.cli",
                                  "import neostriatum; neostriatum.load()"])
def test_import_is_light(code):
    heavy = "sorted({'brian2', 'matplotlib', 'pandas', 'numba', 'h5py'} & set(sys.modules))"
    done = python("-c", f"import sys; {code}; print({heavy})")
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_the_command_line_does_without_numpy():
    assert python("-c", "import sys, neostriatum.cli; print('numpy' in sys.modules)").stdout == (
        "False\n")


def test_interrupted(capsys, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("neostriatum.experiments.cell.cell", interrupt)
    assert main(["cell", "dSPN", "--current", "1 pA"]) == 130
    assert capsys.readouterr() == ("", "interrupted\n")


def test_our_own_bug(capsys, monkeypatch):
    def fail(*_, **__):
        msg = "two\nlines"
        raise RuntimeError(msg)

    monkeypatch.setattr("neostriatum.experiments.cell.cell", fail)
    assert main(["cell", "dSPN", "--current", "1 pA"]) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert f"neostriatum {ns.__version__}: our bug, RuntimeError: two lines" in err
    with pytest.raises(RuntimeError):
        main(["--debug", "cell", "dSPN", "--current", "1 pA"])


def test_numbers_gone_bad(capsys, folder):
    # With so many open channels, the forward Euler step overshoots far below rest.
    bad = ["--set", "inputs.cortex.targets.iSPN.conductance.AMPA=8000 nS",
           "--set", "pathways.iSPN->dSPN.conductance.GABA=8000 nS"]
    assert main(["run", GOOD, *QUICK, "--quiet", *bad]) == 4
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert re.match(r"dSPN \d+: membrane potential must stay within 200 mV at step \d+", err)


def test_reader_gone():
    # As in `neostriatum info | head -1`.
    code = """
import os, sys
from neostriatum.cli import entry
reader, writer = os.pipe()
os.close(reader)
os.dup2(writer, 1)
sys.argv = ["neostriatum", "info"]
entry()
"""
    done = python("-c", code)
    assert (done.returncode, done.stderr) == (0, "")


def test_entry(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["neostriatum", "info", "no_such.toml"])
    with pytest.raises(SystemExit) as caught:
        entry()
    assert caught.value.code == 2
    assert capsys.readouterr().err == "no_such.toml: no such circuit file\n"
