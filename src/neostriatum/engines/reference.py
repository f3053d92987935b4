"""The reference engine: plain NumPy, one step at a time; read it beside docs/design.md section 4.

It evaluates the trees of the models, operation by operation, and is the oracle of the other
engines, not the fast one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum import rng
from neostriatum.engines.axons import Players
from neostriatum.engines.base import Capabilities, Samples, Trace, changed, weights_of
from neostriatum.engines.gaps import gap_currents
from neostriatum.engines.inputs import add_drive, injected_currents
from neostriatum.engines.levels import Signals, ahead
from neostriatum.engines.lowered import V_LIMIT, Projection, lower
from neostriatum.engines.pooled import Pools
from neostriatum.engines.probes import Probe, Probes
from neostriatum.engines.quantum import quantised
from neostriatum.engines.synapses import Learners
from neostriatum.errors import NumericsError
from neostriatum.models.evaluate import evaluate

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit
    from neostriatum.engines.population import Population
    from neostriatum.network.network import Network


class Reference:
    """The plain NumPy engine."""

    name = "reference"
    capabilities = Capabilities(threads_exact=True, exact_resume=True, chunks=True,
                                live_changes=True, same_draws_as_reference=True,
                                records_levels=True, records_releases=True)
    excuses: dict[str, str] = {}

    def __init__(self, threads: int | None = None, precision: str = "double") -> None:
        del threads
        if precision != "double":
            from neostriatum.errors import EngineUnsupported

            msg = f"engine reference: precision must be double (got {precision})"
            raise EngineUnsupported(msg)

    def prepare(self, circuit: Circuit, network: Network, seed: int) -> None:
        """Get ready for step 0, the start of the warm-up."""
        self.lowered = lowered = lower(circuit, network, seed)
        self._drawn = network, seed
        self.step = 0
        self.cells = [{state: _filled(value, pop.n) for state, value in pop.starts.items()}
                      for pop in lowered.populations]
        self.held = [np.zeros(pop.n, np.int64) for pop in lowered.populations]
        # Conductances and other states of receptors, receptor by receptor.
        self.receptors = [[{state: np.zeros(pop.n) for state in synapse.model.names}
                           for synapse in pop.synapses] for pop in lowered.populations]
        # What arrives at step n waits in slot n modulo the number of slots.
        self.ring = [np.zeros((lowered.slots, pop.entries, pop.n))
                     for pop in lowered.populations]
        plastic = [(number, one.stp, lowered.sources(one.source))
                   for number, one in enumerate(lowered.projections) if one.stp]
        self.stp = {number: stp.begin(sources) for number, stp, sources in plastic}
        self.last = {number: np.zeros(sources, np.int64) for number, _, sources in plastic}
        self.learners = Learners(lowered)
        self.axons = Players(lowered.axons)
        self.axon_spikes, self.pools = self.axons.counts, Pools(lowered.pooled)
        # The nodes of all kinds that have some, kind after kind.
        self.node = np.concatenate([np.zeros(0), *(
            lowered.start_of_nodes(kind) for kind in lowered.gaps if kind.tau is not None)])
        self._noise = [rng.stream(seed, "noise", pop.name) for pop in lowered.populations]
        self._signals = Signals(lowered.signals)
        self._values = self._modulated()
        self._probes = Probes(lowered)

    def _phi(self) -> tuple[float, ...]:
        """Return the levels that the next step hears."""
        lowered = self.lowered
        return self._signals.begin(lowered.time_ms(self.step)) \
            if len(lowered.signals.computed) else lowered.phi(self.step)

    def _modulated(self) -> list[dict[str, Any]]:
        """Return what the levels of the next step make of every population."""
        levels = (phi := self._phi()), self.lowered.regional(self.step, phi)
        return [pop.modulated(*levels) for pop in self.lowered.populations]

    def probe(self, population: str, ids: np.ndarray, variable: str = "v",
              every: int = 1) -> None:
        """Record v, u or g_<receptor> of these local ids after every so many steps."""
        self._probes.add(population, ids, variable, every)

    def advance(self, n_steps: int) -> tuple[np.ndarray, np.ndarray]:
        """Simulate ``n_steps``; return (steps, global ids) of their spikes, sorted."""
        when, who = [], []
        for _ in range(n_steps):
            spikes = self._one_step()
            ids = np.concatenate([pop.offset + fired for pop, fired in
                                  zip(self.lowered.populations, spikes, strict=True)])
            when.append(np.full(len(ids), self.step, np.int64))
            who.append(ids)
            self.step += 1
        empty = np.zeros(0, np.int64)
        return np.concatenate([empty, *when]), np.concatenate([empty, *who])

    def _one_step(self) -> list[np.ndarray]:
        lowered, n = self.lowered, self.step
        # 1. levels of modulators at t = n dt, as is the injected current below
        if lowered.levels_vary:
            self._values = self._modulated()
        # 2. arrivals of this step, the drive's first
        arriving = [ring[n % lowered.slots] for ring in self.ring]
        add_drive(lowered, n, arriving)
        self.pools.add(n, arriving)
        self.learners.begin(n, self._levels(n), arriving)
        heard: list[dict[str, Any]] = []
        for pop, values, cells, receptors, arrived in zip(
                lowered.populations, self._values, self.cells, self.receptors, arriving,
                strict=True):
            own = len(pop.synapses)
            scaled = zip(pop.inlets, values["scales"], arrived[own:], strict=True)
            for inlet, factor, amount in scaled:
                arrived[inlet.receptor] += factor * amount
            for synapse, states, amount in zip(pop.synapses, receptors, arrived[:own],
                                               strict=True):
                for state in synapse.model.adds or ():
                    states[state.name] += amount
            arrived[:] = 0.0
            heard.append(pop.heard(values, cells, receptors, lowered.dt))
        injected = injected_currents(lowered, heard, n)
        # 3. to 6. currents, Euler, decay, threshold, reset: all from the values at the start
        coupling = gap_currents(lowered, self.cells, self.node)
        spikes = [self._update(number, heard[number], injected[number], coupling[number])
                  for number in range(len(lowered.populations))]
        self.learners.spike(n, spikes)
        # A spike with a delay of m steps arrives at step n + m.
        self._send(n, [*spikes, *(fired for _, fired in self.axons.spikes(n, 1))])
        self._signals.end(n, lowered.time_ms(n), lowered.dt, [len(fired) for fired in spikes])
        self._probes.see(n, self._probed, lambda: self._ahead(n + 1), self.stp, self.last)
        return spikes

    def _probed(self, probe: Probe) -> np.ndarray:
        number = self.lowered.index[probe.name]
        receptor, state = self.lowered.populations[number].variables[probe.variable]
        states = self.cells[number] if receptor < 0 else self.receptors[number][receptor]
        return states[state][probe.ids]

    def _levels(self, n: int) -> tuple[tuple[float, ...], ...]:
        """Return the levels that a step hears, and those of regions, where learning needs them."""
        if not self.learners.every:
            return ()
        computed = len(self.lowered.signals.computed)
        levels = tuple(self._signals.heard.tolist()) if computed else self.lowered.phi(n)
        return levels, *self.lowered.regional(n, levels)

    def _update(self, number: int, values: dict[str, Any], injected: Any,
                coupling: np.ndarray | None) -> np.ndarray:
        pop, dt = self.lowered.populations[number], self.lowered.dt
        states, current = self.cells[number], injected
        for synapse, gain, own in zip(pop.synapses, values["gain"], self.receptors[number],
                                      strict=True):
            known = synapse.values | own | {"gain": gain, "v": states["v"], "dt": dt}
            if synapse.model.current is not None:
                current = current + evaluate(synapse.model.current, known)
            synapse.pass_time(own, known)
        if coupling is not None:
            current = current + coupling
        for conductance, reversal in values["currents"]:
            current = current + conductance * (states["v"] - reversal)
        known = values | states | {"I": current, "dt": dt}
        shared: dict[int, Any] = {}
        new = {name: evaluate(step, known, shared) for name, step in pop.model.steps.items()}
        if pop.sigma:
            draw = rng.normals(self._noise[number], pop.n, self.step)
            new["v"] = new["v"] + pop.sigma * np.sqrt(dt) * draw
        return self._fire(number, values, new)

    def _fire(self, number: int, values: dict[str, Any], new: dict[str, Any]) -> np.ndarray:
        """Let cells spike and take over their new states; return the local ids that fired."""
        pop, states, held = self.lowered.populations[number], self.cells[number], self.held[number]
        # A hold of no steps frees a cell that was held before the circuit changed.
        free = (held <= 0) | (pop.hold == 0)
        if pop.hold:
            new["v"] = np.where(free, new["v"], states["v"])
            held[:] = np.where(free, 0, held - 1)
        known = values | new
        fired = evaluate(pop.model.fires, known) & free
        after = {name: evaluate(tree, known) for name, tree in pop.model.resets.items()}
        for name, value in (new | after).items():
            states[name] = np.where(fired, value, new[name])
        held[fired] = pop.hold
        self._check(pop, states["v"])
        return np.flatnonzero(fired)

    def _check(self, pop: Population, v: np.ndarray) -> None:
        bad = ~(np.abs(v) <= V_LIMIT)
        if bad.any():
            cell = int(np.flatnonzero(bad)[0])
            msg = (f"{pop.name} {cell}: membrane potential must stay within {V_LIMIT:g} mV at step "
                   f"{self.step} (got {v[cell]:g} mV). Lower dt or the conductances")
            raise NumericsError(msg)

    def _send(self, n: int, spikes: list[np.ndarray]) -> None:
        slots = self.lowered.slots
        for number, one in enumerate(self.lowered.projections):
            fired = spikes[one.source]
            if not len(fired):
                continue
            scale = (one.stp.fire(self.stp[number], self.last[number], fired, n) if one.stp
                     else np.ones(len(fired)))
            if one.learning:
                self.learners.every[number].send(n, fired, scale)
                continue
            lengths = one.offsets[fired + 1] - one.offsets[fired]
            rows = np.repeat(one.offsets[fired] - np.cumsum(lengths) + lengths, lengths)
            rows += np.arange(lengths.sum())
            scale = np.repeat(scale, lengths)
            held = self._released(one, fired, lengths, rows, n) if one.failure else 1.0
            slot = (n + one.delays[rows].astype(np.int64)) % slots
            for receptor, weight in one.weights:
                each = weight * scale if one.factors is None else (
                    weight * scale * one.factors[rows].astype(np.float64))
                amount = quantised(each) * held
                np.add.at(self.ring[one.target], (slot, receptor, one.targets[rows]), amount)

    def _released(self, one: Projection, fired: np.ndarray, lengths: np.ndarray,
                  rows: np.ndarray, n: int) -> np.ndarray:
        """Return whether each synapse of these spikes releases, drawn by its place in its row."""
        place = rows - np.repeat(one.offsets[fired], lengths)
        words = rng.philox(one.key, place // 4, np.repeat(fired, lengths), n)
        return rng.uniform32(words[place % 4, np.arange(len(place))]) >= one.failure

    def change(self, circuit: Circuit) -> None:
        """Go on with another level, drive, current or parameter of the same network."""
        self.lowered = lowered = changed(self.lowered, lower(circuit, *self._drawn))
        self._signals.about = lowered.signals
        self._probes.change(lowered)
        self.axons.change(lowered.axons)
        self.pools.change(lowered.pooled)
        self.learners.change(lowered)
        self._values = self._modulated()

    def traces(self) -> dict[str, Trace]:
        """Return the potentials recorded so far, times from the end of the warm-up."""
        return self._probes.traces()

    def take(self) -> list[Samples]:
        """Hand over everything recorded since the last time, and forget it."""
        return self._probes.take()

    def levels(self) -> dict[str, float]:
        """Return the level of every modulator that the next step hears."""
        return dict(zip(self.lowered.levels, self._ahead(self.step), strict=True))

    def _ahead(self, step: int) -> list[float]:
        return ahead(self.lowered.signals, self._signals.states, self.lowered.time_ms(step))

    def weights(self, pathway: str) -> np.ndarray:
        """Return the plastic factors of a pathway's synapses now, in the order of its edges."""
        return weights_of(self.lowered, pathway,
                          lambda one: self.learners.every[one].now(self.step))

    def _parts(self) -> dict[str, np.ndarray]:
        """Return the arrays that the future depends on, by name."""
        parts, lowered = {"node": self.node} | self._signals.parts(), self.lowered
        for number, pop in enumerate(lowered.populations):
            parts |= {f"{pop.name}.{state}": part for state, part in self.cells[number].items()}
            parts |= {f"{pop.name}.held": self.held[number], f"{pop.name}.ring": self.ring[number]}
            for synapse, states in zip(pop.synapses, self.receptors[number], strict=True):
                parts |= {f"{pop.name}.{synapse.variables[state]}": part
                          for state, part in states.items()}
        for number, states in self.stp.items():
            name = lowered.projections[number].name
            parts |= {f"{name}.{state}": part for state, part in states.items()}
            parts[f"{name}.last"] = self.last[number]
        return parts

    def state(self) -> dict[str, np.ndarray]:
        """Return everything that the future depends on, as arrays by name."""
        own = {name: part.copy() for name, part in self._parts().items()}
        return {"step": np.array(self.step), **own, **self.learners.state(),
                **self.axons.state(self.step), **self.pools.state(self.step)}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Continue from a `state`."""
        self.step = int(state["step"])
        for name, part in self._parts().items():
            part[:] = state[name]
        self.learners.restore(state)
        self.axons.restore(self.step, state)
        self.pools.restore(self.step, state)
        self._values = self._modulated()
        self._probes.forget()


def _filled(value: Any, n: int) -> np.ndarray:
    return np.array(np.broadcast_to(np.asarray(value, float), (n,)))
