"""Targets, verdicts, coverage of the parameter sheet, and a quick validation of the circuits."""

import json
import math
import re
import time
import tomllib
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

import neostriatum as ns
from neostriatum.circuit.measured import measured
from neostriatum.cli import main
from neostriatum.engines.inputs import channel_members
from neostriatum.engines.lowered import lower
from neostriatum.errors import CircuitError
from neostriatum.validation.coverage import coverage, everything
from neostriatum.validation.judge import judge
from neostriatum.validation.protocols import names
from neostriatum.validation.targets import Target, Targets, published
from neostriatum.validation.validate import validate
from neostriatum.validation.workers import run_jobs

ROOT = Path(__file__).parents[2]
SHEET = (ROOT / "docs" / "parameters.md").read_text("utf-8")
TARGETS = {one.id: one for one in published().targets}
PLAIN = {"id": "some-target", "group": 1, "quantity": "rest", "unit": "mV", "value": -75.0,
         "conditions": "slice", "source": "planert2010", "read": "table",
         "protocol": "passive", "reads": "rest_mv", "tolerance": {"absolute": 2.0, "why": "so"}}


def target(**changes: object) -> Target:
    return Target.model_validate(PLAIN | changes)


# ---- the data ------------------------------------------------------------------------------------


def test_there_are_enough_in_every_group() -> None:
    assert len(TARGETS) >= 40
    assert {one.group for one in TARGETS.values()} == set(range(1, 13))
    assert sum(one.quick for one in TARGETS.values()) >= 40


@pytest.mark.parametrize("one", TARGETS.values(), ids=lambda one: one.id)
def test_source_and_protocol_are_known(one: Target) -> None:
    sources = tomllib.loads(
        (ROOT / "src" / "neostriatum" / "circuit" / "sources.toml").read_text("utf-8"))
    assert one.source in sources
    assert one.protocol in names()
    assert one.explanation is None or len(one.explanation) > 60


@pytest.mark.parametrize("table", ["cinotti2022_50um", "cinotti2022_100um"])
def test_intervals_are_those_of_the_measured_tables(table: str) -> None:
    for pathway, (only,) in measured()[table].items():
        reach = f"{only.below.value:g}"
        found = [one for one in TARGETS.values() if one.reads == f"{pathway} {reach}"
                 and one.source == "cinotti2022"]
        assert [one.interval() for one in found] == [tuple(end.value for end in only.interval)]


@pytest.mark.parametrize("changes", [
    {"tolerance": {"why": "none"}}, {"tolerance": {"absolute": 1.0, "sd": 1.0, "why": "two"}},
    {"tolerance": {"absolute": 1.0}}, {"value": None}, {"tolerance": {"sd": 1.0, "why": "no sd"}},
    {"tolerance": {"se": 1.0, "why": "no standard error"}},
    {"group": 13}, {"read": "guess"}, {"id": "Bad Id"}, {"colour": "red"}, {"order": ["a", "b"]},
    {"tolerance": {"rms": 1.0, "why": "no curve"}},
    {"curve": {"x": [1, 2], "y": [1], "x_label": "x"}, "value": None},
])
def test_bad_targets_are_refused(changes: dict) -> None:
    with pytest.raises(ValidationError):
        target(**changes)


def test_an_id_twice_is_refused() -> None:
    with pytest.raises(ValidationError, match="distinct"):
        Targets.model_validate({"targets": [PLAIN, PLAIN]})


def test_what_is_not_judged_has_its_reason() -> None:
    sources = tomllib.loads(
        (ROOT / "src" / "neostriatum" / "circuit" / "sources.toml").read_text("utf-8"))
    left = everything().not_judged
    assert len({one.id for one in left}) == len(left)
    for one in left:
        assert one.id not in TARGETS
        assert one.source in sources
        assert len(one.reason) > 30
        assert all(name in TARGETS for name in re.findall(r"\(([a-z0-9-]+)\)", one.reason)
                   if "-" in name)


def test_targets_exclude_each_other() -> None:
    """Their intervals do not meet, where they are of one quantity."""
    for one in everything().excluding:
        assert set(one.targets) <= set(TARGETS)
    for name in ("fs-rest", "up-state"):
        sets = [one.targets for one in everything().excluding if name in one.targets]
        ends = [TARGETS[each].interval() for each in sets[0]]
        assert max(low for low, _ in ends) > min(high for _, high in ends)


def test_the_readings_of_a_dispute_fit_its_circuit() -> None:
    """Every reading is of keys that the circuit has, so that none is measured as nothing."""
    for one in published().disagreements:
        for reading in one.readings:
            ns.load(one.circuit, changes=reading.changes)


# ---- the verdict ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("tolerance", "passing", "failing"), [
    ({"absolute": 2.0}, (-77.0, -73.0), (-77.01, -72.99)),
    ({"relative": 0.1}, (-82.5, -67.5), (-82.6, -67.4)),
    ({"factor": 2.0}, (-150.0, -37.5), (-151.0, -37.0, 75.0)),
    ({"sd": 2.0}, (-81.0, -69.0), (-81.1, -68.9)),
    ({"se": 2.0}, (-77.0, -73.0), (-77.1, -72.9)),
    ({"mean": 0.1}, (-82.5, -67.5), (-82.6, -67.4)),
    ({"mean": 0.01}, (-77.0, -73.0), (-77.1, -72.9)),
    ({"interval": [-80.0, float("inf")]}, (-80.0, 0.0), (-80.1, float("nan"), None, [1.0])),
])
def test_numbers(tolerance: dict, passing: tuple, failing: tuple) -> None:
    one = target(spread=3.0, se=1.0, tolerance=tolerance | {"why": "so"})
    assert all(judge(one, value).passed for value in passing)
    assert not any(judge(one, value).passed for value in failing)


def test_curves() -> None:
    one = target(value=None, curve={"x": [1, 2], "y": [0, 10], "x_label": "x"},
                 tolerance={"rms": 1.0, "why": "so"})
    assert judge(one, [1.0, 9.0]).deviation == pytest.approx(1.0)
    assert judge(one, [1.0, 9.0]).passed
    assert not judge(one, [1.2, 9.0]).passed
    for wrong in ([1.0], None, [1.0, None], [math.nan, 9.0], {"a": 1}):
        assert not judge(one, wrong).passed


def test_orders() -> None:
    one = target(value=None, order=["D1", "none"], tolerance={"order": True, "why": "so"})
    assert judge(one, {"none": 2.0, "D1": 1.0}).passed
    for wrong in ({"none": 1.0, "D1": 1.0}, {"none": 1.0}, {"none": None, "D1": 1.0}, None, 3.0):
        assert not judge(one, wrong).passed


# ---- the parameter sheet -------------------------------------------------------------------------

NUMBER = re.compile(r"(?<![\w.])-?(?:\d[\d,]*\.?\d*|\.\d+)(?![\w])")


def numbers(text: str) -> set[float]:
    """The numbers that stand in a text by themselves."""
    plain = re.sub(r"[*`]", "", text).replace("\u2013", " ").replace("\u2026", " ")
    return {float(one.replace(",", "").rstrip(".")) for one in NUMBER.findall(plain)
            if one.strip("-,.")}


def sheet_rows() -> list[tuple[str, str, str]]:
    """Section, label and text of every line with a digit in sections 1, 2, 5b to 5d and 6."""
    found, section = [], ""
    for line in SHEET.splitlines():
        if heading := re.match(r"##+ (\d+[a-z]?)[. ]", line):
            section = heading[1]
        if (not re.fullmatch(r"[126][a-z]?|5[bcd]", section) or line.startswith("#")
                or not re.search(r"\d", line)):
            continue
        if line.startswith("|"):
            cells = [cell.strip() for cell in re.sub(r"[*`]", "", line).strip("|").split("|")]
            label = cells[0] or cells[1]
        else:
            label = re.sub(r"[*`]", "", line).strip()
        found.append((section, label, line))
    return found


def rows_of(section: str, label: str) -> list:
    exact = [row for row in coverage() if row.section == section and label in row.labels]
    return exact or [row for row in coverage() if row.section == section
                     and any(label.startswith(one) for one in row.labels if len(one) > 3)]


def values(one: Target) -> set[float]:
    """Every number that a target was given."""
    ends = [end for end in one.interval() or () if math.isfinite(end)] if (
        one.tolerance.interval) else []
    curve = list(one.curve.y) if one.curve else []
    return {float(x) for x in (one.value, one.spread, one.se, *ends, *curve) if x is not None}


def test_every_published_number_is_a_target_or_has_its_reason() -> None:
    rows = sheet_rows()
    assert len(rows) > 120
    open_rows = []
    for section, label, text in rows:
        covered = rows_of(section, label)
        if not covered:
            open_rows.append(f"{section}: {label[:60]}: not covered")
            continue
        known = set().union(*(values(TARGETS[name]) for row in covered for name in row.targets),
                            set())
        left = {x for x in numbers(text) if x not in known and -x not in known}
        if left and not any(row.rest for row in covered):
            open_rows.append(f"{section}: {label[:60]}: {sorted(left)} without a reason")
    assert not open_rows, "\n".join(open_rows)


def test_every_row_of_the_coverage_is_in_the_sheet() -> None:
    used = {id(row) for section, label, _ in sheet_rows() for row in rows_of(section, label)}
    assert [row.labels for row in coverage() if id(row) not in used] == []


def test_targets_can_be_read_in_their_rows() -> None:
    """A target that a row names has a number of that row, unless the row gives a sign only."""
    text_of: dict[int, str] = {}
    for section, label, text in sheet_rows():
        for row in rows_of(section, label):
            text_of[id(row)] = text_of.get(id(row), "") + "\n" + text
    for row in coverage():
        for name in row.targets:
            one = TARGETS[name]
            if row.by_number and one.order is None and not one.tolerance.interval:
                found = numbers(text_of[id(row)])
                close = any(math.isclose(x, y, rel_tol=6e-3) for x in values(one) for y in found)
                assert close or values(one) == {0.0}, f"{row.section} {row.labels[0]}: {name}"


# ---- the workers ---------------------------------------------------------------------------------


def _halve(number: float) -> float:
    if number < 0:
        message = "negative"
        raise ValueError(message)
    if number == 13:
        time.sleep(60)
    return number / 2


def test_workers_outlive_an_error_and_a_job_that_hangs() -> None:
    jobs = [("hangs", (13,)), ("bad", (-1,)), ("good", (3,)), ("late", (5,))]
    done = {one.key: one for one in run_jobs(_halve, jobs, workers=1, limit_s=2.0)}
    assert done["good"].result == 1.5
    assert done["late"].result == 2.5
    assert "negative" in done["bad"].error
    assert "longer than 2 s" in done["hangs"].error


# ---- the command ---------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [
    ["--circuit", "nonesuch"], ["--only", "nonesuch"], ["--engine", "nonesuch"],
    ["--group", "nonesuch"],
    ["--report", "page.pdf"], ["--report", "/nonesuch/page.html"], ["--set", "nonesuch=1"],
    ["--overlay", "nonesuch"], ["--workers", "-1"],
])
def test_bad_input(arguments: list[str], capsys: pytest.CaptureFixture) -> None:
    assert main(["validate", "--quick", *arguments]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_quick(capsys: pytest.CaptureFixture) -> None:
    """A new failure fails, and so does a pass that was declared a failure."""
    assert main(["validate", "--quick", "--json", "--workers", "1"]) == 0
    made = json.loads(capsys.readouterr().out)
    rows = {row["id"]: row for row in made["targets"]}
    assert set(rows) == {one.id for one in TARGETS.values() if one.quick}
    assert not [row["id"] for row in rows.values() if row["error"] or row["unsuited"]]
    assert made["groups"]["Single cells"]["passed"] > 0
    assert sum(group["passed"] for group in made["groups"].values()) == made["passed"]
    failed = {name for name, row in rows.items() if row["pass"] is not True}
    assert failed == {name for name in rows if TARGETS[name].explanation}
    assert not [name for name, row in rows.items() if row["unexpected"]]
    assert made["passed"] + made["failed"] == len(rows)


def test_any_circuit_is_judged() -> None:
    """An isolated cell with another threshold misses its rheobase, and lacks gap junctions."""
    made = validate("humphries2009", changes={"cells.dSPN.parameters.v_t": "-25 mV"},
                    only=("spn-first-spike", "gap-coupling"), workers=0, engine="reference")
    verdicts = {row["id"]: row for row in made["targets"]}
    assert verdicts["spn-first-spike"]["pass"] is False
    assert verdicts["gap-coupling"]["pass"] is None
    assert "no gap junctions" in verdicts["gap-coupling"]["unsuited"]
    assert (made["passed"], made["failed"], made["unsuited"]) == (0, 1, 1)
    assert made["circuit"] == "humphries2009"


def test_circuits_that_cannot_be_read_start_nothing() -> None:
    with pytest.raises(CircuitError):
        validate({"name": "empty"})


def test_a_shell_leaves_its_middle_out() -> None:
    """Neurons of a shell and of the ball inside it are those of the whole ball, each once."""
    def members(sphere: dict) -> np.ndarray:
        raw = ns.load("striatum_v1").to_dict()
        centre = {"centre": ["0 um", "0 um", "0 um"]}
        raw["channels"] = {"part": {"sphere": centre | sphere}}
        circuit = ns.load(raw)
        lowered = lower(circuit, network, 1)
        return channel_members(circuit, network, "part", lowered.populations[0], 1)

    network = ns.build("striatum_v1", size=500)
    shell = members({"radius": "90 um", "inner": "50 um"})
    ball, whole = members({"radius": "50 um"}), members({"radius": "90 um"})
    assert 0 < len(ball) < len(shell)
    assert sorted([*ball, *shell]) == sorted(whole)
