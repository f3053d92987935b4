"""Read circuits: presets by name, files by path, overlays on top, single values replaced."""

from __future__ import annotations

import os
from collections.abc import Mapping
from difflib import get_close_matches
from functools import reduce
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any

from neostriatum.circuit.catalogue import find, is_path, overlay_files, preset_files
from neostriatum.circuit.datafile import limit, read_data
from neostriatum.circuit.extends import Source, whole
from neostriatum.circuit.merge import has_source, merged, older, our_name
from neostriatum.circuit.model import Circuit
from neostriatum.circuit.modulator import DOPAMINE
from neostriatum.circuit.path import inner
from neostriatum.circuit.pathway import Delay
from neostriatum.circuit.plain import plain
from neostriatum.circuit.refusal import refuse
from neostriatum.circuit.validated import validated
from neostriatum.circuit.volume import reshaped
from neostriatum.errors import shown

if TYPE_CHECKING:
    from collections.abc import Iterable


def load(
    circuit: str | os.PathLike[str] | Mapping[str, Any] | Circuit = "striatum",
    overlay: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] = (),
    changes: Mapping[str, Any] | None = None,
    folder: Path | None = None,
) -> Circuit:
    """Load a circuit with what it extends, apply overlays, then replace single values.

    Parameters
    ----------
    circuit : str, path, dict or Circuit
        A preset's name, a TOML or JSON file, or the same as nested dicts, of which numbers may be
        NumPy's and quantities of pint, Brian2, ``quantities`` or astropy.
    overlay : str, path or list of them
        Files, or names of overlays of the preset that the circuit comes from;
        ``"parkinsonian.rewiring"`` takes one part.
    changes : dict, optional
        ``{"cells.dSPN.parameters.C": "16 pF"}``.
    folder : Path, optional
        Where the files lie that a circuit given as a dict names.

    Returns
    -------
    Circuit
        The validated circuit.

    Raises
    ------
    CircuitError
        Anything unreadable, unknown, out of range, or inconsistent; one line.

    Examples
    --------
    >>> load("striatum", overlay="parkinsonian.dopamine").dopamine.d2.constant.value
    0.0
    """
    source = _source(circuit, folder)
    result = validated(source.where, source.raw, source.folder, source.preset)
    for part in overlay_names(overlay):
        result = _overlaid(result, part)
    return replaced(result, changes, source.where) if changes else result


def overlay_names(overlay: Any) -> list[str]:
    """Return the names of one overlay or of several as texts.

    Raises
    ------
    CircuitError
        Something that is neither a name nor a path.
    """
    several = hasattr(overlay, "__iter__") and not isinstance(overlay, (str, bytes))
    names = [_named(part) for part in (overlay if several else [overlay])]
    if None in names:
        refuse("overlay", f"must be a name, a path or a list of them (got {shown(overlay)})")
    return [name for name in names if name is not None]


def _named(what: Any) -> str | None:
    """Return a name or a path as text; None if it is neither."""
    try:
        text = os.fspath(what)
    except TypeError:
        return None
    return text if isinstance(text, str) else None


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
        _put(where, raw, str(path), plain(value))
    return validated(where, raw, circuit._folder, circuit._preset)


def value_at(raw: dict[str, Any], path: str, where: str = "circuit") -> Any:
    """Return the plain value at a dotted path of `Circuit.to_dict`, without source and note.

    Raises
    ------
    CircuitError
        A path that does not exist.

    Examples
    --------
    >>> value_at(load("striatum").to_dict(), "inputs.cortex.targets.dSPN.rate.constant")
    '2.4 Hz'
    """
    *folders, last = _keys(path)
    if last not in ("value", "constant"):
        folders.append(last)
    at: Any = _with_modulators(raw)
    for key in folders:
        at = _step(where, path, at, key)
    while isinstance(at, dict) and (key := next((k for k in ("value", "constant") if k in at), "")):
        at = at[key]
    return at


def _source(circuit: Any, folder: Path | None) -> Source:
    """Return the data of a circuit, those of the circuit that it extends among them."""
    if isinstance(circuit, Circuit):
        return Source(circuit.name, circuit.to_dict(), folder or circuit._folder,
                      preset=circuit._preset)
    if isinstance(circuit, Mapping):
        raw = plain(circuit)
        limit("circuit", raw)
        return whole(Source(str(raw.get("name", "circuit")), raw, folder))
    name = _named(circuit)
    if name is None:
        refuse("circuit", f"must be a name, a path or a dict (got {shown(type(circuit))})")
    path = find(name, preset_files(), "circuit")
    path = path.parent.resolve() / path.name
    return whole(Source(path.name, read_data(path), folder or path.parent, path))


def _overlaid(circuit: Circuit, overlay: str) -> Circuit:
    known = overlay_files(circuit._preset)
    name, _, part = overlay.partition(".")
    if is_path(overlay) or name not in known:
        name, part = overlay, ""
    path = find(name, known, "overlay")
    said = read_data(path)
    extra = set(said) - {"name", "summary", "parts"} if isinstance(said, dict) else set()
    if extra or not isinstance(said, dict) or not isinstance(said.get("parts"), dict):
        refuse(path.name, "an overlay has name, summary and parts"
                + (f" (got {shown(sorted(extra)[0])})" if extra else ""))
    parts = said["parts"]
    if part and part not in parts:
        near = get_close_matches(part, parts, n=1) or [", ".join(parts)]
        refuse(path.name, f"unknown part (got {shown(part)}). Known: {shown(near[0])}")
    raw = circuit.to_dict()
    for key, change in parts.items():
        if not isinstance(change, dict):
            refuse(path.name, f"parts.{shown(key)}: must be a table (got {shown(change)})")
        if not part or key == part:
            raw = merged([Circuit], raw, older(change))
    return validated(path.name, raw, circuit._folder, circuit._preset)


def _kinds(path: Iterable[str]) -> list[Any]:
    return reduce(inner, path, [Circuit])


def _keys(path: str) -> list[str]:
    """Return the keys of a dotted path, the levels of D1 and D2 by their older ones."""
    keys = [key.strip('"') for key in path.split(".")]
    if keys[0] == "modulators" and keys[2:3] == ["level"] and keys[1] in DOPAMINE:
        return ["dopamine", DOPAMINE[keys[1]], *keys[3:]]
    return keys


def _with_modulators(raw: dict[str, Any]) -> dict[str, Any]:
    """Return the data of a circuit with every modulator, and the references that are 0."""
    known = {name: {} for name in DOPAMINE} | raw.get("modulators", {})
    return raw | {"modulators": {name: {"reference": 0.0} | one for name, one in known.items()}}


def _put(where: str, raw: dict[str, Any], path: str, value: Any) -> None:
    *folders, last = _keys(path)
    while last in ("value", "constant") and has_source(_kinds(folders)):
        # A number alone must not keep the source of the one it replaces.
        *folders, last = folders
    at: Any = raw
    for key in folders:
        at = _step(where, path, at, key)
    kinds = _kinds([*folders, last])
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
