"""The models of a run: whether those of its record are there, and are the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neostriatum.errors import ModelError, RunFileError, shown
from neostriatum.models.registry import find, remedy

if TYPE_CHECKING:
    from neostriatum.recording.checked import ModelEntry
    from neostriatum.recording.store import Run


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
