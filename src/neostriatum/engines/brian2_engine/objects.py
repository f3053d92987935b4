"""Build the Brian2 objects of a circuit: groups, synapses, gap junctions, drives.

A step: drives at "start", cells at "groups", then thresholds, synapses and resets. What a spike
brings waits for the cells of the next step, so that a delay of m steps is m - 1 here. Brian2
forgets at the end of a run which cells just fired: their synapses must ask in the same step.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.engines.brian2_engine.drive import add_drives, course
from neostriatum.engines.brian2_engine.equations import equations, free_levels, prefixed
from neostriatum.engines.brian2_engine.functions import functions
from neostriatum.engines.brian2_engine.learning import at_events, flushes, learn, sums
from neostriatum.engines.brian2_engine.levels import add_levels
from neostriatum.engines.brian2_engine.statements import (
    arrival,
    reset,
    step,
    synapse_model,
    threshold,
)

if TYPE_CHECKING:
    from neostriatum.engines.lowered import Gaps, LoweredCircuit
    from neostriatum.engines.population import Population


@dataclass
class Brian2Objects:
    """The circuit as Brian2 objects, to run as they are or to add to.

    ``groups`` maps a cell type to its NeuronGroup, ``synapses`` a pathway to its Synapses,
    ``axons`` a population of axons to the SpikeGeneratorGroup that plays its trains, ``network``
    is the Network that holds them all. ``levels`` is the neuron that holds the computed levels,
    ``level3`` the third of the circuit. ``tables`` maps a pathway that learns to the neuron that
    holds what dopamine makes of its eligibilities.
    """

    network: Any
    groups: dict[str, Any]
    synapses: dict[str, Any]
    axons: dict[str, Any]
    levels: Any = None
    tables: dict[str, Any] = field(default_factory=dict)


def build_objects(b2: Any, lowered: LoweredCircuit) -> Brian2Objects:
    """Return the objects of a lowered circuit; ``b2`` is the imported Brian2 module."""
    b2.defaultclock.dt = lowered.dt * b2.ms
    namespace = functions(b2) | _courses(b2, lowered)
    present = [population for population in lowered.populations if population.n]
    made = {population.name: _group(b2, lowered, population, namespace) for population in present}
    groups = [made.get(population.name) for population in lowered.populations]
    axons = {each.name: b2.SpikeGeneratorGroup(each.n, [], [] * b2.ms, name=f"axons_{each.name}",
                                               when="start") for each in lowered.axons}
    objects: list[Any] = []
    for n, current in enumerate(lowered.currents):
        _reach(groups[current.population], f"reach_{n}", current.members,
               lowered.populations[current.population].n)
    for population in present:
        objects.append(made[population.name].run_regularly(
            step(lowered, population), when="groups", name=f"step_{population.name}"))
    synapses = {}
    for number, projection in enumerate(lowered.projections):
        if len(projection.targets):
            synapses[projection.name] = _synapses(b2, lowered, number,
                                                  [*groups, *axons.values()], namespace)
    for n, kind in enumerate(lowered.gaps):
        objects += (_ohmic(b2, kind, n, groups) if kind.tau is None
                    else _through_nodes(b2, lowered, kind, n, groups))
    add_drives(b2, lowered, groups, objects, namespace)
    levels = add_levels(b2, lowered, groups, objects, namespace)
    tables = {}
    for number, one in enumerate(lowered.projections):
        if one.learning and one.name in synapses:
            tables[one.name], *clocked = learn(b2, lowered, number, synapses[one.name], levels)
            objects += [tables[one.name], *clocked]
    network = b2.Network(*made.values(), *axons.values(), *synapses.values(), *objects)
    return Brian2Objects(network, made, synapses, axons, levels, tables)


def _courses(b2: Any, lowered: LoweredCircuit) -> dict[str, Any]:
    """Return the time courses of levels and currents by the names that equations give them."""
    courses = {f"phi{number}_course": level for number, level
               in enumerate(lowered.courses, start=1)}
    courses |= {f"injected_{n}": current.course for n, current in enumerate(lowered.currents)}
    return {name: course(b2, lowered, one, name) for name, one in courses.items()
            if not one.is_constant}


def _group(b2: Any, lowered: LoweredCircuit, population: Population,
           namespace: dict[str, Any]) -> Any:
    events = flushes(lowered, population)
    group = b2.NeuronGroup(
        population.n, "\n".join([equations(lowered, population), *sums(lowered, population)]),
        events=dict(events), threshold=threshold(lowered, population),
        # No other object of Brian2 has a name that begins so, whatever a type is called.
        reset=reset(lowered, population), name=f"cells_{population.name}", namespace=namespace,
    )
    for event in events:
        group.set_event_schedule(event, when="before_start")
    for name, value in population.starts.items():
        setattr(group, prefixed("c", name), np.broadcast_to(value, (population.n,)))
    for number, level in enumerate(lowered.courses, start=1):
        if level.is_constant and number - 1 not in free_levels(lowered):
            setattr(group, f"phi{number}", level.constant.value)
    for name, value in population.parameters.items():
        if np.ndim(value):
            own = prefixed("own", name)
            setattr(group, own if own in group.variables else prefixed("c", name), value)
    return group


def _reach(group: Any, name: str, members: np.ndarray, size: int) -> None:
    if group is not None and len(members) < size:
        mask = np.zeros(size)
        mask[members] = 1.0
        setattr(group, name, mask)


def _synapses(b2: Any, lowered: LoweredCircuit, number: int, groups: list[Any],
              namespace: dict[str, Any]) -> Any:
    projection = lowered.projections[number]
    learning = projection.learning
    events = at_events(learning, number) if learning else {}
    made = b2.Synapses(groups[projection.source], groups[projection.target],
                       model=synapse_model(projection), on_pre=arrival(lowered, projection),
                       name=projection.name.replace("->", "_to_"), namespace=namespace,
                       on_post=events or None,
                       on_event={"pre": "spike", **{name: "spike" if name == "post" else
                                                    f"flush_{number}" for name in events}})
    i = np.repeat(np.arange(len(projection.offsets) - 1), np.diff(projection.offsets))
    made.connect(i=i, j=projection.targets)
    # Learning hears an arrival when its step begins, not when the step before it ends.
    delays = projection.delays.astype(float) - (0.0 if learning else 1.0)
    made.delay = delays * lowered.dt * b2.ms
    if projection.stp is not None:
        # Step 0 of the source is heard a delay later.
        made.last = delays
        for state, rest in projection.stp.model.rests.items():
            start = projection.stp.starts.get(state.name)
            setattr(made, prefixed("s", state.name), float(rest) if start is None else start[i])
    if projection.factors is not None:
        made.factor = projection.factors.astype(float)
    return made


def _ohmic(b2: Any, kind: Gaps, n: int, groups: list[Any]) -> list[Any]:
    """Return the synapses of the kind of gap junction number ``n``, from each cell to the other."""
    model = f"I_gap_{n}_post = {kind.g!r}*(c_v_pre - c_v_post) : 1 (summed)"
    ways = [(kind.b, kind.a, kind.second, kind.first), (kind.a, kind.b, kind.first, kind.second)]
    if kind.a == kind.b:
        both = (np.concatenate(ids) for ids in ((kind.second, kind.first),
                                                (kind.first, kind.second)))
        ways = [(kind.a, kind.a, *both)]
    junctions = []
    for way, (source, target, i, j) in enumerate(ways):
        synapses = b2.Synapses(groups[source], groups[target], model, name=f"gap_{n}_{way}",
                               namespace={})
        synapses.connect(i=i, j=j)
        junctions.append(synapses)
    return junctions


def _through_nodes(b2: Any, lowered: LoweredCircuit, kind: Gaps, n: int,
                   groups: list[Any]) -> list[Any]:
    """Return the nodes of the kind of gap junction number ``n``, and what joins them to cells."""
    nodes = b2.NeuronGroup(len(kind.first), "V_node : 1\nV_0 : 1\nV_1 : 1",
                           name=f"gap_{n}_nodes", namespace={})
    nodes.V_node = lowered.start_of_nodes(kind)
    tau: Any = kind.tau  # a kind with nodes has one
    pull = f"{lowered.dt / tau!r}*((V_0 - V_node) + (V_1 - V_node))"
    number = np.arange(len(kind.first))
    objects = [nodes, nodes.run_regularly(f"V_node += {pull}", when="groups",
                                          name=f"gap_{n}_step")]
    ends = [(kind.a, kind.first), (kind.b, kind.second)]
    for end, (population, ids) in enumerate(ends):
        follow = b2.Synapses(groups[population], nodes, f"V_{end}_post = c_v_pre : 1 (summed)",
                             name=f"gap_{n}_from_{end}", namespace={})
        follow.connect(i=ids, j=number)
        objects.append(follow)
    if kind.a == kind.b:
        ends, number = [(kind.a, np.concatenate([kind.first, kind.second]))], np.tile(number, 2)
    for end, (population, ids) in enumerate(ends):
        back = b2.Synapses(nodes, groups[population], name=f"gap_{n}_to_{end}", namespace={},
                           model=f"I_gap_{n}_post = {kind.g!r}*(V_node_pre - c_v_post) : 1 "
                                 "(summed)")
        back.connect(i=number, j=ids)
        objects.append(back)
    return objects
