"""The variables of a population as Brian2 equations: what changes, numbers, what levels do.

No differential equation: `statements` holds the step, operation by operation. Numbers are those of
the package (mV, pA, nS, pF, ms) without units of Brian2. Every name of a model has a prefix,
so that it is no name of Brian2, a unit or another model's: ``c_`` in a cell, ``r0_`` in the first
receptor of a cell, ``s_`` in a synapse. What arrives at AMPA is ``in_AMPA``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.circuit.modulator import TINY, exact_power
from neostriatum.engines.brian2_engine.functions import WORDS
from neostriatum.models.printer import code
from neostriatum.models.registry import is_shipped
from neostriatum.models.symbol import symbols

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from neostriatum.engines.drive import Drive
    from neostriatum.engines.inputs import Current
    from neostriatum.engines.lowered import LoweredCircuit
    from neostriatum.engines.modulation import Modulation
    from neostriatum.engines.population import Population, Synapse


#: Brian2's dimensions of units.
_SHOWN = {"mV": "volt", "pA": "amp", "nS": "siemens"}


def literal(number: Any) -> str:
    """Return a number as text, in parentheses where it is negative."""
    text = repr(float(number))
    return f"({text})" if text.startswith("-") else text


def prefixed(prefix: str, name: str) -> str:
    """Return a name of a model with a prefix, and an end that has no meaning in Brian2."""
    return f"{prefix}_{name}" + ("_0" if name.endswith(("_", "_pre", "_post", "_0")) else "")


def variable(population: Population, name: str) -> str:
    """Return what a recordable variable is called in Brian2."""
    receptor, state = population.variables[name]
    return prefixed("c" if receptor < 0 else f"r{receptor}", state)


def inlet(synapse: Synapse) -> str:
    """Return where what arrives at a receptor in a step waits [nS]: its sum is exact."""
    return prefixed("in", synapse.name)


def entry(population: Population, number: int) -> str:
    """Return where what a pathway delivers waits [nS]: at a receptor, or to be scaled first."""
    own = len(population.synapses)
    return inlet(population.synapses[number]) if number < own else f"scaled_{number}"


def free_levels(lowered: LoweredCircuit) -> list[int]:
    """Return the numbers of the levels that are computed and not clamped."""
    return [lowered.levels.index(name) for name in lowered.signals.free]


def receptor_names(population: Population, number: int) -> dict[str, str]:
    """Return what the symbols of a receptor are called in Brian2, without the step."""
    synapse = population.synapses[number]
    own = (*synapse.model.names, *synapse.values, "gain")
    return {name: prefixed(f"r{number}", name) for name in own} | {"v": "c_v"}


def equations(lowered: LoweredCircuit, population: Population) -> str:
    """Return the variables of one cell type."""
    lines = [f"{prefixed('c', name)} : 1" for name in population.model.names]
    if population.hold:
        lines += ["held : integer", "free : integer"]
    # The levels by number: phi1 is D1, phi2 D2, the others follow in the order of the circuit.
    free = free_levels(lowered)
    lines += [f"phi{n} : 1 (linked)" if n - 1 in free else
              f"phi{n}{'' if course.is_constant else f' = phi{n}_course(t)'} : 1 (shared)"
              for n, course in enumerate(lowered.courses, start=1)]
    lines += [f"{entry(population, len(population.synapses) + place)} : 1"
              for place in range(len(population.inlets))]
    for name, value in population.parameters.items():
        lines += _parameter(population, name, value)
    for number, synapse in enumerate(population.synapses):
        lines += _receptor(population, synapse, number)
    lines += _extras(lowered, population)
    return "\n".join([*lines, *_shown(population, lines)])


def heard(effect: Modulation) -> str:
    """Return how strongly the cells hear the level of an effect, times its amount."""
    phi, curve = f"phi{effect.level + 1}", effect.curve
    modulator: Any = effect.modulator
    if modulator.kind and curve is not None:
        return f"{literal(effect.amount)}*({_response(effect)} - {literal(effect.nothing)})"
    if curve is None:
        return f"{literal(effect.amount)}*({phi} - {literal(modulator.reference.value)})"
    n, half = curve.order.value, curve.half.value
    # A level of 0 is heard as the response to the reference alone.
    silence = float(modulator.heard(0.0, curve))
    return f"{literal(effect.amount)}*({phi}**{n!r}/({phi}**{n!r} + {half**n!r}) + " \
           f"{literal(silence)})"


def _response(effect: Modulation) -> str:
    """Return a level, or the curve of it with the power of the reference."""
    phi, curve = f"phi{effect.level + 1}", effect.curve
    if curve is None:
        return phi
    n = curve.order.value
    half = float(exact_power(np.full(1, curve.half.value), n)[0])
    if not effect.modulator.kind:
        return f"({phi}**{n!r}/({phi}**{n!r} + {half!r}))"
    known, where = f"({phi} > {TINY!r})", WORDS["where"]
    power = (f"{where}({known}, {WORDS['exp']}({literal(n)}*{WORDS['log']}({where}({known}, {phi}, "
             f"{TINY!r}))), 0.0)")
    return f"({power}/({power} + {half!r}))"


def scaling(effects: Iterable[Modulation]) -> str:
    """Return the factor of weights, 1 at the references of the levels."""
    return "*".join(f"((1.0 + {literal(effect.amount)}*{_response(effect)})/"
                    f"{literal(1.0 + effect.amount * effect.nothing)})" for effect in effects)


def _flag(population: Population, target: str) -> str:
    """Return the flag of what is equal for all cells, unless a computed level acts on it."""
    linked = any(effect.modulator.is_free for effect in population.effects
                 if effect.acts_on == target)
    return "" if linked else " (shared)"


def _factor(population: Population, target: str) -> str:
    """Return the product of the factors on a target, nothing where it has none."""
    return "*".join(f"(1.0 + {heard(effect)})" for effect in population.effects
                    if effect.acts_on == target and effect.kind == "factor")


def _parameter(population: Population, name: str, value: Any) -> list[str]:
    factor = _factor(population, name)
    terms = [heard(effect) for effect in population.effects
             if effect.acts_on == name and effect.kind == "add"]
    change = (f"*({factor})" if factor else "") + (f" + ({' + '.join(terms)})" if terms else "")
    flag = _flag(population, name)
    name, own = prefixed("c", name), prefixed("own", name)
    if not getattr(value, "ndim", 0):
        return [f"{name} = {literal(value)}{change} : 1{flag}"]
    if not change:
        return [f"{name} : 1 (constant)"]
    return [f"{own} : 1 (constant)", f"{name} = {own}{change} : 1"]


def _receptor(population: Population, synapse: Synapse, number: int) -> list[str]:
    model, names = synapse.model, receptor_names(population, number)
    lines = [f"{inlet(synapse)} : 1", *(f"{names[state]} : 1" for state in model.names)]
    gain = _factor(population, f"I_{synapse.name}") or "1.0"
    lines.append(f"{names['gain']} = {gain} : 1{_flag(population, f'I_{synapse.name}')}")
    used = symbols(model.effect, *(rate.step for rate in model.rates))
    return lines + [f"{names[name]} = {literal(synapse.values[name])} : 1 (shared)"
                    for name in used if name in synapse.values]


def _extras(lowered: LoweredCircuit, population: Population) -> list[str]:
    number = lowered.index[population.name]
    # Brian2 sums into one variable from one Synapses object alone, so every kind has its own.
    lines = [f"I_gap_{n} : 1" for n, kind in enumerate(lowered.gaps) if number in (kind.a, kind.b)]
    # Where a current or a drive reaches only some neurons, a mask of 0 and 1 says which.
    driving: tuple[tuple[str, tuple[Current | Drive, ...]], ...] = (
        ("reach", lowered.currents), ("driven", lowered.drives))
    for name, parts in driving:
        lines += [f"{name}_{n} : 1 (constant)" for n, part in enumerate(parts)
                  if part.population == number and len(part.members) < population.n]
    return lines


def _shown(population: Population, lines: list[str]) -> Iterator[str]:
    """Yield what can be read under the names of the package and with units: potentials and so on.

    That is v alone where a model is not shipped, for its names may be Brian2's.
    """
    yield "v = c_v*mV : volt"
    models = (population.model, *(synapse.model for synapse in population.synapses))
    if not all(is_shipped(model) for model in models):
        return
    known = {line.split()[0] for line in lines} | {"v", "I_all"}
    for name, (receptor, state) in population.variables.items():
        owner = population.model if receptor < 0 else population.synapses[receptor].model
        unit = next(one.unit for one in owner.states if one.name == state)
        if unit in _SHOWN and _free(name, known):
            yield f"{name} = {variable(population, name)}*{unit} : {_SHOWN[unit]}"
    for number, synapse in enumerate(population.synapses):
        if synapse.model.current is not None and _free(f"I_{synapse.name}", known):
            flow = code(synapse.model.effect, receptor_names(population, number), WORDS)
            yield f"I_{synapse.name} = ({flow})*pA : amp"


def _free(name: str, known: set[str]) -> bool:
    return name not in known and not name.endswith(("_", "_pre", "_post"))
