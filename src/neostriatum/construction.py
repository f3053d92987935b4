"""Build a network, save it and say what it is: the one call behind ``neostriatum build``."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neostriatum.analysis.anatomy import CENTRE_RADIUS, anatomy, length
from neostriatum.circuit.pathway import FixedIndegree
from neostriatum.circuit.resolve import Changes, resolve
from neostriatum.durable import claim, unclaim, write_text
from neostriatum.errors import CircuitError, RunFileError, shown
from neostriatum.machine import fork_early, free_memory, peak_memory_gb
from neostriatum.network.build import build
from neostriatum.network.estimate import SHARE, estimate
from neostriatum.network.indegree import check_indegree
from neostriatum.network.volume import space
from neostriatum.progress import watched
from neostriatum.rng import checked_seed
from neostriatum.threads import using_threads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from neostriatum.circuit.model import Circuit

#: Where networks go unless the caller says where.
ROOT = "networks"
#: Names that say that ``out`` is a file.
_ENDINGS = (".h5", ".hdf5")


@watched
def construct(
    circuit: Any = "striatum",
    *,
    size: int | None = None,
    seed: int = 1,
    threads: int | None = None,
    overlay: Any = (),
    changes: Any = None,
    centre_radius: Any = CENTRE_RADIUS,
    out: str | Path | None = None,
    dry_run: bool = False,
    progress: Callable[[str, float], None] | None = None,
) -> dict[str, Any]:
    """Build a network, save it and return its statistics.

    Parameters
    ----------
    circuit : str, Path, dict or Circuit
        What to build.
    size : int, optional
        Neurons in all; a mesh has its own size and takes none.
    seed : int
        Master seed.
    threads : int, optional
        Threads to build with; by default all cores.
    overlay, changes
        As in `run`.
    centre_radius : str or quantity
        Somas this near to the centroid are the centre [um].
    out : str or Path, optional
        A new file, ending in .h5 or .hdf5, or a new folder for ``network.h5`` and
        ``anatomy.json``; by default the next ``networks/NNNN``.
    dry_run : bool
        Only say what the network would hold, take and cost; see `plan`.
    progress : callable, optional
        Called with the phase, "place", "wire", "save" or "measure", and its share done, 0 to 1.

    Returns
    -------
    dict
        ``circuit``, ``seed``, what `anatomy` returns, ``build_s``, ``peak_memory_gb``,
        ``network_hash``, ``out`` (the network file).

    Raises
    ------
    CircuitError, BuildError
        Bad input, or a network that cannot be; nothing is left on disk.
    RunFileError
        ``out`` exists or cannot be written.

    Examples
    --------
    >>> import neostriatum as ns
    >>> made = ns.construct("striatum_v1", size=2000, out="net.h5")  # doctest: +SKIP
    >>> ns.construct("striatum_v1", size=2000, dry_run=True)["neurons"]
    {'dSPN': 987, 'iSPN': 986, 'FS': 27}
    """
    resolved = resolve(circuit, Changes(overlay=overlay, changes=changes or {}))
    checked_seed(seed)
    length("centre_radius", centre_radius)
    if dry_run:
        if out is not None:
            msg = f"out: a dry run saves nothing (got {shown(out)}). Leave one of the two out"
            raise CircuitError(msg)
        return plan(resolved, size)
    tell = progress or (lambda phase, share: None)
    fork_early()
    with _place(out) as (path, beside), using_threads(threads):
        network = build(resolved, size=size, seed=seed, threads=threads, progress=tell)
        tell("measure", 0.0)
        made = {"circuit": resolved.name, "seed": seed,
                **anatomy(network, centre_radius),
                "build_s": round(network.build_s, 4), "network_hash": network.hash()}
        tell("save", 0.0)
        network.save(path)
        made |= {"peak_memory_gb": peak_memory_gb(), "out": str(path)}
        if beside is not None:
            write_text(beside, json.dumps(made, indent=1, allow_nan=False) + "\n")
    return made


def plan(circuit: Circuit, size: int | None) -> dict[str, Any]:
    """Return what a network would hold, take and cost, without building it.

    Returns
    -------
    dict
        ``circuit``, ``shape``, ``boundary``, ``volume_mm3``, ``neurons`` by type, ``synapses`` by
        pathway (expected; an open volume has fewer), ``bytes`` (the most while it is built),
        ``free_bytes`` (None where unknown), ``fits`` (within 80 % of them), ``seconds`` (on two
        cores).

    Raises
    ------
    BuildError
        A type has fewer cells than a fixed in-degree from it.
    """
    volume = space(circuit, size)
    made, free = estimate(circuit, volume.size), free_memory()
    for name, pathway in circuit.pathways.items():
        source, target = name.split("->")
        # As building does, which also counts how many are within reach and in the channel.
        if isinstance(pathway.wiring, FixedIndegree) and source in circuit.cells \
                and made.neurons[target]:
            check_indegree(f"{circuit.name}: pathways.{name}", pathway.wiring.n,
                           made.neurons[source] - (source == target))
    return {"circuit": circuit.name, "shape": volume.shape,
            "boundary": circuit.volume.boundary, "volume_mm3": round(volume.volume_um3 * 1e-9, 6),
            "neurons": made.neurons, "synapses": made.synapses, "bytes": made.bytes,
            "free_bytes": free, "fits": None if free is None else made.bytes <= SHARE * free,
            "seconds": round(made.seconds, 1)}


@contextmanager
def _place(out: str | Path | None) -> Iterator[tuple[Path, Path | None]]:
    """Give the paths of the network and of its statistics; leave nothing behind on an error."""
    if out is not None and Path(out).suffix.lower() in _ENDINGS and not Path(out).is_dir():
        path = Path(out)
        # Before anything is built: saving refuses the same, but minutes later.
        if path.exists() or path.is_symlink():
            msg = f"{path}: exists already. Choose another --out"
            raise RunFileError(msg)
        if not path.parent.is_dir():
            msg = f"{path}: its folder must exist (got {path.parent}). Make it first"
            raise RunFileError(msg)
        yield path, None
        return
    folder = claim(out, ROOT)
    try:
        yield folder / "network.h5", folder / "anatomy.json"
    except BaseException:
        unclaim(folder)
        raise
