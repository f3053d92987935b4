"""Which constants of a kernel hear levels of modulators."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
