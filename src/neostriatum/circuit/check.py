"""The rules that hold between the parts of a circuit."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NoReturn

from neostriatum.circuit.axon_rules import check_axons
from neostriatum.circuit.clock import steps, whole_steps
from neostriatum.circuit.learning_rules import check_learning
from neostriatum.circuit.measured import measured
from neostriatum.circuit.nucleus import check_nuclei
from neostriatum.circuit.pathway import DELAY_UNIT, Measured
from neostriatum.circuit.pools import check_pools
from neostriatum.circuit.signals import bounds, check_signals
from neostriatum.circuit.spread import Size, lowest, size_of
from neostriatum.circuit.stability import check_stable
from neostriatum.errors import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from neostriatum.circuit.cell import Cell
    from neostriatum.circuit.drive import Target
    from neostriatum.circuit.model import Circuit
    from neostriatum.circuit.pathway import Delay, Pathway
    from neostriatum.models.symbol import Parameter

#: Longest delay in steps (25.5 ms at 0.1 ms).
MAX_DELAY = 255


def check(circuit: Circuit) -> None:
    """Raise ValueError with the path and the rule if the parts of ``circuit`` do not fit."""
    check_stable(circuit)
    total = sum(cell.fraction.value for cell in circuit.cells.values())
    if abs(total - 1) > 1e-6:
        _refuse("cells", f"fractions must sum to 1 (got {total:.7g})")
    _check_cells(circuit)
    check_pools(circuit.types, circuit.pools)
    _check_spread(circuit)
    _check_modulators(circuit)
    _check_pathways(circuit)
    _check_inputs(circuit)
    check_axons(circuit)
    check_learning(circuit)
    check_nuclei(circuit)


def _check_cells(circuit: Circuit) -> None:
    whole_steps("warmup", circuit.warmup.value, circuit.dt.value)
    for key in ("noise", "start"):
        for name in getattr(circuit, key):
            _known(f"{key}.{name}", "cell type", name, circuit.cells)
    for name, cell in circuit.cells.items():
        declared = {parameter.name for parameter in cell.declaration.parameters}
        for key, effect in _placed(name, cell):
            if effect.acts_on.startswith("I_") and effect.acts_on not in declared:
                _known(f"{key}.acts_on", "receptor", effect.acts_on[2:], circuit.receptors)


def _placed(name: str, cell: Any) -> list[tuple[str, Any]]:
    """Return every effect on a cell with its path."""
    return [(f"cells.{name}.{key}.{number}", effect) for key in ("dopamine", "effects")
            for number, effect in enumerate(getattr(cell, key)) if effect.level is not None]


def _check_modulators(circuit: Circuit) -> None:
    for name, modulator in circuit.modulators.items():
        if modulator.level is None and modulator.kind is None:
            _refuse(f"modulators.{name}.level", "is missing")
        for channel in modulator.regions:
            _known(f"modulators.{name}.regions", "channel", channel, circuit.channels)
    check_signals(circuit)
    for name, cell in circuit.cells.items():
        placed = _placed(name, cell)
        _check_receptors(circuit, name, cell)
        for where, effect in placed:
            _known(f"{where}.level", "modulator", effect.level, circuit.modulators)
        # A bound holds at every level, in the neurons of the widest spread too.
        for parameter in cell.declaration.parameters:
            acting = [each for each in placed if each[1].acts_on == parameter.name]
            if acting and parameter.lowest is not None:
                least = lowest(cell, circuit.spread.get(name, {}), parameter.name)
                _check_lowest(circuit, parameter, least, acting)


def _check_receptors(circuit: Circuit, name: str, cell: Any) -> None:
    """Refuse effects of receptors that are not there, or that make no level."""
    for number, effect in enumerate(cell.effects):
        where = f"cells.{name}.effects.{number}"
        if effect.receptor is None:
            continue
        _known(f"{where}.receptor", "receptor", effect.receptor, circuit.receptors)
        if circuit.receptors[effect.receptor].declaration.current is not None:
            _refuse(f"{where}.receptor", "must have a model with a modulation (got "
                    f"{effect.receptor}, which makes a current)")


def _check_lowest(circuit: Circuit, parameter: Parameter, least: float,
                  acting: list[tuple[str, Any]]) -> None:
    """Refuse effects that may take a parameter below its bound: factors first, then sums."""
    limit: Any = parameter.lowest
    kept = "positive" if limit == (0, True) else (
        f"{'above' if limit.strict else 'at least'} {limit.value:g} {parameter.spelled_unit}")
    rule = f"must leave {parameter.name} {kept} at every level of"
    for where, effect in acting:
        if effect.coefficient is not None:
            factor = min(1.0 + effect.coefficient.value * f for f in _range(circuit, effect))
            least *= factor
            if not limit.allows(least):
                _refuse(f"{where}.coefficient", f"{rule} {effect.level} "
                        f"(got a factor of {factor:g})")
    for where, effect in acting:
        if effect.add is not None:
            least += min(effect.add.value * f for f in _range(circuit, effect))
            if not limit.allows(least):
                _refuse(f"{where}.add", f"{rule} {effect.level} "
                        f"(got {least:g} {effect.add.unit})")


def _range(circuit: Circuit, effect: Any) -> tuple[float, float]:
    """Return how strongly a cell hears a modulator at least and at most."""
    modulator, (low, high) = circuit.modulators[effect.level], bounds(circuit, effect.level)
    return (float(modulator.heard(low, effect.curve)), float(modulator.heard(high, effect.curve)))


def _check_weights(circuit: Circuit, where: str, pathway: Pathway) -> None:
    """Refuse effects that take a weight below 0, or that have no value at the reference."""
    for number, effect in enumerate(pathway.effects):
        place = f"{where}.effects.{number}"
        _known(f"{place}.level", "modulator", effect.level, circuit.modulators)
        modulator, ends = circuit.modulators[effect.level], bounds(circuit, effect.level)
        base, *factors = (1.0 + effect.coefficient.value * float(modulator.response(
            level, effect.curve)) for level in (modulator.nothing(effect.curve), *ends))
        if base <= 0 or min(factors) < 0:
            _refuse(f"{place}.coefficient", f"must leave the weight 0 or above at every level of "
                    f"{effect.level}, and above 0 at its reference (got a factor of "
                    f"{min(base, *factors):g})")


def _check_spread(circuit: Circuit) -> None:
    for name, spread in circuit.spread.items():
        cell = circuit.cells[name]
        limits = {parameter.name: parameter.lowest for parameter in cell.declaration.parameters}
        _check_size(name, cell, spread, limits)
        for parameter, sd in spread.items():
            if isinstance(sd, Size):
                continue
            value, limit = cell.values[parameter], limits[parameter]
            # Spread is truncated at 3 sd; a bound must hold in every neuron.
            if limit is not None and not limit.allows(lowest(cell, spread, parameter)):
                kept = "be below a third of" if limit == (0, True) else (
                    f"leave {limit.value:g} {sd.unit} or more within three of it below")
                _refuse(f"spread.{name}.{parameter}",
                        f"must {kept} {value:g} {sd.unit} (got {sd.value:g})")


def _check_size(name: str, cell: Cell, spread: dict[str, Any], limits: dict[str, Any]) -> None:
    size = size_of(spread)
    for parameter in () if size is None else size.of:
        least, limit = lowest(cell, spread, parameter), limits[parameter]
        if limit is not None and not limit.allows(least):
            kept = f"{'above' if limit.strict else 'at least'} {limit.value:g}"
            _refuse(f"spread.{name}.size.cv", f"must leave {parameter} {kept} in every neuron "
                    f"(got {least:g})")


def _check_pathways(circuit: Circuit) -> None:
    for name, pathway in circuit.pathways.items():
        ends = name.split("->")
        if len(ends) != 2:
            _refuse("pathways", f'a name is "source->target" (got "{shown(name)}")')
        _known(f"pathways.{name}", "cell type", ends[1], circuit.cells)
        if ends[0] not in circuit.axons:
            _known(f"pathways.{name}", "cell type", ends[0], circuit.cells)
        for receptor in pathway.conductance:
            where = f"pathways.{name}.conductance"
            _known(where, "receptor", receptor, circuit.receptors)
        _check_table(f"pathways.{name}", name, pathway.wiring)
        _check_delay(f"pathways.{name}.delay", pathway.delay, circuit.dt.value)
        _check_weights(circuit, f"pathways.{name}", pathway)
    for name, junctions in circuit.gap_junctions.items():
        ends = name.split("-")
        if len(ends) != 2:
            _refuse("gap_junctions", f'a name is "type-type" (got "{shown(name)}")')
        for end in ends:
            _known(f"gap_junctions.{shown(name)}", "cell type", end, circuit.cells)
        turned = "-".join(reversed(ends))
        if turned != name and turned in circuit.gap_junctions:
            _refuse("gap_junctions", "two names mean the same pairs "
                    f'(got "{name}" and "{turned}"). Keep one')
        _check_table(f"gap_junctions.{name}", name, junctions.wiring)


def _check_delay(where: str, delay: Delay, dt: float) -> None:
    offset, where, whole = delay.offset.value, f"{where}.offset", where
    if not 1 <= steps(min(offset, 1e6), dt) <= MAX_DELAY:
        _refuse(where, f"must be 1 to {MAX_DELAY} steps of {dt:g} ms (got {offset:g} ms)")
    if delay.velocity is not None:
        return  # distances make any delay, which is rounded
    for grain, what in ((DELAY_UNIT, "the unit of stored delays"), (dt, "the step")):
        if not _is_multiple(offset, grain):
            _refuse(where, f"must be a multiple of {grain:g} ms, {what} (got {offset:g} ms)")
    if delay.spread is not None:
        low, high = (offset * (1 + sign * delay.spread.value) for sign in (-1, 1))
        if min(steps(low, dt), steps(low, DELAY_UNIT)) < 1 or max(
                steps(high, dt), steps(high, DELAY_UNIT)) > MAX_DELAY:
            _refuse(f"{whole}.spread", f"must leave delays of 1 to {MAX_DELAY} steps "
                    f"(got {low:g} to {high:g} ms). Lower it")


def _is_multiple(time_ms: float, grain_ms: float) -> bool:
    return abs(round(time_ms / grain_ms) * grain_ms - time_ms) <= 1e-6 * grain_ms


def _check_table(where: str, name: str, wiring: Any) -> None:
    if isinstance(wiring, Measured) and name not in (table := measured()[wiring.table]):
        _refuse(f"{where}.wiring.table",
                f"{wiring.table} did not measure {name}. It did {', '.join(table)}")


def _check_inputs(circuit: Circuit) -> None:
    for name, entry in circuit.inputs.items():
        for cell, target in entry.targets.items():
            where = f"inputs.{name}.targets.{cell}"
            _known(where, "cell type", cell, circuit.cells)
            for receptor in target.conductance or ():
                _known(f"{where}.conductance", "receptor", receptor, circuit.receptors)
            if target.channel is not None:
                _known(f"{where}.channel", "channel", target.channel, circuit.channels)
            if target.rate is not None:
                _check_rate(where, target, circuit.dt.value)


def _check_rate(where: str, target: Target, dt: float) -> None:
    highest = target.rate.highest
    if highest * dt / 1000 > 1:
        _refuse(f"{where}.rate", f"must be at most one event per step (got {highest:g} Hz)")


def _known(where: str, kind: str, name: str, known: Iterable[str]) -> None:
    known = list(known)
    if name not in known:
        near = get_close_matches(name, known, n=1) or [", ".join(known) or "none"]
        _refuse(where, f'unknown {kind} (got "{shown(name)}"). Known: {shown(near[0])}')


def _refuse(where: str, rule: str) -> NoReturn:
    msg = f"{where}: {rule}"
    raise ValueError(msg)
