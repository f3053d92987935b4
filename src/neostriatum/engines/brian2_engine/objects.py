"""Build the Brian2 objects of a circuit: groups, synapses, gap junctions, drives.

Brian2 updates the cells first and delivers spikes afterwards, we the other way round; a synapse
with a delay of m steps therefore has m - 1 here, and conductances decay between the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.engines.brian2_engine.drive import add_drives, course
from neostriatum.engines.brian2_engine.equations import UNITS, equations, units

if TYPE_CHECKING:
    from neostriatum.engines.program import Gaps, Population, Program, Projection


@dataclass
class Brian2Objects:
    """The circuit as Brian2 objects, to run as they are or to add to.

    ``groups`` maps a cell type to its NeuronGroup, ``synapses`` a pathway to its Synapses,
    ``network`` is the Network that holds them all.
    """

    network: Any
    groups: dict[str, Any]
    synapses: dict[str, Any]


def build_objects(b2: Any, program: Program) -> Brian2Objects:
    """Return the objects of a program; ``b2`` is the imported Brian2 module."""
    b2.defaultclock.dt = program.dt * b2.ms
    namespace: dict[str, Any] = {}
    for number, level in enumerate(program.courses, start=1):
        if not level.is_constant:
            name = f"phi{number}_course"
            namespace[name] = course(b2, program, level, name)
    for n, current in enumerate(program.currents):
        if not current.course.is_constant:
            namespace[f"injected_{n}"] = course(b2, program, current.course, f"injected_{n}")
    present = [population for population in program.populations if population.n]
    made = {population.name: _group(b2, program, population, namespace) for population in present}
    groups = [made.get(population.name) for population in program.populations]
    objects: list[Any] = []
    for n, current in enumerate(program.currents):
        _reach(groups[current.population], f"reach_{n}", current.members,
               program.populations[current.population].n)
    for population in present:
        decays = "\n".join(f"g_{synapse.name} *= {synapse.decay!r}"
                           for synapse in population.synapses)
        if decays:
            objects.append(made[population.name].run_regularly(
                decays, when="after_groups", name=f"decay_{population.name}"))
    synapses = {}
    for projection in program.projections:
        if len(projection.targets):
            synapses[projection.name] = _synapses(b2, program, projection, groups)
    for n, kind in enumerate(program.gaps):
        objects += (_ohmic(b2, kind, n, groups) if kind.tau is None
                    else _through_nodes(b2, program, kind, n, groups))
    add_drives(b2, program, groups, objects, namespace)
    network = b2.Network(*made.values(), *synapses.values(), *objects)
    return Brian2Objects(network, made, synapses)


def _group(b2: Any, program: Program, population: Population, namespace: dict[str, Any]) -> Any:
    group = b2.NeuronGroup(
        population.n, equations(program, population), method="euler", threshold="v >= v_peak",
        # No other object of Brian2 has a name that begins so, whatever a type is called.
        reset="v = c\nu += d", name=f"cells_{population.name}", namespace=namespace,
    )
    group.v = np.broadcast_to(population.start_v, (population.n,)) * b2.mV
    group.u = np.broadcast_to(population.start_u, (population.n,)) * b2.pA
    for number, level in enumerate(program.courses, start=1):
        if level.is_constant:
            setattr(group, f"phi{number}", level.constant.value)
    ours = units(population)
    for name, value in population.parameters.items():
        if np.ndim(value):
            modulated = any(effect.acts_on == name for effect in population.effects)
            unit = b2.Quantity(1) * _unit(b2, UNITS[ours[name]])
            setattr(group, f"{name}_own" if modulated else name, value * unit)
    return group


def _unit(b2: Any, name: str) -> Any:
    units = {"pF": b2.pF, "nS/mV": b2.nS / b2.mV, "mV": b2.mV, "1/ms": 1 / b2.ms, "pA": b2.pA,
             "nS": b2.nS, "nS/mV**2": b2.nS / b2.mV**2}
    return units[name]


def _reach(group: Any, name: str, members: np.ndarray, size: int) -> None:
    if group is not None and len(members) < size:
        mask = np.zeros(size)
        mask[members] = 1.0
        setattr(group, name, mask)


def _synapses(b2: Any, program: Program, projection: Projection, groups: list[Any]) -> Any:
    receptors = program.populations[projection.target].synapses
    stp = projection.stp
    scale, model, before, after = "", "", "", ""
    if stp is not None:
        # The state is kept per synapse here: intervals at arrival equal those at emission.
        fac, rec = stp.fac_steps * program.dt, stp.rec_steps * program.dt
        if fac > 0:
            model += f"du_s/dt = -u_s/({fac!r}*ms) : 1 (event-driven)\n"
            before += f"u_s += {stp.U!r}*(1 - u_s)\n"
        else:
            model += f"u_s = {stp.U!r} : 1\n"
        if rec > 0:
            model += f"dx_s/dt = (1 - x_s)/({rec!r}*ms) : 1 (event-driven)\n"
            after = "\nx_s -= u_s*x_s"
        else:
            model += "x_s = 1.0 : 1\n"
        scale = f"*u_s*x_s/{stp.U!r}"
    if projection.factors is not None:
        model, scale = model + "factor : 1 (constant)\n", scale + "*factor"
    if projection.failure:
        model, scale = model + "released : 1\n", scale + "*released"
        before += f"released = int(rand() >= {projection.failure!r})\n"
    on_pre = before + "\n".join(f"g_{receptors[receptor].name}_post += {weight!r}*nS{scale}"
                                for receptor, weight in projection.weights) + after
    name = projection.name.replace("->", "_to_")
    made = b2.Synapses(groups[projection.source], groups[projection.target], model=model,
                       on_pre=on_pre, name=name, method="exact")
    i = np.repeat(np.arange(len(projection.offsets) - 1), np.diff(projection.offsets))
    made.connect(i=i, j=projection.targets)
    made.delay = (projection.delays.astype(float) - 1.0) * program.dt * b2.ms
    if stp is not None and stp.rec_steps > 0:
        made.x_s = 1.0
    if projection.factors is not None:
        made.factor = projection.factors.astype(float)
    return made


def _ohmic(b2: Any, kind: Gaps, n: int, groups: list[Any]) -> list[Any]:
    """Return the synapses of the kind of gap junction number ``n``, from each cell to the other."""
    model = f"I_gap_{n}_post = {kind.g!r}*nS*(v_pre - v_post) : amp (summed)"
    ways = [(kind.a, kind.b, kind.first, kind.second), (kind.b, kind.a, kind.second, kind.first)]
    if kind.a == kind.b:
        both = (np.concatenate(ids) for ids in ((kind.first, kind.second),
                                                (kind.second, kind.first)))
        ways = [(kind.a, kind.a, *both)]
    junctions = []
    for way, (source, target, i, j) in enumerate(ways):
        synapses = b2.Synapses(groups[source], groups[target], model, name=f"gap_{n}_{way}")
        synapses.connect(i=i, j=j)
        junctions.append(synapses)
    return junctions


def _through_nodes(b2: Any, program: Program, kind: Gaps, n: int, groups: list[Any]) -> list[Any]:
    """Return the nodes of the kind of gap junction number ``n``, and what joins them to cells."""
    nodes = b2.NeuronGroup(
        len(kind.first), f"dVg/dt = (V_0 + V_1 - 2*Vg)/({kind.tau!r}*ms) : volt\n"
        "V_0 : volt\nV_1 : volt", method="euler", name=f"gap_{n}_nodes",
    )
    nodes.Vg = program.start_of_nodes(kind) * b2.mV
    number, objects = np.arange(len(kind.first)), [nodes]
    ends = [(kind.a, kind.first), (kind.b, kind.second)]
    for end, (population, ids) in enumerate(ends):
        follow = b2.Synapses(groups[population], nodes, f"V_{end}_post = v_pre : volt (summed)",
                             name=f"gap_{n}_from_{end}")
        follow.connect(i=ids, j=number)
        objects.append(follow)
    if kind.a == kind.b:
        ends, number = [(kind.a, np.concatenate([kind.first, kind.second]))], np.tile(number, 2)
    for end, (population, ids) in enumerate(ends):
        back = b2.Synapses(nodes, groups[population], name=f"gap_{n}_to_{end}", model=
                           f"I_gap_{n}_post = {kind.g!r}*nS*(Vg_pre - v_post) : amp (summed)")
        back.connect(i=number, j=ids)
        objects.append(back)
    return objects
