"""A cell without a shape in space: states, their rates, when it fires and what happens then."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from neostriatum.models.expression import Expression, lift
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
from neostriatum.models.symbol import DT, I, Parameter, State, symbols
from neostriatum.models.unit import powers, spelled

if TYPE_CHECKING:
    from collections.abc import Mapping

_MV = powers("mV")


@dataclass(frozen=True, eq=False)
class CellModel(Declared):
    """The equations of a cell, advanced by forward Euler.

    Parameters
    ----------
    name : str
        Small letters, digits and _.
    states : tuple of State
        One of them is ``v`` in mV, the membrane potential.
    rates : tuple of Rate
        One per state; see `rate`. ``I`` is all current that flows in [pA].
    fires : Expression
        The comparison that is true after the step of a spike, such as ``v >= v_peak``.
    then : dict
        What states become at a spike, from their values after the step.
    starts : dict
        What states begin with, from the parameters.
    hold : Parameter, optional
        How long v keeps its value after a spike [ms], in whole steps; the other states go on.
    constant_current : Parameter, optional
        A current [pA] that always flows in: the first term of ``I``, else that is 0.
    derived : dict, optional
        Expressions that can be recorded, by name.
    requires : tuple of Expression, optional
        Comparisons of parameters that must be true.
    source : str, optional
        Key of the paper.
    summary : str, optional
        One sentence.

    Raises
    ------
    ModelError
        Names or units that do not fit, a state without a rate, a jump of a parameter, a threshold
        that no state enters.

    Examples
    --------
    >>> from neostriatum.models import CellModel, I, State, parameters, rate
    >>> v = State("v", "mV")
    >>> C, g, E, v_T = parameters("C pF > 0", "g nS > 0", "E mV", "v_T mV")
    >>> lif = CellModel(name="lif", states=(v,), rates=(rate(v, g * (E - v) + I, per=C),),
    ...                 fires=v >= v_T, then={v: E}, starts={v: E})
    >>> [parameter.name for parameter in lif.parameters]
    ['C', 'g', 'E', 'v_T']
    >>> lif.names, lif.steps["v"], lif.resets["v"]
    (('v',), v + dt/C*(g*(E - v) + I), E)
    >>> lif.equations[0], lif.text.splitlines()[0], len(lif.hash)
    ('dv/dt = (g*(E - v) + I)/C', 'cell lif', 16)
    """

    name: str
    states: tuple[State, ...]
    rates: tuple[Rate, ...]
    fires: Expression
    then: Mapping[State, Any]
    starts: Mapping[State, Any]
    hold: Parameter | None = None
    constant_current: Parameter | None = None
    derived: Mapping[str, Expression] = field(default_factory=dict)
    requires: tuple[Expression, ...] = ()
    source: str = ""
    summary: str = ""

    kind = "cell"

    def __post_init__(self) -> None:
        check_name(self.name)
        for key in ("states", "rates", "requires"):
            if not isinstance(getattr(self, key), tuple):
                object.__setattr__(self, key, (getattr(self, key),))
        check_states(self.name, self.states)
        for key in ("then", "starts"):
            values = {state: lift(value) for state, value in getattr(self, key).items()}
            object.__setattr__(self, key, values)
        object.__setattr__(self, "derived", lifted(self.name, self.derived))
        self._check_rates()
        self._check_values()
        self._check_threshold()
        self._check_requires()
        _ = self.parameters

    def _check_rates(self) -> None:
        potential = next((state for state in self.states if state.name == "v"), None)
        if potential is None or potential.powers != _MV:
            self._refuse("states: one must be v in mV")
        if not all(isinstance(each, Rate) for each in self.rates):
            self._refuse("rates: must be made by rate(state, ...)")
        changing = [each.state.name for each in self.rates]
        for state in self.states:
            if changing.count(state.name) != 1:
                self._refuse(f"rates: {state.name} must have one rate (got "
                             f"{changing.count(state.name)})")
        if extra := set(changing) - {state.name for state in self.states}:
            self._refuse(f"rates: {min(extra)} is not among its states")

    def _check_values(self) -> None:
        for key in ("then", "starts"):
            for state, value in getattr(self, key).items():
                if not isinstance(state, State) or state.name not in self.names:
                    self._refuse(f"{key}: {state!r} is not among its states")
                if value.condition or value.powers not in (None, state.powers):
                    self._refuse(f"{key}: {state.name} is in {state.unit}, {infix(value)} "
                                 f"in {value.unit}")
        for state in self.states:
            if state.name not in {known.name for known in self.starts}:
                self._refuse(f"starts: {state.name} is missing")
        for value in self.starts.values():
            if any(not isinstance(leaf, Parameter) for leaf in symbols(value).values()):
                self._refuse(f"starts: {infix(value)} must be made of parameters alone")
        for key, unit in (("hold", "ms"), ("constant_current", "pA")):
            own = getattr(self, key)
            if own is not None and (not isinstance(own, Parameter) or own.powers != powers(unit)):
                self._refuse(f"{key}: must be a parameter in {unit}")

    def _check_threshold(self) -> None:
        fires = self.fires
        if not isinstance(fires, Expression) or not fires.condition:
            self._refuse("fires: must be a comparison, such as v >= v_peak")
        sides = [canonical(part) for part in getattr(fires, "arguments", ())]
        if not any(isinstance(leaf, State) for leaf in symbols(fires).values()) or (
                len(set(sides)) == 1):
            self._refuse(f"fires: {infix(fires)} does not depend on its states, so it is always "
                         "true or never")

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """Its parameters in the order in which its equations name them."""
        trees = [*self.steps.values(), self.fires, *self.then.values(), *self.starts.values(),
                 *self.derived.values(), *self.requires]
        trees += [own for own in (self.hold, self.constant_current) if own is not None]
        return used_parameters(self.name, trees, (*self.states, I, DT))

    @cached_property
    def steps(self) -> dict[str, Expression]:
        """Every state one step later, in the order of the states."""
        rates = {each.state.name: each.step for each in self.rates}
        return {name: rates[name] for name in self.names}

    @cached_property
    def resets(self) -> dict[str, Expression]:
        """What states become at a spike, by name."""
        return {state.name: value for state, value in self.then.items()}

    @cached_property
    def text(self) -> str:
        """Canonical text: equal for models that compute the same in the same order."""
        lines = [f"cell {self.name}"]
        lines += [f"state {state.name} {spelled(state.powers)}" for state in self.states]
        lines += declared(self.parameters)
        lines += [f"next {name} {canonical(step)}" for name, step in self.steps.items()]
        lines += [f"fires {canonical(self.fires)}"]
        lines += [f"then {name} {canonical(value)}" for name, value in self.resets.items()]
        lines += [f"start {state.name} {canonical(value)}" for state, value in self.starts.items()]
        lines += [f"{key} {getattr(getattr(self, key), 'name', None)}"
                  for key in ("hold", "constant_current")]
        lines += [f"requires {canonical(condition)}" for condition in self.requires]
        return "\n".join(lines)

    @cached_property
    def equations(self) -> tuple[str, ...]:
        """Its equations, one line each, for readers."""
        lines = [f"d{each.state.name}/dt = {each.right_side}" for each in self.rates]
        jumps = ", ".join(f"{name} <- {infix(value)}" for name, value in self.resets.items())
        hold = "" if self.hold is None else f", v held for {self.hold.name}"
        return (*lines, f"spike if {infix(self.fires)}: {jumps}{hold}")
