"""What additions to a circuit cost: CPU time with each of them over that without, in one run."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Any

from neostriatum.bench.engines import MOST_REPEATS
from neostriatum.circuit.clock import run_steps, warmup_steps
from neostriatum.circuit.load import load
from neostriatum.circuit.pools import pools_of
from neostriatum.engines.base import engine
from neostriatum.machine import machine, versions
from neostriatum.network.build import build
from neostriatum.units import whole_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from neostriatum.circuit.model import Circuit

#: The circuit that the additions are made to, and the pool of its projection neurons.
BASE, POOL = "striatum_v1", "SPN"
SIZE = 10_000


def variants(size: int = SIZE) -> dict[str, dict[str, Any]]:
    """Return the changes of every variant by its name.

    Parameters
    ----------
    size : int
        Neurons, which decide how many pairs make one gap junction per 20 cells.

    Returns
    -------
    dict
        ``receptor``: a time constant of its own for GABA of interneurons; ``input``: a second
        Poisson input to all types, both at half the rates; ``current``: an electrode of 0 pA in
        all; ``spread``: of v_t by 1 mV; ``noise``: 1 mV; ``gap``: one junction per 20 projection
        neurons; ``regions``: half of these hear levels of their own, of the same value;
        ``binomial``: all inputs binomial.

    Examples
    --------
    >>> sorted(variants())
    ['binomial', 'current', 'gap', 'input', 'noise', 'receptor', 'regions', 'spread']
    """
    circuit = load(BASE)
    raw = circuit.to_dict()
    projection = pooled(circuit)
    own = {**raw["receptors"]["GABA"], "tau": "8 ms"}
    receptor: dict[str, Any] = {"receptors.GABA_slow": own}
    halves: dict[str, Any] = {}
    for name, pathway in raw["pathways"].items():
        source, target = name.split("->")
        if target in projection and source not in projection:
            receptor[f"pathways.{name}.conductance"] = {
                "GABA_slow": pathway["conductance"]["GABA"]}
    targets = raw["inputs"]["cortex"]["targets"]
    for cell in circuit.types:
        of_axon: Any = circuit.inputs["cortex"].targets[cell].rate  # the base has one for each type
        rate = of_axon.constant.value
        halves[cell] = {**targets[cell], "rate": {"constant": f"{rate / 2!r} Hz"}}
    counts = circuit.counts(size)
    gap = {f"gap_junctions.{cell}-{cell}": {
        "kind": "ohmic", "conductance": "1 nS",
        "wiring": {"rule": "fixed_probability", "p": 0.1 / max(counts[cell] - 1, 1)}}
        for cell in projection}
    return {
        "receptor": receptor,
        "input": {"inputs.cortex": {"targets": halves}, "inputs.second": {"targets": halves}},
        "current": {"inputs.electrode": {"targets": {
            cell: {"current": {"constant": "0 pA"}} for cell in circuit.types}}},
        "spread": {f"spread.{cell}": {"v_t": "1 mV"} for cell in projection},
        "noise": {f"noise.{cell}": "1 mV" for cell in projection},
        "gap": gap,
        "regions": {"channels.half": {"share": 0.5, "of": list(projection)}, **{
            f"modulators.{level.upper()}.regions": {"half": course["constant"]}
            for level, course in raw["dopamine"].items()}},
        "binomial": {f"inputs.cortex.targets.{cell}.process": "binomial" for cell in circuit.types},
    }


def pooled(circuit: Circuit) -> tuple[str, ...]:
    """Return the projection neurons of a circuit."""
    return pools_of(circuit.types, circuit.pools)[POOL]


def bench_variants(*, size: int | None = None, duration: Any = "1 s", repeats: int = 5,
                   seed: int = 1, progress: Callable[[str, float], None] | None = None,
                   ) -> dict[str, Any]:
    """Time every variant against the circuit without it, alternating, on one thread.

    Parameters
    ----------
    size : int, optional
        Neurons, 10,000 unless given.
    duration : str or quantity
        Timed simulation; the circuit's warm-up comes before and is not timed.
    repeats : int
        Runs of every circuit; a ratio is the median of the ratios of neighbouring runs.
    seed : int
        Seed of networks and runs.
    progress : callable, optional
        Called with a phase and its share done.

    Returns
    -------
    dict
        ``variants``: {name: CPU time over that without}; ``ns_per_draw``: of a normal and of
        a binomial count [ns]; ``base_s``: CPU seconds per simulated second without any.
    """
    tell = progress or (lambda phase, share: None)
    repeats = whole_number("repeats", repeats, 1, MOST_REPEATS)
    size = SIZE if size is None else size
    base = load(BASE)
    circuits = {"": base, **{name: load(BASE, changes=changes)
                             for name, changes in variants(size).items()}}
    runs = {}
    for number, (name, circuit) in enumerate(circuits.items()):
        tell("prepare", number / len(circuits))
        runs[name] = _Timed(circuit, size, seed)
    n_steps, ratios = run_steps(base, duration), {
        name: list[float]() for name in circuits if name}
    seconds: dict[str, list[float]] = {name: [] for name in circuits}
    for repeat in range(repeats):
        for name in ratios:
            tell("measure", (repeat + list(ratios).index(name) / len(ratios)) / repeats)
            without, with_ = runs[""].run(n_steps), runs[name].run(n_steps)
            ratios[name].append(with_ / without)
            seconds[""].append(without)
            seconds[name].append(with_)
    middle = {name: statistics.median(times) for name, times in seconds.items()}
    cells = sum(base.counts(size)[cell] for cell in pooled(base))
    draws = {"noise": cells * n_steps, "binomial": size * n_steps}
    return {
        "machine": {**machine(), **versions()}, "circuit": BASE, "neurons": size,
        "repeats": repeats, "base_s": round(middle[""] / (n_steps * base.dt.value / 1000.0), 4),
        "variants": {name: round(statistics.median(each), 3) for name, each in ratios.items()},
        "ns_per_draw": {name: round((middle[name] - middle[""]) / count * 1e9, 2)
                        for name, count in draws.items()},
    }


class _Timed:
    """One circuit, ready to go on, on one thread in double precision."""

    def __init__(self, circuit: Circuit, size: int, seed: int) -> None:
        self._engine = engine("numba", threads=1)
        self._engine.prepare(circuit, build(circuit, size=size, seed=seed), seed)
        self._engine.advance(warmup_steps(circuit))

    def run(self, n_steps: int) -> float:
        """Return the CPU seconds of some more steps."""
        started = time.process_time()
        self._engine.advance(n_steps)
        return time.process_time() - started
