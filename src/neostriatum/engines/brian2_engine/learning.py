"""Synapses that learn, in Brian2: each keeps what the tables held at its last event.

A step has the order of `engines.synapses`: flush at "before_start", arrivals at "before_groups",
spikes at "after_thresholds", tables at "before_end". One neuron per pathway holds the tables and
the exponentials of the step. Numbers differ from the reference's by rounding alone: what a weight
gains is added up event by event here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.engines.brian2_engine.equations import free_levels, literal
from neostriatum.engines.brian2_engine.functions import WORDS
from neostriatum.engines.brian2_engine.levels import level_text
from neostriatum.models.printer import code

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neostriatum.engines.learning import Learning
    from neostriatum.engines.lowered import LoweredCircuit, Projection
    from neostriatum.engines.population import Population

SIGNS = ("plus", "minus")


def kept(learning: Learning) -> list[str]:
    """Return the variables of a synapse: weight, gain since it was bounded, traces, the rest."""
    each = [f"{what}_{sign}{part}" for what in ("l", "l_seen") for sign in SIGNS
            for part in range(len(learning.taus))]
    return ["l_weight", "l_gained", "l_x", "l_y", *each]


def flushes(lowered: LoweredCircuit, population: Population) -> dict[str, str]:
    """Return the events of a population at which synapses are flushed, and when they happen."""
    # An event has a condition per cell.
    return {f"flush_{number}": f"t_in_timesteps > 0 and t_in_timesteps % {one.learning.flush} == 0 "
                               "and i >= 0"
            for number, one in _learners(lowered, population) if one.learning}


def sums(lowered: LoweredCircuit, population: Population) -> list[str]:
    """Return the variables of a cell for scaling: sum and number of its weights by pathway."""
    return [line for number, one in _learners(lowered, population)
            if one.learning and one.learning.scaling
            for line in (f"sum_{number} : 1", f"count_{number} : 1 (constant)")]


def _learners(lowered: LoweredCircuit,
              population: Population) -> Iterator[tuple[int, Projection]]:
    """Yield the projections to a population that learn and have synapses, with their numbers."""
    for number, one in enumerate(lowered.projections):
        if one.learning and len(one.targets) and one.target == lowered.index[population.name]:
            yield number, one


def at_arrival(learning: Learning) -> list[str]:
    """Return what an arrival does to its synapse before it delivers ``l_weight``."""
    return [*_bring(learning), *_bound(learning),
            *(f"l_minus{part} += l_y*add_minus{part}" for part in range(len(learning.taus))),
            "l_x += rise_x"]


def at_events(learning: Learning, number: int) -> dict[str, str]:
    """Return what a spike of the target and a flush do to a synapse, by pathway of Brian2."""
    parts = range(len(learning.taus))
    left, left_x, left_y = learning.flushed
    spike = [*_bring(learning), *(f"l_plus{part} += l_x*add_plus{part}" for part in parts),
             "l_y += rise_y"]
    flush = [*_bring(learning), *_bound(learning),
             *(f"l_{sign}{part} *= {literal(left[part])}" for part in parts for sign in SIGNS),
             *(f"l_seen_{sign}{part} = 0.0" for part in parts for sign in SIGNS),
             f"l_x *= {literal(left_x)}", f"l_y *= {literal(left_y)}"]
    made = {"post": spike, "flush": flush}
    if learning.scaling is not None:
        target, share = map(literal, learning.scaling)
        low, high = map(literal, learning.bounds[:2])
        mean = f"mean = sum_{number}_post/count_{number}_post"
        made["sum"] = [f"sum_{number}_post += l_weight"]
        made["scale"] = [mean, f"scaled = l_weight*(1.0 + {share}*({target} - mean)"
                               "/clip(mean, 1e-9, 1e300))",
                         f"l_weight = clip(scaled, {low}, {high})"]
    return {name: "\n".join(lines) for name, lines in made.items()}


def _bring(learning: Learning) -> list[str]:
    """Return how a synapse gains what its eligibilities make of the tables since its last event."""
    lines = []
    for part in range(len(learning.taus)):
        terms = " + ".join(f"l_{sign}{part}*(table_{sign}{part} - l_seen_{sign}{part})"
                           for sign in SIGNS)
        lines += [f"l_gained += {terms}",
                  *(f"l_seen_{sign}{part} = table_{sign}{part}" for sign in SIGNS)]
    return lines


def _bound(learning: Learning) -> list[str]:
    """Return how a weight takes over what it gained, within its bounds."""
    low, high, down, up = map(literal, learning.bounds)
    room = (f"{WORDS['where']}(l_gained > 0.0, ({high} - l_weight)*{up}, "
            f"(l_weight - {low})*{down})")
    lines = [f"room = {room}", "moved = l_weight + l_gained*room"] if learning.soft else [
        "moved = l_weight + l_gained"]
    return [*lines, f"l_weight = clip(moved, {low}, {high})", "l_gained = 0.0"]


def learn(b2: Any, lowered: LoweredCircuit, number: int, synapses: Any,
          levels: Any) -> list[Any]:
    """Let synapses learn: return the neuron that holds their tables, and what runs by the clock."""
    learning: Any = lowered.projections[number].learning
    heard = {learning.level, learning.gate} & set(free_levels(lowered))
    parts = range(len(learning.taus))
    names = [f"{name}{part}" for part in parts
             for name in ("table_plus", "table_minus", "add_plus", "add_minus")]
    names += ["rise_x", "rise_y"]
    equations = [*(f"{name} : 1" for name in names),
                 *(f"level{level + 1} : 1 (linked)" for level in heard)]
    tables = b2.NeuronGroup(1, "\n".join(equations), name=f"tables_{number}",
                            namespace=synapses.namespace)
    for level in heard:
        setattr(tables, f"level{level + 1}", b2.linked_var(levels, f"level{level + 1}"))
    for name in names:
        synapses.variables.add_reference(name, tables, name, index="0")
    synapses.l_weight = learning.start
    for name, order in (("flush", 1), ("sum", 2), ("scale", 3)):
        if hasattr(synapses, name):
            getattr(synapses, name).when, getattr(synapses, name).order = "before_start", order
    synapses.pre.when, synapses.post.when = "before_groups", "after_thresholds"
    objects = []
    if learning.scaling is not None:
        cells = synapses.target
        setattr(cells, f"count_{number}", np.bincount(lowered.projections[number].targets,
                                                      minlength=len(cells)))
        objects.append(cells.run_regularly(f"sum_{number} = 0.0", when="end",
                                           name=f"clear_sum_{number}"))
    return [tables, *objects,
            tables.run_regularly(_begin(lowered, learning), when="before_start", order=4,
                                 name=f"tables_{number}_begin"),
            tables.run_regularly(_go_on(lowered, learning), when="before_end",
                                 name=f"tables_{number}_go_on")]


def _begin(lowered: LoweredCircuit, learning: Learning) -> str:
    """Return how a step begins: tables anew after a flush, exponentials since then."""
    exp, values = WORDS["exp"], learning.values
    pre, post = (f"elapsed/{literal(values[name])}" for name in ("tau_plus", "tau_minus"))
    lines = [f"since = t_in_timesteps % {learning.flush}",
             f"elapsed = since*{literal(lowered.dt)}", f"rise_x = {exp}({pre})",
             f"rise_y = {exp}({post})"]
    for part, tau in enumerate(learning.taus):
        own = f"elapsed/{literal(tau)}"
        lines += [f"table_{sign}{part} *= int(since > 0)" for sign in SIGNS]
        lines += [f"add_{sign}{part} = {exp}({own} - {trace})"
                  for sign, trace in zip(SIGNS, (pre, post), strict=True)]
    return "\n".join(lines)


def _go_on(lowered: LoweredCircuit, learning: Learning) -> str:
    """Return what the level of a step adds to the tables."""
    names = {name: literal(value) for name, value in learning.values.items()}
    names |= {"level": "heard", "tonic": literal(learning.tonic)}
    free, rule = free_levels(lowered), learning.rule
    gate = f"*{level_text(lowered, learning.gate, free)}" if learning.gate >= 0 else ""
    lines = [f"heard = {level_text(lowered, learning.level, free)}",
             f"elapsed = (t_in_timesteps % {learning.flush})*{literal(lowered.dt)}"]
    lines += [f"factor_{sign} = {code(tree, names, WORDS)}"
              for sign, tree in zip(SIGNS, (rule.plus, rule.minus), strict=True)]
    for part, (gain, tau) in enumerate(zip(learning.gains, learning.taus, strict=True)):
        fall = f"{WORDS['exp']}((-elapsed)/{literal(tau)})"
        lines += [f"table_{sign}{part} += {literal(gain)}*factor_{sign}{gate}*{fall}"
                  for sign in SIGNS]
    return "\n".join(lines)


def weights_now(learning: Learning, synapses: Any, tables: Any) -> np.ndarray:
    """Return all weights as they are when the next step begins, and change nothing."""
    gained = np.array(synapses.l_gained[:])
    for part in range(len(learning.taus)):
        for sign in SIGNS:
            eligible, seen = (np.asarray(getattr(synapses, f"{what}_{sign}{part}")[:])
                              for what in ("l", "l_seen"))
            gained += eligible * (getattr(tables, f"table_{sign}{part}")[0] - seen)
    return learning.bounded(np.asarray(synapses.l_weight[:]), gained)
