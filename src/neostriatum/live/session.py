"""One simulation that goes on while its knobs are turned; it runs in a thread of its own."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neostriatum.circuit.load import load
from neostriatum.durable import unclaim
from neostriatum.engines.base import checked_precision
from neostriatum.errors import CircuitError, NeostriatumError, enough_memory, shown
from neostriatum.live.knobs import Knob, knobs
from neostriatum.live.lessons import lessons
from neostriatum.live.requests import Requests
from neostriatum.live.saving import leave, reopened, save
from neostriatum.live.sight import Sight
from neostriatum.live.turns import Turns
from neostriatum.machine import cores
from neostriatum.network.volume import space
from neostriatum.rng import checked_seed
from neostriatum.runs.settings import Settings
from neostriatum.runs.start import begun

if TYPE_CHECKING:
    from collections.abc import Callable

    from neostriatum.live.frames import Window
    from neostriatum.live.history import History
    from neostriatum.runs.loop import Loop

#: Wall time between two looks while nothing is simulated, and between two reports [s].
IDLE_S, TOLD_S = 0.05, 0.5
#: Simulated time between two reports of the warm-up [ms].
WARMING_MS = 50.0


class Session(Requests):
    """A circuit that runs until it is stopped.

    Parameters
    ----------
    circuit : str, Path, dict or Circuit
        What is simulated.
    size : int, optional
        Neurons in all; 10,000 by default, those of a mesh where the circuit has one.
    seed : int
        Master seed.
    precision : str
        "double" or "single", which goes further in the same time; its spikes are its own.
    out : str, optional
        Folder of the run; by default the next under ``runs``.
    publish : callable
        Called in the thread of the session with a `Window`, or with a dict of news.
    """

    def __init__(self, circuit: Any = "striatum", *, size: int | None = None, seed: int = 1,
                 precision: str = "double", out: Any = None,
                 publish: Callable[[Window | dict[str, Any]], None]) -> None:
        super().__init__()
        self.circuit, seed = load(circuit), checked_seed(seed)
        #: The circuit as ``neostriatum run`` is told it; None where it has no name or file.
        self.asked = str(circuit) if isinstance(circuit, (str, Path)) else None
        #: Neurons in all; a mesh has its own number, and takes none.
        self.size = space(self.circuit, size).size
        # A core is left to the browser that draws: threads that wait for one of theirs wait long.
        self.settings = Settings(duration=f"{self.circuit.dt.value!r} ms", seed=seed,
                                 size=size if self.circuit.volume.shape == "mesh" else self.size,
                                 threads=max(1, cores() - 1), out=out, figures=False,
                                 precision=checked_precision(precision), record="none")
        self.turns = Turns(knobs(self.circuit), publish)
        self.lessons = lessons(self.circuit, self.knobs)
        self.phase, self.error = "build", ""
        #: What ended the thread before anything was simulated, for the caller to raise.
        self.failure: Exception | None = None
        self.publish = publish
        self.loop: Loop | None = None
        self._sight: Sight | None = None
        self._told = 0.0
        self._stop = False
        self.thread = threading.Thread(target=self._run, name="simulation", daemon=True)

    @property
    def knobs(self) -> dict[str, Knob]:
        """The knobs by name."""
        return self.turns.knobs

    @property
    def cells(self) -> int:
        """Cells in all; 0 before they are placed."""
        return self.loop.network.size if self.loop else 0

    @property
    def values(self) -> dict[str, float | None]:
        """Where the knobs stand."""
        return self.turns.values

    @property
    def history(self) -> History:
        """What was done."""
        return self.turns.history

    def start(self) -> None:
        """Start the thread."""
        self.thread.start()

    def stop(self, patience_s: float = 1.5) -> None:
        """End the thread, with everything up to now on disk."""
        with self._wake:
            self._stop = True
            self._wake.notify()
        if self.thread.is_alive():
            self.thread.join(patience_s)

    # ---- the thread ---------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            with enough_memory(), begun(self.circuit, None, self.settings, {"network": None},
                                        self._phase) as loop:
                self.loop = loop
                try:
                    self._warm_up(loop)
                    if not self._stop:
                        self._live(loop, Sight(loop))
                finally:
                    if loop.at > 0:
                        leave(loop, self.history.events, self.phase, self.error)
                    else:
                        unclaim(loop.folder)
        except Exception as error:
            # Whatever it is: the page says it, and the caller raises it.
            self.failure = error
            self._fail(error)

    def _phase(self, phase: str, share: float) -> None:
        before = self.phase
        if phase == "compile":
            phase = before if share else "compile"
        if phase != before:
            self.phase = phase
            self.tell()

    def _fail(self, error: Exception) -> None:
        self.phase = "failed"
        self.error = " ".join(str(error).split()) or type(error).__name__
        self.tell()

    def tell(self) -> None:
        """Publish how things stand."""
        self._told = time.monotonic()
        pace = self.pace
        self.publish({"kind": "status", "phase": self.phase, "error": self.error,
                      "playing": self.playing, "speed": pace.speed,
                      "reached": round(pace.reached, 3), "possible": round(pace.possible, 3),
                      "watched": self._sight.watched if self._sight else 0, "time_ms": self.time_ms,
                      "warm": self.warm_share})

    @property
    def time_ms(self) -> float:
        """Simulated time since the end of the warm-up [ms]."""
        return round(self.loop.at * self.circuit.dt.value, 6) if self.loop else 0.0

    @property
    def warm_share(self) -> float:
        """Share of the warm-up that is done."""
        if self.loop is None:
            return 0.0
        return 1.0 if not self.loop.warm else round(1.0 + min(self.loop.at, 0) / self.loop.warm, 3)

    def _warm_up(self, loop: Loop) -> None:
        self.phase = "warmup"
        self.publish({"kind": "network", "positions": loop.network.positions})
        self.tell()
        while loop.at < 0 and not self._stop:
            count = min(round(WARMING_MS / self.circuit.dt.value), -loop.at)
            started = time.perf_counter()
            loop.simulator.advance(count)
            loop.at += count
            loop.timers["warmup_s"] = (loop.timers.get("warmup_s", 0.0)
                                       + time.perf_counter() - started)
            self.tell()

    def _live(self, loop: Loop, sight: Sight) -> None:
        self.phase, self._sight = "live", sight
        self.turns.mark(loop, "start")
        self.pace.restart()
        self.tell()
        while not self._stop:
            with self._wake:
                orders, self._orders = self._orders, []
            try:
                # A list, so that all are followed.
                once = any([self._follow(loop, sight, *order) for order in orders])
                if self.phase == "live" and (once or (self.playing and self.seen)):
                    self._window(loop, sight)
                    continue
            except NeostriatumError as error:
                self._fail(error)
            with self._wake:
                if not (self._orders or self._stop):
                    self._wake.wait(IDLE_S)

    def _follow(self, loop: Loop, sight: Sight, what: str, value: Any) -> bool:
        """Do what was asked for; return whether one window is to be simulated now."""
        if what == "step":
            self.playing = False
            return self.phase == "live"
        if what == "watch":
            sight.watch(value)
            self.tell()
        elif what == "mark":
            self.turns.mark(loop, "mark")
        elif what == "back":
            self._go_back(loop, sight, value)
        elif what == "parts":
            self.turns.play(loop, value)
        elif what == "save":
            self._save(loop)
        return False

    def _window(self, loop: Loop, sight: Sight) -> None:
        self.turns.apply_due(loop)
        if self.turns.rested:
            with self._wake:
                (wanted, self._wanted), (label, self._label) = (self._wanted, {}), (self._label, "")
            self.turns.apply(loop, wanted, label)
        reopened(loop)
        dt, first = self.circuit.dt.value, loop.at
        count = self.turns.next_due(first, max(1, round(self.pace.window_ms() / dt)))
        started = time.perf_counter()
        steps, ids = loop.simulator.advance(count)
        loop.at += count
        steps = steps - loop.warm
        loop.writer.add(steps, ids, {}, loop.at)
        self.publish(sight.window(first, steps, ids))
        if weights := sight.weights():
            self.publish(weights)
        taken = time.perf_counter() - started
        loop.timers["simulate_s"] = loop.timers.get("simulate_s", 0.0) + taken
        wait = self.pace.wait_s(count * dt / 1000.0, taken)
        if time.monotonic() - self._told > TOLD_S:
            self.tell()
        if wait > 0.0005 and self.playing:
            with self._wake:
                self._wake.wait_for(lambda: self._stop or bool(self._orders), wait)

    def _go_back(self, loop: Loop, sight: Sight, number: Any) -> None:
        reopened(loop)
        if not self.turns.back(loop, number):
            self.publish({"kind": "refused", "text": "line: must be one to go back to (got "
                                                     f"{shown(number)}). Choose another"})
            return
        with self._wake:
            self._wanted = {}
        self.phase, self.error = "live", ""
        sight.watch(sight.watched)
        loop.simulator.take()
        self.pace.restart()
        self.tell()

    def _save(self, loop: Loop) -> None:
        try:
            if loop.at <= 0:
                msg = "save: nothing is simulated yet. Let it run first"
                raise CircuitError(msg)
            saved = save(loop, self.history.events, self.asked)
        except NeostriatumError as error:
            self.publish({"kind": "refused", "text": " ".join(str(error).split())})
            return
        self.publish({"kind": "saved", **saved})
