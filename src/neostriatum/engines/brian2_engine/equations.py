"""Write a population's equations as Brian2 text: our templates, legal names and numbers only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neostriatum.engines.program import MG_SLOPE

if TYPE_CHECKING:
    from neostriatum.engines.modulation import Modulation
    from neostriatum.engines.program import Population, Program

#: Our units in Brian2's words.
UNITS = {
    "pF": "pF", "nS/mV": "nS/mV", "mV": "mV", "1/ms": "1/ms", "pA": "pA", "nS": "nS",
    "nS/mV^2": "nS/mV**2",
}
DIMENSIONS = {
    "pF": "farad", "nS/mV": "siemens/volt", "mV": "volt", "1/ms": "hertz", "pA": "amp",
    "nS": "siemens", "nS/mV^2": "siemens/volt**2",
}


def equations(program: Program, population: Population) -> str:
    """Return the equations of one cell type (docs/design.md, section 4)."""
    recovery = "b*clip(v - v_b, 0*mV, 1e9*mV)**3" if population.cubic else "b*(v - v_r)"
    noise = f" + {population.sigma!r}*mV*xi*ms**-0.5" if population.sigma else ""
    lines = [
        f"dv/dt = (k*(v - v_r)*(v - v_t) - u + I)/C{noise} : volt",
        f"du/dt = a*({recovery} - u) : amp",
        f"I = {' + '.join(_currents(program, population))} : amp",
    ]
    # The levels by number: phi1 is D1, phi2 D2, the others follow in the order of the circuit.
    lines += [f"phi{n}{'' if course.is_constant else f' = phi{n}_course(t)'} : 1 (shared)"
              for n, course in enumerate(program.courses, start=1)]
    for name, unit in units(population).items():
        lines += _parameter(population, name, population.parameters[name], DIMENSIONS[unit],
                            UNITS[unit])
    for synapse in population.synapses:
        lines += _receptor(population, synapse)
    lines += _extras(program, population)
    return "\n".join(lines)


def units(population: Population) -> dict[str, str]:
    """Return our unit of every parameter of a population's model."""
    return {parameter.name: parameter.spelled_unit for parameter in population.model.parameters}


def _currents(program: Program, population: Population) -> list[str]:
    terms = ["I_spon", *(f"I_{synapse.name}" for synapse in population.synapses)]
    number = program.index[population.name]
    if program.coupled(number):
        terms.append("I_gap")
    terms += [f"I_injected_{n}" for n, one in enumerate(program.currents)
              if one.population == number]
    if any(effect.kind == "current" for effect in population.effects):
        terms.append("I_dopamine")
    return terms


def _heard(effect: Modulation) -> str:
    """Return how strongly the cells hear the level of an effect."""
    phi, curve, reference = f"phi{effect.level + 1}", effect.curve, effect.modulator.reference.value
    if curve is None:
        return f"({phi} - ({reference!r}))" if reference else phi
    n, half = curve.order.value, curve.half.value
    # A level of 0 is heard as the response to the reference alone.
    silence = float(effect.modulator.heard(0.0, curve))
    return f"({phi}**{n!r}/({phi}**{n!r} + {half ** n!r}) + ({silence!r}))"


def _factor(population: Population, target: str) -> str:
    return "".join(f"*(1 + ({effect.amount!r})*{_heard(effect)})" for effect in population.effects
                   if effect.acts_on == target and effect.kind == "factor")


def _added(population: Population, target: str, unit: str) -> str:
    terms = [f"({effect.amount!r})*{_heard(effect)}" for effect in population.effects
             if effect.acts_on == target and effect.kind == "add"]
    return f" + ({' + '.join(terms)})*{unit}" if terms else ""


def _parameter(population: Population, name: str, value: Any, dimension: str,
               unit: str) -> list[str]:
    change = f"{_factor(population, name)}{_added(population, name, unit)}"
    if getattr(value, "ndim", 0):
        own = f"{name}_own" if change else name
        lines = [f"{own} : {dimension}"]
        return [*lines, f"{name} = {own}{change} : {dimension}"] if change else lines
    return [f"{name} = ({float(value)!r})*{unit}{change} : {dimension} (shared)"]


def _receptor(population: Population, synapse: Any) -> list[str]:
    name = synapse.name
    flow = f"g_{name}*(({synapse.E!r})*mV - v){_factor(population, f'I_{name}')}"
    lines = [f"g_{name} : siemens"]
    if synapse.block:
        lines.append(f"B_{name} = 1/(1 + {synapse.block!r}*exp(-{MG_SLOPE!r}*v/mV)) : 1")
        flow += f"*B_{name}"
    return [*lines, f"I_{name} = {flow} : amp"]


def _extras(program: Program, population: Population) -> list[str]:
    number, lines = program.index[population.name], []
    if program.coupled(number):
        # Brian2 sums into one variable from one Synapses object alone, so every kind has its own.
        kinds = [n for n, kind in enumerate(program.gaps) if number in (kind.a, kind.b)]
        lines.append(f"I_gap = {' + '.join(f'I_gap_{n}' for n in kinds)} : amp")
        lines += [f"I_gap_{n} : amp" for n in kinds]
    for n, current in enumerate(program.currents):
        if current.population == number:
            # Where a current reaches only some neurons, a mask of 0 and 1 says which.
            whole = len(current.members) == population.n
            lines += [] if whole else [f"reach_{n} : 1 (constant)"]
            mask = "" if whole else f"*reach_{n}"
            level = f"{current.course.constant.value!r}*pA" if current.course.is_constant else \
                f"injected_{n}(t)*pA"
            lines.append(f"I_injected_{n} = {level}{mask} : amp")
    flows = [f"{effect.amount!r}*nS*{_heard(effect)}*(v - ({effect.reversal!r})*mV)"
             for effect in population.effects if effect.kind == "current"]
    if flows:
        lines.append(f"I_dopamine = {' + '.join(flows)} : amp")
    for n, drive in enumerate(program.drives):
        if drive.population == number and len(drive.members) < population.n:
            lines.append(f"driven_{n} : 1 (constant)")
    return lines
