"""What the loss of dopamine does, and the rewiring that follows it, one apart from the other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from neostriatum.errors import CircuitError
from neostriatum.validation.lab import Lab, Unsuited, require
from neostriatum.validation.network import rates_of, settled, up_down

#: Parts of the parkinsonian overlay by what is lost or changed.
PARTS = {
    "dopamine": ("parkinsonian.dopamine",),
    "kept_fs": ("parkinsonian.dopamine", "parkinsonian.drive"),
    "rewiring": ("parkinsonian.rewiring",),
    "all": ("parkinsonian.dopamine", "parkinsonian.drive", "parkinsonian.rewiring"),
}


def dopamine_loss(lab: Lab, part: str, size: int = 10_000, duration_ms: float = 10_000.0,
                  seed: int = 1) -> dict[str, Any]:
    """Return by what the rates are multiplied by a part of the lesion.

    ``dopamine`` is its loss alone, ``kept_fs`` with the cortical drive that keeps FS cells firing,
    ``rewiring`` the measured change of connections at normal dopamine, ``all`` everything.
    """
    intact = require(lab.load(), cells=("dSPN", "iSPN", "FS"))
    try:
        lesioned = lab.load(overlay=PARTS[part])
    except CircuitError as reason:
        raise Unsuited(str(reason)) from None
    rates = []
    for circuit in map(settled, (intact, lesioned)):
        network = lab.build(circuit, size, seed)
        rates.append(rates_of(network, lab.record(circuit, network, duration_ms, seed)))
    before, after = rates
    change = {name: after[name] / before[name] if before[name] else None for name in before}
    indirect, direct = change["iSPN"], change["dSPN"]
    return change | {"ratio": indirect / direct if indirect and direct else None,
                     "before": before, "after": after}


def states_after_loss(lab: Lab, **arguments: Any) -> dict[str, Any]:
    """Return how the states of SPNs under slow cortical drive move when dopamine is lost.

    Changes of both types of SPN averaged: potential in up and down states [mV], rate, and share
    of silent cells. FS cells are kept firing, as in ``kept_fs`` of `dopamine_loss`.
    """
    lesioned = replace(lab, overlay=(*lab.overlay, *PARTS["kept_fs"]))
    try:
        lesioned.load()
    except CircuitError as reason:
        raise Unsuited(str(reason)) from None
    change: dict[str, list[float]] = {}
    for cell in ("dSPN", "iSPN"):
        before = up_down(lab, cell=cell, **arguments)
        after = up_down(lesioned, cell=cell, **arguments)
        for name in ("up_mv", "down_mv", "rate_hz", "silent"):
            change.setdefault(name, []).append(after[name] - before[name])
        change.setdefault(f"{cell}_rate_hz", []).append(after["rate_hz"] - before["rate_hz"])
    return {name: sum(values) / len(values) for name, values in change.items()}
