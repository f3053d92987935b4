"""The engine protocol, and the table of what each engine can do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from neostriatum.errors import CircuitError, EngineUnsupported, shown
from neostriatum.network.check import differs
from neostriatum.ranks import launched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from neostriatum.circuit.model import Circuit
    from neostriatum.engines.learning import Learning
    from neostriatum.engines.lowered import LoweredCircuit
    from neostriatum.network.network import Network


#: How engines keep their state: 2 has states by name. Another version cannot be gone on with.
STATE_VERSION = 2


@dataclass(frozen=True)
class Capabilities:
    """What an engine promises; every False has its reason in `Engine.excuses`."""

    threads_exact: bool = False
    exact_resume: bool = False
    chunks: bool = False
    live_changes: bool = False
    same_draws_as_reference: bool = False
    records_levels: bool = False
    records_releases: bool = False


@dataclass
class Trace:
    """One variable of chosen cells: global ids (k,), times_ms (t,), values (t, k).

    Potentials are in mV, the recovery u in pA, conductances in nS.
    """

    ids: np.ndarray
    times_ms: np.ndarray
    values: np.ndarray

    @property
    def v_mv(self) -> np.ndarray:
        """The values, where the variable is the membrane potential [mV]."""
        return self.values


@dataclass(frozen=True)
class Samples:
    """What a probe saw: local ids (k,), steps from the end of the warm-up (t,), values (t, k)."""

    population: str
    variable: str
    ids: np.ndarray
    steps: np.ndarray
    values: np.ndarray


class Engine(Protocol):
    """Turns a network and a number of steps into spikes."""

    name: str
    capabilities: Capabilities
    #: Reason of every capability that is False.
    excuses: dict[str, str]
    #: Spikes of axons after the warm-up, by population.
    axon_spikes: dict[str, int]

    def prepare(self, circuit: Circuit, network: Network, seed: int) -> None:
        """Get ready for step 0, the start of the warm-up."""

    def probe(self, population: str, ids: np.ndarray, variable: str = "v",
              every: int = 1) -> None:
        """Record a state of these local ids after every so many steps from now on.

        ``population`` is a cell type, ``modulators.<name>`` (``level``) or ``pathways.<name>``
        (states of release of its sources, as a spike would find them). Steps are counted from
        the end of the warm-up. Recording changes no spike.
        """

    def advance(self, n_steps: int) -> tuple[np.ndarray, np.ndarray]:
        """Simulate ``n_steps``; return (steps, global ids) of their spikes, sorted."""

    def change(self, circuit: Circuit) -> None:
        """Go on with another level, drive, current or parameter of the same network."""

    def traces(self) -> dict[str, Trace]:
        """Return the potentials recorded so far, times from the end of the warm-up."""

    def take(self) -> list[Samples]:
        """Hand over everything recorded since the last time, and forget it."""

    def levels(self) -> dict[str, float]:
        """Return the level of every modulator that the next step hears."""

    def weights(self, pathway: str) -> np.ndarray:
        """Return the plastic factors of a pathway's synapses now, in the order of its edges."""

    def state(self) -> dict[str, np.ndarray]:
        """Return everything that the future depends on, as arrays by name."""

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Continue from a `state`."""


def changed(old: LoweredCircuit, new: LoweredCircuit) -> LoweredCircuit:
    """Return ``new`` if an engine can go on with it where ``old`` stands.

    Raises
    ------
    EngineUnsupported
        Other cell types, receptors, pathways, kinds of synapse or gap junction, step or warm-up, or
        anything else that only drawing another network would change.
    """
    if key := differs(old.circuit, new.circuit):
        msg = f"change: {key} must stay as the network was built"
        raise EngineUnsupported(msg)
    for what in ("dt", "warmup", "slots"):
        if getattr(old, what) != getattr(new, what):
            msg = f"change: {what} must stay as it is (got {getattr(new, what)})"
            raise EngineUnsupported(msg)
    if _shape(old) != _shape(new):
        msg = ("change: cell types, receptors, pathways, gap junctions and how levels are computed "
               "must stay as they are")
        raise EngineUnsupported(msg)
    return keep_tonic(old, new)


def refuse_probes(simulator: Engine, names: Iterable[str]) -> None:
    """Refuse to record, by the names of `Engine.probe`, what an engine does not record.

    Raises
    ------
    EngineUnsupported
        The first name, and why.
    """
    for name in names:
        kind = name.partition(".")[0]
        able = {"modulators": "records_levels", "pathways": "records_releases"}.get(kind)
        if able is not None and not getattr(simulator.capabilities, able):
            msg = (f"engine {simulator.name}: record: {name}: {simulator.excuses[able]}. Use the "
                   "engine numba")
            raise EngineUnsupported(msg)


def keep_tonic(old: LoweredCircuit, new: LoweredCircuit) -> LoweredCircuit:
    """Return ``new`` with the tonic levels of learning of ``old``: they are those of the start."""
    kept = tuple(two if one.learning is None or two.learning is None else
                 replace(two, learning=replace(two.learning, tonic=one.learning.tonic))
                 for one, two in zip(old.projections, new.projections, strict=True))
    return replace(new, projections=kept)


def weights_of(lowered: LoweredCircuit, pathway: str,
               now: Callable[[int], np.ndarray]) -> np.ndarray:
    """Return the weights of a pathway that learns, of what its projections have.

    Parameters
    ----------
    lowered : LoweredCircuit
        The lowered circuit.
    pathway : str
        The pathway; regions may have parted it.
    now : callable
        From the number of a projection to its weights.

    Raises
    ------
    CircuitError
        Another pathway.
    """
    learner(lowered, pathway)
    mine = [(number, one.edges) for number, one in enumerate(lowered.projections)
            if one.learning and one.name.partition("@")[0] == pathway]
    if len(mine) == 1:
        return now(mine[0][0])
    joined = np.zeros(sum(len(edges) for _, edges in mine if edges is not None))
    for number, edges in mine:
        joined[edges] = now(number)
    return joined


def learner(lowered: LoweredCircuit, pathway: str) -> int:
    """Return the number of the projection of a pathway that learns, the first by region.

    Raises
    ------
    CircuitError
        Another pathway.
    """
    learning = {one.name.partition("@")[0]: number
                for number, one in reversed(list(enumerate(lowered.projections))) if one.learning}
    if pathway not in learning:
        msg = (f"weights: must be a pathway that learns (got {shown(pathway)}). Known: "
               f"{', '.join(learning) or 'none'}")
        raise CircuitError(msg)
    return learning[pathway]


def _shape(lowered: LoweredCircuit) -> Any:
    """Return what decides which state a lowered circuit has."""
    cells = [(pop.name, pop.n, pop.model.names, [(synapse.name, synapse.model.names)
                                                 for synapse in pop.synapses], len(pop.inlets))
             for pop in lowered.populations]
    pathways = [(one.name, one.stp and one.stp.model.text, [entry for entry, _ in one.weights],
                 one.learning and _learning(one.learning)) for one in lowered.projections]
    levels = (lowered.signals.names, lowered.signals.plain.tolist())
    axons = [(one.name, one.n, len(one.groups)) for one in lowered.axons]
    return (cells, levels, pathways, [(kind.name, kind.tau is None) for kind in lowered.gaps],
            axons)


def _learning(learning: Learning) -> Any:
    """Return what the state of learning is counted in."""
    return (learning.rule.text, learning.taus, learning.values["tau_plus"],
            learning.values["tau_minus"], learning.flush, learning.delay)


_ENGINES = {
    "numba": ("neostriatum.engines.numba_engine", "Numba"),
    "reference": ("neostriatum.engines.reference", "Reference"),
    "brian2": ("neostriatum.engines.brian2_engine", "Brian2Standalone"),
    "brian2-runtime": ("neostriatum.engines.brian2_engine", "Brian2Runtime"),
    "nest": ("neostriatum.engines.nest_engine.engine", "Nest"),
}
DEFAULT = "numba"


def names() -> list[str]:
    """Return the names of the engines."""
    return list(_ENGINES)


def checked_precision(precision: Any) -> str:
    """Return a precision.

    Raises
    ------
    CircuitError
        Neither double nor single.
    """
    if precision not in ("double", "single"):
        msg = f"precision: must be double or single (got {shown(precision)})"
        raise CircuitError(msg)
    return str(precision)


def engine(name: str, **options: Any) -> Engine:
    """Return a new engine.

    Raises
    ------
    CircuitError
        An unknown name, or a precision other than double and single.
    EngineMissing
        A known engine whose library is not installed.
    EngineUnsupported
        Several MPI ranks, and an engine other than nest.
    """
    if name not in _ENGINES:
        msg = f"engine: must be one of {', '.join(_ENGINES)} (got {shown(name)})"
        raise CircuitError(msg)
    checked_precision(options.get("precision", "double"))
    if launched() > 1 and name != "nest":
        msg = (f"engine {name}: runs in one process (got {launched()} ranks). Use --engine nest, "
               "or start without mpiexec")
        raise EngineUnsupported(msg)
    module, symbol = _ENGINES[name]
    return getattr(import_module(module), symbol)(**options)
