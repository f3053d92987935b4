"""Read circuits: presets by name, files by path, overlays on top, single values replaced."""

from __future__ import annotations

import copy
import json
import tomllib
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from pydantic import ValidationError

from neostriatum.circuit.explain import one_line
from neostriatum.circuit.model import Circuit
from neostriatum.errors import CircuitError, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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
    circuit: str | Path | Mapping[str, Any] | Circuit = "striatum",
    overlay: str | Path | Iterable[str | Path] = (),
    changes: Mapping[str, Any] | None = None,
    folder: Path | None = None,
) -> Circuit:
    """Load a circuit, apply overlays, then replace single values.

    Parameters
    ----------
    circuit : str, Path, dict or Circuit
        A preset's name, a TOML or JSON file, or the same as nested dicts.
    overlay : str, Path or list of them
        Overlay names or files; ``"parkinsonian.rewiring"`` takes one part.
    changes : dict, optional
        ``{"cells.dSPN.parameters.C": "16 pF"}``.
    folder : Path, optional
        Where the spike files of a circuit given as a dict lie.

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
    named = [overlay] if isinstance(overlay, (str, Path)) else list(overlay)
    for one in named:
        raw = _overlaid(raw, one)
    made = _validated(where, raw, folder or found)
    return replaced(made, changes, where) if changes else made


def replaced(circuit: Circuit, changes: Mapping[str, Any], where: str | None = None) -> Circuit:
    """Return ``circuit`` with the values at dotted paths replaced; see `Circuit.replace`."""
    where = where or circuit.name
    raw = circuit.to_dict()
    for path, value in changes.items():
        _put(where, raw, path, value)
    return _validated(where, raw, circuit._folder)


def read_data(path: Path) -> Any:
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
        _refuse(path.name, f"a circuit file is at most 1 MB (got {path.stat().st_size} bytes)")
    try:
        text = data.decode("utf-8")
        raw = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except RecursionError:
        _refuse(path.name, f"nested deeper than {MAX_DEPTH} levels")
    except (ValueError, tomllib.TOMLDecodeError) as error:
        _refuse(path.name, f"is not valid {path.suffix[1:].upper() or 'TOML'} ({shown(error)})")
    _limit(path.name, raw)
    return raw


def _source(circuit: Any) -> tuple[str, Any, Path | None]:
    if isinstance(circuit, Circuit):
        return circuit.name, circuit.to_dict(), circuit._folder
    if isinstance(circuit, dict):
        _limit("circuit", circuit)
        return str(circuit.get("name", "circuit")), copy.deepcopy(circuit), None
    if not isinstance(circuit, (str, Path)):
        _refuse("circuit", f"must be a name, a path or a dict (got {shown(type(circuit))})")
    path = _find(circuit, "presets", "circuit")
    return path.name, read_data(path), path.parent.resolve()


def _find(name: str | Path, folder: str, kind: str) -> Path:
    path = Path(name)
    if path.suffix in (".toml", ".json") or "/" in str(name):
        if not path.is_file():
            _refuse(str(name), f"no such {kind} file")
        return path
    known = _packaged(folder)
    if str(name) not in known:
        if path.is_file():
            return path
        near = get_close_matches(str(name), known, n=1) or [", ".join(known)]
        _refuse(shown(name), f"unknown {kind}. Known: {near[0]}")
    return Path(str(files("neostriatum.circuit") / folder / f"{name}.toml"))


def _packaged(folder: str) -> list[str]:
    found = (files("neostriatum.circuit") / folder).iterdir()
    return sorted(entry.name[:-5] for entry in found if entry.name.endswith(".toml"))


def _overlaid(raw: dict[str, Any], overlay: str | Path) -> dict[str, Any]:
    name, _, part = str(overlay).partition(".")
    if part in ("toml", "json") or "/" in str(overlay):
        name, part = str(overlay), ""
    path = _find(name, "overlays", "overlay")
    said = read_data(path)
    extra = set(said) - {"name", "summary", "parts"}
    if extra or not isinstance(said.get("parts"), dict):
        _refuse(path.name, "an overlay has name, summary and parts" +
                (f" (got {sorted(extra)[0]})" if extra else ""))
    if part and part not in said["parts"]:
        _refuse(path.name, f"unknown part (got {shown(part)}). Known: {', '.join(said['parts'])}")
    for key, change in said["parts"].items():
        if not part or key == part:
            raw = _merged(path.name, raw, change)
    return raw


_LEAF = {"value", "constant", "pulse", "ramp", "sine", "table", "rule"}


def _merged(where: str, base: Any, change: Any) -> Any:
    """Merge tables; a value, a time course and a whole wiring rule replace what was there."""
    if not isinstance(base, dict) or not isinstance(change, dict) or _LEAF & set(change):
        return copy.deepcopy(change)
    merged = dict(base)
    for key, said in change.items():
        merged[key] = _merged(where, base[key], said) if key in base else copy.deepcopy(said)
    return merged


def _put(where: str, raw: dict[str, Any], path: str, value: Any) -> None:
    *folders, last = path.split(".")
    at: Any = raw
    for key in folders:
        at = _step(where, path, at, key)
    if isinstance(at, list):
        at[_index(where, path, at, last)] = _overridden(value)
    elif isinstance(at, dict):
        at[last] = _overridden(value)
    else:
        _refuse(where, f"{path}: unknown key (nothing lies below {'.'.join(folders)})")


def _step(where: str, path: str, at: Any, key: str) -> Any:
    if isinstance(at, list):
        return at[_index(where, path, at, key)]
    if isinstance(at, dict) and key in at:
        return at[key]
    known = list(at) if isinstance(at, dict) else []
    near = get_close_matches(key, known, n=1) or [", ".join(known)]
    _refuse(where, f'{path}: unknown key (got "{shown(key)}"). Known: {shown(near[0])}')


def _index(where: str, path: str, at: list[Any], key: str) -> int:
    if not key.isdigit() or int(key) >= len(at):
        _refuse(where, f"{path}: must be an index below {len(at)} (got {shown(key)})")
    return int(key)


def _overridden(value: Any) -> Any:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if isinstance(value, str):
        # A name, a file, a rule is text; only a number with a unit has a source to override.
        number = value[:1] in "+-.0123456789" and bool(value)
    elif hasattr(value, "magnitude") or hasattr(value, "get_best_unit"):
        number = True
    return {"value": value, "source": "override", "how": "override"} if number else value


def _validated(where: str, raw: Any, folder: Path | None) -> Circuit:
    from neostriatum.circuit.recorded import read_spikes

    if not isinstance(raw, dict):
        _refuse(where, "must be a table of keys")
    try:
        circuit = Circuit.model_validate(raw)
    except ValidationError as error:
        _refuse(where, one_line(error, raw))
    circuit._folder = folder
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
    msg = f"{where}: {rule}"
    raise CircuitError(msg)
