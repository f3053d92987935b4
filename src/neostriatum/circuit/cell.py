"""Cell types: a model, its parameters, and what modulators do to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import (
    SerializeAsAny,
    TypeAdapter,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)

from neostriatum.circuit.effect import Effect, LevelEffect
from neostriatum.circuit.parameters import ModelTable, Parameters, refuse_at
from neostriatum.circuit.value import Fraction, Frozen, Voltage, measure
from neostriatum.errors import ModelError, shown
from neostriatum.models.expression import Operation
from neostriatum.models.registry import declaration, runnable

if TYPE_CHECKING:
    from neostriatum.models.cell import CellModel

#: The older spelling of ``model = "izhikevich_fs"``.
_CUBIC = ("izhikevich", "cubic")


class Start(ModelTable):
    """What states of a cell type start with, where that is not what the model says."""

    v_sd: measure("mV", ge=0) | None = None
    #: Ends of a uniform range that every neuron's v is drawn from.
    v_low: Voltage | None = None
    v_high: Voltage | None = None

    @classmethod
    def _fields(cls, model: Any) -> dict[str, Any]:
        kinds = {state.name: Voltage if state.name == "v" else measure(state.unit)
                 for state in model.states}
        return {name: (kind | None, None) for name, kind in kinds.items()}

    @model_validator(mode="after")
    def _ranged(self) -> Start:
        ends = {"v_low": self.v_low, "v_high": self.v_high}
        given = [key for key, end in ends.items() if end is not None]
        if not given:
            return self
        if self.v_low is None or self.v_high is None:
            missing = next(key for key in ends if key not in given)
            refuse_at((missing,), f"is missing, as {given[0]} is given", {})
        for key in ("v", "v_sd"):
            if getattr(self, key, None) is not None:
                refuse_at((key,), "must not be given beside v_low and v_high", self)
        if self.v_low.value >= self.v_high.value:
            refuse_at(("v_low",), f"must be below v_high, {self.v_high.value:g} mV "
                      f"(got {self.v_low.value:g} mV)", self)
        return self


class Cell(Frozen):
    """A cell type: its share of the neurons, its equations and their numbers."""

    fraction: Fraction
    model: str = "izhikevich"
    rule: Literal["linear", "cubic"] | None = None
    parameters: SerializeAsAny[Parameters]
    dopamine: tuple[Effect, ...] = ()
    effects: tuple[LevelEffect, ...] = ()
    nucleus: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _linear(cls, raw: Any) -> Any:
        if isinstance(raw, dict) and raw.get("model", "izhikevich") == "izhikevich":
            return {"rule": "linear"} | raw
        return raw

    @field_validator("model")
    @classmethod
    def _named(cls, model: str) -> str:
        try:
            Parameters.of(declaration("cell", model))
        except ModelError as error:
            raise ValueError(str(error)) from None
        return model

    @field_validator("rule")
    @classmethod
    def _ruled(cls, rule: str | None, info: ValidationInfo) -> str | None:
        if rule is not None and info.data.get("model", "izhikevich") != "izhikevich":
            msg = f"belongs to model izhikevich (got {rule}). Leave it out"
            raise ValueError(msg)
        return rule

    @field_validator("parameters", mode="before")
    @classmethod
    def _declared(cls, raw: Any, info: ValidationInfo) -> Any:
        model = _model(info)
        # A cell without a model is refused for that.
        return Parameters() if model is None else Parameters.of(model).model_validate(raw)

    @field_validator("dopamine", "effects", mode="before")
    @classmethod
    def _targeted(cls, raw: Any, info: ValidationInfo) -> Any:
        model = _model(info)
        if model is None or not isinstance(raw, (list, tuple)):
            return raw
        return [_targeted(number, effect, model) if isinstance(effect, dict) else effect
                for number, effect in enumerate(raw)]

    @model_validator(mode="after")
    def _kept_up(self) -> Cell:
        limits = {parameter.name: parameter.lowest for parameter in self.declaration.parameters}
        for number, effect in enumerate(self.dopamine):
            limit = limits.get(effect.acts_on)
            factor = 1.0 if effect.coefficient is None else 1.0 + effect.coefficient.value
            if limit is not None and (factor < 0 or (factor == 0 and limit.strict)):
                refuse_at(("dopamine", number), f"coefficient must be > -1, or dopamine takes "
                          f"{effect.acts_on} to 0", effect)
        return self

    @property
    def declaration(self) -> Any:
        """The model, or what a run says of one that nobody knows here."""
        return self.parameters._of

    @property
    def cell_model(self) -> CellModel:
        """The equations."""
        return runnable(self.declaration)

    @property
    def values(self) -> dict[str, float]:
        """The value of every parameter of the model, in its unit."""
        return self.parameters.values

    @property
    def peak_mv(self) -> float | None:
        """The potential at which a spike is cut [mV], None where the threshold is no parameter."""
        fires = getattr(self.declaration, "fires", None)
        if isinstance(fires, Operation) and fires.name in (">=", ">"):
            state, limit = (getattr(side, "name", "") for side in fires.arguments)
            return self.values.get(limit) if state == "v" else None
        return None

    @property
    def acting(self) -> tuple[Any, ...]:
        """All effects of modulators, those in the older spelling first."""
        return (*self.dopamine, *(effect for effect in self.effects if effect.level is not None))

    @property
    def of_receptors(self) -> tuple[LevelEffect, ...]:
        """The effects of levels that receptors of the cell make."""
        return tuple(effect for effect in self.effects if effect.receptor is not None)

    @model_serializer(mode="wrap")
    def _in_order(self, handler: Any) -> Any:
        raw = handler(self)
        if not self.effects:
            raw.pop("effects", None)
        last = {key: raw.pop(key) for key in ("rule", "parameters") if key in raw}
        return raw | last


def _model(info: ValidationInfo) -> Any:
    """Return the model of a cell that is being validated, None if it was refused."""
    name, rule = info.data.get("model"), info.data.get("rule", "")
    if name is None or rule == "":
        return None
    return declaration("cell", "izhikevich_fs" if (name, rule) == _CUBIC else name)


def _targeted(number: int, effect: dict[str, Any], model: Any) -> dict[str, Any]:
    """Return the data of an effect, what it adds in the unit of the parameter that it acts on."""
    target = effect.get("acts_on")
    if not isinstance(target, str):
        return {key: value for key, value in effect.items() if key != "add"}
    declared = {parameter.name: parameter for parameter in model.parameters}
    if target not in declared and target != "current" and not target.startswith("I_"):
        known = ", ".join((*declared, "I_<receptor>", "current"))
        refuse_at((number,), f'acts_on must be one of {known} (got "{shown(target)}")', effect)
    if model.hold is not None and target == model.hold.name:
        refuse_at((number,), f'acts_on "{target}" is how long v is held, in whole steps, which '
                  "nothing can modulate", effect)
    if effect.get("add") is None:
        return effect
    if target not in declared:
        refuse_at((number,), f'acts_on "{shown(target)}" is no parameter, so it takes no add',
                  effect)
    kind: Any = measure(declared[target].spelled_unit, ge=-1e6, le=1e6)
    adapter: TypeAdapter[Any] = TypeAdapter(dict[int, dict[str, kind]])
    return effect | adapter.validate_python({number: {"add": effect["add"]}})[number]
