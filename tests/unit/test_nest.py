"""What the NEST engine says where it cannot run, and the text of its cells; needs no NEST."""

import dataclasses
import importlib.machinery
import re
import sys
import types
from types import SimpleNamespace

import pytest

import neostriatum as ns
from neostriatum.cli import main
from neostriatum.engines.base import engine
from neostriatum.engines.lowered import lower
from neostriatum.engines.nest_engine import kernel, module
from neostriatum.engines.nest_engine.cell import cell, name_of, port, ports
from neostriatum.engines.nest_engine.nodes import numbers
from neostriatum.engines.nest_engine.release import common, release
from neostriatum.engines.nest_engine.shape import Form, form_of
from neostriatum.engines.nest_engine.text import LONGEST, Writer, literals
from neostriatum.engines.nest_engine.trains import train
from neostriatum.errors import EngineMissing, EngineUnsupported
from neostriatum.models import State, exp, log, logistic2, where
from neostriatum.models.adex import ADEX
from neostriatum.models.adex_rebound import ADEX_REBOUND
from neostriatum.models.exponential import EXPONENTIAL
from neostriatum.models.izhikevich import IZHIKEVICH
from neostriatum.models.izhikevich_fs import IZHIKEVICH_FS
from neostriatum.models.nmda import NMDA
from neostriatum.models.nmda_sigmoid import NMDA_SIGMOID
from neostriatum.models.plain import plain, rebuilt
from neostriatum.models.striatal import STRIATAL
from neostriatum.models.tsodyks_markram import TSODYKS_MARKRAM
from neostriatum.models.two_exponentials import TWO_EXPONENTIALS
from neostriatum.models.two_pools import TWO_POOLS
from neostriatum.runs import again

RUN = ["run", "--size", "50", "--duration", "5 ms", "--quiet"]


@pytest.fixture(autouse=True)
def fresh():
    """Look for NEST anew in every test."""
    kernel.nest.cache_clear()
    yield
    kernel.nest.cache_clear()


def installed(monkeypatch, version="3.10.0", mpi=False, processes=1):
    """Put a NEST in place that tells no more than its version and how it was built."""
    made = types.ModuleType("nest")
    made.__version__, made.num_processes = version, processes
    made.build_info = {"have_mpi": mpi}
    made.__spec__ = importlib.machinery.ModuleSpec("nest", None)
    made.VerbosityLevel = types.SimpleNamespace(ERROR=1)
    monkeypatch.setitem(sys.modules, "nest", made)


def refused(capsys, tmp_path, monkeypatch, *more):
    """Return exit code and line of a run that must leave nothing behind."""
    monkeypatch.chdir(tmp_path)
    code = main([*RUN, "--engine", "nest", *more])
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
    return code, err


def test_not_installed(capsys, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "nest", None)
    code, line = refused(capsys, tmp_path, monkeypatch)
    assert code == 3
    assert line.startswith("engine nest: needs NEST 3.10 (")
    assert 'pip install "neostriatum[nest]"' in line


def test_another_version(capsys, tmp_path, monkeypatch):
    installed(monkeypatch, "3.8.0")
    code, line = refused(capsys, tmp_path, monkeypatch)
    assert code == 3
    assert "needs NEST 3.10 (got 3.8.0)" in line


def test_another_module_of_that_name(capsys, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "nest", types.ModuleType("nest"))
    code, line = refused(capsys, tmp_path, monkeypatch)
    assert code == 3
    assert "needs NEST 3.10 (got another module of that name)" in line


@pytest.fixture
def package(monkeypatch, tmp_path_factory):
    """A package of NEST that was built without MPI, and ranks that find it."""
    folder = tmp_path_factory.mktemp("packages")
    (folder / "nest").mkdir()
    # Imported under a launcher, such a NEST ends the process.
    (folder / "nest" / "__init__.py").write_text("import os\nos._exit(127)\n")
    (folder / "nest" / "nestkernel_api.so").write_bytes(b"no such function")
    monkeypatch.delitem(sys.modules, "nest", raising=False)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "4")
    monkeypatch.setenv("OMPI_COMM_WORLD_RANK", "0")


@pytest.mark.usefixtures("package")
def test_ranks_without_an_mpi_build(capsys, tmp_path, monkeypatch):
    code, line = refused(capsys, tmp_path, monkeypatch)
    assert code == 3
    assert "needs NEST built with MPI to run on 4 ranks (got one without)" in line
    assert "make nest-mpi" in line
    # The others leave without a word.
    monkeypatch.setenv("OMPI_COMM_WORLD_RANK", "1")
    assert main([*RUN, "--engine", "nest"]) == 3
    assert capsys.readouterr() == ("", "")


def test_another_mpi(monkeypatch):
    installed(monkeypatch, mpi=True, processes=1)
    monkeypatch.setattr(kernel, "_needs_mpi", lambda count: None)
    monkeypatch.setattr(kernel, "world", lambda: None)
    monkeypatch.setenv("PMI_SIZE", "3")
    monkeypatch.setenv("PMI_RANK", "0")
    with pytest.raises(EngineMissing, match=r"the MPI that started it \(got 1 of 3 ranks\)"):
        engine("nest")


@pytest.mark.parametrize("name", ["numba", "reference"])
def test_other_engines_run_in_one_process(name, monkeypatch):
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "2")
    monkeypatch.setenv("OMPI_COMM_WORLD_RANK", "0")
    with pytest.raises(EngineUnsupported, match=r"one process \(got 2 ranks\). Use --engine nest"):
        engine(name)


def test_no_compiler(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineMissing, match=r"C\+\+ compiler .* Install g\+\+"):
        module.compiler(mpi=False)
    with pytest.raises(EngineMissing, match="Install libopenmpi-dev"):
        module.compiler(mpi=True)


@pytest.mark.parametrize("said", [
    "dictionary.h:39:10: fatal error: boost/type_index.hpp: No such file or directory",
    "dictionary.h:39:10: fatal error: 'boost/type_index.hpp' file not found",
])
def test_a_header_that_the_packages_of_nest_do_not_bring(said):
    with pytest.raises(EngineMissing, match=r"got no boost/type_index.hpp\). Install libltdl-dev"):
        module._call("the compiler", compiler_saying(said))


def test_a_compiler_that_refuses():
    with pytest.raises(EngineUnsupported, match=r"a cell model \(expected ';' before 'x'\)"):
        module._call("the compiler", compiler_saying("a.cpp:1:9: error: expected ';' before 'x'"))


def compiler_saying(text):
    return [sys.executable, "-c", f"import sys; sys.exit({text!r})"]


def test_options(monkeypatch):
    installed(monkeypatch)
    with pytest.raises(EngineUnsupported, match=r"precision must be double \(got single\)"):
        engine("nest", precision="single")
    assert engine("nest", threads=4).placement == {
        "threads": 4, "ranks": 1, "virtual_processes": 4}


def test_a_run_again_has_as_many_virtual_processes(monkeypatch):
    record = SimpleNamespace(threads=2, ranks=2, virtual_processes=4)
    assert again.former_threads(record, None) == 4
    with pytest.raises(EngineUnsupported, match=r"must be 4, as it was \(got 3 times 1\)"):
        again.former_threads(record, 3)
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "8")
    monkeypatch.setenv("OMPI_COMM_WORLD_RANK", "0")
    with pytest.raises(EngineUnsupported, match=r"must be 4, as it was \(got 1 times 8\)"):
        again.former_threads(record, None)


def test_axons_without_trains(capsys, tmp_path, monkeypatch):
    installed(monkeypatch)
    code, line = refused(capsys, tmp_path, monkeypatch, "striatum", "--overlay", "pooled_axons")
    assert code == 3
    assert line == ("engine nest: axons.cortex.identity: must be true, as counts without trains "
                    "are no spikes that NEST could send (got false). Use the engine numba\n")


FORMS = {
    "bare": Form(IZHIKEVICH),
    "linear": Form(IZHIKEVICH, (EXPONENTIAL, NMDA),
                   ((1, "gain1", "factor"), (1, "p_v_r", "factor"))),
    "cubic": Form(IZHIKEVICH_FS, (EXPONENTIAL, EXPONENTIAL),
                  ((2, "gain0", "factor"), (1, "current", "current")),
                  (((0,), True), ((0, 1), False)), noisy=True, gaps=True),
    "third": Form(STRIATAL, (TWO_EXPONENTIALS, NMDA_SIGMOID),
                  ((1, "p_v_r", "factor"), (3, "p_v_r", "add"), (4, "p_v_T", "add"),
                   (4, "current", "current"))),
    "adex": Form(ADEX), "rebound": Form(ADEX_REBOUND),
}


TEXTS = {**{name: cell(form) for name, form in FORMS.items()},
         **{model.name: release(model) for model in (TSODYKS_MARKRAM, TWO_POOLS)}}


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_has_words_and_plain_numbers_only(name):
    """NESTML 9 prints nine digits, and 1e-300 as 1e-3: every other number is a parameter."""
    text = TEXTS[name].replace("@homogeneous", "")
    numbers = set(re.findall(r"(?<![\w.])\d[\w.+-]*", text))
    assert numbers <= {"0", "0.0", "1", "1.0", "2", "2.0", "0.5"}
    assert re.fullmatch(r"[\w\s.,:?()<>=*/+'-]+", text)


def test_a_form_decides_its_text():
    texts = [*TEXTS.values(), train()]
    assert len({name_of(text) for text in texts}) == len(texts)
    assert cell(FORMS["cubic"]) == cell(dataclasses.replace(FORMS["cubic"]))
    # A model read back from its data gives the same text, so that it is compiled once.
    again_ = dataclasses.replace(FORMS["rebound"], model=rebuilt(plain(ADEX_REBOUND)))
    assert cell(again_) == cell(FORMS["rebound"])


def test_ports():
    form = FORMS["cubic"]
    assert ports(form) == ["in0", "in1", "phi1", "phi2", "current", "rate0", "rate1"]
    assert port(form, "rate1") == 7
    assert port(FORMS["bare"], "current") == 0
    assert ports(FORMS["third"]) == ["in0", "in1", "phi1", "phi3", "phi4", "current"]


def test_what_modulators_change_in_a_text():
    lines = cell(FORMS["third"]).split("onReceive(phi3):")[1].splitlines()[1:5]
    assert [line.strip() for line in lines] == [
        "level3 = phi3 * unit",
        "p_v_r = base_p_v_r * ((1.0 + effect0 * level1)) + (effect1 * level3)",
        "p_v_T = base_p_v_T * 1.0 + (effect2 * level4)", "open3 = effect3 * level4"]


def statements(*trees):
    """Return the lines of ``x = tree`` for trees of v and g."""
    constants = literals(trees)
    writer = Writer(trees, {"v": "s_v", "g": "p_g"}, constants)
    return [line for tree in trees for line in writer.lines("x = ", tree)]


def test_trees_are_written_in_their_order():
    v, g = State("v", "1"), State("g", "1")
    assert statements(v - (v - g) - g * (v / (g / v))) == [
        "x = s_v - (s_v - p_g) - p_g * (s_v / (p_g / s_v))"]
    assert statements(-v * -(v + g)) == ["x = (-(s_v)) * (-(s_v + p_g))"]
    assert statements(where((v < g) & ((v > 3.5) | (g <= 0)), abs(v), exp(v) + log(g))) == [
        "x = (((s_v < p_g) and ((s_v > k0) or (p_g <= k1))) ? (abs(s_v)) : "
        "(exponential(s_v) + logarithm(p_g)))"]
    assert statements(logistic2(1.0, v) + 1) == ["x = logistic(k0, s_v) + k0"]


def test_what_is_used_twice_is_computed_once():
    v, g = State("v", "1"), State("g", "1")
    square = (v - g) * (v - g)
    assert statements(square + 1, square) == [
        "t0 real = s_v - p_g", "t1 real = t0 * t0", "x = t1 + k0", "x = t1"]
    long = v
    for _ in range(40):
        long = long * v + g
    lines = statements(long)
    assert max(map(len, lines)) < 2 * LONGEST
    assert len(lines) > 3
    assert sum(line.count("*") for line in lines) == 40


def test_signals_are_levels_then_curves():
    raw = ns.load("striatum_v1").to_dict() | {"modulators": {"ACh": {"level": 2, "reference": 1}}}
    curve = {"half": 2}
    raw["cells"]["FS"]["effects"] = [
        {"level": "ACh", "acts_on": "v_t", "add": "1 mV"},
        {"level": "ACh", "acts_on": "d", "coefficient": 0.1, "curve": curve},
        {"level": "ACh", "acts_on": "k", "coefficient": 0.1, "curve": curve},
        {"level": "D1", "acts_on": "I_GHOST", "coefficient": 0.1}]
    raw["receptors"]["GHOST"] = raw["receptors"]["GABA"]
    circuit = ns.load(raw)
    network = ns.build(circuit, size=200)
    lowered = lower(circuit, network, 1)
    form = form_of(lowered, 2)
    assert [(number, target) for number, target, _ in form.effects] == [
        (1, "p_v_r"), (2, "gain1"), (3, "p_v_t"), (4, "p_d"), (4, "p_k")]
    said = numbers(lowered, 2, form, lowered.phi(0))
    assert {key: round(value, 9) for key, value in said.items() if key.startswith("level")} == {
        "level1": 0.3, "level2": 0.3, "level3": 1.0, "level4": round(0.5 - 1 / 3, 9)}
    assert said["p_v_t"] == lowered.populations[2].parameters["v_t"] + 1.0
    # Other numbers of the same effects keep the compiled cell.
    other = circuit.replace({"modulators.ACh.reference": 0.5,
                             "cells.FS.effects.0.add": "2 mV"})
    assert form_of(lower(other, network, 1), 2) == form


@pytest.mark.parametrize("preset", ["striatum_v1", "humphries2010"])
def test_every_parameter_of_a_text_is_set(preset):
    """What is a parameter of the text stays 1 unless Python gives it a value."""
    circuit = ns.load(preset)
    lowered = lower(circuit, ns.build(circuit, size=60), 1)
    for number in range(len(lowered.populations)):
        form = form_of(lowered, number)
        text = cell(form).partition("parameters:")[2].partition("internals:")[0]
        known = set(re.findall(r"(\w+) real", text))
        given = set(numbers(lowered, number, form, lowered.phi(0)))
        assert {"grain", "p_C"} <= known <= given


def test_every_parameter_of_a_release_is_set():
    """So it is with a synapse, whose own factor and weight come with each."""
    circuit = ns.load("striatum_v1", changes={"pathways.FS->iSPN.stp": {
        "model": "two_pools", "U": 0.3, "share": 0.5, "tau_fast": "9 ms", "tau_slow": "1 s"}})
    lowered = lower(circuit, ns.build(circuit, size=60), 1)
    plastic = [one for one in lowered.projections if one.stp]
    assert {one.stp.model.name for one in plastic} == {"two_pools", "tsodyks_markram"}
    for one in plastic:
        text = release(one.stp.model).partition("input:")[0]
        known = set(re.findall(r"(\w+) (?:real|ms) =", text))
        assert known == set(common(lowered, one, 2.0)) | {"factor"}
        assert common(lowered, one, 2.0)["last"] == 3.0


def test_functions_in_place():
    v, g = State("v", "1"), State("g", "1")
    trees = [exp(v) * log(v + g), exp(v)]
    writer = Writer(trees, {"v": "s_v", "g": "p_g"}, {}, inline=True)
    lines = writer.lines("x = ", trees[0])
    assert lines[0] == "t0_x real = s_v"
    assert lines[-1] == "x = t1 * t2"
    assert [line for line in lines if line.startswith("t1 real")] == ["t1 real = t0"]
    assert "t2_x real = s_v + p_g" in lines
    assert "if t2_mantissa > l_root:" in lines
    assert "    t2_mantissa = t2_mantissa * 0.5" in lines
    assert writer.lines("y = ", trees[1]) == ["y = t1"]


def test_numbers_of_a_circuit_do_not_change_a_form():
    circuit = ns.load("striatum_v1")
    network = ns.build(circuit, size=60)
    changed = circuit.replace({"cells.dSPN.parameters.C": "16 pF", "dopamine.d1": 0.9})
    one, two = (lower(said, network, 1) for said in (circuit, changed))
    assert [form_of(one, number) for number in range(3)] == [
        form_of(two, number) for number in range(3)]
    assert len({form_of(one, number) for number in range(3)}) == 3
