"""Lower the inputs of a circuit: who receives which events, spikes and currents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum import rng
from neostriatum.circuit.clock import steps
from neostriatum.engines.drive import Drive
from neostriatum.engines.quantum import quantised
from neostriatum.network.groups import shared_channels

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit
    from neostriatum.engines.lowered import LoweredCircuit
    from neostriatum.network.network import Network


@dataclass(frozen=True)
class Recorded:
    """Spikes read from a file: sorted steps from the end of the warm-up, and local ids."""

    name: str
    population: int
    steps: np.ndarray
    ids: np.ndarray
    weights: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Current:
    """A current [pA] injected into the members of one population."""

    name: str
    population: int
    members: np.ndarray
    course: Any


def lower_inputs(
    circuit: Circuit, network: Network, populations: tuple[Any, ...], seed: int
) -> tuple[tuple[Drive, ...], tuple[Recorded, ...], tuple[Current, ...]]:
    """Return drives, recorded spikes and currents of a circuit, each in file order."""
    drives, recorded, currents = [], [], []
    for input_name, entry in circuit.inputs.items():
        for number, population in enumerate(populations):
            said = entry.targets.get(population.name)
            if said is None:
                continue
            name = f"{input_name}.{population.name}"
            members = channel_members(circuit, network, said.channel, population, seed)
            if said.current is not None:
                currents.append(Current(name, number, members, said.current))
                continue
            weights = _weights(said.conductance, population)
            if said.spikes is not None:
                recorded.append(_recorded(circuit, name, number, said, population, weights))
                continue
            afferents: Any = said.afferents  # what fires at a rate has a number
            keys = {use: rng.stream(seed, f"drive {use}", name)
                    for use in ("own", "reference", "pool")}
            # One mother per input and channel, shared by the types that the channel holds.
            keys["mother"] = rng.stream(seed, "drive mother", f"{input_name}.{said.channel}")
            pool = None
            if said.shared_trains is not None:
                share = afferents / said.shared_trains
                pool = _pool(rng.stream(seed, "drive listeners", name), members,
                             said.shared_trains, share)
            drives.append(Drive(name, number, members, afferents, said.rate, weights,
                                said.process, said.correlation.within.value,
                                said.correlation.between.value, pool, keys))
    return tuple(drives), tuple(recorded), tuple(currents)


def channel_members(circuit: Circuit, network: Network, channel: str | None, population: Any,
                    seed: int) -> np.ndarray:
    """Return the sorted local ids of ``population`` that belong to a channel (None: all)."""
    everyone = np.arange(population.n)
    if channel is None or circuit.channels[channel].all:
        return everyone
    said = circuit.channels[channel]
    if said.share is not None:
        number = list(circuit.channels).index(channel)
        # Drawn with the network, since axons are wired by it.
        mine = shared_channels(circuit, population.name, population.n, network.seed)
        return everyone[mine == number]
    if said.fraction is not None:
        words = rng.philox(rng.stream(seed, "channel", f"{channel}.{population.name}"), 0, everyone)
        drawn = everyone[rng.uniform32(words[0]) < said.fraction.value]
        if said.inside is None:
            return drawn
        whole = channel_members(circuit, network, said.inside, population, seed)
        return np.intersect1d(drawn, whole)
    ids = slice(population.offset, population.offset + population.n)
    sphere: Any = said.sphere  # a channel says one of these
    centre = np.array([axis.value for axis in sphere.centre]) + network.side_um / 2
    away = network.positions[ids].astype(np.float64) - centre
    if network.periodic:
        away -= network.side_um * np.rint(away / network.side_um)
    square = (away**2).sum(axis=1)
    inside = square <= sphere.radius.value**2
    if sphere.inner is not None:
        inside &= square > sphere.inner.value**2
    return everyone[inside]


def _weights(conductance: Any, population: Any) -> tuple[tuple[int, float], ...]:
    receptors = [synapse.name for synapse in population.synapses]
    return tuple((receptors.index(name), float(quantised(g.value)))
                 for name, g in conductance.items())


def _recorded(circuit: Circuit, name: str, number: int, said: Any, population: Any,
              weights: tuple[tuple[int, float], ...]) -> Recorded:
    from neostriatum.errors import BuildError

    times, ids = said.spikes.events
    if len(ids) and ids.max() >= population.n:
        msg = (f"{circuit.name}: inputs.{name}.spikes: ids must be below the {population.n} "
               f"{population.name} (got {ids.max()})")
        raise BuildError(msg)
    # A spike of step n is at (n + 1) dt in our own files; an input comes at the nearest step.
    when = np.array([steps(time, circuit.dt.value) for time in times], np.int64)
    return Recorded(name, number, when, ids, weights)


def _pool(key: tuple[int, int], members: np.ndarray, trains: int,
          share: float) -> tuple[np.ndarray, np.ndarray]:
    """Draw who listens to which shared train: each pair with probability ``share``."""
    rows: list[np.ndarray] = []
    # Many trains in one draw where the members are few.
    stride = max(1, 100_000 // max(1, len(members)))
    for first in range(0, trains, stride):
        numbers = np.arange(first, min(first + stride, trains))
        words = rng.philox(key, numbers[:, None], members)
        rows += [np.flatnonzero(row) for row in rng.uniform32(words[0]) < share]
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    return offsets.astype(np.int64), np.concatenate(rows)


def injected_currents(lowered: LoweredCircuit, values: list[dict[str, Any]], n: int) -> list[Any]:
    """Return the current into every population at a step [pA], of parameters and electrodes.

    ``values`` are what `Population.modulated` returned, by population.
    """
    injected: list[Any] = [
        0.0 if pop.model.constant_current is None else own[pop.model.constant_current.name]
        for pop, own in zip(lowered.populations, values, strict=True)]
    for current in lowered.currents:
        level = float(current.course.at(lowered.time_ms(n)))
        size = lowered.populations[current.population].n
        if len(current.members) == size:
            injected[current.population] = injected[current.population] + level
        else:
            each = np.array(np.broadcast_to(np.asarray(injected[current.population], float),
                                            (size,)))
            each[current.members] += level
            injected[current.population] = each
    return injected


def add_drive(lowered: LoweredCircuit, n: int, arriving: list[np.ndarray]) -> None:
    """Add the events of the inputs at a step to what arrives, receptor by receptor."""
    time = lowered.time_ms(n)
    for drive in lowered.drives:
        hit = drive.events(n, float(drive.rate.at(time)), lowered.dt)
        for receptor, weight in drive.weights:
            np.add.at(arriving[drive.population][receptor], hit, weight)
    for recorded in lowered.recorded:
        lo, hi = np.searchsorted(recorded.steps, [n - lowered.warmup] * 2 + np.arange(2))
        for receptor, weight in recorded.weights:
            np.add.at(arriving[recorded.population][receptor], recorded.ids[lo:hi], weight)
