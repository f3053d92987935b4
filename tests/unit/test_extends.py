"""A circuit that extends another is what both say; what cannot be meant is refused in one line."""

import json
import re
from pathlib import Path

import pytest

import neostriatum as ns
from neostriatum.circuit.catalogue import overlays, presets
from neostriatum.circuit.load import load
from neostriatum.circuit.sources import values
from neostriatum.cli import main
from neostriatum.errors import CircuitError

GOOD = (Path(__file__).parents[1] / "data" / "good_small.toml").read_text("utf-8")
QUICK = ["--engine", "reference", "--size", "50", "--duration", "5 ms", "--quiet"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working directory, empty."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(**texts):
    """Write TOML files, `_` in a name for a hyphen."""
    for name, text in texts.items():
        Path(f"{name.replace('_', '-')}.toml").write_text(text)


def changed(before, after):
    """Return the keys of values that two circuits do not share."""
    old, new = dict(values(before.to_dict())), dict(values(after.to_dict()))
    return {key for key in {*old, *new} if old.get(key) != new.get(key)}


# ---- what both say --------------------------------------------------------------------------


def test_tables_merge_and_lists_replace(folder):
    write(mine="""
        extends = "striatum_v1"
        left_out = ["Most of it."]
        dopamine.d1 = 0.8
        cells.SP1.parameters.C = "16 pF"
        cells.dSPN.dopamine = []
        pathways."FS->dSPN".wiring = { rule = "fixed_probability", p = 0.2 }
        [inputs.electrode.targets.FS]
        current = "10 pA"
        """)
    with pytest.raises(CircuitError, match="two names mean dSPN"):
        load("mine.toml")
    Path("mine.toml").write_text(Path("mine.toml").read_text().replace("SP1", "dSPN"))
    base, made = load("striatum_v1"), load("mine.toml")
    assert (made.name, made.left_out, made.cells["dSPN"].dopamine) == ("mine", ("Most of it.",), ())
    assert made.pathways["FS->dSPN"].wiring.rule == "fixed_probability"
    assert made.pathways["FS->dSPN"].stp == base.pathways["FS->dSPN"].stp
    assert {key.split(".wiring")[0] for key in changed(base, made)
            if "left_out" not in key and "dopamine" not in key.split(".")[-2:]} >= {
        "cells.dSPN.parameters.C", "pathways.FS->dSPN",
        "inputs.electrode.targets.FS.current.constant"}
    assert made.dopamine.d1.source is None
    assert made.dopamine.d2 == base.dopamine.d2
    assert list(made.pathways) == list(base.pathways)


def test_the_same_as_json_as_a_dict_and_again(folder):
    raw = {"name": "mine", "extends": "striatum_v1", "dopamine": {"d1": 0.8}}
    Path("mine.json").write_text(json.dumps(raw))
    before = json.dumps(raw)
    made = load(raw)
    assert load("mine.json") == made == load("striatum_v1", changes={}).replace(
        {"name": "mine", "dopamine.d1": {"constant": 0.8}})
    assert json.dumps(raw) == before
    assert "extends" not in made.to_dict()
    assert load(made.to_dict()) == made
    assert load({"extends": Path("mine.json"), "name": "mine"}) == made


def test_nothing_changed_is_the_same_circuit():
    for name in presets():
        assert load({"extends": name, "name": name}) == load(name)


def test_names(folder):
    write(my_own="extends = 'striatum_v1'", given="extends = 'striatum_v1'\nname = 'other'")
    assert load("my-own.toml").name == "my_own"
    assert load("given.toml").name == "other"
    assert load({"extends": "given.toml"}).name == "circuit"


def test_files_extend_files(folder):
    (folder / "below").mkdir()
    (folder / "below" / "base.toml").write_text("extends = 'striatum_v1'\ndopamine.d1 = 0.5")
    write(middle="extends = 'below/base.toml'\ndopamine.d2 = 0.6", top="extends = './middle.toml'")
    made = load("top.toml").dopamine
    assert (made.d1.constant.value, made.d2.constant.value) == (0.5, 0.6)


def test_eight_deep(folder):
    write(**{f"c{n}": f"extends = 'c{n + 1}.toml'" for n in range(8)}, c8="extends = 'striatum_v1'")
    assert load("c1.toml").name == "c1"
    with pytest.raises(CircuitError, match=r"^c8\.toml: extends: must be at most 8 deep"):
        load("c0.toml")


# ---- cell types -----------------------------------------------------------------------------


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("alias", ["FS", "FSI"])
def test_a_removed_type_goes_with_all_that_names_it(alias):
    raw = load("striatum_v1").to_dict() | {
        "noise": {"FS": "0.1 mV", "dSPN": "0.1 mV"}, "spread": {"FS": {"C": "1 pF"}},
        "start": {"FS": {"v": "-60 mV"}}}
    raw["inputs"]["electrode"] = {"targets": {"FS": {"current": "10 pA"}}}
    Path("full.json").write_text(json.dumps(raw))
    made = load({"extends": "full.json", "cells": {alias: "none"}})
    assert made.types == ("dSPN", "iSPN")
    assert not any("FS" in re.split(r"->|\W", key) for key in dict(values(made.to_dict())))
    assert list(made.inputs) == ["cortex"]
    assert list(made.noise) == ["dSPN"]
    assert made.volume == load("striatum_v1").volume
    assert [cell.fraction.value for cell in made.cells.values()] == [0.5, 0.5]
    assert ns.build(made, size=20, seed=1).counts == {"dSPN": 10, "iSPN": 10}


def test_given_fractions_hold_and_inherited_ones_shrink():
    base = load("striatum_v1")
    made = load({"extends": "striatum_v1", "cells": {"FS": {"fraction": 0.1}}})
    assert made.cells["FS"].fraction.value == 0.1
    assert made.cells["dSPN"].fraction.value == pytest.approx(0.45, abs=1e-12)
    assert made.volume == base.volume
    fraction = made.cells["iSPN"].fraction
    assert (fraction.source, fraction.how) == ("hjorth2020", "derived")
    assert fraction.note == "0.49325 of striatum_v1.toml x 0.912316, so that all sum to 1"
    assert made.counts(1000) == {"dSPN": 450, "iSPN": 450, "FS": 100}


def test_fractions_that_fit_stay_as_they_are():
    base = load("striatum_v1")
    for cells in ({}, {"FS": {"fraction": base.cells["FS"].fraction.value}},
                  {"FS": {"fraction": {"note": "another note"}}}):
        made = load({"extends": "striatum_v1", "cells": cells})
        assert made.cells["dSPN"] == base.cells["dSPN"]
        assert made.cells["FS"].fraction.value == base.cells["FS"].fraction.value
    given = {"dSPN": {"fraction": 0.3}, "iSPN": {"fraction": 0.3}, "FS": {"fraction": 0.4}}
    made = load({"extends": "striatum_v1", "cells": given})
    assert [cell.fraction.value for cell in made.cells.values()] == [0.3, 0.3, 0.4]


# ---- files that circuits name ---------------------------------------------------------------

SPIKES = "[inputs.{}.targets.FS]\nconductance.AMPA = '1 nS'\nspikes.file = '{}.csv'\n"


def spike_files(folder, *places):
    for place in places:
        (folder / place).parent.mkdir(exist_ok=True)
        (folder / place).write_text("time_ms,id\n1.0,0\n")


def test_files_lie_beside_the_circuit_that_names_them(folder):
    spike_files(folder, "below/a.csv", "b.csv")
    (folder / "below" / "base.toml").write_text(
        "extends = 'striatum_v1'\n" + SPIKES.format("x", "a"))
    write(mine="extends = 'below/base.toml'", both="extends = 'below/base.toml'\n"
          + SPIKES.format("y", "b"), own="extends = 'below/base.toml'\n" + SPIKES.format("x", "b"))
    assert load("mine.toml")._folder == folder / "below"
    assert load("own.toml")._folder == folder
    message = (r"^both\.toml: extends: the files of a circuit must lie in one folder \(got b\.csv, "
               r"and a\.csv of base\.toml\)\. Put both circuits into it$")
    with pytest.raises(CircuitError, match=message):
        load("both.toml")
    assert main(["run", "both.toml", *QUICK, "--out", "run"]) == 2
    assert not Path("run").exists()


def test_files_of_two_circuits_in_one_folder(folder):
    spike_files(folder, "a.csv", "b.csv")
    write(base="extends = 'striatum_v1'\n" + SPIKES.format("x", "a"),
          both="extends = 'base.toml'\n" + SPIKES.format("y", "b"))
    assert list(load("both.toml").inputs) == ["cortex", "x", "y"]


# ---- runs -----------------------------------------------------------------------------------


def test_a_run_stores_the_whole_circuit(folder):
    write(mine="extends = 'striatum_v1'\ncells.FS = 'none'\nwarmup = '0 ms'")
    run = ns.run("mine.toml", size=30, duration="2 ms", engine="reference", figures=False, out="r")
    assert "extends" not in run.record["circuit"]
    Path("mine.toml").unlink()
    assert run.circuit.types == ("dSPN", "iSPN")
    assert ns.rerun("r", out="again").summary["equal"]


# ---- overlays -------------------------------------------------------------------------------


def test_overlays_are_those_of_the_preset_that_a_circuit_comes_from(folder):
    write(mine="extends = 'striatum_v1'\nwarmup = '0 ms'", seeded="extends = 'seed'")
    assert load("mine.toml")._preset == load("striatum_v1")._preset == "striatum_v1"
    assert load("mine.toml").replace({"dt": "0.05 ms"})._preset == "striatum_v1"
    assert load("seeded.toml")._preset == "seed"
    assert load()._preset == "striatum"
    # As after a run or a network was read.
    assert load(load("striatum_v1").to_dict())._preset == "striatum_v1"
    assert load(load("mine.toml").to_dict())._preset is None
    for circuit in ("mine.toml", load("mine.toml"), load("mine.toml").to_dict()):
        made = load(circuit, overlay=["dense", "parkinsonian.dopamine"])
        assert made.dopamine.d1.constant.value == 0.0
        assert made.pathways["FS->iSPN"].wiring.scale.value == 1.0


def test_every_circuit_has_the_overlays_that_it_had():
    # Of version 0.1, which had one set for all, and those that fit any circuit.
    every = ["dense", "dreyer_nigra", "dreyer_vta", "ejdrup_dorsal", "parkinsonian"]
    for name in presets():
        if name not in ("striatum", "lindahl2016", "basal_ganglia"):
            assert overlays(name) == every
    for name in ("lindahl2016", "basal_ganglia"):
        assert overlays(name) == ["activation", "depleted", "dreyer_nigra", "dreyer_vta",
                                  "ejdrup_dorsal", "printed", "slow_wave"]
    assert overlays("striatum") == sorted(
        [*every, "no_acetylcholine", "pooled_axons", "slow_waves"])
    assert overlays(None) == every
    assert load("humphries2010", overlay="dense").name == "humphries2010"


@pytest.mark.parametrize("circuit", ["striatum_v1", "humphries2010"])
def test_an_unknown_overlay(circuit):
    with pytest.raises(CircuitError, match=r"^calm: unknown overlay\. Known: dense, dreyer_nigra, "
                       r"dreyer_vta, ejdrup_dorsal, parkinsonian$"):
        load(circuit, overlay="calm")


def test_overlays_of_a_preset_of_its_own(monkeypatch):
    from neostriatum.circuit import catalogue

    packaged = {"overlays/seed": {"own": Path("own.toml"), "dense": Path("seed_dense.toml")},
                "overlays/striatum_v1": {"dense": Path("dense.toml")}, "overlays/striatum":
                {"dense": Path("new_dense.toml"), "new": Path("new.toml")}}
    known = catalogue.preset_files()
    monkeypatch.setattr(catalogue, "_packaged", lambda folder: packaged.get(
        folder, known if folder == "presets" else {}))
    assert catalogue.overlay_files("seed") == dict(sorted(packaged["overlays/seed"].items()))
    assert catalogue.overlay_files("striatum") == packaged["overlays/striatum"]
    assert catalogue.overlay_files("striatum_v1") == packaged["overlays/striatum_v1"]
    assert catalogue.overlay_files("humphries2010") == packaged["overlays/striatum_v1"]


# ---- what cannot be meant -------------------------------------------------------------------

BAD = {
    "preset_unknown": ("extends = 'striatun'",
                       "extends: unknown circuit (got striatun). Known: striatum"),
    "preset_of_no_name": ("extends = 'xyz'", "extends: unknown circuit (got xyz). Known: basal"),
    "not_a_text": ("extends = 3", "extends: must be a preset's name or a file (got 3)"),
    "a_list": ("extends = ['striatum_v1', 'seed']", "extends: must be a preset's name or a file"),
    "file_missing": ("extends = 'none.toml'", "extends: no such file (got none.toml)"),
    "file_above": ("extends = '../x.toml'",
                   "extends: file must lie in the circuit's folder (got ../x.toml)"),
    "file_absolute": ("extends = '/etc/x.toml'",
                      "extends: file must lie in the circuit's folder (got /etc/x.toml)"),
    "file_linked": ("extends = 'link.toml'", "extends: file must lie in the circuit's folder"),
    "itself": ("extends = 'bad.toml'", "extends: must not lead back to a circuit that extends it"),
    "unknown_key": ("extends = 'striatum_v1'\ndopamin.d1 = 1",
                    "dopamin: unknown key. Nearest: dopam"),
    "name_illegal": ("extends = 'striatum_v1'\nname = 'my own'", "name: must be a letter"),
    "removed_unknown": ("extends = 'striatum_v1'\ncells.LTS = 'none'",
                        'cells.LTS: must be a type of the extended circuit to be "none". Known:'),
    "all_removed": ("extends = 'striatum_v1'\ncells = {dSPN = 'none', iSPN = 'none', FS = 'none'}",
                    "cells: must not be empty"),
    "removed_and_wired": ("extends = 'striatum_v1'\ncells.FS = 'none'\n"
                          "[pathways.'FS->dSPN']\nconductance.GABA = '1 nS'\ndelay = '1 ms'\n"
                          "wiring = {rule = 'fixed_probability', p = 0.1}", "pathways.FS->dSPN: "),
    "cells_a_text": ("extends = 'striatum_v1'\ncells = 'none'",
                     "cells: must be a table (got none)"),
    "fractions_of_one": ("extends = 'striatum_v1'\ncells.FS.fraction = 1",
                         "cells: fractions given must sum to less than 1 (got 1)"),
    "fractions_above_one": ("extends = 'striatum_v1'\n"
                            "[cells]\nFS.fraction = 0.6\ndSPN.fraction = 0.7",
                            "cells: fractions given must sum to less than 1 (got 1.3)"),
    "fraction_a_text": ("extends = 'striatum_v1'\ncells.FS.fraction = 'most'",
                        "cells.FS.fraction: must be a number (got most)"),
    "two_names": ("extends = 'striatum_v1'\ncells = {SP1.fraction = 0.1, dSPN.fraction = 0.1}",
                  "cells: two names mean dSPN"),
    "without_extends": ("dopamine.d1 = 0.5", "name: is missing"),
}


@pytest.mark.parametrize("name", BAD)
def test_refused(name, folder, capsys):
    text, fragment = BAD[name]
    write(bad=text, real="extends = 'striatum_v1'")
    Path("link.toml").symlink_to("real.toml")
    assert main(["run", "bad.toml", *QUICK, "--out", "run"]) == 2
    out, err = capsys.readouterr()
    assert not out
    assert f"bad.toml: {fragment}" in err
    assert len(err.strip().splitlines()) == 1
    assert not Path("run").exists()


@pytest.mark.parametrize(("texts", "message"), {
    "circle": ({"a": "extends = 'b.toml'", "b": "extends = 'a.toml'"},
               r"b\.toml: extends: must not lead back to a circuit that extends it \(got a"),
    "base is no circuit": ({"a": "extends = 'b.toml'", "b": "dopamine.d1 = 0.5"},
                           r"b\.toml: name: is missing"),
    "base is wrong": ({"a": "extends = 'b.toml'", "b": "extends = 'striatum_v1'\ndt = '9 ms'"},
                      r"b\.toml: dt: must be <= 0\.5 ms"),
    "base is no TOML": ({"a": "extends = 'b.toml'", "b": "x"}, r"b\.toml: is not valid TOML"),
    "stem": ({"a": "extends = '2nd.toml'", "2nd": "extends = 'striatum_v1'"},
             r"2nd\.toml: name: must be a letter, .* \(got 2nd of the file\)\. Give the "),
}.values())
def test_what_is_wrong_below_is_named_there(texts, message, folder):
    write(**texts)
    with pytest.raises(CircuitError, match=f"^{message}"):
        load("a.toml")


def test_extends_is_no_value_of_a_circuit(folder):
    with pytest.raises(CircuitError, match="extends: unknown key"):
        load("striatum_v1", changes={"extends": "seed"})
    write(over="[parts.x]\nextends = 'seed'")
    with pytest.raises(CircuitError, match=r"over\.toml: extends: unknown key"):
        load("striatum_v1", overlay="over.toml")


# ---- types and pools ------------------------------------------------------------------------


def test_a_removed_type_leaves_its_pool(folder):
    five = Path(__file__).parents[1] / "data" / "good_five.toml"
    Path("five.toml").write_text(five.read_text("utf-8"), "utf-8")
    pools = {name: list(members) for name, members in load("five.toml").pools.items()}
    pool, gone = next((name, members[0]) for name, members in pools.items() if len(members) > 1)
    made = load({"extends": "five.toml", "cells": {gone: "none"}})
    assert list(made.pools[pool]) == pools[pool][1:]
