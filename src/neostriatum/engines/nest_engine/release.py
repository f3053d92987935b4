"""The text of a synapse in NESTML, from the tree of its model of release.

NEST keeps the states of a release at every synapse, not at the source; the spikes of the source
change all of them alike. Numbers that all synapses of a pathway share are common to them. What a
synapse sends is rounded to the grain of all weights, halves to the even side as `quantised` has it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neostriatum.engines.nest_engine.cell import LAG
from neostriatum.engines.nest_engine.text import Writer, coefficients, functions, inlined, literals
from neostriatum.engines.quantum import QUANTUM
from neostriatum.models.symbol import symbols

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neostriatum.engines.lowered import LoweredCircuit, Projection
    from neostriatum.models.expression import Expression
    from neostriatum.models.release import ReleaseModel


def _trees(model: ReleaseModel) -> list[Expression]:
    return [*model.jumps.values(), model.released, *model.after.values()]


def _functions(model: ReleaseModel) -> list[str]:
    """Return the functions that a release needs: exp, for the decays, and those of its trees."""
    return list(dict.fromkeys(["exp", *functions(_trees(model))]))


def _parameters(model: ReleaseModel) -> list[str]:
    """Return the parameters that its trees name; time constants come in steps, by state."""
    used = symbols(*_trees(model))
    return [one.name for one in model.parameters if one.name in used]


def _names(model: ReleaseModel) -> dict[str, str]:
    names = {state.name: f"s_{state.name}" for state in model.states}
    return names | {name: f"p_{name}" for name in _parameters(model)}


def release(model: ReleaseModel) -> str:
    """Return the NESTML text of a synapse, with MODEL in place of its name."""
    used, constants = _functions(model), literals(_trees(model))
    common = ["grain", "conductance", *(f"p_{name}" for name in _parameters(model)),
              *(f"tau_{state.name}" for state in model.states), *constants.values(),
              *coefficients(used)]
    lines = ["model MODEL:", "    state:", "        last real = 0.0",
             *(f"        s_{state.name} real = 0.0" for state in model.states),
             "    parameters:", "        factor real = 1.0",
             "        dt ms = 1 ms @homogeneous",
             *(f"        {name} real = 1.0 @homogeneous" for name in common),
             "    input:", "        pre <- spike", "    output:", "        spike",
             "    onReceive(pre):"]
    return "\n".join([*lines, *(f"        {line}" for line in _received(model, constants))]) + "\n"


def _received(model: ReleaseModel, constants: dict[float, str]) -> Iterator[str]:
    yield from ("now real = floor(t / dt + 0.5)", "interval real = now - last", "last = now")
    for number, state in enumerate(model.states):
        own, tau, fall = f"s_{state.name}", f"tau_{state.name}", f"fall{number}"
        yield from (*inlined("exp", f"-interval / {tau}", result=fall),
                    f"if {tau} <= 0.0:", f"    {fall} = 0.0",
                    f"{own} = {own} * {fall}" if model.rests[state] == 0 else
                    f"{own} = 1.0 - (1.0 - {own}) * {fall}")
    # Every jump sees what the former left: statements share nothing.
    statements = [(f"s_{state.name} = ", tree) for state, tree in model.jumps.items()]
    statements.append(("released real = ", model.released))
    statements += [(f"s_{state.name} = ", tree) for state, tree in model.after.items()]
    names, local = _names(model), 0
    for before, tree in statements:
        writer = Writer([tree], names, constants, local, inline=True)
        yield from writer.lines(before, tree)
        local = writer.next
    yield from ("grains real = conductance * released * factor * grain",
                "whole real = floor(grains)", "rest real = grains - whole",
                "odd real = whole - 2.0 * floor(whole / 2.0)",
                "if rest > 0.5 or (rest >= 0.5 and odd > 0.5):", "    whole += 1.0",
                "emit_spike(whole / grain)")


def common(lowered: LoweredCircuit, one: Projection, weight: float) -> dict[str, Any]:
    """Return the numbers of the synapses of a pathway with plasticity, its states at rest."""
    stp: Any = one.stp  # called for pathways with plasticity alone
    model = stp.model
    values = {"dt": lowered.dt, "grain": 1.0 / QUANTUM, "conductance": weight,
              # The first step of a run counts as that of the last spike.
              "last": 1.0 + LAG}
    values |= {f"p_{name}": float(stp.values[name]) for name in _parameters(model)}
    for state, rest in model.rests.items():
        values |= {f"s_{state.name}": float(rest), f"tau_{state.name}": stp.steps[state.name]}
    values |= {name: value for value, name in literals(_trees(model)).items()}
    return values | coefficients(_functions(model))
