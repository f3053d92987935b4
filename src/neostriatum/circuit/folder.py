"""Find a file that a circuit names: inside the circuit's own folder, and nowhere else."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from neostriatum.errors import CircuitError, shown


def inside(where: str, name: str, folder: Path | None) -> Path:
    """Return the path of the file ``name`` of a circuit that lies in ``folder``.

    Parameters
    ----------
    where : str
        Place in the circuit, for messages.
    name : str
        File name relative to ``folder``.
    folder : Path or None
        The circuit's folder; None for the working directory.

    Raises
    ------
    CircuitError
        No such file, or one that lies elsewhere: an absolute path, "..", a link.
    """
    base = (folder or Path.cwd()).resolve()
    path = base / name
    try:
        away = Path(name).is_absolute() or ".." in Path(name).parts or path.is_symlink()
        if away or not path.resolve().is_relative_to(base):
            refuse(where, f"file must lie in the circuit's folder (got {shown(name)})")
        found = path.is_file()
    except (OSError, ValueError):  # a name too long, or with a null character
        found = False
    if not found:
        refuse(where, f"no such file (got {shown(name)})")
    return path


def path_text(where: str, path: Any, kinds: str = "a name or a path") -> str:
    """Return a name or a path as text.

    Raises
    ------
    CircuitError
        Anything else, bytes among it: it must be one of these ``kinds``.
    """
    with suppress(TypeError):
        if isinstance(text := os.fspath(path), str):
            return text
    msg = f"{where}: must be {kinds} (got {shown(path)})"
    raise CircuitError(msg)


def refuse(where: str, rule: str) -> NoReturn:
    """Raise CircuitError with one line of at most 200 characters."""
    msg = " ".join(f"{where}: {rule}".split())
    raise CircuitError(msg if len(msg) <= 200 else msg[:197] + "...")
