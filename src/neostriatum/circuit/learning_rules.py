"""The rules that hold between a pathway that learns and the rest of a circuit, and what follows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from neostriatum.circuit.clock import steps
from neostriatum.circuit.signals import start_level
from neostriatum.errors import shown
from neostriatum.models.evaluate import evaluate
from neostriatum.models.learning import RECEPTORS, TIMES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neostriatum.circuit.learning import Learning
    from neostriatum.circuit.model import Circuit

#: Lengths of a burst and of a dip of dopamine that weights are told for [ms], and the interval of
#: a pair of spikes.
BURST_MS, DIP_MS, PAIR_MS = 200.0, 400.0, 10.0
#: Time constants that fit between two flushes at most: their exponentials are kept as tables.
MOST_FALLS = 60.0


def check_learning(circuit: Circuit) -> None:
    """Raise ValueError with the path and the rule if learning does not fit its circuit."""
    for name, pathway in circuit.pathways.items():
        if pathway.learning is None:
            continue
        source, where = name.split("->")[0], f"pathways.{name}.learning"
        if source not in circuit.axons:
            _refuse(where, f"must be of axons, which have one delay (got the cells {source})")
        if not circuit.axons[source].identity:
            _refuse(where, "must be of axons with identity (got identity = false)")
        if pathway.failure is not None and pathway.failure.drawn:
            _refuse(f"{where[:-9]}.failure.drawn", "must be false where a pathway learns (got "
                    "true)")
        for key in ("level", "gate"):
            modulator = getattr(pathway.learning, key)
            if modulator is not None and modulator not in circuit.modulators:
                _refuse(f"{where}.{key}", f'unknown modulator (got "{shown(modulator)}"). Known: '
                        f"{', '.join(circuit.modulators)}")
        _check_numbers(circuit, name, where, pathway.learning)


def _check_numbers(circuit: Circuit, name: str, where: str, learning: Learning) -> None:
    numbers, dt = learning.numbers(receptor_of(circuit, name)), circuit.dt.value
    interval = learning.flush.value
    if abs(round(interval / dt) * dt - interval) > 1e-6 * dt or not 1 <= interval / dt <= 65535:
        _refuse(f"{where}.flush", f"must be 1 to 65535 whole steps of {dt:g} ms "
                f"(got {interval:g} ms)")
    shortest = min(numbers[key] for key in TIMES if numbers[key] > 0)
    if interval / shortest > MOST_FALLS:
        _refuse(f"{where}.flush", f"must be at most {MOST_FALLS:g} times the shortest time "
                f"constant, {shortest:g} ms (got {interval:g} ms)")
    if numbers["tau_rise"] >= numbers["tau_e"]:
        _refuse(f"{where}.tau_rise", f"must be below tau_e, {numbers['tau_e']:g} ms "
                f"(got {numbers['tau_rise']:g} ms)")
    tonic = tonic_of(circuit, name)
    if not 0 <= tonic <= 1:
        _refuse(f"{where}.level", f"must be between 0 and 1 (got {tonic:g}, the start of "
                f"{level_of(circuit, name)}). Name another, such as the occupancy of a receptor")
    # A level is changed while a run goes on, so that the rule must not depend on what it is now.
    tonics = (0.0, 0.5, 1.0) if learning.tonic is None else (tonic,)
    most = max(abs(change) for each in tonics for change in _pairings(learning, numbers,
                                                                      each).values())
    room = numbers["w_max"] - numbers["w_min"]
    if not most < room:
        _refuse(f"{where}.dose", "must keep the change by one pair of spikes below w_max - w_min, "
                f"{room:g} (got {most:.3g}). Lower it")


def receptor_of(circuit: Circuit, name: str) -> str:
    """Return the receptor whose coefficients a pathway that learns has.

    Raises
    ------
    ValueError
        Its target hears both or none, and it does not say.
    """
    learning: Any = circuit.pathways[name].learning
    cell = name.split("->")[1]
    if learning.receptor is not None:
        return learning.receptor
    if learning.level in RECEPTORS:
        return learning.level
    hears = {effect.level for effect in circuit.cells[cell].acting} & set(RECEPTORS)
    if len(hears) != 1:
        _refuse(f"pathways.{name}.learning.receptor",
                f"must be D1 or D2, as {cell} hears {'both' if hears else 'none'} of them (got "
                "none)")
    return hears.pop()


def level_of(circuit: Circuit, name: str) -> str:
    """Return the modulator that a pathway that learns hears."""
    learning: Any = circuit.pathways[name].learning
    return learning.level or receptor_of(circuit, name)


def tonic_of(circuit: Circuit, name: str) -> float:
    """Return the tonic level of a pathway that learns: as it says, or as the level starts."""
    learning: Any = circuit.pathways[name].learning
    given = learning.tonic
    return start_level(circuit, level_of(circuit, name)) if given is None else float(given.value)


def factors(circuit: Circuit, name: str, level: Any) -> tuple[Any, Any]:
    """Return what a pathway's rule makes of both eligibilities at a level, plus first."""
    learning: Any = circuit.pathways[name].learning
    return _factors(learning, learning.numbers(receptor_of(circuit, name)), level,
                    tonic_of(circuit, name))


def _factors(learning: Learning, numbers: dict[str, float], level: Any,
             tonic: float) -> tuple[Any, Any]:
    known, rule = numbers | {"level": level, "tonic": tonic}, learning.declaration
    return evaluate(rule.plus, known), evaluate(rule.minus, known)


def pairings(circuit: Circuit, name: str) -> dict[str, float]:
    """Return the change of a weight of 1 by a pair of spikes 10 ms apart, which dopamine follows.

    Keys are "pre-post, burst", "pre-post, dip", "post-pre, burst" and "post-pre, dip": a burst is a
    level of 1 for 200 ms from the pair on, a dip a level of 0 for 400 ms.
    """
    learning: Any = circuit.pathways[name].learning
    return _pairings(learning, learning.numbers(receptor_of(circuit, name)),
                     tonic_of(circuit, name))


def _pairings(learning: Learning, numbers: dict[str, float], tonic: float) -> dict[str, float]:
    made = {}
    for order, tau in enumerate(("tau_plus", "tau_minus")):
        for what, level, length in (("burst", 1.0, BURST_MS), ("dip", 0.0, DIP_MS)):
            factor = float(_factors(learning, numbers, level, tonic)[order])
            trace = math.exp(-PAIR_MS / numbers[tau])
            made[f"{('pre-post', 'post-pre')[order]}, {what}"] = (
                numbers["dose"] * factor * trace * _share(numbers, length))
    return made


def _share(numbers: dict[str, float], length: float) -> float:
    """Return which share of an eligibility lies in its first ``length`` ms."""
    slow, rise = numbers["tau_e"], numbers["tau_rise"]
    share = -math.expm1(-length / slow)
    if rise > 0:
        share = (slow * share + rise * math.expm1(-length / rise)) / (slow - rise)
    return share


def residual(circuit: Circuit, name: str) -> float:
    """Return the balance of a burst and a dip for equal eligibilities, 0 where they cancel.

    It is (S_burst F_burst + S_dip F_dip) / (|S_burst F_burst| + |S_dip F_dip|), where F is the sum
    of both factors and S the share of an eligibility that lies in the length of each.
    """
    learning: Any = circuit.pathways[name].learning
    numbers = learning.numbers(receptor_of(circuit, name))
    burst, dip = (_share(numbers, length) * float(sum(factors(circuit, name, level)))
                  for length, level in ((BURST_MS, 1.0), (DIP_MS, 0.0)))
    whole = abs(burst) + abs(dip)
    return (burst + dip) / whole if whole > 0 else 0.0


def moved_by_tonic(circuit: Circuit, name: str) -> bool:
    """Return whether weights move while dopamine stays at its tonic level."""
    return bool(np.max(np.abs(factors(circuit, name, tonic_of(circuit, name)))) > 1e-9)


def learning_pathways(circuit: Circuit) -> Iterator[str]:
    """Yield the names of the pathways that learn."""
    return (name for name, pathway in circuit.pathways.items() if pathway.learning is not None)


def learning_lines(circuit: Circuit) -> list[dict[str, Any]]:
    """Return what `info` says of every pathway that learns."""
    return [{"pathway": name, "rule": circuit.pathways[name].learning.declaration.name,
             "receptor": receptor_of(circuit, name), "level": level_of(circuit, name),
             "tonic": tonic_of(circuit, name), "pairings": pairings(circuit, name),
             "residual": residual(circuit, name)} for name in learning_pathways(circuit)]


def learning_warnings(circuit: Circuit) -> list[str]:
    """Return a line for every pathway whose weights tonic dopamine alone moves."""
    said = []
    for name in learning_pathways(circuit):
        level = level_of(circuit, name)
        if moved_by_tonic(circuit, name):
            plus, minus = (float(part) for part in factors(circuit, name, tonic_of(circuit, name)))
            said.append(f"learning of {name}: {level} at its tonic level alone moves weights "
                        f"(factors {plus:.2g} and {minus:.2g}), so they drift without reward")
        elif circuit.pathways[name].learning.tonic is not None and (
                abs(start_level(circuit, level) - tonic_of(circuit, name)) > 1e-9):
            said.append(f"learning of {name}: {level} starts at {start_level(circuit, level):g}, "
                        f"not at the tonic level {tonic_of(circuit, name):g}")
    return said


def flush_steps(circuit: Circuit, name: str) -> int:
    """Return the steps between two at which all weights of a pathway are brought up to date."""
    return steps(circuit.pathways[name].learning.flush.value, circuit.dt.value)


def _refuse(where: str, rule: str) -> NoReturn:
    msg = f"{where}: {rule}"
    raise ValueError(msg)
