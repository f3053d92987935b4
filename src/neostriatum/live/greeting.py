"""What a page is told first: the circuit, its knobs, its scenes, published rates."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from neostriatum import __version__
from neostriatum.live.frames import BINS, LOWEST, WIDTH
from neostriatum.plotting.palette import colours
from neostriatum.validation.targets import published

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit
    from neostriatum.live.session import Session

#: What a page understands; another number needs another page.
PROTOCOL = 1


def greeting(session: Session) -> dict[str, Any]:
    """Return the first message to a page."""
    circuit = session.circuit
    return {
        "kind": "hello", "protocol": PROTOCOL, "version": __version__, **about(circuit),
        "asked": session.asked, "size": session.size, "seed": session.settings.seed,
        "counts": circuit.counts(session.size),
        "knobs": [knob.to_dict() for knob in session.knobs.values()],
        "scenes": scenes(session.asked, session.knobs, circuit.name),
        "lessons": list(session.lessons),
    }


def about(circuit: Circuit) -> dict[str, Any]:
    """Return what a page draws with: types, colours, levels, published rates."""
    return {"circuit": circuit.name, "summary": circuit.summary or "",
            "dt_ms": circuit.dt.value, "types": list(circuit.types),
            "colours": colours(circuit.types), "levels": list(circuit.modulators),
            "histogram": {"bins": BINS, "lowest": LOWEST, "width": WIDTH},
            "published": published_rates(circuit)}


def published_rates(circuit: Circuit) -> dict[str, dict[str, Any]]:
    """Return the range of rates by type [Hz] that agrees with a mean which was published in vivo.

    A rate that was published for a pool belongs to every type of the pool.
    """
    members = dict(circuit.pools or {})
    members |= {name: (name,) for name in circuit.types}
    ranges: dict[str, dict[str, Any]] = {}
    for target in published().targets:
        pool = target.reads.removesuffix("_hz")
        interval = target.interval()
        # Without a spread or an error the interval is assumed.
        if (target.protocol != "in_vivo" or interval is None or target.read == "archive"
                or (target.spread is None and target.se is None)
                or not target.reads.endswith("_hz")):
            continue
        types = members.get(pool) or tuple(name for name in circuit.types if name.endswith(pool))
        for name in types:
            # Later targets are of animals that are awake.
            ranges[name] = {"low": max(0.0, interval[0]), "high": interval[1],
                            "source": target.source, "conditions": target.conditions}
    return {name: ranges[name] for name in circuit.types if name in ranges}


def scenes(asked: str | None, known: Any, name: str = "") -> list[dict[str, Any]]:
    """Return the scenes of a circuit of which every knob is there.

    A scene of a file that is no preset belongs to circuits of that name.
    """
    raw = tomllib.loads((files("neostriatum.live") / "scenes.toml").read_text("utf-8"))
    return [scene for scene in raw.get("scene", [])
            if scene["circuit"] == (name if "file" in scene else asked)
            and set(scene["values"]) <= set(known)]
