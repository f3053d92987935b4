"""The models of a run in its record: what they compute, and where they came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neostriatum.errors import ModelError, RunFileError, shown
from neostriatum.models.plain import plain, rebuilt
from neostriatum.models.registry import find, is_shipped, module_of, remedy

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit
    from neostriatum.recording.checked import ModelEntry
    from neostriatum.recording.store import Run


def entries_of(circuit: Circuit) -> list[dict[str, Any]]:
    """Return what a record keeps of every model of a circuit.

    Of one that is not shipped it keeps the whole as data too, so that a reader needs no module.
    """
    models: list[Any] = [cell.cell_model for cell in circuit.cells.values()]
    models += [receptor.receptor_model for receptor in circuit.receptors.values()]
    models += [pathway.stp.release_model for pathway in circuit.pathways.values() if pathway.stp]
    return [{"kind": model.kind, "name": model.name, "hash": model.hash, "text": model.text,
             **({} if is_shipped(model) else {"module": module_of(model), "data": plain(model)})}
            for model in {(model.kind, model.name): model for model in models}.values()]


def models_of(label: str, entries: list[ModelEntry]) -> list[tuple[Any, str]]:
    """Return the models that a record holds as data, and their modules.

    Raises
    ------
    RunFileError
        They are damaged.
    """
    try:
        return [(rebuilt(entry.data), entry.module) for entry in entries if entry.data is not None]
    except ModelError as error:
        msg = f"{label}: the record of this run is damaged ({error})"
        raise RunFileError(msg) from None


def check_models(run: Run, entries: list[ModelEntry]) -> None:
    """Refuse to go on with a run, or to do it again, with other equations.

    Raises
    ------
    ModelError
        A model that nobody registered.
    RunFileError
        A model of the same name with another text.
    """
    for entry in entries:
        what = f"{run.label}: {entry.kind} model {shown(entry.name)}"
        try:
            model = find(entry.kind, entry.name)
        except ModelError:
            msg = f"{what} is not registered here. {remedy(entry.module)}"
            raise ModelError(msg) from None
        if model.text != entry.text:
            msg = (f"{what} must have the equations of the run, {entry.hash} (got {model.hash}). "
                   "Go on with the model that it was run with, or run the circuit anew")
            raise RunFileError(msg)
