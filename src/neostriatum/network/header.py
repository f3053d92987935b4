"""The header of a network file, and whether what stands under it is the network that was saved."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import TYPE_CHECKING, Any

from neostriatum.circuit.models import load_with
from neostriatum.errors import ModelError, RunFileError, shown
from neostriatum.network.check import check, fit
from neostriatum.network.edges import FIRST_KIND
from neostriatum.network.network import Network
from neostriatum.network.saved import VERSION, plain_fields

if TYPE_CHECKING:
    from pathlib import Path

    from neostriatum.circuit.model import Circuit


def parsed(text: bytes) -> dict[str, Any]:
    """Return a `header` from its text, or raise ValueError with what is wrong."""
    said = json.loads(text)
    if not isinstance(said, dict) or not isinstance(said.get("version"), int):
        msg = "the header has no version"
        raise ValueError(msg)
    if said["version"] != VERSION:
        msg = (f"version must be {VERSION} (got {said['version']}, made by "
               f"{shown(said.get('made_by'))}; update neostriatum)")
        raise ValueError(msg)
    fields = said["fields"]
    if set(fields) != set(plain_fields(Network)):
        msg = "the header has other fields than a network"
        raise ValueError(msg)
    counts, side = fields["counts"], fields["side_um"]
    if not (isinstance(counts, dict) and isinstance(fields["seed"], int)
            and all(type(n) is int and 0 <= n < 2**31 for n in counts.values())
            and isinstance(side, float) and side > 0 and math.isfinite(side)
            and isinstance(fields["periodic"], bool)
            and all(set(name.split("->")) <= set(counts) and name.count("->") == 1
                    for name in said["pathways"])
            and all(set(name.split("-")) <= set(counts) and name.count("-") == 1
                    for name in junction_kinds(said)) and set(said["spread"]) <= set(counts)
            and _has_axons(said, counts)):
        msg = "the header has fields of another kind than a network"
        raise ValueError(msg)
    return said


def _has_axons(head: dict[str, Any], counts: dict[str, int]) -> bool:
    """Return whether what a `header` says of axons is of the right kind."""
    axons, listed = head.get("axons", {}), (head.get("afferents", []), head.get("homes", []))
    if not all(isinstance(names, list) for names in listed):
        return False
    names = [name for names in listed for name in names]
    return (isinstance(axons, dict) and set(axons).isdisjoint(counts)
            and all(type(n) is int and 0 < n < 2**31 for n in axons.values())
            and all(isinstance(name, str) and name.count("->") == 1
                    and name.split("->")[0] in axons and name.split("->")[1] in counts
                    for name in names))


def junction_kinds(head: dict[str, Any]) -> list[str]:
    """Return the kinds of gap junctions of a `header`; one without a list knew a single kind."""
    if "gap_junctions" in head:
        return list(head["gap_junctions"])
    return [FIRST_KIND] if set(FIRST_KIND.split("-")) <= set(head["fields"]["counts"]) else []


def verified(path: Path, made: Network, said: dict[str, Any],
             wanted: Circuit | None) -> Network:
    """Return a network with its circuit once its arrays, hash and circuit are found in order."""
    check(str(path), made)
    if made.hash() != said["hash"]:
        msg = f"{path}: the arrays do not have the hash they were saved with. Save it again"
        raise RunFileError(msg)
    own = own_circuit(path, said)
    circuit = wanted or own
    fit(circuit, dataclasses.replace(made, circuit=own))
    return dataclasses.replace(made, circuit=circuit)


def own_circuit(path: Path, head: dict[str, Any]) -> Circuit:
    """Return the circuit of a `header`, which keeps models that are not shipped.

    Raises
    ------
    RunFileError
        They are damaged.
    """
    try:
        return load_with(head.get("models", []), head["circuit"], path.parent.resolve())
    except (ModelError, TypeError, AttributeError) as error:
        msg = f"{path}: the models of the header are damaged ({error}). Save it again"
        raise RunFileError(msg) from None
