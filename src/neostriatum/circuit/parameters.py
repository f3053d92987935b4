"""Tables of numbers whose keys a model decides: its parameters, or what its states begin with."""

from __future__ import annotations

import copyreg
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self

from pydantic import ConfigDict, Field, create_model, model_validator
from pydantic_core import PydanticCustomError, ValidationError

from neostriatum.circuit.value import Frozen, measure, value_schema
from neostriatum.errors import ModelError
from neostriatum.models.evaluate import evaluate
from neostriatum.models.expression import Operation
from neostriatum.models.plain import plain, rebuilt
from neostriatum.models.printer import infix
from neostriatum.models.registry import declaration, find, is_shipped
from neostriatum.models.symbol import symbols

if TYPE_CHECKING:
    from neostriatum.models.expression import Expression


if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass
else:
    ModelMetaclass = type(Frozen)


class _TableKind(ModelMetaclass):
    """Kind of the tables, by which pickle knows that their classes have no name of their own."""


#: Classes made so far, by base, text of the model and what can be derived.
_TABLES: dict[tuple[Any, str], Any] = {}


class ModelTable(Frozen, metaclass=_TableKind):
    """A table whose keys are those of a model; every model has a class of its own."""

    model_config = ConfigDict(protected_namespaces=())
    #: The model, None of a table that has none.
    _of: ClassVar[Any] = None

    @classmethod
    def of(cls, model: Any) -> Any:
        """Return the class for a model.

        Raises
        ------
        ModelError
            A name that tables cannot have.
        """
        return _table(cls, model)

    @classmethod
    def _fields(cls, model: Any) -> dict[str, Any]:
        raise NotImplementedError

    @model_validator(mode="before")
    @classmethod
    def _known(cls, raw: Any) -> Any:
        if cls._of is None or not isinstance(raw, dict):
            return raw
        for key in raw:
            if key not in cls.model_fields:
                near = get_close_matches(str(key), cls.model_fields, n=1)
                known = ", ".join(name for name in cls.model_fields if name != "model")
                rest = f"Nearest: {near[0]}" if near else f"{cls._of.name} has {known}"
                refuse_at((key,), f"unknown key. {rest}", raw[key], kind="unknown_key")
        return raw

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: Any) -> dict[str, Any]:
        schema: dict[str, Any] = handler(core_schema)
        if cls._of is None:
            schema["additionalProperties"] = value_schema("a number in the unit of the model", True)
        return schema


class Parameters(ModelTable):
    """The parameters of a model."""

    @classmethod
    def _fields(cls, model: Any) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        for parameter in model.parameters:
            unit, default = parameter.spelled_unit, parameter.default
            kind = measure(unit, **parameter.bounds)
            if default is None:
                fields[parameter.name] = (kind, ...)
            else:
                text = default if unit == "1" else f"{default!r} {unit}"
                fields[parameter.name] = (kind, Field(default=text, validate_default=True))
        return fields

    @property
    def declaration(self) -> Any:
        """The model, or what a run says of one that nobody knows here."""
        return self._of

    @property
    def values(self) -> dict[str, float]:
        """The value of every parameter of the model, in its unit."""
        given = {each: getattr(self, each.name, None) for each in self.declaration.parameters}
        return {parameter.name: parameter.default if number is None else number.value
                for parameter, number in given.items()}

    @model_validator(mode="after")
    def _required(self) -> Self:
        for condition in self._of.requires if self._of is not None else ():
            values = self.values
            if not evaluate(condition, values):
                raise ValueError(_unmet(condition, values))
        return self


class NamedParameters(Parameters):
    """A model by its name, and its parameters beside it; one with a default may be None."""

    #: Kind of the models, and the one without a name.
    _kind: ClassVar[str] = ""
    _usual: ClassVar[str] = ""

    model: str | None = None

    @classmethod
    def _fields(cls, model: Any) -> dict[str, Any]:
        optional = {each.name for each in model.parameters if each.default is not None}
        return {name: (field[0] | None, None) if name in optional else field
                for name, field in super()._fields(model).items()}

    @model_validator(mode="wrap")
    @classmethod
    def _by_name(cls, raw: Any, handler: Any) -> Any:
        if cls._of is not None or not isinstance(raw, dict):
            return handler(raw)
        name = raw.get("model")
        if not isinstance(name, str | None):
            refuse_at(("model",), "must be a text", name)
        try:
            table = cls.of(declaration(cls._kind, name or cls._usual))
        except ModelError as error:
            refuse_at(("model",), str(error), name)
        return table.model_validate(raw)


def _table(base: type[ModelTable], model: Any) -> Any:
    key = (base, f"{model.text}\n{dict(getattr(model, 'derived', {}))}")
    if key not in _TABLES:
        fields = base._fields(model)
        for name in fields:
            if hasattr(base, name) or name in base.model_fields:
                msg = f"{model.name}: {name} has another meaning in circuits. Choose another name"
                raise ModelError(msg)
        table = create_model(f"{base.__name__}_{model.name}", __base__=base, **fields)
        table._of = model
        _TABLES[key] = table
    return _TABLES[key]


def _reduced(table: Any) -> Any:
    """Return how pickle finds a table's class: by its name, or from its model."""
    if table._of is None:
        return table.__qualname__
    model = table._of
    return _found, (table.__base__, (model.kind, model.name) if is_shipped(model) else plain(model))


def _found(base: type[ModelTable], model: Any) -> Any:
    return base.of(rebuilt(model) if isinstance(model, dict) else find(*model))


copyreg.pickle(_TableKind, _reduced)


def refuse_at(place: tuple[Any, ...], rule: str, given: Any, kind: str = "value_error") -> NoReturn:
    """Refuse, while a table is validated, what stands at a place in it.

    Raises
    ------
    ValidationError
        Always.
    """
    details: Any = {"type": kind, "loc": place, "input": given, "ctx": {"error": ValueError(rule)}}
    if kind != "value_error":
        details["type"] = PydanticCustomError(kind, "{rule}", {"rule": rule})
    title = "table"
    raise ValidationError.from_exception_data(title, [details])


def _unmet(condition: Expression, values: dict[str, float]) -> str:
    """Return what a condition of a model says of parameters that do not meet it."""
    named = symbols(condition)
    unit = next(iter(named.values())).unit
    given = f"{' and '.join(f'{values[name]:g}' for name in named)} {unit}".removesuffix(" 1")
    words = {"<": "below", "<=": "at most", ">": "above", ">=": "at least"}
    if isinstance(condition, Operation) and condition.name in words:
        left, right = (infix(side) for side in condition.arguments)
        return f"{left} must be {words[condition.name]} {right} (got {given})"
    return f"must keep {infix(condition)} (got {given})"
