"""Read circuits: presets by name, files by path, overlays on top, single values replaced."""

from __future__ import annotations

import copy
import json
import os
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from functools import reduce
from importlib.resources import files
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any, NoReturn

from pydantic import ValidationError

from neostriatum.circuit.cell import canonical
from neostriatum.circuit.course import SHAPES
from neostriatum.circuit.drive import Channel
from neostriatum.circuit.explain import one_line
from neostriatum.circuit.folder import inside
from neostriatum.circuit.model import Circuit
from neostriatum.circuit.modulator import DOPAMINE
from neostriatum.circuit.path import inner
from neostriatum.circuit.pathway import Delay, DistanceLaw
from neostriatum.circuit.plain import plain
from neostriatum.circuit.value import Provenance
from neostriatum.circuit.volume import Volume, reshaped
from neostriatum.errors import CircuitError, shown

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_BYTES = 1_000_000
MAX_DEPTH = 16
MAX_ENTRIES = 10_000


def presets() -> list[str]:
    """Return the names of the circuits that come with the package."""
    return _packaged("presets")


def overlays() -> list[str]:
    """Return the names of the overlays that come with the package."""
    return _packaged("overlays")


def load(
    circuit: str | os.PathLike[str] | Mapping[str, Any] | Circuit = "striatum",
    overlay: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] = (),
    changes: Mapping[str, Any] | None = None,
    folder: Path | None = None,
) -> Circuit:
    """Load a circuit, apply overlays, then replace single values.

    Parameters
    ----------
    circuit : str, path, dict or Circuit
        A preset's name, a TOML or JSON file, or the same as nested dicts, of which numbers may be
        NumPy's and quantities of pint, Brian2, ``quantities`` or astropy.
    overlay : str, path or list of them
        Overlay names or files; ``"parkinsonian.rewiring"`` takes one part.
    changes : dict, optional
        ``{"cells.dSPN.parameters.C": "16 pF"}``.
    folder : Path, optional
        Where the spike and mesh files of a circuit given as a dict lie.

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
    where, raw, found = _source(circuit)
    made = _validated(where, raw, folder or found)
    for part in _listed(overlay):
        made = _overlaid(made, part)
    return replaced(made, changes, where) if changes else made


def _listed(overlay: Any) -> list[str]:
    """Return the names of one overlay or of several."""
    several = hasattr(overlay, "__iter__") and not isinstance(overlay, (str, bytes))
    names = [_named(part) for part in (overlay if several else [overlay])]
    if None in names:
        _refuse("overlay", f"must be a name, a path or a list of them (got {shown(overlay)})")
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
        _refuse(where, f"changes must be a dict of keys and values (got {shown(changes)})")
    if "volume.shape" in changes:
        raw["volume"] = reshaped(raw["volume"], changes["volume.shape"])
    raw = _with_modulators(raw)
    for path, value in changes.items():
        _put(where, raw, str(path), plain(value))
    return _validated(where, raw, circuit._folder)


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


def read_data(path: Path, kind: str = "circuit") -> Any:
    """Return the plain data of a TOML or JSON file, within the limits of size and depth.

    Raises
    ------
    CircuitError
        Unreadable, too large, too deep, or not valid TOML or JSON.
    """
    try:
        with path.open("rb") as handle:
            data = handle.read(MAX_BYTES + 1)
    except OSError as error:
        _refuse(path.name, f"cannot be read ({error.strerror or error})")
    if len(data) > MAX_BYTES:
        _refuse(path.name, f"a {kind} file is at most 1 MB (got {path.stat().st_size} bytes)")
    try:
        text = data.decode("utf-8-sig")
        raw = _json(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except RecursionError:
        _refuse(path.name, f"nested deeper than {MAX_DEPTH} levels")
    except UnicodeDecodeError:
        _refuse(path.name, "is not UTF-8 text")
    except ValueError as error:
        kind = "JSON" if path.suffix.lower() == ".json" else "TOML"
        _refuse(path.name, f"is not valid {kind} ({' '.join(str(error).split())})")
    _limit(path.name, raw)
    return raw


def _json(text: str) -> Any:
    """Read JSON as strictly as TOML is read: no key twice, no NaN or Infinity."""

    def table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                msg = f"the key {shown(key)} stands there twice"
                raise ValueError(msg)
            found[key] = value
        return found

    def constant(name: str) -> NoReturn:
        msg = f"{name} is not a number of JSON"
        raise ValueError(msg)

    raw = json.loads(text, object_pairs_hook=table, parse_constant=constant)
    json.dumps(raw, ensure_ascii=False).encode()  # refuses half of a surrogate pair
    return raw


def _source(circuit: Any) -> tuple[str, Any, Path | None]:
    if isinstance(circuit, Circuit):
        return circuit.name, circuit.to_dict(), circuit._folder
    if isinstance(circuit, Mapping):
        raw = plain(circuit)
        _limit("circuit", raw)
        return str(raw.get("name", "circuit")), raw, None
    name = _named(circuit)
    if name is None:
        _refuse("circuit", f"must be a name, a path or a dict (got {shown(type(circuit))})")
    path = _find(name, "presets", "circuit")
    return path.name, read_data(path), path.parent.resolve()


def _find(name: str, folder: str, kind: str) -> Path:
    path = _expanded(name)
    if _is_path(name):
        if not _is_file(path):
            _refuse(name, f"no such {kind} file")
        return path
    known = _packaged(folder)
    if name not in known:
        if _is_file(path):
            return path
        near = get_close_matches(name.partition(".")[0], known, n=1) or [", ".join(known)]
        _refuse(name or '""', f"unknown {kind}. Known: {near[0]}")
    return Path(str(files("neostriatum.circuit") / folder / f"{name}.toml"))


def _expanded(name: str) -> Path:
    """Return a path, with the home folder for ``~``, which no shell sees in Python."""
    try:
        return Path(name).expanduser()
    except RuntimeError:  # no such user
        return Path(name)


def _is_path(name: str) -> bool:
    """Return whether a name can only be a file's."""
    return name.lower().endswith((".toml", ".json")) or "/" in name or os.sep in name


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name too long, or with a null character
        return False


def _packaged(folder: str) -> list[str]:
    found = (files("neostriatum.circuit") / folder).iterdir()
    return sorted(entry.name[:-5] for entry in found if entry.name.endswith(".toml"))


def _overlaid(circuit: Circuit, overlay: str) -> Circuit:
    name, _, part = overlay.partition(".")
    if _is_path(overlay) or name not in overlays():
        name, part = overlay, ""
    path = _find(name, "overlays", "overlay")
    said = read_data(path)
    extra = set(said) - {"name", "summary", "parts"} if isinstance(said, dict) else set()
    if extra or not isinstance(said, dict) or not isinstance(said.get("parts"), dict):
        _refuse(path.name, "an overlay has name, summary and parts"
                + (f" (got {shown(sorted(extra)[0])})" if extra else ""))
    parts = said["parts"]
    if part and part not in parts:
        near = get_close_matches(part, parts, n=1) or [", ".join(parts)]
        _refuse(path.name, f"unknown part (got {shown(part)}). Known: {shown(near[0])}")
    raw = circuit.to_dict()
    for key, change in parts.items():
        if not isinstance(change, dict):
            _refuse(path.name, f"parts.{shown(key)}: must be a table (got {shown(change)})")
        if not part or key == part:
            raw = _merged([Circuit], raw, _older(change))
    return _validated(path.name, raw, circuit._folder)


def _older(change: dict[str, Any]) -> dict[str, Any]:
    """Return a part of an overlay with the levels of D1 and D2 under their older keys."""
    new, old = change.get("modulators"), change.get("dopamine", {})
    if not isinstance(new, dict) or not isinstance(old, dict):
        return change
    levels = {DOPAMINE[name]: one["level"] for name, one in new.items()
              if name in DOPAMINE and isinstance(one, dict) and "level" in one}
    rest = {name: {key: value for key, value in one.items() if key != "level"}
            if DOPAMINE.get(name) in levels else one for name, one in new.items()}
    # One level in both spellings is left as it is, and refused.
    return change if set(levels) & set(old) else (
        change | {"modulators": rest, "dopamine": old | levels})


def _merged(kinds: list[Any], base: Any, change: Any) -> Any:
    """Merge tables; a value, a time course, a channel and a wiring rule replace what was there."""
    if not isinstance(base, dict) or not isinstance(change, dict) or _is_whole(kinds, change):
        return copy.deepcopy(change)
    merged = dict(base)
    if Volume in kinds and "shape" in change:
        merged = reshaped(base, change["shape"])
    for name, said in change.items():
        key = _our_name(merged, name)
        merged[key] = _merged(inner(kinds, key), merged.get(key), said)
    return merged


def _is_whole(kinds: list[Any], change: dict[str, Any]) -> bool:
    if DistanceLaw in kinds:
        return "rule" in change
    return Channel in kinds or (_has_source(kinds) and not {"value", *SHAPES}.isdisjoint(change))


def _kinds(path: Iterable[str]) -> list[Any]:
    return reduce(inner, path, [Circuit])


def _has_source(kinds: list[Any]) -> bool:
    return any(isinstance(kind, type) and issubclass(kind, Provenance) for kind in kinds)


def _our_name(at: Any, key: str) -> str:
    """Return the key of ``at`` that ``key`` means: itself, or a cell type given by an alias."""
    if isinstance(at, dict) and key not in at:
        for mark in ("->", "-"):
            ours = mark.join(canonical(part) for part in key.split(mark))
            if ours in at:
                return ours
    return key


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
    while last in ("value", "constant") and _has_source(_kinds(folders)):
        # A number alone must not keep the source of the one it replaces.
        *folders, last = folders
    at: Any = raw
    for key in folders:
        at = _step(where, path, at, key)
    kinds = _kinds([*folders, last])
    if not isinstance(value, (bool, dict, list, NoneType)) and (
            _has_source(kinds) or Delay in kinds):
        value = {"value": value, "source": "override", "how": "override"}
    if isinstance(at, list):
        at[_index(where, path, at, last)] = value
    elif isinstance(at, dict):
        at[_our_name(at, last)] = value
    else:
        _refuse(where, f"{shown(path)}: unknown key (nothing lies below {folders[-1]})")


def _step(where: str, path: str, at: Any, key: str) -> Any:
    if isinstance(at, list):
        return at[_index(where, path, at, key)]
    key = _our_name(at, key)
    if isinstance(at, dict) and key in at:
        return at[key]
    known = list(at) if isinstance(at, dict) else []
    near = get_close_matches(key, known, n=1) or [", ".join(known) or "none"]
    _refuse(where, f'{shown(path)}: unknown key (got "{shown(key)}"). Known: {shown(near[0])}')


def _index(where: str, path: str, at: list[Any], key: str) -> int:
    if not (key.isascii() and key.isdigit()) or len(key) > 6 or int(key) >= len(at):
        rule = f"must be an index below {len(at)}"
        _refuse(where, f"{shown(path)}: {rule} (got {shown(key)})")
    return int(key)


def _validated(where: str, raw: Any, folder: Path | None) -> Circuit:
    from neostriatum.circuit.recorded import read_spikes

    if not isinstance(raw, dict):
        _refuse(where, "must be a table of keys")
    try:
        circuit = Circuit.model_validate(raw)
    except ValidationError as error:
        _refuse(where, one_line(error, Circuit))
    except UnicodeEncodeError:
        _refuse(where, "holds half of a surrogate pair, which is not text")
    _limit(where, circuit.to_dict())  # as when it is read again, from a run or a network
    circuit._folder = folder
    if circuit.volume.file is not None:
        inside(f"{where}: volume", circuit.volume.file, folder)
    for name, entry in circuit.inputs.items():
        for cell, target in entry.targets.items():
            if target.spikes is not None and target.spikes._events is None:
                label = f"{where}: inputs.{name}.targets.{cell}.spikes"
                target.spikes._events = read_spikes(label, target.spikes, folder)
    return circuit


def _limit(where: str, raw: Any) -> None:
    entries, todo = 0, [(raw, 1)]
    while todo:
        at, depth = todo.pop()
        if depth > MAX_DEPTH:
            _refuse(where, f"nested deeper than {MAX_DEPTH} levels")
        inner = list(at.values()) if isinstance(at, dict) else at if isinstance(at, list) else []
        entries += len(inner)
        if entries > MAX_ENTRIES:
            _refuse(where, f"more than {MAX_ENTRIES} entries")
        todo.extend((one, depth + 1) for one in inner if isinstance(one, (dict, list)))


def _refuse(where: str, rule: str) -> NoReturn:
    msg = " ".join(f"{shown(where)}: {rule}".split())
    raise CircuitError(msg if len(msg) <= 200 else msg[:197] + "...")
