"""The arrays that the compiled loops share, by what they describe."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Geometry(NamedTuple):
    """Tiles: population (t,), first local id (t,), used lanes (t,), rows of a tile (1,)."""

    population: np.ndarray
    first: np.ndarray
    lanes: np.ndarray
    rows: np.ndarray


class Cells(NamedTuple):
    """Populations: flags (p, 11), receptors (p, r, 4) as E, decay, block, ring column.

    Flags: cubic, receptors, first row of spread parameters or -1, opened currents, noisy, drive
    of `driven_tile` or -1, ring columns, slots, offset of global ids, the only drive or -1, drive
    of `cubic_tiles` or -1.
    """

    flags: np.ndarray
    receptors: np.ndarray
    noise_key: np.ndarray
    sigma: np.ndarray
    scalars: np.ndarray


class Drives(NamedTuple):
    """Drives: plain (d, 4), keys (d, 6), weights (d, r), members by tile, copies."""

    plain: np.ndarray
    keys: np.ndarray
    weights: np.ndarray
    sizes: np.ndarray
    offsets: np.ndarray
    members: np.ndarray
    chosen: np.ndarray
    share: np.ndarray
    copies: np.ndarray
    copies_length: np.ndarray


class Tables(NamedTuple):
    """Count distributions by drive, class of block size (the last: mother) and step."""

    values: np.ndarray
    lengths: np.ndarray
    parts: np.ndarray
    reference_p: np.ndarray


class Currents(NamedTuple):
    """Injected currents: population (c,), mask row or -1 (c,), level by step (c, s)."""

    population: np.ndarray
    row: np.ndarray
    level: np.ndarray


class Gap(NamedTuple):
    """Gap junctions: the pairs of all kinds, the nodes, the current into every coupled cell.

    Of a pair, ``first`` and ``second`` are the places of its cells in ``current``, ``first_at`` and
    ``second_at`` those of their potentials. ``kinds`` (k, 4): group, first pair, the one past the
    last, first node; ``numbers`` (k, 2): g, dt/tau or 0. Populations that are coupled, through
    others too, are a group, named by its lowest: ``group`` (p,) or -1, ``place`` (p,) of the
    first cell in ``current``. By group: ``span`` (p, 2) in ``current``, ``members`` (p,).
    """

    first: np.ndarray
    second: np.ndarray
    first_at: np.ndarray
    second_at: np.ndarray
    node: np.ndarray
    current: np.ndarray
    kinds: np.ndarray
    numbers: np.ndarray
    group: np.ndarray
    place: np.ndarray
    span: np.ndarray
    members: np.ndarray


class Wires(NamedTuple):
    """Projections: CSR of all, amounts (j, r), short-term plasticity, tiles by population.

    ``plain`` (j, 6): source, target, plastic or not, first offset, number among the plastic
    projections of the source, and how many these are. The rows of projection j start at
    ``offsets[plain[j, 3] + source]``; the releases of a tile at ``release_start`` (t,), or -1;
    the factors of its synapses at ``factor_start`` (j,), or -1. ``failure`` (j,) is drawn under
    ``keys`` (j, 2).
    """

    plain: np.ndarray
    offsets: np.ndarray
    targets: np.ndarray
    delays: np.ndarray
    amounts: np.ndarray
    stp: np.ndarray
    state: np.ndarray
    state_start: np.ndarray
    last: np.ndarray
    first_tile: np.ndarray
    release_start: np.ndarray
    factors: np.ndarray
    factor_start: np.ndarray
    failure: np.ndarray
    keys: np.ndarray


class Probes(NamedTuple):
    """Recorded cells sorted by tile: start per tile (t+1,), lanes and places of rows (k,), output.

    The output is (s, k); the variable at ``row`` begins this many numbers after its tile.
    """

    start: np.ndarray
    lane: np.ndarray
    row: np.ndarray
    out: np.ndarray


class Work(NamedTuple):
    """Tiles owned by each part of the work (w, p, 2), then the fields of its `Bench`, stacked."""

    own: np.ndarray
    events: np.ndarray
    words: np.ndarray
    uniforms: np.ndarray
    share: np.ndarray
    rows: np.ndarray
    fired: np.ndarray
    bad: np.ndarray


class Bench(NamedTuple):
    """What one part works on: counts of events, words, uniforms, shares, rows, flags, bad cell."""

    events: np.ndarray
    words: np.ndarray
    uniforms: np.ndarray
    share: np.ndarray
    rows: np.ndarray
    fired: np.ndarray
    bad: np.ndarray


class Notes(NamedTuple):
    """Spikes of this window and the last: k * TILE + lane (2, t, most), number, releases."""

    found: np.ndarray
    counts: np.ndarray
    releases: np.ndarray


class Room(NamedTuple):
    """What `find_rows` finds for each part: spikes (w, n, 3), first (w, p+1), rows (w, j, n, 3)."""

    spikes: np.ndarray
    begin: np.ndarray
    rows: np.ndarray
