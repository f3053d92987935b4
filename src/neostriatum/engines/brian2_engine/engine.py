"""The two Brian2 engines behind the engine protocol."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
import warnings
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from neostriatum.engines.axons import Players
from neostriatum.engines.base import Capabilities, Samples, Trace, learner
from neostriatum.engines.brian2_engine.equations import variable
from neostriatum.engines.brian2_engine.learning import weights_now
from neostriatum.engines.brian2_engine.objects import Brian2Objects, build_objects
from neostriatum.engines.brian2_engine.statements import check
from neostriatum.engines.lowered import V_LIMIT, LoweredCircuit, lower
from neostriatum.engines.probes import Probe, Probes
from neostriatum.errors import EngineMissing, EngineUnsupported, NumericsError
from neostriatum.machine import cores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from neostriatum.circuit.model import Circuit
    from neostriatum.network.network import Network

#: Strict IEEE arithmetic: Brian2's default adds -ffast-math.
FLAGS = ["-w", "-O3", "-march=native", "-ffp-contract=off", "-std=c++11"]


@lru_cache(maxsize=1)
def brian2() -> Any:
    """Return the Brian2 module, imported where no file can set its preferences."""
    here = Path.cwd()
    try:
        with tempfile.TemporaryDirectory() as empty:
            os.chdir(empty)
            try:
                import brian2 as b2
            finally:
                os.chdir(here)
    except ImportError as error:
        msg = (f"engine brian2: needs the package brian2 ({error}). "
               "Install it with: pip install neostriatum[brian2]")
        raise EngineMissing(msg) from None
    b2.prefs.codegen.cpp.extra_compile_args_gcc = FLAGS
    # One compiler per core: make -j alone starts dozens.
    b2.prefs.devices.cpp_standalone.extra_make_args_unix = [f"-j{cores()}"]
    b2.prefs.codegen.cpp.extra_compile_args_msvc = ["/Ox", "/w", "/MP"]
    # It rewrites sums and products in an order of its own.
    b2.prefs.codegen.loop_invariant_optimisations = False
    # Results with OpenMP are compared with the reference in our own tests.
    b2.BrianLogger.suppress_hierarchy("brian2.devices.cpp_standalone.device.openmp")
    return b2


def has_compiler() -> bool:
    """Return whether a C++ compiler and make are on the path."""
    return bool(shutil.which("g++") or shutil.which("clang++")) and bool(shutil.which("make"))


def to_brian2(circuit: Circuit, network: Network, seed: int = 1) -> Brian2Objects:
    """Return the circuit as Brian2 objects, on Brian2's current device, to run or to extend.

    Cells have states and parameters without units of Brian2, in mV, pA, nS, pF and ms: ``c_v``,
    ``c_C``, and ``r0_g`` of their first receptor. ``v``, ``u``, ``g_AMPA`` and ``I_AMPA`` can be
    read with units where the models are shipped, ``v`` of any cell. Add to ``in_AMPA`` what shall
    arrive at AMPA [nS]. ``network["step_dSPN"].abstract_code`` is a step of a dSPN.

    Parameters
    ----------
    circuit : Circuit
        What to simulate.
    network : Network
        Who is connected to whom, from `build`.
    seed : int
        Seed of start values, channels and shared trains; seed Brian2's own draws yourself.

    Returns
    -------
    Brian2Objects
        ``groups["dSPN"]`` is a NeuronGroup, ``synapses["FS->dSPN"]`` a Synapses object,
        ``network`` the Network of them all.

    Examples
    --------
    >>> import brian2
    >>> import neostriatum as ns
    >>> brian2.prefs.codegen.target = "numpy"  # compiles nothing; "cython" runs faster
    >>> circuit = ns.load("striatum_v1")
    >>> made = ns.to_brian2(circuit, ns.build(circuit, size=100))
    >>> len(made.groups["dSPN"])
    49
    """
    lowered = lower(circuit, network, seed)
    check("brian2", lowered)
    if lowered.axons:
        msg = (f"to_brian2: axons.{lowered.axons[0].name}: trains are drawn as a run goes on. "
               "Use --engine brian2")
        raise EngineUnsupported(msg)
    return build_objects(brian2(), lowered)


class _Brian2:
    """What both Brian2 engines share: probes, spikes and their bookkeeping."""

    name: ClassVar[str]
    excuses: ClassVar[dict[str, str]]
    objects: Brian2Objects

    def __init__(self, threads: int | None = None, precision: str = "double") -> None:
        self.threads = threads or cores()
        self.precision = precision
        if precision != "double":
            msg = f"engine {self.name}: precision must be double (got {precision})"
            raise EngineUnsupported(msg)
        self.b2 = brian2()
        self.lowered: LoweredCircuit

    def prepare(self, circuit: Circuit, network: Network, seed: int) -> None:
        """Get ready for step 0, the start of the warm-up."""
        self.lowered, self._seed = lower(circuit, network, seed), seed
        check(self.name, self.lowered)
        self.step = 0
        self._probes = Probes(self.lowered)
        self._axons = Players(self.lowered.axons)
        #: Spikes of axons after the warm-up, by population.
        self.axon_spikes = self._axons.counts
        self._spikes: dict[str, Any] = {}
        self._computed: dict[str, float] = {}
        self._noted = 0
        self._seen: dict[tuple[str, str], tuple[Probe, Any]] = {}
        self._weights = {one.name: np.full(len(one.targets), one.learning.start)
                         for one in self.lowered.projections if one.learning}

    def probe(self, population: str, ids: np.ndarray, variable: str = "v",
              every: int = 1) -> None:
        """Record v, u or g_<receptor> of these local ids after every so many steps."""
        made = self._probes.add(population, ids, variable, every)
        if self._spikes:
            self._watch(made)

    def _play(self, first: int, stop: int) -> None:
        """Give the axons their spikes of the steps from ``first`` to before ``stop``."""
        groups = self.objects.axons.values()
        for group, (when, who) in zip(groups, self._axons.spikes(first, stop - first), strict=True):
            group.set_spikes(who, (when * self.lowered.dt) * self.b2.ms)

    def _monitor(self) -> None:
        groups = self.objects.groups
        self._spikes = {name: self.b2.SpikeMonitor(group) for name, group in groups.items()}
        self.objects.network.add(*self._spikes.values())
        for probe in self._probes:
            self._watch(probe)

    def _watch(self, probe: Probe) -> None:
        key = probe.name, probe.variable
        if key in self._seen:
            self.objects.network.remove(self._seen.pop(key)[1])
        group, name = self._watched(probe)
        if group is not None:
            made = self.b2.StateMonitor(group, when="end", record=probe.ids, variables=name)
            self._seen[key] = probe, made
            self.objects.network.add(made)

    def _watched(self, probe: Probe) -> tuple[Any, str]:
        """Return the group and the variable of a probe, no group where nothing is computed."""
        level = dict(self._probes.levels).get(probe)
        if level is not None:
            free = self.lowered.levels[level] in self.lowered.signals.free
            return self.objects.levels if free else None, f"level{level + 1}"
        group = self.objects.groups.get(probe.name)
        return group, variable(self.lowered.populations[self.lowered.index[probe.name]],
                               probe.variable)

    def _note(self) -> None:
        """Move what the monitors of potentials and the like saw to the probes."""
        for probe, monitor in self._seen.values():
            values = np.array(getattr(monitor, self._watched(probe)[1])[:]).T
            steps = np.rint(np.asarray(monitor.t_) * 1000.0 / self.lowered.dt).astype(np.int64)
            self._probes.put(probe, steps, values)
        steps = np.arange(self._noted, self.step)
        self._noted = self.step
        given = self.lowered.signals.given(self.lowered.time_ms(steps + 1))
        for probe, place in self._probes.levels:
            if (probe.name, probe.variable) not in self._seen:
                self._probes.put(probe, steps, given[place][:, None])
        for level in self.lowered.signals.free:
            number = self.lowered.levels.index(level) + 1
            self._computed[level] = float(getattr(self.objects.levels, f"level{number}")[0])
        for one in self.lowered.projections:
            if one.learning and one.name in self.objects.tables:
                self._weights[one.name] = weights_now(
                    one.learning, self.objects.synapses[one.name], self.objects.tables[one.name])

    def _collected(self, first: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        steps, ids = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for pop in self.lowered.populations:
            if pop.name in self._spikes:
                monitor = self._spikes[pop.name]
                times = np.asarray(monitor.t_) * 1000.0
                steps.append(np.rint(times / self.lowered.dt).astype(np.int64))
                ids.append(np.asarray(monitor.i[:], np.int64) + pop.offset)
        when, who = np.concatenate(steps), np.concatenate(ids)
        kept = (when >= first) & (when < stop)
        when, who = when[kept], who[kept]
        order = np.lexsort((who, when))
        return when[order], who[order]

    def _check(self) -> None:
        for pop in self.lowered.populations:
            if pop.name in self.objects.groups:
                v = np.asarray(self.objects.groups[pop.name].c_v[:])
                bad = np.flatnonzero(~(np.abs(v) <= V_LIMIT))
                if len(bad):
                    msg = (f"{pop.name} {bad[0]}: membrane potential must stay within "
                           f"{V_LIMIT:g} mV, found at step {self.step} (got {v[bad[0]]:g} mV). "
                           "Lower dt or the conductances")
                    raise NumericsError(msg)

    def levels(self) -> dict[str, float]:
        """Return the level of every modulator that the next step hears."""
        given = dict(zip(self.lowered.levels, self.lowered.phi(self.step), strict=True))
        return given | self._computed

    def weights(self, pathway: str) -> np.ndarray:
        """Return the plastic factors of a pathway's synapses now, in the order of its edges."""
        learner(self.lowered, pathway)
        return self._weights[pathway].copy()

    def traces(self) -> dict[str, Trace]:
        """Return the potentials recorded so far, times from the end of the warm-up."""
        return self._probes.traces()

    def take(self) -> list[Samples]:
        """Hand over everything recorded since the last time, and forget it."""
        return self._probes.take()

    def state(self) -> dict[str, np.ndarray]:
        """Refuse: Brian2's state is not ours to save."""
        msg = f"engine {self.name}: {self.excuses['exact_resume']}"
        raise EngineUnsupported(msg)

    def change(self, circuit: Circuit) -> None:
        """Refuse: Brian2's objects hold the circuit that they were built from."""
        del circuit
        msg = f"engine {self.name}: {self.excuses['live_changes']}"
        raise EngineUnsupported(msg)

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Refuse: Brian2's state is not ours to restore."""
        del state
        self.state()


class Brian2Runtime(_Brian2):
    """Brian2's runtime mode: Cython where a compiler is found, else NumPy."""

    name = "brian2-runtime"
    capabilities = Capabilities(threads_exact=True, chunks=True, records_levels=True)
    excuses = {
        "exact_resume": "Brian2 cannot resume to the same spikes",
        "live_changes": "Brian2's objects hold the numbers that they were built from",
        "same_draws_as_reference": "Brian2 draws its own random numbers",
        "records_releases": "Brian2 keeps a state of release at every synapse, not at its source",
    }

    def __init__(self, threads: int | None = None, precision: str = "double",
                 target: str | None = None) -> None:
        super().__init__(threads, precision)
        self.target = target or ("cython" if has_compiler() else "numpy")

    def prepare(self, circuit: Circuit, network: Network, seed: int) -> None:
        """Get ready for step 0, the start of the warm-up."""
        super().prepare(circuit, network, seed)
        self.b2.set_device("runtime")
        self.b2.prefs.codegen.target = self.target
        self.b2.seed(seed % 2**32)
        self.objects = build_objects(self.b2, self.lowered)

    def advance(self, n_steps: int) -> tuple[np.ndarray, np.ndarray]:
        """Simulate ``n_steps``; return (steps, global ids) of their spikes, sorted."""
        starting = not self._spikes
        if starting:
            self._monitor()
        # The clock belongs to Brian2: another engine may have set it to its own dt.
        self.b2.defaultclock.dt = self.lowered.dt * self.b2.ms
        first, self.step = self.step, self.step + n_steps
        self._play(first, self.step)
        # The side of a `where` that is not taken may be anything.
        with np.errstate(all="ignore"):
            self.objects.network.run(n_steps * self.lowered.dt * self.b2.ms, namespace={})
        if starting:
            self._check_compiled()
        self._check()
        spikes = self._collected(first, self.step)
        self._note()
        self._forget()
        return spikes

    def _forget(self) -> None:
        """Empty the monitors, which else keep everything as long as they live."""
        for monitor in (*self._spikes.values(), *(one for _, one in self._seen.values())):
            monitor.resize(0)
            monitor.variables["N"].set_value(0)

    def _check_compiled(self) -> None:
        """Raise if code is missing: Brian2 goes on without whatever Cython cannot compile."""
        for owner in self.objects.network.sorted_objects:
            for part in owner.code_objects:
                for block, made in part.compiled_code.items():
                    text = getattr(part.code, block, "").strip()
                    if made is None and text and "EMPTY_CODE_BLOCK" not in text:
                        msg = (f"engine {self.name}: {self.target} could not compile "
                               f"{owner.name}. Use another engine")
                        raise EngineUnsupported(msg)


class Brian2Standalone(_Brian2):
    """Brian2's C++ standalone mode: generated, compiled and run once per simulation."""

    name = "brian2"
    capabilities = Capabilities(records_levels=True)
    excuses = {
        **Brian2Runtime.excuses,
        "threads_exact": "Brian2 gives each thread random numbers of its own",
        "chunks": "a C++ standalone program runs once, from the first step to the last",
        "live_changes": "a C++ standalone program cannot be changed while it runs",
    }

    def __new__(cls, *args: Any, **options: Any) -> Any:
        if not has_compiler():
            brian2()
            warnings.warn("engine brian2: no C++ compiler found, using Brian2's slow NumPy target",
                          stacklevel=2)
            return Brian2Runtime(*args, **{**options, "target": "numpy"})
        return super().__new__(cls)

    def prepare(self, circuit: Circuit, network: Network, seed: int) -> None:
        """Get ready for step 0, the start of the warm-up."""
        super().prepare(circuit, network, seed)
        self.timers: dict[str, float] = {}

    def advance(self, n_steps: int) -> tuple[np.ndarray, np.ndarray]:
        """Generate, compile and run the whole simulation; return its spikes, sorted."""
        if self.step:
            msg = f"engine brian2: advance once, {self.excuses['chunks']}"
            raise EngineUnsupported(msg)
        with self.compiled(n_steps) as execute:
            execute()
            self.step = n_steps
            self._check()
            spikes = self._collected(0, n_steps)
            self._note()
        return spikes

    @contextlib.contextmanager
    def compiled(self, n_steps: int) -> Iterator[Callable[[], None]]:
        """Give a function that runs the compiled program, again each time; fills ``timers``."""
        with (tempfile.TemporaryDirectory(prefix="neostriatum-brian2-") as folder,
              self._device(folder)):
            self.b2.seed(self._seed % 2**32)
            self.objects = build_objects(self.b2, self.lowered)
            self._play(0, n_steps)
            self._monitor()
            dt = self.lowered.dt * self.b2.ms
            # The warm-up is a run of its own, so that Brian2 times the rest alone.
            warm = min(self.lowered.warmup, n_steps)
            if warm:
                self.objects.network.run(warm * dt, namespace={})
            if n_steps > warm:
                self.objects.network.run((n_steps - warm) * dt, namespace={})
            device = self.b2.get_device()
            device.build(directory=folder, compile=True, run=False, with_output=False)

            def execute() -> None:
                started = time.perf_counter()
                device.run(directory=folder, with_output=False, run_args=[])
                whole = time.perf_counter() - started
                last = float(device._last_run_time)
                self.timers = {"simulate_s": last,
                               "warmup_s": max(whole - last, 0.0) if warm else 0.0}

            yield execute

    def recorded(self, first: int, stop: int) -> int:
        """Return how many spikes the last execution recorded in steps [first, stop)."""
        return len(self._collected(first, stop)[0])

    @contextlib.contextmanager
    def _device(self, folder: str) -> Iterator[None]:
        b2 = self.b2
        b2.set_device("cpp_standalone", build_on_run=False, directory=folder)
        threads = b2.prefs.devices.cpp_standalone.openmp_threads
        b2.prefs.devices.cpp_standalone.openmp_threads = 0 if self.threads == 1 else self.threads
        try:
            yield
        finally:
            b2.prefs.devices.cpp_standalone.openmp_threads = threads
            b2.get_device().reinit()
            b2.get_device().activate()
            b2.set_device("runtime")
