"""Sources of shared trains: pools that several cells listen to, and the mother of a channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.engines.nest_engine.cell import DRAWS, port

if TYPE_CHECKING:
    from neostriatum.engines.drive import Drive
    from neostriatum.engines.lowered import LoweredCircuit
    from neostriatum.engines.nest_engine.shape import Form


@dataclass
class Trains:
    """Sources with one rate: ``binomial`` ones fire or not, others a Poisson number of times."""

    name: str
    count: int
    course: Any
    binomial: bool
    mean_per_p: float
    #: (source by number, drive) with the local ids that listen, row by row.
    listeners: list[tuple[np.ndarray, np.ndarray, Drive]]

    def state(self, p: float) -> dict[str, float]:
        """Return the state of the sources at a probability per afferent and step."""
        if self.binomial:
            p = min(p, 1.0 - 1e-12)
            odds = p / (1.0 - p)
            return {"rise0": odds, "fall0": odds, "first0": 1.0 - p}
        return {"rise0": p * self.mean_per_p, "fall0": 0.0,
                "first0": float(np.exp(-p * self.mean_per_p))}


def shared(lowered: LoweredCircuit) -> list[Trains]:
    """Return the shared trains of a lowered circuit.

    Types of a channel whose rates are equal listen to one mother; a type with another rate gets
    its own.
    """
    made: list[Trains] = []
    mothers: dict[Any, Trains] = {}
    for drive in lowered.drives:
        if drive.pool is not None:
            offsets, members = drive.pool
            sources = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
            made.append(Trains(drive.name, len(offsets) - 1, drive.rate, True, 0.0,
                               [(sources, drive.members[members], drive)]))
        elif drive.between > 0 and drive.process != "binomial":
            mean = drive.afferents * drive.between
            key = drive.keys["mother"], mean, drive.rate
            if key not in mothers:
                mothers[key] = Trains(drive.name, 1, drive.rate, False, mean, [])
                made.append(mothers[key])
            everyone = drive.members
            mothers[key].listeners.append((np.zeros(len(everyone), np.int64), everyone, drive))
    return made


def listen(nest: Any, lowered: LoweredCircuit, forms: list[Form], first: list[int], trains: Trains,
           node: int) -> None:
    """Connect sources from ``node`` on to their listeners, one step of delay."""
    for sources, members, drive in trains.listeners:
        targets = members + first[drive.population]
        kept = targets % nest.total_num_virtual_procs % nest.num_processes == nest.Rank()
        count = int(kept.sum())
        for receptor, weight in drive.weights:
            if count:
                receiver = port(forms[drive.population], f"in{receptor}")
                nest.Connect(sources[kept] + node, targets[kept], "one_to_one", {
                    "synapse_model": "static_synapse", "weight": np.full(count, weight),
                    "delay": np.full(count, lowered.dt),
                    "receptor_type": np.full(count, receiver)})


def train() -> str:
    """Return the NESTML text of a source of shared trains: a random count of spikes per step."""
    return f"""\
model MODEL:
    state:
        lag integer = 1
        first0 real = 1.0
        rise0 real = 0.0
        fall0 real = 0.0
    parameters:
        tiny real = 1.0
        n0 real = 0.0
        own0 real = 0.0
    internals:
        unit s = 1 s
    input:
        rate0 <- spike
    output:
        spike
{DRAWS.rstrip()}
    onReceive(rate0):
        p real = rate0 * unit
        if n0 > 0:
            rise0 = n0 * p / (1 - p)
            fall0 = p / (1 - p)
            first0 = exp(n0 * ln(1 - p))
        else:
            rise0 = p * own0
            fall0 = 0.0
            first0 = exp(-p * own0)
    onCondition(lag >= 0):
        if lag > 0:
            lag -= 1
        else:
            hits integer = 0
            if first0 < 1.0:
                hits = draws(random_uniform(0, 1), first0, rise0, fall0, tiny)
            while hits > 0:
                hits -= 1
                emit_spike()
"""
