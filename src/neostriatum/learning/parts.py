"""The parts of a session as a record keeps them, and made again from it."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

from neostriatum.errors import RunFileError, shown
from neostriatum.learning.critic import TD, NoCritic, Q, V
from neostriatum.learning.encoder import Gaussian, OneHot
from neostriatum.learning.readout import Difference, Disinhibition, Snr

#: Parts that their record makes again; of others only their class is known.
KNOWN: dict[str, Any] = {f"{kind.__module__}.{kind.__qualname__}": kind for kind in (
    OneHot, Gaussian, Difference, Disinhibition, Snr, V, Q, TD, NoCritic)}


def record_of_part(part: Any) -> dict[str, Any]:
    """Return a part as a record keeps it: its class and, if it has some, its plain fields.

    Examples
    --------
    >>> record_of_part(OneHot(("cortex",)))["high"]
    8.0
    """
    kind = type(part)
    record: dict[str, Any] = {"kind": f"{kind.__module__}.{kind.__qualname__}"}
    for each in fields(part) if is_dataclass(part) else ():
        value = getattr(part, each.name)
        value = list(value) if isinstance(value, tuple) else value
        if each.repr and isinstance(value, (int, float, str, list, type(None))):
            record[each.name] = value
    return record


def rebuilt(record: dict[str, Any], where: str) -> Any:
    """Return the part that a record describes.

    Raises
    ------
    RunFileError
        A user's own, which has to be given again, or a damaged record.
    """
    kind = KNOWN.get(record["kind"])
    if kind is None:
        msg = f"{where} {shown(record['kind'])} is needed to go on. Give it again in Python"
        raise RunFileError(msg)
    try:
        return kind(**{key: tuple(value) if isinstance(value, list) else value
                       for key, value in record.items() if key != "kind"})
    except TypeError as error:
        msg = f"{where}: the record of this run is damaged ({shown(error)})"
        raise RunFileError(msg) from None
