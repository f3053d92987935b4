"""The variables of a population as Brian2 equations: what changes, numbers, what levels do.

No differential equation: `statements` holds the step, operation by operation. Numbers are those of
the package (mV, pA, nS, pF, ms) without units of Brian2. Every name of a model has an ending, so
that it is no name of Brian2, a unit or another model's: ``_c`` in a cell, ``_r0`` in the first
receptor of a cell, ``_s`` in a synapse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neostriatum.models.symbol import symbols

if TYPE_CHECKING:
    from neostriatum.engines.modulation import Modulation
    from neostriatum.engines.population import Population, Synapse
    from neostriatum.engines.program import Program


def literal(number: Any) -> str:
    """Return a number as text, in parentheses where it is negative."""
    text = repr(float(number))
    return f"({text})" if text.startswith("-") else text


def variable(population: Population, name: str) -> str:
    """Return what a recordable variable is called in Brian2."""
    receptor, state = population.variables[name]
    return f"{state}_c" if receptor < 0 else f"{state}_r{receptor}"


def equations(program: Program, population: Population) -> str:
    """Return the variables of one cell type."""
    lines = ["v = v_c*mV : volt", *(f"{name}_c : 1" for name in population.model.names)]
    if population.hold:
        lines += ["held : integer", "free : integer"]
    # The levels by number: phi1 is D1, phi2 D2, the others follow in the order of the circuit.
    lines += [f"phi{n}{'' if course.is_constant else f' = phi{n}_course(t)'} : 1 (shared)"
              for n, course in enumerate(program.courses, start=1)]
    for name, value in population.parameters.items():
        lines += _parameter(population, name, value)
    for number, synapse in enumerate(population.synapses):
        lines += _receptor(population, synapse, number)
    return "\n".join([*lines, *_extras(program, population)])


def heard(effect: Modulation) -> str:
    """Return how strongly the cells hear the level of an effect, times its amount."""
    phi, curve, modulator = f"phi{effect.level + 1}", effect.curve, effect.modulator
    if curve is None:
        return f"{literal(effect.amount)}*({phi} - {literal(modulator.reference.value)})"
    n, half = curve.order.value, curve.half.value
    # A level of 0 is heard as the response to the reference alone.
    silence = float(modulator.heard(0.0, curve))
    return f"{literal(effect.amount)}*({phi}**{n!r}/({phi}**{n!r} + {half**n!r}) + " \
           f"{literal(silence)})"


def _factor(population: Population, target: str) -> str:
    """Return the product of the factors on a target, nothing where it has none."""
    return "*".join(f"(1.0 + {heard(effect)})" for effect in population.effects
                    if effect.acts_on == target and effect.kind == "factor")


def _parameter(population: Population, name: str, value: Any) -> list[str]:
    factor = _factor(population, name)
    terms = [heard(effect) for effect in population.effects
             if effect.acts_on == name and effect.kind == "add"]
    change = (f"*({factor})" if factor else "") + (f" + ({' + '.join(terms)})" if terms else "")
    if not getattr(value, "ndim", 0):
        return [f"{name}_c = {literal(value)}{change} : 1 (shared)"]
    if not change:
        return [f"{name}_c : 1 (constant)"]
    return [f"{name}_own : 1 (constant)", f"{name}_c = {name}_own{change} : 1"]


def _receptor(population: Population, synapse: Synapse, number: int) -> list[str]:
    model, end = synapse.model, f"_r{number}"
    # What arrives in a step waits in `in`: its sum is exact whatever the order.
    lines = [f"in{end} : 1", *(f"{name}{end} : 1" for name in model.names)]
    lines.append(f"gain{end} = {_factor(population, f'I_{synapse.name}') or '1.0'} : 1 (shared)")
    used = symbols(model.effect, *(rate.step for rate in model.rates))
    return lines + [f"{name}{end} = {literal(synapse.values[name])} : 1 (shared)"
                    for name in used if name in synapse.values]


def _extras(program: Program, population: Population) -> list[str]:
    number = program.index[population.name]
    # Brian2 sums into one variable from one Synapses object alone, so every kind has its own.
    lines = [f"I_gap_{n} : 1" for n, kind in enumerate(program.gaps) if number in (kind.a, kind.b)]
    # Where a current or a drive reaches only some neurons, a mask of 0 and 1 says which.
    for name, parts in (("reach", program.currents), ("driven", program.drives)):
        lines += [f"{name}_{n} : 1 (constant)" for n, part in enumerate(parts)
                  if part.population == number and len(part.members) < population.n]
    return lines
