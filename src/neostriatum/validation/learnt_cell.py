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
    wired,
    with_trains,
)

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit

#: Length of a trial, of its pattern, when dopamine comes after its onset, and for how long a burst
#: and a dip last [ms].
TRIAL_MS, PATTERN_MS, LATE_MS, BURST_MS, DIP_MS = 1200.0, 400.0, 550.0, 200.0, 400.0
#: Axons of a cell, those of them that are strong, and cells that learn side by side.
NUMBER, STRONG, CELLS = 200, 50, 4


@dataclass(frozen=True)
class Lesson:
    """Trials of one kind: the rate of every group of axons [Hz], and the level that follows."""

    rates_hz: tuple[float, ...]
    level: float | None = None


def pattern(lab: Lab, cell: str = "dSPN", trials: int = 20, before: int = 5) -> dict[str, Any]:
    """Return what a cell learns of a pattern that bursts follow, and then dips.

    Some axons fire at 25 Hz in the pattern, the others at 3 Hz. "ratio" is the mean weight of the
    strong ones over that of the others after the bursts, "after_dips" the same in the end;
    "response" the spikes per pattern in the last trials of each phase.
    """
    groups = np.where(np.arange(NUMBER) < STRONG, 0, 1)
    rates = (25.0, 3.0)
    lessons = [Lesson(rates)] * before + [Lesson(rates, 1.0)] * trials + [Lesson(rates)] * before
    lessons += [Lesson(rates, 0.0)] * trials + [Lesson(rates)] * before
    weights, counts = _taught(lab, cell, lessons, groups)
    phases = {"naive": before, "after bursts": 2 * before + trials, "after dips": len(lessons)}
    ratios = {name: float((found[:, groups == 0].mean(axis=1)
                           / found[:, groups == 1].mean(axis=1)).mean())
              for name, found in ((name, weights[end - 1]) for name, end in phases.items())}
    return {"ratio": ratios["after bursts"], "after_dips": ratios["after dips"],
            "response": {name: float(counts[end - before : end].mean())
                         for name, end in phases.items()}}


def tuned(lab: Lab, cell: str = "dSPN", trials: int = 40) -> dict[str, Any]:
    """Return the mean weights of two groups of axons of which a burst follows one.

    They are active in turn; after the other one dopamine stays as it is.
    """
    groups = np.arange(NUMBER) % 2
    lessons = [Lesson((15.0, 1.0), 1.0), Lesson((1.0, 15.0))] * (trials // 2)
    weights, _ = _taught(lab, cell, lessons, groups)
    rewarded, other = (float(weights[-1][:, groups == group].mean()) for group in (0, 1))
    return {"weights": {"other": other, "rewarded": rewarded}, "surplus": rewarded - other,
            "share": (other - 1.0) / (rewarded - 1.0) if rewarded != 1.0 else None}


def _taught(lab: Lab, cell: str, lessons: list[Lesson],
            groups: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    """Return the weights (cells, axons) and the spikes of every cell, after and in each lesson."""
    whole, tonic = require(lab.load(), cells=(cell,)), tonic_level(lab, cell)
    course: list[tuple[float, float]] = []
    own, found = _conductance(whole, cell), []
    for trial, lesson in enumerate(lessons):
        onset = 100.0 + trial * TRIAL_MS
        if lesson.level is not None:
            length = BURST_MS if lesson.level > tonic else DIP_MS
            course += [(onset + LATE_MS, lesson.level), (onset + LATE_MS + length, tonic)]
        found.append(_spikes(np.tile(np.asarray(lesson.rates_hz)[groups], CELLS), onset, trial))
    arrivals = [np.concatenate(row) for row in zip(*found, strict=True)]
    circuit = _circuit(whole, cell, Course(tonic, tuple(course)), own, arrivals)
    network = wired(circuit, cell, np.repeat(np.arange(CELLS), NUMBER))
    simulator = make_engine(lab.engine, threads=lab.threads)
    simulator.prepare(circuit, network, 1)
    weights, counts = [], []
    simulator.advance(run_steps(circuit, "100 ms"))
    for _ in lessons:
        _, ids = simulator.advance(run_steps(circuit, f"{TRIAL_MS} ms"))
        counts.append(np.bincount(ids, minlength=CELLS))
        weights.append(simulator.weights(f"{AXONS}->{cell}").reshape(CELLS, NUMBER).copy())
    return weights, np.array(counts)


def _spikes(rates_hz: np.ndarray, onset_ms: float, trial: int) -> list[np.ndarray]:
    """Return the spikes of every axon in a pattern, at most one in a ms."""
    slots = int(PATTERN_MS)
    words = rng.philox(rng.stream(1, "pattern", ""), trial, np.arange(len(rates_hz) * slots))[0]
    fired = rng.uniform32(words).reshape(-1, slots) < rates_hz[:, None] / 1000.0
    return [onset_ms + np.flatnonzero(row) for row in fired]


def _conductance(whole: Circuit, cell: str) -> dict[str, Any]:
    """Return the conductances of the first axons onto a cell type, as a circuit file has them."""
    raw = whole.to_dict()
    for name, pathway in raw["pathways"].items():
        if name.split("->")[0] in raw.get("axons", {}) and name.endswith(f"->{cell}"):
            return dict(pathway["conductance"])
    msg = f"{whole.name} has no axons onto {cell}"
    raise Unsuited(msg)


def _circuit(whole: Circuit, cell: str, course: Course, conductance: dict[str, Any],
             arrivals: list[np.ndarray]) -> Circuit:
    """Return cells with axons that learn, and dopamine in its course."""
    alone = isolated(whole, cell).to_dict() | {
        "dopamine": {"d1": course.raw(), "d2": course.raw()},
        "axons": {AXONS: {"size": len(arrivals), "rate": "0 Hz"}},
        "pathways": {f"{AXONS}->{cell}": {
            "conductance": conductance, "delay": f"{DELAY_MS} ms",
            "wiring": {"rule": "fixed_indegree", "n": 1},
            "learning": own_learning(whole, cell)}}}
    return with_trains(load(alone), arrivals)
