"""Rows of spikes that wait, chained by the tile that each reaches next.

A tile looks at the rows that reach it alone, so that a row costs what it delivers, however many
tiles there are. Of a row are known the next synapse, the end, and the row after it in its chain; a
chain begins with its last row, or with -1 if none waits.
"""

from __future__ import annotations

from numba import int64, uintp

from neostriatum.caching import woven
from neostriatum.engines.numba_engine.pack import TILE

#: Places of what is known of a row.
NEXT, END, AFTER = range(3)


@woven
def wait(rows, at, tiles, targets, chain):
    """Let a row wait at the tile of its next synapse, if there is one, among those of a part.

    Parameters
    ----------
    rows : array
        Rows of a projection, (n, 3) or more.
    at : int
        The row.
    tiles : tuple of int
        The first tile of the population, and the one past the last of the part.
    targets : array
        Targets of synapses.
    chain : array
        First row by tile.
    """
    start = rows[at, NEXT]
    if start < rows[at, END]:
        tile = tiles[0] + int64(targets[uintp(start)]) // TILE
        if tile < tiles[1]:
            rows[at, AFTER] = chain[tile]
            chain[tile] = at
