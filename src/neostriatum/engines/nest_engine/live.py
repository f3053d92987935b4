"""What can change while NEST runs: numbers of compiled cells and of synapses, by their keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neostriatum.engines.nest_engine.course_players import overfull
from neostriatum.errors import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neostriatum.circuit.model import Circuit

#: Keys whose values can change; a star stands for any name.
LIVE = ("dopamine.*", "modulators.*.level", "inputs.*.targets.*.rate",
        "inputs.*.targets.*.current", "inputs.*.targets.*.conductance.*",
        "pathways.*.conductance.*", "cells.*.parameters.*", "axons.*.rate", "axons.*.slow",
        "axons.*.packets", "axons.*.channels.*.rate")
#: What a circuit tells of itself, which no engine computes with.
_TOLD = ("name", "summary", "left_out", "pools")
_ORIGIN = ("source", "how", "note")


def refusal(old: Circuit, new: Circuit) -> str | None:
    """Return why NEST cannot go on from one circuit to another, None if it can.

    Parameters
    ----------
    old, new : Circuit
        What runs, and what shall run from the next step on.
    """
    for name, modulator in new.modulators.items():
        before = old.modulators.get(name)
        if before != modulator and (modulator.is_free or (before and before.is_free)):
            return (f"engine nest: modulators.{name}.level: a level cannot be clamped or let go "
                    "while a run goes on. Use the engine numba")
    for path, before, after in _differences(_values(old), _values(new), ()):
        # Another receptor would be another synapse.
        fixed = "conductance" in path and (before is None or after is None)
        if fixed or not any(_matches(path, pattern.split(".")) for pattern in LIVE):
            return (f"engine nest: {'.'.join(path)} cannot change while a run goes on (got "
                    f"{shown('none' if after is None else after)}). Use the engine numba")
    return _of_sources(old, new) or overfull(new)


def _of_sources(old: Circuit, new: Circuit) -> str | None:
    """Return why the sources of recorded spikes and of shared trains cannot follow."""
    before = dict(_sources(old))
    for name, target in _sources(new):
        shared = target.rate is None or target.shared_trains or _has_mother(target)
        if shared and _weights(target) != _weights(before[name]):
            return (f"engine nest: inputs.{name}.conductance cannot change while a run goes on, "
                    "as its trains are recorded or shared. Use the engine numba")
    groups = _mothers(old)
    for group in _mothers(new):
        if group not in groups:
            return (f"engine nest: inputs.{group[0]}.rate cannot change alone, as the types of a "
                    "mother train have one rate. Set them in one event, or use the engine numba")
    return None


def _mothers(circuit: Circuit) -> list[list[str]]:
    """Return the targets that listen to each mother train."""
    groups: dict[Any, list[str]] = {}
    for name, target in _sources(circuit):
        if target.rate is not None and _has_mother(target):
            mean = target.afferents * target.correlation.between.value
            key = name.split(".")[0], target.channel, mean, target.rate
            groups.setdefault(key, []).append(name)
    return [sorted(group) for group in groups.values()]


def _has_mother(target: Any) -> bool:
    return (target.correlation.between.value > 0 and target.process != "binomial"
            and not target.shared_trains)


def _weights(target: Any) -> dict[str, float]:
    return {receptor: g.value for receptor, g in target.conductance.items()}


def _sources(circuit: Circuit) -> Iterator[tuple[str, Any]]:
    """Give the targets of all inputs but currents."""
    for name, entry in circuit.inputs.items():
        for kind, target in entry.targets.items():
            if target.current is None:
                yield f"{name}.targets.{kind}", target


def _values(circuit: Circuit) -> dict[str, Any]:
    """Return the values of a circuit without their origin; a current's target is one value."""
    raw = {key: _plain(value) for key, value in circuit.to_dict().items() if key not in _TOLD}
    for entry in raw.get("inputs", {}).values():
        for kind, target in entry["targets"].items():
            if "current" in target:
                entry["targets"][kind] = {"current": list(target.items())}
    return raw


def _plain(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    for alone in ("value", "constant"):
        if alone in value:
            return value[alone]
    return {key: _plain(part) for key, part in value.items() if key not in _ORIGIN}


def _differences(old: Any, new: Any,
                 path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """Give path, old and new value of everything that differs, None where there is none."""
    if isinstance(old, dict) or isinstance(new, dict):
        ours = old if isinstance(old, dict) else {}
        theirs = new if isinstance(new, dict) else {}
        for key in dict.fromkeys([*ours, *theirs]):
            yield from _differences(ours.get(key), theirs.get(key), (*path, key))
    elif old != new:
        yield path, old, new


def _matches(path: tuple[str, ...], pattern: list[str]) -> bool:
    """Return whether a path begins as a pattern does."""
    return len(path) >= len(pattern) and all(
        part in ("*", name) for part, name in zip(pattern, path, strict=False))
