"""Which cells and synapses belong to which channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.errors import CircuitError, shown
from neostriatum.network.groups import shared_channels

if TYPE_CHECKING:
    from collections.abc import Iterable

    from neostriatum.circuit.model import Circuit
    from neostriatum.network.network import Network


def channels_of(circuit: Circuit, *types: str) -> list[str]:
    """Return the channels that divide all of some cell types, in the order of the circuit.

    Raises
    ------
    CircuitError
        No such cell type.
    """
    for cell in types:
        if cell not in circuit.cells:
            msg = f"readout: must name cell types of the circuit (got {shown(cell)})"
            raise CircuitError(msg)
    return [name for name, channel in circuit.channels.items()
            if channel.share is not None and set(types) <= set(channel.of or ())]


@dataclass(frozen=True)
class Membership:
    """The channel of every cell, by number of ``channels``; -1 where it is in none of them.

    ``of`` int64 (n,) are those of the cells of a type; ``first`` the global id of its first cell.
    """

    channels: tuple[str, ...]
    of: dict[str, np.ndarray]
    first: dict[str, int]

    @classmethod
    def draw(cls, circuit: Circuit, network: Network, channels: Iterable[str],
             types: Iterable[str]) -> Membership:
        """Return the channels of the cells of some types of a network."""
        names, chosen = list(circuit.channels), tuple(channels)
        number = np.full(len(names) + 1, -1)
        for place, name in enumerate(chosen):
            number[names.index(name)] = place
        of = {cell: number[shared_channels(circuit, cell, network.counts[cell], network.seed)]
              for cell in dict.fromkeys(types)}
        first = {cell: span.start for cell, span in network.populations.items()}
        return cls(chosen, of, first)

    def counts(self, cell: str, ids: np.ndarray) -> np.ndarray:
        """Return how many of some spikes (global ids) each channel of a type had."""
        local = ids - self.first[cell]
        mine = local[(local >= 0) & (local < len(self.of[cell]))]
        return self._binned(self.of[cell][mine])

    def cells(self, cell: str) -> np.ndarray:
        """Return how many cells of a type each channel has."""
        return self._binned(self.of[cell])

    def means(self, cell: str, targets: np.ndarray, values: np.ndarray) -> dict[str, float | None]:
        """Return the mean of values of synapses by the channel of their targets, local ids."""
        channel = self.of[cell][targets]
        inside = channel >= 0
        total = np.bincount(channel[inside], values[inside], minlength=len(self.channels))
        number = self._binned(channel)
        return {name: round(float(total[k] / number[k]), 6) if number[k] else None
                for k, name in enumerate(self.channels)}

    def _binned(self, channel: Any) -> np.ndarray:
        return np.bincount(channel[channel >= 0], minlength=len(self.channels))
