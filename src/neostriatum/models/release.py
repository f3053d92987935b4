"""Short-term plasticity: how much a spike releases, as states on its source."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from neostriatum.models.expression import Expression, lift
from neostriatum.models.parts import Declared, check_name, check_states, declared, used_parameters
from neostriatum.models.printer import canonical, infix
from neostriatum.models.symbol import Parameter, State, symbols
from neostriatum.models.unit import NONE, powers

if TYPE_CHECKING:
    from collections.abc import Mapping

_MS = powers("ms")


@dataclass(frozen=True, eq=False)
class ReleaseModel(Declared):
    """The equations of a release: jumps at a source's spikes, closed decays between them.

    At a spike every state first moves to its rest by ``exp(-interval/tau)``; then the jumps are
    done in their order, each from what the former left; then ``released`` is taken, and the
    ``after`` jumps are done in the same way.

    Parameters
    ----------
    name : str
        Small letters, digits and _.
    states : tuple of State
        Without unit.
    rests : dict
        What a state returns to: 0, or 1.
    decays : dict
        With which time constant [ms]; 0 is at once.
    jumps, after : dict
        New values of states at a spike, before and after what is released is taken.
    released : Expression
        What a spike releases, relative to a first one: the factor on every conductance.
    most : Expression
        The most that a spike can release, of parameters: what sums of arrivals must have room for.
    requires : tuple of Expression, optional
        Comparisons of parameters that must be true.
    source, summary : str, optional
        Key of the paper; one sentence.

    Raises
    ------
    ModelError
        Names or units that do not fit, a state without rest or decay.

    Examples
    --------
    >>> from neostriatum.models import ReleaseModel, State, parameters
    >>> x, (U, tau) = State("x", "1"), parameters("U 1 > 0 <= 1", "tau ms >= 0")
    >>> model = ReleaseModel(name="depressing", states=(x,), rests={x: 1}, decays={x: tau},
    ...                      jumps={}, released=x, most=1, after={x: x - U * x})
    >>> model.equations[-1]
    'spike: releases x, then x <- x - U*x'
    >>> model.names, model.parameters, model.text.splitlines()[0], len(model.hash)
    (('x',), (U, tau), 'release depressing', 16)
    """

    name: str
    states: tuple[State, ...]
    rests: Mapping[State, Any]
    decays: Mapping[State, Parameter]
    jumps: Mapping[State, Any]
    released: Expression
    most: Any
    after: Mapping[State, Any]
    requires: tuple[Expression, ...] = ()
    source: str = ""
    summary: str = ""

    kind = "release"

    def __post_init__(self) -> None:
        check_name(self.name)
        for key in ("states", "requires"):
            if not isinstance(getattr(self, key), tuple):
                object.__setattr__(self, key, (getattr(self, key),))
        check_states(self.name, self.states)
        object.__setattr__(self, "most", lift(self.most))
        for key in ("jumps", "after"):
            lifted = {state: lift(value) for state, value in getattr(self, key).items()}
            object.__setattr__(self, key, lifted)
        for state in self.states:
            if state.powers != NONE:
                self._refuse(f"states: {state.name} must have no unit (got {state.unit})")
            if self.rests.get(state) not in (0, 1):
                self._refuse(f"rests: {state.name} must rest at 0 or 1")
            tau = self.decays.get(state)
            if not isinstance(tau, Parameter) or tau.powers != _MS:
                self._refuse(f"decays: {state.name} must decay with a parameter in ms")
        for key in ("rests", "decays", "jumps", "after"):
            for state in getattr(self, key):
                if state not in self.states:
                    self._refuse(f"{key}: {state!r} is not among its states")
        for tree in (self.released, self.most, *self.jumps.values(), *self.after.values()):
            if not isinstance(tree, Expression) or tree.condition or tree.powers not in (NONE,
                                                                                         None):
                self._refuse(f"released: {tree!r} must be a number without unit")
        if any(isinstance(leaf, State) for leaf in symbols(self.most).values()):
            self._refuse(f"most: {self.most!r} must be made of parameters alone")
        self._check_requires()
        _ = self.parameters

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """Its parameters in the order in which its equations name them."""
        trees = [*self.jumps.values(), self.released, self.most, *self.after.values(),
                 *self.decays.values(), *self.requires]
        return used_parameters(self.name, trees, self.states)

    @cached_property
    def text(self) -> str:
        """Canonical text: equal for models that compute the same in the same order."""
        lines = [f"release {self.name}", *declared(self.parameters)]
        lines += [f"state {state.name} rest {self.rests[state]} decay {self.decays[state].name}"
                  for state in self.states]
        for key in ("jumps", "after"):
            lines += [f"{key} {state.name} {canonical(value)}"
                      for state, value in getattr(self, key).items()]
        lines += [f"released {canonical(self.released)}", f"most {canonical(self.most)}"]
        lines += [f"requires {canonical(condition)}" for condition in self.requires]
        return "\n".join(lines)

    @cached_property
    def equations(self) -> tuple[str, ...]:
        """Its equations, one line each, for readers."""
        lines = [f"d{state.name}/dt = ({self.rests[state]} - {state.name})/"
                 f"{self.decays[state].name}" for state in self.states]
        steps = [f"{state.name} <- {infix(value)}" for state, value in self.jumps.items()]
        steps.append(f"releases {infix(self.released)}")
        steps += [f"then {state.name} <- {infix(value)}" for state, value in self.after.items()]
        return (*lines, f"spike: {', '.join(steps)}")
