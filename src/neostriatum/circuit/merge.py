"""Lay plain data over a circuit's: tables merge, what has one meaning as a whole replaces."""

from __future__ import annotations

import copy
from typing import Any

from neostriatum.circuit.aliases import canonical
from neostriatum.circuit.cell import Cell
from neostriatum.circuit.course import SHAPES
from neostriatum.circuit.drive import Channel
from neostriatum.circuit.modulator import DOPAMINE, KINDS, is_computed
from neostriatum.circuit.parameters import NamedParameters
from neostriatum.circuit.path import inner
from neostriatum.circuit.pathway import DistanceLaw
from neostriatum.circuit.value import Provenance
from neostriatum.circuit.volume import Volume, reshaped


def merged(kinds: list[Any], base: Any, change: Any) -> Any:
    """Merge tables; a value, a time course, a channel and a wiring rule replace what was there.

    So do a receptor and a release of another model, and the parameters of a cell type of another.

    Parameters
    ----------
    kinds : list of types
        What ``base`` may be: [Circuit] for a whole circuit.
    base, change : plain data
        Neither is changed.
    """
    if not isinstance(base, dict) or not isinstance(change, dict) or _is_whole(kinds, base, change):
        return copy.deepcopy(change)
    result = dict(base)
    if Cell in kinds and change.get("model", base.get("model")) != base.get("model"):
        # What parameters mean is the model's.
        result = {key: value for key, value in base.items() if key not in ("rule", "parameters")}
    if Volume in kinds and "shape" in change:
        result = reshaped(base, change["shape"])
    for name, value in change.items():
        key = our_name(result, name)
        result[key] = merged(inner(kinds, key), result.get(key), value)
    return result


def has_source(kinds: list[Any]) -> bool:
    """Return whether a value of one of ``kinds`` can say where it comes from."""
    return any(isinstance(kind, type) and issubclass(kind, Provenance) for kind in kinds)


def our_name(at: Any, key: str) -> str:
    """Return the key of ``at`` that ``key`` means: itself, or a cell type given by an alias."""
    if isinstance(at, dict) and key not in at:
        for mark in ("->", "-"):
            ours = mark.join(canonical(part) for part in key.split(mark))
            if ours in at:
                return ours
    return key


def _is_whole(kinds: list[Any], base: dict[str, Any], change: dict[str, Any]) -> bool:
    named = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, NamedParameters)]
    if named and "model" in change:
        return change["model"] != (base.get("model") or named[0]._usual)
    if DistanceLaw in kinds:
        return "rule" in change
    return Channel in kinds or (has_source(kinds) and not {"value", *SHAPES}.isdisjoint(change))


def overlaid(whole: Any, base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """Merge the data of a circuit with those of a part of an overlay, or of one that extends it.

    The levels of D1 and D2 come under their older keys. How a level is computed is merged with how
    it was only where that is of the same kind, and takes the place of a level that was given.
    """
    base, modulators = dict(base), dict(base.get("modulators", {}))
    for name, one in (change.get("modulators") or {}).items() \
            if isinstance(change.get("modulators"), dict) else ():
        if is_computed(one):
            before = modulators.get(name) or {}
            modulators[name] = before if is_computed(before) and _kind(before) == _kind(one) else {
                key: value for key, value in before.items() if key == "reference"}
            base["dopamine"] = {key: value for key, value in base.get("dopamine", {}).items()
                                if key != DOPAMINE.get(name)}
    if modulators:
        base["modulators"] = modulators
    return merged([whole], base, _older(change, modulators))


def _kind(raw: dict[str, Any]) -> str:
    return next(key for key in KINDS if raw.get(key) is not None)


def _older(change: dict[str, Any], below: dict[str, Any]) -> dict[str, Any]:
    """Return a part of an overlay with the levels of D1 and D2 under their older keys."""
    new, old = change.get("modulators"), change.get("dopamine", {})
    if not isinstance(new, dict) or not isinstance(old, dict):
        return change
    levels = {DOPAMINE[name]: one["level"] for name, one in new.items()
              if name in DOPAMINE and isinstance(one, dict) and "level" in one
              and not is_computed(one) and not is_computed(below.get(name))}
    rest = {name: {key: value for key, value in one.items() if key != "level"}
            if DOPAMINE.get(name) in levels else one for name, one in new.items()}
    # One level in both spellings is left as it is, and refused.
    return change if set(levels) & set(old) else (
        change | {"modulators": rest, "dopamine": old | levels})
