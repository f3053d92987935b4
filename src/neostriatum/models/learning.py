"""Long-term plasticity gated by a modulator: what its level makes of two eligibilities."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from neostriatum.models.expression import Expression, lift
from neostriatum.models.parts import Declared, check_name, declared, used_parameters
from neostriatum.models.printer import canonical, infix
from neostriatum.models.symbol import Parameter, State, parameters
from neostriatum.models.unit import NONE

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What a rule's expressions may name beside its parameters: the level, and that of the start.
level, tonic = State("level", "1"), State("tonic", "1")
#: The receptors that cells hear dopamine by.
RECEPTORS = ("D1", "D2")
#: The parameters that every rule has.
TIMES, WEIGHTS = ("tau_plus", "tau_minus", "tau_e", "tau_rise"), ("dose", "w_min", "w_max")
_STATES = tuple(State(name, "1") for name in ("x", "y", "e_plus", "e_minus", "w"))


def usual(tau_plus: float = 20, tau_minus: float = 20, tau_e: float = 1000, dose: float = 0.1,
          w_max: float = 3) -> tuple[Parameter, ...]:
    """Return the parameters that every rule has, with the values that a rule usually has.

    Parameters
    ----------
    tau_plus, tau_minus, tau_e : float
        Time constants of the traces of the source and of the target, and of the eligibilities [ms].
    dose : float
        Change of a weight by an eligibility of 1 that a factor of 1 sees from its start to its end.
    w_max : float
        The highest weight.

    Examples
    --------
    >>> [one.name for one in usual()]
    ['tau_plus', 'tau_minus', 'tau_e', 'tau_rise', 'dose', 'w_min', 'w_max']
    """
    return parameters(f"tau_plus ms > 0 = {tau_plus}", f"tau_minus ms > 0 = {tau_minus}",
                      f"tau_e ms > 0 = {tau_e}", "tau_rise ms >= 0 = 0",
                      f"dose 1 > 0 <= 1000 = {dose}", "w_min 1 >= 0 < 1 = 0",
                      f"w_max 1 > 1 <= 1000 = {w_max}")


@dataclass(frozen=True, eq=False)
class LearningRule(Declared):
    """The rule of two eligibilities, and what the level of a modulator makes of them.

    A synapse adds the trace of its source to ``e_plus`` when its target spikes, and the trace of
    its target to ``e_minus`` when its source does. Its weight changes by
    ``dose/tau_e (plus e_plus + minus e_minus)`` per time, within bounds.

    Parameters
    ----------
    name : str
        Small letters, digits and _.
    plus, minus : Expression
        Factors without unit, of `level`, `tonic` and parameters.
    common : tuple of Parameter
        What `usual` returns.
    receptors : dict
        By receptor, "D1" or "D2": values of parameters where a circuit gives none.
    bounds : str
        "soft": changes fade towards a bound; or "hard": they stop there.
    requires : tuple of Expression, optional
        Comparisons of parameters that must be true.
    source, summary : str, optional
        Key of the paper; one sentence.

    Raises
    ------
    ModelError
        Names or units that do not fit, other bounds.

    Examples
    --------
    >>> from neostriatum.models.learning import LearningRule, level, tonic, usual
    >>> rule = LearningRule(name="plain", plus=level - tonic, minus=tonic - level, common=usual(),
    ...                     receptors={}, bounds="hard")
    >>> rule.equations[-2]
    'plus = level - tonic, minus = tonic - level'
    >>> rule.names, rule.parameters[0], rule.text.splitlines()[0], len(rule.hash)
    (('x', 'y', 'e_plus', 'e_minus', 'w'), tau_plus, 'learning plain hard', 16)
    """

    name: str
    plus: Expression
    minus: Expression
    common: tuple[Parameter, ...]
    receptors: Mapping[str, Mapping[str, float]]
    bounds: str
    requires: tuple[Expression, ...] = ()
    source: str = ""
    summary: str = ""

    kind = "learning"
    states = _STATES

    def __post_init__(self) -> None:
        check_name(self.name)
        if self.bounds not in ("soft", "hard"):
            self._refuse(f"bounds: must be soft or hard (got {self.bounds})")
        if tuple(each.name for each in self.common) != (*TIMES, *WEIGHTS):
            self._refuse(f"common: must be {', '.join((*TIMES, *WEIGHTS))}, as usual() gives them")
        for key in ("plus", "minus"):
            object.__setattr__(self, key, lift(getattr(self, key)))
            tree = getattr(self, key)
            if tree.condition or tree.powers not in (NONE, None):
                self._refuse(f"{key}: {infix(tree)} must be a number without unit")
        self._check_requires()
        known = {each.name for each in self.parameters}
        for receptor, values in self.receptors.items():
            if receptor not in RECEPTORS or not set(values) <= known:
                self._refuse(f"receptors: {receptor}: must be parameters of D1 or D2")

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """Those that every rule has, then its own in the order in which its equations name them."""
        trees: list[Any] = [*self.common, self.plus, self.minus, *self.requires]
        return used_parameters(self.name, trees, (level, tonic))

    @cached_property
    def text(self) -> str:
        """Canonical text: equal for rules that compute the same in the same order."""
        lines = [f"learning {self.name} {self.bounds}", *declared(self.parameters)]
        lines += [f"{receptor} {sorted(values.items())}"
                  for receptor, values in self.receptors.items()]
        lines += [f"plus {canonical(self.plus)}", f"minus {canonical(self.minus)}"]
        lines += [f"requires {canonical(condition)}" for condition in self.requires]
        return "\n".join(lines)

    @cached_property
    def equations(self) -> tuple[str, ...]:
        """Its equations, one line each, for readers."""
        soft = (" (w_max - w)/(w_max - 1) if up, (w - w_min)/(1 - w_min) if down"
                if self.bounds == "soft" else ", within w_min and w_max")
        values = [f"{receptor}: " + ", ".join(f"{name} {value:g}" for name, value in each.items())
                  for receptor, each in self.receptors.items()]
        return ("dx/dt = -x/tau_plus, +1 at an arrival; dy/dt = -y/tau_minus, +1 at a spike",
                "de_plus/dt = -e_plus/tau_e, +x at a spike; "
                "de_minus/dt = -e_minus/tau_e, +y at an arrival",
                f"dw/dt = dose/tau_e*(plus*e_plus + minus*e_minus){soft}",
                *values, f"plus = {infix(self.plus)}, minus = {infix(self.minus)}",
                "an arrival comes before a spike of the same step")
