"""Receptors, pathways, wiring rules and gap junctions."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import (
    Field,
    SerializeAsAny,
    field_validator,
    model_serializer,
    model_validator,
)

from neostriatum.circuit.learning import Learning
from neostriatum.circuit.measured import measured
from neostriatum.circuit.modulator import Curve
from neostriatum.circuit.parameters import NamedParameters, refuse_at
from neostriatum.circuit.value import (
    Coefficient,
    Conductance,
    Fraction,
    Frozen,
    PositiveTime,
    Reach,
    Time,
    measure,
    or_short,
)
from neostriatum.errors import shown
from neostriatum.models.registry import find, runnable

if TYPE_CHECKING:
    from neostriatum.models.receptor import ReceptorModel
    from neostriatum.models.release import ReleaseModel

#: Unit in which a network stores delays [ms].
DELAY_UNIT = 0.1


class Receptor(NamedParameters):
    """A synaptic receptor: its model, and the parameters of that.

    Without a model it is one exponential, with the magnesium block of NMDA where ``magnesium`` is
    given and above 0.
    """

    _kind: ClassVar[str] = "receptor"
    _usual: ClassVar[str] = "nmda"

    @classmethod
    def _fields(cls, model: Any) -> dict[str, Any]:
        fields = super()._fields(model)
        if model.name == cls._usual:
            fields["magnesium"] = (fields["magnesium"][0] | None, None)
        return fields

    @model_validator(mode="after")
    def _blocked(self) -> Receptor:
        if getattr(self, "magnesium", self) is None:
            if self.model is not None:
                refuse_at(("magnesium",), "is missing", {})
            for key in ("mg_half", "mg_slope"):
                if getattr(self, key) is not None:
                    refuse_at((key,), "needs magnesium", {})
        return self

    @property
    def declaration(self) -> Any:
        """The model, or what a run says of one that nobody knows here."""
        if self.model is not None:
            return self._of
        magnesium = getattr(self, "magnesium", None)
        blocked = magnesium is not None and magnesium.value > 0
        return find(self._kind, self._usual if blocked else "exponential")

    @property
    def receptor_model(self) -> ReceptorModel:
        """The equations."""
        return runnable(self.declaration)


class Delay(Frozen):
    """From spike to arrival: a fixed offset, plus distance over velocity where given."""

    offset: Time
    velocity: measure("um/ms", gt=0) | None = None
    #: Every synapse's delay is multiplied by a number drawn from 1 - spread to 1 + spread.
    spread: measure("1", ge=0, lt=1) | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, raw: Any) -> Any:
        whole = isinstance(raw, Delay) or (isinstance(raw, dict) and "value" not in raw)
        return raw if whole else {"offset": raw}

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: Any) -> dict[str, Any]:
        return or_short(handler, core_schema, Time)


class DistanceLaw(Frozen):
    """The distance law of Humphries et al. 2010 (Eq. and Table 4), times ``scale``."""

    rule: Literal["humphries2010"]
    connection: Literal["MSN-MSN", "FSI-MSN", "FSI-FSI", "FSI-gap"]
    scale: measure("1", ge=0) = Field(default=1.0, validate_default=True)
    range: Reach = Field(default="500 um", validate_default=True)


class Bin(Frozen):
    """One distance bin of a measured pair probability."""

    below: Reach
    p: Fraction


class Pairwise(Frozen):
    """Measured pair probabilities by distance, 0 beyond the last bin."""

    rule: Literal["pairwise"]
    bins: tuple[Bin, ...] = Field(min_length=1, max_length=1000)

    @field_validator("bins")
    @classmethod
    def _rising(cls, bins: tuple[Bin, ...]) -> tuple[Bin, ...]:
        edges = [one.below.value for one in bins]
        if any(b <= a for a, b in pairwise(edges)):
            msg = "must rise outward in `below`"
            raise ValueError(msg)
        return bins


class FixedProbability(Frozen):
    """The same probability for every pair, whatever the distance."""

    rule: Literal["fixed_probability"]
    p: Fraction


class Measured(Frozen):
    """The pair probabilities that an experiment measured (measured.toml), 0 beyond its distance."""

    rule: Literal["measured"]
    table: str

    @field_validator("table")
    @classmethod
    def _known(cls, table: str) -> str:
        if table not in measured():
            msg = f'unknown table (got "{shown(table)}"). Known: {", ".join(measured())}'
            raise ValueError(msg)
        return table


class Home(Frozen):
    """The share of a target's axons that comes from some groups of its own."""

    share: Fraction
    groups: Annotated[int, Field(gt=0, le=1000, strict=True)]
    by: Literal["random", "position"] = "random"


class FixedIndegree(Frozen):
    """Exactly ``n`` distinct sources for every target, drawn from those that are eligible.

    These are all, or those ``within`` a distance or among the ``nearest``, and of the target's
    channel. Of axons, some may come from groups that are the target's home.
    """

    rule: Literal["fixed_indegree"]
    n: Annotated[int, Field(gt=0, le=1_000_000, strict=True)]
    within: Reach | None = None
    #: Sources are drawn from this many that are nearest to the target.
    nearest: Annotated[int, Field(gt=0, le=1_000_000, strict=True)] | None = None
    home: Home | None = None
    same_channel: Annotated[bool, Field(strict=True)] | None = None

    @model_validator(mode="after")
    def _of_one_range(self) -> FixedIndegree:
        if self.nearest is None:
            return self
        if self.within is not None:
            msg = f"nearest: must not be given beside within (got {self.nearest})"
            raise ValueError(msg)
        if self.nearest < self.n:
            msg = f"nearest: must be at least n, {self.n} (got {self.nearest})"
            raise ValueError(msg)
        return self


PairRule = DistanceLaw | Pairwise | FixedProbability | Measured
#: Of pairs without a direction, and of the synapses of a pathway.
PairWiring = Annotated[PairRule, Field(discriminator="rule")]
Wiring = Annotated[PairRule | FixedIndegree, Field(discriminator="rule")]


class Plasticity(NamedParameters):
    """Short-term plasticity: the model of release, and its parameters.

    Its state lives on the source. Without a model it is that of Tsodyks and Markram.
    """

    _kind: ClassVar[str] = "release"
    _usual: ClassVar[str] = "tsodyks_markram"

    #: As after a long rest, which is usual, or as after long firing at the mean rate.
    start: Literal["rested", "stationary"] | None = None
    #: Mean rate of sources that are cells; axons have a rate of their own.
    start_rate: measure("Hz", ge=0) | None = None

    @property
    def release_model(self) -> ReleaseModel:
        """The equations."""
        return runnable(self.declaration)


class Failure(Frozen):
    """How often a spike fails to release: folded into the weight, or drawn per spike."""

    probability: measure("1", ge=0, lt=1)
    drawn: Annotated[bool, Field(strict=True)] = False


class WeightEffect(Frozen):
    """One effect of a modulator on what a pathway delivers, read at the step of arrival.

    ``weight <- weight (1 + coefficient f(level)) / (1 + coefficient f(reference))``; ``f`` is the
    level, or ``h(level)`` of the curve.
    """

    level: str
    acts_on: Literal["weight"]
    coefficient: Coefficient
    curve: Curve | None = None


class Pathway(Frozen):
    """All synapses from one cell type to another."""

    conductance: dict[str, Conductance] = Field(min_length=1)
    delay: Delay
    wiring: Wiring
    stp: SerializeAsAny[Plasticity] | None = None
    #: Coefficient of variation of the log-normal factor on a synapse's conductances.
    weight_cv: measure("1", ge=0, le=10) | None = None
    #: The factor is drawn from 1 - spread to 1 + spread, each as likely as any other.
    weight_spread: measure("1", ge=0, le=1) | None = None
    failure: Failure | None = None
    effects: tuple[WeightEffect, ...] = Field(default=(), max_length=100)
    learning: SerializeAsAny[Learning] | None = None

    @model_validator(mode="after")
    def _of_one_law(self) -> Pathway:
        if self.weight_cv is not None and self.weight_spread is not None:
            msg = "weights vary by weight_cv or by weight_spread (got both). Give one of them"
            raise ValueError(msg)
        return self

    @model_serializer(mode="wrap")
    def _brief(self, handler: Any) -> Any:
        raw = handler(self)
        if not self.effects:
            raw.pop("effects", None)
        return raw


class GapJunctions(Frozen):
    """Electrical coupling between the cells of two types, which may be the same type.

    It is ohmic, or goes through a node with a time constant of its own.
    """

    kind: Literal["ohmic", "node"]
    conductance: Conductance
    tau: PositiveTime | None = None
    wiring: PairWiring

    @model_validator(mode="after")
    def _complete(self) -> GapJunctions:
        if (self.kind == "node") != (self.tau is not None):
            msg = 'tau must be given for kind "node", and only there'
            raise ValueError(msg)
        return self
