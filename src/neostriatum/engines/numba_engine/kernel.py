"""The kernel of a shape: all steps of a window for one tile, in the order of docs/design.md, 4.

Step by step: a loop over lanes for conductances and current, one for the membrane; then whoever
fired is reset and noted. One loop for both would be a chain of operations too long for a processor
to overlap one round with the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llvmlite import ir

from neostriatum.arithmetic import F32, I32, I64, number
from neostriatum.engines.lowered import V_LIMIT
from neostriatum.engines.numba_engine.emit import I1, I16, POINTER
from neostriatum.engines.numba_engine.pack import COLUMN, TILE, UNHEALTHY
from neostriatum.engines.numba_engine.tile import Tile

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from neostriatum.engines.numba_engine.shape import ReceptorShape, Shape


def kernel_module(shape: Shape) -> ir.Module:
    """Return a module with the function ``kernel`` of a shape, which takes a pack."""
    module = ir.Module("kernel")
    function = ir.Function(module, ir.FunctionType(I64, [POINTER]), "kernel")
    builder = ir.IRBuilder(function.append_basic_block())
    builder.ret(Kernel(builder, function.args[0], shape).emit())
    return module


class Kernel(Tile):
    """Emits the kernel of a shape."""

    def emit(self) -> Any:
        """Emit all steps; return the spikes noted, and a bit if a potential left its range."""
        builder, fields = self.builder, self.fields
        self.noted, self.fired = builder.alloca(I64), builder.alloca(I64)
        builder.store(fields["noted"], self.noted)
        with self.one.loop(fields["steps"]) as k:
            self.advance(k)
        return builder.or_(builder.load(self.noted, typ=I64), self.unhealthy())

    def advance(self, k: Any) -> None:
        """Emit one step of all lanes."""
        builder, fields = self.builder, self.fields
        self.step = builder.add(k, fields["first"])
        self.slot = self.wrapped(builder.add(fields["slot"], k))
        self.following = self.wrapped(builder.add(self.slot, number(1)))
        self.read_constants(self.step)
        builder.store(number(0), self.fired)
        self.conductances()
        self.membrane()
        fired = builder.icmp_unsigned("!=", builder.load(self.fired, typ=I64), number(0))
        with builder.if_then(fired, likely=False):
            self.settle()
        self.probe()

    def wrapped(self, slot: Any) -> Any:
        """Return a slot of the ring that may be one turn too far."""
        builder, slots = self.builder, self.fields["slots"]
        return builder.select(builder.icmp_signed(">=", slot, slots), builder.sub(slot, slots),
                              slot)

    def each_lane(self) -> AbstractContextManager[Any]:
        """Go over the lanes, vector by vector; yields the first of each."""
        return self.lanes.loop(self.fields["lanes"], self.lanes.wide)

    def conductances(self) -> None:
        """Emit the loop that takes arrivals, lets conductances decay and sums the current."""
        lanes, shape, fields = self.lanes, self.shape, self.fields
        current = shape.model.constant_current
        with self.each_lane() as lane:
            events = [self.events(drive, lane) for drive in range(shape.drives)]
            levels = self.levels(lane, events)
            value = self.values(lanes, lane, levels)
            total = ir.Constant(self.real, 0.0)
            if current is not None:
                total = lanes.tree(shape.parameter(current.name), value, {})
            for place, masked in enumerate(shape.currents):
                level = self.constant[f"current {place}"]
                if masked:
                    level = lanes.calculate("*", value(f"mask {place}"), level)
                total = lanes.calculate("+", total, level)
            for place, receptor in enumerate(shape.receptors):
                if receptor.model.current is not None:
                    flow = self.receptor(place, receptor, lane, value, events)
                    total = lanes.calculate("+", total, flow)
            if shape.coupled:
                gap = lanes.load(fields["gap"], lane, self.real)
                total = lanes.calculate("+", total, gap)
            for place in range(shape.opened):
                pull = lanes.calculate("-", value("v"), self.constant[f"reversal {place}"])
                opened = self.heard(f"opened {place}", lanes, lane)
                flow = lanes.calculate("*", opened, pull)
                total = lanes.calculate("+", total, flow)
            lanes.store(total, fields["scratch"], lane, self.real)

    def levels(self, lane: Any, events: list[Any]) -> dict[str, Any]:
        """Emit the steps of receptors that make levels; return these by name, and keep them."""
        levels: dict[str, Any] = {}
        value, wanted = self.values(self.lanes, lane, {}), {place for place, _, _ in self.shape.own}
        for place, receptor in enumerate(self.shape.receptors):
            if receptor.model.current is None:
                level = self.receptor(place, receptor, lane, value, events)
                if place in wanted:
                    levels[f"level {place}"] = level
                    self.lanes.store(level, self.fields["rows"], self.row(f"level {place}", lane),
                                     self.real)
        return levels

    def events(self, drive: int, lane: Any) -> Any:
        """Return the events of a drive at this step, and clear them."""
        builder, lanes, fields = self.builder, self.lanes, self.fields
        row = builder.add(builder.mul(number(drive), fields["window"]), self.step)
        at = builder.add(builder.mul(row, number(COLUMN)), lane)
        events = lanes.load(fields["counts"], at, F32)
        lanes.store(ir.Constant(F32, 0.0), fields["counts"], at, F32)
        return events if self.shape.single else builder.fpext(events, lanes.vector(self.real))

    def arrivals(self, place: int, receptor: ReceptorShape, lane: Any,
                 events: list[Any]) -> Any | None:
        """Return what arrives at a receptor at this step, None where nothing ever does."""
        lanes = self.lanes
        total = self.waiting(receptor.column, lane) if receptor.column >= 0 else None
        for drive in receptor.drives:
            each = lanes.calculate("*", events[drive], self.known(f"weight {drive} {place}"))
            total = each if total is None else lanes.calculate("+", total, each)
        # What levels scale comes last, column by column: these sums round.
        for column, entry in receptor.scaled:
            factor = self.heard(f"scale {entry}", lanes, lane)
            each = lanes.calculate("*", factor, self.waiting(column, lane))
            total = each if total is None else lanes.calculate("+", total, each)
        return total

    def waiting(self, column: int, lane: Any) -> Any:
        """Return what waits in a column of the ring for this step, and clear it."""
        builder, lanes, fields = self.builder, self.lanes, self.fields
        kind, shape = I32 if self.shape.single else self.real, self.shape
        kept = shape.columns - shape.ahead
        if column < kept:
            where, at = "ring", self.place(self.slot, shape.columns, column, lane)
            # Slots lie far apart, so no processor guesses where the next one is.
            lanes.prefetch(fields[where], self.place(self.following, shape.columns, column, lane),
                           kind)
        else:
            where, at = "ahead", self.place(self.step, shape.ahead, column - kept, lane)
        amount = lanes.load(fields[where], at, kind)
        lanes.store(ir.Constant(kind, 0), fields[where], at, kind)
        if self.shape.single:
            amount = builder.sitofp(amount, lanes.vector(self.real))
            amount = lanes.calculate("*", amount, self.constant["quantum"])
        return amount

    def place(self, row: Any, width: int, column: int, lane: Any) -> Any:
        """Return where a row of columns has its number of a lane."""
        builder = self.builder
        first = builder.add(builder.mul(row, number(width)), number(column))
        return builder.add(builder.mul(first, number(COLUMN)), lane)

    def receptor(self, place: int, receptor: ReceptorShape, lane: Any,
                 cell: Callable[[str], Any], events: list[Any]) -> Any:
        """Emit a receptor's step; return its current."""
        lanes, model = self.lanes, receptor.model
        arrivals = self.arrivals(place, receptor, lane, events)
        value = self.values(lanes, lane, {"v": cell("v")}, place)
        states = {name: value(name) for name in model.names}
        if arrivals is not None:
            for state in model.adds or ():
                states[state.name] = lanes.calculate("+", states[state.name], arrivals)
        named = {"v": cell("v"), **states}
        for effect, (source, target, _) in enumerate(self.shape.own):
            if target == f"gain {place}":
                named["gain"] = self.gained(named.get("gain", value("gain")), effect,
                                            cell(f"level {source}"))
        value = self.values(lanes, lane, named, place)
        memo = dict[int, Any]()
        effect = lanes.tree(model.effect, value, memo)
        after = {state.name: lanes.calculate("*", states[state.name],
                                             self.known(f"decay {state.name} {place}"))
                 for state in model.decays}
        after |= {each.state.name: lanes.tree(each.step, value, memo) for each in model.rates}
        for name, new in after.items():
            lanes.store(new, self.fields["rows"], self.row(f"{name} {place}", lane), self.real)
        return effect

    def gained(self, gain: Any, effect: int, level: Any) -> Any:
        """Return the gain of a receptor, changed by the level that another receptor makes."""
        lanes = self.lanes
        change = lanes.calculate("*", self.known(f"own {effect}"), level)
        return lanes.calculate("*", gain, lanes.calculate("+", ir.Constant(self.real, 1.0), change))

    def membrane(self) -> None:
        """Emit the loop that advances the states of the cell, and finds who fired."""
        builder, lanes, shape, fields = self.builder, self.lanes, self.shape, self.fields
        new, fires, _ = shape.trees
        with self.each_lane() as lane:
            current = lanes.load(fields["scratch"], lane, self.real)
            value, memo = self.values(lanes, lane, {"I": current}), dict[int, Any]()
            after = {name: lanes.splat(lanes.tree(tree, value, memo))
                     for name, tree in new.items()}
            if shape.noisy:
                at = builder.add(builder.mul(self.step, number(TILE)), lane)
                noise = lanes.load(fields["noise"], at, self.real)
                after["v"] = lanes.calculate("+", after["v"], noise)
            free = None
            if shape.holding:
                held = lanes.load(fields["held"], lane, I32)
                none = lanes.splat(ir.Constant(I32, 0))
                free = builder.icmp_signed("<=", held, none)
                less = builder.sub(held, lanes.splat(ir.Constant(I32, 1)))
                lanes.store(builder.select(free, none, less), fields["held"], lane, I32)
                after["v"] = builder.select(free, after["v"], value("v"))
            for name, result in after.items():
                lanes.store(result, fields["rows"], self.row(name, lane), self.real)
            fired = lanes.splat(lanes.tree(fires, self.values(lanes, lane, after), {}))
            if free is not None:
                fired = builder.and_(fired, free)
            self.mark(fired, lane)

    def mark(self, fired: Any, lane: Any) -> None:
        """Keep a bit per lane that fired, and that one did."""
        builder, wide = self.builder, self.lanes.wide
        bits = builder.bitcast(fired, ir.IntType(wide))
        place = builder.gep(self.fields["fired"], [builder.lshr(lane, number(4))],
                            source_etype=I16)
        builder.store(bits, place, align=2)
        before = builder.load(self.fired, typ=I64)
        builder.store(builder.or_(before, builder.zext(bits, I64)), self.fired)

    def settle(self) -> None:
        """Emit the loop over those that fired: reset, and note those that are cells."""
        builder, fields = self.builder, self.fields
        with self.one.loop(builder.lshr(fields["lanes"], number(6))) as group:
            place = builder.gep(fields["fired"], [builder.shl(group, number(2))],
                                source_etype=I16)
            word = builder.load(place, typ=I64, align=2)
            before = builder.block
            head, body, after = (builder.append_basic_block(name)
                                 for name in ("left", "reset", "reset_all"))
            builder.branch(head)
            builder.position_at_end(head)
            left = builder.phi(I64)
            left.add_incoming(word, before)
            builder.cbranch(builder.icmp_unsigned("!=", left, number(0)), body, after)
            builder.position_at_end(body)
            zeros = builder.cttz(left, ir.Constant(I1, 1))
            self.reset(builder.add(builder.shl(group, number(6)), zeros))
            left.add_incoming(builder.and_(left, builder.sub(left, number(1))), builder.block)
            builder.branch(head)
            builder.position_at_end(after)

    def reset(self, lane: Any) -> None:
        """Emit what a spike does to the cell of a lane."""
        builder, fields, one = self.builder, self.fields, self.one
        value, memo = self.values(one, lane, {}), dict[int, Any]()
        after = {name: one.tree(tree, value, memo) for name, tree in self.shape.trees[2].items()}
        for name, result in after.items():
            one.store(result, fields["rows"], self.row(name, lane), self.real)
        if self.shape.holding:
            one.store(builder.trunc(fields["hold"], I32), fields["held"], lane, I32)
        with builder.if_then(builder.icmp_signed("<", lane, fields["used"])):
            noted = builder.load(self.noted, typ=I64)
            note = builder.add(builder.mul(self.step, number(TILE)), lane)
            one.store(builder.trunc(note, I16), fields["spikes"], noted, I16)
            builder.store(builder.add(noted, number(1)), self.noted)

    def probe(self) -> None:
        """Emit the copy of what is recorded."""
        builder, fields, one = self.builder, self.fields, self.one
        row = builder.mul(builder.add(self.step, fields["done"]), fields["probe_stride"])
        with one.loop(fields["probes"]) as probe:
            at = one.load(fields["probe_at"], probe, I64)
            value = one.load(fields["rows"], at, self.real)
            one.store(value, fields["probe_out"], builder.add(row, probe), self.real)

    def unhealthy(self) -> Any:
        """Return a bit if a potential is NaN or beyond its limit."""
        builder, lanes = self.builder, self.lanes
        builder.store(number(0), self.fired)
        limit = lanes.splat(ir.Constant(self.real, V_LIMIT))
        with self.each_lane() as lane:
            v = lanes.load(self.fields["rows"], self.row("v", lane), self.real)
            well = builder.fcmp_ordered("<=", lanes._intrinsic("fabs", v), limit)
            bits = builder.bitcast(builder.not_(well), ir.IntType(lanes.wide))
            before = builder.load(self.fired, typ=I64)
            builder.store(builder.or_(before, builder.zext(bits, I64)), self.fired)
        bad = builder.icmp_unsigned("!=", builder.load(self.fired, typ=I64), number(0))
        return builder.shl(builder.zext(bad, I64), number(UNHEALTHY))
