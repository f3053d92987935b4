"""Every literature number of every preset against an independent transcription.

The files `transcription_*.py` beside this one were made from docs/parameters.md without seeing
the presets. Here each number in them is looked up in the loaded circuit by its dotted path, and
each sourced number of the circuit must have been transcribed. A list step is an index (`bins.0`)
or, for effects on a cell, the level and what it acts on (`dopamine.D1.v_r`, `effects.D1.v_T`).
"""

import ast
import functools
import math
import re
import runpy
from collections.abc import Iterator
from pathlib import Path

import pint
import pytest

import neostriatum as ns
from neostriatum.circuit.laws import load_laws

HERE = Path(__file__).parent
SMALLEST = {  # entries per transcription, so that an emptied list cannot pass
    "striatum_v1": 106,
    "striatum": 430,
    "seed": 105,
    "humphries2009": 55,
    "humphries2010": 85,
    "fountas2017": 88,
    "lindahl2016": 419,
    "laws": 20,
}
PRESETS = [name for name in SMALLEST if name != "laws"]
# Where the two readings disagreed, or the first was silent, the source decided; see the file.
DECIDED = runpy.run_path(str(HERE / "decided.py"))["DECIDED"]
MADE = {name: runpy.run_path(str(HERE / f"transcription_{name}.py")) for name in SMALLEST}
EXACT = 1e-12

# docs/circuit-file.md: what a circuit that does not say otherwise has
DEFAULTS = {"dt": "0.1 ms", "warmup": "0 ms", "I_spon": "0 pA", "scale": 1.0}

MISSING = object()
WRAPPERS = ("value", "constant", "coefficient", "add")
PROSE = {"source", "how", "note", "summary", "name", "left_out", "file", "population", "channel"}
UREG = pint.UnitRegistry()


@functools.cache
def circuit(preset: str) -> dict:
    return ns.load(preset).to_dict()


def bare(node: object) -> object:
    """The value inside {"value": ...}, {"constant": ...} or {"coefficient": ...}."""
    while isinstance(node, dict):
        inside = [node[key] for key in WRAPPERS if node.get(key) is not None]
        if not inside:
            break
        node = inside[0]
    return node


def effect(entries: list, receptor: str, acts_on: str) -> object:
    found = [e for e in entries
             if e.get("receptor", e.get("level")) == receptor and e["acts_on"] == acts_on]
    assert len(found) <= 1, f"{receptor} acts on {acts_on} {len(found)} times"
    return found[0] if found else MISSING


def look_up(tree: dict, path: str) -> object:
    """The bare value at a dotted path, MISSING where the tree ends before the path."""
    node: object = tree
    steps = path.split(".")
    while steps and node is not MISSING:
        step = steps.pop(0)
        if step == "constant":
            node = bare(node)
        elif isinstance(node, list) and step.isdigit():
            node = node[int(step)] if int(step) < len(node) else MISSING
        elif isinstance(node, list):
            node = effect(node, step, steps.pop(0)) if steps else MISSING
        elif isinstance(node, dict):
            node = node.get(step, MISSING)
        else:
            node = MISSING
    node = bare(node)
    if node in (None, MISSING):
        return DEFAULTS.get(path.rsplit(".", 1)[-1], MISSING)
    return node


def number(leaf: object, unit: str | None) -> float:
    """The leaf as a number in the unit; a bare number has none, and a quantity must have one."""
    if unit is None:
        assert isinstance(leaf, int | float), f"expected a bare number, found {leaf!r}"
        assert not isinstance(leaf, bool), f"expected a number, found {leaf!r}"
        return float(leaf)
    assert isinstance(leaf, str), f"expected a number with the unit {unit}, found {leaf!r}"
    quantity = UREG.Quantity(leaf)
    assert quantity.units != UREG.dimensionless, f"{leaf!r} has no unit"
    return float(quantity.to(unit).magnitude)


def check(preset: str, path: str, expected: object, leaf: object) -> None:
    value, unit = expected if isinstance(expected, tuple) else (expected, None)
    rel = MADE[preset].get("ROUNDED", {}).get(path, EXACT)
    got = number(leaf, unit)
    assert math.isclose(got, value, rel_tol=rel), f"{path}: preset {got}, transcription {value}"


def sourced(node: object, path: tuple = (), *, inherited: bool = False) -> Iterator[str]:
    """The dotted path of every number with a source, its own or that of what it stands in."""
    if isinstance(node, dict):
        inherited = inherited or bool(path and node.get("source"))
        for key, child in node.items():
            if key not in PROSE:
                step = () if key in WRAPPERS else (key,)
                yield from sourced(child, path + step, inherited=inherited)
    elif isinstance(node, list):
        for index, child in enumerate(node):
            step = (str(index),)
            if path[-1] in ("dopamine", "effects"):
                step = (child.get("receptor", child.get("level")), child["acts_on"])
            yield from sourced(child, path + step, inherited=inherited)
    elif inherited and is_number(node):
        yield ".".join(path)


def is_number(leaf: object) -> bool:
    if isinstance(leaf, str):
        return re.match(r"[-+]?\.?\d", leaf) is not None
    return isinstance(leaf, int | float) and not isinstance(leaf, bool)


def entries(table: str) -> list:
    return [(preset, path) for preset in PRESETS for path in MADE[preset].get(table, ())]


@pytest.mark.parametrize(("preset", "path"), entries("EXPECTED"))
def test_number(preset: str, path: str) -> None:
    leaf = look_up(circuit(preset), path)
    assert leaf is not MISSING, f"{path} is not in the preset"
    check(preset, path, MADE[preset]["EXPECTED"][path], leaf)


@pytest.mark.parametrize(
    ("preset", "path"), [(preset, path) for preset in PRESETS for path in DECIDED[preset]]
)
def test_decided_number(preset: str, path: str) -> None:
    leaf = look_up(circuit(preset), path)
    assert leaf is not MISSING, f"{path} is not in the preset"
    (value, unit), rel = DECIDED[preset][path], 1e-5
    got = number(leaf, unit)
    assert math.isclose(got, value, rel_tol=rel), f"{path}: preset {got}, decided {value}"


@pytest.mark.parametrize(("preset", "path"), entries("IF_GIVEN"))
def test_number_if_given(preset: str, path: str) -> None:
    leaf = look_up(circuit(preset), path)
    if leaf is not MISSING:
        check(preset, path, MADE[preset]["IF_GIVEN"][path], leaf)


@pytest.mark.parametrize(("preset", "path"), entries("WORDS"))
def test_word(preset: str, path: str) -> None:
    assert look_up(circuit(preset), path) == MADE[preset]["WORDS"][path]


@pytest.mark.parametrize(("preset", "path"), entries("ABSENT"))
def test_absent(preset: str, path: str) -> None:
    assert look_up(circuit(preset), path) in (MISSING, {}, [])


@pytest.mark.parametrize("preset", PRESETS)
def test_every_sourced_number_was_transcribed(preset: str) -> None:
    made = MADE[preset]
    written = (*made["EXPECTED"], *made.get("IF_GIVEN", ()), *DECIDED[preset])
    known = {path.removesuffix(".constant") for path in written}
    found = set(sourced(circuit(preset)))
    assert found, "no number of the preset carries a source"
    missed = sorted(found - known)
    assert not missed, f"{len(missed)} sourced numbers were not transcribed:\n" + "\n".join(missed)


@pytest.mark.parametrize("name", SMALLEST)
def test_transcription_is_whole(name: str) -> None:
    made = MADE[name]
    assert len(made["EXPECTED"]) >= SMALLEST[name]
    stray = [path for path in made.get("ROUNDED", ()) if path not in made["EXPECTED"]]
    assert name == "laws" or not stray


@pytest.mark.parametrize("name", SMALLEST)
def test_transcription_stands_alone(name: str) -> None:
    """It imports nothing but the exponential, opens no file, and no key is written twice."""
    tree = ast.parse((HERE / f"transcription_{name}.py").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        assert not isinstance(node, ast.Import), "a transcription imports no module"
        if isinstance(node, ast.ImportFrom):
            assert node.module == "math"
        if isinstance(node, ast.Name):
            assert node.id not in {"open", "__import__", "exec", "eval"}
        if isinstance(node, ast.Dict):
            keys = [key.value for key in node.keys if isinstance(key, ast.Constant)]
            assert len(keys) == len(set(keys))


@pytest.mark.parametrize("path", MADE["laws"]["EXPECTED"])
def test_law(path: str) -> None:
    law, symbol = path.split(".")
    expected = MADE["laws"]["EXPECTED"][path]
    value = expected[0] if isinstance(expected, tuple) else expected
    assert math.isclose(load_laws()[law][symbol], value, rel_tol=EXACT)


def test_laws_are_complete() -> None:
    given = {f"{law}.{symbol}" for law, symbols in load_laws().items() for symbol in symbols}
    assert given == set(MADE["laws"]["EXPECTED"])


@pytest.mark.parametrize("law", MADE["laws"]["CONTACTS"])
def test_transcribed_law_gives_the_tables_of_the_sheet(law: str) -> None:
    """The exact digits round to the printed parameters and give the printed contacts."""
    symbols = ("alpha", "beta", "gamma", "delta", "eta")
    exact = [MADE["laws"]["EXPECTED"][f"{law}.{symbol}"] for symbol in symbols]
    alpha, beta, gamma, delta, eta = [x[0] if isinstance(x, tuple) else x for x in exact]
    printed = MADE["laws"]["ROUNDED"][law]
    assert (alpha, beta, gamma, delta, eta) == pytest.approx(printed, rel=0.02)
    for d, contacts in zip(MADE["laws"]["DISTANCES"], MADE["laws"]["CONTACTS"][law], strict=True):
        bracket = 1 - math.exp(-gamma * (d - delta))
        at_d = math.exp(-alpha - beta * bracket * math.exp(eta * d))
        if contacts is not None:
            assert at_d == pytest.approx(contacts, rel=0.03, abs=5e-4)
