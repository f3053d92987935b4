"""The drives whose events are counted, laid out for the compiled draws."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.engines.drive import binomial_table
from neostriatum.engines.numba_engine import events
from neostriatum.engines.numba_engine.arrays import Drives
from neostriatum.engines.numba_engine.binomial import binomial_address
from neostriatum.engines.numba_engine.pack import TILE

if TYPE_CHECKING:
    from neostriatum.engines.drive import Drive
    from neostriatum.engines.lowered import LoweredCircuit


def counted(lowered: LoweredCircuit) -> list[Drive]:
    """Return the drives of neurons' own afferents, in file order."""
    return [drive for drive in lowered.drives if drive.pool is None]


def lay_out_drives(lowered: LoweredCircuit, population: np.ndarray, first: np.ndarray,
                   ) -> tuple[Drives, list[np.ndarray]]:
    """Return the counted drives, and the numbers of members that tiles have, by drive.

    Parameters
    ----------
    lowered : LoweredCircuit
        The lowered circuit.
    population, first : numpy.ndarray
        Population and first local id of every tile.
    """
    drives = counted(lowered)
    count, tiles = max(1, len(drives)), len(population)
    plain, keys = np.full((count, 4), -1, np.int64), np.zeros((count, 6), np.uint32)
    sizes, offsets, chosen = (np.zeros((count, tiles), np.int64) for _ in range(3))
    share = np.zeros((count, 2))
    longest = max([1, *(drive.afferents + 1 for drive in drives if drive.within > 0)])
    copies, copies_length = np.zeros((count, longest)), np.zeros(count, np.int64)
    members, start, classes = [np.zeros(1, np.int32)], 1, list[np.ndarray]()
    before: dict[int, int] = {}
    for number, drive in enumerate(drives):
        kind = events.BINOMIAL if drive.process == "binomial" else events.POISSON
        place = before.get(drive.population, 0)
        before[drive.population] = place + 1
        plain[number] = drive.population, kind, not drive.rate.is_constant, place
        keys[number] = (*drive.keys["own"], *drive.keys["reference"], *drive.keys["mother"])
        for tile in np.flatnonzero(population == drive.population):
            low = first[tile]
            lo, hi = np.searchsorted(drive.members, [low, low + TILE])
            sizes[number, tile], offsets[number, tile] = hi - lo, start
            members.append((drive.members[lo:hi] - low).astype(np.int32))
            start += hi - lo
        unique = np.unique(sizes[number][sizes[number] > 0])
        classes.append(unique)
        if kind == events.POISSON:
            chosen[number] = np.searchsorted(unique, sizes[number])
            chosen[number][sizes[number] == 0] = 0
        share[number] = drive.within, drive.between
        if drive.within > 0:
            table = binomial_table(drive.afferents, drive.within)
            copies[number, : len(table)], copies_length[number] = table, len(table)
    binomial = any(drive.process == "binomial" for drive in drives)
    return Drives(plain, keys, sizes, offsets, np.concatenate(members), chosen, share, copies,
                  copies_length, binomial_address() if binomial else 0), classes


def weights(lowered: LoweredCircuit, number: int) -> dict[str, float]:
    """Return the weights of the counted drives of a population, by the names of a shape."""
    own: dict[str, Any] = {}
    mine = [drive for drive in counted(lowered) if drive.population == number]
    for place, drive in enumerate(mine):
        for receptor, weight in drive.weights:
            name = f"weight {place} {receptor}"
            own[name] = own.get(name, 0.0) + weight
    return own
