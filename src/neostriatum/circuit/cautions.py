"""What a modeller should know before trusting a circuit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from neostriatum.circuit.learning_rules import learning_warnings
from neostriatum.circuit.stability import return_rates
from neostriatum.models.evaluate import evaluate

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit

#: A time constant at rest that is brief beside the usual step [ms].
BRIEF_MS = 1.0


def static_threshold(circuit: Circuit, name: str) -> float | None:
    """Return the potential above which a cell at rest departs for a spike [mV].

    It is what its model derives from the parameters, at the levels of the start; None where the
    model derives none.
    """
    cell, levels = circuit.cells[name], circuit.levels_at(0.0)
    tree = getattr(cell.declaration, "derived", {}).get("static_threshold")
    if tree is None:
        return None
    value = cell.values
    acting = [effect for effect in cell.acting if effect.acts_on in value]
    for effect in sorted(acting, key=lambda effect: effect.add is not None):  # factors come first
        f = circuit.modulators[effect.level].heard(levels[effect.level], effect.curve)
        if effect.add is not None:
            value[effect.acts_on] += effect.add.value * f
        else:
            value[effect.acts_on] *= 1 + effect.coefficient.value * f
    return float(evaluate(tree, value))


def rest_time_constant(circuit: Circuit, name: str) -> float:
    """Return how fast v of a cell returns to where its model starts it [ms], without dopamine.

    Infinite where it does not return.
    """
    rate = return_rates(circuit.cells[name]).get("v", 0.0)
    return 1.0 / rate if rate > 0 else math.inf


def warnings_of(circuit: Circuit, duration_ms: float | None = None) -> list[str]:
    """Return what a modeller should know before trusting this circuit, or a run of it.

    Parameters
    ----------
    circuit : Circuit
        A resolved circuit.
    duration_ms : float, optional
        Recorded time of a run [ms].
    """
    said = [] if duration_ms is None else _unheard(circuit, duration_ms)
    for name in circuit.types:
        threshold = static_threshold(circuit, name)
        for receptor in circuit.receptors_of(name):
            E = circuit.receptors[receptor].values.get("E", math.inf)
            margin = math.inf if threshold is None else threshold - E
            if margin < 0 and E < -40:
                said.append(f"{receptor} on {name}: reversal {E:g} mV lies {-margin:.2f} mV above "
                            "the static threshold, so this inhibition excites a cell at rest")
        said += [f"{one.receptor} on {name}: no pathway and no input reaches it, so its effect on "
                 f"{one.acts_on} is nothing" for one in circuit.cells[name].of_receptors
                 if one.receptor not in circuit.receptors_of(name)]
    said += learning_warnings(circuit)
    if circuit.dt.value > 0.1:
        said += [f"dt {circuit.dt.value:g} ms is coarse for {name}, whose time constant at rest is "
                 f"{tau:.1f} ms: rates may change by more than 5 %" for name in circuit.types
                 if (tau := rest_time_constant(circuit, name)) < BRIEF_MS]
    for name, sigma in circuit.noise.items():
        tau = rest_time_constant(circuit, name)
        if tau < BRIEF_MS and sigma.value > 0:
            said.append(f"noise on {name} depends on dt: "
                        f"the cell's time constant at rest is {tau:.1f} ms")
    return said


def _unheard(circuit: Circuit, duration_ms: float) -> list[str]:
    """Return a warning for every spike file of which no spike falls into a run."""
    silent = []
    for name, entry in circuit.inputs.items():
        for cell, target in entry.targets.items():
            times = None if target.spikes is None else target.spikes.events[0]
            if times is not None and times.min() > duration_ms:
                silent.append(f"input {name} on {cell}: no spike of {target.spikes.file} falls "
                              f"into the run: the first is at {times.min():g} ms, the run ends at "
                              f"{duration_ms:g} ms")
    return silent
