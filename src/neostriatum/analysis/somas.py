"""Where the neurons of a run lie: drawn again from its record, as a run keeps no positions.

In: a run. Out: positions in um, and the side of the torus where there is one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neostriatum.errors import NeostriatumError


@dataclass(frozen=True)
class Somas:
    """Positions [um], shape (n, 3) by global id; ``side_um`` is None in an open volume."""

    positions_um: NDArray[np.floating]
    side_um: float | None


def somas(run: Any) -> Somas | None:
    """Return where the neurons of a run lie.

    Parameters
    ----------
    run : Run
        The run. An attribute ``somas`` of it is taken as it is.

    Returns
    -------
    Somas or None
        None where they cannot be known: the run used a network that had no file, or whose file
        is gone or another one by now.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> somas(SimpleNamespace()) is None
    True
    """
    if (known := getattr(run, "somas", None)) is not None:
        return known
    record = getattr(run, "record", None)
    if record is None:
        return None
    try:
        return _from_file(record) if record.get("network") else _drawn(run, record)
    except NeostriatumError:
        return None


def _from_file(record: dict[str, Any]) -> Somas | None:
    from neostriatum.network.files import load_network

    if not Path(record["network"]).exists():
        return None
    network = load_network(record["network"])
    if network.hash() != record.get("network_hash"):
        return None
    return Somas(network.positions, network.side_um if network.periodic else None)


def _drawn(run: Any, record: dict[str, Any]) -> Somas | None:
    from neostriatum.network.place import place
    from neostriatum.network.volume import space

    volume = space(run.circuit, record["size"])
    counts = run.circuit.counts(volume.size)
    if counts != record["counts"]:
        return None
    drawn = place(run.circuit, counts, volume, run.seed)
    return Somas(drawn, volume.side if volume.periodic else None)
