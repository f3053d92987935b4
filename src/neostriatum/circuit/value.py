"""One number of a circuit with its unit, source, how it was found and a note."""

from __future__ import annotations

import operator
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    TypeAdapter,
    WithJsonSchema,
    model_serializer,
)

from neostriatum.errors import shown
from neostriatum.units import quantity, text

How = Literal["measured", "fitted", "derived", "assumed", "calibrated", "override"]
NAME = r"^[A-Za-z][A-Za-z0-9_]{0,31}$"


class Frozen(BaseModel):
    """Base of every part of a circuit: immutable, no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Provenance(Frozen):
    """Where a number comes from."""

    source: str | None = None
    how: How | None = None
    note: str | None = None


class Value(Provenance):
    """A finite number in a fixed unit of the package's unit set."""

    value: float
    unit: str

    @model_serializer
    def _plain(self) -> Any:
        number: Any = self.value if self.unit == "1" else text(self.value, self.unit)
        about = {key: getattr(self, key) for key in ("source", "how", "note")}
        about = {key: said for key, said in about.items() if said is not None}
        return {"value": number, **about} if about else number

    def __float__(self) -> float:
        return self.value


_RULES = {
    "gt": (operator.gt, "must be > {limit}"),
    "ge": (operator.ge, "must be >= {limit}"),
    "le": (operator.le, "must be <= {limit}"),
    "lt": (operator.lt, "must be < {limit}"),
}


def measure(unit: str, **limits: float) -> Any:
    """Return the annotated type of a `Value` in ``unit`` within ``limits`` (gt, ge, lt, le).

    Parameters
    ----------
    unit : str
        Unit of the package's set, ``"1"`` for a dimensionless number.
    **limits : float
        Bounds in that unit.

    Returns
    -------
    type
        For use as a pydantic field type.

    Examples
    --------
    >>> from pydantic import TypeAdapter
    >>> TypeAdapter(measure("pF", gt=0)).validate_python("15.2 pF").value
    15.2
    """

    def parse(raw: Any) -> Any:
        if isinstance(raw, Value):
            raw = {"value": text(raw.value, raw.unit) if raw.unit != "1" else raw.value,
                   "source": raw.source, "how": raw.how, "note": raw.note}
        about = dict(raw) if isinstance(raw, dict) else {"value": raw}
        if "value" not in about:
            msg = f'must hold "value" (a number in {unit})'
            raise ValueError(msg)
        if "unit" in about:
            msg = 'must have its unit inside "value", as in "15.2 pF"'
            raise ValueError(msg)
        given = about["value"]
        number = quantity(given, unit)
        for key, limit in limits.items():
            holds, rule = _RULES[key]
            if not holds(number, limit):
                name = "" if unit == "1" else f" {unit}"
                msg = f"{rule.format(limit=f'{limit:g}')}{name} (got {shown(given)})"
                raise ValueError(msg)
        return about | {"value": number, "unit": unit}

    schema = value_schema(f"a number with its unit, in {unit} or convertible", unit == "1", limits)
    return Annotated[Value, BeforeValidator(parse), WithJsonSchema(schema)]


def value_schema(about: str, bare: bool = False, limits: dict[str, float] | None = None,
                 ) -> dict[str, Any]:
    """Return the JSON Schema of a value as a file writes it; ``bare`` allows a number."""
    spelled = {"type": "string", "pattern": r"^\s*[+-]?\.?[0-9]", "description": about}
    names = {"gt": "exclusiveMinimum", "ge": "minimum", "le": "maximum", "lt": "exclusiveMaximum"}
    number = {"type": "number"} | {names[key]: limit for key, limit in (limits or {}).items()}
    plain = [number, spelled] if bare else [spelled]
    return {"anyOf": [*plain, {
        "type": "object", "required": ["value"], "additionalProperties": False,
        "properties": {"value": {"anyOf": plain}, "source": {"type": "string"},
                       "how": {"enum": list(How.__args__)}, "note": {"type": "string"}},
    }]}


def or_short(handler: Any, core_schema: Any, short: Any) -> dict[str, Any]:
    """Return the JSON Schema of a model that a value of type ``short`` may stand for."""
    return {"anyOf": [TypeAdapter(short).json_schema(), handler(core_schema)]}


Coefficient = measure("1", ge=-1e3, le=1e3)
Fraction = measure("1", ge=0, le=1)
PositiveTime = measure("ms", gt=0)
Time = measure("ms", ge=0)
Voltage = measure("mV", ge=-200, le=200)
Current = measure("pA", ge=-1e6, le=1e6)
Conductance = measure("nS", ge=0, le=8192)
Position = measure("um", ge=-1e6, le=1e6)
Length = measure("um", gt=0, le=1e6)
#: Distance within which cells connect; wiring tabulates every whole um of it.
Reach = measure("um", gt=0, le=2000)
