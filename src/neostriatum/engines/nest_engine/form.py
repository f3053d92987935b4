"""The shape of a cell model: what decides its text, and nothing that is only a number."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from neostriatum.errors import EngineUnsupported

if TYPE_CHECKING:
    import numpy as np

    from neostriatum.circuit.modulator import Curve, Modulator
    from neostriatum.engines.modulation import Modulation
    from neostriatum.engines.program import Population, Program

#: Names of receptors that may stand in a model.
_LEGAL = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")
#: Parameters of a cell; `v_b` belongs to the cubic rule alone.
NUMBERS = ("C", "k", "v_r", "v_t", "v_peak", "a", "b", "c", "d", "v_b", "I_spon")


@dataclass(frozen=True)
class Form:
    """Receptors (name, whether magnesium blocks it), effects (signal, target, kind), and what else.

    A signal is the number, from 1, of a level as its effect hears it; see `signals`.
    ``drives`` has one entry per random drive: the receptors it reaches, and whether afferents copy
    a reference train of the neuron.
    """

    cubic: bool
    receptors: tuple[tuple[str, bool], ...]
    effects: tuple[tuple[int, str, str], ...] = ()
    drives: tuple[tuple[tuple[int, ...], bool], ...] = ()
    noisy: bool = False
    gaps: bool = False

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters of this rule."""
        return tuple(one for one in NUMBERS if one != "v_b" or self.cubic)

    @property
    def modulated(self) -> tuple[str, ...]:
        """What modulators change: parameters, and the gain of a receptor by number."""
        return tuple(dict.fromkeys(target for _, target, kind in self.effects if kind != "current"))

    @property
    def signals(self) -> tuple[int, ...]:
        """The signals that its effects hear."""
        return tuple(sorted({signal for signal, _, _ in self.effects}))

    def gain(self, receptor: int) -> str:
        """Return the target name of the current through a receptor."""
        return f"I_{self.receptors[receptor][0]}"


@dataclass(frozen=True)
class Signal:
    """A time course as effects hear it: a level above its reference, or a curve of it."""

    level: int
    modulator: Modulator
    curve: Curve | None = None

    @property
    def is_constant(self) -> bool:
        """Whether it never changes."""
        return self.modulator.level.is_constant

    def at(self, times_ms: np.ndarray) -> np.ndarray:
        """Return its values at times from the end of the warm-up."""
        return self.modulator.heard(self.modulator.level.at(times_ms), self.curve)


def signals(program: Program) -> list[Signal]:
    """Return what effects may hear: every level of the circuit, then the curves that are used."""
    plain = [Signal(*one) for one in enumerate(program.circuit.modulators.values())]
    used = [_signal(effect) for pop in program.populations for effect in pop.effects]
    return list(dict.fromkeys([*plain, *used]))


def _signal(effect: Modulation) -> Signal:
    return Signal(effect.level, effect.modulator, effect.curve)


def known_effects(pop: Population) -> list[Modulation]:
    """Return the effects on what a population has."""
    known = {*NUMBERS, "current", *(f"I_{one.name}" for one in pop.synapses)}
    return [one for one in pop.effects if one.acts_on in known]


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
    heard = signals(program)
    effects = tuple((heard.index(_signal(one)) + 1, one.acts_on, one.kind)
                    for one in known_effects(pop))
    drives = tuple((tuple(receptor for receptor, _ in one.weights), one.within > 0)
                   for one in own_drives(program, number))
    return Form(pop.cubic, tuple((one.name, bool(one.block)) for one in pop.synapses), effects,
                drives, pop.sigma > 0, program.coupled(number))


def own_drives(program: Program, number: int) -> list:
    """Return the drives of a population that its cells draw themselves: all but shared trains."""
    return [one for one in program.drives if one.population == number and one.pool is None]
