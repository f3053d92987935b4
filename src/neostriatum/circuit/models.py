"""The models of a circuit as files keep them, so that it can be read where nobody has them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from neostriatum.circuit.declared import models_of
from neostriatum.circuit.load import load
from neostriatum.models.plain import plain, rebuilt
from neostriatum.models.registry import described, is_shipped, module_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from neostriatum.circuit.model import Circuit


def entries_of(circuit: Circuit) -> list[dict[str, Any]]:
    """Return kind, name, text and hash of every model of a circuit.

    Of one that is not shipped also its module, and the whole as data.
    """
    return [{"kind": model.kind, "name": model.name, "hash": model.hash, "text": model.text,
             **({} if is_shipped(model) else {"module": module_of(model), "data": plain(model)})}
            for model in models_of(circuit)]


@contextmanager
def known(entries: list[dict[str, Any]]) -> Iterator[None]:
    """Let circuits name the models that a file keeps.

    Raises
    ------
    ModelError
        The entries hold data of no model.
    """
    models = [(rebuilt(entry["data"]), str(entry.get("module", ""))) for entry in entries
              if entry.get("data") is not None]
    with described(models):
        yield


def load_with(entries: list[dict[str, Any]], raw: dict[str, Any], folder: Path) -> Circuit:
    """Return a circuit from a file that keeps its models.

    Raises
    ------
    ModelError
        The entries hold data of no model.
    """
    with known(entries):
        return load(raw, folder=folder)
