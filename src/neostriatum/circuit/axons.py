"""Axons: populations of spike trains with identity that are sources of pathways."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from neostriatum.circuit.course import RateCourse
from neostriatum.circuit.drive import Count, SpikeFile
from neostriatum.circuit.value import NAME, Fraction, Frozen, PositiveTime, measure, or_short

Size = Annotated[int, Field(gt=0, le=100_000_000, strict=True)]
Named = Annotated[str, Field(pattern=NAME)]
#: Standard deviations of a slow course up to which its rate must fit into one event per step.
WIDEST = 5.0


class Slow(Frozen):
    """A random course of a group's rate: the factor exp(sd x - sd^2/2), x with correlation tau."""

    sd: measure("1", ge=0, le=3)
    tau: PositiveTime


class AxonChannel(Frozen):
    """The share of the groups that lies in a channel, and a rate of their own."""

    share: Fraction
    rate: RateCourse | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, raw: Any) -> Any:
        whole = isinstance(raw, AxonChannel) or (isinstance(raw, dict) and "value" not in raw)
        return raw if whole else {"share": raw}

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: Any) -> dict[str, Any]:
        return or_short(handler, core_schema, Fraction)


class Axons(Frozen):
    """Spike trains without a membrane: how many, at which rate, in which groups."""

    size: Size | None = None
    #: Axons for every cell that one of their pathways ends on.
    per_target: measure("1", gt=0, le=1e6) | None = None
    density: measure("1/mm^3", gt=0, le=1e9) | None = None
    rate: RateCourse | None = None
    #: One train for every axon, instead of a rate.
    recorded: SpikeFile | None = None
    groups: Count | None = None
    groups_per_mm3: measure("1", gt=0, le=1e8) | None = None
    slow: Slow | None = None
    #: Probability that a spike is a copy of one of the group's mother train.
    packets: Fraction | None = None
    channels: dict[Named, AxonChannel] = Field(default_factory=dict)
    #: Whether every axon has a train of its own; else arrivals of cells are drawn from rates.
    identity: Annotated[bool, Field(strict=True)] = True

    @model_validator(mode="after")
    def _complete(self) -> Axons:
        _exactly_one(self, ("size", "per_target", "density"))
        _exactly_one(self, ("rate", "recorded"))
        if self.groups is not None and self.groups_per_mm3 is not None:
            msg = "must hold at most one of groups, groups_per_mm3 (got both)"
            raise ValueError(msg)
        if self.size is not None and self.groups is not None and self.groups > self.size:
            msg = f"groups must be at most size (got {self.groups} of {self.size} axons)"
            raise ValueError(msg)
        if self.recorded is not None:
            given = [key for key in ("slow", "packets") if getattr(self, key) is not None]
            given += [f"channels.{name}.rate" for name, one in self.channels.items() if one.rate]
            if given:
                msg = f"recorded trains have no {given[0]} (got both). Give a rate instead"
                raise ValueError(msg)
        packets = self.packets is not None and self.packets.value > 0
        if not self.identity and (self.recorded is not None or packets):
            key = "recorded" if self.recorded is not None else "packets"
            msg = f"{key} needs identity = true (got false)"
            raise ValueError(msg)
        total = sum(one.share.value for one in self.channels.values())
        if self.channels and abs(total - 1) > 1e-6:
            msg = f"shares of channels must sum to 1 (got {total:.7g})"
            raise ValueError(msg)
        return self

    @property
    def courses(self) -> dict[str | None, Any]:
        """The rate of the groups of every channel; of all under None where there are none."""
        if not self.channels:
            return {None: self.rate}
        return {name: one.rate or self.rate for name, one in self.channels.items()}


def _exactly_one(axons: Axons, keys: tuple[str, ...]) -> None:
    given = [key for key in keys if getattr(axons, key) is not None]
    if len(given) != 1:
        msg = f"must hold exactly one of {', '.join(keys)} (got {', '.join(given) or 'none'})"
        raise ValueError(msg)
