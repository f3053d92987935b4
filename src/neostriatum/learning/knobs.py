"""Lesions and drugs: levels held within limits, cells stimulated, synapses that do not learn."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from neostriatum.circuit.learning_rules import level_of, tonic_of
from neostriatum.circuit.load import load
from neostriatum.circuit.plain import plain
from neostriatum.errors import CircuitError, shown
from neostriatum.units import quantity

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit

#: Phases in which cells can be stimulated.
STIMULATED = ("choice", "action")


@dataclass(frozen=True)
class Knobs:
    """What is done to a session beside the task.

    ``limits`` are the lowest and the highest level of a receptor: (0, 0) blocks it, (x, x) clamps
    it, (x, 1) is an agonist, (0, x) an antagonist. ``fixed`` are cell types whose synapses do not
    learn. ``stimulate`` are currents [pA] by channel, cell type and phase.
    """

    limits: dict[str, tuple[float, float]] = field(default_factory=dict)
    fixed: tuple[str, ...] = ()
    stimulate: tuple[dict[str, Any], ...] = ()

    @classmethod
    def of(cls, limits: Any, fixed: Any, stimulate: Any) -> Knobs:
        """Return knobs from what a user gives.

        Raises
        ------
        CircuitError
            Limits out of order or of 0 to 1, an unknown phase, a current that is none.
        """
        levels = {}
        for name, pair in dict(limits or {}).items():
            low, high = pair if isinstance(pair, (list, tuple)) and len(pair) == 2 \
                else (pair, pair)
            try:
                low, high = quantity(low, "1"), quantity(high, "1")
            except ValueError as error:
                _refuse(f"limits.{shown(name)}", f"{error} (got {shown(pair)})")
            if not (0 <= low <= high <= 1 and math.isfinite(low)):
                _refuse(f"limits.{shown(name)}", "must be two levels from 0 to 1, the lower first "
                        f"(got {shown(pair)})")
            levels[str(name)] = (low, high)
        types = (fixed,) if isinstance(fixed, str) else tuple(fixed or ())
        return cls(levels, types, tuple(_stimulus(k, row) for k, row in enumerate(stimulate or ())))

    def applied(self, circuit: Circuit) -> Circuit:
        """Return a circuit whose fixed synapses do not learn, and whose levels keep to the limits.

        Raises
        ------
        CircuitError
            A cell type or a modulator that the circuit does not have, or a level that is computed.
        """
        if not (self.limits or self.fixed or self.stimulate):
            return circuit
        for cell in self.fixed:
            if cell not in circuit.cells:
                _refuse("fixed", f"must name cell types of the circuit (got {shown(cell)})")
        for row in self.stimulate:
            if row["type"] not in circuit.cells or row["channel"] not in circuit.channels:
                _refuse("stimulate", "must name a channel and a type of the circuit (got "
                        f"{shown(row['channel'])}, {shown(row['type'])})")
        levels = {f"modulators.{name}.level": self.held(name, tonic(circuit, name))
                  for name in self.limits}
        raw = circuit.to_dict()
        for name, pathway in circuit.pathways.items():
            if pathway.learning is None:
                continue
            own = raw["pathways"][name]
            if name.split("->")[1] in self.fixed:
                del own["learning"]
            elif level_of(circuit, name) in self.limits:
                # What a synapse takes for no news is the level of a day without the drug.
                own["learning"]["tonic"] = tonic_of(circuit, name)
        circuit = load(raw, folder=circuit._folder)
        return circuit.replace(levels) if levels else circuit

    def held(self, name: str, level: float) -> float:
        """Return a level put between its limits."""
        low, high = self.limits.get(name, (0.0, 1.0))
        return min(max(level, low), high)

    def current(self, channel: str, cell: str, phase: str) -> float:
        """Return the current into the cells of a type in a phase [pA]."""
        return sum(row["current"] for row in self.stimulate
                   if (row["channel"], row["type"], row["phase"]) == (channel, cell, phase))

    def to_dict(self) -> dict[str, Any]:
        """Return the knobs as plain data."""
        return plain({"limits": {key: list(pair) for key, pair in self.limits.items()},
                      "fixed": list(self.fixed), "stimulate": list(self.stimulate)})


def tonic(circuit: Circuit, name: str) -> float:
    """Return the constant level of a modulator.

    Raises
    ------
    CircuitError
        No such modulator, or a level that changes or is computed.
    """
    if name not in circuit.modulators:
        msg = (f"modulators: {shown(name)} must be there for a session. "
               f"Known: {', '.join(circuit.modulators)}")
        raise CircuitError(msg)
    level = circuit.modulators[name].level
    if level is None or not level.is_constant:
        msg = f"modulators.{name}.level: must be constant where a session sets it"
        raise CircuitError(msg)
    return float(level.constant.value)


def _stimulus(number: int, row: Any) -> dict[str, Any]:
    keys = ("channel", "type", "current", "phase")
    where = f"stimulate {number + 1}"
    if not isinstance(row, dict) or set(row) != set(keys):
        _refuse(where, f"must have {', '.join(keys)} (got {shown(row)})")
    if row["phase"] not in STIMULATED:
        _refuse(where, f"phase must be one of {', '.join(STIMULATED)} (got {shown(row['phase'])})")
    try:
        current = quantity(row["current"], "pA")
    except ValueError as error:
        _refuse(where, f"current {error} (got {shown(row['current'])})")
    return {"channel": str(row["channel"]), "type": str(row["type"]), "phase": row["phase"],
            "current": current}


def _refuse(where: str, rule: str) -> NoReturn:
    msg = f"{where}: {rule}"
    raise CircuitError(msg)
