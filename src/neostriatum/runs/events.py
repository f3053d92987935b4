"""What is done during a run, as data: read, checked before anything is simulated, in steps."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from neostriatum.circuit.clock import whole_steps
from neostriatum.circuit.datafile import limit, read_data
from neostriatum.circuit.plain import plain
from neostriatum.errors import CircuitError, EngineUnsupported, NeostriatumError, shown
from neostriatum.network.check import differs
from neostriatum.recording.checked import EventEntry
from neostriatum.recording.events import FORMAT
from neostriatum.recording.record import parsed, spelled
from neostriatum.units import quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neostriatum.circuit.model import Circuit
    from neostriatum.engines.base import Engine
    from neostriatum.learning.plan import SessionPlan

#: What a file of events may say of the run that it belongs to, where the caller does not.
OPTIONS = ("circuit", "size", "seed", "precision", "duration", "dt")
_HEADER = ("format", *OPTIONS, "spike_hash", "event")
#: What the values of these, and a hash, must be.
_TEXT, _WHOLE = "a text", "a whole number"
_KINDS = {"circuit": _TEXT, "size": _WHOLE, "seed": _WHOLE, "precision": _TEXT,
          "duration": _TEXT, "dt": _TEXT}
#: Keys that no engine can change while it runs, beside what a network was drawn from.
_FIXED = ("dt", "warmup", "start", "name", "summary", "left_out", "pools")


@dataclass(frozen=True)
class EventList:
    """Events as they were given, and what their file says of the run.

    ``rows`` hold ``at``, ``set`` and ``note`` as plain data.
    """

    where: str
    rows: tuple[dict[str, Any], ...]
    options: dict[str, Any]
    spike_hash: str | None = None


@dataclass(frozen=True)
class Planned:
    """An event in steps, and the circuits before and after it."""

    entry: EventEntry
    before: Circuit
    circuit: Circuit


def event_list(given: Any) -> EventList:
    """Return events from a file, the data of one, or a list of events.

    Parameters
    ----------
    given : str, Path, dict or list of dict
        A TOML or JSON file of the format ``neostriatum-events/1``, the same as a dict, or its
        events alone: ``{"at": "3.2 s", "set": {"modulators.D1.level": 0.8}, "note": "burst"}``.

    Raises
    ------
    CircuitError
        Another format, an unknown key, or an event without a time or values.
    """
    where, raw = "events", given
    if isinstance(given, (str, os.PathLike)):
        if not str(given):
            _refuse("events", 'must be a file (got "")')
        where, raw = Path(given).name, read_data(Path(given), "events")
        if not isinstance(raw, dict) or raw.get("format") != FORMAT:
            got = raw.get("format", "none") if isinstance(raw, dict) else "no table"
            _refuse(where, f'format must be "{FORMAT}" (got {shown(got)})')
    raw = plain(raw)
    if isinstance(raw, (list, tuple)):
        raw = {"event": list(raw)}
    if not isinstance(raw, dict):
        _refuse(where, f"must be a file, a dict or a list of events (got {shown(given)})")
    limit(where, raw)
    if unknown := [key for key in raw if key not in _HEADER]:
        _refuse(where, f"unknown key (got {shown(unknown[0])}). Known: {', '.join(_HEADER)}")
    _check_header(where, raw)
    rows = raw.get("event", [])
    if not isinstance(rows, list):
        _refuse(where, "event must be a list of tables, [[event]]")
    for number, row in enumerate(rows):
        _check_row(f"{where}: event {number + 1}", row)
    return EventList(where, tuple(rows), {key: raw[key] for key in OPTIONS if key in raw},
                     raw.get("spike_hash"))


def _check_header(where: str, raw: dict[str, Any]) -> None:
    for key, kind in _KINDS.items():
        value = raw.get(key, "" if kind == _TEXT else 0)
        # Python may give the data of a circuit.
        texts = (str, dict) if key == "circuit" else (str,)
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not (isinstance(value, texts) if kind == _TEXT else whole):
            got = f'"{value}"' if isinstance(value, str) else value
            _refuse(where, f"{key} must be {kind} (got {shown(got)})")
    spike_hash = raw.get("spike_hash")
    if spike_hash is not None and not (isinstance(spike_hash, str)
                                       and re.fullmatch("[0-9a-f]{64}", spike_hash)):
        _refuse(where, f"spike_hash must be 64 hexadecimal digits (got {shown(spike_hash)})")


def _check_row(where: str, row: Any) -> None:
    known = ("at", "set", "note")
    if not isinstance(row, dict) or "at" not in row or "set" not in row:
        _refuse(where, f"needs at and set (got {shown(row)})")
    if unknown := [key for key in row if key not in known]:
        _refuse(where, f"unknown key (got {shown(unknown[0])}). Known: {', '.join(known)}")
    if not isinstance(row["set"], dict) or not row["set"]:
        _refuse(where, f"set must be a table of keys and values (got {shown(row['set'])})")
    if not isinstance(row.get("note", ""), str):
        _refuse(where, f"note must be text (got {shown(row['note'])})")


def entries(events: EventList, circuit: Circuit, n_steps: int) -> list[EventEntry]:
    """Return events in steps from the end of the warm-up, as a record keeps them.

    Raises
    ------
    CircuitError
        A time off the step grid, before 0, after the end, or before that of the event before.
    """
    found: list[EventEntry] = []
    for number, row in enumerate(events.rows):
        where = f"{events.where}: event {number + 1}: at"
        try:
            time = quantity(row["at"], "ms")
            step = whole_steps("at", time, circuit.dt.value)
        except ValueError as error:
            text = str(error).removeprefix("at: ")
            _refuse(where, text if "(got" in text else f"{text} (got {shown(row['at'])})")
        if not 0 <= step < n_steps:
            end = n_steps * circuit.dt.value
            _refuse(where, f"must be from 0 to before the end at {end:g} ms (got {time:g} ms)")
        if found and step < found[-1].step:
            _refuse(where, f"events must stand in the order of time (got {time:g} ms after "
                    f"{found[-1].step * circuit.dt.value:g} ms)")
        found.append(EventEntry(step=step, note=row.get("note", ""), set={
            str(key): spelled(value) for key, value in row["set"].items()}))
    return found


def planned(rows: Sequence[EventEntry], circuit: Circuit) -> list[Planned]:
    """Return events with the circuit that each leaves.

    Raises
    ------
    CircuitError
        A key or value that the circuit refuses or that cannot change while a run goes on, or one
        key that two events set at one step.
    """
    plan: list[Planned] = []
    for row in rows:
        before = plan[-1].circuit if plan else circuit
        where = f"event at {row.step * circuit.dt.value:g} ms"
        plan.append(Planned(row, before, _changed(where, before, row)))
        after = plan[-1].circuit
        key = differs(circuit, after) or next(
            (key for key in _FIXED if getattr(circuit, key) != getattr(after, key)), None)
        if key is not None:
            _refuse(where, f"{key} cannot change while a run goes on. Begin another run with it")
    _refuse_twice(plan)
    return plan


def at_start(rows: Sequence[EventEntry], circuit: Circuit) -> Circuit:
    """Return what the events of the first recorded step make of a circuit."""
    plan = planned([row for row in rows if row.step == 0], circuit)
    return plan[-1].circuit if plan else circuit


def _changed(where: str, circuit: Circuit, row: EventEntry) -> Circuit:
    try:
        return circuit.replace({key: parsed(text) for key, text in row.set.items()})
    except CircuitError as error:
        _refuse(where, str(error).removeprefix(f"{circuit.name}: "))


def _refuse_twice(plan: list[Planned]) -> None:
    """Refuse events of one step whose order matters: they set one key, however it is spelled."""
    for number, first in enumerate(plan):
        where = f"event at {first.entry.step * first.before.dt.value:g} ms"
        for second in plan[number + 1 :]:
            if second.entry.step != first.entry.step:
                break
            straight = _changed(where, first.circuit, second.entry)
            turned = _changed(where, _changed(where, first.before, second.entry), first.entry)
            if turned != straight:
                _refuse(where, "two events must not set one key at one step (got "
                        f"{shown(', '.join(second.entry.set))})")


def rehearsed(session: SessionPlan, circuit: Circuit) -> list[Planned]:
    """Return one event of each kind that a session will ask for, at the first step.

    Raises
    ------
    CircuitError
        A key or value that the circuit refuses or that cannot change while a run goes on.
    """
    return [planned([EventEntry(step=0, set={key: spelled(value) for key, value in event.items()})],
                    circuit)[0] for event in session.drive.rehearsal()]


def refuse_engine(simulator: Engine, name: str, plan: list[Planned]) -> None:
    """Refuse events that an engine cannot follow, before anything is built.

    Some engines change nothing while they run. One whose cells and synapses are compiled tells by
    its ``refusal``, from the circuits before and after, what it cannot change; others are asked
    once they are prepared, by `try_out`.

    Raises
    ------
    EngineUnsupported
        The engine, and why.
    """
    if plan and not simulator.capabilities.live_changes:
        msg = f"engine {name}: {simulator.excuses['live_changes']}. Leave the events out"
        raise EngineUnsupported(msg)
    refusal = getattr(simulator, "refusal", None)
    for event in plan:
        if refusal is not None and (problem := refusal(event.before, event.circuit)):
            at = event.entry.step * event.before.dt.value
            msg = f"event at {at:g} ms: {problem}"
            raise EngineUnsupported(msg)


def try_out(simulator: Engine, plan: list[Planned], circuit: Circuit) -> None:
    """Refuse a plan that an engine, which stands at its first step, could not follow.

    Raises
    ------
    EngineUnsupported
        The engine cannot change one of the keys.
    """
    if not plan or not simulator.capabilities.exact_resume:
        return  # or it cannot be put back to where it stood
    state = simulator.state()
    kinds = {frozenset(event.entry.set): event for event in plan}
    for event in kinds.values():
        try:
            simulator.change(event.circuit)
        except NeostriatumError as error:
            msg = (f"event at {event.entry.step * circuit.dt.value:g} ms: "
                   f"{str(error).removeprefix('change: ')}")
            raise EngineUnsupported(msg) from None
    simulator.change(circuit)
    simulator.restore(state)


def _refuse(where: str, rule: str) -> NoReturn:
    msg = " ".join(f"{where}: {rule}".split())
    raise CircuitError(msg)
