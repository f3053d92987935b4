"""What a session leaves on disk: a run folder that is as good as one of `run`, and its events."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neostriatum.durable import write_text
from neostriatum.recording.events import FORMAT
from neostriatum.recording.record import parsed, write_record
from neostriatum.recording.store import FINISHED
from neostriatum.runs.loop import finish
from neostriatum.runs.loop import leave as leave_as

if TYPE_CHECKING:
    from neostriatum.recording.checked import EventEntry
    from neostriatum.runs.loop import Loop

FILE = "events.toml"


def save(loop: Loop, events: list[EventEntry], circuit: str | None) -> dict[str, Any]:
    """Write the results of a run up to now, and the file of events that repeats it.

    The working files stay, so that the run can go on.

    Parameters
    ----------
    loop : Loop
        The run.
    events : list of EventEntry
        What was changed.
    circuit : str, optional
        The circuit, as ``neostriatum run`` is told it; None where it has no name or file.
    """
    _brought_up_to_date(loop, events)
    finish(loop)
    loop.writer.flush()
    kept = loop.record.events
    spike_hash = (loop.record.summary or {})["spike_hash"]
    write_text(loop.folder / FILE, events_text(loop, kept, circuit, spike_hash))
    folder, file = shlex.quote(loop.label), shlex.quote(str(Path(loop.label) / FILE))
    return {"folder": loop.label, "file": str(Path(loop.label) / FILE), "spike_hash": spike_hash,
            "events": len(kept), "duration_ms": round(loop.record.duration_ms, 6),
            "commands": [f"neostriatum run --events {file}" if circuit else
                         f"neostriatum rerun {folder}",
                         f"neostriatum report {folder}",
                         f"neostriatum export {folder} --to nwb --out {folder}-nwb",
                         f"neostriatum export {folder} --to csv --out {folder}-csv"]}


def reopened(loop: Loop) -> None:
    """Take back that a run is finished, as it goes on."""
    if loop.record.status == FINISHED:
        loop.record = loop.record.without("files", "summary", "state", "timers").with_(
            status="running")
        write_record(loop.folder, loop.record.to_dict())


def leave(loop: Loop, events: list[EventEntry], phase: str, error: str) -> None:
    """Make a run safe that ends here: ``neostriatum resume`` writes its results."""
    if loop.record.status == FINISHED and loop.record.steps == loop.at:
        loop.writer.clear_up()
        return
    reopened(loop)
    if phase == "failed":
        loop.writer.flush()
        leave_as(loop, "failed", error)
        return
    _brought_up_to_date(loop, events)
    leave_as(loop, "interrupted")


def _brought_up_to_date(loop: Loop, events: list[EventEntry]) -> None:
    """Write a record and a checkpoint that agree with each other."""
    reopened(loop)
    # What was set at the last step of all has not acted yet.
    kept = [event for event in one_per_step(events) if event.step < loop.at]
    loop.record = loop.record.with_(
        status="running", steps=loop.at, duration_ms=loop.at * loop.circuit.dt.value, events=kept)
    write_record(loop.folder, loop.record.to_dict())
    loop.save()


def one_per_step(events: list[EventEntry]) -> list[EventEntry]:
    """Return events of which those at one step are one; the last of each key holds."""
    joined: list[EventEntry] = []
    for event in events:
        if joined and joined[-1].step == event.step:
            last = joined.pop()
            notes = ", ".join(note for note in dict.fromkeys([last.note, event.note]) if note)
            event = event.model_copy(update={"set": last.set | event.set, "note": notes})
        joined.append(event)
    return joined


def events_text(loop: Loop, events: list[EventEntry], circuit: str | None,
                spike_hash: str) -> str:
    """Return the file of events of a run, which ``neostriatum run --events`` reads."""
    dt, record = loop.circuit.dt.value, loop.record
    named = (f"circuit = {_toml(circuit)}" if circuit else
             "# The circuit had no name; run.json holds it, and `neostriatum rerun` takes it.")
    size = [] if record.size is None else [f"size = {record.size}"]  # a mesh has its own
    lines = [f'format = "{FORMAT}"', named, *size,
             f"seed = {record.seed}", f"precision = {_toml(record.precision)}",
             f'duration = "{_ms(record.steps, dt)} ms"', f'spike_hash = "{spike_hash}"']
    for event in events:
        values = ", ".join(f"{_toml(key)} = {_toml(parsed(text))}"
                           for key, text in event.set.items())
        lines += ["", "[[event]]", f'at = "{_ms(event.step, dt)} ms"', f"set = {{ {values} }}"]
        if event.note:
            lines.append(f"note = {_toml(event.note)}")
    return "\n".join(lines) + "\n"


def _ms(steps: int, dt: float) -> str:
    return f"{steps * dt:.9g}" if steps * dt < 1e8 else repr(steps * dt)


def _toml(value: Any) -> str:
    """Return plain data as TOML, tables inline."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_toml(str(key))} = {_toml(one)}"
                                for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    # A basic string of TOML escapes as one of JSON does, but for DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
