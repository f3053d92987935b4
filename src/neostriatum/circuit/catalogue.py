"""The presets and overlays that come with the package, and which file a name means."""

from __future__ import annotations

import os
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neostriatum.circuit.datafile import read_data
from neostriatum.circuit.refusal import refuse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: Whose overlays a circuit has that comes from no preset with overlays of its own.
BASE = "striatum_v1"
#: Presets of version 0.1 whose names other circuits have now: {name then: name now}.
FORMER = {"striatum": "striatum_v1"}
#: Folder of the overlays that every circuit has.
EVERY = "every"


def presets() -> list[str]:
    """Return the names of the circuits that come with the package."""
    return list(preset_files())


def overlays(preset: str | None = "striatum") -> list[str]:
    """Return the names of the overlays of a preset, those of what it extends among them."""
    return list(overlay_files(preset))


def preset_files() -> dict[str, Path]:
    """Return {name: file} of the presets."""
    return _packaged("presets")


def overlay_files(preset: str | None) -> dict[str, Path]:
    """Return {name: file} of the overlays of a circuit that comes from ``preset``.

    The preset's own come before those of the preset that it extends. A circuit that comes from no
    preset, or from one without overlays, has those of `BASE`. Those of `EVERY` fit any circuit.
    """
    known, own = preset_files(), dict[str, Path]()
    while preset in known:
        own = _packaged(f"overlays/{preset}") | own
        preset = read_data(known[preset]).get("extends")
    own = own or _packaged(f"overlays/{BASE}")
    return dict(sorted((_packaged(f"overlays/{EVERY}") | own).items()))


def preset_of(path: Path | None) -> str | None:
    """Return the name of the preset that a file is, None for another file."""
    known = preset_files()
    return path.stem if path is not None and known.get(path.stem) == path else None


def former(raw: Mapping[str, Any]) -> str | None:
    """Return today's name of the preset of version 0.1 that stored data are of, None for others.

    The presets that have the old names now have axons.

    Examples
    --------
    >>> former({"name": "striatum", "cells": {}}), former({"name": "seed", "cells": {}})
    ('striatum_v1', None)
    """
    return None if raw.get("axons") else FORMER.get(str(raw.get("name")))


def find(name: str, known: dict[str, Path], kind: str) -> Path:
    """Return the file that a name means: one of ``known``, or a path.

    Raises
    ------
    CircuitError
        Neither; the message names the nearest of ``known``, or all of them.
    """
    path = _expanded(name)
    if is_path(name):
        if not _is_file(path):
            refuse(name, f"no such {kind} file")
        return path
    if name not in known:
        if _is_file(path):
            return path
        refuse(name or '""', f"unknown {kind}. Known: {nearest(name.partition('.')[0], known)}")
    return known[name]


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the name that is most like another, or all of them."""
    names = list(known)
    return (get_close_matches(name, names, n=1) or [", ".join(names)])[0]


def is_path(name: str) -> bool:
    """Return whether a name can only be a file's."""
    return name.lower().endswith((".toml", ".json")) or "/" in name or os.sep in name


def _expanded(name: str) -> Path:
    """Return a path, with the home folder for ``~``, which no shell sees in Python."""
    try:
        return Path(name).expanduser()
    except RuntimeError:  # no such user
        return Path(name)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name too long, or with a null character
        return False


def _packaged(folder: str) -> dict[str, Path]:
    """Return {stem: file} of the TOML files in a folder of the package; none without the folder."""
    place = Path(str(files("neostriatum.circuit"))) / folder
    return {path.stem: path for path in sorted(place.glob("*.toml"))}
