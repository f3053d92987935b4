"""What a run records, as a user says it: ``dSPN:10:v,u,g_AMPA:5``, ``modulators.ACh:level``."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from math import gcd
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.circuit.aliases import canonical
from neostriatum.engines.population import typical
from neostriatum.engines.probes import LEVEL, MODULATORS, PATHWAYS
from neostriatum.errors import CircuitError, shown
from neostriatum.recording.derived import Derived, derived, states
from neostriatum.recording.levels import acting_levels
from neostriatum.recording.releases import RELEASED, release_states

if TYPE_CHECKING:
    from collections.abc import Iterable

    from neostriatum.circuit.model import Circuit

#: Cells of each type whose potential is recorded where nothing is said.
USUAL = 3
#: Cells times variables at most: what one window brings must stay small.
MOST = 10_000
NONE = "none"
#: What begins an entry for axons.
AXONS = "axons."

_RANGE = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?")
#: The form of an entry that begins so.
_FORMS = {MODULATORS: 'modulators.NAME:level:EVERY, "modulators.ACh:level:10"',
          PATHWAYS: 'pathways.NAME:SOURCES:STATES:EVERY, "pathways.FS->dSPN:5:x:10"'}


@dataclass(frozen=True)
class Choice:
    """One variable of cells of one type, by local id, after every so many steps.

    ``population`` may also be ``modulators.<name>``, and ``pathways.<name>``, of whose sources the
    ids are.
    """

    population: str
    variable: str
    ids: np.ndarray
    every: int
    unit: str = "mV"


def recordable(circuit: Circuit, name: str) -> dict[str, str]:
    """Return the unit of every variable that can be recorded of a cell type.

    These are the states of its model, ``<state>_<receptor>`` of its receptors, and what follows
    from them; see `derived`. Of ``modulators.<name>`` it is the level, of ``pathways.<name>`` what
    a spike would find and release.

    Examples
    --------
    >>> from neostriatum.circuit.load import load
    >>> list(recordable(load("striatum_v1"), "FS"))[3:7]
    ['g_GABA', 'static_threshold', 'I_AMPA', 'I_GABA']
    """
    known = states(circuit, name) | {key: quantity.unit for key, quantity in
                                     derived(circuit, name).items() if not quantity.problem}
    return known | ({RELEASED: "1"} if name.startswith(PATHWAYS) else {})


def choices(said: Any, circuit: Circuit, counts: dict[str, int],
            axons: dict[str, int] | None = None) -> list[Choice]:
    """Return the states to record: those asked for, and those from which others follow.

    Parameters
    ----------
    said, circuit, counts, axons
        As for `asked`.

    Raises
    ------
    CircuitError
        What `asked` refuses, a state that is needed of different cells or at different steps, more
        than 10,000 traces.

    Examples
    --------
    >>> import neostriatum as ns
    >>> made = choices(["FS:[0,4-6]:v,I_AMPA:5"], ns.load("striatum_v1"), {"FS": 10})
    >>> [(one.population, one.variable, one.ids.tolist(), one.every) for one in made]
    [('FS', 'v', [0, 4, 5, 6], 5), ('FS', 'g_AMPA', [0, 4, 5, 6], 5)]
    """
    needed: dict[tuple[str, str], Choice] = {}
    for choice in asked(said, circuit, counts, axons):
        quantity = derived(circuit, choice.population).get(choice.variable)
        for state in _states(circuit, choice, quantity):
            unit = states(circuit, choice.population)[state]
            _need(needed, replace(choice, variable=state, unit=unit), choice.variable)
        for name in () if quantity is None else _levels(circuit, choice, quantity):
            unit = states(circuit, MODULATORS + name)[LEVEL]
            level = Choice(MODULATORS + name, LEVEL, np.zeros(1, np.int64), choice.every, unit)
            _need(needed, level, choice.variable)
    if (total := sum(len(choice.ids) for choice in needed.values())) > MOST:
        msg = f"record: must be {MOST} traces at most (got {total})"
        raise CircuitError(msg)
    return list(needed.values())


def _states(circuit: Circuit, choice: Choice, quantity: Derived | None) -> tuple[str, ...]:
    """Return the states from which a variable follows."""
    if choice.population.startswith(PATHWAYS) and choice.variable == RELEASED:
        return release_states(circuit, choice.population.removeprefix(PATHWAYS))
    return (choice.variable,) if quantity is None else quantity.states


def _levels(circuit: Circuit, choice: Choice, quantity: Derived) -> tuple[str, ...]:
    """Return the computed levels that act on a quantity."""
    if not circuit.computed_levels:
        return ()
    return acting_levels(circuit, typical(circuit, choice.population), quantity.acted_on)


def _need(needed: dict[tuple[str, str], Choice], choice: Choice, variable: str) -> None:
    """Add a state that a variable needs, and refuse one that is needed otherwise elsewhere.

    A level is looked at whenever one of those that need it looks.
    """
    state = needed.setdefault((choice.population, choice.variable), choice)
    if choice.population.startswith(MODULATORS):
        every = gcd(choice.every, state.every)
        needed[choice.population, choice.variable] = replace(choice, every=every)
    elif choice.every != state.every or not np.array_equal(choice.ids, state.ids):
        msg = (f"record: {choice.population}: {variable} needs {state.variable}, which is "
               f"recorded once (got {len(state.ids)} cells every {state.every} steps, and "
               f"{len(choice.ids)} every {choice.every}). Ask for all that needs it of the same "
               "cells and EVERY")
        raise CircuitError(msg)


def asked(said: Any, circuit: Circuit, counts: dict[str, int],
          axons: dict[str, int] | None = None) -> list[Choice]:
    """Return what was asked for, states and what follows from them.

    Parameters
    ----------
    said : str, iterable of str or None
        ``TYPE:CELLS:VARIABLES:EVERY``, the last two optional. CELLS is a number (the first so
        many), ids and ranges in brackets, ``[0,7,20-29]``, or ``all``; VARIABLES are those of
        `recordable`, such as v and I_<receptor>, separated by commas (v); EVERY is a number of
        steps (1). "none" records nothing; None records v of the first 3 cells of every type.
        ``modulators.NAME:level:EVERY`` records a level, ``pathways.NAME:SOURCES:STATES:EVERY``
        states of release of sources, or what these would release (``released``).
    circuit : Circuit
        Says which types and receptors there are.
    counts : dict
        Cells by type.
    axons : dict, optional
        Axons by population.

    Raises
    ------
    CircuitError
        Anything else than that, a cell that is not there, a variable asked for twice.
    """
    if said is None:
        return [Choice(name, "v", np.arange(min(USUAL, count)), 1)
                for name, count in counts.items() if count]
    every = [choice for text in listed(said) or () if not text.strip().startswith(AXONS)
             for choice in _choices(text, circuit, counts | (axons or {}))]
    keys = [(choice.population, choice.variable) for choice in every]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice:
        msg = f"record: each variable of a type may be asked for once (got {' '.join(twice)} twice)"
        raise CircuitError(msg)
    return every


def axons_asked(said: Any, circuit: Circuit, counts: dict[str, int]) -> dict[str, np.ndarray]:
    """Return the axons whose spikes are recorded, by population: ``axons.NAME:AXONS:spikes``.

    Parameters
    ----------
    said, circuit
        As for `asked`.
    counts : dict
        Axons by population.

    Raises
    ------
    CircuitError
        Another population, axons without trains, an axon that is not there, one asked for twice.
    """
    chosen: dict[str, np.ndarray] = {}
    for text in listed(said) or ():
        if not text.strip().startswith(AXONS):
            continue
        name, *rest = (part.strip() for part in text.strip().removeprefix(AXONS).split(":"))
        if len(rest) != 2 or rest[1] != "spikes":
            msg = (f'record: of axons must be axons.NAME:AXONS:spikes, "axons.cortex:all:spikes" '
                   f"(got {shown(text)})")
            raise CircuitError(msg)
        if name not in circuit.axons or name in chosen:
            known = ", ".join(one for one in circuit.axons if one not in chosen) or "none"
            msg = f"record: {text}: axons must be one of {known} (got {shown(name)})"
            raise CircuitError(msg)
        if not circuit.axons[name].identity:
            msg = f"record: {text}: {name} must have identity = true to have trains (got false)"
            raise CircuitError(msg)
        chosen[name] = _ids(text, rest[0], counts[name])
    return chosen


def listed(said: str | Iterable[str] | None) -> list[str] | None:
    """Return the texts of an option that may be one, several or none; [] where it is "none"."""
    if said is None:
        return None
    try:
        texts: list[Any] = [said] if isinstance(said, str) else list(said)
    except TypeError:
        texts = [said]
    if any(not isinstance(one, str) for one in texts):
        msg = f"record: must be text, TYPE:CELLS:VARIABLES:EVERY (got {shown(said)})"
        raise CircuitError(msg)
    return [] if texts == [NONE] else texts


def _choices(text: str, circuit: Circuit, counts: dict[str, int]) -> list[Choice]:
    parts = [one.strip() for one in text.split(":")]
    if text.strip().startswith(MODULATORS):
        # A level is one number, so an entry names nothing to choose from.
        parts.insert(1, "1")
    if not 2 <= len(parts) <= 4 or not all(parts):
        form = next((form for start, form in _FORMS.items() if text.strip().startswith(start)),
                    'TYPE:CELLS:VARIABLES:EVERY, "dSPN:10:v,u:5"')
        msg = f"record: must be {form} (got {shown(text)})"
        raise CircuitError(msg)
    name, cells, variables, every = (*parts, *("v", "1")[len(parts) - 2 :])
    name, count = _whose(text, canonical(name), circuit, counts)
    ids = _ids(text, cells, count)
    known = recordable(circuit, name)
    wanted = [one.strip() for one in variables.split(",")]
    for one in wanted:
        if one not in known:
            quantity = derived(circuit, name).get(one)
            msg = f"record: {text}: {name} has {', '.join(known)} (got {shown(one)})"
            if quantity is not None:
                msg = f"record: {text}: {one} cannot be computed: {quantity.problem}"
            raise CircuitError(msg)
    if not re.fullmatch(r"[0-9]{1,9}", every) or int(every) < 1:
        msg = f"record: {text}: every must be a number of steps, at least 1 (got {shown(every)})"
        raise CircuitError(msg)
    return [Choice(name, one, ids, int(every), known[one]) for one in wanted]


def _whose(text: str, name: str, circuit: Circuit, counts: dict[str, int]) -> tuple[str, int]:
    """Return whose variables an entry names, and from how many it chooses.

    Raises
    ------
    CircuitError
        No cell type, modulator or plastic pathway of the circuit.
    """
    kind, _, rest = name.partition(".")
    if kind + "." == MODULATORS and rest in circuit.modulators:
        return name, 1
    if kind + "." == PATHWAYS:
        release_states(circuit, rest)
        return name, counts[rest.split("->")[0]]
    if name not in circuit.cells:
        known = [*circuit.cells, *(MODULATORS + one for one in circuit.modulators),
                 f"{PATHWAYS}NAME"]
        msg = f"record: {text}: type must be one of {', '.join(known)} (got {shown(name)})"
        raise CircuitError(msg)
    return name, counts[name]


def _ids(text: str, cells: str, count: int) -> np.ndarray:
    """Return sorted local ids; nothing large is made before it is known to be there."""
    listed = cells.startswith("[") and cells.endswith("]")
    ranges = cells[1:-1].split(",") if listed else [f"0-{count - 1}" if cells == "all" else cells]
    spans = []
    for one in ranges:
        found = _RANGE.fullmatch(one.strip())
        if found is None or (not listed and cells != "all" and found[2]):
            msg = f"record: {text}: cells must be a number, [ids] or all (got {shown(cells)})"
            raise CircuitError(msg)
        first, last = int(found[1]), int(found[2] or found[1])
        spans.append((first, last) if listed or cells == "all" else (0, first - 1))
    if any(last < first or last >= count for first, last in spans):
        msg = f"record: {text}: must be some of the {count} that there are (got {shown(cells)})"
        raise CircuitError(msg)
    return np.unique(np.concatenate([np.arange(first, last + 1) for first, last in spans]))
