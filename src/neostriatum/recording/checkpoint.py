"""The state of an engine on disk: everything that the future of a run depends on."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.durable import digest, write_hashed
from neostriatum.errors import RunFileError, shown

if TYPE_CHECKING:
    from pathlib import Path

_ABOUT = "about"


def write_state(path: Path, state: dict[str, np.ndarray], about: dict[str, Any]) -> str:
    """Make a state durable, with whose it is, and return its sha256."""
    said = np.frombuffer(json.dumps(about, allow_nan=False).encode(), np.uint8)
    arrays: dict[str, Any] = {**state, _ABOUT: said}
    return write_hashed(path, lambda file: np.savez(file, **arrays))


def read_state(path: Path, sha256: str, about: dict[str, Any]) -> dict[str, np.ndarray]:
    """Return a state.

    Parameters
    ----------
    path : Path
        The file.
    sha256 : str
        What it must hash to.
    about : dict
        Whose state it must be, as it was written.

    Raises
    ------
    RunFileError
        It is damaged, or of another run: the message names what differs.
    """
    if digest(path) != sha256:
        msg = f"{path}: is damaged (it does not have the hash that was noted)"
        raise RunFileError(msg)
    try:
        with np.load(path, allow_pickle=False) as file:
            state = {name: file[name] for name in file.files}
        said = json.loads(state.pop(_ABOUT).tobytes())
    except (ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
        msg = f"{path}: is not a checkpoint ({' '.join(str(error).split())})"
        raise RunFileError(msg) from None
    if what := difference(said, about):
        msg = f"{path}: is not of this run: {what}"
        raise RunFileError(msg)
    return state


def difference(said: Any, wanted: Any, path: str = "") -> str | None:
    """Return where two pieces of plain data part, ``<key> must be ... (got ...)``, or None.

    Examples
    --------
    >>> difference({"seed": 1, "circuit": {"dt": "0.1 ms"}}, {"seed": 1, "circuit": {"dt": "1 ms"}})
    'circuit.dt must be 1 ms (got 0.1 ms)'
    """
    if isinstance(said, dict) and isinstance(wanted, dict):
        # A value says more than the source that goes with it.
        for key in sorted({**wanted, **said}, key=lambda key: key in ("source", "how", "note")):
            inner = difference(said.get(key), wanted.get(key), f"{path}.{key}" if path else key)
            if inner:
                return inner
        return None
    return None if said == wanted else f"{path} must be {shown(wanted)} (got {shown(said)})"
