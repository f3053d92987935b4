"""Sweeps: the file, its points, and what is refused."""

import fcntl
import json
import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import neostriatum as ns
from neostriatum.errors import BuildError, CircuitError, EngineMissing, RunFileError
from neostriatum.sweeps import points as points_module
from neostriatum.sweeps import store
from neostriatum.sweeps import sweep as sweep_module
from neostriatum.sweeps.axis import MAX_POINTS, spaced
from neostriatum.sweeps.plan import Plan, read
from neostriatum.sweeps.points import expand
from neostriatum.sweeps.pool import Pool
from neostriatum.sweeps.table import Table

SRC = str(Path(ns.__file__).parents[1])
GOOD = Path(__file__).parents[1] / "data" / "good_small.toml"
EXAMPLES = Path(__file__).parents[2] / "examples"
RATES = tuple(f"inputs.cortex.targets.{name}.rate.constant" for name in ("dSPN", "iSPN"))
HEAD = f"""
name = "trial"
circuit = {str(GOOD)!r}
size = 40
duration = "2 ms"
engine = "reference"
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def points_of(**plan):
    asked, circuit, where = read(None, {"circuit": "striatum_v1", "size": 100, **plan})
    return expand(asked, circuit, where, lambda phase, share: None)


def refused(text, **kind):
    Path("bad.toml").write_text(text, "utf-8")
    with pytest.raises(kind.get("kind", CircuitError)) as caught:
        ns.sweep("bad.toml", out="out")
    assert not Path("out").exists()
    assert "\n" not in str(caught.value)
    return str(caught.value)


class TestPoints:
    def test_a_grid_with_seeds_outermost(self):
        made = points_of(vary={"dopamine": [0.0, 0.3], "pathways.\"iSPN->dSPN\".conductance.GABA":
                               {"start": "0.5 nS", "stop": "1.5 nS", "number": 3}}, seeds=[4, 2])
        assert [one.number for one in made] == list(range(1, 13))
        assert [one.seed for one in made] == [4] * 6 + [2] * 6
        column = "pathways.\"iSPN->dSPN\".conductance.GABA_nS"
        assert [list(one.columns.values()) for one in made[:4]] == [
            [0.0, 0.5], [0.0, 1.0], [0.0, 1.5], [0.3, 0.5]]
        assert list(made[0].columns) == ["dopamine", column]
        assert len({one.asked for one in made}) == 12

    def test_a_factor_multiplies_what_overlays_and_changes_left(self):
        made = points_of(vary={"drive": {"factor": RATES, "values": [1.0, 1.5]},
                               "fs": {"key": "inputs.cortex.targets.FS.afferents",
                                      "values": [250, 300]}},
                         changes={RATES[1]: "3 Hz"})
        assert [one.columns["drive"] for one in made] == [1.0, 1.0, 1.5, 1.5]
        assert [one.options["changes"][RATES[0]] for one in made][1:3] == ["2.4 Hz", "3.6 Hz"]
        assert made[2].columns == {"drive": 1.5, "inputs.cortex.targets.dSPN.rate_Hz": 3.6,
                                   "inputs.cortex.targets.iSPN.rate_Hz": 4.5, "fs": 250}

    def test_values_in_step_options_and_overlays(self):
        made = points_of(vary={"state": {"together": {"d1": [0.0, 0.8], "d2": [0.2, 0.4]}},
                               "overlay": [[], "parkinsonian.rewiring"]}, dt="0.05 ms")
        assert [(one.columns["d1"], one.columns["d2"]) for one in made] == [
            (0.0, 0.2), (0.0, 0.2), (0.8, 0.4), (0.8, 0.4)]
        assert [one.columns["overlay"] for one in made[:2]] == ["none", "parkinsonian.rewiring"]
        assert points_of(vary={"duration": ["1 s", "500 ms"]})[0].columns == {"duration_ms": 1000.0}
        assert [one.columns["size"] for one in points_of(
            vary={"size": {"start": 100, "stop": 300, "number": 3}})] == [100, 200, 300]

    def test_numbers_have_the_unit_of_the_circuit(self):
        made = points_of(vary={"cells.MSN_D1.parameters.C": ["0.016 nF", "17 pF"]})
        assert [one.columns for one in made] == [
            {"cells.MSN_D1.parameters.C_pF": 16.0}, {"cells.MSN_D1.parameters.C_pF": 17.0}]
        made = points_of(vary={"density": {"key": "volume.density", "values": ["60000 / mm^3"]}})
        assert made[0].columns == {"density_per_mm3": 60000.0}

    def test_arrays_of_python(self):
        made = points_of(vary={"dopamine": np.linspace(0, 1, 3)}, seeds=np.arange(2))
        assert [(one.columns["dopamine"], one.seed) for one in made][1:4] == [
            (0.5, 0), (1.0, 0), (0.0, 1)]

    def test_ranges(self):
        assert spaced("0 nS", "1e-3 uS", 3) == ["0.0 nS", "0.5 nS", "1.0 nS"]
        assert spaced(0.1, 0.3, 3) == [0.1, 0.2, 0.3]
        assert spaced(2, 2, 1) == [2]
        assert spaced(0, 1, 3) == [0.0, 0.5, 1.0]

    def test_hashes_follow_what_is_asked_and_nothing_else(self):
        one, = points_of(vary={"dopamine": [0.3]})
        same, = points_of(vary={"level": {"together": {"d1": [0.3], "d2": [0.3]}}})
        other, = points_of(vary={"dopamine": [0.3]}, duration="2001 ms")
        assert one.asked == same.asked != other.asked

    def test_the_memory_of_a_point_is_that_of_its_network(self):
        small, large = points_of(vary={"size": [100, 20_000]})
        assert large.bytes - small.bytes > 20_000 * 120
        assert large.bytes == ns.estimate("striatum_v1", 20_000).bytes

    def test_the_example_is_a_plan(self):
        asked, circuit, _ = read(EXAMPLES / "dopamine_drive.toml", {})
        assert (asked.name, circuit.name, asked.points) == ("dopamine_drive", "striatum_v1", 50)


class TestRefusals:
    @pytest.mark.parametrize(("text", "sentence"), [
        ("", "vary: must name a parameter, or seeds more than one seed"),
        ("seeds = 0", "seeds: must be a list, or how many from 1 to 10000 (got 0)"),
        ("seeds = []", "seeds: must not be empty"),
        ("seeds = [1, 1]", "seeds: must differ"),
        ("seeds = [-1]", "seeds: "),
        ("vary.dopamine = []", "vary.dopamine.values: must not be empty"),
        ("vary.dopamine = [0.3, 0.3]", "must differ from each other (got 0.3 twice)"),
        ("vary.dopamine = [nan]", "must be plain finite numbers"),
        ("vary.dopamine = 0.3", "vary.dopamine: must be a table"),
        ("vary.dopamine = { start = 0, stop = 1 }", "number is missing"),
        ("vary.dopamine = { start = 0, stop = 1, count = 3 }", "unknown key count"),
        ("vary.dopamine = { start = 0, stop = 1, number = 2.5 }", "must be a whole number"),
        ("vary.dt = { start = '1 ms', stop = '2 mV', number = 2 }", "the dimension of ms"),
        ("vary.dt = { start = 'a', stop = '2 ms', number = 2 }", "start: must be a number"),
        ("sed = 3", "sed: unknown key. Nearest: seeds"),
        ("vary.x = { factr = ['a.b'], values = [1] }", "unknown key. Nearest: factor"),
        ("vary.x = { factor = ['a.b'], key = 'c', values = [1] }", "one of key, factor and"),
        ("vary.x = { factor = ['a.b'] }", "values is missing"),
        ("vary.x = { factor = ['a.b'], values = ['1 Hz'] }", "must be numbers"),
        ("vary.x = { factor = ['size'], values = [1, 2] }", "cannot be varied by a factor"),
        ("vary.x.together = { d1 = [0], d2 = [0, 1] }", "lists of one length"),
        ("vary.cells.dSPN.parameters.C = ['16 pF']", 'stands in quotes, "cells.dSPN'),
        ("vary.seed = [1, 2]", "seeds are varied by seeds = [1, 2, 3]"),
        ("vary.engine = ['numba']", "engine cannot be varied"),
        ("vary = { d1 = [0.1], x = { key = 'd1', values = [0.2] } }", "is varied by d1 already"),
        ("vary.dopamine = { start = 0, stop = 1, number = 4000 }\nseeds = 2500",
         "must make at most 10,000 points (got 10,000,000). Make several sweeps"),
        ("seeds = 10000000", "got 10000000"),
        ("size = '100'\nseeds = 2", "size: "),
        ("seeds = 2\nduration = '1 mV'", "point 1 (): duration"),
        ("vary.dopamine = [0.3, 1.2]", "point 2 (dopamine 1.2): "),
        ("vary.'cells.dSPN.parameters.CC' = ['16 pF']", "point 1 (cells.dSPN.parameters.CC 16 pF)"),
        ("vary.x = { factor = ['volume.boundary'], values = [2] }", "must be a number to be multi"),
        ("vary.x = { factor = ['volume.nothing'], values = [2] }", "unknown key"),
        ("vary.x = { factor = ['inputs.cortex.targets.FS.afferents'], values = [0.501] }",
         "point 1"),
        ("vary.status = { key = 'd1', values = [0.1] }", "is the name of another column"),
        ("vary.overlay = ['nothing']", "unknown overlay"),
        ("vary.overlay = [3]", "overlay: must be a name"),
        ("circuit = 'nothing'\nseeds = 2", "nothing: unknown circuit"),
        ("engine = 'nothing'\nseeds = 2", "engine: must be one of"),
        ("[vary", "is not valid TOML"),
    ])
    def test_one_line_before_anything_runs(self, text, sentence):
        assert sentence in refused(text)

    def test_files(self):
        assert "at most 1 MB" in refused("#" * 1_000_001)
        with pytest.raises(CircuitError, match="cannot be read"):
            ns.sweep("none.toml")
        with pytest.raises(CircuitError, match="not both"):
            ns.sweep("none.toml", seeds=2)
        with pytest.raises(CircuitError, match="neither"):
            ns.sweep()
        for bad in ({"jobs": 0}, {"threads": True}, {"jobs": 1.5}):
            with pytest.raises(CircuitError, match="must be a whole number from 1 to 1024"):
                ns.sweep(seeds=2, **bad)

    def test_a_network_that_cannot_fit(self, monkeypatch):
        monkeypatch.setattr(points_module, "free_memory", lambda: 10**9)
        with pytest.raises(CircuitError, match=r"point 2 \(size 9000000\): size: must fit into 80"):
            points_of(vary={"size": [100, 9_000_000]})

    def test_an_error_keeps_its_kind(self, monkeypatch):
        def missing(*about, **options):
            message = "engine: not installed"
            raise EngineMissing(message)

        assert "point 1 (): size" in refused("seeds = 2\nsize = 0", kind=BuildError)
        monkeypatch.setattr(sweep_module, "engine", missing)
        refused("seeds = 2", kind=EngineMissing)

    def test_more_points_than_the_limit_are_counted_not_listed(self):
        started = time.process_time()
        with pytest.raises(CircuitError, match="got 1,000,000,000,000"):
            ns.sweep(vary={f"x{n}": {"key": f"a.b{n}", "values": list(range(10_000))}
                           for n in range(2)}, seeds=10_000)
        assert time.process_time() - started < 5
        assert MAX_POINTS == 10_000


class TestFolder:
    def plan(self, **changes):
        return Plan(**{"size": 100, "seeds": 2, **changes})

    def test_another_sweep_is_refused_by_the_first_difference(self):
        circuit = ns.load("striatum_v1")
        store.SweepFolder("out", self.plan(), circuit)
        store.refuse_another("out", self.plan(), circuit)
        assert store.SweepFolder("out", self.plan(), circuit).path == Path("out")
        for plan, made, sentence in [
            (self.plan(seeds=3), circuit, r"out: seeds: must be \[1, 2\] .* \(got \[1, 2, 3\]\)"),
            (self.plan(vary={"d1": [0.5]}), circuit, "out: vary.d1: must be None"),
            (self.plan(), circuit.replace({"dt": "0.05 ms"}), "out: circuit.dt"),
        ]:
            with pytest.raises(RunFileError, match=sentence) as caught:
                store.refuse_another("out", plan, made)
            assert str(caught.value).endswith("Choose another --out")

    def test_what_is_no_sweep_is_left_alone(self):
        Path("mine").mkdir()
        Path("mine/thesis.txt").write_text("years", "utf-8")
        Path("file").write_text("x", "utf-8")
        for where in ("mine", "file", "file/below", ""):
            with pytest.raises(RunFileError):
                store.SweepFolder(where, self.plan(), ns.load("striatum_v1"))
        for text in ("{", "[]", "{}", '{"format": 1}'):
            Path("mine/sweep.json").write_text(text, "utf-8")
            with pytest.raises(RunFileError, match="is not the record of a sweep"):
                store.refuse_another("mine", self.plan(), ns.load("striatum_v1"))
        assert Path("mine/thesis.txt").read_text("utf-8") == "years"

    @pytest.mark.usefixtures("obeys_permissions")
    def test_a_read_only_folder(self):
        Path("out").mkdir(mode=0o555)
        with pytest.raises(RunFileError, match=r"out/sweep.json: cannot be written"):
            store.SweepFolder("out", self.plan(), ns.load("striatum_v1"))
        Path("closed").mkdir(mode=0o555)
        with pytest.raises(RunFileError, match="cannot be made"):
            store.SweepFolder("closed/new", self.plan(), ns.load("striatum_v1"))

    def test_a_second_writer_is_refused(self, monkeypatch):
        monkeypatch.setattr(store, "WAIT_S", 0.2)
        place = store.SweepFolder(None, self.plan(), ns.load("striatum_v1"))
        assert place.path == Path("sweeps/0001")
        handle = os.open(place.path, os.O_RDONLY)
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(RunFileError, match="another sweep is at work"), place.locked():
            pass
        os.close(handle)
        with place.locked():
            pass

    def test_a_damaged_outcome_runs_again(self, monkeypatch):
        place = store.SweepFolder("out", self.plan(), ns.load("striatum_v1"))
        point, *_ = points_of(seeds=2)
        with place.locked():
            assert place.finished(point) is None
            row = {"status": "finished", "spike_hash": "abc"}
            place.keep(point, row)
            assert place.finished(point) is None  # its folder is gone
            monkeypatch.setattr(store, "Run", lambda path: SimpleNamespace(
                summary={"spike_hash": "abc"}))
            assert place.finished(point) == row
            for wrong in ({"asked": "other", "row": row}, {"asked": point.asked, "row": None},
                          {"asked": point.asked, "row": row | {"spike_hash": "xyz"}},
                          {"asked": point.asked, "row": row | {"status": "failed"}}, []):
                (place.points / f"{point.name}.json").write_text(json.dumps(wrong), "utf-8")
                assert place.finished(point) is None


class FakeWorker:
    """Stands for a process: says nothing, keeps its points."""

    def __init__(self):
        self.point, self.ends = None, os.pipe()

    def fileno(self):
        return self.ends[0]

    def run(self, point, out):
        self.point = point

    def stop(self):
        for end in self.ends:
            os.close(end)


class TestMemory:
    @pytest.mark.parametrize(("sizes", "budget", "together"), [
        ([3, 3, 3, 3], None, [1, 2, 3]), ([3, 3, 3, 3], 7, [1, 2]), ([6, 5, 1, 9], 8, [1, 3]),
        ([9, 1], 8, [1]), ([1, 9], 8, [1]),
    ])
    def test_points_together_stay_within_the_budget(self, sizes, budget, together):
        pool = Pool({}, Path("points"), 3, 1, budget, 0, 0)
        pool._make = FakeWorker
        made = [points_module.Point(n, 1, {}, {}, "", size)
                for n, size in enumerate(sizes, start=1)]
        pool._share_out(made)
        assert sorted(one.point.number for one in pool._workers) == together
        for one in list(pool._workers):
            pool._drop(one)


def test_tables_are_typed_whatever_is_missing(tmp_path):
    table = Table(tmp_path, ["dopamine", "overlay"])
    table.add({"point": 2, "dopamine": 0.5, "overlay": "none", "seed": 1, "status": "failed",
               "exit_code": 4, "error": 'v: "bad", worse\nagain'})
    table.add({"point": 1, "dopamine": None, "overlay": None, "seed": 1, "status": "finished",
               "rate_FS_hz": 12.5, "spikes": 3, "exit_code": 0, "spike_hash": "ab"})
    table.write()
    frame = pd.read_csv(table.path)
    assert frame.point.tolist() == [1, 2]
    assert frame.error[1] == 'v: "bad", worse\nagain'
    parquet = pd.read_parquet(table.write_parquet())
    assert list(parquet.columns) == list(frame.columns)
    assert parquet.spikes[0] == 3
    assert np.isnan(parquet.rate_FS_hz[1])
    assert parquet.dopamine[1] == 0.5


def test_without_pyarrow_there_is_no_parquet(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert Table(tmp_path, []).write_parquet() is None


def test_computed_levels_have_columns(tmp_path):
    Path("levels.toml").write_text("""
name = "levels"
size = 60
duration = "5 ms"
[vary]
dopamine = [0.1, 0.4]
""", "utf-8")
    table = ns.sweep("levels.toml", out=tmp_path / "sweep").to_pandas()
    assert [name for name in table.columns if name.startswith("level_")] == [
        "level_ACh", "level_M1", "level_M4"]
    run = ns.Run(tmp_path / "sweep" / "points" / "0001")
    assert table.level_M1[0] == run.summary["modulators"]["M1"] != 0
