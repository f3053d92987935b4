"""Levels that are computed, in Brian2: one neuron that holds them, and synapses that count spikes.

A spike of a step arrives at the end of the step before that which hears it. The levels go on at
the end of every step, as `engines.levels.go_on` says, so that the bits are those of the reference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neostriatum.engines.brian2_engine.drive import course
from neostriatum.engines.brian2_engine.equations import free_levels, literal
from neostriatum.engines.brian2_engine.functions import WORDS
from neostriatum.engines.levels import CONCENTRATION, FOLLOWS, OCCUPIED, RELEASED

if TYPE_CHECKING:
    from neostriatum.engines.lowered import LoweredCircuit


def add_levels(b2: Any, lowered: LoweredCircuit, groups: list[Any], objects: list[Any],
               namespace: dict[str, Any]) -> Any:
    """Return the neuron whose ``level3`` is the third level, None where none is computed."""
    free = free_levels(lowered)
    if not free:
        return None
    about = lowered.signals
    for level in free:
        if about.rates[level] is not None:
            namespace[f"release_{level + 1}"] = course(b2, lowered, about.rates[level],
                                                       f"release_{level + 1}")
    equations = [f"{name}{level + 1} : 1" for level in free for name in ("x", "level", "spikes")]
    holder = b2.NeuronGroup(1, "\n".join(equations), name="levels", namespace=namespace)
    for level in free:
        for name in ("x", "level"):
            setattr(holder, f"{name}{level + 1}", float(about.starts[level]))
        _, _, source, delay = about.plain[level]
        if source >= 0:
            count = b2.Synapses(groups[source], holder, on_pre=f"spikes{level + 1}_post += 1.0",
                                name=f"count_of_{level + 1}", namespace={})
            count.connect()
            count.delay = (float(delay) - 1.0) * lowered.dt * b2.ms
            objects.append(count)
    for group in filter(None, groups):
        for level in free:
            setattr(group, f"phi{level + 1}", b2.linked_var(holder, f"level{level + 1}"))
    objects += [holder, holder.run_regularly(_step(lowered, free), when="end", name="levels_step")]
    return holder


def _step(lowered: LoweredCircuit, free: list[int]) -> str:
    """Return how the levels go on, all from their values before."""
    lines, after = [], []
    for level in free:
        n, about = level + 1, lowered.signals
        kind, heard = about.plain[level, :2]
        first, second, third = map(literal, about.numbers[level])
        if kind == RELEASED:
            lines.append(f"new_x{n} = x{n}*{first} + spikes{n}*{second}")
        elif kind == FOLLOWS:
            lines.append(f"new_x{n} = x{n} + {first}*({level_text(lowered, heard, free)} - x{n})")
        elif kind == CONCENTRATION:
            more = f"spikes{n}" if about.rates[level] is None else (
                f"(release_{n}(t)*{literal(lowered.dt / 1000.0)})")
            lines.append(f"new_x{n} = (x{n} + {more}*{third})/(1.0 + {first}/({second} + x{n}))")
        elif kind == OCCUPIED:
            lines += [f"bound{n} = {first}*{level_text(lowered, heard, free)}",
                      f"new_x{n} = (x{n} + bound{n}/{third})/(1.0 + bound{n} + {second})"]
        after += [f"x{n} = new_x{n}", f"spikes{n} = 0.0",
                  f"level{n} = {WORDS['where']}(new_x{n} <= 1.0, new_x{n}, 1.0)"
                  if kind == OCCUPIED else f"level{n} = new_x{n}"]
    return "\n".join(lines + after)


def level_text(lowered: LoweredCircuit, level: int, free: list[int]) -> str:
    """Return a level as text, of a neuron that has the computed ones under their names."""
    given = lowered.courses[level]
    if level in free:
        return f"level{level + 1}"
    return literal(given.constant.value) if given.is_constant else f"phi{level + 1}_course(t)"
