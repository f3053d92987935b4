"""How to run a run again without its folder: the command, where a preset gives its circuit."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from neostriatum.circuit.catalogue import overlays, presets
from neostriatum.circuit.load import load
from neostriatum.circuit.modulator import DOPAMINE
from neostriatum.errors import CircuitError
from neostriatum.recording.record import parsed

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit
    from neostriatum.recording.checked import Record


def command(circuit: Circuit, record: Record, duration_ms: float) -> str | None:
    """Return the command that gives the same spikes anywhere, None where only the folder can.

    Of a run with events it reads them from ``events.toml``, the file that the report shows.

    A circuit may have the name of a preset and be another one, so what the command would resolve to
    is compared with what was simulated.
    """
    # A record may come from a stranger, so no file that it names is read.
    ours = {one.split(".")[0] for one in record.overlay} <= set(overlays(circuit.name))
    drawn = record.network is None and record.network_seed == record.seed
    if circuit.name not in presets() or not drawn or not ours:
        return None
    changes = {key: parsed(text) for key, text in record.changes.items()}
    try:
        plain = load(circuit.name, overlay=record.overlay, changes=changes)
        more, options = _options(plain, circuit)
        again = plain if not more else load(circuit.name, overlay=record.overlay,
                                            changes=changes | more)
    except CircuitError:
        return None
    if again != circuit:
        return None
    words = ["neostriatum", "run", circuit.name, *_settings(record, duration_ms), *options]
    words += [word for one in record.overlay for word in ("--overlay", one)]
    words += [word for key, text in record.changes.items() for word in ("--set", f"{key}={text}")]
    words += ["--events", "events.toml"] if record.events else []
    return shlex.join(words)


def _duration(duration_ms: float) -> str:
    long = f"{duration_ms / 1000:g}"
    if duration_ms >= 1000 and float(long) * 1000 == duration_ms:
        return f"{long} s"
    short = f"{duration_ms:g}"
    return f"{short if float(short) == duration_ms else repr(duration_ms)} ms"


def _settings(record: Record, duration_ms: float) -> list[str]:
    size = [] if record.size is None else ["--size", str(record.size)]
    return [*size, "--duration", _duration(duration_ms), "--seed", str(record.seed),
            "--engine", record.engine, "--precision", record.precision]


def _options(plain: Circuit, circuit: Circuit) -> tuple[dict[str, Any], list[str]]:
    """Return the changes that dt and dopamine need on top, and their options."""
    found: dict[str, Any] = {}
    if plain.dt != circuit.dt:
        found["dt"] = f"{circuit.dt.value!r} ms"
    for name, key in DOPAMINE.items():
        level = circuit.modulators[name].level
        if circuit.modulators[name].kind is not None or level is None:
            continue
        if level != plain.modulators[name].level and level.is_constant:
            found[f"dopamine.{key}"] = level.constant.value
    return found, [word for key, value in found.items()
                   for word in (f"--{key.removeprefix('dopamine.')}", str(value))]
