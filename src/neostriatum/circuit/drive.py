"""What reaches the cells from outside: synaptic drive, recorded spikes, injected current."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, model_validator

from neostriatum.circuit.course import CurrentCourse, RateCourse
from neostriatum.circuit.value import Conductance, Fraction, Frozen, Length, Position

Count = Annotated[int, Field(gt=0, le=1_000_000, strict=True)]


class Correlation(Frozen):
    """Sharing within a neuron's afferents and between the neurons of a channel.

    ``within``: each afferent copies the neuron's own reference train with this probability
    (Humphries et al. 2010). ``between``: this fraction of a neuron's events comes from a mother
    train that every neuron of the channel receives.
    """

    within: Fraction = Field(default=0.0, validate_default=True)
    between: Fraction = Field(default=0.0, validate_default=True)


class SpikeFile(Frozen):
    """Recorded spikes in a SONATA or CSV file; the spike of id i reaches neuron i of the type."""

    file: Annotated[str, Field(min_length=1, max_length=255)]
    #: A name of the file, not of ours: any text.
    population: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    #: (times_ms float64, ids int64), read when the circuit is loaded.
    _events: Any = PrivateAttr(default=None)

    @property
    def events(self) -> Any:
        """Times [ms] and ids of the recorded spikes, sorted by time."""
        return self._events


class Target(Frozen):
    """One input onto one cell type: a drive, recorded spikes, or a current."""

    afferents: Count | None = None
    rate: RateCourse | None = None
    conductance: dict[str, Conductance] | None = None
    process: Literal["poisson", "binomial"] = "poisson"
    correlation: Correlation = Correlation()
    #: Drawing who listens takes a moment per train, hence the bound.
    shared_trains: Annotated[Count, Field(le=100_000)] | None = None
    spikes: SpikeFile | None = None
    current: CurrentCourse | None = None
    channel: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _unscaled(cls, raw: Any) -> Any:
        if isinstance(raw, dict) and "effects" in raw:
            msg = ("effects act on the weights of pathways, not of inputs (got effects). Let the "
                   "level act on the receptor, I_<receptor> in cells.TYPE.effects")
            raise ValueError(msg)
        return raw

    @model_validator(mode="after")
    def _one_kind(self) -> Target:
        kinds = {"rate": self.rate, "spikes": self.spikes, "current": self.current}
        given = [name for name, said in kinds.items() if said is not None]
        if len(given) != 1:
            found = ", ".join(given) or "none"
            msg = f"must hold exactly one of rate, spikes, current (got {found})"
            raise ValueError(msg)
        if (self.rate is None) != (self.afferents is None):
            msg = "rate needs afferents, and afferents a rate"
            raise ValueError(msg)
        if (self.current is None) == (self.conductance is None):
            msg = "rate and spikes need a conductance, a current has none"
            raise ValueError(msg)
        if self.conductance is not None and not self.conductance:
            msg = "conductance must name a receptor"
            raise ValueError(msg)
        self._check_process()
        return self

    def _check_process(self) -> None:
        plain = self.correlation == Correlation() and self.shared_trains is None
        if self.rate is None and not (plain and self.process == "poisson"):
            msg = "process, correlation and shared_trains need a rate"
            raise ValueError(msg)
        if self.spikes is not None and self.channel is not None:
            msg = "spikes reach the neurons of their ids, so they have no channel"
            raise ValueError(msg)
        if self.process == "binomial" and not plain:
            msg = 'process "binomial" excludes correlation and shared_trains'
            raise ValueError(msg)
        if self.shared_trains is not None:
            if self.correlation != Correlation():
                msg = "shared_trains excludes correlation"
                raise ValueError(msg)
            if self.afferents is not None and self.afferents > self.shared_trains:
                msg = f"shared_trains must be at least afferents (got {self.shared_trains})"
                raise ValueError(msg)


class Input(Frozen):
    """A named source of drive, with one entry per cell type that it reaches."""

    targets: dict[str, Target] = Field(min_length=1)


class Sphere(Frozen):
    """A ball around a point given from the centre of the volume, or a shell beyond ``inner``."""

    centre: tuple[Position, Position, Position]
    radius: Length
    inner: Length | None = None

    @model_validator(mode="after")
    def _hollow(self) -> Sphere:
        if self.inner is not None and self.inner.value >= self.radius.value:
            msg = f"inner must be below radius (got {self.inner.value:g} um)"
            raise ValueError(msg)
        return self


class Channel(Frozen):
    """A named subset of neurons: all, a fraction drawn by id, a sphere, or a share of types.

    Channels with a share divide the cells of the types that they are ``of``: no cell is in two.
    """

    all: Literal[True] | None = None
    fraction: Fraction | None = None
    sphere: Sphere | None = None
    share: Fraction | None = None
    of: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    #: A channel with a share that a fraction is of.
    inside: str | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Channel:
        kinds = ("all", "fraction", "sphere", "share")
        given = [key for key in kinds if getattr(self, key) is not None]
        if len(given) != 1:
            msg = f"must be one of {', '.join(kinds)} (got {', '.join(given) or 'none'})"
            raise ValueError(msg)
        if (self.share is None) != (self.of is None):
            msg = "share needs the cell types that it is of, and of a share"
            raise ValueError(msg)
        if twice := [cell for cell in self.of or () if (self.of or ()).count(cell) > 1]:
            msg = f"of must name every cell type once (got {twice[0]} twice)"
            raise ValueError(msg)
        if self.inside is not None and self.fraction is None:
            msg = f"inside needs the fraction of the other channel (got inside {self.inside})"
            raise ValueError(msg)
        return self
