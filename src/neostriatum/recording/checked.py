"""What a run's record must say for its results to be shown, checked before it is believed.

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


class Record(_Strict):
    """What ``run.json`` says of a run, its circuit aside; a finished one has a summary."""

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
    network_hash: Hash
    counts: Annotated[dict[Name, Count], Field(min_length=1)]
    summary: Summary | None = None


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
    path = run.folder / "run.json"
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
    return RunFileError(f"{run.folder}: nothing was recorded yet (status {shown(run.status)}). "
                        f"Go on with: neostriatum resume {run.folder}")


def _first(error: Any) -> str:
    """Return where a record breaks which rule."""
    if not isinstance(error, ValidationError):
        return shown(error)
    one = error.errors()[0]
    return f"{shown('.'.join(map(str, one['loc'])))}: {shown(one['msg'])}"
