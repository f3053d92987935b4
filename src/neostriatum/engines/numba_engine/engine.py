"""The fast engine behind the engine protocol."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.engines.base import Capabilities, Samples, Trace, changed, weights_of
from neostriatum.engines.levels import ahead
from neostriatum.engines.lowered import V_LIMIT, LoweredCircuit, lower
from neostriatum.engines.numba_engine.axons import AxonSpikes, CompiledPlayers
from neostriatum.engines.numba_engine.constants import Constants
from neostriatum.engines.numba_engine.layout import Layout, lay_out
from neostriatum.engines.numba_engine.learning import Teacher, weights_now
from neostriatum.engines.numba_engine.meeting import Crew
from neostriatum.engines.numba_engine.pack import AT, PITCH, TILE
from neostriatum.engines.numba_engine.pools import CompiledPools
from neostriatum.engines.numba_engine.signals import columns_of, courses_of
from neostriatum.engines.numba_engine.state import fill, load, releases, saved
from neostriatum.engines.numba_engine.tables import TableMaker
from neostriatum.engines.numba_engine.window import advance
from neostriatum.engines.probes import Probes
from neostriatum.errors import EngineUnsupported, NumericsError
from neostriatum.machine import cores

if TYPE_CHECKING:
    from neostriatum.circuit.model import Circuit
    from neostriatum.network.network import Network

#: Steps between two looks at what changes in time, at least and at most, and how many steps times
#: cells are enough; bounds tables, recordings and the wait for an interrupt, not the windows.
CHUNK, LONGEST, ENOUGH = 500, 2000, 20_000_000


class Numba:
    """The fast engine: double precision equals `reference` bit for bit at any thread count."""

    name = "numba"
    capabilities = Capabilities(threads_exact=True, exact_resume=True, chunks=True,
                                live_changes=True, same_draws_as_reference=True,
                                records_levels=True, records_releases=True)
    excuses: dict[str, str] = {}

    def __init__(self, threads: int | None = None, precision: str = "double") -> None:
        self.dtype = np.float32 if precision == "single" else np.float64
        self.threads = threads or cores()

    def prepare(self, circuit: Circuit, network: Network, seed: int) -> None:
        """Get ready for step 0, the start of the warm-up."""
        self._drawn = network, seed
        lowered = lower(circuit, network, seed)
        layout = lay_out(lowered, self.dtype, self.threads)
        self._set(lowered, layout)
        fill(lowered, layout)
        self.step = 0
        self._axons = CompiledPlayers(lowered.axons)
        self.axon_spikes, self._pools = self._axons.counts, CompiledPools(lowered.pooled)
        self._teacher = Teacher(lowered, self.threads)
        self._probes = Probes(lowered)
        self._place_probes()
        # No step, but the loops are compiled now and not while somebody takes the time.
        self.advance(0)

    def _set(self, lowered: LoweredCircuit, layout: Layout) -> None:
        self.lowered: LoweredCircuit = lowered
        self.layout = layout
        self._tables = TableMaker(lowered, layout.sizes)
        quantum = float(layout.net.unit[0]) if self.dtype == np.float32 else 1.0
        self._constants = [Constants(lowered, number, shape, quantum)
                           for number, shape in enumerate(layout.shapes)]
        heard = columns_of(lowered, self._constants)
        layout.net = layout.net._replace(signals=layout.net.signals._replace(**dict(zip(
            ("columns", "bases", "terms", "term_numbers"), heard, strict=True))))
        for number, pop in enumerate(lowered.populations):
            layout.packs[layout.of(number), AT["hold"]] = pop.hold

    def probe(self, population: str, ids: np.ndarray, variable: str = "v",
              every: int = 1) -> None:
        """Record a state of these local ids after every so many steps."""
        self._probes.add(population, ids, variable, every)
        self._place_probes()

    def _place_probes(self) -> None:
        none, probes = np.zeros(0, np.int64), self._probes.cells
        layout, index = self.layout, self.lowered.index
        tiles, places = [none], [none]
        for probe in probes:
            number = index[probe.name]
            receptor, state = self.lowered.populations[number].variables[probe.variable]
            name = state if receptor < 0 else f"{state} {receptor}"
            row = layout.shapes[number].rows.index(name)
            tiles.append(layout.first_tile[number] + probe.ids // TILE)
            places.append(row * PITCH + probe.ids % TILE)
        order = np.argsort(np.concatenate(tiles), kind="stable")
        counts = np.bincount(np.concatenate(tiles), minlength=len(layout.packs))
        self._probe_at = np.concatenate(places)[order]
        self._probe_first = np.cumsum(counts) - counts
        layout.packs[:, AT["probes"]] = counts
        layout.packs[:, AT["probe_at"]] = self._probe_at.ctypes.data + 8 * self._probe_first
        layout.packs[:, AT["probe_stride"]] = len(order)
        ends = np.cumsum([0, *(len(probe.ids) for probe in probes)])
        where = np.argsort(order)
        self._columns = [where[start:stop] for start, stop in pairwise(ends)]

    def advance(self, n_steps: int) -> tuple[np.ndarray, np.ndarray]:
        """Simulate ``n_steps``; return (steps, global ids) of their spikes, sorted."""
        found = [np.zeros((0, 2), np.int64)]
        # A recorded cell counts as ten, since its samples are held until the stretch ends.
        cost = 1 + sum(pop.n for pop in self.lowered.populations) + 10 * len(self._probe_at)
        chunk = max(CHUNK, min(LONGEST, ENOUGH // cost))
        with Crew(self.threads) as crew:
            for start in range(0, max(n_steps, 1), chunk):
                found.append(self._chunk(crew, min(chunk, n_steps - start)))
        spikes = np.concatenate(found)
        # One key per spike: much faster to sort than two columns.
        most = max(1, sum(pop.n for pop in self.lowered.populations))
        key = np.sort(spikes[:, 0] * most + spikes[:, 1])
        return key // most, key % most

    def _chunk(self, crew: Crew, count: int) -> np.ndarray:
        layout, dtype, before = self.layout, self.dtype, self._release_states()
        samples = np.zeros((count, len(self._probe_at)), dtype)
        layout.packs[:, AT["probe_out"]] = samples.ctypes.data + (
            samples.itemsize * self._probe_first)
        # The packs hold addresses, so the arrays must stay until the steps are done.
        constants = [each.table(self.step, count, dtype) for each in self._constants]
        courses = courses_of(self.lowered, self._constants,
                             [table for each, table in zip(self._constants, constants, strict=True)
                              if each.heard], range(self.step, self.step + count),
                             self.threads)
        start, joined = 0, courses.constants
        for number, table in enumerate(constants):
            packs = layout.packs[layout.of(number)]
            packs[:, AT["constants"]] = table.ctypes.data
            packs[:, AT["stride"]] = table.shape[1] if self._constants[number].varies else 0
            if self._constants[number].heard:
                # Every part writes what it computes into constants of its own.
                row = start + joined.shape[1] * layout.owner[layout.of(number)]
                packs[:, AT["constants"]] = joined.ctypes.data + joined.itemsize * row
                start += table.size
        pooled = self._pools.tables(self.step, count, layout.net)
        axons = self._axons.play(crew, layout.net.wires, pooled, self.step, count)
        lessons = self._teacher.lessons(self.lowered, layout.net.wires.plain, axons,
                                        range(self.step, self.step + count))
        spikes, done, tile = advance(crew, layout.net, axons, self._tables.make(self.step, count),
                                     courses, lessons, count, self.step, layout.window,
                                     layout.slots)
        self.step += done
        if tile >= 0:
            self._complain(tile)
        after = np.arange(self.step - count, self.step)
        for probe, chosen in zip(self._probes.cells, self._columns, strict=True):
            self._probes.put(probe, after, samples[:, chosen])
        if self._probes.levels:
            next_heard = np.array([list(self.levels().values())])
            self._probes.put_levels(after, np.concatenate([courses.levels[1:], next_heard]))
        self._note_releases(before, spikes, axons, after)
        return spikes

    def _release_states(self) -> list[tuple[dict[str, np.ndarray], np.ndarray]]:
        """Return the states of release that are recorded, and the steps of the last spikes."""
        now = dict(releases(self.lowered, self.layout)) if self._probes.releases else {}
        return [({name: now[f"{self.lowered.projections[number].name}.{name}"][probe.ids]
                  for name in stp.model.names},
                 now[f"{self.lowered.projections[number].name}.last"][probe.ids])
                for probe, number, stp in self._probes.releases]

    def _note_releases(self, before: list[tuple[dict[str, np.ndarray], np.ndarray]],
                       spikes: np.ndarray, axons: AxonSpikes, after: np.ndarray) -> None:
        """Follow states of release from those before some steps through the spikes of these."""
        for (probe, number, stp), (states, last) in zip(self._probes.releases, before,
                                                        strict=True):
            source = self.lowered.projections[number].source
            fired = self._fired(source, spikes, axons, after)
            mine = fired[np.isin(fired[:, 1], probe.ids)]
            mine = mine[np.argsort(mine[:, 0], kind="stable")]
            places = np.searchsorted(probe.ids, mine[:, 1])
            due = after[self._probes.due(probe, after)]
            seen = stp.follow_spikes(states, last, (mine[:, 0], places), due)
            self._probes.put(probe, due, seen[probe.variable])

    def _fired(self, source: int, spikes: np.ndarray, axons: AxonSpikes,
               steps: np.ndarray) -> np.ndarray:
        """Return (step, local id) of the spikes of a population of cells or axons."""
        cells = len(self.lowered.populations)
        if source < cells:
            pop = self.lowered.populations[source]
            local = spikes - (0, pop.offset)
            return local[(local[:, 1] >= 0) & (local[:, 1] < pop.n)]
        first = axons.first[source - cells]
        return np.stack([np.repeat(steps, np.diff(first)), axons.who[first[0] : first[-1]]], axis=1)

    def _complain(self, tile: int) -> None:
        tiles = self.layout.net.tiles
        pop = self.lowered.populations[tiles.population[tile]]
        start = int(tiles.rows_at[tile])
        v = self.layout.net.rows[start : start + int(tiles.used[tile])]
        lane = int(np.flatnonzero(~(np.abs(v) <= V_LIMIT))[0])
        msg = (f"{pop.name} {tiles.first[tile] + lane}: membrane potential must stay within "
               f"{V_LIMIT:g} mV, found at step {self.step} (got {v[lane]:g} mV). "
               "Lower dt or the conductances")
        raise NumericsError(msg)

    def change(self, circuit: Circuit) -> None:
        """Go on with another level, drive, current or parameter of the same network."""
        lowered = changed(self.lowered, lower(circuit, *self._drawn))
        for old, new in zip(self.lowered.populations, lowered.populations, strict=True):
            if (old.sigma > 0) != (new.sigma > 0) or _spread(old) != _spread(new):
                msg = "change: noise, spread and channels of currents must stay as they are"
                raise EngineUnsupported(msg)
        kept = self.state()
        layout = lay_out(lowered, self.dtype, self.threads, self.layout.shapes)
        self._set(lowered, layout)
        self._probes.change(lowered)
        self._axons.change(lowered.axons)
        self._pools.change(lowered.pooled)
        fill(lowered, layout)
        load(lowered, layout, kept)
        self._place_probes()

    def traces(self) -> dict[str, Trace]:
        """Return the potentials recorded so far, times from the end of the warm-up."""
        return self._probes.traces()

    def take(self) -> list[Samples]:
        """Hand over everything recorded since the last time, and forget it."""
        return self._probes.take()

    def levels(self) -> dict[str, float]:
        """Return the level of every modulator that the next step hears."""
        lowered, signals = self.lowered, self.layout.net.signals
        states = signals.states[0] if len(signals.plain) else lowered.signals.starts
        return dict(zip(lowered.levels, ahead(lowered.signals, states,
                                              lowered.time_ms(self.step)), strict=True))

    def weights(self, pathway: str) -> np.ndarray:
        """Return the plastic factors of a pathway's synapses now, in the order of its edges."""
        return weights_of(self.lowered, pathway, lambda number: weights_now(
            self.lowered, self.layout.net.learn, number, self.step))

    def state(self) -> dict[str, np.ndarray]:
        """Return everything that the future depends on, as arrays by name."""
        return {"step": np.array(self.step), **saved(self.lowered, self.layout, self.step),
                **self._teacher.state(self.lowered), **self._axons.state(self.step),
                **self._pools.state(self.step)}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Continue from a `state`."""
        self.step = int(state["step"])
        load(self.lowered, self.layout, state)
        self._teacher.restore(self.lowered, state)
        self._axons.restore(self.step, state)
        self._pools.restore(self.step, state)
        self._probes.forget()


def _spread(pop: Any) -> set[str]:
    """Return the parameters that differ from cell to cell."""
    return {name for name, value in pop.parameters.items() if np.ndim(value)}
