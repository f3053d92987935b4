"""What a run's record must say: checked before a run begins, and before a record is believed.

A run directory may come from a stranger: in goes what ``run.json`` holds, out come plain numbers
and texts of the right kind. Writer and reader have the same rules, so no run that began can have a
record that is refused when it has ended.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError

from neostriatum.errors import CircuitError, RunFileError, shown

if TYPE_CHECKING:
    from neostriatum.recording.store import Run

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,31}$")]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0)]
Time = Annotated[float, Field(ge=0)]
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


class Request(_Strict):
    """What ``run.json`` says of a run from the first moment on, its circuit aside."""

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
    versions: dict[Text, Text]
    machine: dict[Text, Text | int | None]
    network: Text | None
    network_seed: Count
    steps: Annotated[int, Field(ge=1)]
    record: list[Text] | None
    figures: bool
    weight_unit: Text


class Record(Request):
    """What it says once there is a network; a finished run has a summary."""

    network_hash: Hash
    counts: Annotated[dict[Name, Count], Field(min_length=1)]
    summary: Summary | None = None


def recordable(record: dict[str, Any]) -> None:
    """Refuse what `checked` would not take back, before anything is simulated.

    Raises
    ------
    CircuitError
        The option, and the rule that it breaks.
    """
    try:
        Request.model_validate(record)
    except ValidationError as error:
        msg = f"run: {_first(error)}"
        raise CircuitError(msg) from None


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
    path = Path(run.label) / "run.json"
    if not run.finished and "counts" not in run.record:
        raise _empty(run)
    try:
        said = Record.model_validate(run.record)
        kinds = run.circuit.types
    except CircuitError as error:
        msg = f"{path}: the record of this run is damaged ({error})"
        raise RunFileError(msg) from None
    except (ValidationError, KeyError, TypeError) as error:
        msg = f"{path}: the record of this run is damaged ({_first(error)})"
        raise RunFileError(msg) from None
    if run.finished != (said.summary is not None):
        msg = f"{path}: the record of this run is damaged (a summary belongs to a finished run)"
        raise RunFileError(msg)
    if set(said.counts) != set(kinds):
        msg = f"{path}: counts must name {', '.join(kinds)} (got {shown(', '.join(said.counts))})"
        raise RunFileError(msg)
    if run.duration_ms <= 0:
        raise _empty(run)
    return said


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
