"""Protocols of the targets of learning, where the answer is known beforehand."""

import json
from math import exp

import numpy as np
import pytest

from neostriatum.cli import main
from neostriatum.validation.lab import Lab, Unsuited
from neostriatum.validation.learning_slice import Course, Slice, changes_of, tonic_level
from neostriatum.validation.learnt_cell import pattern
from neostriatum.validation.plasticity import agonist, block, dips, drift, kernel, memory, window
from neostriatum.validation.targets import published
from neostriatum.validation.taught import bandit, delayed
from neostriatum.validation.validate import validate

TARGETS = {one.id: one for one in published().targets if one.group == 12}
LAB = Lab("striatum_v1")
#: Read in a primary paper, its abstract or a legend, or in its authors' code.
READ = {"text", "abstract", "figure", "table", "archive"}


def test_there_are_enough():
    assert len(TARGETS) >= 30
    assert all(one.read in READ for one in TARGETS.values())
    assert {"pattern", "tuned", "bandit", "stimulated", "delayed", "depleted",
            "agonist"} <= {one.protocol for one in TARGETS.values()}
    assert all(len(one.explanation) > 100 for one in TARGETS.values() if one.explanation)


def test_what_was_not_read_says_so():
    for one in TARGETS.values():
        assert one.read not in ("memory", "equation"), one.id
        if one.read == "abstract":
            assert "abstract" in one.conditions, one.id


def test_a_change_is_that_of_paper_and_pencil():
    """One pair 10 ms apart at most plus a latency, and a burst: dose e^(-10/20) (1 - e^-0.2)."""
    tonic = tonic_level(LAB, "dSPN")
    course = Course(tonic, ((320.0, 1.0), (520.0, tonic)))
    found = changes_of(LAB, Slice("dSPN", [[300.0], []], [[310.0], [310.0]], course, 600.0,
                                  {"dose": 0.1, "bounds": "hard"}))
    most = 0.1 * exp(-10 / 20) * (exp(-0.01) - exp(-0.21))
    assert 0.85 * most < found[0] < most
    assert found[1] == 0


def test_a_cell_that_cannot_fire_as_asked_is_unsuited():
    close = [300.0 + 0.2 * k for k in range(30)]
    with pytest.raises(Unsuited, match="does not fire once per pulse"):
        changes_of(LAB, Slice("dSPN", [close], [close], Course(0.3), 400.0))
    with pytest.raises(Unsuited, match="FS of striatum_v1 does not hear one of D1, D2"):
        tonic_level(Lab("striatum_v1", changes={"cells.FS.dopamine": []}), "FS")
    with pytest.raises(Unsuited, match="has no cell type ChIN"):
        window(LAB, "ChIN")


def test_windows_and_memory():
    assert memory(LAB, "dSPN")["tau_ms"] == pytest.approx(1000, rel=1e-6)
    other = memory(LAB, "dSPN", learning={"tau_e": "400 ms"})
    assert other["tau_ms"] == pytest.approx(400, rel=1e-6)
    found = window(LAB, "dSPN", (-1000.0, 0.0, 600.0))
    assert (found["-1000 ms"], found["without"], found["best_ms"]) == (0, 0, 600)


def test_kernels_and_widths():
    lags = (20.0, 10.0, -10.0, -20.0)
    rule = {"rule": "difference", "bounds": "hard", "dose": 0.01}
    found = kernel(LAB, "dSPN", lags, 1.0, learning=rule)
    assert found["10 ms"] > found["20 ms"] > 0 > found["-20 ms"] > found["-10 ms"]
    assert found["width_ratio"] == pytest.approx(1, abs=0.05)
    wide = kernel(LAB, "dSPN", lags, 1.0, learning=rule | {"tau_minus": "60 ms"})
    assert wide["width_ratio"] > found["width_ratio"] + 0.03
    turned = kernel(LAB, "dSPN", lags, 1.0, learning=rule | {"sign": -1})
    assert turned["hebbian"] == pytest.approx(-kernel(LAB, "dSPN", lags, 1.0, learning=rule)[
        "hebbian"], rel=1e-9)
    assert found["silent"] == 0
    assert kernel(LAB, "dSPN", lags)["10 ms"] == 0


def test_levels_that_are_blocked_or_lifted():
    found = block(LAB, "dSPN", learning={"k_plus_lo": 0, "k_minus_lo": 0})
    assert found["with"] > 0.01
    assert found["left"] == 0
    assert agonist(LAB, "dSPN", 1.0, 200.0)["left"] == 1
    lifted = agonist(LAB, "iSPN", 0.0, 400.0)
    assert lifted["control"] > 0 > lifted["drug"]
    changes = list(dips(LAB, lengths_ms=(0.0, 200.0, 800.0))["changes"].values())
    assert changes[0] == 0 < changes[1] < changes[2]


def test_drift_has_an_error_over_seeds_alone():
    one = drift(LAB, "iSPN", errors=0.5)
    assert one["se"] is None
    two = drift(LAB, "iSPN", errors=0.5, seeds=(1, 2))
    assert two["by_seed"][0] == one["drift"]
    assert two["se"] == pytest.approx(abs(np.diff(two["by_seed"])[0]) / 2)
    assert drift(LAB, "iSPN")["drift"] == drift(LAB, "dSPN")["drift"] == 0


@pytest.mark.parametrize("cell", ["dSPN", "iSPN"])
def test_what_drifts_and_what_does_not(cell):
    """Plus and minus of the kernel of Gurney 2015 sum to less than 0; the default is balanced."""
    assert drift(LAB, cell, learning={"rule": "gurney2015"})["drift"] < -0.1
    assert abs(drift(LAB, cell, errors=0.5, seeds=(1, 2, 3, 4, 5))["drift"]) < 0.03


def with_axons():
    """Return a circuit with axons whose synapses onto dSPN learn by another rule."""
    raw = LAB.load().to_dict()
    raw["axons"] = {"cortex": {"size": 400, "rate": "1 Hz"}}
    raw["pathways"]["cortex->dSPN"] = {
        "conductance": {"AMPA": "0.6 nS"}, "delay": "1 ms", "learning": {"tau_e": "300 ms"},
        "wiring": {"rule": "fixed_indegree", "n": 40}}
    return raw


def test_a_pattern_needs_axons():
    with pytest.raises(Unsuited, match="striatum_v1 has no axons onto dSPN"):
        pattern(LAB)


@pytest.mark.slow
def test_a_pattern_is_learnt():
    found = pattern(Lab(with_axons()), trials=1, before=1)
    assert set(found["response"]) == {"naive", "after bursts", "after dips"}
    assert found["ratio"] >= 1


@pytest.mark.slow
def test_a_task_is_played():
    found = bandit(LAB, trials=4, reverse_at=2, seeds=(1,), size=200)
    assert found["se"] is None
    assert 0 <= found["before"] <= 1
    assert set(found["balance"]) == {"worse", "better"}
    assert delayed(LAB, (100.0, 200.0), trials=1, size=200)["100 ms"] == 1


def test_a_circuit_that_cannot_play_is_unsuited():
    with pytest.raises(Unsuited):
        bandit(Lab("humphries2009"), trials=2, size=200)


def test_the_group_by_name(capsys):
    assert main(["validate", "--group", "learning", "--quick", "--json", "--workers", "0"]) == 0
    rows = {row["id"]: row for row in json.loads(capsys.readouterr().out)["targets"]}
    assert set(rows) == {name for name, one in TARGETS.items() if one.quick}
    assert all(row["group"] == 12 and not row["error"] for row in rows.values())
    assert rows["learning-window-best"]["pass"] is True


def test_another_rule_is_judged():
    """A circuit whose own synapses learn by another rule is judged by that."""
    made = validate(with_axons(), only=("learning-window-2s",), workers=0)
    assert made["targets"][0]["measured"] < 0.05  # an eligibility of 300 ms forgets within 2 s
    assert made["failed"] == 1
