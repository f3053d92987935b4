"""The arrays that the compiled loops share, by what they describe."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from neostriatum.engines.numba_engine.learning import Learn


class Tiles(NamedTuple):
    """Tiles: population, first local id, cells, and where what is theirs begins.

    ``rows_at``, ``counts_at``, ``noise_at`` and ``ahead_at`` are places in the arrays of these
    names; ``packs`` (t, fields) what the kernels are given; ``pack_at`` and ``kernel`` addresses.
    """

    population: np.ndarray
    first: np.ndarray
    used: np.ndarray
    rows_at: np.ndarray
    counts_at: np.ndarray
    noise_at: np.ndarray
    ahead_at: np.ndarray
    packs: np.ndarray
    pack_at: np.ndarray
    kernel: np.ndarray


class Populations(NamedTuple):
    """Populations: first global id, ring of their tiles, column by receptor or -1, noise.

    The ring of tile n of a population begins at ``ring_at + n * ring_stride`` and has ``width``
    columns.
    """

    offset: np.ndarray
    ring_at: np.ndarray
    ring_stride: np.ndarray
    width: np.ndarray
    column: np.ndarray
    noise_key: np.ndarray
    sigma: np.ndarray


class Drives(NamedTuple):
    """Drives that are counted: ``plain`` (d, 4) as population, kind, whether varying, place.

    The place is that among the drives of the population. ``keys`` (d, 6); members by tile;
    ``share`` (d, 2) of correlated events; ``copies`` the distribution of copied ones; ``binomial``
    the address of `binomial.binomial_address`.
    """

    plain: np.ndarray
    keys: np.ndarray
    sizes: np.ndarray
    offsets: np.ndarray
    members: np.ndarray
    chosen: np.ndarray
    share: np.ndarray
    copies: np.ndarray
    copies_length: np.ndarray
    binomial: int


class Tables(NamedTuple):
    """Count distributions by drive, class of block size (the last: mother) and step.

    ``pool_p`` is the probability of a shared train to fire, by pool and step.
    """

    values: np.ndarray
    lengths: np.ndarray
    parts: np.ndarray
    reference_p: np.ndarray
    pool_p: np.ndarray


class Outside(NamedTuple):
    """Events that come with names of cells: recorded spikes, and trains that cells share.

    ``recorded`` (n, 3): population, first event, the one past the last; of the events ``when`` and
    ``who``, sorted. ``pools`` (n, 3): population, first train, the one past the last; the
    listeners of a train lie between two ``ends``. Amounts are by receptor, as the ring has them.
    """

    recorded: np.ndarray
    when: np.ndarray
    who: np.ndarray
    recorded_amounts: np.ndarray
    pools: np.ndarray
    pool_keys: np.ndarray
    ends: np.ndarray
    listeners: np.ndarray
    pool_amounts: np.ndarray


class Signals(NamedTuple):
    """Levels of modulators where some are computed: as `levels.Levels` has them, and by part.

    ``states``, ``heard`` and ``released`` are (w, l), ``pending`` (w, n) the spikes of the last
    steps, those of a level between two ``pending_at``. Constants that hear computed levels:
    ``columns`` (c, 2) as first term and the one past the last; ``bases`` (c,); ``terms`` (n, 2) as
    kind and level, -1 where that is given; ``term_numbers`` (n, 5) as `signals.columns_of` says.
    """

    plain: np.ndarray
    numbers: np.ndarray
    states: np.ndarray
    heard: np.ndarray
    released: np.ndarray
    pending: np.ndarray
    pending_at: np.ndarray
    columns: np.ndarray
    bases: np.ndarray
    terms: np.ndarray
    term_numbers: np.ndarray


class Courses(NamedTuple):
    """What levels need of a stretch of steps, and the constants that hear them.

    ``given`` and ``released`` (steps, l); ``heard`` (steps, n) by term, what it hears of a given
    level; ``constants`` (w, n) of all populations that hear computed levels; ``places`` (c, 2) of a
    column: where its first number lies, and how far the next. ``levels`` (steps, l) are those that
    the steps heard, noted as they go.
    """

    given: np.ndarray
    released: np.ndarray
    heard: np.ndarray
    constants: np.ndarray
    places: np.ndarray
    levels: np.ndarray


class Gap(NamedTuple):
    """Gap junctions: the pairs of all kinds, the nodes, the current into every coupled cell.

    Of a pair, ``first`` and ``second`` are the places of its cells in ``current``, ``first_at`` and
    ``second_at`` those of their potentials, ``flow`` what flows into the second. ``kinds`` (k, 4):
    group, first pair, the one past the last, first node; ``numbers`` (k, 2): g, dt/tau or 0.
    Populations that are coupled, through others too, are a group, named by its lowest: ``group``
    (p,) or -1; ``place`` (p,) of a population's first cell in ``current``.
    """

    first: np.ndarray
    second: np.ndarray
    first_at: np.ndarray
    second_at: np.ndarray
    flow: np.ndarray
    node: np.ndarray
    current: np.ndarray
    kinds: np.ndarray
    numbers: np.ndarray
    group: np.ndarray
    place: np.ndarray


class Wires(NamedTuple):
    """Projections: CSR of all, amounts (j, r), short-term plasticity, tiles by population.

    ``plain`` (j, 7): source, target, plastic or not, first offset, number among the plastic
    projections of the source, how many these are, and whether its arrivals come in another way: as
    it learns, or as they are known ahead. The rows of projection j start at
    ``offsets[plain[j, 3] + source]``; the releases of a tile at ``release_start`` (t,), or -1;
    the factors of its synapses at ``factor_start`` (j,), or -1. ``failure`` (j,) is drawn under
    ``keys`` (j, 2). ``release`` (j,) is the address of `release.release_address` and ``numbers``
    (j, n) what it is given; the states of a source lie at ``state[state_start[j] + source]``.
    """

    plain: np.ndarray
    offsets: np.ndarray
    targets: np.ndarray
    delays: np.ndarray
    amounts: np.ndarray
    release: np.ndarray
    numbers: np.ndarray
    state: np.ndarray
    state_start: np.ndarray
    last: np.ndarray
    first_tile: np.ndarray
    release_start: np.ndarray
    factors: np.ndarray
    factor_start: np.ndarray
    failure: np.ndarray
    keys: np.ndarray


class Ahead(NamedTuple):
    """Projections whose arrivals are known before a window begins.

    ``plain`` (a, 4): number of the projection, population of axons, target, delay [steps].
    A spike adds ``amounts`` (a, w) [nS] in ``columns`` (a, w) or -1 of those that are known ahead,
    of which populations have ``counts`` (p,).
    """

    plain: np.ndarray
    columns: np.ndarray
    amounts: np.ndarray
    counts: np.ndarray


class Work(NamedTuple):
    """Tiles owned by each part of the work (w, p, 2), and what a part draws with.

    ``counts``, ``noise`` and ``ahead`` hold the events, normals and arrivals that are known ahead
    of a window, tile by tile; ``bad`` (w, 2) is the first unhealthy tile of a window, by its phase,
    or -1.
    """

    own: np.ndarray
    counts: np.ndarray
    noise: np.ndarray
    ahead: np.ndarray
    words: np.ndarray
    uniforms: np.ndarray
    bad: np.ndarray


class WindowSpikes(NamedTuple):
    """Spikes of this window and the last: k * TILE + lane (2, t, most), number, releases.

    ``at`` is the address of the first.
    """

    found: np.ndarray
    at: int
    counts: np.ndarray
    releases: np.ndarray


class Scratch(NamedTuple):
    """What `find_rows` finds for each part: spikes (w, n, 3), first (w, p+1), rows (w, j, n, 3).

    And what `find_ahead` finds: ``ahead`` (w, a, n, 4) and ``amounts`` (w, a, n, c). The rows wait
    in ``chains`` (w, j, t) and ``chains_ahead`` (w, a, t), those of arrivals at synapses that learn
    in ``lessons`` (w, q, steps, t).
    """

    spikes: np.ndarray
    begin: np.ndarray
    rows: np.ndarray
    chains: np.ndarray
    ahead: np.ndarray
    amounts: np.ndarray
    chains_ahead: np.ndarray
    lessons: np.ndarray


class Net(NamedTuple):
    """All that a run keeps from window to window.

    ``rows`` and ``ring`` hold the state of all tiles, ``unit`` (2,) the quantum of a contribution
    [nS] and what one adds to the ring.
    """

    tiles: Tiles
    populations: Populations
    drives: Drives
    outside: Outside
    gap: Gap
    wires: Wires
    ahead: Ahead
    work: Work
    emitted: WindowSpikes
    signals: Signals
    learn: Learn
    rows: np.ndarray
    ring: np.ndarray
    unit: np.ndarray


class Window(NamedTuple):
    """A window: whose part, its phase, steps before it in the chunk, its steps and the first."""

    part: int
    phase: int
    done: int
    count: int  # type: ignore[assignment]  # nobody counts in a tuple of these
    step0: int
    most: int
    slots: int
