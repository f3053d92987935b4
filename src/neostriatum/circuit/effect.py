"""What a modulator does to a cell type."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import WithJsonSchema, model_validator

from neostriatum.circuit.modulator import Curve
from neostriatum.circuit.value import (
    Coefficient,
    Conductance,
    Frozen,
    Value,
    Voltage,
    value_schema,
)
from neostriatum.errors import shown


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
        if self.acts_on != "current" and (
                not factor or self.conductance is not None or self.reversal is not None):
            msg = f'acts_on "{shown(self.acts_on)}" needs a coefficient, and nothing else'
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

    ``f`` is the level above its reference, or a saturating curve of it. Instead of a modulator, a
    receptor of the cell may make the level, each cell its own; then there is neither current nor
    curve.
    """

    level: str | None = None
    receptor: str | None = None
    acts_on: str
    coefficient: Coefficient | None = None
    #: In the unit of the parameter, which the cell's model decides.
    add: Annotated[Value, WithJsonSchema(value_schema("a number in the parameter's unit", True))] \
        | None = None
    conductance: Conductance | None = None
    reversal: Voltage | None = None
    curve: Curve | None = None

    @model_validator(mode="after")
    def _complete(self) -> LevelEffect:
        if (self.level is None) == (self.receptor is None):
            msg = "needs one of level, a modulator, and receptor, which makes a level"
            raise ValueError(msg)
        if self.receptor is not None and (self.acts_on == "current" or self.curve is not None):
            msg = ("of a receptor takes no current and no curve: what its level is, its model says "
                   f"(got {'current' if self.acts_on == 'current' else 'curve'})")
            raise ValueError(msg)
        given = [key for key in ("coefficient", "add", "conductance", "reversal")
                 if getattr(self, key) is not None]
        if self.acts_on == "current":
            if given != ["conductance", "reversal"]:
                msg = 'acts_on "current" needs conductance and reversal, and nothing else'
                raise ValueError(msg)
        elif given not in (["coefficient"], ["add"]):
            needed = "a coefficient" if self.acts_on.startswith("I_") else (
                "one of coefficient and add")
            msg = f'acts_on "{shown(self.acts_on)}" needs {needed}, and nothing else'
            raise ValueError(msg)
        return self
