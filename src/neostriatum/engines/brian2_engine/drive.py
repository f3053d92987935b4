"""The drives of a circuit as Brian2 operations: same statistics as ours, Brian2's own draws."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.engines.brian2_engine.equations import inlet

if TYPE_CHECKING:
    from neostriatum.engines.lowered import LoweredCircuit


def course(b2: Any, lowered: LoweredCircuit, one: Any, name: str) -> Any:
    """Return a time course as a TimedArray of its value at every step, last value held.

    A sine or a square never settles: it is sampled for 100 s.
    """
    return b2.TimedArray(_sampled(lowered, one), dt=lowered.dt * b2.ms, name=name)


def _sampled(lowered: LoweredCircuit, one: Any) -> np.ndarray:
    if one.is_constant:
        return np.array([one.constant.value])
    last = 100_000.0 if one.horizon_ms is None else one.horizon_ms
    steps = lowered.warmup + int(np.ceil(last / lowered.dt)) + 2
    return one.at((np.arange(steps) - lowered.warmup) * lowered.dt)


def add_drives(b2: Any, lowered: LoweredCircuit, groups: list[Any], objects: list[Any],
               namespace: dict[str, Any]) -> None:
    """Attach every drive and every recorded spike train to its group."""
    for n, drive in enumerate(lowered.drives):
        group, population = groups[drive.population], lowered.populations[drive.population]
        if group is None:
            continue
        if len(drive.members) < population.n:
            mask = np.zeros(population.n)
            mask[drive.members] = 1.0
            setattr(group, f"driven_{n}", mask)
        masked = f"*driven_{n}" if len(drive.members) < population.n else ""
        if drive.rate.is_constant:
            rate = repr(drive.rate.constant.value)
        else:
            namespace[f"rate_{n}"] = course(b2, lowered, drive.rate, f"rate_{n}")
            rate = f"rate_{n}(t)"
        # Hz times ms over 1000: expected events per afferent and step.
        p = f"({rate}*{lowered.dt / 1000.0!r}{masked})"
        if drive.pool is not None:
            _shared_trains(b2, lowered, drive, group, objects, rate, n, namespace)
            continue
        _count(b2, lowered, drive, group, objects, namespace, p, n, masked)
    for n, recorded in enumerate(lowered.recorded):
        _recorded(b2, lowered, recorded, groups[recorded.population], objects, n)


def _count(b2: Any, lowered: LoweredCircuit, drive: Any, group: Any, objects: list[Any],
           namespace: dict[str, Any], p: str, n: int, masked: str) -> None:
    """Add the events of a step to what arrives in it."""
    size = drive.afferents
    lines = []
    if drive.process == "binomial":
        lines.append(_binomial(b2, namespace, f"count_{n}", size, drive, lowered, p, n, masked))
    else:
        own = size * (1.0 - drive.between) * (1.0 - drive.within)
        lines.append(f"count_{n} = poisson({own!r}*{p})")
    if drive.within > 0:
        namespace[f"copies_{n}"] = b2.BinomialFunction(size, drive.within, approximate=False,
                                                       name=f"copies_{n}")
        lines.append(f"count_{n} = count_{n} + "
                     f"int(rand() < {1.0 - drive.between!r}*{p})*copies_{n}()")
    if drive.between > 0:
        mother = _mother(b2, lowered, drive, objects, namespace)
        name = f"mother_{n}"
        group.variables.add_reference(name, mother, "events")
        mask = f"*int(driven_{n})" if masked else ""
        lines.append(f"count_{n} = count_{n} + {name}{mask}")
    receptors = lowered.populations[drive.population].synapses
    lines += [f"{inlet(receptors[receptor])} += count_{n}*{weight!r}"
              for receptor, weight in drive.weights]
    objects.append(group.run_regularly("\n".join(lines), when="start", name=f"drive_{n}"))


def _binomial(b2: Any, namespace: dict[str, Any], name: str, size: int, drive: Any,
              lowered: LoweredCircuit, p: str, n: int, masked: str) -> str:
    if drive.rate.is_constant:
        chance = drive.rate.constant.value * lowered.dt / 1000.0
        namespace[f"afferents_{n}"] = b2.BinomialFunction(size, chance, approximate=False,
                                                          name=f"afferents_{n}")
        return f"{name} = afferents_{n}(){masked}"
    # A binomial of changing probability is the sum of its trials.
    return f"{name} = " + " + ".join([f"int(rand() < {p})"] * size)


def _mother(b2: Any, lowered: LoweredCircuit, drive: Any, objects: list[Any],
            namespace: dict[str, Any]) -> Any:
    """Return the mother train of a drive, one for all drives of its channel with its mean.

    A drive of the channel with another mean has a mother of its own: Brian2 cannot invert one
    uniform in two Poisson laws, as our engines do.
    """
    mean = _means(lowered, drive)
    twins = [k for k, other in enumerate(lowered.drives)
             if other.keys["mother"] == drive.keys["mother"] and other.between > 0
             and np.array_equal(_means(lowered, other), mean)]
    name = f"channel_{twins[0]}"
    for one in objects:
        if one.name == name:
            return one
    if drive.rate.is_constant:
        rate = repr(drive.rate.constant.value)
    else:
        namespace[f"{name}_rate"] = course(b2, lowered, drive.rate, f"{name}_rate")
        rate = f"{name}_rate(t)"
    mother = b2.NeuronGroup(1, "events : integer (shared)", name=name, namespace=namespace)
    scale = drive.afferents * drive.between * lowered.dt / 1000.0
    objects += [mother, mother.run_regularly(f"events = poisson({rate}*{scale!r})",
                                             when="before_start", name=f"{name}_draw")]
    return mother


def _means(lowered: LoweredCircuit, drive: Any) -> np.ndarray:
    """Return the mean of a mother train in every step [Hz]; one value if it never changes."""
    return _sampled(lowered, drive.rate) * drive.afferents * drive.between


def _shared_trains(b2: Any, lowered: LoweredCircuit, drive: Any, group: Any, objects: list[Any],
                   rate: str, n: int, namespace: dict[str, Any]) -> None:
    offsets, listeners = drive.pool
    trains = b2.NeuronGroup(len(offsets) - 1, "pad : 1", namespace=namespace, name=f"trains_{n}",
                            threshold=f"rand() < {rate}*{lowered.dt / 1000.0!r}", reset="")
    trains.thresholder["spike"].when = "start"
    sources = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    _connect(b2, lowered, drive, trains, group, objects, sources, drive.members[listeners],
             f"from_trains_{n}")
    objects.append(trains)


def _recorded(b2: Any, lowered: LoweredCircuit, recorded: Any, group: Any, objects: list[Any],
              n: int) -> None:
    """Play recorded spikes at the start of their steps."""
    if not len(recorded.ids):
        return
    ids, when = recorded.ids, recorded.steps + lowered.warmup
    number = np.arange(len(ids))
    player = b2.SpikeGeneratorGroup(len(number), number, when * lowered.dt * b2.ms, when="start",
                                    dt=lowered.dt * b2.ms, name=f"player_{n}")
    _connect(b2, lowered, recorded, player, group, objects, number, ids, f"from_player_{n}")
    objects.append(player)


def _connect(b2: Any, lowered: LoweredCircuit, drive: Any, source: Any, group: Any,
             objects: list[Any], i: np.ndarray, j: np.ndarray, name: str) -> None:
    receptors = lowered.populations[drive.population].synapses
    on_pre = "\n".join(f"{inlet(receptors[receptor])}_post += {weight!r}"
                       for receptor, weight in drive.weights)
    synapses = b2.Synapses(source, group, on_pre=on_pre, name=name, namespace={})
    synapses.pre.when = "before_groups"
    synapses.connect(i=i, j=j)
    objects.append(synapses)
