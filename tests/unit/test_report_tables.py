"""The tables, courses and references of a report, for every circuit that we have."""

from pathlib import Path

import pytest

import neostriatum as ns
from neostriatum.circuit.catalogue import presets
from neostriatum.circuit.sources import cited as sources_of
from neostriatum.circuit.sources import values
from neostriatum.information import describe
from neostriatum.reporting import tables
from neostriatum.reporting.effects import effects
from neostriatum.reporting.phrases import course
from neostriatum.reporting.references import references

GOOD = str(Path(__file__).parents[1] / "data" / "good_small.toml")


@pytest.mark.parametrize("name", presets())
def test_tables_of_every_preset(name):
    circuit = ns.load(name)
    numbers = {one.key: one.number for one in references(sources_of(circuit))}
    assert list(numbers.values()) == list(range(1, len(numbers) + 1))
    assert len(tables.wiring(circuit)) == len(circuit.pathways) + len(circuit.gap_junctions)
    assert len(effects(circuit)) == sum(len(one.acting) for one in circuit.cells.values())
    assert len(tables.inputs(circuit)) == sum(len(one.targets) for one in circuit.inputs.values())
    assert len(tables.receptors(circuit)) == len(circuit.receptors)
    assert {row["symbol"] for row in tables.cells(circuit)} >= {"C", "k", "v_r", "a", "b"}
    assert tables.space(circuit)


def test_effects_of_other_modulators_in_words():
    circuit = ns.load(GOOD, changes={
        "modulators.ACh": {"level": 2, "reference": 1}, "modulators.D1.reference": 0.8,
        "cells.iSPN.effects": [
            {"level": "ACh", "acts_on": "v_t", "add": "1.2 mV"},
            {"level": "ACh", "acts_on": "d", "coefficient": -0.3, "curve": {"half": 2}}]})
    plain = str.maketrans({"\N{MULTIPLICATION SIGN}": "x", "\N{MINUS SIGN}": "-"})
    rows = [(row["receptor"], row["rule"].text.translate(plain), row["now"].translate(plain))
            for row in effects(circuit)]
    assert rows == [
        ("D1", "x (1 + 0.5 (φ₁ - 0.8))", "x 0.7"), ("ACh", "+ 1.2 mV · (ACh - 1)", "+ 1.2 mV"),
        ("ACh", "x (1 - 0.3 [h(ACh) - h(1)], half 2, order 1)", "x 0.95"),
        ("D1", "+ 0.1 nS · (φ₁ - 0.8) · (v - E), E = -40 mV", "-0.06 nS")]
    assert ("ACh", "2") in [(name, value.text) for name, value in tables.space(circuit)]


@pytest.mark.parametrize(("said", "text"), [
    ("20 pA", "20 pA"),
    ({"pulse": {"base": "20 pA", "peak": "90 pA", "start": "50 ms", "stop": "70 ms"}},
     "20 pA, 90 pA from 50 to 70 ms"),
    ({"ramp": {"base": "0 pA", "peak": "-9 pA", "start": "0 ms", "stop": "1 s"}},
     "0 pA to \N{MINUS SIGN}9 pA, ramp from 0 to 1000 ms"),
    ({"sine": {"mean": "5 pA", "amplitude": "2 pA", "frequency": "8 Hz"}},
     "5 pA ± 2 pA, sine of 8 Hz"),
    ({"table": {"times": ["0 ms", "9 ms"], "values": ["1 pA", "2 pA"]}},
     "table of 2 points from 1 pA at 0 ms to 2 pA at 9 ms"),
    ({"steps": {"times": ["0 ms", "9 ms"], "values": ["1 pA", "2 pA"]}},
     "2 steps from 1 pA to 2 pA"),
    ({"square": {"low": "1 pA", "high": "3 pA", "frequency": "20 Hz"}},
     "1 pA and 3 pA, square wave of 20 Hz"),
])
def test_courses_in_words(said, text):
    circuit = ns.load(GOOD, changes={"inputs.electrode.targets.FS.current": said})
    assert course(circuit.inputs["electrode"].targets["FS"].current).text == text


def test_a_source_is_a_link_only_where_it_is_a_doi():
    for given, link in (("javascript:alert(1)", ""), ("https://elsewhere.org", ""),
                        ("10.1000/a b", ""), ("10.1000/x?y=<1>", "https://doi.org/10.1000/x%3Fy%3D%3C1%3E")):
        circuit = ns.load(GOOD, changes={"cells.dSPN.parameters.C": {
            "value": "15 pF", "source": given}})
        assert [one.link for one in references(sources_of(circuit)) if one.key == given] == [link]


def test_values_are_those_of_info():
    # The page takes its rows from here, so that both can never differ.
    circuit = ns.load(GOOD)
    assert [key for key, _ in values(circuit.to_dict())] == [
        row["key"] for row in describe(GOOD)["values"]]
