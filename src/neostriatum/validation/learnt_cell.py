"""Single cells with many axons that learn which of these come before dopamine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum import rng
from neostriatum.circuit.clock import run_steps
from neostriatum.circuit.load import load
from neostriatum.engines.base import engine as make_engine
from neostriatum.experiments.isolate import isolated
from neostriatum.validation.lab import Lab, Unsuited, require
from neostriatum.validation.learning_slice import (
    AXONS,
    DELAY_MS,
    Course,
    own_learning,
    tonic_level,
    trains,
    wired,
)

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit

#: Length of a trial, of its pattern, when dopamine comes after its onset, and for how long a burst
#: and a dip last [ms].
TRIAL_MS, PATTERN_MS, LATE_MS, BURST_MS, DIP_MS = 1200.0, 400.0, 550.0, 200.0, 400.0


@dataclass(frozen=True)
class Lesson:
    """Trials of one kind: the rate of every group of axons [Hz], and the level that follows."""

    rates_hz: tuple[float, ...]
    level: float | None = None


def pattern(lab: Lab, cell: str = "dSPN", trials: int = 20, before: int = 5, strong: int = 50,
            axons: int = 200, cells: int = 4, charge: float = 1.0) -> dict[str, Any]:
    """Return what a cell learns of a pattern that bursts follow, and then dips.

    Some axons fire at 25 Hz in the pattern, the others at 3 Hz. "ratio" is the mean weight of the
    strong ones over that of the others after the bursts, "after_dips" the same in the end;
    "response" the spikes per pattern in the last trials of each phase.
    """
    tonic = tonic_level(lab, cell)
    groups = np.where(np.arange(axons) < strong, 0, 1)
    rates = (25.0, 3.0)
    lessons = [Lesson(rates)] * before + [Lesson(rates, 1.0)] * trials + [Lesson(rates)] * before
    lessons += [Lesson(rates, 0.0)] * trials + [Lesson(rates)] * before
    weights, counts = _taught(lab, cell, lessons, groups, cells, tonic, charge)
    phases = {"naive": before, "after bursts": 2 * before + trials, "after dips": len(lessons)}
    ratios = {name: float((found[:, groups == 0].mean(axis=1)
                           / found[:, groups == 1].mean(axis=1)).mean())
              for name, found in ((name, weights[end - 1]) for name, end in phases.items())}
    return {"ratio": ratios["after bursts"], "after_dips": ratios["after dips"],
            "response": {name: float(counts[end - before : end].mean())
                         for name, end in phases.items()}}


def tuned(lab: Lab, cell: str = "dSPN", trials: int = 40, axons: int = 200, cells: int = 4,
          charge: float = 1.0) -> dict[str, Any]:
    """Return the mean weights of two groups of axons of which a burst follows one.

    They are active in turn; after the other one dopamine stays as it is.
    """
    tonic = tonic_level(lab, cell)
    groups = np.arange(axons) % 2
    lessons = [Lesson((15.0, 1.0), 1.0), Lesson((1.0, 15.0))] * (trials // 2)
    weights, _ = _taught(lab, cell, lessons, groups, cells, tonic, charge)
    rewarded, other = (float(weights[-1][:, groups == group].mean()) for group in (0, 1))
    return {"weights": {"other": other, "rewarded": rewarded}, "surplus": rewarded - other,
            "share": (other - 1.0) / (rewarded - 1.0) if rewarded != 1.0 else None}


def _taught(lab: Lab, cell: str, lessons: list[Lesson], groups: np.ndarray, cells: int,
            tonic: float, charge: float) -> tuple[list[np.ndarray], np.ndarray]:
    """Return the weights (cells, axons) and the spikes of every cell, after and in each lesson."""
    whole = require(lab.load(), cells=(cell,))
    number = len(groups)
    course, rows = [], [[] for _ in range(cells * number)]
    for trial, lesson in enumerate(lessons):
        onset = 100.0 + trial * TRIAL_MS
        if lesson.level is not None:
            length = BURST_MS if lesson.level > tonic else DIP_MS
            course += [(onset + LATE_MS, lesson.level), (onset + LATE_MS + length, tonic)]
        for axon in range(cells * number):
            rows[axon].append(_spikes(lesson.rates_hz[groups[axon % number]], onset, axon, trial))
    arrivals = [np.concatenate(row) for row in rows]
    circuit = _circuit(whole, cell, Course(tonic, tuple(course)), arrivals, charge)
    network = wired(circuit, cell, np.repeat(np.arange(cells), number))
    simulator = make_engine(lab.engine, threads=lab.threads)
    simulator.prepare(circuit, network, 1)
    weights, counts = [], []
    simulator.advance(run_steps(circuit, "100 ms"))
    for _ in lessons:
        _, ids = simulator.advance(run_steps(circuit, f"{TRIAL_MS} ms"))
        counts.append(np.bincount(ids, minlength=cells))
        weights.append(simulator.weights(f"{AXONS}->{cell}").reshape(cells, number).copy())
    return weights, np.array(counts)


def _spikes(rate_hz: float, onset_ms: float, axon: int, trial: int) -> np.ndarray:
    """Return the spikes of an axon in a pattern, at most one in a ms."""
    words = rng.philox(rng.stream(1, "pattern", str(axon)), trial, np.arange(int(PATTERN_MS)))[0]
    return onset_ms + np.flatnonzero(rng.uniform32(words) < rate_hz / 1000.0)


def _circuit(whole: Circuit, cell: str, course: Course, arrivals: list[np.ndarray],
             charge: float) -> Circuit:
    """Return cells with learning axons whose conductances are ``charge`` times the circuit's."""
    raw = whole.to_dict()
    own = [pathway["conductance"] for name, pathway in raw["pathways"].items()
           if name.split("->")[0] in raw.get("axons", {}) and name.endswith(f"->{cell}")]
    if not own:
        msg = f"{whole.name} has no axons onto {cell}"
        raise Unsuited(msg)
    values = load(raw).pathways[next(
        name for name in raw["pathways"] if name.split("->")[0] in raw["axons"]
        and name.endswith(f"->{cell}"))].conductance
    alone = isolated(whole, cell).to_dict() | {
        "dopamine": {"d1": course.raw(), "d2": course.raw()},
        "axons": {AXONS: {"size": len(arrivals), "rate": "0 Hz"}},
        "pathways": {f"{AXONS}->{cell}": {
            "conductance": {name: f"{charge * size.value!r} {size.unit}"
                            for name, size in values.items()},
            "delay": f"{DELAY_MS} ms", "wiring": {"rule": "fixed_indegree", "n": 1},
            "learning": own_learning(whole, cell)}}}
    made = load(alone)
    axons = made.axons[AXONS].model_copy(update={
        "rate": None, "recorded": trains(arrivals, -DELAY_MS)})
    return made.model_copy(update={"axons": {AXONS: axons}})
