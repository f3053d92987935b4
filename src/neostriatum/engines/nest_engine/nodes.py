"""The nodes of a circuit in NEST: cells with their numbers, sources of shared trains, inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.engines.drive import binomial_table
from neostriatum.engines.lowered import V_LIMIT
from neostriatum.engines.nest_engine.cell import port
from neostriatum.engines.nest_engine.module import model_of
from neostriatum.engines.nest_engine.shape import known_effects, own_drives
from neostriatum.engines.nest_engine.text import coefficients
from neostriatum.engines.quantum import QUANTUM
from neostriatum.ranks import launched, rank

if TYPE_CHECKING:
    from pathlib import Path

    from neostriatum.engines.drive import Drive
    from neostriatum.engines.lowered import LoweredCircuit
    from neostriatum.engines.nest_engine.shape import Form
    from neostriatum.engines.population import Population

#: A term of a distribution below this counts as nothing.
TINY = 1e-300


def numbers(lowered: LoweredCircuit, number: int, form: Form,
            phi: tuple[float, ...]) -> dict[str, Any]:
    """Return every parameter of a population, and the state that the levels ``phi`` decide."""
    pop: Population = lowered.populations[number]
    now = pop.modulated(phi)
    said: dict[str, Any] = {"dt": lowered.dt, "tiny": TINY, "limit": V_LIMIT,
                            "grain": 1.0 / QUANTUM}
    said |= {name: value for value, name in form.constants.items()}
    said |= coefficients(form.functions)
    for name in form.parameters:
        said[f"p_{name}"] = now[name]
        if f"p_{name}" in form.modulated:
            said[f"base_p_{name}"] = pop.parameters[name]
    if pop.model.hold is not None:
        said["hold_steps"] = pop.hold
    for place, synapse in enumerate(pop.synapses):
        said |= {f"r{place}_{name}": synapse.values[name] for name in form.numbers_of(place)}
        said |= {f"decay{place}_{state}": decay for state, decay in synapse.decays.items()}
        if f"gain{place}" in form.modulated:
            said[f"gain{place}"] = now["gain"][place]
    said |= {f"scale{place}": factor for place, factor in enumerate(now["scales"])}
    opened = iter(now["currents"])
    for place, effect in enumerate(known_effects(pop)):
        if effect.kind == "current":
            said[f"open{place}"], said[f"E_open{place}"] = next(opened)
        said[f"effect{place}"] = effect.amount
        said[f"level{form.effects[place][0]}"] = float(effect.heard(phi))
    for place, drive in enumerate(own_drives(lowered, number)):
        said |= _drive(place, drive)
    if form.noisy:
        said["sigma"] = pop.sigma * np.sqrt(lowered.dt)
    return said


def _drive(place: int, drive: Drive) -> dict[str, float]:
    """Return the numbers of a drive: its rate comes as the probability per afferent and step."""
    binomial = drive.process == "binomial"
    apart = 1.0 - drive.between
    said = {f"n{place}": drive.afferents if binomial else 0,
            f"own{place}": drive.afferents * apart * (1.0 - drive.within),
            f"outside{place}": apart}
    for receptor, weight in drive.weights:
        said[f"w{place}_{receptor}"] = weight
    if drive.within > 0 and not binomial:
        odds = drive.within / (1.0 - drive.within) if drive.within < 1 else 0.0
        first = binomial_table(drive.afferents, drive.within)[0]
        said |= {f"copied_first{place}": float(first),
                 f"copied_rise{place}": drive.afferents * odds, f"copied_fall{place}": odds}
    return said


def rated(place: int, drive: Drive, p: float) -> dict[str, float]:
    """Return the state of a drive at a probability per afferent and step."""
    if drive.process == "binomial":
        p = min(p, 1.0 - 1e-12)
        odds = p / (1.0 - p)
        return {f"rise{place}": drive.afferents * odds, f"fall{place}": odds,
                f"first{place}": float(np.exp(drive.afferents * np.log1p(-p))),
                f"shared{place}": 0.0}
    mean = p * drive.afferents * (1.0 - drive.between) * (1.0 - drive.within)
    return {f"rise{place}": mean, f"fall{place}": 0.0,
            f"first{place}": float(np.exp(-mean)),
            f"shared{place}": p * (1.0 - drive.between) if drive.within > 0 else 0.0}


def play_recorded(nest: Any, lowered: LoweredCircuit, forms: list[Form], first: list[int],
                  lag: int) -> None:
    """Let recorded spikes reach their cells at the steps of the file."""
    for one in lowered.recorded:
        cells, inverse = np.unique(one.ids, return_inverse=True)
        if not len(cells):
            continue
        steps = one.steps + lowered.warmup
        kept = steps >= 0
        order = np.lexsort((steps[kept], inverse[kept]))
        times = (steps[kept][order] + lag) * lowered.dt
        bounds = np.searchsorted(inverse[kept][order], np.arange(len(cells) + 1))
        generators = nest.Create("spike_generator", len(cells))
        for place, generator in enumerate(generators):
            mine = times[bounds[place] : bounds[place + 1]]
            generator.set(spike_times=np.round(mine, 6))
        sources = np.array(generators.tolist())
        targets = cells + first[one.population]
        for receptor, weight in one.weights:
            receiver = port(forms[one.population], f"in{receptor}")
            nest.Connect(sources, targets, "one_to_one", {
                "synapse_model": "static_synapse", "weight": np.full(len(cells), weight),
                "delay": np.full(len(cells), lowered.dt),
                "receptor_type": np.full(len(cells), receiver)})


def put(nodes: Any, said: dict[str, Any]) -> None:
    """Set numbers on consecutive nodes, or arrays with one number per node."""
    arrays = {key: np.asarray(value, np.float64) for key, value in said.items()}
    same = {key: float(array.flat[0]) for key, array in arrays.items()
            if array.ndim == 0 or (array == array[0]).all()}
    if same:
        nodes.set(same)
    single = {key: array for key, array in arrays.items() if key not in same}
    if single:
        # Node i lives on rank i modulo ranks; NEST takes lists where the first node is local alone.
        begin = (rank() - nodes[0].global_id) % launched()
        mine = slice(begin, None, launched())
        columns = zip(*(array[mine].tolist() for array in single.values()), strict=True)
        if begin < len(nodes):
            nodes[mine].set([dict(zip(single, row, strict=True)) for row in columns])


def gap_nodes(nest: Any, lowered: LoweredCircuit, files: dict[Any, Path]) -> list[int | None]:
    """Create the node of every pair, at the mean of its two cells; return the first of each kind.

    It is None of a kind whose junctions have no node.
    """
    first: list[int | None] = []
    for kind in lowered.gaps:
        if kind.tau is None:
            first.append(None)
            continue
        nodes = nest.Create(model_of(files["node"]), len(kind.first))
        put(nodes, {"s_v": lowered.start_of_nodes(kind), "pull": 1.0 / (kind.g * kind.tau)})
        first.append(nodes.tolist()[0])
    return first


def gap_node() -> str:
    """Return the NESTML text of the node between two cells (Humphries et al. 2009)."""
    return """\
model MODEL:
    state:
        s_v real = 0.0
        lag integer = 2
    equations:
        s_v' = I_gap * pull / unit_ms
    parameters:
        pull real = 0.0
    internals:
        unit_ms ms = 1 ms
    input:
        I_gap real <- continuous
    onCondition(lag >= 0):
        if lag > 0:
            lag -= 1
        else:
            integrate_odes(s_v)
"""
