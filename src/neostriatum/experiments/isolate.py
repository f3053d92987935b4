"""Take single cells out of a circuit: no drive, no noise, no spread, no neighbours."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.circuit.aliases import canonical
from neostriatum.circuit.load import load
from neostriatum.errors import CircuitError, shown
from neostriatum.network.network import Network

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from neostriatum.circuit.model import Circuit

#: Name of the input that injects a current.
ELECTRODE = "constant"


def known_type(circuit: Circuit, name: str) -> str:
    """Return our name of a cell type of ``circuit``, or raise CircuitError."""
    found = canonical(name)
    if found not in circuit.cells:
        near = get_close_matches(str(name), circuit.types, n=1) or [", ".join(circuit.types)]
        msg = f"{circuit.name}: unknown cell type (got {shown(name)}). Known: {near[0]}"
        raise CircuitError(msg)
    return found


def isolated(circuit: Circuit, cell: str, **parts: Any) -> Circuit:
    """Return a circuit of ``cell`` alone, with ``parts`` (raw keys) added."""
    raw = circuit.to_dict()
    for key in ("pathways", "gap_junctions", "inputs", "channels", "axons", "noise", "spread",
                "pools"):
        raw.pop(key, None)
    raw["modulators"] = holding(circuit)
    raw["warmup"] = "0 ms"
    raw["cells"] = without_nuclei(raw, {cell: 1.0})
    raw["start"] = {cell: {key: said for key, said in raw.get("start", {}).get(cell, {}).items()
                           if key not in ("v_sd", "v_low", "v_high")}}
    return load(raw | parts)


def without_nuclei(raw: dict[str, Any], fractions: dict[str, float]) -> dict[str, Any]:
    """Return some cell types of raw data with these fractions, all in the volume.

    The nuclei leave the raw data.
    """
    raw.pop("nuclei", None)
    return {name: {key: value for key, value in raw["cells"][name].items() if key != "nucleus"}
            | {"fraction": fraction} for name, fraction in fractions.items()}


def holding(circuit: Circuit, cells: Collection[str] = ()) -> dict[str, Any]:
    """Return the modulators of a circuit as raw data, those held that no cells of it release.

    Regions are left out.

    Parameters
    ----------
    circuit : Circuit
        The whole circuit.
    cells : collection of str
        Cell types that are simulated; without any, every computed level is held.
    """
    given, levels = circuit.to_dict().get("modulators", {}), circuit.levels_at(0.0)
    # Cells that are taken out of the circuit lie in none of its regions.
    raw = {name: {key: value for key, value in one.items() if key != "regions"}
           for name, one in given.items()}
    for name in levels_held(circuit, cells):
        raw[name] = {"level": levels[name]} | {
            key: value for key, value in raw[name].items() if key == "reference"}
    return raw


def levels_held(circuit: Circuit, cells: Collection[str] = ()) -> list[str]:
    """Return the computed levels that are held where some cell types alone are simulated."""
    return [name for name in circuit.computed_levels
            if not cells or circuit.modulators[name].released_by not in (None, *cells)]


def started(circuit: Circuit, cell: str, start: Mapping[str, Any] | None) -> Circuit:
    """Return isolated cells that start with these states, in their units.

    Raises
    ------
    CircuitError
        No state of the model, or a value in another unit.
    """
    if not start:
        return circuit
    raw = circuit.to_dict()
    raw["start"] = {cell: raw.get("start", {}).get(cell, {}) | dict(start)}
    return load(raw)


def injected(circuit: Circuit, cell: str, currents_pa: np.ndarray) -> tuple[Circuit, Network]:
    """Return isolated cells, each with its own constant current [pA], and their network.

    A model without a constant current of its own gets an electrode, which is the same for all.

    Raises
    ------
    CircuitError
        Several currents, and a model that can have but one.
    """
    model = circuit.cells[cell].cell_model
    currents = np.asarray(currents_pa, float)
    if model.constant_current is not None:
        return circuit, bare_network(cell, len(currents), {model.constant_current.name: currents})
    if len(set(currents.tolist())) > 1:
        msg = (f"{circuit.name}: cells.{cell}.model: {model.name} has no constant current, so all "
               "cells have the same. Give it one, constant_current")
        raise CircuitError(msg)
    raw = circuit.to_dict()
    raw["inputs"] = raw.get("inputs", {}) | {ELECTRODE: {"targets": {cell: {
        "current": f"{float(currents[0])!r} pA"}}}}
    return load(raw), bare_network(cell, len(currents))


def bare_network(cell: str, n: int, spread: dict[str, np.ndarray] | None = None) -> Network:
    """Return ``n`` unconnected cells with these deviations of parameters."""
    return Network(0, {cell: n}, 1.0, False, np.zeros((n, 3), np.float32), {},
                   {}, {cell: spread} if spread else {})
