"""Which constants and parameters of a kernel hear levels, of modulators or of receptors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neostriatum.models.expression import Expression, Number, Operation
from neostriatum.models.symbol import Symbol
from neostriatum.models.unit import NONE

if TYPE_CHECKING:
    from collections.abc import Collection

    from neostriatum.engines.modulation import Modulation
    from neostriatum.engines.population import Population


def acting(pop: Population, spread: Collection[str]) -> dict[str, tuple[Modulation, ...]]:
    """Return the effects on every constant of a kernel that hears levels, by its name."""
    found: dict[str, tuple[Modulation, ...]] = {}
    gains = {f"I_{synapse.name}": f"gain {place}" for place, synapse in enumerate(pop.synapses)}
    for effect in pop.effects:
        name = effect.acts_on
        if effect.kind == "current":
            name = f"opened {sum(one.startswith('opened') for one in found)}"
        elif name in spread:
            name = f"factor {name}" if effect.kind == "factor" else f"added {name}"
        elif name not in pop.parameters:
            name = gains.get(name, "")
        found[name] = (*found.get(name, ()), effect)
    for place, inlet in enumerate(pop.inlets):
        found[f"scale {len(pop.synapses) + place}"] = inlet.effects
    return found


def leaf(name: str, powers: Any) -> Symbol:
    """Return a symbol with a name that no user can give."""
    leaf = Symbol.__new__(Symbol)
    leaf.name, leaf.powers = name, powers
    return leaf


def heard_of_receptors(tree: Expression, name: str,
                       own: tuple[tuple[int, str, str], ...]) -> Expression:
    """Return the tree of a parameter as levels that receptors make leave it; see `Shape.own`."""
    for number, (place, target, kind) in enumerate(own):
        if target == name:
            powers = NONE if kind == "factor" else tree.powers
            level = leaf(f"level {place}", NONE)
            change: Expression = Operation("*", (leaf(f"own {number}", powers), level), powers)
            tree = Operation("+", (tree, change), tree.powers) if kind == "add" else Operation(
                "*", (tree, Operation("+", (Number(1.0), change))), tree.powers)
    return tree
