"""What a sweep is asked to do: the validated sweep file, or the same as keywords.

In: a TOML or JSON file, or plain data. Out: a `Plan`, and the circuit that it starts from.
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator

from neostriatum.circuit.datafile import read_data
from neostriatum.circuit.explain import one_line
from neostriatum.circuit.load import load
from neostriatum.circuit.model import Circuit
from neostriatum.circuit.plain import plain
from neostriatum.circuit.value import NAME, Frozen
from neostriatum.engines.base import DEFAULT
from neostriatum.errors import CircuitError, shown
from neostriatum.rng import checked_seed
from neostriatum.runs.learn import circuit_of, played_on, usual_size
from neostriatum.sweeps.axis import MAX_POINTS, OPTIONS, Axis, stored
from neostriatum.units import quantity


def _axis(raw: Any, name: str) -> Any:
    """Read the short forms: a list, an array or a range are the values of the key ``name``."""
    if isinstance(raw, (list, tuple, np.ndarray)) or hasattr(raw, "to_list"):
        return {"key": name, "values": raw}
    if isinstance(raw, dict) and not {"key", "factor", "together"} & set(raw):
        if {"start", "stop", "number"} & set(raw):
            return {"key": name, "values": raw}
        if set(raw) == {"values"}:
            return {"key": name, **raw}
        if name in Circuit.model_fields and raw and "values" not in raw:
            msg = f'{name}: a key with dots stands in quotes, "{name}.{shown(next(iter(raw)))}"'
            raise ValueError(msg)
    return raw


def _axes(raw: Any) -> Any:
    return {name: _axis(one, name) for name, one in raw.items()} if isinstance(raw, dict) else raw


def _seeds(raw: Any) -> Any:
    raw = plain(raw.to_list() if hasattr(raw, "to_list") else raw)
    if isinstance(raw, int) and not isinstance(raw, bool):
        if not 1 <= raw <= MAX_POINTS:
            msg = f"must be a list, or how many from 1 to {MAX_POINTS} (got {raw})"
            raise ValueError(msg)
        return list(range(1, raw + 1))
    return raw


def _names(raw: Any) -> Any:
    several = isinstance(raw, (list, tuple))
    return [os.fspath(one) if isinstance(one, os.PathLike) else one
            for one in (raw if several else [raw])]


#: Dopamine of the whole run; a boolean is no number.
Level = Annotated[float, BeforeValidator(lambda raw: quantity(raw, "1"))]


class Plan(Frozen):
    """A sweep; see docs/sweeps.md for the keys."""

    name: str = Field(default="sweep", pattern=NAME)
    summary: str = ""
    circuit: str = "striatum"
    overlay: Annotated[tuple[str, ...], BeforeValidator(_names)] = ()
    changes: dict[str, Any] = Field(default_factory=dict)
    size: int | None = Field(default=None, strict=True)
    duration: str = "2 s"
    dt: str | None = None
    dopamine: Level | None = None
    d1: Level | None = None
    d2: Level | None = None
    engine: str = DEFAULT
    precision: str = "double"
    seeds: Annotated[tuple[Annotated[int, Field(strict=True)], ...], BeforeValidator(_seeds),
                     Field(min_length=1, max_length=MAX_POINTS)] = (1,)
    figures: bool = Field(default=False, strict=True)
    #: What is done during every run: a file of events, or the list of them.
    events: str | tuple[dict[str, Any], ...] | None = None
    #: The task that every run learns, and options of the session; its keys vary as learn.KEY.
    learn: dict[str, Any] | None = None
    vary: Annotated[dict[str, Axis], BeforeValidator(_axes)] = Field(default_factory=dict)

    @field_validator("changes", "learn")
    @classmethod
    def _stored(cls, changes: dict[str, Any] | None) -> dict[str, Any] | None:
        for key, value in (changes or {}).items():
            try:
                stored(value)
            except ValueError as error:
                msg = f"{shown(key)}: {error}"
                raise ValueError(msg) from None
        return changes

    @field_validator("seeds")
    @classmethod
    def _checked(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        for one in seeds:
            try:
                checked_seed(one)
            except CircuitError as error:
                raise ValueError(str(error)) from None
        if len(set(seeds)) < len(seeds):
            msg = "must differ from each other"
            raise ValueError(msg)
        return seeds

    @model_validator(mode="after")
    def _consistent(self) -> Plan:
        if not self.vary and len(self.seeds) == 1:
            msg = "vary: must name a parameter, or seeds more than one seed (got nothing to vary)"
            raise ValueError(msg)
        if self.points > MAX_POINTS:
            msg = (f"vary: must make at most {MAX_POINTS:,} points (got {self.points:,}). "
                   "Make several sweeps")
            raise ValueError(msg)
        if self.learn is not None and self.events is not None:
            msg = "events: a session decides them (got learn as well). Leave one of them out"
            raise ValueError(msg)
        taken: dict[str, str] = {}
        for name, axis in self.vary.items():
            for key in axis.keys:
                self._key(f"vary.{shown(name)}", axis, key)
                if key in taken:
                    msg = f"vary.{shown(name)}: {key} is varied by {taken[key]} already"
                    raise ValueError(msg)
                taken[key] = name
        return self

    @staticmethod
    def _key(where: str, axis: Axis, key: str) -> None:
        if key in ("seed", "seeds"):
            msg = f"{where}: seeds are varied by seeds = [1, 2, 3], or how many (got {key})"
            raise ValueError(msg)
        fixed = key in Plan.model_fields and key not in OPTIONS
        fixed = fixed or (key.startswith("learn.") and axis.kind == "factor")
        if fixed or (axis.kind == "factor" and key in OPTIONS):
            msg = f"{where}: {key} cannot be varied" + (" by a factor" if not fixed else "")
            raise ValueError(msg)

    @property
    def points(self) -> int:
        """How many runs it makes."""
        return math.prod(len(axis) for axis in self.vary.values()) * len(self.seeds)

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as plain data, ranges and counts written out."""
        return self.model_dump(mode="json", exclude_none=True)


def read(file: str | Path | None, given: dict[str, Any]) -> tuple[Plan, Circuit, Path | None]:
    """Return the plan of a file or of keywords, its circuit, and the folder that its files are in.

    Raises
    ------
    CircuitError
        Both or neither given, an unreadable file, an unknown key, a value out of range.
    """
    if (file is None) == (not given):
        msg = "sweep: needs a sweep file or keywords, not both (got " + (
            "neither)" if file is None else "both)")
        raise CircuitError(msg)
    raw: Any = {key: value if key in ("circuit", "seeds", "vary") else plain(value)
                for key, value in given.items()}
    folder, where = None, "sweep"
    if file is not None:
        path = Path(file)
        raw, folder, where = read_data(path, "sweep"), path.parent.resolve(), path.name
        if not isinstance(raw, dict):
            msg = f"{where}: must be a table of keys"
            raise CircuitError(msg)
    elif not isinstance(given.get("circuit", ""), str):
        # A circuit, a dict or a path: the plan keeps its name, the folder of the sweep the rest.
        raw["circuit"] = (os.fspath(given["circuit"])
                          if isinstance(given["circuit"], os.PathLike)
                          else load(given["circuit"]).name)
    try:
        plan = Plan.model_validate(raw)
    except ValidationError as error:
        msg = f"{where}: {one_line(error, Plan)}"
        raise CircuitError(msg) from None
    start = given.get("circuit", beside(folder, plan.circuit))
    preset = played_on(start if "circuit" in plan.model_fields_set else None)
    if plan.learn is not None and preset:
        sized = plan.model_copy(update={"size": usual_size(preset, plan.size)})
        return sized, circuit_of(plan.learn, preset), folder
    return plan, load(start), folder


def beside(folder: Path | None, name: str) -> str:
    """Return a name as it is, a file's path as seen from the sweep file."""
    is_file = name.endswith((".toml", ".json")) or "/" in name
    return str(folder / name) if folder is not None and is_file else name
