"""What a network says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neostriatum.card import Card, Fold

if TYPE_CHECKING:
    from neostriatum.network.network import Network


def card(network: Network) -> Card:
    """Return the counts, the shape and the synapses of a network, and its in-degrees."""
    name = "" if network.circuit is None else f" of {network.circuit.name}"
    pairs = sum(map(len, network.junctions.values()))
    boundary = "periodic" if network.periodic else "open"
    arriving = sum(map(len, network.afferents.values()))
    lines = [
        ("neurons", ", ".join(f"{kind} {count:,}" for kind, count in network.counts.items())),
        ("synapses", f"{network.synapses:,} between cells"
                     + (f", {arriving:,} of axons" if arriving else "")),
        ("axons", ", ".join(f"{kind} {count:,}" for kind, count in network.axons.items())),
        ("gap junctions", f"{pairs:,}" if pairs else ""),
        ("volume", f"{boundary} {network.shape}, {network.volume_mm3:.3g} mm^3"),
        ("seed", f"{network.seed}; hash() tells networks apart"),
    ]
    rows = []
    for pathway, edges in {**network.edges, **network.afferents}.items():
        targets = network.counts[pathway.split("->")[1]]
        rows.append((pathway, f"{len(edges):,}",
                     f"{len(edges) / targets:.3g}" if targets else "no targets"))
    return Card(f"Network{name}: {network.size:,} neurons", lines,
                (Fold("pathways", ("pathway", "synapses", "per target"), rows),))
