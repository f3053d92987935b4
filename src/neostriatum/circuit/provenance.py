"""Every number of a circuit with its source, how it was found and a note, one row each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


def values(raw: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (dotted path, {value, source, how, note}) of every leaf of a circuit's plain data."""
    if isinstance(raw, dict) and "value" in raw:
        yield path, {key: raw.get(key) for key in ("value", "source", "how", "note")}
    elif isinstance(raw, dict):
        about = {key: raw[key] for key in ("source", "how", "note") if key in raw}
        for key, said in raw.items():
            if key in about:
                continue
            for at, row in values(said, f"{path}.{key}" if path else key):
                # What a time course says of its source holds for every number in it.
                yield at, {**row, **{k: v for k, v in about.items() if row.get(k) is None}}
    elif isinstance(raw, (list, tuple)):
        for number, said in enumerate(raw):
            yield from values(said, f"{path}.{number}")
    elif path not in ("name", "summary") and not path.startswith("left_out"):
        yield path, {"value": raw, "source": None, "how": None, "note": None}
