"""Open what a command may be given: the folder of a run, or a network in one of its forms."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from neostriatum.errors import RunFileError
from neostriatum.network.files import load_network, network_file
from neostriatum.network.network import Network
from neostriatum.recording.record import FILE, meant
from neostriatum.recording.store import Run


def opened(what: Any) -> Run | Network:
    """Return a run or a network: the one given, or the one at a path.

    Parameters
    ----------
    what : Run, Network, str or Path
        The folder of a run, or what `load_network` takes.

    Raises
    ------
    RunFileError
        Neither is there, or it is damaged.
    """
    if isinstance(what, (Run, Network)):
        return what
    path = Path(what)
    if network_file(path / FILE) is not None:
        return Run(path)
    if network_file(path) is not None:
        return load_network(path)
    there = "is not there"
    with suppress(OSError, ValueError):  # a name too long, or with a null character
        there = "holds neither a run nor a network" if path.is_dir() else there
    remedy = meant(path) or ". Name the folder of a run, or a network file"
    msg = f"{path}: {there}{remedy}"
    raise RunFileError(msg)
