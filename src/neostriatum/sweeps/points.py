"""The points of a sweep: each a complete set of options of a run, checked before any starts.

In: a plan and its circuit. Out: one `Point` per combination of values and seed; seeds outermost, so
that points of the same network follow each other and the first seed gives a whole map.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from neostriatum.circuit.clock import run_steps
from neostriatum.circuit.replacement import replaced, value_at
from neostriatum.circuit.resolve import resolve
from neostriatum.errors import CircuitError, NeostriatumError, shown
from neostriatum.machine import free_memory
from neostriatum.network.check import differs
from neostriatum.network.estimate import SHARE, estimate
from neostriatum.network.volume import space
from neostriatum.rng import STREAM_VERSION
from neostriatum.runs.events import entries, event_list, planned
from neostriatum.runs.learn import checked_lesson
from neostriatum.runs.settings import Settings
from neostriatum.sweeps.axis import OPTIONS, split
from neostriatum.sweeps.plan import beside
from neostriatum.sweeps.table import results
from neostriatum.units import quantity, text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from neostriatum.circuit.model import Circuit
    from neostriatum.sweeps.axis import Axis
    from neostriatum.sweeps.plan import Plan


@dataclass(frozen=True)
class Point:
    """One run of a sweep."""

    number: int
    seed: int
    #: Options of `neostriatum.run`, plain data.
    options: dict[str, Any]
    #: {column: value} of what is varied, units in the names.
    columns: dict[str, Any]
    #: Hash of everything that decides the spikes.
    asked: str
    #: The most memory that it is expected to take.
    bytes: int
    #: Cell types of its circuit.
    types: tuple[str, ...] = ()
    #: Modulators of its circuit with a computed level.
    levels: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name of its folder."""
        return f"{self.number:04d}"


def expand(plan: Plan, circuit: Circuit, folder: Path | None,
           tell: Callable[[str, float], None]) -> list[Point]:
    """Return the points of a plan, every one resolved and found possible.

    Raises
    ------
    CircuitError, BuildError
        The first point that the circuit refuses, by number and values.
    """
    grid = [[axis.at(n) for n in range(len(axis))] for axis in plan.vary.values()]
    events = event_list(beside(folder, plan.events) if isinstance(plan.events, str)
                        else plan.events or [])
    done = {"events": list(events.rows)} if events.rows else {}
    sizer = _Sizer()
    found: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any], int, Circuit]] = []
    total = plan.points // len(plan.seeds)
    for number, chosen in enumerate(itertools.product(*grid), start=1):
        tell("checking the points", (number - 1) / total)
        values = dict(zip(plan.vary, chosen, strict=True))
        try:
            options, resolved = _options(plan, circuit, folder, values)
            if "learn" in options:
                session, resolved = checked_lesson(options["learn"], resolved, plan.seeds[0])
                options["duration"] = text(session.duration_ms, "ms")
            steps = run_steps(resolved, options["duration"])
            planned(entries(events, resolved, steps), resolved)
            columns = _columns(plan, values, options, resolved)
            taken = sizer.bytes(resolved, options["size"])
        except NeostriatumError as error:
            said = ", ".join(f"{key} {shown(value)}" for one in values.values()
                             for key, value in one.items())
            msg = f"{plan.name}: point {number} ({shown(said)}): {error}"
            raise type(error)(msg) from None
        asked = {"circuit": resolved.to_dict(), "size": options["size"], "steps": steps,
                 "engine": plan.engine, "precision": plan.precision, "stream": STREAM_VERSION}
        lesson = {"learn": options["learn"]} if "learn" in options else {}
        found.append((options | done, columns, asked | done | lesson, taken, resolved))
    return [Point(number, seed, options, columns, _hash(asked | {"seed": seed}), taken,
                  resolved.types, resolved.computed_levels)
            for number, (seed, (options, columns, asked, taken, resolved)) in enumerate(
                itertools.product(plan.seeds, found), start=1)]


class _Sizer:
    """Estimates the memory of every network once: most points of a sweep share theirs."""

    def __init__(self) -> None:
        self._known: list[tuple[Circuit, int, int]] = []

    def bytes(self, circuit: Circuit, size: int | None) -> int:
        size = space(circuit, size).size
        for other, its_size, taken in reversed(self._known):
            if its_size == size and differs(other, circuit) is None:
                return taken
        taken, free = estimate(circuit, size).bytes, free_memory()
        if free is not None and taken > SHARE * free:
            msg = (f"size: must fit into {SHARE:.0%} of the free memory, {SHARE * free / 1e9:.1f} "
                   f"GB (got {taken / 1e9:.1f} GB for {size} neurons)")
            raise CircuitError(msg)
        self._known.append((circuit, size, taken))
        return taken


def _options(plan: Plan, circuit: Circuit, folder: Path | None, values: dict[str, dict[str, Any]],
             ) -> tuple[dict[str, Any], Circuit]:
    """Return the options of one combination, factors multiplied out, and the circuit they mean."""
    options: dict[str, Any] = {key: getattr(plan, key) for key in OPTIONS}
    changes, factors, lesson = dict(plan.changes), {}, plan.learn
    for name, chosen in values.items():
        for key, value in chosen.items():
            if key in OPTIONS:
                options[key] = value
            elif key.startswith("learn."):
                lesson = _put(lesson, key, value)
            elif plan.vary[name].kind == "factor":
                factors[key] = value
            else:
                changes[key] = value
    said = options["overlay"]
    overlays = [said] if isinstance(said, str) else said
    if not isinstance(overlays, (list, tuple)) or not all(isinstance(o, str) for o in overlays):
        msg = f"overlay: must be a name or a list of names (got {shown(said)})"
        raise CircuitError(msg)
    options["overlay"] = [beside(folder, one) for one in overlays if one]
    settings = {key: options[key] for key in ("overlay", "dt", "dopamine", "d1", "d2")}
    resolved = resolve(circuit, Settings(**settings, changes=changes))
    if factors:
        raw = resolved.to_dict()
        scaled = {key: _scaled(raw, key, factor) for key, factor in factors.items()}
        resolved, changes = replaced(resolved, scaled), changes | scaled
    taught = {} if lesson is None else {"learn": lesson}
    return options | {"changes": changes} | taught, resolved


def _put(lesson: dict[str, Any] | None, key: str, value: Any) -> dict[str, Any]:
    """Return the options of a session with one at ``learn.KEY`` or ``learn.TABLE.KEY`` set."""
    if lesson is None:
        msg = f"{key}: needs a table learn with the task (got none)"
        raise CircuitError(msg)
    _, first, *inner = key.split(".", 2)
    if not inner:
        return lesson | {first: value}
    return lesson | {first: dict(lesson.get(first) or {}) | {inner[0]: value}}


def _scaled(raw: dict[str, Any], key: str, factor: float) -> Any:
    found = value_at(raw, key)
    known = split(found)
    if known is None:
        msg = f"{key}: must be a number to be multiplied (got {shown(found)})"
        raise CircuitError(msg)
    number, unit = float(f"{known[0] * factor:.12g}"), known[1]
    if unit:
        return text(number, unit)
    return int(number) if isinstance(found, int) and number.is_integer() else number


def _columns(plan: Plan, values: dict[str, dict[str, Any]], options: dict[str, Any],
             resolved: Circuit) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    taken = {"point", *results(resolved.types, resolved.computed_levels)}

    def put(name: str, value: Any) -> None:
        if name in columns or name in taken:
            msg = f"vary: {shown(name)} is the name of another column. Choose another"
            raise CircuitError(msg)
        columns[name] = value

    raw = resolved.to_dict()
    for name, chosen in values.items():
        axis = plan.vary[name]
        if axis.kind == "factor":
            put(name, next(iter(chosen.values())))
        for key in chosen:
            label = name if axis.kind == "key" else key
            put(*_column(label, key, options, raw))
    return columns


def _column(label: str, key: str, options: dict[str, Any], raw: dict[str, Any]) -> tuple[str, Any]:
    if key in ("duration", "dt"):
        return f"{label}_ms", quantity(options[key], "ms")
    if key == "overlay":
        return label, "+".join(options[key]) or "none"
    if key in OPTIONS:
        return label, options[key]
    if key.startswith("learn."):
        path = key.split(".", 2)[1:]
        found = options["learn"][path[0]] if len(path) == 1 else options["learn"][path[0]][path[1]]
        return label, found if isinstance(found, (str, int, float)) else json.dumps(found)
    value = value_at(raw, key)
    known = split(value)
    if known is None:
        return label, value if isinstance(value, (str, bool)) else json.dumps(value)
    number, unit = known
    label = label.removesuffix(".constant").removesuffix(".value")
    return (f"{label}_{_spelled(unit)}", number) if unit else (label, value)


def _spelled(unit: str) -> str:
    """Return a unit as part of a name: "1/mm^3" is per_mm3."""
    over, _, under = unit.replace("^", "").replace(" ", "").partition("/")
    parts = [over if over != "1" else "", f"per_{under}" if under else ""]
    return re.sub(r"[^A-Za-z0-9_%]", "_", "_".join(one for one in parts if one))


def axis_column(name: str, axis: Axis, point: Point) -> str:
    """Return the column that holds the coordinate of an axis."""
    if axis.kind == "factor":
        return name
    label = name if axis.kind == "key" else axis.keys[0]
    label = label.removesuffix(".constant").removesuffix(".value")
    return next(one for one in point.columns if one == label or one.startswith(f"{label}_"))


def _hash(asked: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(asked, sort_keys=True, allow_nan=False).encode()).hexdigest()
