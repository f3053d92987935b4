"""What the levels of modulators do to the cells of a population."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit
    from neostriatum.circuit.modulator import Curve, Modulator


@dataclass(frozen=True)
class Modulation:
    """One effect: a factor ``1 + amount f``, ``amount f`` added, or a current ``amount f (v - E)``.

    ``level`` is the number of the modulator; ``kind`` is "factor", "add", "current" or "weight".
    ``amount`` is in 1, in the unit of the parameter, or in nS; ``reversal`` [mV] is that of a
    current.
    """

    level: int
    modulator: Modulator
    curve: Curve | None
    acts_on: str
    kind: str
    amount: float
    reversal: float = 0.0

    def heard(self, phi: tuple[Any, ...]) -> Any:
        """Return how strongly the cells hear the levels ``phi``, numbers or arrays."""
        return self.modulator.heard(phi[self.level], self.curve)

    @property
    def nothing(self) -> float:
        """What the response to the reference is: that of a weight is divided by its factor."""
        nothing = self.modulator.nothing(self.curve)
        return float(self.modulator.response(nothing, self.curve))


@dataclass(frozen=True)
class Own:
    """An effect of the level m that a receptor makes: ``1 + amount m``, or ``amount m`` added.

    ``receptor`` is its number on the cell, ``kind`` "factor" or "add".
    """

    receptor: int
    acts_on: str
    kind: str
    amount: float


def lower_own(circuit: Circuit, name: str) -> tuple[Own, ...]:
    """Return the effects of receptors on one cell type in the order of the file, factors first.

    Those of receptors that nothing reaches, and on the currents of such, are nothing.
    """
    mine = circuit.receptors_of(name)
    known = {f"I_{receptor}" for receptor in mine} | set(circuit.cells[name].values)
    effects = [one for one in circuit.cells[name].of_receptors
               if one.receptor in mine and one.acts_on in known]
    amounts = {"factor": [(one, one.coefficient) for one in effects],
               "add": [(one, one.add) for one in effects]}
    return tuple(Own(mine.index(one.receptor), one.acts_on, kind, amount.value)
                 for kind, pairs in amounts.items() for one, amount in pairs
                 if amount is not None and one.receptor is not None)


def lower_effects(circuit: Circuit, name: str) -> tuple[Modulation, ...]:
    """Return the effects on one cell type in the order of the file."""
    index = {modulator: number for number, modulator in enumerate(circuit.modulators)}
    effects = []
    for effect in circuit.cells[name].acting:
        amounts = {"factor": effect.coefficient, "add": effect.add, "current": effect.conductance}
        kind, amount = next((kind, one.value) for kind, one in amounts.items() if one is not None)
        reversal = 0.0 if effect.reversal is None else effect.reversal.value
        effects.append(Modulation(index[effect.level], circuit.modulators[effect.level],
                                  effect.curve, effect.acts_on, kind, amount, reversal))
    return tuple(effects)


def lower_weight_effects(circuit: Circuit, pathway: str) -> tuple[Modulation, ...]:
    """Return the effects on the weights of a pathway in the order of the file."""
    index = {modulator: number for number, modulator in enumerate(circuit.modulators)}
    return tuple(Modulation(index[effect.level], circuit.modulators[effect.level], effect.curve,
                            "weight", "weight", effect.coefficient.value)
                 for effect in circuit.pathways[pathway].effects)


def scale(effects: tuple[Modulation, ...], phi: tuple[Any, ...]) -> Any:
    """Return the factor of weights at the levels ``phi``, 1 at their references."""
    product: Any = 1.0
    for effect in effects:
        response = effect.modulator.response(phi[effect.level], effect.curve)
        product = product * ((1.0 + effect.amount * response)
                             / (1.0 + effect.amount * effect.nothing))
    return product


def factors(effects: tuple[Modulation, ...], phi: tuple[Any, ...]) -> dict[str, Any]:
    """Return the factor of every parameter and ``I_<receptor>`` that has one.

    Several effects on one target multiply.
    """
    products: dict[str, Any] = {}
    for effect in effects:
        if effect.kind == "factor":
            factor = 1.0 + effect.amount * effect.heard(phi)
            products[effect.acts_on] = products.get(effect.acts_on, 1.0) * factor
    return products


def added(effects: tuple[Modulation, ...], phi: tuple[Any, ...]) -> dict[str, Any]:
    """Return the sum of what is added to every parameter, after its factor."""
    sums: dict[str, Any] = {}
    for effect in effects:
        if effect.kind == "add":
            sums[effect.acts_on] = sums.get(effect.acts_on, 0.0) + effect.amount * effect.heard(phi)
    return sums


def opened(effects: tuple[Modulation, ...], phi: tuple[Any, ...]) -> list[tuple[Any, float]]:
    """Return (g f [nS], E [mV]) of every current that a modulator opens."""
    return [(effect.amount * effect.heard(phi), effect.reversal) for effect in effects
            if effect.kind == "current"]
