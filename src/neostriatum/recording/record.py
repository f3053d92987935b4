"""The record of a run, run.json: what was asked, what it was made with, what came out."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from neostriatum.durable import write_text
from neostriatum.errors import RunFileError

FILE = "run.json"
FORMAT = 2
#: Where runs go unless the caller says where.
ROOT = "runs"

#: The last key: a sha256 of the text with zeros in its place.
_CHECK = re.compile(r'"check": "([0-9a-f]{64})"\n}\n\Z')
_BLANK = "0" * 64


def write_record(folder: Path, record: dict[str, Any]) -> None:
    """Write ``run.json`` durably; plain data, null instead of NaN, and a check over all of it.

    Raises
    ------
    RunFileError
        It cannot be written; the former one is then still there.
    """
    said = {key: value for key, value in record.items() if key != "check"} | {"check": _BLANK}
    text = json.dumps(said, indent=1, allow_nan=False) + "\n"
    write_text(folder / FILE, text.replace(_BLANK, _sum(text)))


def read_record(folder: Path) -> dict[str, Any]:
    """Return the record of a run.

    Raises
    ------
    RunFileError
        There is none, it was changed since it was written, or a newer version wrote it.
    """
    path = folder / FILE
    try:
        text = path.read_bytes().decode("utf-8")
        record = json.loads(text)
        known = record["format"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        what = getattr(error, "strerror", None) or " ".join(str(error).split())
        msg = f"{path}: is not the record of a run ({what[:100]}){meant(folder)}"
        raise RunFileError(msg) from None
    found = _CHECK.search(text)
    if known == FORMAT and found and _sum(text.replace(found[1], _BLANK)) == found[1]:
        del record["check"]
        return record
    if isinstance(known, int) and known != FORMAT and found is None:
        msg = f"{path}: format must be {FORMAT} (got {known}). Update neostriatum"
    else:
        msg = f"{path}: is damaged (it was changed since it was written)"
    raise RunFileError(msg)


def meant(folder: Path) -> str:
    """Return the remedy for a run that is not there, but is under ``runs``; else nothing."""
    there = Path(ROOT) / folder
    try:
        return f". Did you mean {there}?" if not folder.exists() and (there / FILE).exists() else ""
    except (OSError, ValueError):  # a name too long, or with a null character
        return ""


def spelled(value: Any) -> str:
    """Return a value as ``--set KEY=text`` takes it: the text from which `parsed` makes it again.

    Examples
    --------
    >>> spelled("16 pF"), spelled(0.3), spelled("0.3"), spelled(["a", 1])
    ('16 pF', '0.3', '"0.3"', '["a", 1]')
    """
    plain = value if isinstance(value, str) else json.loads(json.dumps(value, default=_plain))
    if isinstance(plain, str) and parsed(plain) == plain:
        return str(plain)
    return json.dumps(plain, ensure_ascii=False)


def _plain(value: Any) -> Any:
    """Return what JSON can hold of a NumPy number or array, the text of a quantity with a unit."""
    return value.tolist() if type(value).__module__ == "numpy" else str(value)


def parsed(text: str) -> Any:
    """Return a number, boolean, list or table that is spelled as in JSON, else the text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _sum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
