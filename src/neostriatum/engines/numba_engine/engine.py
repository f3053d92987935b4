"""The fast engine behind the engine protocol."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from neostriatum.engines.base import Capabilities, Samples, Trace, changed
from neostriatum.engines.numba_engine import cells
from neostriatum.engines.numba_engine.arrays import Currents, Probes
from neostriatum.engines.numba_engine.cells import PITCH, TILE
from neostriatum.engines.numba_engine.layout import (
    aligned,
    fill_rows,
    lay_out,
    notebook,
    share_out,
    step_parameters,
)
from neostriatum.engines.numba_engine.meeting import Crew
from neostriatum.engines.numba_engine.tables import TableMaker
from neostriatum.engines.numba_engine.window import advance
from neostriatum.engines.probes import Probes as Recorded
from neostriatum.engines.program import V_LIMIT, Program, lower
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
                                live_changes=True, same_draws_as_reference=True)
    excuses: dict[str, str] = {}

    def __init__(self, threads: int | None = None, precision: str = "double") -> None:
        self.dtype = np.float32 if precision == "single" else np.float64
        self.threads = threads or cores()

    def prepare(self, circuit: Circuit, network: Network, seed: int) -> None:
        """Get ready for step 0, the start of the warm-up."""
        self._drawn = network, seed
        program = lower(circuit, network, seed)
        layout = lay_out(program, self.dtype)
        self._set(program, layout)
        tiles = len(layout.geometry.population)
        self.step = 0
        self.flat = aligned(tiles * layout.rows * PITCH, self.dtype)
        fill_rows(self.program, layout, self.flat)
        ring = np.int32 if self.dtype == np.float32 else np.float64
        self.ring = aligned(tiles * layout.slots * layout.width * TILE, ring)
        nodes = [program.start_of_nodes(kind) for kind in program.gaps if kind.tau is not None]
        layout.gap.node[:] = np.concatenate([np.zeros(0), *nodes])
        self._probes = Recorded(program)
        self._place_probes()
        # No step, but the loops are compiled now and not while somebody takes the time.
        self.advance(0)

    def _set(self, program: Program, layout: Any) -> None:
        self.program: Program = program
        self.layout = layout
        self._tables = TableMaker(program, layout.sizes)
        self._work = share_out(program, layout, self.threads)
        self._notes = notebook(layout)
        self._par: np.ndarray | None = None

    def probe(self, population: str, ids: np.ndarray, variable: str = "v",
              every: int = 1) -> None:
        """Record v, u or g_<receptor> of these local ids after every so many steps."""
        self._probes.add(population, ids, variable, every)
        self._place_probes()

    def _place_probes(self) -> None:
        none, probes = np.zeros(0, np.int64), list(self._probes)
        first = [self.layout.first_tile[self.program.index[one.population.name]] for one in probes]
        tiles = np.concatenate([none, *(start + one.ids // TILE
                                        for start, one in zip(first, probes, strict=True))])
        order = np.argsort(tiles, kind="stable")
        counts = np.bincount(tiles, minlength=len(self.layout.geometry.population))
        self._probe_start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        self._probe_lane = np.concatenate([none, *(one.ids % TILE for one in probes)])[order]
        # The rows of a tile are those of the variables: v, u, conductances by receptor.
        self._probe_row = np.concatenate([none, *(np.full(len(one.ids), one.row * PITCH)
                                                  for one in probes)])[order]
        ends = np.cumsum([0, *(len(one.ids) for one in probes)])
        where = np.argsort(order)
        self._columns = [where[start:stop] for start, stop in pairwise(ends)]

    def advance(self, n_steps: int) -> tuple[np.ndarray, np.ndarray]:
        """Simulate ``n_steps``; return (steps, global ids) of their spikes, sorted."""
        found = [np.zeros((0, 2), np.int64)]
        # A recorded cell counts as ten, since its samples are held until the stretch ends.
        cost = 1 + sum(pop.n for pop in self.program.populations) + 10 * len(self._probe_lane)
        chunk = max(CHUNK, min(LONGEST, ENOUGH // cost))
        with Crew(self.threads) as crew:
            for start in range(0, max(n_steps, 1), chunk):
                found.append(self._chunk(crew, min(chunk, n_steps - start)))
        spikes = np.concatenate(found)
        # One key per spike: much faster to sort than two columns.
        most = max(1, sum(pop.n for pop in self.program.populations))
        key = np.sort(spikes[:, 0] * most + spikes[:, 1])
        return key // most, key % most

    def _chunk(self, crew: Crew, count: int) -> np.ndarray:
        program, layout = self.program, self.layout
        times = (np.arange(self.step, self.step + count) - program.warmup) * program.dt
        level = np.array([one.course.at(times) for one in program.currents], self.dtype)
        currents = Currents(layout.currents.population, layout.currents.row,
                            level.reshape(len(program.currents), count))
        out = np.zeros((count, len(self._probe_lane)), self.dtype)
        probes = Probes(self._probe_start, self._probe_lane, self._probe_row, out)
        if self._par is None or program.levels_vary:
            self._par = step_parameters(program, layout, self.step, count, self.dtype)
        par = self._par
        window = layout.window
        spikes, done = [], 0
        outside = bool(program.recorded) or any(drive.pool for drive in program.drives)
        while not spikes or done < count:
            # Events from outside the tiles are put into the ring one window ahead of the cells.
            stretch = min(layout.slots, count - done) if outside else count
            if outside:
                self._deliver_outside(stretch)
            found, steps, tile, lane = advance(
                crew, self._work, layout.wires, self._notes, stretch, self.step, window,
                layout.slots, self.flat, self.ring, layout.geometry, layout.cell,
                _from(par, done), layout.drives, self._tables.make(self.step, stretch),
                currents._replace(level=np.ascontiguousarray(currents.level[:, done:])),
                layout.gap, probes._replace(out=out[done:]), self.dtype(program.dt),
                layout.quanta, self.dtype(V_LIMIT))
            spikes.append(found)
            self.step += steps
            done += steps
            if tile >= 0:
                self._complain(tile, lane)
        after = np.arange(self.step - count, self.step)
        for probe, chosen in zip(self._probes, self._columns, strict=True):
            self._probes.put(probe, after, out[:, chosen])
        return np.concatenate(spikes)

    def _deliver_outside(self, count: int) -> None:
        """Add recorded spikes and shared trains of the next ``count`` steps to the ring."""
        program, layout = self.program, self.layout
        ring = self.ring.reshape(-1, layout.slots, layout.width, TILE)
        grain, unit = layout.quanta
        for step in range(self.step, self.step + count):
            hits = [(one, one.ids[slice(*np.searchsorted(one.steps, [step - program.warmup] * 2
                                                         + np.arange(2)))])
                    for one in program.recorded]
            time = program.time_ms(step)
            hits += [(drive, drive.events(step, float(drive.rate.at(time)), program.dt))
                     for drive in program.drives if drive.pool]
            for said, ids in hits:
                tiles = layout.first_tile[said.population] + ids // TILE
                for receptor, weight in said.weights:
                    column = int(layout.cell.receptors[said.population, receptor, 3])
                    amount = np.rint(weight / grain) * unit
                    np.add.at(ring, (tiles, step % layout.slots, column, ids % TILE),
                              ring.dtype.type(amount))

    def _complain(self, tile: int, lane: int) -> None:
        geometry = self.layout.geometry
        pop = self.program.populations[geometry.population[tile]]
        v = self._rows(cells.V)[tile, lane]
        msg = (f"{pop.name} {geometry.first[tile] + lane}: membrane potential must stay within "
               f"{V_LIMIT:g} mV, found at step {self.step} (got {v:g} mV). "
               "Lower dt or the conductances")
        raise NumericsError(msg)

    def change(self, circuit: Circuit) -> None:
        """Go on with another level, drive, current or parameter of the same network."""
        program = changed(self.program, lower(circuit, *self._drawn))
        layout = lay_out(program, self.dtype)
        if (layout.rows, layout.width) != (self.layout.rows, self.layout.width):
            msg = "change: noise, spread and channels of currents must stay as they are"
            raise EngineUnsupported(msg)
        kept = self.state()
        v, u = self._rows(cells.V).copy(), self._rows(cells.U).copy()
        self._set(program, layout)
        fill_rows(program, layout, kept["flat"])
        self._load(kept)
        self._rows(cells.V)[:], self._rows(cells.U)[:] = v, u

    def _rows(self, row: int) -> np.ndarray:
        """Return one row of every tile, a view of shape (tiles, PITCH)."""
        return self.flat.reshape(-1, self.layout.rows, PITCH)[:, row]

    def traces(self) -> dict[str, Trace]:
        """Return the potentials recorded so far, times from the end of the warm-up."""
        return self._probes.traces()

    def take(self) -> list[Samples]:
        """Hand over everything recorded since the last time, and forget it."""
        return self._probes.take()

    def state(self) -> dict[str, np.ndarray]:
        """Return everything that the future depends on, as arrays by name.

        Few slots of the ring hold something, so only these are kept, in nS.
        """
        wires, (grain, unit) = self.layout.wires, self.layout.quanta
        held = np.flatnonzero(self.ring)
        return {"step": np.array(self.step), "flat": self.flat.copy(), "held": held,
                "ring": self.ring[held] * (grain / unit), "node": self.layout.gap.node.copy(),
                "stp": wires.state.copy(), "last": wires.last.copy()}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Continue from a `state`."""
        self._load(state)
        self._probes.forget()

    def _load(self, state: dict[str, np.ndarray]) -> None:
        self.step = int(state["step"])
        self.ring[:] = 0
        grain, unit = self.layout.quanta
        self.ring[state["held"]] = np.rint(state["ring"] / grain) * unit
        for mine, said in ((self.flat, "flat"), (self.layout.gap.node, "node"),
                           (self.layout.wires.state, "stp"), (self.layout.wires.last, "last")):
            mine[:] = state[said]


def _from(par: np.ndarray, done: int) -> np.ndarray:
    """Return the parameters from a step on; a single step holds for all."""
    return np.ascontiguousarray(par[:, done:]) if par.shape[1] > 1 else par
