"""One isolated neuron under a constant current, or a sweep of currents."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.card import Card, Carded, Fold
from neostriatum.circuit.clock import run_steps
from neostriatum.circuit.modulator import DOPAMINE
from neostriatum.circuit.resolve import Changes, resolve
from neostriatum.engines.base import engine as make_engine
from neostriatum.errors import CircuitError, shown
from neostriatum.experiments.isolate import (
    injected,
    isolated,
    known_type,
    levels_held,
    started,
)
from neostriatum.keywords import keywords_of
from neostriatum.units import quantity

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Strongest current accepted [pA]; the circuit file has the same bound.
MAX_CURRENT = 1e6


@dataclass(frozen=True, repr=False)
class CellResult(Carded):
    """What a current did: one entry per current in every list.

    ``spike_times_ms`` holds an array per current; ``v_mv`` is (t, k) at ``times_ms`` (t,).
    """

    cell: str
    circuit: str
    currents_pa: np.ndarray
    dopamine: dict[str, float]
    dt_ms: float
    duration_ms: float
    spike_times_ms: list[np.ndarray]
    times_ms: np.ndarray
    v_mv: np.ndarray
    v_peak_mv: float | None
    modulators: dict[str, float] = field(default_factory=dict)
    #: Levels that a network computes, and that are held here.
    levels_held: list[str] = field(default_factory=list)

    @property
    def rates_hz(self) -> np.ndarray:
        """Spikes over duration for each current [Hz]."""
        return np.array([len(times) for times in self.spike_times_ms]) * 1000.0 / self.duration_ms

    def card(self) -> Card:
        """Return what it says of itself."""
        rows = [(f"{current:g}", f"{len(times)}", f"{rate:.2f}",
                 f"{times[0]:.1f}" if len(times) else "")
                for current, times, rate in zip(self.currents_pa, self.spike_times_ms,
                                                self.rates_hz, strict=True)]
        return Card(f"{self.cell} of {self.circuit}, {self.duration_ms:g} ms at dt "
                    f"{self.dt_ms:g} ms", [(f"{current} pA", f"{number} spikes, {rate} Hz")
                                           for current, number, rate, _ in rows],
                    (Fold("currents", ("pA", "spikes", "Hz", "first spike [ms]"), rows),))

    def to_dict(self) -> dict[str, Any]:
        """Return what ``neostriatum cell --json`` prints."""
        about = {"cell": self.cell, "circuit": self.circuit, "dopamine": self.dopamine,
                 "dt_ms": self.dt_ms}
        about |= {"levels_held": self.levels_held} if self.levels_held else {}
        if len(self.currents_pa) > 1:
            return about | {"current_pa": self.currents_pa.tolist(),
                            "rate_hz": self.rates_hz.tolist(),
                            "spike_times_ms": [_rounded(one) for one in self.spike_times_ms]}
        return about | {"current_pa": float(self.currents_pa[0]),
                        "spike_times_ms": _rounded(self.spike_times_ms[0]),
                        "rate_hz": float(self.rates_hz[0])}


def _rounded(times: np.ndarray) -> list[float]:
    return np.round(times, 6).tolist()


@keywords_of(Changes)
def cell(
    name: str,
    current: Any = None,
    *,
    sweep: Any = None,
    circuit: Any = "striatum",
    duration: Any = "1 s",
    start: Mapping[str, Any] | None = None,
    engine: str = "reference",
    **options: Any,
) -> CellResult:
    """Inject a constant current into one isolated neuron, from step 0 to the end.

    Parameters
    ----------
    name : str
        Cell type or one of its aliases.
    current : str or quantity, optional
        For example ``"270 pA"``.
    sweep : str or sequence of quantities, optional
        ``"220:300:5 pA"`` (start, last, step) or a list of currents, each on its own neuron.
    circuit : str, Path, dict or Circuit
        Where the cell comes from.
    duration : str or quantity
        Simulated time.
    start : dict, optional
        Start values of states, such as ``{"v": "-50 mV"}``, where a cell has two ways to go on.
    engine : str
        Engine to use.
    **options
        dt, dopamine, d1, d2, overlay, changes as in `run`.

    Returns
    -------
    CellResult
        Spike times, rate and membrane potential.

    Raises
    ------
    CircuitError
        Unknown cell type, not exactly one of ``current`` and ``sweep``, a malformed sweep.

    Examples
    --------
    >>> import neostriatum as ns
    >>> result = ns.cell("dSPN", "270 pA", circuit="humphries2009", duration="700 ms")
    >>> float(result.spike_times_ms[0][0])
    616.7
    """
    whole = resolve(circuit, Changes(**options))
    name = known_type(whole, name)
    alone = started(isolated(whole, name), name, start)
    currents = currents_of(current, sweep)
    if np.abs(currents).max() > MAX_CURRENT:
        msg = f"current: must be within {MAX_CURRENT:g} pA (got {np.abs(currents).max():g} pA)"
        raise CircuitError(msg)
    dt = alone.dt.value
    n_steps = run_steps(alone, duration)
    # Where cells of a model can only have the same current, each is simulated by itself.
    together = alone.cells[name].cell_model.constant_current is not None
    parts = [currents] if together else np.split(currents, len(currents))
    times, traces = [], []
    for part in parts:
        simulator = make_engine(engine)
        simulator.prepare(*injected(alone, name, part), seed=0)
        simulator.probe(name, np.arange(len(part)))
        steps, ids = simulator.advance(n_steps)
        times += [np.round((steps[ids == one] + 1) * dt, 9) for one in range(len(part))]
        traces.append(simulator.traces()[name])
    levels = alone.levels_at(0.0)
    level = {key: levels[name] for name, key in DOPAMINE.items()}
    return CellResult(name, whole.name, currents, level, dt, n_steps * dt, times,
                      traces[0].times_ms, np.hstack([trace.v_mv for trace in traces]),
                      alone.cells[name].peak_mv, levels, levels_held(whole))


def currents_of(current: Any, sweep: Any) -> np.ndarray:
    """Return the currents that a current or a sweep means [pA].

    Raises
    ------
    CircuitError
        Not exactly one of them, or a malformed one.
    """
    if (current is None) == (sweep is None):
        msg = "cell: needs exactly one of current and sweep"
        raise CircuitError(msg)
    try:
        if current is not None:
            return np.array([quantity(current, "pA")])
        if not isinstance(sweep, str):
            currents = list(sweep) if np.iterable(sweep) else [sweep]
            if not currents:
                msg = "sweep: must hold a current (got none)"
                raise CircuitError(msg)
            return np.array([quantity(current, "pA") for current in currents])
    except ValueError as error:
        msg = f"current: {error} (got {shown(current if sweep is None else sweep)})"
        raise CircuitError(msg) from None
    return _sweep(sweep)


def _sweep(text: str) -> np.ndarray:
    numbers, _, unit = text.strip().partition(" ")
    try:
        start, last, step = (quantity(f"{number} {unit.strip()}", "pA")
                             for number in numbers.split(":"))
    except ValueError:
        msg = f'sweep: must be "start:last:step unit", "220:300:5 pA" (got {shown(text)})'
        raise CircuitError(msg) from None
    count = (last - start) / step + 1 if step else 0
    if not 1 <= count + 1e-9 <= 10_000:
        msg = f"sweep: must hold 1 to 10000 currents, rising by a step above 0 (got {shown(text)})"
        raise CircuitError(msg)
    return start + step * np.arange(int(count + 1e-9))
