"""Run a net on an engine, and say where two results part."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Result:
    """Spikes and potentials of one net on one engine."""

    engine: str
    populations: dict[str, range]
    steps: np.ndarray
    ids: np.ndarray
    #: Potentials [mV] after every step, (steps, neurons) per type.
    v_mv: dict[str, np.ndarray]

    def until(self, step: int) -> "Result":
        """Return what happened before ``step``."""
        early = self.steps < step
        return Result(self.engine, self.populations, self.steps[early], self.ids[early],
                      {name: v[:step] for name, v in self.v_mv.items()})

    def count(self, population: str, cell: int | None = None) -> int:
        """Return the number of spikes of a type, or of one cell of it."""
        ids = self.populations[population]
        if cell is not None:
            return int((self.ids == ids[cell]).sum())
        return int(((self.ids >= ids.start) & (self.ids < ids.stop)).sum())

    def steps_of(self, population: str, cell: int) -> np.ndarray:
        """Return the steps at which one cell fired."""
        return self.steps[self.ids == self.populations[population][cell]]


@dataclass(frozen=True)
class Divergence:
    """The first spike that only one of two engines has."""

    engines: tuple[str, str]
    cell: str
    step: int
    time_ms: float
    only: str

    def __str__(self) -> str:
        return (f"{' and '.join(self.engines)} part at step {self.step} ({self.time_ms:g} ms): "
                f"only {self.only} has a spike of {self.cell}")


def simulate(maker, net, n_steps: int | None = None, probe: bool = True, **options) -> Result:
    """Return the result of a net on a fresh engine, every potential probed."""
    engine = maker(**options)
    engine.prepare(net.circuit, net.network, net.network.seed)
    present = [name for name, count in net.network.counts.items() if count]
    for name in present if probe else []:
        engine.probe(name, np.arange(net.network.counts[name]))
    steps, ids = engine.advance(net.n_steps if n_steps is None else n_steps)
    v_mv = {name: trace.v_mv for name, trace in engine.traces().items()} if probe else {}
    return Result(maker.name, net.network.populations, steps, ids, v_mv)


def first_divergence(a: Result, b: Result, dt: float) -> Divergence | None:
    """Return the first spike, in order of step and id, that only one result has."""
    one, two = (set(zip(side.steps.tolist(), side.ids.tolist(), strict=True)) for side in (a, b))
    if one == two:
        return None
    step, cell = min(one ^ two)
    name, ids = next((name, ids) for name, ids in a.populations.items() if cell in ids)
    only = a.engine if (step, cell) in one else b.engine
    cell = f"{name} {cell - ids.start}"
    return Divergence((a.engine, b.engine), cell, step, (step + 1) * dt, only)


def largest_difference_mv(a: Result, b: Result) -> float:
    """Return the largest difference between the potentials of two results [mV]."""
    assert a.v_mv.keys() == b.v_mv.keys()
    return max(float(np.abs(v - b.v_mv[name]).max()) for name, v in a.v_mv.items())
