"""Measure what circuits learn in tasks, against what is wanted, and controls against chance.

No number of the circuit or of the tasks was chosen on the seeds that are used here, 1 to 6.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
from table import Table

import neostriatum as ns
from neostriatum import rng
from neostriatum.circuit.learning_rules import learning_pathways
from neostriatum.engines.base import engine
from neostriatum.learning import session as sessions
from neostriatum.runs import start
from neostriatum.runs.learn import circuit_of

if TYPE_CHECKING:
    from collections.abc import Callable

#: Trials that are judged: the last ones before a reversal, and of a session.
LAST = 40
#: Chance of two choices, and how far the mean of some sessions of LAST trials may be from it: three
#: standard errors of 6 x 40 independent choices.
CHANCE, AWAY = 0.5, 0.1
#: Length of dopamine that fluctuates [min].
MINUTES = 10
#: Coefficients of `balanced` below the tonic level, as parts of their sum, by type.
LOW = {"dSPN": {"k_plus_lo": -0.8, "k_minus_lo": -0.2}, "iSPN": {"k_plus_lo": 1.0}}
BANDIT = {"p": [0.8, 0.2], "reverse_at": 90}


class Shared(sessions.Session):
    """One eligibility per neuron: after a trial all plastic synapses of a cell have their mean.

    They start alike, so that each has changed by the mean of what its eligibility gives.
    """

    def _end(self, engine: Any) -> tuple[dict[str, Any], str]:
        state, ends = engine.state(), {name.split("->")[1] for name in self.plastic}
        for cell in ends:
            mine = [name for name in self.plastic if name.endswith(f"->{cell}")]
            targets = np.concatenate([self.network.afferents[name].targets for name in mine])
            weights = np.concatenate([engine.weights(name) for name in mine])
            number = np.maximum(np.bincount(targets), 1)
            means = np.bincount(targets, weights) / number
            for name in mine:
                held = state[f"{name}.learning.weights"]
                held[...] = means[self.network.afferents[name].targets].reshape(held.shape)
        engine.restore(state)
        return super()._end(engine)


class Coin:
    """Rewards of 0.5 or -0.5 by a coin, whatever is done: errors without a mean, with no critic."""

    def __init__(self) -> None:
        self.action_space = SimpleNamespace(n=2)
        self.observation_space = SimpleNamespace(n=1, shape=())
        self._seed, self._trial = 0, 0

    def reset(self, *, seed: int | None = None) -> tuple[int, dict[str, Any]]:
        """Begin a trial."""
        self._seed, self._trial = (self._seed, self._trial + 1) if seed is None else (seed, 0)
        return 0, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        """Toss the coin, which is fair in every ten trials."""
        block, place = divmod(self._trial, 10)
        order = np.argsort(rng.philox(rng.stream(self._seed, "coin", ""), block, np.arange(10))[0])
        return 0, 0.5 if order[place] < 5 else -0.5, True, False, {}


class Lab:
    """Runs sessions into a temporary folder, one after the other."""

    def __init__(self, size: int, threads: int | None, table: Table) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.size, self.threads, self._count, self.table = size, threads, 0, table

    def learn(self, environment: Any, seed: int, **options: Any) -> dict[str, Any]:
        """Return the numbers of a session."""
        self._count += 1
        run = ns.learn(environment, size=self.size, seed=seed, threads=self.threads,
                       figures=False, out=Path(self._folder.name) / str(self._count), **options)
        return run.summary["learning"] | {"real_time_factor": run.summary["real_time_factor"]}

    def shares(self, name: str, environment: Any, seeds: list[int], spans: list[slice],
               **options: Any) -> np.ndarray:
        """Return the shares of best choices of sessions in stretches of trials."""
        rows = []
        for seed in seeds:
            numbers = self.learn(environment, seed, **options)
            right = np.array(numbers["correct"], float)
            rows.append([right[span].mean() for span in spans])
            print(f"  {name}, seed {seed}: {np.round(rows[-1], 3).tolist()}, real-time factor "
                  f"{numbers['real_time_factor']}", flush=True)
        return np.array(rows)


def bandit(lab: Lab, seeds: list[int]) -> None:
    """A bandit of 0.8 and 0.2 that turns round at trial 90, and with rewards by chance."""
    spans = [slice(90 - LAST, 90), slice(150 - LAST, 150)]
    before, after = lab.shares("bandit", "bandit", seeds, spans, parameters=BANDIT, trials=150).T
    n = len(seeds)
    lab.table.row(f"bandit 0.8/0.2, best choices in trials 50 to 89, {n} seeds", before.mean(),
                  0.85, 1)
    lab.table.row("  of the worst seed", before.min())
    lab.table.row("  in trials 110 to 149, after the reversal at 90", after.mean(), 0.75, 1)
    lab.table.row("  of the worst seed", after.min())


def shuffled(lab: Lab, seeds: list[int]) -> None:
    """The same with rewards that do not depend on the choice."""
    share = lab.shares("shuffled", "bandit", seeds, [slice(50, 90)], trials=90,
                       parameters={"p": [0.8, 0.2], "shuffled": True})[:, 0]
    lab.table.row(f"bandit with shuffled rewards, trials 50 to 89, {len(seeds)} seeds",
                  share.mean())
    # A habit that luck began stays: single sessions are far from chance, on either side.
    error = share.std(ddof=1) / np.sqrt(len(share)) if len(share) > 1 else np.inf
    lab.table.row("  distance from chance in standard errors over seeds",
                  abs(share.mean() - CHANCE) / error, 0, 3)


def cues(lab: Lab, seeds: list[int]) -> None:
    """Two cues by two actions."""
    share = lab.shares("cues", "cues", seeds, [slice(160 - LAST, 160)], trials=160)[:, 0]
    lab.table.row(f"two cues, two actions, best choices in trials 120 to 159, {len(seeds)} seeds",
                  share.mean(), 0.85, 1)
    lab.table.row("  of the worst seed", share.min())


def shared(lab: Lab, seeds: list[int]) -> None:
    """Two cues by two actions where all synapses of a neuron share one eligibility."""
    own, start.Session = start.Session, Shared
    try:
        share = lab.shares("shared", "cues", seeds, [slice(160 - LAST, 160)], trials=160)[:, 0]
    finally:
        start.Session = own
    lab.table.row(f"  with one eligibility per neuron, {len(seeds)} seeds", share.mean(),
                  CHANCE - AWAY, CHANCE + AWAY)


def drift(lab: Lab, seeds: list[int]) -> None:
    """Errors of mean zero: the mean weight stays."""
    rows = []
    for seed in seeds:
        numbers = lab.learn(Coin(), seed, critic="none", trials=200)
        means = [np.mean([weights[-1] for weights in channels.values()])
                 for channels in numbers["weights"].values()]
        rows.append(np.abs(np.array(means) - 1).max())
        print(f"  errors of +-0.5, seed {seed}: {np.round(means, 4).tolist()}", flush=True)
    lab.table.row(f"errors of mean zero, 200 trials: drift of the mean weight, {len(seeds)} seeds",
                  float(np.mean(rows)), 0, 0.03)


def fluctuation(lab: Lab, seeds: list[int]) -> None:
    """Dopamine 0.1 above or below its tonic level, by chance in every 500 ms: the weight stays.

    Axons at 4 Hz let the spiny cells fire at 2 to 5 Hz; 8 Hz is a cue that never ends. At rest, 0.5
    Hz, these cells are silent and nothing could move. What moves the weights is taken apart at 4
    Hz: one step of 500 ms alone; ``learning alone`` lets cells hear the tonic level, so that their
    activity does not follow dopamine; ``equal rooms`` weighs what is below the tonic level as what
    is above.
    """
    for more in (0.1, -0.1):
        moves = [_stepped(lab, seed, 4.0, more) for seed in seeds]
        for name in moves[0]:
            lab.table.row(f"one step of {more:+g} for 500 ms, axons at 4 Hz: change of the mean "
                          f"weight of {name}", float(np.mean([each[name] for each in moves])))
    for rate, apart in ((4.0, ""), (8.0, ""), (4.0, "learning alone"), (4.0, "equal rooms"),
                        (4.0, "learning alone, equal rooms")):
        drifts = []
        for seed in seeds:
            means = _fluctuated(lab, seed, rate, apart)
            drifts.append(np.abs(np.array(list(means.values())) - 1).max())
            print(f"  dopamine +-0.1, axons at {rate:g} Hz, {apart or 'as it is'}, seed {seed}: "
                  f"{ {name: round(mean, 4) for name, mean in means.items()} }", flush=True)
        lab.table.row(f"dopamine +-0.1 about its tonic level, {MINUTES} min, axons at {rate:g} Hz"
                      f"{apart and ', '}{apart}: drift of the mean weight, {len(seeds)} seeds",
                      float(np.mean(drifts)), *(() if apart else (0, 0.01)))


def _fluctuated(lab: Lab, seed: int, rate: float, apart: str) -> dict[str, float]:
    """Return the mean weight of every pathway that learns after dopamine that fluctuates."""
    times = np.arange(0, MINUTES * 60_000, 500)
    coins = rng.philox(rng.stream(seed, "coin", ""), 0, np.arange(len(times)))[0] % 2
    return _taught(lab, seed, rate, (times, -0.1 + 0.2 * coins), apart)(60 * MINUTES)


def _stepped(lab: Lab, seed: int, rate: float, more: float) -> dict[str, float]:
    """Return how one step of dopamine, after 20 s at its tonic level, moves mean weights."""
    after = _taught(lab, seed, rate, (np.array([0, 20_000, 20_500]), np.array([0, more, 0])))
    before = after(20)
    return {name: mean - before[name] for name, mean in after(2).items()}


def _taught(lab: Lab, seed: int, rate: float, course: tuple[np.ndarray, np.ndarray],
            apart: str = "") -> Callable[[int], dict[str, float]]:
    """Return what simulates more seconds under a course of dopamine, and returns mean weights.

    ``course`` has times [ms] and what is above the tonic level from then on.
    """
    circuit = circuit_of({"task": "bandit"}, "striatum_v1")
    tonic = float(circuit.modulators["D1"].level.at(np.zeros(1))[0])
    level = {"steps": {"times": [f"{each} ms" for each in course[0]],
                       "values": np.round(tonic + course[1], 9).tolist()}}
    changes: dict[str, Any] = {f"axons.{name}.rate": f"{rate} Hz" for name in circuit.axons
                               if name != "motor"}
    learning = {name: f"pathways.{name}.learning" for name in learning_pathways(circuit)}
    if "learning alone" in apart:
        changes |= {"modulators.heard": {"level": level},
                    **{f"{path}.level": "heard" for path in learning.values()}}
    else:
        changes |= {"dopamine.d1": level, "dopamine.d2": level}
    if "equal rooms" in apart:
        # A burst's sum of coefficients is 1; a dip's is -1 over its room, on that of a burst.
        room = tonic / (1 - tonic)
        changes |= {f"{path}.{key}": value * room for name, path in learning.items()
                    for key, value in LOW["dSPN" if name.endswith("dSPN") else "iSPN"].items()}
    circuit = circuit.replace(changes)
    simulator = engine("numba", threads=lab.threads)
    simulator.prepare(circuit, ns.build(circuit, size=lab.size, seed=seed), seed)

    def after(seconds: int) -> dict[str, float]:
        for _ in range(seconds):
            simulator.advance(round(1000 / circuit.dt.value))
        return {name: float(simulator.weights(name).mean()) for name in learning}

    return after


PARTS = {"bandit": bandit, "shuffled": shuffled, "cues": cues, "shared": shared, "drift": drift,
         "fluctuation": fluctuation}


def main() -> int:
    """Measure, print the table, return 1 if a row misses its bounds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; all by default")
    parser.add_argument("--size", type=int, default=2000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5, 6])
    parser.add_argument("--threads", type=int)
    given = parser.parse_args()
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"unknown part {', '.join(sorted(unknown))}")
    table = Table()
    lab = Lab(given.size, given.threads, table)
    for name in given.parts or PARTS:
        PARTS[name](lab, given.seeds)
    return table.finish()


if __name__ == "__main__":
    raise SystemExit(main())
