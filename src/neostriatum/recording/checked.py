"""What a finished run's record must say for its results to be shown, checked before it is believed.

A run directory may come from a stranger: in goes what ``run.json`` holds, out come plain numbers
and texts of the right kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from neostriatum.errors import CircuitError, RunFileError, shown

if TYPE_CHECKING:
    from neostriatum.recording.store import Run

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,31}$")]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0)]
Time = Annotated[float, Field(ge=0)]
Text = Annotated[str, Field(max_length=1000)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, allow_inf_nan=False)


class Levels(_Strict):
    """Dopamine at t = 0."""

    d1: float
    d2: float


class Summary(_Strict):
    """The numbers that the end of a run printed."""

    dopamine: Levels
    duration_ms: Annotated[float, Field(gt=0)]
    warmup_ms: Time
    neurons: Count
    synapses: Count
    gap_junctions: Count
    rates_hz: dict[Name, float | None]
    spikes: Count
    spike_hash: Hash
    network_hash: Hash
    build_s: Time
    warmup_s: Time
    simulate_s: Time
    real_time_factor: Time
    peak_memory_gb: Time


class Record(_Strict):
    """What ``run.json`` says of a run, its circuit aside."""

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
    counts: Annotated[dict[Name, Count], Field(min_length=1)]
    summary: Summary


def checked(run: Run) -> Record:
    """Return the record of a finished run, and make sure that its circuit can be read.

    Parameters
    ----------
    run : Run
        The run.

    Returns
    -------
    Record
        Its numbers and texts.

    Raises
    ------
    RunFileError
        The run did not finish, or its record is damaged.
    """
    path = run.folder / "run.json"
    if (status := run.record.get("status")) != "finished":
        msg = (f"{run.folder}: the run did not finish (status {shown(status)}), so there are no "
               "results to show. Run it again")
        raise RunFileError(msg)
    try:
        said = Record.model_validate(run.record)
        kinds = run.circuit.types
    except CircuitError as error:
        msg = f"{path}: the record of this run is damaged ({error})"
        raise RunFileError(msg) from None
    except (ValidationError, KeyError, TypeError) as error:
        msg = f"{path}: the record of this run is damaged ({_first(error)})"
        raise RunFileError(msg) from None
    if set(said.counts) != set(kinds):
        msg = f"{path}: counts must name {', '.join(kinds)} (got {shown(', '.join(said.counts))})"
        raise RunFileError(msg)
    return said


def _first(error: Any) -> str:
    """Return where a record breaks which rule."""
    if not isinstance(error, ValidationError):
        return shown(error)
    one = error.errors()[0]
    return f"{shown('.'.join(map(str, one['loc'])))}: {shown(one['msg'])}"
