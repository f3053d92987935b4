"""The models that a circuit names: of cells, receptors, releases and learning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neostriatum.errors import ModelError
from neostriatum.models.registry import declaration

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit


def models_of(circuit: Circuit) -> list[Any]:
    """Return what declares every model of a circuit, each once."""
    models = [cell.declaration for cell in circuit.cells.values()]
    models += [receptor.declaration for receptor in circuit.receptors.values()]
    models += [pathway.stp.declaration for pathway in circuit.pathways.values() if pathway.stp]
    models += [pathway.learning.declaration for pathway in circuit.pathways.values()
               if pathway.learning]
    return list({(model.kind, model.name): model for model in models}.values())


def up_to_date(circuit: Circuit) -> bool:
    """Return whether reading a circuit again would find the models that it has."""
    try:
        return all(declaration(model.kind, model.name) is model for model in models_of(circuit))
    except ModelError:
        return False
