"""What a run's record must say: checked before a run begins, and before a record is believed.

A run directory may come from a stranger: in goes what ``run.json`` holds, out come plain numbers
and texts of the right kind. Writer and reader have the same rules, so no run that began can have a
record that is refused when it has ended.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    field_validator,
)

from neostriatum.errors import CircuitError, RunFileError, shown
from neostriatum.recording.record import FILE, FORMAT

if TYPE_CHECKING:
    from neostriatum.recording.store import Run

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,31}$")]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0)]
Time = Annotated[float, Field(ge=0)]
_Known = TypeVar("_Known", bound=BaseModel)
#: Most characters of a text: a change may be as long as a whole circuit file.
LONGEST = 1_000_000


def _text(value: Any) -> str:
    """Return a text of any characters: the bytes of a path that are not UTF-8 are surrogates."""
    if not isinstance(value, str) or len(value) > LONGEST:
        msg = f"must be text of at most {LONGEST:,} characters"
        raise ValueError(msg)
    return value


Text = Annotated[str, PlainValidator(_text)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, allow_inf_nan=False)


class Summary(_Strict):
    """The numbers that the end of a run printed."""

    synapses: Count
    gap_junctions: Count
    spike_hash: Hash
    build_s: Time
    warmup_s: Time
    simulate_s: Time
    real_time_factor: Time
    peak_memory_gb: Time


class EventEntry(_Strict):
    """An event of a run: its step from the end of the warm-up, new values by path, a note."""

    step: Count
    set: Annotated[dict[Text, Text], Field(min_length=1)]
    note: Text = ""


class ModelEntry(_Strict):
    """A model of a run: canonical text and hash; module and data of one that is not shipped."""

    kind: Literal["cell", "receptor", "release", "learning"]
    name: Name
    hash: Text
    text: Text
    module: Text = ""
    data: dict[str, Any] | None = None


class _Events(_Strict):
    events: list[EventEntry] = Field(default_factory=list)


class _Models(_Strict):
    models: list[ModelEntry] = Field(default_factory=list)


class Record(_Strict):
    """What ``run.json`` says of a run, filled stage by stage; each stage gives a new record.

    What was asked is there from the first moment on, the network once it is drawn, files, timers
    and summary at the end.
    """

    model_config = ConfigDict(extra="allow")

    format: int = FORMAT
    status: Text = "started"
    circuit: dict[str, Any]
    started: Text | None = None
    seed: Count
    size: Count | None
    duration_ms: Annotated[float, Field(gt=0)]
    engine: Text
    threads: Count | None
    precision: Text
    overlay: list[Text]
    changes: dict[Text, Text]
    stream_version: Count
    state_version: Count = 1
    versions: dict[Text, Text]
    machine: dict[Text, Text | int | None]
    network: Text | None
    network_seed: Count
    steps: Annotated[int, Field(ge=1)]
    record: list[Text] | None
    figures: bool
    weight_unit: Text
    events: list[EventEntry] = Field(default_factory=list)
    models: list[ModelEntry] = Field(default_factory=list)
    #: The session of a run that learns a task: environment, trials, encoder, readout, critic.
    learning: dict[str, Any] | None = None
    #: Files that the circuit names, and the sha256 of the copies of them.
    inputs: dict[Text, Text] = Field(default_factory=dict)
    #: How NEST spread the work, which decides its random numbers.
    ranks: Count | None = None
    virtual_processes: Count | None = None
    network_hash: Hash | None = None
    counts: Annotated[dict[Name, Count], Field(min_length=1)] | None = None
    axon_counts: dict[Name, Count] | None = None
    files: dict[Text, Text] | None = None
    state: dict[str, Any] | None = None
    timers: dict[str, Time] | None = None
    summary: dict[str, Any] | None = None
    error: Text | None = None

    @field_validator("summary")
    @classmethod
    def _with_numbers(cls, summary: dict[str, Any] | None) -> dict[str, Any] | None:
        if summary is not None:
            Summary.model_validate(summary)
        return summary

    @classmethod
    def asked(cls, **fields: Any) -> Record:
        """Return the record of a run that begins.

        Raises
        ------
        CircuitError
            The option that a reader would not take back, and the rule that it breaks.
        """
        try:
            return cls(format=FORMAT, status="started", **fields)
        except ValidationError as error:
            msg = f"run: {_first(error)}"
            raise CircuitError(msg) from None

    def with_(self, **fields: Any) -> Record:
        """Return this record with some fields that are known now, or known otherwise."""
        return self.model_copy(update=fields)

    def without(self, *names: str) -> Record:
        """Return this record without fields that do not hold any more."""
        return Record(**{name: value for name, value in self.to_dict().items()
                         if name not in names})

    def to_dict(self) -> dict[str, Any]:
        """Return what ``run.json`` says: the fields that were filled."""
        return self.model_dump(exclude_unset=True)

    @property
    def numbers(self) -> Summary | None:
        """The numbers of the summary; None before the end."""
        return None if self.summary is None else Summary.model_validate(self.summary)


def record_of(run: Run) -> Record:
    """Return the record of a run as numbers and texts of the right kind.

    Raises
    ------
    RunFileError
        The record is damaged: the field, and the rule that it breaks.
    """
    return _believed(Record, run)


def events_of(run: Run) -> list[EventEntry]:
    """Return the events of a run, of one that was made before there were any none.

    Raises
    ------
    RunFileError
        The record is damaged: the field, and the rule that it breaks.
    """
    return _believed(_Events, run).events


def model_entries(run: Run) -> list[ModelEntry]:
    """Return what a run says of its models, nothing of one that was made before it said so.

    Raises
    ------
    RunFileError
        The record is damaged: the field, and the rule that it breaks.
    """
    return _believed(_Models, run).models


def _believed(model: type[_Known], run: Run) -> _Known:
    try:
        return model.model_validate(run.record)
    except (ValidationError, KeyError, TypeError) as error:
        msg = f"{Path(run.label) / FILE}: the record of this run is damaged ({_first(error)})"
        raise RunFileError(msg) from None


def checked(run: Run) -> Record:
    """Return the record of a run, and make sure that its circuit and its results can be read.

    Parameters
    ----------
    run : Run
        The run, finished or not.

    Returns
    -------
    Record
        Its numbers and texts.

    Raises
    ------
    RunFileError
        Nothing was recorded yet, or the record is damaged.
    """
    path = Path(run.label) / FILE
    if not run.finished and "counts" not in run.record:
        raise _empty(run)
    record = record_of(run)
    try:
        types = run.circuit.types
    except CircuitError as error:
        msg = f"{path}: the record of this run is damaged ({error})"
        raise RunFileError(msg) from None
    if record.counts is None or record.network_hash is None:
        missing = "counts" if record.counts is None else "network_hash"
        msg = f"{path}: the record of this run is damaged ({missing}: Field required)"
        raise RunFileError(msg)
    if run.finished != (record.summary is not None):
        msg = f"{path}: the record of this run is damaged (a summary belongs to a finished run)"
        raise RunFileError(msg)
    if set(record.counts) != set(types):
        msg = f"{path}: counts must name {', '.join(types)} (got {shown(', '.join(record.counts))})"
        raise RunFileError(msg)
    if run.duration_ms <= 0:
        raise _empty(run)
    return record


def _empty(run: Run) -> RunFileError:
    return RunFileError(f"{run.label}: nothing was recorded yet (status {shown(run.status)}). "
                        f"Go on with: neostriatum resume {shlex.quote(run.label)}")


def _first(error: Any) -> str:
    """Return where a record breaks which rule."""
    if not isinstance(error, ValidationError):
        return shown(error)
    one = error.errors()[0]
    rule = one["msg"].removeprefix("Value error, ").replace("Input should", "must")
    given = "" if one["type"] == "missing" else f" (got {shown(one['input'])})"
    return f"{shown('.'.join(map(str, one['loc'])))}: {shown(rule)}{given}"
