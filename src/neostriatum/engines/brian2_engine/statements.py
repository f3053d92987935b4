"""What cells and synapses do, as Brian2 statements printed from the trees of their models.

A statement is one operation of docs/design.md, section 4, in its order. Brian2 rewrites ``x = ...``
where x exists already, so that sums change their order: new values get names of their own first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.engines.brian2_engine.equations import (
    entry,
    heard,
    inlet,
    literal,
    prefixed,
    receptor_names,
    scaling,
)
from neostriatum.engines.brian2_engine.functions import QUANTISED, WORDS
from neostriatum.engines.brian2_engine.learning import at_arrival, kept
from neostriatum.engines.refusals import refuse_modulating, refuse_regions
from neostriatum.errors import EngineUnsupported
from neostriatum.models.expression import Operation
from neostriatum.models.printer import code

if TYPE_CHECKING:
    from collections.abc import Mapping

    from neostriatum.engines.lowered import LoweredCircuit, Projection
    from neostriatum.engines.plasticity import Plasticity
    from neostriatum.engines.population import Population
    from neostriatum.models.expression import Expression

#: Operations within operations that Brian2 can still read.
DEEPEST = 60


def step(lowered: LoweredCircuit, population: Population) -> str:
    """Return one step of a cell: arrivals, currents, forward Euler, noise, decay."""
    names, lines, after = cell_names(lowered, population), [], []
    for number, synapse in enumerate(population.synapses):
        model, known = synapse.model, receptor_names(population, number) | {"dt": names["dt"]}
        arrived, scaled = inlet(synapse), [
            f"{scaling(each.effects)}*{entry(population, place)}" for place, each
            in enumerate(population.inlets, start=len(population.synapses))
            if each.receptor == number]
        if scaled:
            lines.append(f"all_r{number} = {' + '.join([arrived, *scaled])}")
            arrived = f"all_r{number}"
        lines += [f"{known[state.name]} += {arrived}" for state in model.adds or ()]
        lines += [f"{inlet(synapse)} = 0.0", f"flow_r{number} = {_text(model.effect, known)}"]
        lines += [f"new_{known[each.state.name]} = {_text(each.step, known)}"
                  for each in model.rates]
        after += [f"{known[state]} *= {literal(decay)}" for state, decay in synapse.decays.items()]
        after += [f"{known[each.state.name]} = new_{known[each.state.name]}"
                  for each in model.rates]
    lines += [f"{entry(population, place)} = 0.0"
              for place in range(len(population.synapses), population.entries)]
    new = {names[name]: f"new_{names[name]}" for name in population.model.names}
    lines.append(f"I_all = {' + '.join(_currents(lowered, population))}")
    lines += [f"new_{names[name]} = {_text(tree, names)}"
              for name, tree in population.model.steps.items()]
    if population.sigma:
        sigma = literal(population.sigma * np.sqrt(lowered.dt))
        lines.append(f"noisy_v = {new['c_v']} + {sigma}*randn()")
        new["c_v"] = "noisy_v"
    if population.hold:
        lines += ["now_free = int(held <= 0)", "free = now_free", "held += now_free - 1",
                  f"held_v = {WORDS['where']}(now_free == 1, {new['c_v']}, c_v)"]
        new["c_v"] = "held_v"
    return "\n".join([*lines, *(f"{name} = {value}" for name, value in new.items()), *after])


def _currents(lowered: LoweredCircuit, population: Population) -> list[str]:
    """Return what flows in, in the order in which it is summed."""
    constant, number = population.model.constant_current, lowered.index[population.name]
    terms = ["0.0" if constant is None else prefixed("c", constant.name)]
    for n, current in enumerate(lowered.currents):
        if current.population == number:
            level = (literal(current.course.constant.value) if current.course.is_constant
                     else f"injected_{n}(t)")
            terms.append(level if len(current.members) == population.n else f"{level}*reach_{n}")
    terms += [f"flow_r{n}" for n in range(len(population.synapses))]
    if kinds := [f"I_gap_{n}" for n, kind in enumerate(lowered.gaps) if number in (kind.a, kind.b)]:
        terms.append(f"({' + '.join(kinds)})")
    return terms + [f"{heard(effect)}*(c_v - {literal(effect.reversal)})"
                    for effect in population.effects if effect.kind == "current"]


def threshold(lowered: LoweredCircuit, population: Population) -> str:
    """Return when a cell fires."""
    fires = _text(population.model.fires, cell_names(lowered, population))
    return f"({fires}) and free == 1" if population.hold else fires


def reset(lowered: LoweredCircuit, population: Population) -> str:
    """Return what a spike does to its cell."""
    names, resets = cell_names(lowered, population), population.model.resets
    lines = [f"then_{names[name]} = {_text(tree, names)}" for name, tree in resets.items()]
    lines += [f"{names[name]} = then_{names[name]}" for name in resets]
    return "\n".join([*lines, f"held = {population.hold}"] if population.hold else lines)


def cell_names(lowered: LoweredCircuit, population: Population) -> dict[str, str]:
    """Return what the symbols of a cell are called in Brian2."""
    own = (*population.model.names, *population.parameters)
    names = {name: prefixed("c", name) for name in own}
    return names | {"I": "I_all", "dt": literal(lowered.dt)}


def synapse_model(projection: Projection) -> str:
    """Return the variables of a synapse."""
    stp, lines = projection.stp, []
    if stp is not None:
        # The state is kept per synapse here: intervals at arrival equal those at emission.
        lines += ["last : 1", *(f"{prefixed('s', name)} : 1" for name in stp.model.names)]
        lines += [f"{prefixed('s', name)} = {literal(value)} : 1 (shared)"
                  for name, value in stp.values.items()]
    if projection.factors is not None:
        lines.append("factor : 1 (constant)")
    if projection.learning is not None:
        lines += [f"{name} : 1" for name in kept(projection.learning)]
    return "\n".join(lines)


def arrival(lowered: LoweredCircuit, projection: Projection) -> str:
    """Return what a spike does where it arrives."""
    lines, scale = [], ""
    if projection.stp is not None:
        lines, scale = _release(projection.stp), "*released"
    if projection.factors is not None:
        scale += "*factor"
    if projection.learning is not None:
        lines, scale = [*lines, *at_arrival(projection.learning)], f"{scale}*l_weight"
    if projection.failure:
        lines.append(f"let_go = int(rand() >= {literal(projection.failure)})")
    held = "*let_go" if projection.failure else ""
    target = lowered.populations[projection.target]
    for place, weight in projection.weights:
        amount = f"{QUANTISED}({literal(weight)}{scale})" if scale else literal(weight)
        lines.append(f"{entry(target, place)}_post += {amount}{held}")
    return "\n".join(lines)


def _release(stp: Plasticity) -> list[str]:
    """Return the decay since the last spike, the jumps, what is released, and the jumps after."""
    model, lines = stp.model, ["span = t_in_timesteps - last"]
    own = {name: prefixed("s", name) for name in (*model.names, *stp.values)}
    names = dict(own)

    def jump(state: str, value: str) -> None:
        names[state] = f"new{len(lines)}_{own[state]}"
        lines.append(f"{names[state]} = {value}")

    for state in model.states:
        constant, before = stp.steps[state.name], names[state.name]
        fall = f"{WORDS['exp']}((-span)/{literal(constant)})" if constant > 0 else "0.0"
        jump(state.name, f"{before}*{fall}" if model.rests[state] == 0
             else f"1.0 - (1.0 - {before})*{fall}")
    for state, tree in model.jumps.items():
        jump(state.name, _text(tree, names))
    lines.append(f"released = {_text(model.released, names)}")
    for state, tree in model.after.items():
        jump(state.name, _text(tree, names))
    return [*lines, *(f"{own[name]} = {names[name]}" for name in model.names),
            "last = t_in_timesteps"]


def _text(tree: Expression, names: Mapping[str, str]) -> str:
    return code(tree, names, WORDS)


def check(engine: str, lowered: LoweredCircuit) -> None:
    """Refuse what Brian2 cannot read, levels by region, and axons without trains.

    Raises
    ------
    EngineUnsupported
        An equation with too many operations within operations, axons without identity.
    """
    refuse_regions(f"engine {engine}", lowered)
    refuse_modulating(f"engine {engine}", lowered)
    for pooled in lowered.pooled:
        msg = (f"engine {engine}: axons.{pooled.axons.name}.identity: must be true (got false). "
               "Use --engine numba or reference")
        raise EngineUnsupported(msg)
    models: dict[str, Any] = {f"cells.{pop.name}.model": pop.model for pop in lowered.populations}
    models |= {f"receptors.{one.name}.model": one.model for pop in lowered.populations
               for one in pop.synapses}
    models |= {f"pathways.{one.name}.stp.model": one.stp.model for one in lowered.projections
               if one.stp is not None}
    models |= {f"pathways.{one.name}.learning.rule": one.learning.rule
               for one in lowered.projections if one.learning is not None}
    for where, model in models.items():
        deep = max(_depth(tree, {}) for tree in _trees(model))
        if deep > DEEPEST:
            msg = (f"engine {engine}: {where}: must nest at most {DEEPEST} operations, as Brian2 "
                   f"reads no more (got {deep}). Use --engine reference")
            raise EngineUnsupported(msg)


def _trees(model: Any) -> list[Expression]:
    if model.kind == "cell":
        return [*model.steps.values(), model.fires, *model.resets.values()]
    if model.kind == "receptor":
        return [model.effect, *(each.step for each in model.rates)]
    if model.kind == "learning":
        return [model.plus, model.minus]
    return [*model.jumps.values(), model.released, *model.after.values()]


def _depth(tree: Expression, memo: dict[int, int]) -> int:
    if not isinstance(tree, Operation):
        return 0
    if id(tree) not in memo:
        memo[id(tree)] = 1 + max(_depth(part, memo) for part in tree.arguments)
    return memo[id(tree)]
