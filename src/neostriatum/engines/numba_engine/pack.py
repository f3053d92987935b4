"""What the kernel of a tile is given: eight-byte fields, addresses and numbers, in this order."""

from __future__ import annotations

from typing import NamedTuple

#: Cells of a tile; equal to `rng.BLOCK`.
TILE = 512
#: From one row of a tile to the next, and from column to column of the ring and of counts. Rows
#: that lie a multiple of 4096 bytes apart make a processor mistake a load from one for a store to
#: another; these do not, nor do their first few multiples.
PITCH, COLUMN = TILE + 80, TILE + 16
#: Bytes of a page: where slabs begin, and what the places of arrays are told apart by.
PAGE = 4096
#: Where columns of the ring and counts begin in their pages, away from the rows.
RING_PLACE, COUNTS_PLACE = 3072, 1536


class Field(NamedTuple):
    """A field: its type if it is an address, who owns what it points to, what it holds."""

    name: str
    kind: str
    owner: str
    meaning: str


FIELDS = (
    Field("rows", "real", "tile", "rows of the shape, each PITCH apart"),
    Field("ring", "ring", "tile", "(slots, columns) of COLUMN numbers: int32 in single precision"),
    Field("ahead", "ring", "part", "(window, columns known ahead) of COLUMN numbers, as the ring"),
    Field("counts", "float32", "part", "(drives, window) of COLUMN events; cleared when read"),
    Field("scratch", "real", "part", "rows for the time of a step, each PITCH apart"),
    Field("fired", "int16", "part", "a bit per lane"),
    Field("constants", "real", "population", "(steps or 1, constants of the shape)"),
    Field("stride", "", "population", "constants per step, 0 where they hold for all steps"),
    Field("noise", "real", "part", "(window, TILE), added to v"),
    Field("gap", "real", "tile", "(TILE,) current of gap junctions [pA]"),
    Field("held", "int32", "tile", "(TILE,) steps for which v is still held"),
    Field("hold", "", "population", "steps for which v is held after a spike"),
    Field("steps", "", "driver", "steps of this call"),
    Field("first", "", "driver", "number of the first of them in the window"),
    Field("done", "", "driver", "steps of the chunk before the window"),
    Field("slot", "", "driver", "slot of the first step of this call"),
    Field("slots", "", "layout", "slots of the ring"),
    Field("window", "", "layout", "rows of counts per drive"),
    Field("lanes", "", "layout", "lanes in use, rounded up to a strip"),
    Field("used", "", "layout", "cells of the tile"),
    Field("spikes", "int16", "driver", "k * TILE + lane of every spike"),
    Field("noted", "", "driver", "spikes noted before this call"),
    Field("probes", "", "run", "recorded numbers of this tile"),
    Field("probe_at", "int64", "run", "where they lie in the rows"),
    Field("probe_out", "real", "run", "(steps, all probes), from this tile's first on"),
    Field("probe_stride", "", "run", "all probes"),
)
AT = {field.name: place for place, field in enumerate(FIELDS)}
#: Lanes that are computed together at least.
STRIP = 64
#: Bit of a kernel's answer that says that a potential left its range; the spikes lie below.
UNHEALTHY = 40
