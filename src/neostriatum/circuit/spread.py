"""How neurons of one type differ: deviations of single parameters, and the size of the cell."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field, TypeAdapter, WithJsonSchema

from neostriatum.circuit.value import Frozen, Value, measure, value_schema
from neostriatum.errors import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from neostriatum.circuit.cell import Cell

Deviation = Annotated[Value, WithJsonSchema(value_schema("a number in the parameter's unit"))]
#: Draws are truncated at this many standard deviations.
LIMIT_SD = 3.0


class Size(Frozen):
    """One log-normal factor of mean 1 per neuron, on several parameters: the size of the cell."""

    cv: measure("1", ge=0, le=1)
    of: tuple[str, ...] = Field(min_length=1)

    #: As a deviation has one.
    unit: ClassVar[str] = "1"

    @property
    def sigma(self) -> float:
        """Standard deviation of the logarithm of the factor."""
        return math.sqrt(math.log1p(self.cv.value**2))

    def factor(self, draws: float) -> float:
        """Return the factor this many standard deviations from the median of its logarithm."""
        return math.exp(self.sigma * draws - 0.5 * self.sigma**2)


def size_of(spread: Mapping[str, Any]) -> Size | None:
    """Return the size in the spread of a cell type, None where its neurons are of one size."""
    entry = spread.get("size")
    return entry if isinstance(entry, Size) else None


def lowest(cell: Cell, spread: Mapping[str, Any], parameter: str) -> float:
    """Return the least that a parameter can be in a neuron, before modulators act."""
    value, size, sd = cell.values[parameter], size_of(spread), spread.get(parameter)
    if size is not None and parameter in size.of:
        value *= size.factor(-LIMIT_SD if value > 0 else LIMIT_SD)
    return value - LIMIT_SD * sd.value if isinstance(sd, Value) else value


def read(cell: str, cells: Mapping[str, Cell], parameter: str, raw: Any) -> Value | Size:
    """Return one entry of ``spread.cell``, in the unit that the cell's model decides.

    Raises
    ------
    ValueError
        No parameter of the model, or one that all neurons share.
    """
    model = cells[cell].declaration if cell in cells else None
    own = {each.name for each in model.parameters} if model else set()
    if parameter == "size" and parameter not in own:
        size: Size = _reader(Size).validate_python({cell: {parameter: raw}})[cell][parameter]
        for name in size.of:
            _unit(cell, cells, name, f"{shown(cell)}.size.of: {shown(name)}")
        if len(set(size.of)) < len(size.of):
            msg = f"{shown(cell)}.size.of: must name a parameter once (got {', '.join(size.of)})"
            raise ValueError(msg)
        return size
    unit = _unit(cell, cells, parameter, f"{shown(cell)}.{shown(parameter)}")
    value: Value = _reader(unit).validate_python({cell: {parameter: raw}})[cell][parameter]
    return value


@lru_cache
def _reader(what: Any) -> TypeAdapter[Any]:
    """Return what reads a size or a value in a unit, in two tables, so that errors know the path.

    Each is a schema that is compiled, and every change of a circuit reads its spread again.
    """
    kind: Any = measure(what, ge=0) if isinstance(what, str) else what
    return TypeAdapter(dict[str, dict[str, kind]])


def _unit(cell: str, cells: Mapping[str, Cell], parameter: str, where: str) -> str:
    model = cells[cell].declaration if cell in cells else None
    declared = {each.name: each for each in model.parameters} if model else {}
    if parameter not in declared:
        msg = f"{where} is not a parameter of this circuit"
        raise ValueError(msg)
    if model.hold is not None and parameter == model.hold.name:
        msg = f"{where} is how long v is held, in whole steps, the same for all cells"
        raise ValueError(msg)
    return str(declared[parameter].spelled_unit)
