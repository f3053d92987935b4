"""Turn plain data into a circuit, or refuse them in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from neostriatum.circuit.datafile import limit
from neostriatum.circuit.explain import one_line
from neostriatum.circuit.folder import inside
from neostriatum.circuit.refusal import refuse

if TYPE_CHECKING:
    from pathlib import Path

    from neostriatum.circuit.model import Circuit


def validated(kind: type[Circuit], where: str, raw: Any, folder: Path | None,
              preset: str | None = None) -> Circuit:
    """Return the circuit that plain data describe, with the spike files that it names.

    Parameters
    ----------
    kind : type
        `Circuit`, whose own methods need this too.
    where : str
        Name of the file, for messages.
    raw : plain data
        A complete circuit.
    folder : Path or None
        Where the files that it names lie; None for the working directory.
    preset : str, optional
        The preset that it comes from, whose overlays it has.
    """
    from neostriatum.circuit.recorded import read_spikes

    circuit = checked(kind, where, raw)
    circuit._folder, circuit._preset = folder, preset
    if circuit.volume.file is not None:
        inside(f"{where}: volume", circuit.volume.file, folder)
    for name, entry in circuit.inputs.items():
        for cell, target in entry.targets.items():
            if target.spikes is not None and target.spikes._events is None:
                label = f"{where}: inputs.{name}.targets.{cell}.spikes"
                target.spikes._events = read_spikes(label, target.spikes, folder)
    for name, axons in circuit.axons.items():
        if axons.recorded is not None and axons.recorded._events is None:
            axons.recorded._events = read_spikes(f"{where}: axons.{name}.recorded",
                                                 axons.recorded, folder)
    return circuit


def checked(kind: type[Circuit], where: str, raw: Any) -> Circuit:
    """Return the circuit that plain data describe; files that it names are not looked for."""
    if not isinstance(raw, dict):
        refuse(where, "must be a table of keys")
    try:
        circuit = kind.model_validate(raw)
    except ValidationError as error:
        refuse(where, one_line(error, kind))
    except UnicodeEncodeError:
        refuse(where, "holds half of a surrogate pair, which is not text")
    limit(where, circuit.to_dict())  # as when it is read again, from a run or a network
    return circuit
