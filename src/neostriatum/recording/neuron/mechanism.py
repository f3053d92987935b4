"""The NMODL text of a cell type: its states, receptors and releases in one artificial cell.

Within a step of NEURON arrivals come at its half, the currents of gap junctions at five eighths,
the cell is advanced at three quarters, and its spike has the time of the end of the step. The
order of docs/design.md, section 4, then never hangs on how NEURON sorts events of one time.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.engines.lowered import V_LIMIT
from neostriatum.engines.quantum import QUANTUM
from neostriatum.models.symbol import Computed, Parameter, symbols
from neostriatum.recording.neuron.statements import FUNCTIONS, Statements

if TYPE_CHECKING:
    from neostriatum.engines.plasticity import Plasticity
    from neostriatum.engines.population import Population, Synapse
    from neostriatum.models.expression import Expression


@dataclass
class Mechanism:
    """One cell type in NEURON.

    Parameters
    ----------
    population : Population
        The cell type.
    dt : float
        Step [ms].
    values : dict
        Its parameters and starts: what modulators leave of them where levels are constant.
    currents : list of (float, Any)
        Electrodes: what each gives at the start [pA], and 1 or which cells (n,) receive it.
    varying : tuple of str
        Parameters that a level changes during the run.
    opened : list of (float, float)
        Currents that modulators open: conductance at the start [nS] and reversal [mV].
    releases : list of Plasticity
        Those of the pathways onto it; a connection names its own by its number, from 1.
    coupled : bool
        Whether its cells have gap junctions.
    """

    population: Population
    dt: float
    values: dict[str, Any]
    currents: list[tuple[float, Any]]
    varying: tuple[str, ...]
    opened: list[tuple[float, float]]
    releases: list[Plasticity]
    coupled: bool

    @property
    def name(self) -> str:
        """Name of the mechanism, and of its file."""
        return f"nscell_{self.population.name}"

    @property
    def weights(self) -> list[str]:
        """Names of the weights of a connection: one per receptor, then what releases need."""
        receptors = [f"g_{place}" for place in range(len(self.population.synapses))] or ["g_0"]
        slots = max([0, *(len(release.model.names) for release in self.releases)])
        return [*receptors, "release", *(f"z_{place}" for place in range(slots)), "last"]

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """Values that differ from cell to cell (n,) by the name of their variable."""
        return {name: value for name, value in self._given.items() if np.ndim(value)}

    @property
    def numbers(self) -> dict[str, float]:
        """Values that all cells have by the name of their variable in NEURON.

        NMODL keeps six digits of what stands behind PARAMETER, so the script sets them again.
        """
        return {f"{name}_{self.name}": float(value) for name, value in self._given.items()
                if not np.ndim(value)}

    @property
    def text(self) -> str:
        """The NMODL file."""
        # A variable that is not in a RANGE is one number for all cells.
        ranges = [*self.arrays, *self._states(), "c_broken"]
        parameters = [f"    {name} = {0.0 if np.ndim(value) else float(value)!r}"
                      for name, value in self._given.items()]
        assigned = [*self._states(), "c_count", "c_fired", "c_held", "c_broken"]
        return "\n".join([
            *self._about(), "",
            "NEURON {", f"    ARTIFICIAL_CELL {self.name}",
            *(f"    RANGE {name}" for name in ranges), "}", "",
            "PARAMETER {", *parameters, "}", "",
            "ASSIGNED {", *(f"    {name}" for name in assigned), "}", "",
            FUNCTIONS, _MORE, self._initial(), self._advance(), self._received()])

    def _about(self) -> list[str]:
        """Return what it computes, as comments."""
        pop = self.population
        lines = [f"Cell type {pop.name}, model {pop.model.name}", *pop.model.equations]
        for place, synapse in enumerate(pop.synapses):
            lines += [f"Receptor {synapse.name}, place {place}, model {synapse.model.name}",
                      *synapse.model.equations]
        lines += ["Times in ms, potentials in mV, currents in pA, conductances in nS"]
        return [f": {part}" for line in lines for part in textwrap.wrap(line, 96)]

    def _states(self) -> list[str]:
        receptors = [f"r{place}_{state}" for place, synapse in enumerate(self.population.synapses)
                     for state in synapse.model.names]
        return [*(f"s_{name}" for name in self.population.model.names), *receptors,
                *["i_gap"] * self.coupled]

    @cached_property
    def _given(self) -> dict[str, Any]:
        """Return every number of the mechanism by the name of its variable."""
        pop = self.population
        given: dict[str, Any] = {"c_dt": self.dt, "c_quanta": 1.0 / QUANTUM, "c_hold": pop.hold}
        given |= {f"p_{part.name}": self.values[part.name] for part in pop.model.parameters}
        for name in self.varying:
            given |= {f"f_{name}": 1.0, f"a_{name}": 0.0}
        given |= {f"start_{state}": value for state, value in pop.starts.items()}
        for place, synapse in enumerate(pop.synapses):
            given[f"gain_{place}"] = self.values["gain"][place]
            given |= {f"q{place}_{name}": synapse.values[name] for name in _numbers(synapse)}
            given |= {f"d{place}_{name}": decay for name, decay in synapse.decays.items()}
        for place, (level, receive) in enumerate(self.currents):
            given |= {f"i_{place}": level, f"m_{place}": receive}
        for place, (conductance, reversal) in enumerate(self.opened):
            given |= {f"o_{place}": conductance, f"e_{place}": reversal}
        for number, release in enumerate(self.releases, 1):
            given |= {f"u{number}_{name}": value for name, value in release.values.items()}
            given |= {f"t{number}_{name}": value for name, value in release.steps.items()}
        return given

    def _initial(self) -> str:
        block = Statements("w_")
        block.add(*(f"s_{name} = start_{name}" for name in self.population.model.names))
        block.add(*(f"{name} = 0" for name in self._states() if not name.startswith("s_")))
        block.add("c_count = 0", "c_fired = 0", "c_held = 0", "c_broken = 0",
                  "net_send(0.75*c_dt, 1)")
        return block.block("INITIAL")

    def _advance(self) -> str:
        """Return one step: currents, new states, what decays, the spike and what it resets."""
        pop, model, block = self.population, self.population.model, Statements("w_")
        names = {part.name: f"p_{part.name}" for part in model.parameters}
        for name in self.varying:
            names[name] = block.local(f"n_{name}")
            block.add(f"n_{name} = p_{name}*f_{name} + a_{name}")
        states = {name: f"s_{name}" for name in model.names}
        constant = model.constant_current
        block.local("c_I")
        block.add(f"c_I = {'0.0' if constant is None else names[constant.name]}")
        block.add(*(f"c_I = c_I + i_{place}*m_{place}" for place in range(len(self.currents))))
        for place, synapse in enumerate(pop.synapses):
            _receive(block, place, synapse)
        if self.coupled:
            block.add("c_I = c_I + i_gap", "i_gap = 0")
        block.add(*(f"c_I = c_I + o_{place}*(s_v - e_{place})"
                    for place in range(len(self.opened))))
        new = {name: block.local(f"x_{name}") for name in model.names}
        block.assign({new[name]: step for name, step in model.steps.items()},
                     names | states | {"I": "c_I", "dt": "c_dt"})
        if pop.hold:
            block.add("if (c_held > 0) {", "    x_v = s_v", "}")
        (fires,) = block.values([model.fires], names | new)
        block.add("c_fired = 0", f"if {fires} {{", "    c_fired = 1", "}")
        if pop.hold:
            block.add("if (c_held > 0) {", "    c_fired = 0", "    c_held = c_held - 1", "}")
        then = {block.local(f"y_{name}"): tree for name, tree in model.resets.items()}
        block.assign(then, names | new)
        block.add(*(f"s_{name} = x_{name}" for name in model.names), "if (c_fired == 1) {",
                  *(f"    s_{name[2:]} = {name}" for name in then), "    c_held = c_hold", "}",
                  f"if (fabs(s_v) <= {V_LIMIT!r}) {{", "} else {", "    c_broken = 1", "}")
        return block.block("PROCEDURE advance()")

    def _received(self) -> str:
        """Return what events do: the step of the cell itself, or an arrival."""
        block = Statements("w_")
        block.local("c_share")
        with block.inside("INITIAL"):
            block.add(*self._rests(), "last = 0")
        with block.inside("if (flag == 1)"):
            block.add("advance()", "c_count = c_count + 1", "if (c_fired == 1) {",
                      "    net_event(t + 0.25*c_dt)", "}",
                      "net_send((c_count + 0.75)*c_dt - t, 1)")
        with block.inside("if (flag == 0)"):
            block.add("c_share = 1.0")
            for number, release in enumerate(self.releases, 1):
                with block.inside(f"if (release == {number})"):
                    _release(block, number, release)
            for place, synapse in enumerate(self.population.synapses):
                arrived = f"fn_quantised(g_{place}*c_share)" if self.releases else f"g_{place}"
                block.add(*(f"r{place}_{state.name} = r{place}_{state.name} + {arrived}"
                            for state in synapse.model.adds or ()))
        return block.block(f"NET_RECEIVE ({', '.join(self.weights)})")

    def _rests(self) -> list[str]:
        """Return what the states of a release are before the first spike."""
        lines = []
        for number, release in enumerate(self.releases, 1):
            rests = [float(release.model.rests[state]) for state in release.model.states]
            lines += [f"if (release == {number}) {{",
                      *(f"    z_{place} = {rest!r}" for place, rest in enumerate(rests)), "}"]
        return lines


#: Of the steps between two spikes, what is left; and a conductance in whole quanta.
_MORE = """\
FUNCTION fn_left(steps, constant) {
    if (constant > 0.0) {
        fn_left = fn_exp(-steps/constant)
    } else {
        fn_left = 0.0
    }
}

FUNCTION fn_quantised(g) {
    fn_quantised = floor(g*c_quanta + 0.5)/c_quanta
}
"""


def _numbers(synapse: Synapse) -> list[str]:
    """Return the names of the numbers in the equations of a receptor."""
    trees = (synapse.model.effect, *(rate.step for rate in synapse.model.rates))
    return [leaf.name for leaf in symbols(*trees).values()
            if isinstance(leaf, (Parameter, Computed))]


def _receive(block: Statements, place: int, synapse: Synapse) -> None:
    """Add the current of a receptor, then let its states decay or go on by their rates."""
    names = {name: f"q{place}_{name}" for name in _numbers(synapse)}
    names |= {name: f"r{place}_{name}" for name in synapse.model.names}
    names |= {"gain": f"gain_{place}", "v": "s_v", "dt": "c_dt"}
    steps: dict[str, Expression] = {f"r{place}_{rate.state.name}": rate.step
                                    for rate in synapse.model.rates}
    (effect,) = block.values([synapse.model.effect], names)
    block.add(f"c_I = c_I + {effect}")
    block.assign(steps, names)
    block.add(*(f"r{place}_{name} = r{place}_{name}*d{place}_{name}" for name in synapse.decays))


def _release(block: Statements, number: int, release: Plasticity) -> None:
    """Compute what a spike releases, relative to a first one, and the states after it."""
    model = release.model
    names = {part.name: f"u{number}_{part.name}" for part in model.parameters}
    names |= {name: f"z_{place}" for place, name in enumerate(model.names)}
    steps = block.local(f"c_steps{number}")
    block.add(f"{steps} = floor(t/c_dt) - last", "last = floor(t/c_dt)")
    for state in model.states:
        left, name = f"fn_left({steps}, t{number}_{state.name})", names[state.name]
        block.add(f"{name} = {name}*{left}" if model.rests[state] == 0
                  else f"{name} = 1.0 - (1.0 - {name})*{left}")
    for state, tree in model.jumps.items():
        block.assign({names[state.name]: tree}, names)
    block.assign({"c_share": model.released}, names)
    for state, tree in model.after.items():
        block.assign({names[state.name]: tree}, names)
