"""Circuits that extend another: the file that ``extends`` names, with what the new one changes.

In: the data of a circuit, with or without ``extends``. Out: those of the whole circuit, without it.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neostriatum.circuit.catalogue import former, is_path, nearest, preset_files, preset_of
from neostriatum.circuit.datafile import read_data
from neostriatum.circuit.folder import inside
from neostriatum.circuit.merge import overlaid
from neostriatum.circuit.model import Circuit
from neostriatum.circuit.refusal import refuse
from neostriatum.circuit.removal import held, without
from neostriatum.circuit.shares import shared_out
from neostriatum.circuit.spelling import in_our_names
from neostriatum.circuit.validated import checked
from neostriatum.circuit.value import NAME
from neostriatum.errors import shown

#: Most circuits below one that extends them.
DEEPEST = 8
#: What a cell type is that the extended circuit has and the new one does not.
REMOVED = "none"


@dataclass(frozen=True)
class Source:
    """The data of a circuit and where they come from."""

    #: For messages: the name of a file.
    where: str
    raw: Any
    #: Where files that it names lie; None for the working directory.
    folder: Path | None
    #: The file; None for data that come from Python.
    path: Path | None = None
    #: The preset that it is or extends.
    preset: str | None = None


def whole(source: Source) -> Source:
    """Return the data of a circuit with those of the circuit that it extends.

    Raises
    ------
    CircuitError
        A circuit that cannot be found or read, a circle, more than eight below each other, an
        extended circuit that is none, fractions that leave nothing, files in two folders.
    """
    chain = [source]
    while isinstance(chain[-1].raw, dict) and "extends" in chain[-1].raw:
        chain.append(_next(chain))
    known = [preset for link in chain if (preset := preset_of(link.path))]
    result = chain.pop()
    while chain:
        result = _over(result, chain.pop())
    name = result.raw.get("name") if isinstance(result.raw, dict) else None
    if not known and isinstance(name, str) and name in preset_files():
        known = [former(result.raw) or name]
    return Source(source.where, result.raw, result.folder, source.path, next(iter(known), None))


def _next(chain: list[Source]) -> Source:
    """Return the circuit that the last one of a chain extends."""
    last = chain[-1]
    label = f"{shown(last.where)}: extends"
    name = last.raw["extends"]
    if isinstance(name, os.PathLike):
        name = os.fspath(name)
    if not isinstance(name, str):
        refuse(last.where, f"extends: must be a preset's name or a file (got {shown(name)})")
    known = preset_files()
    if not is_path(name) and name not in known:
        refuse(last.where, f"extends: unknown circuit (got {shown(name)}). "
               f"Known: {nearest(name, known)}")
    path = inside(label, name, last.folder).resolve() if is_path(name) else known[name]
    if path in [link.path for link in chain]:
        refuse(last.where, "extends: must not lead back to a circuit that extends it "
               f"(got {shown(name)}). Extend another")
    if len(chain) > DEEPEST:
        refuse(last.where, f"extends: must be at most {DEEPEST} deep (got {shown(name)}). "
               "Extend a circuit further down")
    return Source(path.name, read_data(path), path.parent, path)


def _over(base: Source, change: Source) -> Source:
    """Return a circuit's data laid over those of a whole circuit."""
    whole = checked(Circuit, base.where, base.raw)
    below = whole.to_dict()
    given = {key: value for key, value in change.raw.items() if key != "extends"}
    try:
        given = in_our_names(given)
    except ValueError as error:
        refuse(change.where, str(error))
    given.setdefault("name", _name(change))
    if isinstance(given["cells"], dict):
        removed = [cell for cell, value in given["cells"].items() if value == REMOVED]
        for cell in removed:
            if cell not in below["cells"]:
                refuse(change.where, f"cells.{shown(cell)}: must be a type of the extended circuit "
                       f'to be "{REMOVED}". Known: {nearest(cell, below["cells"])}')
            below = held(without(below, cell), cell, whole.levels_at(0.0))
        given["cells"] = {cell: value for cell, value in given["cells"].items()
                          if cell not in removed}
    raw = overlaid(Circuit, below, given)
    raw = shared_out(change.where, raw, given["cells"], base.where)
    return Source(change.where, raw, _folder(base, change, given, raw))


def _name(source: Source) -> str:
    """Return the name of a circuit that gives none: that of its file."""
    stem = "circuit" if source.path is None else source.path.stem
    name = re.sub(r"[^A-Za-z0-9_]", "_", stem)
    if not re.match(NAME, name):
        refuse(source.where, "name: must be a letter, then at most 31 letters, digits or _ "
               f"(got {shown(name)} of the file). Give the circuit a name")
    return name


def _folder(base: Source, change: Source, given: Any, raw: Any) -> Path | None:
    """Return the one folder that the files of a circuit lie in."""
    new = _files(given)
    inherited = {place: file for place, file in _files(raw).items() if place not in new}
    folders = [(source.folder or Path.cwd()).resolve() for source in (base, change)]
    if new and inherited and folders[0] != folders[1]:
        old = next(iter(inherited.values()))
        refuse(change.where, "extends: the files of a circuit must lie in one folder (got "
               f"{shown(next(iter(new.values())))}, and {shown(old)} of {shown(base.where)}). "
               "Put both circuits into it")
    return base.folder if inherited else change.folder


def _files(raw: Any) -> dict[tuple[str, ...], Any]:
    """Return the spike and mesh files that plain data name, by place."""
    places: list[tuple[str, ...]] = [("volume",)]
    for name, entry in _table(raw, "inputs").items():
        places += [("inputs", name, "targets", cell, "spikes")
                   for cell in _table(entry, "targets")]
    places += [("axons", name, "recorded") for name in _table(raw, "axons")]
    files = {place: _table(raw, *place).get("file") for place in places}
    return {place: file for place, file in files.items() if file is not None}


def _table(raw: Any, *keys: str) -> dict[str, Any]:
    """Return the table at a path of plain data, an empty one where there is none."""
    for key in keys:
        raw = raw.get(key) if isinstance(raw, dict) else None
    return raw if isinstance(raw, dict) else {}
