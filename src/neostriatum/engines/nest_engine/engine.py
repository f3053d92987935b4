"""The NEST engine behind the engine protocol.

NEST's time runs two steps ahead of ours: step n of a run is its step n + `LAG`, so that the
first step can have arrivals. Its spikes carry the time of the end of their step, as ours do. It
communicates at every step, which gap junctions need to be exact.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.engines.base import Capabilities, Samples, Trace, keep_tonic, learner
from neostriatum.engines.lowered import V_LIMIT, lower
from neostriatum.engines.modulation import scale
from neostriatum.engines.nest_engine.cell import LAG, port
from neostriatum.engines.nest_engine.compiled import compiled
from neostriatum.engines.nest_engine.computed import (
    Ahead,
    Computed,
    Heard,
    Scaling,
    check_levels,
)
from neostriatum.engines.nest_engine.connections import check, couple, reweigh, wire
from neostriatum.engines.nest_engine.course_players import Player, overfull
from neostriatum.engines.nest_engine.injectors import Injectors
from neostriatum.engines.nest_engine.kernel import keep_threads, nest
from neostriatum.engines.nest_engine.learning import Learner
from neostriatum.engines.nest_engine.live import refusal
from neostriatum.engines.nest_engine.module import model_of
from neostriatum.engines.nest_engine.nodes import gap_nodes, numbers, play_recorded, put, rated
from neostriatum.engines.nest_engine.probes import Probes
from neostriatum.engines.nest_engine.ranks_follow import receive_network, send_network
from neostriatum.engines.nest_engine.shape import form_of, own_drives, signals
from neostriatum.engines.nest_engine.trains import listen, shared
from neostriatum.errors import CircuitError, EngineUnsupported, NumericsError, shown
from neostriatum.machine import machine
from neostriatum.ranks import beside, gathered, launched, rank, tell

if TYPE_CHECKING:
    from pathlib import Path

    from neostriatum.circuit.model import Circuit
    from neostriatum.engines.lowered import LoweredCircuit
    from neostriatum.network.network import Network


class Nest:
    """NEST with threads, and MPI ranks where it was started with them."""

    name = "nest"
    capabilities = Capabilities(chunks=True, live_changes=True)
    excuses = {
        "threads_exact": "NEST gives each virtual process, threads times ranks, its own numbers",
        "exact_resume": "NEST cannot save the state of its synapses and generators",
        "same_draws_as_reference": "NEST draws its own random numbers",
        **dict.fromkeys(("records_levels", "records_releases"), "NEST's multimeters watch cells"),
    }
    #: Why it cannot go on from one circuit to another, None where it can.
    refusal = staticmethod(refusal)
    #: Who has NEST's kernel, of which a process has one.
    _holder: Nest | None = None
    #: Threads that the kernel has now.
    _threads = 1

    def __init__(self, threads: int | None = None, precision: str = "double") -> None:
        if precision != "double":
            msg = f"engine nest: precision must be double (got {precision})"
            raise EngineUnsupported(msg)
        self.nest = nest()
        self.ranks = launched()
        self.threads = threads or max(1, machine()["cores"] // beside())
        self.lowered: LoweredCircuit
        self._lead("open", threads=self.threads)

    def _lead(self, what: str, **said: Any) -> None:
        """Tell the other ranks what comes, where there are any and this is the first."""
        if self.ranks > 1 and rank() == 0:
            tell({"do": what, **said})

    @property
    def placement(self) -> dict[str, Any]:
        """What a record says of how the work was spread: it decides the random numbers."""
        return {"threads": self.threads, "ranks": self.ranks,
                "virtual_processes": self.threads * self.ranks}

    def prepare(self, circuit: Circuit, network: Network, seed: int) -> None:
        """Get ready for step 0, the start of the warm-up."""
        lowered = lower(circuit, network, seed)
        check(lowered)
        check_levels(lowered)
        if problem := overfull(circuit):
            raise EngineUnsupported(problem)
        ticks = lowered.dt * 1000.0
        if abs(ticks - round(ticks)) > 1e-6:
            msg = f"engine nest: dt must be a multiple of 0.001 ms (got {lowered.dt:g} ms)"
            raise EngineUnsupported(msg)
        self._lead("prepare", seed=seed)
        if self.ranks > 1:
            send_network(circuit, network, lowered.slots)
        self._prepare(lowered, network, seed)

    def follow_prepare(self, said: dict[str, Any]) -> None:
        """Do as rank 0 in `prepare`, whose synapses come piece by piece."""
        circuit, network, slots = receive_network()
        self._folder = circuit._folder
        lowered = replace(lower(circuit, network, said["seed"]), slots=slots)
        self._prepare(lowered, network, said["seed"])

    def _prepare(self, lowered: LoweredCircuit, network: Network, seed: int) -> None:
        self.lowered, self._drawn, self.step = lowered, (network, seed), 0
        self._wired = lowered  # whose conductances the synapses have
        self._computed = Computed(lowered) if lowered.signals.free else None
        self.forms = [form_of(lowered, number) for number in range(len(lowered.populations))]
        files = compiled(self.nest, lowered, self.forms)
        self._reset(seed)
        for file in dict.fromkeys(files.values()):
            self.nest.Install(str(file.with_suffix("")))
        self._create(files)
        self._probes = Probes(self.nest, LAG)
        Nest._holder = self

    def _reset(self, seed: int) -> None:
        kernel, lowered = self.nest, self.lowered
        keep_threads(Nest._threads)
        kernel.ResetKernel()
        Nest._threads = 1
        kernel.verbosity = kernel.VerbosityLevel.ERROR
        # Order 0: higher ones multiply by a member that NESTML 9 leaves without a value.
        kernel.set(wfr_interpolation_order=0)
        kernel.set(resolution=lowered.dt, total_num_virtual_procs=self.threads * self.ranks,
                   rng_seed=1 + seed % (2**31 - 2), use_wfr=False, print_time=False)
        Nest._threads = self.threads
        kernel.set(min_delay=lowered.dt, max_delay=lowered.slots * lowered.dt)

    def _create(self, files: dict[Any, Path]) -> None:
        kernel, lowered = self.nest, self.lowered
        self.first, next_id = [], 1
        for number, (pop, form) in enumerate(zip(lowered.populations, self.forms, strict=True)):
            self.first.append(next_id)
            if pop.n:
                cells = kernel.Create(model_of(files[number]), pop.n)
                put(cells, numbers(lowered, number, form, self._phi()))
                put(cells, {f"s_{state}": value for state, value in pop.starts.items()})
                next_id += pop.n
        self._recorder = kernel.Create("spike_recorder")
        next_id += 1
        if next_id > 2:
            # NEST keeps a block of 1,024 synapses for every cell that a device listens to: one
            # without a weight of its own takes two thirds of the memory.
            kernel.Connect(kernel.NodeCollection(list(range(1, next_id - 1))), self._recorder,
                           "all_to_all", {"synapse_model": "static_synapse_hom_w",
                                          "delay": lowered.dt})
        couple(kernel, lowered, self.first, gap_nodes(kernel, lowered, files))
        self._axons = Injectors(kernel, lowered, LAG)
        self.axon_spikes = self._axons.counts
        self._ends = [(self._axons.first(one) if one.source >= len(self.first) else
                       self.first[one.source], self.first[one.target])
                      for one in lowered.projections]
        wire(kernel, lowered, self.forms, self._ends, files)
        self._learners = {number: Learner(kernel, lowered, number)
                          for number, one in enumerate(lowered.projections) if one.learning}
        play_recorded(kernel, lowered, self.forms, self.first, LAG)
        self._trains = []
        for one in shared(lowered):
            sources = kernel.Create(model_of(files["train"]), one.count)
            sources.set({"tiny": 1e-300, "n0": float(one.binomial), "own0": one.mean_per_p})
            listen(kernel, lowered, self.forms, self.first, one, sources.tolist()[0])
            self._trains.append((one, sources))
        self._play()
        for player in self._players:
            if not player.course.is_constant:
                player.connect(kernel, lowered)

    def _play(self) -> None:
        """Make the players of all courses."""
        lowered = self.lowered
        self._players: list[Any] = []
        heard = signals(lowered)
        for number, (pop, form) in enumerate(zip(lowered.populations, self.forms, strict=True)):
            everyone = np.arange(self.first[number], self.first[number] + pop.n)
            for signal in form.signals:
                self._add_level(number, f"phi{signal}", heard[signal - 1], [heard[signal - 1]],
                                heard[signal - 1].of)
            for place, inlet in enumerate(pop.inlets):
                self._add_level(number, f"factor{place}", Scaling(lowered, inlet.effects),
                                inlet.effects, partial(scale, inlet.effects))
            for place, drive in enumerate(own_drives(lowered, number)):
                nodes = everyone[drive.members]
                self._add(nodes, port(form, f"rate{place}"), drive.rate,
                          lambda p, nodes=nodes, place=place, drive=drive:
                          self._nodes(nodes).set(rated(place, drive, p)),
                          scale=lowered.dt / 1000.0)
        for current in lowered.currents:
            number = current.population
            self._add(self.first[number] + current.members, port(self.forms[number], "current"),
                      current.course, lambda level, number=number: self._inject(number),
                      relative=True)
        for one, sources in self._trains:
            self._add(np.array(sources.tolist()), 0, one.course,
                      lambda p, one=one, sources=sources: sources.set(one.state(p)),
                      ahead=1, scale=lowered.dt / 1000.0)

    def _add(self, nodes: np.ndarray, receiver: int, course: Any, start: Any,
             **more: Any) -> None:
        if len(nodes):
            self._players.append(Player(nodes, receiver, course, start, **more))

    def _add_level(self, number: int, name: str, course: Any, effects: Any, function: Any) -> None:
        """Play what the cells of a population hear of levels, given or computed."""
        pop, first = self.lowered.populations[number], self.first[number]
        nodes, receiver = np.arange(first, first + pop.n), port(self.forms[number], name)
        if self._computed and any(effect.modulator.is_free for effect in effects):
            if pop.n:
                self._players.append(Ahead(nodes, receiver, Heard(self._computed, function),
                                           lambda level: None))
        else:
            self._add(nodes, receiver, course, lambda level: self._modulate(number))

    def _phi(self) -> tuple[float, ...]:
        """Return the levels of the step that comes."""
        return self._computed.at(self.step) if self._computed else self.lowered.phi(self.step)

    def _nodes(self, ids: np.ndarray) -> Any:
        return self.nest.NodeCollection(ids.tolist())

    def _population(self, number: int) -> Any:
        first = self.first[number]
        return self._nodes(np.arange(first, first + self.lowered.populations[number].n))

    def _modulate(self, number: int) -> None:
        """Set what modulators decide at the step that comes."""
        put(self._population(number), numbers(self.lowered, number, self.forms[number],
                                               self._phi()))

    def _inject(self, number: int) -> None:
        """Set the sum of the currents into each cell at the step that comes."""
        lowered = self.lowered
        whole = np.zeros(lowered.populations[number].n)
        for current in lowered.currents:
            if current.population == number:
                whole[current.members] += float(current.course.at(lowered.time_ms(self.step)))
        put(self._population(number), {"I_in": whole})

    def probe(self, population: str, ids: np.ndarray, variable: str = "v",
              every: int = 1) -> None:
        """Record v, u or g_<receptor> of these local ids after every so many steps from now on."""
        self._own()
        number = self.lowered.index[population]
        known = self.lowered.populations[number].variables
        if variable not in known:
            msg = f"record: {population} has {', '.join(known)} (got {shown(variable)})"
            raise CircuitError(msg)
        ids = np.asarray(ids, np.int64)
        self._lead("probe", population=population, ids=ids.tolist(), variable=variable, every=every)
        receptor, state = known[variable]
        recorded = f"s_{state}" if receptor < 0 else f"r{receptor}_{state}"
        self._probes.add((population, variable), recorded, ids, ids + self.first[number], self.step,
                         self.lowered.dt, every=every, by_hand=self._frozen)

    def follow_probe(self, said: dict[str, Any]) -> None:
        """Do as rank 0 in `probe`."""
        self.probe(said["population"], np.asarray(said["ids"], np.int64), said["variable"],
                   every=said["every"])

    def advance(self, n_steps: int) -> tuple[np.ndarray, np.ndarray]:
        """Simulate ``n_steps``; return (steps, global ids) of their spikes, sorted.

        With several ranks the first returns the spikes of all, the others none.
        """
        self._own()
        if n_steps == 0:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        self._lead("advance", n_steps=n_steps)
        drawn = self._axons.play(self.step, n_steps)
        for one in self._learners.values():
            one.release(self.step, *drawn[one.source])
        stop = self.step + n_steps
        while self.step < stop:
            self._simulate(self._halt(stop))
        steps, ids = self._fired()
        self._recorder.n_events = 0
        self._check(ids[steps == self.step - 1])
        if self.ranks > 1:
            steps, ids = gathered(np.stack([steps, ids], axis=1)).T
        for one in self._learners.values():
            one.note(self.step, steps, ids)
        order = np.lexsort((ids, steps))
        return steps[order], ids[order]

    def _fired(self) -> tuple[np.ndarray, np.ndarray]:
        """Return steps and global ids of the spikes that the recorder holds."""
        events = self._recorder.get("events")
        times = np.rint(np.asarray(events["times"]) / self.lowered.dt).astype(np.int64)
        return times - 1 - LAG, np.asarray(events["senders"], np.int64) - 1

    @property
    def _frozen(self) -> bool:
        """Whether new connections would cost something: NEST then forgets what gaps carry."""
        return self.step > 0 and bool(self.lowered.gaps)

    def _halt(self, stop: int) -> int:
        """Return the step before which something must be done by hand, at most ``stop``."""
        # NEST delivers the spikes of a step in the next, which must see the weights of before.
        if self._probes.by_hand or self._wired is not self.lowered:
            return self.step + 1
        if self._computed:
            stop = min(stop, self.step + self._computed.window)
        stop = min([stop, *(one.halt(self.step) for one in self._learners.values())])
        if self._frozen:
            for player in self._players:
                if player.generator is None:
                    stop = min(stop, player.next_change(self.lowered, self.step, stop))
        return stop

    def _simulate(self, stop: int) -> None:
        first = self.step
        if self._computed:
            self._computed.reach(stop)
        for player in self._players:
            player.play(self.nest, self.lowered, self.step, stop, LAG)
        for one in self._learners.values():
            one.go_on(self.step, stop, self._computed)
        before = LAG if self.step == 0 else 0
        self.nest.Simulate(round((stop - self.step + before) * self.lowered.dt, 6))
        self.step = stop
        if self._computed:
            self._computed.count(first, stop, *self._fired())
        if self._wired is not self.lowered:
            reweigh(self.nest, self._wired, self.lowered, self._ends)
            self._wired = self.lowered
        self._probes.look(self.step - 1)

    def follow_advance(self, said: dict[str, Any]) -> None:
        """Do as rank 0 in `advance`."""
        self.advance(said["n_steps"])

    def _check(self, last: np.ndarray) -> None:
        """Find cells whose potential left its range: they fire at every step."""
        for cell_id in np.unique(last):
            state = self.nest.NodeCollection([int(cell_id) + 1]).get(["broken", "s_v"])
            if state["broken"]:
                pop = next(one for one in self.lowered.populations
                           if one.offset <= cell_id < one.offset + one.n)
                msg = (f"{pop.name} {cell_id - pop.offset}: membrane potential must stay within "
                       f"{V_LIMIT:g} mV, found at step {self.step} (got {state['s_v']:g} mV). "
                       "Lower dt or the conductances")
                raise NumericsError(msg)

    def _own(self) -> None:
        if Nest._holder is not self:
            msg = ("engine nest: another simulation took NEST's kernel, of which a process has "
                   "one. Finish one before the next is prepared")
            raise EngineUnsupported(msg)
        keep_threads(self.threads)

    def change(self, circuit: Circuit) -> None:
        """Go on with another level, drive, current or parameter of the same network."""
        self._own()
        if problem := self.refusal(self.lowered.circuit, circuit):
            raise EngineUnsupported(problem)
        lowered = replace(keep_tonic(self.lowered, lower(circuit, *self._drawn)),
                          slots=self.lowered.slots)
        check(lowered)
        self._lead("change", circuit=circuit.to_dict())
        old = self._players
        self.lowered = lowered
        self._axons.change(lowered)
        for one in self._learners.values():
            one.change(lowered)
        if self._computed:
            self._computed.change(lowered)
        self._play()
        self._inherit(old)
        for number, pop in enumerate(lowered.populations):
            if pop.n:
                self._modulate(number)
                put(self._population(number), {"I_in": 0.0, **{
                    f"first{place}": 1.0 for place in range(len(self.forms[number].drives))}})

    def _inherit(self, old: list[Player]) -> None:
        """Keep the generators of players that reach the same nodes; silence the others."""
        kept = {(one.port, one.nodes.tobytes()): one for one in old if one.generator is not None}
        for player in self._players:
            found = kept.pop((player.port, player.nodes.tobytes()), None)
            player.generator = found and found.generator
        for one in kept.values():
            one.generator.set(spike_times=[], spike_weights=[])

    def follow_change(self, said: dict[str, Any]) -> None:
        """Do as rank 0 in `change`."""
        from neostriatum.circuit.load import load

        circuit = load(said["circuit"], folder=self._folder)
        self.change(circuit)

    def levels(self) -> dict[str, float]:
        """Return the level of every modulator that the next step hears."""
        return dict(zip(self.lowered.levels, self._phi(), strict=True))

    def weights(self, pathway: str) -> np.ndarray:
        """Return the plastic factors of a pathway's synapses now, in the order of its edges."""
        self._own()
        number = learner(self.lowered, pathway)
        self._lead("weights", pathway=pathway)
        return self._learners[number].weights(self.step)

    def follow_weights(self, said: dict[str, Any]) -> None:
        """Do as rank 0 in `weights`."""
        self.weights(said["pathway"])

    def traces(self) -> dict[str, Trace]:
        """Return what `probe` recorded so far, times from the end of the warm-up."""
        made = {}
        self._lead("traces")
        for (name, variable), (ids, first, values) in self._probes.all(self.step).items():
            if variable == "v":
                pop = self.lowered.populations[self.lowered.index[name]]
                times = (first - self.lowered.warmup + 1 + np.arange(len(values))) * self.lowered.dt
                made[name] = Trace(ids + pop.offset, times, values)
        return made

    def take(self) -> list[Samples]:
        """Hand over everything recorded since the last time, and forget it."""
        self._lead("take")
        return self._probes.take(self.step, self.lowered.warmup)

    def follow_take(self, said: dict[str, Any]) -> None:
        """Do as rank 0 in `take`."""
        del said
        self.take()

    def follow_traces(self, said: dict[str, Any]) -> None:
        """Do as rank 0 in `traces`."""
        del said
        self.traces()

    def state(self) -> dict[str, Any]:
        """Refuse: NEST's state is not ours to save."""
        msg = f"engine nest: {self.excuses['exact_resume']}"
        raise EngineUnsupported(msg)

    def restore(self, state: dict[str, Any]) -> None:
        """Refuse: NEST's state is not ours to restore."""
        del state
        self.state()
