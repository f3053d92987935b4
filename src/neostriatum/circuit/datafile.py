"""Read a TOML or JSON file as plain data, within limits of size and depth."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any, NoReturn

from neostriatum.circuit.refusal import refuse
from neostriatum.errors import shown

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 1_000_000
MAX_DEPTH = 16
MAX_ENTRIES = 10_000


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
        refuse(path.name, f"cannot be read ({error.strerror or error})")
    if len(data) > MAX_BYTES:
        refuse(path.name, f"a {kind} file is at most 1 MB (got {path.stat().st_size} bytes)")
    try:
        text = data.decode("utf-8-sig")
        raw = _json(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except RecursionError:
        refuse(path.name, f"nested deeper than {MAX_DEPTH} levels")
    except UnicodeDecodeError:
        refuse(path.name, "is not UTF-8 text")
    except ValueError as error:
        kind = "JSON" if path.suffix.lower() == ".json" else "TOML"
        refuse(path.name, f"is not valid {kind} ({' '.join(str(error).split())})")
    limit(path.name, raw)
    return raw


def limit(where: str, raw: Any) -> None:
    """Refuse plain data that are nested too deep or have too many entries."""
    entries, todo = 0, [(raw, 1)]
    while todo:
        at, depth = todo.pop()
        if depth > MAX_DEPTH:
            refuse(where, f"nested deeper than {MAX_DEPTH} levels")
        inner = list(at.values()) if isinstance(at, dict) else at if isinstance(at, list) else []
        entries += len(inner)
        if entries > MAX_ENTRIES:
            refuse(where, f"more than {MAX_ENTRIES} entries")
        todo.extend((value, depth + 1) for value in inner if isinstance(value, (dict, list)))


def _json(text: str) -> Any:
    """Read JSON as strictly as TOML is read: no key twice, no NaN or Infinity."""

    def table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys: dict[str, Any] = {}
        for key, value in pairs:
            if key in keys:
                msg = f"the key {shown(key)} stands there twice"
                raise ValueError(msg)
            keys[key] = value
        return keys

    def constant(name: str) -> NoReturn:
        msg = f"{name} is not a number of JSON"
        raise ValueError(msg)

    raw = json.loads(text, object_pairs_hook=table, parse_constant=constant)
    json.dumps(raw, ensure_ascii=False).encode()  # refuses half of a surrogate pair
    return raw
