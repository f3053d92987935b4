"""The rules that hold between the parts of a circuit."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NoReturn

from neostriatum.circuit.measured import measured
from neostriatum.circuit.pathway import DELAY_UNIT, Measured
from neostriatum.errors import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from neostriatum.circuit.drive import Target
    from neostriatum.circuit.model import Circuit
    from neostriatum.circuit.pathway import Delay

#: Longest time and longest delay in steps (116 days, and 25.5 ms, at 0.1 ms).
MAX_STEPS, MAX_DELAY = 10**11, 255


def check(circuit: Circuit) -> None:
    """Raise ValueError with the path and the rule if the parts of ``circuit`` do not fit."""
    total = sum(cell.fraction.value for cell in circuit.cells.values())
    if abs(total - 1) > 1e-6:
        _refuse("cells", f"fractions must sum to 1 (got {total:.7g})")
    _check_cells(circuit)
    _check_spread(circuit)
    _check_pathways(circuit)
    _check_inputs(circuit)


def steps(time_ms: float, dt_ms: float) -> int:
    """Return a time as a whole number of steps, half to even."""
    return round(time_ms / dt_ms)


def whole_steps(where: str, time_ms: float, dt_ms: float) -> int:
    """Return ``time_ms`` in steps; raise ValueError if it is not a whole number of them."""
    if abs(time_ms) / dt_ms > MAX_STEPS:
        _refuse(where, f"must be at most {MAX_STEPS:g} steps of {dt_ms:g} ms (got {time_ms:g} ms)")
    count = steps(time_ms, dt_ms)
    if abs(count * dt_ms - time_ms) > 1e-6 * dt_ms + 1e-12 * time_ms:
        _refuse(where, f"must be a whole number of steps of {dt_ms:g} ms (got {time_ms:g} ms)")
    return count


def _check_cells(circuit: Circuit) -> None:
    whole_steps("warmup", circuit.warmup.value, circuit.dt.value)
    for key in ("noise", "start"):
        for name in getattr(circuit, key):
            _known(f"{key}.{name}", "cell type", name, circuit.cells)
    for name, cell in circuit.cells.items():
        for number, effect in enumerate(cell.dopamine):
            where = f"cells.{name}.dopamine.{number}.acts_on"
            if effect.acts_on.startswith("I_"):
                if effect.acts_on != "I_spon":
                    _known(where, "receptor", effect.acts_on[2:], circuit.receptors)
            elif effect.acts_on != "current" and not hasattr(cell.parameters, effect.acts_on):
                _refuse(where, f"a cell with rule {cell.rule} has no {effect.acts_on}")


def _check_spread(circuit: Circuit) -> None:
    for name, spread in circuit.spread.items():
        for parameter, sd in spread.items():
            value = getattr(circuit.cells[name].parameters, parameter).value
            # Spread is truncated at 3 sd; C, k and a must stay positive in every neuron.
            if parameter in ("C", "k", "a") and value <= 3 * sd.value:
                _refuse(f"spread.{name}.{parameter}",
                        f"must be below a third of {value:g} {sd.unit} (got {sd.value:g})")


def _check_pathways(circuit: Circuit) -> None:
    for name, pathway in circuit.pathways.items():
        ends = name.split("->")
        if len(ends) != 2:
            _refuse("pathways", f'a name is "source->target" (got "{shown(name)}")')
        for end in ends:
            _known(f"pathways.{name}", "cell type", end, circuit.cells)
        for receptor in pathway.conductance:
            where = f"pathways.{name}.conductance"
            _known(where, "receptor", receptor, circuit.receptors)
        _check_table(f"pathways.{name}", name, pathway.wiring)
        _check_delay(f"pathways.{name}.delay.offset", pathway.delay, circuit.dt.value)
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
    offset = delay.offset.value
    if not 1 <= steps(min(offset, 1e6), dt) <= MAX_DELAY:
        _refuse(where, f"must be 1 to {MAX_DELAY} steps of {dt:g} ms (got {offset:g} ms)")
    if delay.velocity is not None:
        return  # distances make any delay, which is rounded
    for grain, what in ((DELAY_UNIT, "the unit of stored delays"), (dt, "the step")):
        if not _is_multiple(offset, grain):
            _refuse(where, f"must be a multiple of {grain:g} ms, {what} (got {offset:g} ms)")


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
    rate = target.rate
    tops = [rate.constant] if rate.constant else []
    tops += [shape.base for shape in (rate.pulse, rate.ramp) if shape]
    tops += [shape.peak for shape in (rate.pulse, rate.ramp) if shape]
    tops += list(rate.table.values) if rate.table else []
    highest = max((top.value for top in tops), default=0.0)
    if rate.sine:
        highest = rate.sine.mean.value + abs(rate.sine.amplitude.value)
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
