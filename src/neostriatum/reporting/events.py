"""The events of a run for its report: a row per event, and the file that repeats them.

In: events. Out: rows for a table, text as ``neostriatum run --events`` reads it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from neostriatum.recording.events import FORMAT
from neostriatum.units import text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from neostriatum.recording.events import Event


def rows(events: Iterable[Event]) -> list[dict[str, Any]]:
    """Return a row per event: its time [ms] in words, the new values by path, the note."""
    return [{"time": f"{one.time_ms:,.12g} ms", "set": one.spelled, "note": one.note}
            for one in events]


def toml(events: Iterable[Event]) -> str:
    """Return events as a file of events.

    Examples
    --------
    >>> from neostriatum.recording.events import Event
    >>> print(toml([Event(32, 3.2, {"modulators.D1.level": 0.8}, "more dopamine")]))
    format = "neostriatum-events/1"
    <BLANKLINE>
    [[event]]
    at = "3.2 ms"
    set = { "modulators.D1.level" = 0.8 }
    note = "more dopamine"
    """
    parts = [f"format = {_value(FORMAT)}"]
    for one in events:
        note = f"\nnote = {_value(one.note)}" if one.note else ""
        parts.append(f"[[event]]\nat = {_value(text(one.time_ms, 'ms'))}\n"
                     f"set = {_value(one.changes)}{note}")
    return "\n\n".join(parts)


def _value(value: Any) -> str:
    """Return a value in TOML, whose texts, numbers and lists are those of JSON but for DEL."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_value(key)} = {_value(one)}"
                                for key, one in value.items()) + " }"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if value is None:  # which TOML does not have: as --set takes it
        return '"null"'
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
