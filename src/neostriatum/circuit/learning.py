"""Long-term plasticity of a pathway: its rule, which level it hears, and the bounds of weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, model_serializer, model_validator

from neostriatum.circuit.parameters import Parameters, refuse_at
from neostriatum.circuit.value import Frozen, PositiveTime, measure
from neostriatum.errors import ModelError
from neostriatum.models.learning import RECEPTORS
from neostriatum.models.registry import declaration, runnable

if TYPE_CHECKING:
    from neostriatum.models.learning import LearningRule


class Scaling(Frozen):
    """Homeostasis: the mean weight of every target moves towards a value, slowly."""

    target: measure("1", gt=0, le=1000)
    tau: PositiveTime


class Learning(Parameters):
    """Long-term plasticity: a rule by its name, and its parameters beside it.

    A weight is a factor on the conductances of its synapse.
    """

    _kind: ClassVar[str] = "learning"
    _usual: ClassVar[str] = "balanced"

    rule: str | None = None
    #: Whose coefficients hold; by default those of the level that the target hears.
    receptor: Literal["D1", "D2"] | None = None
    #: The modulator that is heard; by default the one with the name of the receptor.
    level: str | None = None
    #: The tonic level; by default what the level starts with.
    tonic: measure("1", ge=0, lt=1) | None = None
    bounds: Literal["soft", "hard"] | None = None
    #: Weight of every synapse at the start.
    start: measure("1", ge=0, le=1000) = Field(default=1.0, validate_default=True)
    #: Time between two steps at which every weight is brought up to date.
    flush: PositiveTime = Field(default="250 ms", validate_default=True)
    #: A modulator whose level is a factor on all change.
    gate: str | None = None
    scaling: Scaling | None = None

    @classmethod
    def _fields(cls, model: Any) -> dict[str, Any]:
        return {name: (field[0] | None, None) for name, field in super()._fields(model).items()}

    @model_validator(mode="wrap")
    @classmethod
    def _by_name(cls, raw: Any, handler: Any) -> Any:
        if cls._of is not None or not isinstance(raw, dict):
            return handler(raw)
        name = raw.get("rule")
        if not isinstance(name, str | None):
            refuse_at(("rule",), "must be a text", name)
        try:
            table = cls.of(declaration(cls._kind, name or cls._usual))
        except ModelError as error:
            refuse_at(("rule",), str(error), name)
        return table.model_validate(raw)

    @model_validator(mode="after")
    def _within(self) -> Learning:
        if self._of is not None:
            for receptor in (self.receptor,) if self.receptor else RECEPTORS:
                low, high = (self.numbers(receptor)[key] for key in ("w_min", "w_max"))
                if not low <= self.start.value <= high:
                    refuse_at(("start",), f"must be within w_min and w_max, {low:g} and {high:g} "
                              f"(got {self.start.value:g})", self.start.value)
        return self

    @model_serializer(mode="wrap")
    def _brief(self, handler: Any) -> Any:
        raw = handler(self)
        return {"rule": self.declaration.name} | {
            key: value for key, value in raw.items() if key != "rule" and value is not None}

    @property
    def learning_rule(self) -> LearningRule:
        """The equations."""
        return runnable(self.declaration)

    @property
    def soft(self) -> bool:
        """Whether changes fade towards a bound."""
        return (self.bounds or self.declaration.bounds) == "soft"

    def numbers(self, receptor: str) -> dict[str, float]:
        """Return the value of every parameter, those of a receptor where the circuit gives none."""
        own = self.declaration.receptors.get(receptor, {})
        given = {each: getattr(self, each.name, None) for each in self.declaration.parameters}
        return {each.name: own.get(each.name, each.default) if number is None else number.value
                for each, number in given.items()}
