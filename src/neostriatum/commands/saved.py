"""Save the figure of an experiment in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from neostriatum.errors import RunFileError


def saved(figure: Any, out: str, name: str) -> Path:
    """Save a figure under a name in a folder, which may be new.

    Raises
    ------
    RunFileError
        The file is there already, or cannot be written.
    """
    from neostriatum.plotting import paper

    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / name).exists():
            msg = f"{folder / name}: exists already. Choose another --out"
            raise RunFileError(msg)
        with paper():
            figure.savefig(folder / name)
    except OSError as error:
        msg = f"{folder}: cannot be written ({error.strerror or error}). Choose another --out"
        raise RunFileError(msg) from None
    return folder / name
