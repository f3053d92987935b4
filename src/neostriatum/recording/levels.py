"""Recorded levels of modulators: which quantities hear them, and what they were."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neostriatum.engines.base import Trace
from neostriatum.engines.probes import LEVEL, MODULATORS
from neostriatum.errors import CircuitError
from neostriatum.recording.instants import circuits_at

if TYPE_CHECKING:
    from collections.abc import Collection

    from neostriatum.circuit.model import Circuit
    from neostriatum.engines.population import Population
    from neostriatum.recording.store import Run


def acting_levels(circuit: Circuit, population: Population,
                  acted_on: Collection[str]) -> tuple[str, ...]:
    """Return the modulators whose computed levels act on parameters or currents of a cell type."""
    names = tuple(circuit.modulators)
    heard = {names[effect.level] for effect in population.effects if effect.acts_on in acted_on}
    return tuple(name for name in circuit.computed_levels if name in heard)


def level_at(run: Run, name: str, times_ms: np.ndarray) -> np.ndarray:
    """Return the level of a modulator at the times of recorded samples.

    A level that is given, or clamped by an event, follows from the circuit; else it was recorded.

    Raises
    ------
    CircuitError
        It was computed while the run went on, and not recorded then.
    """
    values = np.empty(len(times_ms))
    for circuit, part in circuits_at(run, times_ms):
        level = circuit.modulators[name].level
        values[part] = (_stored(run, name, times_ms[part]) if level is None
                        else level.at(times_ms[part]))
    return values


def _stored(run: Run, name: str, times_ms: np.ndarray) -> np.ndarray:
    trace = run.stored(LEVEL).get(MODULATORS + name)
    wanted = np.rint(times_ms / run.dt_ms).astype(np.int64)
    there = np.zeros(0) if trace is None else np.rint(trace.times_ms / run.dt_ms)
    if trace is None or not np.isin(wanted, there).all():
        msg = (f"{run.label}: the level of {name} was computed while the run went on and was not "
               f'recorded at these times. Record it: --record "{MODULATORS}{name}:{LEVEL}"')
        raise CircuitError(msg)
    return trace.values[np.searchsorted(there, wanted), 0]


def levels(run: Run) -> dict[str, Trace]:
    """Return the recorded levels of modulators, by ``modulators.<name>``."""
    return {name: Trace(trace.ids, trace.times_ms, level_at(
                run, name.removeprefix(MODULATORS), trace.times_ms)[:, None])
            for name, trace in run.stored(LEVEL).items() if name.startswith(MODULATORS)}
