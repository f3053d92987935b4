"""A run as a Neo block, and that block in a NIX file."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.durable import replacing
from neostriatum.recording.library import library
from neostriatum.recording.sonata import bin_steps, first_id
from neostriatum.recording.trains import clock, trains

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from neostriatum.engines.base import Trace
    from neostriatum.network.network import Network
    from neostriatum.recording.store import Run

#: The file that `write_nix` makes.
FILE = "run.nix"
#: Units that the library of units spells in another way.
_UNITS = {"1": "dimensionless", "nM": "umol/m**3"}
#: Bytes of such a file beside its numbers, at most.
_OVERHEAD = 2**21


def block(run: Run, *, flat: bool = False, network: Network | None = None) -> Any:
    """Return a run as a Neo block of one segment.

    Parameters
    ----------
    run : Run
        A finished run.
    flat : bool
        One spike train per cell type whose array annotations say the neuron of each spike, instead
        of one per neuron.
    network : Network, optional
        Adds the somas as an annotation, ``position_um`` of every train; of flat trains ``x_um``,
        ``y_um``, ``z_um``, a number per neuron of the type.

    Returns
    -------
    neo.Block
        Spike trains [ms] with the annotations ``cell_type``, ``node_id`` (within the type), ``id``;
        recorded variables (potentials in mV) as one analog signal per variable and type,
        population rates [Hz] as one more;
        where values changed during the run, one event object ``events`` whose labels say what
        was done, with the new values by path (JSON text) as the array annotation ``set``;
        the resolved circuit as JSON text in the annotation ``circuit``.

    Raises
    ------
    LibraryMissing
        Neo is not installed.
    RunFileError
        Damaged files of the run, or one that did not finish.
    """
    neo, pq = library("neo", "Neo"), library("quantities", "Neo")
    said = run.summary
    made = neo.Block(
        name=f"{run.circuit_name}, seed {run.seed}",
        description="simulated with neostriatum; times from the end of the warm-up",
        circuit=json.dumps(run.record["circuit"]), engine=run.record["engine"], seed=run.seed,
        network_hash=said["network_hash"], spike_hash=said["spike_hash"],
        neostriatum=run.record["versions"]["neostriatum"])
    segment = neo.Segment(name="recorded")
    made.segments.append(segment)
    segment.spiketrains = list((_flat if flat else _single)(run, network, neo, pq))
    signals = [_recorded(run, (variable, name), trace, neo, pq) for variable in run.variables
               for name, trace in run.recorded(variable).items()]
    _, rates = run.population_rates()
    signals.append(neo.AnalogSignal(
        np.stack(list(rates.values()), axis=1), units=pq.Hz, name="population rate",
        sampling_period=bin_steps(run.dt_ms) * run.dt_ms * pq.ms, t_start=0 * pq.ms,
        array_annotations={"cell_type": list(rates)}))
    segment.analogsignals = signals
    segment.events = _events(run, neo, pq)
    made.check_relationships()
    return made


def write_nix(run: Run, folder: Path, network: Network | None) -> None:
    """Write a run as a NIX file, one spike train per cell type.

    A train per neuron takes 24 kB and tens of milliseconds in such a file, whatever is in it, and
    as long to read; flat trains make it seconds for any size.

    Parameters
    ----------
    run : Run
        A finished run.
    folder : Path
        An empty folder.
    network : Network or None
        Where the positions come from; without it they are left out.

    Raises
    ------
    LibraryMissing
        Neo or nixio is not installed.
    RunFileError
        Damaged files of the run, or a folder that cannot be written.
    """
    library("nixio", "NIX")
    nix, made = library("neo.io.nixio", "NIX"), block(run, flat=True, network=network)
    with replacing(folder / FILE) as temporary:
        _room(temporary, made)
        with nix.NixIO(str(temporary), "ow") as file:
            file.write_block(made)


def _room(path: Path, made: Any) -> None:
    """Raise OSError where the disk has no room for a block.

    The HDF5 under nixio ends the program when it finds that out by itself.
    """
    (segment,) = made.segments
    numbers = 2 * sum(len(one) for one in segment.spiketrains)
    numbers += sum(one.size for one in segment.analogsignals)
    numbers += 3 * sum(one.annotations["neurons"] for one in segment.spiketrains)
    numbers += sum(one.size + one.labels.nbytes for one in segment.events)
    with path.open("wb") as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, _OVERHEAD + int(1.05 * 8 * numbers))


def _single(run: Run, network: Network | None, neo: Any, pq: Any) -> Iterator[Any]:
    stop, start, spikes = run.duration_ms * pq.ms, 0.0 * pq.ms, run.spikes
    sorted_ = trains(spikes.times_ms, spikes.ids, sum(map(len, run.populations.values())))
    times = sorted_.times_ms * pq.ms
    for name, span in run.populations.items():
        for number in span:
            mine = times[sorted_.offsets[number] : sorted_.offsets[number + 1]]
            where = {} if network is None else {"position_um": network.positions[number]}
            yield neo.SpikeTrain(mine, t_start=start, t_stop=stop, cell_type=name,
                                 node_id=number - span.start, id=number, **where)


def _flat(run: Run, network: Network | None, neo: Any, pq: Any) -> Iterator[Any]:
    spikes = run.spikes
    for name, span in run.populations.items():
        mine = (spikes.ids >= span.start) & (spikes.ids < span.stop)
        where = {} if network is None else {
            f"{axis}_um": network.positions[span.start : span.stop, column].astype(float)
            for column, axis in enumerate("xyz")}
        yield neo.SpikeTrain(
            spikes.times_ms[mine] * pq.ms, t_start=0.0 * pq.ms, t_stop=run.duration_ms * pq.ms,
            name=name, cell_type=name, neurons=len(span), first_id=span.start, **where,
            array_annotations={"node_id": spikes.ids[mine] - span.start})


def _events(run: Run, neo: Any, pq: Any) -> list[Any]:
    if not (events := run.events):
        return []
    return [neo.Event(
        np.array([one.time_ms for one in events]) * pq.ms, name="events",
        labels=np.array([one.label for one in events]),
        array_annotations={"set": np.array([json.dumps(one.spelled) for one in events])})]


def _recorded(run: Run, what: tuple[str, str], trace: Trace, neo: Any, pq: Any) -> Any:
    variable, name = what
    times, first = trace.times_ms, first_id(run.populations, name)
    start, step = clock(trace, run.dt_ms)
    unit = run.unit(variable, name)
    return neo.AnalogSignal(
        trace.values.reshape(len(times), len(trace.ids)),
        units=_UNITS.get(unit, unit),
        sampling_period=step * pq.ms, t_start=start * pq.ms, name=f"{variable} {name}",
        variable=variable, cell_type=name,
        array_annotations={"id": np.asarray(trace.ids), "node_id": trace.ids - first})
