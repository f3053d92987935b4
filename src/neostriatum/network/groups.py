"""How many axons a population has, their groups, and the channels of groups and of cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum import rng
from neostriatum.errors import BuildError

if TYPE_CHECKING:
    from neostriatum.circuit.axons import Axons
    from neostriatum.circuit.model import Circuit


@dataclass(frozen=True)
class Groups:
    """The groups of a population of axons: those of one channel, and the axons of one group, follow
    each other.

    ``starts`` int64 (g + 1,) are the first axons of the groups, ``channel`` int64 (g,) numbers of
    ``names``, the channels in order; None is the name of the only one where there are none.
    """

    starts: np.ndarray
    channel: np.ndarray
    names: tuple[str | None, ...]

    def __len__(self) -> int:
        return len(self.channel)

    def of_channel(self, name: str | None) -> tuple[int, int]:
        """Return the first group of a channel and the one past the last; of no channel all."""
        if name is None:
            return 0, len(self)
        place = self.names.index(name)
        low, high = np.searchsorted(self.channel, [place, place + 1])
        return int(low), int(high)


def groups_of(name: str, axons: Axons, size: int, volume_mm3: float) -> Groups:
    """Return the groups of ``size`` axons, alike to one axon.

    Raises
    ------
    BuildError
        More groups than axons, or fewer groups than channels with a share.
    """
    count = axons.groups or 1
    if axons.groups_per_mm3 is not None:
        count = max(1, round(axons.groups_per_mm3.value * volume_mm3))
    if count > size:
        key = "groups" if axons.groups_per_mm3 is None else "groups_per_mm3"
        msg = f"axons.{name}.{key}: must be at most the axons (got {count} of {size})"
        raise BuildError(msg)
    starts = np.arange(count + 1, dtype=np.int64) * size // count
    names: tuple[str | None, ...] = tuple(axons.channels) or (None,)
    ends = np.cumsum([one.share.value for one in axons.channels.values()] or [1.0])
    bounds = np.rint(ends * count).astype(np.int64)
    for place, (channel, one) in enumerate(axons.channels.items()):
        if one.share.value > 0 and bounds[place] == (bounds[place - 1] if place else 0):
            msg = (f"axons.{name}.channels.{channel}: its share of {count} groups is none. "
                   "Take more groups")
            raise BuildError(msg)
    channel_of = np.searchsorted(bounds, np.arange(count), side="right").astype(np.int64)
    return Groups(starts, channel_of, names)


def axon_counts(circuit: Circuit, counts: dict[str, int], volume_mm3: float) -> dict[str, int]:
    """Return the number of axons of every population in a network with these cells."""
    found = {}
    for name, axons in circuit.axons.items():
        if axons.size is not None:
            size = axons.size
        elif axons.density is not None:
            size = round(axons.density.value * volume_mm3)
        else:
            per_target: Any = axons.per_target
            targets = {end for source, end in (one.split("->") for one in circuit.pathways)
                       if source == name}
            size = round(per_target.value * sum(counts[cell] for cell in targets))
        found[name] = max(1, size)
    return found


def check_channels(circuit: Circuit, counts: dict[str, int]) -> None:
    """Raise BuildError where the cells of a type are fewer than the channels that share them."""
    for cell, count in counts.items():
        mine = [name for name, channel in circuit.channels.items() if cell in (channel.of or ())]
        if len(mine) > count > 0:
            msg = (f"{circuit.name}: channels: {len(mine)} channels must not share fewer cells "
                   f"(got {count} {cell}). Take more neurons")
            raise BuildError(msg)


def shared_channels(circuit: Circuit, cell: str, count: int, seed: int) -> np.ndarray:
    """Return the channel with a share that every cell of a type is in.

    Numbers count the channels of the circuit; -1 where a cell is in none of those with a share.
    """
    names = list(circuit.channels)
    mine = [(number, circuit.channels[name].share) for number, name in enumerate(names)
            if cell in (circuit.channels[name].of or ())]
    words = rng.philox(rng.stream(seed, "channel share", cell), 0, np.arange(count))
    ends = np.cumsum([share.value for _, share in mine if share is not None])
    place = np.searchsorted(ends, rng.uniform32(words[0]), side="right")
    # Shares that sum to 1 up to rounding leave nobody out.
    if len(ends) and ends[-1] > 1 - 1e-9:
        place = np.minimum(place, len(ends) - 1)
    return np.array([*(number for number, _ in mine), -1], np.int64)[place]
