"""A receptor on a cell: what an arrival does to its states, and the current or level it makes."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, cast

from neostriatum.models.expression import Expression
from neostriatum.models.parts import (
    Declared,
    check_name,
    check_states,
    declared,
    lifted,
    used_parameters,
)
from neostriatum.models.printer import canonical, infix
from neostriatum.models.rate import Rate
from neostriatum.models.symbol import DT, Computed, Parameter, State, gain, symbols
from neostriatum.models.unit import NONE, powers, spelled

if TYPE_CHECKING:
    from collections.abc import Mapping

_PA, _MS, _NS = powers("pA"), powers("ms"), powers("nS")
#: The membrane potential of the cell that a receptor is on.
V = State("v", "mV")


@dataclass(frozen=True, eq=False)
class ReceptorModel(Declared):
    """The equations of a receptor.

    An arrival of g [nS] is added to the states in ``adds``; then the current is taken; then every
    state decays by an exact exponential, or steps by its rate.

    Parameters
    ----------
    name : str
        Small letters, digits and _.
    states : tuple of State
        Its states.
    current : Expression, optional
        What flows into the cell [pA], of its states, parameters, ``v`` and ``gain``.
    modulation : Expression, optional
        A level without unit that effects on the cell can name, instead of a current.
    decays : dict, optional
        Time constant [ms] of states that decay to 0.
    rates : tuple of Rate, optional
        Rates of the other states, of its states, parameters and ``v``.
    adds : tuple of State, optional
        The states that an arrival is added to, all unless given.
    derived : dict, optional
        Expressions that can be recorded, by name.
    requires : tuple of Expression, optional
        Comparisons of parameters that must be true.
    source, summary : str, optional
        Key of the paper; one sentence.

    Raises
    ------
    ModelError
        Names or units that do not fit, a state that neither decays nor has a rate, neither or both
        of current and modulation.

    Examples
    --------
    >>> from neostriatum.models import ReceptorModel, State, gain, parameters
    >>> g, v = State("g", "nS"), State("v", "mV")
    >>> E, tau = parameters("E mV", "tau ms > 0")
    >>> plain = ReceptorModel(name="plain", states=(g,), decays={g: tau},
    ...                       current=gain * g * (E - v))
    >>> plain.equations[-1]
    'I = gain*g*(E - v)'
    >>> plain.effect, plain.parameters, plain.computed
    (gain*g*(E - v), (E, tau), ())
    >>> plain.names, plain.text.splitlines()[0], len(plain.hash)
    (('g',), 'receptor plain', 16)
    """

    name: str
    states: tuple[State, ...]
    current: Expression | None = None
    modulation: Expression | None = None
    decays: Mapping[State, Parameter] = field(default_factory=dict)
    rates: tuple[Rate, ...] = ()
    adds: tuple[State, ...] | None = None
    derived: Mapping[str, Expression] = field(default_factory=dict)
    requires: tuple[Expression, ...] = ()
    source: str = ""
    summary: str = ""

    kind = "receptor"

    def __post_init__(self) -> None:
        check_name(self.name)
        for key in ("states", "rates", "requires"):
            if not isinstance(getattr(self, key), tuple):
                object.__setattr__(self, key, (getattr(self, key),))
        check_states(self.name, self.states)
        if "v" in self.names:
            self._refuse("states: v is the potential of the cell")
        if self.adds is None:
            object.__setattr__(self, "adds", self.states)
        object.__setattr__(self, "derived", lifted(self.name, self.derived))
        self._check_changes()
        self._check_effect()
        self._check_requires()
        _ = self.parameters

    def _check_changes(self) -> None:
        changing = [state.name for state in self.decays]
        changing += [each.state.name for each in self.rates]
        for state in self.states:
            if changing.count(state.name) != 1:
                self._refuse(f"decays: {state.name} must decay or have a rate, not both "
                             f"(got {changing.count(state.name)})")
        if extra := set(changing) - set(self.names):
            self._refuse(f"decays: {min(extra)} is not among its states")
        for state, tau in self.decays.items():
            if not isinstance(tau, Parameter) or tau.powers != _MS:
                self._refuse(f"decays: {state.name} must decay with a parameter in ms")
        for state in self.adds or ():
            if state.name not in self.names or state.powers not in (_NS, NONE):
                self._refuse(f"adds: {state.name} must be a state of it in nS, or without unit")

    def _check_effect(self) -> None:
        if (self.current is None) == (self.modulation is None):
            self._refuse("current: must have one of current and modulation")
        for key, wanted in (("current", _PA), ("modulation", NONE)):
            tree = getattr(self, key)
            if tree is not None and (not isinstance(tree, Expression) or tree.condition
                                     or tree.powers != wanted):
                unit = getattr(tree, "unit", "1")
                self._refuse(f"{key}: {tree!r} must be in {spelled(wanted)} (got {unit})")

    @property
    def effect(self) -> Expression:
        """The current or the modulation."""
        # A receptor has one of the two.
        return self.current if self.current is not None else cast("Expression", self.modulation)

    @cached_property
    def _trees(self) -> list[Expression]:
        return [self.effect, *(each.step for each in self.rates), *self.decays.values(),
                *self.derived.values(), *self.requires]

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """Its parameters in the order in which its equations name them."""
        return used_parameters(self.name, self._trees, (*self.states, V, gain, DT))

    @cached_property
    def computed(self) -> tuple[Computed, ...]:
        """Numbers computed once from its parameters."""
        return tuple(leaf for leaf in symbols(*self._trees).values() if isinstance(leaf, Computed))

    @cached_property
    def text(self) -> str:
        """Canonical text: equal for models that compute the same in the same order."""
        lines = [f"receptor {self.name}"]
        lines += [f"state {state.name} {spelled(state.powers)}" for state in self.states]
        lines += declared(self.parameters)
        lines += [f"computed {one.name} {canonical(one.tree)}" for one in self.computed]
        lines += [f"adds {' '.join(state.name for state in self.adds or ())}"]
        lines += [f"{'current' if self.current is not None else 'modulation'} "
                  f"{canonical(self.effect)}"]
        lines += [f"decay {state.name} {tau.name}" for state, tau in self.decays.items()]
        lines += [each.text for each in self.rates]
        lines += [f"requires {canonical(condition)}" for condition in self.requires]
        return "\n".join(lines)

    @cached_property
    def equations(self) -> tuple[str, ...]:
        """Its equations, one line each, for readers."""
        lines = [f"d{state.name}/dt = -{state.name}/{tau.name}"
                 for state, tau in self.decays.items()]
        lines += [f"d{each.state.name}/dt = {each.right_side}" for each in self.rates]
        lines += [f"arrival of g: {', '.join(f'{state.name} += g' for state in self.adds or ())}"]
        lines += [f"{one.name} = {infix(one.tree)}" for one in self.computed]
        return (*lines, f"{'I' if self.current is not None else 'level'} = {infix(self.effect)}")
