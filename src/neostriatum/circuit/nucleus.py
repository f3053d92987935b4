"""Nuclei: groups of cell types that have no place in the volume."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from pydantic import model_validator

from neostriatum.circuit.pathway import FixedIndegree, FixedProbability
from neostriatum.circuit.value import Frozen
from neostriatum.errors import shown

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit


class Nucleus(Frozen):
    """A nucleus beside the volume: its cells have no places, their fractions are its size."""

    summary: str = ""

    @model_validator(mode="before")
    @classmethod
    def _without_place(cls, raw: Any) -> Any:
        given = [key for key in ("volume", "size", "density")
                 if isinstance(raw, dict) and key in raw]
        if given:
            msg = ("has no volume, and the fractions of its cells are its size "
                   f"(got {' and '.join(given)}). Leave {'it' if len(given) == 1 else 'them'} out")
            raise ValueError(msg)
        return raw


def check_nuclei(circuit: Circuit) -> None:
    """Raise ValueError with the path and the rule where cells without a place would need one."""
    for name, cell in circuit.cells.items():
        if cell.nucleus is not None and cell.nucleus not in circuit.nuclei:
            known = ", ".join(circuit.nuclei) or "none"
            _refuse(f"cells.{name}.nucleus", f'unknown nucleus (got "{shown(cell.nucleus)}"). '
                    f"Known: {known}")
    if not circuit.placed:
        _refuse("cells", "some type must lie in the volume (got all in nuclei). Take one out of "
                "its nucleus")
    for name, pathway in circuit.pathways.items():
        if inside := _in_nucleus(circuit, name.split("->")):
            _check_wiring(f"pathways.{name}", pathway.wiring, inside)
            if pathway.delay.velocity is not None:
                _refuse(f"pathways.{name}.delay.velocity", f"must not be given, as {inside}")
    for name, junctions in circuit.gap_junctions.items():
        if inside := _in_nucleus(circuit, name.split("-")):
            _check_wiring(f"gap_junctions.{name}", junctions.wiring, inside)
    for name, entry in circuit.inputs.items():
        for end, target in entry.targets.items():
            channel = circuit.channels.get(target.channel or "")
            inside = _in_nucleus(circuit, [end])
            if inside and channel is not None and channel.sphere is not None:
                _refuse(f"inputs.{name}.targets.{end}.channel", "must be no sphere, as "
                        f"{inside} (got {target.channel})")


def _in_nucleus(circuit: Circuit, ends: list[str]) -> str:
    """Return why a pathway between ``ends`` knows no distances, empty where it does."""
    return next((f"{end} has no places (nucleus {circuit.cells[end].nucleus})" for end in ends
                 if end in circuit.cells and circuit.cells[end].nucleus is not None), "")


def _check_wiring(where: str, wiring: Any, inside: str) -> None:
    if isinstance(wiring, FixedProbability):
        return
    if not isinstance(wiring, FixedIndegree):
        _refuse(f"{where}.wiring.rule", "must be fixed_indegree or fixed_probability, as "
                f"{inside} (got {wiring.rule})")
    for key in ("within", "nearest"):
        if getattr(wiring, key) is not None:
            _refuse(f"{where}.wiring.{key}", f"must not be given, as {inside}")
    if wiring.home is not None and wiring.home.by == "position":
        _refuse(f"{where}.wiring.home.by", f'must be "random", as {inside} (got "position")')


def _refuse(where: str, rule: str) -> NoReturn:
    msg = f"{where}: {rule}"
    raise ValueError(msg)
