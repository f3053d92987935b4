"""Which steps are short enough for the cells of a circuit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neostriatum.models.evaluate import evaluate

if TYPE_CHECKING:
    from neostriatum.circuit.cell import Cell, Start
    from neostriatum.circuit.model import Circuit
    from neostriatum.models.expression import Expression

#: Longest step of the quadratic cells, whose tables of parameters are fitted to 0.1 ms [ms].
LONGEST_MS = 0.5
#: Forward Euler diverges where a step is longer than this many time constants.
TIME_CONSTANTS = 2.0


def check_stable(circuit: Circuit) -> None:
    """Raise ValueError if forward Euler diverges with the step of a circuit.

    A cell is looked at where it starts: how fast each state returns there by itself.
    """
    dt = circuit.dt.value
    quadratic = any(cell.model.startswith("izhikevich") for cell in circuit.cells.values())
    if quadratic and dt > LONGEST_MS:
        msg = (f"dt: must be <= 0.5 ms (got {dt:g} ms): "
               "the SPN's time constant at rest is 0.3 ms")
        raise ValueError(msg)
    for name, cell in circuit.cells.items():
        for state, rate in return_rates(cell, circuit.start.get(name)).items():
            if rate * dt >= TIME_CONSTANTS:
                msg = (f"dt: must be below {TIME_CONSTANTS / rate:.4g} ms (got {dt:g} ms): the "
                       f"time constant of {state} of {name} is {1 / rate:.4g} ms at the start")
                raise ValueError(msg)


def return_rates(cell: Cell, start: Start | None = None) -> dict[str, float]:
    """Return how fast every state returns by itself where a cell starts [1/ms].

    Parameters
    ----------
    cell : Cell
        The type, with the parameters of the circuit.
    start : Start, optional
        What the circuit says of its start.

    Returns
    -------
    dict
        By state; below 0 where it departs. Empty where only a run says what the model is.
    """
    model, known = cell.declaration, cell.values
    if not hasattr(model, "steps"):
        return {}
    known = known | {"dt": 1.0, "I": known.get(getattr(model.constant_current, "name", ""), 0.0)}
    for state, tree in model.starts.items():
        given = getattr(start, state.name, None)
        known[state.name] = float(evaluate(tree, known)) if given is None else given.value
    return {state: _return_rate(step, state, known) for state, step in model.steps.items()}


def _return_rate(step: Expression, state: str, known: dict[str, float]) -> float:
    """Return -d rate / d state, by the difference over a small distance."""
    near = 1e-4 * max(1.0, abs(known[state]))
    above, below = (evaluate(step, known | {state: known[state] + sign * near})
                    for sign in (1, -1))
    return 1.0 - float(above - below) / (2 * near)
