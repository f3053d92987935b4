"""The names of a circuit file as ours: aliases of cell types, and one spelling of levels."""

from __future__ import annotations

from typing import Any

from neostriatum.circuit.aliases import canonical, in_order
from neostriatum.circuit.modulator import DOPAMINE, is_computed
from neostriatum.errors import shown


def in_our_names(raw: dict[str, Any]) -> dict[str, Any]:
    """Return a circuit's data with our names of cell types, wherever they stand.

    Raises
    ------
    ValueError
        Two names of one type, or two spellings of one level.
    """
    raw = dict(raw)
    for key in ("cells", "noise", "spread", "start"):
        raw[key] = renamed(raw.get(key, {}), key, canonical)
    if isinstance(raw["cells"], dict):
        raw["cells"] = {name: raw["cells"][name] for name in in_order(raw["cells"])}
    if isinstance(raw.get("pools"), dict):
        raw["pools"] = {name: [canonical(part) for part in members]
                        if isinstance(members, (list, tuple)) else members
                        for name, members in raw["pools"].items()}
    for key, mark in (("pathways", "->"), ("gap_junctions", "-")):
        raw[key] = renamed(raw.get(key, {}), key, lambda name, mark=mark: mark.join(
            canonical(part) for part in name.split(mark)))
    if isinstance(raw.get("inputs"), dict):
        raw["inputs"] = {
            name: {**said, "targets": renamed(
                said["targets"], f"inputs.{shown(name)}.targets", canonical)}
            if isinstance(said, dict) and isinstance(said.get("targets"), dict) else said
            for name, said in raw["inputs"].items()
        }
    if isinstance(raw.get("channels"), dict):
        raw["channels"] = {name: {**said, "of": [canonical(part) for part in said["of"]]}
                           if isinstance(said, dict) and isinstance(said.get("of"), list)
                           else said for name, said in raw["channels"].items()}
    if isinstance(raw.get("modulators"), dict):
        raw["modulators"] = {name: {**given, "released_by": canonical(given["released_by"])}
                             if isinstance(given, dict) and "released_by" in given else given
                             for name, given in raw["modulators"].items()}
    refuse_both_spellings(raw)
    return raw


def refuse_both_spellings(raw: dict[str, Any]) -> None:
    """Refuse the level of D1 or D2 in both of its spellings."""
    old, new = raw.get("dopamine"), raw.get("modulators")
    for name, key in DOPAMINE.items():
        given = new.get(name) if isinstance(new, dict) else None
        if is_computed(given) and isinstance(old, dict) and key in old:
            msg = (f"dopamine.{key}: {name} is computed, modulators.{name} (got a level). Clamp it "
                   f"with modulators.{name}.level")
            raise ValueError(msg)
        if isinstance(given, dict) and "level" in given and isinstance(old, dict) and key in old:
            msg = (f"modulators.{name}.level: is the newer spelling of dopamine.{key} "
                   "(got both). Give one of them")
            raise ValueError(msg)


def renamed(raw: Any, where: str, rename: Any) -> Any:
    """Return a table with its keys renamed; refuse two keys that mean one name."""
    if not isinstance(raw, dict):
        return raw
    named: dict[str, Any] = {}
    for key, said in raw.items():
        name = rename(str(key))
        if name in named:
            msg = f"{where}: two names mean {shown(name)} (got {shown(key)} as well)"
            raise ValueError(msg)
        named[name] = said
    return named
