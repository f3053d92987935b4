"""Levels that are computed while a run goes on: their starts, their bounds, and what is refused."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NoReturn

from neostriatum.circuit.clock import steps
from neostriatum.circuit.modulator import HIGHEST
from neostriatum.errors import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from neostriatum.circuit.model import Circuit
    from neostriatum.circuit.modulator import Modulator

#: Longest delay of a release in steps, as of a pathway.
MAX_DELAY = 255


def start_level(circuit: Circuit, name: str, time_ms: float | None = None) -> float:
    """Return the level of a modulator at a time from the end of the warm-up.

    A computed level has that of its start whatever the time: what a run makes of it only the run
    knows. A time of None is the start of the warm-up.
    """
    modulator = circuit.modulators[name]
    if modulator.level is not None:
        start = -circuit.warmup.value if time_ms is None else time_ms
        return float(modulator.level.at(start))
    if modulator.follows is not None:
        return start_level(circuit, modulator.follows)
    if modulator.uptake is not None:
        rate = modulator.tonic.value if modulator.rate is None else \
            float(modulator.rate.at(-circuit.warmup.value))
        return settled(modulator, rate)
    if modulator.occupied_by is not None:
        concentration = start_level(circuit, modulator.occupied_by)
        full = 1.0 if modulator.full is None else modulator.full.value
        return min(concentration / (concentration + modulator.ec50.value) / full, 1.0)
    return 1.0


def unreleased(circuit: Circuit, counts: Mapping[str, int]) -> list[str]:
    """Return the levels that stay at their starts, as no cell is there to release them."""
    return [name for name, modulator in circuit.modulators.items()
            if modulator.released_by is not None and not counts.get(modulator.released_by)]


def settled(modulator: Modulator, rate_hz: float) -> float:
    """Return the concentration at which uptake balances release at a rate [nM]."""
    release = rate_hz * modulator.per_spike.value
    return modulator.uptake.k_m.value * release / (modulator.uptake.v_max.value - release)


def bounds(circuit: Circuit, name: str) -> tuple[float, float]:
    """Return the lowest and the highest level that a modulator may reach."""
    modulator = circuit.modulators[name]
    if modulator.level is not None:
        courses = [modulator.level, *modulator.regions.values()]
        return min(one.lowest for one in courses), max(one.highest for one in courses)
    if modulator.follows is not None:
        return bounds(circuit, modulator.follows)
    return 0.0, 1.0 if modulator.occupied_by is not None else HIGHEST


def check_signals(circuit: Circuit) -> None:
    """Refuse a computed level that names what is not there, or that cannot be computed."""
    for name, modulator in circuit.modulators.items():
        where = f"modulators.{name}"
        if modulator.released_by is not None:
            _known(f"{where}.released_by", "cell type", modulator.released_by, circuit.cells)
            _check_delay(f"{where}.delay", modulator.delay.value, circuit.dt.value)
        for key in ("follows", "occupied_by"):
            if (source := getattr(modulator, key)) is not None:
                _known(f"{where}.{key}", "modulator", source, circuit.modulators)
        if modulator.uptake is not None:
            _check_uptake(where, modulator, -circuit.warmup.value)
    for name in circuit.modulators:
        _check_circle(circuit, name)
    for name, modulator in circuit.modulators.items():
        source = modulator.occupied_by
        if source is not None and circuit.modulators[source].uptake is None:
            _refuse(f"modulators.{name}.occupied_by", "must be a concentration, with uptake (got "
                    f'"{source}"). Give {source} uptake and per_spike')


def _check_circle(circuit: Circuit, name: str) -> None:
    path = [name]
    while (source := _source(circuit.modulators[path[-1]])) is not None:
        path.append(source)
        if source == name:
            key = "follows" if circuit.modulators[name].follows is not None else "occupied_by"
            _refuse(f"modulators.{name}.{key}", "must not lead back to the level itself (got "
                    f"{' after '.join(path)}). Let one of them be given or released")
        if len(path) > len(circuit.modulators):
            return  # the circle is that of another, whose turn comes


def _source(modulator: Modulator) -> str | None:
    return modulator.follows if modulator.follows is not None else modulator.occupied_by


def _check_delay(where: str, delay_ms: float, dt: float) -> None:
    count = steps(min(delay_ms, 1e6), dt)
    if not 1 <= count <= MAX_DELAY:
        _refuse(where, f"must be 1 to {MAX_DELAY} steps of {dt:g} ms (got {delay_ms:g} ms). "
                "A level is heard at the next step at the earliest")
    if abs(count * dt - delay_ms) > 1e-6 * dt:
        _refuse(where, f"must be a multiple of the step, {dt:g} ms (got {delay_ms:g} ms). Round it")


def _check_uptake(where: str, modulator: Modulator, start_ms: float) -> None:
    """Refuse a release that uptake cannot balance at the start or in the long run."""
    for rate in _lasting(modulator, start_ms):
        release, v_max = rate * modulator.per_spike.value, modulator.uptake.v_max.value
        if not release < v_max:
            _refuse(f"{where}.uptake.v_max", f"must be above the release at {rate:g} Hz, or the "
                    f"concentration never settles (got {v_max:g} nM/s against {release:g} nM/s). "
                    "Raise v_max, or lower per_spike or the rate")
        level = settled(modulator, rate)
        if level > HIGHEST:
            _refuse(f"{where}.uptake.v_max", "must leave the concentration at most "
                    f"{HIGHEST:g} nM at {rate:g} Hz (got {level:g} nM). Raise it")


def _lasting(modulator: Modulator, start_ms: float) -> tuple[float, ...]:
    """Return the rates of release at the start and in the long run; a burst may be above [Hz]."""
    course = modulator.rate
    if course is None:
        return (modulator.tonic.value,)
    start, end = float(course.at(start_ms)), course.horizon_ms
    if end is not None:
        return start, float(course.at(end + 1.0))
    if course.sine is not None:
        return start, course.sine.mean.value
    low, high = course.square.low.value, course.square.high.value
    return start, low + course.square.duty.value * (high - low)


def _known(where: str, kind: str, name: str, known: Any) -> None:
    if name not in known:
        near = get_close_matches(name, list(known), n=1) or [", ".join(known)]
        _refuse(where, f'unknown {kind} (got "{shown(name)}"). Known: {shown(near[0])}')


def _refuse(where: str, rule: str) -> NoReturn:
    msg = f"{where}: {rule}"
    raise ValueError(msg)
