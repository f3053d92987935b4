"""What a circuit that learns can be told on the page: a burst of dopamine, a dip, a reward."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from neostriatum.circuit.learning_rules import BURST_MS, DIP_MS, learning_pathways, level_of
from neostriatum.errors import CircuitError, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from neostriatum.circuit.model import Circuit
    from neostriatum.live.knobs import Knob

#: What comes before a reward: the rate of the axons that learn, times this, for so long [ms].
CUE, CUE_MS = 3.0, 200.0


@dataclass(frozen=True)
class Part:
    """Knobs that stand elsewhere for a time; ``factors`` multiply where they stood."""

    length_ms: float
    label: str
    values: Mapping[str, float] = field(default_factory=dict)
    factors: Mapping[str, float] = field(default_factory=dict)


def lessons(circuit: Circuit, known: Mapping[str, Knob]) -> dict[str, list[Part]]:
    """Return the lessons by name, none where nothing learns or its dopamine has no knob.

    Examples
    --------
    >>> from neostriatum.circuit.load import load
    >>> lessons(load("striatum"), {})
    {}
    """
    pathways = list(learning_pathways(circuit))
    levels = dict.fromkeys(f"level.{level_of(circuit, name)}" for name in pathways)
    levels = dict.fromkeys(name for name in levels if name in known)
    if not levels:
        return {}
    burst = Part(BURST_MS, "dopamine burst", dict.fromkeys(levels, 1.0))
    dip = Part(DIP_MS, "dopamine dip", dict.fromkeys(levels, 0.0))
    given = {"burst": [burst], "dip": [dip]}
    rates = dict.fromkeys(f"rate.{name.split('->')[0]}" for name in pathways)
    cues = {name: CUE for name in rates if name in known}
    if cues:
        labels = ", ".join(known[name].label for name in cues)
        cue = Part(CUE_MS, f"cue of a reward, {labels} x {CUE:g}", factors=cues)
        given = {"reward": [cue, burst], **given}
    return given


def lesson(name: Any, known: Mapping[str, list[Part]]) -> list[Part]:
    """Return the parts of a lesson.

    Raises
    ------
    CircuitError
        No such lesson, or no pathway that learns.
    """
    if not isinstance(name, str) or name not in known:
        rule = f"must be one of {', '.join(known)}" if known else "needs a pathway that learns"
        msg = f"lesson: {rule} (got {shown(name)}). See docs/learning.md"
        raise CircuitError(msg)
    return known[name]
