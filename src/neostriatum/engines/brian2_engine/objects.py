"""Build the Brian2 objects of a circuit: groups, synapses, gap junctions, drives.

Brian2 updates the cells first and delivers spikes afterwards, we the other way round; a synapse
with a delay of m steps therefore has m - 1 here, and conductances decay between the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.circuit.cell import unit_of
from neostriatum.engines.brian2_engine.drive import add_drives, course
from neostriatum.engines.brian2_engine.equations import UNITS, equations

if TYPE_CHECKING:
    from neostriatum.engines.program import Population, Program, Projection


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
    if program.gaps is not None:
        objects += _gaps(b2, program, groups[program.gaps.population])
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
    rule = "cubic" if population.cubic else "linear"
    for name, value in population.parameters.items():
        if np.ndim(value):
            modulated = any(effect.acts_on == name for effect in population.effects)
            unit = b2.Quantity(1) * _unit(b2, UNITS[unit_of(name, rule)])
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


def _gaps(b2: Any, program: Program, group: Any) -> list[Any]:
    gaps = program.gaps
    first, second = gaps.first, gaps.second
    if gaps.tau is None:
        model = f"I_gap_post = {gaps.g!r}*nS*(v_pre - v_post) : amp (summed)"
        made = b2.Synapses(group, group, model, name="gap_junctions")
        made.connect(i=np.concatenate([first, second]), j=np.concatenate([second, first]))
        return [made]
    v = np.broadcast_to(program.populations[gaps.population].start_v, (len(group),))
    nodes = b2.NeuronGroup(
        len(first), f"dVg/dt = (V_sum - 2*Vg)/({gaps.tau!r}*ms) : volt\nV_sum : volt",
        method="euler", name="gap_nodes",
    )
    nodes.Vg = 0.5 * (v[first] + v[second]) * b2.mV
    sums = b2.Synapses(group, nodes, "V_sum_post = v_pre : volt (summed)", name="gap_sums")
    both = np.concatenate([first, second])
    number = np.concatenate([np.arange(len(first))] * 2)
    sums.connect(i=both, j=number)
    back = b2.Synapses(nodes, group, f"I_gap_post = {gaps.g!r}*nS*(Vg_pre - v_post) : amp (summed)",
                       name="gap_junctions")
    back.connect(i=number, j=both)
    return [nodes, sums, back]
