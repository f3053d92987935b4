"""What is counted in the wiring of a built network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.analysis.anatomy import anatomy
from neostriatum.circuit.load import load
from neostriatum.validation.lab import Lab, require

if TYPE_CHECKING:
    from neostriatum.network.network import Network


#: Radii within which the share of connected pairs is counted [um].
RADII = (50.0, 100.0, 200.0, 250.0)


def table5(lab: Lab, size: int = 85_749, networks: int = 3) -> dict[str, Any]:
    """Return in-degrees and distances of the neurons within 75 um of the centre, pooled.

    ``near`` counts the SPNs within 200 um of an SPN of the centre that contact it.
    """
    circuit = require(lab.load(), cells=("dSPN", "iSPN", "FS"),
                      pathways=("dSPN->dSPN", "FS->dSPN"))
    centres, near = [], []
    for seed in range(1, networks + 1):
        network = lab.build(circuit, size, seed)
        centres.append(anatomy(network)["centre"])
        near.append(_contacts(network, 200.0)[0])
    counts = np.concatenate(near)
    found: dict[str, Any] = {"near": float(counts.mean()), "near sd": float(counts.std(ddof=1)),
                             "cells": len(counts)}
    for name in ("SPN->SPN", "FS->SPN"):
        n = [one["neurons"][name.split("->")[1]] for one in centres]
        found[f"{name}"], found[f"{name} sd"] = _pooled(n, [one["indegree"][name]
                                                            for one in centres])
        edges = [round(k * one["indegree"][name]["mean"])
                 for k, one in zip(n, centres, strict=True)]
        found[f"{name} um"], found[f"{name} um sd"] = _pooled(
            edges, [one["distance_um"][name] for one in centres])
    return found


def within(lab: Lab, size: int = 30_000, seed: int = 1) -> dict[str, Any]:
    """Return the share of connected pairs among all pairs within a radius, by connection."""
    circuit = require(lab.load(), cells=("dSPN", "iSPN", "FS"))
    network = lab.build(circuit, size, seed)
    found = {}
    for name, groups in (("SPN->SPN", ("dSPN", "iSPN")), ("FS->SPN", ("FS",))):
        parts = [_contacts(network, radius, groups) for radius in RADII]
        found[name] = [float(contacts.sum() / pairs.sum()) for contacts, pairs in parts]
    fs = network.populations["FS"]
    at = network.positions[fs.start : fs.stop].astype(float)
    inside = np.array([_distances(network, at, one) for one in at])
    np.fill_diagonal(inside, np.inf)
    if "FS->FS" in network.edges:
        edges = network.edges["FS->FS"]
        sources = np.repeat(np.arange(len(fs)), np.diff(edges.offsets))
        away = inside[sources, edges.targets]
        found["FS->FS"] = [float((away < r).sum() / (inside < r).sum()) for r in RADII]
    pairs = network.junctions.get("FS-FS")
    if pairs is not None and len(pairs):
        away = inside[pairs[:, 0], pairs[:, 1]]
        found["FS=FS"] = [float(2 * (away < r).sum() / (inside < r).sum()) for r in RADII]
    return found


def _distances(network: Network, at: np.ndarray, point: np.ndarray) -> np.ndarray:
    """Return distances [um] from a point, on a torus to the nearest image."""
    away = np.abs(at - point)
    if network.periodic:
        away = np.minimum(away, network.side_um - away)
    return np.sqrt((away**2).sum(axis=1))


def _pooled(n: list[int], parts: list[dict[str, float]]) -> tuple[float, float]:
    """Return mean and standard deviation over groups that are given by theirs."""
    count = np.array(n, float)
    mean = np.array([one["mean"] for one in parts])
    sd = np.array([one["sd"] for one in parts])
    whole = float((count * mean).sum() / count.sum())
    square = ((count - 1) * sd**2 + count * (mean - whole) ** 2).sum() / (count.sum() - 1)
    return whole, float(np.sqrt(square))


def _contacts(network: Network, reach_um: float, groups: tuple[str, ...] = ("dSPN", "iSPN"),
              centre_um: float = 75.0) -> tuple[np.ndarray, np.ndarray]:
    """Return, for every SPN of the centre, the neurons of ``groups`` within reach.

    First those that contact it, then all.
    """
    at, spans = network.positions.astype(float), network.populations
    spns = np.r_[spans["dSPN"].start : spans["iSPN"].stop]
    centre = spns[_distances(network, at[spns], network.centroid_um) < centre_um]
    count, everyone = np.zeros(network.size, np.int64), np.zeros(len(centre), np.int64)
    for source in groups:
        span = spans[source]
        for number, cell in enumerate(centre):
            away = _distances(network, at[span.start : span.stop], at[cell])
            everyone[number] += int(((away < reach_um) & (away > 0)).sum())
        for target in ("dSPN", "iSPN"):
            edges = network.edges.get(f"{source}->{target}")
            if edges is None:
                continue
            first = spans[target].start
            mine = np.flatnonzero(np.isin(edges.targets, centre - first))
            targets = edges.targets[mine] + first
            sources = np.searchsorted(edges.offsets, mine, "right") - 1 + span.start
            apart = np.abs(at[sources] - at[targets])
            if network.periodic:
                apart = np.minimum(apart, network.side_um - apart)
            close = (apart**2).sum(axis=1) < reach_um**2
            np.add.at(count, targets[close], 1)
    return count[centre], everyone


def gap_density(lab: Lab, size: int = 100_000, seed: int = 1) -> dict[str, Any]:
    """Return gap junctions between FS per mm^3 and per FS cell, and neurons per mm^3 by type.

    Chemical synapses are left out, so that enough FS cells fit.
    """
    raw = require(lab.load(), cells=("dSPN", "FS")).to_dict()
    network = lab.build(load(raw | {"pathways": {}}), size, seed)
    volume, fs = network.volume_mm3, network.counts["FS"]
    joined = len(network.junctions.get("FS-FS", ()))
    spn = sum(network.counts.get(name, 0) for name in ("dSPN", "iSPN"))
    return {"per_mm3": joined / volume, "per_fs": 2 * joined / fs,
            "spn_per_mm3": spn / volume,
            "dspn_per_mm3": network.counts["dSPN"] / volume,
            "neurons_per_mm3": network.size / volume, "fs_share": fs / network.size}
