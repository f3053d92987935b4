"""What the kernel of a tile reads and writes: its fields, constants and rows, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llvmlite import ir

from neostriatum.arithmetic import I64, number
from neostriatum.engines.numba_engine.emit import POINTER, Emitter
from neostriatum.engines.numba_engine.pack import AT, FIELDS, PITCH

if TYPE_CHECKING:
    from collections.abc import Callable

    from neostriatum.engines.numba_engine.shape import Shape

#: Lanes of a vector, two of the widest registers, by whether in single precision.
WIDE = {False: 16, True: 32}


class Tile:
    """A tile of a shape, of which code at a builder knows the fields; ``pack`` is their address."""

    def __init__(self, builder: ir.IRBuilder, pack: Any, shape: Shape) -> None:
        self.builder, self.shape = builder, shape
        self.lanes = Emitter(builder, shape.single, WIDE[shape.single])
        self.one = Emitter(builder, shape.single, 1)
        self.real = self.lanes.real
        self.fields = {}
        for field in FIELDS:
            place = builder.gep(pack, [number(AT[field.name])], source_etype=I64)
            value = builder.load(place, typ=I64, align=8)
            self.fields[field.name] = builder.inttoptr(value, POINTER) if field.kind else value

    def read_constants(self, step: Any) -> None:
        """Load the constants of a step of the window."""
        builder, fields = self.builder, self.fields
        row = builder.mul(builder.add(step, fields["done"]), fields["stride"])
        base = builder.gep(fields["constants"], [row], source_etype=self.real)
        self.constant = {name: self.one.load(base, number(place), self.real)
                         for place, name in enumerate(self.shape.constants)}

    def known(self, name: str) -> Any:
        """Return a constant of the step, under its own name or that of an equal one."""
        return self.constant[self.shape.leader.get(name, name)]

    def heard(self, name: str, emitter: Emitter, lane: Any) -> Any:
        """Return a constant of the step as the lanes hear it, each in its region."""
        constant = self.known(name)
        if name not in self.shape.regional:
            return constant
        region = emitter.load(self.fields["rows"], self.row("region", lane), self.real)
        for place in range(1, self.shape.regions + 1):
            inside = self.builder.fcmp_ordered(
                "==", region, emitter.splat(ir.Constant(self.real, float(place))))
            constant = emitter.where(inside, self.constant[f"{name}@{place}"], constant)
        return constant

    def row(self, name: str, lane: Any) -> Any:
        """Return where a row has its number of a lane."""
        return self.builder.add(number(self.shape.rows.index(name) * PITCH), lane)

    def scratch(self, row: int, lane: Any) -> Any:
        """Return where a row of scratch has its number of a lane."""
        return self.builder.add(number(row * PITCH), lane)

    def values(self, emitter: Emitter, lane: Any, named: dict[str, Any],
               place: int | None = None) -> Callable[[str], Any]:
        """Return what gives the values of names: of the cell, or of the receptor at a place."""
        loaded = dict(named)

        def value(name: str) -> Any:
            if name not in loaded:
                full = name if place is None or name in ("v", "dt") else f"{name} {place}"
                if name == "gain" and place is not None and full not in self.constant:
                    loaded[name] = ir.Constant(self.real, 1.0)
                elif self.shape.leader.get(full, full) in self.constant:
                    loaded[name] = self.heard(full, emitter, lane)
                else:
                    loaded[name] = emitter.load(self.fields["rows"], self.row(full, lane),
                                                self.real)
            return loaded[name]

        return value
