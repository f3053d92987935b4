"""The published targets: data in targets.toml, checked when it is read."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib.resources import files
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from neostriatum.circuit.value import Frozen

#: The groups of the targets, in the order of the report.
GROUPS = {
    1: "Single cells",
    2: "Synaptic drive",
    3: "Pairs of cells",
    4: "Anatomy",
    5: "Network in vivo",
    6: "Loss of dopamine",
    7: "Published network results",
    8: "Five cell types in slices",
    9: "Synapses of five cell types",
    10: "Five cell types at work",
    11: "Basal ganglia",
    12: "Learning",
}
#: Where they are: those of the first edition, of the microcircuit, of the loop, of learning.
FILES = ("targets.toml", "microcircuit.toml", "basal_ganglia.toml", "learning.toml")
Text = Annotated[str, Field(min_length=1)]
Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{2,47}$")]


class Job(Frozen):
    """A protocol with its arguments, on a circuit; what is asked for twice is measured once."""

    circuit: str = "striatum"
    protocol: Text
    arguments: dict[str, Any] = Field(default_factory=dict)
    #: Replace those arguments in a quick validation.
    quick_arguments: dict[str, Any] = Field(default_factory=dict)
    reads: Text

    def called_with(self, quick: bool) -> dict[str, Any]:
        """Return the arguments of the protocol."""
        return self.arguments | (self.quick_arguments if quick else {})


class Curve(Frozen):
    """Published points of a curve."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    x_label: Text

    @model_validator(mode="after")
    def _paired(self) -> Curve:
        if len(self.x) != len(self.y) or not self.x:
            msg = f"x and y must be as long (got {len(self.x)} and {len(self.y)})"
            raise ValueError(msg)
        return self


class Tolerance(Frozen):
    """How far a measured value may lie from the published one; exactly one kind.

    ``absolute``, ``relative``, ``factor`` and ``sd`` (of the published spread) make an interval
    around the value, ``interval`` is one, without a value or beside it; ``rms`` bounds the root
    mean square difference of two curves; ``order`` says that the names rise in this order.
    Where the standard error of a mean is published, ``se`` is so many of them, and ``mean`` this
    share of the value or two standard errors, whichever is wider.
    """

    absolute: float | None = None
    relative: float | None = None
    factor: float | None = None
    sd: float | None = None
    se: float | None = None
    mean: float | None = None
    #: An end that is null is open; TOML says it as inf.
    interval: tuple[float, float] | None = None
    rms: float | None = None
    order: bool | None = None
    why: Text

    @model_validator(mode="after")
    def _one_kind(self) -> Tolerance:
        kinds = [name for name in type(self).model_fields
                 if name != "why" and getattr(self, name) is not None]
        if len(kinds) != 1:
            msg = f"must be exactly one kind (got {', '.join(kinds) or 'none'})"
            raise ValueError(msg)
        return self

    model_config = Frozen.model_config | {"allow_inf_nan": True}

    @property
    def kind(self) -> str:
        """Name of the kind that is given."""
        return next(name for name in type(self).model_fields
                    if name != "why" and getattr(self, name) is not None)


class Target(Job):
    """One published measurement."""

    id: Identifier
    group: Annotated[int, Field(ge=1, le=max(GROUPS))]
    quantity: Text
    unit: str = ""
    value: float | None = None
    #: Standard deviation of what was published, or what was not said to be something else.
    spread: float | None = None
    #: Standard error of the published mean.
    se: float | None = None
    curve: Curve | None = None
    #: Names that the protocol measures, in the published order, lowest first.
    order: tuple[str, ...] | None = None
    conditions: Text
    #: A key of sources.toml.
    source: Text
    #: How the number was read.
    read: Literal["text", "abstract", "table", "figure", "equation", "archive", "second hand",
                  "rerun", "memory"]
    tolerance: Tolerance
    quick: bool = False
    #: Said where a preset was fitted to this very number.
    calibrated: str | None = None
    #: Why the default circuit fails, where it is known to.
    explanation: str | None = None

    @model_validator(mode="after")
    def _complete(self) -> Target:
        given = {"value": self.value, "curve": self.curve, "order": self.order}
        kinds = [name for name, said in given.items() if said is not None]
        wanted = {"rms": ["curve"], "order": ["order"]}.get(self.tolerance.kind, ["value"])
        if kinds != wanted and not (self.tolerance.kind == "interval" and not kinds):
            msg = (f"tolerance {self.tolerance.kind} needs {wanted[0]} "
                   f"(got {', '.join(kinds) or 'none'})")
            raise ValueError(msg)
        if self.tolerance.kind == "sd" and self.spread is None:
            msg = "tolerance sd needs a spread"
            raise ValueError(msg)
        if self.tolerance.kind == "se" and self.se is None:
            msg = "tolerance se needs a standard error, se"
            raise ValueError(msg)
        return self

    def interval(self) -> tuple[float, float] | None:
        """Return the interval that passes, or None for a curve or an order."""
        said, value = self.tolerance, self.value
        if said.interval is not None:
            return said.interval
        if value is None:
            return None
        if said.factor is not None:
            ends = (value / said.factor, value * said.factor)
            return min(ends), max(ends)
        if said.mean is not None:
            half = max(said.mean * abs(value), 2.0 * (self.se or 0.0))
        else:
            half = said.absolute or (said.relative or 0.0) * abs(value) or (
                (said.sd or 0.0) * (self.spread or 0.0)) or (said.se or 0.0) * (self.se or 0.0)
        return value - half, value + half


class Reading(Frozen):
    """One reading of a disputed number, as changes of a circuit."""

    name: Text
    changes: dict[str, Any] = Field(default_factory=dict)
    arguments: dict[str, Any] = Field(default_factory=dict)


class Disagreement(Frozen):
    """Sources that contradict each other, and what each reading does to the same measurement."""

    id: Identifier
    question: Text
    circuit: str = "striatum"
    protocol: Text
    arguments: dict[str, Any] = Field(default_factory=dict)
    #: What is read from the measurement: label and name.
    reads: dict[str, str] = Field(min_length=1)
    readings: tuple[Reading, ...] = Field(min_length=2)
    verdict: Text


class Targets(Frozen):
    """Everything in targets.toml."""

    targets: tuple[Target, ...]
    disagreements: tuple[Disagreement, ...] = ()

    @model_validator(mode="after")
    def _distinct(self) -> Targets:
        names = [*(one.id for one in self.targets), *(one.id for one in self.disagreements)]
        if twice := {name for name in names if names.count(name) > 1}:
            msg = f"ids must be distinct (got {sorted(twice)[0]} twice)"
            raise ValueError(msg)
        return self


@lru_cache(maxsize=1)
def published() -> Targets:
    """Return the targets that come with the package, file after file.

    Examples
    --------
    >>> len(published().targets) >= 40
    True
    """
    raw = [tomllib.loads((files("neostriatum.validation") / name).read_text("utf-8"))
           for name in FILES]
    return Targets.model_validate({key: [entry for part in raw for entry in part.get(key, [])]
                                   for key in ("targets", "disagreements")})
