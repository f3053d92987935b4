"""How to run a run again: on the command line where a preset gives its circuit, and in Python."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

from neostriatum.circuit.load import load, overlays, presets
from neostriatum.errors import CircuitError

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit
    from neostriatum.recording.checked import Record


def command(circuit: Circuit, record: Record) -> str | None:
    """Return the command that gives the same spikes anywhere, None where only the folder can.

    A circuit may have the name of a preset and be another one, so what the command would resolve to
    is compared with what was simulated.
    """
    # A record may come from a stranger, so no file that it names is read.
    ours = {one.split(".")[0] for one in record.overlay} <= set(overlays())
    if circuit.name not in presets() or record.network is not None or not ours:
        return None
    changes = {key: _parsed(text) for key, text in record.changes.items()}
    try:
        plain = load(circuit.name, overlay=record.overlay, changes=changes)
        more, options = _options(plain, circuit)
        again = plain if not more else load(circuit.name, overlay=record.overlay,
                                            changes=changes | more)
    except CircuitError:
        return None
    if again != circuit:
        return None
    words = ["neostriatum", "run", circuit.name, *_settings(record), *options]
    words += [word for one in record.overlay for word in ("--overlay", one)]
    words += [word for key, text in record.changes.items() for word in ("--set", f"{key}={text}")]
    return shlex.join(words)


def python(folder: str, record: Record) -> str:
    """Return the lines of Python that run the folder's circuit again and compare the spikes."""
    network = "" if record.network is None else f"network={_text(record.network)}, "
    size = "" if record.size is None else f"size={record.size}, "
    return "\n".join([
        "import neostriatum as ns",
        "",
        f"circuit = ns.Run({_text(folder)}).circuit",
        f"again = ns.run(circuit, {network}{size}duration={_text(_duration(record))},",
        f"               seed={record.seed}, engine={_text(record.engine)}, "
        f"precision={_text(record.precision)})",
        f"assert again.summary[\"spike_hash\"] == {_text(record.summary.spike_hash)}",
    ])


def _text(text: str) -> str:
    """Return a text as a literal of Python, in double quotes."""
    return json.dumps(text, ensure_ascii=False)


def _duration(record: Record) -> str:
    short = f"{record.duration_ms:g}"
    return f"{short if float(short) == record.duration_ms else repr(record.duration_ms)} ms"


def _settings(record: Record) -> list[str]:
    size = [] if record.size is None else ["--size", str(record.size)]
    return [*size, "--duration", _duration(record), "--seed", str(record.seed), "--engine",
            record.engine, "--precision", record.precision]


def _options(plain: Circuit, circuit: Circuit) -> tuple[dict[str, Any], list[str]]:
    """Return the changes that dt and dopamine need on top, and their options."""
    found: dict[str, Any] = {}
    if plain.dt != circuit.dt:
        found["dt"] = f"{circuit.dt.value!r} ms"
    for key in ("d1", "d2"):
        level = getattr(circuit.dopamine, key)
        if level != getattr(plain.dopamine, key) and level.is_constant:
            found[f"dopamine.{key}"] = level.constant.value
    return found, [word for key, value in found.items()
                   for word in (f"--{key.removeprefix('dopamine.')}", str(value))]


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
