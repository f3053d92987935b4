"""Results that Humphries et al. 2010 report of their network: FS density, and shells of input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.circuit.load import load
from neostriatum.validation.lab import Lab, Unsuited, require
from neostriatum.validation.network import rates_of, settled

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit


def fs_density(lab: Lab, percent: tuple[float, ...] = (1.0, 3.0, 5.0), size: int = 10_000,
               duration_ms: float = 5000.0, seed: int = 1) -> dict[str, Any]:
    """Return the rates of SPNs and FS cells by the number of FS cells per hundred SPNs."""
    whole = settled(require(lab.load(), cells=("dSPN", "iSPN", "FS")))
    found: dict[str, Any] = {"SPN": {}, "FS": {}}
    for share in percent:
        three = sum(whole.cells[name].fraction.value for name in ("dSPN", "iSPN", "FS"))
        fs = share / (100.0 + share) * three
        circuit = whole.replace({"cells.FS.fraction": fs, **{
            f"cells.{name}.fraction": (three - fs) / 2.0 for name in ("dSPN", "iSPN")}})
        network = lab.build(circuit, size, seed)
        rates = rates_of(network, lab.record(circuit, network, duration_ms, seed))
        for name in ("SPN", "FS"):
            found[name][f"{share:g} %"] = rates[name]
    least, most = (f"{share:g} %" for share in (percent[0], percent[-1]))
    ratio = {name: found[name][most] / found[name][least] if found[name][least] else None
             for name in ("SPN", "FS")}
    return found | {"spn_ratio": ratio["SPN"], "fs_ratio": ratio["FS"]}


def shells(lab: Lab, size: int = 42_875, width_um: float = 50.0,
           inner_um: tuple[float, ...] = (0.0, 50.0, 100.0, 150.0, 200.0, 250.0, 300.0),
           rate_hz: float = 5.0, duration_ms: float = 4000.0, centre_um: float = 25.0,
           seed: int = 1) -> dict[str, Any]:
    """Return the rate of the central SPNs while a shell of neurons around them is driven.

    Everything else is without input. The paper drives one central SPN; here all SPNs within
    ``centre_um`` of the centroid are driven and averaged, as one cell's 4 s hold few spikes.
    """
    whole = require(lab.load(), cells=("dSPN", "iSPN", "FS"))
    network = lab.build(whole, size, seed)
    away = np.linalg.norm(network.positions - network.side_um / 2, axis=1)
    centre = np.flatnonzero(away[: network.populations["FS"].start] <= centre_um)
    rates = []
    for inner in (None, *inner_um):
        circuit = _driving(whole, centre_um, inner, width_um, rate_hz)
        made = lab.record(circuit, network, duration_ms, seed)
        rates.append(float(made.rates(network.size, 500.0)[centre].mean()))
    alone, rates = rates[0], rates[1:]
    lowest = int(np.argmin(rates))
    return {"rates_hz": rates, "inner_um": list(inner_um), "alone_hz": alone,
            "lowest_um": float(inner_um[lowest] + width_um / 2), "lowest_hz": rates[lowest],
            "deepest": rates[lowest] / alone if alone else None, "cells": len(centre)}


def _driving(circuit: Circuit, centre_um: float, inner_um: float | None, width_um: float,
             rate_hz: float) -> Circuit:
    """Return the circuit with its cortical synapses driven in a shell and in the central SPNs."""
    raw = circuit.to_dict()
    entry = next((one for one in raw["inputs"].values() if set(one["targets"]) >= {"dSPN", "FS"}),
                 None)
    if entry is None:
        msg = f"{circuit.name} has no input that drives SPNs and FS cells"
        raise Unsuited(msg)
    middle = ["0 um"] * 3
    raw["channels"] = {"middle": {"sphere": {"centre": middle, "radius": f"{centre_um} um"}}}
    driven = {name: {**said, "rate": f"{rate_hz} Hz"} for name, said in entry["targets"].items()}
    raw["inputs"] = {"centre": {"targets": {
        name: said | {"channel": "middle"} for name, said in driven.items() if name != "FS"}}}
    if inner_um is not None:
        raw["channels"]["shell"] = {"sphere": {
            "centre": middle, "radius": f"{inner_um + width_um} um",
            "inner": f"{max(inner_um, centre_um)} um"}}
        raw["inputs"]["shell"] = {"targets": {
            name: said | {"channel": "shell"} for name, said in driven.items()}}
    return load(raw, folder=circuit._folder)
