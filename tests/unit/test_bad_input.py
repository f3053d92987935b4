"""Bad input ends in one line that says where and what, the right exit code, and nothing left over.

The files tests/data/bad_* each break one rule; the first line of a TOML file says what to expect.
"""

import copy
import random
import time
import tomllib
from pathlib import Path

import h5py
import numpy as np
import pytest

import neostriatum as ns
from neostriatum.cli import main
from neostriatum.errors import CircuitError
from neostriatum.units import quantity

DATA = Path(__file__).parents[1] / "data"
GOOD = DATA / "good_small.toml"
QUICK = ["--engine", "reference", "--size", "50", "--duration", "10 ms", "--quiet"]
RUN = ["run", str(GOOD), *QUICK]

TOML_FILES = sorted(DATA.glob("bad_*.toml"))
#: Found when the network is built, so the message names the circuit and not its file.
BUILT = {"bad_volume_no_room", "bad_volume_ellipsoid_no_room",
         "bad_wiring_indegree_above_population"}

JSON_FILES = {
    "comment": "is not valid JSON (Expecting property name enclosed in double quotes: line 2",
    "exponent_huge": "dopamine.d2.constant: must be a finite number (got inf)",
    "infinity": "is not valid JSON (-Infinity is not a number of JSON)",
    "integer_of_5000_digits": "is not valid JSON (Exceeds the limit",
    "is_list": "must be a table of keys",
    "is_number": "must be a table of keys",
    "is_toml": "is not valid JSON (Expecting value: line 1 column 1",
    "key_twice": "is not valid JSON (the key summary stands there twice)",
    "lone_surrogate": "is not valid JSON ('utf-8' codec can't encode",
    "nan": "is not valid JSON (NaN is not a number of JSON)",
    "nested_beyond_the_parser": "nested deeper than 16 levels",
    "nested_list": "nested deeper than 16 levels",
    "nested_table": "nested deeper than 16 levels",
    "null": "dopamine.d2: must be one of constant, pulse, ramp, sine, table, steps, square (got n",
    "trailing_comma": "is not valid JSON (",
    "truncated": "is not valid JSON (Unterminated string",
    "unit_missing": 'cells.iSPN.parameters.C: must carry its unit, "15.2 pF" (got 15.2)',
    "unknown_key": "cells.iSPN.fractoin: unknown key. Nearest: fraction",
}

#: Files too large, or too odd for a repository, made where they are needed.
MADE_FILES = {
    "empty.toml": (b"", "name: is missing"),
    "zeros.toml": (bytes(1000), "is not valid TOML"),
    "large.toml": (b"# " + b"x" * 1_000_000, "a circuit file is at most 1 MB (got 1000002 bytes)"),
    "large.json": (b" " * 1_000_001, "a circuit file is at most 1 MB"),
    "crowded.toml": (b"left_out = [" + b'"a",' * 10_001 + b"]", "more than 10000 entries"),
    "crowded.json": (b"[" + b"0," * 10_001 + b"0]", "more than 10000 entries"),
    "utf16.toml": (GOOD.read_text("utf-8").encode("utf-16"), "is not UTF-8 text"),
    "zip.toml": (b"PK\x03\x04\x14\x00\x08\x08\x08\x00\xff\xfe", "is not UTF-8 text"),
}

COMMANDS = [
    # the command line itself
    (["nonsense"], 2, "No such command 'nonsense'"),
    (["--nonsense"], 2, "No such option: --nonsense"),
    (["run", "--nonsense"], 2, "No such option: --nonsense"),
    (["run", "striatum_v1", "seed"], 2, "unexpected extra argument"),
    (["run", "--size"], 2, "'--size' requires an argument"),
    (["cell"], 2, "Missing argument 'TYPE'"),
    (["pair", "dSPN"], 2, "Missing argument 'target'"),
    (["cite"], 2, "Missing argument 'RUN'"),
    # which circuit
    (["run", "striatun", *QUICK], 2, "striatun: unknown circuit. Known: striatum"),
    (["run", "", *QUICK], 2, '"": unknown circuit. Known: basal_ganglia, '),
    (["run", "no_such.toml", *QUICK], 2, "no_such.toml: no such circuit file"),
    (["run", "/nowhere/at/all.json", *QUICK], 2, "/nowhere/at/all.json: no such circuit file"),
    (["run", ".", *QUICK], 2, ".: unknown circuit"),
    (["run", "x" * 5000, *QUICK], 2, "xxx...: unknown circuit"),
    (["run", "x" * 5000 + ".toml", *QUICK], 2, "xxx...: no such circuit file"),
    (["run", "line\nbreak", *QUICK], 2, "line break: unknown circuit"),
    (["info", "striatun"], 2, "striatun: unknown circuit"),
    (["cite", "striatun"], 2, "striatun: unknown circuit"),
    (["cell", "dSPN", "--current", "1 pA", "--circuit", "sead"], 2, "unknown circuit. Known: seed"),
    # how large, how long, from which seed
    ([*RUN, "--size", "0"], 2, "'--size': "),
    ([*RUN, "--size", "-50"], 2, "'--size': "),
    ([*RUN, "--size", "true"], 2, "'--size': "),
    ([*RUN, "--size", "50.5"], 2, "'--size': "),
    ([*RUN, "--size", "9" * 400], 2, "'--size': "),
    ([*RUN, "--seed", "-1"], 2, "seed: must be a whole number from 0 to 2^63 - 1 (got -1)"),
    ([*RUN, "--seed", str(2**63)], 2, "seed: must be a whole number from 0 to 2^63 - 1"),
    ([*RUN, "--seed", "1.5"], 2, "'--seed': "),
    ([*RUN, "--duration", "0 ms"], 2, "duration: must be at least one step (got 0 ms)"),
    ([*RUN, "--duration", "-1 s"], 2, "duration: must be at least one step (got -1 s)"),
    ([*RUN, "--duration", "10"], 2, 'duration: must carry its unit, "10 ms" (got 10)'),
    ([*RUN, "--duration", "10 mV"], 2, "duration: must have the dimension of ms (got 10 mV)"),
    ([*RUN, "--duration", "10.05 ms"], 2, "duration: must be a whole number of steps of 0.1 ms"),
    ([*RUN, "--duration", "1e300 s"], 2, "duration: must be at most 1e+11 steps of 0.1 ms"),
    ([*RUN, "--duration", "soon"], 2, 'duration: must be a number with its unit, "1 ms"'),
    ([*RUN, "--dt", "0.6 ms"], 2, "good_small.toml: dt: must be <= 0.5 ms (got 0.6 ms)"),
    ([*RUN, "--dt", "0.1"], 2, 'good_small.toml: dt: must carry its unit, "0.1 ms" (got 0.1)'),
    ([*RUN, "--dt", "0.3 ms"], 2, "warmup: must be a whole number of steps of 0.3 ms (got 1 ms)"),
    # with what
    ([*RUN, "--threads", "0"], 2, "threads: must be a whole number from 1 to 1024 (got 0)"),
    ([*RUN, "--threads", "many"], 2, "'--threads': "),
    ([*RUN, "--precision", "half"], 2, "'--precision': must be double or single (got half)"),
    ([*RUN, "--precision", "single"], 3, "engine reference: precision must be double (got single)"),
    ([*RUN, "--engine", "neuron"], 2, "engine: must be one of "),
    (["cell", "dSPN", "--current", "1 pA", "--engine", "neuron"], 2, "engine: must be one of "),
    # dopamine
    ([*RUN, "--dopamine", "1.5"], 2, "dopamine.d1.constant: must be <= 1 (got 1.5)"),
    ([*RUN, "--dopamine", "nan"], 2, "dopamine.d1.constant: must be a finite number (got nan)"),
    ([*RUN, "--dopamine", "high"], 2, "'--dopamine': "),
    ([*RUN, "--set", "modulators.D1.level=2"], 2, "dopamine.d1.constant: must be <= 1 (got 2)"),
    ([*RUN, "--set", "modulators.ACh.level=2"], 2, 'unknown key (got "ACh"). Known: D1, D2'),
    ([*RUN, "--set", "modulators.D1.reference=2"], 2, "modulators.D1.reference: must be <= 1"),
    ([*RUN, "--d1", "-0.1"], 2, "dopamine.d1.constant: must be >= 0 (got -0.1)"),
    (["info", "--d2", "2"], 2, "striatum.toml: dopamine.d2.constant: must be <= 1 (got 2.0)"),
    # single values
    ([*RUN, "--set", "dt"], 2, "--set: must be KEY=VALUE (got dt)"),
    ([*RUN, "--set", "=0.2 ms"], 2, "--set: must be KEY=VALUE (got =0.2 ms)"),
    ([*RUN, "--set", "cells.dSPN.parametrs.C=16 pF"], 2, "Known: parameters"),
    ([*RUN, "--set", "cells.dSPM.parameters.C=16 pF"], 2, "Known: dSPN"),
    ([*RUN, "--set", "cells.dSPN.parameters.v_peek=16 mV"], 2, "unknown key. Nearest: v_peak"),
    ([*RUN, "--set", "cells.dSPN.parameters.C=16 mV"], 2, "must have the dimension of pF"),
    ([*RUN, "--set", "cells.dSPN.parameters.C=16"], 2, 'must carry its unit, "16 pF" (got 16)'),
    ([*RUN, "--set", "cells.dSPN.parameters.C.value.x=1"], 2, "C.value.x: unknown key"),
    ([*RUN, "--set", "cells.dSPN.dopamine.7.receptor=D1"], 2, "an index below 1 (got 7)"),
    ([*RUN, "--set", "cells.dSPN.dopamine.x.receptor=D1"], 2, "an index below 1 (got x)"),
    ([*RUN, "--set", "..=1"], 2, '..: unknown key (got "")'),
    ([*RUN, "--set", "dopamine.d1=NaN"], 2, "dopamine.d1.constant: must be a finite number"),
    ([*RUN, "--set", "dopamine.d1=" + "9" * 3000], 2, "dopamine.d1.constant: must be a finite"),
    ([*RUN, "--set", "dt=" + "[" * 3000], 2, "dt: must be a number with its unit"),
    ([*RUN, "--set", "x" * 3000 + "=1"], 2, "xxx...: unknown key"),
    ([*RUN, "--set", "volume.shape=cylinder"], 2, "volume.shape: must be cube, slab, sphere, "),
    ([*RUN, "--set", "volume.shape=slab"], 2, 'volume: shape "slab" needs thickness'),
    ([*RUN, "--set", "volume.shape=sphere", "--set", "volume.boundary=periodic"], 2,
     'volume: boundary must be open for shape "sphere" (got periodic)'),
    # overlays
    ([*RUN, "--overlay", "parkinson"], 2, "parkinson: unknown overlay. Known: parkinsonian"),
    ([*RUN, "--overlay", "parkinsonian.dopamin"], 2, "unknown part (got dopamin). Known: dopamine"),
    ([*RUN, "--overlay", "parkinsonian."], 2, "parkinsonian.toml: unknown part (got none). Known"),
    ([*RUN, "--overlay", ""], 2, '"": unknown overlay. Known: '),
    ([*RUN, "--overlay", "no_such.toml"], 2, "no_such.toml: no such overlay file"),
    ([*RUN, "--events", ""], 2, 'events: must be a file (got "")'),
    ([*RUN, "--overlay", "dense"], 2, "dense.toml: pathways.FS->dSPN.wiring.scale: unknown key"),
    # single cells and pairs
    (["cell", "Purkinje", "--current", "1 pA"], 2, "unknown cell type (got Purkinje)"),
    (["cell", "dSPM", "--current", "1 pA"], 2, "unknown cell type (got dSPM). Known: dSPN"),
    (["cell", "dSPN"], 2, "cell: needs exactly one of current and sweep"),
    (["cell", "dSPN", "--current", "1 pA", "--sweep", "1:2:1 pA"], 2, "exactly one of current"),
    (["cell", "dSPN", "--current", "1"], 2, 'current: must carry its unit, "1 pA" (got 1)'),
    (["cell", "dSPN", "--current", "1 mV"], 2, "current: must have the dimension of pA"),
    (["cell", "dSPN", "--current", "1 pA", "--duration", "0 s"], 2, "duration: must be at least"),
    (["cell", "dSPN", "--sweep", "220:300 pA"], 2, 'sweep: must be "start:last:step unit"'),
    (["cell", "dSPN", "--sweep", "220:300:5"], 2, 'sweep: must be "start:last:step unit"'),
    (["cell", "dSPN", "--sweep", "220:300:5 mV"], 2, 'sweep: must be "start:last:step unit"'),
    (["cell", "dSPN", "--sweep", "a:b:c pA"], 2, 'sweep: must be "start:last:step unit"'),
    (["cell", "dSPN", "--sweep", "220:300:0 pA"], 2, "rising by a step above 0 (got 220:300:0 pA)"),
    (["cell", "dSPN", "--sweep", "300:220:5 pA"], 2, "rising by a step above 0"),
    (["cell", "dSPN", "--sweep", "0:1e9:1e-9 pA"], 2, "must hold 1 to 10000 currents"),
    (["pair", "dSPN", "FS"], 2, "striatum: no pathway dSPN->FS. Known: dSPN->dSPN, "),
    (["pair", "FS", "Purkinje"], 2, "unknown cell type (got Purkinje)"),
    (["pair", "FS", "dSPN", "--circuit", "striatum_v1", "--holding", "-50 mV"], 2,
     "holding: must be below the static"),
    (["pair", "FS", "dSPN", "--holding", "-80"], 2, 'holding: must carry its unit, "-80 mV"'),
    (["pair", "FS", "dSPN", "--n", "0"], 2, "must be a whole number >= 1 (got 0)"),
    (["pair", "FS", "dSPN", "--n", "2.5"], 2, "'--n': "),
    (["pair", "FS", "dSPN", "--n", "2", "--holding", "-80 mV"], 2, "holding: is for a single pair"),
    (["pair", "FS", "dSPN", "--distance", "-5 um"], 2, "distance: must be from 0 to 10000 um"),
    (["pair", "FS", "dSPN", "--duration", "5 ms"], 2, "duration: must reach beyond the spike"),
]


@pytest.fixture(scope="module", autouse=True)
def _imported():
    """Load what commands load on first use, so that the times below are those of the checks."""
    import pandas as pd  # noqa: F401

    from neostriatum import plotting  # noqa: F401
    from neostriatum.engines import reference  # noqa: F401
    from neostriatum.experiments import cell, pair  # noqa: F401
    from neostriatum.runs import start  # noqa: F401

    quantity("1 F", "pF")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty working directory."""
    path = tmp_path / "empty"
    path.mkdir()
    monkeypatch.chdir(path)
    return path


def assert_refused(capsys, arguments, code, *fragments):
    started = time.process_time()
    assert main(arguments) == code
    seconds = time.process_time() - started
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.endswith("\n")
    line = err[:-1]
    assert len(line) <= 200
    assert line.isprintable()
    for fragment in fragments:
        assert fragment in line
    assert seconds < 1
    # A run that fails while it builds removes its own folder; the folder of runs may stay.
    assert [one for one in Path().rglob("*") if str(one) != "runs"] == []
    return line


def test_there_are_files():
    assert len(TOML_FILES) >= 70
    assert {path.stem for path in DATA.glob("bad_json_*.json")} == {
        f"bad_json_{name}" for name in JSON_FILES}
    assert all(path.suffix in (".toml", ".json") for path in DATA.iterdir() if path.is_file())


def test_good_circuit_passes(capsys):
    assert main(["info", str(GOOD)]) == 0
    assert main(RUN) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("path", TOML_FILES, ids=lambda path: path.stem.removeprefix("bad_"))
def test_toml_file(path, capsys):
    first = path.read_bytes().split(b"\n")[0].decode()
    assert first.startswith("# expect: ")
    fragment = first.removeprefix("# expect: ")
    where = "small: " if path.stem in BUILT else f"{path.name}: "
    line = assert_refused(capsys, ["run", str(path), *QUICK], 2, fragment)
    assert line.startswith(where)
    assert path.stem in BUILT or not Path("runs").exists()


@pytest.mark.parametrize("name", JSON_FILES)
def test_json_file(name, capsys):
    path = DATA / f"bad_json_{name}.json"
    line = assert_refused(capsys, ["run", str(path), *QUICK], 2, JSON_FILES[name])
    assert line.startswith(f"{path.name}: ")


@pytest.mark.parametrize("name", MADE_FILES)
def test_odd_file(name, capsys, tmp_path):
    data, fragment = MADE_FILES[name]
    (tmp_path / name).write_bytes(data)
    assert_refused(capsys, ["info", str(tmp_path / name)], 2, f"{name}: {fragment}")


@pytest.mark.usefixtures("obeys_permissions")
def test_unreadable_file(capsys, tmp_path):
    path = tmp_path / "secret.toml"
    path.write_text('name = "secret"\n')
    path.chmod(0)
    assert_refused(capsys, ["info", str(path)], 2, "secret.toml: cannot be read (Permission")


@pytest.mark.parametrize(("arguments", "code", "fragment"), COMMANDS,
                         ids=lambda value: " ".join(value)[-40:] if isinstance(value, list) else "")
def test_command(arguments, code, fragment, capsys):
    assert_refused(capsys, arguments, code, fragment)
    assert not Path("runs").exists()


def test_output_in_the_way(capsys, tmp_path):
    full = tmp_path / "full"
    full.mkdir()
    (full / "thesis.tex").write_text("all of it")
    for out in (full, full / "thesis.tex", full / "thesis.tex" / "below"):
        assert_refused(capsys, [*RUN, "--out", str(out)], 5, str(out)[-20:])
    assert [path.name for path in full.iterdir()] == ["thesis.tex"]
    assert (full / "thesis.tex").read_text() == "all of it"


OVERLAYS = {
    "not_a_table": ("parts = 3", "an overlay has name, summary and parts"),
    "unknown_top_key": ("[part.x]\ndt = '0.2 ms'", "an overlay has name, summary and parts (got"),
    "part_not_a_table": ("[parts]\nx = 3", "parts.x: must be a table (got 3)"),
    "unknown_key": ("[parts.x.cells.dSPN]\nfractoin = 0.1", "cells.dSPN.fractoin: unknown key"),
    "wrong_unit": ("[parts.x]\ndt = '0.2 mV'", "dt: must have the dimension of ms (got 0.2 mV)"),
    "table_over_value": ("[parts.x.volume.density]\nhigh = true", "volume.density: must hold"),
    "invalid": ("[parts.x", "is not valid TOML"),
}


@pytest.mark.parametrize("name", OVERLAYS)
def test_overlay(name, capsys, tmp_path):
    text, fragment = OVERLAYS[name]
    path = tmp_path / f"{name}.toml"
    path.write_text(text)
    assert_refused(capsys, [*RUN, "--overlay", str(path)], 2, f"{name}.toml: {fragment}")


def csv(text):
    return lambda path: path.write_text(text)


def sonata(times=(1.0, 2.0), ids=(0, 1), name="FS", units="ms", then=None):
    """Return what writes a SONATA file, and then spoils it."""

    def write(path):
        with h5py.File(path, "w") as file:
            group = file.create_group(f"spikes/{name}")
            group["timestamps"] = np.array(times)
            group["timestamps"].attrs["units"] = units
            group["node_ids"] = np.array(ids)
            if then is not None:
                then(file)

    return write


def cut(path):
    sonata()(path)
    path.write_bytes(path.read_bytes()[:-500])


def elsewhere(file):
    """Replace the times by a link to another file."""
    with h5py.File(Path(file.filename).with_name("other.h5"), "w") as other:
        other["times"] = [1.0, 2.0]
    del file["spikes/FS/timestamps"]
    file["spikes/FS/timestamps"] = h5py.ExternalLink("other.h5", "/times")


def raw_bytes(file):
    """Replace the ids by the bytes of another file."""
    del file["spikes/FS/node_ids"]
    file["spikes/FS"].create_dataset("node_ids", (2,), "i8", external=[("/etc/passwd", 0, 16)])


def endless(file):
    """Replace times and ids by ones that take no room in the file and 8 TB in memory."""
    for key in ("timestamps", "node_ids"):
        del file[f"spikes/FS/{key}"]
        file["spikes/FS"].create_dataset(key, (10**12,), "i8", chunks=(10**6,))


SPIKES = {
    "empty.csv": (csv(""), "needs the columns time_ms and id"),
    "only_header.csv": (csv("time_ms,id\n"), "holds no spikes"),
    "columns.csv": (csv("t,neuron\n1,0\n"), "separated by commas (got t, neuron)"),
    "one_column.csv": (csv("1\n2\n"), "needs the columns time_ms and id"),
    "negative_time.csv": (csv("time_ms,id\n-1,0\n"), "times must be finite, from 0 to 1e+10 ms"),
    "late_time.csv": (csv("time_ms,id\n1e300,0\n"), "times must be finite, from 0 to 1e+10 ms"),
    "nan_time.csv": (csv("time_ms,id\nnan,0\n"), "times must be finite"),
    "inf_time.csv": (csv("time_ms,id\ninf,0\n"), "times must be finite"),
    "text_time.csv": (csv("time_ms,id\n1 ms,0\n"), "time_ms must be numbers (got 1 ms)"),
    "negative_id.csv": (csv("time_ms,id\n1,-1\n"), "ids must be from 0 to 2^31 (got -1 to -1)"),
    "huge_id.csv": (csv("time_ms,id\n1,4294967296\n"), "ids must be from 0 to 2^31"),
    "half_id.csv": (csv("time_ms,id\n1,0.5\n"), "ids must be whole numbers"),
    "no_id.csv": (csv("time_ms,id\n1,\n2,3\n"), "ids must be whole numbers"),
    "ragged.csv": (csv("time_ms,id\n1,0\n2,0,3,4\n"), "line 3 must have 2 fields as the"),
    "binary.csv": (lambda path: path.write_bytes(b"time_ms,id\n\xff,1\n"), "is not UTF-8 text"),
    "folder.csv": (lambda path: path.mkdir(), "no such file (got folder.csv)"),
    "link.csv": (lambda path: path.symlink_to("/etc/hostname"), "file must lie in the circuit's"),
    "empty.h5": (csv(""), "Unable to"),
    "text.h5": (csv("time_ms,id\n1,0\n"), "Unable to"),
    "truncated.h5": (cut, "truncated file"),
    "no_spikes.h5": (sonata((), np.zeros(0, int)), "holds no spikes"),
    "no_group.h5": (sonata(then=lambda file: file.move("spikes", "events")), "has no spikes"),
    "no_ids.h5": (sonata(then=lambda file: file.move("spikes/FS/node_ids", "x")), "no node_ids"),
    "other_population.h5": (sonata(name="dSPN"), "population must be one of dSPN (got FS)"),
    "uneven.h5": (sonata(ids=(0, 1, 2)), "needs one id per time (got 3 and 2)"),
    "table.h5": (sonata([[1.0], [2.0]], [[0], [1]]), "times must be one row of numbers"),
    "volts.h5": (sonata(units="mV"), "timestamps: units must have the dimension of ms (got mV)"),
    "float_ids.h5": (sonata(ids=(0.0, 1.5)), "ids must be whole numbers (got 1.5)"),
    "text_times.h5": (sonata((b"1", b"2")), "times must be numbers"),
    "external_link.h5": (sonata(then=elsewhere), "timestamps must lie in the file itself"),
    "external_data.h5": (sonata(then=raw_bytes), "node_ids must lie in the file itself"),
    "endless.h5": (sonata(then=endless), "must hold at most 1e+08 spikes (got 1000000000000)"),
}


def with_spikes(tmp_path, name):
    """Return the arguments that run a circuit in a folder of its own, with a spike file there."""
    net = tmp_path / "net"
    net.mkdir(exist_ok=True)
    population = ', population = "FS"' if name.endswith(".h5") else ""
    (net / "net.toml").write_text(
        GOOD.read_text("utf-8") + "\n[inputs.recorded.targets.FS]\n"
        f'spikes = {{ file = "{name}"{population} }}\nconductance = {{ AMPA = "1 nS" }}\n')
    return net, ["run", str(net / "net.toml"), *QUICK]


@pytest.mark.parametrize("name", SPIKES)
def test_spike_file(name, capsys, tmp_path):
    write, fragment = SPIKES[name]
    net, arguments = with_spikes(tmp_path, name)
    write(net / name)
    where = "net.toml: inputs.recorded.targets.FS.spikes: "
    assert assert_refused(capsys, arguments, 2, fragment).startswith(where)


@pytest.mark.parametrize("name", ["../outside.csv", "sub/../../outside.csv", "linked/spikes.csv"])
def test_spike_file_outside(name, capsys, tmp_path):
    net, arguments = with_spikes(tmp_path, name)
    (tmp_path / "other").mkdir()
    (net / "linked").symlink_to(tmp_path / "other")
    for path in (tmp_path / "outside.csv", tmp_path / "other" / "spikes.csv"):
        path.write_text("time_ms,id\n1,0\n")
    assert_refused(capsys, arguments, 2, "file must lie in the circuit's folder")


def test_spike_of_a_neuron_that_is_not_there(capsys, tmp_path):
    net, arguments = with_spikes(tmp_path, "spikes.csv")
    (net / "spikes.csv").write_text("time_ms,id\n1,4\n2,5\n")
    assert_refused(capsys, arguments, 2,
                   "small: inputs.recorded.FS.spikes: ids must be below the 5 FS (got 5)")


def leaves(at):
    """Yield the place of every key of nested data."""
    inner = at.items() if isinstance(at, dict) else enumerate(at) if isinstance(at, list) else ()
    for key, value in list(inner):
        yield at, key
        yield from leaves(value)


def test_mutations():
    """Whatever one does to a circuit's data, it loads or it is refused in one line."""
    good = tomllib.loads(GOOD.read_text("utf-8"))
    chance = random.Random(1)  # noqa: S311
    values = [None, "", -1, 0, "abc", [], {}, 1e308, 10**400, True, float("nan"), b"x",
              {"value": {"value": []}}, [[[]]], "1e308 mV", "\n\ud800\x1b[31m", object()]
    refused = []
    for _ in range(300):
        raw = copy.deepcopy(good)
        for _ in range(chance.choice((1, 1, 1, 2, 4))):
            at, key = chance.choice(list(leaves(raw)))
            if chance.random() < 0.2:
                del at[key]
            elif chance.random() < 0.1 and isinstance(at, dict):
                at[chance.choice(["", "\n\x00", "x" * 300, "value", "rule", "D1", key + "_"])] = 1
            else:
                at[key] = copy.copy(chance.choice(values))
        try:
            ns.load(raw)
        except CircuitError as error:
            refused.append(str(error))
    assert 200 < len(refused) < 300
    assert max(map(len, refused)) <= 200
    assert all(len(one.splitlines()) == 1 for one in refused)
