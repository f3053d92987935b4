"""Replace single values of a circuit, and read them, by dotted paths."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from functools import reduce
from types import NoneType
from typing import TYPE_CHECKING, Any

from neostriatum.circuit.declared import up_to_date
from neostriatum.circuit.merge import has_source, our_name
from neostriatum.circuit.modulator import DOPAMINE, is_computed
from neostriatum.circuit.path import inner
from neostriatum.circuit.pathway import Delay
from neostriatum.circuit.plain import plain
from neostriatum.circuit.refusal import refuse
from neostriatum.circuit.validated import validated
from neostriatum.circuit.volume import reshaped
from neostriatum.errors import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from neostriatum.circuit.model import Circuit

#: Sections whose entries say nothing of each other until the whole circuit is checked, and name no
#: files, which are read anew.
CHECKED = ("cells", "receptors", "pathways", "gap_junctions")


def replaced(circuit: Circuit, changes: Mapping[str, Any], where: str | None = None) -> Circuit:
    """Return ``circuit`` with the values at dotted paths replaced; see `Circuit.replace`."""
    where = where or circuit.name
    raw = circuit.to_dict()
    if not isinstance(changes, Mapping):
        refuse(where, f"changes must be a dict of keys and values (got {shown(changes)})")
    if "volume.shape" in changes:
        raw["volume"] = reshaped(raw["volume"], changes["volume.shape"])
    raw = _with_modulators(raw)
    for path, value in changes.items():
        _put(type(circuit), where, raw, str(path), plain(value))
    kept = _kept(circuit, raw, [_keys(raw, str(path)) for path in changes])
    return validated(type(circuit), where, kept, circuit._folder, circuit._preset)


def value_at(raw: dict[str, Any], path: str, where: str = "circuit") -> Any:
    """Return the plain value at a dotted path of `Circuit.to_dict`, without source and note.

    Raises
    ------
    CircuitError
        A path that does not exist.

    Examples
    --------
    >>> from neostriatum.circuit.load import load
    >>> value_at(load("striatum_v1").to_dict(), "inputs.cortex.targets.dSPN.rate.constant")
    '2.4 Hz'
    """
    *folders, last = _keys(raw, path)
    if last not in ("value", "constant"):
        folders.append(last)
    at: Any = _with_modulators(raw)
    for key in folders:
        at = _step(where, path, at, key)
    while isinstance(at, dict) and (key := next((k for k in ("value", "constant") if k in at), "")):
        at = at[key]
    return at


def _kinds(whole: type[Circuit], path: Iterable[str]) -> list[Any]:
    return reduce(inner, path, [whole])


def _keys(raw: dict[str, Any], path: str) -> list[str]:
    """Return the keys of a dotted path, the levels of D1 and D2 by their older ones if given."""
    keys = [key.strip('"') for key in path.split(".")]
    if keys[0] == "modulators" and keys[2:3] == ["level"] and keys[1] in DOPAMINE and not (
            is_computed(raw.get("modulators", {}).get(keys[1]))):
        return ["dopamine", DOPAMINE[keys[1]], *keys[3:]]
    return keys


def _with_modulators(raw: dict[str, Any]) -> dict[str, Any]:
    """Return the data of a circuit with every modulator, and the references that are 0."""
    known = {name: {} for name in DOPAMINE} | raw.get("modulators", {})
    return raw | {"modulators": {name: {"reference": 0.0, "regions": {}} | one
                                 for name, one in known.items()}}


def _kept(circuit: Circuit, raw: dict[str, Any], changed: list[list[str]]) -> dict[str, Any]:
    """Return the data with the circuit's own entries where nothing changed: they were checked."""
    if not up_to_date(circuit):
        return raw
    entries = {section: dict(raw[section]) for section in CHECKED
               if section in raw and [section] not in changed}
    for section, own in entries.items():
        touched = {our_name(own, keys[1]) for keys in changed if keys[0] == section}
        own.update({name: getattr(circuit, section)[name] for name in own if name not in touched})
    return raw | entries


def _put(whole: type[Circuit], where: str, raw: dict[str, Any], path: str, value: Any) -> None:
    *folders, last = _keys(raw, path)
    while last in ("value", "constant") and has_source(_kinds(whole, folders)):
        # A number alone must not keep the source of the one it replaces.
        *folders, last = folders
    at: Any = raw
    for key in folders:
        at = _step(where, path, at, key)
    kinds = _kinds(whole, [*folders, last])
    if not isinstance(value, (bool, dict, list, NoneType)) and (
            has_source(kinds) or Delay in kinds):
        value = {"value": value, "source": "override", "how": "override"}
    if isinstance(at, list):
        at[_index(where, path, at, last)] = value
    elif isinstance(at, dict):
        at[our_name(at, last)] = value
    else:
        refuse(where, f"{shown(path)}: unknown key (nothing lies below {folders[-1]})")


def _step(where: str, path: str, at: Any, key: str) -> Any:
    if isinstance(at, list):
        return at[_index(where, path, at, key)]
    key = our_name(at, key)
    if isinstance(at, dict) and key in at:
        return at[key]
    known = list(at) if isinstance(at, dict) else []
    near = get_close_matches(key, known, n=1) or [", ".join(known) or "none"]
    refuse(where, f'{shown(path)}: unknown key (got "{shown(key)}"). Known: {shown(near[0])}')


def _index(where: str, path: str, at: list[Any], key: str) -> int:
    if not (key.isascii() and key.isdigit()) or len(key) > 6 or int(key) >= len(at):
        rule = f"must be an index below {len(at)}"
        refuse(where, f"{shown(path)}: {rule} (got {shown(key)})")
    return int(key)
