"""What decides the text of a cell: its models and what acts on it, and nothing that is a number."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from neostriatum.engines.nest_engine.text import functions, literals
from neostriatum.models.symbol import Computed, Parameter, symbols

if TYPE_CHECKING:
    import numpy as np

    from neostriatum.circuit.modulator import Curve, Modulator
    from neostriatum.engines.drive import Drive
    from neostriatum.engines.lowered import LoweredCircuit
    from neostriatum.engines.modulation import Modulation
    from neostriatum.engines.population import Population
    from neostriatum.models.cell import CellModel
    from neostriatum.models.expression import Expression
    from neostriatum.models.receptor import ReceptorModel


@dataclass(frozen=True)
class Form:
    """The models of a cell and its receptors, effects (signal, target, kind), and what else.

    A signal is the number, from 1, of a level as its effect hears it; see `signals`. Names of
    models stand behind a prefix: ``p_`` for parameters of the cell, ``s_`` for its states, ``r0_``
    for both of the first receptor. A target is such a name, ``gain0`` or ``current``.
    ``drives`` has one entry per random drive: the receptors it reaches, and whether afferents copy
    a reference train of the neuron.
    """

    model: CellModel
    receptors: tuple[ReceptorModel, ...] = ()
    effects: tuple[tuple[int, str, str], ...] = ()
    drives: tuple[tuple[tuple[int, ...], bool], ...] = ()
    noisy: bool = False
    gaps: bool = False
    #: Receptors at which something arrives that levels scale, one per inlet.
    inlets: tuple[int, ...] = ()

    @cached_property
    def trees(self) -> list[Expression]:
        """Every expression of a step."""
        model = self.model
        trees = [*model.steps.values(), model.fires, *model.resets.values()]
        for receptor in self.receptors:
            trees += [receptor.effect, *(each.step for each in receptor.rates)]
        return trees

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters of the cell in its model that a step needs."""
        model = self.model
        used = symbols(*model.steps.values(), model.fires, *model.resets.values())
        current = model.constant_current
        return tuple(one.name for one in model.parameters
                     if one.name in used or (current is not None and one.name == current.name))

    def numbers_of(self, receptor: int) -> tuple[str, ...]:
        """Return the names of the parameters of a receptor that a step needs."""
        model = self.receptors[receptor]
        used = symbols(model.effect, *(each.step for each in model.rates))
        return tuple(name for name, leaf in used.items() if isinstance(leaf, (Parameter, Computed)))

    @cached_property
    def constants(self) -> dict[float, str]:
        """The numbers in its expressions, and the parameters that hold them."""
        return literals(self.trees)

    @cached_property
    def functions(self) -> list[str]:
        """Which of exp, log and logistic2 it uses."""
        return functions(self.trees)

    @property
    def modulated(self) -> tuple[str, ...]:
        """What modulators change: parameters and gains."""
        return tuple(dict.fromkeys(target for _, target, kind in self.effects if kind != "current"))

    @property
    def signals(self) -> tuple[int, ...]:
        """The signals that its effects hear."""
        return tuple(sorted({signal for signal, _, _ in self.effects}))

    @property
    def opened(self) -> list[int]:
        """The effects that open a current."""
        return [number for number, (_, _, kind) in enumerate(self.effects) if kind == "current"]


@dataclass(frozen=True)
class Signal:
    """A time course as effects hear it: a level above its reference, or a curve of it."""

    level: int
    modulator: Modulator
    curve: Curve | None = None

    @property
    def is_constant(self) -> bool:
        """Whether it never changes."""
        return self.modulator.level is not None and self.modulator.level.is_constant

    def at(self, times_ms: np.ndarray) -> np.ndarray:
        """Return its values at times from the end of the warm-up."""
        level: Any = self.modulator.level  # computed levels are refused before
        return self.modulator.heard(level.at(times_ms), self.curve)

    def of(self, levels: tuple[Any, ...]) -> Any:
        """Return its values at the levels of the circuit, numbers or arrays."""
        return self.modulator.heard(levels[self.level], self.curve)


def signals(lowered: LoweredCircuit) -> list[Signal]:
    """Return what effects may hear: every level of the circuit, then the curves that are used."""
    plain = [Signal(*one) for one in enumerate(lowered.circuit.modulators.values())]
    used = [_signal(effect) for pop in lowered.populations for effect in pop.effects]
    return list(dict.fromkeys([*plain, *used]))


def _signal(effect: Modulation) -> Signal:
    return Signal(effect.level, effect.modulator, effect.curve)


def targets(pop: Population) -> dict[str, str]:
    """Return what effects can act on in a step, and the names in the text."""
    named = {name: f"p_{name}" for name in Form(pop.model).parameters}
    named |= {f"I_{one.name}": f"gain{place}" for place, one in enumerate(pop.synapses)}
    return named | {"current": "current"}


def known_effects(pop: Population) -> list[Modulation]:
    """Return the effects on what a step of a population has."""
    known = targets(pop)
    return [one for one in pop.effects if one.acts_on in known]


def form_of(lowered: LoweredCircuit, number: int) -> Form:
    """Return the form of one population of a lowered circuit."""
    pop: Population = lowered.populations[number]
    heard, names = signals(lowered), targets(pop)
    effects = tuple((heard.index(_signal(one)) + 1, names[one.acts_on], one.kind)
                    for one in known_effects(pop))
    drives = tuple((tuple(receptor for receptor, _ in one.weights), one.within > 0)
                   for one in own_drives(lowered, number))
    return Form(pop.model, tuple(one.model for one in pop.synapses), effects, drives,
                pop.sigma > 0, lowered.coupled(number),
                tuple(inlet.receptor for inlet in pop.inlets))


def own_drives(lowered: LoweredCircuit, number: int) -> list[Drive]:
    """Return the drives of a population that its cells draw themselves: all but shared trains."""
    return [one for one in lowered.drives if one.population == number and one.pool is None]
