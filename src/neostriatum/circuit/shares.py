"""Share out the neurons among given and inherited cell types: fractions sum to 1."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter, ValidationError

from neostriatum.circuit.refusal import refuse
from neostriatum.circuit.value import Fraction, Value

#: Fractions whose sum is as near to 1 as this are left as they are.
_NEAR = 1e-9
_FRACTION: TypeAdapter[Value] = TypeAdapter(Fraction)


def shared_out(where: str, raw: dict[str, Any], given: Any, base: str) -> dict[str, Any]:
    """Return a circuit's plain data whose inherited fractions leave room for the given ones.

    Parameters
    ----------
    where, base : str
        Names of the circuit's file and of the one that it extends.
    raw : plain data
        The circuit, merged.
    given : plain data
        ``cells`` of the circuit's own file: a fraction given there holds.

    Raises
    ------
    CircuitError
        The given fractions leave nothing for the inherited types.
    """
    cells = raw["cells"]
    fractions = _fractions(cells)
    if fractions is None:
        return raw  # and the circuit is refused for it
    own = {cell for cell in fractions if _gives(given.get(cell))}
    total = sum(fractions[cell] for cell in own)
    rest = sum(fractions.values()) - total
    if abs(total + rest - 1) <= _NEAR or rest == 0:
        return raw
    if total > 1 - _NEAR:
        refuse(where, f"cells: fractions given must sum to less than 1 (got {total:.7g}). "
               'Give those of all types, or remove a type with cells.TYPE = "none"')
    factor = (1 - total) / rest
    return raw | {"cells": {
        cell: value if cell in own else value | {"fraction": _scaled(
            value["fraction"], fractions[cell], factor, base)}
        for cell, value in cells.items()}}


def _fractions(cells: Any) -> dict[str, float] | None:
    """Return the fraction of every cell type, None where one cannot be read."""
    try:
        return {cell: _FRACTION.validate_python(value["fraction"]).value
                for cell, value in cells.items()}
    except (ValidationError, AttributeError, KeyError, TypeError):
        return None


def _gives(cell: Any) -> bool:
    """Return whether the table of a cell type gives a number as its fraction."""
    if not isinstance(cell, dict) or "fraction" not in cell:
        return False
    fraction = cell["fraction"]
    return not isinstance(fraction, dict) or "value" in fraction


def _scaled(fraction: Any, value: float, factor: float, base: str) -> dict[str, Any]:
    source = fraction.get("source") if isinstance(fraction, dict) else None
    note = f"{value:.6g} of {base} x {factor:.6g}, so that all sum to 1"
    about = {"value": value * factor, "how": "derived", "note": note}
    return about if source is None else about | {"source": source}
