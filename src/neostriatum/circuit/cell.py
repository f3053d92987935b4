"""Cell types: the Izhikevich cells of the striatum and what modulators do to them."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    Field,
    TypeAdapter,
    WithJsonSchema,
    model_serializer,
    model_validator,
)

from neostriatum.circuit.modulator import Curve
from neostriatum.circuit.value import (
    Coefficient,
    Conductance,
    Current,
    Fraction,
    Frozen,
    Value,
    Voltage,
    measure,
    value_schema,
)
from neostriatum.errors import shown
from neostriatum.models.cell import CellModel
from neostriatum.models.registry import find

PARAMETERS = ("C", "k", "v_r", "v_t", "v_peak", "a", "b", "c", "d", "v_b", "I_spon")
UNITS = {
    "C": "pF", "k": "nS/mV", "v_r": "mV", "v_t": "mV", "v_peak": "mV", "a": "1/ms",
    "c": "mV", "d": "pA", "v_b": "mV", "I_spon": "pA",
}


def unit_of(parameter: str, rule: str) -> str:
    """Return the unit of a cell parameter; that of ``b`` depends on the recovery rule."""
    if parameter == "b":
        return "nS" if rule == "linear" else "nS/mV^2"
    return UNITS[parameter]


class _Parameters(Frozen):
    C: measure("pF", gt=0, ge=1e-3, le=1e6)
    k: measure("nS/mV", gt=0, ge=1e-6, le=1e6)
    v_r: Voltage
    v_t: Voltage
    v_peak: Voltage
    a: measure("1/ms", gt=0, le=1e3)
    c: Voltage
    d: Current
    I_spon: Current = Field(default="0 pA", validate_default=True)

    @model_validator(mode="after")
    def _ordered(self) -> _Parameters:
        if not self.c.value < self.v_peak.value:
            msg = f"c must be below v_peak (got {self.c.value:g} and {self.v_peak.value:g} mV)"
            raise ValueError(msg)
        if not self.v_t.value < self.v_peak.value:
            msg = f"v_t must be below v_peak (got {self.v_t.value:g} mV)"
            raise ValueError(msg)
        return self


class LinearParameters(_Parameters):
    """Parameters of a cell with linear recovery, ``u' = a(b(v - v_r) - u)``."""

    b: measure("nS", ge=-1e6, le=1e6)


class CubicParameters(_Parameters):
    """Parameters of a cell with cubic recovery, ``u' = a(b(v - v_b)^3 - u)`` above v_b."""

    b: measure("nS/mV^2", ge=-1e6, le=1e6)
    v_b: Voltage


class Effect(Frozen):
    """One effect of dopamine: ``x <- x (1 + coefficient phi)`` or ``I += g phi (v - E)``."""

    receptor: Literal["D1", "D2"]
    acts_on: str
    coefficient: Coefficient | None = None
    conductance: Conductance | None = None
    reversal: Voltage | None = None

    @model_validator(mode="after")
    def _complete(self) -> Effect:
        current = self.conductance is not None and self.reversal is not None
        factor = self.coefficient is not None
        if self.acts_on == "current" and (factor or not current):
            msg = 'acts_on "current" needs conductance and reversal, and no coefficient'
            raise ValueError(msg)
        if self.acts_on != "current":
            if not factor or self.conductance is not None or self.reversal is not None:
                msg = f'acts_on "{self.acts_on}" needs a coefficient, and nothing else'
                raise ValueError(msg)
            _check_target(self.acts_on)
            if self.acts_on in ("C", "k", "a") and self.coefficient.value <= -1:
                msg = f"coefficient must be > -1, or dopamine takes {self.acts_on} to 0"
                raise ValueError(msg)
        return self

    @property
    def level(self) -> str:
        """Name of the modulator."""
        return self.receptor

    #: What the newer spelling has besides.
    add: ClassVar[None] = None
    curve: ClassVar[None] = None


class LevelEffect(Frozen):
    """One effect of a modulator: ``x <- x (1 + coefficient f)``, ``x + add f``, or a current.

    ``f`` is the level above its reference, or a saturating curve of it.
    """

    _rule: ClassVar[str] = "linear"

    level: str
    acts_on: str
    coefficient: Coefficient | None = None
    add: Annotated[Value, WithJsonSchema(value_schema("a number in the parameter's unit", True))] \
        | None = None
    conductance: Conductance | None = None
    reversal: Voltage | None = None
    curve: Curve | None = None

    @model_validator(mode="before")
    @classmethod
    def _with_unit(cls, raw: Any) -> Any:
        # The unit of what is added is that of the parameter.
        if not isinstance(raw, dict) or raw.get("add") is None:
            return raw
        target = raw.get("acts_on")
        if not isinstance(target, str):
            return {key: value for key, value in raw.items() if key != "add"}
        if target not in PARAMETERS:
            _check_target(target)
            msg = f'acts_on "{shown(target)}" is no parameter, so it takes no add'
            raise ValueError(msg)
        kind: Any = measure(unit_of(target, cls._rule), ge=-1e6, le=1e6)
        adapter: TypeAdapter[Any] = TypeAdapter(dict[str, kind])
        return raw | adapter.validate_python({"add": raw["add"]})

    @model_validator(mode="after")
    def _complete(self) -> LevelEffect:
        given = [key for key in ("coefficient", "add", "conductance", "reversal")
                 if getattr(self, key) is not None]
        if self.acts_on == "current":
            if given != ["conductance", "reversal"]:
                msg = 'acts_on "current" needs conductance and reversal, and nothing else'
                raise ValueError(msg)
            return self
        _check_target(self.acts_on)
        if self.acts_on not in PARAMETERS and given != ["coefficient"]:
            msg = f'acts_on "{shown(self.acts_on)}" needs a coefficient, and nothing else'
            raise ValueError(msg)
        if given not in (["coefficient"], ["add"]):
            msg = f'acts_on "{self.acts_on}" needs one of coefficient and add, and nothing else'
            raise ValueError(msg)
        return self


class CubicEffect(LevelEffect):
    """The same on a cell with cubic recovery, whose ``b`` has another unit."""

    _rule: ClassVar[str] = "cubic"


def _check_target(acts_on: str) -> None:
    if not acts_on.startswith("I_") and acts_on not in (*PARAMETERS, "current"):
        known = ", ".join((*PARAMETERS, "I_<receptor>", "current"))
        msg = f'acts_on must be one of {known} (got "{shown(acts_on)}")'
        raise ValueError(msg)


class _Cell(Frozen):
    fraction: Fraction
    model: Literal["izhikevich"] = "izhikevich"
    dopamine: tuple[Effect, ...] = ()
    effects: tuple[LevelEffect, ...] = ()

    @property
    def cell_model(self) -> CellModel:
        """The equations."""
        return find("cell", "izhikevich_fs" if self.rule == "cubic" else self.model)

    @property
    def values(self) -> dict[str, float]:
        """The value of every parameter of the model, in its unit."""
        return {parameter.name: getattr(self.parameters, parameter.name).value
                for parameter in self.cell_model.parameters}

    @property
    def acting(self) -> tuple[Effect | LevelEffect, ...]:
        """All effects of modulators, those in the older spelling first."""
        return (*self.dopamine, *self.effects)

    @model_serializer(mode="wrap")
    def _without_none(self, handler: Any) -> Any:
        raw = handler(self)
        if not self.effects:
            raw.pop("effects", None)
        return raw


class LinearCell(_Cell):
    """A cell type with the SPN's linear recovery."""

    rule: Literal["linear"] = "linear"
    parameters: LinearParameters


class CubicCell(_Cell):
    """A cell type with the FS cell's piecewise cubic recovery (Humphries et al. 2010)."""

    rule: Literal["cubic"]
    parameters: CubicParameters
    effects: tuple[CubicEffect, ...] = ()


def recovery_rule(raw: Any) -> str:
    """Return the recovery rule of a raw ``cells.TYPE`` table or of a cell."""
    rule = raw.get("rule", "linear") if isinstance(raw, dict) else getattr(raw, "rule", "linear")
    return rule if isinstance(rule, str) else "linear"
