"""The constant current that keeps a cell at a potential, and the states that it then has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.errors import CircuitError, shown
from neostriatum.experiments.isolate import bare_network, isolated
from neostriatum.models.evaluate import evaluate
from neostriatum.models.expression import Operation
from neostriatum.models.symbol import symbols
from neostriatum.units import quantity

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit
    from neostriatum.models.cell import CellModel
    from neostriatum.models.rate import Rate

#: Distance over which the slope of the steady current is taken [mV].
NEAR_MV = 1e-3
#: Potentials at which a cell may be held [mV].
RANGE_MV = (-150.0, 0.0)


@dataclass(frozen=True)
class Holding:
    """A potential [mV], the current [pA] that keeps a cell there, and its start for a circuit."""

    v_mv: float
    current_pa: float
    start: dict[str, Any]


def hold(whole: Circuit, target: str, holding: Any) -> Holding:
    """Return what keeps a cell type at a potential, by default that of its start.

    Raises
    ------
    CircuitError
        No potential, or one at which no constant current can hold the cell.
    """
    from neostriatum.engines.lowered import lower

    alone = isolated(whole, target)
    cell = lower(alone, bare_network(target, 1), 0).populations[0]
    model, values = cell.model, cell.modulated(tuple(whole.levels_at(0.0).values()))
    starts = {state.name: tree for state, tree in model.starts.items()}
    try:
        v = evaluate(starts["v"], values) if holding is None else quantity(holding, "mV")
    except ValueError as error:
        msg = f"holding: {error} (got {shown(holding)})"
        raise CircuitError(msg) from None
    below, above = (_flow(model, values, v + sign * NEAR_MV)[0] for sign in (-1, 1))
    if not RANGE_MV[0] <= v <= RANGE_MV[1] or not above < below:
        threshold = model.derived.get("static_threshold")
        where = "at a potential to which the cell returns" if threshold is None else (
            f"below the static threshold of {evaluate(threshold, values):.2f} mV")
        msg = f"holding: must be {where} (got {v:g} mV)"
        raise CircuitError(msg)
    flow, states, gain = _flow(model, values, v)
    opened = sum(g * (v - E) for g, E in values["currents"])
    constant = model.constant_current
    own = 0.0 if constant is None else values[constant.name]
    units = {state.name: state.unit for state in model.states}
    start = {name: value if units[name] == "1" else f"{value!r} {units[name]}"
             for name, value in ({"v": float(v)} | states).items()}
    return Holding(float(v), float(-flow / gain - opened - own), start)


def _flow(model: CellModel, values: dict[str, Any],
          v: float) -> tuple[float, dict[str, float], float]:
    """Return the flow into v without a current, the other states at rest there, and flow per pA."""
    states = _at_rest(model, values, v)
    tree = next(each.flow for each in model.rates if each.state.name == "v")
    flow, more = (float(evaluate(tree, values | states | {"v": v, "I": current}))
                  for current in (0.0, 1.0))
    gain = more - flow
    # Nearly every model adds I as it is, which the difference shows up to rounding.
    return flow, states, 1.0 if abs(gain - 1.0) < 1e-6 else gain


def _at_rest(model: CellModel, values: dict[str, Any], v: float) -> dict[str, float]:
    """Return what the states other than v come to while v stays."""
    rates = {each.state.name: each for each in model.rates if each.state.name != "v"}
    known = values | {"v": v, "I": 0.0}
    rest = {name: float(evaluate(goal, known)) for name, each in rates.items()
            if (goal := _goal(each, set(rates))) is not None}
    coupled = [name for name in rates if name not in rest]
    if not coupled:
        return rest
    from scipy.optimize import root

    def flows(guess: np.ndarray) -> list[float]:
        at = known | rest | dict(zip(coupled, guess, strict=True))
        return [float(evaluate(rates[name].flow, at)) for name in coupled]

    starts = {state.name: tree for state, tree in model.starts.items()}
    solution = root(flows, [float(evaluate(starts[name], values)) for name in coupled])
    if not solution.success:
        msg = f"holding: the states of {model.name} come to no rest (got {v:g} mV)"
        raise CircuitError(msg)
    return rest | dict(zip(coupled, map(float, solution.x), strict=True))


def _goal(each: Rate, others: set[str]) -> Any:
    """Return what a state goes to where its flow is that minus the state, else None."""
    flow = each.flow
    if isinstance(flow, Operation) and flow.name == "-":
        goal, state = flow.arguments
        if getattr(state, "name", "") == each.state.name and not others & set(symbols(goal)):
            return goal
    return None
