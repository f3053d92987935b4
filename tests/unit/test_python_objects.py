"""Numbers and texts of other libraries, wherever a function takes one."""

import copy
import os
from collections import ChainMap, OrderedDict
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd
import pytest

import neostriatum as ns
import neostriatum.analysis
from neostriatum.circuit.plain import plain
from neostriatum.circuit.resolve import resolve
from neostriatum.commands.app import changes_of
from neostriatum.errors import CircuitError, InputError, NeostriatumError
from neostriatum.runs.settings import Settings
from neostriatum.sweeps.plan import read

GOOD = Path(__file__).parents[1] / "data" / "good_small.toml"
PLAIN = {"circuit": GOOD, "size": 50, "duration": "2 ms", "engine": "reference", "figures": False}
AFFERENTS = "inputs.cortex.targets.FS.afferents"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """The spikes of a run that was asked for in Python's own numbers."""
    out = tmp_path_factory.mktemp("plain") / "run"
    made = ns.run(**PLAIN, seed=5, threads=1, dopamine=0.5, out=out)
    return made.summary["spike_hash"]


@pytest.mark.parametrize("option", [
    {"size": np.int64(50)}, {"size": np.array(50)}, {"size": np.uint8(50)},
    {"size": pd.Series([50])[0]}, {"seed": np.uint64(5)}, {"seed": np.array(5)},
    {"threads": np.int64(1)}, {"threads": np.array(1)}, {"figures": np.bool_(False)},
    {"dopamine": np.float32(0.5)}, {"dopamine": np.float16(0.5)}, {"dopamine": np.array(0.5)},
    {"dopamine": np.longdouble(0.5)}, {"dopamine": Fraction(1, 2)}, {"dopamine": Decimal("0.5")},
    {"dopamine": pd.Series([0.5])[0]}, {"duration": timedelta(milliseconds=2)},
    {"duration": np.timedelta64(2, "ms")}, {"duration": pd.Timedelta("2 ms")},
    {"duration": np.str_("2 ms")}, {"record": np.array(["FS:1:v"])},
    {"engine": np.str_("reference")},
    {"changes": {AFFERENTS: np.int16(250)}}, {"circuit": np.str_(GOOD)},
    {"checkpoint_every": pd.Timedelta("60 s")},
], ids=lambda option: f"{next(iter(option))}-{type(next(iter(option.values()))).__name__}")
def test_a_run_is_the_same(option, expected):
    made = ns.run(**PLAIN | {"seed": 5, "threads": 1, "dopamine": 0.5} | option)
    assert made.summary["spike_hash"] == expected
    assert ns.Run(made.folder).record == made.record
    assert ns.rerun(made, threads=np.int64(1)).summary["equal"]


@pytest.mark.parametrize(("option", "rule"), [
    ({"size": 50.0}, "size: must be a whole number >= 1 (got 50.0)"),
    ({"size": np.timedelta64(50, "ms")}, "size: must be a whole number >= 1 (got 50 milliseconds)"),
    ({"size": pd.NA}, "size: must be a whole number >= 1 (got <NA>)"),
    ({"size": np.bool_(True)}, "size: must be a whole number >= 1 (got True)"),
    ({"seed": np.bool_(True)}, "seed: must be a whole number from 0 to 2^63 - 1 (got True)"),
    ({"seed": b"5"}, "seed: must be a whole number from 0 to 2^63 - 1 (got b'5')"),
    ({"threads": np.float64(1)}, "threads: must be a whole number from 1 to 1024 (got 1.0)"),
    ({"dopamine": np.bool_(True)}, "must be a number (got True)"),
    ({"dopamine": "0,3"}, "must have a decimal point, no comma (got 0,3)"),
    ({"dopamine": float("nan")}, "must be a finite number (got nan)"),
    ({"dopamine": pd.NA}, "must be a number (got <NA>)"),
    ({"duration": pd.NaT}, 'duration: must be a number with its unit, "1 ms" (got NaT)'),
    ({"duration": 20.0}, 'duration: must carry its unit, "20.0 ms" (got 20.0)'),
    ({"duration": b"2 ms"}, "duration: must be a number with its unit"),
    ({"duration": np.array(["2 ms"])}, "duration: must be a number with its unit"),
    ({"changes": {AFFERENTS: np.float64(250)}}, "must be a whole number (got 250.0)"),
    ({"changes": {AFFERENTS: np.bool_(True)}}, "must be a whole number (got True)"),
    ({"circuit": b"striatum_v1"},
     "circuit: must be a name, a path or a dict (got <class 'bytes'>)"),
    ({"overlay": b"dense"}, "overlay: must be a name, a path or a list of them (got b'dense')"),
    ({"overlay": 3}, "overlay: must be a name, a path or a list of them (got 3)"),
    ({"overlay": ["dense", None]}, "overlay: must be a name, a path or a list of them"),
])
def test_refused_in_one_line(option, rule, folder):
    with pytest.raises(NeostriatumError) as caught:
        ns.run(**PLAIN | option)
    assert rule in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not list(folder.glob("runs/*"))


WIRING = {"rule": "fixed_indegree", "n": 3}


@pytest.mark.parametrize("kind", [np.int8, np.int32, np.uint64, np.array])
def test_whole_numbers_in_a_circuit(kind):
    plain_circuit = ns.load("striatum_v1", changes={
        AFFERENTS: 100, "pathways.FS->dSPN.wiring": WIRING,
        "inputs.cortex.targets.dSPN.shared_trains": 500})
    assert plain_circuit == ns.load("striatum_v1", changes={
        AFFERENTS: kind(100), "pathways.FS->dSPN.wiring": WIRING | {"n": kind(3)},
        "inputs.cortex.targets.dSPN.shared_trains": np.int64(500)})


def test_values_in_a_circuit():
    circuit = ns.load("striatum_v1")
    failure = "pathways.FS->dSPN.failure"
    made = circuit.replace({failure: {"probability": np.float64(0.4), "drawn": np.bool_(True)}})
    assert made == circuit.replace({failure: {"probability": 0.4, "drawn": True}})
    levels = np.linspace(0, 1, 5)
    course = {"times": [f"{n} ms" for n in range(5)], "values": levels.tolist()}
    for values in (levels, list(levels), tuple(levels), levels.astype(object)):
        table = {"table": course | {"values": values, "times": np.array(course["times"])}}
        assert circuit.replace({"dopamine.d1": table}) == (
            circuit.replace({"dopamine.d1": {"table": course}}))
    pq = pytest.importorskip("quantities")
    with pytest.raises(CircuitError, match=r"must be a single number \(got \[1\. 2\.\] pF\)"):
        circuit.replace({"cells.dSPN.parameters.C": [1, 2] * pq.pF})
    assert circuit.replace({"cells.dSPN.parameters.C": 16 * pq.pF}) == (
        circuit.replace({"cells.dSPN.parameters.C": "16 pF"}))


def test_parts_of_one_circuit_go_into_another():
    circuit, other = ns.load("striatum_v1"), ns.load("humphries2009")
    capacitance = other.cells["dSPN"].parameters.C
    made = circuit.replace({"cells.dSPN.parameters.C": capacitance})
    assert made.cells["dSPN"].parameters.C.note == capacitance.note
    assert float(made.cells["dSPN"].parameters.C) == float(capacitance)
    assert capacitance.source is not None
    pathway = circuit.pathways["FS->dSPN"]
    assert circuit.replace({"pathways.FS->iSPN": pathway}).pathways["FS->iSPN"] == pathway
    assert circuit.replace({"dopamine.d2": made.dopamine.d1}).dopamine.d2 == made.dopamine.d1


def test_any_mapping_is_a_circuit():
    circuit = ns.load(GOOD)
    raw = circuit.to_dict()
    for given in (MappingProxyType(raw), OrderedDict(raw), ChainMap({}, raw),
                  raw | {"cells": MappingProxyType(raw["cells"])}):
        assert ns.load(given) == circuit
    assert ns.load("striatum_v1", changes=MappingProxyType({"dopamine.d1": 0.7})) == (
        ns.load("striatum_v1", changes={"dopamine.d1": 0.7}))
    with pytest.raises(CircuitError, match="changes must be a dict of keys and values"):
        ns.load("striatum_v1", changes=["dopamine.d1=0.7"])
    endless = {}
    endless["name"] = [endless]
    with pytest.raises(CircuitError, match="nested deeper than"):
        ns.load(endless)


def test_what_was_handed_in_stays():
    raw = {"x": np.arange(3), "y": [np.float32(0.5)]}
    before = copy.deepcopy(raw)
    assert plain(raw) == {"x": [0, 1, 2], "y": [0.5]}
    assert raw["x"] is not before["x"]
    assert (raw["x"] == before["x"]).all()


class Somewhere:
    """A path of another library."""

    def __init__(self, path):
        self.path = path

    def __fspath__(self):
        return self.path


def test_paths(folder, monkeypatch):
    circuit = ns.load(GOOD)
    (folder / "my.v2.toml").write_bytes(GOOD.read_bytes())
    (folder / "my.v2.TOML").write_bytes(GOOD.read_bytes())
    (folder / "plain.v2").write_bytes(GOOD.read_bytes())
    monkeypatch.setenv("HOME", str(folder))
    for name in ("my.v2.toml", "my.v2.TOML", "plain.v2", "~/my.v2.toml"):
        for given in (name, Path(name), Somewhere(name), np.str_(name)):
            assert ns.load(given) == circuit
    with os.scandir(folder) as entries:
        entry = next(one for one in entries if one.name == "my.v2.toml")
        assert ns.load(entry) == circuit
    with pytest.raises(CircuitError, match="no such circuit file"):
        ns.load("~nobody-of-this-name/my.toml")
    with pytest.raises(CircuitError, match="must be a name, a path or a dict"):
        ns.load(Somewhere(b"my.v2.toml"))
    for option in ("out", "network"):
        with pytest.raises(CircuitError, match=f"{option}: must be a name or a path"):
            ns.run(GOOD, **{option: Somewhere(b"my.v2.toml")})


OVERLAY = '[parts.less.dopamine]\nd1 = 0.1\n'


@pytest.mark.parametrize("name", ["pd.v2.toml", "pd.v2.3.toml", "pd.v2", "pd", "dense.v2.toml",
                                  "parkinsonian.dopamine.toml", "pd.TOML"])
def test_overlay_files(name, folder):
    (folder / name).write_text(OVERLAY)
    for given in (name, Path(name), Somewhere(name), f"./{name}", [name], (n for n in [name])):
        assert ns.load("striatum_v1", overlay=given).dopamine.d1.constant.value == 0.1
    assert ns.load("striatum_v1").dopamine.d1.constant.value == 0.3


def test_an_overlay_of_the_package_comes_first(folder):
    (folder / "parkinsonian.dopamine").write_text(OVERLAY)
    assert ns.load("striatum_v1", overlay="parkinsonian.dopamine").dopamine.d1.constant.value == 0.0
    with pytest.raises(CircuitError, match=r"^parkinsonain\.dopamine: unknown overlay\. Known: pa"):
        ns.load("striatum_v1", overlay="parkinsonain.dopamine")


def test_sweeps():
    def plan(**given):
        return read(None, {"circuit": GOOD, "size": 50, **given})[0]

    made = plan(size=np.int64(50), vary={
        "dopamine": pd.Series([0.0, 0.5]),
        AFFERENTS: {"start": np.int64(100), "stop": np.int64(300), "number": np.int64(3)},
        "drive": {"factor": ["inputs.cortex.targets.iSPN.rate.constant"],
                  "values": np.array([1.0, 2.0], np.float32)}},
        d1=np.float32(0.5), seeds=np.int64(2), figures=np.bool_(False), overlay=Path("dense"),
        changes={"inputs.cortex.targets.dSPN.afferents": np.int64(7)})
    assert made == plan(vary={
        "dopamine": [0.0, 0.5], AFFERENTS: [100, 200, 300],
        "drive": {"factor": ["inputs.cortex.targets.iSPN.rate.constant"], "values": [1.0, 2.0]}},
        d1=0.5, seeds=[1, 2], overlay="dense",
        changes={"inputs.cortex.targets.dSPN.afferents": 7})
    assert made.to_dict() == type(made).model_validate(made.to_dict()).to_dict()
    pq, pint = pytest.importorskip("quantities"), pytest.importorskip("pint")
    for wrong in ({"d1": True}, {"d1": np.bool_(True)}, {"d1": "0,3"}, {"seeds": np.bool_(True)},
                  {"vary": {"dopamine": [0.1, np.nan]}}, {"vary": {"dopamine": pd.Series([pd.NA])}},
                  {"vary": {"dopamine": [0.1, Decimal("0.2")]}},
                  {"vary": {"pathways.FS->dSPN.conductance.GABA": [1, 2] * pq.nS}},
                  {"vary": {"dopamine": np.array([5, 6], "m8[ns]")}},
                  {"changes": {"dt": pint.UnitRegistry(cache_folder=None).Quantity(0.1, "ms")}},
                  {"vary": {"size": {"start": 1, "stop": 3, "number": np.timedelta64(3, "ms")}}}):
        with pytest.raises(CircuitError) as caught:
            plan(**{"vary": {"dopamine": [0.0, 0.5]}} | wrong)
        assert "\n" not in str(caught.value)


def test_measures_refuse_quantities():
    brian2, pq = pytest.importorskip("brian2"), pytest.importorskip("quantities")
    wanted = ns.analysis.rates_hz([0, 0], 1, 10.0)
    for plain_ms in (10, np.float32(10), np.array(10), Fraction(10)):
        assert ns.analysis.rates_hz([0, 0], 1, plain_ms) == wanted
    times, ids = np.array([1.0, 2.0]), np.array([0, 0])
    for given in (times * brian2.ms, times * pq.s, times.astype("m8[s]"), ["1 ms", "2 ms"]):
        with pytest.raises(InputError, match=r"^times_ms: must be plain numbers"):
            ns.analysis.isi(given, ids)
    for given in (10 * brian2.ms, 10 * pq.ms, timedelta(milliseconds=10), "10 ms", "10", pd.NA):
        with pytest.raises(InputError, match=r"^duration_ms: must be "):
            ns.analysis.rates_hz(ids, 1, given)


def test_currents_of_a_cell():
    pq = pytest.importorskip("quantities")
    options = {"duration": "5 ms", "circuit": GOOD}
    for given in ([200, 300] * pq.pA, [200 * pq.pA, "0.3 nA"], 200 * pq.pA, "200:300:100 pA"):
        made = ns.cell("dSPN", sweep=given, **options)
        assert made.currents_pa.tolist()[0] == 200
    with pytest.raises(CircuitError, match="current: must carry its unit"):
        ns.cell("dSPN", sweep=200, **options)


def test_spelled_on_the_command_line():
    for said, rule in (("0,3", "must have a decimal point, no comma (got 0,3)"),
                       ("true", "must be a number (got True)"),
                       ("True", "must be a number (got True)"),
                       ("NaN", "must be a finite number"), ("", "must be a number")):
        with pytest.raises(CircuitError) as caught:
            resolve("striatum_v1", Settings(changes=changes_of([f"dopamine.d1={said}"])))
        assert rule in str(caught.value)


@pytest.mark.parametrize("sweep", [[], (), np.array([]), iter(())])
def test_a_sweep_of_no_current(sweep):
    with pytest.raises(CircuitError, match="sweep: must hold a current"):
        ns.cell("dSPN", sweep=sweep)
