"""The shape of a cell model: what decides its text, and nothing that is only a number."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from neostriatum.errors import EngineUnsupported

if TYPE_CHECKING:
    from neostriatum.engines.program import Population, Program

#: Names of receptors that may stand in a model.
_LEGAL = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")
#: Parameters of a cell; `v_b` belongs to the cubic rule alone.
NUMBERS = ("C", "k", "v_r", "v_t", "v_peak", "a", "b", "c", "d", "v_b", "I_spon")


@dataclass(frozen=True)
class Form:
    """Receptors (name, whether magnesium blocks it), effects (D1 or D2, target), and what else.

    ``drives`` has one entry per random drive: the receptors it reaches, and whether afferents copy
    a reference train of the neuron.
    """

    cubic: bool
    receptors: tuple[tuple[str, bool], ...]
    effects: tuple[tuple[str, str], ...] = ()
    drives: tuple[tuple[tuple[int, ...], bool], ...] = ()
    noisy: bool = False
    gaps: bool = False

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters of this rule."""
        return tuple(one for one in NUMBERS if one != "v_b" or self.cubic)

    @property
    def modulated(self) -> tuple[str, ...]:
        """What dopamine scales: parameters, and the gain of a receptor by number."""
        targets = dict.fromkeys(target for _, target in self.effects if target != "current")
        return tuple(target for target in targets)

    def gain(self, receptor: int) -> str:
        """Return the target name of the current through a receptor."""
        return f"I_{self.receptors[receptor][0]}"


def form_of(program: Program, number: int) -> Form:
    """Return the form of one population of a program.

    Raises
    ------
    EngineUnsupported
        A name that may not stand in a model.
    """
    pop: Population = program.populations[number]
    for synapse in pop.synapses:
        if not _LEGAL.fullmatch(synapse.name):
            msg = f"engine nest: receptor names must be letters and digits (got {synapse.name})"
            raise EngineUnsupported(msg)
    known = {*NUMBERS, "current", *(f"I_{one.name}" for one in pop.synapses)}
    effects = tuple((one.receptor, one.acts_on) for one in pop.effects if one.acts_on in known)
    drives = tuple((tuple(receptor for receptor, _ in one.weights), one.within > 0)
                   for one in own_drives(program, number))
    return Form(pop.cubic, tuple((one.name, bool(one.block)) for one in pop.synapses), effects,
                drives, pop.sigma > 0, program.coupled(number))


def own_drives(program: Program, number: int) -> list:
    """Return the drives of a population that its cells draw themselves: all but shared trains."""
    return [one for one in program.drives if one.population == number and one.pool is None]
