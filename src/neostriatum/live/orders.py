"""What a page may ask for, by name; everything else is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from neostriatum.errors import CircuitError, shown

if TYPE_CHECKING:
    from neostriatum.live.session import Session

#: Most bytes of a message from a page.
LARGEST = 65_536
#: Orders, and the keys that each takes.
KEYS: dict[str, tuple[str, ...]] = {
    "turn": ("values", "label"), "pulse": ("knob", "factor", "length_ms"), "play": ("playing",),
    "lesson": ("name",), "step": (), "speed": ("speed",), "watch": ("cell",), "back": ("line",),
    "mark": (), "save": (),
}


def read(text: Any) -> dict[str, Any]:
    """Return a message of a page.

    Raises
    ------
    CircuitError
        Not a JSON object with a kind, or too long.
    """
    if not isinstance(text, str) or len(text) > LARGEST:
        msg = f"message: must be text of at most {LARGEST:,} characters"
        raise CircuitError(msg)
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        message = None
    return read_object(message)


def read_object(message: Any) -> dict[str, Any]:
    """Return a message of a page that is data already.

    Raises
    ------
    CircuitError
        No table with a kind.
    """
    if not isinstance(message, dict) or not isinstance(message.get("kind"), str):
        msg = f"message: must be a JSON object with a kind (got {shown(message)})"
        raise CircuitError(msg)
    return message


def obey(session: Session, message: dict[str, Any]) -> None:
    """Do what the page that controls a session asks for.

    Raises
    ------
    CircuitError
        An unknown order or knob, or a value out of bounds.
    """
    kind = message["kind"]
    if kind not in KEYS:
        msg = f"message: kind must be one of {', '.join(KEYS)} (got {shown(kind)})"
        raise CircuitError(msg)
    said = {key: message.get(key) for key in KEYS[kind]}
    if kind == "turn":
        label = said["label"] if isinstance(said["label"], str) else ""
        session.turn(said["values"], "".join(x for x in label if x.isprintable())[:120])
    elif kind == "pulse":
        session.pulse(said["knob"], said["factor"], said["length_ms"])
    elif kind == "lesson":
        session.teach(said["name"])
    elif kind == "play":
        session.play(said["playing"] is True)
    elif kind == "speed":
        session.hurry(said["speed"])
    elif kind == "watch":
        session.watch(said["cell"])
    elif kind == "back":
        session.back(said["line"])
    else:
        {"step": session.step, "mark": session.mark, "save": session.save}[kind]()
